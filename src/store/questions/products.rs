//! What was sold: the booked money of each sale, shared among the lines of its order by what they cost, so that the table
//! has the same total as the headline: shipping, taxes and discounts go with what was bought.

use std::collections::{BTreeMap, HashMap};

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
    /// The same by the currency they were paid in.
    pub pieces: BTreeMap<String, i64>,
    pub money: Moneys,
}

/// As the shop calls it; all words are empty for money without a list of what was bought.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Product {
    pub platform: String,
    pub id: String,
    pub name: String,
}

impl Product {
    pub fn is_unknown(&self) -> bool {
        self.id.is_empty() && self.name.is_empty()
    }
}

impl Sold {
    fn add(&mut self, other: &Self) {
        self.quantity += other.quantity;
        for (currency, n) in &other.pieces {
            *self.pieces.entry(currency.clone()).or_default() += n;
        }
        money::add_all(&mut self.money, &other.money);
    }
}

#[derive(Default)]
struct Shelf(HashMap<Product, Sold>);

impl Gathers for Shelf {
    fn merge(&mut self, other: &Self) {
        for (product, sold) in &other.0 {
            match self.0.get_mut(product) {
                Some(known) => known.add(sold),
                None => drop(self.0.insert(product.clone(), sold.clone())),
            }
        }
    }
}

impl Weighs for Shelf {
    fn bytes(&self) -> usize {
        self.0.iter().map(|(p, sold)| p.platform.len() + p.id.len() + p.name.len() + 240 + money::size(&sold.money)).sum()
    }
}

/// By name, or by the shop's number where it has none; the empty one stands for money without a list of what was bought.
pub fn products(c: &SiteConn, zone: &Zone, period: Period, filter: &ConversionFilter) -> Result<HashMap<String, Sold>> {
    let mut all: HashMap<String, Sold> = HashMap::new();
    for (product, sold) in by_product(c, zone, period, filter)? {
        let name = if product.name.is_empty() { product.id } else { product.name };
        all.entry(name).or_default().add(&sold);
    }
    Ok(all)
}

pub fn by_product(c: &SiteConn, zone: &Zone, period: Period, filter: &ConversionFilter) -> Result<HashMap<Product, Sold>> {
    let question = format!("products {filter:?} {}", walk::newest_told(c, filter)?);
    let shelf = over_rows(c, Cube::Entries, zone, period, &question, |piece: &Piece, all: &mut Shelf| {
        walk::entries(c, piece, filter, |b, _, conversion| {
            let Some(currency) = Currency::parse(b.currency) else { return Ok(()) };
            let lines = lines(c, conversion)?;
            let weights: Vec<u64> = lines.iter().map(Line::weight).collect();
            // Lines without prices count alike.
            let weights = if weights.iter().all(|w| *w == 0) { vec![1; lines.len()] } else { weights };
            for (line, part) in lines.iter().zip(Money::new(b.amount_minor, currency).split(&weights)) {
                let sold = all.0.entry(line.product.clone()).or_default();
                money::of(&mut sold.money, b.currency).add(b.kind, part.minor);
                if b.kind == "sale" {
                    sold.quantity += line.quantity;
                    *sold.pieces.entry(b.currency.to_owned()).or_default() += line.quantity;
                }
            }
            Ok(())
        })
    })?;
    Ok(shelf.0)
}

struct Line {
    product: Product,
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
    let found: Option<(String, String)> = c.find(
        "select platform, items from orders where site_id = :site and conversion_id = :id and items <> '[]' order by rank desc, id limit 1",
        named_params! {":id": conversion},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let (platform, items) = found.unwrap_or_default();
    let items: Vec<Item> = serde_json::from_str(&items).unwrap_or_default();
    let lines: Vec<Line> = items
        .into_iter()
        .map(|item| Line {
            product: Product { platform: platform.clone(), id: item.id, name: item.name.unwrap_or_default() },
            quantity: item.quantity,
            price_minor: item.price.map_or(0, |p| p.minor),
        })
        .collect();
    Ok(if lines.is_empty() { vec![Line { product: Product::default(), quantity: 0, price_minor: 0 }] } else { lines })
}
