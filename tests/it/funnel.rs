//! Steps on the way to becoming a customer, told by the owner's own server; and sign-ups, each with the way there. The older
//! system answered with constants here: each of them is a check.

use halotrack::flows::sites;
use serde_json::{Value, json};

use crate::house::{Answer, House, SiteAt};

/// Figures over many people.
mod metrics;
mod totals;

const ANN: &str = "ann.lee@mail.example";
const SOURCES: [&str; 7] = ["easyappointments", "zoom", "eventbrite", "poshvip", "manual", "referral", "direct_signup"];
pub const DAY: i64 = 86_400;

impl House {
    async fn step(&self, site: &SiteAt, source: &str, kind: &str, more: Value) -> Answer {
        let mut body = json!({"source_type": source, "event_type": kind});
        if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
            body.extend(more);
        }
        self.post("/funnel/event").token(&site.token).json(&body).send().await
    }

    async fn enrol(&self, site: &SiteAt, body: Value) -> Answer {
        self.post("/funnel/conversion").token(&site.token).json(&body).send().await
    }

    fn steps(&self, site: &SiteAt) -> Vec<Value> {
        self.sql(site, "select * from funnel_events order by event_timestamp, id")
    }
}

#[tokio::test]
async fn an_event_is_stored_and_not_only_answered() {
    let house = House::new();
    let site = house.site("shop.example").await;
    // As it is printed in the document.
    let printed = r#"{
    "source_type": "easyappointments",
    "event_type": "appointment_booked",
    "email": "test@example.com",
    "first_name": "John",
    "last_name": "Doe"
  }"#;
    let call = || house.post("/funnel/event").token(&site.token).header("content-type", "application/json").body(printed);
    let told = call().send().await.is(200).json;
    assert_eq!(
        (&told["success"], &told["event_type"], &told["email"], &told["created_at"]),
        (&json!(true), &json!("appointment_booked"), &json!("test@example.com"), &json!("2026-06-13T09:20:00Z"))
    );
    assert!(told["event_id"].as_str().is_some_and(|id| id.starts_with("milestone_")), "{told}");
    let rows = house.steps(&site);
    assert_eq!(rows.len(), 1);
    for (column, want) in [
        ("id", told["event_id"].clone()),
        ("client_id", json!("shop")),
        ("source_type", json!("easyappointments")),
        ("event_type", json!("appointment_booked")),
        ("event_timestamp", json!("2026-06-13T09:20:00Z")),
        ("email", json!("test@example.com")),
        ("first_name", json!("John")),
        ("last_name", json!("Doe")),
        ("funnel_source_id", Value::Null),
    ] {
        assert_eq!(rows[0][column], want, "{column}");
    }
    assert_eq!(call().send().await.is(200).json["event_id"], told["event_id"], "the same second, person and step is the same event");
    assert_eq!(house.steps(&site).len(), 1);
    assert!(house.list(&site, "conversions").await.is_empty(), "a booking is no lead");
    assert_eq!(house.list(&site, "contacts").await.len(), 1);
}

#[tokio::test]
async fn all_that_is_said_is_kept_but_not_the_visitors_address() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let at = house.ago(3 * DAY);
    let more = json!({"external_id": "x-1", "event_timestamp": at, "email": ANN, "phone": "+971501234567", "company": "Acme",
        "utm_source": "News", "utm_medium": "email", "utm_campaign": "spring", "utm_content": "top", "utm_term": "gloves",
        "referrer": "https://example.org/", "ip_address": "203.0.113.77", "user_agent": "Mozilla/5.0 (odd)",
        "event_data": {"a": 1}, "external_metadata": {"b": [2]}});
    house.step(&site, "referral", "form_submitted", more).await.is(200);
    let row = house.steps(&site).remove(0);
    for (column, want) in [
        ("external_id", "x-1"),
        ("event_timestamp", at.as_str()),
        ("phone", "+971501234567"),
        ("company", "Acme"),
        ("utm_source", "News"),
        ("utm_medium", "email"),
        ("utm_campaign", "spring"),
        ("utm_content", "top"),
        ("utm_term", "gloves"),
        ("referrer", "https://example.org/"),
        ("event_data", r#"{"a":1}"#),
        ("external_metadata", r#"{"b":[2]}"#),
    ] {
        assert_eq!(row[column], json!(want), "{column}");
    }
    assert!(!json!(row).to_string().contains("203.0.113"), "{row}");
}

#[tokio::test]
async fn an_event_that_is_known_is_answered_as_it_was_told_first() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let step = |email: &str| json!({"external_id": "E-1", "email": email});
    let told = house.step(&site, "manual", "activation", step(ANN)).await.is(200).json;
    house.advance_s(60);
    let other = house.step(&site, "manual", "activation", step("bo@mail.example")).await.is(200).json;
    for field in ["event_id", "email", "created_at"] {
        assert_eq!(other[field], told[field], "{field}");
    }
    assert!(other["message"].as_str().is_some_and(|m| m.contains("another address")), "{other}");
    assert_eq!(house.steps(&site).iter().map(|row| &row["email"]).collect::<Vec<_>>(), [&json!(ANN)]);
    // One that was told without an address learns it.
    house.step(&site, "manual", "activation", json!({"external_id": "E-2"})).await.is(200);
    let learned = house.step(&site, "manual", "activation", json!({"external_id": "E-2", "email": ANN})).await.is(200).json;
    assert_eq!((&learned["email"], &learned["message"]), (&json!(ANN), &json!("The event was known already.")));
}

