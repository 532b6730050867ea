//! What waits of a sale that went back, and of one that holds again.

use rusqlite::named_params;

use super::super::scope::SiteConn;
use super::REVERSED;
use crate::domain::ids::{ConversionId, DeliveryId};
use crate::domain::money::Money;
use crate::domain::outgoing::Mode;
use crate::domain::time::Time;
use crate::error::Result;

/// Ends what waits of a sale that went back; its refunds go on. One that is on its way may arrive, and is then taken back.
pub fn cancel_reversed(c: &SiteConn, conversion: ConversionId, now: Time) -> Result<usize> {
    c.execute(
        "update deliveries set state = 'cancelled', reason = :reason, next_at = null, owner = null, settled_at = :now
         where site_id = :site and conversion_id = :conversion and state in ('pending', 'held')
           and event_id = (select event_id from conversions where site_id = :site and id = :conversion)",
        named_params! {":conversion": conversion.number(), ":reason": REVERSED, ":now": now.ms()},
    )
}

/// What was cancelled because its sale went back says why it really is: then nothing revives it.
pub fn rename_reversed(c: &SiteConn, conversion: ConversionId, reason: &str) -> Result<()> {
    c.execute(
        "update deliveries set reason = :reason where site_id = :site and conversion_id = :conversion and state = 'cancelled' and reason = :was",
        named_params! {":conversion": conversion.number(), ":reason": reason, ":was": REVERSED},
    )?;
    Ok(())
}

/// Ends one that waits to tell that money went back, or that it counts again: it is not so any more. One whose answer never
/// came may have arrived, and then it was for `may_be`.
pub fn end_piece(c: &SiteConn, id: DeliveryId, reason: &str, may_be: Option<Money>, now: Time) -> Result<()> {
    c.execute(
        "update deliveries set state = 'cancelled', reason = :reason, next_at = null, owner = null, settled_at = :now,
           told_minor = coalesce(told_minor, :minor), told_currency = coalesce(told_currency, :currency)
         where site_id = :site and id = :id and state in ('pending', 'held')",
        named_params! {":id": id.number(), ":reason": reason, ":now": now.ms(), ":minor": may_be.map(|m| m.minor),
        ":currency": may_be.map(|m| m.currency.code().to_owned())},
    )?;
    Ok(())
}

/// Money that went back is told after all: its sale is.
pub fn release_piece(c: &SiteConn, id: DeliveryId, mode: Mode, next_at: Option<Time>) -> Result<()> {
    c.execute(
        "update deliveries set state = 'pending', reason = null, mode = :mode, next_at = :next, settled_at = null
         where site_id = :site and id = :id and state = 'skipped'",
        named_params! {":id": id.number(), ":mode": mode.word(), ":next": next_at.map(Time::ms)},
    )?;
    Ok(())
}

/// The sale holds after all: what was cancelled because it went back waits again.
pub fn revive(c: &SiteConn, conversion: ConversionId, now: Time) -> Result<usize> {
    c.execute(
        "update deliveries set state = 'pending', reason = null, next_at = :now, settled_at = null
         where site_id = :site and conversion_id = :conversion and state = 'cancelled' and reason = :reason",
        named_params! {":conversion": conversion.number(), ":reason": REVERSED, ":now": now.ms()},
    )
}
