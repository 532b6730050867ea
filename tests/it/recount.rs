//! A site that moves to another time zone: its deliveries are counted under the days of the new one.

use halotrack::flows::{cube, sites};
use serde_json::{Value, json};

use crate::house::{House, SiteAt};

/// How many deliveries the list counts on a day, and how many it shows.
async fn on(house: &House, site: &SiteAt, day: &str) -> (i64, usize) {
    house.advance_s(1);
    let path = format!("/api/sites/{}/deliveries?from={day}&to={day}&limit=500", site.slug);
    let page = house.get(&path).token(&site.token).send().await.is(200).json;
    let of_state: i64 = page["facets"]["state"].as_array().into_iter().flatten().filter_map(|f| f["count"].as_i64()).sum();
    let count = page["total"]["count"].as_i64().unwrap_or(-1);
    assert_eq!(of_state, count, "{page}");
    (count, page["items"].as_array().map_or(0, Vec::len))
}

async fn zone(house: &House, site: &SiteAt, name: &str) {
    sites::set(&house.app, site.id, "zone", name, "test").await.expect("the zone is set");
}

fn counts(house: &House, site: &SiteAt) -> Vec<Value> {
    let db = rusqlite::Connection::open(house.data().join(halotrack::store::FILE)).expect("the file");
    let mut asked = db
        .prepare("select day, sum(count) from delivery_counts where site_id = ?1 group by day having sum(count) > 0 order by day")
        .expect("a question");
    let rows = asked.query_map([site.id.number()], |row| Ok(json!([row.get::<_, i64>(0)?, row.get::<_, i64>(1)?]))).expect("rows");
    rows.map(|row| row.expect("a row")).collect()
}

#[tokio::test]
async fn deliveries_follow_the_sites_zone() {
    let house = House::new();
    let site = house.site("shop.example").await;
    house.connect(&site, "webhook", "shadow", &[("url", "http://127.0.0.1:9/")]).await;
    // 09:20 and 21:20 of the 13th in UTC; the second is the 14th in Dubai and both are the 13th in New York.
    for (n, wait_s) in [(0, 12 * 3_600), (1, 0), (2, 0)] {
        let told = json!({"lead_id": format!("L-{n}"), "email": format!("l{n}@mail.example"), "consent_given": true});
        house.lead(&site, told).await.is(200);
        house.advance_s(wait_s);
    }
    house.work().await;
    assert_eq!((on(&house, &site, "2026-06-13").await, on(&house, &site, "2026-06-14").await), ((3, 3), (0, 0)));

    zone(&house, &site, "Asia/Dubai").await;
    assert_eq!(
        (on(&house, &site, "2026-06-13").await, on(&house, &site, "2026-06-14").await),
        ((1, 1), (2, 2)),
        "right at once, before anything was counted anew"
    );
    cube::catch_up(&house.app).await.expect("counted");
    assert_eq!((on(&house, &site, "2026-06-13").await, on(&house, &site, "2026-06-14").await), ((1, 1), (2, 2)), "and afterwards");
    let first = halotrack::domain::time::Day::parse("2026-06-13").expect("a day").0;
    assert_eq!(counts(&house, &site), vec![json!([first, 1]), json!([first + 1, 2])], "from the counts of days");

    // Changed twice before anybody counts: the last one holds.
    zone(&house, &site, "Pacific/Auckland").await;
    zone(&house, &site, "America/New_York").await;
    cube::catch_up(&house.app).await.expect("counted");
    assert_eq!((on(&house, &site, "2026-06-13").await, on(&house, &site, "2026-06-14").await), ((3, 3), (0, 0)));
    assert_eq!(counts(&house, &site), vec![json!([first, 3])]);

    // What turns its state afterwards is counted under its new day.
    let one = house.deliveries(&site).await[0]["id"].clone();
    let again = json!({"deliveries": [one]});
    house.post("/api/sites/shop/deliveries/replay").token(&site.token).json(&again).send().await.is(200);
    assert_eq!(on(&house, &site, "2026-06-13").await, (3, 3));
}
