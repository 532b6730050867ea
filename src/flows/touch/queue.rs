//! Touches of pages that do not wait for the disk. What finds no room, or cannot be stored, is dropped and counted. Those of
//! a beat are written together: a busy shop costs a few commits a second, not one for each page.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::{PageTouch, dropped, run};
use crate::app::{App, MOST_QUEUED};
use crate::domain::storage::Burden;
use crate::error::Result;
use crate::flows::refusal;
use crate::store::sites::Site;

/// What a killed process loses of pages at most, beside what is just being written.
const BEAT_MS: i64 = 25;

/// Stores a touch behind the page's back.
pub fn queue(app: &App, site: &Arc<Site>, touch: Box<PageTouch>) {
    let (own, on) = (app.clone(), site.clone());
    spawn(app, site, async move {
        match own.disk.admit(Burden::Visit) {
            Ok(()) => run(&own, &on, touch).await.map(drop),
            Err(e) => refusal::heed(&own, &on, &touch).await.and(Err(e)),
        }
    });
}

/// Ends when all that was queued is stored or dropped.
pub async fn settled(app: &App) {
    // An error says that the room is gone, and with it whatever waited.
    let _ = app.queued.acquire_many(MOST_QUEUED).await;
}

/// Counts a page that is not kept, and why.
pub fn queue_dropped(app: &App, site: &Arc<Site>, why: &'static str) {
    let (own, on) = (app.clone(), site.clone());
    spawn(app, site, async move { dropped(&own, &on, why).await.map(drop) });
}

fn spawn(app: &App, site: &Arc<Site>, work: impl Future<Output = Result<()>> + Send + 'static) {
    let Ok(seat) = app.queued.clone().try_acquire_owned() else {
        app.figures.add("touches_dropped", "queue_full");
        return;
    };
    let (app, site) = (app.clone(), site.id);
    tokio::spawn(async move {
        tokio::time::sleep(until_beat(&app)).await;
        if let Err(e) = work.await {
            app.figures.add("touches_dropped", if e.code == "storage_full" { "storage_full" } else { "queue_full" });
            tracing::warn!(site.id = %site, error = %e, "A queued touch was dropped.");
        }
        drop(seat);
    });
}

/// All that come before the next beat wait for it, and come to the writer at once.
fn until_beat(app: &App) -> Duration {
    let past_ms = app.clock.uptime_ms().rem_euclid(BEAT_MS);
    Duration::from_millis((BEAT_MS - past_ms).unsigned_abs())
}
