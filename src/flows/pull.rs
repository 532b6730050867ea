//! A pull: the platform's own list, walked step by step. What a step hands over is stored with the state behind it, in
//! changes small enough that nobody waits; whatever happens, the next run goes on there. The very orders that hooks
//! bring come this way too, so that none is lost and none counts twice.

use std::sync::Arc;

use crate::app::{App, News};
use crate::domain::fact::Fact;
use crate::domain::ids::ConnectionId;
use crate::domain::steps::{State, Step, Verdict};
use crate::domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, Time};
use crate::error::{Error, Result};
use crate::flows::asking;
use crate::flows::intake::{self, Delivered, Taken};
use crate::flows::replay::home_of;
use crate::sources::{self, Batch, Named, Since, Source, Window};
use crate::store::connections::{self, Connection, Status};
use crate::store::scope::SiteConn;
use crate::store::sites::Site;
use crate::store::{jobs, orders, pulls, registrations};
use crate::wire::Response;

/// Facts of one change: a page of a hundred must not hold up those who wait for an answer.
const PART: usize = 20;
/// Steps of one run; then others have their turn, and the walk goes on at once.
const MOST_STEPS: usize = 400;
/// How far the first pull goes back where the owner has said nothing.
const HISTORY_DAYS: i64 = 90;
/// So many failures in a row are shown on the card.
const TOLD_AFTER: i64 = 3;
/// A page beyond this is not kept as it came.
const LARGEST_KEPT: usize = 256 * 1024;
/// Things that are read in one talk.
const MOST_FETCHED: usize = 50;
/// A thing that cannot be read so often is given up: the next pull brings what it can.
const MOST_TRIES: i64 = 12;

/// How a run ended.
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
    /// This connection is not pulled.
    Nothing,
}

