//! A payment that names its order only later is the same sale as the order, whoever was heard first: it counts once, is told
//! once, and who has heard of the other one is told that it went back.

use std::collections::BTreeMap;

use halotrack::jobs::puller;
use serde_json::{Value, json};

use crate::affiliates::{left, lines};
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
        let (account, house, site, connected) = Account::of_a_shop().await;
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

/// Both stood on the partner's statement of June, or one of them did; June was closed, and only then they turn out to be one sale.
#[tokio::test]
async fn a_closed_month_keeps_its_statement_and_the_open_one_carries_the_correction() {
    for is_of_both in [true, false] {
        let till = Till::open().await;
        let (house, site) = (&till.house, &till.site);
        let noor = house.partner(site, "noor", json!({"hold_days": 0})).await;
        if is_of_both {
            let session = house.visit(site, None, json!({"landing": "/?ref=noor"})).await;
            house.advance_s(60);
            let mut paid = checkout(house, 1, 8_690, "payer@mail.example");
            paid["client_reference_id"] = json!(session);
            till.account.keep("checkout/sessions", &paid);
            till.account.keep("charges", &charge(house, 1, 8_690, "payer@mail.example"));
            till.send("evt_1", "checkout.session.completed", &paid).await;
        } else {
            till.pay().await;
        }
        let order = json!({
            "order_id": "10574", "total": "86.90", "currency": "USD", "email": EMAIL, "status": "paid", "affiliate": "noor",
            "created_at": house.ago(2 * HOUR_S)
        });
        house.order(site, order).await.is(200);
        let earned = if is_of_both { 2 * 869 } else { 869 };
        assert_eq!(left(house, site), BTreeMap::from([(noor.clone(), earned)]), "nobody can know yet");
        house.advance_s(HOUR_S);
        let owed = house.statement(site, &noor, "2026-06").await["owed"].clone();
        house.of_partner(site, &format!("{noor}/pay"), json!({"amounts": owed})).await.is(200);
        house.advance_s(20 * 24 * HOUR_S);
        house.of_partner(site, "close", json!({"month": "2026-06"})).await.is(204);
        let june = house.statement(site, &noor, "2026-06").await;

        till.name().await;
        assert_eq!(house.list(site, "conversions").await.len(), 1);
        assert_eq!(left(house, site), BTreeMap::from([(noor.clone(), 869)]), "one sale earns once");
        let since = house.statement(site, &noor, "2026-06").await;
        assert_eq!((&since["digest"], &since["lines"], &since["earned"]), (&june["digest"], &june["lines"], &june["earned"]));
        let july = house.statement(site, &noor, "2026-07").await;
        let booked: Vec<i64> = lines(&july).into_iter().map(|(_, minor, _)| minor).collect();
        assert_eq!(booked, if is_of_both { vec![-869] } else { vec![-869, 869] }, "{july:#}");
        let due: i64 = july["owed"].as_array().into_iter().flatten().filter_map(|m| m["minor"].as_i64()).sum();
        assert_eq!(due, if is_of_both { -869 } else { 0 }, "what was paid twice comes off what is paid next: {july:#}");
        for line in july["lines"].as_array().expect("lines") {
            let note = line["note"].as_str().unwrap_or_default();
            assert!(note.contains("It is the same sale as ") && note.contains("whose statement was final already"), "{note}");
            let receipt = house.receipt(site, line["conversion"].as_str().expect("an id")).await;
            let told = receipt["affiliate"]["booked"].as_array().expect("lines").last().cloned().unwrap_or_default();
            assert_eq!((&told["note"], &told["day"]), (&line["note"], &json!("2026-07-01")), "{receipt:#}");
        }
        // Told once more, nothing moves.
        till.name().await;
        assert_eq!(lines(&house.statement(site, &noor, "2026-07").await).len(), booked.len());
    }
}

/// A number with a sign before it and one without are one: platforms get one event id, whoever was first.
#[tokio::test]
async fn one_sale_in_two_spellings_has_one_event_id() {
    for is_shop_first in [true, false] {
        let receiver = StandIn::start(|_, _| Answer::text(200, "ok")).await;
        let house = House::new();
        let site = house.site("shop.example").await;
        house.connect(&site, "webhook", "live", &[("url", &receiver.url())]).await;
        for is_shop in [is_shop_first, !is_shop_first] {
            house.advance_s(60);
            if is_shop {
                let order = json!({"order_id": "#5001", "total": "86.90", "currency": "USD", "email": EMAIL, "status": "paid", "consent_given": true});
                house.order(&site, order).await.is(200);
            } else {
                let sale = json!({"conversion_type": "sale", "order_id": " 5001", "revenue": 86.9, "currency": "USD", "email": EMAIL});
                house.conversion(&site, sale).await;
            }
        }
        assert_eq!(house.list(&site, "conversions").await.len(), 1);
        let ids: Vec<Value> = house.deliveries(&site).await.iter().map(|d| d["event_id"].clone()).collect();
        assert_eq!(ids, [json!("order_5001")], "{is_shop_first}");
    }
}
