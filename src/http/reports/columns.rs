//! Columns of a table's file: those that are shown, in their order, or all.

use std::collections::BTreeSet;

use super::super::ask::Ask;
use super::super::exports::Cell;
use super::spent;
use crate::domain::money::{Currency, Money};
use crate::domain::question::Asked;
use crate::domain::spend::{cost_of_one, return_percent};
use crate::error::{Error, Result};
use crate::store::questions::money::{Flow, Moneys};
use crate::store::questions::tables::{Spent, TableRow, WHOLE};
use crate::store::sites::Site;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Visits,
    Leads,
    Orders,
    Conversions,
    Rate,
    Sold,
    Back,
    Net,
    First,
    Last,
    Balance,
    Spend,
    NewCustomers,
    CostPerLead,
    CostPerOrder,
    CostPerCustomer,
    Return,
}

use Column::*;

const NAMED: [(&str, Column); 17] = [
    ("visits", Visits),
    ("leads", Leads),
    ("orders", Orders),
    ("conversions", Conversions),
    ("rate", Rate),
    ("sold", Sold),
    ("back", Back),
    ("net", Net),
    ("first", First),
    ("last", Last),
    ("balance", Balance),
    ("spend", Spend),
    ("new_customers", NewCustomers),
    ("cost_per_lead", CostPerLead),
    ("cost_per_order", CostPerOrder),
    ("cost_per_customer", CostPerCustomer),
    ("return", Return),
];

/// What a file has where nobody says which columns are shown.
pub const ALL: &[Column] = &[Visits, Conversions, Leads, Orders, Sold, Back, Net, First, Last];
/// Where somebody was earns nothing: there is no first and last beside it.
pub const WITHOUT_ENDS: &[Column] = &[Visits, Conversions, Leads, Orders, Sold, Back, Net];

/// The columns of a file and the one that its rows are sorted by.
#[derive(Debug, Clone)]
pub struct Shown {
    columns: Vec<Column>,
    sort: Option<Column>,
}

impl Shown {
    pub fn read(ask: &Ask, unsaid: &[Column]) -> Result<Self> {
        let named = |name: &str, word: &str| {
            NAMED.iter().find(|(n, _)| *n == word).map(|(_, column)| *column).ok_or_else(|| {
                let all: Vec<&str> = NAMED.iter().map(|(n, _)| *n).collect();
                Error::parameter(name, format!("{name} names columns: {}.", all.join(", ")))
            })
        };
        let asked = Asked(&ask.query);
        let columns = match asked.one("columns") {
            None => unsaid.to_vec(),
            Some(text) => text.split(',').map(|word| named("columns", word)).collect::<Result<_>>()?,
        };
        Ok(Self { columns, sort: asked.one("sort").map(|word| named("sort", word)).transpose()? })
    }