#[tokio::test]
async fn one_event_is_known_by_its_id_or_by_person_and_second() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let other = house.site("other.example").await;
    let at = house.ago(DAY);
    let tell = async |site: &SiteAt, source: &str, kind: &str, more: Value| {
        house.step(site, source, kind, more).await.is(200).json["event_id"].as_str().unwrap_or_default().to_owned()
    };
    let by_id = |id: &str| json!({"external_id": id, "email": ANN, "event_timestamp": at});
    let first = tell(&site, "manual", "lead_captured", by_id("E-1")).await;
    // Another time and another spelling change nothing.
    assert_eq!(tell(&site, "manual", "lead_captured", json!({"external_id": "E-1", "email": ANN.to_uppercase()})).await, first);
    let differ = [
        tell(&site, "manual", "activation", by_id("E-1")).await,
        tell(&site, "referral", "lead_captured", by_id("E-1")).await,
        tell(&site, "manual", "lead_captured", by_id("E-2")).await,
        tell(&site, "manual", "lead_captured", json!({"email": ANN, "event_timestamp": at})).await,
        tell(&site, "manual", "lead_captured", json!({"email": ANN, "event_timestamp": house.ago(DAY - 7)})).await,
        tell(&site, "manual", "lead_captured", json!({"email": "bo@mail.example", "event_timestamp": at})).await,
        tell(&site, "manual", "lead_captured", json!({"phone": "+971501234567", "event_timestamp": at})).await,
        tell(&site, "manual", "lead_captured", json!({"first_name": "Cy", "event_timestamp": at})).await,
        tell(&site, "manual", "lead_captured", json!({"first_name": "Di", "event_timestamp": at})).await,
    ];
    let mut all: Vec<&String> = differ.iter().chain([&first]).collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 10, "{differ:?}");
    assert_eq!(tell(&site, "manual", "lead_captured", json!({"email": format!(" {ANN} "), "event_timestamp": at})).await, differ[3]);
    assert_eq!(house.steps(&site).len(), 10);
    tell(&other, "manual", "lead_captured", by_id("E-1")).await;
    assert_eq!((house.steps(&site).len(), house.steps(&other).len()), (10, 1), "another site has its own");
    // What a later telling knows more is filled in; what was said stays.
    tell(&site, "zoom", "event_registered", json!({"external_id": "R-1", "first_name": "Ann"})).await;
    tell(&site, "zoom", "event_registered", json!({"external_id": "R-1", "first_name": "Eve", "email": ANN})).await;
    let row = house.steps(&site).into_iter().find(|r| r["external_id"] == "R-1").expect("the row");
    assert_eq!((&row["first_name"], &row["email"]), (&json!("Ann"), &json!(ANN)));
}

