//! Less and less room: who is refused first, that nothing which was acknowledged is lost, and that all goes on by itself
//! when there is room again. And what else makes a server say that it is not ready.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use halotrack::disk::BALLAST_FILE;
use halotrack::domain::readiness::Worker;
use halotrack::domain::storage::BALLAST;
use halotrack::jobs::lookout;
use halotrack::{key, store};
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::house::{Answer, CHROME, House, SiteAt};
use crate::running::Running;
use crate::stand_in::{self, StandIn};

/// A house whose master key lies where the lookout looks for it.
async fn house() -> (House, SiteAt) {
    let house = House::new();
    key::open(&house.app.config.master_key_file, false).expect("a key is made");
    let site = house.site("shop.example").await;
    (house, site)
}

impl House {
    async fn look(&self) {
        lookout::look(&self.app).await.expect("a look");
    }

    async fn room_mib(&self, mib: u64) {
        self.room.is_mib(mib);
        self.look().await;
    }

    async fn ready(&self) -> (u16, String) {
        let answer = self.get("/readyz").send().await;
        (answer.status, answer.text)
    }
}

fn lead(n: usize) -> Value {
    json!({"lead_id": format!("L-{n}"), "email": format!("p{n}@mail.example"), "consent_given": true})
}

/// A refusal that a sender understands: nothing is stored, come again.
#[track_caller]
fn is_full(answer: Answer) {
    assert_eq!((answer.status, answer.header("retry-after")), (503, "5"), "{}: {}", answer.asked, answer.text);
    assert!(answer.text.contains("storage_full"), "{}: {}", answer.asked, answer.text);
}

async fn event(house: &House, site: &SiteAt, id: &str) -> Answer {
    let body = json!({"site": site.key, "name": "button_click"}).to_string();
    house.post("/api/event").browser(site).header("cookie", &format!("_halo={id}")).body(body).send().await
}

async fn identify(house: &House, site: &SiteAt, id: &str) -> Answer {
    let body = json!({"site": site.key, "email": "ann@mail.example"}).to_string();
    house.post("/api/identify").browser(site).header("cookie", &format!("_halo={id}")).body(body).send().await
}

async fn export(house: &House, site: &SiteAt) -> Answer {
    house.get(&format!("/api/sites/{}/leads.csv", site.slug)).token(&site.token).send().await
}

async fn edge(house: &House) -> Answer {
    let call = house.get("/api/edge").host("shop.example").header("user-agent", CHROME).header("accept", "text/html");
    call.header("x-original-uri", "/").header("sec-fetch-dest", "document").send().await
}

async fn leads(house: &House, site: &SiteAt) -> BTreeSet<String> {
    house.sql(site, "select external_lead_id from leads").iter().filter_map(|r| Some(r["external_lead_id"].as_str()?.to_owned())).collect()
}

