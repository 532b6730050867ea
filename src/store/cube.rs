//! Counts of whole days, which reports read in place of rows. A mark says how far they go; days that changed since are
//! dirty and read from the rows, so that every answer is exact at every moment.

/// From rows to counts, and into the file.
mod count;
/// Answers over counted days, kept as long as the counts stand.
mod memory;

use std::collections::BTreeSet;

use rusqlite::named_params;

use super::scope::SiteConn;
use crate::domain::question::{Days, Span};
use crate::domain::time::{Day, MINUTE_MS, Time, Zone};
use crate::error::Result;

pub use count::{Counts, count, finish, put};
pub use memory::{Memory, remembered};

/// A day is closed a little after midnight, when what came in its last moment is surely stored.
const GRACE_MS: i64 = 10 * MINUTE_MS;
/// Days put under the mark in one write.
const MOST_DAYS: i32 = 400;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cube {
    Visits,
    Conversions,
    Entries,
}

impl Cube {
    pub const ALL: [Cube; 3] = [Cube::Visits, Cube::Conversions, Cube::Entries];

    pub fn word(self) -> &'static str {
        match self {
            Cube::Visits => "visits",
            Cube::Conversions => "conversions",
            Cube::Entries => "entries",
        }
    }
}

/// Where the answer for a span is to be found.
#[derive(Debug, Clone, PartialEq)]
pub struct Coverage {
    /// Days whose counts stand, the dirty ones among them apart.
    pub counted: Option<Days>,
    pub dirty: BTreeSet<Day>,
    /// What must be read from the rows, in the order of time.
    pub raw: Vec<Span>,
    /// Of each counted day: as long as it is the same, so are the day's counts.
    pub versions: Vec<(Day, i64)>,
}

impl Coverage {
    /// The part of it within these days; only of what is counted.
    fn within(&self, days: Days) -> Coverage {
        let holds = |day: &Day| days.from <= *day && *day <= days.to;
        Coverage {
            counted: Some(days),
            dirty: self.dirty.iter().copied().filter(holds).collect(),
            raw: Vec::new(),
            versions: self.versions.iter().copied().filter(|(day, _)| holds(day)).collect(),
        }
    }
}

pub fn coverage(c: &SiteConn, cube: Cube, zone: &Zone, span: Span) -> Result<Coverage> {
    let all_raw = Coverage { counted: None, dirty: BTreeSet::new(), raw: vec![span], versions: Vec::new() };
    let Some(mark) = find_mark(c)? else { return Ok(all_raw) };
    let Some(first) = first_day(c)? else { return Ok(all_raw) };
    if mark.zone != zone.name() {
        return Ok(all_raw);
    }
    let from = span.from.map_or(first, |from| from.max(first));
    let to = span.to.map_or(mark.next_day.plus(-1), |to| to.min(mark.next_day.plus(-1)));
    if from > to {
        return Ok(all_raw);
    }
    let dirty: BTreeSet<Day> = c
        .list(
            "select day from dirty_days where site_id = :site and cube = :cube and day between :from and :to order by day",
            named_params! {":cube": cube.word(), ":from": from.0, ":to": to.0},
            |row| Ok(Day(row.get(0)?)),
        )?
        .into_iter()
        .collect();
    let mut raw = Vec::new();
    if span.from.is_none_or(|f| f < from) {
        raw.push(Span { from: span.from, to: Some(from.plus(-1)) });
    }
    for day in &dirty {
        match raw.last_mut() {
            Some(Span { from: Some(_), to: Some(last) }) if *last == day.plus(-1) => *last = *day,
            _ => raw.push(Span { from: Some(*day), to: Some(*day) }),
        }
    }
    if span.to.is_none_or(|t| t > to) {
        raw.push(Span { from: Some(to.plus(1)), to: span.to });
    }
    let versions = c.list(
        "select day, version from counted_days where site_id = :site and day between :from and :to order by day",
        named_params! {":from": from.0, ":to": to.0},
        |row| Ok((Day(row.get(0)?), row.get(1)?)),
    )?;
    Ok(Coverage { counted: Some(Days { from, to }), dirty, raw, versions })
}

struct Mark {
    zone: String,
    next_day: Day,
}

fn find_mark(c: &SiteConn) -> Result<Option<Mark>> {
    c.find("select zone, next_day from count_marks where site_id = :site", &[], |row| {
        Ok(Mark { zone: row.get(0)?, next_day: Day(row.get(1)?) })
    })
}

fn first_day(c: &SiteConn) -> Result<Option<Day>> {
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
         on conflict (site_id) do update set zone = excluded.zone, next_day = excluded.next_day, until_at = excluded.until_at",
        named_params! {":zone": zone.name(), ":next": next.0, ":until": zone.start(next).ms()},
    )?;
    Ok(())
}

/// The counts of a day change: what was kept of them is void. Versions come from the numbers of the site, so that a day
/// that is put under the mark anew never has one that it had before.
fn renew(c: &SiteConn, day: Day) -> Result<()> {
    let version: i64 = c.next_number("count")?;
    c.execute(
        "update counted_days set version = :version where site_id = :site and day = :day",
        named_params! {":version": version, ":day": day.0},
    )?;
    Ok(())
}

/// Before the rows of visits go: from here on the counts of days before this one are for good. False where some of them
/// are still to be counted.
pub fn freeze_before(c: &SiteConn, zone: &Zone, day: Day, now: Time) -> Result<bool> {
    if is_behind(c, zone, now)? {
        return Ok(false);
    }
    let dirty = c.find(
        "select 1 from dirty_days where site_id = :site and cube = 'visits' and day < :day limit 1",
        named_params! {":day": day.0},
        |_| Ok(()),
    )?;
    if dirty.is_some() {
        return Ok(false);
    }
    c.execute(
        "update counted_days set is_frozen = 1 where site_id = :site and day < :day and is_frozen = 0",
        named_params! {":day": day.0},
    )?;
    Ok(true)
}

/// A day must be counted again, unless it is frozen for this. Late rows do this by themselves, by triggers of the schema.
pub fn mark_dirty(c: &SiteConn, cube: Cube, day: Day) -> Result<()> {
    c.execute(
        "insert into dirty_days (site_id, cube, day)
         select :site, :cube, :day
         where :cube <> 'visits' or not exists (select 1 from counted_days where site_id = :site and day = :day and is_frozen = 1)
         on conflict (site_id, cube, day) do update set is_taken = 0",
        named_params! {":cube": cube.word(), ":day": day.0},
    )?;
    Ok(())
}

/// The next days to be counted again, in their order.
pub fn list_dirty(c: &SiteConn, cube: Cube, after: Day, limit: usize) -> Result<Vec<Day>> {
    c.list(
        "select day from dirty_days where site_id = :site and cube = :cube and day > :after order by day limit :limit",
        named_params! {":cube": cube.word(), ":after": after.0, ":limit": limit as i64},
        |row| Ok(Day(row.get(0)?)),
    )
}

/// From here on a change of these days shows: their flag falls back, and `finish` leaves them dirty.
pub fn take(c: &SiteConn, cube: Cube, days: &[Day]) -> Result<()> {
    for day in days {
        c.execute(
            "update dirty_days set is_taken = 1 where site_id = :site and cube = :cube and day = :day",
            named_params! {":cube": cube.word(), ":day": day.0},
        )?;
    }
    Ok(())
}
