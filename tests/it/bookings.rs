//! Bookings of Cal.com and Calendly: booked, moved, cancelled, kept, missed and paid, each step once.

use std::sync::{Arc, Mutex};

use halotrack::crypto::{hex, hmac_sha256};
use halotrack::jobs::puller;
use serde_json::{Value, json};

use crate::house::{Answer, House, SiteAt};
use crate::stand_in::{Answer as Says, Seen, StandIn};
use crate::story::Connected;

const DAY_S: i64 = 86_400;
const EMAIL: &str = "orla.byrne@mail.example";
const CALENDLY: &str = "https://api.calendly.com";

async fn read(house: &House) {
    puller::drain(&house.app).await.expect("what is due is read");
}

/// Kinds of steps with who took them, in the order of time.
fn steps(house: &House, site: &SiteAt) -> Vec<String> {
    let rows = house.sql(site, "select event_type, email, source_type, utm_source from funnel_events order by event_timestamp, id");
    let word = |row: &Value, name: &str| row[name].as_str().unwrap_or("-").to_owned();
    rows.iter().map(|r| format!("{} {} {}", word(r, "event_type"), word(r, "email"), word(r, "utm_source"))).collect()
}

// -------------------------------------------------------------------------------------------------- Cal.com

async fn cal(house: &House, connected: &Connected, secret: &str, trigger: &str, payload: Value) -> Answer {
    let body = json!({"triggerEvent": trigger, "createdAt": house.ago(0), "payload": payload}).to_string();
    let sign = hex(&hmac_sha256(secret.as_bytes(), &[body.as_bytes()]));
    house.post(&connected.hook).header("x-cal-signature-256", &sign).body(body).send().await
}

fn booking(uid: &str) -> Value {
    json!({
        "uid": uid, "bookingId": 91, "title": "Fitting", "startTime": "2026-06-16T08:00:00Z", "endTime": "2026-06-16T08:30:00Z",
        "attendees": [{"email": EMAIL, "name": "Orla Byrne"}], "price": 0, "currency": "usd", "metadata": {},
        "responses": {"utm_source": {"value": "instagram"}, "utm_medium": {"value": "social"}}
    })
}

#[tokio::test]
async fn every_step_of_a_booking_is_one_step() {
    let house = House::new();
    let site = house.site("harrow.example").await;
    let connected = house.connect(&site, "calcom", "live", &[]).await;
    let secret = connected.secret.clone();
    assert!(!secret.is_empty(), "one was made, to be entered at Cal.com");
    let said = |trigger: &'static str, payload: Value| cal(&house, &connected, &secret, trigger, payload);
    assert_eq!(said("BOOKING_CREATED", booking("b1")).await.is(200).json["status"], "accepted");
    assert_eq!(said("BOOKING_CREATED", booking("b1")).await.is(200).json["status"], "duplicate");
    house.advance_s(60);
    let later = said("BOOKING_CREATED", booking("b1")).await.is(200);
    assert_eq!(later.json["status"], "accepted", "other words, which say nothing new, are stored and are no repeat");
    assert_eq!(steps(&house, &site).len(), 1);
    said("BOOKING_RESCHEDULED", booking("b2")).await.is(200);
    house.advance_s(60);
    let absent = json!({"bookingUid": "b2", "bookingId": 92, "attendees": [{"email": EMAIL, "noShow": true}]});
    said("BOOKING_NO_SHOW_UPDATED", absent).await.is(200);
    house.advance_s(60);
    said("BOOKING_CANCELLED", booking("b3")).await.is(200);
    said("RECORDING_READY", booking("b3")).await.is(200);
    let by = |kind: &str, utm: &str| format!("appointment_{kind} {EMAIL} {utm}");
    let want = [by("booked", "instagram"), by("rescheduled", "instagram"), by("no_show", "-"), by("cancelled", "instagram")];
    assert_eq!(steps(&house, &site), want);
    for (secret, what) in [("guessed", "a forged one"), ("", "one without a secret")] {
        cal(&house, &connected, secret, "BOOKING_CREATED", booking("b9")).await.is(401);
        assert_eq!(steps(&house, &site).len(), 4, "{what}");
    }
    let body = json!({"triggerEvent": "BOOKING_CREATED", "createdAt": house.ago(0), "payload": booking("b9")}).to_string();
    house.post(&connected.hook).header("x-cal-signature-256", "no-secret-provided").body(body).send().await.is(401);
    let strange = cal(&house, &connected, &secret, "BOOKING_CREATED", json!({"title": "x"})).await.is(200);
    assert_eq!(strange.json["status"], "quarantined");
}