#[tokio::test]
async fn each_level_refuses_a_little_more_and_all_comes_back() {
    let (house, site) = house().await;
    let forms = house.connect(&site, "forms", "", &[]).await;
    let id = house.visit(&site, None, json!({})).await;
    house.lead(&site, lead(1)).await.is(200);

    // Below 2 GiB: said, nothing refused.
    house.room_mib(2_047).await;
    assert!(house.get("/metrics").send().await.text.contains("halotrack_disk_level{level=\"low\"} 1\n"));
    house.touch(&site, Some(&id), json!({})).await.is(200);
    export(&house, &site).await.is(200);
    assert_eq!(house.ready().await, (200, "ok".into()));

    // Below 500 MiB: visits and exports wait, facts do not.
    house.room_mib(499).await;
    is_full(house.touch(&site, Some(&id), json!({})).await);
    is_full(event(&house, &site, &id).await);
    is_full(export(&house, &site).await);
    is_full(house.get("/api/conversions.csv").token(&site.token).send().await);
    edge(&house).await.is(204);
    house.lead(&site, lead(2)).await.is(200);
    identify(&house, &site, &id).await.is(204);
    assert_eq!(house.ready().await, (200, "ok".into()), "facts are taken");

    // Below 100 MiB: facts too. Whoever owns the box can still look and change.
    house.room_mib(99).await;
    is_full(house.lead(&site, lead(3)).await);
    is_full(house.order(&site, json!({"order_id": "1", "total": "5.00", "currency": "USD"})).await);
    is_full(house.conversion(&site, json!({"conversion_id": "C-1"})).await);
    is_full(house.post(&forms.hook).json(&lead(4)).send().await);
    is_full(house.post("/in/forms/nothing").json(&lead(4)).send().await);
    is_full(identify(&house, &site, &id).await);
    is_full(house.touch(&site, None, json!({})).await);
    edge(&house).await.is(204);
    assert_eq!(house.ready().await, (503, "storage_full".into()));
    house.get("/healthz").send().await.is(200);
    assert_eq!(house.list(&site, "leads").await.len(), 2);
    house.post(&format!("/api/sites/{}/connections/{}/pause", site.slug, forms.id)).token(&site.token).send().await.is(200);
    let owner = house.login("ann@shop.example", halotrack::domain::rights::Right::Own, None).await;
    house.get("/api/me").cookie(&owner).send().await.is(200);

    // Some room more than the level's own bound, and what was sent again is stored once.
    house.room_mib(101).await;
    is_full(house.lead(&site, lead(3)).await);
    house.room_mib(120).await;
    let told = house.lead(&site, lead(3)).await.is(200);
    assert_ne!(told.json["duplicate"], json!(true), "the refused one left nothing behind");
    is_full(house.touch(&site, Some(&id), json!({})).await);
    house.room_mib(4_096).await;
    house.touch(&site, Some(&id), json!({})).await.is(200);
    event(&house, &site, &id).await.is(204);
    export(&house, &site).await.is(200);
    assert_eq!(house.ready().await, (200, "ok".into()));
    assert_eq!(leads(&house, &site).await, ["L-1", "L-2", "L-3"].map(str::to_owned).into());
}

