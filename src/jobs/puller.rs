//! Claims what is due at the platforms' own doors: pulls, things to be fetched, looks at our hooks. Each in small changes;
//! hooks that bring facts meanwhile never wait for it. What is due stands in rows: whoever wakes it, and however often,
//! each thing is done once, and what was missed meanwhile is made up for once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::app::App;
use crate::clock;
use crate::domain::ids::{ConnectionId, SiteId};
use crate::domain::readiness::Worker;
use crate::domain::time::SECOND_MS;
use crate::error::Result;
use crate::flows::{provision, pull, syncs};
use crate::sources::{self, Source};
use crate::store::connections::{Connection, Status};
use crate::store::{jobs, pulls, registrations};

/// What is due is looked for this often even if nobody called: `schedule.rs` usually does.
const POLL: Duration = Duration::from_secs(15);
/// After so many looks it is asked which connections nobody has planned for yet.
const LOOKS: u32 = 12;
/// Talks at a time, of all connections.
const AT_ONCE: usize = 4;
/// How long a talk may still take when the server stops; what it has not stored it asks for again.
const LAST: Duration = Duration::from_secs(5);
/// A clock that is corrected by less was not set back.
const SETBACK_MS: i64 = SECOND_MS;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Pull,
    Fetch,
    Look,
}

/// Runs until the app stops.
pub async fn run(app: App) {
    match syncs::settle(&app).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "Readings that the last stop of the server broke off; each goes on where it was."),
        Err(e) => tracing::error!(error = %e, "Readings that were broken off could not be looked for."),
    }
    let mut running = JoinSet::new();
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut looks = 0;
    while !app.is_stopping() {
        app.pulse.beat(Worker::Puller);
        let (woken, ticked) = (app.wake.notified(), app.watch.tick.notified());
        tokio::pin!(woken, ticked);
        woken.as_mut().enable();
        ticked.as_mut().enable();
        let began = clock::started();
        match due(&app, looks % LOOKS == 0).await {
            Ok(due) => {
                app.watch.checked(began.elapsed());
                for (_, id, work) in due {
                    // Whoever is talking to this platform already looks again when it is done.
                    if app.talks.try_take(id).is_none() {
                        continue;
                    }
                    let Ok(turn) = room.clone().try_acquire_owned() else { break };
                    let app = app.clone();
                    running.spawn(async move {
                        carry(&app, id, work).await;
                        drop(turn);
                        app.wake.notify_waiters();
                    });
                }
            }
            Err(e) => tracing::error!(error = %e, "What is due at the platforms could not be read."),
        }
        looks += 1;
        while running.try_join_next().is_some() {}
        tokio::select! {
            () = &mut woken => {}
            () = &mut ticked => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
    let _ = tokio::time::timeout(LAST, async { while running.join_next().await.is_some() {} }).await;
    running.abort_all();
}

/// Does all that is due now, one after the other, and gives how much that was.
pub async fn drain(app: &App) -> Result<usize> {
    let mut count = 0;
    loop {
        let due = due(app, true).await?;
        if due.is_empty() {
            return Ok(count);
        }
        for (_, id, work) in due {
            carry(app, id, work).await;
            count += 1;
        }
    }
}

async fn carry(app: &App, id: ConnectionId, work: Work) {
    let ended = match work {
        Work::Pull => pull::run(app, id, false).await.map(drop),
        Work::Fetch => pull::fetch(app, id).await.map(drop),
        Work::Look => provision::look(app, id).await.map(drop),
    };
    if let Err(e) = ended {
        tracing::error!(connection.id = %id, error = %e, "A talk with a platform failed on our side; it is tried again.");
        if let Err(e) = pull::rest(app, id).await {
            tracing::error!(connection.id = %id, error = %e, "It could not be put off either.");
        }
    }
}

/// Hooks first, for they bring the most; then single things, then lists. Each is read by an index on its time: how many
/// connections there are that wait for theirs does not matter.
async fn due(app: &App, with_unplanned: bool) -> Result<Vec<(SiteId, ConnectionId, Work)>> {
    if !app.disk.level().may_send() {
        return Ok(Vec::new());
    }
    let now = app.clock.now();
    let (adrift, unplanned) = app
        .store
        .read_all_sites(move |all| {
            let unplanned = if with_unplanned { pulls::list_unplanned(all)? } else { Vec::new() };
            Ok((pulls::list_adrift(all, now.plus_ms(SETBACK_MS))?, unplanned))
        })
        .await?;
    for (_, id) in adrift {
        pull::replan(app, id).await?;
    }
    for (site, id) in unplanned {
        if source_of(app, id).is_some_and(|s| s.pull().is_some()) {
            pull::want(app, site, id).await?;
        }
    }
    let (looks, fetches, lists) = app
        .store
        .read_all_sites(move |all| Ok((registrations::list_due(all, now)?, jobs::list_due(all, now)?, pulls::list_due(all, now)?)))
        .await?;
    let is = |id: &ConnectionId, has: fn(&dyn Source) -> bool| source_of(app, *id).is_some_and(has);
    let mut due: Vec<(SiteId, ConnectionId, Work)> = Vec::new();
    due.extend(looks.into_iter().filter(|(_, id)| is(id, |s| s.provision().is_some())).map(|(site, id)| (site, id, Work::Look)));
    due.extend(fetches.into_iter().filter(|(_, id)| is(id, |s| s.fetch().is_some())).map(|(site, id)| (site, id, Work::Fetch)));
    due.extend(lists.into_iter().filter(|(_, id)| is(id, |s| s.pull().is_some())).map(|(site, id)| (site, id, Work::Pull)));
    Ok(due)
}

/// What a connection is read by, where it works.
fn source_of(app: &App, id: ConnectionId) -> Option<&'static dyn Source> {
    let works = |c: &&Arc<Connection>| matches!(c.status, Status::Ok | Status::NeedsAttention);
    app.book().connection(id).filter(works).and_then(|c| sources::find(&c.platform))
}
