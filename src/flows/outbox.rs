//! The outbox after a restore: what waits in an older file may have been sent since, so it is held until the owner lets
//! it go.

use serde::Serialize;
use serde_json::json;

use crate::app::App;
use crate::domain::ids::SiteId;
use crate::domain::time::Time;
use crate::error::Result;
use crate::store::audit;
use crate::store::connections::Status;
use crate::store::outbox::{self, Held};

#[derive(Debug, Clone, Copy, Serialize, PartialEq, Eq)]
pub struct Released {
    pub released: usize,
    /// Older than was asked for: they wait until they are released, replayed or cancelled.
    pub still_held: i64,
}

/// Lets the deliveries of a site go that were made since a time; all of them without one.
pub async fn release(app: &App, site: SiteId, since: Option<Time>, who: &str) -> Result<Released> {
    let now = app.clock.now();
    // A paused connection keeps what is its own until it is resumed.
    let connections: Vec<_> = app
        .book()
        .connections_of(site)
        .map(|c| (c.id, (!matches!(c.status, Status::Paused | Status::NotConfigured)).then_some(now)))
        .collect();
    let who = who.to_owned();
    let change = app.store.write(site, move |c| {
        let mut released = 0;
        for (connection, next_at) in connections {
            released += outbox::release(c, connection, since, next_at)?;
        }
        if released > 0 {
            audit::add(c, &who, "outbox released", &json!({"count": released, "since": since.map(Time::utc)}), now)?;
        }
        Ok(Released { released, still_held: outbox::held(c)?.count })
    });
    let done = change.await?;
    app.wake.notify_waiters();
    Ok(done)
}

pub async fn held(app: &App, site: SiteId) -> Result<Held> {
    app.store.read(site, outbox::held).await
}
