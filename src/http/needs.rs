//! What needs the owner, as facts: the dashboard's strip puts them into words, worst first.

use serde_json::{Value, json};

use super::ask::Ask;
use super::reply::Reply;
use super::route::{Doc, Right};
use super::shown;
use crate::app::App;
use crate::domain::storage::Level;
use crate::domain::time::MINUTE_MS;
use crate::error::Result;
use crate::store::connections::{self, Status};
use crate::store::questions::needs;

/// A waker that is silent for so long was begun anew many times.
const LONGEST_WAKER_MS: i64 = 10 * MINUTE_MS;

pub const LIST: Doc =
    Doc::new("Site", "What needs the owner: platforms that take nothing, silent senders, wrong signatures, unread messages, a full disk, readings that are late.")
        .answer(r#"{"connections":[],"silent":[],"signatures":[],"quarantined":0,"unread":null,"unmatched":null,"held":null,"disk":null,"late":[],"waker":null}"#)
        .statuses(&[200]);

/// `GET /api/sites/{site}/needs`
pub async fn list(app: App, ask: Ask) -> Result<Reply> {
    Reply::json(&facts(&app, &ask).await?)
}

pub async fn facts(app: &App, ask: &Ask) -> Result<Value> {
    let site = ask.site()?.clone();
    let now = app.clock.now();
    let zone = site.zone.clone();
    let (needs, health) = app.store.read(site.id, move |c| Ok((needs::needs(c, &zone, now)?, connections::list_health(c)?))).await?;
    let book = app.book();
    let mut stopped = Vec::new();
    for connection in book.connections_of(site.id) {
        let id = connection.id.number();
        let breaker = health.get(&id).map_or(&connection.breaker, |(breaker, _)| breaker);
        let counts = needs.counts.get(&id).copied().unwrap_or_default();
        let is_fine = connection.status == Status::Ok && breaker.word(now) != "open" && counts.given_up == 0;
        if !is_fine {
            stopped.push(json!({
                "connection": connection.id,
                "name": connection.name,
                "platform": connection.platform,
                "status": connection.status.word(),
                "reason": connection.reason,
                "waiting": counts.waiting,
                "given_up": counts.given_up,
                "breaker": {"state": breaker.word(now), "next_try_at": shown::maybe_time(&site.zone, breaker.next_try_at(now))},
            }));
        }
    }
    let name = |id| book.connection(id).map(|c| c.name.clone());
    let silent: Vec<Value> = needs
        .silent
        .iter()
        .map(|s| {
            let hours = (s.usual_gap_ms as f64 / 3_600_000.0 * 10.0).round() / 10.0;
            json!({"connection": s.connection, "name": name(s.connection), "last_event_at": shown::time(&site.zone, s.last_at), "usual_gap_hours": hours})
        })
        .collect();
    let signatures: Vec<Value> =
        needs.bad_signatures.iter().filter_map(|(id, count)| Some(json!({"connection": id, "name": name(*id)?, "count": count}))).collect();
    let unread = needs.unread.as_ref().map(|u| {
        json!({"id": u.id, "platform": u.platform, "received_at": shown::time(&site.zone, u.received_at), "reason": u.reason, "bytes": u.bytes})
    });
    let held = (needs.held.count > 0).then(|| {
        json!({"held": needs.held.count, "oldest_at": shown::maybe_time(&site.zone, needs.held.oldest_at),
            "newest_at": shown::maybe_time(&site.zone, needs.held.newest_at)})
    });
    let level = app.disk.level();
    let disk =
        (level > Level::Ample && ask.may(Right::Read)).then(|| json!({"level": level.word(), "free_mib": app.disk.free() / (1024 * 1024)}));
    let late: Vec<Value> = app
        .watch
        .late()
        .iter()
        .filter(|l| l.site == site.id)
        .map(|l| json!({"connection": l.connection, "name": name(l.connection), "due_at": shown::time(&site.zone, l.due_at)}))
        .collect();
    // It is begun anew by itself; told is only what that has not helped.
    let waker_ms = app.watch.silence_ms(app.clock.uptime_ms()).filter(|ms| *ms > LONGEST_WAKER_MS && ask.may(Right::Read));
    let unmatched = needs
        .unmatched
        .as_ref()
        .map(|u| json!({"without": u.without, "of": u.of, "usual_without": u.usual_without, "usual_of": u.usual_of}));
    Ok(json!({
        "connections": stopped,
        "silent": silent,
        "signatures": signatures,
        "quarantined": needs.quarantined,
        "unread": unread,
        "unmatched": unmatched,
        "held": held,
        "disk": disk,
        "late": late,
        "waker": waker_ms.map(|ms| json!({"silent_minutes": ms / MINUTE_MS})),
    }))
}
