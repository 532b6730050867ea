//! Lists of platforms are read when their owner says, by the clocks that are named, once for each time that came, whatever
//! the clock of the server does; a reading tells what it brought, can be stopped, and is missed when it does not come.

use std::sync::atomic::Ordering;

use halotrack::domain::ids::{ConnectionId, SyncRunId};
use halotrack::domain::rights::Right;
use halotrack::domain::time::{Time, Zone};
use halotrack::flows::{connections, pull, syncs};
use halotrack::jobs::{puller, watchdog};
use halotrack::store::sync_runs::{self, Asked, SyncRun, Wanted};
use serde_json::{Value, json};

use crate::house::{House, SiteAt};
use crate::shops::keys;
use crate::stand_in::{Answer, Gate};
use crate::woo_shop::WooShop;

const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 24 * HOUR_S;

/// A shop whose list is read by this schedule, read for the first time.
async fn shop_with(house: &House, schedule: &str, zone: &str) -> (SiteAt, WooShop, ConnectionId) {
    let shop = WooShop::start().await;
    let site = house.site_with("shop.example", |new| new.zone = Zone::parse("Europe/Prague").expect("a zone")).await;
    let url = shop.url();
    let mut settings = keys(&url).to_vec();
    settings.extend([("schedule", schedule), ("schedule_zone", zone)]);
    let connected = house.connect(&site, "woocommerce", "shadow", &settings).await;
    house.pull().await;
    (site, shop, connected.id.parse().expect("an id"))
}

impl House {
    async fn runs(&self, site: &SiteAt) -> Vec<SyncRun> {
        self.app.store.read(site.id, |c| sync_runs::list(c, Wanted::default(), 10_000)).await.expect("read")
    }

    async fn schedule(&self, site: &SiteAt) -> Value {
        let all = self.get(&format!("/api/sites/{}/schedules", site.slug)).token(&site.token).send().await.is(200).json;
        all["items"][0].clone()
    }

    /// When the next reading is planned, in UTC.
    async fn next_at(&self, site: &SiteAt) -> String {
        let next = self.schedule(site).await["next_at"].as_str().and_then(Time::parse);
        next.map(Time::utc).unwrap_or_default()
    }

    fn set_clock(&self, to: &str) {
        let to = Time::parse(to).expect("a time");
        self.clock.advance_ms(to.ms_since(self.clock.now()));
    }
}

