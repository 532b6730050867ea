//! Who did what on a site, for its owner.

use rusqlite::named_params;
use serde_json::Value;

use super::scope::SiteConn;
use crate::domain::time::Time;
use crate::error::Result;

/// `who` is `user_3`, `token_2` or `command line`; `what` a fixed word; `detail` holds ids and names, no secrets.
pub fn add(c: &SiteConn, who: &str, what: &str, detail: &Value, now: Time) -> Result<()> {
    let id = c.next_number("audit")?;
    c.execute(
        "insert into audit (site_id, id, at, who, what, detail) values (:site, :id, :now, :who, :what, :detail)",
        named_params! {":id": id, ":now": now.ms(), ":who": who, ":what": what, ":detail": detail.to_string()},
    )?;
    Ok(())
}
