//! Pages of customers in five orders: along an index where everybody or many are asked for, else the highest of the few who
//! bought on the days or whom a search finds.

use rusqlite::{Row, named_params};

use super::super::super::scope::SiteConn;
use super::{Buyer, Customer, Place, bought_between, buyer_of, customers, read};
use crate::domain::money::Currency;
use crate::domain::question::filter::UNATTRIBUTED;
use crate::domain::question::{Choice, Cursor, Span};
use crate::domain::time::Zone;
use crate::error::{Error, Result};

/// People that a search looks at, at most.
const MOST_FOUND: i64 = 5_000;
/// Pages' worth of customers that are gathered and put in order sooner than an index is walked for them.
const MANY: usize = 40;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Lifetime,
    Orders,
    Average,
    First,
    Last,
}

impl Order {
    pub const ALL: [Order; 5] = [Order::Lifetime, Order::Orders, Order::Average, Order::First, Order::Last];

    pub fn word(self) -> &'static str {
        match self {
            Order::Lifetime => "lifetime",
            Order::Orders => "orders",
            Order::Average => "average",
            Order::First => "first",
            Order::Last => "last",
        }
    }

    /// Then it is in a currency.
    fn is_of_money(self) -> bool {
        matches!(self, Order::Lifetime | Order::Average)
    }
}

#[derive(Debug, Clone)]
pub struct Wanted {
    /// Whose money is meant where the list goes by money.
    pub currency: Currency,
    pub order: Order,
    /// Who bought something on these days.
    pub span: Span,
    pub buyer: Option<Buyer>,
    /// Of the visit that began the first sale.
    pub source: Choice,
    pub search: Option<String>,
    /// Also who was erased: they are counted on, as nobody.
    pub with_erased: bool,
    pub cursor: Option<Cursor>,
    pub limit: usize,
}

#[derive(Debug, Default)]
pub struct Page {
    pub customers: Vec<Customer>,
    pub next: Option<Cursor>,
}

/// The largest first; of two alike the younger contact.
pub fn page(c: &SiteConn, zone: &Zone, wanted: &Wanted) -> Result<Page> {
    let is_walked = wanted.search.is_none() && (wanted.span == Span::default() || is_many(c, zone, wanted)?);
    let mut places = if is_walked { walked(c, zone, wanted)? } else { gathered(c, zone, wanted)? };
    let has_more = places.len() > wanted.limit;
    places.truncate(wanted.limit);
    let next = places.last().filter(|_| has_more).map(|p| Cursor { key: p.key, id: p.contact });
    Ok(Page { customers: customers(c, &places)?, next })
}

/// Whether so many bought since the first of the days that a page of them stands near the top of any order.
fn is_many(c: &SiteConn, zone: &Zone, wanted: &Wanted) -> Result<bool> {
    let most = (wanted.limit * MANY) as i64;
    let found: i64 = c.one(
        "select count(*) from (select 1 from customers where site_id = :site and last_at >= :from limit :most)",
        named_params! {":from": wanted.span.times(zone).0.ms(), ":most": most},
    )?;
    Ok(found >= most)
}

/// Rows that the filters take, until the page is full.
struct Taken<'a> {
    c: &'a SiteConn<'a>,
    zone: &'a Zone,
    wanted: &'a Wanted,
    places: Vec<Place>,
    failed: Option<Error>,
}

impl Taken<'_> {
    fn add(&mut self, row: &Row) -> rusqlite::Result<bool> {
        let place = read(row)?;
        match takes(self.c, self.zone, self.wanted, &place) {
            Ok(true) => self.places.push(place),
            Ok(false) => {}
            Err(e) => self.failed = Some(e),
        }
        Ok(self.failed.is_none() && !self.is_full())
    }

    fn is_full(&self) -> bool {
        self.places.len() > self.wanted.limit
    }
}

/// Along the index of the order. Those who have nothing in the currency stand after all others, the youngest first.
fn walked(c: &SiteConn, zone: &Zone, wanted: &Wanted) -> Result<Vec<Place>> {
    let mut taken = Taken { c, zone, wanted, places: Vec::new(), failed: None };
    let start = wanted.cursor.unwrap_or(Cursor { key: Some(i64::MAX), id: i64::MAX });
    if let Some(key) = start.key {
        let plain = named_params! {":key": key, ":id": start.id};
        let valued = named_params! {":key": key, ":id": start.id, ":currency": wanted.currency.code()};
        let sql = match wanted.order {
            Order::Orders => {
                "select contact_id, orders, first_at, last_at, first_conversion, orders from customers
                 where site_id = :site and (orders, contact_id) < (:key, :id) order by orders desc, contact_id desc"
            }
            Order::First => {
                "select contact_id, orders, first_at, last_at, first_conversion, first_at from customers
                 where site_id = :site and (first_at, contact_id) < (:key, :id) order by first_at desc, contact_id desc"
            }
            Order::Last => {
                "select contact_id, orders, first_at, last_at, first_conversion, last_at from customers
                 where site_id = :site and (last_at, contact_id) < (:key, :id) order by last_at desc, contact_id desc"
            }
            Order::Lifetime => {
                "select k.contact_id, k.orders, k.first_at, k.last_at, k.first_conversion, v.net_minor
                 from customer_values v join customers k on k.site_id = v.site_id and k.contact_id = v.contact_id
                 where v.site_id = :site and v.currency = :currency and (v.net_minor, v.contact_id) < (:key, :id)
                 order by v.net_minor desc, v.contact_id desc"
            }
            Order::Average => {
                "select k.contact_id, k.orders, k.first_at, k.last_at, k.first_conversion, v.average_minor
                 from customer_values v join customers k on k.site_id = v.site_id and k.contact_id = v.contact_id
                 where v.site_id = :site and v.currency = :currency and (v.average_minor, v.contact_id) < (:key, :id)
                 order by v.average_minor desc, v.contact_id desc"
            }
        };
        c.scan(sql, if wanted.order.is_of_money() { valued } else { plain }, |row| taken.add(row))?;
    }
    if wanted.order.is_of_money() && taken.failed.is_none() && !taken.is_full() {
        let before = if start.key.is_some() { i64::MAX } else { start.id };
        c.scan(
            "select k.contact_id, k.orders, k.first_at, k.last_at, k.first_conversion, null from customers k
             where k.site_id = :site and k.contact_id < :before and not exists (select 1 from customer_values v
               where v.site_id = k.site_id and v.contact_id = k.contact_id and v.currency = :currency
                 and (:is_average = 0 or v.average_minor is not null))
             order by k.contact_id desc",
            named_params! {":before": before, ":currency": wanted.currency.code(), ":is_average": wanted.order == Order::Average},
            |row| taken.add(row),
        )?;
    }
    taken.failed.map_or(Ok(taken.places), Err)
}

