//! What became of bookings: what a platform says beats what we take to be so, whichever of its words arrives first, and whether it
//! calls or is read; and a list that is read twice says nothing new.

use halotrack::crypto::{hex, hmac_sha256};
use halotrack::domain::rights::{Right, Scope};
use halotrack::jobs::puller;
use serde_json::{Value, json};

use crate::house::{House, SiteAt};
use crate::stand_in::{Answer as Says, StandIn};
use crate::story::Connected;
use crate::tickets::{eventbrite, platform, set, zoom};

const DAY_S: i64 = 86_400;
const HOUR_S: i64 = 3_600;

impl House {
    /// Bookings by what became of them, and the rate of those who did not come.
    async fn became(&self, site: &SiteAt) -> Value {
        let token = self.token(site.id, &[Scope::Read]).await;
        let path = format!("/api/sites/{}/reports/show_up?from=2026-06-01&to=2026-07-31", site.slug);
        let total = self.get(&path).token(&token).send().await.is(200).json["total"].clone();
        let b = &total["bookings"];
        json!([b["made"], b["came"], b["no_show"], b["not_told"], b["cancelled"], b["open"], b["no_show_rate"]])
    }

    /// The steps of one person, without what their kinds begin with.
    fn taken(&self, site: &SiteAt, email: &str) -> Vec<String> {
        let rows = self.sql(site, &format!("select event_type from funnel_events where email = '{email}' order by event_type"));
        rows.iter().map(|r| r["event_type"].as_str().unwrap_or_default().trim_start_matches("appointment_").to_owned()).collect()
    }

    async fn read_all(&self) {
        puller::drain(&self.app).await.expect("what is due is read");
    }

    async fn read_by_hand(&self, site: &SiteAt, source: &str) -> (Value, Value, Value) {
        self.advance_s(4);
        let token = self.token(site.id, &[Scope::Sync]).await;
        let run = self.post(&format!("/sync/{source}?force_sync=true")).token(&token).send().await.is(200).json;
        (run["leads_created"].clone(), run["leads_updated"].clone(), run["status"].clone())
    }
}

/// Every order in which these may arrive.
fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(count - 1);
    shorter.iter().flat_map(|order| (0..count).map(|at| [&order[..at], &[count - 1], &order[at..]].concat())).collect()
}

#[tokio::test]
async fn in_whatever_order_cal_com_tells_the_newest_word_of_its_host_holds() {
    let house = House::new();
    let site = house.site("harrow.example").await;
    let connected = house.connect(&site, "calcom", "live", &[]).await;
    let say = async |trigger: &str, ago: i64, who: &str| {
        let email = format!("{who}@mail.example");
        let mut payload = json!({
            "uid": who, "bookingUid": who, "bookingId": 91, "title": "Fitting", "startTime": house.ago(2 * DAY_S), "endTime": house.ago(2 * DAY_S - 1_800),
            "attendees": [{"email": email, "name": "Orla Byrne"}], "price": 0, "currency": "usd", "metadata": {}, "responses": {}
        });
        let name = match trigger {
            "missed" | "came" => {
                // Beside them a guest, of whom something is said too.
                payload["attendees"] =
                    json!([{"email": "guest@mail.example", "noShow": trigger == "came"}, {"email": email, "noShow": trigger == "missed"}]);
                "BOOKING_NO_SHOW_UPDATED"
            }
            other => other,
        };
        let body = json!({"triggerEvent": name, "createdAt": house.ago(ago), "payload": payload}).to_string();
        let sign = hex(&hmac_sha256(connected.secret.as_bytes(), &[body.as_bytes()]));
        house.post(&connected.hook).header("x-cal-signature-256", &sign).body(body).send().await.is(200);
    };
    let booked = ("BOOKING_CREATED", 4 * DAY_S);
    let ended = ("MEETING_ENDED", 2 * DAY_S - 1_800);
    let tales: [(&[(&str, i64)], &str); 6] = [
        (&[booked, ended], "completed"),
        (&[booked, ended, ("missed", DAY_S)], "no_show"),
        (&[booked, ended, ("missed", DAY_S), ("came", HOUR_S)], "completed"),
        (&[booked, ended, ("missed", HOUR_S), ("came", DAY_S)], "no_show"),
        (&[booked, ended, ("BOOKING_CANCELLED", 3 * DAY_S)], "cancelled"),
        (&[booked, ("missed", DAY_S)], "no_show"),
    ];
    let mut counts = [0_u64; 3];
    for (tale, (words, want)) in tales.iter().enumerate() {
        for (n, order) in orders(words.len()).iter().enumerate() {
            let who = format!("p{tale}n{n}");
            for at in order {
                say(words[*at].0, words[*at].1, &who).await;
            }
            assert_eq!(house.taken(&site, &format!("{who}@mail.example")), sorted(&["booked", want]), "{words:?} in the order {order:?}");
            counts[["completed", "no_show", "cancelled"].iter().position(|kind| kind == want).expect("one of them")] += 1;
        }
    }
    let [came, missed, cancelled] = counts;
    let rate = missed as f64 / (came + missed) as f64;
    let got = house.became(&site).await;
    assert_eq!(got.as_array().expect("a list")[..6], [came + missed + cancelled, came, missed, 0, cancelled, 0].map(Value::from), "{got}");
    assert!((got[6].as_f64().unwrap_or_default() - rate).abs() < 0.001, "{got} {rate}");
}

