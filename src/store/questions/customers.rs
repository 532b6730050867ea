//! Who has bought, what they are worth, and how they began.

/// Page by page, in five orders.
pub mod page;

use std::collections::BTreeSet;

use rusqlite::{Row, named_params};

use super::super::cube::{Cube, Weighs};
use super::super::scope::SiteConn;
use super::answers::{Gathers, Piece, over_rows};
use super::{json_list, walk};
use crate::domain::conversion::ConversionKind;
use crate::domain::ids::{ContactId, ConversionId};
use crate::domain::money::{Currency, Money};
use crate::domain::question::{ConversionFilter, Days, Period, Span};
use crate::domain::time::{Time, Zone};
use crate::error::Result;

#[derive(Debug, Clone)]
pub struct Customer {
    pub contact: ContactId,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub country: Option<String>,
    /// Sales that count, in all currencies.
    pub orders: i64,
    pub first_at: Option<Time>,
    pub last_at: Option<Time>,
    pub first_conversion: Option<ConversionId>,
    /// Source, medium, campaign of the visit that began the first sale; none is unattributed.
    pub first_source: Option<String>,
    pub first_medium: Option<String>,
    pub first_campaign: Option<String>,
    pub worth: Vec<Worth>,
    pub conversations: i64,
    /// Sales that a conversation led to.
    pub attributed: i64,
}

/// In one currency.
#[derive(Debug, Clone, PartialEq)]
pub struct Worth {
    pub orders: i64,
    pub net: Money,
}

impl Customer {
    /// Who was erased is counted on, and is nobody.
    pub fn is_erased(&self) -> bool {
        self.contact.number() < 0
    }

    pub fn worth_in(&self, currency: Currency) -> Option<&Worth> {
        self.worth.iter().find(|w| w.net.currency == currency)
    }
}

impl Worth {
    /// What is left of an order, on average.
    pub fn average(&self) -> Option<Money> {
        self.net.average(self.orders)
    }
}

/// Seen from the days that are asked for: whose first sale lies in them, or before. Without days: who bought once, or
/// came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Buyer {
    New,
    Returning,
}

/// How many bought on the days, whatever else is asked.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub struct Count {
    pub all: i64,
    pub new: i64,
    pub returning: i64,
}

/// A row of the customers' table, with the key that the list goes by.
#[derive(Debug, Clone)]
struct Place {
    contact: i64,
    orders: i64,
    first_at: i64,
    last_at: i64,
    first_conversion: i64,
    /// None stands after all others.
    key: Option<i64>,
}

fn buyer_of(place: &Place, from: i64, is_open: bool) -> Buyer {
    let is_returning = if is_open { place.orders > 1 } else { place.first_at < from };
    if is_returning { Buyer::Returning } else { Buyer::New }
}

