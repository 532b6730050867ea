//! What is refused, in one line each, and what stands untouched afterwards.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::{Shop, names, set};
use crate::running::Running;

#[test]
fn a_file_that_is_no_whole_backup_is_refused_before_anything_is_replaced() {
    let mut shop = Shop::new("tampered");
    shop.server.start();
    shop.lead("L-1");
    let file = shop.file("copy.backup");
    shop.server.cli(&["backup", "--to", &file]);
    shop.lead("L-2");
    shop.server.stop();
    let whole = std::fs::read(&file).expect("a backup");
    let flipped = |place: usize| [&whole[..place], &[whole[place] ^ 1], &whole[place + 1..]].concat();
    let bad = shop.file("bad.backup");
    let told = whole.windows(9).rposition(|w| w == b"\"tables\":").expect("a manifest");
    for (what, bytes) in [
        ("cut", whole[..whole.len() / 2].to_vec()),
        ("one byte short", whole[..whole.len() - 1].to_vec()),
        ("changed in the pages", flipped(whole.len() / 2)),
        ("changed in the manifest", flipped(told + 12)),
        ("longer", [&whole[..], b"x"].concat()),
        ("a database without a manifest", whole[..whole.len() / 4096 * 4096].to_vec()),
        ("something else", b"hello".to_vec()),
        ("empty", Vec::new()),
    ] {
        std::fs::write(&bad, bytes).expect("a file");
        let (code, said) = shop.ends(&["restore", &bad]);
        assert_eq!(code, 1, "{what}: {said}");
        assert!(said.contains("bad.backup is no whole backup") && said.contains("Nothing was changed"), "{what}: {said}");
    }
    let (code, said) = shop.ends(&["restore", &shop.file("none.backup")]);
    assert!(code == 1 && said.contains("There is no "), "{said}");
    let left = names(&shop.data());
    assert!(!left.iter().any(|n| n.starts_with("restoring")), "{left:?}");
    assert_eq!(shop.leads(), set(&["L-1", "L-2"]));
    // What is refused is not written over either.
    let (code, said) = shop.ends(&["backup", "--to", &bad]);
    assert!(code == 1 && said.contains("no backup of HaloTrack"), "{said}");
    shop.server.start();
    shop.lead("L-3");
}

#[test]
fn a_backup_opens_under_its_own_key_only() {
    let shop = Shop::new("keys");
    let file = shop.file("copy.backup");
    shop.server.cli(&["backup", "--to", &file]);
    let fresh = Running::new("no-key");
    let code = |server: &Running| {
        let done = server.command(&["restore", &file]).output().expect("it runs");
        (done.status.code(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    let (ended, said) = code(&fresh);
    assert_eq!(ended, Some(5), "without a key: {said}");
    assert!(!fresh.folder.join("data.key").exists(), "none is made: it would open nothing");
    let other = Shop::new("other-key");
    let (ended, said) = code(&other.server);
    assert_eq!(ended, Some(5), "another box's key: {said}");
    assert_eq!(other.server.cli(&["site", "list"]).as_array().map(Vec::len), Some(1));
    assert!(!other.data().join("restoring").exists());
}

#[test]
fn a_log_of_erasures_is_never_passed_over() {
    let shop = Shop::new("erasures");
    let file = shop.file("copy.backup");
    shop.server.cli(&["backup", "--to", &file]);
    let log = shop.data().join("erasures.log");
    std::fs::write(&log, "a line of a version that erases\n").expect("a log");
    let (code, said) = shop.ends(&["restore", &file]);
    assert!(code == 1 && said.contains("erasures"), "{said}");
    // It goes along with every backup.
    shop.server.cli(&["backup", "--to", &shop.file("second.backup")]);
    std::fs::remove_file(&log).expect("gone");
    let (code, said) = shop.ends(&["restore", &shop.file("second.backup")]);
    assert!(code == 1 && said.contains("erasures"), "{said}");
}

#[test]
fn a_damaged_database_gives_way_with_its_log() {
    let mut shop = Shop::new("damaged");
    shop.server.start();
    shop.lead("L-1");
    let file = shop.file("copy.backup");
    shop.server.cli(&["backup", "--to", &file]);
    shop.lead("L-2");
    // The server dies, and the disk has eaten the beginning of the file; its log is still there.
    shop.server.kill9();
    let database = shop.data().join(halotrack::store::FILE);
    let log = std::fs::read(shop.data().join(format!("{}-wal", halotrack::store::FILE))).expect("a log");
    let mut raw = std::fs::read(&database).expect("a database");
    raw[..4096].fill(0x7f);
    std::fs::write(&database, &raw).expect("damaged");
    let (code, said) = shop.ends(&["site", "list"]);
    assert!(code == 4 && said.contains("halotrack restore FILE"), "{said}");
    let done = shop.server.cli(&["restore", &file]);
    let aside = done["replaced"].as_str().expect("kept").to_owned();
    assert!(std::fs::read(&aside).expect("the damaged one") == raw, "it is kept as it was");
    assert!(std::fs::read(format!("{aside}-wal")).expect("its log") == log, "beside the new one it would be played into it");
    shop.server.start();
    assert_eq!(shop.leads(), set(&["L-1"]));
    shop.lead("L-3");
}

/// A small disk of its own, where this user may make one.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mount(at: &'a Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(at).ok()?;
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(at).output().ok()?;
        done.status.success().then_some(Self(at))
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).status();
    }
}

#[test]
fn a_disk_without_room_is_told_first_and_the_server_goes_on() {
    let mut shop = Shop::new("full");
    shop.server.start();
    let small = shop.server.folder.join("small");
    let Some(disk) = SmallDisk::mount(&small, "1m") else {
        eprintln!("skipped: this user may not mount a small disk");
        return;
    };
    let (code, said) = shop.ends(&["backup", "--to", &small.join("copy.backup").display().to_string()]);
    assert!(code == 1 && said.contains("MB are needed") && said.contains("Free some space"), "{said}");
    assert!(names(&small).is_empty(), "nothing is left there");
    shop.lead("L-1");
    let page = shop.server.get("/metrics", &[]).expect("an answer").text;
    assert!(page.contains("halotrack_backup_standing{standing=\"failed\"} 1"), "{page}");
    let (code, said) = shop.ends(&["backup", "--to", "/nowhere/at/all/copy.backup"]);
    assert!(code == 2 && said.contains("There is no folder /nowhere/at/all"), "{said}");
    shop.server.cli(&["backup"]);
    let page = shop.server.get("/metrics", &[]).expect("an answer").text;
    assert!(page.contains("halotrack_backup_standing{standing=\"good\"} 1"), "{page}");
    drop(disk);
}

#[test]
fn a_disk_that_fills_up_meanwhile_leaves_nothing_behind() {
    let shop = Shop::new("fills");
    let file = shop.file("copy.backup");
    // A limit on the size of files stands for a disk that ends in the middle of the copy.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 200; exec \"$@\"", "sh"]);
    let own = shop.server.command(&["backup", "--to", &file]);
    command.arg(own.get_program()).args(own.get_args()).current_dir(&shop.server.folder);
    command.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let done = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(said.contains("full or failing"), "{said}");
    assert!(!names(&shop.server.folder).iter().any(|n| n.starts_with("copy.backup")));
    assert!(names(&shop.data().join("backups")).is_empty());
    assert_eq!(shop.server.cli(&["site", "list"])[0]["name"], json!("Shop"));
    shop.server.cli(&["backup", "--to", &file]);
}
