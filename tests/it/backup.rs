//! Backups: made while the server works, proven before they are called so, put back whole or not at all.

/// Who was erased since.
mod erased;
/// The process dies at every named moment.
mod killed;
/// Each night, and what the owner is shown.
mod nights;
/// What is refused: bad files, wrong keys, full disks.
mod refused;
/// In a real browser.
mod shown;

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use halotrack::domain::ids::DeliveryId;
use halotrack::flows::restore::{Release, settle};
use halotrack::store::deliveries;
use serde_json::{Value, json};

use crate::house::House;
use crate::running::{self, Running};
use crate::stand_in::{Answer, StandIn};

/// A server with a site that takes leads from its forms.
struct Shop {
    server: Running,
    site: String,
    secret: String,
}

impl Shop {
    fn new(name: &str) -> Self {
        Self::of(Running::new(name))
    }

    fn of(server: Running) -> Self {
        let site = server.cli(&["site", "add", "--name", "Shop", "--domain", "shop.example", "--consent", "opt-out"]);
        let site = site["site"].as_str().expect("a slug").to_owned();
        let forms = server.cli(&["connection", "add", "--site", &site, "--platform", "forms"]);
        Self { secret: forms["secret"].as_str().expect("a secret").to_owned(), site, server }
    }

    fn lead(&self, id: &str) {
        assert_eq!(told(&self.server, &self.secret, id), Some(200), "{}", self.server.log());
    }

    /// Ids of the leads that are there.
    fn leads(&self) -> BTreeSet<String> {
        let rows = self.server.sql(&self.site, "select external_lead_id as id from leads");
        rows.iter().filter_map(|r| r["id"].as_str().map(str::to_owned)).collect()
    }

    fn data(&self) -> PathBuf {
        self.server.folder.join("data")
    }

    fn file(&self, name: &str) -> String {
        self.server.folder.join(name).display().to_string()
    }

    /// Exit code and the line of a command.
    fn ends(&self, args: &[&str]) -> (i32, String) {
        let done = self.server.command(args).output().expect("the command runs");
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        if !done.status.success() {
            assert_eq!(said.trim_end().lines().count(), 1, "one line: {said}");
        }
        (done.status.code().unwrap_or(-1), said)
    }
}

fn told(server: &Running, secret: &str, id: &str) -> Option<u16> {
    let body = json!({"lead_id": id, "email": format!("{id}@mail.example"), "consent_given": true}).to_string();
    let headers = [("content-type", "application/json"), ("x-webhook-secret", secret)];
    running::send(server.address(), "POST", "/api/webhook/lead", &headers, body.as_bytes()).map(|h| h.status)
}

fn set(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

/// Names in a folder.
fn names(folder: &Path) -> BTreeSet<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return BTreeSet::new() };
    entries.flatten().filter_map(|e| e.file_name().into_string().ok()).collect()
}

