//! The oldest row of each kind that is kept only for a while.

use super::super::scope::SiteConn;
use crate::domain::time::Time;
use crate::error::Result;

/// When the oldest row of a kind came; none where there is none.
pub fn oldest(c: &SiteConn, kind: &str) -> Result<Option<Time>> {
    match kind {
        "touches" => {
            let touch = least(c, "select min(at) from touches where site_id = :site")?;
            let nameless = least(c, "select min(at) from anon_events where site_id = :site")?;
            Ok([touch, nameless].into_iter().flatten().min())
        }
        "inbox" => least(c, "select min(received_at) from inbox where site_id = :site and body is not null"),
        "dead_letters" => {
            least(c, "select min(settled_at) from deliveries where site_id = :site and settled_at is not null and request is not null")
        }
        "events" => least(c, "select min(at) from tracker_events where site_id = :site"),
        // Numbers grow with time.
        "sync_logs" => {
            least(c, "select min(started_at) from (select started_at from tracker_calls where site_id = :site order by id limit 1)")
        }
        // The last one of each connection has no end.
        "sync_runs" => least(
            c,
            "select min(began_at) from (select r.began_at from sync_runs r where r.site_id = :site and r.ended_at is not null
               and exists (select 1 from sync_runs n where n.site_id = r.site_id and n.connection_id = r.connection_id and n.id > r.id
                 and n.ended_at is not null) order by r.id limit 1)",
        ),
        "audit" => least(c, "select min(at) from (select at from audit where site_id = :site order by id limit 1)"),
        _ => Ok(None),
    }
}

/// When the next address of a visitor goes: each is kept with its end.
pub fn next_address(c: &SiteConn) -> Result<Option<Time>> {
    least(c, "select min(expires_at) from session_addresses where site_id = :site")
}

fn least(c: &SiteConn, sql: &str) -> Result<Option<Time>> {
    let found: Option<i64> = c.one(sql, &[])?;
    Ok(found.map(Time::from_ms))
}
