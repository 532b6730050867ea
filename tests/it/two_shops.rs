//! A server for stories of pages: a shop that has been told something, one that has not, and the owner who signs up.

use serde_json::Value;

use crate::chromium::Chromium;
use crate::pages::PASSWORD;
use crate::running::Running;

/// `full` and `empty`, and a token that may tell things of `full`.
pub fn open(name: &str) -> (Running, String) {
    open_with(name, |server| server)
}

/// The same on a server that is told more.
pub fn open_with(name: &str, with: impl FnOnce(Running) -> Running) -> (Running, String) {
    let mut server = with(Running::new(name));
    for name in ["full", "empty"] {
        let domain = format!("{name}.example");
        server.cli(&["site", "add", "--name", name, "--domain", &domain, "--currency", "EUR", "--consent", "opt-out"]);
    }
    let token = server.cli(&["token", "create", "--site", "full", "--name", "shop", "--scope", "read,write"]);
    let token = token["token"].as_str().expect("a token").to_owned();
    server.start();
    (server, token)
}

/// Something that a shop's own server tells.
pub fn tell(server: &Running, token: &str, path: &str, body: &Value) -> Value {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let heard = server.post(path, &headers, body.to_string().as_bytes()).expect("an answer");
    assert!(matches!(heard.status, 200 | 201), "{path} {body}: {} {}", heard.status, heard.text);
    heard.json()
}

/// By the link that the start prints, up to the frame of the dashboard.
pub async fn sign_up(browser: &Chromium, server: &Running) {
    browser.open(&setup_link(server)).await;
    browser.write("input[name=email]", "ann@full.example").await;
    browser.write("input[name=password]", PASSWORD).await;
    browser.click("button[type=submit]").await;
    browser.wait("the frame", "return !!document.querySelector('.rail')").await;
}

pub fn setup_link(server: &Running) -> String {
    let log = server.log();
    log.split_whitespace().find(|w| w.contains("/setup/")).expect("the start prints a link").to_owned()
}
