//! All the SQL, and the only user of rusqlite. One thread writes, a pool reads, and `SiteConn` is the only door.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;

use crate::crypto::Sealer;
use crate::domain::ids::SiteId;
use crate::error::{Error, Kind, Result};

pub mod affiliates; // partners with their codes, clicks and commissions
/// Visits of those who refused.
pub mod anon_events;
/// Who did what, for the owner.
pub mod audit;
/// How backups ended.
pub mod backups;
/// Which conversation led to a conversion.
pub mod chat_assists;
/// Set-ups of platforms.
pub mod connections;
/// What visitors answered on consent.
pub mod consents;
/// Talks in a chat.
pub mod conversations;
/// Sales and leads, each once.
pub mod conversions;
/// Things counted and not kept.
pub mod counters;
/// Frozen credit.
pub mod credits;
/// The daily counts that reports read.
pub mod cube;
/// The outbox.
pub mod deliveries;
/// The documented names in SQL.
pub mod documented;
/// The money ledger.
pub mod entries;
/// Erasures, their certificates, and what must not come back.
pub mod erasures;
/// What might explain a conversion.
pub mod evidence;
/// The fact that speaks for a conversion.
pub mod facts;
/// Steps that lead somewhere, as owners named them.
pub mod funnels;
/// Answers to requests with an Idempotency-Key.
pub mod idempotency_keys;
/// Files of history and the rows that came in them.
pub mod imports;
/// Raw bodies as received.
pub mod inbox;
/// Single things to be read at a platform.
pub mod jobs;
/// What became of leads in the pipeline.
pub mod lead_changes;
/// Leads as their forms told them.
pub mod leads;
/// Words that links are made from.
pub mod link_templates;
/// Signed-in states.
pub mod logins;
/// Migrations and the check of the file's shape.
pub mod migrate;
/// Steps on the way to becoming a customer.
pub mod milestones;
/// What the owner knows of a day.
pub mod notes;
pub mod one_time_links; // the first owner's, an invitation
/// Orders as their shop told them.
pub mod orders;
/// Deliveries held after a restore.
pub mod outbox;
/// What pages report by name.
pub mod page_events;
/// Contacts and identities.
pub mod people;
mod pool; // readers and their pragmas
/// How far the platforms' own lists were read.
pub mod pulls;
/// What the dashboard and the APIs ask.
pub mod questions;
mod reading; // a question's connection, snapshot and time
mod recall; // what readers keep in memory
/// Days of deliveries after a change of the zone.
pub mod recounts;
/// Money that went back.
pub mod refunds;
/// Our hooks in the platforms.
pub mod registrations;
/// Who has told of a conversion.
pub mod reports;
/// Rows past their time.
pub mod retention;
pub mod reversals; // what destinations are told of money that went back
/// One name for several spellings.
pub mod rules;
/// Sales by what a shop's figures go by.
mod sales;
/// SQL that always binds the site.
pub mod scope;
/// Filters under a name.
pub mod segments;
/// Browsers over time.
pub mod sessions;
/// Links to read-only pages.
pub mod shares;
/// Short codes that pages have shown.
pub mod short_codes;
pub mod short_links; // links that lead to the site, and their clicks
/// Tenants.
pub mod sites;
/// Copies of the file, and what is in them.
pub mod snapshot;
/// What advertising has cost.
pub mod spend;
/// What amounts were before a file changed them.
pub mod spend_before;
/// What the query planner is told.
mod statistics;
/// Runs of pulls.
pub mod sync_runs;
/// Keys of programs.
pub mod tokens;
/// Touches and click ids.
pub mod touches;
/// Calls of trackers.
pub mod tracker_calls;
/// Events of trackers.
pub mod tracker_events;
/// People over all systems.
pub mod trails;
/// The file as a whole.
mod upkeep;
/// People and their memberships.
pub mod users;
/// The writer thread: group commit.
mod writer;

pub use scope::{AllSites, SiteConn};
pub use writer::WriterFigures;

/// The oldest SQLite without the WAL-reset bug (sqlite.org/changes.html, 3.51.3).
const OLDEST_SQLITE: i32 = 3_051_003;

/// Steps of SQLite's machine between two looks at the time.
const STEPS_A_LOOK: i32 = 20_000;
/// So long is looked for damage at a start: the first hundreds of megabytes of a usual disk.
const LONGEST_CHECK: Duration = Duration::from_secs(1);

/// The name of the one database file in the data folder.
pub const FILE: &str = "halotrack.sqlite";

#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    readers: r2d2::Pool<pool::Readers>,
    writer: writer::Writer,
    sealer: Sealer,
    recall: recall::Recall,
}

