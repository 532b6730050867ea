//! Counts of whole days, which reports read in place of rows. A mark says how far they go; days that changed since are
//! dirty and read from the rows, so that every answer is exact at every moment.

/// What is counted by other words.
mod beside;
/// From rows to counts, and into the file.
mod count;
/// How far the counts go.
mod mark;
/// Answers over counted days, kept as long as the counts stand.
mod memory;

use std::collections::BTreeSet;

use rusqlite::named_params;

use super::scope::SiteConn;
use crate::domain::question::{Days, Span};
use crate::domain::time::{Day, Time, Zone};
use crate::error::Result;

pub use beside::Beside;
pub use count::{Counts, Line, count, finish, put};
use mark::{Part, find_mark, first_day};
pub use mark::{advance, is_behind, is_part_due, mark_part};
pub use memory::{Memory, Weighs, remembered};

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
    /// Days that must be read from the rows, in the order of time.
    pub raw: Vec<Span>,
    /// What the present day has beyond its counted part; to be read from the rows too.
    pub tail: Option<Tail>,
    /// Of each counted day: as long as it is the same, so are the day's counts.
    pub versions: Vec<(Day, i64)>,
}

/// The rest of a day that is counted in part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tail {
    pub day: Day,
    /// Rows that happened from this moment on, and entries with a higher number.
    pub from: Time,
    pub after_entry: i64,
}

impl Coverage {
    /// All from the rows.
    pub fn none(span: Span) -> Self {
        Self { counted: None, dirty: BTreeSet::new(), raw: vec![span], tail: None, versions: Vec::new() }
    }

    /// The times that must be read from the rows: from each first moment to before the second.
    pub fn times(&self, zone: &Zone) -> Vec<(Time, Time)> {
        let tail = self.tail.map(|tail| (tail.from, zone.start(tail.day.plus(1))));
        self.raw.iter().map(|span| span.times(zone)).chain(tail).collect()
    }

    /// The days that these lie on.
    pub fn raw_days(&self) -> Vec<Span> {
        let tail = self.tail.map(|tail| Span { from: Some(tail.day), to: Some(tail.day) });
        self.raw.iter().copied().chain(tail).collect()
    }

    /// The part of it within these days; only of what is counted.
    fn within(&self, days: Days) -> Coverage {
        let holds = |day: &Day| days.from <= *day && *day <= days.to;
        Coverage {
            counted: Some(days),
            dirty: self.dirty.iter().copied().filter(holds).collect(),
            raw: Vec::new(),
            tail: None,
            versions: self.versions.iter().copied().filter(|(day, _)| holds(day)).collect(),
        }
    }
}

pub fn coverage(c: &SiteConn, cube: Cube, zone: &Zone, span: Span) -> Result<Coverage> {
    let all_raw = Coverage::none(span);
    let Some(mark) = find_mark(c)? else { return Ok(all_raw) };
    let Some(first) = first_day(c)? else { return Ok(all_raw) };
    if mark.zone != zone.name() {
        return Ok(all_raw);
    }
    let from = span.from.map_or(first, |from| from.max(first));
    let to = span.to.map_or(mark.last_day(), |to| to.min(mark.last_day()));
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
    let part = mark.part.filter(|part| part.day == to && !dirty.contains(&to));
    let tail = part.map(|Part { day, until, last_entry }| Tail { day, from: until, after_entry: last_entry });
    Ok(Coverage { counted: Some(Days { from, to }), dirty, raw, tail, versions })
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
