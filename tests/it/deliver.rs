//! Facts out: what each answer of a receiver leads to, when it is tried again, and what stops it.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use halotrack::jobs::worker;
use serde_json::{Value, json};

use crate::house::{House, SiteAt};
use crate::stand_in::{Answer, Gate, StandIn};
use crate::story::Connected;

const HOUR_S: i64 = 3_600;

/// A receiver that gives these answers in turn, then the last one for ever.
async fn receiver(answers: Vec<Answer>) -> StandIn {
    StandIn::start(move |_, n| answers[n.min(answers.len() - 1)].clone()).await
}

fn ok() -> Answer {
    Answer::text(200, "thanks")
}

fn status(code: u16) -> Answer {
    Answer::text(code, "no")
}

/// The house whose waits are as long as in life, or a thousandth of it.
fn house_in(time: &str) -> House {
    House::with(|config| config.retry_scale_ppm = if time == "full time" { 1_000_000 } else { 1_000 })
}

/// A site whose own webhook gets everything.
async fn hooked(house: &House, receiver: &StandIn) -> (SiteAt, Connected) {
    let site = house.site("shop.example").await;
    let hook = house.connect(&site, "webhook", "live", &[("url", &format!("{}/hook", receiver.url()))]).await;
    (site, hook)
}

async fn lead(house: &House, site: &SiteAt, id: &str) {
    let told = json!({"lead_id": id, "email": format!("{}@mail.example", id.to_lowercase()), "consent_given": true});
    house.lead(site, told).await.is(200);
}

/// The site's only delivery: state, reason and attempts.
async fn stand(house: &House, site: &SiteAt) -> (String, String, i64) {
    words(&house.delivery(site).await)
}

fn words(delivery: &Value) -> (String, String, i64) {
    let word = |name: &str| delivery[name].as_str().unwrap_or("-").to_owned();
    (word("state"), word("reason"), delivery["attempts"].as_i64().unwrap_or(-1))
}

fn is(state: &str, reason: &str, attempts: i64) -> (String, String, i64) {
    (state.into(), reason.into(), attempts)
}

/// Milliseconds until the delivery is due.
fn due_in_ms(house: &House, delivery: &Value) -> Option<i64> {
    let at = halotrack::domain::time::Time::parse(delivery["next_at"].as_str()?)?;
    Some(at.ms_since(house.clock.now()))
}

async fn card(house: &House, site: &SiteAt, id: &str) -> Value {
    let all = house.list(site, "connections").await;
    all.into_iter().find(|c| c["connection"] == id).expect("the connection is listed")
}

async fn say(house: &House, site: &SiteAt, connection: &str, word: &str, body: Value) -> Value {
    let path = format!("/api/sites/{}/connections/{connection}/{word}", site.slug);
    house.post(&path).token(&site.token).json(&body).send().await.is(200).json
}

async fn replay(house: &House, site: &SiteAt, body: Value) -> Value {
    house.post(&format!("/api/sites/{}/deliveries/replay", site.slug)).token(&site.token).json(&body).send().await.is(200).json
}

