//! When the list of each connection is read: as it is set, what comes next, and how the last reading ended. Looked at
//! before it is changed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::ask::Ask;
use super::json as reader;
use super::reply::Reply;
use super::route::Doc;
use super::runs::run;
use super::shown;
use crate::app::App;
use crate::domain::ids::ConnectionId;
use crate::domain::platform::{PULLED, SCHEDULE, SCHEDULE_ZONE, Settings};
use crate::domain::schedule::Schedule;
use crate::domain::time::{Time, Zone};
use crate::error::{Error, Result};
use crate::flows::connections;
use crate::flows::pull::schedule_of;
use crate::sources::{self, Source};
use crate::store::connections::{Connection, Status};
use crate::store::pulls::{self, Pull};
use crate::store::sync_runs::{self, SyncRun};

/// Moments that are shown before a schedule is set.
const SHOWN: usize = 3;
/// A zone's name is never longer, nor is a schedule that anybody can read.
const LONGEST: usize = 200;

const BODY: &str = r#"{"schedule":"30 18 * * *","schedule_zone":"site"}"#;

pub const LIST: Doc = Doc::new("Connections", "Connections whose list is read: by which schedule, what comes next, how the last reading ended.")
    .answer(r#"{"items":[{"connection":"con_4","name":"Zoom","platform":"zoom","status":"ok","schedule":"30 18 * * *","schedule_zone":"site","usual":"30 18 * * *","zone":"Europe/Prague","next_at":"2026-06-13T18:30:00+02:00","next":["2026-06-13T18:30:00+02:00"],"is_late":false,"under_way":null,"last":null}],"zone":"Europe/Prague"}"#);
pub const PREVIEW: Doc = Doc::new("Connections", "The next three moments of a schedule, in the site's zone. Changes nothing.")
    .body(BODY)
    .answer(r#"{"next":["2026-06-13T18:30:00+02:00","2026-06-14T18:30:00+02:00","2026-06-15T18:30:00+02:00"],"zone":"Europe/Prague"}"#)
    .statuses(&[200, 401, 403, 404, 422]);
pub const SET: Doc = Doc::new(
    "Connections",
    "When the list of a connection is read: every 1 to 168 hours (every 6 hours), or five fields of cron by the clocks of UTC, of the site or of a zone. Empty is as its platform usually is. In force at once.",
)
.body(BODY)
.answer(r#"{"connection":"con_4","schedule":"30 18 * * *","schedule_zone":"site","next_at":"2026-06-13T18:30:00+02:00"}"#)
.statuses(&[200, 401, 403, 404, 422]);

/// `GET /api/sites/{site}/schedules`
pub async fn list(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let book = app.book();
    let pulled: Vec<_> = book.connections_of(site.id).filter_map(|c| Some((c.clone(), source_of(c)?))).collect();
    let ids: Vec<ConnectionId> = pulled.iter().map(|(c, _)| c.id).collect();
    let known = app
        .store
        .read(site.id, move |c| {
            let each = |id: ConnectionId| -> Result<_> {
                let (last, under_way) = (sync_runs::find_last_ended(c, id)?, sync_runs::find_under_way(c, id)?);
                let under_way = under_way.map(|run| sync_runs::find(c, run)).transpose()?.flatten();
                Ok((pulls::find(c, id)?, last, under_way))
            };
            ids.into_iter().map(each).collect::<Result<Vec<_>>>()
        })
        .await?;
    let mut items: Vec<Value> =
        pulled.iter().zip(&known).map(|((connection, source), known)| line(&app, *source, connection, &site.zone, known)).collect();
    items.sort_by_key(|item| item["name"].as_str().unwrap_or_default().to_lowercase());
    Reply::json(&json!({"items": items, "zone": site.zone.name()}))
}

/// `POST /api/sites/{site}/connections/{connection}/schedule/preview`
pub async fn preview(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let connection = named(&app, &ask)?;
    let source = source_of(&connection).ok_or_else(|| unread(&connection))?;
    let mut settings = connection.settings.clone();
    for (key, value) in given(&ask)? {
        let field = PULLED.iter().find(|f| f.key == key).ok_or_else(|| Error::internal("a field that is not there"))?;
        field.check(&value)?;
        settings.0.insert(key, value);
    }
    let planned = Connection { settings, ..Connection::clone(&connection) };
    let schedule = schedule_of(source, &planned, &site.zone);
    Reply::json(&json!({"next": next(&schedule, &site.zone, app.clock.now()), "zone": site.zone.name()}))
}

/// `POST /api/sites/{site}/connections/{connection}/schedule`
pub async fn set(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let connection = named(&app, &ask)?;
    source_of(&connection).ok_or_else(|| unread(&connection))?;
    let id = connection.id;
    connections::set_schedule(&app, site.id, id, &given(&ask)?, &ask.who()).await?;
    let now = connections::find(&app, Some(site.id), id)?;
    let pull = app.store.read(site.id, move |c| pulls::find(c, id)).await?;
    Reply::json(&json!({
        "connection": id,
        "schedule": now.settings.get(SCHEDULE),
        "schedule_zone": now.settings.get(SCHEDULE_ZONE),
        "next_at": shown::maybe_time(&site.zone, pull.map(|p| p.next_at)),
    }))
}

type Known = (Option<Pull>, Option<SyncRun>, Option<SyncRun>);

fn line(app: &App, source: &dyn Source, connection: &Connection, home: &Zone, (pull, last, under_way): &Known) -> Value {
    let now = app.clock.now();
    let schedule = schedule_of(source, connection, home);
    let works = matches!(connection.status, Status::Ok | Status::NeedsAttention);
    let bare = Connection { settings: Settings::default(), ..connection.clone() };
    let shown_run = |r: &SyncRun| run(app, r, pull.as_ref(), home, now);
    json!({
        "connection": connection.id,
        "name": connection.name,
        "platform": connection.platform,
        "status": connection.status.word(),
        "reason": connection.reason,
        "schedule": connection.settings.get(SCHEDULE),
        "schedule_zone": connection.settings.get(SCHEDULE_ZONE),
        "usual": source.pull_schedule(),
        "usual_every_s": source.pull_schedule().is_none().then(|| schedule_of(source, &bare, home).gap_ms(now) / 1_000),
        "zone": schedule.goes_by_clocks().then(|| schedule.zone().name()),
        // What does not work is not read, whatever was planned.
        "next_at": shown::maybe_time(home, pull.as_ref().map(|p| p.next_at).filter(|_| works)),
        "next": if works { next(&schedule, home, now) } else { Vec::new() },
        "is_late": app.watch.late().iter().any(|l| l.connection == connection.id),
        "sentence": pull.as_ref().and_then(|p| p.sentence.as_deref()),
        "under_way": under_way.as_ref().map(shown_run),
        "last": last.as_ref().map(shown_run),
    })
}

fn next(schedule: &Schedule, home: &Zone, now: Time) -> Vec<Value> {
    schedule.times_after(now).take(SHOWN).map(|at| shown::time(home, at)).collect()
}

fn source_of(connection: &Connection) -> Option<&'static dyn Source> {
    sources::find(&connection.platform).filter(|s| s.pull().is_some())
}

fn unread(connection: &Connection) -> Error {
    Error::invalid(SCHEDULE, format!("{} has no list that is read: it tells by itself.", connection.name))
}

fn named(app: &App, ask: &Ask) -> Result<std::sync::Arc<Connection>> {
    let id = ask.param("connection").parse().map_err(|()| Error::not_found("A connection looks like con_7."))?;
    connections::find(app, Some(ask.site()?.id), id)
}

/// What stands in the body; what does not stays as it is.
fn given(ask: &Ask) -> Result<BTreeMap<String, String>> {
    let fields = reader::object(&ask.body)?;
    let mut all = BTreeMap::new();
    for key in [SCHEDULE, SCHEDULE_ZONE] {
        if fields.contains_key(key) {
            all.insert(key.to_owned(), reader::text(&fields, key, LONGEST)?.unwrap_or_default().trim().to_owned());
        }
    }
    if all.is_empty() {
        return Err(Error::invalid(SCHEDULE, "Say when: schedule is like every 6 hours, or 30 18 * * * for every day at 18:30."));
    }
    Ok(all)
}
