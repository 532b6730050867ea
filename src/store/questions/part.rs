//! The same figures for who is shown only a part of the site: worked out from what is counted by origin, so that visits,
//! conversions and money of the part agree.

use std::collections::{BTreeMap, HashMap};

use super::super::scope::SiteConn;
use super::money::{self, Moneys};
use super::overview::{self, DayFigures, Headline, OriginFigures};
use super::sums::tally_with_days;
use super::visits::Origin;
use crate::domain::conversion::ConversionKind;
use crate::domain::question::{ConversionFilter, Days};
use crate::domain::sight::Sight;
use crate::domain::time::{Day, Zone};
use crate::error::Result;

pub fn headline(c: &SiteConn, zone: &Zone, days: Days, sight: &Sight) -> Result<Headline> {
    if sight.segment.is_open() {
        return overview::headline(c, zone, days);
    }
    let (visits, money) = summed(&by_origin(c, zone, days, sight)?);
    let filter = ConversionFilter::default().within(sight);
    Ok(Headline { visits, money, tally: tally_with_days(c, zone, days.span(), &filter)? })
}

/// Every day of the span, also those on which nothing happened.
pub fn by_day(c: &SiteConn, zone: &Zone, days: Days, sight: &Sight) -> Result<BTreeMap<Day, DayFigures>> {
    if sight.segment.is_open() {
        return overview::by_day(c, zone, days);
    }
    let mut all = BTreeMap::new();
    for day in days.each() {
        let one = headline(c, zone, Days { from: day, to: day }, sight)?;
        let kinds = ConversionKind::ALL.map(|kind| (kind.word().to_owned(), one.tally.of_kind(kind.word())));
        let figures = DayFigures {
            visits: one.visits,
            kinds: kinds.into_iter().filter(|(_, n)| *n > 0).collect(),
            attributed: one.tally.attributed,
            money: one.money,
        };
        all.insert(day, figures);
    }
    Ok(all)
}

/// By credited origin in the books' own lens.
pub fn by_origin(c: &SiteConn, zone: &Zone, days: Days, sight: &Sight) -> Result<HashMap<Origin, OriginFigures>> {
    let mut all = overview::by_origin(c, zone, days)?;
    if let Some(filter) = sight.segment.filter() {
        all.retain(|(source, medium, campaign), _| filter.admits_origin(source, medium, campaign));
    }
    Ok(all)
}

fn summed(all: &HashMap<Origin, OriginFigures>) -> (i64, Moneys) {
    let mut sum = (0, Moneys::new());
    for figures in all.values() {
        sum.0 += figures.visits;
        for (currency, flow) in &figures.money {
            money::of(&mut sum.1, currency).add_all(flow);
        }
    }
    sum
}
