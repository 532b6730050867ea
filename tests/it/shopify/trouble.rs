//! What comes between us and the shop's list: tokens that end, empty buckets, half a page, certificates and addresses that
//! cannot be trusted, orders that are longer than a page. Each time the walk goes on where it was, by itself.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use halotrack::config::Config;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection};
use serde_json::{Value, json};

use super::shop::{CLIENT_ID, CLIENT_SECRET, Hurdle, SHOP, Shop, order};
use super::{DAY_S, HOUR_S, MINUTE_S, card, later, sales, word};
use crate::house::{House, SiteAt};
use crate::story::Connected;

/// A shop with sixty orders of the last weeks, connected, and not read yet.
async fn unread(hurdles: &[Hurdle]) -> (Shop, House, SiteAt, Connected) {
    let shop = Shop::open().await;
    let house = shop.house();
    let site = house.site("harrow.example").await;
    for n in 0..60 {
        shop.keep(&order(5_020_000_002_000 + n, "10.00", &house.ago(20 * DAY_S - n as i64 * HOUR_S)));
    }
    let connected =
        house.connect(&site, "shopify", "live", &[("shop", SHOP), ("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET)]).await;
    shop.inside().hurdles = hurdles.to_vec();
    (shop, house, site, connected)
}

/// Where each question for a page of orders began: nothing for the first page.
fn asked(shop: &Shop) -> Vec<String> {
    let bodies = shop.calls().into_iter().map(|seen| seen.json());
    let of_orders = bodies.filter(|body| body["query"].as_str().is_some_and(|q| q.starts_with("query Orders")));
    of_orders.map(|body| body["variables"]["after"].as_str().unwrap_or_default().to_owned()).collect()
}

async fn is_whole(house: &House, site: &SiteAt) {
    let sold = sales(house, site).await;
    assert_eq!((sold.len(), sold.iter().map(|(_, net)| net).sum::<i64>()), (60, 60_000), "none is lost, none counts twice");
    assert_eq!(card(house, site).await["status"], json!("ok"));
}

#[tokio::test]
async fn a_token_that_ends_on_the_way_is_bought_anew_once() {
    // Refused in the middle.
    let (shop, house, site, _) = unread(&[Hurdle::Nothing, Hurdle::TokenEnds]).await;
    let bought = shop.inside().bought;
    later(&house, 0).await;
    assert_eq!(shop.inside().bought - bought, 1);
    assert_eq!(asked(&shop), ["", "25", "25", "50"], "the page that was refused is asked for again, and no other");
    is_whole(&house, &site).await;
    // A day lies between two pages: its time is known, so that nothing has to be refused.
    let (shop, house, site, _) = unread(&[Hurdle::Nothing, Hurdle::Throttled(502, 2, 100)]).await;
    let bought = shop.inside().bought;
    later(&house, 0).await;
    later(&house, 25 * HOUR_S).await;
    assert_eq!(shop.inside().bought - bought, 1);
    assert_eq!(asked(&shop), ["", "25", "25", "50"]);
    is_whole(&house, &site).await;
}

#[tokio::test]
async fn a_second_refusal_stops_the_walk_until_the_owner_has_looked() {
    let (shop, house, site, connected) = unread(&[Hurdle::Nothing, Hurdle::TokenEnds, Hurdle::TokenEnds]).await;
    let bought = shop.inside().bought;
    later(&house, 0).await;
    assert_eq!(shop.inside().bought - bought, 1, "not bought for ever");
    let stopped = card(&house, &site).await;
    assert_eq!(stopped["status"], json!("paused"));
    assert!(word(&stopped["reason"]).contains("refuses the access token"), "{stopped:#}");
    let calls = shop.calls().len();
    later(&house, 3 * HOUR_S).await;
    assert_eq!(shop.calls().len(), calls, "nobody asks meanwhile");
    let resume = format!("/api/sites/{}/connections/{}/resume", site.slug, connected.id);
    house.post(&resume).token(&site.token).json(&json!({})).send().await.is(200);
    later(&house, 0).await;
    assert_eq!(asked(&shop), ["", "25", "25", "25", "50"], "it goes on at the page where it was");
    is_whole(&house, &site).await;
}

#[tokio::test]
async fn an_empty_bucket_and_half_a_page_cost_a_wait_and_nothing_else() {
    for hurdle in [Hurdle::Throttled(502, 2, 100), Hurdle::Half, Hurdle::Says(503, "<html>Service Unavailable</html>".into())] {
        let (shop, house, site, _) = unread(&[Hurdle::Nothing, hurdle.clone()]).await;
        later(&house, 0).await;
        assert_eq!(sales(&house, &site).await.len(), 25, "{hurdle:?}: what came is there");
        assert_eq!(card(&house, &site).await["status"], json!("ok"), "{hurdle:?}");
        later(&house, 2 * MINUTE_S).await;
        assert_eq!(asked(&shop), ["", "25", "25", "50"], "{hurdle:?}");
        is_whole(&house, &site).await;
    }
}

/// A server that shows a certificate which nobody has signed.
fn untrusted() -> u16 {
    let file = |name: &str| std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)).expect("a file");
    let _ = rustls::crypto::ring::default_provider().install_default();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(file("key.der")));
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![CertificateDer::from(file("certificate.der"))], key);
    let config = Arc::new(config.expect("a certificate and its key"));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("the port that was bound").port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(mut stream), Ok(mut talk)) = (stream, ServerConnection::new(config.clone())) else { continue };
            while talk.is_handshaking() && talk.complete_io(&mut stream).is_ok() {}
        }
    });
    port
}

