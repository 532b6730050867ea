//! What destinations are told of money that went back: of a single refund, or of what was left of an order that ended.

use rusqlite::{Row, named_params};

use super::scope::SiteConn;
use crate::domain::ids::{ConversionId, RefundId};
use crate::domain::money::{Currency, Money};
use crate::domain::time::Time;
use crate::error::Result;

#[derive(Debug, Clone, PartialEq)]
pub struct Reversal {
    /// None where the order itself ended.
    pub refund: Option<RefundId>,
    /// None where another telling had said it all.
    pub event_id: Option<String>,
    /// 0 where there is nothing to tell, or not any more.
    pub amount: Money,
    pub happened_at: Time,
}

pub fn add(c: &SiteConn, conversion: ConversionId, new: &Reversal) -> Result<()> {
    c.execute(
        "insert into reversals (site_id, conversion_id, n, refund_id, event_id, amount_minor, currency, happened_at)
         select :site, :conversion, coalesce(max(n), 0) + 1, :refund, :event, :amount, :currency, :at
         from reversals where site_id = :site and conversion_id = :conversion",
        named_params! {":conversion": conversion.number(), ":refund": new.refund.map(RefundId::number), ":event": new.event_id,
        ":amount": new.amount.minor, ":currency": new.amount.currency.code(), ":at": new.happened_at.ms()},
    )?;
    Ok(())
}

pub fn list_of_conversion(c: &SiteConn, conversion: ConversionId) -> Result<Vec<Reversal>> {
    let rows: Vec<Option<Reversal>> = c.list(
        "select refund_id, event_id, amount_minor, currency, happened_at from reversals
         where site_id = :site and conversion_id = :conversion order by n",
        named_params! {":conversion": conversion.number()},
        read,
    )?;
    Ok(rows.into_iter().flatten().collect())
}

/// What destinations hear of under this event id. The day of a refund is the earliest that was told since.
pub fn find_by_event(c: &SiteConn, event_id: &str) -> Result<Option<Reversal>> {
    let found: Option<Option<Reversal>> = c.find(
        "select refund_id, event_id, amount_minor, currency,
           coalesce((select f.happened_at from refunds f where f.site_id = :site and f.id = refund_id), happened_at)
         from reversals where site_id = :site and event_id = :event",
        named_params! {":event": event_id},
        read,
    )?;
    Ok(found.flatten())
}

/// The sale holds after all. What nobody has heard of its end was never said: should money go back again, it is told then.
pub fn forget_untold(c: &SiteConn, conversion: ConversionId) -> Result<()> {
    c.execute(
        "update reversals set amount_minor = 0, refund_id = null where site_id = :site and conversion_id = :conversion
           and not exists (select 1 from deliveries d where d.site_id = :site and d.conversion_id = :conversion and d.event_id = reversals.event_id
             and (d.state not in ('skipped', 'refused', 'dead', 'cancelled') or d.reason = 'shadow'))",
        named_params! {":conversion": conversion.number()},
    )?;
    Ok(())
}

fn read(row: &Row) -> rusqlite::Result<Option<Reversal>> {
    let code: String = row.get(3)?;
    let Some(currency) = Currency::parse(&code) else { return Ok(None) };
    let refund: Option<i64> = row.get(0)?;
    Ok(Some(Reversal {
        refund: refund.map(RefundId::new),
        event_id: row.get(1)?,
        amount: Money::new(row.get(2)?, currency),
        happened_at: Time::from_ms(row.get(4)?),
    }))
}
