//! The headline figures of some days, day by day, and by where they came from.

use std::collections::{BTreeMap, HashMap};

use rusqlite::named_params;

use super::super::cube::{self, Cube};
use super::super::scope::SiteConn;
use super::money::{self, Moneys};
use super::sums::{add_days, tally_with_days};
use super::visits;
use super::visits::Origin;
use crate::domain::attribution::{PathTouch, shares, weights};
use crate::domain::money::{Currency, Money};
use crate::domain::question::{ConversionFilter, Days, Lens, Tally};
use crate::domain::time::{Day, Time, Zone};
use crate::error::{Error, Result};

#[derive(Debug, Default)]
pub struct Headline {
    pub visits: i64,
    pub tally: Tally,
    pub money: Moneys,
}

#[derive(Debug, Clone, Default)]
pub struct DayFigures {
    pub visits: i64,
    /// Sales, leads, sign-ups and others, by the word of their kind.
    pub kinds: BTreeMap<String, i64>,
    pub attributed: i64,
    pub money: Moneys,
}

pub fn headline(c: &SiteConn, zone: &Zone, days: Days) -> Result<Headline> {
    let mut moneys = Moneys::new();
    for (currency, flow) in money::by_day(c, zone, days)?.into_values().flatten() {
        money::of(&mut moneys, &currency).add_all(&flow);
    }
    Ok(Headline {
        visits: visits::by_day(c, zone, days)?.values().sum(),
        tally: tally_with_days(c, zone, days.span(), &ConversionFilter::default())?,
        money: moneys,
    })
}

/// Every day of the span, also those on which nothing happened.
pub fn by_day(c: &SiteConn, zone: &Zone, days: Days) -> Result<BTreeMap<Day, DayFigures>> {
    let mut all = kinds_by_day(c, zone, days)?;
    for day in days.each() {
        all.entry(day).or_default();
    }
    for (day, n) in visits::by_day(c, zone, days)? {
        all.entry(day).or_default().visits = n;
    }
    for (day, moneys) in money::by_day(c, zone, days)? {
        all.entry(day).or_default().money = moneys;
    }
    Ok(all)
}

fn kinds_by_day(c: &SiteConn, zone: &Zone, days: Days) -> Result<BTreeMap<Day, DayFigures>> {
    fn add(all: &mut BTreeMap<Day, DayFigures>, day: Day, kind: &str, match_type: &str, n: i64) {
        let figures = all.entry(day).or_default();
        match figures.kinds.get_mut(kind) {
            Some(known) => *known += n,
            None => drop(figures.kinds.insert(kind.to_owned(), n)),
        }
        if match_type != "none" {
            figures.attributed += n;
        }
    }
    let coverage = cube::coverage(c, Cube::Conversions, zone, days.span())?;
    let counted = cube::remembered(c, Cube::Conversions, &coverage, "by day", |block| {
        let mut all = BTreeMap::new();
        add_days(c, block, |day, marks, is_counted, sums| {
            if is_counted {
                add(&mut all, day, marks.kind, marks.match_type, sums.count);
            }
        })?;
        Ok(all)
    })?;
    let mut all: BTreeMap<Day, DayFigures> = counted.iter().flat_map(|block| block.iter().map(|(day, f)| (*day, f.clone()))).collect();
    for (from, to) in coverage.times(zone) {
        c.scan(
            "select happened_at, kind, match_type from conversions
             where site_id = :site and happened_at >= :from and happened_at < :to and counts = 1",
            named_params! {":from": from.ms(), ":to": to.ms()},
            |row| {
                add(&mut all, zone.day(Time::from_ms(row.get(0)?)), super::word(row, 1)?, super::word(row, 2)?, 1);
                Ok(true)
            },
        )?;
    }
    Ok(all)
}

/// What one origin earned. Conversions in billionths: a lens may share one among several.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OriginFigures {
    pub visits: i64,
    pub conversions_e9: i64,
    pub money: Moneys,
}

/// By credited origin in the books' own lens. An empty source is what nothing is credited with.
pub fn by_origin(c: &SiteConn, zone: &Zone, days: Days) -> Result<HashMap<Origin, OriginFigures>> {
    let mut all = of_visits(c, zone, days)?;
    for (origin, moneys) in money::by_origin(c, zone, days)? {
        all.entry(origin).or_default().money = moneys;
    }
    for (origin, n) in conversions_by_origin(c, zone, days)? {
        all.entry(origin).or_default().conversions_e9 = n * WHOLE;
    }
    Ok(all)
}

fn conversions_by_origin(c: &SiteConn, zone: &Zone, days: Days) -> Result<HashMap<Origin, i64>> {
    fn add(all: &mut HashMap<Origin, i64>, source: &str, medium: &str, campaign: &str, n: i64) {
        *all.entry((source.to_owned(), medium.to_owned(), campaign.to_owned())).or_default() += n;
    }
    let coverage = cube::coverage(c, Cube::Conversions, zone, days.span())?;
    let counted = cube::remembered(c, Cube::Conversions, &coverage, "by origin", |block| {
        let mut all = HashMap::new();
        add_days(c, block, |_, marks, is_counted, sums| {
            if is_counted {
                add(&mut all, marks.source, marks.medium, marks.campaign, sums.count);
            }
        })?;
        Ok(all)
    })?;
    let mut all: HashMap<Origin, i64> = HashMap::new();
    for (origin, count) in counted.iter().flat_map(|block| block.iter()) {
        visits::add(&mut all, origin, *count);
    }
    for (from, to) in coverage.times(zone) {
        c.scan(
            "select source, medium, campaign from conversions
             where site_id = :site and happened_at >= :from and happened_at < :to and counts = 1",
            named_params! {":from": from.ms(), ":to": to.ms()},
            |row| {
                add(&mut all, super::word(row, 0)?, super::word(row, 1)?, super::word(row, 2)?, 1);
                Ok(true)
            },
        )?;
    }
    Ok(all)
}