#[tokio::test]
async fn a_schedule_is_looked_at_set_and_in_force_at_once() {
    let house = House::new();
    let (site, _shop, id) = shop_with(&house, "", "").await;
    let editor = house.login("ed@shop.example", Right::Edit, Some(site.id)).await;
    let reader = house.login("rita@shop.example", Right::Read, Some(site.id)).await;
    let path = format!("/api/sites/{}/connections/{id}/schedule", site.slug);
    assert_eq!(house.next_at(&site).await, "2026-06-13T09:35:00Z", "a quarter of an hour, where nothing is said");
    assert_eq!(house.schedule(&site).await["usual_every_s"], json!(900));
    let post = |path: String, cookie: String, body: Value| {
        let house = &house;
        async move { house.post(&path).cookie(&cookie).json(&body).send().await }
    };
    // What would come is shown in the site's zone, and changes nothing.
    let wish = json!({"schedule": "30 18 * * *", "schedule_zone": "site"});
    let shown = post(format!("{path}/preview"), editor.clone(), wish.clone()).await.is(200).json;
    let days = ["2026-06-13T18:30:00+02:00", "2026-06-14T18:30:00+02:00", "2026-06-15T18:30:00+02:00"];
    assert_eq!((&shown["next"], &shown["zone"]), (&json!(days), &json!("Europe/Prague")));
    assert_eq!(house.next_at(&site).await, "2026-06-13T09:35:00Z");
    // Set, it holds from now on.
    let set = post(path.clone(), editor.clone(), wish.clone()).await.is(200).json;
    assert_eq!(set["next_at"], json!(days[0]));
    let line = house.schedule(&site).await;
    assert_eq!(
        (&line["schedule"], &line["schedule_zone"], &line["zone"]),
        (&json!("30 18 * * *"), &json!("site"), &json!("Europe/Prague"))
    );
    house.advance_s(7 * HOUR_S);
    house.pull().await;
    assert_eq!(house.runs(&site).await.len(), 1, "hooks are looked at, the list is not read yet");
    house.advance_s(11 * 60);
    house.pull().await;
    assert_eq!(house.runs(&site).await.len(), 2);
    // The site moves: its clocks do.
    let owner = house.login("ann@shop.example", Right::Own, Some(site.id)).await;
    house.post(&format!("/api/sites/{}/settings", site.slug)).cookie(&owner).json(&json!({"zone": "Asia/Dubai"})).send().await.is(200);
    assert_eq!(house.next_at(&site).await, "2026-06-14T14:30:00Z");
    // Every so many hours, counted from now; and as it usually is.
    post(path.clone(), editor.clone(), json!({"schedule": "every 6 hours"})).await.is(200);
    let next = house.clock.now().plus_ms(6 * HOUR_S * 1_000).utc();
    assert_eq!(house.next_at(&site).await, next);
    post(path.clone(), editor.clone(), json!({"schedule": "", "schedule_zone": ""})).await.is(200);
    assert_eq!(house.schedule(&site).await["schedule"], Value::Null);
    // What cannot be is named, with its remedy.
    for (body, field, word) in [
        (json!({"schedule": "30 25 * * *"}), "schedule", "hour"),
        (json!({"schedule": "* * * * *"}), "schedule", "5 minutes"),
        (json!({"schedule": "every 200 hours"}), "schedule", "168"),
        (json!({"schedule": "0 0 30 2 *"}), "schedule", "No such day"),
        (json!({"schedule": "30 18 * * *", "schedule_zone": "Prague"}), "schedule_zone", "Europe/Prague"),
        (json!({"schedule": 7}), "schedule", "text"),
        (json!({}), "schedule", "every 6 hours"),
    ] {
        for path in [path.clone(), format!("{path}/preview")] {
            let refused = post(path, editor.clone(), body.clone()).await.is(422).json;
            assert_eq!(refused["error"]["field"], json!(field), "{body}: {refused}");
            assert!(refused["error"]["message"].as_str().is_some_and(|m| m.contains(word)), "{body}: {refused}");
        }
    }
    post(path.clone(), reader, wish.clone()).await.is(403);
    let forms = house.connect(&site, "forms", "", &[]).await;
    post(format!("/api/sites/{}/connections/{}/schedule", site.slug, forms.id), editor.clone(), wish.clone()).await.is(422);
    let other = house.site("other.example").await;
    post(format!("/api/sites/{}/connections/{id}/schedule", other.slug), owner, wish).await.is(404);
}

#[tokio::test]
async fn what_was_missed_is_made_up_for_once() {
    let house = House::new();
    let (site, shop, _) = shop_with(&house, "0 * * * *", "").await;
    shop.books().place(house.clock.now().plus_ms(60_000), "10.00", json!({}));
    // Five days without power: a hundred and twenty hours came and went.
    house.advance_s(5 * DAY_S);
    house.pull().await;
    let runs = house.runs(&site).await;
    assert_eq!((runs.len(), runs[0].tally.created), (2, 1), "{runs:?}");
    assert_eq!(house.next_at(&site).await, "2026-06-18T10:00:00Z");
    house.pull().await;
    assert_eq!(house.runs(&site).await.len(), 2);
}

#[tokio::test]
async fn a_clock_that_jumps_neither_doubles_a_reading_nor_loses_one() {
    let house = House::new();
    let (site, _shop, _) = shop_with(&house, "30 18 * * *", "").await;
    for (what, jump_s, most) in [
        ("forty days on", 40 * DAY_S, 1),
        ("and back", -40 * DAY_S, 0),
        ("an hour back", -HOUR_S, 0),
        ("ten years back", -3_652 * DAY_S, 0),
        ("and on again", 3_652 * DAY_S, 1),
    ] {
        let before = house.runs(&site).await.len();
        house.advance_s(jump_s);
        house.pull().await;
        house.pull().await;
        let came = house.runs(&site).await.len() - before;
        assert!(came <= most, "{what}: {came} readings");
        // From then on it comes each day, and on each day once.
        let day = house.clock.now().plus_ms(-house.clock.now().ms().rem_euclid(DAY_S * 1_000) + DAY_S * 1_000);
        house.clock.advance_ms(day.ms_since(house.clock.now()));
        house.pull().await;
        for n in 0..3 {
            let before = house.runs(&site).await.len();
            for _ in 0..24 {
                house.advance_s(HOUR_S);
                house.pull().await;
            }
            assert_eq!(house.runs(&site).await.len() - before, 1, "{what}: day {n} after it");
        }
    }
    // A clock that is pulled on second by second.
    let before = house.runs(&site).await.len();
    let to = house.next_at(&site).await;
    house.set_clock(&to);
    house.advance_s(-500);
    for _ in 0..1_000 {
        house.advance_s(1);
        if house.clock.now().s() % 50 == 0 {
            house.pull().await;
        }
    }
    assert_eq!(house.runs(&site).await.len() - before, 1);
}