#[tokio::test]
async fn each_answer_has_its_consequence() {
    let rows: Vec<(&str, Answer, (String, String, i64), &str)> = vec![
        ("200", status(200), is("delivered", "-", 1), "ok"),
        ("202", status(202), is("delivered", "-", 1), "ok"),
        ("204", status(204), is("delivered", "-", 1), "ok"),
        ("400", status(400), is("refused", "refused_by_platform", 1), "ok"),
        ("422", status(422), is("refused", "refused_by_platform", 1), "ok"),
        ("409", status(409), is("refused", "refused_by_platform", 1), "ok"),
        ("a redirect", status(302).with("location", "http://127.0.0.1:9/away"), is("refused", "refused_by_platform", 1), "ok"),
        ("401", status(401), is("pending", "-", 0), "paused"),
        ("403", status(403), is("pending", "-", 0), "paused"),
        ("404", status(404), is("pending", "-", 0), "paused"),
        ("410", status(410), is("pending", "-", 0), "paused"),
        ("408", status(408), is("pending", "-", 1), "ok"),
        ("425", status(425), is("pending", "-", 1), "ok"),
        ("429", status(429), is("pending", "-", 1), "ok"),
        ("500", status(500), is("pending", "-", 1), "ok"),
        ("503", status(503), is("pending", "-", 1), "ok"),
        ("no answer", Answer::Drop, is("pending", "-", 1), "ok"),
        ("nonsense", Answer::Say(200, vec![("content-encoding", "gzip".into())], b"x".to_vec()), is("delivered", "-", 1), "ok"),
        ("an endless body", Answer::Endless, is("delivered", "-", 1), "ok"),
    ];
    for (what, answer, want, connection) in rows {
        let receiver = receiver(vec![answer]).await;
        let house = house_in("full time");
        let (site, hook) = hooked(&house, &receiver).await;
        lead(&house, &site, "L-1").await;
        house.work().await;
        assert_eq!(receiver.seen().len(), 1, "{what}");
        let delivery = house.delivery(&site).await;
        assert_eq!(words(&delivery), want, "{what}");
        let is_settled = want.0 != "pending";
        assert_eq!(delivery["settled_at"].is_string(), is_settled, "{what}");
        let is_retried = want.0 == "pending" && connection == "ok";
        assert_eq!(delivery["next_at"].is_string(), is_retried, "{what}: {delivery}");
        assert!(delivery["history"][0]["sentence"].as_str().is_some_and(|s| s.ends_with('.')), "{what}: {delivery}");
        let card = card(&house, &site, &hook.id).await;
        assert_eq!(card["status"], json!(connection), "{what}");
        assert_eq!(card["reason"].is_string(), connection == "paused", "{what}: the owner is told");
    }
}

#[tokio::test]
async fn nothing_follows_a_redirect() {
    let away = receiver(vec![ok()]).await;
    let here = receiver(vec![status(307).with("location", &format!("{}/away", away.url()))]).await;
    let house = house_in("full time");
    let (site, _) = hooked(&house, &here).await;
    lead(&house, &site, "L-1").await;
    house.work().await;
    assert_eq!((here.seen().len(), away.seen().len()), (1, 0));
}

#[tokio::test]
async fn the_schedule_is_kept_and_ends() {
    let receiver = receiver(vec![status(500)]).await;
    let house = house_in("full time");
    let (site, _) = hooked(&house, &receiver).await;
    lead(&house, &site, "L-1").await;
    let began = house.clock.now();
    assert_eq!(house.work().await, 1);
    let waits_s = [10, 60, 300, 1_800, 2 * HOUR_S, 6 * HOUR_S, 12 * HOUR_S, 18 * HOUR_S];
    for (n, wait_s) in waits_s.into_iter().enumerate() {
        let delivery = house.delivery(&site).await;
        assert_eq!(words(&delivery), is("pending", "-", n as i64 + 1));
        let wait_ms = due_in_ms(&house, &delivery).expect("a next time");
        assert!((wait_s * 800..=wait_s * 1_200).contains(&wait_ms), "wait {n} is {wait_ms} ms");
        house.clock.advance_ms(wait_ms - 1);
        assert_eq!(house.work().await, 0, "not a moment too early");
        // Lists show whole seconds.
        house.clock.advance_ms(1_000);
        assert_eq!(house.work().await, 1);
    }
    assert_eq!(stand(&house, &site).await, is("dead", "no_success", 9));
    assert!(house.clock.now().ms_since(began) <= 46 * HOUR_S * 1_000 + 20 * 60_000, "within the 48 h in which Meta drops repeats");
    house.advance_s(100 * HOUR_S);
    assert_eq!((house.work().await, receiver.seen().len()), (0, 9), "and that was all");
    let history = house.delivery(&site).await["history"].as_array().cloned().unwrap_or_default();
    assert_eq!(history.len(), 9);
    assert!(history.iter().all(|h| h["status"] == json!(500) && h["outcome"] == json!("retry")), "{history:?}");
    let names: Vec<String> = receiver.seen().iter().map(|s| s.header("webhook-id").to_owned()).collect();
    assert!(names.iter().all(|n| !n.is_empty() && *n == names[0]), "every try under one name: {names:?}");
}

#[tokio::test]
async fn what_the_platform_asks_for_is_kept_to_the_second() {
    for (header, wait_ms) in [("7", 7_000), ("0", 1_000), ("999999", 24 * HOUR_S * 1_000)] {
        let receiver = receiver(vec![status(429).with("retry-after", header), ok()]).await;
        // Not shortened by the scale of tests.
        let house = house_in("a thousandth");
        let (site, _) = hooked(&house, &receiver).await;
        lead(&house, &site, "L-1").await;
        house.work().await;
        assert_eq!(due_in_ms(&house, &house.delivery(&site).await), Some(wait_ms), "Retry-After: {header}");
        house.clock.advance_ms(wait_ms - 1);
        assert_eq!(house.work().await, 0);
        house.clock.advance_ms(1);
        house.work().await;
        assert_eq!(stand(&house, &site).await, is("delivered", "-", 2));
    }
}

