//! Chats: what is kept of them, which conversation led to an order, and what that is worth. Told by the owner's own
//! server and by platforms, before the order and after it.

mod figures;

use halotrack::domain::rights::Right;
use halotrack::domain::time::Time;
use halotrack::flows::retain;
use hmac_like::{sha1_hex, sha256_hex};
use serde_json::{Value, json};

use crate::house::{Answer, House, NOW_S, SiteAt};

/// Signatures as the platforms make them.
mod hmac_like {
    use halotrack::crypto::{hex, hmac_sha1, hmac_sha256};

    pub fn sha256_hex(secret: &str, parts: &[&[u8]]) -> String {
        hex(&hmac_sha256(secret.as_bytes(), parts))
    }

    pub fn sha1_hex(secret: &str, body: &[u8]) -> String {
        hex(&hmac_sha1(secret.as_bytes(), body))
    }
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const ANN: &str = "ann.lee@mail.example";

/// So many seconds before now.
fn ago(seconds: i64) -> String {
    Time::from_s(NOW_S - seconds).utc()
}

impl House {
    async fn say(&self, site: &SiteAt, conversation: &str, ago_s: i64, more: Value) -> Answer {
        let mut body = json!({"conversation_id": conversation, "role": "customer", "at": ago(ago_s)});
        if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
            body.extend(more);
        }
        self.post("/api/chat/events").token(&site.token).json(&body).send().await
    }

    /// An order of that moment; gives its number as the receipt knows it.
    async fn buys(&self, site: &SiteAt, order: &str, ago_s: i64, more: Value) -> Answer {
        let mut body = json!({"order_id": order, "total": "40.00", "currency": "USD", "status": "paid", "created_at": ago(ago_s)});
        if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
            body.extend(more);
        }
        self.post("/api/webhook/order").token(&site.token).json(&body).send().await
    }

    async fn bought(&self, site: &SiteAt, order: i64) -> Value {
        self.get(&format!("/api/sites/{}/receipts/order_{order}", site.slug)).token(&site.token).send().await.is(200).json
    }

    async fn chat_report(&self, site: &SiteAt) -> Value {
        self.get(&format!("/api/sites/{}/reports/chat", site.slug)).token(&site.token).send().await.is(200).json
    }
}

/// Tier, confidence and the sender's own id of the conversation.
fn verdict(receipt: &Value) -> (String, i64, String) {
    let chat = &receipt["chat"];
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    (text(&chat["method"]), chat["confidence_bp"].as_i64().unwrap_or_default(), text(&chat["external_id"]))
}

fn is(method: &str, bp: i64, conversation: &str) -> (String, i64, String) {
    (method.to_owned(), bp, conversation.to_owned())
}

