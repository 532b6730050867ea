//! What advertising has cost beside what it has brought: cost of a lead, an order, a new customer, and what came back. In the
//! site's own currency; others are told and never added.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::super::shown;
use super::Wanted;
use crate::domain::conversion::ConversionKind;
use crate::domain::money::{Currency, Money};
use crate::domain::question::{ConversionFilter, Days};
use crate::domain::spend::{cost_of_one, return_percent};
use crate::domain::time::Day;
use crate::error::Result;
use crate::store::questions::overview::DayFigures;
use crate::store::questions::tables::{Spent, TableRow, WHOLE};
use crate::store::questions::visits::Origin;
use crate::store::scope::SiteConn;
use crate::store::sites::Site;
use crate::store::spend;

/// What was spent knows where it was spent and nothing else: neither a page nor a country, nor which sales it brought. Beside
/// a part of the sales the whole of the spend would be a cost that nobody had.
fn can_be_asked(filter: &ConversionFilter) -> bool {
    filter.asks_only_origins()
}

/// Puts beside each row what it has cost. Rows that have cost something and brought nothing are added. Where nothing was spent
/// on these days, nothing is said of it.
pub fn add(c: &SiteConn, site: &Site, days: Days, filter: &ConversionFilter, origins: &mut HashMap<Origin, TableRow>) -> Result<()> {
    if !can_be_asked(filter) {
        return Ok(());
    }
    let places = spend::by_place(c, days)?;
    if places.is_empty() {
        return Ok(());
    }
    origins.values_mut().for_each(|row| row.spent = Some(Spent::default()));
    for (place, moneys) in places {
        if filter.admits_visit(&place.0, &place.1, &place.2) {
            let spent = origins.entry(place).or_default().spent.get_or_insert_default();
            moneys.into_iter().for_each(|(currency, minor)| *spent.money.entry(currency).or_default() += minor);
        }
    }
    newcomers(c, site, days, filter, |_, place| {
        origins.entry(place).or_default().spent.get_or_insert_default().customers += 1;
    })
}

/// Whoever bought for the first time on these days, by where the books say it came from.
fn newcomers(c: &SiteConn, site: &Site, days: Days, filter: &ConversionFilter, mut on: impl FnMut(Day, Origin)) -> Result<()> {
    let (from, to) = days.span().times(&site.zone);
    spend::new_customers(c, from, to, |at, source, medium, campaign| {
        if filter.admits_visit(source, medium, campaign) {
            on(site.zone.day(at), (source.to_owned(), medium.to_owned(), campaign.to_owned()));
        }
    })
}

/// The figures of one row; nothing where spend is not known.
pub fn show(shown: &mut Value, row: &TableRow, site: &Site) {
    let Some(spent) = &row.spent else { return };
    let net = row.own.money.get(site.currency.code()).map_or(0, |m| m.net_minor());
    for (name, value) in figures(spent, (row.own.leads_e9, row.own.orders_e9), net, site) {
        shown[name.as_str()] = value;
    }
}

fn figures(spent: &Spent, (leads_e9, orders_e9): (i64, i64), net_minor: i64, site: &Site) -> Map<String, Value> {
    let own = own(spent, site);
    let cost = |parts: i64, whole: i64| shown::maybe_money(if own == 0 { None } else { cost_of_one(own, parts, whole, site.currency) });
    let mut shown = Map::new();
    shown.insert("spend".into(), shown::moneys(&moneys_of(&spent.money)));
    shown.insert("new_customers".into(), spent.customers.into());
    shown.insert("cost_per_lead".into(), cost(leads_e9, WHOLE));
    shown.insert("cost_per_order".into(), cost(orders_e9, WHOLE));
    shown.insert("cost_per_customer".into(), cost(spent.customers, 1));
    shown.insert("return_percent".into(), return_percent(net_minor, own).into());
    shown
}

/// In the site's own currency.
pub fn own(spent: &Spent, site: &Site) -> i64 {
    spent.money.get(site.currency.code()).copied().unwrap_or(0)
}

/// By day, for the chart.
#[derive(Default)]
pub struct ByDay {
    pub spent: BTreeMap<Day, Spent>,
    sum: Spent,
}

/// What all of it has cost on these days; none where nothing was spent.
pub fn by_day(c: &SiteConn, site: &Site, wanted: &Wanted, days: Days) -> Result<Option<ByDay>> {
    if !wanted.with_spend || !can_be_asked(&wanted.filter) {
        return Ok(None);
    }
    let found = spend::by_day(c, days, |source, medium, campaign| wanted.filter.admits_visit(source, medium, campaign))?;
    if found.is_empty() {
        return Ok(None);
    }
    let mut all = ByDay::default();
    for (day, moneys) in found {
        for (currency, minor) in moneys {
            *all.sum.money.entry(currency.clone()).or_default() += minor;
            *all.spent.entry(day).or_default().money.entry(currency).or_default() += minor;
        }
    }
    newcomers(c, site, days, &wanted.filter, |day, _| {
        all.sum.customers += 1;
        all.spent.entry(day).or_default().customers += 1;
    })?;
    Ok(Some(all))
}

/// Beside the headline figures.
pub fn headline(shown: &mut Map<String, Value>, all: Option<&ByDay>, h: &DayFigures, site: &Site) {
    let Some(all) = all else { return };
    let of = |kind: ConversionKind| h.of_kind(kind.word()).saturating_mul(WHOLE);
    let net = h.money.get(site.currency.code()).map_or(0, |m| m.net_minor());
    shown.extend(figures(&all.sum, (of(ConversionKind::Lead), of(ConversionKind::Sale)), net, site));
}

/// Beside each day.
pub fn days(shown: &mut Value, all: Option<&ByDay>) {
    let (Some(all), Some(items)) = (all, shown.as_array_mut()) else { return };
    let nothing = Spent::default();
    for item in items {
        let day = item["day"].as_str().and_then(Day::parse);
        let spent = day.and_then(|day| all.spent.get(&day)).unwrap_or(&nothing);
        item["spend"] = shown::moneys(&moneys_of(&spent.money));
        item["new_customers"] = spent.customers.into();
    }
}

fn moneys_of(all: &BTreeMap<String, i64>) -> Vec<Money> {
    all.iter().filter_map(|(code, minor)| Currency::parse(code).map(|currency| Money::new(*minor, currency))).collect()
}
