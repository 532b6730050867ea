//! Claims what is due at the platforms' own doors: pulls, things to be fetched, looks at our hooks. Each in small changes;
//! hooks that bring facts meanwhile never wait for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::app::App;
use crate::domain::ids::{ConnectionId, SiteId};
use crate::domain::readiness::Worker;
use crate::error::Result;
use crate::flows::{provision, pull};
use crate::sources;
use crate::store::connections::Status;
use crate::store::{jobs, pulls, registrations};

/// What is due is looked for this often even if nobody called.
const POLL: Duration = Duration::from_secs(5);
/// Talks at a time, of all connections.
const AT_ONCE: usize = 4;
/// How long a talk may still take when the server stops; what it has not stored it asks for again.
const LAST: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Pull,
    Fetch,
    Look,
}

/// Runs until the app stops.
pub async fn run(app: App) {
    let mut running = JoinSet::new();
    let room = Arc::new(Semaphore::new(AT_ONCE));
    while !app.is_stopping() {
        app.pulse.beat(Worker::Puller);
        let woken = app.wake.notified();
        tokio::pin!(woken);
        woken.as_mut().enable();
        match due(&app).await {
            Ok(due) => {
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
        while running.try_join_next().is_some() {}
        tokio::select! {
            () = &mut woken => {}
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
        let due = due(app).await?;
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

/// Hooks first, for they bring the most; then single things, then lists.
async fn due(app: &App) -> Result<Vec<(SiteId, ConnectionId, Work)>> {
    if !app.disk.level().may_send() {
        return Ok(Vec::new());
    }
    let now = app.clock.now();
    let book = app.book();
    let works = |c: &&Arc<crate::store::connections::Connection>| matches!(c.status, Status::Ok | Status::NeedsAttention);
    let wanted: Vec<(SiteId, ConnectionId, bool, bool)> = book
        .connections()
        .filter(works)
        .filter_map(|c| {
            let source = sources::find(&c.platform)?;
            let (pulls, hooks) = (source.pull().is_some(), source.provision().is_some());
            (pulls || hooks || source.fetch().is_some()).then_some((c.site, c.id, pulls, hooks))
        })
        .collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let (looks, fetches, lists, known) = app
        .store
        .read_all_sites(move |all| {
            Ok((registrations::list_due(all, now)?, jobs::list_due(all, now)?, pulls::list_due(all, now)?, pulls::list_known(all)?))
        })
        .await?;
    for (site, id, ..) in wanted.iter().filter(|(_, id, pulls, _)| *pulls && !known.contains(id)).copied() {
        pull::want(app, site, id).await?;
    }
    let is_wanted =
        |id: &ConnectionId, is_it: fn(&(SiteId, ConnectionId, bool, bool)) -> bool| wanted.iter().any(|w| w.1 == *id && is_it(w));
    let mut due: Vec<(SiteId, ConnectionId, Work)> = Vec::new();
    due.extend(looks.into_iter().filter(|(_, id)| is_wanted(id, |w| w.3)).map(|(site, id)| (site, id, Work::Look)));
    due.extend(fetches.into_iter().filter(|(_, id)| is_wanted(id, |_| true)).map(|(site, id)| (site, id, Work::Fetch)));
    due.extend(lists.into_iter().filter(|(_, id)| is_wanted(id, |w| w.2)).map(|(site, id)| (site, id, Work::Pull)));
    Ok(due)
}
