//! The doctor: one line for each thing that a server leans on, a remedy where one is needed, and an exit code.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc;

use serde_json::Value;

use crate::running::Running;

fn look(server: &Running) -> (Option<i32>, Value) {
    let done = server.command(&["doctor", "--json"]).output().expect("it runs");
    let text = String::from_utf8_lossy(&done.stdout);
    (done.status.code(), serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e} in {text}")))
}

fn of<'a>(answer: &'a Value, check: &str) -> &'a Value {
    let all = answer["checks"].as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().find(|c| c["check"] == check).unwrap_or_else(|| panic!("{check} in {answer}"))
}

/// Hands bytes on and says nothing of who came.
fn relay_to(back: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    std::thread::spawn(move || {
        for front in listener.incoming().flatten() {
            let Ok(behind) = TcpStream::connect(back) else { continue };
            let (Ok(mut from), Ok(mut to)) = (front.try_clone(), behind.try_clone()) else { continue };
            std::thread::spawn(move || std::io::copy(&mut from, &mut to));
            let (mut from, mut to) = (behind, front);
            std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        }
    });
    address
}

/// Answers every request with these words; gives what it was asked.
fn shop_that_says(answer: &'static str) -> (SocketAddr, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for mut line in listener.incoming().flatten() {
            let mut head = [0; 4_096];
            let read = line.read(&mut head).unwrap_or(0);
            let _ = tell.send(String::from_utf8_lossy(&head[..read]).into_owned());
            let _ = line.write_all(answer.as_bytes());
        }
    });
    (address, told)
}