#[tokio::test]
async fn a_wish_for_quiet_holds_for_the_whole_connection() {
    let receiver = receiver(vec![status(429).with("retry-after", "30"), ok()]).await;
    let house = house_in("a thousandth");
    let (site, _) = hooked(&house, &receiver).await;
    lead(&house, &site, "L-1").await;
    house.work().await;
    house.advance_s(1);
    lead(&house, &site, "L-2").await;
    house.work().await;
    assert_eq!(receiver.seen().len(), 1, "0 requests before Retry-After, for another lead too");
    house.advance_s(29);
    house.work().await;
    assert_eq!(receiver.seen().len(), 3);
}

#[tokio::test]
async fn refused_credentials_pause_and_burn_nothing() {
    let away = receiver(vec![status(401), status(401), status(401), status(401), ok()]).await;
    let other = receiver(vec![ok()]).await;
    let house = house_in("full time");
    let (site, hook) = hooked(&house, &away).await;
    house.connect(&site, "webhook", "live", &[("url", &format!("{}/other", other.url()))]).await;
    for n in 0..6 {
        lead(&house, &site, &format!("L-{n}")).await;
    }
    house.work().await;
    let tried = away.seen().len();
    assert!((1..=4).contains(&tried), "{tried}: no more than were on their way");
    assert_eq!(other.seen().len(), 6, "the other connection goes on");
    lead(&house, &site, "L-6").await;
    house.advance_s(50 * HOUR_S);
    house.work().await;
    assert_eq!((away.seen().len(), other.seen().len()), (tried, 7));
    let mine = |all: Vec<Value>| all.into_iter().filter(|d| d["connection"] == json!(hook.id)).map(|d| words(&d)).collect::<Vec<_>>();
    let waiting = mine(house.deliveries(&site).await);
    assert_eq!(waiting, vec![is("pending", "-", 0); 7], "nothing is charged");
    let told = card(&house, &site, &hook.id).await;
    assert!(told["reason"].as_str().is_some_and(|r| r.contains("401")), "{told}");

    say(&house, &site, &hook.id, "resume", json!({})).await;
    // A refusal may still be in the script; each one pauses again.
    for _ in 0..4 {
        house.work().await;
        if card(&house, &site, &hook.id).await["status"] == json!("ok") {
            break;
        }
        say(&house, &site, &hook.id, "resume", json!({})).await;
    }
    assert_eq!(mine(house.deliveries(&site).await), vec![is("delivered", "-", 1); 7]);
    let mut names: Vec<String> = away.seen()[4..].iter().map(|s| s.header("webhook-id").to_owned()).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 7, "each of them once");
}

#[tokio::test]
async fn the_breaker_opens_probes_and_closes() {
    let mut answers = vec![status(500); 6];
    answers.push(ok());
    let receiver = receiver(answers).await;
    let house = house_in("full time");
    let (site, hook) = hooked(&house, &receiver).await;
    for n in 0..8 {
        lead(&house, &site, &format!("L-{n}")).await;
    }
    house.work().await;
    let first = receiver.seen().len();
    assert!((5..=8).contains(&first), "it opens after five, and what is on its way goes on: {first}");
    let breaker = card(&house, &site, &hook.id).await["breaker"].clone();
    assert_eq!(breaker["state"], json!("open"), "{breaker}");
    lead(&house, &site, "L-8").await;
    house.advance_s(29);
    assert_eq!(house.work().await, 0, "left alone for thirty seconds");
    let charged: Vec<i64> = house.deliveries(&site).await.iter().filter_map(|d| d["attempts"].as_i64()).collect();
    assert_eq!(charged.iter().sum::<i64>(), first as i64, "no attempt is charged meanwhile");
    house.advance_s(1);
    assert_eq!(card(&house, &site, &hook.id).await["breaker"]["state"], json!("half_open"));
    house.work().await;
    if first == 5 {
        // The sixth answer is a 500 still: one probe, and twice as long alone.
        assert_eq!(receiver.seen().len(), 6, "one probe only");
        house.advance_s(59);
        assert_eq!(house.work().await, 0);
        house.advance_s(1);
        house.work().await;
    }
    house.advance_s(20 * 60);
    house.work().await;
    assert_eq!(card(&house, &site, &hook.id).await["breaker"]["state"], json!("closed"));
    assert!(house.deliveries(&site).await.iter().all(|d| d["state"] == json!("delivered")), "all go in the end");
}

