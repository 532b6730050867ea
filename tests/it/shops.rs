//! Connected shops: keys that are proved, webhooks that are put in and put back, orders that are told, pulled and told
//! again, refunds that come off once. The shop is a stand-in on loopback that behaves like WooCommerce.

mod accounts;
mod kept;
mod pulled;
mod refunds;
mod reversals;

use halotrack::crypto;
use halotrack::jobs::puller;
use serde_json::{Value, json};

use crate::house::{Answer, House, SiteAt};
use crate::stand_in;
use crate::story::Connected;
use crate::woo_shop::{KEY, SECRET, WooShop};

impl House {
    pub async fn woo(&self, site: &SiteAt, shop: &WooShop) -> Connected {
        self.connect(site, "woocommerce", "shadow", &keys(&shop.url())).await
    }

    /// Does what is due at the platforms' own doors.
    pub async fn pull(&self) -> usize {
        puller::drain(&self.app).await.expect("what is due is read")
    }

    /// As the shop delivers a webhook.
    pub async fn told(&self, connected: &Connected, shop: &WooShop, topic: &str, id: u64) -> Answer {
        let body = shop.books().body(topic, id);
        self.told_body(&connected.hook, shop, topic, body).await
    }

    pub async fn told_body(&self, path: &str, shop: &WooShop, topic: &str, body: Vec<u8>) -> Answer {
        let secret = {
            let books = shop.books();
            books.hook(topic).or(books.hook("order.created")).expect("a webhook").secret.clone()
        };
        let signature = crypto::base64(&crypto::hmac_sha256(secret.as_bytes(), &[&body]));
        let call = self.post(path).header("content-type", "application/json").header("x-wc-webhook-signature", &signature);
        call.header("x-wc-webhook-source", &format!("{}/", shop.url())).header("x-wc-webhook-topic", topic).body(body).send().await
    }

    pub async fn card(&self, site: &SiteAt) -> Value {
        self.list(site, "connections").await.into_iter().next().expect("a connection")
    }

    /// What is left of all orders, in cents.
    pub async fn net(&self, site: &SiteAt) -> i64 {
        self.list(site, "conversions").await.iter().map(|c| c["net"]["minor"].as_i64().unwrap_or_default()).sum()
    }
}

pub fn keys(url: &str) -> [(&str, &str); 3] {
    [("url", url), ("consumer_key", KEY), ("consumer_secret", SECRET)]
}

#[tokio::test]
async fn two_keys_are_all_that_the_owner_gives() {
    let (house, shop) = (House::new(), WooShop::start().await);
    let site = house.site("shop.example").await;
    let connected = house.woo(&site, &shop).await;
    let hooks: Vec<_> = shop.books().hooks.values().cloned().collect();
    assert!(hooks.len() >= 3, "{hooks:?}");
    for hook in &hooks {
        assert!(hook.url.ends_with(&connected.hook) && hook.secret.len() == 64 && hook.status == "active", "{hook:?}");
    }
    assert_eq!(connected.secret, "", "what was put into the shop nobody needs to copy");
    let card = house.card(&site).await;
    assert_eq!((&card["status"], &card["registration"]["state"]), (&json!("ok"), &json!("active")));
    assert_eq!(card["webhooks"].as_array().map(Vec::len), Some(hooks.len()));
    assert!(!card.to_string().contains(&hooks[0].secret));
    let before = shop.books().hooks.len();
    let check = format!("/api/sites/{}/connections/{}/check", site.slug, connected.id);
    let again = house.post(&check).token(&site.token).json(&json!({})).send().await.is(200);
    assert_eq!((&again.json["is_in_place"], shop.books().hooks.len()), (&json!(true), before), "{}", again.text);
}

#[tokio::test]
async fn what_cannot_be_connected_is_said_in_a_sentence_and_leaves_nothing() {
    let (house, shop) = (House::new(), WooShop::start().await);
    let site = house.site("shop.example").await;
    let add = |settings: Value| {
        let call = house.post("/api/woocommerce/configure").token(&site.token);
        async move { call.json(&settings).send().await }
    };
    let wrong = json!({"url": shop.url(), "consumerKey": KEY, "consumerSecret": "cs_0000000000000000000000000000000000000000"});
    let nobody = json!({"url": "http://127.0.0.1:9/", "consumerKey": KEY, "consumerSecret": SECRET});
    let no_shop = json!({"url": shop.stand_in.url(), "consumerKey": KEY, "consumerSecret": SECRET});
    let inner = json!({"url": "https://10.0.0.5/", "consumerKey": KEY, "consumerSecret": SECRET});
    let no_key = json!({"url": shop.url()});
    for (told, status) in [(wrong, 422), (nobody, 422), (no_shop, 422), (inner, 422)] {
        let answer = add(told.clone()).await.is(status);
        let sentence = answer.json["error"].as_str().unwrap_or_default();
        assert!(answer.json["success"] == false && sentence.ends_with('.') && sentence.len() > 20, "{told}: {}", answer.text);
        assert!(!answer.text.contains(SECRET) && !answer.text.contains("cs_0000"), "{}", answer.text);
    }
    assert_eq!((house.list(&site, "connections").await, shop.books().hooks.len()), (Vec::new(), 0));
    // What is not filled in is no failure: it waits to be.
    add(no_key).await.is(200);
    assert_eq!(house.card(&site).await["status"], json!("not_configured"));
    add(json!({"url": "", "consumerKey": KEY})).await.is(400);
    shop.books().may_write = false;
    let read_only = add(json!({"url": shop.url(), "consumerKey": KEY, "consumerSecret": SECRET})).await.is(200);
    assert!(read_only.text.to_lowercase().contains("write"), "{}", read_only.text);
}