#[test]
fn a_backup_under_load_brings_back_all_that_was_answered() {
    let mut shop = Shop::new("load");
    shop.server.start();
    let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(BTreeSet::new())));
    let file = shop.file("copy.backup");
    let before = std::thread::scope(|scope| {
        for n in 0..3 {
            let (shop, stop, acknowledged) = (&shop, stop.clone(), acknowledged.clone());
            scope.spawn(move || {
                for k in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let id = format!("L-{n}-{k}");
                    if told(&shop.server, &shop.secret, &id) == Some(200) {
                        acknowledged.lock().expect("nobody panics with it").insert(id);
                    }
                }
            });
        }
        let count = || acknowledged.lock().expect("nobody panics with it").len();
        shop.server.wait("some load", Duration::from_secs(30), || (count() > 30).then_some(()));
        let before = acknowledged.lock().expect("nobody panics with it").clone();
        let made = shop.server.cli(&["backup", "--to", &file]);
        assert_eq!(made["checked"], json!(true));
        assert!(made["rows"].as_i64().is_some_and(|n| n > 0), "{made}");
        let then = count();
        shop.server.wait("more load", Duration::from_secs(30), || (count() > then + 5).then_some(()));
        stop.store(true, Ordering::Relaxed);
        before
    });
    let all = acknowledged.lock().expect("they ended").clone();
    assert_eq!(shop.leads(), all, "the server went on");
    assert_eq!(std::fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);

    // The key is in no backup, in no shape.
    let raw = std::fs::read(&file).expect("a file");
    let key = std::fs::read_to_string(shop.server.folder.join("data.key")).expect("a key");
    let hex = key.lines().find(|l| !l.starts_with('#')).expect("its digits").trim();
    let bytes = halotrack::crypto::unhex(hex).expect("hex");
    for needle in [hex.as_bytes(), &bytes, shop.secret.as_bytes()] {
        assert!(!raw.windows(needle.len()).any(|w| w == needle), "the key or a secret is in the backup");
    }

    let (code, said) = shop.ends(&["restore", &file]);
    assert_eq!(code, 3, "beside a running server: {said}");
    assert_eq!(shop.server.stop(), Some(0));
    let done = shop.server.cli(&["restore", &file]);
    let replaced = PathBuf::from(done["replaced"].as_str().expect("the old one is kept"));
    assert!(replaced.is_file(), "{done}");
    shop.server.start();
    let restored = shop.leads();
    assert!(before.is_subset(&restored), "missing: {:?}", before.difference(&restored).collect::<Vec<_>>());
    assert!(restored.is_subset(&all) && restored.len() < all.len(), "{} of {}", restored.len(), all.len());
    shop.lead("L-new");
    assert!(shop.leads().contains("L-new"));
    // A prefix of each sender's row of leads: nothing is missing in between.
    for n in 0..3 {
        let mine: Vec<u32> = restored.iter().filter_map(|id| id.strip_prefix(&format!("L-{n}-"))?.parse().ok()).collect();
        assert_eq!(mine.len() as u32, mine.iter().max().map_or(0, |m| m + 1), "sender {n}");
    }
}

