//! A pull: the platform's own list, walked step by step. What a step hands over is stored with the state behind it, in
//! changes small enough that nobody waits; whatever happens, the next run goes on there. The very orders that hooks
//! bring come this way too, so that none is lost and none counts twice.

use std::sync::Arc;
use std::time::Duration;

use crate::app::{App, News};
use crate::domain::ids::{ConnectionId, SiteId};
use crate::domain::platform::{HISTORY_DAYS, LONGEST_HISTORY_DAYS};
use crate::domain::readiness::Worker;
use crate::domain::schedule::LONGEST_WAIT_MS;
use crate::domain::steps::{State, Step, Verdict};
use crate::domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, Time};
use crate::error::{Error, Result};
use crate::flows::asking;
use crate::flows::replay::home_of;
use crate::sources::{self, Since, Source};
use crate::store::connections::{self, Connection, Status};
use crate::store::pulls::Pull;
use crate::store::scope::SiteConn;
use crate::store::sites::Site;
use crate::store::sync_runs::{Asked, Opening};
use crate::store::{jobs, pulls, registrations, sync_runs};
use crate::wire::Response;

use repeats::Repeats;
use walk::Walk;

/// Single things that bodies have only named.
mod fetch;
/// What is read again and known.
mod known;
/// When the next one begins.
mod plan;
/// A list that never ends.
mod repeats;
/// What was read and not understood.
pub mod unread;
/// What a walk brings, and how it ends.
mod walk;

pub use fetch::fetch;
pub use plan::{follow_zone, replan, reschedule, schedule_of};

/// Steps of one run; then others have their turn, and the walk goes on at once.
const MOST_STEPS: usize = 400;
/// What a forced run reads once more, and the first one after the clock was set back.
const AGAIN_MS: i64 = 7 * DAY_MS;

/// Said of a run that was stopped by hand.
pub const STOPPED: &str = "Stopped by hand. What was stored until then stays; the next reading goes on from there.";

/// How often it is looked whether a run has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// How a part of a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ended {
    /// The list was read to its end.
    Whole {
        orders: i64,
    },
    /// It goes on later from where it is.
    Later {
        at: Time,
    },
    Failed {
        sentence: String,
    },
    /// Somebody has stopped it; the next one goes on where it was.
    Cancelled,
    /// This connection is not pulled.
    Nothing,
}

/// Goes on with the pull of a connection, or begins one. Waits for other talks with the same platform.
///
/// With `is_forced` also before its time.
pub async fn run(app: &App, id: ConnectionId, is_forced: bool) -> Result<Ended> {
    run_as(app, id, if is_forced { Asked::Manual } else { Asked::Automatic }).await
}

/// The same, as it was asked for: by hand also before its time, and forced with what was read lately once more.
pub async fn run_as(app: &App, id: ConnectionId, asked: Asked) -> Result<Ended> {
    let is_forced = asked != Asked::Automatic;
    let _turn = app.talks.take(id).await;
    let Some((site, connection, source)) = found(app, id) else { return Ok(Ended::Nothing) };
    let Some(steps) = source.pull() else { return Ok(Ended::Nothing) };
    let now = app.clock.now();
    let mut known = app.store.read(site.id, move |c| pulls::find(c, id)).await?;
    if let Some(at) = known.as_ref().map(|p| p.next_at).filter(|at| !is_forced && *at > now) {
        return Ok(Ended::Later { at });
    }
    let is_first = known.as_ref().is_none_or(|p| p.seen_to.is_none());
    if let Some(pull) = known.as_mut().filter(|_| asked == Asked::Forced) {
        let again = now.plus_ms(-AGAIN_MS);
        (pull.state, pull.back_to) = (None, Some(pull.back_to.map_or(again, |to| to.min(again))));
    }
    let known_state = known.as_ref().and_then(|p| p.state.clone());
    let is_new = known_state.is_none();
    let mut state = match known_state {
        Some(state) => state,
        None => begin(app, &site, &connection, known.as_ref(), is_first).await?,
    };
    let is_by_hand = known.as_ref().is_some_and(|p| p.is_by_hand);
    let asked = if is_by_hand && asked == Asked::Automatic { Asked::Manual } else { asked };
    let opening = Opening { connection: id, platform: connection.platform.clone(), asked, is_new, boot: app.boot.clone() };
    let open = move |c: &SiteConn| {
        if is_by_hand {
            pulls::set_by_hand(c, id, false)?;
        }
        sync_runs::open(c, &opening, now)
    };
    let run = app.store.write(site.id, open).await?;
    let mut walk = Walk { app, site: &site, connection: &connection, source, run: Some(run), page: Vec::new(), asked: State::Null };
    let mut got: Option<Response> = None;
    let mut repeats = Repeats::default();
    for _ in 0..MOST_STEPS {
        if app.is_stopping() {
            return Ok(Ended::Later { at: now });
        }
        if app.talks.forget_cancel(id, run) {
            return walk.cancelled().await;
        }
        let now = app.clock.now();
        match steps.step(state, got.take().as_ref(), &connection.settings, &home_of(&site, now), now) {
            Step::Ask(request, next) => match asking::send(app, source, &connection, &request).await {
                Ok(response) => {
                    if repeats.is_endless(&request, &response) {
                        return walk.failed(repeats::endless(source.about().name)).await;
                    }
                    walk.page = response.body.clone();
                    walk.asked = next.clone();
                    got = Some(response);
                    state = next;
                }
                Err(failure) => return walk.failed(asking::verdict_of(failure)).await,
            },
            Step::Yield(batch, next) => {
                walk.take(batch, &next).await?;
                state = next;
            }
            Step::Wait(after_ms, next) => return walk.wait(after_ms, next).await,
            Step::Done(window) => return walk.finish(window).await,
            Step::Fail(verdict) => return walk.failed(verdict).await,
        }
    }
    let at = app.clock.now();
    app.store.write(site.id, move |c| pulls::put_off(c, id, at, None, at)).await?;
    app.wake.notify_waiters();
    Ok(Ended::Later { at })
}