#[test]
fn a_healthy_server_is_told_so_and_nothing_is_changed() {
    let mut server = Running::new("doctor");
    server.cli(&["site", "add", "--name", "Shop", "--domain", "shop.example"]);
    server.cli(&["connection", "add", "--site", "shop", "--platform", "forms"]);
    for is_running in [false, true] {
        if is_running {
            server.start();
        }
        let (code, answer) = look(&server);
        assert_eq!((code, answer["ok"].as_bool()), (Some(0), Some(true)), "{answer}");
        for check in ["version", "folder", "database_rights", "key", "disk_room", "queue", "connection con_1"] {
            assert_eq!(of(&answer, check)["state"], "ok", "{check}: {answer}");
        }
        for check in ["clock", "disk_sync", "disk_speed", "dns", "proxy", "certificate"] {
            assert_ne!(of(&answer, check)["state"], "failed", "{check}: {answer}");
        }
        for one in answer["checks"].as_array().into_iter().flatten() {
            let is_bad = one["state"] == "warning" || one["state"] == "failed";
            assert_eq!(one["remedy"].is_string(), is_bad, "what is wrong has a remedy: {one}");
        }
    }
    let left: Vec<String> = fs::read_dir(server.folder.join("data"))
        .expect("a folder")
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .filter(|n| n.contains("doctor"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
    let text = server.command(&["doctor"]).output().expect("it runs");
    assert!(String::from_utf8_lossy(&text.stdout).lines().count() >= 12, "one line each");
}

#[test]
fn what_is_wrong_is_named_with_its_remedy() {
    let server = Running::new("doctor-wrong");
    let (code, answer) = look(&server);
    assert_eq!((code, of(&answer, "folder")["state"].as_str()), (Some(1), Some("failed")), "no folder: {answer}");

    server.cli(&["site", "add", "--name", "Shop", "--domain", "shop.example"]);
    let chmod = |name: &str, mode: u32| {
        fs::set_permissions(server.folder.join(name), fs::Permissions::from_mode(mode)).expect("rights are set");
    };
    chmod("data/halotrack.sqlite", 0o644);
    chmod("data", 0o755);
    let (code, answer) = look(&server);
    assert_eq!(code, Some(1));
    let rights = of(&answer, "database_rights");
    assert!(rights["state"] == "failed" && rights["remedy"].to_string().contains("chmod 600"), "{answer}");
    let folder = of(&answer, "folder");
    assert!(folder["state"] == "warning" && folder["remedy"].to_string().contains("chmod 700"), "{answer}");
    chmod("data/halotrack.sqlite", 0o600);
    chmod("data", 0o700);

    chmod("data.key", 0o644);
    let (code, answer) = look(&server);
    assert_eq!((code, of(&answer, "key")["state"].as_str()), (Some(1), Some("failed")), "{answer}");
    chmod("data.key", 0o600);

    fs::write(server.folder.join("data/halotrack.sqlite"), vec![7; 8_192]).expect("damage");
    let (code, answer) = look(&server);
    assert_eq!((code, of(&answer, "database")["state"].as_str()), (Some(1), Some("failed")), "{answer}");
}

#[test]
fn a_public_address_that_leads_nowhere_is_found() {
    let server = Running::new("doctor-front");
    server.cli(&["site", "add", "--name", "Shop", "--domain", "shop.example"]);
    let done = server.command(&["doctor", "--json"]).env("HALOTRACK_PUBLIC_URL", "https://127.0.0.1:1").output().expect("it runs");
    let answer: Value = serde_json::from_slice(&done.stdout).expect("JSON");
    assert_eq!(of(&answer, "public_url")["state"], "failed", "{answer}");
    assert_eq!(of(&answer, "certificate")["state"], "failed", "{answer}");
    assert_eq!(done.status.code(), Some(1));
}

#[test]
fn a_proxy_that_keeps_the_visitor_to_itself_is_found() {
    let mut server = Running::new("doctor-proxy");
    server.cli(&["site", "add", "--name", "Shop", "--domain", "shop.example"]);
    server.start();
    // To the server everyone is this machine.
    let url = format!("http://{}", relay_to(server.address()));
    let done = server.command(&["doctor", "--json"]).env("HALOTRACK_PUBLIC_URL", url).output().expect("it runs");
    let answer: Value = serde_json::from_slice(&done.stdout).expect("JSON");
    let proxy = of(&answer, "proxy");
    assert!(proxy["state"] == "failed" && proxy["remedy"].to_string().contains("X-Forwarded-For"), "{answer}");
}

#[test]
fn another_program_is_not_taken_for_the_server_that_is_looked_after() {
    let made = |name: &str| {
        let mut server = Running::new(name).with_env("HALOTRACK_PUBLIC_URL", "");
        server.cli(&["site", "add", "--name", "Shop", "--domain", "shop.example"]);
        server.start();
        server
    };
    let (mut own, other) = (made("doctor-own"), made("doctor-other"));
    let asked = |server: &Running, name: &str, value: &str| {
        let done = server.command(&["doctor", "--json"]).env(name, value).output().expect("it runs");
        let answer: Value = serde_json::from_slice(&done.stdout).expect("JSON");
        (done.status.code(), answer)
    };
    // Where the server listens is its own word, whatever stands in the configuration of who asks.
    let (code, answer) = asked(&own, "HALOTRACK_LISTEN", &other.address().to_string());
    assert_eq!((code, of(&answer, "proxy")["state"].as_str()), (Some(0), Some("not_checked")), "{answer}");
    assert!(!answer.to_string().contains(&other.port.to_string()), "{answer}");
    // An address that leads to another is told so, and nothing is said of what stands before that.
    let (code, answer) = asked(&own, "HALOTRACK_PUBLIC_URL", &other.url());
    let found = of(&answer, "public_url");
    assert!(found["state"] == "failed" && found["message"].to_string().contains("Another program answers"), "{answer}");
    assert!(found["message"].to_string().contains(&own.address().to_string()), "{answer}");
    assert_eq!((code, of(&answer, "proxy")["state"].as_str()), (Some(1), Some("not_checked")), "{answer}");
    // Our own, by another way than directly.
    let (_, answer) = asked(&own, "HALOTRACK_PUBLIC_URL", &format!("http://{}", relay_to(own.address())));
    assert_eq!(of(&answer, "public_url")["state"], "ok", "{answer}");
    own.stop();
    let secure = format!("http://{}", relay_to(other.address()));
    let (_, answer) = asked(&own, "HALOTRACK_PUBLIC_URL", &secure);
    assert_ne!(of(&answer, "proxy")["state"], "ok", "nothing of ours runs: {answer}");
}

#[test]
fn a_shop_behind_the_proxy_is_asked_how_it_is() {
    let mut server = Running::new("doctor-shop");
    server.cli(&["site", "add", "--name", "Shop", "--domain", "shop.example"]);
    let (_, answer) = look(&server);
    assert_eq!(of(&answer, "upstream")["state"], "not_checked", "{answer}");
    let check = |server: &Running, upstream: &str, state: &str, word: &str| {
        server.cli(&["site", "set", "shop", &format!("proxy.upstream={upstream}")]);
        let (code, answer) = look(server);
        let found = of(&answer, "upstream shop");
        assert!(found["state"] == state && found["message"].to_string().contains(word), "{upstream}: {found}");
        assert_eq!(code, Some(i32::from(state == "failed")), "{answer}");
        assert_eq!(found["remedy"].is_string(), state != "ok", "{found}");
    };
    let (well, asked) = shop_that_says("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    check(&server, &format!("http://{well}"), "ok", "answers 200");
    let head = asked.recv().expect("it was asked").to_ascii_lowercase();
    assert!(head.starts_with("head / http/1.1") && head.contains("host: shop.example\r\n"), "by the name that visitors use: {head}");
    let (ill, _) = shop_that_says("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
    check(&server, &format!("http://{ill}"), "warning", "answers 503");
    let (sends_on, _) = shop_that_says("HTTP/1.1 301 Moved\r\nLocation: https://shop.example/\r\nContent-Length: 0\r\n\r\n");
    check(&server, &format!("http://{sends_on}"), "warning", "leads here again");
    let (other, _) = shop_that_says("SSH-2.0-OpenSSH_9.2\r\n");
    check(&server, &format!("http://{other}"), "failed", "no web server");
    check(&server, &format!("http://127.0.0.1:{}", crate::running::free_port()), "failed", "Nobody listens");
    check(&server, "http://shop.invalid:3000", "failed", "cannot be looked up");
    server.start();
    check(&server, &server.url(), "failed", "this server itself");
    // It leads here, as no address can tell.
    let relay = relay_to(server.address());
    check(&server, &format!("http://{relay}"), "failed", "leads back to this server");
    // Nobody's visit.
    assert_eq!(server.sql("shop", "select count(*) n from sessions")[0]["n"], 0);
    server.stop();
}
