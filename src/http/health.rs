//! Alive, ready, well: three questions that machines ask. None of them tells more than a word in public.

use std::time::Duration;

use serde_json::json;

use super::ask::Ask;
use super::reply::Reply;
use super::route::Doc;
use crate::app::App;
use crate::domain::readiness::{self, Signs};
use crate::error::{Error, Kind, Result};
use crate::store::migrate;

/// A writer that takes longer than this is not ready for webhooks: Shopify waits five seconds in all.
const ROUND_TRIP: Duration = Duration::from_secs(1);

pub const ALIVE: Doc = Doc::new("Health", "The process answers. Asks nothing of the database.")
    .query(&[("doctor", "a word by which `halotrack doctor` finds out whether this is the server that it looks after")])
    .text("ok");

pub async fn alive(app: App, ask: Ask) -> Result<Reply> {
    if let Some(word) = ask.query("doctor") {
        app.door.hear(word);
    }
    Ok(Reply::text("text/plain; charset=utf-8", "ok"))
}

pub const READY: Doc = Doc::new(
    "Health",
    "Facts can be stored now: the writer answers within a second, there is room, nothing hangs. One word; 503 with the reason otherwise.",
)
.text("ok")
.statuses(&[200, 503]);

pub async fn ready(app: App, _: Ask) -> Result<Reply> {
    let reason = why_not_ready(&app).await;
    let mut reply = Reply::text("text/plain; charset=utf-8", reason.unwrap_or("ok"));
    if reason.is_some() {
        reply.status = 503;
        reply = reply.with("retry-after", "5");
    }
    Ok(reply)
}

pub const WELL: Doc = Doc::new("Health", "Which version runs, and that its database answers.")
    .answer(r#"{"service":"halotrack","status":"healthy","version":"0.1.0"}"#)
    .statuses(&[200, 503]);

pub async fn well(app: App, _: Ask) -> Result<Reply> {
    if app.store.read_all_sites(crate::store::sites::count).await.is_err() {
        return Err(Error::new(Kind::Unavailable, "unhealthy", "The database does not answer. `halotrack doctor` says more.").after(5));
    }
    Reply::json(&json!({"service": "halotrack", "status": "healthy", "version": env!("CARGO_PKG_VERSION")}))
}

async fn why_not_ready(app: &App) -> Option<&'static str> {
    let seen = readiness::why_not(&Signs {
        is_stopping: app.is_stopping(),
        is_writer_dead: app.store.figures().is_dead,
        level: app.disk.level(),
        has_key: app.pulse.has_key(),
        now: app.clock.now(),
        silence_ms: app.pulse.silence_ms(),
    });
    if seen.is_some() {
        return seen;
    }
    if let Some(reason) = app.door.last_look() {
        return reason;
    }
    let reason = match tokio::time::timeout(ROUND_TRIP, app.store.write_all_sites(migrate::is_present)).await {
        _ if app.store.figures().is_dead => Some("writer"),
        Ok(Ok(true)) => None,
        Ok(Ok(false)) => Some("migrations"),
        Ok(Err(e)) => Some(e.code),
        Err(_) => Some("busy"),
    };
    app.door.looked(reason);
    reason
}
