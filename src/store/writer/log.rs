//! Writes the log back into the file beside the writer, so that no caller waits while thousands of pages are copied and
//! synced. The writer itself only finishes what came meanwhile: a log starts anew only when it is written back whole.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::{Connection, ffi};

use super::Figures;
use crate::error::{Error, Result};
use crate::store::scope::{self, Fault};

/// Pages in the log after which it is written back: 48 MB.
const LONG: i64 = 12_000;
/// So many pages the writer writes back by itself, in a few milliseconds.
const FEW: i64 = 256;
/// A log of this length grows faster than it is written back: the writer does the rest of it, and its callers wait.
const LONGEST: i64 = 4 * LONG;
/// Passes in a row. Each finds what came during the one before.
const PASSES: usize = 6;
/// So often was it written back beside the writer before the writer does a rest that is long.
const GOES: u32 = 2;

pub struct LogKeeper {
    wake: SyncSender<()>,
    is_busy: Arc<AtomicBool>,
    /// Since the log was last short.
    goes: Cell<u32>,
    thread: JoinHandle<()>,
}

impl LogKeeper {
    /// `conn` is one of its own, with the writer's pragmas.
    pub fn start(conn: Connection, figures: Arc<Figures>) -> Result<Self> {
        let (wake, asked) = sync_channel(1);
        let is_busy = Arc::new(AtomicBool::new(false));
        let own = is_busy.clone();
        let thread =
            std::thread::Builder::new().name("log".into()).spawn(move || keep(conn, &asked, &own, &figures)).map_err(Error::internal)?;
        Ok(Self { wake, is_busy, goes: Cell::new(0), thread })
    }

    /// Has the log written back once it is long. Called by the writer, between two changes.
    pub fn look(&self, writer: &Connection) {
        if self.is_busy.load(Ordering::Acquire) {
            return;
        }
        let log = Log::of(writer, "noop");
        if log.pages <= LONG {
            return self.goes.set(0);
        }
        let is_mine = log.left() <= FEW || (log.pages > LONGEST && log.left() <= LONG && self.goes.get() >= GOES);
        if is_mine || !self.is_awake() {
            pass(writer);
        }
    }

    fn is_awake(&self) -> bool {
        self.is_busy.store(true, Ordering::Release);
        self.goes.set(self.goes.get() + 1);
        self.wake.try_send(()).inspect_err(|_| self.is_busy.store(false, Ordering::Release)).is_ok()
    }

    /// Waits for its end: its connection must not be the last one that is open.
    pub fn stop(self) {
        drop(self.wake);
        let _ = self.thread.join();
    }
}

/// How far the log has come.
#[derive(Default)]
struct Log {
    pages: i64,
    written_back: i64,
}

impl Log {
    fn of(conn: &Connection, mode: &str) -> Self {
        // The commits are safe in the log, but a sync that failed is never tried again in place.
        conn.query_row(&format!("pragma wal_checkpoint({mode})"), [], |row| Ok(Log { pages: row.get(1)?, written_back: row.get(2)? }))
            .inspect_err(|e| {
                tracing::error!(error = %e, "The log could not be written back.");
                scope::note(e);
            })
            .unwrap_or_default()
    }

    fn left(&self) -> i64 {
        self.pages - self.written_back
    }
}

/// Writes back what no reader needs in the log any more; waits for nobody.
fn pass(conn: &Connection) -> Log {
    Log::of(conn, "passive")
}

