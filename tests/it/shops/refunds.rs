//! What goes back: once, on its own day, never more than the order came to, and the same in any order of arrival.

use std::collections::BTreeMap;

use halotrack::domain::time::Time;
use halotrack::store::sites::NewSite;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::house::{House, SiteAt};
use crate::stand_in::{self, StandIn};
use crate::story::Connected;
use crate::woo_shop::WooShop;

const DAY_S: i64 = 86_400;

/// What all sales come to by day of the books: `2026-06-10 9000, 2026-06-12 -3000`.
async fn days(house: &House, site: &SiteAt) -> String {
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    for conversion in house.list(site, "conversions").await {
        let receipt = house.receipt(site, conversion["id"].as_str().expect("an id")).await;
        house.advance_s(1);
        for entry in receipt["entries"].as_array().into_iter().flatten() {
            let day = entry["book_day"].as_str().expect("a day").to_owned();
            *sums.entry(day).or_default() += entry["amount"]["minor"].as_i64().expect("an amount");
        }
    }
    sums.retain(|_, minor| *minor != 0);
    sums.iter().map(|(day, minor)| format!("{day} {minor}")).collect::<Vec<_>>().join(", ")
}

/// Bodies of an order's whole life, as the shop could have sent them; each may be the only one that tells something.
fn life(shop: &WooShop, now: Time) -> (u64, Vec<(&'static str, Vec<u8>)>) {
    let ago = |days: i64| now.plus_ms(-days * DAY_S * 1_000);
    let mut told = Vec::new();
    let mut books = shop.books();
    let id = books.place(ago(9), "90.00", json!({"status": "pending"}));
    told.push(("order.created", books.body("order.created", id)));
    books.edit(id, ago(8), json!({"status": "processing"}));
    told.push(("order.updated", books.body("order.updated", id)));
    books.refund(id, ago(6), 3_000);
    told.push(("order.updated", books.body("order.updated", id)));
    books.edit(id, ago(5), json!({"status": "completed"}));
    told.push(("order.updated", books.body("order.updated", id)));
    books.refund(id, ago(3), 2_500);
    told.push(("order.updated", books.body("order.updated", id)));
    books.refund(id, ago(2), 3_500);
    told.push(("order.updated", books.body("order.updated", id)));
    (id, told)
}

async fn connected(house: &House, shop: &WooShop, change: impl FnOnce(&mut NewSite)) -> (SiteAt, Connected) {
    let site = house.site_with("shop.example", change).await;
    let connected = house.woo(&site, shop).await;
    (site, connected)
}

#[test]
fn refunds_come_to_the_same_in_any_order_of_arrival() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut runner = TestRunner::new(Config { cases: 12, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&(Just((0..6).collect::<Vec<usize>>()).prop_shuffle(), 1usize..=6), |(order, count)| {
        let (net, days) = runtime.block_on(async {
            let (house, shop) = (House::new(), WooShop::start().await);
            let (site, connected) = connected(&house, &shop, |_| {}).await;
            let (_, told) = life(&shop, house.clock.now());
            for place in order.iter().take(count).chain(&order) {
                let (topic, body) = told[*place].clone();
                house.told_body(&connected.hook, &shop, topic, body).await.is(200);
            }
            // The days of refunds are read at the shop right after.
            house.pull().await;
            (house.net(&site).await, days(&house, &site).await)
        });
        prop_assert_eq!(net, 0);
        prop_assert_eq!(days, "2026-06-05 9000, 2026-06-07 -3000, 2026-06-10 -2500, 2026-06-11 -3500", "{:?}", order);
        Ok(())
    });
    outcome.unwrap_or_else(|e| panic!("{e}"));
}

#[tokio::test]
async fn a_cancellation_and_its_refund_take_the_money_off_once() {
    for refund_first in [true, false] {
        let (house, shop) = (House::new(), WooShop::start().await);
        let (site, connected) = connected(&house, &shop, |_| {}).await;
        let now = house.clock.now();
        let ago = |days: i64| now.plus_ms(-days * DAY_S * 1_000);
        let id = shop.books().place(ago(6), "80.00", json!({}));
        house.told(&connected, &shop, "order.created", id).await.is(200);
        let back = || shop.books().refund(id, ago(3), 3_000);
        let end = || shop.books().edit(id, ago(3), json!({"status": "cancelled"}));
        if refund_first {
            back();
            house.told(&connected, &shop, "order.updated", id).await.is(200);
            end();
        } else {
            end();
            house.told(&connected, &shop, "order.updated", id).await.is(200);
            back();
        }
        for _ in 0..2 {
            house.told(&connected, &shop, "order.updated", id).await.is(200);
        }
        house.pull().await;
        assert_eq!((house.net(&site).await, days(&house, &site).await.as_str()), (0, "2026-06-07 8000, 2026-06-10 -8000"));
    }
}

#[tokio::test]
async fn a_refund_that_the_shop_took_back_comes_back_on_the_day_it_is_seen() {
    let (house, shop) = (House::new(), WooShop::start().await);
    let (site, connected) = connected(&house, &shop, |_| {}).await;
    let now = house.clock.now();
    let id = shop.books().place(now.plus_ms(-5 * DAY_S * 1_000), "50.00", json!({}));
    shop.books().refund(id, now.plus_ms(-2 * DAY_S * 1_000), 2_000);
    house.told(&connected, &shop, "order.updated", id).await.is(200);
    house.pull().await;
    assert_eq!(house.net(&site).await, 3_000);
    // A deleted refund moves no date of the order: only reading it again shows it.
    {
        let mut books = shop.books();
        books.refunds.clear();
        books.orders.get_mut(&id).expect("the order")["refunds"] = json!([]);
        books.edit(id, now, json!({"customer_note": "sorry"}));
    }
    house.advance_s(1_000);
    house.pull().await;
    assert_eq!(house.net(&site).await, 5_000);
    assert_eq!(days(&house, &site).await, "2026-06-08 5000, 2026-06-11 -2000, 2026-06-13 2000");
}

#[tokio::test]
async fn what_lies_in_the_bin_is_kept_and_not_counted_until_it_is_back() {
    let (house, shop) = (House::new(), WooShop::start().await);
    let (site, connected) = connected(&house, &shop, |_| {}).await;
    let now = house.clock.now();
    let id = shop.books().place(now.plus_ms(-4 * DAY_S * 1_000), "40.00", json!({}));
    house.told(&connected, &shop, "order.created", id).await.is(200);
    shop.books().throw_away(id, now);
    for _ in 0..2 {
        house.told(&connected, &shop, "order.deleted", id).await.is(200);
    }
    assert_eq!((house.net(&site).await, days(&house, &site).await.as_str()), (0, "2026-06-09 4000, 2026-06-13 -4000"));
    assert_eq!(house.list(&site, "conversions").await.len(), 1, "kept");
    house.advance_s(60);
    shop.books().edit(id, house.clock.now(), json!({"status": "processing"}));
    house.told(&connected, &shop, "order.updated", id).await.is(200);
    assert_eq!((house.net(&site).await, days(&house, &site).await.as_str()), (4_000, "2026-06-09 4000"));
    // Thrown away before anything else was heard of it.
    let other = shop.books().place(now.plus_ms(-DAY_S * 1_000), "10.00", json!({}));
    let body = shop.books().body("order.created", other);
    shop.books().throw_away(other, house.clock.now());
    house.told(&connected, &shop, "order.deleted", other).await.is(200);
    house.told_body(&connected.hook, &shop, "order.created", body).await.is(200);
    assert_eq!(house.net(&site).await, 4_000);
}

/// A deletion is told by the order's number alone: the second one looks like the first.
#[tokio::test]
async fn thrown_away_twice_is_seen_at_the_shop_at_once() {
    let (house, shop) = (House::new(), WooShop::start().await);
    let (site, connected) = connected(&house, &shop, |_| {}).await;
    let id = shop.books().place(house.clock.now(), "40.00", json!({}));
    house.told(&connected, &shop, "order.created", id).await.is(200);
    house.pull().await;
    for _ in 0..2 {
        house.advance_s(120);
        shop.books().throw_away(id, house.clock.now());
        house.told(&connected, &shop, "order.deleted", id).await.is(200);
        house.pull().await;
        assert_eq!(house.net(&site).await, 0);
        house.advance_s(120);
        shop.books().edit(id, house.clock.now(), json!({"status": "processing"}));
        house.told(&connected, &shop, "order.updated", id).await.is(200);
        assert_eq!(house.net(&site).await, 4_000);
    }
    // Whoever has copied the body moves nothing with it, and does not make us ask the shop again and again.
    house.told(&connected, &shop, "order.deleted", id).await.is(200);
    house.pull().await;
    let asked = shop.asked().len();
    for _ in 0..5 {
        let copied = house.told(&connected, &shop, "order.deleted", id).await.is(200);
        assert_eq!(copied.json["status"], json!("duplicate"));
        house.pull().await;
    }
    assert_eq!((house.net(&site).await, shop.asked().len()), (4_000, asked));
    assert_eq!(house.list(&site, "conversions").await.len(), 1);
}

/// The night of 29 March 2026 has no hour between two and three in Vienna.
#[tokio::test]
async fn a_refund_lies_on_its_day_of_the_sites_zone() {
    let (house, shop) = (House::new(), WooShop::start().await);
    let vienna = |new: &mut NewSite| new.zone = halotrack::domain::time::Zone::parse("Europe/Vienna").expect("a zone");
    let (site, connected) = connected(&house, &shop, vienna).await;
    let at = |text: &str| Time::parse(text).expect("a time");
    let id = shop.books().place(at("2026-03-28T22:59:59Z"), "70.00", json!({}));
    shop.books().refund(id, at("2026-03-28T23:00:00Z"), 1_000);
    shop.books().refund(id, at("2026-03-29T21:59:59Z"), 2_000);
    shop.books().refund(id, at("2026-03-29T22:00:00Z"), 3_000);
    house.told(&connected, &shop, "order.updated", id).await.is(200);
    house.pull().await;
    assert_eq!(days(&house, &site).await, "2026-03-28 7000, 2026-03-29 -3000, 2026-03-30 -3000");
    let _ = site;
}

#[tokio::test]
async fn destinations_hear_of_refunds_where_they_heard_of_the_sale() {
    let receiver = StandIn::start(|_, _| stand_in::Answer::text(200, "ok")).await;
    let (house, shop) = (House::new(), WooShop::start().await);
    let (site, connected) = connected(&house, &shop, |_| {}).await;
    house.connect(&site, "webhook", "live", &[("url", &receiver.url())]).await;
    house.connect(&site, "meta", "live", &[("pixel_id", "123456789012345"), ("access_token", "EAAx")]).await;
    let id = shop.books().place(house.clock.now(), "60.00", json!({}));
    house.told(&connected, &shop, "order.created", id).await.is(200);
    house.work().await;
    house.advance_s(60);
    shop.books().refund(id, house.clock.now(), 1_500);
    house.told(&connected, &shop, "order.updated", id).await.is(200);
    house.advance_s(60);
    shop.books().refund(id, house.clock.now(), 4_500);
    house.told(&connected, &shop, "order.updated", id).await.is(200);
    house.told(&connected, &shop, "order.updated", id).await.is(200);
    house.work().await;
    let told: Vec<(Value, Value)> =
        receiver.seen().iter().map(|s| (s.json()["type"].clone(), s.json()["data"]["amount"].clone())).collect();
    assert_eq!(told.len(), 3, "{told:#?}");
    assert_eq!(told.iter().filter(|(kind, _)| kind == "sale.refunded").count(), 2, "{told:#?}");
    let meta: Vec<Value> =
        house.deliveries(&site).await.into_iter().filter(|d| d["platform"] == "meta" && d["kind"] != "Purchase").collect();
    assert!(meta.iter().all(|d| d["state"] == "skipped" && d["reason"] == "unsupported_kind") && meta.len() == 2, "{meta:#?}");
}
