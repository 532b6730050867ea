//! Runs: readings of platforms' lists, over all connections, with what each brought and said; one under way can be stopped.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::ask::Ask;
use super::reply::Reply;
use super::route::Doc;
use super::shown;
use crate::app::App;
use crate::domain::ids::{ConnectionId, SyncRunId};
use crate::domain::question::{Asked, Choice};
use crate::domain::time::{Time, Zone};
use crate::error::{Error, Result};
use crate::flows::syncs;
use crate::platforms;
use crate::store::pulls::{self, Pull};
use crate::store::scope::SiteConn;
use crate::store::sync_runs::{self, STATUSES, SyncRun, Wanted};

/// Runs that are looked through for one page, where a filter leaves most of them out.
const MOST_LOOKED_AT: usize = 5_000;
/// Runs by which it is told what is usual; fewer say nothing.
const USUAL_OF: usize = 5;
const FEWEST: usize = 3;

const RUN: &str = r#"{"run":"run_7","connection":"con_4","name":"Zoom","platform":"zoom","asked":"automatic","status":"success","pages":3,"processed":120,"created":4,"updated":1,"skipped":115,"errors":0,"messages":[],"began_at":"2026-06-13T18:30:00Z","ended_at":"2026-06-13T18:30:04Z","duration_s":4.2,"progress":null}"#;

