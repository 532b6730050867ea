//! What a walk through a platform's list brings, part by part, and how it ends.

use std::sync::Arc;

use super::plan::next_after;
use super::{Ended, STOPPED, known, later_ms, pause, recovered, unread};
use crate::app::{App, News};
use crate::domain::fact::{Fact, Milestone};
use crate::domain::ids::SyncRunId;
use crate::domain::milestone::is_booking;
use crate::domain::schedule::LONGEST_WAIT_MS;
use crate::domain::steps::{State, Verdict};
use crate::error::Result;
use crate::flows::asking;
use crate::flows::intake::{self, Delivered, Taken};
use crate::sources::{Batch, Problem, Source, Standing, Whole, Window};
use crate::store::connections::{self, Connection, Status};
use crate::store::milestones::Listed;
use crate::store::pulls::Brought;
use crate::store::scope::SiteConn;
use crate::store::sites::Site;
use crate::store::sync_runs::Tally;
use crate::store::{counters, jobs, milestones, orders, pulls, registrations, sync_runs};

/// Facts of one change: a page of a hundred must not hold up those who wait for an answer.
const PART: usize = 20;
/// Things of one change whose standing is looked at: mostly there is nothing to be written.
const STANDING_PART: usize = 100;
/// So many failures in a row are shown on the card.
const TOLD_AFTER: i64 = 3;
/// A page beyond this is not kept as it came.
const LARGEST_KEPT: usize = 256 * 1024;

pub struct Walk<'a> {
    pub app: &'a App,
    pub site: &'a Arc<Site>,
    pub connection: &'a Arc<Connection>,
    pub source: &'static dyn Source,
    /// The run that this is a part of; none where single things are fetched.
    pub run: Option<SyncRunId>,
    /// The answer that the next batch was read from, and where the talk stood when it was asked for.
    pub page: Vec<u8>,
    pub asked: State,
}