/// Two people had one appointment, and each of them stayed away: whoever is named first, the other is not forgotten.
#[tokio::test]
async fn of_two_who_stayed_away_each_has_a_step() {
    let house = House::new();
    let site = house.site("harrow.example").await;
    let connected = house.connect(&site, "calcom", "live", &[]).await;
    cal(&house, &connected, &connected.secret, "BOOKING_CREATED", booking("b1")).await.is(200);
    house.advance_s(3 * DAY_S);
    let absent =
        json!({"bookingUid": "b1", "attendees": [{"email": "guest@mail.example", "noShow": true}, {"email": EMAIL, "noShow": true}]});
    for _ in 0..2 {
        cal(&house, &connected, &connected.secret, "BOOKING_NO_SHOW_UPDATED", absent.clone()).await.is(200);
        house.advance_s(60);
    }
    let missed: Vec<String> = steps(&house, &site).into_iter().filter(|step| step.contains("no_show")).collect();
    assert_eq!(missed.len(), 2, "{missed:?}");
    let bookings = of_bookings(&house, &site).await;
    assert_eq!((&bookings["made"], &bookings["no_show"]), (&json!(1), &json!(1)), "{bookings}");
}

async fn of_bookings(house: &House, site: &SiteAt) -> Value {
    house.advance_s(1);
    let path = format!("/api/sites/{}/reports/show_up?from=2026-06-01&to=2026-07-31", site.slug);
    house.get(&path).token(&site.token).send().await.is(200).json["total"]["bookings"].clone()
}

/// Three bookings of one person, of which one is moved and gets another number and one is cancelled without a word of its time.
/// Whatever comes first, and whatever comes twice, each has the end that it had.
#[tokio::test]
async fn bookings_of_one_person_keep_apart_in_any_order_of_arrival() {
    let of = |uid: &str, day: Option<u32>, from: Option<&str>| {
        let mut told = booking(uid);
        told["startTime"] = json!(day.map(|day| format!("2026-06-{day:02}T08:00:00Z")));
        told["endTime"] = json!(day.map(|day| format!("2026-06-{day:02}T08:30:00Z")));
        told["rescheduleUid"] = json!(from);
        told
    };
    let told = [
        ("BOOKING_CREATED", 2, of("a", Some(25), None)),
        ("BOOKING_CREATED", 3, of("b", Some(26), None)),
        ("BOOKING_CREATED", 4, of("c", Some(27), None)),
        ("BOOKING_RESCHEDULED", 5, of("b2", Some(18), Some("b"))),
        ("BOOKING_CANCELLED", 6, of("c", None, None)),
        ("BOOKING_CREATED", 7, of("b", Some(26), None)),
    ];
    for seed in 1_u64..=8 {
        let house = House::new();
        let site = house.site("harrow.example").await;
        let connected = house.connect(&site, "calcom", "live", &[]).await;
        // A day after the time of the first, and not yet a day after the one that the second had.
        house.advance_s(13 * DAY_S + 3 * 3_600);
        let mut order: Vec<usize> = (0..told.len()).collect();
        let mut dice = seed;
        for place in (1..order.len()).rev() {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            order.swap(place, (dice >> 33) as usize % (place + 1));
        }
        for place in &order {
            let (trigger, hour, payload) = &told[*place];
            let hour = format!("2026-06-14T{hour:02}:00:00Z");
            let body = json!({"triggerEvent": trigger, "createdAt": hour, "payload": payload}).to_string();
            let sign = hex(&hmac_sha256(connected.secret.as_bytes(), &[body.as_bytes()]));
            house.post(&connected.hook).header("x-cal-signature-256", &sign).body(body).send().await.is(200);
            house.advance_s(1);
        }
        let b = of_bookings(&house, &site).await;
        let got: Vec<&Value> = ["made", "cancelled", "not_told", "open"].iter().map(|word| &b[*word]).collect();
        assert_eq!(got, [&json!(3), &json!(1), &json!(2), &json!(0)], "{order:?}: {b}");
    }
}

