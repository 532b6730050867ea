//! The folder `backups` in the data folder: what is in it, what it is called, and what has had its time.

use std::path::{Path, PathBuf};

use crate::domain::backup::{is_past, surplus};
use crate::domain::time::Time;
use crate::error::Result;
use crate::files;
use crate::store::snapshot::FOLDER;

/// Where a backup is proven.
const SCRATCH: &str = "proving";

/// A backup in the folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    pub name: String,
    pub at: Time,
    pub bytes: u64,
}

/// `backups/halotrack-2026-06-13T031000Z.backup`
pub fn name(data: &Path, at: Time) -> PathBuf {
    data.join(FOLDER).join(format!("halotrack-{}.backup", stamp(at)))
}

/// Where the database goes that a restored one replaces.
pub fn aside(data: &Path, at: Time) -> PathBuf {
    data.join(FOLDER).join(format!("replaced-{}.sqlite", stamp(at)))
}

pub fn scratch(data: &Path) -> PathBuf {
    data.join(FOLDER).join(SCRATCH)
}

/// The backups in the folder, the newest first.
pub fn list(data: &Path) -> Vec<Kept> {
    let mut all: Vec<Kept> =
        entries(data).into_iter().filter_map(|(name, meta)| Some(Kept { at: time_in(&name)?, bytes: meta.len(), name })).collect();
    all.sort_by(|a, b| b.at.cmp(&a.at));
    all
}

/// Removes what makers left that were killed.
pub fn sweep(data: &Path) -> Result<()> {
    files::remove_folder(&scratch(data))?;
    for (name, _) in entries(data) {
        if name.ends_with(".part") {
            files::remove(&data.join(FOLDER).join(name))?;
        }
    }
    Ok(())
}

/// Removes backups that others stand for, and what was put aside at upgrades and restores long ago: whoever was erased
/// since must be gone from all of them some day.
pub fn prune(data: &Path, now: Time) -> Result<usize> {
    let backups = list(data);
    let times: Vec<Time> = backups.iter().map(|k| k.at).collect();
    let gone = surplus(&times, now);
    let mut names: Vec<String> = backups.into_iter().filter(|k| gone.contains(&k.at)).map(|k| k.name).collect();
    for (name, meta) in entries(data) {
        let is_aside = ["replaced-", "before-shape-"].iter().any(|start| name.starts_with(start));
        if is_aside && changed_at(&meta).is_some_and(|at| is_past(at, now)) {
            names.push(name);
        }
    }
    for name in &names {
        files::remove(&data.join(FOLDER).join(name))?;
    }
    Ok(names.len())
}

fn entries(data: &Path) -> Vec<(String, std::fs::Metadata)> {
    let Ok(folder) = std::fs::read_dir(data.join(FOLDER)) else { return Vec::new() };
    folder.flatten().filter_map(|e| Some((e.file_name().into_string().ok()?, e.metadata().ok()?))).filter(|(_, m)| m.is_file()).collect()
}

/// RFC 3339 without colons, which some disks do not take.
fn stamp(at: Time) -> String {
    at.utc().replace(':', "")
}

fn time_in(name: &str) -> Option<Time> {
    let stamp = name.strip_prefix("halotrack-")?.strip_suffix(".backup")?;
    let (day, clock) = stamp.split_once('T')?;
    let clock = clock.strip_suffix('Z').filter(|c| c.len() == 6 && c.bytes().all(|b| b.is_ascii_digit()))?;
    Time::parse(&format!("{day}T{}:{}:{}Z", &clock[..2], &clock[2..4], &clock[4..]))
}

fn changed_at(meta: &std::fs::Metadata) -> Option<Time> {
    let since = meta.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Time::from_s(i64::try_from(since.as_secs()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_time() {
        let at = Time::parse("2026-06-13T03:10:05Z").expect("a time");
        let path = name(Path::new("/data"), at);
        assert_eq!(path, Path::new("/data/backups/halotrack-2026-06-13T031005Z.backup"));
        assert_eq!(time_in("halotrack-2026-06-13T031005Z.backup"), Some(at));
        for other in ["halotrack-2026-06-13T031005Z.backup.part", "mine.backup", "halotrack-2026-06-13T0310Z.backup", "halotrack-x.backup"]
        {
            assert_eq!(time_in(other), None, "{other}");
        }
    }
}
