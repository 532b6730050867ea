//! How far the counts go: whole days, and of the present day what lies a few minutes back, so that its rows are not read
//! for every question.

use rusqlite::named_params;

use super::super::scope::SiteConn;
use super::{Cube, mark_dirty};
use crate::domain::question::Days;
use crate::domain::time::{Day, MINUTE_MS, Time, Zone};
use crate::error::Result;

/// A day is closed a little after midnight, when what came in its last moment is surely stored.
const GRACE_MS: i64 = 10 * MINUTE_MS;
/// Days put under the mark in one write.
const MOST_DAYS: i32 = 400;
/// The present day is counted up to so long ago: what is told of it a moment late seldom makes it dirty.
const PART_GRACE_MS: i64 = 2 * MINUTE_MS;
/// It is counted again after this, if it pays.
const PART_EVERY_MS: i64 = 5 * MINUTE_MS;
/// So many rows are read as quickly as they are counted.
const FEW_ROWS: i64 = 100;

pub(super) struct Mark {
    pub zone: String,
    pub next_day: Day,
    pub until: Time,
    pub part: Option<Part>,
}

/// What is counted of the present day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub day: Day,
    pub until: Time,
    pub last_entry: i64,
}

impl Mark {
    /// The last day of which anything is counted.
    pub(super) fn last_day(&self) -> Day {
        self.part.map_or(self.next_day.plus(-1), |part| part.day)
    }
}

pub(super) fn find_mark(c: &SiteConn) -> Result<Option<Mark>> {
    c.find("select zone, next_day, until_at, part_day, part_entry from count_marks where site_id = :site", &[], |row| {
        let until = Time::from_ms(row.get(2)?);
        let (day, last_entry): (Option<i32>, Option<i64>) = (row.get(3)?, row.get(4)?);
        let part = day.map(|day| Part { day: Day(day), until, last_entry: last_entry.unwrap_or(0) });
        Ok(Mark { zone: row.get(0)?, next_day: Day(row.get(1)?), until, part })
    })
}

pub(super) fn first_day(c: &SiteConn) -> Result<Option<Day>> {
    let first: Option<i32> = c.one("select min(day) from counted_days where site_id = :site", &[])?;
    Ok(first.map(Day))
}

/// The day of the oldest row that is counted anywhere.
fn oldest_day(c: &SiteConn, zone: &Zone) -> Result<Option<Day>> {
    let times: [Option<i64>; 3] = [
        c.one("select min(at) from touches where site_id = :site", &[])?,
        c.one("select min(at) from anon_events where site_id = :site", &[])?,
        c.one("select min(happened_at) from conversions where site_id = :site", &[])?,
    ];
    let booked: Option<i32> = c.one("select min(book_day) from entries where site_id = :site", &[])?;
    Ok(times.into_iter().flatten().map(|ms| zone.day(Time::from_ms(ms))).chain(booked.map(Day)).min())
}

/// Whether `advance` has anything to do.
pub fn is_behind(c: &SiteConn, zone: &Zone, now: Time) -> Result<bool> {
    let today = zone.day(now.plus_ms(-GRACE_MS));
    let Some(mark) = find_mark(c)? else { return Ok(oldest_day(c, zone)?.is_some_and(|day| day < today)) };
    if mark.zone != zone.name() || mark.next_day < today {
        return Ok(true);
    }
    let first = first_day(c)?.unwrap_or(mark.next_day);
    Ok(oldest_day(c, zone)?.is_some_and(|day| day < first))
}

