//! Who has changed what.

use rusqlite::named_params;
use serde_json::Value;

use super::super::scope::SiteConn;
use crate::domain::question::{Cursor, Span};
use crate::domain::time::{Time, Zone};
use crate::error::Result;

#[derive(Debug, Clone)]
pub struct Line {
    pub id: i64,
    pub at: Time,
    /// `user_3`, `token_2`, `command line`.
    pub who: String,
    /// The address of that user, if there still is one.
    pub email: Option<String>,
    /// The address that it was asked from; empty for the command line.
    pub origin: String,
    pub what: String,
    pub detail: Value,
}

/// Which lines are asked for.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub who: Option<String>,
    pub what: Option<String>,
    pub span: Option<Span>,
}

/// The newest first.
pub fn page(c: &SiteConn, zone: &Zone, wanted: &Wanted, cursor: Option<Cursor>, limit: usize) -> Result<(Vec<Line>, Option<Cursor>)> {
    let (from, to) = wanted.span.map_or((i64::MIN, i64::MAX), |span| {
        let (from, to) = span.times(zone);
        (from.ms(), to.ms())
    });
    let mut lines = c.list(
        "select a.id, a.at, a.who, a.origin, a.what, a.detail, u.email from audit a left join users u on a.who = 'user_' || u.id
         where a.site_id = :site and a.id < :before and a.at >= :from and a.at < :to
           and (:who is null or a.who = :who) and (:what is null or a.what = :what)
         order by a.id desc limit :most",
        named_params! {":before": cursor.map_or(i64::MAX, |cursor| cursor.id), ":from": from, ":to": to, ":who": wanted.who,
        ":what": wanted.what, ":most": limit as i64 + 1},
        |row| {
            let detail: String = row.get(5)?;
            Ok(Line {
                id: row.get(0)?,
                at: Time::from_ms(row.get(1)?),
                who: row.get(2)?,
                email: row.get(6)?,
                origin: row.get(3)?,
                what: row.get(4)?,
                detail: serde_json::from_str(&detail).unwrap_or(Value::String(detail)),
            })
        },
    )?;
    let has_more = lines.len() > limit;
    lines.truncate(limit);
    let next = lines.last().filter(|_| has_more).map(|l| Cursor { key: None, id: l.id });
    Ok((lines, next))
}

/// Who and what there is to filter by, the most frequent first.
pub fn facets(c: &SiteConn) -> Result<(Vec<(String, i64)>, Vec<(String, i64)>)> {
    let count = |sql: &str| c.list(sql, &[], |row| Ok((row.get(0)?, row.get(1)?)));
    Ok((
        count("select who, count(*) from audit where site_id = :site group by who order by count(*) desc, who limit 100")?,
        count("select what, count(*) from audit where site_id = :site group by what order by count(*) desc, what limit 100")?,
    ))
}
