//! Files of lists: the same as a browser gets, whole or not at all, with and without a server.

use std::fs;

use serde_json::{Value, json};

use crate::running::Running;

fn filled(name: &str) -> (Running, String) {
    let mut server = Running::new(name);
    server.cli(&["site", "add", "--name", "Shop", "--domain", "shop.example", "--currency", "EUR", "--consent", "opt-out"]);
    let token = server.cli(&["token", "create", "--site", "shop", "--name", "t", "--scope", "read,write,export"]);
    let token = format!("Bearer {}", token["token"].as_str().expect("a token"));
    server.start();
    for n in 0..3 {
        let body = json!({"order_id": format!("A-{n}"), "total": format!("{n}.50"), "currency": "EUR", "email": format!("p{n}@mail.example"),
            "created_at": format!("2026-06-0{}T10:00:00Z", n + 1), "items": [{"name": "=1+1", "price": "1.00"}]});
        let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
        let heard = server.post("/api/webhook/order", &headers, body.to_string().as_bytes()).expect("an answer");
        assert_eq!(heard.status, 200, "{}", heard.text);
    }
    (server, token)
}

fn export(server: &Running, folder: &str, more: &[&str]) -> Value {
    let to = server.folder.join(folder);
    let mut args = vec!["export", "--site", "shop", "--to", to.to_str().expect("a path")];
    args.extend_from_slice(more);
    server.cli(&args)
}

/// The body of an answer that came in chunks (RFC 9112, section 7.1).
fn unchunked(mut text: &str) -> String {
    let mut body = String::new();
    while let Some((length, rest)) = text.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).expect("the length of a chunk");
        body.push_str(&rest[..length]);
        text = rest[length..].trim_start_matches("\r\n");
        if length == 0 {
            break;
        }
    }
    body
}

#[test]
fn a_file_is_what_the_lists_own_route_gives() {
    let (mut server, token) = filled("export");
    let said = export(&server, "all", &[]);
    let files = said["files"].as_array().cloned().unwrap_or_default();
    assert!(files.len() >= 7, "all lists: {said}");
    for file in &files {
        let kind = file["kind"].as_str().expect("a kind");
        let path = format!("/api/sites/shop/{kind}.csv");
        let own = server.get(&path, &[("authorization", &token)]).expect("an answer");
        if kind == "audit" {
            // Wants an editor: a token that may not write reads it no more than a browser does.
            continue;
        }
        assert_eq!(own.status, 200, "{path}: {}", own.text);
        let written = fs::read_to_string(server.folder.join(format!("all/{kind}.csv"))).expect("a file");
        assert_eq!(written, unchunked(&own.text), "{kind}");
        assert_eq!(file["bytes"], json!(written.len()), "{kind}");
    }
    let names: Vec<String> = fs::read_dir(server.folder.join("all"))
        .expect("a folder")
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .filter(|n| !n.ends_with(".csv"))
        .collect();
    assert_eq!(names, Vec::<String>::new(), "nothing is left beside the files");

    // The same without a server.
    let with = fs::read(server.folder.join("all/orders.csv")).expect("a file");
    server.stop();
    export(&server, "without", &["--kind", "orders"]);
    assert_eq!(fs::read(server.folder.join("without/orders.csv")).expect("a file"), with);
}

#[test]
fn days_lists_and_formats_are_chosen() {
    let (server, _) = filled("export-days");
    export(&server, "some", &["--kind", "orders,conversions", "--format", "jsonl", "--from", "2026-06-02", "--to-date", "2026-06-02"]);
    let lines = fs::read_to_string(server.folder.join("some/orders.jsonl")).expect("a file");
    let rows: Vec<Value> = lines.lines().map(|l| serde_json::from_str(l).expect("a row")).collect();
    assert_eq!(rows.iter().map(|r| r["order_id"].clone()).collect::<Vec<_>>(), [json!("A-1")]);
    assert!(server.folder.join("some/conversions.jsonl").exists() && !server.folder.join("some/leads.jsonl").exists());
}

#[test]
fn what_cannot_be_exported_leaves_nothing() {
    let (server, _) = filled("export-none");
    let to = server.folder.join("none");
    let run = |args: &[&str]| {
        let done = server.command(&["export", "--to", to.to_str().expect("a path")]).args(args).output().expect("it runs");
        (done.status.code(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    let (code, text) = run(&["--site", "shop", "--kind", "secrets"]);
    assert!(code == Some(2) && text.contains("orders"), "{text}");
    let (code, text) = run(&["--site", "elsewhere", "--kind", "orders"]);
    assert!(code == Some(1) && text.contains("elsewhere"), "{text}");
    let (code, text) = run(&["--site", "shop", "--kind", "orders", "--from", "2026-13-40"]);
    assert!(code == Some(2) && text.contains("from"), "{text}");
    assert_eq!(fs::read_dir(&to).map(|d| d.count()).unwrap_or(0), 0);
    // An older file stays until the new one is whole.
    fs::create_dir_all(&to).expect("a folder");
    fs::write(to.join("orders.csv"), "old").expect("a file");
    run(&["--site", "shop", "--kind", "orders", "--from", "2026-13-40"]);
    assert_eq!(fs::read_to_string(to.join("orders.csv")).expect("a file"), "old");
}