/// SQLite syncs the file only at the end of a pass that wrote the whole log back: that would be the writer's. Its own handle
/// is used, because closing another one would drop this process's locks (<https://sqlite.org/howtocorrupt.html>, 2.2).
fn sync(conn: &Connection) {
    let mut file: *mut ffi::sqlite3_file = std::ptr::null_mut();
    // SAFETY: the connection is open and used by this thread alone; SQLite gives its own handle of the file, which lives as long.
    let code = unsafe {
        match ffi::sqlite3_file_control(conn.handle(), c"main".as_ptr(), ffi::SQLITE_FCNTL_FILE_POINTER, (&raw mut file).cast()) {
            ffi::SQLITE_OK => {
                (*(*file).pMethods).xSync.map_or(ffi::SQLITE_OK, |sync| sync(file, ffi::SQLITE_SYNC_NORMAL | ffi::SQLITE_SYNC_DATAONLY))
            }
            code => code,
        }
    };
    if code != ffi::SQLITE_OK {
        let e = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        tracing::error!(error = %e, "The file could not be synced.");
        scope::note(&e);
    }
}

fn keep(conn: Connection, asked: &Receiver<()>, is_busy: &AtomicBool, figures: &Figures) {
    while asked.recv().is_ok() && !figures.has_failed.load(Ordering::Acquire) {
        let mut before = i64::MAX;
        for _ in 0..PASSES {
            let left = pass(&conn).left();
            // A reader holds on to the rest, or hardly anything came meanwhile.
            if left <= FEW || left >= before {
                break;
            }
            before = left;
        }
        sync(&conn);
        if matches!(scope::take_fault(), Some(Fault::Io | Fault::Damage)) {
            figures.has_failed.store(true, Ordering::Release);
        }
        is_busy.store(false, Ordering::Release);
        if figures.has_failed.load(Ordering::Acquire) {
            break;
        }
    }
    if figures.has_failed.load(Ordering::Acquire) {
        // Closing would write back.
        std::mem::forget(conn);
    }
}

#[cfg(test)]
mod tests {
    use super::super::place::Place;
    use super::*;

    fn begun(place: &Place) -> LogKeeper {
        LogKeeper::start(place.open(), Arc::default()).expect("a thread")
    }

    fn lengthen(writer: &Connection, pages: i64) {
        writer.execute("insert into t values (zeroblob(?1 * 4096))", [pages]).expect("a row");
    }

    #[test]
    fn a_long_log_is_written_back_beside_the_writer_and_starts_anew() {
        let place = Place::new();
        let (writer, reader) = (place.open(), place.open());
        lengthen(&writer, LONG + 100);
        reader.execute_batch("begin; select count(*) from t;").expect("a snapshot");
        // A few come meanwhile.
        lengthen(&writer, FEW / 2);
        let keeper = begun(&place);
        keeper.look(&writer);
        keeper.stop();
        let left = Log::of(&writer, "noop").left();
        assert!(left > 0 && left <= FEW, "it did all that it may: {left} are left");
        reader.execute_batch("commit").expect("its end");
        // Those are the writer's, and the next change begins the log anew.
        begun(&place).look(&writer);
        assert_eq!(Log::of(&writer, "noop").left(), 0);
        lengthen(&writer, 10);
        assert!(Log::of(&writer, "noop").pages < FEW);
    }

    #[test]
    fn what_a_reader_still_needs_waits_for_it_and_holds_up_nobody() {
        let place = Place::new();
        let (writer, reader) = (place.open(), place.open());
        reader.execute_batch("begin; select count(*) from t;").expect("a snapshot");
        lengthen(&writer, LONG + 100);
        let keeper = begun(&place);
        keeper.look(&writer);
        keeper.stop();
        assert!(Log::of(&writer, "noop").left() > LONG, "the reader looks at what was before");
        reader.execute_batch("commit").expect("its end");
        let keeper = begun(&place);
        keeper.look(&writer);
        keeper.stop();
        assert_eq!(Log::of(&writer, "noop").left(), 0);
    }

    #[test]
    fn nothing_is_written_back_after_a_failure() {
        let place = Place::new();
        let writer = place.open();
        lengthen(&writer, LONG + 100);
        let figures = Arc::new(Figures::default());
        figures.has_failed.store(true, Ordering::Release);
        let keeper = LogKeeper::start(place.open(), figures).expect("a thread");
        keeper.look(&writer);
        keeper.stop();
        assert!(Log::of(&writer, "noop").left() > LONG);
    }
}
