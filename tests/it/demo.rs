//! The demo, as its reader meets it: two shops that look lived in, marked as invented, and gone afterwards.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::running::{Heard, Running, send};

/// Far above what it takes: many stories build and run at the same time.
const PATIENCE: Duration = Duration::from_secs(120);

struct Demo {
    port: u16,
    child: Child,
    greeting: Value,
    server: Running,
    cookie: String,
}

impl Demo {
    fn start() -> Self {
        let server = Running::new("demo");
        let listen = format!("127.0.0.1:{}", server.port);
        // What the owner has configured is none of the demo's business.
        let mut command = server.command(&["demo", "--listen", &listen, "--json"]);
        command.env("HALOTRACK_PUBLIC_URL", "https://stats.real.example").env("HALOTRACK_OUTBOUND_ALLOW", "0.0.0.0/0");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a demo");
        let out = child.stdout.take().expect("its output");
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let _ = BufReader::new(out).read_line(&mut line);
            let _ = tell.send(line);
        });
        let line = told.recv_timeout(PATIENCE).expect("it says where it is");
        let greeting = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e} in {line}"));
        Self { port: server.port, child, greeting, server, cookie: String::new() }
    }

    fn word(&self, key: &str) -> &str {
        self.greeting[key].as_str().unwrap_or_else(|| panic!("{key} in {}", self.greeting))
    }

    fn sign_in(&mut self) {
        let body = json!({"email": self.word("email"), "password": self.word("password")}).to_string();
        self.cookie = signed_in(&format!("127.0.0.1:{}", self.port), &body);
    }

    fn get(&self, path: &str) -> Value {
        let headers = [("cookie", self.cookie.as_str()), ("sec-fetch-site", "same-origin")];
        let heard: Heard = send(self.server.address(), "GET", path, &headers, b"").expect("an answer");
        assert_eq!(heard.status, 200, "{path}: {}", heard.text);
        heard.json()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.server.command(args);
        command.args(["--data", self.word("data"), "--json"]).env_remove("HALOTRACK_DATA");
        command
    }

    fn sql(&self, site: &str, query: &str) -> Vec<Value> {
        let done = self.command(&["sql", "--site", site, query]).output().expect("it runs");
        assert!(done.status.success(), "{query}: {}", String::from_utf8_lossy(&done.stderr));
        serde_json::from_slice(&done.stdout).expect("rows")
    }
}

