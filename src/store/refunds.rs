//! Money that went back, one row a refund, whether or not its order is known yet.

use rusqlite::named_params;

use super::scope::SiteConn;
use crate::domain::fact::Refund;
use crate::domain::ids::RefundId;
use crate::domain::money::{Currency, Money};
use crate::domain::time::Time;
use crate::error::Result;

/// How new a telling is: by the shop's own time of change, and at the same time by when we read it there; 0 was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ToldAt {
    pub modified_at: Time,
    pub read_at: i64,
}

impl ToldAt {
    /// Older than any telling.
    pub fn never() -> Self {
        Self { modified_at: Time::from_ms(0), read_at: 0 }
    }
}

pub struct Heard<'a> {
    pub connection: i64,
    /// Both with the platform in front where one door brings several shops.
    pub order_external_id: &'a str,
    pub external_id: &'a str,
    pub refund: &'a Refund,
    pub told_at: ToldAt,
    pub received_at: Time,
}

/// Keeps what a telling says of a refund: the newest amount, the earliest time. An erased order's reason is not filled in.
pub fn save(c: &SiteConn, new: &Heard, is_erased: bool) -> Result<()> {
    let id = match find(c, new.connection, new.external_id)? {
        Some(id) => id.number(),
        None => c.next_number("refund")?,
    };
    c.execute(
        "insert into refunds (site_id, id, connection_id, order_external_id, external_id, amount_minor, currency, happened_at, told_at,
           told_read_at, received_at, reason)
         values (:site, :id, :connection, :order, :external, :amount, :currency, :at, :told, :read, :received, :reason)
         on conflict (site_id, id) do update set
           amount_minor = iif((excluded.told_at, excluded.told_read_at) >= (told_at, told_read_at), excluded.amount_minor, amount_minor),
           currency = iif((excluded.told_at, excluded.told_read_at) >= (told_at, told_read_at), excluded.currency, currency),
           happened_at = min(happened_at, excluded.happened_at), reason = coalesce(excluded.reason, reason),
           told_read_at = iif((excluded.told_at, excluded.told_read_at) >= (told_at, told_read_at), excluded.told_read_at, told_read_at),
           told_at = max(told_at, excluded.told_at)",
        named_params! {":id": id, ":connection": new.connection, ":order": new.order_external_id, ":external": new.external_id,
        ":amount": new.refund.amount.minor, ":currency": new.refund.amount.currency.code(), ":at": new.refund.happened_at.ms(),
        ":told": new.told_at.modified_at.ms(), ":read": new.told_at.read_at, ":received": new.received_at.ms(),
        ":reason": new.refund.reason.as_deref().filter(|_| !is_erased)},
    )?;
    Ok(())
}

fn find(c: &SiteConn, connection: i64, external_id: &str) -> Result<Option<RefundId>> {
    c.find(
        "select id from refunds where site_id = :site and connection_id = :connection and external_id = :external",
        named_params! {":connection": connection, ":external": external_id},
        |row| Ok(RefundId::new(row.get(0)?)),
    )
}

/// A refund as it is known now.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    pub id: RefundId,
    pub external_id: String,
    pub amount: Money,
    pub happened_at: Time,
    pub told_at: ToldAt,
}

pub fn list_of_order(c: &SiteConn, connection: i64, order_external_id: &str) -> Result<Vec<Known>> {
    let rows: Vec<Option<Known>> = c.list(
        "select id, external_id, amount_minor, currency, happened_at, told_at, told_read_at from refunds
         where site_id = :site and connection_id = :connection and order_external_id = :order order by happened_at, external_id",
        named_params! {":connection": connection, ":order": order_external_id},
        read,
    )?;
    Ok(rows.into_iter().flatten().collect())
}

fn read(row: &rusqlite::Row) -> rusqlite::Result<Option<Known>> {
    let code: String = row.get(3)?;
    let Some(currency) = Currency::parse(&code) else { return Ok(None) };
    Ok(Some(Known {
        id: RefundId::new(row.get(0)?),
        external_id: row.get(1)?,
        amount: Money::new(row.get(2)?, currency),
        happened_at: Time::from_ms(row.get(4)?),
        told_at: ToldAt { modified_at: Time::from_ms(row.get(5)?), read_at: row.get(6)? },
    }))
}
