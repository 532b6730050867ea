//! What no system has told, typed in or in a list: shown as it would become without a trace, stored once, joined with what
//! others tell, credited, told to whom it should be, earned by the partner who sent it.

use std::collections::BTreeMap;

use halotrack::domain::rights::Right;
use halotrack::store::FILE;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::house::{Answer, House, SiteAt};

async fn shop() -> (House, SiteAt) {
    let house = House::new();
    let site = house.site("shop.example").await;
    (house, site)
}

async fn told(house: &House, site: &SiteAt, path: &str, body: &Value) -> Answer {
    house.post(&format!("/api/sites/{}/{path}", site.slug)).token(&site.token).json(body).send().await
}

async fn preview(house: &House, site: &SiteAt, body: &Value) -> Value {
    told(house, site, "offline/preview", body).await.is(200).json
}

/// How many rows every table has.
fn rows(house: &House) -> BTreeMap<String, i64> {
    let db = Connection::open(house.data().join(FILE)).expect("the file");
    let mut names = db.prepare("select name from sqlite_master where type = 'table' and name not like 'sqlite%'").expect("the names");
    let names: Vec<String> = names.query_map([], |row| row.get(0)).expect("names").map(|name| name.expect("a name")).collect();
    names
        .into_iter()
        .map(|name| (name.clone(), db.query_row(&format!("select count(*) from {name}"), [], |row| row.get(0)).expect("a count")))
        .collect()
}

fn lead(house: &House) -> Value {
    json!({"what": "lead", "email": "Ann@Mail.Example", "phone": "+353861234567", "name": "Ann Byrne", "at": house.ago(3_600),
           "source": "Fair", "medium": "event", "campaign": "June", "value": "1,250.00", "currency": "EUR", "note": "Kitchen"})
}

#[tokio::test]
async fn a_look_leaves_nothing_and_shows_what_then_becomes_of_it() {
    let (house, site) = shop().await;
    house.connect(&site, "webhook", "shadow", &[("url", "http://127.0.0.1:9/hook")]).await;
    let before = rows(&house);
    let seen = preview(&house, &site, &lead(&house)).await;
    assert_eq!(rows(&house), before, "no row of any table is left");
    assert_eq!((&seen["is_new"], &seen["known"], &seen["is_joined"]), (&json!(true), &json!([]), &json!(false)), "{seen:#}");
    assert_eq!(seen["conversion"]["credited"][0]["source"], "fair");
    assert_eq!((&seen["conversion"]["deliveries"][0]["state"], &seen["value"]["minor"]), (&json!("pending"), &json!(125_000)));
    assert!(!seen.to_string().contains("ann@mail"), "people are masked");
    assert_eq!(house.list(&site, "leads").await.len(), 0);

    // The same, and now for good: number for number what was shown.
    let stored = told(&house, &site, "offline", &lead(&house)).await.is(201).json;
    assert_eq!(stored, seen);
    let leads = house.list(&site, "leads").await;
    assert_eq!((leads.len(), &leads[0]["source"], &leads[0]["value"]["minor"]), (1, &json!("manual"), &json!(125_000)));
    assert_eq!(house.deliveries(&site).await.len(), 1, "told once");
    let audit = house.list(&site, "audit").await;
    assert_eq!(audit.iter().filter(|row| row["what"] == "entered").count(), 1, "{audit:#?}");

    // Once more is known, before and after.
    for path in ["offline/preview", "offline"] {
        let again = told(&house, &site, path, &lead(&house)).await.is(200).json;
        assert_eq!((&again["is_new"], again["known"].as_array().map(Vec::len)), (&json!(false), Some(1)), "{path}: {again:#}");
    }
    assert_eq!((house.list(&site, "leads").await.len(), house.deliveries(&site).await.len()), (1, 1));
}

