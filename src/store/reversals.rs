//! What each destination is told of money that went back: of a single refund, of what was left of an order that ended, and
//! that money counts again after all.

use rusqlite::{Row, named_params};

use super::scope::SiteConn;
use crate::domain::ids::{ConnectionId, ConversionId, RefundId};
use crate::domain::money::{Currency, Money};
use crate::domain::time::Time;
use crate::error::Result;

pub struct NewReversal<'a> {
    pub conversion: ConversionId,
    pub connection: ConnectionId,
    /// None where the order itself ended, or counts again.
    pub refund: Option<RefundId>,
    /// None where another telling had said it all.
    pub event_id: Option<&'a str>,
    /// Below 0 where money counts again.
    pub amount: Money,
    pub happened_at: Time,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Reversal {
    /// Its number within the conversion, in the order of planning.
    pub n: i64,
    pub connection: ConnectionId,
    pub refund: Option<RefundId>,
    pub event_id: Option<String>,
    /// 0 where there is nothing to tell, or not any more.
    pub amount: Money,
    pub happened_at: Time,
    /// The sale has come back since: it was told, and explains nothing any more.
    pub is_past: bool,
}

const COLUMNS: &str = "n, connection_id, refund_id, event_id, amount_minor, currency, happened_at, is_past";

pub fn add(c: &SiteConn, new: &NewReversal) -> Result<()> {
    c.execute(
        "insert into reversals (site_id, conversion_id, n, connection_id, refund_id, event_id, amount_minor, currency, happened_at)
         select :site, :conversion, coalesce(max(n), 0) + 1, :connection, :refund, :event, :amount, :currency, :at
         from reversals where site_id = :site and conversion_id = :conversion",
        named_params! {":conversion": new.conversion.number(), ":connection": new.connection.number(),
        ":refund": new.refund.map(RefundId::number), ":event": new.event_id, ":amount": new.amount.minor,
        ":currency": new.amount.currency.code(), ":at": new.happened_at.ms()},
    )?;
    Ok(())
}

/// What all destinations are told of a conversion.
pub fn list_of_conversion(c: &SiteConn, conversion: ConversionId) -> Result<Vec<Reversal>> {
    let rows: Vec<Option<Reversal>> = c.list(
        &format!("select {COLUMNS} from reversals where site_id = :site and conversion_id = :conversion order by n"),
        named_params! {":conversion": conversion.number()},
        read,
    )?;
    Ok(rows.into_iter().flatten().collect())
}

/// What a destination hears of under this event id. The day of a refund is the earliest that was told since.
pub fn find_by_event(c: &SiteConn, connection: ConnectionId, event_id: &str) -> Result<Option<Reversal>> {
    let found: Option<Option<Reversal>> = c.find(
        "select n, connection_id, refund_id, event_id, amount_minor, currency,
           coalesce((select f.happened_at from refunds f where f.site_id = :site and f.id = refund_id), happened_at), is_past
         from reversals where site_id = :site and connection_id = :connection and event_id = :event",
        named_params! {":connection": connection.number(), ":event": event_id},
        read,
    )?;
    Ok(found.flatten())
}

/// What waits is told for less, or not at all: then its refund, should it count again, is told anew.
pub fn set_amount(c: &SiteConn, conversion: ConversionId, n: i64, minor: i64) -> Result<()> {
    c.execute(
        "update reversals set amount_minor = :minor, refund_id = iif(:minor = 0, null, refund_id)
         where site_id = :site and conversion_id = :conversion and n = :n",
        named_params! {":conversion": conversion.number(), ":n": n, ":minor": minor},
    )?;
    Ok(())
}

/// It was told, and the sale has come back since.
pub fn set_past(c: &SiteConn, conversion: ConversionId, n: i64) -> Result<()> {
    c.execute(
        "update reversals set is_past = 1 where site_id = :site and conversion_id = :conversion and n = :n",
        named_params! {":conversion": conversion.number(), ":n": n},
    )?;
    Ok(())
}

fn read(row: &Row) -> rusqlite::Result<Option<Reversal>> {
    let code: String = row.get(5)?;
    let Some(currency) = Currency::parse(&code) else { return Ok(None) };
    let refund: Option<i64> = row.get(2)?;
    Ok(Some(Reversal {
        n: row.get(0)?,
        connection: ConnectionId::new(row.get(1)?),
        refund: refund.map(RefundId::new),
        event_id: row.get(3)?,
        amount: Money::new(row.get(4)?, currency),
        happened_at: Time::from_ms(row.get(6)?),
        is_past: row.get(7)?,
    }))
}
