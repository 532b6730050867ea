//! Gives deliveries the days of the site's new zone: read off the writer's thread, written in small steps. Until it is
//! done their list is counted row by row, so that it is right at every moment.

use std::sync::Arc;

use crate::app::App;
use crate::domain::ids::DeliveryId;
use crate::domain::time::Day;
use crate::error::Result;
use crate::store::recounts;
use crate::store::sites::Site;

/// Rows read at once, and written at most: some 20 ms of the writer's time on a slow disk.
const ROWS: usize = 1_000;

/// Cheap where there is nothing to do.
pub async fn run(app: &App, site: &Arc<Site>) -> Result<()> {
    while !app.is_stopping() {
        let Some(from) = app.store.read(site.id, recounts::find).await? else { return Ok(()) };
        if from.zone != site.zone.name() {
            // The book is a moment behind: the next round sees the new zone.
            return Ok(());
        }
        let after = from.after;
        let rows = app.store.read_unhurried(site.id, move |c| recounts::list(c, after, ROWS)).await?;
        let to = if rows.len() == ROWS { rows.last().map(|row| row.id) } else { None };
        let moved: Vec<(DeliveryId, Day)> = rows
            .iter()
            .map(|row| (row.id, row.day, site.zone.day(row.created_at)))
            .filter(|(_, is, shall)| is != shall)
            .map(|(id, _, shall)| (id, shall))
            .collect();
        let goes_on = app.store.write(site.id, move |c| recounts::go_on(c, &from, &moved, to)).await?;
        if !goes_on || to.is_none() {
            return Ok(());
        }
    }
    Ok(())
}
