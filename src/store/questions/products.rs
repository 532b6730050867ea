//! What was sold: the booked money of each sale, shared among the lines of its order by what they cost, so that the table
//! has the same total as the headline: shipping, taxes and discounts go with what was bought.

use std::collections::{BTreeMap, HashMap};

use rusqlite::named_params;

use super::super::cube::{Coverage, Cube, Weighs};
pub use super::super::sales::lines::Product;
use super::super::sales::lines::{self, Part};
use super::super::scope::SiteConn;
use super::answers::{Gathers, Piece, over, over_rows};
use super::money::{self, Moneys};
use super::{walk, word};
use crate::domain::question::{ConversionFilter, Period};
use crate::domain::time::{Day, Zone};
use crate::error::Result;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sold {
    /// Pieces of the sales that are booked on the days; what comes back later is not taken off.
    pub quantity: i64,
    /// The same by the currency they were paid in.
    pub pieces: BTreeMap<String, i64>,
    pub money: Moneys,
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

impl Shelf {
    fn add(&mut self, kind: &str, currency: &str, part: &Part) {
        if !self.0.contains_key(part.product) {
            self.0.insert(part.product.clone(), Sold::default());
        }
        let Some(sold) = self.0.get_mut(part.product) else { return };
        money::of(&mut sold.money, currency).add(kind, part.amount_minor);
        if kind == "sale" {
            sold.quantity += part.quantity;
            *sold.pieces.entry(currency.to_owned()).or_default() += part.quantity;
        }
    }
}

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
    let shelf = match filter.is_open() {
        true => over(c, Cube::Entries, zone, period, "products", |block, _| of_counted_days(c, block), |piece, all| of_rows(c, piece, all)),
        false => {
            let question = format!("products {filter:?} {}", walk::newest_told(c, filter)?);
            over_rows(c, Cube::Entries, zone, period, &question, |piece: &Piece, all: &mut Shelf| {
                walk::entries(c, piece, filter, |b, _, conversion| {
                    lines::split(c, conversion, b.kind, b.currency, b.amount_minor, |part| all.add(b.kind, b.currency, part))
                })
            })
        }
    }?;
    Ok(shelf.0)
}

fn of_counted_days(c: &SiteConn, block: &Coverage) -> Result<Shelf> {
    let mut all = Shelf::default();
    let Some(days) = block.counted else { return Ok(all) };
    c.scan(
        "select day, kind, currency, platform, product, name, quantity, amount_minor from product_days
         where site_id = :site and day between :from and :to",
        named_params! {":from": days.from.0, ":to": days.to.0},
        |row| {
            if !block.dirty.contains(&Day(row.get(0)?)) {
                let product = Product { platform: row.get(3)?, id: row.get(4)?, name: row.get(5)? };
                all.add(word(row, 1)?, word(row, 2)?, &Part { product: &product, quantity: row.get(6)?, amount_minor: row.get(7)? });
            }
            Ok(true)
        },
    )?;
    Ok(all)
}

fn of_rows(c: &SiteConn, piece: &Piece, all: &mut Shelf) -> Result<()> {
    lines::scan_parts(c, &piece.entries(), |day, kind, currency, part| {
        if piece.holds(day) {
            all.add(kind, currency, part);
        }
    })
}
