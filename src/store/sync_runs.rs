//! Runs of pulls: when each began and ended, who asked for it, and what it brought.

use rusqlite::{Row, named_params};

use super::scope::{AllSites, SiteConn};
use crate::domain::ids::{ConnectionId, SyncRunId};
use crate::domain::time::Time;
use crate::error::{Error, Result};

/// Sentences of one run that are kept, at most.
const MOST_SENTENCES: usize = 20;

/// Said of a run in whose place another one begins from the first page on.
const REPLACED: &str = "Another reading, from further back, has taken its place.";

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

/// How a run can stand.
pub const STATUSES: [&str; 6] = ["running", "success", "partial", "failed", "cancelled", "broken_off"];

/// Said of a run whose process ended before it did.
const BROKEN_OFF: &str = "The server was stopped before the end. What was stored until then stays; the next reading goes on from there.";

/// What became of the facts of a part of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    pub processed: i64,
    pub created: i64,
    pub updated: i64,
    pub skipped: i64,
    /// Pages that were read to their end.
    pub pages: i64,
}

#[derive(Debug, Clone)]
pub struct SyncRun {
    pub id: SyncRunId,
    pub connection: ConnectionId,
    pub platform: String,
    /// `automatic`, `manual` or `forced`.
    pub asked: String,
    /// One of `STATUSES`.
    pub status: String,
    pub tally: Tally,
    pub errors: i64,
    pub sentences: Vec<String>,
    pub began_at: Time,
    pub ended_at: Option<Time>,
}

const COLUMNS: &str =
    "id, connection_id, status, processed, created, updated, skipped, errors, sentences, began_at, ended_at, platform, asked, pages";

