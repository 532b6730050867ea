//! A destination that fails for days: what waits for it is held and never deleted, the owner is told, and all of it goes
//! once it answers again or the owner says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::house::{House, SiteAt};
use crate::stand_in::{Answer, StandIn};
use crate::story::Connected;

const HOUR_S: i64 = 3_600;

/// A receiver that fails until it is well.
struct Sick {
    receiver: StandIn,
    is_well: Arc<AtomicBool>,
}

async fn sick() -> Sick {
    let is_well = Arc::new(AtomicBool::new(false));
    let seen = is_well.clone();
    let receiver =
        StandIn::start(move |_, _| if seen.load(Ordering::SeqCst) { Answer::text(200, "thanks") } else { Answer::text(503, "no") }).await;
    Sick { receiver, is_well }
}

async fn hooked(house: &House, sick: &Sick) -> (SiteAt, Connected) {
    let site = house.site("shop.example").await;
    let hook = house.connect(&site, "webhook", "live", &[("url", &format!("{}/hook", sick.receiver.url()))]).await;
    (site, hook)
}

async fn lead(house: &House, site: &SiteAt, id: &str) {
    let told = json!({"lead_id": id, "email": format!("{}@mail.example", id.to_lowercase()), "consent_given": true});
    house.lead(site, told).await.is(200);
}

/// A lead a day and a look every hour, for so many hours.
async fn live_on(house: &House, site: &SiteAt, hours: i64) {
    for hour in 0..hours {
        if hour % 24 == 0 {
            lead(house, site, &format!("L-{}", house.clock.now().ms() / 1_000)).await;
        }
        house.work().await;
        house.advance_s(HOUR_S);
    }
    house.work().await;
}

fn count(all: &[Value], state: &str, reason: &str) -> usize {
    all.iter().filter(|d| d["state"] == json!(state) && d["reason"].as_str().unwrap_or("-") == reason).count()
}

async fn card(house: &House, site: &SiteAt) -> Value {
    house.list(site, "connections").await.pop().expect("a connection")
}

fn house() -> House {
    House::with(|config| config.retry_scale_ppm = 1_000_000)
}

#[tokio::test]
async fn five_days_of_failures_hold_what_waits_and_one_is_on_the_look_out() {
    let sick = sick().await;
    let house = house();
    let (site, hook) = hooked(&house, &sick).await;
    live_on(&house, &site, 119).await;
    assert_eq!(card(&house, &site).await["status"], json!("ok"), "not before the five days are over");
    let before = house.deliveries(&site).await;
    assert_eq!(count(&before, "held", "failing"), 0);
    assert!(count(&before, "dead", "no_success") > 0, "the oldest used up their attempts within two days");

    live_on(&house, &site, 24).await;
    let told = card(&house, &site).await;
    assert_eq!(told["status"], json!("needs_attention"), "{told}");
    let reason = told["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("since 2026-06-13") && reason.contains("nothing is lost"), "{reason}");
    let held = house.deliveries(&site).await;
    assert_eq!(count(&held, "pending", "-"), 1, "one is on the look-out: {held:#?}");
    // How many are left depends on the chance in their waits.
    assert!(count(&held, "held", "failing") >= 1, "{held:#?}");
    let given_up = count(&held, "dead", "no_success");

    // Ten more days: once an hour one request, and nothing is charged, given up or lost.
    let charged: i64 = held.iter().filter_map(|d| d["attempts"].as_i64()).sum();
    let asked = sick.receiver.seen().len();
    live_on(&house, &site, 240).await;
    let later = house.deliveries(&site).await;
    let requests = sick.receiver.seen().len() - asked;
    assert!((200..=241).contains(&requests), "{requests}");
    assert_eq!(later.iter().filter_map(|d| d["attempts"].as_i64()).sum::<i64>(), charged);
    assert_eq!((count(&later, "pending", "-"), count(&later, "dead", "no_success")), (1, given_up));
    assert_eq!(later.len(), held.len() + 10);
    let shown = later.iter().find(|d| d["state"] == json!("held")).expect("one that is held");
    assert!(shown["reason_text"].as_str().is_some_and(|t| t.contains("five days")), "{shown}");

    // It answers: the look-out is taken, and so is everything else.
    sick.is_well.store(true, Ordering::SeqCst);
    house.advance_s(HOUR_S);
    house.work().await;
    let well = house.deliveries(&site).await;
    assert_eq!(count(&well, "delivered", "-"), well.len() - given_up, "{well:#?}");
    let told = card(&house, &site).await;
    assert_eq!((&told["status"], &told["reason"]), (&json!("ok"), &Value::Null));
    lead(&house, &site, "after").await;
    house.work().await;
    assert_eq!(house.deliveries(&site).await[0]["state"], json!("delivered"));
    assert!(!hook.id.is_empty());
}

#[tokio::test]
async fn what_is_held_goes_when_the_owner_says_so() {
    let sick = sick().await;
    let house = house();
    let (site, hook) = hooked(&house, &sick).await;
    live_on(&house, &site, 150).await;
    let held = house.deliveries(&site).await;
    let (waiting, given_up) = (count(&held, "held", "failing"), count(&held, "dead", "no_success"));
    assert!(waiting >= 1);
    // One by hand: it is tried, and held again where that fails.
    let one = held.iter().find(|d| d["state"] == json!("held")).expect("one").clone();
    let asked = sick.receiver.seen().len();
    house.advance_s(1_000);
    let again = json!({"deliveries": [one["id"]]});
    let done = house.post("/api/sites/shop/deliveries/replay").token(&site.token).json(&again).send().await.is(200);
    assert_eq!(done.json["replayed"], json!(1));
    house.work().await;
    assert_eq!(sick.receiver.seen().len(), asked + 1);
    let now = house.deliveries(&site).await;
    assert_eq!((count(&now, "held", "failing"), count(&now, "pending", "-")), (waiting, 1), "{now:#?}");

    sick.is_well.store(true, Ordering::SeqCst);
    let resume = format!("/api/sites/shop/connections/{}/resume", hook.id);
    house.post(&resume).token(&site.token).json(&json!({})).send().await.is(200);
    house.work().await;
    let well = house.deliveries(&site).await;
    assert_eq!(count(&well, "delivered", "-"), well.len() - given_up);
    assert_eq!(card(&house, &site).await["status"], json!("ok"));
}

#[tokio::test]
async fn the_next_goes_on_the_look_out_when_the_first_is_cancelled() {
    let sick = sick().await;
    let house = house();
    let (site, _) = hooked(&house, &sick).await;
    live_on(&house, &site, 150).await;
    let all = house.deliveries(&site).await;
    let first = all.iter().find(|d| d["state"] == json!("pending")).expect("the look-out")["id"].clone();
    house.post("/api/sites/shop/deliveries/cancel").token(&site.token).json(&json!({"deliveries": [first]})).send().await.is(200);
    let asked = sick.receiver.seen().len();
    house.advance_s(1_000);
    house.work().await;
    assert_eq!(sick.receiver.seen().len(), asked + 1, "another one looks");
    let all = house.deliveries(&site).await;
    assert_eq!(count(&all, "pending", "-"), 1);
}
