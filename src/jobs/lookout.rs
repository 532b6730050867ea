//! Looks every few seconds at what the machine gives and may take away: room on the disk, the master key. What is found
//! is remembered; a request only reads it.

use std::time::Duration;

use crate::app::App;
use crate::disk::Turned;
use crate::domain::readiness::Worker;
use crate::domain::storage::Level;
use crate::error::{Error, Result};
use crate::key;

/// A disk that has room again takes facts again within this.
const BEAT: Duration = Duration::from_secs(2);

/// Runs until the app stops.
pub async fn run(app: App) {
    tell_at_start(&app);
    while !app.is_stopping() {
        app.pulse.beat(Worker::Lookout);
        if let Err(e) = look(&app).await {
            tracing::error!(error = %e, "The disk and the key could not be looked at.");
        }
        tokio::select! {
            () = tokio::time::sleep(BEAT) => {}
            () = app.stopped() => {}
        }
    }
}

/// One look at all of it, off the async threads.
pub async fn look(app: &App) -> Result<()> {
    let app = app.clone();
    tokio::task::spawn_blocking(move || {
        if let Some(turned) = app.disk.look(app.store.figures().full) {
            tell(&app, turned);
            if turned.to < turned.from {
                // Deliveries that have waited for room.
                app.wake.notify_waiters();
            }
        }
        if let Err(e) = app.disk.keep_ballast() {
            tracing::warn!(error = %e, "The ballast could not be laid; it is tried again in an hour.");
        }
        look_for_key(&app);
    })
    .await
    .map_err(|e| Error::internal(format!("a look stopped: {e}")))
}

/// The running server needs the file no more; its next start would.
fn look_for_key(app: &App) {
    let found = key::open(&app.config.master_key_file, true);
    let had = app.pulse.has_key();
    app.pulse.saw_key(found.is_ok());
    match found {
        Err(e) if had => tracing::error!(error = %e, "The next start would fail."),
        Ok(_) if !had => tracing::info!("The master key is in its place again."),
        _ => {}
    }
}

fn tell_at_start(app: &App) {
    let (to, free) = (app.disk.level(), app.disk.free());
    if to > Level::Ample {
        tell(app, Turned { from: Level::Ample, to, free });
    }
}

fn tell(app: &App, Turned { to, free, .. }: Turned) {
    let free_mib = free / (1024 * 1024);
    match to {
        Level::Ample => tracing::info!(free_mib, "There is room on the disk again."),
        Level::Low => tracing::warn!(free_mib, "The disk of the data folder gets full. Below 500 MiB visits are no longer counted."),
        Level::Short => {
            tracing::error!(free_mib, "The disk is short of room: visits are refused and exports wait. Orders and leads are still taken.")
        }
        Level::Full => tracing::error!(
            free_mib,
            ballast = %app.disk.ballast().display(),
            "The disk is full: nothing is taken, senders are told to come again. Free some space; deleting the ballast gives 64 MiB at once."
        ),
        Level::Gone => tracing::error!(
            "The database cannot be found where it was. Nothing is taken. Put it back, or mount its disk again, then restart."
        ),
    }
}
