//! Orders as their shop told them last.

use rusqlite::{Row, named_params};

use super::refunds::ToldAt;
use super::scope::SiteConn;
use crate::domain::conversion::order_key;
use crate::domain::fact::{Order, OrderStatus, ShopTouch};
use crate::domain::ids::{ContactId, ConversionId, OrderId, SessionId};
use crate::domain::money::{Currency, Money};
use crate::domain::time::Time;
use crate::error::{Error, Result};

#[derive(Debug, Clone)]
pub struct KnownOrder {
    pub id: OrderId,
    pub is_paid: bool,
    pub modified_at: Time,
    pub conversion: Option<ConversionId>,
    pub is_erased: bool,
    pub is_over: bool,
    pub ended_at: Option<Time>,
    /// The newest whole list of its refunds.
    pub refunds_at: ToldAt,
    /// The shop has told where its buyer came from.
    pub has_journey: bool,
    /// How many lines are known of it.
    pub lines: usize,
    /// It has named the order's number, and not only its own.
    pub has_number: bool,
    /// Its visit, or its person, is known.
    pub has_session: bool,
    pub has_contact: bool,
}

pub fn find_by_external_id(c: &SiteConn, connection: i64, external_id: &str) -> Result<Option<KnownOrder>> {
    c.find(
        "select id, is_paid, modified_at, conversion_id, erased_at is not null, is_gone = 1 or state in ('cancelled', 'refunded'), ended_at,
           refunds_at, refunds_read_at, journey is not null and journey <> '[]', json_array_length(items),
           order_number <> external_id and external_id <> platform || ':' || order_number, session_id is not null, contact_id is not null
         from orders where site_id = :site and connection_id = :connection and external_id = :external",
        named_params! {":connection": connection, ":external": external_id},
        |row| {
            let (conversion, ended): (Option<i64>, Option<i64>) = (row.get(3)?, row.get(6)?);
            Ok(KnownOrder {
                id: OrderId::new(row.get(0)?),
                is_paid: row.get(1)?,
                modified_at: Time::from_ms(row.get(2)?),
                conversion: conversion.map(ConversionId::new),
                is_erased: row.get(4)?,
                is_over: row.get(5)?,
                ended_at: ended.map(Time::from_ms),
                refunds_at: ToldAt { modified_at: Time::from_ms(row.get(7)?), read_at: row.get(8)? },
                has_journey: row.get(9)?,
                lines: row.get::<_, u32>(10)? as usize,
                has_number: row.get(11)?,
                has_session: row.get(12)?,
                has_contact: row.get(13)?,
            })
        },
    )
}

pub struct Filed<'a> {
    pub connection: i64,
    /// With the platform in front where one door brings several shops.
    pub external_id: &'a str,
    pub order: &'a Order,
    pub contact: Option<ContactId>,
    pub session: Option<SessionId>,
    pub received_at: Time,
    /// Stays true once it was.
    pub is_paid: bool,
    pub is_gone: bool,
    pub ended_at: Option<Time>,
    /// Told of somebody who was erased since.
    pub erased_at: Option<Time>,
    /// Found by a pull; none where somebody told us.
    pub found_at: Option<Time>,
    /// A whole list of its refunds came with it: what it lacks has been taken back. Noughts where none came.
    pub refunds_at: ToldAt,
}

