//! What chats had to do with what was sold: how many there were and how soon they were answered, and the sales that a
//! conversation led to, by how sure that is.

use std::collections::BTreeMap;

use rusqlite::named_params;

use super::super::scope::SiteConn;
use super::money::{self, Moneys};
use super::walk::page;
use super::{sales, word};
use crate::domain::attribution::chat::{Band, Method};
use crate::domain::question::{ConversionFilter, Days, Period, Whereabouts};
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

/// Conversations that began on the days, and that a filter takes.
///
/// Like a visit, a conversation is left out by where its person came from: by the last visit that was not direct before it
/// began, of the browser it was held in, or else of one that is known by its address. One of which no visit is known is
/// unattributed. What only a conversion has (a kind, a match, a status, who told of it, money) leaves no conversation out.
pub fn talked(c: &SiteConn, zone: &Zone, days: Days, filter: &ConversionFilter) -> Result<Talked> {
    match filter.is_open_to_visits() {
        true => all_talked(c, zone, days),
        false => talked_of(c, zone, days, filter),
    }
}

fn all_talked(c: &SiteConn, zone: &Zone, days: Days) -> Result<Talked> {
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
    let waits = c.list(
        "select first_answer_at - first_asked_at from conversations
         where site_id = :site and first_at >= :from and first_at < :to and first_answer_at is not null
         order by first_at desc limit 5000",
        within,
        |row| row.get(0),
    )?;
    talked.median_wait_ms = median(waits);
    Ok(talked)
}

fn talked_of(c: &SiteConn, zone: &Zone, days: Days, filter: &ConversionFilter) -> Result<Talked> {
    let (mut talked, mut waits) = (Talked::default(), Vec::new());
    let (from, to) = span(zone, days);
    c.scan(
        // A message may bear the whole second in which its page was opened.
        "select t.is_product_inquiry, t.is_price_check, t.first_answer_at is not null, t.first_answer_at - t.first_asked_at,
           v.id is null, v.source, v.medium, v.campaign, s.country, s.device, v.landing, v.content, v.term, v.click_kind, v.referrer, v.marketing
         from conversations t
         left join touches v on v.id = (
           select b.id from touches b where b.site_id = t.site_id and b.at < t.first_at + 1000 and b.is_repeat = 0
             and b.session_id = coalesce(t.session_id,
               (select p.session_id from session_people p where p.site_id = t.site_id and p.kind = 'email' and p.value = t.email
                order by p.is_verified desc, p.at desc limit 1),
               (select p.session_id from session_people p where p.site_id = t.site_id and p.kind = 'phone' and p.value = t.phone
                order by p.is_verified desc, p.at desc limit 1))
           order by b.is_direct, b.at desc, b.seq desc limit 1)
         left join sessions s on s.site_id = v.site_id and s.id = v.session_id
         where t.site_id = :site and t.first_at >= :from and t.first_at < :to and t.messages > 0
         order by t.first_at desc",
        named_params! {":from": from.ms(), ":to": to.ms()},
        |row| {
            let landing: Option<String> = row.get(10)?;
            let landing = landing.as_deref().map(page).unwrap_or_default();
            let place = Whereabouts {
                is_nobodys: row.get(4)?,
                country: word(row, 8)?,
                device: word(row, 9)?,
                landing: &landing,
                content: word(row, 11)?,
                term: word(row, 12)?,
                click: word(row, 13)?,
                referrer: word(row, 14)?,
                consent: word(row, 15)?,
            };
            if !filter.admits_visit(word(row, 5)?, word(row, 6)?, word(row, 7)?) || !filter.admits_whereabouts(&place) {
                return Ok(true);
            }
            talked.conversations += 1;
            talked.product_inquiries += row.get::<_, i64>(0)?;
            talked.price_checks += row.get::<_, i64>(1)?;
            talked.answered += row.get::<_, i64>(2)?;
            if let Some(wait_ms) = row.get::<_, Option<i64>>(3)?
                && waits.len() < MOST_WAITS
            {
                waits.push(wait_ms);
            }
            Ok(true)
        },
    )?;
    talked.median_wait_ms = median(waits);
    Ok(talked)
}

/// Of so many, the newest.
const MOST_WAITS: usize = 5_000;

fn median(mut waits: Vec<i64>) -> Option<i64> {
    waits.sort_unstable();
    waits.get(waits.len() / 2).copied()
}

/// How many conversations began on the days, and are taken by the filter as above.
pub fn count(c: &SiteConn, zone: &Zone, days: Days, filter: &ConversionFilter) -> Result<i64> {
    if !filter.is_open_to_visits() {
        return Ok(talked_of(c, zone, days, filter)?.conversations);
    }
    let (from, to) = span(zone, days);
    c.one(
        "select count(*) from conversations where site_id = :site and first_at >= :from and first_at < :to and messages > 0",
        named_params! {":from": from.ms(), ":to": to.ms()},
    )
}

/// Sales that a filter takes and a conversation led to: their number by the day they happened, their money by the day it
/// is booked.
pub fn assisted(c: &SiteConn, zone: &Zone, days: Days, filter: &ConversionFilter) -> Result<Assisted> {
    let mut all = Assisted::default();
    for (key, sold) in sales::sales(c, zone, Period::whole(days), filter)? {
        let Some((method, bp)) = key.chat.split_once(' ') else { continue };
        let bp: i64 = bp.parse().unwrap_or_default();
        each(&mut all, method, bp, |helped| {
            helped.orders += sold.orders;
            money::of(&mut helped.money, &key.currency).add_all(&sold.money);
        });
    }
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