/// Has the next pull begin at once. False where this connection is not pulled, or does not work.
pub async fn hurry(app: &App, id: ConnectionId) -> Result<bool> {
    let Some((site, _, source)) = found(app, id) else { return Ok(false) };
    if source.pull().is_none() {
        return Ok(false);
    }
    let now = app.clock.now();
    app.store.write(site.id, move |c| pulls::ask_now(c, id, now)).await?;
    app.wake.notify_waiters();
    Ok(true)
}

/// The list of the last so many days is read once more, whatever is known of it already. False as for `hurry`.
pub async fn read_back(app: &App, id: ConnectionId, days: i64) -> Result<bool> {
    let Some((site, _, source)) = found(app, id) else { return Ok(false) };
    if source.pull().is_none() {
        return Ok(false);
    }
    let now = app.clock.now();
    let from = now.plus_ms(-days.clamp(1, LONGEST_HISTORY_DAYS) * DAY_MS);
    app.store.write(site.id, move |c| pulls::ask_back(c, id, from, now)).await?;
    app.wake.notify_waiters();
    Ok(true)
}

/// Waits until a connection has been read once, where a server reads it, but no longer than so.
pub async fn first(app: &App, site: SiteId, id: ConnectionId, most: Duration) -> Result<()> {
    if found(app, id).is_none_or(|(.., source)| source.pull().is_none()) || app.pulse.silence_ms()[Worker::Puller as usize].is_none() {
        return Ok(());
    }
    let ended = async {
        while app.store.read(site, move |c| sync_runs::find_last_ended(c, id)).await?.is_none() {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Ok(())
    };
    tokio::time::timeout(most, ended).await.unwrap_or(Ok(()))
}

/// A connection that was never pulled is due now.
pub async fn want(app: &App, site: SiteId, id: ConnectionId) -> Result<()> {
    let now = app.clock.now();
    app.store.write(site, move |c| pulls::hurry(c, id, now)).await
}

/// A talk that failed on our side waits a little, so that it does not spin.
pub async fn rest(app: &App, id: ConnectionId) -> Result<()> {
    let Some(site) = app.book().connection(id).map(|c| c.site) else { return Ok(()) };
    let now = app.clock.now();
    let at = now.plus_ms(MINUTE_MS);
    app.store
        .write(site, move |c| {
            pulls::put_off(c, id, at, None, now)?;
            registrations::rest(c, id, at)?;
            jobs::rest(c, id, at)
        })
        .await
}

/// Connection, site and source, where all three are there and the connection works.
fn found(app: &App, id: ConnectionId) -> Option<(Arc<Site>, Arc<Connection>, &'static dyn Source)> {
    let book = app.book();
    let connection = book.connection(id).filter(|c| matches!(c.status, Status::Ok | Status::NeedsAttention))?.clone();
    let site = book.site(connection.site)?.clone();
    Some((site, connection.clone(), sources::find(&connection.platform)?))
}

/// The first state of a walk: from where the last whole one ended, or as far back as the owner wants history.
async fn begin(app: &App, site: &Site, connection: &Connection, known: Option<&Pull>, is_first: bool) -> Result<State> {
    let (id, now) = (connection.id, app.clock.now());
    let days =
        connection.settings.get("history_days").and_then(|d| d.parse::<i64>().ok()).unwrap_or(HISTORY_DAYS).clamp(0, LONGEST_HISTORY_DAYS);
    let from = known.and_then(|p| p.seen_to).map_or_else(|| now.plus_ms(-days * DAY_MS), |seen| seen.min(now));
    let from = known.and_then(|p| p.back_to).map_or(from, |back_to| back_to.min(from));
    app.store
        .write(site.id, move |c| {
            pulls::hurry(c, id, now)?;
            pulls::begin(c, id, from, now)
        })
        .await?;
    serde_json::to_value(Since { from, is_first }).map_err(Error::internal)
}

/// From a minute, doubled to an hour; the platform's own wish comes first.
pub fn later_ms(verdict: Option<&Verdict>, failures: i64) -> i64 {
    let own = match verdict {
        Some(Verdict::Retry { after_ms, .. }) => *after_ms,
        _ => None,
    };
    // No platform is left alone for longer than a day, whatever it says.
    own.map(|ms| ms.clamp(0, LONGEST_WAIT_MS)).unwrap_or_else(|| (MINUTE_MS << failures.clamp(0, 6)).min(HOUR_MS))
}

/// Nothing more is asked until the owner has done something about it; what the platform tells is taken all the same.
pub async fn pause(app: &App, site: &Arc<Site>, id: ConnectionId, sentence: String) -> Result<()> {
    let now = app.clock.now();
    app.store
        .write(site.id, move |c| {
            registrations::tell(c, id, &sentence, false, now)?;
            connections::set_status(c, id, Status::Paused, Some(&sentence))
        })
        .await?;
    tracing::warn!(connection.id = %id, "A platform refuses us: its connection is paused.");
    app.refresh().await?;
    app.tell(News::Connection { site: site.id, id, status: Status::Paused.word() });
    Ok(())
}

/// What has failed works again: the card says so no more, if it was this that it said.
pub fn recovered(c: &SiteConn, id: ConnectionId, sentence: &str) -> Result<()> {
    if connections::find_status(c, id)? == Some(Status::NeedsAttention) {
        connections::recover(c, id, sentence)?;
    }
    Ok(())
}
