//! The backup of each night, while the shops of the box sleep.

use std::time::Duration;

use crate::app::App;
use crate::backup::Watch;
use crate::error::Result;
use crate::flows::backup;

/// Looked at this often; a box that slept through the night notices within a minute.
const BEAT: Duration = Duration::from_secs(60);

/// Runs until the app stops.
pub async fn run(app: App) {
    while !app.is_stopping() {
        // A failed one has been written down and logged; it is tried again in an hour.
        if let Err(e) = beat(&app).await {
            tracing::debug!(error = %e, "No backup this time.");
        }
        tokio::select! {
            () = tokio::time::sleep(BEAT) => {}
            () = app.stopped() => {}
        }
    }
}

/// Makes the night's backup where it is due, and says whether it did.
pub async fn beat(app: &App) -> Result<bool> {
    let is_due = backup::is_due(app).await?;
    if is_due {
        backup::run(app, None, true, Watch::nobody()).await?;
    }
    Ok(is_due)
}