#[tokio::test]
async fn a_chat_leads_to_an_order_by_its_tiers() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let rows: &[(&str, i64, Value, &str, i64)] = &[
        ("a@mail.example", 25 * MINUTE, json!({}), "session_match", 9_500),
        ("b@mail.example", 20 * HOUR, json!({}), "time_proximity", 7_500),
        ("c@mail.example", 20 * HOUR, json!({"metadata": {"product_inquiry": true, "price_check": true}}), "time_proximity", 8_300),
        ("d@mail.example", 20 * HOUR, json!({"text": "How much is it to Oslo?"}), "time_proximity", 7_800),
        ("e@mail.example", 20 * HOUR, json!({"text": "How much?", "role": "agent"}), "time_proximity", 7_500),
        ("f@mail.example", 20 * HOUR, json!({"text": "How much?", "metadata": {"price_check": false}}), "time_proximity", 7_500),
        ("g@mail.example", 5 * DAY, json!({}), "email_match", 5_500),
        ("h@mail.example", 8 * DAY, json!({}), "no_match", 0),
    ];
    for (n, (email, gap_s, more, method, bp)) in rows.iter().enumerate() {
        let talk = format!("c-{n}");
        let mut said = json!({"email": email});
        said.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        house.say(&site, &talk, 3_600 + gap_s, said).await.is(200);
        for _ in 0..2 {
            let told = house.buys(&site, &format!("O-{n}"), 3_600, json!({"email": email.to_uppercase()})).await.is(200).json;
            let said = &told["attribution"]["chat"];
            assert_eq!(
                (said["method"].as_str().unwrap_or("no_match"), said["confidence"].as_f64().unwrap_or(0.0)),
                (*method, *bp as f64 / 1e4),
                "{told}"
            );
        }
        let receipt = house.bought(&site, n as i64 + 1).await;
        assert_eq!(verdict(&receipt), is(method, *bp, if *bp > 0 { &talk } else { "" }), "{email}");
        assert!(receipt["chat"]["sentence"].as_str().is_some_and(|s| s.split(' ').count() > 4), "{receipt}");
    }
    // Five messages of all sides add up; those after the order have no part in it.
    for n in 0..5 {
        let role = ["customer", "agent", "bot"][n as usize % 3];
        house.say(&site, "many", 3_600 + 20 * HOUR - n, json!({"email": "many@mail.example", "role": role})).await.is(200);
    }
    house.say(&site, "many", 60, json!({"metadata": {"product_inquiry": true}})).await.is(200);
    house.buys(&site, "O-many", 3_600, json!({"email": "many@mail.example"})).await.is(200);
    assert_eq!(verdict(&house.bought(&site, 9).await), is("time_proximity", 8_000, "many"));
    let rows = house
        .sql(&site, "select conversation_id, attribution_method, attribution_confidence, order_id from purchase_attributions order by 4");
    assert_eq!(rows.len(), 9);
    assert_eq!(rows[0]["conversation_id"], "c-0");
    assert_eq!(rows[0]["attribution_confidence"], 0.95);
    assert_eq!((&rows[7]["conversation_id"], &rows[7]["attribution_method"]), (&Value::Null, &json!("no_match")));
}

/// The whole way, from the message to the receipt; the rules' own table stands beside them.
#[tokio::test]
async fn every_boundary_holds_to_the_second() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let rows: &[(i64, &str, i64)] = &[
        (30 * MINUTE, "session_match", 9_500),
        (30 * MINUTE + 1, "session_match", 9_000),
        (60 * MINUTE, "session_match", 9_000),
        (60 * MINUTE + 1, "time_proximity", 8_500),
        (6 * HOUR, "time_proximity", 8_500),
        (6 * HOUR + 1, "time_proximity", 8_000),
        (12 * HOUR, "time_proximity", 8_000),
        (12 * HOUR + 1, "time_proximity", 7_500),
        (22 * HOUR, "time_proximity", 7_500),
        (22 * HOUR + 1, "time_proximity", 7_000),
        (DAY, "time_proximity", 7_000),
        (DAY + 1, "email_match", 6_500),
        (3 * DAY, "email_match", 6_500),
        (3 * DAY + 1, "email_match", 5_500),
        (5 * DAY, "email_match", 5_500),
        (5 * DAY + 1, "email_match", 5_000),
        (7 * DAY, "email_match", 5_000),
        (7 * DAY + 1, "no_match", 0),
    ];
    for (n, (gap_s, method, bp)) in rows.iter().enumerate() {
        let email = json!({"email": format!("b{n}@mail.example")});
        house.say(&site, &format!("b-{n}"), gap_s + 60, email.clone()).await.is(200);
        house.buys(&site, &format!("B-{n}"), 60, email).await.is(200);
        let got = verdict(&house.bought(&site, n as i64 + 1).await);
        assert_eq!((got.0.as_str(), got.1), (*method, *bp), "{gap_s} s");
        house.advance_s(1);
    }
    // However much was asked, by time alone it is never surer than this.
    for n in 0..6 {
        let asked = json!({"email": "keen@mail.example", "metadata": {"product_inquiry": true, "price_check": true}});
        house.say(&site, "keen", 2 * HOUR + 60 + n, asked).await.is(200);
    }
    house.buys(&site, "B-keen", 60, json!({"email": "keen@mail.example"})).await.is(200);
    assert_eq!(verdict(&house.bought(&site, rows.len() as i64 + 1).await), is("time_proximity", 9_000, "keen"));
}