/// Of two tellings of the same change, the one with more lines has them all.
pub fn save(c: &SiteConn, known: Option<&KnownOrder>, new: &Filed) -> Result<OrderId> {
    let o = new.order;
    let p = &o.person;
    let id = match known {
        Some(known) => known.id.number(),
        None => c.next_number("order")?,
    };
    let items = serde_json::to_string(&o.items).map_err(Error::internal)?;
    let coupons = serde_json::to_string(&o.traces.coupons).map_err(Error::internal)?;
    let journey = serde_json::to_string(&o.journey).map_err(Error::internal)?;
    let minor = |part: &Option<Money>| part.filter(|m| m.currency == o.total.currency).map(|m| m.minor);
    c.execute(
        "insert into orders (site_id, id, connection_id, platform, external_id, order_number, order_key, rank, contact_id, email, phone, first_name, last_name,
           customer_id, status, state, is_paid, is_test, is_gone, total_minor, tax_minor, shipping_minor, discount_minor, currency, items, coupons, journey,
           session_id, country, created_at, modified_at, ended_at, received_at, erased_at, found_at, refunds_at, refunds_read_at)
         values (:site, :id, :connection, :platform, :external, :number, :order_key, :rank, :contact, :email, :phone, :first, :last,
           :customer, :status, :state, :paid, :test, :gone, :total, :tax, :shipping, :discount, :currency, :items, :coupons, :journey,
           :session, :country, :created, :modified, :ended, :received, :erased, :found, :refunds_at, :refunds_read)
         on conflict (site_id, id) do update set status = excluded.status, state = excluded.state, is_paid = max(is_paid, excluded.is_paid), is_test = excluded.is_test,
           is_gone = excluded.is_gone, ended_at = excluded.ended_at, total_minor = excluded.total_minor,
           tax_minor = coalesce(excluded.tax_minor, tax_minor), shipping_minor = coalesce(excluded.shipping_minor, shipping_minor),
           discount_minor = coalesce(excluded.discount_minor, discount_minor), journey = iif(excluded.journey = '[]', journey, excluded.journey),
           currency = excluded.currency, coupons = excluded.coupons,
           items = iif(excluded.modified_at = modified_at and json_array_length(items) > json_array_length(excluded.items), items, excluded.items),
           email = coalesce(excluded.email, email), phone = coalesce(excluded.phone, phone), first_name = coalesce(excluded.first_name, first_name),
           last_name = coalesce(excluded.last_name, last_name), contact_id = coalesce(excluded.contact_id, contact_id),
           session_id = coalesce(session_id, excluded.session_id), modified_at = excluded.modified_at,
           found_at = iif(excluded.found_at is null, null, found_at),
           refunds_at = iif((excluded.refunds_at, excluded.refunds_read_at) > (refunds_at, refunds_read_at), excluded.refunds_at, refunds_at),
           refunds_read_at =
             iif((excluded.refunds_at, excluded.refunds_read_at) > (refunds_at, refunds_read_at), excluded.refunds_read_at, refunds_read_at)",
        named_params! {":id": id, ":connection": new.connection, ":platform": o.platform, ":external": new.external_id, ":number": o.order_number,
            ":order_key": order_key(&o.order_number), ":rank": o.rank.number(), ":state": o.status.word(),
            ":contact": new.contact.map(ContactId::number), ":email": p.email.as_ref().map(|e| e.as_str()),
            ":phone": p.phone.as_ref().map(|e| e.as_str()), ":first": p.first_name, ":last": p.last_name, ":customer": p.customer_id,
            ":status": o.raw_status, ":paid": new.is_paid, ":test": o.is_test, ":total": o.total.minor, ":currency": o.total.currency.code(),
            ":gone": new.is_gone, ":tax": minor(&o.tax), ":shipping": minor(&o.shipping), ":discount": minor(&o.discount),
            ":journey": journey, ":ended": new.ended_at.map(Time::ms),
            ":items": items, ":coupons": coupons, ":session": new.session.map(SessionId::number), ":country": p.country,
            ":created": o.happened_at.ms(), ":modified": o.modified_at.ms(), ":received": new.received_at.ms(),
            ":erased": new.erased_at.map(Time::ms), ":found": new.found_at.map(Time::ms),
            ":refunds_at": new.refunds_at.modified_at.ms(), ":refunds_read": new.refunds_at.read_at},
    )?;
    Ok(OrderId::new(id))
}

/// An older telling says that money has come in.
pub fn set_paid(c: &SiteConn, id: OrderId) -> Result<()> {
    c.execute("update orders set is_paid = 1 where site_id = :site and id = :id", named_params! {":id": id.number()})?;
    Ok(())
}

