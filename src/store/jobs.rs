//! Work that a change has left behind, to be done right after it: single things to be read at a platform.

use rusqlite::named_params;

use super::scope::{AllSites, SiteConn};
use crate::domain::ids::{ConnectionId, SiteId};
use crate::domain::time::Time;
use crate::error::Result;

const FETCH: &str = "fetch";

/// One thing that a connection's source can read, by the source's own word for it. The same one waits once.
pub fn add_fetch(c: &SiteConn, connection: ConnectionId, name: &str, now: Time) -> Result<()> {
    c.execute(
        "insert into jobs (site_id, kind, dedup, payload, run_at, created_at) values (:site, :kind, :dedup, :name, :now, :now)
         on conflict (site_id, dedup) do update set run_at = min(run_at, excluded.run_at), attempts = 0",
        named_params! {":kind": FETCH, ":dedup": dedup(connection, name), ":name": name, ":now": now.ms()},
    )?;
    Ok(())
}

/// What is due for a connection, the oldest first, with how often it was tried.
pub fn list_fetches(c: &SiteConn, connection: ConnectionId, now: Time, most: usize) -> Result<Vec<(String, i64)>> {
    c.list(
        "select payload, attempts from jobs
         where site_id = :site and dedup between :from and :to and run_at <= :now order by run_at, id limit :most",
        named_params! {":from": dedup(connection, ""), ":to": dedup(connection, "\u{10ffff}"), ":now": now.ms(), ":most": most as i64},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

pub fn remove_fetch(c: &SiteConn, connection: ConnectionId, name: &str) -> Result<()> {
    c.execute("delete from jobs where site_id = :site and dedup = :dedup", named_params! {":dedup": dedup(connection, name)})?;
    Ok(())
}

/// Tried, and to be tried again.
pub fn put_off_fetch(c: &SiteConn, connection: ConnectionId, name: &str, next_at: Time) -> Result<()> {
    c.execute(
        "update jobs set run_at = :next, attempts = attempts + 1 where site_id = :site and dedup = :dedup",
        named_params! {":dedup": dedup(connection, name), ":next": next_at.ms()},
    )?;
    Ok(())
}

/// Not before this time; that it was due counts as no try.
pub fn postpone_fetch(c: &SiteConn, connection: ConnectionId, name: &str, next_at: Time) -> Result<()> {
    c.execute(
        "update jobs set run_at = max(run_at, :next) where site_id = :site and dedup = :dedup",
        named_params! {":dedup": dedup(connection, name), ":next": next_at.ms()},
    )?;
    Ok(())
}

/// Nothing of a connection before this time, for a fault of ours.
pub fn rest(c: &SiteConn, connection: ConnectionId, next_at: Time) -> Result<()> {
    c.execute(
        "update jobs set run_at = max(run_at, :next) where site_id = :site and dedup between :from and :to",
        named_params! {":from": dedup(connection, ""), ":to": dedup(connection, "\u{10ffff}"), ":next": next_at.ms()},
    )?;
    Ok(())
}

/// Sites and connections that work and for which something is due.
pub fn list_due(all: &AllSites, now: Time) -> Result<Vec<(SiteId, ConnectionId)>> {
    let due: Vec<(i64, String)> = all.list(
        "select site_id, dedup from jobs where run_at <= :now order by run_at limit 500",
        named_params! {":now": now.ms()},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let mut found: Vec<(SiteId, ConnectionId)> = Vec::new();
    for (site, dedup) in due {
        let number = dedup.split('/').nth(1).and_then(|n| n.parse().ok());
        let Some(number) = number else { continue };
        let one = (SiteId::issued(site), ConnectionId::new(number));
        if !found.contains(&one) {
            found.push(one);
        }
    }
    Ok(found)
}

fn dedup(connection: ConnectionId, name: &str) -> String {
    format!("{FETCH}/{}/{name}", connection.number())
}