#[tokio::test]
async fn who_it_was_decides_and_strangers_earn_nothing() {
    let house = House::new();
    let site = house.site_with("shop.example", |new| new.country = Some("AE".into())).await;
    let other = house.site("other.example").await;
    house.say(&site, "stranger", 600, json!({"email": "bo@mail.example"})).await.is(200);
    house.say(&site, "nobody", 600, json!({"session_id": "somebody"})).await.is(200);
    house.say(&other, "elsewhere", 600, json!({"email": ANN})).await.is(200);
    house.buys(&site, "O-1", 0, json!({"email": ANN})).await.is(200);
    assert_eq!(verdict(&house.bought(&site, 1).await), is("no_match", 0, ""));
    // By phone, however it is written.
    house.say(&site, "phone", 40 * MINUTE, json!({"phone": "+971501234567"})).await.is(200);
    house.buys(&site, "O-2", 0, json!({"phone": "050 123-4567"})).await.is(200);
    assert_eq!(verdict(&house.bought(&site, 2).await), is("session_match", 9_000, "phone"));
    // By the order's own browser it is sure for the whole hour.
    let visit = house.visit(&site, None, json!({"utm_source": "instagram", "utm_medium": "social", "event_id": "e1"})).await;
    house.say(&site, "browser", 50 * MINUTE, json!({"session_id": visit})).await.is(200);
    house.buys(&site, "O-3", 0, json!({"session_id": visit})).await.is(200);
    assert_eq!(verdict(&house.bought(&site, 3).await), is("session_match", 9_500, "browser"));
}

#[tokio::test]
async fn a_chat_helps_and_takes_no_credit_unless_the_owner_says_so() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let cookie = house.login("owner@shop.example", Right::Own, None).await;
    let visit = house.visit(&site, None, json!({"utm_source": "instagram", "utm_medium": "social", "event_id": "e1"})).await;
    house.advance_s(2 * HOUR);
    house.say(&site, "c-1", -HOUR, json!({"email": ANN, "session_id": visit})).await.is(200);
    house.buys(&site, "O-1", -2 * HOUR, json!({"email": ANN, "session_id": visit})).await.is(200);
    // A sale that no visit explains, with a chat before it.
    house.say(&site, "c-2", -HOUR, json!({"email": "bo@mail.example"})).await.is(200);
    house.buys(&site, "O-2", -2 * HOUR, json!({"email": "bo@mail.example"})).await.is(200);
    let points = house.get("/api/conversions/conversion_1/touchpoints").token(&site.token).send().await.is(200).json;
    let types: Vec<&str> = points["data"].as_array().expect("a list").iter().filter_map(|p| p["type"].as_str()).collect();
    assert_eq!(types, ["click", "chat"]);
    let receipt = house.bought(&site, 1).await;
    assert_eq!(receipt["conversion"]["credited"][0]["source"], "instagram");
    assert_eq!(receipt["conversion"]["chat"], true);
    assert_eq!(receipt["runs"].as_array().map(Vec::len), Some(1));
    let path = format!("/api/sites/{}/policy", site.slug);
    let policy = json!({"model": "last_non_direct", "window": "30", "chat_credit": true});
    let preview = house.post(&format!("{path}/preview")).cookie(&cookie).json(&policy).send().await.is(200).json;
    assert_eq!(preview["moved"], 2, "{preview}");
    let row = |source: &str| preview["items"].as_array().expect("rows").iter().find(|r| r["source"] == source).cloned().expect("the row");
    assert_eq!(row("chat")["after"]["conversions"], 2.0);
    assert_eq!(row("instagram")["before"]["conversions"], 1.0);
    // Nothing has moved by looking.
    assert_eq!(house.bought(&site, 1).await["conversion"]["credited"][0]["source"], "instagram");
    let mut past = policy.clone();
    past["past"] = true.into();
    assert_eq!(house.post(&path).cookie(&cookie).json(&past).send().await.is(200).json["runs"], 2);
    let one = house.bought(&site, 1).await;
    assert_eq!(one["conversion"]["credited"][0]["source"], "chat");
    assert_eq!(one["runs"].as_array().map(Vec::len), Some(2));
    assert_eq!(house.bought(&site, 2).await["why"]["type"], "email");
    // What comes now is credited so from the start.
    house.say(&site, "c-3", -HOUR, json!({"email": "cy@mail.example"})).await.is(200);
    house.buys(&site, "O-3", -2 * HOUR, json!({"email": "cy@mail.example"})).await.is(200);
    assert_eq!(house.bought(&site, 3).await["conversion"]["credited"][0]["source"], "chat");
    // And back again.
    let back = json!({"model": "last_non_direct", "window": "30", "chat_credit": false, "past": true});
    assert_eq!(house.post(&path).cookie(&cookie).json(&back).send().await.is(200).json["runs"], 3);
    assert_eq!(house.bought(&site, 1).await["conversion"]["credited"][0]["source"], "instagram");
    let two = house.bought(&site, 2).await;
    assert_eq!((&two["why"]["type"], two["conversion"]["credited"].as_array().map(Vec::len)), (&json!("none"), Some(0)));
}

