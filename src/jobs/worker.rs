//! Claims what is due, runs it, settles it. Each connection has its own lane, so that one slow destination holds up no
//! other.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::app::App;
use crate::domain::breaker::Gate;
use crate::domain::ids::{ConnectionId, DeliveryId, SiteId};
use crate::domain::readiness::Worker;
use crate::domain::time::Time;
use crate::error::Result;
use crate::flows::{deliver, outgoing};
use crate::store::connections::Status;
use crate::store::{connections, deliveries};

/// Deliveries of one connection on their way at a time.
const LANE: usize = 4;
/// The queue is looked at this often even if nobody called.
const POLL: Duration = Duration::from_secs(5);
/// How long deliveries on their way may still take when the server stops.
const LAST: Duration = Duration::from_secs(10);

/// Runs until the app stops. Deliveries on their way end first, the rest goes back to the queue.
pub async fn run(app: App) {
    match take_up(&app).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "Deliveries of the last run are taken up again."),
        Err(e) => tracing::error!(error = %e, "The deliveries of the last run could not be taken up."),
    }
    let lanes: Lanes = Default::default();
    let mut running = JoinSet::new();
    let (done, mut ended) = mpsc::channel::<()>(1_024);
    while !app.is_stopping() {
        app.pulse.beat(Worker::Deliveries);
        // Registered before looking: a wake-up between the look and the sleep is not lost.
        let woken = app.wake.notified();
        tokio::pin!(woken);
        woken.as_mut().enable();
        let next = match claim(&app, &lanes).await {
            Ok((claimed, next)) => {
                for one in claimed {
                    let (app, lanes, done) = (app.clone(), lanes.clone(), done.clone());
                    running.spawn(async move {
                        carry(&app, &lanes, one).await;
                        let _ = done.try_send(());
                    });
                }
                next
            }
            Err(e) => {
                tracing::error!(error = %e, "The queue could not be read.");
                None
            }
        };
        while running.try_join_next().is_some() {}
        let pause = next.map(|at| Duration::from_millis(at.ms_since(app.clock.now()).max(1) as u64)).unwrap_or(POLL).min(POLL);
        tokio::select! {
            () = &mut woken => {}
            _ = ended.recv() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    let _ = tokio::time::timeout(LAST, async { while running.join_next().await.is_some() {} }).await;
    running.abort_all();
}

/// What a run that ended left leased is pending again. Gives how many.
pub async fn take_up(app: &App) -> Result<usize> {
    let (now, boot) = (app.clock.now(), app.boot.clone());
    app.store.write_all_sites(move |all| deliveries::release_others(all, &boot, now)).await
}

/// Carries what is due now until nothing is, and gives how many runs that took. Does not wait for a later time.
pub async fn drain(app: &App) -> Result<usize> {
    let lanes = Lanes::default();
    let mut count = 0;
    loop {
        let (claimed, _) = claim(app, &lanes).await?;
        if claimed.is_empty() {
            return Ok(count);
        }
        count += claimed.len();
        let mut running = JoinSet::new();
        for one in claimed {
            let (app, lanes) = (app.clone(), lanes.clone());
            running.spawn(async move { carry(&app, &lanes, one).await });
        }
        while running.join_next().await.is_some() {}
    }
}

/// One claimed delivery to its end, and out of its lane.
async fn carry(app: &App, lanes: &Lanes, (site, connection, id): (SiteId, ConnectionId, DeliveryId)) {
    let on_its_way = app.talks.deliver(connection);
    if let Err(e) = deliver::run(app, site, id).await {
        tracing::error!(delivery.id = %id, site.id = %site, error = %e, "A delivery failed on our side.");
        give_back(app, site, id).await;
    }
    drop(on_its_way);
    lanes.leave(connection);
}

/// Deliveries on their way, by connection.
#[derive(Clone, Default)]
struct Lanes {
    counts: Arc<std::sync::Mutex<HashMap<ConnectionId, Arc<AtomicUsize>>>>,
}

impl Lanes {
    fn of(&self, connection: ConnectionId) -> Arc<AtomicUsize> {
        self.counts.lock().unwrap_or_else(|e| e.into_inner()).entry(connection).or_default().clone()
    }

    fn leave(&self, connection: ConnectionId) {
        self.of(connection).fetch_sub(1, Ordering::AcqRel);
    }
}

type Claimed = Vec<(SiteId, ConnectionId, DeliveryId)>;

/// Takes leases for what is due in lanes that are free, and says when the next falls due.
async fn claim(app: &App, lanes: &Lanes) -> Result<(Claimed, Option<Time>)> {
    if !app.disk.level().may_send() {
        return Ok((Vec::new(), None));
    }
    let now = app.clock.now();
    let book = app.book();
    let open: Vec<(ConnectionId, SiteId, usize)> = book
        .connections()
        .filter(|c| matches!(c.status, Status::Ok | Status::NeedsAttention))
        .map(|c| (c.id, c.site, LANE.saturating_sub(lanes.of(c.id).load(Ordering::Acquire))))
        .filter(|(_, _, free)| *free > 0)
        .collect();
    if open.is_empty() {
        return Ok((Vec::new(), None));
    }
    let looked = open.clone();
    let (due, next, look_outs) = app
        .store
        .read_all_sites(move |all| {
            let mut due = Vec::new();
            let mut look_outs = Vec::new();
            let mut next: Option<Time> = None;
            for (connection, site, room) in &looked {
                let breaker = connections::find_breaker(&all.of(*site), *connection)?;
                let free = match breaker.may_send(now) {
                    Gate::Closed => *room,
                    Gate::Probe => 1,
                    Gate::Open { until } => {
                        next = Some(next.map_or(until, |n| n.min(until)));
                        continue;
                    }
                };
                let found = deliveries::list_due(all, *connection, now, free)?;
                if found.len() < free
                    && let Some(at) = deliveries::next_due(all, *connection)?
                    && at > now
                {
                    next = Some(next.map_or(at, |n| n.min(at)));
                }
                // Nothing of a hopeless connection is under way or waits for its time: the oldest that is held goes.
                let is_idle = found.is_empty() && *room == LANE && breaker.is_hopeless();
                if is_idle
                    && deliveries::next_due(all, *connection)?.is_none()
                    && let Some(id) = deliveries::find_oldest_held(&all.of(*site), *connection)?
                {
                    look_outs.push((*site, id));
                    due.push((*site, *connection, id));
                }
                due.extend(found.into_iter().map(|(site, id)| (site, *connection, id)));
            }
            Ok((due, next, look_outs))
        })
        .await?;
    if due.is_empty() {
        return Ok((Vec::new(), next));
    }
    let modes: HashMap<ConnectionId, crate::domain::outgoing::Mode> = book.connections().map(|c| (c.id, c.mode)).collect();
    let boot = app.boot.clone();
    let claimed = app
        .store
        .write_all_sites(move |all| {
            let mut claimed = Vec::with_capacity(due.len());
            for (site, connection, id) in due {
                let c = all.of(site);
                let mut breaker = connections::find_breaker(&c, connection)?;
                if matches!(breaker.may_send(now), Gate::Probe) {
                    breaker.start_probe(now);
                    connections::save_breaker(&c, connection, &breaker)?;
                }
                if look_outs.contains(&(site, id)) && breaker.is_hopeless() {
                    deliveries::look_out(&c, id, now)?;
                }
                if deliveries::claim(&c, id, &boot)? {
                    // What was sent was sent in its own mode.
                    let found = deliveries::find(&c, id)?.filter(|d| !d.is_check());
                    if let (Some(delivery), Some(mode)) = (found, modes.get(&connection)) {
                        deliveries::set_mode(&c, id, outgoing::effective_mode(delivery.mode, *mode))?;
                    }
                    claimed.push((site, connection, id));
                }
            }
            Ok(claimed)
        })
        .await?;
    for (_, connection, _) in &claimed {
        lanes.of(*connection).fetch_add(1, Ordering::AcqRel);
    }
    Ok((claimed, next))
}

/// A delivery whose run failed on our side waits a little and is tried again.
async fn give_back(app: &App, site: SiteId, id: DeliveryId) {
    let (boot, at) = (app.boot.clone(), app.clock.now().plus_ms(10_000));
    if let Err(e) = app.store.write(site, move |c| deliveries::put_back(c, id, &boot, Some(at))).await {
        tracing::error!(delivery.id = %id, error = %e, "A lease could not be given back; the next start does it.");
    }
}
