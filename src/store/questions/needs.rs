//! What waits for the owner: bodies that nobody could read, and senders that have gone silent.

use rusqlite::named_params;

use super::super::scope::SiteConn;
use crate::domain::ids::ConnectionId;
use crate::domain::rhythm;
use crate::domain::time::{DAY_MS, Time};
use crate::error::Result;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Needs {
    pub quarantined: i64,
    pub silent: Vec<Silent>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Silent {
    pub connection: ConnectionId,
    pub last_at: Time,
    pub usual_gap_ms: i64,
}

pub fn needs(c: &SiteConn, now: Time) -> Result<Needs> {
    let quarantined = c.one(
        "select count(*) from inbox where site_id = :site and state = 'quarantined' and received_at >= :since",
        named_params! {":since": 0},
    )?;
    // Who was heard of within a day is not silent: mostly nothing is counted.
    let quiet: Vec<(i64, i64)> = c.list(
        "select id, last_event_at from connections
         where site_id = :site and removed_at is null and status = 'ok' and last_event_at < :day_ago order by id",
        named_params! {":day_ago": now.plus_ms(-DAY_MS).ms()},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let mut silent = Vec::new();
    for (id, last_at) in quiet {
        let last_at = Time::from_ms(last_at);
        let events: i64 = c.one(
            "select count(*) from inbox where site_id = :site and received_at >= :from and received_at <= :to and connection_id = :id",
            named_params! {":from": last_at.plus_ms(-rhythm::LEARNED_MS).ms(), ":to": last_at.ms(), ":id": id},
        )?;
        if let Some(usual_gap_ms) = rhythm::silent_for(events, last_at, now) {
            silent.push(Silent { connection: ConnectionId::new(id), last_at, usual_gap_ms });
        }
    }
    Ok(Needs { quarantined, silent })
}
