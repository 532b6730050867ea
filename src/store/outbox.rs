//! Deliveries that wait since a backup was restored: the platforms may have had them already, so nobody sends them
//! before the owner says so.

use rusqlite::named_params;

use super::scope::{AllSites, SiteConn};
use crate::domain::ids::ConnectionId;
use crate::domain::time::Time;
use crate::error::Result;

/// What waits since a restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Held {
    pub count: i64,
    pub oldest_at: Option<Time>,
    pub newest_at: Option<Time>,
}

/// Holds what waited in the restored file and is older than `until`; all of it without one. A lease of that time may have
/// been sent.
pub fn hold(all: &AllSites, until: Option<Time>, now: Time) -> Result<usize> {
    all.execute(
        "update deliveries set state = 'held', reason = 'restored', owner = null, next_at = null, settled_at = :now,
           unknown_at = case when state = 'leased' then coalesce(unknown_at, :now) else unknown_at end
         where state in ('pending', 'leased') and (:until is null or created_at < :until)",
        named_params! {":now": now.ms(), ":until": until.map(Time::ms)},
    )
}

/// Gives back to the queue of a connection what was made since a time; all of it without one.
pub fn release(c: &SiteConn, connection: ConnectionId, since: Option<Time>, next_at: Option<Time>) -> Result<usize> {
    c.execute(
        "update deliveries set state = 'pending', reason = null, next_at = :next, settled_at = null
         where site_id = :site and connection_id = :connection and state = 'held' and reason = 'restored'
           and (:since is null or created_at >= :since)",
        named_params! {":connection": connection.number(), ":since": since.map(Time::ms), ":next": next_at.map(Time::ms)},
    )
}

pub fn held(c: &SiteConn) -> Result<Held> {
    let found = c.find(
        "select count(d.id), min(d.created_at), max(d.created_at) from connections k
         join deliveries d on d.site_id = :site and d.connection_id = k.id and d.state = 'held' and d.reason = 'restored'
         where k.site_id = :site",
        &[],
        |row| {
            let (oldest, newest): (Option<i64>, Option<i64>) = (row.get(1)?, row.get(2)?);
            Ok(Held { count: row.get(0)?, oldest_at: oldest.map(Time::from_ms), newest_at: newest.map(Time::from_ms) })
        },
    )?;
    Ok(found.unwrap_or_default())
}
