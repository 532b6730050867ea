//! A change as it waits for the writer: run, then told how it ended. One that can be run again needs no savepoint of its
//! own: where another of its batch fails, all are rolled back and run once more, each in a savepoint.

use std::panic::AssertUnwindSafe;

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::error::{Error, Result};

pub trait Change: Send {
    /// False means that nothing of it may be kept.
    fn run(&mut self, conn: &Connection) -> bool;

    /// Tells the caller, after the commit.
    fn finish(self: Box<Self>, committed: Result<()>);

    fn is_repeatable(&self) -> bool;
}

struct Waiting<T, F, D: FnOnce(Result<T>)> {
    change: F,
    is_repeatable: bool,
    outcome: Option<Result<T>>,
    then: Option<D>,
}

/// One that never came to the writer's hand, because the writer ended, hears of it too.
impl<T, F, D: FnOnce(Result<T>)> Drop for Waiting<T, F, D> {
    fn drop(&mut self) {
        if let Some(then) = self.then.take() {
            then(Err(super::stopping()));
        }
    }
}

pub type Told<T> = oneshot::Receiver<Result<T>>;

/// A change that runs at most once.
pub fn once<T, F>(change: F) -> (Box<dyn Change>, Told<T>)
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> Result<T> + Send + 'static,
{
    let mut left = Some(change);
    waiting(false, move |conn: &Connection| match left.take() {
        Some(change) => change(conn),
        None => Err(Error::internal("a change was run twice")),
    })
}

/// A change that may run again after everything it did was rolled back.
pub fn repeatable<T, F>(change: F) -> (Box<dyn Change>, Told<T>)
where
    T: Send + 'static,
    F: FnMut(&Connection) -> Result<T> + Send + 'static,
{
    waiting(true, change)
}

/// The same for one that nobody waits for; `then` hears how it ended. Both have the `state` in turn.
pub fn followed<S, T, F, D>(state: S, change: F, then: D) -> Box<dyn Change>
where
    S: Send + 'static,
    T: Send + 'static,
    F: FnMut(&mut S, &Connection) -> Result<T> + Send + 'static,
    D: FnOnce(S, Result<T>) + Send + 'static,
{
    Box::new(Followed { change, outcome: None, left: Some((state, then)) })
}

fn waiting<T, F>(is_repeatable: bool, change: F) -> (Box<dyn Change>, Told<T>)
where
    T: Send + 'static,
    F: FnMut(&Connection) -> Result<T> + Send + 'static,
{
    let (tell, told) = oneshot::channel();
    let then = |outcome| {
        let _ = tell.send(outcome);
    };
    (Box::new(Waiting { change, is_repeatable, outcome: None, then: Some(then) }), told)
}

impl<T, F, D> Change for Waiting<T, F, D>
where
    T: Send,
    F: FnMut(&Connection) -> Result<T> + Send,
    D: FnOnce(Result<T>) + Send,
{
    fn run(&mut self, conn: &Connection) -> bool {
        let outcome = caught(|| (self.change)(conn));
        let is_kept = outcome.is_ok();
        self.outcome = Some(outcome);
        is_kept
    }

    fn finish(mut self: Box<Self>, committed: Result<()>) {
        let Some(then) = self.then.take() else { return };
        then(ended(self.outcome.take(), committed));
    }

    fn is_repeatable(&self) -> bool {
        self.is_repeatable
    }
}

struct Followed<S, T, F, D: FnOnce(S, Result<T>)> {
    change: F,
    outcome: Option<Result<T>>,
    left: Option<(S, D)>,
}

impl<S, T, F, D: FnOnce(S, Result<T>)> Drop for Followed<S, T, F, D> {
    fn drop(&mut self) {
        if let Some((state, then)) = self.left.take() {
            then(state, Err(super::stopping()));
        }
    }
}

impl<S, T, F, D> Change for Followed<S, T, F, D>
where
    S: Send,
    T: Send,
    F: FnMut(&mut S, &Connection) -> Result<T> + Send,
    D: FnOnce(S, Result<T>) + Send,
{
    fn run(&mut self, conn: &Connection) -> bool {
        let Some((state, _)) = &mut self.left else { return false };
        let outcome = caught(|| (self.change)(state, conn));
        let is_kept = outcome.is_ok();
        self.outcome = Some(outcome);
        is_kept
    }

    fn finish(mut self: Box<Self>, committed: Result<()>) {
        let Some((state, then)) = self.left.take() else { return };
        then(state, ended(self.outcome.take(), committed));
    }

    fn is_repeatable(&self) -> bool {
        true
    }
}

fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(Error::internal("a change panicked")))
}

/// What became of a change, and of the commit that held it.
fn ended<T>(outcome: Option<Result<T>>, committed: Result<()>) -> Result<T> {
    match (outcome, committed) {
        // A change that failed by itself says its own reason.
        (Some(Err(own)), _) => Err(own),
        (_, Err(e)) => Err(e),
        (Some(outcome), Ok(())) => outcome,
        (None, Ok(())) => Err(Error::internal("a change was never run")),
    }
}
