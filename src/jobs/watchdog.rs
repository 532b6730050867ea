//! The watchdog of readings. It leans on neither the waker nor whoever is waked: it holds what was planned against the
//! clock, wakes where something is late, and remembers it for the owner where that does not help.

use std::time::Duration;

use crate::app::App;
use crate::domain::readiness::Worker;
use crate::domain::time::MINUTE_MS;
use crate::error::Result;
use crate::flows::pull;
use crate::sources;
use crate::store::pulls;
use crate::watch::Late;

const BEAT: Duration = Duration::from_secs(30);
/// Nothing is late that was due a moment ago.
const LEAST_LATE_MS: i64 = 10 * MINUTE_MS;

/// Runs until the app stops.
pub async fn run(app: App) {
    while !app.is_stopping() {
        app.pulse.beat(Worker::Watchdog);
        if let Err(e) = look(&app).await {
            tracing::error!(error = %e, "Whether readings are late could not be looked at.");
        }
        tokio::select! {
            () = tokio::time::sleep(BEAT) => {}
            () = app.stopped() => {}
        }
    }
}

/// One look at the plans and at the waker.
pub async fn look(app: &App) -> Result<()> {
    let (now, uptime_ms) = (app.clock.now(), app.clock.uptime_ms());
    let before = now.plus_ms(-LEAST_LATE_MS);
    let overdue = app.store.read_all_sites(move |all| pulls::list_overdue(all, before)).await?;
    let book = app.book();
    let mut late = Vec::new();
    for plan in overdue {
        let Some(connection) = book.connection(plan.connection) else { continue };
        let (Some(site), Some(source)) = (book.site(plan.site), sources::find(&connection.platform)) else { continue };
        // A long reading whose pages still come is not late.
        let last = plan.due_at.max(plan.heard_at);
        if source.pull().is_some() && pull::schedule_of(source, connection, &site.zone).is_late(last, now) {
            late.push(Late { site: plan.site, connection: plan.connection, due_at: plan.due_at });
        }
    }
    let is_any = !late.is_empty();
    let known = app.watch.late();
    app.watch.saw(late, uptime_ms);
    for one in app.watch.late().iter().filter(|l| !known.iter().any(|k| k.connection == l.connection)) {
        tracing::error!(connection.id = %one.connection, due_at = %one.due_at, "A reading is late by more than its interval.");
    }
    if is_any {
        app.watch.tick.notify_waiters();
    }
    if app.watch.is_waker_silent(uptime_ms) {
        tracing::error!("The waker of readings has stopped: it is begun anew. Readings went on meanwhile.");
        app.watch.begin_again();
    }
    Ok(())
}