    /// `is_compared`: behind the columns stand those of them that the time before has too.
    pub fn head(&self, names: &[&'static str], is_compared: bool) -> Vec<&'static str> {
        let mut head = names.to_vec();
        for column in &self.columns {
            head.extend_from_slice(match column {
                Visits => &["visits"],
                Leads => &["leads"],
                Orders => &["orders"],
                Conversions => &["conversions"],
                Rate => &["conversion_rate"],
                Sold => &["sold"],
                Back => &["back"],
                Net => &["net"],
                First => &["first_touch_conversions", "first_touch_net"],
                Last => &["last_touch_conversions", "last_touch_net"],
                Balance => &["opens", "closes"],
                Spend => &["spend"],
                NewCustomers => &["new_customers"],
                CostPerLead => &["cost_per_lead"],
                CostPerOrder => &["cost_per_order"],
                CostPerCustomer => &["cost_per_customer"],
                Return => &["return"],
            });
        }
        if is_compared {
            head.extend(self.columns.iter().filter_map(|column| match column {
                Visits => Some("compared_visits"),
                Leads => Some("compared_leads"),
                Orders => Some("compared_orders"),
                Conversions => Some("compared_conversions"),
                Rate => Some("compared_conversion_rate"),
                Sold => Some("compared_sold"),
                Back => Some("compared_back"),
                Net => Some("compared_net"),
                Spend => Some("compared_spend"),
                NewCustomers => Some("compared_new_customers"),
                CostPerLead => Some("compared_cost_per_lead"),
                CostPerOrder => Some("compared_cost_per_order"),
                CostPerCustomer => Some("compared_cost_per_customer"),
                Return => Some("compared_return"),
                First | Last | Balance => None,
            }));
        }
        head.push("currency");
        head
    }

    /// The row, and one more of the same name for each other currency in it: its money and what it has cost, without the counts,
    /// which stand in the first. `was` is the row in the time before, where that is asked for.
    pub fn lines(&self, names: &[Cell], row: &TableRow, was: Option<&TableRow>, site: &Site) -> Vec<Vec<Cell>> {
        let rows: Vec<&TableRow> = std::iter::once(row).chain(was).collect();
        let others = self.currencies(&rows).into_iter().filter(|currency| *currency != site.currency);
        std::iter::once(site.currency).chain(others).map(|currency| self.line(names, &rows, site, currency)).collect()
    }

    fn line(&self, names: &[Cell], rows: &[&TableRow], site: &Site, currency: Currency) -> Vec<Cell> {
        let mut cells = names.to_vec();
        for (n, row) in rows.iter().enumerate() {
            let columns = self.columns.iter().filter(|column| n == 0 || !matches!(column, First | Last | Balance));
            columns.for_each(|column| add(&mut cells, *column, row, site, currency));
        }
        cells.push(Cell::text(currency.code()));
        cells
    }

    /// Currencies of the money that is shown.
    fn currencies(&self, rows: &[&TableRow]) -> Vec<Currency> {
        let is_shown = |any: &[Column]| self.columns.iter().any(|column| any.contains(column));
        let (flows, costs) = (is_shown(&[Sold, Back, Net]), is_shown(&[Spend, CostPerLead, CostPerOrder, CostPerCustomer, Return]));
        let mut codes: BTreeSet<&String> = BTreeSet::new();
        for row in rows {
            let moneys = [(&row.own.money, flows), (&row.first.money, is_shown(&[First])), (&row.last.money, is_shown(&[Last]))];
            for (money, _) in moneys.iter().filter(|(_, is_shown)| *is_shown) {
                codes.extend(money.iter().filter(|(_, flow)| (flow.sold_minor, flow.back_minor) != (0, 0)).map(|(code, _)| code));
            }
            let spent = row.spent.iter().filter(|_| costs).flat_map(|spent| &spent.money);
            codes.extend(spent.filter(|(_, minor)| **minor != 0).map(|(code, _)| code));
        }
        codes.into_iter().filter_map(|code| Currency::parse(code)).collect()
    }

    /// By the sorted column, the largest first; rows that are equal in it stay as they were.
    pub fn size(&self, row: &TableRow, site: &Site) -> f64 {
        let whole = |n: i64| n as f64;
        match self.sort {
            None => 0.0,
            Some(Visits) => whole(row.visits),
            Some(Leads) => whole(row.own.leads_e9),
            Some(Orders) => whole(row.own.orders_e9),
            Some(Conversions) => whole(row.own.conversions_e9),
            Some(Rate) => rate(row).unwrap_or(-1.0),
            Some(Sold) => whole(own(&row.own.money, site, |m| m.sold_minor)),
            Some(Back) => whole(own(&row.own.money, site, |m| m.back_minor)),
            Some(Net) => whole(own(&row.own.money, site, Flow::net_minor)),
            Some(First) => whole(own(&row.first.money, site, Flow::net_minor)),
            Some(Last) => whole(own(&row.last.money, site, Flow::net_minor)),
            Some(Balance) => whole(row.first.conversions_e9 - row.last.conversions_e9),
            Some(Spend) => whole(row.spent.as_ref().map_or(0, |spent| spent::own(spent, site))),
            Some(NewCustomers) => whole(row.spent.as_ref().map_or(0, Spent::customers)),
            Some(CostPerLead | CostPerOrder | CostPerCustomer) => {
                self.sort.and_then(|column| cost(column, row, site, site.currency)).map_or(-1.0, |m| whole(m.minor))
            }
            Some(Return) => percent(row, site.currency).map_or(-1.0e12, whole),
        }
    }
}

/// The cells of a column; counts only beside the site's own currency.
fn add(cells: &mut Vec<Cell>, column: Column, row: &TableRow, site: &Site, currency: Currency) {
    let is_own = currency == site.currency;
    let count = |n: i64| if is_own { Cell::number(n) } else { Cell::Empty };
    let part = |e9: i64| if is_own { Cell::number(e9 as f64 / WHOLE as f64) } else { Cell::Empty };
    let money = |all: &Moneys, pick: fn(&Flow) -> i64| Cell::number(Money::new(in_currency(all, currency, pick), currency).decimal());
    match column {
        Visits => cells.push(count(row.visits)),
        Leads => cells.push(part(row.own.leads_e9)),
        Orders => cells.push(part(row.own.orders_e9)),
        Conversions => cells.push(part(row.own.conversions_e9)),
        Rate => cells.push(Cell::maybe_number(rate(row).filter(|_| is_own))),
        Sold => cells.push(money(&row.own.money, |m| m.sold_minor)),
        Back => cells.push(money(&row.own.money, |m| m.back_minor)),
        Net => cells.push(money(&row.own.money, Flow::net_minor)),
        First => cells.extend([part(row.first.conversions_e9), money(&row.first.money, Flow::net_minor)]),
        Last => cells.extend([part(row.last.conversions_e9), money(&row.last.money, Flow::net_minor)]),
        Balance => cells.extend([part(row.first.conversions_e9), part(row.last.conversions_e9)]),
        Spend => cells.push(match &row.spent {
            Some(spent) => Cell::number(Money::new(spent::spent_in(spent, currency), currency).decimal()),
            None => Cell::Empty,
        }),
        NewCustomers => cells.push(Cell::maybe_number(row.spent.as_ref().filter(|_| is_own).map(Spent::customers))),
        CostPerLead | CostPerOrder | CostPerCustomer => {
            cells.push(Cell::maybe_number(cost(column, row, site, currency).map(|m| m.decimal())));
        }
        // As a factor, as ad platforms write it.
        Return => cells.push(Cell::maybe_number(percent(row, currency).map(|p| p as f64 / 100.0))),
    }
}

/// Of one lead, order or new customer in a currency; none where there is none of it, or where nothing was spent in it.
fn cost(column: Column, row: &TableRow, site: &Site, currency: Currency) -> Option<Money> {
    let spent = row.spent.as_ref()?;
    let (parts, one) = match column {
        CostPerLead => (row.own.leads_e9, WHOLE),
        CostPerOrder => (spent::in_currency(&row.own.orders_in, currency, site), WHOLE),
        _ => (spent::in_currency(&spent.customers, currency, site), 1),
    };
    let own = spent::spent_in(spent, currency);
    if own == 0 { None } else { cost_of_one(own, parts, one, currency) }
}

fn percent(row: &TableRow, currency: Currency) -> Option<i64> {
    let spent = row.spent.as_ref().map_or(0, |spent| spent::spent_in(spent, currency));
    return_percent(in_currency(&row.own.money, currency, Flow::net_minor), spent)
}

pub fn rate(row: &TableRow) -> Option<f64> {
    (row.visits > 0).then(|| row.own.conversions_e9 as f64 / WHOLE as f64 / row.visits as f64)
}

/// In the site's own currency: others are never added.
pub fn own(all: &Moneys, site: &Site, pick: fn(&Flow) -> i64) -> i64 {
    in_currency(all, site.currency, pick)
}

fn in_currency(all: &Moneys, currency: Currency, pick: fn(&Flow) -> i64) -> i64 {
    all.get(currency.code()).map_or(0, pick)
}
