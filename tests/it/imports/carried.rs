//! Files that are carried on: a run that was cut off goes on where it was, in another process too; and the command line, with
//! a server and without one.

use std::fs;

use bytes::Bytes;
use halotrack::flows::imports;
use serde_json::json;
use tokio::sync::mpsc;

use super::{cut_off, done, get, many, rows, send, wanted};
use crate::house::House;
use crate::running::Running;

#[tokio::test]
async fn a_run_that_was_cut_off_goes_on_where_it_was() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let text = many(450);
    let e = cut_off(&house, &shop, &text, text.len() / 4 * 3).await;
    assert_eq!(e.code, "gone");
    let import = get(&house, &shop, "imports/import_1").await;
    let through = import["rows"]["read"].as_i64().expect("rows");
    assert_eq!((&import["state"], through % 100), (&json!("cut_off"), 0), "whole commits: {import}");
    assert!(through > 0 && through < 450, "{import}");
    // A file that comes short is no whole file.
    let site = house.app.book().site(shop.id).cloned().expect("a site");
    let (out, pieces) = mpsc::channel(1);
    drop(out);
    let short = imports::bring(&house.app, &site, wanted(&text), pieces, "command line").await.expect_err("nothing came");
    assert_eq!(short.code, "cut_off");

    let (out, pieces) = mpsc::channel(1);
    let whole = Bytes::from(text.clone());
    let (ended, _) =
        tokio::join!(imports::bring(&house.app, &site, wanted(&text), pieces, "command line"), async move { out.send(Ok(whole)).await });
    let ended = ended.expect("it ends");
    assert_eq!((ended.id.number(), ended.counts.rows, ended.counts.new), (1, 450, 450), "the same import, each row once");
    assert_eq!(get(&house, &shop, "conversions?limit=1").await["total"]["count"], 450);
}

/// The process dies while a file of the dashboard is being brought in: the next one finishes it.
#[tokio::test]
async fn the_next_start_finishes_what_was_being_brought_in() {
    let house = House::new();
    let shop = house.site("shop.example").await;
    let text = many(350);
    let id = send(&house, &shop, "orders", text.as_bytes()).await;
    house.app.begin_stopping();
    house.post(&format!("/api/sites/{}/imports/{id}/run", shop.slug)).token(&shop.token).send().await.is(202);
    let stopped = done(&house, &shop, &id).await;
    assert_eq!(stopped["state"], "cut_off", "{stopped}");
    let next = house.again();
    imports::uploads::go_on(&next.app).await.expect("it goes on");
    let import = get(&next, &shop, &format!("imports/{id}")).await;
    assert_eq!((&import["state"], rows(&import)[0]), (&json!("done"), 350), "{import}");
    assert!(house.data().join("imports").read_dir().expect("the folder").next().is_none(), "and the file is gone");
}

#[test]
fn the_command_brings_a_file_with_a_server_and_without() {
    let mut server = Running::new("import");
    server.cli(&["site", "add", "--name", "Shop", "--domain", "shop.example", "--currency", "EUR", "--consent", "opt-out"]);
    let file = server.folder.join("orders.csv");
    let name = file.to_str().expect("a path").to_owned();
    let import = |server: &Running, more: &[&str]| {
        let mut args = vec!["import", "--site", "shop", "--kind", "orders", name.as_str()];
        args.extend_from_slice(more);
        server.cli(&args)
    };
    fs::write(&file, many(120) + "x,abc,2026-03-01,\n").expect("a file");
    let seen = import(&server, &["--preview"]);
    assert_eq!(
        (&seen["rows"]["new"], &seen["rows"]["refused"], &seen["refused"][0]["line"]),
        (&json!(120), &json!(1), &json!(122)),
        "{seen}"
    );
    let without = import(&server, &[]);
    assert_eq!(
        (&without["state"], &without["rows"]["new"], &without["name"]),
        (&json!("done"), &json!(120), &json!("orders.csv")),
        "{without}"
    );
    server.start();
    let with = import(&server, &[]);
    assert_eq!((&with["rows"]["known"], &with["rows"]["new"]), (&json!(120), &json!(0)), "{with}");
    fs::write(&file, many(2_000)).expect("a file");
    assert_eq!(import(&server, &["--preview"])["rows"]["new"], 1_880);
    assert_eq!(import(&server, &[])["rows"]["new"], 1_880);
    assert_eq!(server.sql("shop", "select count(*) as n from orders")[0]["n"], 2_000);
    // What is wrong is one line and a code of its own.
    for (args, code, word) in [
        (vec!["import", "--site", "shop", "--kind", "pears", name.as_str()], 2, "spend, conversions, orders, leads, offline, touches"),
        (vec!["import", "--site", "shop", "--kind", "spend", name.as_str()], 2, "Missing: day"),
        (vec!["import", "--site", "shop", "--kind", "orders", "/nowhere/at/all.csv"], 1, "There is no"),
    ] {
        let out = server.command(&args).output().expect("it runs");
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!((out.status.code(), said.lines().count()), (Some(code), 1), "{said}");
        assert!(said.contains(word), "{said}");
    }
    let text = server.command(&["import", "--site", "shop", "--kind", "orders", name.as_str()]).output().expect("it runs");
    assert!(String::from_utf8_lossy(&text.stdout).contains("2000 known already"), "{}", String::from_utf8_lossy(&text.stdout));
}
