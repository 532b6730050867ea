//! Reading the platforms of sign-ups and bookings by hand, and how they stand, in the shapes of the older system.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::ask::Ask;
use super::funnel::{metrics, none_of};
use super::reply::Reply;
use super::route::Doc;
use crate::app::App;
use crate::domain::milestone::{SOURCES, UNPULLED};
use crate::domain::time::{HOUR_MS, Time};
use crate::error::{Error, Result};
use crate::flows::pull;
use crate::flows::syncs::{self, Synced};
use crate::sources;
use crate::store::connections::{Connection, Status};
use crate::store::pulls;
use crate::store::sites::Site;
use crate::store::sync_runs::{self, SyncRun};

const STATUSES: &[u16] = &[200, 202, 401, 403, 404, 409, 422, 503];

pub const SYNC: Doc = Doc::new(
    "Funnel",
    "Reads a source now, all of its connections, and waits up to 55 seconds for the end; what takes longer goes on and is answered 202. A source that only calls us has its unread bodies read again.",
)
.query(&[("force_sync", "true reads the last seven days once more")])
.answer(r#"{"status":"success","source_type":"zoom","source_name":"Zoom","leads_processed":12,"leads_created":3,"leads_updated":1,"leads_skipped":8,"errors_count":0,"started_at":"2026-06-13T09:20:00Z","completed_at":"2026-06-13T09:20:04Z","duration_seconds":4.2,"sync_log_id":"run_7","error_messages":[],"summary":"3 new, 1 changed, 8 known already.","connections":[]}"#)
.statuses(STATUSES);

pub const ALL: Doc = Doc::new(
    "Funnel",
    "Reads all sources that have a connection, or those that are named, side by side, and waits up to 55 seconds. status is running where a run goes on (202), completed where all have ended well, partial where not all of it came, failed where nothing did.",
)
    .query(&[("sources", "one or several: sources=zoom&sources=eventbrite"), ("force_sync", "as for one source")])
    .answer(r#"{"status":"completed","sources_synced":1,"results":[{"status":"success","source_type":"zoom","leads_created":3}]}"#)
    .statuses(&[200, 202, 401, 403, 422, 503]);

pub const STATUS: Doc = Doc::new("Funnel", "How a source stands: its last run, its next one, and what it has brought.")
    .answer(r#"{"source_id":"con_4","source_type":"zoom","source_name":"Zoom","is_active":true,"auto_sync_enabled":true,"last_sync_at":"2026-06-13T09:20:04Z","last_sync_status":"success","last_sync_message":"3 new, 1 changed, 8 known already.","next_sync_at":"2026-06-13T18:30:00Z","sync_frequency_hours":24,"total_leads_captured":120,"total_conversions":9,"health_status":"healthy"}"#)
    .statuses(&[200, 401, 403, 404, 422]);

/// `POST /sync/{source}`
pub async fn sync(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let source = known(ask.param("source"), "source")?;
    let is_forced = is_forced(&ask)?;
    if UNPULLED.contains(&source) {
        let what = format!("{source} is told by your own system and cannot be read. Send its events to POST /funnel/event.");
        return Err(Error::invalid("source", what));
    }
    let connections = connected(&app, &site, source)?;
    let synced = syncs::run(&app, &site, connections, is_forced).await?;
    let is_over = synced.iter().all(|s| s.run.as_ref().is_none_or(|r| r.ended_at.is_some()));
    Reply::json_with(if is_over { 200 } else { 202 }, &shown(source, &synced, app.clock.now()))
}

/// `POST /sync/all`
pub async fn all(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let is_forced = is_forced(&ask)?;
    let mut named: Vec<&str> = Vec::new();
    for word in ask.queries("sources").flat_map(|text| text.split(',')).map(str::trim).filter(|w| !w.is_empty()) {
        let source = known(word, "sources")?;
        if UNPULLED.contains(&source) {
            return Err(Error::invalid("sources", format!("{source} is told by your own system and cannot be read.")));
        }
        if !named.contains(&source) {
            named.push(source);
        }
    }
    let are_named = !named.is_empty();
    let wanted = if are_named { named } else { SOURCES.into_iter().filter(|s| !UNPULLED.contains(s)).collect() };
    let mut running: JoinSet<(usize, Result<Vec<Synced>>)> = JoinSet::new();
    // In the order in which they were asked for, whichever ends first.
    let mut results: BTreeMap<usize, (Came, Value)> = BTreeMap::new();
    for (place, source) in wanted.iter().copied().enumerate() {
        match connected(&app, &site, source) {
            Ok(connections) => {
                let (app, site) = (app.clone(), site.clone());
                running.spawn(async move { (place, syncs::run(&app, &site, connections, is_forced).await) });
            }
            Err(e) if are_named => {
                results.insert(place, (Came::Nothing, refused(source, "failed", &e)));
            }
            Err(_) => {}
        }
    }
    while let Some(done) = running.join_next().await {
        let (place, synced) = done.map_err(Error::internal)?;
        let source = wanted[place];
        let one = match synced {
            Ok(synced) => (Came::of(&synced), shown(source, &synced, app.clock.now())),
            // Somebody else has asked for it: it is being read.
            Err(e) if e.code == syncs::IN_PROGRESS => (Came::Later, refused(source, "partial", &e)),
            Err(e) => (Came::Nothing, refused(source, "failed", &e)),
        };
        results.insert(place, one);
    }
    let came: Vec<Came> = results.values().map(|(came, _)| *came).collect();
    let synced_sources = results.values().filter(|(_, one)| one.get("error").is_none()).count();
    let results: Vec<Value> = results.into_values().map(|(_, one)| one).collect();
    let status = if came.contains(&Came::Later) { 202 } else { 200 };
    Reply::json_with(status, &json!({"status": together(&came), "sources_synced": synced_sources, "results": results}))
}

fn refused(source: &str, status: &str, e: &Error) -> Value {
    json!({"status": status, "source_type": source, "error": e.message})
}

/// How much of a source has come by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Came {
    All,
    Part,
    Nothing,
    /// It goes on.
    Later,
}

impl Came {
    fn of(synced: &[Synced]) -> Self {
        let runs: Vec<SyncRun> = synced.iter().filter_map(|s| s.run.clone()).collect();
        match status_of(&runs) {
            _ if runs.iter().any(|r| r.ended_at.is_none()) => Came::Later,
            "success" => Came::All,
            "failed" => Came::Nothing,
            _ => Came::Part,
        }
    }
}

/// Of all sources in one word.
fn together(came: &[Came]) -> &'static str {
    match came {
        _ if came.contains(&Came::Later) => "running",
        _ if came.iter().all(|c| *c == Came::All) => "completed",
        _ if came.iter().all(|c| *c == Came::Nothing) => "failed",
        _ => "partial",
    }
}

/// `GET /sync/status/{source_type}`
pub async fn status(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let source = known(ask.param("source_type"), "source_type")?;
    let connections = if UNPULLED.contains(&source) { Vec::new() } else { connected(&app, &site, source)? };
    let ids: Vec<_> = connections.iter().map(|c| c.id).collect();
    let (runs, next) = app
        .store
        .read(site.id, move |c| {
            let mut runs = Vec::new();
            let mut next = Vec::new();
            for id in ids {
                runs.extend(sync_runs::find_last_ended(c, id)?);
                next.extend(pulls::find(c, id)?.map(|p| p.next_at));
            }
            Ok((runs, next))
        })
        .await?;
    let last = runs.iter().max_by_key(|r| r.ended_at);
    let totals = metrics::totals(&app, &site, source).await?;
    let is_pulled = sources::find(source).is_some_and(|s| s.pull().is_some());
    let works = |c: &Arc<Connection>| matches!(c.status, Status::Ok | Status::NeedsAttention);
    Reply::json(&json!({
        "source_id": connections.first().map(|c| c.id.to_string()),
        "source_type": source,
        "source_name": name(source, &connections),
        "is_active": connections.is_empty() || connections.iter().any(works),
        "auto_sync_enabled": is_pulled,
        "last_sync_at": last.and_then(|r| r.ended_at).map(Time::utc),
        "last_sync_status": last.map(|r| status_of(std::slice::from_ref(r))),
        "last_sync_message": last.map(|r| summary(std::slice::from_ref(r))),
        "next_sync_at": next.iter().min().filter(|_| is_pulled).map(|at| at.utc()),
        "sync_frequency_hours": connections.first().filter(|_| is_pulled).and_then(|c| hours_between(c, &site, app.clock.now())),
        "total_leads_captured": totals.people,
        "total_conversions": totals.enrolled,
        "health_status": health(&connections, last),
    }))
}

fn known(word: &str, field: &str) -> Result<&'static str> {
    SOURCES.into_iter().find(|s| *s == word).ok_or_else(|| none_of(field, &SOURCES))
}