fn bought_between(c: &SiteConn, place: &Place, from: i64, to: i64) -> Result<bool> {
    let is_within = |at: i64| from <= at && at < to;
    if is_within(place.first_at) || is_within(place.last_at) {
        return Ok(true);
    }
    if place.last_at < from || place.first_at >= to {
        return Ok(false);
    }
    let found = c.find(
        "select 1 from conversions where site_id = :site and contact_id = :contact and kind = 'sale' and counts = 1
           and happened_at >= :from and happened_at < :to
         union all
         select 1 from conversions where site_id = :site and bought_by = :contact and kind = 'sale' and counts = 1
           and happened_at >= :from and happened_at < :to limit 1",
        named_params! {":contact": place.contact, ":from": from, ":to": to},
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// How many customers there are on these days.
pub fn count(c: &SiteConn, zone: &Zone, span: Span) -> Result<Count> {
    if span == Span::default() {
        let all: i64 = c.one("select count(*) from customers where site_id = :site and orders > 0", &[])?;
        let returning: i64 = c.one("select count(*) from customers where site_id = :site and orders > 1", &[])?;
        return Ok(Count { all, new: all - returning, returning });
    }
    let (from, to) = span.times(zone);
    let between = named_params! {":from": from.ms(), ":to": to.ms()};
    // Whose first or last sale lies in the days has bought on them: two walks over indexes.
    let new: i64 = c.one("select count(*) from customers where site_id = :site and first_at >= :from and first_at < :to", between)?;
    let last: i64 = c.one("select count(*) from customers where site_id = :site and last_at >= :from and last_at < :to", between)?;
    // Only who has bought after the days too must be looked at.
    let (mut new_and_later, mut returning_and_later) = (0, 0);
    let mut failed = None;
    c.scan(
        "select contact_id, orders, first_at, last_at, first_conversion, null from customers
         where site_id = :site and last_at >= :to and first_at < :to",
        named_params! {":to": to.ms()},
        |row| {
            let place = read(row)?;
            match buyer_of(&place, from.ms(), false) {
                Buyer::New => new_and_later += 1,
                Buyer::Returning => match bought_between(c, &place, from.ms(), to.ms()) {
                    Ok(has_bought) => returning_and_later += i64::from(has_bought),
                    Err(e) => failed = Some(e),
                },
            }
            Ok(failed.is_none())
        },
    )?;
    let returning = last - (new - new_and_later) + returning_and_later;
    failed.map_or(Ok(Count { all: new + returning, new, returning }), Err)
}

/// Who bought on some days what a filter takes.
#[derive(Default)]
struct Bought(BTreeSet<i64>);

impl Gathers for Bought {
    fn merge(&mut self, other: &Self) {
        self.0.extend(&other.0);
    }
}

impl Weighs for Bought {
    fn bytes(&self) -> usize {
        self.0.len() * 40
    }
}

/// How many customers bought on these days what a filter takes, and what they are worth in a currency, over all time.
pub fn count_of(c: &SiteConn, zone: &Zone, days: Days, filter: &ConversionFilter, currency: Currency) -> Result<(Count, Worths)> {
    let question = format!("customers {filter:?} {}", walk::newest_told(c, filter)?);
    let bought = over_rows(c, Cube::Conversions, zone, Period::whole(days), &question, |piece: &Piece, all: &mut Bought| {
        walk::conversions(c, zone, piece, filter, |_, w| {
            if w.marks.kind == ConversionKind::Sale.word() {
                let contact: Option<Option<i64>> = c.find(
                    "select coalesce(contact_id, bought_by) from conversions where site_id = :site and id = :id",
                    named_params! {":id": w.id},
                    |row| row.get(0),
                )?;
                all.0.extend(contact.flatten());
            }
            Ok(())
        })
    })?;
    let from = days.span().times(zone).0.ms();
    let (mut count, mut values) = (Count::default(), Vec::new());
    for contact in bought.0 {
        let place = c.find(
            "select contact_id, orders, first_at, last_at, first_conversion, null from customers where site_id = :site and contact_id = :contact",
            named_params! {":contact": contact},
            read,
        )?;
        let Some(place) = place else { continue };
        count.all += 1;
        match buyer_of(&place, from, false) {
            Buyer::New => count.new += 1,
            Buyer::Returning => count.returning += 1,
        }
        let value: Option<i64> = c.find(
            "select net_minor from customer_values where site_id = :site and contact_id = :contact and currency = :currency",
            named_params! {":contact": contact, ":currency": currency.code()},
            |row| row.get(0),
        )?;
        values.extend(value);
    }
    values.sort_unstable();
    Ok((count, Worths::of(&values)))
}

/// What customers are worth in a currency.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Worths {
    pub customers: i64,
    pub net_minor: i64,
    /// The middle one; of an even number the higher of the two.
    pub median_minor: Option<i64>,
}

pub fn worths(c: &SiteConn, currency: Currency) -> Result<Worths> {
    let mut all: Vec<i64> = Vec::new();
    c.scan(
        "select net_minor from customer_values where site_id = :site and currency = :currency order by net_minor",
        named_params! {":currency": currency.code()},
        |row| {
            all.push(row.get(0)?);
            Ok(true)
        },
    )?;
    Ok(Worths::of(&all))
}

impl Worths {
    /// Of worths in their order.
    fn of(all: &[i64]) -> Self {
        Self {
            customers: all.len() as i64,
            net_minor: all.iter().fold(0, |sum: i64, n| sum.saturating_add(*n)),
            median_minor: all.get(all.len() / 2).copied(),
        }
    }
}

/// Whoever is known by an address, also who has not bought yet.
pub fn find_by_email(c: &SiteConn, email: &str) -> Result<Option<Customer>> {
    let contact: Option<i64> = c.find(
        "select contact_id from identities where site_id = :site and kind = 'email' and value = :email",
        named_params! {":email": email},
        |row| row.get(0),
    )?;
    let Some(contact) = contact else { return Ok(None) };
    let place = c.find(
        "select contact_id, orders, first_at, last_at, first_conversion, null from customers where site_id = :site and contact_id = :contact",
        named_params! {":contact": contact},
        read,
    )?;
    let place = place.unwrap_or(Place { contact, orders: 0, first_at: 0, last_at: 0, first_conversion: 0, key: None });
    Ok(customers(c, &[place])?.pop())
}

fn customers(c: &SiteConn, places: &[Place]) -> Result<Vec<Customer>> {
    let mut all: Vec<Customer> = places.iter().map(customer).collect();
    let contacts = json_list(all.iter().map(|k| k.contact.number()));
    let mine = |all: &mut Vec<Customer>, id: i64, fill: &mut dyn FnMut(&mut Customer)| {
        all.iter_mut().filter(|k| k.contact.number() == id).for_each(fill);
    };
    c.scan(
        "select id, email, phone, first_name, last_name, country from contacts
         where site_id = :site and id in (select value from json_each(:ids))",
        named_params! {":ids": contacts},
        |row| {
            let (email, phone): (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
            let (first, last, country): (Option<String>, Option<String>, Option<String>) = (row.get(3)?, row.get(4)?, row.get(5)?);
            mine(&mut all, row.get(0)?, &mut |k| {
                (k.email, k.phone, k.first_name) = (email.clone(), phone.clone(), first.clone());
                (k.last_name, k.country) = (last.clone(), country.clone());
            });
            Ok(true)
        },
    )?;
    c.scan(
        "select contact_id, currency, orders, net_minor from customer_values
         where site_id = :site and contact_id in (select value from json_each(:ids)) order by contact_id, currency",
        named_params! {":ids": contacts},
        |row| {
            let code: String = row.get(1)?;
            let (orders, minor): (i64, i64) = (row.get(2)?, row.get(3)?);
            if let Some(currency) = Currency::parse(&code) {
                mine(&mut all, row.get(0)?, &mut |k| k.worth.push(Worth { orders, net: Money::new(minor, currency) }));
            }
            Ok(true)
        },
    )?;
    let first = json_list(all.iter().filter_map(|k| k.first_conversion.map(|id| id.number())));
    c.scan(
        "select id, first_source, first_medium, first_campaign from conversions
         where site_id = :site and id in (select value from json_each(:ids))",
        named_params! {":ids": first},
        |row| {
            let id: i64 = row.get(0)?;
            let words: (Option<String>, Option<String>, Option<String>) = (row.get(1)?, row.get(2)?, row.get(3)?);
            for k in all.iter_mut().filter(|k| k.first_conversion.is_some_and(|first| first.number() == id)) {
                (k.first_source, k.first_medium, k.first_campaign) = words.clone();
            }
            Ok(true)
        },
    )?;
    for customer in &mut all {
        (customer.conversations, customer.attributed) = talks(c, customer.contact)?;
    }
    Ok(all)
}

/// Conversations of a person, and sales that one of them led to.
fn talks(c: &SiteConn, contact: ContactId) -> Result<(i64, i64)> {
    let of = named_params! {":contact": contact.number()};
    let conversations: i64 =
        c.one("select count(*) from conversations where site_id = :site and contact_id = :contact and messages > 0", of)?;
    if conversations == 0 && super::super::conversations::is_empty(c)? {
        return Ok((0, 0));
    }
    let attributed: i64 = c.one(
        "select count(*) from conversions v join chat_assists a on a.site_id = v.site_id and a.conversion_id = v.id
         where v.site_id = :site and v.contact_id = :contact and v.kind = 'sale' and v.counts = 1 and a.method <> 'no_match'",
        of,
    )?;
    Ok((conversations, attributed))
}

fn customer(place: &Place) -> Customer {
    let has_bought = place.orders > 0;
    Customer {
        contact: ContactId::new(place.contact),
        email: None,
        phone: None,
        first_name: None,
        last_name: None,
        country: None,
        orders: place.orders,
        first_at: has_bought.then(|| Time::from_ms(place.first_at)),
        last_at: has_bought.then(|| Time::from_ms(place.last_at)),
        first_conversion: has_bought.then(|| ConversionId::new(place.first_conversion)),
        first_source: None,
        first_medium: None,
        first_campaign: None,
        worth: Vec::new(),
        conversations: 0,
        attributed: 0,
    }
}

fn read(row: &Row) -> rusqlite::Result<Place> {
    Ok(Place {
        contact: row.get(0)?,
        orders: row.get(1)?,
        first_at: row.get(2)?,
        last_at: row.get(3)?,
        first_conversion: row.get(4)?,
        key: row.get(5)?,
    })
}
