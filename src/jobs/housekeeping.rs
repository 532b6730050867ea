//! What is due by the clock alone: counts of whole days, and what may be kept only for a while.

use std::time::Duration;

use crate::app::App;
use crate::domain::readiness::Worker;
use crate::domain::time::{HOUR_MS, Time};
use crate::flows::imports::uploads;
use crate::flows::{cube, erase, forget, retain};

/// Counts follow the rows this closely.
const BEAT: Duration = Duration::from_secs(30);
/// And so soon what is past its time goes on, where a round had to end before all of it was gone.
const SOON: Duration = Duration::from_secs(1);

/// Runs until the app stops.
pub async fn run(app: App) {
    let mut forgot_at: Option<Time> = None;
    let history = app.clone();
    tokio::spawn(async move {
        if let Err(e) = uploads::go_on(&history).await {
            tracing::error!(error = %e, "A file of history could not be taken up again; the next start tries again.");
        }
    });
    while !app.is_stopping() {
        app.pulse.beat(Worker::Housekeeping);
        if app.disk.level().may_count()
            && let Err(e) = cube::catch_up(&app).await
        {
            tracing::error!(error = %e, "The counts of whole days could not be brought up.");
        }
        // Breakers and last events change without the book; commands read them from there.
        if let Err(e) = app.refresh().await {
            tracing::error!(error = %e, "The configuration could not be read anew.");
        }
        if let Err(e) = erase::go_on(&app).await {
            tracing::error!(error = %e, "An erasure could not be finished; it is taken up again.");
        }
        let now = app.clock.now();
        let mut next = BEAT;
        if forgot_at.is_none_or(|at| now.ms_since(at) >= HOUR_MS) {
            match retain::run(&app).await {
                // There is more: it goes on after what else is due.
                Ok(false) => next = SOON,
                Ok(true) => forgot_at = Some(now),
                Err(e) => {
                    forgot_at = Some(now);
                    tracing::error!(error = %e, "What is past its time could not be removed; the next hour tries again.");
                }
            }
            if let Err(e) = uploads::sweep(&app).await {
                tracing::error!(error = %e, "Files of history that nobody brought in could not be removed; the next hour tries again.");
            }
            if let Err(e) = forget::run(&app).await {
                tracing::error!(error = %e, "What is past its time could not be removed; the next hour tries again.");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(next) => {}
            () = app.stopped() => {}
        }
    }
}