fn sorted(kinds: &[&str]) -> Vec<String> {
    let mut all: Vec<String> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
    all.sort();
    all
}

// -------------------------------------------------------------------------------------------------- Zoom

async fn call_of_zoom(house: &House, connected: &Connected, body: Value) {
    let (body, at) = (body.to_string(), house.clock.now().s().to_string());
    let sign = format!("v0={}", hex(&hmac_sha256(b"zs", &[b"v0:", at.as_bytes(), b":", body.as_bytes()])));
    house.post(&connected.hook).header("x-zm-request-timestamp", &at).header("x-zm-signature", &sign).body(body).send().await.is(200);
}

const ZOOM: [(&str, &str); 4] = [("account_id", "ACC"), ("client_id", "cid"), ("client_secret", "cs"), ("webhook_secret", "zs")];

#[tokio::test]
async fn a_registration_that_ended_is_no_booking_whichever_call_comes_first() {
    let (inside, house, _) = platform("zoom zoom_oauth", zoom).await;
    set(&inside, "past", json!([]));
    set(&inside, "coming", json!([]));
    let site = house.site("harrow.example").await;
    let connected = house.connect(&site, "zoom", "live", &ZOOM).await;
    let start = house.ago(2 * DAY_S);
    let say = async |event: &str, status: &str, ago: i64, who: &str| {
        let registrant =
            json!({"id": format!("r{who}"), "email": format!("{who}@mail.example"), "status": status, "create_time": house.ago(5 * DAY_S)});
        let meeting = json!({"id": 86, "uuid": "cd==", "topic": "Amber hour", "start_time": start, "registrant": registrant});
        let event_ts = house.clock.now().ms() - ago * 1_000;
        call_of_zoom(&house, &connected, json!({"event": event, "event_ts": event_ts, "payload": {"object": meeting}})).await;
    };
    let made = ("meeting.registration_created", "approved", 5 * DAY_S);
    let waits = ("webinar.registration_created", "pending", 5 * DAY_S);
    let let_in = ("meeting.registration_approved", "approved", 4 * DAY_S);
    let gone = ("meeting.registration_cancelled", "approved", 3 * DAY_S);
    let again = ("meeting.registration_approved", "approved", DAY_S);
    let denied = ("webinar.registration_denied", "denied", 3 * DAY_S);
    let tales: [(&[(&str, &str, i64)], &[&str]); 6] = [
        (&[made], &["event_registered"]),
        (&[made, gone], &["cancelled", "event_registered"]),
        (&[made, gone, again], &["event_registered"]),
        (&[waits, let_in, denied], &["cancelled", "event_registered"]),
        (&[waits, denied], &[]),
        (&[waits], &[]),
    ];
    for (tale, (words, want)) in tales.iter().enumerate() {
        for (n, order) in orders(words.len()).iter().enumerate() {
            let who = format!("p{tale}n{n}");
            for at in order {
                let (event, status, ago) = words[*at];
                say(event, status, ago, &who).await;
            }
            assert_eq!(house.taken(&site, &format!("{who}@mail.example")), *want, "{words:?} in the order {order:?}");
        }
    }
    // Of those who still had a place one was seen there: the others were not there, and who had cancelled missed nothing.
    let seen = json!({"id": "86", "uuid": "cd==", "start_time": start, "participant": {"user_id": "7", "email": "p0n0@mail.example", "join_time": start}});
    call_of_zoom(
        &house,
        &connected,
        json!({"event": "meeting.participant_joined", "event_ts": house.clock.now().ms(), "payload": {"object": seen}}),
    )
    .await;
    let got = house.became(&site).await;
    assert_eq!(got.as_array().expect("a list")[..6], [1 + 2 + 6 + 6, 1, 6, 0, 2 + 6, 0].map(Value::from), "{got}");
}