impl Walk<'_> {
    pub async fn take(&mut self, batch: Batch, next: &State) -> Result<()> {
        self.take_parts(batch, Some(next)).await
    }

    /// Part by part; the last one together with the state behind all of them.
    pub async fn take_parts(&mut self, mut batch: Batch, next: Option<&State>) -> Result<()> {
        for problem in &batch.problems {
            tracing::warn!(connection.id = %self.connection.id, source = %self.connection.platform, code = problem.code,
                "A line of the platform's list could not be read.");
            self.app.figures.add("pull_unreadable", problem.code);
        }
        let sentences: Vec<String> = batch.problems.iter().map(|p| p.sentence.clone()).collect();
        if let Some(run) = self.run.filter(|_| !sentences.is_empty()) {
            self.app.store.write(self.site.id, move |c| sync_runs::add_errors(c, run, &sentences)).await?;
        }
        let mut page = std::mem::take(&mut self.page);
        if !batch.problems.is_empty() {
            self.keep_unread(&page, &batch.problems).await?;
        }
        let mut facts = std::mem::take(&mut batch.facts);
        // What happened before the connection was made is history, whenever it is found.
        for fact in &mut facts {
            if let Fact::Order(order) = fact {
                order.is_imported |= order.happened_at < self.connection.created_at;
            }
        }
        self.undo(std::mem::take(&mut batch.standing)).await?;
        if let Some(whole) = batch.whole.take() {
            facts.extend(self.ended(whole).await?);
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

    /// What could not be read is kept as it came, to be read again after a fix.
    async fn keep_unread(&self, page: &[u8], problems: &[Problem]) -> Result<()> {
        let path = if self.run.is_some() { unread::PATH } else { intake::FETCHED };
        for unread in unread::parts_of(page, &self.asked, problems, self.run.is_some()) {
            let delivered = Delivered {
                connection: Some(self.connection.id),
                platform: self.connection.platform.clone(),
                path: path.into(),
                content_type: "application/json".into(),
                body: unread.body,
                facts: Vec::new(),
                fetch: Vec::new(),
                is_asserted: false,
                is_once: false,
                read_at: Some(self.app.clock.now()),
            };
            intake::quarantine_as(self.app, self.site, delivered, unread.sentence, &unread.row).await?;
        }
        Ok(())
    }

    /// What is shown as it stands now makes untrue what was told of it before.
    async fn undo(&self, mut standing: Vec<Standing>) -> Result<()> {
        let (id, now) = (self.connection.id.number(), self.app.clock.now());
        while !standing.is_empty() {
            let rest = standing.split_off(standing.len().min(STANDING_PART));
            let undo = move |c: &SiteConn| standing.iter().try_for_each(|s| milestones::undo(c, id, &s.external_id, &s.not, now));
            self.app.store.write(self.site.id, undo).await?;
            standing = rest;
        }
        Ok(())
    }

    /// What the platform held once and holds no more has ended, as far as we can tell in this moment.
    async fn ended(&self, whole: Whole) -> Result<Vec<Fact>> {
        let (id, now) = (self.connection.id.number(), self.app.clock.now());
        let end = whole.end;
        let list = move |c: &SiteConn| {
            let (since, before) = (whole.since, whole.begun_at);
            milestones::list_missing(c, id, &Listed { kind: whole.kind, since, within: &whole.within, before, ids: &whole.ids })
        };
        let missing = self.app.store.read(self.site.id, list).await?;
        let ended = |m| Fact::Milestone(Milestone { kind: end.to_owned(), happened_at: now, told_at: Some(now), ..m });
        Ok(missing.into_iter().map(ended).collect())
    }

    async fn take_part(&self, facts: Vec<Fact>, page: &mut Vec<u8>, names: Vec<String>, next: Option<&State>) -> Result<()> {
        let (id, now, run) = (self.connection.id, self.app.clock.now(), self.run);
        let is_of_orders = matches!(self.source.brings().0, "Orders" | "Payments");
        let connections: Vec<Arc<Connection>> = self.app.book().connections_of(self.site.id).cloned().collect();
        let (owner, next, is_page) = (self.site.clone(), next.cloned(), next.is_some());
        let body = if page.len() <= LARGEST_KEPT { page.clone() } else { Vec::new() };
        let mut delivered = Delivered {
            connection: Some(id),
            platform: self.connection.platform.clone(),
            path: if self.run.is_some() { unread::PATH } else { intake::FETCHED }.into(),
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
                let processed = facts.len() as i64;
                let mut brought = Brought { records: facts.len(), pages: usize::from(next.is_some()), ..Brought::default() };
                for fact in facts {
                    if let Fact::Order(order) = &fact {
                        brought.reached_at = brought.reached_at.max(Some(order.modified_at));
                        let external_id = intake::own_id(&order.platform, &order.external_id);
                        let known = orders::find_by_external_id(c, id.number(), &external_id)?;
                        match known {
                            None => {
                                brought.orders += usize::from(is_of_orders);
                                // What was read from the list has been heard of too; history is none of today's rhythm.
                                if !order.is_imported {
                                    counters::add(c, owner.zone.day(now), intake::HEARD, &id.to_string())?;
                                }
                            }
                            Some(known) if known::is_same(c, id, order, &external_id, &known)? => continue,
                            Some(_) => {}
                        }
                    }
                    if known::is_told_already(c, id, &fact)? {
                        continue;
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
                if let Some(taken) = taken.as_ref().filter(|_| !is_of_orders) {
                    let told = delivered.facts.iter().zip(&taken.facts);
                    brought.orders += told.filter(|(fact, stored)| stored.is_new && is_one(fact)).count();
                }
                if let Some(run) = run {
                    sync_runs::count(c, run, Tally { pages: i64::from(next.is_some()), ..tally(processed, taken.as_ref()) })?;
                }
                match &next {
                    Some(next) => pulls::save(c, id, next, &brought, now)?,
                    None => pulls::count(c, id, &brought)?,
                }
                Ok(taken)
            })
            .await?;
        if let Some(taken) = &taken {
            page.clear();
            self.announce(taken);
        }
        if is_page {
            self.tell();
        }
        Ok(())
    }

    /// Open dashboards look at the card again.
    fn tell(&self) {
        if let Some(connection) = self.app.book().connection(self.connection.id) {
            self.app.tell(News::Connection { site: self.site.id, id: connection.id, status: connection.status.word() });
        }
    }

    fn announce(&self, taken: &Taken) {
        intake::announce(self.app, self.site, taken);
    }

    /// The platform wants to be left alone, or there is nothing to do before then: the worker is free meanwhile.
    pub async fn wait(&self, after_ms: i64, next: State) -> Result<Ended> {
        let (id, now) = (self.connection.id, self.app.clock.now());
        let at = now.plus_ms(after_ms.clamp(0, LONGEST_WAIT_MS));
        self.app
            .store
            .write(self.site.id, move |c| {
                pulls::save(c, id, &next, &Brought::default(), now)?;
                pulls::put_off(c, id, at, None, now)
            })
            .await?;
        Ok(Ended::Later { at })
    }

    /// Somebody has stopped it. What it has stored stays, and the next one, at its own time, goes on where it was.
    pub async fn cancelled(&self) -> Result<Ended> {
        let (id, now, run) = (self.connection.id, self.app.clock.now(), self.run);
        let next_at = next_after(self.source, self.connection, &self.site.zone, now);
        self.app
            .store
            .write(self.site.id, move |c| {
                if let Some(run) = run {
                    sync_runs::stop(c, run, "cancelled", STOPPED, now)?;
                }
                pulls::plan(c, id, next_at, now)
            })
            .await?;
        self.counted("cancelled");
        self.tell();
        Ok(Ended::Cancelled)
    }

    pub async fn finish(&self, window: Window) -> Result<Ended> {
        let (id, now, run, noun) = (self.connection.id, self.app.clock.now(), self.run, self.source.brings().0);
        let next_at = next_after(self.source, self.connection, &self.site.zone, now);
        let (orders, status) = self
            .app
            .store
            .write(self.site.id, move |c| {
                let before = pulls::find(c, id)?;
                let (orders, sentence) = before.map_or((0, None), |p| (p.orders, p.sentence));
                pulls::finish(c, id, window.to, next_at, now)?;
                let status = run.map(|run| sync_runs::end(c, run, now)).transpose()?;
                registrations::tell_pulled(c, id, &fetched(noun, orders))?;
                if let Some(sentence) = sentence {
                    recovered(c, id, &sentence)?;
                }
                Ok((orders, status))
            })
            .await?;
        if let Some(status) = status {
            self.counted(&status);
        }
        // Too late to stop it.
        if let Some(run) = run {
            self.app.talks.forget_cancel(id, run);
        }
        self.turned(Status::NeedsAttention).await?;
        Ok(Ended::Whole { orders })
    }

    pub async fn failed(&self, verdict: Verdict) -> Result<Ended> {
        let (id, now) = (self.connection.id, self.app.clock.now());
        let sentence = asking::sentence_of(&verdict);
        // A platform that names the time to come back is not in the way of a run's success.
        let failed_run = self.run.filter(|_| !matches!(verdict, Verdict::Retry { after_ms: Some(_), .. }));
        if let Some(run) = failed_run {
            let told = sentence.clone();
            self.app.store.write(self.site.id, move |c| sync_runs::fail(c, run, &told, now)).await?;
            self.counted("failed");
        }
        if let Verdict::Pause(sentence) = &verdict {
            let told = sentence.clone();
            self.app.store.write(self.site.id, move |c| pulls::put_off(c, id, now, Some(&told), now)).await?;
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
                pulls::put_off(c, id, now.plus_ms(later_ms(Some(&verdict), failures)), Some(&told), now)?;
                let is_told = failures + 1 >= TOLD_AFTER && connections::find_status(c, id)? == Some(Status::Ok);
                if is_told {
                    connections::set_status(c, id, Status::NeedsAttention, Some(&told))?;
                    registrations::tell(c, id, &told, false, now)?;
                }
                Ok(is_told)
            })
            .await?;
        match is_told {
            true => self.turned(Status::Ok).await?,
            false => self.tell(),
        }
        Ok(Ended::Failed { sentence })
    }

    /// For the metrics page: runs by source and status.
    fn counted(&self, status: &str) {
        self.app.figures.add("sync_runs", &format!("source=\"{}\",status=\"{status}\"", self.connection.platform));
    }

    /// The book and open dashboards hear of a status that may have changed from what it was.
    async fn turned(&self, from: Status) -> Result<()> {
        if self.connection.status == from {
            self.app.refresh().await?;
        }
        self.tell();
        Ok(())
    }
}

/// What became of the facts of a part. What was left out before as it stood there already counts as skipped.
fn tally(processed: i64, taken: Option<&Taken>) -> Tally {
    let facts = taken.map(|t| t.facts.as_slice()).unwrap_or_default();
    let created = facts.iter().filter(|f| f.is_new).count() as i64;
    // Of an order only what differs is told again.
    let updated = facts.iter().filter(|f| !f.is_new && (f.is_changed || f.kind == "sale")).count() as i64;
    Tally { processed, created, updated, skipped: processed - created - updated, pages: 0 }
}

/// `noun` is what the platform brings, as several of it are called.
fn fetched(noun: &str, count: i64) -> String {
    let many = noun.to_lowercase();
    let one = many.strip_suffix('s').unwrap_or(&many);
    match count {
        0 => format!("No {one} had been missed."),
        1 => format!("One {one} that came meanwhile was fetched."),
        n => format!("{n} {many} that came meanwhile were fetched."),
    }
}

/// Whether a fact is one of what the platform brings: of a booking only that it was made, not what became of it.
fn is_one(fact: &Fact) -> bool {
    match fact {
        Fact::Milestone(m) => is_booking(&m.kind),
        Fact::Lead(_) => true,
        _ => false,
    }
}