#[test]
fn a_backup_is_made_without_a_server_and_restored_on_another_machine() {
    let shop = Shop::new("alone");
    let made = shop.server.cli(&["backup"]);
    let file = PathBuf::from(made["backup"].as_str().expect("a file"));
    assert_eq!(file.parent(), Some(shop.data().join("backups").as_path()), "it has a folder of its own");
    assert_eq!(names(&shop.data().join("backups")).len(), 1, "nothing lies beside it");
    // SQLite reads the file as it is, and no other tool is needed to look into it.
    let conn = rusqlite::Connection::open_with_flags(&file, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).expect("a database");
    let name: String = conn.query_row("select name from sites", [], |row| row.get(0)).expect("a site");
    assert_eq!(name, "Shop");

    let other = Running::new("elsewhere");
    std::fs::copy(shop.server.folder.join("data.key"), other.folder.join("data.key")).expect("the key is brought along");
    let text = other.command(&["restore", &file.display().to_string()]).output().expect("it runs");
    assert!(text.status.success(), "{}", String::from_utf8_lossy(&text.stderr));
    assert!(String::from_utf8_lossy(&text.stdout).contains("is in place"), "{}", String::from_utf8_lossy(&text.stdout));
    assert_eq!(other.cli(&["site", "list"])[0]["name"], json!("Shop"));
    assert!(!other.folder.join("data/restoring").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_an_older_queue_is_sent_before_it_is_released() {
    let busy = Arc::new(AtomicBool::new(true));
    let is_busy = busy.clone();
    let receiver = StandIn::start(move |_, _| match is_busy.load(Ordering::Relaxed) {
        true => Answer::text(503, "later").with("retry-after", "4"),
        false => Answer::text(200, "thanks"),
    })
    .await;
    let url = format!("url={}/hook", receiver.url());
    let seen = receiver.clone();
    tokio::task::spawn_blocking(move || {
        let server = Running::new("held").with_env("HALOTRACK_OUTBOUND_ALLOW", "127.0.0.0/8").with_env("HALOTRACK_RETRY_SCALE", "0.001");
        let mut shop = Shop::of(server);
        let site = shop.site.clone();
        shop.server.cli(&["connection", "add", "--site", &site, "--platform", "webhook", "--mode", "live", "--set", &url]);
        let token = shop.server.cli(&["token", "create", "--site", &site, "--name", "x", "--scope", "read,write"]);
        let bearer = format!("Bearer {}", token["token"].as_str().expect("a token"));
        shop.server.start();
        shop.lead("L-1");
        shop.server.wait("a first attempt", Duration::from_secs(10), || (seen.seen().len() == 1).then_some(()));
        let file = shop.file("copy.backup");
        shop.server.cli(&["backup", "--to", &file]);
        busy.store(false, Ordering::Relaxed);

        let held = |shop: &Shop| {
            let heard = shop.server.get(&format!("/api/sites/{site}/outbox"), &[("authorization", &bearer)]).expect("an answer");
            assert_eq!(heard.status, 200, "{}", heard.text);
            heard.json()["held"].clone()
        };
        assert_eq!(held(&shop), json!(0));
        shop.server.stop();
        let done = shop.server.cli(&["restore", &file]);
        assert_eq!(done["held"], json!(1), "{done}");
        shop.server.start();
        // What is new goes out at once, what is old does not.
        shop.lead("L-2");
        shop.server.wait("the new one", Duration::from_secs(20), || (seen.seen().len() == 2).then_some(()));
        std::thread::sleep(Duration::from_millis(1_500));
        let ids: Vec<Value> = seen.seen().iter().map(|s| s.json()["data"]["event_id"].clone()).collect();
        assert_eq!(ids.len(), 2, "nothing old was sent");
        assert_ne!(ids[0], ids[1]);
        assert_eq!(held(&shop), json!(1));

        let released = shop.server.cli(&["outbox", "release", "--site", &site, "--since", "2099-01-01"]);
        assert_eq!(released, json!({"released": 0, "still_held": 1}));
        let path = format!("/api/sites/{site}/outbox/release");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let heard = shop.server.post(&path, &headers, br#"{"since":"soon"}"#).expect("an answer");
        assert_eq!(heard.status, 422, "{}", heard.text);
        let heard = shop.server.post(&path, &headers, b"{}").expect("an answer");
        assert_eq!(heard.json(), json!({"released": 1, "still_held": 0}));
        shop.server.wait("the old one", Duration::from_secs(10), || (seen.seen().len() == 3).then_some(()));
        assert_eq!(seen.seen()[2].json()["data"]["event_id"], ids[0], "under its old name");
        assert_eq!(held(&shop), json!(0));

        // The same file once more, and everything may go.
        shop.server.stop();
        assert_eq!(shop.server.cli(&["restore", &file, "--release", "all"])["held"], json!(0));
        let (code, said) = shop.ends(&["restore", &file, "--release", "some"]);
        assert_eq!(code, 2, "{said}");
    })
    .await
    .expect("the story ends");
}

#[tokio::test]
async fn the_last_day_may_go_at_once() {
    let receiver = StandIn::start(|_, _| Answer::text(200, "thanks")).await;
    let house = House::new();
    let site = house.site("shop.example").await;
    house.connect(&site, "webhook", "live", &[("url", &format!("{}/hook", receiver.url()))]).await;
    let lead = |id: &str| json!({"lead_id": id, "email": format!("{id}@mail.example"), "consent_given": true});
    house.lead(&site, lead("old")).await.is(200);
    house.advance_s(25 * 3_600);
    house.lead(&site, lead("new")).await.is(200);
    let cookie = house.login("ann@shop.example", halotrack::domain::rights::Right::Own, None).await;
    house.get("/api/me").cookie(&cookie).send().await.is(200);
    let settled = settle(&house.app, Release::LastDay, "2026-06-13T00:00:00Z").await.expect("settled");
    assert_eq!((settled.held, settled.erased), (1, 0));
    let read = |id: i64| house.app.store.read(site.id, move |c| deliveries::find(c, DeliveryId::new(id)));
    let states: Vec<(String, Option<String>)> =
        [read(1).await, read(2).await].into_iter().map(|d| d.expect("a read").expect("a delivery")).map(|d| (d.state, d.reason)).collect();
    assert_eq!(states, [("held".into(), Some("restored".into())), ("pending".into(), None)]);
    // Whoever signed out since the backup must not be signed in by it.
    house.get("/api/me").cookie(&cookie).send().await.is(401);
    let listed = house.get(&format!("/api/sites/{}/audit", site.slug)).token(&site.token).send().await.is(200).json;
    assert!(listed.to_string().contains("backup restored"), "{listed}");
}
