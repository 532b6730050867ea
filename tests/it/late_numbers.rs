//! A payment that names its order only later is the same sale as the order, whoever was heard first: it counts once, is told
//! once, and who has heard of the other one is told that it went back.

use halotrack::jobs::puller;
use serde_json::{Value, json};

use crate::house::{House, SiteAt};
use crate::stand_in::{Answer, StandIn};
use crate::story::Connected;
use crate::stripe::account::{Account, charge, checkout, event, refund};

const EMAIL: &str = "orla.byrne@mail.example";
const HOUR_S: i64 = 3_600;

struct Till {
    account: Account,
    house: House,
    site: SiteAt,
    connected: Connected,
}

impl Till {
    async fn open() -> Self {
        let account = Account::open().await;
        let house = account.house();
        let site = house.site("harrow.example").await;
        let connected = account.connect(&house, &site).await;
        let till = Self { account, house, site, connected };
        till.read().await;
        till
    }

    async fn read(&self) {
        puller::drain(&self.house.app).await.expect("what is due is read");
    }

    async fn send(&self, id: &str, kind: &str, object: &Value) {
        self.send_event(&event(&self.house, id, kind, object)).await;
    }

    async fn send_event(&self, event: &Value) {
        self.account.send(&self.house, &self.connected, event).await.is(200);
        self.read().await;
    }

    /// Paid, and nothing said of the order.
    async fn pay(&self) {
        let money = charge(&self.house, 1, 8_690, "payer@mail.example");
        self.account.keep("charges", &money);
        self.send("evt_1", "charge.succeeded", &money).await;
    }

    /// The shop writes its number on the charge.
    async fn name(&self) {
        let mut money = self.account.inside().lists["charges"][0].clone();
        money["metadata"] = json!({"order_id": "10574"});
        self.account.keep("charges", &money);
        let mut told = event(&self.house, "evt_2", "charge.updated", &money);
        told["data"]["previous_attributes"] = json!({"metadata": {"order_id": null}});
        self.send_event(&told).await;
    }

    async fn order(&self) {
        let order = json!({
            "order_id": "10574", "total": "86.90", "currency": "USD", "email": EMAIL, "status": "paid",
            "created_at": self.house.ago(2 * HOUR_S)
        });
        self.house.order(&self.site, order).await.is(200);
    }

    async fn overview(&self) -> Value {
        self.house.advance_s(4);
        let path = format!("/api/sites/{}/reports/overview?from=2026-06-01&to=2026-06-30", self.site.slug);
        let told = self.house.get(&path).token(&self.site.token).send().await.is(200).json;
        self.house.advance_s(-4);
        told
    }
}

#[tokio::test]
async fn a_number_that_comes_late_makes_two_sales_one_in_any_order() {
    // Paid, ordered, named.
    for order in [[0, 1, 2], [1, 0, 2], [0, 2, 1], [2, 0, 1], [2, 1, 0], [1, 2, 0]] {
        let till = Till::open().await;
        for what in order {
            match what {
                0 => till.pay().await,
                1 => till.order().await,
                // Of a charge that is not there nothing can be written.
                _ if till.account.inside().lists.contains_key("charges") => till.name().await,
                _ => {}
            }
        }
        till.name().await;
        let all = till.house.list(&till.site, "conversions").await;
        assert_eq!(all.len(), 1, "{order:?}: {all:#?}");
        assert_eq!(
            (&all[0]["label"], &all[0]["net"]["minor"], &all[0]["is_test"]),
            (&json!("Order 10574"), &json!(8_690), &json!(false)),
            "{order:?}: {all:#?}"
        );
        let overview = till.overview().await;
        assert_eq!(overview["net"], json!([{"minor": 8_690, "currency": "USD"}]), "{order:?}: {overview:#}");
        let receipt = till.house.receipt(&till.site, all[0]["id"].as_str().expect("an id")).await;
        assert_eq!(receipt["received"].as_array().map(Vec::len), Some(2), "{order:?}: {receipt:#}");
        // What goes back of the payment comes off the sale.
        till.house.advance_s(60);
        let part = refund(&till.house, 1, "re_1", 690, "succeeded");
        till.send("evt_9", "refund.created", &part).await;
        let all = till.house.list(&till.site, "conversions").await;
        assert_eq!((all.len(), &all[0]["net"]["minor"]), (1, &json!(8_000)), "{order:?}: {all:#?}");
        // Told once more, nothing changes.
        till.name().await;
        till.house.advance_s(60);
        assert_eq!(till.house.list(&till.site, "conversions").await, all, "{order:?}");
    }
}

