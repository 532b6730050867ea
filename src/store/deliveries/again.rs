//! Deliveries that are sent again by the owner's hand: which may be, and how they come back into the queue.

use rusqlite::named_params;

use super::super::scope::SiteConn;
use super::{Delivery, OWN_REPORT, REVERSED};
use crate::domain::ids::DeliveryId;
use crate::domain::outgoing::Mode;
use crate::domain::time::Time;
use crate::error::Result;

/// Those to a platform since a time that did not arrive and no longer wait, the oldest first.
pub fn list_undelivered_since(c: &SiteConn, platform: &str, since: Time, limit: i64) -> Result<Vec<DeliveryId>> {
    c.list(
        "select id from deliveries where site_id = :site and created_at >= :since and platform = :platform
           and state in ('skipped', 'refused', 'dead', 'held', 'cancelled') order by created_at, id limit :limit",
        named_params! {":since": since.ms(), ":platform": platform, ":limit": limit},
        |row| Ok(DeliveryId::new(row.get(0)?)),
    )
}

/// To be sent again, with its event id. What a refusal of consent, an erasure or a reversal ended stays ended, and so
/// does what does not count, what the platform told itself, or that a sale went back which holds.
pub fn replay(c: &SiteConn, id: DeliveryId, mode: Mode, at: Time) -> Result<bool> {
    let changed = c.execute(
        "update deliveries set state = 'pending', reason = null, mode = :mode, attempts = 0, next_at = :at, owner = null, step = null,
           unknown_at = null, settled_at = null
         where site_id = :site and id = :id and state not in ('pending', 'leased')
           and not (state in ('cancelled', 'skipped') and reason in ('consent', 'erased', 'not_counted', 'reversed', 'own_report', 'united'))
           and not (state = 'cancelled' and reason = 'sale_holds' and (select v.status from conversions v
             where v.site_id = :site and v.id = deliveries.conversion_id) not in ('cancelled', 'refunded'))
           and conversion_id not in (select v.id from conversions v
             where v.site_id = :site and v.id = deliveries.conversion_id and v.erased_at is not null)",
        named_params! {":id": id.number(), ":mode": mode.word(), ":at": at.ms()},
    )?;
    Ok(changed > 0)
}

/// Whether `replay` would do anything.
pub fn may_replay(c: &SiteConn, delivery: &Delivery) -> Result<bool> {
    let erased = c.find(
        "select 1 from conversions where site_id = :site and id = :id and erased_at is not null",
        named_params! {":id": delivery.conversion.number()},
        |_| Ok(()),
    )?;
    Ok(erased.is_none() && is_replayable(delivery))
}

fn is_replayable(delivery: &Delivery) -> bool {
    let is_ended = matches!(delivery.state.as_str(), "cancelled" | "skipped")
        && matches!(delivery.reason.as_deref(), Some("consent" | "erased" | "not_counted" | "united" | OWN_REPORT | REVERSED));
    !is_ended && !matches!(delivery.state.as_str(), "pending" | "leased")
}