/// Goes on with the pull of a connection, or begins one. Waits for other talks with the same platform.
///
/// With `is_forced` also before its time.
pub async fn run(app: &App, id: ConnectionId, is_forced: bool) -> Result<Ended> {
    let _turn = app.talks.take(id).await;
    let Some((site, connection, source)) = found(app, id) else { return Ok(Ended::Nothing) };
    let Some(steps) = source.pull() else { return Ok(Ended::Nothing) };
    let now = app.clock.now();
    let known = app.store.read(site.id, move |c| pulls::find(c, id)).await?;
    if let Some(at) = known.as_ref().map(|p| p.next_at).filter(|at| !is_forced && *at > now) {
        return Ok(Ended::Later { at });
    }
    let is_first = known.as_ref().is_none_or(|p| p.seen_to.is_none());
    let mut state = match known.as_ref().and_then(|p| p.state.clone()) {
        Some(state) => state,
        None => begin(app, &site, &connection, known.and_then(|p| p.seen_to), is_first).await?,
    };
    let mut walk = Walk { app, site: &site, connection: &connection, source, page: Vec::new() };
    let mut got: Option<Response> = None;
    for _ in 0..MOST_STEPS {
        if app.is_stopping() {
            return Ok(Ended::Later { at: now });
        }
        let now = app.clock.now();
        match steps.step(state, got.take().as_ref(), &connection.settings, &home_of(&site, now), now) {
            Step::Ask(request, next) => match asking::send(app, source, &connection, &request).await {
                Ok(response) => {
                    walk.page = response.body.clone();
                    got = Some(response);
                    state = next;
                }
                Err(failure) => return walk.failed(failure.verdict()).await,
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
    app.store.write(site.id, move |c| pulls::put_off(c, id, at, None)).await?;
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
    app.store.write(site.id, move |c| pulls::hurry(c, id, now)).await?;
    app.wake.notify_waiters();
    Ok(true)
}

/// Reads what bodies have only named. Gives how many things were read.
pub async fn fetch(app: &App, id: ConnectionId) -> Result<usize> {
    let _turn = app.talks.take(id).await;
    let Some((site, connection, source)) = found(app, id) else { return Ok(0) };
    let now = app.clock.now();
    let due = app.store.read(site.id, move |c| jobs::list_fetches(c, id, now, MOST_FETCHED)).await?;
    let Some(steps) = source.fetch().filter(|_| !due.is_empty()) else { return Ok(0) };
    let names: Vec<String> = due.iter().map(|(name, _)| name.clone()).collect();
    let mut state = serde_json::to_value(Named { refs: names.clone() }).map_err(Error::internal)?;
    let mut walk = Walk { app, site: &site, connection: &connection, source, page: Vec::new() };
    let mut got: Option<Response> = None;
    let verdict = loop {
        let now = app.clock.now();
        match steps.step(state, got.take().as_ref(), &connection.settings, &home_of(&site, now), now) {
            Step::Ask(request, next) => match asking::send(app, source, &connection, &request).await {
                Ok(response) => {
                    walk.page = response.body.clone();
                    got = Some(response);
                    state = next;
                }
                Err(failure) => break Some(failure.verdict()),
            },
            Step::Yield(batch, next) => {
                walk.take_parts(batch, None).await?;
                state = next;
            }
            Step::Wait(after_ms, _) => break Some(Verdict::Retry { after_ms: Some(after_ms), sentence: String::new() }),
            Step::Done(()) => break None,
            Step::Fail(verdict) => break Some(verdict),
        }
    };
    settle_fetch(app, &site, id, due, verdict).await?;
    Ok(names.len())
}

async fn settle_fetch(app: &App, site: &Arc<Site>, id: ConnectionId, due: Vec<(String, i64)>, verdict: Option<Verdict>) -> Result<()> {
    let now = app.clock.now();
    if let Some(Verdict::Pause(sentence)) = &verdict {
        pause(app, site, id, sentence.clone()).await?;
    }
    app.store
        .write(site.id, move |c| {
            for (name, attempts) in due {
                let is_over =
                    verdict.is_none() || attempts + 1 >= MOST_TRIES || matches!(verdict, Some(Verdict::Refused(_) | Verdict::Split(_)));
                if is_over {
                    jobs::remove_fetch(c, id, &name)?;
                } else {
                    jobs::put_off_fetch(c, id, &name, now.plus_ms(later_ms(verdict.as_ref(), attempts)))?;
                }
            }
            Ok(())
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
async fn begin(app: &App, site: &Site, connection: &Connection, seen_to: Option<Time>, is_first: bool) -> Result<State> {
    let (id, now) = (connection.id, app.clock.now());
    let days = connection.settings.get("history_days").and_then(|d| d.parse::<i64>().ok()).unwrap_or(HISTORY_DAYS);
    let from = seen_to.unwrap_or_else(|| now.plus_ms(-days * DAY_MS));
    app.store
        .write(site.id, move |c| {
            pulls::hurry(c, id, now)?;
            pulls::begin(c, id, now)
        })
        .await?;
    serde_json::to_value(Since { from, is_first }).map_err(Error::internal)
}

struct Walk<'a> {
    app: &'a App,
    site: &'a Arc<Site>,
    connection: &'a Arc<Connection>,
    source: &'static dyn Source,
    /// The answer that the next batch was read from.
    page: Vec<u8>,
}

impl Walk<'_> {
    async fn take(&mut self, batch: Batch, next: &State) -> Result<()> {
        self.take_parts(batch, Some(next)).await
    }

    /// Part by part; the last one together with the state behind all of them.
    async fn take_parts(&mut self, mut batch: Batch, next: Option<&State>) -> Result<()> {
        for problem in &batch.problems {
            tracing::warn!(connection.id = %self.connection.id, source = %self.connection.platform, code = problem.code,
                "A line of the platform's list could not be read.");
            self.app.figures.add("pull_unreadable", problem.code);
        }
        let mut page = std::mem::take(&mut self.page);
        let mut facts = std::mem::take(&mut batch.facts);
        // What happened before the connection was made is history, whenever it is found.
        for fact in &mut facts {
            if let Fact::Order(order) = fact {
                order.is_imported |= order.happened_at < self.connection.created_at;
            }
        }
        let mut fetch = batch.fetch;
        loop {
            let rest = facts.split_off(facts.len().min(PART));
            let is_last = rest.is_empty();
            let names = if is_last { std::mem::take(&mut fetch) } else { Vec::new() };
            self.take_part(facts, &mut page, names, next.filter(|_| is_last)).await?;
            if is_last {
                return Ok(());
            }
            facts = rest;
        }
    }

    async fn take_part(&self, facts: Vec<Fact>, page: &mut Vec<u8>, names: Vec<String>, next: Option<&State>) -> Result<()> {
        let (id, now) = (self.connection.id, self.app.clock.now());
        let connections: Vec<Arc<Connection>> = self.app.book().connections_of(self.site.id).cloned().collect();
        let (owner, next) = (self.site.clone(), next.cloned());
        let body = if page.len() <= LARGEST_KEPT { page.clone() } else { Vec::new() };
        let mut delivered = Delivered {
            connection: Some(id),
            platform: self.connection.platform.clone(),
            path: PATH.into(),
            content_type: "application/json".into(),
            body,
            facts: Vec::new(),
            fetch: Vec::new(),
            is_asserted: false,
            is_once: false,
            read_at: Some(now),
        };
        let taken = self
            .app
            .store
            .write(self.site.id, move |c| {
                let mut new_orders = 0;
                for fact in facts {
                    if let Fact::Order(order) = &fact {
                        let external_id = intake::own_id(&order.platform, &order.external_id);
                        let known = orders::find_by_external_id(c, id.number(), &external_id)?;
                        new_orders += usize::from(known.is_none());
                        if known.is_some_and(|known| is_same(c, id, order, &external_id, &known).unwrap_or(false)) {
                            continue;
                        }
                    }
                    delivered.facts.push(fact);
                }
                for name in names {
                    jobs::add_fetch(c, id, &name, now)?;
                }
                let taken = match delivered.facts.is_empty() {
                    true => None,
                    false => Some(intake::store(c, &owner, &connections, &delivered, None, now)?),
                };
                match &next {
                    Some(next) => pulls::save(c, id, next, new_orders)?,
                    None => pulls::count(c, id, new_orders)?,
                }
                Ok(taken)
            })
            .await?;
        if let Some(taken) = &taken {
            page.clear();
            self.announce(taken);
        }
        Ok(())
    }

    fn announce(&self, taken: &Taken) {
        intake::announce(self.app, self.site, taken);
    }

    /// The platform wants to be left alone, or there is nothing to do before then: the worker is free meanwhile.
    async fn wait(&self, after_ms: i64, next: State) -> Result<Ended> {
        let id = self.connection.id;
        let at = self.app.clock.now().plus_ms(after_ms.clamp(0, DAY_MS));
        self.app
            .store
            .write(self.site.id, move |c| {
                pulls::save(c, id, &next, 0)?;
                pulls::put_off(c, id, at, None)
            })
            .await?;
        Ok(Ended::Later { at })
    }

    async fn finish(&self, window: Window) -> Result<Ended> {
        let (id, now) = (self.connection.id, self.app.clock.now());
        let next_at = next_after(self.source, self.connection, now);
        let orders = self
            .app
            .store
            .write(self.site.id, move |c| {
                let before = pulls::find(c, id)?;
                let (orders, sentence) = before.map_or((0, None), |p| (p.orders, p.sentence));
                pulls::finish(c, id, window.to, next_at, now)?;
                registrations::tell_pulled(c, id, &fetched(orders))?;
                if let Some(sentence) = sentence {
                    recovered(c, id, &sentence)?;
                }
                Ok(orders)
            })
            .await?;
        self.turned(Status::NeedsAttention).await?;
        Ok(Ended::Whole { orders })
    }

    async fn failed(&self, verdict: Verdict) -> Result<Ended> {
        let (id, now) = (self.connection.id, self.app.clock.now());
        let sentence = asking::sentence_of(&verdict);
        if let Verdict::Pause(sentence) = &verdict {
            let told = sentence.clone();
            self.app.store.write(self.site.id, move |c| pulls::put_off(c, id, now, Some(&told))).await?;
            pause(self.app, self.site, id, sentence.clone()).await?;
            return Ok(Ended::Failed { sentence: sentence.clone() });
        }
        let is_refused = matches!(verdict, Verdict::Refused(_) | Verdict::Split(_));
        let told = sentence.clone();
        let is_told = self
            .app
            .store
            .write(self.site.id, move |c| {
                let failures = pulls::find(c, id)?.map_or(0, |p| p.failures);
                if is_refused {
                    pulls::drop_state(c, id)?;
                }
                pulls::put_off(c, id, now.plus_ms(later_ms(Some(&verdict), failures)), Some(&told))?;
                let is_told = failures + 1 >= TOLD_AFTER && connections::find_status(c, id)? == Some(Status::Ok);
                if is_told {
                    connections::set_status(c, id, Status::NeedsAttention, Some(&told))?;
                    registrations::tell(c, id, &told, false, now)?;
                }
                Ok(is_told)
            })
            .await?;
        if is_told {
            self.turned(Status::Ok).await?;
        }
        Ok(Ended::Failed { sentence })
    }

    /// The book and open dashboards hear of a status that may have changed from what it was.
    async fn turned(&self, from: Status) -> Result<()> {
        if self.connection.status == from {
            self.app.refresh().await?;
            if let Some(connection) = self.app.book().connection(self.connection.id) {
                self.app.tell(News::Connection { site: self.site.id, id: connection.id, status: connection.status.word() });
            }
        }
        Ok(())
    }
}

/// Where pulled bodies are said to have come from.
const PATH: &str = "/pull";

/// It says nothing that is not known: the same change, the same refunds. A journey that the shop has worked out since changes
/// no order, and is news all the same.
fn is_same(
    c: &SiteConn,
    id: ConnectionId,
    order: &crate::domain::fact::Order,
    external_id: &str,
    known: &orders::KnownOrder,
) -> Result<bool> {
    use crate::store::refunds;
    if order.modified_at > known.modified_at || (order.is_over() != known.is_over && order.modified_at == known.modified_at) {
        return Ok(false);
    }
    if !order.journey.is_empty() && !known.has_journey {
        return Ok(false);
    }
    let stored = refunds::list_of_order(c, id.number(), external_id)?;
    let stands: Vec<&refunds::Known> = stored.iter().filter(|r| r.told_at >= known.refunds_at).collect();
    let is_told = |refund: &crate::domain::fact::Refund| {
        let own = intake::own_id(&order.platform, &refund.external_id);
        stands.iter().any(|r| r.external_id == own && r.amount == refund.amount && r.happened_at <= refund.happened_at)
    };
    let is_whole = !order.are_refunds_whole || stands.len() == order.refunds.len();
    Ok(is_whole && order.refunds.iter().all(is_told))
}

/// When the next pull begins: after the source's own time, or as the owner's schedule says.
pub fn next_after(source: &dyn Source, connection: &Connection, now: Time) -> Time {
    let schedule = connection.settings.get("schedule").and_then(crate::domain::schedule::Schedule::parse);
    schedule.and_then(|s| s.next_after(now)).unwrap_or_else(|| now.plus_ms(source.pull_every_ms()))
}

/// From a minute, doubled to an hour; the platform's own wish comes first.
pub fn later_ms(verdict: Option<&Verdict>, failures: i64) -> i64 {
    let own = match verdict {
        Some(Verdict::Retry { after_ms, .. }) => *after_ms,
        _ => None,
    };
    own.unwrap_or_else(|| (MINUTE_MS << failures.clamp(0, 6)).min(HOUR_MS))
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

fn fetched(orders: i64) -> String {
    match orders {
        0 => "No order had been missed.".into(),
        1 => "One order that came meanwhile was fetched.".into(),
        n => format!("{n} orders that came meanwhile were fetched."),
    }
}
