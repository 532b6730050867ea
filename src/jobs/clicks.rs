//! Writes down what was clicked on short links, a few times a second and all at once: redirects wait for no disk.

use std::time::Duration;

use crate::app::App;
use crate::domain::readiness::Worker;
use crate::flows::short_links;

/// What a killed process loses of counts at most. Click ids prove themselves.
const BEAT: Duration = Duration::from_millis(500);

/// Runs until the app stops.
pub async fn run(app: App) {
    while !app.is_stopping() {
        app.pulse.beat(Worker::Clicks);
        tokio::select! {
            () = tokio::time::sleep(BEAT) => {}
            () = app.stopped() => {}
        }
        if let Err(e) = short_links::write_down(&app).await {
            tracing::error!(error = %e, "Clicks on short links could not be written down.");
        }
    }
}
