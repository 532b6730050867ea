//! Reading a source now, because somebody asks for it: all of its connections at once, each as a run of its own, and a
//! while of patience for the answer. What takes longer goes on without the asker.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use crate::app::{App, News};
use crate::domain::ids::{ConnectionId, SyncRunId};
use crate::domain::time::Time;
use crate::error::{Error, Kind, Result};
use crate::flows::{pull, replay};
use crate::sources;
use crate::store::connections::{Connection, Status};
use crate::store::sites::Site;
use crate::store::sync_runs::{self, Asked, Opening, SyncRun, Tally};
use crate::store::{audit, inbox, pulls};

/// So long an asker waits; then the answer says that it goes on.
const PATIENCE: Duration = Duration::from_secs(55);

/// The code of the refusal while a run is under way.
pub const IN_PROGRESS: &str = "run_in_progress";

/// A connection, and the run that was asked for. None where it is not read at all.
pub struct Synced {
    pub connection: Arc<Connection>,
    pub run: Option<SyncRun>,
}

/// Connections of a platform on a site, in the order in which they were made.
pub fn connections_of(app: &App, site: &Site, platform: &str) -> Vec<Arc<Connection>> {
    let mut all: Vec<Arc<Connection>> = app.book().connections_of(site.id).filter(|c| c.platform == platform).cloned().collect();
    all.sort_by_key(|c| c.id.number());
    all
}

/// Reads all connections of a platform. Refused while one of them is being read.
pub async fn run(app: &App, site: &Arc<Site>, connections: Vec<Arc<Connection>>, is_forced: bool) -> Result<Vec<Synced>> {
    for connection in &connections {
        if let Some(run) = busy(app, site, connection).await? {
            let what = format!("{} is being read already: {run}. Ask again when it has ended.", connection.name);
            return Err(Error::new(Kind::Conflict, IN_PROGRESS, what));
        }
    }
    let asked = if is_forced { Asked::Forced } else { Asked::Manual };
    let mut all: JoinSet<Result<()>> = JoinSet::new();
    for connection in &connections {
        let (app, site, connection) = (app.clone(), site.clone(), connection.clone());
        all.spawn(async move { drive(&app, &site, &connection, asked).await });
    }
    let ended = tokio::time::timeout(PATIENCE, async {
        while let Some(done) = all.join_next().await {
            done.map_err(Error::internal)??;
        }
        Ok::<(), Error>(())
    })
    .await;
    match ended {
        Ok(ended) => ended?,
        // Nobody waits any more, but it goes on.
        Err(_) => all.detach_all(),
    }
    let mut synced = Vec::with_capacity(connections.len());
    for connection in connections {
        let id = connection.id;
        let run = app.store.read(site.id, move |c| sync_runs::find_last(c, id)).await?;
        synced.push(Synced { connection, run });
    }
    Ok(synced)
}

/// Stops a run before its next page; where nobody is at it, for it waits for its platform, at once. Gives the run as it
/// stands then: one at which somebody is still goes on for a moment.
pub async fn cancel(app: &App, site: &Arc<Site>, id: SyncRunId, who: &str) -> Result<SyncRun> {
    let run = get(app, site, id).await?;
    if run.ended_at.is_some() {
        return Err(Error::new(Kind::Conflict, "run_has_ended", format!("{id} has ended already.")));
    }
    let (connection, now, who) = (run.connection, app.clock.now(), who.to_owned());
    app.talks.cancel(connection, id);
    let turn = app.talks.try_take(connection);
    let is_idle = turn.is_some();
    let next_at = next_of(app, site, connection);
    app.store
        .write(site.id, move |c| {
            audit::add(c, &who, "run_cancelled", &json!({"run": id, "connection": connection}), now)?;
            if is_idle {
                sync_runs::stop(c, id, "cancelled", pull::STOPPED, now)?;
            }
            match next_at {
                Some(at) if is_idle => pulls::plan(c, connection, at, now),
                // Another talk is under way there: the run is looked after right behind it.
                Some(_) => pulls::hurry(c, connection, now),
                None => Ok(()),
            }
        })
        .await?;
    if is_idle {
        app.talks.forget_cancel(connection, id);
    }
    drop(turn);
    app.wake.notify_waiters();
    tell(app, site, connection);
    get(app, site, id).await
}

/// The connection is read no more: a run of it that is under way ends.
pub async fn stop(app: &App, site: &Arc<Site>, connection: ConnectionId, who: &str) -> Result<()> {
    match app.store.read(site.id, move |c| sync_runs::find_under_way(c, connection)).await? {
        Some(run) => match cancel(app, site, run, who).await {
            // It has come to its end meanwhile.
            Err(e) if e.code == "run_has_ended" => Ok(()),
            ended => ended.map(drop),
        },
        None => Ok(()),
    }
}

