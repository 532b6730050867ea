//! Shopify, from the credentials to the uninstalled app: a shop on loopback that behaves like the real one, and the product
//! beside it.

mod privacy;
pub mod shop;
mod theme;
mod trouble;

use halotrack::flows::connections::{self, NewConnectionForm};
use halotrack::jobs::puller;
use serde_json::{Value, json};

use crate::house::{House, SiteAt};
use crate::story::Connected;
use shop::{CLIENT_ID, CLIENT_SECRET, Hurdle, SHOP, STATIC_TOKEN, Shop, order, refunded};

const MINUTE_S: i64 = 60;
const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 86_400;
const TOPICS: [&str; 6] = ["APP_UNINSTALLED", "ORDERS_CANCELLED", "ORDERS_CREATE", "ORDERS_PAID", "ORDERS_UPDATED", "REFUNDS_CREATE"];

/// A shop that is connected by client id and secret, hooks in place and history read.
pub async fn open() -> (Shop, House, SiteAt, Connected) {
    let shop = Shop::open().await;
    let house = shop.house();
    let site = house.site("harrow.example").await;
    let connected = connect(&house, &site, &[("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET)]).await;
    (shop, house, site, connected)
}

async fn connect(house: &House, site: &SiteAt, credentials: &[(&str, &str)]) -> Connected {
    let mut settings = vec![("shop", SHOP)];
    settings.extend(credentials);
    let connected = house.connect(site, "shopify", "live", &settings).await;
    pull(house).await;
    connected
}

/// What an owner types to connect the shop.
fn form(credentials: &[(&str, &str)]) -> NewConnectionForm {
    let settings = [("shop", SHOP)].iter().chain(credentials).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    NewConnectionForm { platform: "shopify".into(), settings, ..NewConnectionForm::default() }
}

/// Whatever is due at the platforms' doors now, pauses of a throttled shop included.
async fn pull(house: &House) {
    puller::drain(&house.app).await.expect("what is due is read");
}

async fn later(house: &House, seconds: i64) {
    house.advance_s(seconds);
    pull(house).await;
}

async fn card(house: &House, site: &SiteAt) -> Value {
    house.list(site, "connections").await.into_iter().find(|c| c["platform"] == "shopify").expect("the connection is listed")
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Net and gross of each sale in minor units, the oldest first.
async fn sales(house: &House, site: &SiteAt) -> Vec<(String, i64)> {
    let mut all: Vec<(String, i64)> = house
        .list(site, "conversions")
        .await
        .iter()
        .map(|c| (word(&c["label"]).to_owned(), c["net"]["minor"].as_i64().unwrap_or_default()))
        .collect();
    all.sort();
    all
}

#[tokio::test]
async fn credentials_are_all_that_the_owner_enters() {
    let shop = Shop::open().await;
    let house = shop.house();
    let site = house.site("harrow.example").await;
    shop.keep(&order(5_010_000_001_001, "40.00", &house.ago(30 * DAY_S)));
    let connected = connect(&house, &site, &[("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET)]).await;
    assert_eq!(shop.topics(), TOPICS);
    let expected = format!("{}{}", house.app.config.public_url, connected.hook);
    assert!(shop.inside().hooks.iter().all(|(_, _, uri)| *uri == expected), "{expected}");
    assert_eq!(shop.inside().bought, 2, "one token proves the credentials, one is used for everything else");
    assert_eq!(sales(&house, &site).await, [("Order 1001".into(), 4_000)], "what was sold before is there");
    let card = card(&house, &site).await;
    assert_eq!((&card["status"], card["webhooks"].as_array().map(Vec::len)), (&json!("ok"), Some(6)), "{card:#}");
    assert!(card.to_string().contains("60 days"), "what Shopify does not show is said: {card:#}");
    for secret in [CLIENT_SECRET, "shpat_bought"] {
        assert!(!card.to_string().contains(secret));
    }
    later(&house, HOUR_S).await;
    assert_eq!(shop.topics(), TOPICS, "a second look adds none");
}

#[tokio::test]
async fn the_owner_is_told_step_by_step() {
    for (given, want) in [
        (
            [("access_token", STATIC_TOKEN), ("client_secret", CLIENT_SECRET)].as_slice(),
            [
                ("The configuration is saved.", true),
                ("Purchase tracking is being set up.", true),
                ("Purchase tracking is enabled.", true),
                ("Shopify shows this app only", true),
            ]
            .as_slice(),
        ),
        (
            [("access_token", STATIC_TOKEN)].as_slice(),
            [
                ("The configuration is saved.", true),
                ("Purchase tracking is being set up.", true),
                ("Shopify shows this app only", false),
                ("The shop is read once an hour.", false),
            ]
            .as_slice(),
        ),
    ] {
        let shop = Shop::open().await;
        let house = shop.house();
        let site = house.site("harrow.example").await;
        let added = connections::add(&house.app, site.id, &form(given), "test").await.expect("a connection");
        let told: Vec<(&str, bool)> = added.progress.iter().map(|p| (p.sentence.as_str(), p.is_done)).collect();
        assert_eq!(told.len(), want.len(), "{told:?}");
        assert!(told.iter().zip(want).all(|(told, want)| told.0.starts_with(want.0) && told.1 == want.1), "{told:?}");
    }
}

#[tokio::test]
async fn an_order_its_refund_and_its_end() {
    let (shop, house, site, connected) = open().await;
    let session = house.visit(&site, None, json!({"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "june"})).await;
    let mut bought = order(5_010_000_001_002, "80.00", &house.ago(2 * DAY_S + 10));
    bought["created_at"] = json!(house.ago(0));
    bought["processed_at"] = json!(house.ago(0));
    bought["updated_at"] = json!(house.ago(0));
    bought["note_attributes"] = json!([{"name": "_halo_session", "value": session}]);
    house.advance_s(MINUTE_S);
    let first = shop.send(&house, &connected.hook, "orders/create", &bought).await.is(200);
    assert_eq!(first.json["status"], json!("accepted"));
    let again = shop.send(&house, &connected.hook, "orders/paid", &bought).await.is(200);
    assert_eq!((&again.json["status"], &again.json["id"]), (&json!("duplicate"), &first.json["id"]));
    let all = house.list(&site, "conversions").await;
    assert_eq!((all.len(), &all[0]["match"]["type"]), (1, &json!("session")), "{all:#?}");

    // The refund is told alone, then with the order, then by the pull; it comes off once, on its own day.
    house.advance_s(DAY_S);
    let (back, refund) = refunded(&bought, 91_001, "30.00", &house.ago(MINUTE_S), "partially_refunded");
    for (topic, body) in [("refunds/create", &refund), ("orders/updated", &back), ("refunds/create", &refund)] {
        shop.send(&house, &connected.hook, topic, body).await.is(200);
    }
    shop.keep(&back);
    later(&house, HOUR_S).await;
    assert_eq!(sales(&house, &site).await, [("Order 1002".into(), 5_000)]);

    // Cancelled with the rest given back: it nets to nothing, not below.
    let (mut ended, refund) = refunded(&back, 91_003, "50.00", &house.ago(30), "refunded");
    ended["cancelled_at"] = json!(house.ago(30));
    for (topic, body) in [("orders/cancelled", &ended), ("refunds/create", &refund), ("orders/updated", &ended)] {
        shop.send(&house, &connected.hook, topic, body).await.is(200);
    }
    assert_eq!(sales(&house, &site).await, [("Order 1002".into(), 0)]);
}

#[tokio::test]
async fn a_refund_may_come_before_its_order() {
    let (shop, house, site, connected) = open().await;
    let bought = order(5_010_000_001_003, "80.00", &house.ago(HOUR_S));
    let (_, refund) = refunded(&bought, 91_005, "20.00", &house.ago(MINUTE_S), "partially_refunded");
    shop.send(&house, &connected.hook, "refunds/create", &refund).await.is(200);
    assert!(house.list(&site, "conversions").await.is_empty());
    shop.send(&house, &connected.hook, "orders/create", &bought).await.is(200);
    assert_eq!(sales(&house, &site).await, [("Order 1003".into(), 6_000)]);
}

#[tokio::test]
async fn what_is_not_paid_or_not_meant_does_not_count() {
    let (shop, house, site, connected) = open().await;
    let at = house.ago(MINUTE_S);
    let mut waiting = order(5_010_000_001_004, "80.00", &at);
    for status in ["pending", "authorized", "partially_paid", "expired"] {
        waiting["financial_status"] = json!(status);
        shop.send(&house, &connected.hook, "orders/create", &waiting).await.is(200);
        assert!(house.list(&site, "conversions").await.is_empty(), "{status}");
    }
    let mut test = order(5_010_000_001_005, "80.00", &at);
    test["test"] = json!(true);
    shop.send(&house, &connected.hook, "orders/create", &test).await.is(200);
    waiting["financial_status"] = json!("paid");
    waiting["updated_at"] = json!(house.ago(0));
    shop.send(&house, &connected.hook, "orders/paid", &waiting).await.is(200);
    let counted: Vec<Value> = house.list(&site, "conversions").await.into_iter().filter(|c| c["label"] == "Order 1004").collect();
    assert_eq!(counted.len(), 1, "it counts when it is first paid");
}

#[tokio::test]
async fn forged_calls_leave_nothing_behind() {
    let shop = Shop::open().await;
    let house = shop.house();
    let site = house.site("harrow.example").await;
    // The access token is a secret of this connection too, and signs nothing.
    let connected = connect(&house, &site, &[("access_token", STATIC_TOKEN), ("client_secret", CLIENT_SECRET)]).await;
    let body = order(5_010_000_001_006, "80.00", &house.ago(MINUTE_S)).to_string().into_bytes();
    let signature = |secret: &str| halotrack::crypto::base64(&halotrack::crypto::hmac_sha256(secret.as_bytes(), &[&body]));
    let good = signature(CLIENT_SECRET);
    let mut changed = body.clone();
    let place = changed.windows(5).position(|w| w == b"80.00").expect("the total");
    changed[place] = b'9';
    for (what, body, signature) in [
        ("one byte changed", changed, good.clone()),
        ("another secret", body.clone(), signature("shpss_of_somebody_else")),
        ("the access token", body.clone(), signature(STATIC_TOKEN)),
        ("in hex", body.clone(), halotrack::crypto::hex(&halotrack::crypto::hmac_sha256(CLIENT_SECRET.as_bytes(), &[&body]))),
        ("nothing", body.clone(), String::new()),
        ("half of it", body.clone(), good[..good.len() / 2].to_owned()),
    ] {
        let answer = shop.send_as(&house, &connected.hook, "orders/create", body, &signature).await.is(401);
        assert_eq!(answer.code(), "bad_signature", "{what}");
    }
    assert!(house.list(&site, "inbox").await.is_empty() && house.list(&site, "conversions").await.is_empty());
    shop.send_as(&house, &connected.hook, "orders/create", body, &good).await.is(200);
    assert_eq!(house.list(&site, "conversions").await.len(), 1);
}

#[tokio::test]
async fn a_long_list_is_read_through_every_hurdle() {
    let shop = Shop::open().await;
    let house = shop.house();
    let site = house.site("harrow.example").await;
    for n in 0..60 {
        shop.keep(&order(5_020_000_002_000 + n, "10.00", &house.ago(20 * DAY_S - n as i64 * HOUR_S)));
    }
    house.connect(&site, "shopify", "live", &[("shop", SHOP), ("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET)]).await;
    let bought = shop.inside().bought;
    // The bucket is empty, the token ends, half a page comes, Shopify has trouble, a page costs too much.
    shop.inside().hurdles = vec![
        Hurdle::Throttled(502, 2, 100),
        Hurdle::TokenEnds,
        Hurdle::Half,
        Hurdle::Says(503, "<html>Service Unavailable</html>".into()),
        Hurdle::TooCostly,
    ];
    for _ in 0..12 {
        later(&house, 10 * MINUTE_S).await;
    }
    assert!(shop.inside().hurdles.is_empty(), "each was met");
    assert_eq!(shop.inside().bought - bought, 1, "a token that ended is bought anew, once");
    assert!(shop.inside().pages.iter().all(|n| *n <= 12), "a page that cost too much is halved: {:?}", shop.inside().pages);
    let sold = sales(&house, &site).await;
    assert_eq!((sold.len(), sold.iter().map(|(_, net)| net).sum::<i64>()), (60, 60_000), "none is lost, none counts twice");
    assert_eq!(card(&house, &site).await["status"], json!("ok"));
}

#[tokio::test]
async fn what_a_hook_lost_the_pull_finds() {
    let (shop, house, site, connected) = open().await;
    let told = order(5_010_000_001_007, "30.00", &house.ago(MINUTE_S));
    let lost = order(5_010_000_001_008, "50.00", &house.ago(30));
    for order in [&told, &lost] {
        shop.keep(order);
    }
    shop.send(&house, &connected.hook, "orders/create", &told).await.is(200);
    later(&house, HOUR_S).await;
    assert_eq!(sales(&house, &site).await, [("Order 1007".into(), 3_000), ("Order 1008".into(), 5_000)]);
    shop.send(&house, &connected.hook, "orders/create", &lost).await.is(200);
    later(&house, HOUR_S).await;
    assert_eq!(house.list(&site, "conversions").await.len(), 2, "a hook that comes late adds nothing");
}

#[tokio::test]
async fn a_journey_that_was_not_ready_is_looked_up_later() {
    let (shop, house, site, connected) = open().await;
    let mut bought = order(5_010_000_001_009, "30.00", &house.ago(MINUTE_S));
    shop.send(&house, &connected.hook, "orders/create", &bought).await.is(200);
    assert_eq!(house.list(&site, "conversions").await[0]["match"]["type"], json!("none"));
    let visit = json!({"occurredAt": house.ago(2 * DAY_S), "landingPage": "https://harrow.example/cups", "referrerUrl": null, "source": "direct",
        "utmParameters": {"source": "newsletter", "medium": "email", "campaign": "june"}});
    bought["journey"] = json!({"ready": true, "firstVisit": visit, "lastVisit": visit});
    shop.keep(&bought);
    // Nothing about the order has changed but what Shopify knows of it.
    later(&house, 90 * MINUTE_S).await;
    let found = house.list(&site, "conversions").await;
    assert_eq!((&found[0]["match"]["type"], &found[0]["credited"][0]["source"]), (&json!("imported"), &json!("newsletter")), "{found:#?}");
}

#[tokio::test]
async fn a_shop_that_will_not_have_us_says_so_in_one_sentence() {
    for (hurdle, want) in [
        (Hurdle::Says(404, "Not Found".into()), "There is no shop at harrow-cups.myshopify.com"),
        (Hurdle::Says(200, "<!DOCTYPE html><title>Opening soon</title>".into()), "this is no Shopify shop"),
        (Hurdle::Denied("This app is not approved to access the Order object."), "request access to protected customer data"),
        (Hurdle::Says(402, String::new()), "frozen"),
    ] {
        let (shop, house, site, _) = open().await;
        shop.inside().hurdles = vec![hurdle];
        later(&house, HOUR_S).await;
        let card = card(&house, &site).await;
        assert_ne!(card["status"], json!("ok"), "{want}");
        assert!(word(&card["reason"]).contains(want), "{want}: {card:#}");
    }
}

#[tokio::test]
async fn what_cannot_work_is_said_before_anything_is_kept() {
    let (by_app, by_token) =
        ([("client_id", CLIENT_ID), ("client_secret", "shpss_of_somebody_else")], [("access_token", "shpat_nobody_knows")]);
    let good = [("access_token", STATIC_TOKEN), ("client_secret", CLIENT_SECRET)];
    for (given, scopes, want) in [
        (&by_app[..], vec!["read_orders"], "refuses client id and secret"),
        (&by_token[..], vec!["read_orders"], "refuses the access token"),
        (&good[..], vec!["read_products"], "lacks the scope read_orders"),
    ] {
        let shop = Shop::open().await;
        shop.inside().scopes = scopes;
        let house = shop.house();
        let site = house.site("harrow.example").await;
        let refused = connections::add(&house.app, site.id, &form(given), "test").await.err().expect("it is refused");
        assert!(refused.message.contains(want), "{want}: {refused:?}");
        assert!(shop.topics().is_empty() && house.list(&site, "connections").await.is_empty());
    }
}

#[tokio::test]
async fn an_address_that_shopify_does_not_call_is_named() {
    let shop = Shop::open().await;
    shop.inside().user_error = Some("Address protocol http:// is not supported".into());
    let house = shop.house();
    let site = house.site("harrow.example").await;
    connect(&house, &site, &[("access_token", STATIC_TOKEN), ("client_secret", CLIENT_SECRET)]).await;
    let card = card(&house, &site).await;
    assert!(word(&card["reason"]).contains("Live updates need an address that begins with https://"), "{card:#}");
}

#[tokio::test]
async fn without_a_client_secret_the_shop_is_read_once_an_hour() {
    let shop = Shop::open().await;
    let house = shop.house();
    let site = house.site("harrow.example").await;
    let connected = connect(&house, &site, &[("access_token", STATIC_TOKEN)]).await;
    assert!(shop.topics().is_empty(), "what could not be checked is not asked for");
    assert!(card(&house, &site).await.to_string().contains("client secret"), "the card says what live updates need");
    shop.keep(&order(5_010_000_001_010, "30.00", &house.ago(0)));
    later(&house, HOUR_S + MINUTE_S).await;
    assert_eq!(sales(&house, &site).await, [("Order 1010".into(), 3_000)]);
    let body = order(5_010_000_001_011, "30.00", &house.ago(0)).to_string().into_bytes();
    shop.send_signed(&house, &connected.hook, "orders/create", body, STATIC_TOKEN).await.is(401);
}

#[tokio::test]
async fn a_hook_that_shopify_removed_is_put_back() {
    let (shop, house, site, _) = open().await;
    shop.inside().hooks.retain(|(_, topic, _)| topic != "ORDERS_CREATE");
    later(&house, HOUR_S + MINUTE_S).await;
    assert_eq!(shop.topics(), TOPICS);
    let audit = serde_json::to_string(&house.list(&site, "audit").await).expect("text");
    assert!(audit.contains("removed") && audit.contains("orders/create"), "{audit}");
}

#[tokio::test]
async fn an_uninstalled_app_pauses_its_connection() {
    let (shop, house, site, connected) = open().await;
    let elsewhere = json!({"id": 1, "name": "Other", "myshopify_domain": "other-cups.myshopify.com"});
    shop.send(&house, &connected.hook, "app/uninstalled", &elsewhere).await.is(200);
    assert_eq!(card(&house, &site).await["status"], json!("ok"), "another shop's end is not ours");
    let gone = json!({"id": 70_912_345, "name": "Harrow Cups", "myshopify_domain": SHOP, "plan_name": "basic"});
    shop.send(&house, &connected.hook, "app/uninstalled", &gone).await.is(200);
    let card = card(&house, &site).await;
    assert_eq!(card["status"], json!("paused"));
    assert!(word(&card["reason"]).starts_with("The app was uninstalled from harrow-cups.myshopify.com"), "{card:#}");
    let before = shop.calls().len();
    later(&house, 3 * HOUR_S).await;
    assert_eq!(shop.calls().len(), before, "nobody asks a shop that has thrown us out");
}
