//! What was sold, by day, currency, platform, conversation and whether the buyer was new: of counted days from their own
//! small tables, of the rest from the rows. What the shop's figures are put together from.

use std::collections::HashMap;

use rusqlite::named_params;

use super::super::cube::{Coverage, Cube, Tail, Weighs};
use super::super::sales::{self, Facets};
use super::super::scope::SiteConn;
use super::answers::{Gathers, Piece, over, over_rows};
use super::money::Flow;
use super::{walk, word};
use crate::domain::conversion::ConversionKind;
use crate::domain::ids::ConversionId;
use crate::domain::question::{ConversionFilter, Period};
use crate::domain::time::{Day, Zone};
use crate::error::Result;

/// Sales and money that have all of this in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    pub day: Day,
    pub currency: String,
    /// Who told of them; empty where nobody is known any more.
    pub platform: String,
    /// Method and confidence of the conversation before them: `session_match 9500`; empty without one.
    pub chat: String,
    /// `new`, `returning`, or `unknown` without a customer.
    pub buyer: String,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sold {
    /// Sales by the day they happened.
    pub orders: i64,
    /// Money by the day it is booked on.
    pub money: Flow,
}

impl Sold {
    pub fn add(&mut self, other: &Self) {
        self.orders += other.orders;
        self.money.add_all(&other.money);
    }
}

#[derive(Default)]
struct Sales(HashMap<Key, Sold>);

impl Gathers for Sales {
    fn merge(&mut self, other: &Self) {
        for (key, sold) in &other.0 {
            match self.0.get_mut(key) {
                Some(known) => known.add(sold),
                None => drop(self.0.insert(key.clone(), sold.clone())),
            }
        }
    }
}

impl Weighs for Sales {
    fn bytes(&self) -> usize {
        self.0.len() * 240
    }
}

impl Sales {
    fn of(&mut self, day: Day, currency: &str, facets: &Facets) -> &mut Sold {
        let key = Key {
            day,
            currency: currency.to_owned(),
            platform: facets.platform.to_owned(),
            chat: facets.chat.to_owned(),
            buyer: facets.buyer.to_owned(),
        };
        self.0.entry(key).or_default()
    }
}

/// All sales that a filter takes.
pub fn sales(c: &SiteConn, zone: &Zone, period: Period, filter: &ConversionFilter) -> Result<HashMap<Key, Sold>> {
    let (mut all, money) = match filter.is_open() {
        true => (orders(c, zone, period)?, booked(c, zone, period)?),
        false => (orders_of(c, zone, period, filter)?, booked_of(c, zone, period, filter)?),
    };
    all.merge(&money);
    Ok(all.0)
}

fn orders(c: &SiteConn, zone: &Zone, period: Period) -> Result<Sales> {
    let counted = |block: &Coverage, _: Option<Tail>| {
        let mut all = Sales::default();
        let Some(days) = block.counted else { return Ok(all) };
        c.scan(
            "select day, currency, platform, chat, buyer, orders from order_days where site_id = :site and day between :from and :to",
            named_params! {":from": days.from.0, ":to": days.to.0},
            |row| {
                let day = Day(row.get(0)?);
                if !block.dirty.contains(&day) {
                    let facets = Facets { platform: word(row, 2)?, chat: word(row, 3)?, buyer: word(row, 4)? };
                    all.of(day, word(row, 1)?, &facets).orders += row.get::<_, i64>(5)?;
                }
                Ok(true)
            },
        )?;
        Ok(all)
    };
    let rows = |piece: &Piece, all: &mut Sales| {
        sales::scan_orders(c, piece.from, piece.to, |o| {
            let day = zone.day(o.at);
            if piece.holds(day) {
                all.of(day, o.currency, &o.facets).orders += 1;
            }
        })
    };
    over(c, Cube::Conversions, zone, period, "orders by facets", counted, rows)
}

fn booked(c: &SiteConn, zone: &Zone, period: Period) -> Result<Sales> {
    let counted = |block: &Coverage, _: Option<Tail>| {
        let mut all = Sales::default();
        let Some(days) = block.counted else { return Ok(all) };
        c.scan(
            "select day, kind, currency, platform, chat, buyer, amount_minor from sale_days
             where site_id = :site and day between :from and :to",
            named_params! {":from": days.from.0, ":to": days.to.0},
            |row| {
                let day = Day(row.get(0)?);
                if !block.dirty.contains(&day) {
                    let facets = Facets { platform: word(row, 3)?, chat: word(row, 4)?, buyer: word(row, 5)? };
                    all.of(day, word(row, 2)?, &facets).money.add(word(row, 1)?, row.get(6)?);
                }
                Ok(true)
            },
        )?;
        Ok(all)
    };
    let rows = |piece: &Piece, all: &mut Sales| {
        let entries = piece.entries();
        sales::scan_booked(c, &entries, |b| {
            if piece.holds(b.day) {
                all.of(b.day, b.currency, &b.facets).money.add(b.kind, b.amount_minor);
            }
        })
    };
    over(c, Cube::Entries, zone, period, "money by facets", counted, rows)
}

fn orders_of(c: &SiteConn, zone: &Zone, period: Period, filter: &ConversionFilter) -> Result<Sales> {
    let question = format!("orders by facets {filter:?} {}", walk::newest_told(c, filter)?);
    over_rows(c, Cube::Conversions, zone, period, &question, |piece: &Piece, all: &mut Sales| {
        walk::conversions(c, zone, piece, filter, |day, w| {
            if w.marks.kind == ConversionKind::Sale.word() {
                sales::with_facets(c, ConversionId::new(w.id), |facets| all.of(day, w.marks.currency, &facets).orders += 1)?;
            }
            Ok(())
        })
    })
}

fn booked_of(c: &SiteConn, zone: &Zone, period: Period, filter: &ConversionFilter) -> Result<Sales> {
    let question = format!("money by facets {filter:?} {}", walk::newest_told(c, filter)?);
    over_rows(c, Cube::Entries, zone, period, &question, |piece: &Piece, all: &mut Sales| {
        walk::entries(c, piece, filter, |b, _, id| {
            sales::with_facets(c, ConversionId::new(id), |facets| all.of(b.day, b.currency, &facets).money.add(b.kind, b.amount_minor))?;
            Ok(())
        })
    })
}