#[tokio::test]
async fn unknown_words_are_refused_with_those_that_are_known() {
    let house = House::new();
    let site = house.site("shop.example").await;
    sites::set(&house.app, site.id, "funnel.types", "trial_started, demo_held=event_attended", "test").await.expect("set");
    let good = json!({"source_type": "manual", "event_type": "activation", "email": ANN});
    let rows: &[(&str, Value)] = &[
        ("source_type", json!("facebook")),
        ("source_type", json!("Manual")),
        ("source_type", Value::Null),
        ("event_type", json!("purchase")),
        ("event_type", json!(7)),
        ("event_type", Value::Null),
        ("email", json!("no address")),
        ("event_timestamp", json!("yesterday")),
        ("event_timestamp", json!("2027-01-01T00:00:00Z")),
        ("event_data", json!([1])),
        ("external_metadata", json!({"x": "y".repeat(17_000)})),
        ("first_name", json!({"a": 1})),
        ("utm_source", json!("x".repeat(256))),
    ];
    for (field, value) in rows {
        let mut body = good.clone();
        body[*field] = value.clone();
        let answer = house.post("/funnel/event").token(&site.token).json(&body).send().await.is(422);
        let detail = answer.json["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(field), "{field}: {detail}");
        match *field {
            "source_type" => assert!(SOURCES.iter().all(|s| detail.contains(s)), "{detail}"),
            "event_type" => assert!(detail.contains("refunded") && detail.contains("trial_started"), "{detail}"),
            _ => {}
        }
    }
    for bad in ["", "[]", "{", r#"{"a":1,"a":2}"#] {
        let answer = house.post("/funnel/event").token(&site.token).header("content-type", "application/json").body(bad).send().await;
        assert!(answer.is(400).json["detail"].is_string(), "{bad}");
    }
    assert!(house.steps(&site).is_empty());
    // The site's own words, and its own names for ours.
    house.step(&site, "manual", "trial_started", json!({"email": ANN})).await.is(200);
    let told = house.step(&site, "manual", "demo_held", json!({"email": ANN})).await.is(200).json;
    assert_eq!(told["event_type"], json!("event_attended"));
    let kinds: Vec<Value> = house.steps(&site).iter().map(|r| r["event_type"].clone()).collect();
    assert_eq!(kinds, ["trial_started", "event_attended"]);
}

#[tokio::test]
async fn nothing_is_taken_without_the_token() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let reader = house.token(site.id, &[halotrack::domain::rights::Scope::Read]).await;
    for path in ["/funnel/event", "/funnel/conversion"] {
        let body = json!({"source_type": "manual", "event_type": "activation", "email": ANN, "user_id": "u"});
        for answer in [
            house.post(path).json(&body).send().await.is(401),
            house.post(path).token("ht_nonsense").json(&body).send().await.is(401),
            house.post(path).token(&reader).json(&body).send().await.is(403),
        ] {
            assert!(answer.json["detail"].is_string(), "{}", answer.text);
        }
    }
    assert!(house.steps(&site).is_empty());
}

#[tokio::test]
async fn a_lead_is_one_however_many_words_tell_of_it() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let visit =
        house.visit(&site, None, json!({"utm_source": "instagram", "utm_medium": "social", "gclid": "click-1", "event_id": "e"})).await;
    house.step(&site, "manual", "form_submitted", json!({"email": ANN, "session_id": visit})).await.is(200);
    house.step(&site, "manual", "lead_captured", json!({"email": ANN, "event_timestamp": house.ago(3_600)})).await.is(200);
    let all = house.list(&site, "conversions").await;
    assert_eq!(all.len(), 1, "{all:#?}");
    assert_eq!((&all[0]["kind"], &all[0]["credited"][0]["source"]), (&json!("lead"), &json!("instagram")));
    assert!(house.steps(&site).iter().all(|r| r["conversion_id"] == "conversion_1"));
    // The same lead by another sender joins it; a day later it is another.
    house.lead(&site, json!({"lead_id": "L-1", "email": ANN})).await.is(200);
    assert_eq!(house.list(&site, "conversions").await.len(), 1);
    house.advance_s(DAY + 1);
    house.step(&site, "zoom", "lead_captured", json!({"email": ANN})).await.is(200);
    assert_eq!(house.list(&site, "conversions").await.len(), 2);
    // Without anybody there is nobody to call: a step, and no lead.
    house.step(&site, "manual", "lead_captured", json!({"first_name": "Somebody"})).await.is(200);
    assert_eq!(house.list(&site, "conversions").await.len(), 2);
    // A click names the browser that it brought.
    house.step(&site, "manual", "lead_captured", json!({"email": "bo@mail.example", "event_data": {"gclid": "click-1"}})).await.is(200);
    let bo = house.list(&site, "conversions?kind=lead").await;
    assert!(bo.iter().any(|c| c["match"]["type"] == "click"), "{bo:#?}");
}

