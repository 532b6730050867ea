//! The money of a span by the days it is booked on: sales, and what went back. Of conversions that count.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use rusqlite::{Row, named_params};

use super::super::cube::{Coverage, Cube, Tail, Weighs};
use super::super::scope::SiteConn;
use super::answers::{Gathers, Piece, over, over_rows};
use super::visits::Origin;
use super::{walk, word};
use crate::domain::question::{ConversionFilter, Period};
use crate::domain::time::{Day, Zone};
use crate::error::Result;

/// What was sold, corrections of it included, and what went back (negative).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Flow {
    pub sold_minor: i64,
    pub back_minor: i64,
}

impl Flow {
    pub fn add(&mut self, kind: &str, minor: i64) {
        let sum = if matches!(kind, "sale" | "adjustment") { &mut self.sold_minor } else { &mut self.back_minor };
        *sum = sum.saturating_add(minor);
    }

    pub fn add_all(&mut self, other: &Flow) {
        self.sold_minor = self.sold_minor.saturating_add(other.sold_minor);
        self.back_minor = self.back_minor.saturating_add(other.back_minor);
    }

    pub fn net_minor(&self) -> i64 {
        self.sold_minor.saturating_add(self.back_minor)
    }
}

/// By currency code; currencies are never added.
pub type Moneys = BTreeMap<String, Flow>;

/// The flow of a currency, made if there is none.
pub fn of<'m>(all: &'m mut Moneys, currency: &str) -> &'m mut Flow {
    if !all.contains_key(currency) {
        all.insert(currency.to_owned(), Flow::default());
    }
    all.get_mut(currency).unwrap_or_else(|| unreachable!("it was put there above"))
}

/// Entries that have a day, a kind, a currency and a credited origin in common. Empty words stand for "none".
struct Booked<'r> {
    day: Day,
    kind: &'r str,
    currency: &'r str,
    source: &'r str,
    medium: &'r str,
    campaign: &'r str,
    amount_minor: i64,
}

/// Sums of all currencies, by whatever they are named.
#[derive(Debug)]
struct By<K>(HashMap<K, Moneys>);

impl<K> Default for By<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Clone + Eq + Hash + Send + Sync + 'static> Gathers for By<K> {
    fn merge(&mut self, other: &Self) {
        for (key, moneys) in &other.0 {
            match self.0.get_mut(key) {
                Some(known) => add_all(known, moneys),
                None => drop(self.0.insert(key.clone(), moneys.clone())),
            }
        }
    }
}

impl<K> Weighs for By<K> {
    fn bytes(&self) -> usize {
        self.0.values().map(|m| size(m) + 120).sum()
    }
}

/// Bytes of sums, roughly.
pub(super) fn size(moneys: &Moneys) -> usize {
    moneys.len().min(1) * 460 + moneys.len() * 32
}

/// Each currency to its own.
pub fn add_all(sum: &mut Moneys, more: &Moneys) {
    for (currency, flow) in more {
        of(sum, currency).add_all(flow);
    }
}

/// All money of each day.
pub fn by_day(c: &SiteConn, zone: &Zone, period: Period) -> Result<BTreeMap<Day, Moneys>> {
    fn add(all: &mut By<Day>, b: &Booked) {
        of(all.0.entry(b.day).or_default(), b.currency).add(b.kind, b.amount_minor);
    }
    let counted = |block: &Coverage, _: Option<Tail>| {
        let mut all = By::default();
        each_counted(c, block, |b| add(&mut all, b))?;
        Ok(all)
    };
    let rows = |piece: &Piece, all: &mut By<Day>| each_row(c, piece, |b| add(all, b));
    Ok(over(c, Cube::Entries, zone, period, "by day", counted, rows)?.0.into_iter().collect())
}

/// The money of each day that a filter takes.
pub fn by_day_of(c: &SiteConn, zone: &Zone, period: Period, filter: &ConversionFilter) -> Result<BTreeMap<Day, Moneys>> {
    let rows = |piece: &Piece, all: &mut By<Day>| {
        walk::entries(c, piece, filter, |b, _, _| {
            of(all.0.entry(b.day).or_default(), b.currency).add(b.kind, b.amount_minor);
            Ok(())
        })
    };
    let question = format!("by day {filter:?} {}", walk::newest_told(c, filter)?);
    Ok(over_rows(c, Cube::Entries, zone, period, &question, rows)?.0.into_iter().collect())
}

/// All money by the origin that is credited now.
pub fn by_origin(c: &SiteConn, zone: &Zone, period: Period) -> Result<HashMap<Origin, Moneys>> {
    fn add(all: &mut By<Origin>, b: &Booked) {
        let origin = (b.source.to_owned(), b.medium.to_owned(), b.campaign.to_owned());
        of(all.0.entry(origin).or_default(), b.currency).add(b.kind, b.amount_minor);
    }
    let counted = |block: &Coverage, _: Option<Tail>| {
        let mut all = By::default();
        each_counted(c, block, |b| add(&mut all, b))?;
        Ok(all)
    };
    let rows = |piece: &Piece, all: &mut By<Origin>| each_row(c, piece, |b| add(all, b));
    Ok(over(c, Cube::Entries, zone, period, "by origin", counted, rows)?.0)
}

fn each_counted(c: &SiteConn, coverage: &Coverage, mut on: impl FnMut(&Booked)) -> Result<()> {
    let Some(counted) = coverage.counted else { return Ok(()) };
    c.scan(
        "select day, kind, currency, source, medium, campaign, amount_minor from entry_days
         where site_id = :site and day between :from and :to",
        named_params! {":from": counted.from.0, ":to": counted.to.0},
        |row| {
            let booked = read(row)?;
            if !coverage.dirty.contains(&booked.day) {
                on(&booked);
            }
            Ok(true)
        },
    )
}

fn each_row(c: &SiteConn, piece: &Piece, mut on: impl FnMut(&Booked)) -> Result<()> {
    c.scan(
        "select e.book_day, e.kind, e.currency, c.source, c.medium, c.campaign, e.amount_minor
         from entries e join conversions c on c.site_id = e.site_id and c.id = e.conversion_id
         where e.site_id = :site and e.book_day between :from and :to and e.happened_at < :until and e.id > :after and c.counts = 1",
        named_params! {":from": piece.days.from.0, ":to": piece.days.to.0, ":until": piece.until.ms(), ":after": piece.after_entry},
        |row| {
            on(&read(row)?);
            Ok(true)
        },
    )
}

fn read<'r>(row: &'r Row) -> rusqlite::Result<Booked<'r>> {
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