#[tokio::test]
async fn a_page_behind_a_full_disk_is_served_and_its_touch_dropped() {
    let (house, site) = house().await;
    house.room_mib(90).await;
    edge(&house).await.is(204);
    let counted = "halotrack_touches_dropped_total{what=\"storage_full\"} 1\n";
    for _ in 0..10_000 {
        if house.get("/metrics").send().await.text.contains(counted) {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(house.get("/metrics").send().await.text.contains(counted));
    assert!(house.sql(&site, "select 1 from sessions").is_empty());
}

#[tokio::test]
async fn a_data_folder_that_is_gone_takes_nothing() {
    let (house, site) = house().await;
    house.room.is_gone();
    house.look().await;
    let answer = house.lead(&site, lead(1)).await.is(503);
    assert!(answer.text.contains("storage_gone"), "{}", answer.text);
    assert_eq!(house.ready().await, (503, "storage_gone".into()));
    house.room_mib(4_096).await;
    house.lead(&site, lead(1)).await.is(200);
}

#[tokio::test]
async fn deliveries_wait_where_their_end_could_not_be_written() {
    let (house, site) = house().await;
    let receiver = StandIn::start(|_, _| stand_in::Answer::text(200, "thanks")).await;
    house.connect(&site, "webhook", "live", &[("url", &receiver.url())]).await;
    house.lead(&site, lead(1)).await.is(200);
    house.room_mib(99).await;
    assert_eq!((house.work().await, receiver.seen().len()), (0, 0));
    house.room_mib(400).await;
    assert_eq!((house.work().await, receiver.seen().len()), (1, 1));
    let page = house.get("/metrics").send().await.text;
    assert!(page.contains("halotrack_deliveries{state=\"delivered\"} 1\n"), "{page}");
    assert!(page.contains("halotrack_deliveries{state=\"pending\"} 0\n"), "{page}");
}

/// SQLite itself finds no room, which the file system did not foresee: a quota, somebody else's file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_without_room_is_refused_and_nothing_acknowledged_is_lost() {
    let (house, site) = house().await;
    let id = house.visit(&site, None, json!({})).await;
    pages_at_most(&house, "(select page_count + 24 from pragma_page_count)").await;
    let (house, site) = (Arc::new(house), Arc::new(site));
    let mut acknowledged = BTreeSet::new();
    let mut refused = BTreeSet::new();
    for round in 0..40 {
        let mut tasks = JoinSet::new();
        for n in round * 20..(round + 1) * 20 {
            let (house, site) = (house.clone(), site.clone());
            tasks.spawn(async move { (n, house.lead(&site, lead(n)).await) });
        }
        for (n, answer) in tasks.join_all().await {
            match answer.status {
                200 => drop(acknowledged.insert(format!("L-{n}"))),
                // A token asks ten times a second.
                429 => {}
                _ => {
                    is_full(answer);
                    refused.insert(n);
                }
            }
        }
        house.advance_s(3);
    }
    assert!(!acknowledged.is_empty() && refused.len() > 20, "{} taken, {} refused", acknowledged.len(), refused.len());
    assert_eq!(leads(&house, &site).await, acknowledged);
    assert_eq!(house.list(&site, "leads").await.len(), acknowledged.len(), "questions are answered");
    assert!(!house.app.store.figures().is_dead, "the writer lives");

    // Visits are no longer tried; facts are, each time.
    house.look().await;
    is_full(house.touch(&site, Some(&id), json!({})).await);
    let stays = house.get("/metrics").send().await.text;
    assert!(stays.contains("halotrack_disk_level{level=\"short\"} 1\n"), "{stays}");

    pages_at_most(&house, "4294967294").await;
    let n = *refused.first().expect("one was refused");
    house.advance_s(60);
    house.lead(&site, lead(n)).await.is(200);
    acknowledged.insert(format!("L-{n}"));
    for _ in 0..4 {
        house.look().await;
    }
    house.touch(&site, Some(&id), json!({})).await.is(200);
    assert_eq!(leads(&house, &site).await, acknowledged);
    let file = Connection::open(house.data().join(store::FILE)).expect("the file");
    let word: String = file.query_row("pragma integrity_check", [], |row| row.get(0)).expect("a look");
    assert_eq!(word, "ok");
}

/// The writer may use no more pages than that.
async fn pages_at_most(house: &House, most: &'static str) {
    let set = house.app.store.between_batches(move |conn| {
        let most: i64 = conn.query_row(&format!("select {most}"), [], |row| row.get(0)).expect("a number");
        conn.query_row(&format!("pragma max_page_count = {most}"), [], |row| row.get::<_, i64>(0)).expect("a limit");
        Ok(())
    });
    set.await.expect("the writer answers");
}

#[tokio::test]
async fn a_worker_that_falls_silent_is_missed() {
    for (worker, longest_s) in [(Worker::Clicks, 60), (Worker::Deliveries, 60), (Worker::Housekeeping, 300), (Worker::Lookout, 30)] {
        let (house, _) = house().await;
        house.advance_s(3_600);
        assert_eq!(house.ready().await, (200, "ok".into()), "none was started, none is missed");
        house.app.pulse.beat(worker);
        house.advance_s(longest_s);
        assert_eq!(house.ready().await, (200, "ok".into()), "{worker:?}");
        house.advance_s(1);
        assert_eq!(house.ready().await, (503, "workers".into()), "{worker:?}");
        let page = house.get("/metrics").send().await.text;
        let line = format!("halotrack_worker_silent_seconds{{worker=\"{}\"}} {}\n", worker.word(), longest_s + 1);
        assert!(page.contains(&line), "{page}");
        house.app.pulse.beat(worker);
        assert_eq!(house.ready().await, (200, "ok".into()));
    }
}

#[tokio::test]
async fn a_clock_before_the_first_version_is_suspicious() {
    let (house, _) = house().await;
    house.advance_s(-30 * 86_400);
    assert_eq!(house.ready().await, (503, "clock".into()));
    house.advance_s(30 * 86_400);
    assert_eq!(house.ready().await, (200, "ok".into()));
}

#[tokio::test]
async fn a_file_of_another_shape_is_not_ready() {
    let (house, _) = house().await;
    let turned = house.app.store.between_batches(|conn| {
        conn.pragma_update(None, "user_version", 99).expect("another version");
        Ok(())
    });
    turned.await.expect("the writer answers");
    assert_eq!(house.ready().await, (503, "migrations".into()));
}

#[test]
fn a_running_server_keeps_its_ballast_and_misses_its_key() {
    let mut server = Running::new("ballast");
    server.start();
    let ballast = server.folder.join("data").join(BALLAST_FILE);
    let laid = || std::fs::metadata(&ballast).ok().filter(|m| m.len() == BALLAST).map(|_| ());
    server.wait("a ballast", Duration::from_secs(20), laid);
    let page = server.get("/metrics", &[]).expect("an answer").text;
    for worker in Worker::ALL {
        assert!(page.contains(&format!("halotrack_worker_silent_seconds{{worker=\"{}\"}}", worker.word())), "{page}");
    }
    assert!(page.contains("halotrack_disk_ballast 1\n"), "{page}");

    std::fs::remove_file(&ballast).expect("it is deleted");
    server.wait("a new ballast, as there is room", Duration::from_secs(20), laid);

    let (key, away) = (server.folder.join("data.key"), server.folder.join("away"));
    std::fs::rename(&key, &away).expect("the key goes");
    let said = |word: &'static str| move |h: crate::running::Heard| (h.text == word).then_some(());
    server.wait("the key is missed", Duration::from_secs(10), || server.get("/readyz", &[]).and_then(said("key")));
    std::fs::rename(&away, &key).expect("the key comes back");
    server.wait("ready again", Duration::from_secs(10), || server.get("/readyz", &[]).and_then(said("ok")));
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_database_that_is_moved_away_is_missed() {
    let mut server = Running::new("moved");
    server.start();
    let file = server.folder.join("data").join(store::FILE);
    let away = server.folder.join("away");
    let said = |word: &'static str| move |h: crate::running::Heard| (h.text == word).then_some(());
    std::fs::rename(&file, &away).expect("it goes");
    server.wait("it is missed", Duration::from_secs(10), || server.get("/readyz", &[]).and_then(said("storage_gone")));
    std::fs::rename(&away, &file).expect("it comes back");
    server.wait("ready again", Duration::from_secs(10), || server.get("/readyz", &[]).and_then(said("ok")));
}

/// A running server with a site, and the headers of its token.
fn shop(name: &str) -> (Running, String, [(&'static str, String); 2]) {
    let server = Running::new(name);
    let site = server.cli(&["site", "add", "--name", "Shop", "--domain", "shop.example", "--currency", "USD"]);
    let site = site["site"].as_str().expect("a slug").to_owned();
    let token = server.cli(&["token", "create", "--site", &site, "--name", "t", "--scope", "read,write"]);
    let bearer = format!("Bearer {}", token["token"].as_str().expect("a token"));
    (server, site, [("authorization", bearer), ("content-type", "application/json".into())])
}

fn tell(server: &Running, headers: &[(&'static str, String); 2], n: usize) -> Option<u16> {
    let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
    server.post("/api/webhook/lead", &headers, lead(n).to_string().as_bytes()).map(|h| h.status)
}

/// A write fails in the middle of the work: not for want of room, so that nobody knows what is on disk.
#[test]
fn a_failing_disk_ends_the_server_and_nothing_acknowledged_is_lost() {
    let (mut server, site, headers) = shop("failing");
    server.limit_files(Some(3_000));
    server.start();
    let mut acknowledged = BTreeSet::new();
    let mut answers = Vec::new();
    for n in 0..3_000 {
        let answer = tell(&server, &headers, n);
        match answer {
            Some(200) => drop(acknowledged.insert(format!("L-{n}"))),
            // A token asks ten times a second.
            Some(429) => std::thread::sleep(Duration::from_millis(100)),
            _ => answers.push(answer),
        }
        if answers.len() == 5 || answer.is_none() {
            break;
        }
    }
    assert_eq!(answers.first(), Some(&Some(503)), "it is refused, not dropped: {answers:?}");
    assert!(acknowledged.len() > 5, "{acknowledged:?}");
    assert_eq!(server.ended(), Some(4), "{}", server.log());
    assert!(server.log().contains("Nothing more is taken"), "{}", server.log());
    assert_eq!(server.log().matches("ballast").count(), 1, "what cannot be laid is not tried all the time: {}", server.log());

    server.limit_files(None);
    server.start();
    let kept = server.sql(&site, "select external_lead_id from leads");
    let kept: BTreeSet<String> = kept.iter().filter_map(|r| Some(r["external_lead_id"].as_str()?.to_owned())).collect();
    assert!(acknowledged.is_subset(&kept), "lost: {:?}", acknowledged.difference(&kept));
    assert_eq!(server.stop(), Some(0));
}

/// Pages are overwritten under a running server: it stops acknowledging and ends with a code of its own.
#[test]
fn a_damaged_file_ends_the_server() {
    let (mut server, _, headers) = shop("damage");
    server.start();
    assert_eq!(tell(&server, &headers, 1), Some(200));

    overwrite(&server);
    let answers: Vec<Option<u16>> = (2..8).map(|n| tell(&server, &headers, n)).collect();
    assert!(!answers.contains(&Some(200)), "nothing is acknowledged any more: {answers:?}");
    assert!(answers.contains(&Some(503)), "and that is said: {answers:?}");
    assert_eq!(server.ended(), Some(4), "{}", server.log());
    assert!(server.log().contains("halotrack restore"), "{}", server.log());
}

/// Nobody tells anything: a question finds it.
#[test]
fn damage_that_a_reader_finds_ends_the_server_too() {
    let (mut server, site, headers) = shop("seen");
    server.start();
    assert_eq!(tell(&server, &headers, 1), Some(200));
    let bearer = [("authorization", headers[0].1.as_str())];
    let ask = |server: &Running| server.get(&format!("/api/sites/{site}/leads"), &bearer).map(|h| h.status);
    assert_eq!(ask(&server), Some(200));
    overwrite(&server);
    assert_eq!(ask(&server), Some(503));
    assert_eq!(server.ended(), Some(4), "{}", server.log());
}

/// Noise in place of all pages but the first. A change from outside makes everybody read them anew.
fn overwrite(server: &Running) {
    let file = server.folder.join("data").join(store::FILE);
    let other = Connection::open(&file).expect("the file");
    other.busy_timeout(Duration::from_secs(5)).expect("patience");
    other.execute_batch("create table outside (a); drop table outside; pragma wal_checkpoint(truncate);").expect("a change from outside");
    let length = std::fs::metadata(&file).expect("the file").len() as usize;
    let mut noise = std::fs::read(&file).expect("its bytes");
    noise[4_096..length].iter_mut().enumerate().for_each(|(n, b)| *b = (n * 31 + 7) as u8);
    std::fs::write(&file, &noise).expect("noise");
}

#[tokio::test]
async fn a_refusal_is_heard_where_visits_are_not() {
    let (house, site) = house().await;
    let receiver = StandIn::start(|_, _| stand_in::Answer::text(200, "ok")).await;
    house.connect(&site, "webhook", "live", &[("url", &receiver.url())]).await;
    let id = house.visit(&site, None, json!({"utm_source": "news"})).await;
    house.order(&site, json!({"order_id": "1", "total": "9.00", "currency": "USD", "session_id": id})).await.is(200);
    house.room_mib(400).await;
    is_full(house.touch(&site, Some(&id), json!({})).await);
    let refused = house.touch(&site, Some(&id), json!({"consent": "denied"})).await.is(200);
    assert_eq!(refused.json, json!({"session_id": null}));
    house.work().await;
    assert_eq!((receiver.seen().len(), &house.delivery(&site).await["reason"]), (0, &json!("consent")));
}