fn is_forced(ask: &Ask) -> Result<bool> {
    match ask.query("force_sync") {
        None | Some("false" | "0") => Ok(false),
        Some("true" | "1") => Ok(true),
        Some(_) => Err(Error::invalid("force_sync", "force_sync must be true or false.")),
    }
}

fn connected(app: &App, site: &Site, source: &str) -> Result<Vec<Arc<Connection>>> {
    let all = syncs::connections_of(app, site, source);
    if all.is_empty() {
        return Err(Error::not_found(format!(
            "This site has no {source} connection. Add one under Connections in the dashboard, or with `halotrack connection add --site {} --platform {source}`.",
            site.slug
        )));
    }
    Ok(all)
}

/// One answer for all connections of a source, with one for each.
fn shown(source: &str, synced: &[Synced], now: Time) -> Value {
    let connections: Vec<Arc<Connection>> = synced.iter().map(|s| s.connection.clone()).collect();
    let runs: Vec<SyncRun> = synced.iter().filter_map(|s| s.run.clone()).collect();
    let mut whole = of_runs(source, &name(source, &connections), &runs, now);
    let each = synced.iter().map(|s| {
        let mut one = of_runs(source, &s.connection.name, s.run.as_slice(), now);
        one["connection"] = json!(s.connection.id);
        one
    });
    whole["connections"] = each.collect();
    whole
}

