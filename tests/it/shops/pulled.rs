//! The shop's own list: nothing missed, nothing double, whatever happens on the way.

use std::time::Duration;

use halotrack::clock::Clock;
use halotrack::domain::rights::Right;
use halotrack::domain::time::Time;
use halotrack::flows::pull::{self, Ended};
use serde_json::{Value, json};

use super::keys;
use crate::house::House;
use crate::running::Running;
use crate::stand_in::Answer;
use crate::woo_shop::{KEY, SECRET, WooShop};

fn con(connected: &crate::story::Connected) -> halotrack::domain::ids::ConnectionId {
    connected.id.parse().expect("an id")
}

#[tokio::test]
async fn the_first_pull_brings_history_and_sends_none_of_it() {
    let (house, shop) = (House::new(), WooShop::start().await);
    let site = house.site("shop.example").await;
    let now = house.clock.now();
    for n in 0..130 {
        shop.books().place(now.plus_ms(-n * 3_600_000), "10.00", json!({}));
    }
    shop.books().place(now.plus_ms(-200 * 86_400_000), "99.00", json!({}));
    house.connect(&site, "webhook", "live", &[("url", "http://127.0.0.1:9/")]).await;
    house.woo(&site, &shop).await;
    house.pull().await;
    assert_eq!(house.net(&site).await, 130_000, "90 days, all pages");
    let deliveries = house.deliveries(&site).await;
    assert!(deliveries.iter().filter(|d| d["reason"] == "imported").count() >= 129, "{}", deliveries.len());
    let asked = shop.asked().len();
    assert_eq!(house.pull().await, 0, "nothing is due");
    house.advance_s(15 * 60);
    house.pull().await;
    assert!(shop.asked().len() > asked, "a quarter of an hour later");
    assert_eq!((house.net(&site).await, house.list(&site, "conversions").await.len()), (130_000, 130));
    let inbox = house.list(&site, "inbox").await.len();
    house.advance_s(15 * 60);
    house.pull().await;
    assert_eq!(house.list(&site, "inbox").await.len(), inbox, "what is known leaves no trace");
}

#[tokio::test]
async fn an_order_that_changes_mid_walk_hides_no_other() {
    let (house, shop) = (House::new(), WooShop::start().await);
    let site = house.site("shop.example").await;
    let now = house.clock.now();
    let ids: Vec<u64> = (0..160).map(|n| shop.books().place(now.plus_ms(-(4_000 - 15 * n) * 60_000), "10.00", json!({}))).collect();
    let moved: Vec<u64> = ids[..12].to_vec();
    shop.books().meanwhile.push_back(Box::new(move |books| {
        for id in moved {
            books.edit(id, now, json!({"customer_note": "later"}));
        }
    }));
    house.woo(&site, &shop).await;
    house.pull().await;
    assert_eq!((house.net(&site).await, house.list(&site, "conversions").await.len()), (160_000, 160));
}

#[tokio::test]
async fn orders_that_no_webhook_told_of_are_found_and_counted() {
    let (house, shop) = (House::new(), WooShop::start().await);
    let site = house.site("shop.example").await;
    let connected = house.woo(&site, &shop).await;
    house.pull().await;
    house.advance_s(600);
    let (told, late, lost) = {
        let mut books = shop.books();
        let now = house.clock.now();
        (books.place(now, "10.00", json!({})), books.place(now, "20.00", json!({})), books.place(now, "40.00", json!({})))
    };
    house.told(&connected, &shop, "order.created", told).await.is(200);
    house.advance_s(600);
    house.pull().await;
    assert_eq!(house.net(&site).await, 7_000, "with order {lost}");
    // Shops may be slow: a hook that comes within the hour is none that was missed.
    house.told(&connected, &shop, "order.created", late).await.is(200);
    assert_eq!(house.card(&site).await["missed"]["count"], json!(0));
    house.advance_s(3_700);
    let card = house.card(&site).await;
    assert_eq!((&card["missed"]["count"], &card["missed"]["days"][0]["count"]), (&json!(1), &json!(1)), "{card:#}");
    assert!(card["missed"]["sentence"].as_str().is_some_and(|s| s.ends_with('.')));
    assert_eq!(house.net(&site).await, 7_000);
}

