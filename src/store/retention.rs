//! Rows past their time, a few at a time. Each step gives how many it found; fewer than asked for is the end.

use std::collections::BTreeSet;

use rusqlite::named_params;

use super::scope::SiteConn;
use super::trails::visits;
use crate::domain::time::{Time, Zone};
use crate::error::Result;

/// Touches, and the browsers of which nothing younger is known. Their days must have been frozen before.
pub fn touches(c: &SiteConn, before: Time, limit: i64) -> Result<usize> {
    let found: Vec<(i64, i64)> = c.list(
        "select session_id, seq from touches where site_id = :site and at < :before order by at limit :limit",
        named_params! {":before": before.ms(), ":limit": limit},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    if !found.is_empty() {
        visits::went(c)?;
    }
    for (session, seq) in &found {
        let touch = named_params! {":session": session, ":seq": seq};
        c.execute("delete from clicks where site_id = :site and session_id = :session and seq = :seq", touch)?;
        c.execute("delete from touches where site_id = :site and session_id = :session and seq = :seq", touch)?;
    }
    let sessions: BTreeSet<i64> = found.iter().map(|(session, _)| *session).collect();
    for session in sessions {
        let id = named_params! {":id": session, ":before": before.ms()};
        let gone = c.execute(
            "delete from sessions where site_id = :site and id = :id and last_seen_at < :before
               and not exists (select 1 from touches where site_id = :site and session_id = :id)",
            id,
        )?;
        if gone > 0 {
            let id = named_params! {":id": session};
            c.execute("delete from clicks where site_id = :site and session_id = :id", id)?;
            c.execute("delete from page_events where site_id = :site and session_id = :id", id)?;
            c.execute("delete from short_codes where site_id = :site and session_id = :id", id)?;
            c.execute("delete from consents where site_id = :site and session_id = :id", id)?;
            c.execute("delete from session_people where site_id = :site and session_id = :id", id)?;
            c.execute("delete from session_addresses where site_id = :site and session_id = :id", id)?;
        }
    }
    Ok(found.len())
}

/// Visits of those who refused, by the same clock.
pub fn anon_events(c: &SiteConn, before: Time, limit: i64) -> Result<usize> {
    c.execute(
        "delete from anon_events where site_id = :site and id in
           (select id from anon_events where site_id = :site and at < :before order by at limit :limit)",
        named_params! {":before": before.ms(), ":limit": limit},
    )
}

/// Clicks on short links; the counts of their days stay.
pub fn link_clicks(c: &SiteConn, before: Time, limit: i64) -> Result<usize> {
    let old = front(c, "select id, at from link_clicks where site_id = :site order by id limit :limit", before, limit)?;
    for id in &old {
        c.execute("delete from link_clicks where site_id = :site and id = :id", named_params! {":id": id})?;
    }
    Ok(old.len())
}

/// What pages reported. Numbers grow with time, so the oldest stand at the front.
pub fn page_events(c: &SiteConn, before: Time, limit: i64) -> Result<usize> {
    let old = front(c, "select id, at from page_events where site_id = :site order by id limit :limit", before, limit)?;
    if !old.is_empty() {
        visits::went(c)?;
    }
    for id in &old {
        c.execute("delete from page_events where site_id = :site and id = :id", named_params! {":id": id})?;
    }
    Ok(old.len())
}

/// Short codes that lead nowhere any more.
pub fn short_codes(c: &SiteConn, before: Time, limit: i64) -> Result<usize> {
    let dead: Vec<(String, i64)> = c.list(
        "select code, session_id from short_codes where site_id = :site and last_at < :before order by last_at limit :limit",
        named_params! {":before": before.ms(), ":limit": limit},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    for (code, session) in &dead {
        c.execute(
            "delete from short_codes where site_id = :site and code = :code and session_id = :session",
            named_params! {":code": code, ":session": session},
        )?;
    }
    Ok(dead.len())
}

/// Counts of clicks on codes that no partner has.
pub fn strange_clicks(c: &SiteConn, before: Time, limit: i64) -> Result<usize> {
    super::affiliates::days::remove_strangers(c, Zone::utc().day(before), limit)
}

/// What was said in chats; the figures of each conversation stay in its row.
pub fn messages(c: &SiteConn, before: Time, limit: i64) -> Result<usize> {
    let old: Vec<(i64, Vec<u8>)> = c.list(
        "select conversation_id, key from messages where site_id = :site and at < :before order by at limit :limit",
        named_params! {":before": before.ms(), ":limit": limit},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    for (conversation, key) in &old {
        c.execute(
            "delete from messages where site_id = :site and conversation_id = :conversation and key = :key",
            named_params! {":conversation": conversation, ":key": key},
        )?;
    }
    Ok(old.len())
}

/// Raw bodies; what was read from them stays, and so does the digest by which a repeat is known.
pub fn inbox(c: &SiteConn, before: Time, limit: i64) -> Result<usize> {
    let old: Vec<i64> = c.list(
        "select id from inbox where site_id = :site and received_at < :before and body is not null order by received_at limit :limit",
        named_params! {":before": before.ms(), ":limit": limit},
        |row| row.get(0),
    )?;
    for id in &old {
        let id = named_params! {":id": id};
        c.execute("delete from inbox_people where site_id = :site and inbox_id = :id", id)?;
        c.execute("update inbox set body = null where site_id = :site and id = :id", id)?;
    }
    Ok(old.len())
}

/// What was sent, or could not be, and what was answered; that it was, stays.
pub fn dead_letters(c: &SiteConn, before: Time, limit: i64) -> Result<usize> {
    let old: Vec<i64> = c.list(
        "select id from deliveries where site_id = :site and settled_at < :before and settled_at is not null and request is not null
         order by settled_at limit :limit",
        named_params! {":before": before.ms(), ":limit": limit},
        |row| row.get(0),
    )?;
    for id in &old {
        let id = named_params! {":id": id};
        c.execute("update deliveries set request = null, response = null, step = null where site_id = :site and id = :id", id)?;
        c.execute("update attempts set sentence = '' where site_id = :site and delivery_id = :id", id)?;
    }
    Ok(old.len())
}

pub fn audit(c: &SiteConn, before: Time, limit: i64) -> Result<usize> {
    let old = front(c, "select id, at from audit where site_id = :site order by id limit :limit", before, limit)?;
    for id in &old {
        c.execute("delete from audit where site_id = :site and id = :id", named_params! {":id": id})?;
    }
    Ok(old.len())
}

/// What trackers told; the sales and leads in it are conversions of their own.
pub fn tracker_events(c: &SiteConn, before: Time, limit: i64) -> Result<usize> {
    c.execute(
        "delete from tracker_events where site_id = :site and id in
           (select id from tracker_events where site_id = :site and at < :before order by at limit :limit)",
        named_params! {":before": before.ms(), ":limit": limit},
    )
}

pub fn tracker_calls(c: &SiteConn, before: Time, limit: i64) -> Result<usize> {
    let old = front(c, "select id, started_at from tracker_calls where site_id = :site order by id limit :limit", before, limit)?;
    for id in &old {
        c.execute("delete from tracker_calls where site_id = :site and id = :id", named_params! {":id": id})?;
    }
    Ok(old.len())
}

/// Readings of platforms; the last that has ended stays for each connection, and so does one under way.
pub fn sync_runs(c: &SiteConn, before: Time, limit: i64) -> Result<usize> {
    // Those that stay stand in front of the others.
    let old = front(c, "select id, began_at from sync_runs where site_id = :site order by id limit :limit", before, limit + MOST_LAST)?;
    let mut gone = 0;
    for id in old {
        if gone as i64 >= limit {
            break;
        }
        gone += c.execute(
            "delete from sync_runs where site_id = :site and id = :id and ended_at is not null
               and exists (select 1 from sync_runs n where n.site_id = :site and n.connection_id = sync_runs.connection_id
                 and n.id > :id and n.ended_at is not null)",
            named_params! {":id": id},
        )?;
    }
    Ok(gone)
}

/// Connections of a site, those that were removed too, whose last reading may be old.
const MOST_LAST: i64 = 500;

/// The old ones among the first rows of a table whose numbers grow with time.
fn front(c: &SiteConn, sql: &str, before: Time, limit: i64) -> Result<Vec<i64>> {
    let first: Vec<(i64, i64)> = c.list(sql, named_params! {":limit": limit}, |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(first.into_iter().filter(|(_, at)| *at < before.ms()).map(|(id, _)| id).collect())
}
