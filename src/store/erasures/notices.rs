//! Destinations that had heard of an erased person, and what became of telling them.

use rusqlite::{Row, named_params};

use super::super::scope::SiteConn;
use crate::domain::ids::{ConnectionId, ErasureId};
use crate::domain::time::Time;
use crate::error::Result;

#[derive(Debug, Clone)]
pub struct Notice {
    pub erasure: ErasureId,
    pub connection: ConnectionId,
    pub platform: String,
    /// `pending`, `told`, `by_hand`, `given_up`.
    pub state: String,
    pub sentence: String,
    pub attempts: i64,
    pub next_at: Option<Time>,
    pub settled_at: Option<Time>,
}

/// Connections to which something of these conversions went out, or may have.
pub fn list_told(c: &SiteConn, conversion: i64) -> Result<Vec<(ConnectionId, String, String)>> {
    c.list(
        "select connection_id, platform, event_id from deliveries
         where site_id = :site and conversion_id = :id and mode <> 'shadow'
           and (state in ('delivered', 'accepted', 'leased') or attempts > 0 or unknown_at is not null or step is not null
             or exists (select 1 from attempts a where a.site_id = :site and a.delivery_id = deliveries.id))",
        named_params! {":id": conversion},
        |row| Ok((ConnectionId::new(row.get(0)?), row.get(1)?, row.get(2)?)),
    )
}

/// Deliveries of it that have not gone out: an erasure deletes them.
pub fn count_waiting(c: &SiteConn, conversion: i64) -> Result<i64> {
    c.one(
        "select count(*) from deliveries where site_id = :site and conversion_id = :id and state in ('pending', 'leased', 'held')",
        named_params! {":id": conversion},
    )
}

pub fn add(c: &SiteConn, n: &Notice) -> Result<()> {
    c.execute(
        "insert into erasure_notices (site_id, erasure_id, connection_id, platform, state, sentence, attempts, next_at, settled_at)
         values (:site, :erasure, :connection, :platform, :state, :sentence, 0, :next, :settled) on conflict do nothing",
        named_params! {":erasure": n.erasure.number(), ":connection": n.connection.number(), ":platform": n.platform, ":state": n.state,
        ":sentence": n.sentence, ":next": n.next_at.map(Time::ms), ":settled": n.settled_at.map(Time::ms)},
    )?;
    Ok(())
}

pub fn list(c: &SiteConn, erasure: ErasureId) -> Result<Vec<Notice>> {
    c.list(
        "select erasure_id, connection_id, platform, state, sentence, attempts, next_at, settled_at from erasure_notices
         where site_id = :site and erasure_id = :erasure order by connection_id",
        named_params! {":erasure": erasure.number()},
        read,
    )
}

/// How a try ended; `next_at` where another one follows.
pub fn settle(c: &SiteConn, n: &Notice, state: &str, sentence: &str, next_at: Option<Time>, now: Time) -> Result<()> {
    c.execute(
        "update erasure_notices set state = :state, sentence = :sentence, attempts = attempts + 1, next_at = :next, settled_at = :settled
         where site_id = :site and erasure_id = :erasure and connection_id = :connection and state = 'pending'",
        named_params! {":erasure": n.erasure.number(), ":connection": n.connection.number(), ":state": state, ":sentence": sentence,
        ":next": next_at.map(Time::ms), ":settled": (state != "pending").then_some(now.ms())},
    )?;
    Ok(())
}

/// Its time has come, and something has to end first.
pub fn wait(c: &SiteConn, n: &Notice, sentence: &str) -> Result<()> {
    c.execute(
        "update erasure_notices set sentence = :sentence
         where site_id = :site and erasure_id = :erasure and connection_id = :connection and state = 'pending'",
        named_params! {":erasure": n.erasure.number(), ":connection": n.connection.number(), ":sentence": sentence},
    )?;
    Ok(())
}

fn read(row: &Row) -> rusqlite::Result<Notice> {
    let (next, settled): (Option<i64>, Option<i64>) = (row.get(6)?, row.get(7)?);
    Ok(Notice {
        erasure: ErasureId::new(row.get(0)?),
        connection: ConnectionId::new(row.get(1)?),
        platform: row.get(2)?,
        state: row.get(3)?,
        sentence: row.get(4)?,
        attempts: row.get(5)?,
        next_at: next.map(Time::from_ms),
        settled_at: settled.map(Time::from_ms),
    })
}