#[tokio::test]
async fn a_booking_that_was_paid_is_a_sale_credited_to_its_visit() {
    let house = House::new();
    let site = house.site("harrow.example").await;
    let connected = house.connect(&site, "calcom", "live", &[]).await;
    let session = house.visit(&site, None, json!({"utm_source": "google", "utm_medium": "cpc"})).await;
    house.advance_s(60);
    let mut paid = booking("b1");
    paid["price"] = json!(4_900);
    paid["responses"] = json!({"halo_session_id": {"value": session}});
    for _ in 0..2 {
        cal(&house, &connected, &connected.secret, "BOOKING_PAID", paid.clone()).await.is(200);
    }
    let all = house.list(&site, "conversions").await;
    assert_eq!(all.len(), 1, "{all:#?}");
    let credited = (all[0]["net"]["minor"].as_i64(), &all[0]["credited"][0]["source"], &all[0]["match"]["type"]);
    assert_eq!(credited, (Some(4_900), &json!("google"), &json!("session")), "{all:#?}");
}

#[tokio::test]
async fn where_a_booking_came_from_is_a_touch_of_what_is_bought_later() {
    let house = House::new();
    let site = house.site("harrow.example").await;
    let connected = house.connect(&site, "calcom", "live", &[]).await;
    cal(&house, &connected, &connected.secret, "BOOKING_CREATED", booking("b1")).await.is(200);
    house.advance_s(DAY_S);
    let sale = json!({"conversion_type": "sale", "email": EMAIL, "revenue": 90, "currency": "USD", "order_id": "7"});
    house.conversion(&site, sale).await.is(201);
    let all = house.list(&site, "conversions").await;
    assert_eq!(all[0]["credited"][0]["source"], "instagram", "{all:#?}");
}

// -------------------------------------------------------------------------------------------------- Calendly

/// An account at Calendly.
#[derive(Default)]
struct Inside {
    subscriptions: Vec<Value>,
    /// Keys that it was given to sign with.
    keys: Vec<String>,
    events: Vec<Value>,
    /// By the event's id.
    invitees: Vec<(String, Value)>,
    has_plan: bool,
}

struct Calendly {
    inside: Arc<Mutex<Inside>>,
    stand_in: StandIn,
}

impl Calendly {
    async fn open(has_plan: bool) -> Self {
        let inside = Arc::new(Mutex::new(Inside { has_plan, ..Inside::default() }));
        let shared = inside.clone();
        let stand_in = StandIn::start(move |seen, _| answer(&mut shared.lock().expect("the account"), seen)).await;
        Self { inside, stand_in }
    }

    fn house(&self) -> House {
        let url = self.stand_in.url();
        House::with(move |config| drop(config.base_urls.insert("calendly".into(), url)))
    }

    fn with<T>(&self, look: impl FnOnce(&mut Inside) -> T) -> T {
        look(&mut self.inside.lock().expect("no story panics while it holds the account"))
    }

