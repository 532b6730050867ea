//! What was sold: the booked money of each sale, shared among the lines of its order by what they cost, so that the table
//! has the same total as the headline: shipping, taxes and discounts go with what was bought.

use std::collections::HashMap;

use rusqlite::named_params;

use super::super::cube::{Cube, Weighs};
use super::super::scope::SiteConn;
use super::answers::{Gathers, Piece, over_rows};
use super::money::{self, Moneys};
use super::walk;
use crate::domain::money::{Currency, Money};
use crate::domain::outgoing::Item;
use crate::domain::question::{ConversionFilter, Period};
use crate::domain::time::Zone;
use crate::error::Result;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sold {
    /// Pieces of the sales that are booked on the days; what comes back later is not taken off.
    pub quantity: i64,
    pub money: Moneys,
}

/// By name; the empty one stands for money without a list of what was bought.
#[derive(Default)]
struct Shelf(HashMap<String, Sold>);

impl Gathers for Shelf {
    fn merge(&mut self, other: &Self) {
        for (name, sold) in &other.0 {
            let own = self.0.entry(name.clone()).or_default();
            own.quantity += sold.quantity;
            money::add_all(&mut own.money, &sold.money);
        }
    }
}

impl Weighs for Shelf {
    fn bytes(&self) -> usize {
        self.0.iter().map(|(name, sold)| name.len() + 100 + money::size(&sold.money)).sum()
    }
}

pub fn products(c: &SiteConn, zone: &Zone, period: Period, filter: &ConversionFilter) -> Result<HashMap<String, Sold>> {
    let question = format!("products {filter:?} {}", walk::newest_told(c, filter)?);
    let shelf = over_rows(c, Cube::Entries, zone, period, &question, |piece: &Piece, all: &mut Shelf| {
        walk::entries(c, piece, filter, |b, _, conversion| {
            let Some(currency) = Currency::parse(b.currency) else { return Ok(()) };
            let lines = lines(c, conversion)?;
            let weights: Vec<u64> = lines.iter().map(Line::weight).collect();
            // Lines without prices count alike.
            let weights = if weights.iter().all(|w| *w == 0) { vec![1; lines.len()] } else { weights };
            for (line, part) in lines.iter().zip(Money::new(b.amount_minor, currency).split(&weights)) {
                let sold = all.0.entry(line.name.clone()).or_default();
                money::of(&mut sold.money, b.currency).add(b.kind, part.minor);
                if b.kind == "sale" {
                    sold.quantity += line.quantity;
                }
            }
            Ok(())
        })
    })?;
    Ok(shelf.0)
}

struct Line {
    name: String,
    quantity: i64,
    price_minor: i64,
}

impl Line {
    fn weight(&self) -> u64 {
        (self.price_minor.max(0) as u64).saturating_mul(self.quantity.max(0) as u64)
    }
}

/// Of the order that speaks for the conversion among those that list what was bought.
fn lines(c: &SiteConn, conversion: i64) -> Result<Vec<Line>> {
    let items: Option<String> = c.find(
        "select items from orders where site_id = :site and conversion_id = :id and items <> '[]' order by rank desc, id limit 1",
        named_params! {":id": conversion},
        |row| row.get(0),
    )?;
    let items: Vec<Item> = items.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let lines: Vec<Line> = items
        .into_iter()
        .map(|item| Line {
            name: item.name.filter(|n| !n.is_empty()).unwrap_or(item.id),
            quantity: item.quantity,
            price_minor: item.price.map_or(0, |p| p.minor),
        })
        .collect();
    Ok(if lines.is_empty() { vec![Line { name: String::new(), quantity: 0, price_minor: 0 }] } else { lines })
}
