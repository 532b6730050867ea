//! Things that are counted and not kept: drops, refusals, signature failures, bots.

use rusqlite::named_params;

use super::scope::SiteConn;
use crate::domain::time::Day;
use crate::error::Result;

/// `name` is a fixed word; `detail` may be an origin or a reason, cut to 120 characters.
pub fn add(c: &SiteConn, day: Day, name: &str, detail: &str) -> Result<()> {
    let detail: String = detail.chars().take(120).collect();
    c.execute(
        "insert into counters (site_id, day, name, detail, count) values (:site, :day, :name, :detail, 1)
         on conflict (site_id, day, name, detail) do update set count = count + 1",
        named_params! {":day": day.0, ":name": name, ":detail": detail},
    )?;
    Ok(())
}
