//! Deliveries sent again by a filter: as many as the list shows, five a second, each under its old name.

use serde_json::{Value, json};

use crate::house::{Answer, House, SiteAt};
use crate::stand_in::{Answer as Says, StandIn};

const HOUR_S: i64 = 3_600;

/// A house with two receivers; `one` refuses until it has been asked so often.
async fn two(refusals: usize) -> (House, SiteAt, StandIn, StandIn, [String; 2]) {
    let one = StandIn::start(move |_, n| if n < refusals { Says::text(400, "no") } else { Says::text(200, "thanks") }).await;
    let other = StandIn::start(|_, _| Says::text(200, "thanks")).await;
    let house = House::with(|config| config.retry_scale_ppm = 1_000_000);
    let site = house.site("shop.example").await;
    let first = house.connect(&site, "webhook", "live", &[("url", &one.url())]).await;
    let second = house.connect(&site, "webhook", "live", &[("url", &other.url())]).await;
    (house, site, one, other, [first.id, second.id])
}

async fn leads(house: &House, site: &SiteAt, names: std::ops::Range<usize>) {
    for n in names {
        let told = json!({"lead_id": format!("L-{n}"), "email": format!("l{n}@mail.example"), "consent_given": true});
        house.lead(site, told).await.is(200);
    }
    house.work().await;
}

async fn ask(house: &House, site: &SiteAt, body: Value) -> Answer {
    // A token may ask ten times a second; time stands still here.
    house.advance_s(1);
    house.post("/api/sites/shop/deliveries/replay").token(&site.token).json(&body).send().await
}

#[tokio::test]
async fn all_that_the_list_shows_goes_again_five_a_second() {
    let (house, site, one, other, [first, _]) = two(12).await;
    leads(&house, &site, 0..12).await;
    assert_eq!((one.seen().len(), other.seen().len()), (12, 12));
    let refused = house.list(&site, &format!("deliveries?state=refused&connection={first}")).await;
    assert_eq!(refused.len(), 12);

    let filter = json!({"state": "refused", "connection": [first]});
    let look = ask(&house, &site, json!({"filter": filter, "preview": true})).await.is(200).json;
    assert_eq!((&look["count"], &look["replayed"], &look["warning"]), (&json!(12), &json!(0), &Value::Null), "{look}");
    house.work().await;
    assert_eq!(one.seen().len(), 12, "a preview sends nothing");

    let done = ask(&house, &site, json!({ "filter": filter })).await.is(200).json;
    assert_eq!((&done["count"], &done["replayed"], &done["left_out"]), (&json!(12), &json!(12), &json!(0)));
    house.work().await;
    assert_eq!(one.seen().len(), 13, "the first at once");
    house.clock.advance_ms(999);
    house.work().await;
    assert_eq!(one.seen().len(), 17, "five within a second");
    house.advance_s(1);
    house.work().await;
    assert_eq!(one.seen().len(), 22);
    house.advance_s(1);
    house.work().await;
    assert_eq!((one.seen().len(), other.seen().len()), (24, 12), "all of them, and nothing to the other");
    let mut names: Vec<String> = one.seen().iter().map(|s| s.json()["data"]["event_id"].as_str().unwrap_or("-").to_owned()).collect();
    let again = names.split_off(12);
    names.sort();
    let mut sorted = again.clone();
    sorted.sort();
    assert_eq!(sorted, names, "under their old names");
    assert_eq!(again[0], "lead_L-0", "the oldest first");
}

#[tokio::test]
async fn what_may_count_twice_and_what_stays_is_said_before() {
    let (house, site, ..) = two(3).await;
    leads(&house, &site, 0..3).await;
    house.lead(&site, json!({"lead_id": "no", "email": "no@mail.example", "consent_given": false})).await.is(200);
    house.advance_s(49 * HOUR_S);
    leads(&house, &site, 3..5).await;
    let look = ask(&house, &site, json!({"filter": {}, "preview": true})).await.is(200).json;
    assert_eq!((&look["count"], &look["left_out"], &look["older_than_48h"]), (&json!(12), &json!(2), &json!(6)), "{look}");
    assert!(look["warning"].as_str().is_some_and(|w| w.contains("twice")), "{look}");
    let young = json!({"filter": {"from": house.clock.now().utc()[..10], "state": ["delivered", "refused"]}, "preview": true});
    let look = ask(&house, &site, young).await.is(200).json;
    assert_eq!((&look["count"], &look["warning"]), (&json!(4), &Value::Null), "{look}");
    let none = ask(&house, &site, json!({"filter": {"platform": "!webhook"}})).await.is(200).json;
    assert_eq!((&none["count"], &none["replayed"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn a_filter_that_cannot_be_read_sends_nothing() {
    let (house, site, one, ..) = two(1).await;
    leads(&house, &site, 0..1).await;
    for (body, status) in [
        (json!({"filter": {"stat": "dead"}}), 422),
        (json!({"filter": {"state": 5}}), 422),
        (json!({"filter": "dead"}), 422),
        (json!({"filter": {"state": "sent"}}), 400),
        (json!({"filter": {"limit": "3"}}), 422),
        (json!({"filter": {}, "deliveries": ["delivery_1"]}), 422),
        (json!({}), 422),
    ] {
        let refused = ask(&house, &site, body.clone()).await;
        assert_eq!(refused.status, status, "{body}: {}", refused.text);
    }
    house.advance_s(60);
    house.work().await;
    assert_eq!(one.seen().len(), 1);
}
