//! Whoever was erased after a backup stays erased when it is restored, on this machine or another, from the folder of backups or
//! from wherever it was put.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Shop;
use crate::running::Running;

impl Shop {
    fn erase(&self, id: &str) {
        self.server.cli(&["erase", "--site", &self.site, "--email", &format!("{id}@mail.example")]);
    }

    fn finding(&self, check: &str) -> Value {
        let said = self.server.command(&["doctor", "--json"]).output().expect("it runs");
        let all: Value = serde_json::from_slice(&said.stdout).expect("JSON");
        all["checks"].as_array().into_iter().flatten().find(|c| c["check"] == check).cloned().unwrap_or_else(|| panic!("{check} in {all}"))
    }
}

/// Lines of the log in a folder.
fn lines(folder: &Path) -> usize {
    std::fs::read_to_string(folder.join("erasures.log")).map_or(0, |text| text.lines().filter(|l| !l.is_empty()).count())
}

#[test]
fn an_older_backup_brings_back_nobody_wherever_it_lies() {
    let mut shop = Shop::new("erased");
    shop.server.start();
    for id in ["first", "second", "third", "stays"] {
        shop.lead(id);
    }
    let (own, there, away) = (shop.data().join("backups"), shop.server.folder.join("else"), shop.server.folder.join("away"));
    std::fs::create_dir(&there).expect("a folder");
    shop.erase("first");
    let nightly = PathBuf::from(shop.server.cli(&["backup"])["backup"].as_str().expect("a file"));
    let named = there.join("one.backup");
    shop.server.cli(&["backup", "--to", &named.display().to_string()]);
    shop.erase("second");
    assert_eq!([lines(&shop.data()), lines(&own), lines(&there)], [2, 2, 2], "{}", shop.server.log());
    assert_eq!(shop.finding("erasures_log")["state"], "ok");

    // The disk is taken away for a while.
    std::fs::rename(&there, &away).expect("gone");
    shop.erase("third");
    assert_eq!([lines(&shop.data()), lines(&own), lines(&away)], [3, 3, 2]);
    let told = shop.finding("erasures_log");
    assert!(told["state"] == "warning" && told["message"].to_string().contains(&there.display().to_string()), "{told}");
    std::fs::rename(&away, &there).expect("back");
    shop.server.cli(&["backup"]);
    assert_eq!([lines(&own), lines(&there)], [3, 3], "the next backup brings it there");
    assert_eq!(shop.finding("erasures_log")["state"], "ok");
    // A backup that was deleted brings back nobody.
    let gone = shop.server.folder.join("gone");
    std::fs::create_dir(&gone).expect("a folder");
    let file = gone.join("x.backup");
    shop.server.cli(&["backup", "--to", &file.display().to_string()]);
    std::fs::remove_file(&file).expect("deleted");
    shop.erase("nobody");
    assert_eq!((shop.finding("erasures_log")["state"].as_str(), lines(&gone)), (Some("ok"), 3));
    shop.server.stop();

    for file in [nightly, named] {
        let other = Running::new("another");
        std::fs::copy(shop.server.folder.join("data.key"), other.folder.join("data.key")).expect("the key is brought along");
        other.cli(&["restore", &file.display().to_string()]);
        let left = other.sql(&shop.site, "select email from leads where email is not null");
        assert_eq!(left.len(), 1, "{}: {left:?}", file.display());
        assert_eq!(left[0]["email"], "stays@mail.example");
    }
}