#[tokio::test]
async fn a_destination_that_hangs_holds_up_no_other_and_no_more_than_four() {
    let gate = Gate::closed();
    let held = gate.clone();
    let slow = StandIn::start(move |_, _| Answer::Held(held.clone())).await;
    let quick = receiver(vec![ok()]).await;
    let house = house_in("full time");
    let (site, _) = hooked(&house, &slow).await;
    house.connect(&site, "webhook", "live", &[("url", &format!("{}/quick", quick.url()))]).await;
    for n in 0..9 {
        lead(&house, &site, &format!("L-{n}")).await;
    }
    let app = house.app.clone();
    let work = tokio::spawn(worker::run(app));
    while quick.seen().len() < 9 || gate.waiting.load(Ordering::SeqCst) < 4 {
        tokio::task::yield_now().await;
    }
    assert_eq!(gate.most.load(Ordering::SeqCst), 4, "four on their way at a time");
    gate.turns.add_permits(1_000);
    house.app.begin_stopping();
    work.await.expect("the worker ends");
    house.work().await;
    assert_eq!(gate.most.load(Ordering::SeqCst), 4);
    assert!(house.deliveries(&site).await.iter().all(|d| d["state"] == json!("delivered")));
    assert_eq!((slow.seen().len(), quick.seen().len()), (9, 9));
}

#[tokio::test]
async fn shadow_builds_and_shows_but_sends_nothing_ever() {
    let receiver = receiver(vec![ok()]).await;
    let house = house_in("full time");
    let site = house.site("shop.example").await;
    let url = format!("{}/hook", receiver.url());
    let hook = house.connect(&site, "webhook", "shadow", &[("url", &url)]).await;
    let told = house.lead(&site, json!({"lead_id": "L-1", "email": "ann@mail.example", "consent_given": true})).await.is(200);
    assert_eq!(told.json["deliveries"], json!([{"platform": "webhook", "mode": "shadow", "state": "pending"}]));
    house.work().await;
    let shown = house.delivery(&site).await;
    assert_eq!(words(&shown), is("skipped", "shadow", 0));
    assert_eq!((&shown["request"]["method"], &shown["request"]["url"]), (&json!("POST"), &json!(url)), "{shown}");
    assert!(shown["request"]["body"].to_string().contains("L-1"), "what would have been sent can be seen");
    assert!(!shown.to_string().contains(&hook.secret), "but never the secret");
    say(&house, &site, &hook.id, "mode", json!({"mode": "live"})).await;
    house.advance_s(60);
    house.work().await;
    assert_eq!(receiver.seen().len(), 0, "going live never sends what shadow skipped");
    lead(&house, &site, "L-2").await;
    house.work().await;
    assert_eq!(receiver.seen().len(), 1);
    let again = replay(&house, &site, json!({"deliveries": [shown["id"]]})).await;
    assert_eq!((&again["count"], &again["replayed"], &again["warning"]), (&json!(1), &json!(1), &Value::Null));
    house.work().await;
    assert_eq!(receiver.seen().len(), 2, "unless the owner says so");
    assert_eq!(receiver.seen()[1].json()["data"]["event_id"], json!("lead_L-1"));
}

#[tokio::test]
async fn shadow_is_the_kill_switch_of_what_waits() {
    let receiver = receiver(vec![status(503), ok()]).await;
    let house = house_in("full time");
    let (site, hook) = hooked(&house, &receiver).await;
    lead(&house, &site, "L-1").await;
    house.work().await;
    assert_eq!(stand(&house, &site).await, is("pending", "-", 1));
    say(&house, &site, &hook.id, "mode", json!({"mode": "shadow"})).await;
    lead(&house, &site, "L-2").await;
    house.advance_s(60);
    house.work().await;
    assert_eq!(receiver.seen().len(), 1, "nothing more goes out");
    let states: Vec<_> = house.deliveries(&site).await.iter().map(|d| (d["state"].clone(), d["reason"].clone())).collect();
    assert_eq!(states, vec![(json!("skipped"), json!("shadow")); 2]);
    let refused = house.post(&format!("/api/sites/{}/connections/{}/mode", site.slug, hook.id)).token(&site.token);
    refused.json(&json!({"mode": "loud"})).send().await.is(422);
}

