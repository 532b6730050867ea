//! Runs of pulls: when each began and ended, who asked for it, and what it brought.

use rusqlite::{Row, named_params};

use super::scope::SiteConn;
use crate::domain::ids::{ConnectionId, SyncRunId};
use crate::domain::time::Time;
use crate::error::{Error, Result};

/// Sentences of one run that are kept, at most.
const MOST_SENTENCES: usize = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Its time had come.
    Automatic,
    Manual,
    /// By hand, and what was read lately is read once more.
    Forced,
}

impl Asked {
    fn word(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::Manual => "manual",
            Self::Forced => "forced",
        }
    }
}

/// What became of the facts of a part of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    pub processed: i64,
    pub created: i64,
    pub updated: i64,
    pub skipped: i64,
}

#[derive(Debug, Clone)]
pub struct SyncRun {
    pub id: SyncRunId,
    pub connection: ConnectionId,
    /// `running`, `success`, `partial` or `failed`.
    pub status: String,
    pub tally: Tally,
    pub errors: i64,
    pub sentences: Vec<String>,
    pub began_at: Time,
    pub ended_at: Option<Time>,
}

const COLUMNS: &str = "id, connection_id, status, processed, created, updated, skipped, errors, sentences, began_at, ended_at";

fn read(row: &Row) -> rusqlite::Result<SyncRun> {
    let (sentences, ended): (String, Option<i64>) = (row.get(8)?, row.get(10)?);
    Ok(SyncRun {
        id: SyncRunId::new(row.get(0)?),
        connection: ConnectionId::new(row.get(1)?),
        status: row.get(2)?,
        tally: Tally { processed: row.get(3)?, created: row.get(4)?, updated: row.get(5)?, skipped: row.get(6)? },
        errors: row.get(7)?,
        sentences: serde_json::from_str(&sentences).unwrap_or_default(),
        began_at: Time::from_ms(row.get(9)?),
        ended_at: ended.map(Time::from_ms),
    })
}

pub fn find(c: &SiteConn, id: SyncRunId) -> Result<Option<SyncRun>> {
    let sql = format!("select {COLUMNS} from sync_runs where site_id = :site and id = :id");
    c.find(&sql, named_params! {":id": id.number()}, read)
}

/// The run of a connection that has not ended.
pub fn find_under_way(c: &SiteConn, connection: ConnectionId) -> Result<Option<SyncRunId>> {
    let id: Option<i64> = c.find(
        "select id from sync_runs where site_id = :site and connection_id = :connection and ended_at is null order by id desc limit 1",
        named_params! {":connection": connection.number()},
        |row| row.get(0),
    )?;
    Ok(id.map(SyncRunId::new))
}

/// The newest one, ended or not.
pub fn find_last(c: &SiteConn, connection: ConnectionId) -> Result<Option<SyncRun>> {
    let sql = format!("select {COLUMNS} from sync_runs where site_id = :site and connection_id = :connection order by id desc limit 1");
    c.find(&sql, named_params! {":connection": connection.number()}, read)
}

/// The newest one that has ended.
pub fn find_last_ended(c: &SiteConn, connection: ConnectionId) -> Result<Option<SyncRun>> {
    let sql = format!(
        "select {COLUMNS} from sync_runs where site_id = :site and connection_id = :connection and ended_at is not null
         order by id desc limit 1"
    );
    c.find(&sql, named_params! {":connection": connection.number()}, read)
}

/// A walk begins or goes on: it belongs to the run that is under way, or to a new one. Where a new walk begins, a run that
/// never ended has broken off.
pub fn open(c: &SiteConn, connection: ConnectionId, platform: &str, asked: Asked, is_new: bool, now: Time) -> Result<SyncRunId> {
    if let Some(known) = find_under_way(c, connection)? {
        if !is_new {
            return Ok(known);
        }
        fail(c, known, "The server was stopped before the end.", now)?;
    }
    let id = c.next_number("sync_run")?;
    c.execute(
        "insert into sync_runs (site_id, id, connection_id, platform, asked, began_at)
         values (:site, :id, :connection, :platform, :asked, :now)",
        named_params! {":id": id, ":connection": connection.number(), ":platform": platform, ":asked": asked.word(), ":now": now.ms()},
    )?;
    Ok(SyncRunId::new(id))
}

pub fn count(c: &SiteConn, id: SyncRunId, t: Tally) -> Result<()> {
    c.execute(
        "update sync_runs set processed = processed + :processed, created = created + :created, updated = updated + :updated,
           skipped = skipped + :skipped
         where site_id = :site and id = :id",
        named_params! {":id": id.number(), ":processed": t.processed, ":created": t.created, ":updated": t.updated, ":skipped": t.skipped},
    )?;
    Ok(())
}

/// Single things that could not be read, each with a sentence.
pub fn add_errors(c: &SiteConn, id: SyncRunId, sentences: &[String]) -> Result<()> {
    if sentences.is_empty() {
        return Ok(());
    }
    let known: Option<String> =
        c.find("select sentences from sync_runs where site_id = :site and id = :id", named_params! {":id": id.number()}, |row| row.get(0))?;
    let mut all: Vec<String> = known.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    for sentence in sentences {
        if all.len() < MOST_SENTENCES && !all.contains(sentence) {
            all.push(sentence.clone());
        }
    }
    c.execute(
        "update sync_runs set errors = errors + :errors, sentences = :sentences where site_id = :site and id = :id",
        named_params! {":id": id.number(), ":errors": sentences.len() as i64,
        ":sentences": serde_json::to_string(&all).map_err(Error::internal)?},
    )?;
    Ok(())
}

/// It has come to its end; with errors on the way only in part. Gives how it ended.
pub fn end(c: &SiteConn, id: SyncRunId, now: Time) -> Result<String> {
    let status: Option<String> = c.find(
        "update sync_runs set status = case when errors > 0 then 'partial' else 'success' end, ended_at = :now
         where site_id = :site and id = :id and ended_at is null returning status",
        named_params! {":id": id.number(), ":now": now.ms()},
        |row| row.get(0),
    )?;
    Ok(status.unwrap_or_else(|| "success".into()))
}

pub fn fail(c: &SiteConn, id: SyncRunId, sentence: &str, now: Time) -> Result<()> {
    add_errors(c, id, &[sentence.to_owned()])?;
    c.execute(
        "update sync_runs set status = 'failed', ended_at = :now where site_id = :site and id = :id and ended_at is null",
        named_params! {":id": id.number(), ":now": now.ms()},
    )?;
    Ok(())
}
