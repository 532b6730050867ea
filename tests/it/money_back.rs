//! Money that went back comes off a sale whichever of its reports tells of it, once, and in any order of arrival; what nobody had
//! paid where it was cancelled takes nothing off a payment.

use std::collections::BTreeMap;

use halotrack::jobs::puller;
use serde_json::{Value, json};

use crate::house::{House, SiteAt};
use crate::story::Connected;
use crate::stripe::account::{Account, charge, event, refund};

const DAY_S: i64 = 86_400;
const TOTAL: i64 = 6_000;

/// What is told of the one sale, beside the payment itself.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Word {
    /// Stripe: sixty were paid.
    Pays,
    /// The shop's program.
    Paid,
    Refunded,
    Cancelled,
    /// Never paid there.
    Unpaid,
    GivenUp,
    /// Stripe: ten went back, or all.
    Part,
    Whole,
}

struct Till {
    account: Account,
    house: House,
    site: SiteAt,
    connected: Connected,
    opened_at: halotrack::domain::time::Time,
}

impl Till {
    async fn open() -> Self {
        let (account, house, site, connected) = Account::of_a_shop().await;
        house.advance_s(10 * DAY_S);
        puller::drain(&house.app).await.expect("what is due is read");
        let opened_at = house.clock.now();
        Self { account, house, site, connected, opened_at }
    }

    /// Seconds since 1970 so many days before the story began.
    fn days_ago(&self, days: i64) -> i64 {
        self.opened_at.s() - days * DAY_S
    }

    /// The charge as Stripe knows it by now.
    fn money(&self) -> Value {
        let mut money = self.account.inside().lists.get("charges").and_then(|all| all.first().cloned()).unwrap_or_else(|| {
            let mut money = charge(&self.house, 1, TOTAL, "orla@mail.example");
            money["metadata"] = json!({"order_id": "111"});
            money
        });
        money["created"] = json!(self.days_ago(5));
        money
    }

    async fn stripe(&self, id: &str, kind: &str, object: &Value, days: i64) {
        self.account.keep("charges", object);
        let mut told = event(&self.house, id, kind, object);
        told["created"] = json!(self.days_ago(days));
        self.account.send(&self.house, &self.connected, &told).await.is(200);
        puller::drain(&self.house.app).await.expect("what is due is read");
    }

    async fn went_back(&self, id: &str, minor: i64) {
        let mut money = self.money();
        let mut gone = refund(&self.house, 1, id, minor, "succeeded");
        gone["created"] = json!(self.days_ago(2));
        money["refunds"]["data"].as_array_mut().expect("a list").push(gone);
        money["amount_refunded"] = json!(minor);
        self.stripe(&format!("evt_{id}"), "charge.refunded", &money, 2).await;
    }

    /// The program says how the order stands, so many days ago.
    async fn order(&self, status: &str, days: i64) {
        let at = |days| halotrack::domain::time::Time::from_s(self.days_ago(days)).utc();
        let body = json!({"order_id": "111", "total": "60.00", "currency": "USD", "email": "orla@mail.example", "status": status,
            "created_at": at(5), "modified_at": at(days)});
        self.house.order(&self.site, body).await.is(200);
    }

    async fn tell(&self, word: Word) {
        self.house.advance_s(30);
        match word {
            Word::Pays => self.stripe("evt_1", "charge.succeeded", &self.money(), 5).await,
            Word::Paid => self.order("paid", 4).await,
            Word::Refunded => self.order("refunded", 1).await,
            Word::Cancelled => self.order("cancelled", 3).await,
            Word::Unpaid => self.order("pending", 4).await,
            Word::GivenUp => self.order("cancelled", 3).await,
            Word::Part => self.went_back("re_1", 1_000).await,
            Word::Whole => self.went_back("re_2", TOTAL).await,
        }
    }

    /// What the figures say of the one sale, and what came off on each day.
    async fn shown(&self) -> Value {
        let all = self.house.list(&self.site, "conversions").await;
        assert_eq!(all.len(), 1, "{all:#?}");
        let receipt = self.house.receipt(&self.site, all[0]["id"].as_str().expect("an id")).await;
        let mut days = BTreeMap::<String, i64>::new();
        for line in receipt["entries"].as_array().into_iter().flatten() {
            *days.entry(line["book_day"].as_str().unwrap_or_default().to_owned()).or_default() +=
                line["amount"]["minor"].as_i64().unwrap_or_default();
        }
        days.retain(|_, minor| *minor != 0);
        assert_eq!(days.values().sum::<i64>(), all[0]["net"]["minor"].as_i64().unwrap_or_default(), "{receipt:#}");
        for order in self.house.list(&self.site, "orders").await.into_iter().filter(|order| !order["sale"].is_null()) {
            assert_eq!((&order["net"]["minor"], &order["sale"]["status"]), (&all[0]["net"]["minor"], &all[0]["status"]), "{order:#}");
        }
        json!({"status": all[0]["status"], "net": all[0]["net"]["minor"], "days": days.into_values().collect::<Vec<_>>(),
            "flag": receipt["conversion"]["flag"]})
    }
}