/// Everybody who bought since the first of the days, or whom the search finds; the page is what stands highest of them.
fn gathered(c: &SiteConn, zone: &Zone, wanted: &Wanted) -> Result<Vec<Place>> {
    let mut places = Vec::new();
    each_candidate(c, zone, wanted, |place| {
        if takes(c, zone, wanted, &place)? {
            places.push(place);
        }
        Ok(())
    })?;
    let rank = |p: &Place| (p.key.is_some(), p.key.unwrap_or(0), p.contact);
    if let Some(cursor) = wanted.cursor {
        let mark = (cursor.key.is_some(), cursor.key.unwrap_or(0), cursor.id);
        places.retain(|p| rank(p) < mark);
    }
    places.sort_by_key(|p| std::cmp::Reverse(rank(p)));
    places.truncate(wanted.limit + 1);
    Ok(places)
}

fn each_candidate(c: &SiteConn, zone: &Zone, wanted: &Wanted, mut on: impl FnMut(Place) -> Result<()>) -> Result<()> {
    let (from, to) = wanted.span.times(zone);
    let mut failed = None;
    let mut each = |row: &Row| {
        let mut place = read(row)?;
        let (net, average): (Option<i64>, Option<i64>) = (row.get(6)?, row.get(7)?);
        place.key = match wanted.order {
            Order::Lifetime => net,
            Order::Average => average,
            Order::Orders => Some(place.orders),
            Order::First => Some(place.first_at),
            Order::Last => Some(place.last_at),
        };
        failed = on(place).err();
        Ok(failed.is_none())
    };
    match &wanted.search {
        None => c.scan(
            "select k.contact_id, k.orders, k.first_at, k.last_at, k.first_conversion, null, v.net_minor, v.average_minor from customers k
             left join customer_values v on v.site_id = k.site_id and v.contact_id = k.contact_id and v.currency = :currency
             where k.site_id = :site and k.last_at >= :from and k.first_at < :to",
            named_params! {":from": from.ms(), ":to": to.ms(), ":currency": wanted.currency.code()},
            &mut each,
        )?,
        Some(text) => {
            let text = text.to_lowercase();
            c.scan(
                "select k.contact_id, k.orders, k.first_at, k.last_at, k.first_conversion, null, v.net_minor, v.average_minor
                 from (select distinct contact_id from identities
                       where site_id = :site and kind in ('email', 'phone', 'customer_id') and value >= :text and value < :end limit :most) i
                 join customers k on k.site_id = :site and k.contact_id = i.contact_id
                 left join customer_values v on v.site_id = k.site_id and v.contact_id = k.contact_id and v.currency = :currency",
                named_params! {":text": text, ":end": format!("{text}\u{10ffff}"), ":most": MOST_FOUND, ":currency": wanted.currency.code()},
                &mut each,
            )?
        }
    }
    failed.map_or(Ok(()), Err)
}

fn takes(c: &SiteConn, zone: &Zone, wanted: &Wanted, place: &Place) -> Result<bool> {
    let (from, to) = wanted.span.times(zone);
    let (from, to) = (from.ms(), to.ms());
    if place.contact < 0 && !wanted.with_erased {
        return Ok(false);
    }
    let is_open = wanted.span == Span::default();
    let is_buyer = match wanted.buyer {
        None => true,
        Some(buyer) => (buyer_of(place, from, is_open) == buyer) && place.first_at < to,
    };
    if !is_buyer || !(is_open || bought_between(c, place, from, to)?) {
        return Ok(false);
    }
    if wanted.source.is_open() {
        return Ok(true);
    }
    let source: Option<Option<String>> = c.find(
        "select first_source from conversions where site_id = :site and id = :id",
        named_params! {":id": place.first_conversion},
        |row| row.get(0),
    )?;
    Ok(wanted.source.admits(source.flatten().as_deref().unwrap_or(UNATTRIBUTED)))
}
