//! The paths and shapes of the older system.

use halotrack::domain::rights::Right;
use serde_json::{Value, json};

use crate::house::House;
use crate::woo_shop::{KEY, SECRET, WooShop};

#[tokio::test]
async fn the_setup_call_registers_looks_and_removes() {
    let (house, shop) = (House::new(), WooShop::start().await);
    let site = house.site("shop.example").await;
    let told = json!({"url": shop.url(), "consumerKey": KEY, "consumerSecret": SECRET});
    let made = house.post("/api/woocommerce/configure").token(&site.token).json(&told).send().await.is(200);
    assert_eq!((&made.json["success"], &made.json["status"]), (&json!(true), &json!("ok")));
    let sentences: Vec<&str> = made.json["progress"].as_array().into_iter().flatten().filter_map(|p| p["sentence"].as_str()).collect();
    assert_eq!(sentences, ["The configuration is saved.", "Purchase tracking is being set up.", "Purchase tracking is enabled."]);
    let order_created = shop.books().hooks.iter().find(|(_, h)| h.topic == "order.created").map(|(id, _)| id.to_string());
    let act = |action: &str| {
        let call = house.post("/api/webhooks/setup").token(&site.token);
        let told = json!({"domain": "shop.example", "platform": "woocommerce", "action": action});
        async move { call.json(&told).send().await }
    };
    let standing = || async {
        house.advance_s(2);
        let path = "/api/webhooks/setup?domain=shop.example&platform=woocommerce";
        house.get(path).token(&site.token).send().await.is(200).json
    };
    let before = standing().await;
    assert_eq!((&before["success"], &before["exists"], &before["active"]), (&json!(true), &json!(true), &json!(true)));
    assert_eq!(before["webhookId"].as_str().map(str::to_owned), order_created);
    assert!(before["deliveryUrl"].as_str().is_some_and(|url| url.contains("/in/woocommerce/")), "{before:#}");
    assert!(before["webhooks"].as_array().is_some_and(|all| all.len() >= 3 && all.iter().all(|w| w["active"] == true)));
    let count = shop.books().hooks.len();
    for action in ["register", "create", "check", "status"] {
        let answer = act(action).await.is(200);
        assert_eq!((&answer.json["success"], &answer.json["webhookId"]), (&json!(true), &before["webhookId"]), "{action}");
    }
    assert_eq!(shop.books().hooks.len(), count, "nothing is doubled");
    act("remove").await.is(200);
    let gone = standing().await;
    assert_eq!((shop.books().hooks.len(), &gone["exists"]), (0, &json!(false)));
    house.advance_s(7_200);
    house.pull().await;
    assert_eq!(shop.books().hooks.len(), 0, "what the owner took out is not put back");
    act("register").await.is(200);
    assert_eq!(standing().await["active"], json!(true));
    for (action, status) in [("dance", 400), ("", 400)] {
        let answer = act(action).await.is(status);
        assert!(answer.json["success"] == false && answer.json["error"].is_string(), "{}", answer.text);
    }
    let ask = json!({"domain": "shop.example", "platform": "woocommerce", "action": "check"});
    let stranger = house.post("/api/webhooks/setup").json(&ask).send().await.is(401);
    assert!(stranger.json["success"] == false && stranger.json["error"].is_string(), "{}", stranger.text);
    let wrong = json!({"domain": "shop.example", "platform": "magento", "action": "check"});
    house.post("/api/webhooks/setup").token(&site.token).json(&wrong).send().await.is(400);
    // The same shop again is the same connection.
    house.advance_s(2);
    house.post("/api/woocommerce/configure").token(&site.token).json(&told).send().await.is(200);
    assert_eq!(house.list(&site, "connections").await.len(), 1);
}

#[tokio::test]
async fn a_site_is_named_by_its_own_host_or_by_its_shops() {
    let (house, shop) = (House::new(), WooShop::start().await);
    let (site, other) = (house.site("one.example").await, house.site("two.example").await);
    house.woo(&site, &shop).await;
    let mine = house.login("ann@one.example", Right::Read, Some(site.id)).await;
    let theirs = house.login("bo@two.example", Right::Read, Some(other.id)).await;
    let (host, url) = (shop.stand_in.url().trim_start_matches("http://").to_owned(), shop.url());
    let encoded: String = url::form_urlencoded::byte_serialize(url.as_bytes()).collect();
    for (path, domain, status) in [
        ("revenue", "one.example", 200),
        ("revenue", "www.one.example", 200),
        ("revenue", host.as_str(), 200),
        ("revenue", encoded.as_str(), 200),
        ("customers", host.as_str(), 200),
        ("revenue", "two.example", 404),
        ("revenue", "127.0.0.1:9", 404),
        ("revenue", "nowhere.example", 404),
    ] {
        let asked = format!("/api/analytics/{path}?domain={domain}");
        house.advance_s(2);
        let by_token = house.get(&asked).token(&site.token).send().await;
        assert_eq!(by_token.status, status, "{asked}: {}", by_token.text);
        let by_login = house.get(&asked).cookie(&mine).send().await;
        assert_eq!(by_login.status, status, "{asked}: {}", by_login.text);
        if status == 200 {
            assert_eq!(by_login.json["domain"], json!("one.example"));
            // What is another's looks like what is not there.
            house.get(&asked).token(&other.token).send().await.is(404);
            house.get(&asked).cookie(&theirs).send().await.is(404);
        }
    }
    // The same shop at two sites: meant is the one of whoever asks.
    house.woo(&other, &shop).await;
    house.advance_s(2);
    for (cookie, want) in [(&mine, "one.example"), (&theirs, "two.example")] {
        let answer = house.get(&format!("/api/analytics/revenue?domain={host}")).cookie(cookie).send().await.is(200);
        assert_eq!(answer.json["domain"], json!(want));
    }
}

#[tokio::test]
async fn on_a_kept_path_the_signature_decides() {
    let house = House::new();
    let (one, two) = (WooShop::start().await, WooShop::start().await);
    let (first, second) = (house.site("one.example").await, house.site("two.example").await);
    house.woo(&first, &one).await;
    house.woo(&second, &two).await;
    let path = "/api/webhooks/woocommerce/order-created";
    let id = two.books().place(house.clock.now(), "20.00", json!({}));
    let body = two.books().body("order.created", id);
    let answer = house.told_body(path, &two, "order.created", body.clone()).await.is(200);
    assert_eq!(answer.json, json!({"status": "success", "attribution": {"conversationId": null, "confidence": 0.0, "method": "no_match"}}));
    assert_eq!((house.net(&first).await, house.net(&second).await), (0, 2_000));
    // Again, at the hook's own address: the same report.
    let again = house.told_body(path, &two, "order.created", body.clone()).await.is(200);
    assert_eq!((&again.json["status"], house.net(&second).await), (&json!("success"), 2_000));
    let unreadable = house.told_body(path, &two, "order.created", b"no JSON at all".to_vec()).await.is(200);
    assert_eq!(unreadable.json, json!({"status": "success", "attribution": null}));
    let forged = house.post(path).header("content-type", "application/json").header("x-wc-webhook-signature", "AAAA").body(body);
    let forged = forged.header("x-wc-webhook-source", &one.url()).send().await.is(401);
    assert!(forged.json["success"] == false && forged.json["error"].is_string(), "{}", forged.text);
    let inbox: Vec<Value> = house.list(&first, "inbox").await;
    assert_eq!(inbox, Vec::<Value>::new());
}
