//! The master key turned: everything goes on under the new one, and whatever ends the process on the way, the next
//! start opens everything.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use halotrack::clock::Clock;
use halotrack::crypto::{self, Sealer};
use halotrack::flows::rotation;
use halotrack::key;
use serde_json::{Value, json};

use crate::ground::Dice;
use crate::house::House;
use crate::running::{self, Running};

/// A server with a connection whose secret is sealed.
struct Shop {
    server: Running,
    secret: String,
    hook: String,
}

impl Shop {
    fn new(name: &str) -> Self {
        let server = Running::new(name);
        server.cli(&["site", "add", "--name", "Shop", "--domain", "shop.example", "--consent", "opt-out"]);
        let forms = server.cli(&["connection", "add", "--site", "shop", "--platform", "forms"]);
        let word = |name: &str| forms[name].as_str().unwrap_or_default().to_owned();
        Self { secret: word("secret"), hook: word("hook_url").replace(&server.url(), ""), server }
    }

    fn key_file(&self) -> PathBuf {
        self.server.folder.join("data.key")
    }

    fn keys_in_file(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.key_file()).expect("the key file");
        text.lines().filter(|l| !l.starts_with('#') && !l.is_empty()).map(str::to_owned).collect()
    }

    /// A lead signed with the secret that the file holds sealed, at an address whose token it holds sealed.
    fn takes(&self, id: &str) {
        let body = json!({"lead_id": id, "email": "ann@mail.example"}).to_string();
        let headers = running::signed(&self.secret, Clock::system().now().s(), body.as_bytes());
        let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let heard = self.server.post(&self.hook, &headers, body.as_bytes()).expect("an answer");
        assert_eq!(heard.status, 200, "{}", heard.text);
    }

    /// A page view; with an id it must be known again.
    fn visit(&self, id: Option<&str>) -> String {
        let site = self.server.cli(&["site", "list"])[0].clone();
        let mut body = json!({"site": site["public_key"], "landing": "/"});
        if let Some(id) = id {
            body["session_id"] = Value::from(id);
        }
        let agent = crate::house::CHROME;
        let headers = [("origin", "https://shop.example"), ("user-agent", agent), ("content-type", "text/plain")];
        let heard = self.server.post("/api/touch", &headers, body.to_string().as_bytes()).expect("an answer");
        heard.json()["session_id"].as_str().unwrap_or_else(|| panic!("{}", heard.text)).to_owned()
    }
}

#[test]
fn everything_goes_on_under_the_new_key() {
    let mut shop = Shop::new("rotate");
    shop.server.start();
    let id = shop.visit(None);
    shop.takes("L-1");
    let old = shop.keys_in_file();
    let told = shop.server.cli(&["key", "rotate"]);
    assert!(told["sealed_anew"].as_i64() >= Some(3), "{told}");
    let new = shop.keys_in_file();
    assert!(new.len() == 1 && new != old, "one key is in the file, another one");
    for n in 0..2 {
        assert_eq!(shop.visit(Some(&id)), id, "the visitor is known");
        shop.takes(&format!("L-2-{n}"));
        shop.server.stop();
        shop.server.start();
    }
    // Also where no server runs.
    shop.server.stop();
    shop.server.cli(&["key", "rotate"]);
    shop.server.start();
    assert_eq!(shop.visit(Some(&id)), id);
    shop.takes("L-3");
    shop.server.stop();
    // The old key is kept for older backups, for its owner alone, and opens nothing that is stored now.
    let kept = PathBuf::from(told["old_key_file"].as_str().expect("a path"));
    assert_eq!(std::fs::metadata(&kept).expect("it is kept").permissions().mode() & 0o777, 0o600);
    let now = std::fs::read(shop.key_file()).expect("the key");
    std::fs::copy(&kept, shop.key_file()).expect("the old one in its place");
    let refused = shop.server.command(&["site", "list"]).output().expect("it runs");
    assert_eq!(refused.status.code(), Some(5), "{}", String::from_utf8_lossy(&refused.stderr));
    std::fs::write(shop.key_file(), now).expect("the new one back");
    std::fs::set_permissions(shop.key_file(), std::fs::Permissions::from_mode(0o640)).expect("a mode");
    assert_eq!(shop.server.command(&["site", "list"]).output().expect("it runs").status.code(), Some(5), "the other rules stay");
}