#[tokio::test]
async fn a_chat_that_is_told_late_explains_what_nothing_did_and_nothing_else_moves() {
    let house = House::new();
    let site = house.site("shop.example").await;
    // The order first, then its chat, told message by message: as if it had come in time.
    house.buys(&site, "O-1", 0, json!({"email": ANN})).await.is(200);
    assert_eq!(house.bought(&site, 1).await["chat"], Value::Null);
    for n in (0..5).rev() {
        house.say(&site, "late", 20 * HOUR + n, json!({"email": ANN})).await.is(200);
    }
    assert_eq!(verdict(&house.bought(&site, 1).await), is("time_proximity", 8_000, "late"));
    assert_eq!(house.bought(&site, 1).await["runs"].as_array().map(Vec::len), Some(1), "no run of credit");
    // Another conversation of the same person moves nothing any more, however near.
    house.say(&site, "nearer", 5 * MINUTE, json!({"email": ANN})).await.is(200);
    assert_eq!(verdict(&house.bought(&site, 1).await), is("time_proximity", 8_000, "late"));
    // What was known in time stays, whatever the same conversation tells later, and whoever tells of the order again.
    house.say(&site, "first", 3 * HOUR, json!({"email": "bo@mail.example"})).await.is(200);
    house.buys(&site, "O-2", 0, json!({"email": "bo@mail.example"})).await.is(200);
    house.say(&site, "first", MINUTE, json!({"metadata": {"price_check": true}})).await.is(200);
    house.buys(&site, "O-2", 0, json!({"email": "bo@mail.example", "status": "completed"})).await.is(200);
    assert_eq!(verdict(&house.bought(&site, 2).await), is("time_proximity", 8_500, "first"));
    // An address that comes after the order, for a conversation that had none.
    house.say(&site, "named late", 10 * MINUTE, json!({})).await.is(200);
    house.buys(&site, "O-3", 0, json!({"email": "cy@mail.example"})).await.is(200);
    assert_eq!(verdict(&house.bought(&site, 3).await), is("no_match", 0, ""));
    house.say(&site, "named late", -MINUTE, json!({"email": "cy@mail.example", "at": ago(0)})).await.is(200);
    assert_eq!(verdict(&house.bought(&site, 3).await), is("session_match", 9_500, "named late"));
    // A day later it is too late.
    house.buys(&site, "O-4", 0, json!({"email": "di@mail.example"})).await.is(200);
    house.advance_s(25 * HOUR);
    house.say(&site, "too late", 10 * MINUTE, json!({"email": "di@mail.example"})).await.is(200);
    assert_eq!(verdict(&house.bought(&site, 4).await), is("no_match", 0, ""));
}