impl Store {
    /// Opens the file, brings it to the present shape, and starts the writer.
    pub fn open(folder: &Path, sealer: Sealer) -> Result<Self> {
        let version = rusqlite::version_number();
        if version < OLDEST_SQLITE {
            return Err(storage("sqlite_too_old", format!("SQLite {version} is too old: 3.51.3 or newer is needed.")));
        }
        let path = folder.join(FILE);
        migrate::look(&path)?;
        let mut conn = Connection::open(&path).map_err(opening)?;
        restrict(&path);
        pool::set_pragmas(&conn, pool::Role::Writer).map_err(opening)?;
        check_pages(&mut conn)?;
        migrate::run(&mut conn, &path)?;
        restrict(&path);
        let readers = r2d2::Pool::builder()
            .max_size(4)
            .min_idle(Some(1))
            .connection_timeout(Duration::from_secs(5))
            .test_on_check_out(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .build(pool::Readers::new(path.clone()))
            .map_err(|e| storage("storage_unreadable", "The database cannot be opened for reading.").caused(e))?;
        let writer = writer::Writer::start(conn, pool::second_writer(&path).map_err(opening)?)?;
        Ok(Self { inner: Arc::new(Inner { path, readers, writer, sealer, recall: Default::default() }) })
    }

    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// What stored secrets are sealed with.
    pub fn sealer(&self) -> &Sealer {
        &self.inner.sealer
    }

    /// Runs a change of one site on the writer thread. Returns after the commit is on disk. The closure runs at most
    /// once, alone in its savepoint; it cannot await.
    pub async fn write<T, F>(&self, site: SiteId, change: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&SiteConn) -> Result<T> + Send + 'static,
    {
        let sealer = self.inner.sealer.clone();
        self.inner.writer.run(move |conn| change(&SiteConn::new(conn, site, &sealer))).await
    }

    /// The same for a change that may run again after a rollback: cheaper where many of its like wait together.
    pub async fn write_again<T, F>(&self, site: SiteId, mut change: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&SiteConn) -> Result<T> + Send + 'static,
    {
        let sealer = self.inner.sealer.clone();
        self.inner.writer.run_again(move |conn| change(&SiteConn::new(conn, site, &sealer))).await
    }

    /// The same for housekeeping, which goes into the commit of what comes next and alone only where nothing comes.
    pub async fn write_beside<T, F>(&self, site: SiteId, mut change: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&SiteConn) -> Result<T> + Send + 'static,
    {
        let sealer = self.inner.sealer.clone();
        self.inner.writer.run_beside(move |conn| change(&SiteConn::new(conn, site, &sealer))).await
    }

    /// The same for a change that nobody waits for: those of a moment are written together. `then` hears how it ended, on the
    /// writer's thread, and must not keep it. Both have the `state` in turn.
    pub fn write_later<S, T, F, D>(&self, site: SiteId, state: S, mut change: F, then: D)
    where
        S: Send + 'static,
        T: Send + 'static,
        F: FnMut(&mut S, &SiteConn) -> Result<T> + Send + 'static,
        D: FnOnce(S, Result<T>) + Send + 'static,
    {
        let sealer = self.inner.sealer.clone();
        if self.inner.writer.run_later(state, move |state, conn| change(state, &SiteConn::new(conn, site, &sealer)), then) {
            let (store, beat) = (self.clone(), self.inner.writer.beat());
            tokio::spawn(async move {
                tokio::time::sleep(beat).await;
                store.inner.writer.bring();
            });
        }
    }

    /// A change that is no single site's: set-up, logins, job claiming, retention, migration.
    pub async fn write_all_sites<T, F>(&self, change: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&AllSites) -> Result<T> + Send + 'static,
    {
        let sealer = self.inner.sealer.clone();
        self.inner.writer.run(move |conn| change(&AllSites::new(conn, &sealer))).await
    }

    /// Work that cannot run inside a transaction, between two batches: checkpoint, VACUUM.
    pub async fn between_batches<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        self.inner.writer.run_outside(work).await
    }

    pub fn figures(&self) -> WriterFigures {
        self.inner.writer.figures()
    }

    /// Finishes what is queued, checkpoints, and ends the writer thread.
    pub async fn close(&self) {
        self.inner.writer.stop().await;
    }
}

/// The version of the SQLite inside.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

fn storage(code: &'static str, message: impl Into<String>) -> Error {
    Error::new(Kind::Unavailable, code, message)
}

fn opening(e: rusqlite::Error) -> Error {
    match e.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => damaged().caused(e),
        Some(rusqlite::ErrorCode::CannotOpen | rusqlite::ErrorCode::ReadOnly | rusqlite::ErrorCode::PermissionDenied) => storage(
            "storage_unwritable",
            "The database cannot be opened. Check that the data folder exists and that this user may write to it.",
        )
        .caused(e),
        _ => storage("storage_unreadable", format!("The database cannot be opened: {e}")).caused(e),
    }
}

fn damaged() -> Error {
    storage("storage_damaged", "The database is damaged. Restore the newest backup with `halotrack restore FILE`.")
}

/// Structural damage shows here, before anything is promised. Gigabytes are not read to their end: a shop that waits for
/// its server loses more than a look can find.
fn check_pages(conn: &mut Connection) -> Result<()> {
    let since = std::time::Instant::now();
    conn.progress_handler(STEPS_A_LOOK, Some(move || since.elapsed() > LONGEST_CHECK)).map_err(opening)?;
    let answer = conn.query_row("pragma quick_check(1)", [], |row| row.get::<_, String>(0));
    conn.progress_handler(0, None::<fn() -> bool>).map_err(opening)?;
    match answer {
        Ok(answer) if answer == "ok" => Ok(()),
        Ok(answer) => Err(damaged().caused(answer)),
        Err(e) => match e.sqlite_error_code() {
            Some(rusqlite::ErrorCode::OperationInterrupted) => Ok(()),
            Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => Err(damaged().caused(e)),
            _ => Err(opening(e)),
        },
    }
}

/// The file holds people: nobody but its owner may read it.
fn restrict(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    for suffix in ["", "-wal", "-shm"] {
        let name = PathBuf::from(format!("{}{suffix}", path.display()));
        if name.exists() {
            let _ = std::fs::set_permissions(&name, std::fs::Permissions::from_mode(0o600));
        }
    }
}

/// Whether the outer transaction is still open; SQLite may end it by itself on a full disk or an I/O error.
fn is_in_transaction(conn: &Connection) -> bool {
    !conn.is_autocommit()
}