#[tokio::test]
async fn a_certificate_that_nobody_signed_is_named_and_the_walk_goes_on_when_it_is_good_again() {
    let (shop, house, site, _) = unread(&[Hurdle::Nothing, Hurdle::Throttled(502, 2, 100)]).await;
    later(&house, 0).await;
    assert_eq!(sales(&house, &site).await.len(), 25);
    let port = untrusted();
    let elsewhere = |config: &mut Config| drop(config.base_urls.insert("shopify".into(), format!("https://127.0.0.1:{port}")));
    let misled = house.again_with(elsewhere);
    for _ in 0..3 {
        later(&misled, 10 * MINUTE_S).await;
    }
    let said = card(&misled, &site).await;
    assert_eq!(said["status"], json!("needs_attention"));
    assert_eq!(
        word(&said["reason"]),
        format!("The certificate of {SHOP} is signed by nobody who is trusted: renew it there, or correct the address."),
    );
    let house = house.again();
    later(&house, HOUR_S).await;
    assert_eq!(asked(&shop), ["", "25", "25", "50"]);
    is_whole(&house, &site).await;
}

#[tokio::test]
async fn an_order_that_is_longer_than_a_page_is_never_short() {
    let shop = Shop::open().await;
    let house = shop.house();
    let site = house.site("harrow.example").await;
    let long = |id: u64, count: u64| {
        let mut order = order(id, "250.00", &house.ago(2 * DAY_S));
        let line = |n: u64| json!({"id": id + n, "product_id": 9_000 + n, "sku": format!("CUP-{n}"), "title": format!("Cup {n}"), "quantity": 1, "price": "1.00"});
        order["line_items"] = (0..count).map(line).collect();
        order
    };
    let (one, other) = (long(5_010_000_003_001, 250), long(5_010_000_004_002, 100));
    for order in [&one, &other] {
        shop.keep(order);
    }
    house.connect(&site, "shopify", "live", &[("shop", SHOP), ("client_id", CLIENT_ID), ("client_secret", CLIENT_SECRET)]).await;
    let lines = async || -> Vec<(usize, usize)> {
        let orders = house.list(&site, "orders").await;
        let all = orders.iter().map(|o| {
            let ids: Vec<&Value> = o["lines"].as_array().into_iter().flatten().map(|l| &l["id"]).collect();
            (ids.len(), ids.iter().map(|id| id.to_string()).collect::<BTreeSet<_>>().len())
        });
        let mut all: Vec<_> = all.collect();
        all.sort_unstable();
        all
    };
    later(&house, 0).await;
    assert_eq!(lines().await, [(100, 100), (250, 250)]);
    // Read again, with a journey that is known by now: still all of them.
    later(&house, 90 * MINUTE_S).await;
    assert_eq!(lines().await, [(100, 100), (250, 250)]);
    assert_eq!(sales(&house, &site).await.iter().map(|(_, net)| net).sum::<i64>(), 50_000);
    // One that is gone when it is looked up, and a shop that is busy just then.
    let mut third = long(5_010_000_005_003, 130);
    third["updated_at"] = json!(house.ago(0));
    shop.keep(&third);
    shop.inside().single = vec![Hurdle::Half, Hurdle::Throttled(502, 2, 100)];
    later(&house, HOUR_S).await;
    for _ in 0..3 {
        later(&house, 5 * MINUTE_S).await;
    }
    assert_eq!(lines().await, [(100, 100), (130, 130), (250, 250)]);
    assert!(shop.inside().single.is_empty(), "both were met");
}