fn of_runs(source: &str, name: &str, runs: &[SyncRun], now: Time) -> Value {
    let sum = |of: fn(&SyncRun) -> i64| runs.iter().map(of).sum::<i64>();
    let began = runs.iter().map(|r| r.began_at).min();
    let is_over = !runs.is_empty() && runs.iter().all(|r| r.ended_at.is_some());
    let ended = runs.iter().filter_map(|r| r.ended_at).max().filter(|_| is_over);
    let took_ms = began.map_or(0, |began| ended.unwrap_or(now).ms_since(began));
    let sentences: Vec<&String> = runs.iter().flat_map(|r| &r.sentences).collect();
    json!({
        "status": status_of(runs), "source_type": source, "source_name": name,
        "leads_processed": sum(|r| r.tally.processed), "leads_created": sum(|r| r.tally.created), "leads_updated": sum(|r| r.tally.updated),
        "leads_skipped": sum(|r| r.tally.skipped), "errors_count": sum(|r| r.errors),
        "started_at": began.map(Time::utc), "completed_at": ended.map(Time::utc), "duration_seconds": took_ms.max(0) as f64 / 1e3,
        "sync_log_id": runs.first().map(|r| r.id), "error_messages": sentences, "summary": summary(runs),
    })
}

/// `success`, `failed` or `partial`, as the older system knew them. What still runs has not failed yet; what somebody has
/// stopped has brought a part.
fn status_of(runs: &[SyncRun]) -> &'static str {
    let is = |word: &str| runs.iter().filter(|r| r.status == word).count();
    match (is("failed") + is("broken_off"), is("partial") + is("running") + is("cancelled")) {
        (0, 0) => "success",
        (failed, _) if failed == runs.len() => "failed",
        _ => "partial",
    }
}

fn summary(runs: &[SyncRun]) -> String {
    let sum = |of: fn(&SyncRun) -> i64| runs.iter().map(of).sum::<i64>();
    let counts =
        format!("{} new, {} changed, {} known already.", sum(|r| r.tally.created), sum(|r| r.tally.updated), sum(|r| r.tally.skipped));
    let mut said = match runs.iter().any(|r| r.ended_at.is_none()) {
        true => format!("It goes on. So far: {counts}"),
        false => counts,
    };
    if let Some(sentence) = runs.iter().flat_map(|r| &r.sentences).next() {
        said = format!("{sentence} {said}");
    }
    said
}

fn name(source: &str, connections: &[Arc<Connection>]) -> String {
    match connections {
        [] => source.to_owned(),
        all => all.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", "),
    }
}

/// From one run to the one after it, by the connection's own schedule.
fn hours_between(connection: &Connection, site: &Site, now: Time) -> Option<i64> {
    let source = sources::find(&connection.platform)?;
    Some(pull::schedule_of(source, connection, &site.zone).gap_ms(now) / HOUR_MS)
}

fn health(connections: &[Arc<Connection>], last: Option<&SyncRun>) -> &'static str {
    let is_stopped = connections.iter().any(|c| !matches!(c.status, Status::Ok | Status::NeedsAttention));
    let needs = connections.iter().any(|c| c.status == Status::NeedsAttention);
    match last.map(|r| r.status.as_str()) {
        _ if is_stopped => "error",
        Some("failed") => "error",
        Some("partial" | "broken_off") => "warning",
        _ if needs => "warning",
        _ => "healthy",
    }
}