/// A site with Meta, which answers by the script.
async fn with_meta(answers: Vec<Answer>, mode: &str, settings: &[(&str, &str)]) -> (House, SiteAt, StandIn, Connected) {
    let meta = receiver(answers).await;
    let url = meta.url();
    let house = House::with(|config| {
        config.retry_scale_ppm = 1_000_000;
        config.base_urls = BTreeMap::from([("meta".to_owned(), url)]);
    });
    let site = house.site("shop.example").await;
    let mut all = vec![("pixel_id", "123456789012345"), ("access_token", "EAAsecret0123456789")];
    all.extend(settings);
    let connected = house.connect(&site, "meta", mode, &all).await;
    (house, site, meta, connected)
}

fn took() -> Answer {
    Answer::json(200, json!({"events_received": 1, "messages": [], "fbtrace_id": "x"}))
}

#[tokio::test]
async fn a_refusal_inside_a_success_is_a_refusal() {
    for (what, answer, want, connection) in [
        ("taken", took(), is("delivered", "-", 1), "ok"),
        ("none counted", Answer::json(200, json!({"events_received": 0})), is("refused", "refused_by_platform", 1), "ok"),
        (
            "an error in a 200",
            Answer::json(200, json!({"error": {"code": 100, "message": "Invalid parameter"}})),
            is("refused", "refused_by_platform", 1),
            "ok",
        ),
        (
            "a dead token in a 400",
            Answer::json(400, json!({"error": {"code": 190, "message": "expired"}})),
            is("pending", "-", 0),
            "paused",
        ),
        ("passing trouble in a 400", Answer::json(400, json!({"error": {"code": 2, "is_transient": true}})), is("pending", "-", 1), "ok"),
        ("a page of a proxy", Answer::text(200, "<html>hello</html>"), is("pending", "-", 1), "ok"),
    ] {
        let (house, site, meta, connected) = with_meta(vec![answer], "live", &[]).await;
        lead(&house, &site, "L-1").await;
        house.work().await;
        assert_eq!((meta.seen().len(), stand(&house, &site).await), (1, want), "{what}");
        assert_eq!(card(&house, &site, &connected.id).await["status"], json!(connection), "{what}");
    }
}

#[tokio::test]
async fn test_mode_is_the_platforms_own() {
    let (house, site, meta, connected) = with_meta(vec![took()], "test", &[("test_event_code", "TEST123")]).await;
    lead(&house, &site, "L-1").await;
    house.work().await;
    assert_eq!(meta.seen()[0].json()["test_event_code"], json!("TEST123"));
    assert_eq!(house.delivery(&site).await["mode"], json!("test"));
    say(&house, &site, &connected.id, "mode", json!({"mode": "live"})).await;
    lead(&house, &site, "L-2").await;
    house.work().await;
    assert_eq!(meta.seen()[1].json().get("test_event_code"), None);
    let (house, site, meta, _) = with_meta(vec![took()], "test", &[]).await;
    lead(&house, &site, "L-1").await;
    house.work().await;
    assert_eq!(
        (meta.seen().len(), stand(&house, &site).await),
        (0, is("skipped", "no_test_event_code", 0)),
        "a test must not count as real"
    );
}

#[tokio::test]
async fn what_is_shown_of_a_request_has_neither_secret_nor_person() {
    let (house, site, meta, _) = with_meta(vec![took()], "live", &[]).await;
    let told =
        json!({"lead_id": "L-1", "email": "Ann.Lee@mail.example", "phone": "+971501234567", "name": "Ann Lee", "consent_given": true});
    house.lead(&site, told).await.is(200);
    house.work().await;
    assert!(meta.seen()[0].target.contains("EAAsecret0123456789"), "sent to Meta");
    let shown = house.delivery(&site).await;
    let said = shown.to_string().to_lowercase();
    for word in ["eaasecret", "ann.lee", "971501234567"] {
        assert!(!said.contains(word), "{word}: {shown}");
    }
    let hash = halotrack::crypto::sha256_hex(b"ann.lee@mail.example");
    assert!(said.contains(&hash), "the owner sees what was sent: {shown}");
    assert!(shown["request"]["hashed"].to_string().contains("SHA-256"), "and what it was made of: {shown}");
    assert_eq!(shown["response"]["status"], json!(200));
}

