//! SQL that always binds the site. A statement that does not mention `:site` fails here, and so does one with a
//! parameter that nobody bound: rusqlite itself would leave it NULL.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::types::{FromSql, ToSql};
use rusqlite::{CachedStatement, Connection, Row, ffi};

use super::cube::Memory;
use super::milestones::walked::Walks;
use super::questions::{funnels, journeys, lost};
use super::recall::Recall;
use super::trails;
use crate::crypto::Sealer;
use crate::domain::ids::SiteId;
use crate::error::{Error, Kind, Result};

pub type Params<'a> = &'a [(&'a str, &'a dyn ToSql)];

thread_local! {
    /// Blocks of inner numbers by site (0 for the whole box) and noun: the last one given, and the last of the block. Only the writer's thread
    /// takes numbers.
    static BLOCKS: RefCell<HashMap<(i64, &'static str), (i64, i64)>> = RefCell::default();
    /// The worst that the storage has said to this thread since it was last taken.
    static FAULT: Cell<Option<Fault>> = const { Cell::new(None) };
}

/// Blocks are taken inside changes: when one is rolled back, the file may not know of its block.
pub(super) fn forget_blocks() {
    BLOCKS.with_borrow_mut(HashMap::clear);
}

/// What the storage may say that concerns more than the one who asked, from bad to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    /// No room: nothing was written, the next one may fare better.
    Full,
    /// A read or a sync failed. What the system holds in memory may not be what is on disk.
    Io,
    /// The file is not what was written.
    Damage,
}

/// The worst so far, left where it is.
pub(super) fn fault() -> Option<Fault> {
    FAULT.get()
}

pub(super) fn take_fault() -> Option<Fault> {
    FAULT.take()
}

/// Remembers what a failure says of the storage.
pub(super) fn note(e: &rusqlite::Error) -> Option<Fault> {
    let rusqlite::Error::SqliteFailure(failure, _) = e else { return None };
    let fault = match (failure.extended_code & 0xff, failure.extended_code) {
        // The log's index could not grow: no room, in other words (os_unix.c, unixShmMap).
        (ffi::SQLITE_FULL, _) | (_, ffi::SQLITE_IOERR_SHMSIZE) => Fault::Full,
        (ffi::SQLITE_IOERR, _) => Fault::Io,
        (ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB, _) => Fault::Damage,
        _ => return None,
    };
    FAULT.set(FAULT.get().max(Some(fault)));
    Some(fault)
}

/// One site's view of the file.
pub struct SiteConn<'c> {
    conn: &'c Connection,
    site: SiteId,
    sealer: &'c Sealer,
    /// What is kept between questions; readers have it.
    recall: Option<&'c Recall>,
}

impl<'c> SiteConn<'c> {
    pub(super) fn new(conn: &'c Connection, site: SiteId, sealer: &'c Sealer) -> Self {
        Self { conn, site, sealer, recall: None }
    }

