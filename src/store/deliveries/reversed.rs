//! What waits of a sale that went back, and of one that holds again.

use rusqlite::named_params;

use super::super::scope::SiteConn;
use super::{REVERSED, SALE_HOLDS};
use crate::domain::ids::ConversionId;
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

/// Ends what waits to tell that a sale went back as a whole: it holds after all.
pub fn cancel_ends(c: &SiteConn, conversion: ConversionId, now: Time) -> Result<usize> {
    c.execute(
        "update deliveries set state = 'cancelled', reason = :reason, next_at = null, owner = null, settled_at = :now
         where site_id = :site and conversion_id = :conversion and state in ('pending', 'held')
           and event_id in (select event_id from reversals where site_id = :site and conversion_id = :conversion and refund_id is null)",
        named_params! {":conversion": conversion.number(), ":reason": SALE_HOLDS, ":now": now.ms()},
    )
}

/// The sale holds after all: what was cancelled because it went back waits again.
pub fn revive(c: &SiteConn, conversion: ConversionId, now: Time) -> Result<usize> {
    c.execute(
        "update deliveries set state = 'pending', reason = null, next_at = :now, settled_at = null
         where site_id = :site and conversion_id = :conversion and state = 'cancelled' and reason = :reason",
        named_params! {":conversion": conversion.number(), ":reason": REVERSED, ":now": now.ms()},
    )
}