#[tokio::test]
async fn the_same_message_is_one_and_the_very_second_is_before() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let said = json!({"email": ANN, "text": "Hello", "message_id": "m-1"});
    assert_eq!(house.say(&site, "c-1", 60, said.clone()).await.is(200).json["status"], "accepted");
    assert_eq!(house.say(&site, "c-1", 60, said).await.is(200).json["status"], "duplicate");
    for _ in 0..2 {
        house.say(&site, "c-1", 50, json!({"text": "Hello"})).await.is(200);
    }
    house.say(&site, "c-1", 50, json!({"text": "Hello", "role": "agent"})).await.is(200);
    house
        .say(
            &site,
            "c-2",
            40,
            json!({"email": "bo@mail.example", "at": format!("{}.500Z", ago(40).split(['.', 'Z']).next().unwrap_or_default())}),
        )
        .await
        .is(200);
    house.buys(&site, "O-1", 40, json!({"email": "bo@mail.example"})).await.is(200);
    assert_eq!(verdict(&house.bought(&site, 1).await), is("session_match", 9_500, "c-2"));
    let report = house.chat_report(&site).await;
    assert_eq!(report["conversations"], 2);
    let exported =
        house.get(&format!("/api/sites/{}/people/export?email={}", site.slug, ANN.replace('@', "%40"))).token(&site.token).send().await;
    assert_eq!(exported.is(200).json["messages"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn a_bad_message_is_named() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let good = json!({"conversation_id": "c-1", "role": "customer", "at": ago(9)});
    let rows: &[(&str, Value)] = &[
        ("conversation_id", Value::Null),
        ("role", json!("visitor")),
        ("role", Value::Null),
        ("at", json!("yesterday")),
        ("at", Value::Null),
        ("email", json!("no address")),
        ("metadata", json!("price")),
        ("text", json!("x".repeat(10_001))),
    ];
    for (field, value) in rows {
        let mut body = good.clone();
        body[*field] = value.clone();
        let answer = house.post("/api/chat/events").token(&site.token).json(&body).send().await.is(422);
        assert_eq!(answer.json["success"], false, "{field}");
        assert!(answer.text.contains(field), "{field}: {}", answer.text);
    }
    house.post("/api/chat/events").json(&good).send().await.is(401);
    house.post("/api/chat/events").token(&site.token).body("{").header("content-type", "application/json").send().await.is(400);
}

#[tokio::test]
async fn words_are_read_and_not_kept_unless_the_owner_says_so() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let secret = "a-canary-nobody-guesses";
    house
        .buys(&site, "O-0", 9 * DAY, json!({"items": [{"id": "7", "name": "Amber Diffuser", "quantity": 1, "price": "40.00"}]}))
        .await
        .is(200);
    house.say(&site, "c-1", 20 * HOUR, json!({"email": ANN, "text": format!("Is the amber diffuser {secret}?")})).await.is(200);
    house.buys(&site, "O-1", 0, json!({"email": ANN})).await.is(200);
    assert_eq!(verdict(&house.bought(&site, 2).await), is("time_proximity", 8_000, "c-1"), "the product was known by its name");
    let path = format!("/api/sites/{}/people/export?email={}", site.slug, ANN.replace('@', "%40"));
    assert!(!house.get(&path).token(&site.token).send().await.is(200).text.contains(secret));
    let set = |key: &'static str, value: &'static str| {
        let house = &house;
        let site = &site;
        async move {
            let body = json!({ key: value });
            house.post(&format!("/api/sites/{}/settings", site.slug)).token(&site.token).json(&body).send().await.is(200);
        }
    };
    set("chat.text", "true").await;
    set("chat.price_words", "was kostet").await;
    house.say(&site, "c-2", 20 * HOUR, json!({"email": "bo@mail.example", "text": format!("Was kostet {secret}")})).await.is(200);
    house.buys(&site, "O-2", 0, json!({"email": "bo@mail.example"})).await.is(200);
    assert_eq!(verdict(&house.bought(&site, 3).await), is("time_proximity", 7_800, "c-2"), "the site's own words");
    let bo = house.get(&path.replace("ann.lee", "bo")).token(&site.token).send().await.is(200).text;
    assert!(bo.contains(secret), "now it is kept");
}

