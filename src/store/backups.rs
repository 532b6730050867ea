//! How backups of the box ended, for the owner.

use rusqlite::{Row, named_params};

use super::scope::AllSites;
use crate::domain::backup::Record;
use crate::domain::time::Time;
use crate::error::Result;

/// Rows that are kept: some months of nights.
pub const KEPT: i64 = 200;

pub fn add(all: &AllSites, record: &Record) -> Result<()> {
    all.execute(
        "insert into backups (at, is_good, is_nightly, file, bytes, rows, took_ms, sentence)
         values (:at, :good, :nightly, :file, :bytes, :rows, :took, :sentence)",
        named_params! {":at": record.at.ms(), ":good": record.is_good, ":nightly": record.is_nightly, ":file": record.file,
        ":bytes": record.bytes, ":rows": record.rows, ":took": record.took_ms, ":sentence": record.sentence},
    )?;
    all.execute("delete from backups where id <= (select max(id) from backups) - :kept", named_params! {":kept": KEPT})?;
    Ok(())
}

/// The newest first.
pub fn list(all: &AllSites, limit: i64) -> Result<Vec<Record>> {
    all.list(
        "select at, is_good, is_nightly, file, bytes, rows, took_ms, sentence from backups order by id desc limit :limit",
        named_params! {":limit": limit},
        read,
    )
}

/// The newest one that was proven.
pub fn find_last_good(all: &AllSites) -> Result<Option<Record>> {
    all.find(
        "select at, is_good, is_nightly, file, bytes, rows, took_ms, sentence from backups where is_good = 1 order by id desc limit 1",
        &[],
        read,
    )
}

/// Since when there is something to lose.
pub fn first_site_at(all: &AllSites) -> Result<Option<Time>> {
    let at: Option<Option<i64>> = all.find("select min(created_at) from sites", &[], |row| row.get(0))?;
    Ok(at.flatten().map(Time::from_ms))
}

fn read(row: &Row) -> rusqlite::Result<Record> {
    Ok(Record {
        at: Time::from_ms(row.get(0)?),
        is_good: row.get(1)?,
        is_nightly: row.get(2)?,
        file: row.get(3)?,
        bytes: row.get(4)?,
        rows: row.get(5)?,
        took_ms: row.get(6)?,
        sentence: row.get(7)?,
    })
}
