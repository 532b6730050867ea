//! What destinations hear of money that goes back: once, whoever explains it and however often, and on its own day.

use halotrack::domain::consent::Mode;
use halotrack::domain::time::Time;
use serde_json::{Value, json};

use crate::house::{House, SiteAt};
use crate::stand_in::{self, StandIn};
use crate::story::Connected;
use crate::woo_shop::WooShop;

const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 24 * HOUR_S;

/// A house whose Google Analytics is on loopback, with a site that sends to it.
struct Scene {
    house: House,
    site: SiteAt,
    google: StandIn,
}

impl Scene {
    async fn open() -> Self {
        Self::with(|_, _| stand_in::Answer::text(204, "")).await
    }

    async fn with(reply: impl Fn(&stand_in::Seen, usize) -> stand_in::Answer + Send + Sync + 'static) -> Self {
        let google = StandIn::start(reply).await;
        let url = google.url();
        let house = House::with(move |config| {
            config.base_urls.insert("ga4".into(), url);
        });
        let site = house.site_with("shop.example", |new| new.consent = Mode::OptOut).await;
        house.connect(&site, "ga4", "live", &[("measurement_id", "G-AB12CD34EF"), ("api_secret", "s3cr3t-s3cr3t")]).await;
        Self { house, site, google }
    }

    async fn order(&self, id: &str, status: &str) {
        let told = json!({"order_id": id, "total": "99.00", "currency": "USD", "email": "ann@mail.example", "status": status});
        self.house.order(&self.site, told).await.is(200);
    }

    /// Name, value and moment of each event that Google has got.
    fn heard(&self) -> Vec<(String, f64, Time)> {
        let event = |s: &stand_in::Seen| {
            let body = s.json();
            let event = &body["events"][0];
            let at = Time::from_ms(body["timestamp_micros"].as_i64().unwrap_or_default() / 1_000);
            (event["name"].as_str().unwrap_or_default().to_owned(), event["params"]["value"].as_f64().unwrap_or_default(), at)
        };
        self.google.seen().iter().map(event).collect()
    }

    fn names(&self) -> Vec<(String, f64)> {
        self.heard().into_iter().map(|(name, value, _)| (name, value)).collect()
    }

    /// Lets everything that waits go, and what waits for it.
    async fn work(&self) {
        self.house.work().await;
        self.house.advance_s(120);
        self.house.work().await;
    }
}

fn told(all: &[(&str, f64)]) -> Vec<(String, f64)> {
    all.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
}

#[tokio::test]
async fn a_status_alone_takes_the_whole_sale_back_once_and_on_its_own_day() {
    for status in ["refunded", "cancelled"] {
        let scene = Scene::open().await;
        scene.order("1001", "paid").await;
        scene.work().await;
        scene.house.advance_s(DAY_S);
        let ended = scene.house.clock.now();
        for _ in 0..3 {
            scene.order("1001", status).await;
            scene.work().await;
            scene.house.advance_s(HOUR_S);
        }
        assert_eq!(scene.names(), told(&[("purchase", 99.0), ("refund", 99.0)]), "{status}");
        assert_eq!(scene.heard()[1].2, ended, "{status}: the moment of the end, not of the sale and not of the sending");
        let back = scene.google.seen()[1].json();
        assert_eq!(back["events"][0]["params"]["transaction_id"], json!("1001"), "under the number that the purchase has: {back}");
        let rows: Vec<Value> = scene.house.deliveries(&scene.site).await.into_iter().filter(|d| d["kind"] == "refund").collect();
        assert_eq!(rows.len(), 1, "{rows:#?}");
        assert_eq!((&rows[0]["state"], &rows[0]["event_id"]), (&json!("accepted"), &json!("refund_order_1001")));
    }
}

#[tokio::test]
async fn an_order_that_is_thrown_away_takes_its_sale_back_once() {
    let (scene, shop) = (Scene::open().await, WooShop::start().await);
    let connected = scene.house.woo(&scene.site, &shop).await;
    let id = shop.books().place(scene.house.clock.now(), "40.00", json!({}));
    scene.house.told(&connected, &shop, "order.created", id).await.is(200);
    scene.work().await;
    scene.house.advance_s(HOUR_S);
    shop.books().throw_away(id, scene.house.clock.now());
    scene.house.told(&connected, &shop, "order.deleted", id).await.is(200);
    scene.work().await;
    scene.house.advance_s(HOUR_S);
    scene.house.pull().await;
    scene.work().await;
    assert_eq!(scene.names(), told(&[("purchase", 40.0), ("refund", 40.0)]));
}