#[tokio::test]
async fn a_clock_that_was_wrong_hides_no_order() {
    let house = House::new();
    let (site, shop, _) = shop_with(&house, "0 * * * *", "").await;
    let right = house.clock.now();
    house.advance_s(40 * DAY_S);
    house.pull().await;
    house.advance_s(-40 * DAY_S);
    house.pull().await;
    shop.books().place(right.plus_ms(10_000), "10.00", json!({}));
    house.advance_s(HOUR_S);
    house.pull().await;
    assert_eq!(house.net(&site).await, 1_000);
}

#[tokio::test]
async fn each_night_of_a_clock_change_has_one_reading() {
    for (from, first, second) in [
        // 02:00 to 03:00 is skipped on 28 March 2027, and comes twice on 25 October 2026.
        ("2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"),
        ("2027-03-27T12:00:00Z", "2027-03-28T01:00:00Z", "2027-03-29T00:30:00Z"),
    ] {
        let house = House::new();
        let (site, _shop, _) = shop_with(&house, "30 2 * * *", "site").await;
        house.set_clock(from);
        house.pull().await;
        let before = house.runs(&site).await.len();
        for _ in 0..96 {
            house.advance_s(30 * 60);
            house.pull().await;
        }
        let runs = house.runs(&site).await;
        let began: Vec<String> = runs[..runs.len() - before].iter().rev().map(|r| r.began_at.utc()).collect();
        assert_eq!(began, [first, second]);
    }
}

#[tokio::test]
async fn a_reading_that_is_late_is_told_of_and_a_waker_that_sleeps_is_begun_anew() {
    let house = House::new();
    let (site, _shop, id) = shop_with(&house, "0 * * * *", "").await;
    let editor = house.login("ed@shop.example", Right::Edit, Some(site.id)).await;
    let look = async || watchdog::look(&house.app).await.expect("a look");
    let needs = async || house.get(&format!("/api/sites/{}/needs", site.slug)).cookie(&editor).send().await.is(200).json;
    // Due at ten, and nobody comes for it: late once the next one has passed too, and told after some minutes of that.
    house.set_clock("2026-06-13T11:00:00Z");
    look().await;
    assert_eq!(needs().await["late"], json!([]));
    house.advance_s(1);
    look().await;
    assert_eq!(needs().await["late"], json!([]), "it may be made up for at this very moment");
    house.advance_s(300);
    look().await;
    let told = needs().await["late"].clone();
    assert_eq!((&told[0]["connection"], &told[0]["due_at"]), (&json!(id), &json!("2026-06-13T12:00:00+02:00")), "{told}");
    assert_eq!(house.schedule(&site).await["is_late"], json!(true));
    assert!(house.get("/metrics").send().await.is(200).text.contains("halotrack_pulls_late 1"));
    house.pull().await;
    look().await;
    assert_eq!(needs().await["late"], json!([]));
    // The waker's word comes every five seconds; it is begun anew after a minute, and told of where that does not help.
    house.app.watch.wake(house.clock.uptime_ms());
    house.advance_s(60);
    look().await;
    assert_eq!(house.app.watch.stops(), 0);
    house.advance_s(1);
    look().await;
    assert_eq!(house.app.watch.stops(), 1);
    assert_eq!(needs().await["waker"], Value::Null);
    house.advance_s(600);
    look().await;
    assert_eq!(needs().await["waker"], json!({"silent_minutes": 11}));
    house.get("/readyz").send().await.is(200);
    // Who is paused is not missed.
    house.advance_s(3 * HOUR_S);
    connections::pause(&house.app, Some(site.id), id, "test").await.expect("paused");
    look().await;
    house.advance_s(600);
    look().await;
    assert_eq!(needs().await["late"], json!([]));
}

