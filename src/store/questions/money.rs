//! The money of a span by the days it is booked on: sales, and what went back. Of conversions that count.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Row, named_params};

use super::super::cube::{self, Coverage, Cube};
use super::super::scope::SiteConn;
use super::visits::Origin;
use super::word;
use crate::domain::question::Days;
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

pub fn by_day(c: &SiteConn, zone: &Zone, days: Days) -> Result<BTreeMap<Day, Moneys>> {
    fn add(all: &mut BTreeMap<Day, Moneys>, b: &Booked) {
        of(all.entry(b.day).or_default(), b.currency).add(b.kind, b.amount_minor);
    }
    let coverage = cube::coverage(c, Cube::Entries, zone, days.span())?;
    let counted = cube::remembered(c, Cube::Entries, &coverage, "by day", |block| {
        let mut all = BTreeMap::new();
        each_counted(c, block, |b| add(&mut all, b))?;
        Ok(all)
    })?;
    let mut all: BTreeMap<Day, Moneys> = counted.iter().flat_map(|block| block.iter().map(|(day, m)| (*day, m.clone()))).collect();
    each_raw(c, &coverage, days, |b| add(&mut all, b))?;
    Ok(all)
}

/// By the origin that is credited now.
pub fn by_origin(c: &SiteConn, zone: &Zone, days: Days) -> Result<HashMap<Origin, Moneys>> {
    fn add(all: &mut HashMap<Origin, Moneys>, b: &Booked) {
        let origin = (b.source.to_owned(), b.medium.to_owned(), b.campaign.to_owned());
        of(all.entry(origin).or_default(), b.currency).add(b.kind, b.amount_minor);
    }
    let coverage = cube::coverage(c, Cube::Entries, zone, days.span())?;
    let counted = cube::remembered(c, Cube::Entries, &coverage, "by origin", |block| {
        let mut all = HashMap::new();
        each_counted(c, block, |b| add(&mut all, b))?;
        Ok(all)
    })?;
    let mut all: HashMap<Origin, Moneys> = HashMap::new();
    for (origin, moneys) in counted.iter().flat_map(|block| block.iter()) {
        for (currency, flow) in moneys {
            of(all.entry(origin.clone()).or_default(), currency).add_all(flow);
        }
    }
    each_raw(c, &coverage, days, |b| add(&mut all, b))?;
    Ok(all)
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

fn each_raw(c: &SiteConn, coverage: &Coverage, days: Days, mut on: impl FnMut(&Booked)) -> Result<()> {
    for span in &coverage.raw {
        let (from, to) = (span.from.unwrap_or(days.from), span.to.unwrap_or(days.to));
        c.scan(
            "select e.book_day, e.kind, e.currency, c.source, c.medium, c.campaign, e.amount_minor
             from entries e join conversions c on c.site_id = e.site_id and c.id = e.conversion_id
             where e.site_id = :site and e.book_day between :from and :to and c.counts = 1",
            named_params! {":from": from.0, ":to": to.0},
            |row| {
                on(&read(row)?);
                Ok(true)
            },
        )?;
    }
    let Some(tail) = coverage.tail else { return Ok(()) };
    c.scan(
        "select e.book_day, e.kind, e.currency, c.source, c.medium, c.campaign, e.amount_minor
         from entries e join conversions c on c.site_id = e.site_id and c.id = e.conversion_id
         where e.site_id = :site and e.book_day = :day and e.id > :after and c.counts = 1",
        named_params! {":day": tail.day.0, ":after": tail.after_entry},
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