#[tokio::test]
async fn a_shop_that_asks_for_patience_gets_it_and_the_walk_goes_on_where_it_was() {
    let (house, shop) = (House::new(), WooShop::start().await);
    let site = house.site("shop.example").await;
    let connected = house.woo(&site, &shop).await;
    house.pull().await;
    let now = house.clock.now();
    for n in 0..30 {
        shop.books().place(now.plus_ms(-n * 60_000), "10.00", json!({}));
    }
    shop.books().instead.push_back(Answer::text(429, "slow down").with("retry-after", "90"));
    house.advance_s(900);
    let Ended::Later { at } = pull::run(&house.app, con(&connected), true).await.expect("a pull") else { panic!("not put off") };
    assert_eq!(at.ms_since(house.clock.now()), 90_000);
    assert_eq!(house.pull().await, 0, "the worker is free meanwhile");
    assert_eq!(house.card(&site).await["status"], json!("ok"), "a wait is no failure");
    house.advance_s(90);
    house.pull().await;
    assert_eq!(house.net(&site).await, 30_000);
}

#[tokio::test]
async fn a_silent_shop_is_tried_again_at_longer_intervals_and_told_of() {
    let (house, shop) = (House::new(), WooShop::start().await);
    let site = house.site("shop.example").await;
    house.woo(&site, &shop).await;
    house.pull().await;
    house.advance_s(900);
    let mut waited = Vec::new();
    for _ in 0..3 {
        shop.books().instead.push_back(Answer::text(503, "maintenance"));
        house.pull().await;
        let card = house.card(&site).await;
        waited.push(card["pull"]["next_at"].as_str().unwrap_or_default().to_owned());
        house.advance_s(240);
    }
    waited.dedup();
    assert_eq!(waited.len(), 3, "{waited:?}");
    let card = house.card(&site).await;
    assert_eq!(card["status"], json!("needs_attention"), "{card:#}");
    house.advance_s(3_600);
    house.pull().await;
    assert_eq!(house.card(&site).await["status"], json!("ok"), "it answers again");
}

/// The state behind a page is stored with the last of its orders, not before: else what was cut off is skipped for ever.
#[tokio::test]
async fn a_page_that_was_stored_in_part_is_read_again() {
    let (house, shop) = (House::new(), WooShop::start().await);
    let site = house.site("shop.example").await;
    house.woo(&site, &shop).await;
    house.pull().await;
    let now = house.clock.now();
    for n in 0..150 {
        shop.books().place(now.plus_ms(-n * 60_000), "10.00", json!({}));
    }
    let file = rusqlite::Connection::open(house.data().join(halotrack::store::FILE)).expect("the file");
    file.busy_timeout(Duration::from_secs(5)).expect("patience");
    let full =
        "create trigger full before insert on orders when (select count(*) from orders) >= 30 begin select raise(abort, 'full'); end";
    file.execute_batch(full).expect("a trigger");
    house.advance_s(900);
    house.pull().await;
    assert_eq!(house.net(&site).await, 20_000, "one change of the page was stored, the next was not");
    file.execute_batch("drop trigger full").expect("no trigger");
    house.advance_s(120);
    house.pull().await;
    assert_eq!((house.net(&site).await, house.list(&site, "conversions").await.len()), (150_000, 150));
}

#[tokio::test]
async fn an_address_that_leads_inside_is_not_called_and_asked_for_again() {
    let (house, shop) = (House::new(), WooShop::start().await);
    let site = house.site("shop.example").await;
    house.woo(&site, &shop).await;
    house.pull().await;
    let now = house.clock.now();
    for n in 0..150 {
        shop.books().place(now.plus_ms(-n * 60_000), "10.00", json!({}));
    }
    // The rest of the list waits while the shop's name leads to an inner address.
    shop.books().meanwhile.push_back(Box::new(|books| books.instead.push_back(Answer::text(503, "maintenance"))));
    house.advance_s(900);
    house.pull().await;
    let before = house.net(&site).await;
    assert!((1..150_000).contains(&before), "{before}");
    let walled = house.again_with(|config| config.outbound_allow.clear());
    let asked = shop.asked().len();
    for _ in 0..3 {
        walled.advance_s(900);
        walled.pull().await;
    }
    assert_eq!((shop.asked().len(), walled.net(&site).await), (asked, before), "it was not called");
    let said = walled.card(&site).await;
    assert_eq!(said["status"], json!("needs_attention"), "{said:#}");
    assert!(said["reason"].as_str().is_some_and(|r| r.contains("not on the public internet") || r.contains("https")), "{said:#}");
    let house = house.again();
    house.advance_s(3_600);
    house.pull().await;
    assert_eq!((house.net(&site).await, house.card(&site).await["status"].clone()), (150_000, json!("ok")));
}