#[tokio::test]
async fn too_old_is_said_and_not_sent() {
    let (house, site, meta, _) = with_meta(vec![status(503)], "live", &[]).await;
    let hook = receiver(vec![ok()]).await;
    house.connect(&site, "webhook", "live", &[("url", &hook.url())]).await;
    let told = json!({"lead_id": "old", "email": "old@mail.example", "created_at": house.ago(9 * 86_400), "consent_given": true});
    house.lead(&site, told).await.is(200);
    house.work().await;
    assert_eq!((meta.seen().len(), hook.seen().len()), (0, 1), "the owner's own system has no such limit");
    let told = house.deliveries(&site).await;
    let meta_row = told.iter().find(|d| d["platform"] == json!("meta")).expect("a row for every connection");
    assert_eq!(words(meta_row), is("skipped", "too_old", 0));
    // One that grows old while it waits: dead without another call.
    let told = json!({"lead_id": "waits", "email": "waits@mail.example", "created_at": house.ago(6 * 86_400 + 20 * HOUR_S), "consent_given": true});
    house.lead(&site, told).await.is(200);
    for _ in 0..12 {
        house.work().await;
        house.advance_s(HOUR_S);
    }
    house.work().await;
    let told = house.deliveries(&site).await;
    let row = told.iter().find(|d| d["platform"] == json!("meta") && d["event_id"] == json!("lead_waits")).expect("its row");
    assert_eq!((&row["state"], &row["reason"]), (&json!("dead"), &json!("too_old")), "{row}");
    let calls = meta.seen().len();
    assert!((1..9).contains(&calls), "{calls}");
    house.advance_s(50 * HOUR_S);
    house.work().await;
    assert_eq!(meta.seen().len(), calls);
}

#[tokio::test]
async fn nobody_to_match_is_not_sent() {
    let (house, site, meta, _) = with_meta(vec![took()], "live", &[]).await;
    house.conversion(&site, json!({"conversion_type": "sale", "order_id": "1", "revenue": 5, "consent_given": true})).await.is(201);
    house.work().await;
    assert_eq!((meta.seen().len(), stand(&house, &site).await), (0, is("skipped", "no_match_keys", 0)));
}

#[tokio::test]
async fn a_replay_sends_again_under_the_same_name() {
    let (house, site, meta, _) = with_meta(vec![took()], "live", &[]).await;
    lead(&house, &site, "L-1").await;
    house.work().await;
    let id = house.delivery(&site).await["id"].clone();
    let look = replay(&house, &site, json!({"deliveries": [id], "preview": true})).await;
    assert_eq!((&look["count"], &look["replayed"]), (&json!(1), &json!(0)));
    house.work().await;
    assert_eq!(meta.seen().len(), 1, "a preview sends nothing");
    replay(&house, &site, json!({"deliveries": [id]})).await;
    house.work().await;
    let names: Vec<Value> = meta.seen().iter().map(|s| s.json()["data"][0]["event_id"].clone()).collect();
    assert_eq!(names, vec![json!("lead_L-1"); 2]);
    house.advance_s(49 * HOUR_S);
    let late = replay(&house, &site, json!({"deliveries": [id], "preview": true})).await;
    assert_eq!(late["older_than_48h"], json!(1));
    assert!(late["warning"].as_str().is_some_and(|w| w.contains("twice")), "{late}");
    let unknown = house.post("/api/sites/shop/deliveries/replay").token(&site.token).json(&json!({"deliveries": [id, "delivery_99"]}));
    unknown.send().await.is(404);
    house.work().await;
    assert_eq!(meta.seen().len(), 2, "one wrong number, and nothing is done");
}

#[tokio::test]
async fn what_is_cancelled_stays_here() {
    let receiver = receiver(vec![status(503), ok()]).await;
    let house = house_in("full time");
    let (site, _) = hooked(&house, &receiver).await;
    lead(&house, &site, "L-1").await;
    house.work().await;
    let id = house.delivery(&site).await["id"].clone();
    let cancel = || house.post("/api/sites/shop/deliveries/cancel").token(&site.token).json(&json!({"deliveries": [id]})).send();
    assert_eq!(cancel().await.is(200).json, json!({"cancelled": 1}));
    assert_eq!(cancel().await.is(200).json, json!({"cancelled": 0}));
    house.advance_s(HOUR_S);
    house.work().await;
    assert_eq!((receiver.seen().len(), stand(&house, &site).await), (1, is("cancelled", "disabled", 1)));
}