    async fn send(&self, house: &House, connected: &Connected, event: &str, invitee: &Value) -> Answer {
        let key = self.with(|inside| inside.keys.last().cloned()).expect("a key was given");
        signed(house, connected, event, invitee, &key).await
    }
}

async fn signed(house: &House, connected: &Connected, event: &str, invitee: &Value, key: &str) -> Answer {
    let body =
        json!({"event": event, "created_at": house.ago(0), "created_by": format!("{CALENDLY}/users/U1"), "payload": invitee}).to_string();
    let at = house.clock.now().s().to_string();
    let sign = hex(&hmac_sha256(key.as_bytes(), &[at.as_bytes(), b".", body.as_bytes()]));
    house.post(&connected.hook).header("calendly-webhook-signature", &format!("t={at},v1={sign}")).body(body).send().await
}

fn answer(inside: &mut Inside, seen: &Seen) -> Says {
    if seen.header("authorization") != "Bearer eyJtoken" {
        return Says::json(401, json!({"title": "Unauthenticated", "message": "The access token is invalid"}));
    }
    let path = seen.target.split('?').next().unwrap_or_default();
    let collection = |rows: Vec<Value>| {
        Says::json(200, json!({"collection": rows, "pagination": {"count": 1, "next_page": null, "next_page_token": null}}))
    };
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match (seen.method.as_str(), parts.as_slice()) {
        ("GET", ["users", "me"]) => {
            let me = json!({"uri": format!("{CALENDLY}/users/U1"), "current_organization": format!("{CALENDLY}/organizations/O1")});
            Says::json(200, json!({"resource": me}))
        }
        ("GET", ["webhook_subscriptions"]) => collection(inside.subscriptions.clone()),
        ("POST", ["webhook_subscriptions"]) if !inside.has_plan => {
            Says::json(403, json!({"title": "Permission Denied", "message": "Please upgrade your Calendly account to Standard"}))
        }
        ("POST", ["webhook_subscriptions"]) => {
            let asked = seen.json();
            if inside.subscriptions.iter().any(|s| s["callback_url"] == asked["url"]) {
                return Says::json(409, json!({"title": "Already Exists"}));
            }
            inside.keys.push(asked["signing_key"].as_str().unwrap_or_default().to_owned());
            let uri = format!("{CALENDLY}/webhook_subscriptions/W{}", inside.keys.len());
            let made = json!({"uri": uri, "callback_url": asked["url"], "state": "active", "events": asked["events"]});
            inside.subscriptions.push(made.clone());
            Says::json(201, json!({"resource": made}))
        }
        ("DELETE", ["webhook_subscriptions", id]) => {
            inside.subscriptions.retain(|s| !s["uri"].as_str().unwrap_or_default().ends_with(id));
            Says::Say(204, Vec::new(), Vec::new())
        }
        ("GET", ["scheduled_events"]) => collection(inside.events.clone()),
        ("GET", ["scheduled_events", id, "invitees"]) => {
            collection(inside.invitees.iter().filter(|(event, _)| event == id).map(|(_, row)| row.clone()).collect())
        }
        other => panic!("Calendly knows nothing of {other:?}"),
    }
}

fn invitee(house: &House, event: &str, id: &str) -> Value {
    json!({
        "uri": format!("{CALENDLY}/scheduled_events/{event}/invitees/{id}"), "email": EMAIL, "name": "Orla Byrne", "status": "active",
        "event": format!("{CALENDLY}/scheduled_events/{event}"), "rescheduled": false, "old_invitee": null, "new_invitee": null,
        "tracking": {"utm_source": "newsletter", "utm_medium": "email", "utm_campaign": "june"}, "questions_and_answers": [],
        "payment": null, "no_show": null, "cancellation": null, "created_at": house.ago(0), "updated_at": house.ago(0)
    })
}