#[tokio::test]
async fn what_was_told_of_the_other_one_is_taken_back_and_what_waits_is_not_sent() {
    for is_told in [false, true] {
        let receiver = StandIn::start(|_, _| Answer::text(200, "ok")).await;
        let till = Till::open().await;
        till.house.connect(&till.site, "webhook", "live", &[("url", &receiver.url())]).await;
        let session = till.house.visit(&till.site, None, json!({"utm_source": "google", "utm_medium": "cpc", "consent": "granted"})).await;
        till.house.advance_s(60);
        let order = json!({"order_id": "10574", "total": "86.90", "currency": "USD", "email": EMAIL, "status": "paid", "session_id": session,
            "consent_given": true, "created_at": till.house.ago(0)});
        till.house.order(&till.site, order).await.is(200);
        till.house.advance_s(2 * HOUR_S);
        let mut paid = checkout(&till.house, 1, 8_690, "payer@mail.example");
        paid["metadata"] = json!({"consent_given": "true"});
        let money = charge(&till.house, 1, 8_690, "payer@mail.example");
        till.account.keep("checkout/sessions", &paid);
        till.account.keep("charges", &money);
        till.send("evt_1", "checkout.session.completed", &paid).await;
        assert_eq!(till.house.list(&till.site, "conversions").await.len(), 2, "nobody can know yet");
        if is_told {
            till.house.work().await;
            assert_eq!(receiver.seen().len(), 2);
        }
        till.name().await;
        till.house.work().await;
        let all = till.house.list(&till.site, "conversions").await;
        assert_eq!(
            (all.len(), &all[0]["net"]["minor"], &all[0]["credited"][0]["source"]),
            (1, &json!(8_690), &json!("google")),
            "{all:#?}"
        );
        let sent: Vec<Value> = receiver.seen().iter().map(|seen| seen.json()["type"].clone()).collect();
        let want = if is_told { vec!["conversion.created", "conversion.created", "sale.refunded"] } else { vec!["conversion.created"] };
        assert_eq!(sent, want, "{is_told}");
        let why: Vec<Value> =
            till.house.deliveries(&till.site).await.iter().filter(|d| d["state"] == "cancelled").map(|d| d["reason"].clone()).collect();
        assert_eq!(why.len(), usize::from(!is_told), "{why:?}");
    }
}

#[tokio::test]
async fn a_number_of_nobody_elses_joins_with_nothing_and_two_numbers_stay_two_sales() {
    let till = Till::open().await;
    till.pay().await;
    till.name().await;
    let all = till.house.list(&till.site, "conversions").await;
    assert_eq!(all.len(), 1, "{all:#?}");
    let order = json!({"order_id": "10575", "total": "86.90", "currency": "USD", "email": EMAIL, "status": "paid", "created_at": till.house.ago(0)});
    till.house.order(&till.site, order).await.is(200);
    assert_eq!(till.house.list(&till.site, "conversions").await.len(), 2);
    // Stripe tells of every charge again once its fee is known: that is no news, and nothing is asked for it.
    let asked = till.account.inside().asked.len();
    let money = till.account.inside().lists["charges"][0].clone();
    let mut told = event(&till.house, "evt_3", "charge.updated", &money);
    told["data"]["previous_attributes"] = json!({"balance_transaction": null});
    till.send_event(&told).await;
    assert_eq!(till.account.inside().asked.len(), asked);
}