#[tokio::test]
async fn who_cancels_at_zoom_is_on_its_list_no_more_and_who_comes_back_is_booked_again() {
    let (inside, house, _) = platform("zoom zoom_oauth", zoom).await;
    let site = house.site("harrow.example").await;
    house.connect(&site, "zoom", "live", &ZOOM).await;
    let person = |id: &str| json!({"id": id, "email": format!("{id}@mail.example"), "create_time": house.ago(HOUR_S)});
    let all = |ids: &[&str]| json!(ids.iter().map(|id| person(id)).collect::<Vec<_>>());
    set(&inside, "past", json!([]));
    set(
        &inside,
        "coming",
        json!([{"id": 86, "uuid": "cd==", "topic": "Amber hour", "type": 2, "start_time": house.ago(-9 * DAY_S), "duration": 40}]),
    );
    let both = |house: &House, site: &SiteAt| ["ann", "bo", "cy"].map(|who| house.taken(site, &format!("{who}@mail.example")).join(" "));
    for (registrants, denied, want) in [
        (&["ann", "bo"][..], &[][..], ["event_registered", "event_registered", ""]),
        (&["ann"], &[], ["event_registered", "cancelled event_registered", ""]),
        (&["ann", "bo"], &["cy"], ["event_registered", "event_registered", ""]),
        (&["bo"], &["ann", "cy"], ["cancelled event_registered", "event_registered", ""]),
        (&["ann", "bo", "cy"], &[], ["event_registered", "event_registered", "event_registered"]),
    ] {
        set(&inside, "registrants", all(registrants));
        set(&inside, "denied", all(denied));
        // Twice: what is read again changes nothing.
        for _ in 0..2 {
            house.advance_s(DAY_S / 2);
            house.read_all().await;
            assert_eq!(both(&house, &site), want, "{registrants:?} and not {denied:?}");
        }
    }
}

// -------------------------------------------------------------------------------------------------- Eventbrite

/// An attendee and the order of it: who, whether it was paid, and what is so of it now.
fn ticket(house: &House, id: &str, event: &str, starts: &str, is_paid: bool, so: Value) -> Value {
    let cost = |minor: i64| json!({"currency": "USD", "value": minor, "major_value": format!("{}.{:02}", minor / 100, minor % 100)});
    let (base, gross) = if is_paid { (2_200, 2_550) } else { (0, 0) };
    let mut row = json!({
        "id": id, "order_id": format!("7{id}"), "event_id": event, "created": house.ago(9 * DAY_S), "changed": house.ago(HOUR_S), "costs": {"base_price": cost(base), "gross": cost(gross)},
        "profile": {"email": format!("t{id}@mail.example")}, "checked_in": false, "cancelled": false, "refunded": false, "order": {"status": "placed"},
        "event": {"name": {"text": "Amber night"}, "start": {"utc": starts}, "end": {"utc": starts}}
    });
    for (key, value) in so.as_object().into_iter().flatten() {
        row[key] = value.clone();
    }
    row
}

