//! The waker of readings: every few seconds it says that somebody should look what is due, and nothing else. What is due,
//! and what was missed, is worked out from rows and the clock (`puller.rs`); the waker is itself watched (`watchdog.rs`),
//! for repeated jobs of its library were known to stop for ever: https://github.com/mvniekerk/tokio-cron-scheduler/issues/113

use std::time::Duration;

use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

use crate::app::App;

/// Six fields, seconds first, in UTC: every five seconds.
const BEAT: &str = "*/5 * * * * *";
/// Where it cannot be begun, it is tried again after this; readings go on meanwhile.
const REST: Duration = Duration::from_secs(60);

/// Runs until the app stops.
pub async fn run(app: App) {
    while !app.is_stopping() {
        match begin(&app).await {
            Ok(mut waker) => {
                tokio::select! {
                    () = app.stopped() => {}
                    () = app.watch.again.notified() => {}
                }
                if let Err(e) = waker.shutdown().await {
                    tracing::warn!(error = %e, "The waker of readings could not be put to rest.");
                }
            }
            Err(e) => {
                tracing::error!(error = %e, "The waker of readings could not be started; readings go on, up to a quarter of a minute later.");
                tokio::select! {
                    () = app.stopped() => {}
                    () = tokio::time::sleep(REST) => {}
                }
            }
        }
    }
}

async fn begin(app: &App) -> Result<JobScheduler, JobSchedulerError> {
    let waker = JobScheduler::new().await?;
    let waked = app.clone();
    waker.add(Job::new(BEAT, move |_, _| waked.watch.wake(waked.clock.uptime_ms()))?).await?;
    waker.start().await?;
    app.watch.wake(app.clock.uptime_ms());
    Ok(waker)
}
