//! Who did what on a site, for its owner.

use rusqlite::named_params;
use serde_json::Value;

use super::scope::SiteConn;
use crate::domain::time::Time;
use crate::error::Result;

/// Between who it was and the address that it was asked from.
pub const FROM: &str = " from ";

/// `who` is `user_3 from 203.0.113.7`, `token_2 from …` or `command line`; `what` a fixed word; `detail` holds ids and
/// names, no secrets.
pub fn add(c: &SiteConn, who: &str, what: &str, detail: &Value, now: Time) -> Result<()> {
    let id = c.next_number("audit")?;
    let (who, origin) = who.split_once(FROM).unwrap_or((who, ""));
    c.execute(
        "insert into audit (site_id, id, at, who, origin, what, detail) values (:site, :id, :now, :who, :origin, :what, :detail)",
        named_params! {":id": id, ":now": now.ms(), ":who": who, ":origin": origin, ":what": what, ":detail": detail.to_string()},
    )?;
    Ok(())
}