#[tokio::test]
async fn who_was_not_at_the_door_stayed_away_where_somebody_was_looking() {
    let (inside, house, _) = platform("eventbrite", eventbrite).await;
    let site = house.site("harrow.example").await;
    let (looked, blind) = (house.ago(3 * DAY_S), house.ago(2 * DAY_S));
    let yes = |keys: &[&str]| json!(keys.iter().map(|key| ((*key).to_owned(), json!(true))).collect::<serde_json::Map<_, _>>());
    let all = [
        ticket(&house, "1", "e1", &looked, true, yes(&["checked_in"])),
        ticket(&house, "2", "e1", &looked, true, json!({})),
        ticket(&house, "3", "e1", &looked, true, yes(&["cancelled", "refunded"])),
        ticket(&house, "4", "e1", &looked, false, yes(&["cancelled"])),
        ticket(&house, "5", "e2", &blind, false, json!({})),
        ticket(&house, "6", "e2", &blind, true, json!({"order": {"status": "started"}})),
    ];
    // One order of two tickets, of which one was given back.
    let mut order = all[1].clone();
    order["id"] = json!("7000");
    order["status"] = json!("placed");
    order["email"] = json!("t2@mail.example");
    order["costs"] =
        json!({"base_price": {"currency": "USD", "major_value": "44.00"}, "gross": {"currency": "USD", "major_value": "51.00"}});
    let mut back = all[2].clone();
    back["order_id"] = json!("7000");
    order["attendees"] = json!([all[1], back]);
    set(&inside, "attendees", json!([all[0], all[1], back, all[3], all[4], all[5]]));
    set(&inside, "orders", json!([order]));
    house.connect(&site, "eventbrite", "live", &[("token", "PRIVATE"), ("organization_id", "61")]).await;
    house.read_all().await;
    // The organiser gets the price, the fees on top of it are Eventbrite's.
    let sale = house.list(&site, "conversions").await[0].clone();
    assert_eq!((&sale["amount"]["minor"], &sale["net"]["minor"]), (&json!(4_400), &json!(2_200)), "{sale:#}");
    // Came, stayed away, two given back; of the second event nobody tells anything, and one was never ordered.
    let want = json!([5, 1, 1, 1, 2, 0, 0.5]);
    assert_eq!(house.became(&site).await, want);
    assert_eq!(house.taken(&site, "t3@mail.example"), ["cancelled", "refunded", "ticket_purchased"]);
    for round in 0..2 {
        let repeat = house.read_by_hand(&site, "eventbrite").await;
        assert_eq!(repeat, (json!(0), json!(0), json!("success")), "round {round}: the same lists say nothing new");
    }
    assert_eq!(house.became(&site).await, want);
    // The check-in was a mistake, and so was the cancelling.
    let (mut first, mut fourth) = (all[0].clone(), all[3].clone());
    (first["checked_in"], fourth["cancelled"]) = (json!(false), json!(false));
    (first["changed"], fourth["changed"]) = (json!(house.ago(0)), json!(house.ago(0)));
    set(&inside, "attendees", json!([first, all[1], back, fourth, all[4]]));
    house.advance_s(60);
    assert_eq!(house.read_by_hand(&site, "eventbrite").await.2, json!("success"));
    assert_eq!(house.became(&site).await, json!([5, 0, 0, 4, 1, 0, null]), "nobody was seen any more");
}

// -------------------------------------------------------------------------------------------------- Connecting

#[tokio::test]
async fn what_is_not_saved_is_not_said_to_be_asked_again() {
    let house = House::new();
    let site = house.site("harrow.example").await;
    let ann = house.login("ann@harrow.example", Right::Own, Some(site.id)).await;
    for (status, want) in [(429, "Nothing was saved. Try again in 2 minutes."), (503, "Nothing was saved. Try again in a minute.")] {
        let busy = StandIn::start(move |_, _| Says::text(status, "")).await;
        let body = json!({"platform": "easyappointments", "settings": {"url": busy.url(), "token": "t"}});
        let answer = house.post(&format!("/api/sites/{}/connections", site.slug)).cookie(&ann).json(&body).send().await;
        let said = answer.json["error"]["message"].as_str().unwrap_or_default().to_owned();
        assert!((400..500).contains(&answer.status) && said.ends_with(want) && !said.contains("again then"), "{status}: {}", answer.text);
        assert!(house.list(&site, "connections").await.is_empty(), "and nothing was");
    }
}