/// A run of the site, or a refusal.
pub async fn get(app: &App, site: &Site, id: SyncRunId) -> Result<SyncRun> {
    let run = app.store.read(site.id, move |c| sync_runs::find(c, id)).await?;
    run.ok_or_else(|| Error::not_found(format!("There is no run {id}.")))
}

/// At a start: what the process before this one had under way has broken off with it.
pub async fn settle(app: &App) -> Result<usize> {
    let (boot, now) = (app.boot.clone(), app.clock.now());
    app.store.write_all_sites(move |all| sync_runs::break_off(all, &boot, now)).await
}

/// When a connection is read next by its schedule.
fn next_of(app: &App, site: &Site, id: ConnectionId) -> Option<Time> {
    let book = app.book();
    let connection = book.connection(id)?;
    let source = sources::find(&connection.platform).filter(|s| s.pull().is_some())?;
    pull::schedule_of(source, connection, &site.zone).next_after(app.clock.now())
}

fn tell(app: &App, site: &Site, id: ConnectionId) {
    if let Some(connection) = app.book().connection(id) {
        app.tell(News::Connection { site: site.id, id, status: connection.status.word() });
    }
}

/// The run of a connection that is under way. One that waits for its platform is, though nobody is at it in this moment: it goes
/// on from where its state stands.
async fn busy(app: &App, site: &Site, connection: &Connection) -> Result<Option<SyncRunId>> {
    if !matches!(connection.status, Status::Ok | Status::NeedsAttention) {
        return Ok(None);
    }
    let (id, boot) = (connection.id, app.boot.clone());
    let is_at_it = app.talks.try_take(id).is_none();
    app.store
        .read(site.id, move |c| {
            let goes_on = is_at_it || pulls::find(c, id)?.is_some_and(|pull| pull.state.is_some());
            if goes_on { sync_runs::find_open(c, id, &boot) } else { Ok(None) }
        })
        .await
}

/// One connection to its end: a platform that wants to be left alone for a moment is waited for.
async fn drive(app: &App, site: &Arc<Site>, connection: &Connection, mut asked: Asked) -> Result<()> {
    let id = connection.id;
    let Some(source) = sources::find(&connection.platform) else { return Ok(()) };
    if !matches!(connection.status, Status::Ok | Status::NeedsAttention) {
        return told_paused(app, site, connection, asked).await;
    }
    if source.pull().is_none() {
        return replayed(app, site, connection, asked).await;
    }
    loop {
        pull::run_as(app, id, asked).await?;
        let open = app.store.read(site.id, move |c| Ok((sync_runs::find_under_way(c, id)?, pulls::find(c, id)?))).await?;
        let (Some(_), Some(pull)) = open else { return Ok(()) };
        if app.is_stopping() {
            return Ok(());
        }
        let wait_ms = u64::try_from(pull.next_at.ms_since(app.clock.now())).unwrap_or(0);
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        asked = Asked::Automatic;
    }
}

/// A connection that is stopped is not read, and the run says so.
async fn told_paused(app: &App, site: &Site, connection: &Connection, asked: Asked) -> Result<()> {
    let (opening, now) = (opening(app, connection, asked), app.clock.now());
    let why = connection.reason.clone().unwrap_or_else(|| "This connection is not set up.".into());
    app.store
        .write(site.id, move |c| {
            let run = sync_runs::open(c, &opening, now)?;
            sync_runs::fail(c, run, &why, now)
        })
        .await
}

/// A platform that only calls us has nothing to be read: bodies that were not understood are read again.
async fn replayed(app: &App, site: &Arc<Site>, connection: &Connection, asked: Asked) -> Result<()> {
    let (id, opening, now) = (connection.id, opening(app, connection, asked), app.clock.now());
    let (run, bodies) =
        app.store.write(site.id, move |c| Ok((sync_runs::open(c, &opening, now)?, inbox::list_quarantined(c, id)?))).await?;
    let mut tally = Tally::default();
    let mut errors = Vec::new();
    for body in bodies {
        tally.processed += 1;
        match replay::body(app, site, body).await {
            Ok(again) if again.status == "accepted" => tally.created += again.facts as i64,
            Ok(again) => errors.push(again.reason.unwrap_or_else(|| "It could not be read.".into())),
            Err(e) => errors.push(e.message),
        }
    }
    let now = app.clock.now();
    app.store
        .write(site.id, move |c| {
            sync_runs::count(c, run, tally)?;
            sync_runs::add_errors(c, run, &errors)?;
            sync_runs::end(c, run, now)
        })
        .await
        .map(drop)
}

/// A run from its beginning on.
fn opening(app: &App, connection: &Connection, asked: Asked) -> Opening {
    Opening { connection: connection.id, platform: connection.platform.clone(), asked, is_new: true, boot: app.boot.clone() }
}