/// Signs in and gives the cookie: the one header that the small client does not hand on.
fn signed_in(host: &str, body: &str) -> String {
    let mut stream = std::net::TcpStream::connect(host).expect("the demo listens");
    let mut head = format!("POST /api/login HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    head.push_str("content-type: application/json\r\nsec-fetch-site: same-origin\r\n");
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).expect("it is sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    let line = text.lines().find(|l| l.to_lowercase().starts_with("set-cookie:")).unwrap_or_else(|| panic!("no cookie in {text}"));
    line[11..].split(';').next().unwrap_or_default().trim().to_owned()
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn two_shops_look_lived_in_and_are_gone_afterwards() {
    let mut demo = Demo::start();
    demo.sign_in();
    let me = demo.get("/api/me");
    assert_eq!(me["demo"], json!(true), "every page takes its mark from here");
    let sites: Vec<&str> = me["sites"].as_array().into_iter().flatten().filter_map(|s| s["site"].as_str().or(s["slug"].as_str())).collect();
    assert_eq!(sites.len(), 2, "{me}");

    for site in &sites {
        looks_lived_in(&demo, site);
    }
    a_shop_is_read_and_healed(&demo, &sites);
    failures_are_there(&demo, &sites);
    nothing_leaves(&demo, sites[0]);

    let folder = std::path::PathBuf::from(demo.word("data"));
    assert!(folder.join("halotrack.sqlite").exists());
    assert!(!demo.server.folder.join("data").exists(), "the owner's own folder is not touched");
    let told = Command::new("kill").arg("-TERM").arg(demo.child.id().to_string()).status();
    assert!(told.is_ok_and(|s| s.success()));
    assert_eq!(demo.child.wait().expect("it ends").code(), Some(0));
    assert!(!folder.exists(), "thrown away");
    let around = folder.parent().expect("a folder around it").to_owned();
    assert!(!around.exists(), "with its key");
    the_killed_are_swept_away(&demo, &around);
}

/// A demo that was killed leaves its folder; the next one takes it away, and only it.
fn the_killed_are_swept_away(demo: &Demo, around: &std::path::Path) {
    let place = demo.server.folder.join("tmp");
    let left = place.join(around.file_name().expect("a name"));
    let other = place.join("halotrack-else-1");
    for folder in [&left, &other] {
        std::fs::create_dir_all(folder.join("data")).expect("a folder");
    }
    let listen = format!("127.0.0.1:{}", demo.port);
    let mut next = demo.server.command(&["demo", "--listen", &listen]);
    let mut next = next.env("TMPDIR", &place).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a demo");
    demo.server.wait("the sweep", PATIENCE, || (!left.exists()).then_some(()));
    let _ = next.kill();
    let _ = next.wait();
    assert!(other.exists());
}

fn looks_lived_in(demo: &Demo, site: &str) {
    let count = |query: &str| demo.sql(site, query)[0]["n"].as_i64().expect("a count");
    assert!(count("select count(*) n from sessions") > 1_000, "{site}");
    assert!(count("select count(*) n from anon_events") > 100, "{site}: refusals are counted without a person");
    assert!(count("select count(*) n from orders") > 30, "{site}");
    assert!(count("select count(*) n from leads") > 30, "{site}");
    let spread = demo.sql(site, "select count(distinct substr(ft_timestamp, 1, 10)) days, count(distinct ft_source) sources from sessions");
    assert!(spread[0]["days"].as_i64() > Some(85), "{site}: {spread:?}");
    assert!(spread[0]["sources"].as_i64() > Some(6), "{site}: {spread:?}");
    assert!(count("select count(*) n from leads where match_type = 'none'") > 0, "{site}: not everything is matched");

    let conversions = demo.get(&format!("/api/sites/{site}/conversions?limit=500"));
    let of = |key: &str, word: &str| conversions["items"].as_array().into_iter().flatten().filter(|c| c[key] == json!(word)).count();
    assert!(of("status", "refunded") + of("status", "cancelled") > 2, "{site}: some come back");
    let quarantined = demo.get(&format!("/api/sites/{site}/inbox?state=quarantined"));
    assert_eq!(quarantined["items"].as_array().map(Vec::len), Some(2), "{site}: {quarantined}");
    assert!(count("select count(*) n from purchase_attributions where attribution_method <> 'no_match'") > 0, "{site}: chats help");
    // What the advertisements have cost is known.
    let figures = demo.get(&format!("/api/sites/{site}/reports/overview"));
    assert!(figures["spend"][0]["minor"].as_i64() > Some(10_000), "{site}: {figures}");
    assert!(figures["return_percent"].is_number() && figures["cost_per_customer"]["minor"].as_i64() > Some(0), "{site}: {figures}");
    // Nothing of it can be a real person's.
    let mails = demo.sql(site, "select count(*) n from leads where email is not null and email not like '%.example'");
    assert_eq!(mails[0]["n"], json!(0), "{site}");
}

/// The shop's card tells of its first reading, of a webhook that was put back and of the order that it missed; and its buyers
/// come again, as they do.
fn a_shop_is_read_and_healed(demo: &Demo, sites: &[&str]) {
    let cards = demo.get(&format!("/api/sites/{}/connections", sites[0]));
    let all = cards["items"].as_array().cloned().unwrap_or_default();
    let shop = all.iter().find(|c| c["platform"] == "woocommerce").unwrap_or_else(|| panic!("a shop among {cards}"));
    assert_eq!((&shop["status"], &shop["registration"]["state"]), (&json!("ok"), &json!("active")), "{shop:#}");
    assert!(shop["pull"]["has_history"] == true && shop["pull"]["sentence"].is_null(), "{shop:#}");
    assert!(shop["missed"]["count"].as_i64() > Some(0), "{shop:#}");
    let said = shop["happenings"].to_string();
    assert!(said.contains("had switched off the webhook for order.created") && said.contains("fetched."), "{said}");
    for site in sites {
        let buyers = "select count(*) n, sum(orders > 1) again from (select lower(email) who, count(*) orders from orders where email is not null group by 1)";
        let found = demo.sql(site, buyers);
        let (all, again) = (found[0]["n"].as_i64().unwrap_or(0), found[0]["again"].as_i64().unwrap_or(0));
        assert!(again * 100 > all * 12 && again * 100 < all * 35, "{site}: {again} of {all} buy again");
    }
}

fn failures_are_there(demo: &Demo, sites: &[&str]) {
    let mut states: Vec<String> = Vec::new();
    for site in sites {
        let page = demo.get(&format!("/api/sites/{site}/deliveries?limit=500"));
        for item in page["items"].as_array().into_iter().flatten() {
            let attempts = if item["attempts"].as_i64() > Some(1) { "again" } else { "once" };
            states.push(format!("{} {} {attempts}", item["state"].as_str().unwrap_or_default(), item["mode"].as_str().unwrap_or_default()));
        }
    }
    for wanted in
        ["delivered live once", "accepted live once", "pending live again", "dead live again", "refused live once", "skipped shadow once"]
    {
        assert!(states.iter().any(|s| s == wanted), "{wanted} is among the deliveries");
    }
    let list = demo.command(&["connection", "list"]).output().expect("it runs");
    let list: Value = serde_json::from_slice(&list.stdout).expect("connections");
    let all = list.as_array().cloned().unwrap_or_default();
    assert!(all.iter().any(|c| c["status"] == json!("paused")), "one refuses its key: {list}");
    assert!(all.iter().all(|c| !c["hook_url"].to_string().contains("real.example")), "links lead to the demo");
}

/// Not even an address that the owner's configuration would allow.
fn nothing_leaves(demo: &Demo, site: &str) {
    for url in ["https://elsewhere.example/hook", "https://93.184.215.14/hook", "http://127.0.0.1:1/hook"] {
        let done = demo.command(&["connection", "add", "--site", site, "--platform", "webhook", "--set", &format!("url={url}")]).output();
        let done = done.expect("it runs");
        let text = String::from_utf8_lossy(&done.stdout);
        assert!(!done.status.success() && text.contains("nothing leaves this machine"), "{url}: {text}");
    }
}

#[test]
fn a_demo_is_asked_for_in_the_right_words() {
    let server = Running::new("demo-words");
    let done = server.command(&["demo", "--data", "somewhere"]).output().expect("it runs");
    assert_eq!(done.status.code(), Some(2));
    let taken = std::net::TcpListener::bind(("127.0.0.1", server.port)).expect("a port");
    let done = server.command(&["demo", "--listen", &format!("127.0.0.1:{}", server.port)]).output().expect("it runs");
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(6), "{said}");
    assert!(said.starts_with("Two shops and a quarter of theirs are being made."), "nobody waits without a word: {said}");
    drop(taken);
}