#[tokio::test]
async fn platforms_tell_of_their_chats_each_in_its_own_way() {
    let house = House::new();
    let site = house.site("shop.example").await;
    // Chatwoot, signed.
    let hook = house.connect_chat(&site, "chatwoot", Some("cw-secret")).await;
    let body = json!({"event": "conversation_created", "id": 81, "messages": [{"id": 5, "content": "How much?", "message_type": 0, "created_at": NOW_S - 900}],
        "meta": {"sender": {"id": 3, "name": "Ann", "email": ANN, "type": "contact"}}, "created_at": NOW_S - 900})
    .to_string();
    let stamp = NOW_S.to_string();
    let sign = |secret: &str| format!("sha256={}", sha256_hex(secret, &[stamp.as_bytes(), b".", body.as_bytes()]));
    let send = |signature: String| {
        house.post(&hook).header("x-chatwoot-timestamp", &stamp).header("x-chatwoot-signature", &signature).body(body.clone())
    };
    send(sign("another")).send().await.is(401);
    house.post(&hook).body(body.clone()).send().await.is(401);
    assert_eq!(send(sign("cw-secret")).send().await.is(200).json["status"], "accepted");
    assert_eq!(send(sign("cw-secret")).send().await.is(200).json["status"], "duplicate");
    house.buys(&site, "O-1", 0, json!({"email": ANN})).await.is(200);
    assert_eq!(verdict(&house.bought(&site, 1).await), is("session_match", 9_500, "81"));
    // Crisp, by its address alone: the address of the person comes in another event, and is only said.
    let hook = house.connect_chat(&site, "crisp", None).await;
    let crisp = |event: &str, data: Value| json!({"website_id": "w", "event": event, "data": data, "timestamp": (NOW_S - 600) * 1_000});
    let said = crisp("message:send", json!({"session_id": "session_9", "type": "text", "from": "user", "content": "Hi", "fingerprint": 1}));
    house.post(&hook).json(&said).send().await.is(200);
    house
        .post(&hook)
        .json(&crisp("session:set_email", json!({"session_id": "session_9", "email": "bo@mail.example"})))
        .send()
        .await
        .is(200);
    assert_eq!(
        house
            .post(&hook)
            .json(&crisp("session:set_state", json!({"session_id": "session_9", "state": "resolved"})))
            .send()
            .await
            .is(200)
            .text,
        "ignored"
    );
    house.buys(&site, "O-2", 0, json!({"email": "bo@mail.example"})).await.is(200);
    let receipt = house.bought(&site, 2).await;
    assert_eq!(verdict(&receipt), is("session_match", 9_500, "session_9"));
    assert!(receipt["chat"]["sentence"].as_str().is_some_and(|s| s.starts_with("Somebody who gave")), "{receipt}");
    // tawk.to, by SHA-1, its first message told twice.
    let hook = house.connect_chat(&site, "tawk", Some("tw-secret")).await;
    let tawk = |body: &Value| {
        house.post(&hook).header("x-tawk-signature", &sha1_hex("tw-secret", body.to_string().as_bytes())).body(body.to_string())
    };
    let visitor = json!({"name": "Cy", "email": "cy@mail.example"});
    let start = json!({"event": "chat:start", "chatId": "t-1", "time": ago(2 * HOUR), "message": {"sender": {"type": "visitor"}, "text": "Hi"}, "visitor": visitor});
    tawk(&start).send().await.is(200);
    let whole = json!({"event": "chat:transcript_created", "time": ago(HOUR), "chat": {"id": "t-1", "visitor": visitor, "messages": [
        {"sender": {"t": "v"}, "msg": "Hi", "time": ago(2 * HOUR)}, {"sender": {"t": "a"}, "msg": "Hello", "time": ago(2 * HOUR - 30)}]}});
    tawk(&whole).send().await.is(200);
    house.buys(&site, "O-3", 0, json!({"email": "cy@mail.example"})).await.is(200);
    assert_eq!(verdict(&house.bought(&site, 3).await), is("time_proximity", 8_500, "t-1"));
    let cy =
        house.get(&format!("/api/sites/{}/people/export?email=cy%40mail.example", site.slug)).token(&site.token).send().await.is(200).json;
    assert_eq!(cy["messages"].as_array().map(Vec::len), Some(2), "{cy}");
}

