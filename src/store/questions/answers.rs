//! Answers over days: of counted days as they were worked out before, of the rest from the rows.

use std::collections::BTreeSet;

use super::super::cube::{self, Coverage, Cube};
use super::super::scope::SiteConn;
use crate::domain::question::{Days, Period, Span};
use crate::domain::time::{Day, Time, Zone};
use crate::error::Result;

/// An answer that is put together from answers over parts of the days.
pub(super) trait Gathers: Default + Send + Sync + 'static {
    fn merge(&mut self, other: &Self);
}

/// Rows to be read: what happened between two moments, what is booked on the days.
pub(super) struct Piece {
    pub from: Time,
    pub to: Time,
    pub days: Days,
    /// Nothing booked after this is read: only a day that ends early has it before its end.
    pub until: Time,
    skipped: BTreeSet<Day>,
}

impl Piece {
    fn of(days: Days, zone: &Zone, skipped: BTreeSet<Day>) -> Self {
        Self { from: zone.start(days.from), to: zone.start(days.to.plus(1)), days, until: Time::from_ms(i64::MAX), skipped }
    }

    /// Rows of other days are read elsewhere.
    pub fn holds(&self, day: Day) -> bool {
        !self.skipped.contains(&day)
    }
}

/// An answer of which counted days have their own table.
pub(super) fn over<T: Gathers>(
    c: &SiteConn,
    cube: Cube,
    zone: &Zone,
    period: Period,
    question: &str,
    counted: impl Fn(&Coverage) -> Result<T>,
    rows: impl Fn(&Piece, &mut T) -> Result<()>,
) -> Result<T> {
    let mut all = T::default();
    let (whole, cut) = period.parts();
    if let Some(days) = whole {
        let coverage = cube::coverage(c, cube, zone, days.span())?;
        for block in cube::remembered(c, cube, &coverage, question, counted)? {
            all.merge(&block);
        }
        for Span { from, to } in coverage.raw {
            let days = Days { from: from.unwrap_or(days.from), to: to.unwrap_or(days.to) };
            rows(&Piece::of(days, zone, BTreeSet::new()), &mut all)?;
        }
    }
    if let Some((day, until)) = cut {
        let mut piece = Piece::of(Days { from: day, to: day }, zone, BTreeSet::new());
        (piece.to, piece.until) = (until, until);
        rows(&piece, &mut all)?;
    }
    Ok(all)
}

/// An answer that only the rows give; of counted days it is kept as long as their counts stand.
pub(super) fn over_rows<T: Gathers>(
    c: &SiteConn,
    cube: Cube,
    zone: &Zone,
    period: Period,
    question: &str,
    rows: impl Fn(&Piece, &mut T) -> Result<()>,
) -> Result<T> {
    let of_block = |coverage: &Coverage| {
        let mut answer = T::default();
        if let Some(days) = coverage.counted {
            rows(&Piece::of(days, zone, coverage.dirty.clone()), &mut answer)?;
        }
        Ok(answer)
    };
    over(c, cube, zone, period, question, of_block, &rows)
}
