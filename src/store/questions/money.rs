//! The money of a span by the days it is booked on: sales, and what went back.

use rusqlite::named_params;

use super::super::cube::{self, Cube};
use super::super::scope::SiteConn;
use super::word;
use crate::domain::question::Days;
use crate::domain::time::{Day, Zone};
use crate::error::Result;

/// Entries that have a day, a kind, a currency and a credited origin in common. Empty words stand for "none".
#[derive(Debug, Clone, Copy)]
pub struct Booked<'r> {
    pub day: Day,
    pub kind: &'r str,
    pub currency: &'r str,
    pub source: &'r str,
    pub medium: &'r str,
    pub campaign: &'r str,
    pub amount_minor: i64,
}

/// Goes through the money of conversions that count.
pub fn each(c: &SiteConn, zone: &Zone, days: Days, mut on: impl FnMut(&Booked)) -> Result<()> {
    let coverage = cube::coverage(c, Cube::Entries, zone, days.span())?;
    if let Some(counted) = coverage.counted {
        c.scan(
            "select day, kind, currency, source, medium, campaign, amount_minor from entry_days
             where site_id = :site and day between :from and :to",
            named_params! {":from": counted.from.0, ":to": counted.to.0},
            |row| {
                let booked = booked(row)?;
                if !coverage.dirty.contains(&booked.day) {
                    on(&booked);
                }
                Ok(true)
            },
        )?;
    }
    for span in coverage.raw {
        let (from, to) = (span.from.unwrap_or(days.from), span.to.unwrap_or(days.to));
        c.scan(
            "select e.book_day, e.kind, e.currency, c.source, c.medium, c.campaign, e.amount_minor
             from entries e join conversions c on c.site_id = e.site_id and c.id = e.conversion_id
             where e.site_id = :site and e.book_day between :from and :to and c.counts = 1",
            named_params! {":from": from.0, ":to": to.0},
            |row| {
                on(&booked(row)?);
                Ok(true)
            },
        )?;
    }
    Ok(())
}

fn booked<'r>(row: &'r rusqlite::Row) -> rusqlite::Result<Booked<'r>> {
    Ok(Booked {
        day: Day(row.get(0)?),
        kind: word(row, 1)?,
        currency: word(row, 2)?,
        source: word(row, 3)?,
        medium: word(row, 4)?,
        campaign: word(row, 5)?,
        amount_minor: row.get(6)?,
    })
}
