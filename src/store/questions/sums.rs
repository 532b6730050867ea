//! Sums and facets over conversions: counts of whole days where they stand, the rows themselves for the rest.

use std::collections::BTreeSet;

use rusqlite::named_params;

use super::super::cube::{self, Coverage, Cube, Tail, Weighs};
use super::super::scope::SiteConn;
use super::answers::Piece;
use super::{walk, word};
use crate::domain::question::tally::Sums;
use crate::domain::question::{ConversionFilter, Marks, Span, Tally};
use crate::domain::time::{Day, Time, Zone};
use crate::error::Result;

/// The sums, and where rows that the filter takes can lie.
#[derive(Debug, Default)]
pub struct Tallied {
    pub tally: Tally,
    /// Days with such rows, and spans that were read row by row, in the order of time.
    pub places: Vec<Span>,
}

impl Weighs for Tallied {
    fn bytes(&self) -> usize {
        self.tally.names() * 120 + self.places.len() * 24 + 400
    }
}

/// Sums of what the filter takes in the span. Tests and drafts are shown in lists, but not counted. What the counts of whole days
/// do not know is walked, and kept by the month.
pub fn tally(c: &SiteConn, zone: &Zone, span: Span, filter: &ConversionFilter) -> Result<Tallied> {
    let coverage = cube::coverage(c, Cube::Conversions, zone, span)?;
    let question = format!("tally {filter:?} {}", walk::newest_told(c, filter)?);
    let mut tally = Tally::default();
    let mut places = coverage.raw_days();
    let blocks = cube::remembered(c, Cube::Conversions, &coverage, &question, |block| match filter.is_of_counts() {
        true => of_counted_days(c, block, filter),
        false => of_walked_days(c, zone, block, coverage.tail, filter),
    })?;
    for block in blocks {
        tally.merge(&block.tally);
        places.extend(block.places.iter().copied());
    }
    for times in coverage.times(zone) {
        add_rows(c, times, filter, |_, marks, is_counted, sums| {
            if is_counted {
                tally.add(filter, marks, sums);
            }
        })?;
    }
    places.sort_by_key(|p| p.from.map_or(i32::MIN, |d| d.0));
    Ok(Tallied { tally, places: joined(places) })
}

/// The same from the rows.
fn of_walked_days(c: &SiteConn, zone: &Zone, block: &Coverage, tail: Option<Tail>, filter: &ConversionFilter) -> Result<Tallied> {
    let mut all = Tallied::default();
    let Some(piece) = Piece::of_block(block, tail, zone) else { return Ok(all) };
    let mut days = BTreeSet::new();
    add_rows(c, (piece.from, piece.to), filter, |at, marks, is_counted, sums| {
        let day = zone.day(at);
        if !piece.holds(day) {
            return;
        }
        let is_taken = if is_counted { all.tally.add(filter, marks, sums) } else { filter.admits(marks) };
        if is_taken {
            days.insert(day);
        }
    })?;
    all.places = joined(days.into_iter().map(on).collect());
    Ok(all)
}

/// What the counts that stand say; the places are the days on which something is taken.
fn of_counted_days(c: &SiteConn, coverage: &Coverage, filter: &ConversionFilter) -> Result<Tallied> {
    let mut all = Tallied::default();
    add_days(c, coverage, |day, marks, is_counted, sums| {
        let is_taken = if is_counted { all.tally.add(filter, marks, sums) } else { filter.admits(marks) };
        match all.places.last_mut() {
            _ if !is_taken => {}
            Some(Span { to: Some(last), .. }) if *last == day => {}
            Some(Span { to: Some(last), .. }) if last.plus(1) == day => *last = day,
            _ => all.places.push(on(day)),
        }
    })?;
    Ok(all)
}

fn on(day: Day) -> Span {
    Span { from: Some(day), to: Some(day) }
}