/// A real server that is killed while it walks: what it had stored stays, the rest is walked again.
#[tokio::test(flavor = "multi_thread")]
async fn a_walk_that_is_cut_off_goes_on_where_it_was() {
    let shop = WooShop::start().await;
    let now = Clock::system().now();
    let count: i64 = 260;
    for n in 0..count {
        shop.books().place(now.plus_ms(-(n + 10) * 600_000), "10.00", json!({}));
    }
    let url = shop.url();
    let outcome = tokio::task::spawn_blocking(move || {
        let mut box_ = Running::new("pulled").with_env("HALOTRACK_OUTBOUND_ALLOW", "127.0.0.0/8");
        box_.cli(&["site", "add", "--name", "Shop", "--domain", "shop.example", "--currency", "EUR"]);
        box_.start();
        let set = [format!("url={url}"), format!("consumer_key={KEY}"), format!("consumer_secret={SECRET}")];
        let mut args = vec!["connection", "add", "--site", "shop", "--platform", "woocommerce"];
        for one in &set {
            args.extend(["--set", one]);
        }
        box_.cli(&args);
        let rows = |b: &Running| b.sql("shop", "select count(*) as n from orders")[0]["n"].as_i64().unwrap_or_default();
        for _ in 0..6 {
            let before = rows(&box_);
            if before < count {
                box_.wait("a part of the list", Duration::from_secs(60), || (rows(&box_) > before).then_some(()));
            }
            box_.kill9();
            box_.start();
        }
        box_.cli(&["sync", "--site", "shop", "--platform", "woocommerce", "--force"]);
        let sums: Vec<Value> = box_.sql("shop", "select count(*) as n, count(distinct external_order_id) as ids from orders");
        sums[0].clone()
    });
    let sums = outcome.await.expect("the story");
    assert_eq!((&sums["n"], &sums["ids"]), (&json!(count), &json!(count)), "{sums}");
}

#[tokio::test]
async fn a_list_is_read_when_the_owner_says_and_once_more_as_far_back() {
    let (house, shop) = (House::new(), WooShop::start().await);
    let site = house.site("shop.example").await;
    let days_ago = |days: i64| house.clock.now().plus_ms(-days * 86_400_000);
    shop.books().place(days_ago(200), "20.00", json!({}));
    shop.books().place(days_ago(10), "30.00", json!({}));
    let url = shop.url();
    let mut settings = keys(&url).to_vec();
    settings.extend([("history_days", "30"), ("schedule", "30 18 * * *")]);
    let connected = house.connect(&site, "woocommerce", "shadow", &settings).await;
    house.pull().await;
    let pull = house.card(&site).await["pull"].clone();
    let at = |pull: &Value, key: &str| pull[key].as_str().and_then(Time::parse).map(|at| at.utc()).unwrap_or_default();
    assert_eq!((&pull["records"], &pull["orders"], house.net(&site).await), (&json!(1), &json!(1), 3_000), "{pull}");
    assert!(pull["pages"].as_i64() > Some(0) && pull["has_history"] == true, "{pull}");
    assert_eq!(at(&pull, "since"), days_ago(30).utc());
    assert!(at(&pull, "next_at").ends_with("T18:30:00Z"), "{pull}");
    // Once more, and further back than at first.
    let ask = |body: Value| {
        let call = house.post(&format!("/api/sites/{}/connections/{}/pull", site.slug, connected.id)).token(&site.token);
        async move { call.json(&body).send().await }
    };
    for days in [json!(0), json!(3_651), json!("x"), json!(1.5)] {
        let refused = ask(json!({ "days": days })).await.is(422);
        assert_eq!(refused.json["error"]["field"], json!("days"));
    }
    ask(json!({"days": 400})).await.is(200);
    house.pull().await;
    let card = house.card(&site).await;
    assert_eq!((&card["pull"]["records"], &card["pull"]["orders"]), (&json!(2), &json!(1)), "{card:#}");
    assert_eq!((&card["pull"]["back_to"], &card["missed"]["count"], house.net(&site).await), (&Value::Null, &json!(0), 5_000));
    assert_eq!(at(&card["pull"], "since"), days_ago(400).utc());
    // What was typed is checked, whichever platform it is.
    let owner = house.login("ann@shop.example", Right::Own, Some(site.id)).await;
    for (key, value) in [("schedule", "* * * * *"), ("schedule", "soon"), ("history_days", "4000")] {
        let body = json!({"settings": {key: value}});
        let answer = house.post(&format!("/api/sites/{}/connections/{}", site.slug, connected.id)).cookie(&owner).json(&body).send().await;
        assert_eq!(answer.is(422).json["error"]["field"], json!(key));
    }
}