    pub(super) fn memory(&self) -> Option<&'c Memory> {
        self.recall.map(|recall| &recall.memory)
    }

    pub(super) fn walks(&self) -> Option<&'c Walks> {
        self.recall.map(|recall| &recall.walks)
    }

    pub(super) fn journeys(&self) -> Option<&'c journeys::Kept> {
        self.recall.map(|recall| &recall.journeys)
    }

    pub(super) fn visits(&self) -> Option<&'c lost::Kept> {
        self.recall.map(|recall| &recall.visits)
    }

    pub(super) fn trail_visits(&self) -> Option<&'c trails::visits::Kept> {
        self.recall.map(|recall| &recall.trail_visits)
    }

    pub(super) fn trail_sales(&self) -> Option<&'c trails::sold::Kept> {
        self.recall.map(|recall| &recall.trail_sales)
    }

    pub(super) fn funnels(&self) -> Option<&'c funnels::Kept> {
        self.recall.map(|recall| &recall.funnels)
    }

    pub fn site(&self) -> SiteId {
        self.site
    }

    pub fn sealer(&self) -> &Sealer {
        self.sealer
    }

    /// Runs a part of a change so that it can fail by itself: then nothing of it is left, and the rest goes on. Where the
    /// storage has ended the whole transaction, that is said instead.
    pub fn apart<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.run_plain("savepoint apart")?;
        let outcome = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(Error::internal("a part of a change panicked")));
        if outcome.is_err() {
            if self.conn.is_autocommit() {
                return Err(failed());
            }
            forget_blocks();
            self.run_plain("rollback to apart")?;
        }
        self.run_plain("release apart")?;
        outcome
    }

    fn run_plain(&self, sql: &str) -> Result<()> {
        self.conn.prepare_cached(sql).and_then(|mut statement| statement.execute([])).map(drop).map_err(sql_error)
    }

    /// The number of rows changed.
    pub(super) fn execute(&self, sql: &str, params: Params) -> Result<usize> {
        let mut statement = self.bound(sql, params)?;
        statement.raw_execute().map_err(sql_error)
    }

    pub(super) fn find<T>(&self, sql: &str, params: Params, map: impl FnOnce(&Row) -> rusqlite::Result<T>) -> Result<Option<T>> {
        let mut statement = self.bound(sql, params)?;
        let mut rows = statement.raw_query();
        match rows.next().map_err(sql_error)? {
            Some(row) => map(row).map(Some).map_err(sql_error),
            None => Ok(None),
        }
    }

    /// For statements that always give a row: counts, `returning`.
    pub(super) fn one<T: FromSql>(&self, sql: &str, params: Params) -> Result<T> {
        self.find(sql, params, |row| row.get(0))?.ok_or_else(|| Error::internal(format!("no row from: {sql}")))
    }

    pub(super) fn list<T>(&self, sql: &str, params: Params, mut map: impl FnMut(&Row) -> rusqlite::Result<T>) -> Result<Vec<T>> {
        let mut statement = self.bound(sql, params)?;
        let mut rows = statement.raw_query();
        let mut out = Vec::new();
        while let Some(row) = rows.next().map_err(sql_error)? {
            out.push(map(row).map_err(sql_error)?);
        }
        Ok(out)
    }

    /// Goes through the rows in their order until `on` says `false`: it has seen enough.
    pub(super) fn scan(&self, sql: &str, params: Params, mut on: impl FnMut(&Row) -> rusqlite::Result<bool>) -> Result<()> {
        let mut statement = self.bound(sql, params)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().map_err(sql_error)? {
            if !on(row).map_err(sql_error)? {
                break;
            }
        }
        Ok(())
    }

    fn bound(&self, sql: &str, params: Params) -> Result<CachedStatement<'_>> {
        let mut statement = self.conn.prepare_cached(sql).map_err(sql_error)?;
        let place = statement
            .parameter_index(":site")
            .map_err(sql_error)?
            .ok_or_else(|| Error::internal(format!("a statement that does not name its site: {sql}")))?;
        if statement.parameter_count() != params.len() + 1 {
            return Err(Error::internal(format!("{} parameters for: {sql}", params.len())));
        }
        statement.raw_bind_parameter(place, self.site.number()).map_err(sql_error)?;
        for (name, value) in params {
            let place = statement
                .parameter_index(name)
                .map_err(sql_error)?
                .ok_or_else(|| Error::internal(format!("no parameter {name} in: {sql}")))?;
            statement.raw_bind_parameter(place, value).map_err(sql_error)?;
        }
        Ok(statement)
    }

    /// The next number of a noun that nobody ever sees. Taken from a block in memory, so that not every row writes the
    /// count; what is left of a block when the process ends is never used.
    pub(super) fn next_inner_number(&self, noun: &'static str) -> Result<i64> {
        self.number_of_block(
            (self.site.number(), noun),
            "insert into numbers (site_id, noun, last) values (:site, :noun, :block)
             on conflict (site_id, noun) do update set last = last + :block returning last",
        )
    }

    /// The same, of one row of numbers for all sites: for rows that lie in the order in which they came, whosesoever they are.
    pub(super) fn next_box_number(&self, noun: &'static str) -> Result<i64> {
        self.number_of_block(
            (0, noun),
            "insert into numbers (site_id, noun, last)
               values (:site, :noun, coalesce((select max(last) from numbers where noun = :noun), 0) + :block)
             on conflict (site_id, noun) do update set last = excluded.last returning last",
        )
    }

    fn number_of_block(&self, key: (i64, &'static str), take: &str) -> Result<i64> {
        const BLOCK: i64 = 256;
        let noun = key.1;
        let held = BLOCKS.with_borrow_mut(|blocks| match blocks.get_mut(&key) {
            Some((next, end)) if *next < *end => {
                *next += 1;
                Some(*next)
            }
            _ => None,
        });
        if let Some(number) = held {
            return Ok(number);
        }
        let end: i64 = self.one(take, &[(":noun", &noun), (":block", &BLOCK)])?;
        let first = end - BLOCK + 1;
        BLOCKS.with_borrow_mut(|blocks| blocks.insert(key, (first, end)));
        Ok(first)
    }

    /// The next number of a noun of this site. A rolled-back change gives it back. Two plain statements: `returning` builds
    /// a table of its answers, which takes longer than both.
    pub(super) fn next_number(&self, noun: &str) -> Result<i64> {
        let known = self.execute("update numbers set last = last + 1 where site_id = :site and noun = :noun", &[(":noun", &noun)])?;
        if known == 0 {
            self.execute("insert into numbers (site_id, noun, last) values (:site, :noun, 1)", &[(":noun", &noun)])?;
            return Ok(1);
        }
        self.one("select last from numbers where site_id = :site and noun = :noun", &[(":noun", &noun)])
    }
}