/// The shop first says that an order came back as a whole, and how only later; or it says both at once.
#[tokio::test]
async fn refunds_that_explain_a_reversal_are_not_told_beside_it() {
    for is_status_first in [true, false] {
        let (scene, shop) = (Scene::open().await, WooShop::start().await);
        let connected = scene.house.woo(&scene.site, &shop).await;
        let now = || scene.house.clock.now();
        let tell = async |connected: &Connected, id: u64| {
            scene.house.told(connected, &shop, "order.updated", id).await.is(200);
            scene.house.pull().await;
            scene.work().await;
        };
        let id = shop.books().place(now(), "80.00", json!({}));
        tell(&connected, id).await;
        shop.books().refund(id, now(), 3_000);
        tell(&connected, id).await;
        if is_status_first {
            shop.books().edit(id, now(), json!({"status": "refunded"}));
            tell(&connected, id).await;
        }
        shop.books().refund(id, now(), 2_000);
        shop.books().refund(id, now(), 3_000);
        for _ in 0..2 {
            tell(&connected, id).await;
        }
        let back: f64 = scene.names().iter().filter(|(name, _)| name == "refund").map(|(_, value)| value).sum();
        let count = if is_status_first { 2 } else { 3 };
        assert_eq!((scene.names().len(), back), (1 + count, 80.0), "{is_status_first}: {:?}", scene.names());
        assert_eq!(scene.house.net(&scene.site).await, 0);
    }
}

#[tokio::test]
async fn a_sale_that_nobody_heard_of_is_not_taken_back_until_it_is_told() {
    let scene = Scene::open().await;
    // It ended before it was told.
    scene.order("1", "paid").await;
    scene.order("1", "cancelled").await;
    scene.work().await;
    assert_eq!(scene.names(), told(&[]));
    let rows = scene.house.deliveries(&scene.site).await;
    assert!(rows.iter().any(|d| d["kind"] == "refund" && d["reason"] == "sale_not_sent"), "{rows:#?}");
    // It holds after all: now it is told; and ends again: now that is told too.
    scene.order("1", "paid").await;
    scene.work().await;
    assert_eq!(scene.names(), told(&[("purchase", 99.0)]));
    scene.order("1", "cancelled").await;
    scene.work().await;
    assert_eq!(scene.names(), told(&[("purchase", 99.0), ("refund", 99.0)]));
    let replay = format!("/api/sites/{}/deliveries/replay", scene.site.slug);
    let all = json!({"filter": {"platform": "ga4", "state": ["skipped", "cancelled"]}});
    scene.house.post(&replay).token(&scene.site.token).json(&all).send().await;
    scene.work().await;
    assert_eq!(scene.names().len(), 2, "the first end was never told, and no replay tells it now");
}

#[tokio::test]
async fn a_sale_that_holds_again_is_not_taken_back_by_what_still_waits() {
    // Google is away when the sale ends.
    let scene = Scene::with(|_, n| stand_in::Answer::text(if n == 1 { 503 } else { 204 }, "")).await;
    scene.order("1", "paid").await;
    scene.work().await;
    scene.order("1", "cancelled").await;
    scene.house.work().await;
    scene.order("1", "paid").await;
    scene.house.advance_s(HOUR_S);
    scene.work().await;
    let named: Vec<String> = scene.names().into_iter().map(|(name, _)| name).collect();
    assert_eq!(named, ["purchase", "refund"], "one try, which was refused");
    let rows = scene.house.deliveries(&scene.site).await;
    let end = rows.iter().find(|d| d["kind"] == "refund").expect("a row");
    assert_eq!((&end["state"], &end["reason"]), (&json!("cancelled"), &json!("sale_holds")));
    let replay = format!("/api/sites/{}/deliveries/replay", scene.site.slug);
    let body = json!({"deliveries": [end["id"]]});
    scene.house.post(&replay).token(&scene.site.token).json(&body).send().await;
    scene.work().await;
    assert_eq!(scene.names().len(), 2, "nor by hand: the sale holds");
}

