//! The binary itself: words, exit codes, files, the lock, start and stop.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A folder of its own for one story; whatever was started in it ends with it.
struct Box {
    folder: PathBuf,
    server: Option<Child>,
}

struct Done {
    code: i32,
    out: String,
    err: String,
}

impl Done {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e} in {:?} {:?}", self.out, self.err))
    }

    #[track_caller]
    fn is(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{} {}", self.out, self.err);
        if code != 0 {
            assert_eq!(self.err.trim_end().lines().count(), 1, "one line: {}", self.err);
            assert!(self.err.starts_with("halotrack: "), "{}", self.err);
        }
        self
    }

    #[track_caller]
    fn says(self, word: &str) -> Self {
        assert!(self.err.contains(word), "{word} in {}", self.err);
        self
    }
}

impl Box {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("halotrack-cli-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        Self { folder, server: None }
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_halotrack"));
        command.args(args).current_dir(&self.folder).env_clear().env("HALOTRACK_DATA", self.data()).stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Done {
        self.run_with(args, |_| {}, "")
    }

    fn run_with(&self, args: &[&str], change: impl FnOnce(&mut Command), stdin: &str) -> Done {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        change(&mut command);
        let mut child = command.spawn().expect("the binary runs");
        // A command that does not read may be gone already.
        let _ = child.stdin.take().expect("a pipe").write_all(stdin.as_bytes());
        let Output { status, stdout, stderr } = child.wait_with_output().expect("it ends");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Done { code: status.code().unwrap_or(-1), out: text(stdout), err: text(stderr) }
    }

    fn add_site(&self) -> Value {
        self.run(&["site", "add", "--name", "Shop", "--domain", "shop.example", "--json"]).is(0).json()
    }

    /// Starts the server on a free port and gives what it printed until it answers.
    fn serve(&mut self) -> String {
        let mut child =
            self.command(&["serve", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a server");
        let mut out = child.stdout.take().expect("a pipe");
        self.server = Some(child);
        let mut text = String::new();
        let until = Instant::now() + Duration::from_secs(20);
        while !text.contains("/setup/") && Instant::now() < until {
            let mut bytes = [0; 512];
            let count = out.read(&mut bytes).expect("its output");
            assert!(count > 0, "the server ended: {text}");
            text.push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
        text
    }

    /// SIGTERM, as a service manager does; gives the exit code.
    fn stop(&mut self) -> Option<i32> {
        let mut child = self.server.take()?;
        let told = Command::new("kill").arg("-TERM").arg(child.id().to_string()).status();
        assert!(told.is_ok_and(|s| s.success()), "the signal is sent");
        child.wait().expect("it ends").code()
    }
}

impl Drop for Box {
    fn drop(&mut self) {
        if let Some(child) = &mut self.server {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).map(|m| m.permissions().mode() & 0o777).unwrap_or_default()
}

#[test]
fn wrong_usage_is_two_and_one_line() {
    let house = Box::new("usage");
    house.run(&["frobnicate"]).is(2).says("frobnicate");
    house.run(&["site"]).is(2);
    house.run(&["site", "add", "--domain", "x.example", "--colour", "blue"]).is(2).says("--colour");
    house.run(&["token", "create"]).is(2).says("--site");
    house.run(&["site", "list", "--listen", "127.0.0.1:1"]).is(2).says("--listen");
    house.run(&["site", "list"]).is(1).says("--data");
    assert!(!house.data().exists(), "a slip of the hand makes no folder");
    assert!(house.run(&["--help"]).is(0).out.contains("connection"));
    assert!(house.run(&["--version"]).is(0).out.contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn commands_work_without_a_server() {
    let house = Box::new("alone");
    let made = house.add_site();
    assert_eq!(made["site"], "shop");
    assert!(made["consent_note"].as_str().is_some_and(|n| n.contains("opt-out")));
    let listed = house.run(&["site", "list", "--json"]).is(0).json();
    assert_eq!(listed[0]["public_key"], made["public_key"]);
    assert!(house.run(&["site", "list"]).is(0).out.contains("shop.example"));

    house.run(&["site", "add", "--name", "Two", "--domain", "shop.example"]).is(2).says("already");
    house.run(&["site", "set", "shop", "country=ae", "retention.touches=90"]).is(0);
    house.run(&["site", "set", "site_1", "country=de", "colour=blue"]).is(2).says("colour");
    house.run(&["site", "set", "nobody", "country=ae"]).is(1).says("nobody");
    let listed = house.run(&["site", "list", "--json"]).is(0).json();
    assert_eq!((&listed[0]["country"], &listed[0]["retention"]["touches"]), (&"AE".into(), &90.into()));

    let secret = house.run(&["site", "secret", "1", "--json"]).is(0).json()["secret"].clone();
    assert_eq!(house.run(&["site", "secret", "shop", "--json"]).is(0).json()["secret"], secret);
    assert_ne!(house.run(&["site", "secret", "shop", "--rotate", "--json"]).is(0).json()["secret"], secret);

    assert_eq!(mode(&house.data()), 0o700);
    assert_eq!(mode(&house.data().join("halotrack.sqlite")), 0o600);
    assert_eq!(mode(&house.folder.join("data.key")), 0o600);
}

#[test]
fn tokens_and_users_are_made() {
    let house = Box::new("people");
    house.add_site();
    let made = house
        .run(&["token", "create", "--site", "shop", "--name", "n", "--scope", "read,write", "--expires", "365d", "--json"])
        .is(0)
        .json();
    assert!(made["token"].as_str().is_some_and(|t| t.starts_with("ht_")));
    assert_eq!(made["scopes"], serde_json::json!(["read", "write"]));
    assert!(made["expires_at"].is_string());
    let own = "1d0ef9a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d";
    house
        .run_with(&["token", "create", "--site", "1", "--name", "own", "--scope", "read", "--value", "-"], |_| {}, &format!("{own}\n"))
        .is(0);
    house.run_with(&["token", "create", "--site", "1", "--name", "weak", "--scope", "read", "--value", "-"], |_| {}, "short\n").is(2);
    house.run(&["token", "create", "--site", "1", "--name", "open", "--scope", "read", "--value", own]).is(2).says("@FILE");
    house.run(&["token", "create", "--site", "1", "--name", "x", "--scope", "fly"]).is(2).says("fly");
    let listed = house.run(&["token", "list", "--json"]).is(0);
    assert!(!listed.out.contains(own) && !listed.out.contains("ht_"), "{}", listed.out);
    house.run(&["token", "revoke", "token_1", "--site", "shop"]).is(0);
    house.run(&["token", "revoke", "token_1", "--site", "shop"]).is(1);

    let user = house.run(&["user", "add", "--email", "me@shop.example", "--role", "owner", "--json"]).is(0).json();
    assert!(user["link"].as_str().is_some_and(|l| l.starts_with("http://127.0.0.1:8080/")));
    house.run(&["user", "add", "--email", "me@shop.example", "--role", "boss"]).is(2).says("boss");
    let args = ["user", "add", "--email", "you@shop.example", "--role", "analyst", "--password-stdin", "--json"];
    let user = house.run_with(&args, |_| {}, "correct horse battery staple\n").is(0).json();
    assert_eq!(user["link"], Value::Null);
}

#[test]
fn connections_are_set_up() {
    let house = Box::new("connections");
    house.add_site();
    house.run(&["connection", "add", "--site", "shop", "--platform", "fax"]).is(2).says("fax");
    let args = [
        "connection",
        "add",
        "--site",
        "shop",
        "--platform",
        "meta",
        "--set",
        "pixel_id=123456789012345",
        "--set",
        "access_token=-",
        "--json",
    ];
    let secret = "EAAxQzTopSecretValue0123456789";
    let made = house.run_with(&args, |_| {}, &format!("{secret}\n")).is(0);
    assert!(!made.out.contains(secret));
    let made = made.json();
    assert_eq!((&made["connection"], &made["mode"], &made["status"]), (&"con_1".into(), &"shadow".into(), &"ok".into()));
    assert_eq!(made["hook_url"], Value::Null);

    let half = house.run(&["connection", "add", "--site", "shop", "--platform", "meta", "--json"]).is(0).json();
    assert_eq!(half["status"], "not_configured");
    house.run(&["connection", "resume", "con_2"]).is(1).says("cannot be resumed");
    let args = ["connection", "set", "con_2", "pixel_id=123456789012345", "access_token=@token", "--mode", "live", "--json"];
    std::fs::write(house.folder.join("token"), format!("{secret}\n")).expect("a file");
    let whole = house.run(&args).is(0).json();
    assert_eq!((&whole["status"], &whole["mode"]), (&"ok".into(), &"live".into()));
    house.run(&["connection", "set", "con_2", "colour=blue"]).is(2).says("colour");

    assert_eq!(house.run(&["connection", "pause", "con_1", "--json"]).is(0).json()["status"], "paused");
    assert_eq!(house.run(&["connection", "resume", "--connection", "con_1", "--json"]).is(0).json()["status"], "ok");
    let tested = house.run(&["connection", "test", "con_1", "--json"]).is(0).json();
    assert!(tested["not_checked"].as_array().is_some_and(|n| !n.is_empty()), "{tested}");
    house.run(&["connection", "register", "con_1"]).is(1).says("never calls us");

    for url in ["http://169.254.169.254/", "https://[::ffff:127.0.0.1]/", "https://10.0.0.5/hook"] {
        house.run(&["connection", "add", "--site", "shop", "--platform", "webhook", "--set", &format!("url={url}")]).is(2).says("public");
    }
    let listed = house.run(&["connection", "list", "--json"]).is(0);
    assert!(!listed.out.contains(secret));
    assert_eq!(listed.json().as_array().map(Vec::len), Some(2));
    house.run(&["connection", "remove", "con_2"]).is(0);
    house.run(&["connection", "remove", "con_2"]).is(1).says("con_2");
    assert!(house.run(&["connection", "list"]).is(0).out.contains("con_1"));
}

#[test]
fn the_configuration_is_checked() {
    let house = Box::new("config");
    let toml = house.folder.join("halotrack.toml");
    std::fs::write(&toml, "lissten = \"127.0.0.1:1\"\n").expect("a file");
    house.run(&["site", "list"]).is(2).says("lissten");
    house.run(&["site", "list", "--config", "elsewhere.toml"]).is(2).says("elsewhere.toml");
    std::fs::write(&toml, "public_url = \"https://halo.example/\"\n").expect("a file");
    let made = house.add_site();
    assert!(made["snippet"].as_str().is_some_and(|s| s.starts_with("<script defer src=\"https://halo.example/t.js\"")), "{made}");
    house.run_with(&["site", "list"], |c| _ = c.env("HALOTRACK_LISSTEN", "x"), "").is(2).says("HALOTRACK_LISSTEN");
    // What the snippets for the owner's own server read stands in the same environment.
    let ours = read_by_clients();
    assert!(ours.iter().any(|name| name == "HALOTRACK_TOKEN"), "{ours:?}");
    for name in &ours {
        house.run_with(&["site", "list"], |c| _ = c.env(name, "ht_x"), "").is(0);
        house.run_with(&["sql", "select 1"], |c| _ = c.env(name, "ht_x"), "").is(0);
    }
    house.run_with(&["site", "list"], |c| _ = c.env("HALOTRACK_RETRY_SCALE", "fast"), "").is(2).says("retry_scale");
    let stand_in = |name: &'static str| house.run_with(&["site", "list"], move |c| _ = c.env(name, "http://127.0.0.1:9"), "");
    stand_in("HALOTRACK_BASE_URL_META").is(0);
    stand_in("HALOTRACK_BASE_URL_METTA").is(2).says("base_url.metta is obeyed by nothing");
    house.run_with(&["site", "list"], |c| _ = c.env("HALOTRACK_CORS_ORIGINS", "*"), "").is(2).says("cors_origins");
    house.run_with(&["site", "list"], |c| _ = c.env("HALOTRACK_LISTEN", "8080"), "").is(2).says("listen");
}

/// Names of the environment in the snippets of `clients/server`.
fn read_by_clients() -> Vec<String> {
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/clients/server")).expect("a folder");
    let texts = files.flatten().filter_map(|file| std::fs::read_to_string(file.path()).ok());
    let is_of_name = |c: char| c.is_ascii_uppercase() || c == '_';
    texts
        .flat_map(|text| text.split(|c| !is_of_name(c)).filter(|w| w.starts_with("HALOTRACK_")).map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

#[test]
fn key_and_storage_have_codes_of_their_own() {
    let house = Box::new("codes");
    house.add_site();
    let key = house.folder.join("data.key");
    let set = |bits| std::fs::set_permissions(&key, std::fs::Permissions::from_mode(bits)).expect("a mode");
    set(0o644);
    house.run(&["site", "list"]).is(5).says("chmod 600");
    set(0o600);
    let away = house.folder.join("away");
    std::fs::rename(&key, &away).expect("a file");
    house.run(&["site", "list"]).is(5).says("missing");
    std::fs::write(&key, "0".repeat(64)).expect("a file");
    set(0o600);
    house.run(&["site", "list"]).is(5).says("Put the key file back that belongs to it.");
    // What a rotation has left may be the one that is needed.
    let older = house.folder.join("data.key.until-20260613");
    std::fs::write(&older, "0".repeat(64)).expect("a file");
    house.run(&["site", "list"]).is(5).says(&format!("cp {} {}", older.display(), key.display()));
    std::fs::remove_file(&older).expect("a file");
    std::fs::rename(&away, &key).expect("a file");

    let file = house.data().join("halotrack.sqlite");
    let good = std::fs::read(&file).expect("a database");
    let newer = [&good[..60], &999_999_u32.to_be_bytes()[..], &good[64..]].concat();
    std::fs::write(&file, &newer).expect("a file");
    house.run(&["site", "list"]).is(4).says("999999");
    house.run(&["sql", "select 1"]).is(4);
    assert!(std::fs::read(&file).expect("a file") == newer, "a newer file is not touched");
    std::fs::write(&file, [&[0x7f; 4096][..], &good[4096..]].concat()).expect("a file");
    house.run(&["serve", "--listen", "127.0.0.1:0"]).is_ended(4).says("damaged");
}

impl Done {
    /// The same for `serve`, which logs before it ends.
    #[track_caller]
    fn is_ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{} {}", self.out, self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self
    }
}

#[test]
fn a_server_takes_commands_and_stops_cleanly() {
    let mut house = Box::new("server");
    let printed = house.serve();
    let link = printed.split_whitespace().find(|w| w.contains("/setup/")).expect("a link").to_owned();
    let address = link.split("/setup/").next().expect("an address").to_owned();
    assert!(printed.contains(&format!("listens on {address}")), "{printed}");
    assert_eq!(mode(&house.data().join("control.sock")), 0o600);

    let pid = house.server.as_ref().map(Child::id).unwrap_or_default().to_string();
    house.run(&["serve", "--listen", "127.0.0.1:0"]).is_ended(3).says(&format!("process {pid}"));
    house.run(&["migrate"]).is_ended(3).says(&pid);

    let made = house.add_site();
    assert!(made["snippet"].as_str().is_some_and(|s| s.contains(&format!("{address}/t.js"))), "the server's own address: {made}");
    house.run(&["site", "set", "shop", "public_leads=true"]).is(0);
    house.run(&["site", "set", "shop", "zone=Mars/Olympus"]).is(2).says("Mars");
    assert_eq!(house.run(&["sql", "--format", "json", "select count(*) as n from leads"]).is(0).json()[0]["n"], 0);

    // An order that nobody knows names nobody; an address that is not known may still be refused from now on.
    let unknown = ["erase", "--site", "shop", "--order", "4711"];
    house.run(&unknown).is(1).says("There is no order 4711. Check the number, or name the person by e-mail or phone.");
    assert!(
        house.run(&["erase", "--site", "shop", "--email", "nobody@mail.example"]).is(0).out.contains("Nothing of this person was found.")
    );

    assert_eq!(house.stop(), Some(0));
    assert!(!house.data().join("control.sock").exists());
    house.run(&unknown).is(1).says("There is no order 4711.");
    assert!(house.run(&["site", "list"]).is(0).out.contains("shop.example"));
}

#[test]
fn a_taken_port_is_six_and_a_stale_socket_is_replaced() {
    let mut house = Box::new("port");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    house.run(&["serve", "--listen", &address]).is_ended(6).says(&taken.local_addr().expect("an address").port().to_string());
    std::fs::write(house.data().join("control.sock"), "left behind").expect("a file");
    house.serve();
    house.add_site();
    assert_eq!(house.stop(), Some(0));
}

#[test]
fn a_long_path_still_has_a_socket() {
    let mut house = Box::new(&"long".repeat(30));
    house.serve();
    assert_eq!(house.add_site()["site"], "shop");
    assert_eq!(house.stop(), Some(0));
}

#[test]
fn sql_prints_what_was_asked_for() {
    let house = Box::new("sql");
    house.run(&["sql", "select 1"]).is(1).says("no database");
    house.run(&["sql", "create table main.mine (x)"]).is(1);
    house.add_site();
    assert_eq!(house.run(&["sql", "--format", "csv", "select 1 as a, 'x,y' as b"]).is(0).out, "a,b\n1,\"x,y\"\n");
    assert_eq!(house.run(&["sql", "--json", "select * from leads"]).is(0).out.trim(), "[]");
    assert_eq!(house.run_with(&["sql", "--format", "json"], |_| {}, "select 1 as a").is(0).json()[0]["a"], 1);
    assert_eq!(house.run(&["sql", "select 1 as a"]).is(0).out, "a\n-\n1\n");
    house.run(&["sql", "select nonsense from nowhere"]).is(1).says("nowhere");
    house.run(&["sql", "create table main.mine (x)"]).is(1);
    let views = house.run(&["sql", "--views"]).is(0).out;
    assert!(views.contains("create temp view leads") && !views.contains("{site}"));
    house.run(&["site", "add", "--name", "Two", "--domain", "two.example"]).is(0);
    house.run(&["sql", "select 1"]).is(2).says("--site");
}