/// The whole file. Its callers are few and listed in a test.
pub struct AllSites<'c> {
    conn: &'c Connection,
    sealer: &'c Sealer,
    recall: Option<&'c Recall>,
}

impl<'c> AllSites<'c> {
    pub(super) fn new(conn: &'c Connection, sealer: &'c Sealer) -> Self {
        Self { conn, sealer, recall: None }
    }

    pub(super) fn remembering(self, recall: &'c Recall) -> Self {
        Self { recall: Some(recall), ..self }
    }

    pub fn of(&self, site: SiteId) -> SiteConn<'c> {
        SiteConn { recall: self.recall, ..SiteConn::new(self.conn, site, self.sealer) }
    }

    pub fn sealer(&self) -> &Sealer {
        self.sealer
    }

    pub(super) fn execute(&self, sql: &str, params: Params) -> Result<usize> {
        let mut statement = self.bound(sql, params)?;
        statement.raw_execute().map_err(sql_error)
    }

    pub(super) fn find<T>(&self, sql: &str, params: Params, map: impl FnOnce(&Row) -> rusqlite::Result<T>) -> Result<Option<T>> {
        let mut statement = self.bound(sql, params)?;
        let mut rows = statement.raw_query();
        match rows.next().map_err(sql_error)? {
            Some(row) => map(row).map(Some).map_err(sql_error),
            None => Ok(None),
        }
    }

    pub(super) fn list<T>(&self, sql: &str, params: Params, mut map: impl FnMut(&Row) -> rusqlite::Result<T>) -> Result<Vec<T>> {
        let mut statement = self.bound(sql, params)?;
        let mut rows = statement.raw_query();
        let mut out = Vec::new();
        while let Some(row) = rows.next().map_err(sql_error)? {
            out.push(map(row).map_err(sql_error)?);
        }
        Ok(out)
    }

    pub(super) fn last_insert_rowid(&self) -> i64 {
        self.conn.last_insert_rowid()
    }

    fn bound(&self, sql: &str, params: Params) -> Result<CachedStatement<'_>> {
        let mut statement = self.conn.prepare_cached(sql).map_err(sql_error)?;
        if statement.parameter_count() != params.len() {
            return Err(Error::internal(format!("{} parameters for: {sql}", params.len())));
        }
        for (name, value) in params {
            let place = statement
                .parameter_index(name)
                .map_err(sql_error)?
                .ok_or_else(|| Error::internal(format!("no parameter {name} in: {sql}")))?;
            statement.raw_bind_parameter(place, value).map_err(sql_error)?;
        }
        Ok(statement)
    }
}

/// A failure of SQLite in the words of an answer: a full disk and a busy file pass, the rest is ours. What concerns all is
/// remembered for whoever runs the change.
pub(super) fn sql_error(e: rusqlite::Error) -> Error {
    use rusqlite::ErrorCode;
    match note(&e) {
        Some(Fault::Full) => return full().caused(e),
        Some(Fault::Io | Fault::Damage) => return failed().caused(e),
        None => {}
    }
    match e.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            Error::new(Kind::Unavailable, "busy", "The database is busy. Send it again in a few seconds.").after(5).caused(e)
        }
        Some(ErrorCode::OperationInterrupted) => {
            Error::new(Kind::Unavailable, "too_slow", "This question took too long and was stopped. Ask for fewer days.").caused(e)
        }
        _ => Error::internal(e),
    }
}

pub(super) fn full() -> Error {
    Error::new(Kind::Unavailable, "storage_full", "The disk of this server is full. Nothing was stored; send it again later.").after(5)
}

pub(super) fn failed() -> Error {
    Error::new(Kind::Unavailable, "storage_failed", "The storage of this server has failed. Nothing was stored; send it again later.")
        .after(5)
}