/// Puts closed days under the mark, a year or so at a time, and calls them all dirty: they are counted by and by.
pub fn advance(c: &SiteConn, zone: &Zone, now: Time) -> Result<()> {
    let today = zone.day(now.plus_ms(-GRACE_MS));
    let mark = find_mark(c)?;
    let is_anew = mark.as_ref().is_none_or(|m| m.zone != zone.name());
    if is_anew {
        let first = oldest_day(c, zone)?.unwrap_or(today).min(today);
        // Of a frozen day the rows are gone: its counts stay as they are, by the days of the zone before.
        c.execute("delete from counted_days where site_id = :site and is_frozen = 0", &[])?;
        c.execute("delete from dirty_days where site_id = :site", &[])?;
        set_mark(c, zone, first)?;
    }
    let next = if is_anew { oldest_day(c, zone)?.unwrap_or(today).min(today) } else { mark.map_or(today, |m| m.next_day) };
    let first = first_day(c)?.unwrap_or(next);
    let new = if next < today {
        Days { from: next, to: next.plus(MOST_DAYS - 1).min(today.plus(-1)) }
    } else {
        let oldest = oldest_day(c, zone)?.unwrap_or(first);
        Days { from: oldest.max(first.plus(-MOST_DAYS)), to: first.plus(-1) }
    };
    for day in new.each() {
        c.execute(
            "insert or ignore into counted_days (site_id, day, starts_at) values (:site, :day, :starts)",
            named_params! {":day": day.0, ":starts": zone.start(day).ms()},
        )?;
        for cube in Cube::ALL {
            mark_dirty(c, cube, day)?;
        }
    }
    if new.to >= next {
        set_mark(c, zone, new.to.plus(1))?;
    }
    Ok(())
}

fn set_mark(c: &SiteConn, zone: &Zone, next: Day) -> Result<()> {
    c.execute(
        "insert into count_marks (site_id, zone, next_day, until_at) values (:site, :zone, :next, :until)
         on conflict (site_id) do update set zone = excluded.zone, next_day = excluded.next_day, until_at = excluded.until_at,
           part_day = null, part_entry = null",
        named_params! {":zone": zone.name(), ":next": next.0, ":until": zone.start(next).ms()},
    )?;
    Ok(())
}

/// Whether counting the present day anew spares questions much: it has been a while, and many rows have come since.
pub fn is_part_due(c: &SiteConn, zone: &Zone, now: Time) -> Result<bool> {
    let Some(mark) = find_mark(c)? else { return Ok(false) };
    let until = now.plus_ms(-PART_GRACE_MS);
    if mark.zone != zone.name() || mark.next_day != zone.day(until) || until.ms_since(mark.until) < PART_EVERY_MS {
        return Ok(false);
    }
    let span = named_params! {":from": mark.until.ms(), ":to": until.ms(), ":few": FEW_ROWS};
    let visits: i64 = c.one(
        "select count(*) from (select 1 from touches where site_id = :site and at >= :from and at < :to and starts_visit = 1 limit :few)",
        span,
    )?;
    let conversions: i64 = c.one(
        "select count(*) from (select 1 from conversions where site_id = :site and happened_at >= :from and happened_at < :to limit :few)",
        span,
    )?;
    Ok(visits >= FEW_ROWS || conversions >= FEW_ROWS)
}

/// Puts the present day under the mark up to a moment ago, and calls it dirty: it is counted next.
pub fn mark_part(c: &SiteConn, zone: &Zone, now: Time) -> Result<()> {
    let until = now.plus_ms(-PART_GRACE_MS);
    let Some(mark) = find_mark(c)?.filter(|mark| mark.zone == zone.name() && mark.next_day == zone.day(until)) else { return Ok(()) };
    let day = mark.next_day;
    let last_entry: Option<i64> = c.one("select max(id) from entries where site_id = :site", &[])?;
    c.execute(
        "update count_marks set until_at = :until, part_day = :day, part_entry = :entry where site_id = :site",
        named_params! {":until": until.ms(), ":day": day.0, ":entry": last_entry.unwrap_or(0)},
    )?;
    c.execute(
        "insert or ignore into counted_days (site_id, day, starts_at) values (:site, :day, :starts)",
        named_params! {":day": day.0, ":starts": zone.start(day).ms()},
    )?;
    for cube in Cube::ALL {
        mark_dirty(c, cube, day)?;
    }
    Ok(())
}
