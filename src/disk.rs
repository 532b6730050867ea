//! The disk under the data folder: how much of it is free, at which level that is, and the ballast. Looked at every few
//! seconds in the background; a request costs one atomic load.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

use crate::domain::storage::{BALLAST, Burden, Level, has_room_for_ballast};
use crate::error::{Error, Kind, Result};

/// The file that keeps space for an emergency.
mod ballast;
/// What the system says.
mod gauge;

pub use gauge::{Gauge, SystemGauge};

/// Name of the ballast in the data folder.
pub const BALLAST_FILE: &str = "ballast";

/// Looks for which visits wait after SQLite itself found no room: a quota or a limit that the file system does not show.
const HOLD: u32 = 3;
/// Looks until a ballast that could not be laid is tried again: about an hour.
const NEXT_BALLAST: u32 = 1_800;

pub struct Disk {
    /// The database: where it cannot be found, nothing may be promised.
    file: PathBuf,
    gauge: Box<dyn Gauge>,
    /// Place in `Level::ALL`.
    level: AtomicU8,
    free: AtomicU64,
    /// How often SQLite had found no room at the last look.
    refusals: AtomicU64,
    hold: AtomicU32,
    ballast_wait: AtomicU32,
}

/// What a look found, where it is another level than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turned {
    pub from: Level,
    pub to: Level,
    pub free: u64,
}

impl Disk {
    /// With a first look, so that a server on a full disk does not begin by promising.
    pub fn new(file: &Path, gauge: Box<dyn Gauge>) -> Self {
        let disk = Self {
            file: file.to_owned(),
            gauge,
            level: AtomicU8::new(Level::Ample as u8),
            free: AtomicU64::new(0),
            refusals: AtomicU64::new(0),
            hold: AtomicU32::new(0),
            ballast_wait: AtomicU32::new(0),
        };
        disk.look(0);
        disk
    }

    /// Measures anew. `refusals` counts how often SQLite has found no room since the start. Asks the file system: not for
    /// async threads.
    pub fn look(&self, refusals: u64) -> Option<Turned> {
        let from = self.level();
        let held = if refusals > self.refusals.swap(refusals, Ordering::Relaxed) {
            HOLD
        } else {
            self.hold.load(Ordering::Relaxed).saturating_sub(1)
        };
        self.hold.store(held, Ordering::Relaxed);
        let (to, free) = match self.gauge.free(&self.file) {
            Ok(free) => {
                let level = from.after(free);
                (if held > 0 { level.max(Level::Short) } else { level }, free)
            }
            Err(_) => (Level::Gone, 0),
        };
        self.free.store(free, Ordering::Relaxed);
        self.level.store(to as u8, Ordering::Relaxed);
        (from != to).then_some(Turned { from, to, free })
    }

    pub fn level(&self) -> Level {
        Level::ALL[usize::from(self.level.load(Ordering::Relaxed)).min(Level::ALL.len() - 1)]
    }

    /// Bytes free at the last look.
    pub fn free(&self) -> u64 {
        self.free.load(Ordering::Relaxed)
    }

    /// Whether such a request may be begun.
    pub fn admit(&self, burden: Burden) -> Result<()> {
        let level = self.level();
        if level.admits(burden) {
            return Ok(());
        }
        let message = match burden {
            Burden::Export => "The disk of this server is nearly full. Exports wait until there is room again.",
            _ => "The disk of this server is full. Nothing was stored; send it again later.",
        };
        let code = if level == Level::Gone { "storage_gone" } else { "storage_full" };
        Err(Error::new(Kind::Unavailable, code, message).after(5))
    }

    /// Lays the ballast where it is missing and there is room beside it. Blocks for a moment.
    pub fn keep_ballast(&self) -> io::Result<()> {
        if self.has_ballast() || !has_room_for_ballast(self.free()) {
            return Ok(());
        }
        let wait = self.ballast_wait.load(Ordering::Relaxed);
        if wait > 0 {
            self.ballast_wait.store(wait - 1, Ordering::Relaxed);
            return Ok(());
        }
        ballast::lay(&self.ballast(), BALLAST).inspect_err(|_| self.ballast_wait.store(NEXT_BALLAST, Ordering::Relaxed))
    }

    pub fn has_ballast(&self) -> bool {
        self.ballast().exists()
    }

    pub fn ballast(&self) -> PathBuf {
        self.file.with_file_name(BALLAST_FILE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk that says what a test has written down.
    struct Told(AtomicU64);

    impl Gauge for &'static Told {
        fn free(&self, _: &Path) -> io::Result<u64> {
            match self.0.load(Ordering::Relaxed) {
                u64::MAX => Err(io::Error::other("nothing is mounted there")),
                free => Ok(free),
            }
        }
    }

    #[test]
    fn a_limit_that_only_sqlite_sees_holds_visits_back_for_a_while() {
        static TOLD: Told = Told(AtomicU64::new(1 << 40));
        let disk = Disk::new(Path::new("/nowhere"), Box::new(&TOLD));
        assert_eq!(disk.level(), Level::Ample);
        assert_eq!(disk.look(1).map(|t| t.to), Some(Level::Short));
        assert!(disk.admit(Burden::Fact).is_ok());
        assert!(disk.admit(Burden::Visit).is_err());
        assert_eq!([disk.look(1), disk.look(1)], [None, None]);
        assert_eq!(disk.look(1).map(|t| t.to), Some(Level::Ample));
    }

    #[test]
    fn a_disk_that_cannot_be_asked_takes_nothing() {
        static TOLD: Told = Told(AtomicU64::new(u64::MAX));
        let disk = Disk::new(Path::new("/nowhere"), Box::new(&TOLD));
        assert_eq!(disk.admit(Burden::Fact).expect_err("refused").code, "storage_gone");
        assert!(disk.admit(Burden::Care).is_ok());
        TOLD.0.store(1 << 40, Ordering::Relaxed);
        disk.look(0);
        assert_eq!(disk.level(), Level::Ample);
    }
}