/// The number of the order that a payment was for, where it had named none.
pub fn learn_number(c: &SiteConn, id: OrderId, number: &str) -> Result<()> {
    c.execute(
        "update orders set order_number = :number, order_key = :key 
         where site_id = :site and id = :id and (order_number = external_id or external_id = platform || ':' || order_number)",
        named_params! {":id": id.number(), ":number": number, ":key": order_key(number)},
    )?;
    Ok(())
}

pub fn set_conversion(c: &SiteConn, id: OrderId, conversion: ConversionId) -> Result<()> {
    c.execute(
        "update orders set conversion_id = :conversion where site_id = :site and id = :id",
        named_params! {":conversion": conversion.number(), ":id": id.number()},
    )?;
    Ok(())
}

/// Whether a sale that was just made has no other order, and an order no refund that came before it.
pub fn is_alone(c: &SiteConn, sale: ConversionId, connection: i64, external_id: &str) -> Result<bool> {
    c.one(
        "select not exists (select 1 from orders where site_id = :site and conversion_id = :sale)
           and not exists (select 1 from refunds where site_id = :site and connection_id = :connection and order_external_id = :external)",
        named_params! {":sale": sale.number(), ":connection": connection, ":external": external_id},
    )
}

/// It is the one order of its sale, and nothing went back.
pub fn set_sold(c: &SiteConn, id: OrderId, sale: ConversionId) -> Result<()> {
    c.execute(
        "update orders set conversion_id = :sale, net_minor = total_minor where site_id = :site and id = :id",
        named_params! {":sale": sale.number(), ":id": id.number()},
    )?;
    Ok(())
}

/// A hook has told of it after all.
pub fn set_told(c: &SiteConn, id: OrderId) -> Result<()> {
    c.execute(
        "update orders set found_at = null where site_id = :site and id = :id and found_at is not null",
        named_params! {":id": id.number()},
    )?;
    Ok(())
}

/// A whole list of an order's refunds: what it lacks has been taken back.
pub fn set_refunds_at(c: &SiteConn, id: OrderId, at: ToldAt) -> Result<()> {
    c.execute(
        "update orders set refunds_at = :at, refunds_read_at = :read
         where site_id = :site and id = :id and (refunds_at, refunds_read_at) <= (:at, :read)",
        named_params! {":at": at.modified_at.ms(), ":read": at.read_at, ":id": id.number()},
    )?;
    Ok(())
}

/// An older telling, or one of its end alone, knows better when it ended.
pub fn set_ended(c: &SiteConn, id: OrderId, at: Time) -> Result<()> {
    c.execute(
        "update orders set ended_at = min(coalesce(ended_at, :at), :at) where site_id = :site and id = :id",
        named_params! {":at": at.ms(), ":id": id.number()},
    )?;
    Ok(())
}

pub fn set_gone(c: &SiteConn, id: OrderId) -> Result<()> {
    c.execute("update orders set is_gone = 1 where site_id = :site and id = :id", named_params! {":id": id.number()})?;
    Ok(())
}

/// What is left of it, once it is a sale.
pub fn set_net(c: &SiteConn, id: OrderId, net_minor: i64) -> Result<()> {
    c.execute(
        "update orders set net_minor = :net where site_id = :site and id = :id",
        named_params! {":net": net_minor, ":id": id.number()},
    )?;
    Ok(())
}

/// The shop has thrown an order away, whether or not it is known yet.
pub fn add_deletion(c: &SiteConn, connection: i64, external_id: &str, at: Time) -> Result<()> {
    c.execute(
        "insert into order_deletions (site_id, connection_id, order_external_id, at) values (:site, :connection, :external, :at)
         on conflict (site_id, connection_id, order_external_id) do update set at = max(at, excluded.at)",
        named_params! {":connection": connection, ":external": external_id, ":at": at.ms()},
    )?;
    Ok(())
}

pub fn find_deletion(c: &SiteConn, connection: i64, external_id: &str) -> Result<Option<Time>> {
    c.find(
        "select at from order_deletions where site_id = :site and connection_id = :connection and order_external_id = :external",
        named_params! {":connection": connection, ":external": external_id},
        |row| Ok(Time::from_ms(row.get(0)?)),
    )
}

