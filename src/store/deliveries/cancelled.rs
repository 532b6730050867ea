//! What waited and is not sent any more, and what arrived although it was called back on its way.

use rusqlite::named_params;

use super::super::scope::SiteConn;
use super::{CHECKING, Settled, Took};
use crate::domain::ids::{ConnectionId, ConversionId, DeliveryId};
use crate::domain::time::Time;
use crate::error::Result;

/// Ends what waits for a conversion. What a platform has taken already, and is only asked about, did not wait.
pub fn cancel_waiting(c: &SiteConn, conversion: ConversionId, reason: &str, now: Time) -> Result<usize> {
    c.execute(
        "update deliveries set state = 'cancelled', reason = :reason, next_at = null, owner = null, settled_at = :now
         where site_id = :site and conversion_id = :conversion and state in ('pending', 'leased', 'held')
           and coalesce(reason, '') <> :checking",
        named_params! {":conversion": conversion.number(), ":reason": reason, ":now": now.ms(), ":checking": CHECKING},
    )
}

/// Ends one that waits.
pub fn cancel(c: &SiteConn, id: DeliveryId, reason: &str, now: Time) -> Result<bool> {
    let changed = c.execute(
        "update deliveries set state = 'cancelled', reason = :reason, next_at = null, owner = null, settled_at = :now
         where site_id = :site and id = :id and state in ('pending', 'leased', 'held')",
        named_params! {":id": id.number(), ":reason": reason, ":now": now.ms()},
    )?;
    Ok(changed > 0)
}

/// One that was called back while its request was on its way stays so, but what became of it is the truth: taken, or without
/// an answer. Nothing is kept of somebody who was erased meanwhile.
pub(super) fn arrived(c: &SiteConn, id: DeliveryId, s: &Settled) -> Result<bool> {
    let is_taken = matches!(s.told, Took::It(_));
    if !is_taken && s.unknown_at.is_none() {
        return Ok(false);
    }
    let told = if let Took::It(money) = s.told { money } else { None };
    let changed = c.execute(
        "update deliveries set mode = :mode, taken_at = iif(:taken, :now, taken_at), unknown_at = coalesce(:unknown, unknown_at),
           told_minor = coalesce(:told, told_minor), told_currency = coalesce(:currency, told_currency),
           request = coalesce(:request, request), response = coalesce(:response, response)
         where site_id = :site and id = :id and state = 'cancelled' and coalesce(reason, '') <> 'erased'
           and conversion_id not in (select v.id from conversions v
             where v.site_id = :site and v.id = deliveries.conversion_id and v.erased_at is not null)",
        named_params! {":id": id.number(), ":mode": s.mode.word(), ":taken": is_taken, ":now": s.now.ms(),
        ":unknown": s.unknown_at.map(Time::ms), ":told": told.map(|m| m.minor), ":currency": told.map(|m| m.currency.code().to_owned()),
        ":request": s.request.map(ToString::to_string), ":response": s.response.map(ToString::to_string)},
    )?;
    Ok(changed > 0)
}

/// Ends all that wait for a connection that is removed. What the platform has already stays with it, and is asked about no
/// more.
pub fn cancel_connection(c: &SiteConn, connection: ConnectionId, now: Time) -> Result<usize> {
    c.execute(
        "update deliveries set state = 'accepted', reason = null, next_at = null, owner = null, step = null
         where site_id = :site and connection_id = :connection and state in ('accepted', 'leased') and reason = :checking",
        named_params! {":connection": connection.number(), ":checking": CHECKING},
    )?;
    c.execute(
        "update deliveries set state = 'cancelled', reason = 'disabled', next_at = null, owner = null, settled_at = :now
         where site_id = :site and connection_id = :connection and state in ('pending', 'leased', 'held')",
        named_params! {":connection": connection.number(), ":now": now.ms()},
    )
}