#[tokio::test]
async fn a_step_that_says_where_it_came_from_is_a_touch_of_what_comes_later() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let spring = json!({"email": ANN, "event_timestamp": house.ago(5 * DAY), "utm_source": "Instagram", "utm_medium": "social", "utm_campaign": "spring"});
    house.step(&site, "eventbrite", "event_registered", spring).await.is(200);
    house.step(&site, "zoom", "event_attended", json!({"email": ANN, "event_timestamp": house.ago(4 * DAY)})).await.is(200);
    let later = json!({"email": ANN, "utm_source": "bing", "utm_medium": "cpc"});
    house
        .order(
            &site,
            json!({"order_id": "1", "total": "40.00", "currency": "USD", "email": ANN, "status": "paid", "created_at": house.ago(DAY)}),
        )
        .await
        .is(200);
    house.step(&site, "zoom", "event_registered", later).await.is(200);
    let sale = house.list(&site, "conversions").await.remove(0);
    assert_eq!((&sale["kind"], &sale["credited"][0]["source"]), (&json!("sale"), &json!("instagram")), "{sale:#}");
    let points = house.get("/api/conversions/conversion_1/touchpoints").token(&site.token).send().await.is(200).json;
    assert_eq!(points["data"].as_array().map(Vec::len), Some(1), "{points:#}");
    // Somebody else's step earns nothing.
    house
        .order(&site, json!({"order_id": "2", "total": "40.00", "currency": "USD", "email": "bo@mail.example", "status": "paid"}))
        .await
        .is(200);
    let all = house.list(&site, "conversions").await;
    assert!(all.iter().any(|c| c["credited"].as_array().is_some_and(Vec::is_empty)), "{all:#?}");
}

#[tokio::test]
async fn a_sign_up_is_worked_out_from_the_steps_before_it_and_stays_so() {
    let house = House::new();
    let site = house.site("shop.example").await;
    // Told in another order than they happened.
    for (source, kind, days) in [("manual", "form_submitted", 9), ("zoom", "event_registered", 5), ("referral", "lead_captured", 12)] {
        house.step(&site, source, kind, json!({"email": ANN, "event_timestamp": house.ago((2 + days) * DAY)})).await.is(200);
    }
    house.step(&site, "direct_signup", "activation", json!({"email": ANN, "event_timestamp": house.ago(DAY)})).await.is(200);
    house.step(&site, "manual", "lead_captured", json!({"email": "bo@mail.example", "event_timestamp": house.ago(30 * DAY)})).await.is(200);
    let ask = json!({"email": ANN.to_uppercase(), "user_id": "u-17", "converted_at": house.ago(2 * DAY), "estimated_value_usd": 120});
    let told = house.enrol(&site, ask.clone()).await.is(200).json;
    let want = json!({
        "success": true, "conversion_id": told["conversion_id"], "user_id": "u-17", "email": ANN,
        "first_touch_source_type": "referral", "first_touch_at": house.ago(14 * DAY),
        "last_touch_source_type": "zoom", "last_touch_at": house.ago(7 * DAY),
        "days_to_conversion": 12, "total_touchpoints": 3, "message": "Converted 12 days after the first of 3 steps.",
    });
    assert_eq!(told, want);
    // Neither a later telling nor an older step moves it; another user of the same person is another.
    house.step(&site, "manual", "lead_captured", json!({"email": ANN, "event_timestamp": house.ago(40 * DAY)})).await.is(200);
    let mut again = ask.clone();
    again["converted_at"] = json!(house.ago(0));
    assert_eq!(house.enrol(&site, again).await.is(200).json, want);
    let mut other = ask.clone();
    other["user_id"] = json!("u-18");
    let other = house.enrol(&site, other).await.is(200).json;
    assert_ne!(other["conversion_id"], want["conversion_id"]);
    assert_eq!((&other["first_touch_source_type"], &other["total_touchpoints"]), (&json!("manual"), &json!(4)));
    // Somebody unknown is known from then on.
    let fresh = house.enrol(&site, json!({"email": "new@mail.example", "user_id": "u-19"})).await.is(200).json;
    for name in ["first_touch_source_type", "first_touch_at", "last_touch_source_type", "last_touch_at", "days_to_conversion"] {
        assert_eq!(fresh[name], Value::Null, "{name}");
    }
    assert_eq!(fresh["total_touchpoints"], json!(0));
    let contacts = house.sql(&site, "select email from contacts");
    assert!(contacts.iter().any(|r| r["email"] == "new@mail.example"), "{contacts:?}");
    // It is a sign-up among the conversions, and what somebody guessed is no revenue.
    let signups = house.list(&site, "conversions?kind=signup").await;
    assert_eq!(signups.len(), 3);
    assert!(signups.iter().all(|c| c["amount"].is_null()), "{signups:#?}");
    house.order(&site, json!({"order_id": "1", "total": "40.00", "currency": "USD", "email": ANN, "status": "paid"})).await.is(200);
    let rows = house.sql(&site, "select * from funnel_conversions where user_id = 'u-17'");
    for (column, want) in [
        ("email", json!(ANN)),
        ("first_touch_source_type", json!("referral")),
        ("last_touch_at", json!(house.ago(7 * DAY))),
        ("days_to_conversion", json!(12)),
        ("total_touchpoints", json!(3)),
        ("estimated_value", json!(120.0)),
        ("actual_value", json!(40.0)),
    ] {
        assert_eq!(rows[0][column], want, "{column}");
    }
    for (field, wrong) in [
        ("email", json!({"user_id": "1"})),
        ("user_id", json!({"email": ANN})),
        ("email", json!({"email": "nobody", "user_id": "1"})),
        ("converted_at", json!({"email": ANN, "user_id": "1", "converted_at": "soon"})),
        ("estimated_value_usd", json!({"email": ANN, "user_id": "1", "estimated_value_usd": -1})),
        ("estimated_value_usd", json!({"email": ANN, "user_id": "1", "estimated_value_usd": "1e9"})),
    ] {
        let answer = house.enrol(&site, wrong).await.is(422);
        assert!(answer.json["detail"].as_str().is_some_and(|d| d.contains(field)), "{}", answer.text);
    }
}

