//! Erasures: who asked when, what went, and what must not come back.

/// A person's data, for the person.
pub mod export;
/// Goods whose names name their buyer.
pub mod goods;
/// Under which names and addresses somebody's rows stand.
pub mod known_as;
/// How somebody is named.
pub mod named;
/// Which destinations had heard of somebody.
pub mod notices;
/// Everything stored of one person.
pub mod person;
/// What is still found in texts of others.
pub mod residue;
/// What goes, counted as an owner counts.
pub mod things;
/// What of erased people must not come back.
pub mod tombstones;
/// The plan carried out.
pub mod wipe;

use rusqlite::{Row, named_params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::scope::SiteConn;
use crate::domain::ids::ErasureId;
use crate::domain::question::Cursor;
use crate::domain::time::{DAY_MS, Time};
use crate::error::{Error, Result};

pub use named::{Buyer, Named};
pub use person::{Sight, Whole};
pub use things::Things;
pub use wipe::Counts;

/// What is still needed of a person is kept this long at most.
pub const LONGEST_MS: i64 = 30 * DAY_MS;

/// An erasure as its certificate shows it.
#[derive(Debug, Clone)]
pub struct Certificate {
    pub id: ErasureId,
    pub uid: String,
    pub at: Time,
    pub who: String,
    pub named_by: String,
    /// Keyed, in hex.
    pub digests: Vec<String>,
    pub counts: Value,
    /// The same in the owner's words; none of an older version.
    pub things: Value,
    pub cleaned_at: Option<Time>,
    pub rewrites: i64,
    pub residue: Option<String>,
    pub done_at: Option<Time>,
}

/// What the work after the change needs; sealed until it is done.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    pub emails: Vec<String>,
    pub phones: Vec<String>,
    pub customer_ids: Vec<String>,
    /// Numbers of the conversions that were told of.
    pub conversions: Vec<String>,
    /// Their ids as destinations know them.
    pub event_ids: Vec<String>,
}

pub struct NewErasure<'a> {
    pub uid: &'a str,
    pub at: Time,
    pub who: &'a str,
    pub named_by: &'a str,
    pub digests: &'a [String],
    pub counts: &'a Counts,
    pub things: &'a Things,
    pub subject: &'a Subject,
}

pub fn add(c: &SiteConn, new: &NewErasure) -> Result<ErasureId> {
    let id = c.next_number("erasure")?;
    let digests = serde_json::to_string(new.digests).map_err(Error::internal)?;
    let counts = serde_json::to_string(new.counts).map_err(Error::internal)?;
    let things = serde_json::to_string(new.things).map_err(Error::internal)?;
    let subject = serde_json::to_vec(new.subject).map_err(Error::internal)?;
    let sealed = c.sealer().seal(&subject, &subject_row(c.site().number(), id));
    c.execute(
        "insert into erasures (site_id, id, uid, at, who, named_by, digests, counts, things, sealed)
         values (:site, :id, :uid, :at, :who, :named, :digests, :counts, :things, :sealed)",
        named_params! {":id": id, ":uid": new.uid, ":at": new.at.ms(), ":who": new.who, ":named": new.named_by, ":digests": digests,
        ":counts": counts, ":things": things, ":sealed": sealed},
    )?;
    Ok(ErasureId::new(id))
}

const COLUMNS: &str = "id, uid, at, who, named_by, digests, counts, cleaned_at, rewrites, residue, done_at, things";

pub fn find(c: &SiteConn, id: ErasureId) -> Result<Option<Certificate>> {
    c.find(&format!("select {COLUMNS} from erasures where site_id = :site and id = :id"), named_params! {":id": id.number()}, read)
}

pub fn has_uid(c: &SiteConn, uid: &str) -> Result<bool> {
    Ok(c.find("select 1 from erasures where site_id = :site and uid = :uid", named_params! {":uid": uid}, |_| Ok(()))?.is_some())
}

/// How many there were: they are numbered, and none is ever taken away.
pub fn count(c: &SiteConn) -> Result<i64> {
    let last = c.find("select last from numbers where site_id = :site and noun = 'erasure'", &[], |row| row.get(0))?;
    Ok(last.unwrap_or(0))
}

