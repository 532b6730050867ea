//! Touches of pages that do not wait for the disk. What finds no room, or cannot be stored, is dropped and counted.

use std::future::Future;
use std::sync::Arc;

use super::{PageTouch, dropped, run};
use crate::app::App;
use crate::domain::storage::Burden;
use crate::error::Result;
use crate::flows::refusal;
use crate::store::sites::Site;

/// Stores a touch behind the page's back.
pub fn queue(app: &App, site: &Arc<Site>, touch: PageTouch) {
    let (own, on) = (app.clone(), site.clone());
    spawn(app, site, async move {
        match own.disk.admit(Burden::Visit) {
            Ok(()) => run(&own, &on, touch).await.map(drop),
            Err(e) => refusal::heed(&own, &on, &touch).await.and(Err(e)),
        }
    });
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
        if let Err(e) = work.await {
            app.figures.add("touches_dropped", if e.code == "storage_full" { "storage_full" } else { "queue_full" });
            tracing::warn!(site.id = %site, error = %e, "A queued touch was dropped.");
        }
        drop(seat);
    });
}
