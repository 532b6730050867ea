//! Who has changed what.

use rusqlite::named_params;
use serde_json::Value;

use super::super::scope::SiteConn;
use crate::domain::question::Cursor;
use crate::domain::time::Time;
use crate::error::Result;

#[derive(Debug, Clone)]
pub struct Line {
    pub id: i64,
    pub at: Time,
    /// `user_3`, `token_2`, `command line`.
    pub who: String,
    pub what: String,
    pub detail: Value,
}

/// The newest first.
pub fn page(c: &SiteConn, cursor: Option<Cursor>, limit: usize) -> Result<(Vec<Line>, Option<Cursor>)> {
    let mut lines = c.list(
        "select id, at, who, what, detail from audit where site_id = :site and id < :before order by id desc limit :most",
        named_params! {":before": cursor.map_or(i64::MAX, |cursor| cursor.id), ":most": limit as i64 + 1},
        |row| {
            let detail: String = row.get(4)?;
            Ok(Line {
                id: row.get(0)?,
                at: Time::from_ms(row.get(1)?),
                who: row.get(2)?,
                what: row.get(3)?,
                detail: serde_json::from_str(&detail).unwrap_or(Value::String(detail)),
            })
        },
    )?;
    let has_more = lines.len() > limit;
    lines.truncate(limit);
    let next = lines.last().filter(|_| has_more).map(|l| Cursor { key: None, id: l.id });
    Ok((lines, next))
}
