//! Columns of a table's file: those that are shown, in their order, or all.

use super::super::ask::Ask;
use super::super::exports::Cell;
use super::spent;
use crate::domain::money::Money;
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

    /// `was` is the row in the time before, where that is asked for.
    pub fn cells(&self, names: Vec<Cell>, row: &TableRow, was: Option<&TableRow>, site: &Site) -> Vec<Cell> {
        let mut cells = names;
        self.columns.iter().for_each(|column| add(&mut cells, *column, row, site));
        if let Some(was) = was {
            self.columns
                .iter()
                .filter(|column| !matches!(column, First | Last | Balance))
                .for_each(|column| add(&mut cells, *column, was, site));
        }
        cells.push(Cell::text(site.currency.code()));
        cells
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
            Some(Spend) => whole(spent_of(row, site)),
            Some(NewCustomers) => whole(row.spent.as_ref().map_or(0, Spent::customers)),
            Some(CostPerLead | CostPerOrder | CostPerCustomer) => {
                self.sort.and_then(|column| cost(column, row, site)).map_or(-1.0, |m| whole(m.minor))
            }
            Some(Return) => percent(row, site).map_or(-1.0e12, whole),
        }
    }
}

fn add(cells: &mut Vec<Cell>, column: Column, row: &TableRow, site: &Site) {
    let part = |e9: i64| Cell::number(e9 as f64 / WHOLE as f64);
    let money = |all: &Moneys, pick: fn(&Flow) -> i64| Cell::number(Money::new(own(all, site, pick), site.currency).decimal());
    match column {
        Visits => cells.push(Cell::number(row.visits)),
        Leads => cells.push(part(row.own.leads_e9)),
        Orders => cells.push(part(row.own.orders_e9)),
        Conversions => cells.push(part(row.own.conversions_e9)),
        Rate => cells.push(Cell::maybe_number(rate(row))),
        Sold => cells.push(money(&row.own.money, |m| m.sold_minor)),
        Back => cells.push(money(&row.own.money, |m| m.back_minor)),
        Net => cells.push(money(&row.own.money, Flow::net_minor)),
        First => cells.extend([part(row.first.conversions_e9), money(&row.first.money, Flow::net_minor)]),
        Last => cells.extend([part(row.last.conversions_e9), money(&row.last.money, Flow::net_minor)]),
        Balance => cells.extend([part(row.first.conversions_e9), part(row.last.conversions_e9)]),
        Spend => cells.push(match &row.spent {
            Some(_) => Cell::number(Money::new(spent_of(row, site), site.currency).decimal()),
            None => Cell::Empty,
        }),
        NewCustomers => cells.push(Cell::maybe_number(row.spent.as_ref().map(Spent::customers))),
        CostPerLead | CostPerOrder | CostPerCustomer => cells.push(Cell::maybe_number(cost(column, row, site).map(|m| m.decimal()))),
        // As a factor, as ad platforms write it.
        Return => cells.push(Cell::maybe_number(percent(row, site).map(|p| p as f64 / 100.0))),
    }
}

fn spent_of(row: &TableRow, site: &Site) -> i64 {
    row.spent.as_ref().map_or(0, |s| spent::own(s, site))
}

/// Of one lead, order or new customer in the site's currency; none where there is none of it, or where nothing was spent in it.
fn cost(column: Column, row: &TableRow, site: &Site) -> Option<Money> {
    let (parts, one) = match column {
        CostPerLead => (row.own.leads_e9, WHOLE),
        CostPerOrder => (spent::in_currency(&row.own.orders_in, site.currency, site), WHOLE),
        _ => (spent::in_currency(&row.spent.as_ref()?.customers, site.currency, site), 1),
    };
    let own = spent_of(row, site);
    if own == 0 { None } else { cost_of_one(own, parts, one, site.currency) }
}

fn percent(row: &TableRow, site: &Site) -> Option<i64> {
    return_percent(own(&row.own.money, site, Flow::net_minor), spent_of(row, site))
}

pub fn rate(row: &TableRow) -> Option<f64> {
    (row.visits > 0).then(|| row.own.conversions_e9 as f64 / WHOLE as f64 / row.visits as f64)
}

/// In the site's own currency: others are never added.
pub fn own(all: &Moneys, site: &Site, pick: fn(&Flow) -> i64) -> i64 {
    all.get(site.currency.code()).map_or(0, pick)
}