/// Two hundred and fifty orders; after the first page the shop wants to be left alone for a while.
async fn half_read(house: &House) -> (SiteAt, WooShop, ConnectionId) {
    let (site, shop, id) = shop_with(house, "0 * * * *", "").await;
    let now = house.clock.now();
    for n in 0..250 {
        shop.books().place(now.plus_ms((n - 250) * 60_000), "10.00", json!({}));
    }
    shop.books().meanwhile.push_back(Box::new(|books| books.instead.push_back(Answer::text(429, "slow").with("retry-after", "600"))));
    house.set_clock("2026-06-13T10:00:00Z");
    house.pull().await;
    assert_eq!(house.net(&site).await, 100_000, "one page of three");
    (site, shop, id)
}

#[tokio::test]
async fn a_reading_is_stopped_and_the_next_one_goes_on_where_it_was() {
    let house = House::new();
    let (site, shop, _) = half_read(&house).await;
    let reader = house.login("rita@shop.example", Right::Read, Some(site.id)).await;
    let base = format!("/api/sites/{}/runs", site.slug);
    let running = house.list(&site, "runs?status=running").await;
    assert_eq!(running.len(), 1, "{running:?}");
    let run = running[0].clone();
    let name = run["run"].as_str().expect("a name").to_owned();
    assert_eq!(
        (&run["pages"], &run["processed"], &run["created"], &run["asked"]),
        (&json!(1), &json!(100), &json!(100), &json!("automatic"))
    );
    // Its list goes by time: of some four hours a part lies behind. How long it has to wait is told as well.
    let share = run["progress"]["share_bp"].as_i64().expect("a share");
    assert!((1..10_000).contains(&share), "{run}");
    assert_eq!(run["progress"]["waits_until"], json!("2026-06-13T12:10:00+02:00"));
    house.post(&format!("{base}/{name}/cancel")).cookie(&reader).json(&json!({})).send().await.is(403);
    let stopped = house.post(&format!("{base}/{name}/cancel")).token(&site.token).json(&json!({})).send().await.is(200).json;
    assert_eq!((&stopped["status"], &stopped["created"], &stopped["errors"]), (&json!("cancelled"), &json!(100), &json!(0)), "{stopped}");
    assert!(stopped["messages"][0].as_str().is_some_and(|m| m.contains("goes on from there")), "{stopped}");
    let again = house.post(&format!("{base}/{name}/cancel")).token(&site.token).json(&json!({})).send().await.is(409);
    assert_eq!(again.code(), "run_has_ended");
    house.post(&format!("{base}/run_999/cancel")).token(&site.token).json(&json!({})).send().await.is(404);
    // Nothing more until its time; then the other two pages, and none twice.
    house.advance_s(1_200);
    house.pull().await;
    assert_eq!((house.net(&site).await, house.next_at(&site).await), (100_000, "2026-06-13T11:00:00Z".into()));
    let asked = shop.asked().len();
    house.set_clock("2026-06-13T11:00:00Z");
    house.pull().await;
    assert_eq!(house.net(&site).await, 250_000);
    let last = house.list(&site, "runs").await[0].clone();
    assert_eq!((&last["status"], &last["created"]), (&json!("success"), &json!(150)), "{last}");
    assert!(shop.asked().len() - asked < 8, "it did not begin anew");
}

