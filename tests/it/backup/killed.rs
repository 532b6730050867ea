//! A backup, a restore and an upgrade are killed at every moment that has a name: what is there afterwards is the old
//! state or the new one, and the next command works.
//!
//! See `dying.rs` for who is killed.

use std::path::{Path, PathBuf};

use halotrack::backup::{self, Watch, swap};
use halotrack::control::restore::{self, RestoreForm};
use halotrack::flows;
use halotrack::flows::restore::Release;
use halotrack::store::{FILE, migrate};
use rusqlite::Connection;

use super::{Shop, names, set};
use crate::dying::{config, die as die_in, dies_at, told};

fn die(test: &str, moment: &str, data: &Path, file: &Path) {
    die_in(&format!("backup::killed::{test}"), moment, data, file);
}

#[test]
fn dies_in_a_backup() {
    let Some((moment, data, file)) = told() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let _held = halotrack::control::lock::take(&data).expect("an answer").expect("the lock");
        let app = halotrack::control::build(config(&data)).expect("the product");
        flows::backup::run(&app, Some(file), false, Watch::by(dies_at(moment))).await.expect("a backup");
    });
}

#[test]
fn dies_in_a_restore() {
    let Some((moment, data, file)) = told() else { return };
    let form = RestoreForm { file, release: Release::Nothing };
    restore::run(config(&data), &form, &Watch::by(dies_at(moment))).expect("a restore");
}

const STEPS: [(&str, &str); 3] = [
    ("0001_x", "create table people (name text not null) strict; insert into people values ('Ann');"),
    ("0002_x", "alter table people add column age integer;"),
    ("0003_x", "create index people__name on people (name); insert into people (name, age) values ('Bo', 3);"),
];

#[test]
fn dies_in_an_upgrade() {
    let Some((moment, _, file)) = told() else { return };
    let mut conn = Connection::open(&file).expect("a database");
    migrate::bring_up(&mut conn, &file, &STEPS, &dies_at(moment)).expect("an upgrade");
}

#[test]
fn a_backup_that_dies_is_no_backup() {
    let mut shop = Shop::new("dies-backup");
    shop.server.start();
    shop.lead("L-1");
    let file = PathBuf::from(shop.file("copy.backup"));
    shop.server.cli(&["backup", "--to", &shop.file("copy.backup")]);
    let first = std::fs::read(&file).expect("a backup");
    shop.lead("L-2");
    shop.server.stop();
    for moment in backup::MOMENTS {
        std::fs::write(&file, &first).expect("the first one again");
        die("dies_in_a_backup", moment, &shop.data(), &file);
        let is_new = moment == "settled";
        assert_eq!(std::fs::read(&file).expect("a backup") != first, is_new, "{moment}");
        assert!(backup::file::is_backup(&file), "{moment}");
        assert_eq!(shop.server.cli(&["site", "list"])[0]["name"], "Shop", "{moment}");
        let left = names(&shop.data().join("backups"));
        assert!(left.is_empty(), "{moment}: the next command sweeps: {left:?}");
    }
    shop.server.cli(&["backup", "--to", &shop.file("copy.backup")]);
    assert!(!names(&shop.server.folder).contains("copy.backup.part"), "the next backup takes its place");
    assert_eq!(shop.leads(), set(&["L-1", "L-2"]));
}