#[tokio::test]
async fn a_webhook_that_the_shop_switched_off_or_lost_is_put_back_and_said_so() {
    let (house, shop) = (House::new(), WooShop::start().await);
    let site = house.site("shop.example").await;
    let connected = house.woo(&site, &shop).await;
    house.pull().await;
    let switch_off = |topic: &str| {
        let mut books = shop.books();
        books.hooks.values_mut().find(|h| h.topic == topic).expect("a hook").status = "disabled".into();
    };
    switch_off("order.created");
    house.advance_s(600);
    let lost = shop.books().place(house.clock.now(), "30.00", json!({}));
    house.advance_s(3_000);
    house.pull().await;
    assert_eq!(shop.books().hook("order.created").map(|h| h.status.clone()).as_deref(), Some("active"), "the hourly look");
    let said = house.card(&site).await["happenings"][0]["sentence"].as_str().unwrap_or_default().to_owned();
    assert!(said.contains("switched off the webhook for order.created") && said.contains("we put it back at"), "{said}");
    assert_eq!(house.net(&site).await, 3_000, "what was lost meanwhile, order {lost}");
    shop.books().hooks.retain(|_, h| h.topic != "order.updated");
    house.advance_s(3_700);
    house.pull().await;
    assert!(shop.books().hook("order.updated").is_some());
    let said = house.card(&site).await["happenings"][0]["sentence"].as_str().unwrap_or_default().to_owned();
    assert!(said.contains("order.updated had been removed from WooCommerce; we put it back at"), "{said}");
    assert!(said.ends_with("No order had been missed."), "{said}");
    let audit = house.list(&site, "audit").await;
    assert!(audit.iter().any(|line| line["what"] == "hook_put_back"), "{audit:#?}");
    let _ = connected;
}

#[tokio::test]
async fn an_unsigned_ping_gets_a_plain_200_and_leaves_nothing() {
    let (house, shop) = (House::new(), WooShop::start().await);
    let site = house.site("shop.example").await;
    let connected = house.woo(&site, &shop).await;
    for path in [connected.hook.as_str(), "/api/webhooks/woocommerce/order-created"] {
        let ping = house.post(path).header("content-type", "application/x-www-form-urlencoded").body("webhook_id=12");
        ping.send().await.is(200);
    }
    assert_eq!(house.list(&site, "inbox").await, Vec::<Value>::new());
    assert_eq!(house.card(&site).await["health"]["bad_signatures"], json!(0));
}

#[tokio::test]
async fn a_platform_that_refuses_us_pauses_its_connection_and_new_keys_start_it_again() {
    let (house, shop) = (House::new(), WooShop::start().await);
    let site = house.site("shop.example").await;
    let connected = house.woo(&site, &shop).await;
    house.pull().await;
    house.advance_s(1_000);
    shop.books().instead.push_back(stand_in::Answer::json(
        401,
        json!({"code": "woocommerce_rest_authentication_error", "message": "Consumer key is invalid.", "data": {"status": 401}}),
    ));
    house.pull().await;
    let card = house.card(&site).await;
    assert_eq!(card["status"], json!("paused"), "{card:#}");
    assert!(card["reason"].as_str().is_some_and(|r| r.ends_with('.')), "{card:#}");
    let asked = shop.asked().len();
    house.advance_s(7_200);
    assert_eq!((house.pull().await, shop.asked().len()), (0, asked), "a paused connection is left alone");
    // What the shop tells is taken all the same.
    let id = shop.books().place(house.clock.now(), "12.00", json!({}));
    house.told(&connected, &shop, "order.created", id).await.is(200);
    assert_eq!(house.net(&site).await, 1_200);
    let resume = format!("/api/sites/{}/connections/{}/resume", site.slug, connected.id);
    house.post(&resume).token(&site.token).json(&json!({})).send().await.is(200);
    house.pull().await;
    assert_eq!(house.card(&site).await["status"], json!("ok"));
    assert!(shop.asked().len() > asked);
}
