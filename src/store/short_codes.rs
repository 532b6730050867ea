//! Short codes that pages have shown, and the browsers that they lead to.

use rusqlite::named_params;

use super::scope::SiteConn;
use crate::domain::ids::SessionId;
use crate::domain::short_code;
use crate::domain::time::Time;
use crate::error::Result;

/// Most browsers that one code is looked up for: of two nobody knows which is meant.
const MOST: i64 = 2;

/// A page has shown it.
pub fn shown(c: &SiteConn, code: &str, session: SessionId, now: Time) -> Result<()> {
    c.execute(
        "insert into short_codes (site_id, code, session_id, first_at, last_at) values (:site, :code, :session, :now, :now)
         on conflict do update set last_at = max(last_at, excluded.last_at)",
        named_params! {":code": code, ":session": session.number(), ":now": now.ms()},
    )?;
    Ok(())
}

/// The browser that a code meant at a moment: shown before it, within the time that a code lives, and to one browser alone.
pub fn find(c: &SiteConn, code: &str, happened_at: Time) -> Result<Option<SessionId>> {
    let (from, to) = short_code::shown_between(happened_at);
    let found: Vec<i64> = c.list(
        "select session_id from short_codes where site_id = :site and code = :code and first_at <= :to and last_at >= :from limit :most",
        named_params! {":code": code, ":from": from.ms(), ":to": to.ms(), ":most": MOST},
        |row| row.get(0),
    )?;
    Ok(match found.as_slice() {
        [one] => Some(SessionId::new(*one)),
        _ => None,
    })
}

/// The one browser that codes of a text lead to; none where they lead to several.
pub fn find_one(c: &SiteConn, codes: &[String], happened_at: Time) -> Result<Option<SessionId>> {
    let mut found: Option<SessionId> = None;
    for code in codes {
        match (find(c, code, happened_at)?, found) {
            (Some(one), Some(other)) if one != other => return Ok(None),
            (one, known) => found = known.or(one),
        }
    }
    Ok(found)
}
