//! What advertising has cost beside what it has brought: cost of a lead, an order, a new customer, and what came back. Against what
//! was spent in a currency stand only the sales and first sales in it. The figures are of the site's own currency; what was spent or
//! sold in others stands beside them, each by itself, and is never added.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use super::super::shown;
use super::Wanted;
use crate::domain::conversion::ConversionKind;
use crate::domain::money::{Currency, Money};
use crate::domain::question::{ConversionFilter, Days};
use crate::domain::spend::{cost_of_one, return_percent};
use crate::domain::time::Day;
use crate::error::Result;
use crate::store::questions::money::Moneys;
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
    newcomers(c, site, days, filter, |_, place, currency| {
        origins.entry(place).or_default().spent.get_or_insert_default().count(currency);
    })
}

/// Whoever bought for the first time on these days, by where the books say it came from.
fn newcomers(c: &SiteConn, site: &Site, days: Days, filter: &ConversionFilter, mut on: impl FnMut(Day, Origin, &str)) -> Result<()> {
    let (from, to) = days.span().times(&site.zone);
    spend::new_customers(c, from, to, |at, source, medium, campaign, currency| {
        if filter.admits_visit(source, medium, campaign) {
            on(site.zone.day(at), (source.to_owned(), medium.to_owned(), campaign.to_owned()), currency);
        }
    })
}

/// The figures of one row; nothing where spend is not known.
pub fn show(shown: &mut Value, row: &TableRow, site: &Site) {
    let Some(spent) = &row.spent else { return };
    let brought = Brought { leads_e9: row.own.leads_e9, orders_in: &row.own.orders_in, money: &row.own.money };
    for (name, value) in figures(spent, &brought, site) {
        shown[name.as_str()] = value;
    }
}

/// What stands against the spend.
struct Brought<'a> {
    leads_e9: i64,
    /// Sales by the currency in which they were paid.
    orders_in: &'a BTreeMap<String, i64>,
    money: &'a Moneys,
}

/// What was spent in one currency, and what came of it in the same.
struct InOne {
    currency: Currency,
    spent: i64,
    orders_e9: i64,
    customers: i64,
    net: i64,
}

impl InOne {
    fn of(currency: Currency, spent: &Spent, brought: &Brought, site: &Site) -> Self {
        Self {
            currency,
            spent: spent.money.get(currency.code()).copied().unwrap_or(0),
            orders_e9: in_currency(brought.orders_in, currency, site),
            customers: in_currency(&spent.customers, currency, site),
            net: brought.money.get(currency.code()).map_or(0, |m| m.net_minor()),
        }
    }

    fn is_nothing(&self) -> bool {
        (self.spent, self.orders_e9, self.customers, self.net) == (0, 0, 0, 0)
    }

    fn cost(&self, parts: i64, whole: i64) -> Value {
        shown::maybe_money(if self.spent == 0 { None } else { cost_of_one(self.spent, parts, whole, self.currency) })
    }

    fn shown(&self, leads_e9: i64) -> Value {
        json!({
            "currency": self.currency.code(),
            "spend": shown::money(Money::new(self.spent, self.currency)),
            "orders": self.orders_e9 as f64 / WHOLE as f64,
            "new_customers": self.customers,
            "net": shown::money(Money::new(self.net, self.currency)),
            "cost_per_lead": self.cost(leads_e9, WHOLE),
            "cost_per_order": self.cost(self.orders_e9, WHOLE),
            "cost_per_customer": self.cost(self.customers, 1),
            "return_percent": return_percent(self.net, self.spent),
        })
    }
}

/// Of the sales in a currency. One that was told without an amount has none: it stands with the site's own.
pub fn in_currency(all: &BTreeMap<String, i64>, currency: Currency, site: &Site) -> i64 {
    let of = |code: &str| all.get(code).copied().unwrap_or(0);
    of(currency.code()) + if currency == site.currency { of("") } else { 0 }
}

fn figures(spent: &Spent, brought: &Brought, site: &Site) -> Map<String, Value> {
    let own = InOne::of(site.currency, spent, brought, site);
    let mut codes: Vec<&String> = spent.money.keys().chain(brought.orders_in.keys()).chain(spent.customers.keys()).collect();
    codes.extend(brought.money.keys());
    codes.sort();
    codes.dedup();
    let others = codes.into_iter().filter_map(|code| Currency::parse(code)).filter(|currency| *currency != site.currency);
    let others = others.map(|currency| InOne::of(currency, spent, brought, site)).filter(|one| !one.is_nothing());
    let mut shown = Map::new();
    shown.insert("spend".into(), shown::moneys(&moneys_of(&spent.money)));
    shown.insert("new_customers".into(), spent.customers().into());
    shown.insert("new_customers_own".into(), own.customers.into());
    shown.insert("cost_per_lead".into(), own.cost(brought.leads_e9, WHOLE));
    shown.insert("cost_per_order".into(), own.cost(own.orders_e9, WHOLE));
    shown.insert("cost_per_customer".into(), own.cost(own.customers, 1));
    shown.insert("return_percent".into(), return_percent(own.net, own.spent).into());
    shown.insert("other_currencies".into(), others.map(|one| one.shown(brought.leads_e9)).collect());
    shown
}

/// In the site's own currency.
pub fn own(spent: &Spent, site: &Site) -> i64 {
    spent_in(spent, site.currency)
}

pub fn spent_in(spent: &Spent, currency: Currency) -> i64 {
    spent.money.get(currency.code()).copied().unwrap_or(0)
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
    newcomers(c, site, days, &wanted.filter, |day, _, currency| {
        all.sum.count(currency);
        all.spent.entry(day).or_default().count(currency);
    })?;
    Ok(Some(all))
}

/// Beside the headline figures.
pub fn headline(shown: &mut Map<String, Value>, all: Option<&ByDay>, h: &DayFigures, site: &Site) {
    let Some(all) = all else { return };
    let leads_e9 = h.of_kind(ConversionKind::Lead.word()).saturating_mul(WHOLE);
    let orders_in = h.sales.iter().map(|(currency, n)| (currency.clone(), n.saturating_mul(WHOLE))).collect();
    shown.extend(figures(&all.sum, &Brought { leads_e9, orders_in: &orders_in, money: &h.money }, site));
}

/// Beside each day.
pub fn days(shown: &mut Value, all: Option<&ByDay>, site: &Site) {
    let (Some(all), Some(items)) = (all, shown.as_array_mut()) else { return };
    let nothing = Spent::default();
    for item in items {
        let day = item["day"].as_str().and_then(Day::parse);
        let spent = day.and_then(|day| all.spent.get(&day)).unwrap_or(&nothing);
        item["spend"] = shown::moneys(&moneys_of(&spent.money));
        item["new_customers"] = spent.customers().into();
        item["new_customers_own"] = in_currency(&spent.customers, site.currency, site).into();
    }
}

fn moneys_of(all: &BTreeMap<String, i64>) -> Vec<Money> {
    all.iter().filter_map(|(code, minor)| Currency::parse(code).map(|currency| Money::new(*minor, currency))).collect()
}