/// Google Analytics has no word for a sale that counts again: nothing is sent, and the delivery says so.
#[tokio::test]
async fn a_sale_that_cannot_be_told_again_is_said_to_be_so() {
    let scene = Scene::open().await;
    let mut want = vec![("purchase", 99.0)];
    for n in 1..=2 {
        scene.order("1001", "paid").await;
        scene.work().await;
        scene.house.advance_s(HOUR_S);
        scene.order("1001", "cancelled").await;
        scene.work().await;
        scene.house.advance_s(HOUR_S);
        // It has gone there already: a second end is no second refund.
        want.extend((n == 1).then_some(("refund", 99.0)));
        assert_eq!(scene.names(), told(&want), "{n}");
    }
    scene.order("1001", "paid").await;
    scene.work().await;
    let rows = scene.house.deliveries(&scene.site).await;
    let again: Vec<&Value> = rows.iter().filter(|d| d["kind"].as_str().is_some_and(|kind| kind.starts_with("again"))).collect();
    assert_eq!(again.len(), 2, "{rows:#?}");
    for row in again {
        assert_eq!((&row["state"], &row["reason"]), (&json!("skipped"), &json!("no_way_back")), "{row}");
    }
    assert_eq!(scene.names(), told(&want));
}

#[tokio::test]
async fn money_goes_back_after_its_sale_never_before() {
    // The sale is not taken at first; its refund, planned later, would be.
    let scene = Scene::with(|seen, n| stand_in::Answer::text(if n == 0 && seen.text().contains("purchase") { 503 } else { 204 }, "")).await;
    let shop = WooShop::start().await;
    let connected = scene.house.woo(&scene.site, &shop).await;
    let id = shop.books().place(scene.house.clock.now(), "80.00", json!({}));
    scene.house.told(&connected, &shop, "order.created", id).await.is(200);
    scene.house.work().await;
    shop.books().refund(id, scene.house.clock.now(), 3_000);
    scene.house.told(&connected, &shop, "order.updated", id).await.is(200);
    scene.house.work().await;
    assert_eq!(scene.names(), told(&[("purchase", 80.0)]), "the refund waits");
    scene.house.advance_s(HOUR_S);
    scene.work().await;
    assert_eq!(scene.names(), told(&[("purchase", 80.0), ("purchase", 80.0), ("refund", 30.0)]));
}

/// What a restore holds is a sale that may still be told: its refund stays behind it.
#[tokio::test]
async fn money_goes_back_after_a_sale_that_is_held() {
    let (scene, shop) = (Scene::open().await, WooShop::start().await);
    let connected = scene.house.woo(&scene.site, &shop).await;
    let id = shop.books().place(scene.house.clock.now(), "80.00", json!({}));
    scene.house.told(&connected, &shop, "order.created", id).await.is(200);
    let file = rusqlite::Connection::open(scene.house.data().join(halotrack::store::FILE)).expect("the file");
    let set = |sql: &str| file.execute(sql, []).expect("a change");
    set("update deliveries set state = 'held', reason = 'restored', next_at = null");
    shop.books().refund(id, scene.house.clock.now(), 3_000);
    scene.house.told(&connected, &shop, "order.updated", id).await.is(200);
    scene.work().await;
    assert_eq!(scene.names(), told(&[]), "the refund waits");
    set("update deliveries set state = 'pending', reason = null, next_at = 0 where state = 'held'");
    scene.work().await;
    let named: Vec<String> = scene.names().into_iter().map(|(name, _)| name).collect();
    assert_eq!(named, ["purchase", "refund"]);
}

/// The one that tries a destination that was away may be a refund that waits for its sale: it sends nothing, so another tries.
#[tokio::test]
async fn a_refund_that_waits_keeps_nobody_from_trying() {
    let scene = Scene::with(|_, n| stand_in::Answer::text(if n < 5 { 503 } else { 204 }, "")).await;
    let shop = WooShop::start().await;
    let connected = scene.house.woo(&scene.site, &shop).await;
    let mut first = None;
    for _ in 0..5 {
        let id = shop.books().place(scene.house.clock.now(), "80.00", json!({}));
        scene.house.told(&connected, &shop, "order.created", id).await.is(200);
        scene.house.work().await;
        first = first.or(Some(id));
    }
    assert_eq!(scene.names().len(), 5, "then it is left alone");
    let id = first.expect("an order");
    shop.books().refund(id, scene.house.clock.now(), 3_000);
    scene.house.told(&connected, &shop, "order.updated", id).await.is(200);
    scene.house.advance_s(30);
    scene.house.work().await;
    assert!(scene.names().len() > 5, "no minute is lost");
}