/// What an order says of its sale now.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderWord {
    pub id: OrderId,
    pub connection: i64,
    pub platform: String,
    pub external_id: String,
    pub rank: i64,
    pub status: OrderStatus,
    pub raw_status: String,
    pub total: Money,
    pub contact: Option<ContactId>,
    pub session: Option<SessionId>,
    pub happened_at: Time,
    pub modified_at: Time,
    /// Money had come in by its word, whatever became of it since.
    pub was_paid: bool,
    pub is_gone: bool,
    pub ended_at: Option<Time>,
    pub refunds_at: ToldAt,
}

impl OrderWord {
    /// Nothing is left of the sale.
    pub fn is_over(&self) -> bool {
        self.is_gone || self.status.is_reversed()
    }
}

const WORD: &str = "id, connection_id, platform, external_id, rank, state, status, total_minor, currency, contact_id, session_id, created_at, \
    modified_at, is_gone, ended_at, refunds_at, refunds_read_at, is_paid";

/// What all orders of a sale say of it.
pub fn words_of(c: &SiteConn, conversion: ConversionId) -> Result<Vec<OrderWord>> {
    let found: Vec<Option<OrderWord>> = c.list(
        &format!("select {WORD} from orders where site_id = :site and conversion_id = :conversion"),
        named_params! {":conversion": conversion.number()},
        read_word,
    )?;
    Ok(found.into_iter().flatten().collect())
}

/// Orders of this number that ended before anybody told of a sale.
pub fn list_ended(c: &SiteConn, order_key: &str) -> Result<Vec<OrderWord>> {
    let found: Vec<Option<OrderWord>> = c.list(
        &format!(
            "select {WORD} from orders where site_id = :site and order_key = :key and conversion_id is null and (state = 'cancelled' or is_gone = 1) limit 20"
        ),
        named_params! {":key": order_key},
        read_word,
    )?;
    Ok(found.into_iter().flatten().collect())
}

fn read_word(row: &Row) -> rusqlite::Result<Option<OrderWord>> {
    let (state, currency): (String, String) = (row.get(5)?, row.get(8)?);
    let (Some(status), Some(currency)) = (OrderStatus::parse(&state), Currency::parse(&currency)) else { return Ok(None) };
    let (contact, session, ended): (Option<i64>, Option<i64>, Option<i64>) = (row.get(9)?, row.get(10)?, row.get(14)?);
    Ok(Some(OrderWord {
        id: OrderId::new(row.get(0)?),
        connection: row.get(1)?,
        platform: row.get(2)?,
        external_id: row.get(3)?,
        rank: row.get(4)?,
        status,
        raw_status: row.get(6)?,
        total: Money::new(row.get(7)?, currency),
        contact: contact.map(ContactId::new),
        session: session.map(SessionId::new),
        happened_at: Time::from_ms(row.get(11)?),
        modified_at: Time::from_ms(row.get(12)?),
        was_paid: row.get(17)?,
        is_gone: row.get(13)?,
        ended_at: ended.map(Time::from_ms),
        refunds_at: ToldAt { modified_at: Time::from_ms(row.get(15)?), read_at: row.get(16)? },
    }))
}

/// An order as it is told again.
#[derive(Debug, Clone)]
pub struct Remembered {
    pub number: String,
    pub session: Option<SessionId>,
    pub country: Option<String>,
    pub coupons: Vec<String>,
    pub journey: Vec<ShopTouch>,
    pub is_test: bool,
}

pub fn find_remembered(c: &SiteConn, id: OrderId) -> Result<Option<Remembered>> {
    c.find(
        "select order_number, session_id, country, coupons, journey, is_test from orders where site_id = :site and id = :id",
        named_params! {":id": id.number()},
        |row| {
            let (session, coupons, journey): (Option<i64>, String, String) = (row.get(1)?, row.get(3)?, row.get(4)?);
            Ok(Remembered {
                number: row.get(0)?,
                session: session.map(SessionId::new),
                country: row.get(2)?,
                coupons: serde_json::from_str(&coupons).unwrap_or_default(),
                journey: serde_json::from_str(&journey).unwrap_or_default(),
                is_test: row.get(5)?,
            })
        },
    )
}
