//! Sums and facets over conversions: counts of whole days where they stand, the rows themselves for the rest.

use rusqlite::named_params;

use super::super::cube::{self, Coverage, Cube, Weighs};
use super::super::scope::SiteConn;
use super::{walk, word};
use crate::domain::question::tally::Sums;
use crate::domain::question::{Choice, ConversionFilter, Marks, Span, Tally};
use crate::domain::time::{Day, Time, Zone};
use crate::error::{Error, Result};

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

/// Sums of what the filter takes in the span. Tests and drafts are shown in lists, but not counted.
pub fn tally(c: &SiteConn, zone: &Zone, span: Span, filter: &ConversionFilter) -> Result<Tallied> {
    let coverage = match filter.is_of_counts() {
        true => cube::coverage(c, Cube::Conversions, zone, span)?,
        false => Coverage::none(span),
    };
    let question = format!("tally {filter:?}");
    let mut tally = Tally::default();
    let mut places = coverage.raw_days();
    for block in cube::remembered(c, Cube::Conversions, &coverage, &question, |days| of_counted_days(c, days, filter))? {
        tally.merge(&block.tally);
        places.extend(block.places.iter().copied());
    }
    for times in coverage.times(zone) {
        add_rows(c, times, filter, &mut tally)?;
    }
    places.sort_by_key(|p| p.from.map_or(i32::MIN, |d| d.0));
    Ok(Tallied { tally, places: joined(places) })
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

fn add_rows(c: &SiteConn, (from, to): (Time, Time), filter: &ConversionFilter, tally: &mut Tally) -> Result<()> {
    let sql = "select id, kind, source, medium, campaign, match_type, status, currency, amount_minor, net_minor
         from conversions where site_id = :site and happened_at >= :from and happened_at < :to and counts = 1";
    let mut failed: Option<Error> = None;
    c.scan(sql, named_params! {":from": from.ms(), ":to": to.ms()}, |row| {
        let marks = marks(row, 1)?;
        match fits(c, filter, row.get(0)?) {
            Ok(true) => {}
            Ok(false) => return Ok(true),
            Err(e) => {
                failed = Some(e);
                return Ok(false);
            }
        }
        let (amount, net): (Option<i64>, Option<i64>) = (row.get(8)?, row.get(9)?);
        let sums = Sums { count: 1, amount_minor: amount.unwrap_or(0), net_minor: net.unwrap_or(0), ..Sums::default() };
        tally.add(filter, &marks, &sums);
        Ok(true)
    })?;
    failed.map_or(Ok(()), Err)
}

/// Whether a conversion fits what stands in other tables: who has told of it, who was told, and where it was.
pub(super) fn fits(c: &SiteConn, filter: &ConversionFilter, conversion: i64) -> Result<bool> {
    let is_told = filter.platform.is_open() || tells(c, &filter.platform, conversion)?;
    Ok(is_told && (!filter.asks_whereabouts() || walk::is_where(c, filter, conversion)?))
}

/// Whether one of the platforms has told of the conversion, or was told.
pub(super) fn tells(c: &SiteConn, choice: &Choice, conversion: i64) -> Result<bool> {
    let platforms: Vec<String> = c.list(
        "select platform from reports where site_id = :site and conversion_id = :id
         union all select platform from deliveries where site_id = :site and conversion_id = :id",
        named_params! {":id": conversion},
        |row| row.get(0),
    )?;
    Ok(choice.admits_any(platforms.iter().map(String::as_str)))
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