#[tokio::test]
async fn who_was_erased_does_not_come_back_and_is_still_counted_as_one() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let step = json!({"email": ANN, "external_id": "x-1", "event_timestamp": house.ago(DAY)});
    house.step(&site, "zoom", "event_registered", step.clone()).await.is(200);
    house.step(&site, "zoom", "event_attended", step.clone()).await.is(200);
    house.enrol(&site, json!({"email": ANN, "user_id": "u-1", "converted_at": house.ago(60)})).await.is(200);
    let sale =
        json!({"conversion_type": "sale", "email": ANN, "revenue": 120.5, "currency": "USD", "order_id": "77", "timestamp": house.ago(30)});
    house.conversion(&site, sale).await.is(201);
    let figures = house.metrics(&site, "").await;
    assert_eq!((&figures["total_leads"], &figures["total_conversions"]), (&json!(1), &json!(1)));
    let revenue = |figures: &Value| {
        figures["sources"].as_array().expect("sources").iter().find(|s| s["source_type"] == "zoom").map(|s| s["revenue"].clone())
    };
    assert_eq!(revenue(&figures), Some(json!(120.5)), "{figures:#}");
    house.post(&format!("/api/sites/{}/erasures", site.slug)).token(&site.token).json(&json!({"email": ANN})).send().await.is(201);
    assert_eq!(house.metrics(&site, "").await, figures, "every count is as it was");
    let rows = house.steps(&site);
    assert!(rows.len() == 2 && rows.iter().all(|r| r["email"].is_null() && r["contact_id"].is_null()), "{rows:#?}");
    let again = house.step(&site, "zoom", "event_registered", step).await.is(200).json;
    assert_eq!((&again["success"], &again["event_id"]), (&json!(true), &Value::Null), "{again}");
    let again = house.enrol(&site, json!({"email": ANN, "user_id": "u-1", "converted_at": house.ago(60)})).await.is(200).json;
    assert_eq!(again["conversion_id"], Value::Null);
    assert_eq!(house.steps(&site).len(), 2);
    // Whoever comes back later is somebody new.
    house.advance_s(60);
    house.step(&site, "zoom", "event_registered", json!({"email": ANN, "external_id": "x-2"})).await.is(200);
    assert_eq!(house.metrics(&site, "").await["total_leads"], json!(2));
}
