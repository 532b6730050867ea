//! Totals of the funnel can be understood from their rows: every system that told of somebody has one, a sign-up counts where
//! something came before it, and the documented table says the same as the status of a source.

use halotrack::crypto::{hex, hmac_sha256};
use serde_json::{Value, json};

use crate::funnel::DAY;
use crate::house::{House, SiteAt};

async fn booked_at_cal(house: &House, site: &SiteAt, email: &str) {
    let connected = house.connect(site, "calcom", "live", &[]).await;
    let booking = json!({
        "uid": "b1", "bookingId": 91, "title": "Fitting", "startTime": "2026-06-16T08:00:00Z", "endTime": "2026-06-16T08:30:00Z",
        "attendees": [{"email": email, "name": "Orla Byrne"}], "price": 0, "currency": "usd", "metadata": {}, "responses": {}
    });
    let body = json!({"triggerEvent": "BOOKING_CREATED", "createdAt": house.ago(0), "payload": booking}).to_string();
    let sign = hex(&hmac_sha256(connected.secret.as_bytes(), &[body.as_bytes()]));
    house.post(&connected.hook).header("x-cal-signature-256", &sign).body(body).send().await.is(200);
}

fn row<'a>(metrics: &'a Value, source: &str) -> &'a Value {
    metrics["sources"].as_array().into_iter().flatten().find(|row| row["source_type"] == source).unwrap_or(&Value::Null)
}

#[tokio::test]
async fn people_of_other_systems_have_a_row() {
    let house = House::new();
    let site = house.site("shop.example").await;
    booked_at_cal(&house, &site, "orla@mail.example").await;
    house.step(&site, "manual", "activation", json!({"email": "bo@mail.example"})).await.is(200);
    let metrics = house.metrics(&site, "").await;
    let leads: i64 = metrics["sources"].as_array().into_iter().flatten().filter_map(|row| row["leads"].as_i64()).sum();
    assert_eq!((&metrics["total_leads"], leads), (&json!(2), 2), "{metrics:#}");
    assert_eq!((&row(&metrics, "calcom")["leads"], &row(&metrics, "manual")["leads"]), (&json!(1), &json!(1)), "{metrics:#}");
    assert_eq!(metrics["sources"].as_array().map(Vec::len), Some(8), "the seven stand always, in their order: {metrics:#}");
    let alone = house.metrics(&site, "source_type=calcom").await;
    assert_eq!((&alone["total_leads"], alone["sources"].as_array().map(Vec::len)), (&json!(1), Some(1)), "{alone:#}");
}

#[tokio::test]
async fn a_sign_up_counts_where_something_came_before_it() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let step = async |source: &'static str, days: i64| {
        let told = json!({"email": "bo@mail.example", "event_timestamp": house.ago(days * DAY)});
        house.step(&site, source, "lead_captured", told).await.is(200);
    };
    step("zoom", 5).await;
    step("referral", 2).await;
    let enrol = async |email: &'static str, user: &'static str, days: i64| {
        let told = json!({"email": email, "user_id": user, "converted_at": house.ago(days * DAY)});
        house.enrol(&site, told).await.is(200).json
    };
    // Before any step; then between the two.
    assert_eq!(enrol("bo@mail.example", "1", 9).await["first_touch_source_type"], Value::Null);
    let metrics = house.metrics(&site, "").await;
    assert_eq!((&metrics["total_leads"], &metrics["total_conversions"]), (&json!(1), &json!(0)), "{metrics:#}");
    assert_eq!(row(&metrics, "zoom")["conversions"], 0, "{metrics:#}");
    enrol("bo@mail.example", "2", 4).await;
    enrol("nobody@mail.example", "3", 1).await;
    let metrics = house.metrics(&site, "").await;
    assert_eq!((&metrics["total_conversions"], &metrics["conversion_rate"]), (&json!(1), &json!(1.0)), "{metrics:#}");
    assert_eq!((&row(&metrics, "zoom")["conversions"], &row(&metrics, "referral")["conversions"]), (&json!(1), &json!(0)), "{metrics:#}");
    // A step before the days that are asked for came before the sign-up too.
    step("manual", 20).await;
    step("manual", 1).await;
    let from = &house.ago(6 * DAY)[..10];
    assert_eq!(row(&house.metrics(&site, &format!("start_date={from}")).await, "manual")["conversions"], 1);
}

#[tokio::test]
async fn the_table_of_sources_says_what_their_status_says() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let shown = async |source: &str| {
        house.advance_s(1);
        // What has no connection has no status either; its people stand in the figures.
        let told = house.get(&format!("/sync/status/{source}")).token(&site.token).send().await;
        let status = if told.status == 404 {
            let metrics = house.metrics(&site, "").await;
            json!({"total_leads_captured": row(&metrics, source)["leads"], "total_conversions": row(&metrics, source)["conversions"]})
        } else {
            told.is(200).json
        };
        let rows = house.sql(&site, &format!("select * from funnel_sources where source_type = '{source}'"));
        let of = |v: &Value| (v["total_leads_captured"].as_i64().unwrap_or(0), v["total_conversions"].as_i64().unwrap_or(0));
        (of(&status), rows.iter().map(of).collect::<Vec<_>>())
    };
    assert_eq!(shown("manual").await, ((0, 0), vec![]));
    assert_eq!(shown("zoom").await, ((0, 0), vec![]), "neither a connection nor anybody");
    for (source, email, days) in
        [("manual", "bo@mail.example", 3), ("manual", "cy@mail.example", 3), ("zoom", "bo@mail.example", 1), ("zoom", "di@mail.example", 1)]
    {
        house.step(&site, source, "lead_captured", json!({"email": email, "event_timestamp": house.ago(days * DAY)})).await.is(200);
    }
    house.enrol(&site, json!({"email": "bo@mail.example", "user_id": "1", "converted_at": house.ago(2 * DAY)})).await.is(200);
    assert_eq!(shown("manual").await, ((2, 1), vec![(2, 1)]));
    assert_eq!(shown("zoom").await, ((2, 0), vec![(2, 0)]), "signed up before the first step there");
}
