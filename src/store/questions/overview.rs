//! Day by day: visits, conversions and money of what a filter takes. The headline figures are the sums of these days.

use std::collections::BTreeMap;

use super::super::cube::{Coverage, Cube, Tail, Weighs};
use super::super::scope::SiteConn;
use super::answers::{Gathers, Piece, over, over_rows};
use super::money::{self, Moneys};
use super::sums::add_days;
use super::{visits, walk};
use crate::domain::attribution::MatchType;
use crate::domain::conversion::ConversionKind;
use crate::domain::question::{ConversionFilter, Days, Marks, Period};
use crate::domain::time::{Day, Zone};
use crate::error::Result;

#[derive(Debug, Clone, Default)]
pub struct DayFigures {
    pub visits: i64,
    /// Sales, leads, sign-ups and others, by the word of their kind.
    pub kinds: BTreeMap<String, i64>,
    pub attributed: i64,
    pub days_sum: i64,
    /// Conversions whose days to convert are known.
    pub days_count: i64,
    pub money: Moneys,
    /// All sales of each currency: what an average order is an average of.
    pub sales: BTreeMap<String, i64>,
}

impl DayFigures {
    pub fn conversions(&self) -> i64 {
        self.kinds.values().sum()
    }

    pub fn of_kind(&self, kind: &str) -> i64 {
        self.kinds.get(kind).copied().unwrap_or(0)
    }

    pub fn add(&mut self, other: &Self) {
        self.visits += other.visits;
        for (kind, n) in &other.kinds {
            *self.kinds.entry(kind.clone()).or_default() += n;
        }
        self.attributed += other.attributed;
        self.days_sum += other.days_sum;
        self.days_count += other.days_count;
        money::add_all(&mut self.money, &other.money);
        for (currency, n) in &other.sales {
            *self.sales.entry(currency.clone()).or_default() += n;
        }
    }

    fn count(&mut self, marks: &Marks, n: i64, days: (i64, i64)) {
        add(&mut self.kinds, marks.kind, n);
        if marks.kind == ConversionKind::Sale.word() {
            add(&mut self.sales, marks.currency, n);
        }
        if marks.match_type != MatchType::None.word() {
            self.attributed += n;
        }
        self.days_sum += days.0;
        self.days_count += days.1;
    }
}

fn add(all: &mut BTreeMap<String, i64>, name: &str, n: i64) {
    match all.get_mut(name) {
        Some(known) => *known += n,
        None => drop(all.insert(name.to_owned(), n)),
    }
}

/// Every day of the period, also those on which nothing happened.
pub fn by_day(c: &SiteConn, zone: &Zone, period: Period, filter: &ConversionFilter) -> Result<BTreeMap<Day, DayFigures>> {
    let mut all = conversions(c, zone, period, filter)?.0;
    for day in period.days.each() {
        all.entry(day).or_default();
    }
    let visits = match filter.is_open_to_visits() {
        true => visits::by_day(c, zone, period)?,
        false => visits::sums(c, zone, period, filter, walk::Detail::None)?.days,
    };
    for (day, n) in visits {
        all.entry(day).or_default().visits = n;
    }
    let moneys = match filter.is_open() {
        true => money::by_day(c, zone, period)?,
        false => money::by_day_of(c, zone, period, filter)?,
    };
    for (day, moneys) in moneys {
        all.entry(day).or_default().money = moneys;
    }
    Ok(all)
}

/// Of each day that has any: its conversions, and how many of them have a source. Neither visits nor money.
pub(super) fn conversions_by_day(
    c: &SiteConn,
    zone: &Zone,
    period: Period,
    filter: &ConversionFilter,
) -> Result<BTreeMap<Day, DayFigures>> {
    Ok(conversions(c, zone, period, filter)?.0)
}

/// The sum of all the days.
pub fn headline(days: &BTreeMap<Day, DayFigures>) -> DayFigures {
    let mut sum = DayFigures::default();
    days.values().for_each(|day| sum.add(day));
    sum
}

#[derive(Default)]
struct Counted(BTreeMap<Day, DayFigures>);

impl Gathers for Counted {
    fn merge(&mut self, other: &Self) {
        for (day, figures) in &other.0 {
            self.0.entry(*day).or_default().add(figures);
        }
    }
}

impl Weighs for Counted {
    fn bytes(&self) -> usize {
        self.0.len() * 900
    }
}

/// The first days on which a filter takes a visit, and a conversion.
pub fn first_days(c: &SiteConn, zone: &Zone, days: Days, filter: &ConversionFilter) -> Result<(Option<Day>, Option<Day>)> {
    let period = Period::whole(days);
    let visits = visits::sums(c, zone, period, filter, walk::Detail::None)?.days;
    let conversions = conversions(c, zone, period, filter)?.0;
    Ok((visits.keys().min().copied(), conversions.iter().find(|(_, f)| f.conversions() > 0).map(|(day, _)| *day)))
}

fn conversions(c: &SiteConn, zone: &Zone, period: Period, filter: &ConversionFilter) -> Result<Counted> {
    let question = format!("figures by day {filter:?} {}", walk::newest_told(c, filter)?);
    let rows = |piece: &Piece, all: &mut Counted| {
        walk::conversions(c, zone, piece, filter, |day, w| {
            let days = (w.days_to_convert.unwrap_or(0), i64::from(w.days_to_convert.is_some()));
            all.0.entry(day).or_default().count(&w.marks, 1, days);
            Ok(())
        })
    };
    if !filter.is_of_counts() {
        return over_rows(c, Cube::Conversions, zone, period, &question, rows);
    }
    let counted = |block: &Coverage, _: Option<Tail>| {
        let mut all = Counted::default();
        add_days(c, block, |day, marks, is_counted, sums| {
            if is_counted && filter.admits(marks) {
                let days = (sums.days_sum, sums.days_count);
                all.0.entry(day).or_default().count(marks, sums.count, days);
            }
        })?;
        Ok(all)
    };
    over(c, Cube::Conversions, zone, period, &question, counted, rows)
}
