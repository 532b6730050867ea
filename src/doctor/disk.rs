//! The disk under the data: how much room, how fast a commit can be, and whether it says "written" before it is true.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Finding;
use crate::clock;
use crate::disk::{Gauge, SystemGauge};
use crate::domain::storage::Level;
use crate::store;

/// Synced writes that are timed, each of one page of the database.
const SYNCS: usize = 40;
const PAGE: usize = 4_096;
/// What is written to see the speed.
const BLOCK: usize = 1 << 20;
const BLOCKS: usize = 16;
/// A write that reaches flash takes longer than this, also with a cache that survives a power cut.
const TOO_FAST: Duration = Duration::from_micros(15);
/// Above this every visit waits so that one can feel it.
const SLOW: Duration = Duration::from_millis(40);

pub fn look(data: &Path) -> Vec<Finding> {
    if !data.is_dir() {
        return vec![Finding::not_checked("disk", "There is no data folder to measure.")];
    }
    let mut found = vec![room(data)];
    found.extend(file_system(data));
    found.push(syncs(data));
    found.push(speed(data));
    found
}

fn room(data: &Path) -> Finding {
    const CHECK: &str = "disk_room";
    let Ok(free) = SystemGauge.free(data) else {
        return Finding::failed(CHECK, "The system does not say how much room there is.", "Is the disk still mounted?");
    };
    let size = fs::metadata(data.join(store::FILE)).map(|m| m.len()).unwrap_or(0);
    let words = format!("{} MB are free; the database has {} MB.", free / 1_000_000, size / 1_000_000);
    match Level::Ample.after(free) {
        Level::Ample if free < size * 6 / 5 => {
            Finding::warning(CHECK, words, "A backup needs 1.2 times the database as free room beside it. Make room.")
        }
        Level::Ample => Finding::ok(CHECK, words),
        Level::Low => Finding::warning(CHECK, words, "Make room, or take a larger disk."),
        _ => Finding::failed(CHECK, words, "Make room at once: visits or facts are refused already."),
    }
}

/// Where SQLite's locks or a power cut are known to be a problem.
fn file_system(data: &Path) -> Option<Finding> {
    const CHECK: &str = "file_system";
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    let kind = kind_of(&mounts, &data.canonicalize().ok()?)?;
    Some(match kind.as_str() {
        "nfs" | "nfs4" | "cifs" | "smb3" | "9p" | "fuse.sshfs" | "fuse.s3fs" => Finding::failed(
            CHECK,
            format!("The data folder lies on {kind}: locks do not hold there and the database will be damaged."),
            "Move it to a local disk.",
        ),
        "tmpfs" | "ramfs" => {
            Finding::warning(CHECK, format!("The data folder lies on {kind}: in memory, gone with the next restart."), "Move it to a disk.")
        }
        _ => Finding::ok(CHECK, format!("The data folder lies on {kind}.")),
    })
}

/// The longest mount that holds the path.
fn kind_of(mounts: &str, path: &Path) -> Option<String> {
    let mut best: Option<(usize, String)> = None;
    for line in mounts.lines() {
        let mut words = line.split(' ');
        let (Some(_), Some(place), Some(kind)) = (words.next(), words.next(), words.next()) else { continue };
        let place = place.replace("\\040", " ");
        // Of two at one place the later lies on top.
        if path.starts_with(&place) && best.as_ref().is_none_or(|(length, _)| place.len() >= *length) {
            best = Some((place.len(), kind.to_owned()));
        }
    }
    best.map(|(_, kind)| kind)
}

fn syncs(data: &Path) -> Finding {
    const CHECK: &str = "disk_sync";
    let measured = Scratch::new(data, "sync").and_then(|mut scratch| {
        let mut taken = Vec::with_capacity(SYNCS);
        for _ in 0..SYNCS {
            let since = clock::started();
            scratch.file.write_all(&[7; PAGE])?;
            scratch.file.sync_data()?;
            taken.push(since.elapsed());
        }
        taken.sort();
        Ok(taken)
    });
    match measured {
        Ok(taken) => judge(taken[taken.len() / 2], taken[taken.len() * 95 / 100]),
        Err(e) => Finding::failed(CHECK, format!("A file in the data folder cannot be written and synced: {e}."), "Look at the disk."),
    }
}

fn judge(median: Duration, late: Duration) -> Finding {
    const CHECK: &str = "disk_sync";
    let words = format!("A synced write takes {} ms, one in twenty {} ms.", ms(median), ms(late));
    if median < TOO_FAST {
        let words = format!("{words} No disk is that fast: it says \"written\" too early.");
        return Finding::warning(
            CHECK,
            words,
            "A power cut may take the last orders with it. Ask your host whether the disk's write cache is battery-backed.",
        );
    }
    if median > SLOW {
        return Finding::warning(CHECK, words, "Every visit and order waits that long. Use an SSD, or look what else is writing.");
    }
    Finding::ok(CHECK, words)
}

fn speed(data: &Path) -> Finding {
    const CHECK: &str = "disk_speed";
    let measured = Scratch::new(data, "speed").and_then(|mut scratch| {
        let block = vec![7; BLOCK];
        let since = clock::started();
        for _ in 0..BLOCKS {
            scratch.file.write_all(&block)?;
        }
        scratch.file.sync_all()?;
        Ok(since.elapsed())
    });
    match measured {
        Ok(took) => {
            let rate = (BLOCK * BLOCKS) as u128 / took.as_micros().max(1);
            let words = format!("{rate} MB a second are written and synced.");
            if rate < 10 {
                Finding::warning(CHECK, words, "A backup will take long. Use a faster disk.")
            } else {
                Finding::ok(CHECK, words)
            }
        }
        Err(e) => Finding::failed(CHECK, format!("16 MB cannot be written: {e}."), "Make room on the disk."),
    }
}

fn ms(time: Duration) -> String {
    format!("{}.{:02}", time.as_millis(), time.as_micros() % 1_000 / 10)
}

/// A file beside the database that goes away.
struct Scratch {
    path: PathBuf,
    file: File,
}

impl Scratch {
    fn new(data: &Path, what: &str) -> std::io::Result<Self> {
        let path = data.join(format!(".doctor-{what}-{}", std::process::id()));
        let file = File::create(&path)?;
        Ok(Self { path, file })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn what_is_too_good_to_be_true_is_said() {
        let state = |micros| judge(Duration::from_micros(micros), Duration::from_micros(micros)).state;
        assert_eq!([state(3), state(60), state(900), state(90_000)], [State::Warning, State::Ok, State::Ok, State::Warning]);
    }

    #[test]
    fn the_closest_mount_counts() {
        let mounts = "/dev/sda1 / ext4 rw 0 0\ntmpfs /srv tmpfs rw 0 0\nhost:/x /srv/with\\040space nfs4 rw 0 0\n";
        let kind = |path: &str| kind_of(mounts, Path::new(path)).unwrap_or_default();
        assert_eq!((kind("/home/a").as_str(), kind("/srv/data").as_str(), kind("/srv/with space/d").as_str()), ("ext4", "tmpfs", "nfs4"));
    }
}