#[tokio::test]
async fn a_removed_connection_sends_no_more() {
    let receiver = receiver(vec![status(503), ok()]).await;
    let house = house_in("full time");
    let (site, hook) = hooked(&house, &receiver).await;
    lead(&house, &site, "L-1").await;
    house.work().await;
    let id = hook.id.parse().expect("an id");
    halotrack::flows::connections::remove(&house.app, Some(site.id), id, "test").await.expect("removed");
    house.advance_s(HOUR_S);
    house.work().await;
    assert_eq!((receiver.seen().len(), stand(&house, &site).await), (1, is("cancelled", "disabled", 1)));
    let told = house.lead(&site, json!({"lead_id": "L-2", "email": "b@mail.example"})).await.is(200);
    assert_eq!(told.json["deliveries"], json!([]));
}

#[tokio::test]
async fn an_unknown_end_is_held_once_a_repeat_could_count_twice() {
    for (wait_h, want, requests) in [(46, is("delivered", "-", 2), 2), (48, is("held", "ambiguous", 1), 1)] {
        let receiver = receiver(vec![Answer::Drop, ok()]).await;
        let house = house_in("full time");
        let (site, hook) = hooked(&house, &receiver).await;
        lead(&house, &site, "L-1").await;
        house.work().await;
        assert_eq!(stand(&house, &site).await, is("pending", "-", 1));
        say(&house, &site, &hook.id, "pause", json!({})).await;
        house.advance_s(wait_h * HOUR_S);
        assert_eq!(house.work().await, 0, "paused");
        say(&house, &site, &hook.id, "resume", json!({})).await;
        house.work().await;
        assert_eq!((stand(&house, &site).await, receiver.seen().len()), (want, requests), "after {wait_h} h");
    }
    // One that never left goes, however long it waited.
    let receiver = receiver(vec![ok()]).await;
    let house = house_in("full time");
    let (site, hook) = hooked(&house, &receiver).await;
    say(&house, &site, &hook.id, "pause", json!({})).await;
    lead(&house, &site, "L-1").await;
    house.advance_s(60 * HOUR_S);
    say(&house, &site, &hook.id, "resume", json!({})).await;
    house.work().await;
    assert_eq!(stand(&house, &site).await, is("delivered", "-", 1));
}

#[tokio::test]
async fn the_lease_of_a_dead_run_is_taken_up_under_the_same_name() {
    let gate = Gate::closed();
    let held = gate.clone();
    let receiver = StandIn::start(move |_, n| if n == 0 { Answer::Held(held.clone()) } else { ok() }).await;
    let house = house_in("full time");
    let (site, _) = hooked(&house, &receiver).await;
    lead(&house, &site, "L-1").await;
    let app = house.app.clone();
    let work = tokio::spawn(async move { worker::drain(&app).await });
    while receiver.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    work.abort();
    assert_eq!(stand(&house, &site).await, is("leased", "-", 0));
    assert_eq!(house.work().await, 0, "a lease of this run is its own");
    let next = house.again();
    assert_eq!(next.work().await, 0, "and is not taken before the next start looks");
    assert_eq!(worker::take_up(&next.app).await.expect("a look"), 1);
    next.work().await;
    assert_eq!(stand(&next, &site).await, is("delivered", "-", 1));
    let names: Vec<String> = receiver.seen().iter().map(|s| s.header("webhook-id").to_owned()).collect();
    assert_eq!(names.len(), 2);
    assert_eq!(names[0], names[1], "the receiver can tell the repeat");
    // What the dead run had on its way is as unknown as a lost answer.
    let house = house_in("full time");
    let never = StandIn::start(|_, n| if n == 0 { Answer::Held(Gate::closed()) } else { ok() }).await;
    let (site, _) = hooked(&house, &never).await;
    lead(&house, &site, "L-1").await;
    let app = house.app.clone();
    let work = tokio::spawn(async move { worker::drain(&app).await });
    while never.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    work.abort();
    let next = house.again();
    worker::take_up(&next.app).await.expect("a look");
    next.advance_s(48 * HOUR_S);
    next.work().await;
    assert_eq!((stand(&next, &site).await, never.seen().len()), (is("held", "ambiguous", 0), 1));
}