#[tokio::test]
async fn somebody_who_is_known_is_joined_and_what_we_saw_counts_before_what_they_said() {
    let (house, site) = shop().await;
    let session = house.visit(&site, None, json!({"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "june"})).await;
    house.advance_s(60);
    house.lead(&site, json!({"lead_id": "L-1", "email": "ann@mail.example", "session_id": session})).await.is(200);
    house.advance_s(3_600);
    let typed = json!({"what": "lead", "email": "ann@mail.example", "source": "telephone"});
    let seen = preview(&house, &site, &typed).await;
    assert_eq!((&seen["is_joined"], seen["known"].as_array().map(Vec::len)), (&json!(true), Some(1)), "{seen:#}");
    assert_eq!(seen["conversion"]["credited"][0]["source"], "google");
    told(&house, &site, "offline", &typed).await.is(201);
    assert_eq!(house.list(&site, "conversions").await.len(), 1, "one lead, told by two");

    // A booking is a step, and no lead.
    let booked = json!({"what": "booking", "email": "ann@mail.example", "note": "Fitting"});
    let stored = told(&house, &site, "offline", &booked).await.is(201).json;
    assert_eq!((&stored["what"], &stored["conversion"]), (&json!("appointment_booked"), &Value::Null));
    let steps = house.sql(&site, "select event_type, source_type from funnel_events order by event_type");
    assert_eq!(steps.len(), 2, "{steps:?}");
    assert_eq!(house.list(&site, "conversions").await.len(), 1);

    // An address of one and a number of another: they are said to be one before they are.
    house.lead(&site, json!({"lead_id": "L-2", "phone": "+353861234567"})).await.is(200);
    let both = json!({"what": "attendance", "email": "ann@mail.example", "phone": "+353861234567"});
    assert_eq!(preview(&house, &site, &both).await["known"].as_array().map(Vec::len), Some(2));
    told(&house, &site, "offline", &both).await.is(201);
    assert_eq!(preview(&house, &site, &both).await["known"].as_array().map(Vec::len), Some(1), "one person now");
}

#[tokio::test]
async fn who_was_sent_by_a_partner_earns_for_the_partner() {
    let (house, site) = shop().await;
    let partner = json!({"codes": ["ben"], "name": "Ben Quinn", "commission": ["lead=2.00"]});
    told(&house, &site, "affiliates", &partner).await.is(201);
    let sent = json!({"what": "referral", "email": "cem@mail.example", "referred_by": " BEN "});
    let seen = preview(&house, &site, &sent).await;
    assert_eq!((&seen["partner"], &seen["source"]), (&json!("Ben Quinn"), &json!("referral")), "{seen:#}");
    assert_eq!(seen["conversion"]["credited"][0]["source"], "referral");
    told(&house, &site, "offline", &sent).await.is(201);
    let report = house.get(&format!("/api/sites/{}/reports/affiliates", site.slug)).token(&site.token).send().await.is(200).json;
    assert_eq!(report["items"][0]["conversions"], 1, "{report:#}");
    // A person is no partner: noted, and nobody earns.
    let by_friend = json!({"what": "referral", "email": "dan@mail.example", "referred_by": "his sister Eve"});
    assert_eq!(told(&house, &site, "offline", &by_friend).await.is(201).json["partner"], Value::Null);
    let report = house.get(&format!("/api/sites/{}/reports/affiliates", site.slug)).token(&site.token).send().await.is(200).json;
    assert_eq!(report["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn who_said_no_is_told_to_nobody_and_nonsense_is_refused_by_its_field() {
    let (house, site) = shop().await;
    house.connect(&site, "meta", "live", &[("pixel_id", "123456789012345"), ("access_token", "EAAtoken")]).await;
    let no = json!({"what": "lead", "email": "ann@mail.example", "consent": "no"});
    let seen = preview(&house, &site, &no).await;
    let delivery = &seen["conversion"]["deliveries"][0];
    assert_eq!((&delivery["state"], &delivery["reason"]), (&json!("skipped"), &json!("consent")), "{seen:#}");
    for (body, field) in [
        (json!({"what": "lead"}), "email"),
        (json!({"what": "lead", "email": "no address"}), "email"),
        (json!({"what": "dance", "email": "ann@mail.example"}), "what"),
        (json!({"email": "ann@mail.example", "at": "2030-01-01"}), "at"),
        (json!({"email": "ann@mail.example", "value": "lots"}), "value"),
    ] {
        for path in ["offline/preview", "offline"] {
            let refused = told(&house, &site, path, &body).await.is(422);
            assert_eq!(refused.json["error"]["field"], field, "{path} {body}: {}", refused.text);
        }
    }
    assert_eq!(house.list(&site, "leads").await.len(), 0);
    let reader = house.login("reader@shop.example", Right::Read, Some(site.id)).await;
    let path = format!("/api/sites/{}/offline/preview", site.slug);
    house.post(&path).cookie(&reader).json(&lead(&house)).send().await.is(403);
    let other = house.site("other.example").await;
    house.post(&path).token(&other.token).json(&lead(&house)).send().await.is(404);
}

#[tokio::test]
async fn whoever_was_erased_is_not_brought_back_by_hand() {
    let (house, site) = shop().await;
    told(&house, &site, "offline", &lead(&house)).await.is(201);
    let then = lead(&house);
    house.advance_s(60);
    let erase = house.token(site.id, &[halotrack::domain::rights::Scope::Erase]).await;
    house.delete("/api/delete-user?email=ann@mail.example").token(&erase).send().await.is(200);
    house.advance_s(60);
    let before = rows(&house);
    let seen = preview(&house, &site, &then).await;
    assert_eq!((&seen["is_new"], &seen["is_nobodys"]), (&json!(false), &json!(true)), "{seen:#}");
    assert_eq!(rows(&house), before);
}
