//! Each kind of row has its clock. What is past its time goes in steps so short, and with so much room between them, that nobody
//! who waits for the writer notices; the counts of its days stay.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::app::App;
use crate::clock;
use crate::domain::time::{DAY_MS, Time};
use crate::domain::{retention, short_code};
use crate::error::Result;
use crate::store::scope::SiteConn;
use crate::store::sites::Site;
use crate::store::{cube, retention as rows};

/// Microseconds that a step should take, and so much longer the commit it goes into; it may take many times as long on a slow disk.
const STEP_US: u128 = 1_000;
/// The writer is free for others this many times as long as a step took.
const REST: u32 = 3;
const LONGEST_REST: Duration = Duration::from_millis(500);
/// A round ends by then, so that what else is due is not kept waiting; the next one goes on.
const ROUND: Duration = Duration::from_secs(20);
/// Rows of the first step, of the smallest and of the largest.
const FIRST: i64 = 100;
const SMALLEST: i64 = 5;
const LARGEST: i64 = 2_000;

/// One round over all sites. False where there is more to do.
pub async fn run(app: &App) -> Result<bool> {
    let until = clock::started() + ROUND;
    for site in app.book().sites().to_vec() {
        in_steps(app, &site, short_code::dead_before(app.clock.now()), rows::short_codes, until).await?;
        for kept in retention::KINDS {
            let days = site.settings.retention.get(kept.kind).copied().unwrap_or(kept.days);
            of_kind(app, &site, kept.kind, days, until).await?;
        }
    }
    Ok(clock::started() < until)
}

async fn of_kind(app: &App, site: &Arc<Site>, kind: &'static str, days: u32, until: Instant) -> Result<()> {
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
            in_steps(app, site, start, rows::touches, until).await?;
            in_steps(app, site, start, rows::anon_events, until).await?;
            in_steps(app, site, start, rows::link_clicks, until).await?;
            in_steps(app, site, start, rows::page_events, until).await?;
            in_steps(app, site, before, rows::strange_clicks, until).await
        }
        "messages" => in_steps(app, site, before, rows::messages, until).await,
        "inbox" => in_steps(app, site, before, rows::inbox, until).await,
        "dead_letters" => in_steps(app, site, before, rows::dead_letters, until).await,
        "events" => in_steps(app, site, before, rows::tracker_events, until).await,
        "sync_logs" => in_steps(app, site, before, rows::tracker_calls, until).await,
        "sync_runs" => in_steps(app, site, before, rows::sync_runs, until).await,
        "audit" => in_steps(app, site, before, rows::audit, until).await,
        _ => Ok(()),
    }
}

type Removes = fn(&SiteConn, Time, i64) -> Result<usize>;

async fn in_steps(app: &App, site: &Arc<Site>, before: Time, step: Removes, until: Instant) -> Result<()> {
    let mut size = FIRST;
    while !app.is_stopping() && clock::started() < until {
        let (gone, took) = app
            .store
            .write_beside(site.id, move |c| {
                let since = clock::started();
                Ok((step(c, before, size)?, since.elapsed()))
            })
            .await?;
        if (gone as i64) < size {
            break;
        }
        size = next_size(size, took.as_micros());
        tokio::select! {
            () = tokio::time::sleep(rest_after(took)) => {}
            () = app.stopped() => {}
        }
    }
    Ok(())
}

/// So long the writer belongs to everybody else.
fn rest_after(took: Duration) -> Duration {
    (took * REST).min(LONGEST_REST)
}

/// Towards the time that a step should take.
fn next_size(size: i64, took_us: u128) -> i64 {
    match took_us {
        us if us > STEP_US => (size / 2).max(SMALLEST),
        us if us * 3 < STEP_US => (size * 2).min(LARGEST),
        _ => size,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_have_the_writer_three_times_as_long() {
        for (took_ms, rest_ms) in [(0, 0), (3, 9), (150, 450), (180, 500), (5_000, 500)] {
            assert_eq!(rest_after(Duration::from_millis(took_ms)), Duration::from_millis(rest_ms), "after {took_ms} ms");
        }
    }

    #[test]
    fn a_step_finds_its_size() {
        for (size, took_us, want) in [(100, 90, 200), (100, 700, 100), (100, 40_000, 50), (5, 90_000, 5), (2_000, 200, 2_000)] {
            assert_eq!(next_size(size, took_us), want, "{size} rows in {took_us} µs");
        }
    }
}