pub const LIST: Doc = Doc::new("Connections", "When lists of platforms were read, the newest first, and what each reading brought.")
    .query(&[
        ("connection", "con_7; repeat for several, ! in front for all others"),
        ("status", "running, success, partial, failed, cancelled or broken_off"),
        ("cursor", "`next` of the page before"),
        ("limit", "rows, at most 500"),
    ])
    .answer(r#"{"items":[{"run":"run_7","connection":"con_4","status":"success","created":4}],"next":null,"running":1}"#)
    .statuses(&[200, 400]);
pub const ONE: Doc = Doc::new("Connections", "One reading with all that was said in it, and what is usual for its connection.")
    .answer(RUN)
    .statuses(&[200, 404]);
pub const CANCEL: Doc = Doc::new(
    "Connections",
    "Stops a reading before its next page. What it has stored stays, and the next one goes on from there. One at which somebody is still answers 202.",
)
.body("{}")
.answer(RUN)
.statuses(&[200, 202, 401, 403, 404, 409]);

/// `GET /api/sites/{site}/runs`
pub async fn list(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let asked = Asked(&ask.query);
    let (connections, statuses) = (asked.connections("connection")?, asked.one_of("status", &STATUSES)?);
    let limit = asked.limit()?;
    let before = match asked.one("cursor") {
        Some(text) => Some(text.parse::<SyncRunId>().map_err(|()| Error::parameter("cursor", "cursor is `next` of the page before."))?),
        None => None,
    };
    let (runs, next, open) = app
        .store
        .read(site.id, move |c| {
            let wanted = Wanted {
                connection: only(&connections).and_then(|n| n.parse().ok()).map(ConnectionId::new),
                status: only(&statuses).and_then(|word| STATUSES.into_iter().find(|s| *s == word)),
                before,
            };
            // One more than is shown says whether there are others.
            let most = if connections.is_open() && statuses.is_open() { limit + 1 } else { MOST_LOOKED_AT };
            let all = sync_runs::list(c, wanted, most)?;
            let is_more = all.len() == most;
            let last = all.last().map(|r| r.id);
            let fits = |r: &SyncRun| connections.admits(&r.connection.number().to_string()) && statuses.admits(&r.status);
            let mut runs: Vec<SyncRun> = all.into_iter().filter(fits).collect();
            let next = match runs.len() > limit {
                true => {
                    runs.truncate(limit);
                    runs.last().map(|r| r.id)
                }
                false => last.filter(|_| is_more),
            };
            let open: HashMap<ConnectionId, Pull> = pulls_of(c, &runs)?;
            let running = sync_runs::count_under_way(c)?;
            Ok((runs, next, (open, running)))
        })
        .await?;
    let (pulls, running) = open;
    let items: Vec<Value> = runs.iter().map(|r| run(&app, r, pulls.get(&r.connection), &site.zone, app.clock.now())).collect();
    Reply::json(&json!({"items": items, "next": next, "running": running}))
}

/// `GET /api/sites/{site}/runs/{run}`
pub async fn one(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let found = syncs::get(&app, site, id(&ask)?).await?;
    let connection = found.connection;
    let (pull, whole) =
        app.store.read(site.id, move |c| Ok((pulls::find(c, connection)?, sync_runs::list_whole(c, connection, USUAL_OF)?))).await?;
    let mut shown = run(&app, &found, pull.as_ref(), &site.zone, app.clock.now());
    shown["usual"] = usual(&whole);
    Reply::json(&shown)
}

/// `POST /api/sites/{site}/runs/{run}/cancel`
pub async fn cancel(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let stopped = syncs::cancel(&app, site, id(&ask)?, &ask.who()).await?;
    let status = if stopped.ended_at.is_some() { 200 } else { 202 };
    Reply::json_with(status, &run(&app, &stopped, None, &site.zone, app.clock.now()))
}

fn id(ask: &Ask) -> Result<SyncRunId> {
    ask.param("run").parse().map_err(|()| Error::not_found("A run looks like run_7."))
}

/// The one value that is asked for, where it is one.
fn only(choice: &Choice) -> Option<&str> {
    match choice.is.as_slice() {
        [one] => Some(one),
        _ => None,
    }
}

/// How far those have come that are under way.
fn pulls_of(c: &SiteConn, runs: &[SyncRun]) -> Result<HashMap<ConnectionId, Pull>> {
    let mut all = HashMap::new();
    for run in runs.iter().filter(|r| r.ended_at.is_none()) {
        if let Some(pull) = pulls::find(c, run.connection)? {
            all.insert(run.connection, pull);
        }
    }
    Ok(all)
}

/// A run as lists and its own page show it. `pull` is how far its connection has come.
pub fn run(app: &App, r: &SyncRun, pull: Option<&Pull>, zone: &Zone, now: Time) -> Value {
    let book = app.book();
    // One that was removed since goes by its platform's name.
    let name = book.connection(r.connection).map(|c| c.name.clone());
    let name = name.or_else(|| platforms::find(&r.platform).map(|p| p.name().to_owned())).unwrap_or_else(|| r.platform.clone());
    let took_ms = r.ended_at.unwrap_or(now).ms_since(r.began_at).max(0);
    json!({
        "run": r.id,
        "connection": r.connection,
        "name": name,
        "platform": r.platform,
        "asked": r.asked,
        "status": r.status,
        "pages": r.tally.pages,
        "processed": r.tally.processed,
        "created": r.tally.created,
        "updated": r.tally.updated,
        "skipped": r.tally.skipped,
        "errors": r.errors,
        "messages": r.sentences,
        "began_at": shown::time(zone, r.began_at),
        "ended_at": shown::maybe_time(zone, r.ended_at),
        "duration_s": took_ms as f64 / 1e3,
        "progress": pull.filter(|_| r.ended_at.is_none()).map(|p| progress(p, zone, now)),
    })
}

/// How far a reading has come. A share is told only where the list goes by time, so that what lies behind is known.
fn progress(p: &Pull, zone: &Zone, now: Time) -> Value {
    let whole_ms = p.since.zip(p.began_at).map(|(since, began)| began.ms_since(since)).filter(|ms| *ms > 0);
    let done_ms = p.since.zip(p.reached_at).map(|(since, reached)| reached.ms_since(since));
    let share_bp = whole_ms.zip(done_ms).map(|(whole, done)| (done.clamp(0, whole) as i128 * 10_000 / whole as i128) as i64);
    json!({
        "since": shown::maybe_time(zone, p.since),
        "reached_at": shown::maybe_time(zone, p.reached_at),
        "share_bp": share_bp,
        // The platform has asked for a pause, or does not answer.
        "waits_until": shown::maybe_time(zone, Some(p.next_at).filter(|at| *at > now)),
        "sentence": p.sentence,
    })
}

/// What a whole reading of a connection usually is: the one in the middle, by records and by time.
fn usual(whole: &[SyncRun]) -> Value {
    if whole.len() < FEWEST {
        return Value::Null;
    }
    let middle = |mut all: Vec<i64>| {
        all.sort_unstable();
        all[all.len() / 2]
    };
    let took = whole.iter().filter_map(|r| Some(r.ended_at?.ms_since(r.began_at).max(0))).collect::<Vec<_>>();
    json!({
        "of": whole.len(),
        "processed": middle(whole.iter().map(|r| r.tally.processed).collect()),
        "duration_s": middle(took) as f64 / 1e3,
    })
}