#[tokio::test]
async fn the_report_says_what_chats_helped_to_sell_and_warns_of_few() {
    let house = House::new();
    let site = house.site("shop.example").await;
    for (n, gap_s) in [10 * MINUTE, 5 * HOUR, 23 * HOUR, 6 * DAY].into_iter().enumerate() {
        let email = format!("p{n}@mail.example");
        house.say(&site, &format!("c-{n}"), DAY + gap_s, json!({"email": email})).await.is(200);
        house.say(&site, &format!("c-{n}"), DAY + gap_s - 20, json!({"role": "agent", "message_id": "a"})).await.is(200);
        house.buys(&site, &format!("O-{n}"), DAY, json!({"email": email})).await.is(200);
    }
    house.say(&site, "c-idle", HOUR, json!({"email": "idle@mail.example"})).await.is(200);
    house.buys(&site, "O-alone", HOUR, json!({"email": "alone@mail.example"})).await.is(200);
    let report = house.chat_report(&site).await;
    assert_eq!((&report["conversations"], &report["orders"], &report["assisted"]["orders"]), (&json!(5), &json!(5), &json!(4)));
    assert_eq!(report["assisted"]["net"], json!([{"minor": 16_000, "currency": "USD"}]));
    let band =
        |name: &str| report["assisted"]["by_band"].as_array().expect("bands").iter().find(|b| b["band"] == name).cloned().expect("a band");
    assert_eq!((&band("high")["orders"], &band("medium")["orders"], &band("low")["orders"]), (&json!(2), &json!(1), &json!(1)));
    assert_eq!((&report["answered"], &report["median_wait_s"]), (&json!(4), &json!(20)));
    assert_eq!(report["rates"]["is_few"], true);
    assert!(report["rates"]["sentence"].as_str().is_some_and(|s| s.starts_with("Too few conversations")), "{report}");
    // Money that goes back comes off.
    house.buys(&site, "O-0", DAY, json!({"email": "p0@mail.example", "status": "refunded"})).await.is(200);
    assert_eq!(house.chat_report(&site).await["assisted"]["net"], json!([{"minor": 12_000, "currency": "USD"}]));
    // The shop's own figures say the same, in the shape of the documents.
    let path = "/api/analytics/revenue?domain=shop.example";
    let figures = house.get(path).token(&site.token).send().await.is(200).json;
    assert_eq!(
        (&figures["conversationCount"], &figures["attributedOrders"], &figures["conversionRate"]),
        (&json!(5), &json!(4), &json!(80.0)),
        "{figures}"
    );
    assert_eq!(figures["chatAttributedRevenue"].as_f64(), Some(120.0));
    assert_eq!(figures["revenueByConfidence"]["high"].as_f64(), Some(40.0));
    let customer =
        house.get("/api/analytics/customers?domain=shop.example&email=p1%40mail.example").token(&site.token).send().await.is(200);
    assert!(customer.text.contains("\"conversationCount\":1") && customer.text.contains("\"attributedPurchases\":1"), "{}", customer.text);
    let overview = house.get(&format!("/api/sites/{}/reports/overview?with=chat", site.slug)).token(&site.token).send().await.is(200).json;
    assert_eq!(overview["chat"]["conversations"], 5);
}

