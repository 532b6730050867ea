//! What chats had to do with what was sold: how many there were and how soon they were answered, and the sales that a
//! conversation led to, by how sure that is.

use std::collections::BTreeMap;

use rusqlite::named_params;

use super::super::scope::SiteConn;
use super::money::{self, Moneys};
use crate::domain::attribution::chat::{Band, Method};
use crate::domain::question::Days;
use crate::domain::time::{Time, Zone};
use crate::error::Result;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Talked {
    pub conversations: i64,
    pub product_inquiries: i64,
    pub price_checks: i64,
    /// In which an agent answered.
    pub answered: i64,
    /// From the customer's first message to the agent's first answer; half of them were quicker.
    pub median_wait_ms: Option<i64>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Helped {
    pub orders: i64,
    /// Booked on the days, so that refunds come off on their own day.
    pub money: Moneys,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Assisted {
    pub all: Helped,
    pub by_method: BTreeMap<Method, Helped>,
    pub by_band: BTreeMap<Band, Helped>,
}

/// Conversations that began on the days.
pub fn talked(c: &SiteConn, zone: &Zone, days: Days) -> Result<Talked> {
    let (from, to) = span(zone, days);
    let within = named_params! {":from": from.ms(), ":to": to.ms()};
    let mut talked = c
        .find(
            "select count(*), coalesce(sum(is_product_inquiry), 0), coalesce(sum(is_price_check), 0), coalesce(sum(first_answer_at is not null), 0)
             from conversations where site_id = :site and first_at >= :from and first_at < :to and messages > 0",
            within,
            |row| {
                Ok(Talked {
                    conversations: row.get(0)?,
                    product_inquiries: row.get(1)?,
                    price_checks: row.get(2)?,
                    answered: row.get(3)?,
                    median_wait_ms: None,
                })
            },
        )?
        .unwrap_or_default();
    let mut waits: Vec<i64> = c.list(
        "select first_answer_at - first_asked_at from conversations
         where site_id = :site and first_at >= :from and first_at < :to and first_answer_at is not null
         order by first_at desc limit 5000",
        within,
        |row| row.get(0),
    )?;
    waits.sort_unstable();
    talked.median_wait_ms = waits.get(waits.len() / 2).copied();
    Ok(talked)
}

/// How many conversations began on the days.
pub fn count(c: &SiteConn, zone: &Zone, days: Days) -> Result<i64> {
    let (from, to) = span(zone, days);
    c.one(
        "select count(*) from conversations where site_id = :site and first_at >= :from and first_at < :to and messages > 0",
        named_params! {":from": from.ms(), ":to": to.ms()},
    )
}

/// Sales that a conversation led to: their number by the day they happened, their money by the day it is booked.
pub fn assisted(c: &SiteConn, zone: &Zone, days: Days) -> Result<Assisted> {
    let (from, to) = span(zone, days);
    let mut all = Assisted::default();
    c.scan(
        "select a.method, a.confidence_bp, count(*)
         from conversions v join chat_assists a on a.site_id = v.site_id and a.conversion_id = v.id
         where v.site_id = :site and v.kind = 'sale' and v.happened_at >= :from and v.happened_at < :to and v.counts = 1
           and a.method <> 'no_match'
         group by a.method, a.confidence_bp",
        named_params! {":from": from.ms(), ":to": to.ms()},
        |row| {
            let (method, bp, n): (String, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            each(&mut all, &method, bp, |h| h.orders += n);
            Ok(true)
        },
    )?;
    c.scan(
        "select a.method, a.confidence_bp, e.kind, e.currency, sum(e.amount_minor)
         from entries e
         join chat_assists a on a.site_id = e.site_id and a.conversion_id = e.conversion_id
         join conversions v on v.site_id = e.site_id and v.id = e.conversion_id
         where e.site_id = :site and e.book_day between :first and :last and a.method <> 'no_match' and v.kind = 'sale' and v.counts = 1
         group by a.method, a.confidence_bp, e.kind, e.currency",
        named_params! {":first": days.from.0, ":last": days.to.0},
        |row| {
            let (method, bp, kind, currency): (String, i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            let minor: i64 = row.get(4)?;
            each(&mut all, &method, bp, |h| money::of(&mut h.money, &currency).add(&kind, minor));
            Ok(true)
        },
    )?;
    Ok(all)
}

fn each(all: &mut Assisted, method: &str, confidence_bp: i64, add: impl Fn(&mut Helped)) {
    add(&mut all.all);
    if let Some(method) = Method::parse(method) {
        add(all.by_method.entry(method).or_default());
    }
    if let Some(band) = Band::of(confidence_bp.clamp(0, 10_000) as u16) {
        add(all.by_band.entry(band).or_default());
    }
}

fn span(zone: &Zone, days: Days) -> (Time, Time) {
    (zone.start(days.from), zone.start(days.to.plus(1)))
}