#[tokio::test]
async fn a_token_is_all_that_calendly_needs_and_a_moved_appointment_is_one_step() {
    let calendly = Calendly::open(true).await;
    let house = calendly.house();
    let site = house.site("harrow.example").await;
    let connected = house.connect(&site, "calendly", "live", &[("token", "eyJtoken")]).await;
    read(&house).await;
    assert_eq!(calendly.with(|inside| (inside.subscriptions.len(), inside.keys[0].len())), (1, 64), "with a key of ours");
    let first = invitee(&house, "E1", "I1");
    calendly.send(&house, &connected, "invitee.created", &first).await.is(200);
    let again = calendly.send(&house, &connected, "invitee.created", &first).await.is(200);
    assert_eq!(again.json["status"], "duplicate");
    house.advance_s(60);
    let (mut old, mut new) = (first.clone(), invitee(&house, "E2", "I2"));
    old["status"] = json!("canceled");
    (old["rescheduled"], old["new_invitee"], new["old_invitee"]) = (json!(true), new["uri"].clone(), first["uri"].clone());
    calendly.send(&house, &connected, "invitee.canceled", &old).await.is(200);
    calendly.send(&house, &connected, "invitee.created", &new).await.is(200);
    house.advance_s(60);
    new["status"] = json!("canceled");
    new["cancellation"] = json!({"reason": "Ill", "created_at": house.ago(0)});
    calendly.send(&house, &connected, "invitee.canceled", &new).await.is(200);
    let by = |kind: &str| format!("appointment_{kind} {EMAIL} newsletter");
    assert_eq!(steps(&house, &site), [by("booked"), by("rescheduled"), by("cancelled")]);
    signed(&house, &connected, "invitee.created", &invitee(&house, "E9", "I9"), "guessed").await.is(401);
    assert_eq!(steps(&house, &site).len(), 3, "what is forged changes nothing");
    // Switched off at Calendly it cannot be switched on again: it is made anew.
    calendly.with(|inside| inside.subscriptions[0]["state"] = json!("disabled"));
    house.advance_s(3_700);
    read(&house).await;
    let standing = calendly.with(|inside| inside.subscriptions.iter().map(|s| s["state"].clone()).collect::<Vec<_>>());
    assert_eq!(standing, [json!("active")]);
}

#[tokio::test]
async fn the_list_tells_what_no_hook_told_and_what_was_kept_or_missed() {
    let calendly = Calendly::open(false).await;
    let house = calendly.house();
    let site = house.site("harrow.example").await;
    house.connect(&site, "calendly", "live", &[("token", "eyJtoken")]).await;
    let cards = house.list(&site, "connections").await;
    assert!(cards[0].to_string().contains("free plan has no webhooks"), "{cards:#?}");
    let event = |id: &str, start: i64| {
        json!({"uri": format!("{CALENDLY}/scheduled_events/{id}"), "name": "Fitting", "status": "active",
               "start_time": house.ago(-start), "end_time": house.ago(-start - 1_800)})
    };
    let mut missed = invitee(&house, "E2", "I2");
    missed["no_show"] = json!({"uri": "x", "created_at": house.ago(-DAY_S)});
    calendly.with(|inside| {
        inside.events = vec![event("E1", DAY_S / 2), event("E2", DAY_S / 2), event("E3", 9 * DAY_S)];
        inside.invitees =
            vec![("E1".into(), invitee(&house, "E1", "I1")), ("E2".into(), missed), ("E3".into(), invitee(&house, "E3", "I3"))];
    });
    for _ in 0..3 {
        house.advance_s(DAY_S);
        read(&house).await;
    }
    let kinds: Vec<String> = steps(&house, &site).iter().filter_map(|s| s.split(' ').next().map(str::to_owned)).collect();
    let count = |kind: &str| kinds.iter().filter(|k| *k == &format!("appointment_{kind}")).count();
    assert_eq!((count("booked"), count("completed"), count("no_show"), kinds.len()), (3, 1, 1, 5), "{kinds:?}");
}
