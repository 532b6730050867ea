//! The daily counts that reports read.

use rusqlite::named_params;

use super::scope::SiteConn;
use crate::domain::time::Day;
use crate::error::Result;

/// A day that changed after it was counted.
pub fn mark_dirty(c: &SiteConn, cube: &str, day: Day) -> Result<()> {
    c.execute(
        "insert into cube_marks (site_id, cube, day, is_dirty) values (:site, :cube, :day, 1)
         on conflict (site_id, cube, day) do update set is_dirty = 1",
        named_params! {":cube": cube, ":day": day.0},
    )?;
    Ok(())
}
