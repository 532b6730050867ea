//! What waited and is not sent any more.

use rusqlite::named_params;

use super::super::scope::SiteConn;
use super::CHECKING;
use crate::domain::ids::{ConnectionId, ConversionId, DeliveryId};
use crate::domain::time::Time;
use crate::error::Result;

/// Ends what waits for a conversion.
pub fn cancel_waiting(c: &SiteConn, conversion: ConversionId, reason: &str, now: Time) -> Result<usize> {
    c.execute(
        "update deliveries set state = 'cancelled', reason = :reason, next_at = null, owner = null, settled_at = :now
         where site_id = :site and conversion_id = :conversion and state in ('pending', 'leased', 'held')",
        named_params! {":conversion": conversion.number(), ":reason": reason, ":now": now.ms()},
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