/// Billionths of one conversion.
pub const WHOLE: i64 = 1_000_000_000;

fn of_visits(c: &SiteConn, zone: &Zone, days: Days) -> Result<HashMap<Origin, OriginFigures>> {
    let visits = visits::by_origin(c, zone, days)?;
    Ok(visits.into_iter().map(|(origin, n)| (origin, OriginFigures { visits: n, ..OriginFigures::default() })).collect())
}

/// The same through any lens, worked out from every stored path: a question for shops, not for a year of a large one.
pub fn by_origin_through(c: &SiteConn, zone: &Zone, days: Days, lens: Lens) -> Result<HashMap<Origin, OriginFigures>> {
    let mut all = of_visits(c, zone, days)?;
    let mut broken: Option<Error> = None;
    let (from, to) = days.span().times(zone);
    c.scan(
        "select c.source, c.medium, c.campaign, c.happened_at, k.path, c.kind
         from conversions c left join credits k on k.site_id = c.site_id and k.conversion_id = c.id and k.run = c.run
         where c.site_id = :site and c.happened_at >= :from and c.happened_at < :to and c.counts = 1",
        named_params! {":from": from.ms(), ":to": to.ms()},
        |row| {
            let credited = match Credited::read(row, lens) {
                Ok(credited) => credited,
                Err(e) => return stop(&mut broken, e),
            };
            for (origin, share) in credited.parts() {
                all.entry(origin).or_default().conversions_e9 += share;
            }
            Ok(true)
        },
    )?;
    c.scan(
        "select c.source, c.medium, c.campaign, c.happened_at, k.path, c.kind, e.kind, e.currency, e.amount_minor
         from entries e
         join conversions c on c.site_id = e.site_id and c.id = e.conversion_id
         left join credits k on k.site_id = c.site_id and k.conversion_id = c.id and k.run = c.run
         where e.site_id = :site and e.book_day between :from and :to and c.counts = 1",
        named_params! {":from": days.from.0, ":to": days.to.0},
        |row| {
            let credited = match Credited::read(row, lens) {
                Ok(credited) => credited,
                Err(e) => return stop(&mut broken, e),
            };
            let (kind, code, minor) = (super::word(row, 6)?, super::word(row, 7)?, row.get(8)?);
            let Some(currency) = Currency::parse(code) else { return Ok(true) };
            for (origin, part) in credited.split(Money::new(minor, currency)) {
                money::of(&mut all.entry(origin).or_default().money, code).add(kind, part.minor);
            }
            Ok(true)
        },
    )?;
    broken.map_or(Ok(all), Err)
}

fn stop(broken: &mut Option<Error>, e: Error) -> rusqlite::Result<bool> {
    *broken = Some(e);
    Ok(false)
}

/// Who is credited through a lens: touches with weights, or the one word that the conversion states itself.
struct Credited {
    path: Vec<PathTouch>,
    weights: Vec<u64>,
    stated: Origin,
}

impl Credited {
    /// Source, medium, campaign, time, path and kind stand in the first six columns.
    fn read(row: &rusqlite::Row, lens: Lens) -> Result<Self> {
        let sql = super::super::scope::sql_error;
        let text = |place| super::word(row, place).map(str::to_owned).map_err(sql);
        let happened_at = Time::from_ms(row.get(3).map_err(sql)?);
        let path = super::word(row, 4).map_err(sql)?;
        let path: Vec<PathTouch> = if path.is_empty() { Vec::new() } else { serde_json::from_str(path).map_err(Error::internal)? };
        let weights = weights(lens.model, &path, happened_at, lens.window_of(super::word(row, 5).map_err(sql)?).days());
        let stated = if path.is_empty() { (text(0)?, text(1)?, text(2)?) } else { Origin::default() };
        Ok(Self { path, weights, stated })
    }

    fn parts(self) -> Vec<(Origin, i64)> {
        if self.weights.iter().all(|w| *w == 0) {
            return vec![(self.stated, WHOLE)];
        }
        let shares = shares(&self.weights);
        self.path.into_iter().zip(shares).filter(|(_, s)| *s > 0).map(|(p, s)| (origin(p), s as i64)).collect()
    }

    fn split(self, amount: Money) -> Vec<(Origin, Money)> {
        if self.weights.iter().all(|w| *w == 0) {
            return vec![(self.stated, amount)];
        }
        let parts = amount.split(&self.weights);
        self.path.into_iter().zip(parts).filter(|(_, m)| m.minor != 0).map(|(p, m)| (origin(p), m)).collect()
    }
}

fn origin(touch: PathTouch) -> Origin {
    (touch.touch.source, touch.touch.medium, touch.touch.campaign.unwrap_or_default())
}
