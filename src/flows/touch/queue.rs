//! Touches of pages that do not wait for the disk. What finds no room, or cannot be stored, is dropped and counted. Those of
//! a moment are written together.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use super::admission::{Admitted, Judged, admit};
use super::{PageTouch, record, stored, tell};
use crate::app::{App, MOST_QUEUED};
use crate::domain::storage::Burden;
use crate::domain::time::Time;
use crate::error::{Error, Result};
use crate::flows::refusal;
use crate::store::counters;
use crate::store::sites::Site;

/// A touch on its way to the disk.
struct Queued {
    app: App,
    touch: Box<PageTouch>,
    judged: Box<Judged>,
    now: Time,
    /// Its place among those that wait, given back when it is told what became of it.
    #[expect(dead_code, reason = "held, not read")]
    seat: OwnedSemaphorePermit,
}

/// Stores a touch behind the page's back.
pub fn queue(app: &App, site: &Arc<Site>, mut touch: Box<PageTouch>) {
    let Some(seat) = seat(app) else { return };
    let own = app.clone();
    if let Err(full) = app.disk.admit(Burden::Visit) {
        let on = site.clone();
        return apart(app, site, seat, async move { refusal::heed(&own, &on, &touch).await.and(Err(full)) });
    }
    let now = app.clock.now();
    match admit(app, site, &mut touch, now) {
        Admitted::Judged(judged) if judged.short_link.is_none() => {
            app.store.write_later(
                site.id,
                Queued { app: own, touch, judged, now, seat },
                |q, c| record(c, &q.touch, &q.judged, &q.app.recent, q.now),
                |q, ended| match ended {
                    Ok(taken) => tell(&q.app, &q.judged.site, &taken, q.touch.is_history, q.now),
                    Err(e) => lost(&q.app, &q.judged.site, &e),
                },
            );
        }
        // What a short link brought waits for what the redirect has counted.
        Admitted::Judged(judged) => {
            let on = site.clone();
            apart(app, site, seat, async move { stored(&own, &on, touch, judged, now).await.map(drop) });
        }
        Admitted::Excluded(_) => count(app, site, seat, "excluded"),
        Admitted::Limited => {
            let on = site.clone();
            apart(app, site, seat, async move { refusal::too_many(&own, &on, &touch).await.map(drop) });
        }
    }
}

/// Counts a page that is not kept, and why.
pub fn queue_dropped(app: &App, site: &Arc<Site>, why: &'static str) {
    if let Some(seat) = seat(app) {
        count(app, site, seat, why);
    }
}

/// Ends when all that was queued is stored or dropped.
pub async fn settled(app: &App) {
    // An error says that the room is gone, and with it whatever waited.
    let _ = app.queued.acquire_many(MOST_QUEUED).await;
}

fn seat(app: &App) -> Option<OwnedSemaphorePermit> {
    let seat = app.queued.clone().try_acquire_owned().ok();
    if seat.is_none() {
        app.figures.add("touches_dropped", "queue_full");
    }
    seat
}

fn count(app: &App, site: &Arc<Site>, seat: OwnedSemaphorePermit, why: &'static str) {
    app.figures.add("touches_dropped", why);
    let day = site.zone.day(app.clock.now());
    app.store.write_later(
        site.id,
        (app.clone(), site.clone(), seat),
        move |_, c| counters::add(c, day, "touch_dropped", why),
        |(app, site, _seat), ended| {
            if let Err(e) = ended {
                lost(&app, &site, &e);
            }
        },
    );
}

/// What has more to do than to be stored.
fn apart(app: &App, site: &Arc<Site>, seat: OwnedSemaphorePermit, work: impl Future<Output = Result<()>> + Send + 'static) {
    let (app, site) = (app.clone(), site.clone());
    tokio::spawn(async move {
        if let Err(e) = work.await {
            lost(&app, &site, &e);
        }
        drop(seat);
    });
}

fn lost(app: &App, site: &Site, e: &Error) {
    app.figures.add("touches_dropped", if e.code == "storage_full" { "storage_full" } else { "queue_full" });
    tracing::warn!(site.id = %site.id, error = %e, "A queued touch was dropped.");
}