#[tokio::test]
async fn each_connection_gets_a_fact_once_however_often_it_is_told() {
    let receiver = receiver(vec![ok()]).await;
    let house = house_in("full time");
    let (site, _) = hooked(&house, &receiver).await;
    house.connect(&site, "webhook", "live", &[("url", &format!("{}/two", receiver.url()))]).await;
    for _ in 0..5 {
        lead(&house, &site, "L-1").await;
        house.work().await;
        house.advance_s(HOUR_S);
    }
    let mut targets: Vec<String> = receiver.seen().iter().map(|s| s.target.clone()).collect();
    targets.sort();
    assert_eq!(targets, ["/hook", "/two"]);
}

#[tokio::test]
async fn consent_decides_at_planning_and_again_at_sending() {
    use halotrack::domain::consent::Mode;
    let receiver = receiver(vec![ok()]).await;
    let house = house_in("full time");
    let site = house.site_with("shop.example", |new| new.consent = Mode::OptIn).await;
    house.connect(&site, "webhook", "live", &[("url", &receiver.url())]).await;
    let granted = house.visit(&site, None, json!({"consent": "granted"})).await;
    let half = house.visit(&site, None, json!({"consent": {"analytics": "granted", "marketing": "denied"}})).await;
    let later = house.visit(&site, None, json!({"consent": "granted"})).await;
    for (id, given, session) in [
        ("silent", None, None),
        ("refused", Some(false), None),
        ("agreed", Some(true), None),
        ("session", None, Some(&granted)),
        ("half", None, Some(&half)),
        ("own-word", Some(true), Some(&half)),
        ("own-no", Some(false), Some(&granted)),
        ("later", None, Some(&later)),
        ("later-yes", Some(true), Some(&later)),
    ] {
        let told = json!({"lead_id": id, "email": format!("{id}@mail.example"), "consent_given": given, "session_id": session});
        house.lead(&site, told).await.is(200);
    }
    // The refusal comes after the fact and before it is sent.
    house.advance_s(1);
    house.touch(&site, Some(&later), json!({"consent": "denied"})).await.is(200);
    house.work().await;
    let mut sent: Vec<String> =
        receiver.seen().iter().map(|s| s.json()["data"]["external_id"].as_str().unwrap_or("-").to_owned()).collect();
    sent.sort();
    assert_eq!(sent, ["agreed", "own-word", "session"]);
    let mut states: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for d in house.deliveries(&site).await {
        let name = d["event_id"].as_str().unwrap_or("-").trim_start_matches("lead_").to_owned();
        states.entry(format!("{}({})", d["state"].as_str().unwrap_or("-"), d["reason"].as_str().unwrap_or("-"))).or_default().push(name);
    }
    for names in states.values_mut() {
        names.sort();
    }
    assert_eq!(
        json!(states),
        json!({
            "cancelled(consent)": ["later", "later-yes"],
            "delivered(-)": ["agreed", "own-word", "session"],
            "skipped(consent)": ["half", "own-no", "refused", "silent"],
        })
    );
    // Nor does a replay bring back what was refused.
    let ids: Vec<Value> =
        house.deliveries(&site).await.iter().filter(|d| d["reason"] == json!("consent")).map(|d| d["id"].clone()).collect();
    replay(&house, &site, json!({"deliveries": ids})).await;
    house.work().await;
    assert_eq!(receiver.seen().len(), 3);
}

#[tokio::test]
async fn a_refusal_between_two_tries_ends_them() {
    let receiver = receiver(vec![status(503), ok()]).await;
    let house = house_in("full time");
    let (site, _) = hooked(&house, &receiver).await;
    let id = house.visit(&site, None, json!({"consent": "granted"})).await;
    house.lead(&site, json!({"lead_id": "L-1", "email": "ann@mail.example", "session_id": id})).await.is(200);
    house.work().await;
    assert_eq!(stand(&house, &site).await, is("pending", "-", 1));
    house.advance_s(2);
    house.touch(&site, Some(&id), json!({"consent": {"analytics": "granted", "marketing": "denied"}})).await.is(200);
    assert_eq!(stand(&house, &site).await, is("cancelled", "consent", 1), "at once, not at the next try");
    house.advance_s(HOUR_S);
    house.work().await;
    assert_eq!(receiver.seen().len(), 1);
}