#[test]
fn a_rotation_killed_anywhere_leaves_a_server_that_starts() {
    let seed = std::env::var("HALOTRACK_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(|| u64::from_be_bytes(crypto::random()));
    eprintln!("seed {seed}");
    let mut dice = Dice::new(seed);
    let mut shop = Shop::new("turned");
    shop.server.start();
    let id = shop.visit(None);
    shop.server.stop();
    let began = Instant::now();
    shop.server.cli(&["key", "rotate"]);
    let usual = began.elapsed();
    let (mut in_between, mut whole) = (0, 0);
    for n in 0..14 {
        let before = shop.keys_in_file();
        let mut rotation = shop.server.command(&["key", "rotate"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it runs");
        if n % 2 == 0 {
            // As soon as the file holds both keys.
            while shop.keys_in_file().len() < 2 && rotation.try_wait().is_ok_and(|ended| ended.is_none()) {}
        } else {
            let most = usual.as_millis() as i64;
            std::thread::sleep(Duration::from_millis((most / 5 + dice.below(most)) as u64));
        }
        let _ = rotation.kill();
        let _ = rotation.wait();
        let after = shop.keys_in_file();
        match (after.len(), after == before) {
            (2, _) => in_between += 1,
            (1, false) => whole += 1,
            _ => {}
        }
        shop.server.start();
        assert_eq!(shop.keys_in_file().len(), 1, "a start ends what was begun");
        assert_eq!(shop.visit(Some(&id)), id);
        shop.takes(&format!("L-{n}"));
        shop.server.stop();
    }
    eprintln!("14 rotations of some {usual:?} killed: {in_between} between the keys, {whole} when they were done");
    assert!(in_between > 0, "none was killed between the keys");
}

/// Each point of a rotation by itself, as a kill there would leave it.
#[tokio::test]
async fn at_every_point_both_halves_open() {
    let house = House::new();
    let site = house.site("shop.example").await;
    house.connect(&site, "forms", "", &[]).await;
    let (old, new) = ([7; 32], [9; 32]);
    let file = house.data().join("turning.key");
    let opens = |sealer: Sealer| house.started_with(sealer).map(|app| app.book().connections().count()).map_err(|e| e.code);
    // Before: the old key alone.
    key::write(&file, &old, None).expect("a file");
    assert_eq!(opens(key::open(&file, true).expect("a key")), Ok(1));
    // The file has both, nothing is sealed anew yet.
    key::write(&file, &new, Some(&old)).expect("a file");
    assert_eq!(opens(key::open(&file, true).expect("a key")), Ok(1));
    assert_eq!(opens(Sealer::new(new)), Err("key_wrong"), "the new one alone would not do yet");
    // Sealed anew, the file still has both.
    house.app.store.sealer().turn_to(new);
    let count = rotation::run(&house.app).await.expect("sealed anew");
    assert_eq!(count, 3, "keys of the site, secrets, hook token");
    assert_eq!(rotation::run(&house.app).await.expect("again"), 0, "a second time finds nothing to do");
    assert_eq!(opens(key::open(&file, true).expect("a key")), Ok(1));
    assert_eq!(opens(Sealer::new(old)), Err("key_wrong"));
    // After: the new key alone.
    key::write(&file, &new, None).expect("a file");
    assert_eq!(opens(key::open(&file, true).expect("a key")), Ok(1));
}

/// A column of sealed values that the rotation does not know of would be lost with the old key.
#[test]
fn every_sealed_column_is_sealed_anew() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let schema = std::fs::read_to_string(root.join("schema/0001_initial.sql")).expect("the schema");
    let mut table = "";
    let mut sealed: Vec<(&str, &str)> = Vec::new();
    for line in schema.lines() {
        if let Some(rest) = line.strip_prefix("create table ") {
            table = rest.split([' ', '(']).next().unwrap_or_default();
        }
        let column = line.split_whitespace().next().unwrap_or_default();
        if line.starts_with("  ") && column.contains("sealed") {
            sealed.push((table, column));
        }
    }
    assert!(sealed.len() >= 7, "{sealed:?}");
    let mut store = String::new();
    for name in ["sites.rs", "users.rs", "connections.rs", "sessions.rs", "shares.rs", "erasures/mod.rs"] {
        store.push_str(&std::fs::read_to_string(root.join("src/store").join(name)).expect("a source"));
    }
    for (table, column) in sealed {
        let changed = store.split("anew(").skip(1).any(|text| text.contains(&format!("update {table} set {column} = ")));
        assert!(changed, "{table}.{column} is not sealed anew");
    }
}
