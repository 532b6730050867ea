//! Each kind of row has its clock. What is past its time goes in steps so short that nobody who waits for the writer
//! notices; the counts of its days stay.

use std::sync::Arc;

use crate::app::App;
use crate::clock;
use crate::domain::time::{DAY_MS, Time};
use crate::domain::{retention, short_code};
use crate::error::Result;
use crate::store::scope::SiteConn;
use crate::store::sites::Site;
use crate::store::{cube, retention as rows};

/// Milliseconds that a step should take; it may take five times as long on a slow disk.
const STEP_MS: u128 = 10;
/// Rows of the first step, of the smallest and of the largest.
const FIRST: i64 = 100;
const SMALLEST: i64 = 5;
const LARGEST: i64 = 2_000;

/// One round over all sites.
pub async fn run(app: &App) -> Result<()> {
    for site in app.book().sites().to_vec() {
        in_steps(app, &site, short_code::dead_before(app.clock.now()), rows::short_codes).await?;
        for kept in retention::KINDS {
            let days = site.settings.retention.get(kept.kind).copied().unwrap_or(kept.days);
            of_kind(app, &site, kept.kind, days).await?;
        }
    }
    Ok(())
}

async fn of_kind(app: &App, site: &Arc<Site>, kind: &'static str, days: u32) -> Result<()> {
    let now = app.clock.now();
    let before = now.plus_ms(-i64::from(days) * DAY_MS);
    match kind {
        "touches" => {
            // Whole days of the site, so that a day is counted either from its rows or for good.
            let day = site.zone.day(before);
            let start = site.zone.start(day);
            let zone = site.zone.clone();
            if !app.store.write(site.id, move |c| cube::freeze_before(c, &zone, day, now)).await? {
                // Not all of it is counted yet; the next round finds it so.
                return Ok(());
            }
            in_steps(app, site, start, rows::touches).await?;
            in_steps(app, site, start, rows::anon_events).await?;
            in_steps(app, site, start, rows::link_clicks).await?;
            in_steps(app, site, start, rows::page_events).await?;
            in_steps(app, site, before, rows::strange_clicks).await
        }
        "messages" => in_steps(app, site, before, rows::messages).await,
        "inbox" => in_steps(app, site, before, rows::inbox).await,
        "dead_letters" => in_steps(app, site, before, rows::dead_letters).await,
        "events" => in_steps(app, site, before, rows::tracker_events).await,
        "sync_logs" => in_steps(app, site, before, rows::tracker_calls).await,
        "sync_runs" => in_steps(app, site, before, rows::sync_runs).await,
        "audit" => in_steps(app, site, before, rows::audit).await,
        _ => Ok(()),
    }
}

type Removes = fn(&SiteConn, Time, i64) -> Result<usize>;

async fn in_steps(app: &App, site: &Arc<Site>, before: Time, step: Removes) -> Result<()> {
    let mut size = FIRST;
    while !app.is_stopping() {
        let (gone, took_ms) = app
            .store
            .write(site.id, move |c| {
                let since = clock::started();
                Ok((step(c, before, size)?, since.elapsed().as_millis()))
            })
            .await?;
        if (gone as i64) < size {
            break;
        }
        size = next_size(size, took_ms);
    }
    Ok(())
}

/// Towards the time that a step should take.
fn next_size(size: i64, took_ms: u128) -> i64 {
    match took_ms {
        ms if ms > STEP_MS => (size / 2).max(SMALLEST),
        ms if ms * 3 < STEP_MS => (size * 2).min(LARGEST),
        _ => size,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_finds_its_size() {
        for (size, took_ms, want) in [(100, 0, 200), (100, 5, 100), (100, 40, 50), (5, 90, 5), (2_000, 1, 2_000)] {
            assert_eq!(next_size(size, took_ms), want, "{size} rows in {took_ms} ms");
        }
    }
}