/// Every order of a few words.
fn orders(words: &[Word]) -> Vec<Vec<Word>> {
    if words.is_empty() {
        return vec![Vec::new()];
    }
    (0..words.len())
        .flat_map(|n| {
            let mut rest = words.to_vec();
            let first = rest.remove(n);
            orders(&rest).into_iter().map(move |rest| [vec![first], rest].concat()).collect::<Vec<_>>()
        })
        .collect()
}

const DOUBTFUL: &str = "one report says that it was cancelled and never paid, and another has the money: nothing was taken off";

#[tokio::test]
async fn whoever_tells_that_money_went_back_is_heard_once_in_any_order() {
    use Word::{Cancelled, GivenUp, Paid, Part, Pays, Refunded, Unpaid, Whole};
    let rows: &[(&[Word], (&str, i64, &[i64], Option<&str>))] = &[
        (&[Pays, Paid, Refunded], ("refunded", 0, &[6_000, -6_000], None)),
        (&[Pays, Paid, Cancelled], ("cancelled", 0, &[6_000, -6_000], None)),
        (&[Pays, Paid, Refunded, Part], ("refunded", 0, &[6_000, -1_000, -5_000], None)),
        (&[Pays, Paid, Refunded, Whole], ("refunded", 0, &[6_000, -6_000], None)),
        (&[Pays, Unpaid], ("paid", 6_000, &[6_000], None)),
        (&[Pays, Unpaid, GivenUp], ("paid", 6_000, &[6_000], Some(DOUBTFUL))),
        (&[Pays, Unpaid, GivenUp, Part], ("paid", 5_000, &[6_000, -1_000], Some(DOUBTFUL))),
        (&[Pays, GivenUp, Whole], ("refunded", 0, &[6_000, -6_000], None)),
    ];
    for (words, (status, net, days, flag)) in rows {
        // Stripe's own events are read in its own words: the newest state of the charge is what counts.
        for order in orders(words) {
            let till = Till::open().await;
            for word in &order {
                till.tell(*word).await;
            }
            let want = json!({"status": status, "net": net, "days": days, "flag": flag});
            assert_eq!(till.shown().await, want, "told in the order {order:?}");
        }
    }
}

#[tokio::test]
async fn a_receipt_says_which_report_told_that_money_went_back() {
    let till = Till::open().await;
    for word in [Word::Pays, Word::Paid, Word::Refunded] {
        till.tell(word).await;
    }
    let all = till.house.list(&till.site, "conversions").await;
    let receipt = till.house.receipt(&till.site, all[0]["id"].as_str().expect("an id")).await;
    let back = receipt["entries"].as_array().into_iter().flatten().find(|e| e["kind"] == "refund").expect("a line");
    assert_eq!((&back["told_by"], &back["note"]), (&json!("your server, by token"), &json!("the whole order")));
}

#[tokio::test]
async fn an_order_that_holds_again_gives_the_money_back() {
    let till = Till::open().await;
    for word in [Word::Pays, Word::Paid, Word::Refunded] {
        till.tell(word).await;
    }
    assert_eq!(till.shown().await["net"], 0);
    till.order("paid", 0).await;
    assert_eq!(till.shown().await, json!({"status": "paid", "net": 6_000, "days": [6_000, -6_000, 6_000], "flag": null}));
    let all = till.house.list(&till.site, "conversions").await;
    let receipt = till.house.receipt(&till.site, all[0]["id"].as_str().expect("an id")).await;
    let last = receipt["entries"].as_array().and_then(|all| all.last().cloned()).unwrap_or_default();
    assert_eq!((&last["told_by"], &last["note"]), (&json!("your server, by token"), &json!("it holds again")));
    // The doubt goes with its reason.
    let till = Till::open().await;
    till.tell(Word::Pays).await;
    till.tell(Word::GivenUp).await;
    assert_eq!(till.shown().await["flag"], DOUBTFUL);
    till.order("pending", 1).await;
    assert_eq!(till.shown().await, json!({"status": "paid", "net": 6_000, "days": [6_000], "flag": null}));
}
