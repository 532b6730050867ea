//! Answers over days: of counted days as they were worked out before, of the rest from the rows.

use std::collections::BTreeSet;

use super::super::cube::{self, Coverage, Cube, Tail, Weighs};
use super::super::sales::Entries;
use super::super::scope::SiteConn;
use crate::domain::question::{Days, Period, Span};
use crate::domain::time::{Day, Time, Zone};
use crate::error::Result;

/// An answer that is put together from answers over parts of the days.
pub(super) trait Gathers: Weighs + Default + Send + Sync + 'static {
    fn merge(&mut self, other: &Self);
}

/// Rows to be read: what happened between two moments, what is booked on the days.
pub(super) struct Piece {
    pub from: Time,
    pub to: Time,
    pub days: Days,
    /// Nothing that was booked later is read: only a day that ends early has this before its end.
    pub until: Time,
    /// Entries with a higher number than this, which the counts of the present day do not know yet.
    pub after_entry: i64,
    /// Of the day that is counted in part, entries up to this number.
    pub part: (Day, i64),
    skipped: BTreeSet<Day>,
}

impl Piece {
    /// All rows of these days.
    pub fn of(days: Days, zone: &Zone) -> Self {
        Self {
            from: zone.start(days.from),
            to: zone.start(days.to.plus(1)),
            days,
            until: Time::from_ms(i64::MAX),
            after_entry: 0,
            part: (Day(i32::MAX), i64::MAX),
            skipped: BTreeSet::new(),
        }
    }

    /// Those of a day that ends early.
    pub fn up_to(day: Day, until: Time, zone: &Zone) -> Self {
        Self { to: until, until, ..Self::of(Days { from: day, to: day }, zone) }
    }

    /// The rows of days that are counted, as far as their counts stand.
    pub fn of_block(block: &Coverage, tail: Option<Tail>, zone: &Zone) -> Option<Self> {
        let days = block.counted?;
        let mut piece = Self { skipped: block.dirty.clone(), ..Self::of(days, zone) };
        // The present day stands in the block as far as its counts go.
        if let Some(tail) = tail.filter(|tail| tail.day == days.to) {
            piece.to = tail.from;
            piece.part = (tail.day, tail.after_entry);
        }
        Some(piece)
    }

    /// Its entries.
    pub fn entries(&self) -> Entries {
        Entries { from: self.days.from, to: self.days.to, until: self.until, after: self.after_entry, part: self.part }
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
    counted: impl Fn(&Coverage, Option<Tail>) -> Result<T>,
    rows: impl Fn(&Piece, &mut T) -> Result<()>,
) -> Result<T> {
    let mut all = T::default();
    let (whole, cut) = period.parts();
    if let Some(days) = whole {
        let coverage = cube::coverage(c, cube, zone, days.span())?;
        for block in cube::remembered(c, cube, &coverage, question, |block| counted(block, coverage.tail))? {
            all.merge(&block);
        }
        for Span { from, to } in coverage.raw {
            let days = Days { from: from.unwrap_or(days.from), to: to.unwrap_or(days.to) };
            rows(&Piece::of(days, zone), &mut all)?;
        }
        if let Some(Tail { day, from, after_entry }) = coverage.tail {
            rows(&Piece { from, after_entry, ..Piece::of(Days { from: day, to: day }, zone) }, &mut all)?;
        }
    }
    if let Some((day, until)) = cut {
        rows(&Piece::up_to(day, until, zone), &mut all)?;
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
    let of_block = |block: &Coverage, tail: Option<Tail>| {
        let mut answer = T::default();
        if let Some(piece) = Piece::of_block(block, tail, zone) {
            rows(&piece, &mut answer)?;
        }
        Ok(answer)
    };
    over(c, cube, zone, period, question, of_block, &rows)
}