#[tokio::test]
async fn never_more_is_told_than_the_order_came_to() {
    let (scene, shop) = (Scene::open().await, WooShop::start().await);
    let connected = scene.house.woo(&scene.site, &shop).await;
    let id = shop.books().place(scene.house.clock.now(), "50.00", json!({}));
    scene.house.told(&connected, &shop, "order.created", id).await.is(200);
    scene.work().await;
    for cents in [3_000, 4_500] {
        shop.books().refund(id, scene.house.clock.now(), cents);
        scene.house.told(&connected, &shop, "order.updated", id).await.is(200);
        scene.work().await;
    }
    assert_eq!(scene.names(), told(&[("purchase", 50.0), ("refund", 30.0), ("refund", 20.0)]));
}

#[tokio::test]
async fn a_late_refund_of_somebody_who_was_erased_moves_money_and_tells_nobody() {
    let (scene, shop) = (Scene::open().await, WooShop::start().await);
    let connected = scene.house.woo(&scene.site, &shop).await;
    let id = shop.books().place(scene.house.clock.now(), "50.00", json!({}));
    let email = format!("buyer{id}@mail.example");
    scene.house.told(&connected, &shop, "order.created", id).await.is(200);
    scene.work().await;
    let erasures = format!("/api/sites/{}/erasures", scene.site.slug);
    let erased = scene.house.post(&erasures).token(&scene.site.token).json(&json!({"email": email})).send().await;
    assert!(erased.status < 300, "{}", erased.text);
    scene.house.advance_s(HOUR_S);
    for cents in [2_000, 3_000] {
        shop.books().refund(id, scene.house.clock.now(), cents);
        scene.house.told(&connected, &shop, "order.updated", id).await.is(200);
        scene.house.pull().await;
        scene.work().await;
    }
    assert_eq!((scene.house.net(&scene.site).await, scene.names()), (0, told(&[("purchase", 50.0)])));
    let rows: Vec<Value> = scene.house.deliveries(&scene.site).await.into_iter().filter(|d| d["kind"] != "purchase").collect();
    assert!(!rows.is_empty() && rows.iter().all(|d| d["reason"] == "erased"), "{rows:#?}");
    let rows = scene.house.sql(&scene.site, "select customer_email from purchase_attributions");
    assert!(rows.iter().all(|row| !row["customer_email"].to_string().contains("buyer")), "{rows:#?}");
}

/// Order 1001 of two shops is two sales, also where only a transaction's own id counts it once.
#[tokio::test]
async fn the_same_number_of_two_shops_is_two_transactions() {
    let scene = Scene::open().await;
    let mut orders = Vec::new();
    for total in ["50.00", "70.00"] {
        let shop = WooShop::start().await;
        let connected = scene.house.woo(&scene.site, &shop).await;
        let id = shop.books().place(scene.house.clock.now(), total, json!({}));
        scene.house.told(&connected, &shop, "order.created", id).await.is(200);
        scene.work().await;
        orders.push((shop, connected, id));
    }
    let (shop, connected, id) = &orders[1];
    assert_eq!(orders[0].2, *id, "both shops count from the same number");
    shop.books().refund(*id, scene.house.clock.now(), 7_000);
    scene.house.told(connected, shop, "order.updated", *id).await.is(200);
    scene.work().await;
    assert_eq!(scene.names(), told(&[("purchase", 50.0), ("purchase", 70.0), ("refund", 70.0)]));
    let seen = scene.google.seen();
    let under: Vec<Value> = seen.iter().map(|s| s.json()["events"][0]["params"]["transaction_id"].clone()).collect();
    assert_eq!(under[0], json!(id.to_string()), "the first keeps its plain number");
    assert_ne!(under[0], under[1]);
    assert_eq!(under[1], under[2], "what goes back names the sale that it is of");
}
