//! What a server stands on before it opens anything: versions, the data folder, its rights, the key, the clock.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::Finding;
use crate::clock::Clock;
use crate::config::Config;
use crate::control;
use crate::domain::time::{MINUTE_MS, Time};
use crate::store;

/// No clock that is right shows less: this version was made later.
const BUILT_AFTER: &str = "2026-06-01T00:00:00Z";

pub fn look(config: &Config) -> Vec<Finding> {
    let mut found = vec![versions()];
    found.push(folder(&config.data));
    if let Some(finding) = database(&config.data) {
        found.push(finding);
    }
    found.push(key(config));
    found.push(clock(&config.data));
    found
}

fn versions() -> Finding {
    Finding::ok(
        "version",
        format!(
            "HaloTrack {}, SQLite {}, data of shape {}.",
            env!("CARGO_PKG_VERSION"),
            store::sqlite_version(),
            store::migrate::STEPS.len()
        ),
    )
}

fn folder(data: &Path) -> Finding {
    const CHECK: &str = "folder";
    let Ok(meta) = fs::metadata(data) else {
        return Finding::failed(
            CHECK,
            format!("There is no data folder {}.", data.display()),
            "Name it with --data, or start the server once: it makes the folder.",
        );
    };
    if !meta.is_dir() {
        return Finding::failed(CHECK, format!("{} is no folder.", data.display()), "Name the data folder with --data.");
    }
    let name = data.join(format!(".doctor-{}", std::process::id()));
    let is_writable = fs::write(&name, b"x").is_ok();
    let _ = fs::remove_file(&name);
    if !is_writable {
        let remedy = format!("Run this as the user that runs the server, or: chown -R halotrack: {}", data.display());
        return Finding::failed(CHECK, format!("This user may not write to {}.", data.display()), &remedy);
    }
    if meta.mode() & 0o077 != 0 {
        let remedy = format!("Run: chmod 700 {}", data.display());
        return Finding::warning(CHECK, format!("Others may look into {} (mode {:o}).", data.display(), meta.mode() & 0o777), &remedy);
    }
    Finding::ok(CHECK, format!("{} is there, writable, and closed to others.", data.display()))
}

fn database(data: &Path) -> Option<Finding> {
    const CHECK: &str = "database_rights";
    let path = data.join(store::FILE);
    let meta = fs::metadata(&path).ok()?;
    let owner = fs::metadata(data).map(|m| m.uid()).unwrap_or(meta.uid());
    Some(if meta.mode() & 0o077 != 0 {
        let remedy = format!("Run: chmod 600 {}", path.display());
        Finding::failed(CHECK, "Others may read the database: it holds people.", &remedy)
    } else if meta.uid() != owner {
        let remedy = format!("Run: chown --reference={} {}*", data.display(), path.display());
        Finding::failed(CHECK, "Database and folder belong to different users.", &remedy)
    } else {
        Finding::ok(CHECK, format!("Only its owner may read the database ({} MB).", meta.len() / 1_000_000))
    })
}

/// Opens the key as a start would, but never makes one.
fn key(config: &Config) -> Finding {
    const CHECK: &str = "key";
    if !config.master_key_file.exists() && !config.data.join(store::FILE).exists() {
        return Finding::not_checked(CHECK, "There is no key yet: the first start makes it.");
    }
    match control::unlock(config) {
        Ok(_) if config.master_key_file.starts_with(&config.data) => Finding::warning(
            CHECK,
            "The master key lies inside the data folder: whoever copies the folder has both.",
            "Move it beside the folder and name it with master_key_file.",
        ),
        Ok(_) => Finding::ok(CHECK, format!("The master key {} can be read, by its owner alone.", config.master_key_file.display())),
        Err(e) => Finding::failed(CHECK, e.message, "A copy of the key lies where you keep it apart from the backups."),
    }
}

/// Against what this version knows and against the clock of the file system.
fn clock(data: &Path) -> Finding {
    const CHECK: &str = "clock";
    const REMEDY: &str = "Switch time synchronisation on: timedatectl set-ntp true";
    let now = Clock::system().now();
    if Time::parse(BUILT_AFTER).is_some_and(|built| now < built) {
        return Finding::failed(CHECK, format!("The clock says {}, which is long past.", now.utc()), REMEDY);
    }
    let newest = fs::metadata(data.join(store::FILE)).ok().and_then(|m| m.modified().ok());
    let newest = newest.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok()).map(|d| Time::from_ms(d.as_millis() as i64));
    if newest.is_some_and(|at| at.ms_since(now) > MINUTE_MS) {
        return Finding::failed(CHECK, format!("The clock says {}, but the database was written later.", now.utc()), REMEDY);
    }
    match is_synchronised() {
        Some(true) => Finding::ok(CHECK, format!("{}, kept right over the network.", now.utc())),
        Some(false) => Finding::warning(CHECK, format!("{}, but nothing keeps the clock right.", now.utc()), REMEDY),
        None => Finding::ok(CHECK, format!("{}. Whether something keeps it right cannot be seen here.", now.utc())),
    }
}

/// What the kernel knows of the clock's discipline, whichever program it is by.
/// https://man7.org/linux/man-pages/man2/adjtimex.2.html
#[cfg(target_os = "linux")]
fn is_synchronised() -> Option<bool> {
    let mut state = std::mem::MaybeUninit::<libc::timex>::zeroed();
    // SAFETY: all zeroes is a valid `timex`; with `modes` 0 the call only reads and fills it.
    let (answer, state) = unsafe { (libc::adjtimex(state.as_mut_ptr()), state.assume_init()) };
    (answer >= 0).then_some(state.status & libc::STA_UNSYNC == 0)
}

#[cfg(not(target_os = "linux"))]
fn is_synchronised() -> Option<bool> {
    None
}
