//! Single things that bodies have only named, read right after. Each is settled by itself: one that cannot be read stands
//! in nobody's way, and one that was read is asked for no more.

use super::walk::Walk;
use super::{found, later_ms, pause};
use crate::app::App;
use crate::domain::ids::ConnectionId;
use crate::domain::steps::{State, Step, Steps, Verdict};
use crate::error::{Error, Result};
use crate::flows::asking;
use crate::flows::replay::home_of;
use crate::sources::{Fetch, Named};
use crate::store::jobs;
use crate::wire::Response;

/// Things that are read in one talk.
const MOST_FETCHED: usize = 50;
/// A thing that cannot be read so often is given up: the next pull brings what it can.
const MOST_TRIES: i64 = 12;
/// After so many in a row that could not be read now, it is the platform that has its bad day: the rest waits.
const MOST_FAILURES: usize = 3;

/// Reads what bodies have only named. Gives how many things were due.
pub async fn fetch(app: &App, id: ConnectionId) -> Result<usize> {
    let _turn = app.talks.take(id).await;
    let Some((site, connection, source)) = found(app, id) else { return Ok(0) };
    let now = app.clock.now();
    let due = app.store.read(site.id, move |c| jobs::list_fetches(c, id, now, MOST_FETCHED)).await?;
    let Some(steps) = source.fetch().filter(|_| !due.is_empty()) else { return Ok(0) };
    let names: Vec<String> = due.iter().map(|(name, _)| name.clone()).collect();
    let walk = Walk { run: None, app, site: &site, connection: &connection, source, page: Vec::new(), asked: State::Null };
    let mut reading = Reading { walk, steps, left: due };
    // All in one talk first, which asks for nothing twice.
    let Some(mut verdict) = reading.read(&names).await? else { return Ok(names.len()) };
    let mut failures = 0;
    if let ([(name, _)], false) = (reading.left.as_slice(), is_of_platform(&verdict)) {
        let name = name.clone();
        reading.settle(&name, &verdict).await?;
    }
    // Which of several it was shows when each is asked for alone.
    for name in &names {
        if is_of_platform(&verdict) || failures >= MOST_FAILURES {
            break;
        }
        if !reading.left.iter().any(|(left, _)| left == name) {
            continue;
        }
        match reading.read(std::slice::from_ref(name)).await? {
            None => failures = 0,
            Some(found) => {
                if !is_of_platform(&found) {
                    failures += usize::from(matches!(found, Verdict::Retry { .. }));
                    reading.settle(name, &found).await?;
                }
                verdict = found;
            }
        }
    }
    reading.put_off(&verdict).await?;
    if let Verdict::Pause(sentence) = verdict {
        pause(app, &site, id, sentence).await?;
    }
    Ok(names.len())
}

/// It says nothing of the one thing that was asked for: the platform names a time, or its owner has to do something.
fn is_of_platform(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Pause(_) | Verdict::Retry { after_ms: Some(_), .. })
}

struct Reading<'a> {
    walk: Walk<'a>,
    steps: &'static dyn Steps<Fetch>,
    /// What was due and is not read yet, with how often it was tried.
    left: Vec<(String, i64)>,
}

impl Reading<'_> {
    /// One talk about these. None: all of them were read.
    async fn read(&mut self, names: &[String]) -> Result<Option<Verdict>> {
        let (app, connection, site) = (self.walk.app, self.walk.connection, self.walk.site);
        let mut state = serde_json::to_value(Named { refs: names.to_vec() }).map_err(Error::internal)?;
        let mut got: Option<Response> = None;
        loop {
            let now = app.clock.now();
            match self.steps.step(state, got.take().as_ref(), &connection.settings, &home_of(site, now), now) {
                Step::Ask(request, next) => match asking::send(app, self.walk.source, connection, &request).await {
                    Ok(response) => {
                        self.walk.page.clone_from(&response.body);
                        self.walk.asked.clone_from(&next);
                        got = Some(response);
                        state = next;
                    }
                    Err(failure) => return Ok(Some(asking::verdict_of(failure))),
                },
                Step::Yield(batch, next) => {
                    self.walk.take_parts(batch, None).await?;
                    let open: Vec<String> = serde_json::from_value(next["refs"].clone()).unwrap_or_default();
                    self.remove(names.iter().filter(|name| !open.contains(name)).cloned().collect()).await?;
                    state = next;
                }
                Step::Wait(after_ms, _) => return Ok(Some(Verdict::Retry { after_ms: Some(after_ms), sentence: String::new() })),
                Step::Done(()) => {
                    self.remove(names.to_vec()).await?;
                    return Ok(None);
                }
                Step::Fail(verdict) => return Ok(Some(verdict)),
            }
        }
    }

    async fn remove(&mut self, names: Vec<String>) -> Result<()> {
        let names: Vec<String> = names.into_iter().filter(|name| self.left.iter().any(|(left, _)| left == name)).collect();
        if names.is_empty() {
            return Ok(());
        }
        self.left.retain(|(left, _)| !names.contains(left));
        let id = self.walk.connection.id;
        self.walk.app.store.write(self.walk.site.id, move |c| names.iter().try_for_each(|name| jobs::remove_fetch(c, id, name))).await
    }

    /// What becomes of the one thing that was asked for alone.
    async fn settle(&mut self, name: &str, verdict: &Verdict) -> Result<()> {
        let Some(attempts) = self.left.iter().find(|(left, _)| left == name).map(|(_, attempts)| *attempts) else { return Ok(()) };
        let is_over = attempts + 1 >= MOST_TRIES || matches!(verdict, Verdict::Refused(_) | Verdict::Split(_));
        if is_over {
            tracing::warn!(connection.id = %self.walk.connection.id, source = %self.walk.connection.platform, why = %asking::sentence_of(verdict),
                "A single thing of the platform's could not be read and is given up.");
            return self.remove(vec![name.to_owned()]).await;
        }
        self.left.retain(|(left, _)| left != name);
        let (id, name, at) =
            (self.walk.connection.id, name.to_owned(), self.walk.app.clock.now().plus_ms(later_ms(Some(verdict), attempts)));
        self.walk.app.store.write(self.walk.site.id, move |c| jobs::put_off_fetch(c, id, &name, at)).await
    }

    /// What nobody has said anything about waits, and that counts as no try.
    async fn put_off(&mut self, verdict: &Verdict) -> Result<()> {
        let names = std::mem::take(&mut self.left);
        let (id, at) = (self.walk.connection.id, self.walk.app.clock.now().plus_ms(later_ms(Some(verdict), 0)));
        self.walk
            .app
            .store
            .write(self.walk.site.id, move |c| names.iter().try_for_each(|(name, _)| jobs::postpone_fetch(c, id, name, at)))
            .await
    }
}
