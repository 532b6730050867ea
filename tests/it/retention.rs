//! Rows past their time: each kind by its own clock, the counts of the days stay, and nobody waits for it.

use halotrack::domain::rights::Right;
use halotrack::flows::{cube, retain, sites};
use halotrack::store::FILE;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::house::{House, SiteAt};

const DAY_S: i64 = 86_400;

impl House {
    /// Visits of the days from two years back until now, as the sources report counts them.
    async fn visits(&self, site: &SiteAt) -> i64 {
        self.advance_s(4);
        let path = format!("/api/sites/{}/reports/sources?from=2024-07-01&to=2027-12-31", site.slug);
        let answer = self.get(&path).token(&site.token).send().await.is(200).json;
        self.advance_s(-4);
        answer["items"].as_array().expect("rows").iter().map(|r| r["visits"].as_i64().unwrap_or_default()).sum()
    }

    async fn retain(&self) {
        cube::catch_up(&self.app).await.expect("counted");
        retain::run(&self.app).await.expect("removed");
    }

    fn count(&self, table: &str) -> i64 {
        let db = Connection::open(self.data().join(FILE)).expect("the file");
        db.query_row(&format!("select count(*) from {table}"), [], |row| row.get(0)).expect("a count")
    }
}

/// A site that keeps touches for 60 days.
async fn short(house: &House) -> SiteAt {
    let site = house.site("shop.example").await;
    sites::set(&house.app, site.id, "retention.touches", "60", "test").await.expect("a clock");
    site
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_visits_go_and_their_counts_stay() {
    let house = House::new();
    let site = short(&house).await;
    let mut ids = Vec::new();
    for n in 0..30 {
        let fields = json!({"utm_source": "news", "utm_medium": "email", "gclid": format!("c-{n}")});
        ids.push(house.history(&site, None, 24 * (50 + n), fields).await);
    }
    // Two of one day, so that a day counted again from less would show.
    house.history(&site, None, 24 * 70, json!({"utm_source": "news", "utm_medium": "email"})).await;
    // A browser that came then and now, and one who refused.
    house.history(&site, Some(&ids[29]), 24 * 2, json!({"utm_source": "google", "utm_medium": "cpc"})).await;
    house.touch(&site, None, json!({"consent": "denied"})).await.is(200);
    assert_eq!(house.visits(&site).await, 33);
    house.retain().await;
    // Days 61 to 79 are gone, with their browsers and click ids; the browser that came back is kept.
    assert_eq!((house.count("touches"), house.count("sessions"), house.count("clicks")), (12, 12, 11));
    assert_eq!(house.visits(&site).await, 33, "what was counted stays counted");
    // A late visit of a frozen day dirties nothing: the day is not counted again from the rows that are left.
    house.history(&site, None, 24 * 70, json!({"utm_source": "late", "utm_medium": "email"})).await;
    cube::catch_up(&house.app).await.expect("counted");
    assert_eq!(house.visits(&site).await, 33);
    // One of a day that still has its rows is.
    house.history(&site, None, 24 * 55, json!({"utm_source": "late", "utm_medium": "email"})).await;
    cube::catch_up(&house.app).await.expect("counted");
    assert_eq!(house.visits(&site).await, 34);
    // Also where the site's days are cut anew.
    sites::set(&house.app, site.id, "zone", "Asia/Dubai", "test").await.expect("a zone");
    house.retain().await;
    assert_eq!(house.visits(&site).await, 34, "frozen days outlive a change of the zone");
    house.advance_s(100 * DAY_S);
    house.retain().await;
    assert_eq!((house.count("touches"), house.count("sessions"), house.count("anon_events")), (0, 0, 0));
    assert_eq!(house.visits(&site).await, 34);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_counted_yet_is_not_removed() {
    let house = House::new();
    let site = short(&house).await;
    house.history(&site, None, 24 * 100, json!({"utm_source": "news", "utm_medium": "email"})).await;
    retain::run(&house.app).await.expect("a round");
    assert_eq!(house.count("touches"), 1, "its day has no counts yet");
    cube::catch_up(&house.app).await.expect("counted");
    house.history(&site, None, 24 * 100, json!({"utm_source": "news", "utm_medium": "email"})).await;
    retain::run(&house.app).await.expect("a round");
    assert_eq!(house.count("touches"), 2, "its counts are of yesterday's news");
    house.retain().await;
    assert_eq!((house.count("touches"), house.visits(&site).await), (0, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_kind_has_its_clock_and_the_owner_sets_it() {
    let house = House::new();
    let (site, other) = (house.site("shop.example").await, house.site("other.example").await);
    for site in [&site, &other] {
        house
            .connect(
                site,
                "meta",
                "shadow",
                &[("pixel_id", "123456789012345"), ("access_token", "EAAabcdefghijklmnopqrstuvwxyz0123456789")],
            )
            .await;
        house.lead(site, json!({"lead_id": "L-1", "email": "ann@mail.example", "consent_given": true})).await.is(200);
    }
    house.work().await;
    sites::set(&house.app, other.id, "retention.inbox", "3", "test").await.expect("a clock");
    let bodies = |house: &House| house.count("inbox where body is not null");
    let payloads = |house: &House| house.count("deliveries where request is not null");
    house.advance_s(4 * DAY_S);
    house.retain().await;
    assert_eq!((bodies(&house), payloads(&house)), (1, 2), "the other site's owner wants bodies gone after three days");
    house.advance_s(27 * DAY_S);
    house.retain().await;
    assert_eq!((bodies(&house), payloads(&house)), (0, 0));
    // What was read stays, and so does the knowledge that it came.
    assert_eq!((house.count("inbox"), house.count("inbox_people"), house.count("leads"), house.count("deliveries")), (2, 0, 2, 2));
    let replay = house.list(&site, "inbox").await[0]["id"].as_str().expect("an id").to_owned();
    let answer = house
        .post(&format!("/api/sites/{}/inbox/{replay}/replay", site.slug))
        .token(&site.token)
        .json(&Value::Object(Default::default()))
        .send()
        .await;
    assert_eq!(answer.is(409).code(), "body_gone");
    assert!(house.count("audit") > 0);
    house.advance_s(366 * DAY_S);
    house.retain().await;
    assert_eq!(house.count("audit"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_while_much_is_removed() {
    let house = House::new();
    let site = short(&house).await;
    house.history(&site, None, 24 * 100, json!({"utm_source": "news", "utm_medium": "email"})).await;
    cube::catch_up(&house.app).await.expect("counted");
    let mut db = Connection::open(house.data().join(FILE)).expect("the file");
    let at = (crate::house::NOW_S - 100 * DAY_S) * 1_000;
    let tx = db.transaction().expect("a change");
    for n in 0..20_000_i64 {
        tx.execute(
            "insert into touches (site_id, session_id, seq, at, received_at, source, medium, landing, is_direct, starts_visit, marketing)
             values (1, 100000 + ?1, 1, ?2, ?2, 'news', 'email', '/', 0, 0, 'unknown')",
            [n, at],
        )
        .expect("a touch");
    }
    tx.commit().expect("stored");
    let app = house.app.clone();
    let removing = tokio::spawn(async move { retain::run(&app).await });
    let mut turns = 0;
    while !removing.is_finished() {
        house.app.store.write(site.id, |_| Ok(())).await.expect("a turn");
        turns += 1;
    }
    removing.await.expect("it ends").expect("removed");
    assert_eq!(house.count("touches"), 0);
    assert!(turns > 10, "others write between the steps: {turns} did");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readings_go_after_ninety_days_but_the_last_of_each_connection() {
    let house = House::new();
    let site = house.site("shop.example").await;
    let db = Connection::open(house.data().join(FILE)).expect("the file");
    let day_ms = DAY_S * 1_000;
    let now = crate::house::NOW_S * 1_000;
    // Connection, days ago, and whether it has ended.
    let runs = [(1, 200, true), (1, 120, true), (2, 110, true), (1, 95, true), (1, 10, true), (2, 100, false), (3, 400, true)];
    for (n, (connection, days, has_ended)) in (1_i64..).zip(runs) {
        let at = now - days * day_ms;
        db.execute(
            "insert into sync_runs (site_id, id, connection_id, platform, asked, status, began_at, ended_at)
             values (1, ?1, ?2, 'woocommerce', 'automatic', iif(?4 is null, 'running', 'success'), ?3, ?4)",
            rusqlite::params![n, connection, at, has_ended.then_some(at)],
        )
        .expect("a run");
    }
    let clock = async || {
        let all = house
            .get(&format!("/api/sites/{}/retention", site.slug))
            .cookie(&house.login("o@x.example", Right::Own, None).await)
            .send()
            .await;
        all.is(200).json["items"].as_array().expect("clocks").iter().find(|k| k["kind"] == "sync_runs").cloned().expect("it is there")
    };
    let before = clock().await;
    assert_eq!((&before["days"], before["oldest_at"].as_str().map(|t| t.starts_with("2025-11-25"))), (&json!(90), Some(true)), "{before}");
    house.retain().await;
    let left: Vec<i64> = {
        let mut asked = db.prepare("select id from sync_runs order by id").expect("a question");
        asked.query_map([], |row| row.get(0)).expect("rows").collect::<Result<_, _>>().expect("numbers")
    };
    // The last that ended of each, the one under way, and what is young.
    assert_eq!(left, [3, 5, 6, 7]);
}

/// What has a clock is called by its own words on the page that sets it.
#[test]
fn every_clock_has_words_on_its_page() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/pages/settings/privacy.js")).expect("the page");
    for kept in halotrack::domain::retention::KINDS {
        assert!(page.contains(&format!("{}: [\'", kept.kind)), "{}", kept.kind);
    }
}