fn read(row: &Row) -> rusqlite::Result<SyncRun> {
    let (sentences, ended): (String, Option<i64>) = (row.get(8)?, row.get(10)?);
    Ok(SyncRun {
        id: SyncRunId::new(row.get(0)?),
        connection: ConnectionId::new(row.get(1)?),
        platform: row.get(11)?,
        asked: row.get(12)?,
        status: row.get(2)?,
        tally: Tally { processed: row.get(3)?, created: row.get(4)?, updated: row.get(5)?, skipped: row.get(6)?, pages: row.get(13)? },
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

/// The same, where it goes on in this run of the process.
pub fn find_open(c: &SiteConn, connection: ConnectionId, boot: &str) -> Result<Option<SyncRunId>> {
    let id: Option<i64> = c.find(
        "select id from sync_runs where site_id = :site and connection_id = :connection and ended_at is null and boot = :boot
         order by id desc limit 1",
        named_params! {":connection": connection.number(), ":boot": boot},
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

/// A walk begins or goes on.
#[derive(Debug, Clone)]
pub struct Opening {
    pub connection: ConnectionId,
    pub platform: String,
    pub asked: Asked,
    /// A walk from its first page on, not one that goes on.
    pub is_new: bool,
    /// The run of the process.
    pub boot: String,
}

/// It belongs to the run that is under way, or to a new one. Where a new walk begins, that one is over; what another run of
/// the process had under way has broken off.
pub fn open(c: &SiteConn, o: &Opening, now: Time) -> Result<SyncRunId> {
    if let Some(known) = find_under_way(c, o.connection)? {
        let is_ours: bool = c.one(
            "select exists (select 1 from sync_runs where site_id = :site and id = :id and boot = :boot)",
            named_params! {":id": known.number(), ":boot": o.boot},
        )?;
        if !o.is_new && is_ours {
            return Ok(known);
        }
        match is_ours {
            true => stop(c, known, "cancelled", REPLACED, now)?,
            false => stop(c, known, "broken_off", BROKEN_OFF, now)?,
        };
    }
    let id = c.next_number("sync_run")?;
    c.execute(
        "insert into sync_runs (site_id, id, connection_id, platform, asked, boot, began_at)
         values (:site, :id, :connection, :platform, :asked, :boot, :now)",
        named_params! {":id": id, ":connection": o.connection.number(), ":platform": o.platform, ":asked": o.asked.word(),
        ":boot": o.boot, ":now": now.ms()},
    )?;
    Ok(SyncRunId::new(id))
}

/// What another run of the process had under way has broken off with it. Gives how many those were.
pub fn break_off(all: &AllSites, boot: &str, now: Time) -> Result<usize> {
    all.execute(
        "update sync_runs set status = 'broken_off', ended_at = :now, errors = errors + 1,
           sentences = json_insert(sentences, '$[#]', :sentence)
         where ended_at is null and boot <> :boot",
        named_params! {":boot": boot, ":sentence": BROKEN_OFF, ":now": now.ms()},
    )
}

pub fn count(c: &SiteConn, id: SyncRunId, t: Tally) -> Result<()> {
    c.execute(
        "update sync_runs set processed = processed + :processed, created = created + :created, updated = updated + :updated,
           skipped = skipped + :skipped, pages = pages + :pages
         where site_id = :site and id = :id",
        named_params! {":id": id.number(), ":processed": t.processed, ":created": t.created, ":updated": t.updated, ":skipped": t.skipped,
        ":pages": t.pages},
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

/// Somebody, or something, has ended it before its end: `cancelled` or `broken_off`. False where it had ended already.
pub fn stop(c: &SiteConn, id: SyncRunId, status: &str, sentence: &str, now: Time) -> Result<bool> {
    let errors = i64::from(status == "broken_off");
    let stopped = c.execute(
        "update sync_runs set status = :status, ended_at = :now, errors = errors + :errors,
           sentences = json_insert(sentences, '$[#]', :sentence)
         where site_id = :site and id = :id and ended_at is null",
        named_params! {":id": id.number(), ":status": status, ":errors": errors, ":sentence": sentence, ":now": now.ms()},
    )?;
    Ok(stopped > 0)
}

/// Which runs are asked for; the newest come first.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted {
    pub connection: Option<ConnectionId>,
    pub status: Option<&'static str>,
    /// Only those before this one.
    pub before: Option<SyncRunId>,
}

pub fn list(c: &SiteConn, wanted: Wanted, limit: usize) -> Result<Vec<SyncRun>> {
    let before = wanted.before.map_or(i64::MAX, SyncRunId::number);
    // Each narrowing walks an index of its own, from the newest on.
    match (wanted.connection, wanted.status) {
        (None, None) => c.list(
            &format!("select {COLUMNS} from sync_runs where site_id = :site and id < :before order by id desc limit :limit"),
            named_params! {":before": before, ":limit": limit as i64},
            read,
        ),
        (Some(id), None) => c.list(
            &format!(
                "select {COLUMNS} from sync_runs where site_id = :site and connection_id = :connection and id < :before
                 order by id desc limit :limit"
            ),
            named_params! {":connection": id.number(), ":before": before, ":limit": limit as i64},
            read,
        ),
        (None, Some(status)) => c.list(
            &format!(
                "select {COLUMNS} from sync_runs where site_id = :site and status = :status and id < :before
                 order by id desc limit :limit"
            ),
            named_params! {":status": status, ":before": before, ":limit": limit as i64},
            read,
        ),
        (Some(id), Some(status)) => c.list(
            &format!(
                "select {COLUMNS} from sync_runs where site_id = :site and connection_id = :connection and status = :status
                   and id < :before order by id desc limit :limit"
            ),
            named_params! {":connection": id.number(), ":status": status, ":before": before, ":limit": limit as i64},
            read,
        ),
    }
}

/// How many are under way.
pub fn count_under_way(c: &SiteConn) -> Result<i64> {
    c.one("select count(*) from (select 1 from sync_runs where site_id = :site and ended_at is null limit 1000)", &[])
}

/// The last runs of a connection that came to their end by themselves.
pub fn list_whole(c: &SiteConn, connection: ConnectionId, limit: usize) -> Result<Vec<SyncRun>> {
    let sql = format!(
        "select {COLUMNS} from sync_runs where site_id = :site and connection_id = :connection
           and (status = 'success' or status = 'partial') order by id desc limit :limit"
    );
    c.list(&sql, named_params! {":connection": connection.number(), ":limit": limit as i64}, read)
}