#[tokio::test]
async fn a_person_has_their_chats_and_loses_them_by_erasure() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let said = json!({"email": ANN, "text": "How much is it?", "message_id": "m-1"});
    house.say(&site, "c-ann-1", HOUR, said.clone()).await.is(200);
    house.buys(&site, "O-1", 0, json!({"email": ANN})).await.is(200);
    let timeline = house.get(&format!("/api/sites/{}/contacts/contact_1/timeline", site.slug)).token(&site.token).send().await.is(200).json;
    let chat = timeline["items"].as_array().expect("lines").iter().find(|l| l["kind"] == "chat").cloned().expect("the chat");
    assert_eq!((&chat["platform"], &chat["messages"], &chat["state"]), (&json!("chat"), &json!(1), &json!("price")));
    let before = house.chat_report(&site).await;
    let erased = house.post(&format!("/api/sites/{}/erasures", site.slug)).token(&site.token).json(&json!({"email": ANN})).send().await;
    assert!(erased.status < 300, "{}", erased.text);
    assert_eq!((&erased.json["rows"]["conversations"], &erased.json["rows"]["messages"]), (&json!(1), &json!(1)), "{}", erased.text);
    assert_eq!(house.chat_report(&site).await, before, "sums and counts stay");
    let rows = house.sql(&site, "select conversation_id from purchase_attributions");
    assert_eq!(rows[0]["conversation_id"], "erased_1");
    // Told again it brings nobody back; what is said afterwards is of a new person.
    house.say(&site, "c-ann-1", HOUR, said).await.is(200);
    house.say(&site, "c-ann-1", HOUR - 1, json!({"message_id": "m-2"})).await.is(200);
    assert_eq!(house.chat_report(&site).await, before);
    house.advance_s(HOUR);
    house.say(&site, "c-ann-1", -HOUR, json!({"email": ANN, "message_id": "m-3"})).await.is(200);
    assert_eq!(house.chat_report(&site).await["conversations"], 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_have_a_clock_and_their_conversation_has_none() {
    let house = House::new();
    let site = house.site("shop.example").await;
    house.say(&site, "c-1", HOUR, json!({"email": ANN})).await.is(200);
    house.advance_s(401 * DAY);
    retain::run(&house.app).await.expect("a round");
    let path = format!("/api/sites/{}/people/export?email={}", site.slug, ANN.replace('@', "%40"));
    let kept = house.get(&path).token(&site.token).send().await.is(200).json;
    assert_eq!((kept["messages"].as_array().map(Vec::len), kept["conversations"][0]["messages"].as_i64()), (Some(0), Some(1)), "{kept}");
}

impl House {
    /// A connection of a chat platform; gives the address of its hook.
    async fn connect_chat(&self, site: &SiteAt, platform: &str, secret: Option<&str>) -> String {
        let mut body = json!({"platform": platform});
        if let Some(secret) = secret {
            body["settings"] = json!({"secret": secret});
        }
        let cookie = self.login(&format!("{platform}@shop.example"), Right::Own, None).await;
        let made = self.post(&format!("/api/sites/{}/connections", site.slug)).cookie(&cookie).json(&body).send().await;
        assert!([200, 201].contains(&made.status), "{}", made.text);
        let url = made.json["hook_url"].as_str().expect("a hook's address");
        url[url.find("/in/").expect("a path")..].to_owned()
    }
}
