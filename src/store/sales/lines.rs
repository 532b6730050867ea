//! What was sold, line by line: the booked money of a sale, shared among the lines of its order by what they cost, so that
//! shipping, taxes and discounts go with what was bought. The counts of whole days and the questions read it here.

use rusqlite::named_params;

use super::{Entries, word};
use crate::domain::money::{Currency, Money};
use crate::domain::outgoing::Item;
use crate::domain::time::Day;
use crate::error::{Error, Result};
use crate::store::scope::SiteConn;

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

/// The part of an entry that is one product's.
pub struct Part<'p> {
    pub product: &'p Product,
    pub amount_minor: i64,
    /// Pieces, where the entry is the sale itself; what comes back later is not taken off.
    pub quantity: i64,
}

/// Shares an entry among what was bought. Of a currency that nobody knows there is nothing.
pub fn split(c: &SiteConn, conversion: i64, kind: &str, currency: &str, amount_minor: i64, mut on: impl FnMut(&Part)) -> Result<()> {
    let Some(currency) = Currency::parse(currency) else { return Ok(()) };
    let lines = lines(c, conversion)?;
    let weights: Vec<u64> = lines.iter().map(Line::weight).collect();
    // Lines without prices count alike.
    let weights = if weights.iter().all(|w| *w == 0) { vec![1; lines.len()] } else { weights };
    for (line, part) in lines.iter().zip(Money::new(amount_minor, currency).split(&weights)) {
        let quantity = if kind == "sale" { line.quantity } else { 0 };
        on(&Part { product: &line.product, amount_minor: part.minor, quantity });
    }
    Ok(())
}

/// The parts of all entries that count, in the order of the days they are booked on: day, kind and currency of each.
pub fn scan_parts(c: &SiteConn, entries: &Entries, mut on: impl FnMut(Day, &str, &str, &Part)) -> Result<()> {
    let mut failed: Option<Error> = None;
    c.scan(
        "select e.book_day, e.kind, e.currency, e.amount_minor, e.conversion_id
         from entries e join conversions c on c.site_id = e.site_id and c.id = e.conversion_id
         where e.site_id = :site and e.book_day between :from and :to and e.happened_at < :until and e.id > :after
           and (e.book_day <> :part or e.id <= :known) and c.counts = 1
         order by e.book_day",
        named_params! {":from": entries.from.0, ":to": entries.to.0, ":until": entries.until.ms(), ":after": entries.after,
        ":part": entries.part.0.0, ":known": entries.part.1},
        |row| {
            let (day, kind, currency) = (Day(row.get(0)?), word(row, 1)?, word(row, 2)?);
            failed = split(c, row.get(4)?, kind, currency, row.get(3)?, |part| on(day, kind, currency, part)).err();
            Ok(failed.is_none())
        },
    )?;
    failed.map_or(Ok(()), Err)
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