#[tokio::test]
async fn a_reading_at_which_somebody_is_stops_before_its_next_page() {
    let house = House::new();
    let (site, shop, id) = shop_with(&house, "0 * * * *", "").await;
    let now = house.clock.now();
    for n in 0..250 {
        shop.books().place(now.plus_ms((n - 250) * 60_000), "10.00", json!({}));
    }
    let gate = Gate::closed();
    let held = gate.clone();
    shop.books().meanwhile.push_back(Box::new(move |books| books.instead.push_back(Answer::Held(held))));
    house.set_clock("2026-06-13T10:00:00Z");
    let app = house.app.clone();
    let reading = tokio::spawn(async move { pull::run_as(&app, id, Asked::Manual).await });
    while gate.waiting.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    // Nobody else reads it meanwhile, by hand or by its schedule.
    let own = house.app.book().site(site.id).cloned().expect("the site");
    let refused = syncs::run(&house.app, &own, syncs::connections_of(&house.app, &own, "woocommerce"), false).await;
    assert_eq!(refused.err().expect("refused").code, "run_in_progress");
    let app = house.app.clone();
    let second = tokio::spawn(async move { puller::drain(&app).await });
    let runs = house.runs(&site).await;
    assert_eq!((runs[0].status.as_str(), runs[0].asked.as_str()), ("running", "manual"));
    let stop = format!("/api/sites/{}/runs/{}/cancel", site.slug, runs[0].id);
    let told = house.post(&stop).token(&site.token).json(&json!({})).send().await.is(202).json;
    assert_eq!(told["status"], json!("running"));
    gate.turns.add_permits(100);
    reading.await.expect("no panic").expect("it ends");
    second.await.expect("no panic").expect("it ends");
    assert_eq!(gate.most.load(Ordering::SeqCst), 1, "one at a time");
    let run = house.runs(&site).await.into_iter().find(|r| r.id == runs[0].id).expect("the run");
    assert_eq!((run.status.as_str(), run.tally.created, run.tally.pages), ("cancelled", 100, 1), "{run:?}");
}

#[tokio::test]
async fn what_a_killed_server_had_under_way_is_told_as_broken_off_and_gone_on_with() {
    let house = House::new();
    let (site, _shop, _) = half_read(&house).await;
    let first: SyncRunId = house.runs(&site).await[0].id;
    // The same data, in another run of the process.
    let again = house.again();
    assert_eq!(syncs::settle(&again.app).await.expect("settled"), 1);
    let broken = again.list(&site, "runs?status=broken_off").await;
    assert_eq!((broken.len(), &broken[0]["run"]), (1, &json!(first)), "{broken:?}");
    assert!(broken[0]["messages"][0].as_str().is_some_and(|m| m.contains("stopped before the end")), "{broken:?}");
    house.advance_s(600);
    again.pull().await;
    assert_eq!(again.net(&site).await, 250_000);
    let runs = again.runs(&site).await;
    assert_eq!((runs[0].status.as_str(), runs[0].tally.created), ("success", 150), "{runs:?}");
    assert_eq!(syncs::settle(&again.app).await.expect("settled"), 0);
}

#[tokio::test]
async fn runs_are_listed_narrowed_and_told_one_by_one() {
    let house = House::new();
    let (site, shop, id) = shop_with(&house, "0 * * * *", "").await;
    for _ in 0..4 {
        house.advance_s(HOUR_S);
        house.pull().await;
    }
    shop.books().instead.push_back(Answer::text(503, "maintenance"));
    house.post(&format!("/api/sites/{}/connections/{id}/pull", site.slug)).token(&site.token).json(&json!({})).send().await.is(200);
    house.pull().await;
    let all = house.list(&site, "runs").await;
    let word = |n: usize, key: &str| all[n][key].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        (all.len(), word(0, "status"), word(0, "asked"), word(1, "asked")),
        (6, "failed".into(), "manual".into(), "automatic".into())
    );
    for (filter, want) in [
        ("status=failed", 1),
        ("status=!failed", 5),
        ("status=failed&status=success", 6),
        (&format!("connection={id}&status=success"), 5),
        (&format!("connection=!{id}"), 0),
        ("connection=con_99", 0),
    ] {
        assert_eq!(house.list(&site, &format!("runs?{filter}")).await.len(), want, "{filter}");
    }
    let base = format!("/api/sites/{}/runs", site.slug);
    for bad in ["status=lost", "connection=x", "cursor=x", "limit=0"] {
        house.get(&format!("{base}?{bad}")).token(&site.token).send().await.is(400);
    }
    let page = house.get(&format!("{base}?limit=2&status=success")).token(&site.token).send().await.is(200).json;
    assert_eq!((page["items"].as_array().map(Vec::len), page["next"].is_string()), (Some(2), true), "{page}");
    let one = house.get(&format!("{base}/{}", word(0, "run"))).token(&site.token).send().await.is(200).json;
    assert_eq!((&one["errors"], &one["usual"]["of"]), (&json!(1), &json!(5)), "{one}");
    let other = house.site("other.example").await;
    house.get(&format!("/api/sites/{}/runs/{}", other.slug, word(0, "run"))).token(&other.token).send().await.is(404);
    let client = house.login("cleo@shop.example", Right::See, Some(site.id)).await;
    house.get(&base).cookie(&client).send().await.is(403);
}