/// Neighbours become one.
fn joined(places: Vec<Span>) -> Vec<Span> {
    let mut all: Vec<Span> = Vec::new();
    for place in places {
        match (all.last_mut(), place.from) {
            (Some(Span { to: Some(last), .. }), Some(from)) if from <= last.plus(1) => {
                *last = place.to.map_or(Day(i32::MAX), |to| to.max(*last));
                if place.to.is_none()
                    && let Some(open) = all.last_mut()
                {
                    open.to = None;
                }
            }
            _ => all.push(place),
        }
    }
    all
}

/// Goes through the counts that stand.
pub(super) fn add_days(c: &SiteConn, coverage: &Coverage, mut add: impl FnMut(Day, &Marks, bool, &Sums)) -> Result<()> {
    let Some(days) = coverage.counted else { return Ok(()) };
    c.scan(
        "select day, kind, source, medium, campaign, match_type, status, currency, counts, count, amount_minor, net_minor, days_sum, days_count
         from conversion_days where site_id = :site and day between :from and :to order by day",
        named_params! {":from": days.from.0, ":to": days.to.0},
        |row| {
            let day = Day(row.get(0)?);
            if coverage.dirty.contains(&day) {
                return Ok(true);
            }
            let sums = Sums {
                count: row.get(9)?,
                amount_minor: row.get(10)?,
                net_minor: row.get(11)?,
                days_sum: row.get(12)?,
                days_count: row.get(13)?,
            };
            let is_counted: bool = row.get(8)?;
            add(day, &marks(row, 1)?, is_counted, &sums);
            Ok(true)
        },
    )
}

/// Kind, source, medium, campaign, match, status and currency in seven columns from this one on.
pub(super) fn marks<'r>(row: &'r rusqlite::Row, from: usize) -> rusqlite::Result<Marks<'r>> {
    Ok(Marks {
        kind: word(row, from)?,
        source: word(row, from + 1)?,
        medium: word(row, from + 2)?,
        campaign: word(row, from + 3)?,
        match_type: word(row, from + 4)?,
        status: word(row, from + 5)?,
        currency: word(row, from + 6)?,
    })
}

/// Goes through the rows that fit what the ledger's own columns do not say; the rest of the filter is the caller's, who counts
/// facets too.
fn add_rows(
    c: &SiteConn,
    (from, to): (Time, Time),
    filter: &ConversionFilter,
    mut add: impl FnMut(Time, &Marks, bool, &Sums),
) -> Result<()> {
    if !filter.is_of_counts() {
        return walk::all(c, (from, to), filter, |walked, is_counted| {
            let sums = Sums {
                count: 1,
                amount_minor: walked.amount_minor.unwrap_or(0),
                net_minor: walked.net_minor.unwrap_or(0),
                ..Sums::default()
            };
            add(walked.happened_at, &walked.marks, is_counted, &sums);
        });
    }
    let sql = "select happened_at, kind, source, medium, campaign, match_type, status, currency, amount_minor, net_minor, counts
         from conversions where site_id = :site and happened_at >= :from and happened_at < :to";
    c.scan(sql, named_params! {":from": from.ms(), ":to": to.ms()}, |row| {
        let (amount, net): (Option<i64>, Option<i64>) = (row.get(8)?, row.get(9)?);
        let sums = Sums { count: 1, amount_minor: amount.unwrap_or(0), net_minor: net.unwrap_or(0), ..Sums::default() };
        add(Time::from_ms(row.get(0)?), &marks(row, 1)?, row.get(10)?, &sums);
        Ok(true)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_places_become_one() {
        let span = |from: Option<i32>, to: Option<i32>| Span { from: from.map(Day), to: to.map(Day) };
        assert_eq!(
            joined(vec![span(None, Some(3)), span(Some(4), Some(4)), span(Some(7), Some(7)), span(Some(8), None)]),
            [span(None, Some(4)), span(Some(7), None)]
        );
        assert_eq!(joined(vec![span(None, None)]), [span(None, None)]);
    }
}
