//! Visits: of each day, and by where they came from. Those that refused a cookie are counted too.

use std::collections::{BTreeMap, HashMap};

use rusqlite::named_params;

use super::super::cube::{self, Coverage, Cube};
use super::super::scope::SiteConn;
use super::word;
use crate::domain::question::{Days, Span};
use crate::domain::time::{Day, Time, Zone};
use crate::error::Result;

/// Source, medium, campaign; empty words stand for "none".
pub type Origin = (String, String, String);

/// Visits of each day that has any.
pub fn by_day(c: &SiteConn, zone: &Zone, days: Days) -> Result<BTreeMap<Day, i64>> {
    let coverage = cube::coverage(c, Cube::Visits, zone, days.span())?;
    let mut all: BTreeMap<Day, i64> = BTreeMap::new();
    if let Some(counted) = coverage.counted {
        c.scan(
            "select day, visits from counted_days where site_id = :site and day between :from and :to",
            named_params! {":from": counted.from.0, ":to": counted.to.0},
            |row| {
                let day = Day(row.get(0)?);
                if !coverage.dirty.contains(&day) {
                    all.insert(day, row.get(1)?);
                }
                Ok(true)
            },
        )?;
    }
    // A day at a time: a count over an index is quicker than the day of each row.
    for day in coverage.raw.iter().flat_map(|span| within(*span, days).each()) {
        all.insert(day, count(c, zone.start(day), zone.start(day.plus(1)))?);
    }
    if let Some(tail) = coverage.tail {
        *all.entry(tail.day).or_default() += count(c, tail.from, zone.start(tail.day.plus(1)))?;
    }
    all.retain(|_, n| *n > 0);
    Ok(all)
}

fn count(c: &SiteConn, from: Time, to: Time) -> Result<i64> {
    let times = named_params! {":from": from.ms(), ":to": to.ms()};
    let touches: i64 =
        c.one("select count(*) from touches where site_id = :site and at >= :from and at < :to and starts_visit = 1", times)?;
    let unknown: i64 =
        c.one("select count(*) from anon_events where site_id = :site and at >= :from and at < :to and starts_visit = 1", times)?;
    Ok(touches + unknown)
}

fn within(span: Span, days: Days) -> Days {
    Days { from: span.from.unwrap_or(days.from), to: span.to.unwrap_or(days.to) }
}

/// Visits of all the days by where they came from.
pub fn by_origin(c: &SiteConn, zone: &Zone, days: Days) -> Result<HashMap<Origin, i64>> {
    let coverage = cube::coverage(c, Cube::Visits, zone, days.span())?;
    let mut all: HashMap<Origin, i64> = HashMap::new();
    for block in cube::remembered(c, Cube::Visits, &coverage, "by origin", |days| of_counted_days(c, days))? {
        for (origin, visits) in block.iter() {
            add(&mut all, origin, *visits);
        }
    }
    for (from, to) in coverage.times(zone) {
        for sql in [
            "select source, medium, campaign from touches where site_id = :site and at >= :from and at < :to and starts_visit = 1",
            "select source, medium, utm_campaign from anon_events where site_id = :site and at >= :from and at < :to and starts_visit = 1",
        ] {
            c.scan(sql, named_params! {":from": from.ms(), ":to": to.ms()}, |row| {
                let origin = (word(row, 0)?.to_owned(), word(row, 1)?.to_owned(), word(row, 2)?.to_owned());
                *all.entry(origin).or_default() += 1;
                Ok(true)
            })?;
        }
    }
    Ok(all)
}

fn of_counted_days(c: &SiteConn, coverage: &Coverage) -> Result<HashMap<Origin, i64>> {
    let mut all: HashMap<Origin, i64> = HashMap::new();
    let Some(counted) = coverage.counted else { return Ok(all) };
    c.scan(
        "select day, source, medium, campaign, visits from origin_days where site_id = :site and day between :from and :to",
        named_params! {":from": counted.from.0, ":to": counted.to.0},
        |row| {
            if !coverage.dirty.contains(&Day(row.get(0)?)) {
                let origin = (word(row, 1)?.to_owned(), word(row, 2)?.to_owned(), word(row, 3)?.to_owned());
                *all.entry(origin).or_default() += row.get::<_, i64>(4)?;
            }
            Ok(true)
        },
    )?;
    Ok(all)
}

/// Without making a new key for one that is there.
pub(super) fn add(all: &mut HashMap<Origin, i64>, origin: &Origin, count: i64) {
    match all.get_mut(origin) {
        Some(known) => *known += count,
        None => drop(all.insert(origin.clone(), count)),
    }
}