/// The newest first.
pub fn page(c: &SiteConn, cursor: Option<Cursor>, limit: usize) -> Result<(Vec<Certificate>, Option<Cursor>)> {
    let mut found = c.list(
        &format!("select {COLUMNS} from erasures where site_id = :site and id < :before order by id desc limit :most"),
        named_params! {":before": cursor.map_or(i64::MAX, |cursor| cursor.id), ":most": limit as i64 + 1},
        read,
    )?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| has_more).map(|l| Cursor { key: None, id: l.id.number() });
    Ok((found, next))
}

/// Those with work left, the oldest first.
pub fn list_open(c: &SiteConn) -> Result<Vec<ErasureId>> {
    c.list("select id from erasures where site_id = :site and done_at is null order by at limit 100", &[], |row| {
        Ok(ErasureId::new(row.get(0)?))
    })
}

/// Who it is about, as long as there is work left.
pub fn find_subject(c: &SiteConn, id: ErasureId) -> Result<Option<Subject>> {
    let sealed: Option<Option<Vec<u8>>> =
        c.find("select sealed from erasures where site_id = :site and id = :id", named_params! {":id": id.number()}, |row| row.get(0))?;
    let Some(sealed) = sealed.flatten() else { return Ok(None) };
    let plain = c.sealer().open(&sealed, &subject_row(c.site().number(), id.number()));
    Ok(plain.and_then(|p| serde_json::from_slice(&p).ok()))
}

/// The file was searched.
pub fn set_cleaned(c: &SiteConn, id: ErasureId, rewrites: i64, residue: Option<&str>, now: Time) -> Result<()> {
    c.execute(
        "update erasures set cleaned_at = :now, rewrites = rewrites + :rewrites, residue = :residue where site_id = :site and id = :id",
        named_params! {":id": id.number(), ":now": now.ms(), ":rewrites": rewrites, ":residue": residue},
    )?;
    Ok(())
}

/// Nothing is left to do: what it was about is forgotten here too.
pub fn close(c: &SiteConn, id: ErasureId, now: Time) -> Result<()> {
    c.execute(
        "update erasures set sealed = null, done_at = :now where site_id = :site and id = :id and done_at is null",
        named_params! {":id": id.number(), ":now": now.ms()},
    )?;
    Ok(())
}

/// Sealed rows under the present key; gives how many were changed.
pub fn seal_anew(c: &SiteConn) -> Result<usize> {
    let rows: Vec<(i64, Vec<u8>)> = c.list(
        "select id, sealed from erasures where site_id = :site and done_at is null and sealed is not null limit 10000",
        &[],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let mut changed = 0;
    for (id, sealed) in rows {
        if let Some(anew) = c.sealer().sealed_anew(&sealed, &subject_row(c.site().number(), id)) {
            let new = named_params! {":id": id, ":sealed": anew};
            changed += c.execute("update erasures set sealed = :sealed where site_id = :site and id = :id", new)?;
        }
    }
    Ok(changed)
}

fn read(row: &Row) -> rusqlite::Result<Certificate> {
    let (digests, counts, things): (String, String, String) = (row.get(5)?, row.get(6)?, row.get(11)?);
    let (cleaned, done): (Option<i64>, Option<i64>) = (row.get(7)?, row.get(10)?);
    Ok(Certificate {
        id: ErasureId::new(row.get(0)?),
        uid: row.get(1)?,
        at: Time::from_ms(row.get(2)?),
        who: row.get(3)?,
        named_by: row.get(4)?,
        digests: serde_json::from_str(&digests).unwrap_or_default(),
        counts: serde_json::from_str(&counts).unwrap_or_default(),
        things: serde_json::from_str(&things).unwrap_or_default(),
        cleaned_at: cleaned.map(Time::from_ms),
        rewrites: row.get(8)?,
        residue: row.get(9)?,
        done_at: done.map(Time::from_ms),
    })
}

fn subject_row(site: i64, id: i64) -> String {
    format!("erasures/{site}/{id}")
}