#[test]
fn a_restore_that_dies_has_happened_or_not() {
    let mut shop = Shop::new("dies-restore");
    shop.server.start();
    shop.lead("L-1");
    let file = PathBuf::from(shop.file("copy.backup"));
    shop.server.cli(&["backup", "--to", &shop.file("copy.backup")]);
    shop.lead("L-2");
    // Killed, so that the newest lead lies in the log alone: it must neither be lost nor be played into the other database.
    shop.server.kill9();
    let log = std::fs::metadata(shop.data().join(format!("{FILE}-wal"))).expect("a log");
    assert!(log.len() > 0);
    let whole = shop.server.folder.join("whole");
    copy_all(&shop.data(), &whole);
    for moment in restore::MOMENTS.iter().chain(&swap::MOMENTS) {
        std::fs::remove_dir_all(shop.data()).expect("gone");
        copy_all(&whole, &shop.data());
        die("dies_in_a_restore", moment, &shop.data(), &file);
        // Whatever takes the lock next ends what was begun.
        shop.server.cli(&["site", "list"]);
        let is_new = swap::MOMENTS.contains(moment);
        let want = if is_new { set(&["L-1"]) } else { set(&["L-1", "L-2"]) };
        assert_eq!(shop.leads(), want, "{moment}");
        let left = names(&shop.data());
        assert!(!left.iter().any(|n| n.starts_with("restoring")), "{moment}: {left:?}");
        let aside = names(&shop.data().join("backups"));
        assert_eq!(aside.iter().any(|n| n.starts_with("replaced-")), is_new, "{moment}: {aside:?}");
        if let Some(name) = aside.iter().find(|n| n.ends_with(".sqlite")) {
            let conn = Connection::open(shop.data().join("backups").join(name)).expect("the old one");
            let leads: i64 = conn.query_row("select count(*) from leads", [], |row| row.get(0)).expect("a count");
            assert_eq!(leads, 2, "{moment}: the old one is kept whole");
        }
        shop.server.start();
        shop.lead("L-3");
        shop.server.stop();
    }
}

#[test]
fn an_upgrade_that_dies_has_happened_or_not() {
    let folder = std::env::temp_dir().join(format!("halotrack-upgrade-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join(FILE);
    for moment in migrate::MOMENTS {
        std::fs::remove_dir_all(&folder).expect("gone");
        std::fs::create_dir_all(&folder).expect("a folder");
        let mut conn = Connection::open(&file).expect("a database");
        conn.pragma_update(None, "journal_mode", "wal").expect("a log");
        migrate::bring_up(&mut conn, &file, &STEPS[..1], &|_| ()).expect("the old shape");
        drop(conn);
        die("dies_in_an_upgrade", moment, &folder, &file);
        let conn = Connection::open(&file).expect("a database");
        assert_eq!(shape(&conn), if moment == "stepped" { (3, 2) } else { (1, 1) }, "{moment}");
        let copy = folder.join("backups").join("before-shape-2.sqlite");
        assert_eq!(copy.exists(), moment != "copying", "{moment}: there is a whole copy or none");
        drop(conn);
        let mut conn = Connection::open(&file).expect("a database");
        migrate::bring_up(&mut conn, &file, &STEPS, &|_| ()).expect("the new shape");
        assert_eq!(shape(&conn), (3, 2), "{moment}");
        assert_eq!(shape(&Connection::open(&copy).expect("the copy")), (1, 1), "{moment}");
        assert_eq!(names(&folder.join("backups")).len(), 1, "{moment}");
    }
    // A step that fails takes the others back with it.
    let mut conn = Connection::open_in_memory().expect("a database");
    migrate::bring_up(&mut conn, &file, &STEPS[..1], &|_| ()).expect("the old shape");
    let steps = [STEPS[0], STEPS[1], ("0003_bad", "create table people (x);")];
    let e = migrate::bring_up(&mut conn, &file, &steps, &|_| ()).expect_err("refused");
    assert!(e.code == "migration_failed" && e.message.contains("0003_bad"), "{e}");
    assert_eq!(shape(&conn), (1, 1));
    std::fs::remove_dir_all(&folder).expect("a clean end");
}

/// Steps that it has had, and people in it.
fn shape(conn: &Connection) -> (i64, i64) {
    let whole: String = conn.query_row("pragma integrity_check", [], |row| row.get(0)).expect("a look");
    assert_eq!(whole, "ok");
    let version = conn.pragma_query_value(None, "user_version", |row| row.get(0)).expect("a version");
    (version, conn.query_row("select count(*) from people", [], |row| row.get(0)).expect("a count"))
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let (path, kind) = (entry.path(), entry.file_type().expect("a kind"));
        if kind.is_dir() {
            copy_all(&path, &to.join(entry.file_name()));
        } else if kind.is_file() {
            std::fs::copy(&path, to.join(entry.file_name())).expect("copied");
        }
    }
}
