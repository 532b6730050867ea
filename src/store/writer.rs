//! The writer thread: it takes what is waiting, runs each change in its own savepoint inside one transaction, commits
//! once, and only then answers all. After a 200 the fact is on disk.

/// What is committed at once.
mod batch;
/// Housekeeping that goes with others.
mod beside;
/// A change as it waits.
mod change;
/// Changes that nobody waits for.
mod later;
/// The log, written back beside the writer.
mod log;
/// A file for the tests of these.
mod place;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use self::beside::Beside;
use self::change::{Change, Told};
use self::later::Later;
use self::log::LogKeeper;
use super::scope::{self, Fault};
use crate::error::{Error, Kind, Result};

/// Changes taken into one commit at most.
const LARGEST_BATCH: usize = 256;
/// Of those that nobody waits for: so many come together in a flood, and whoever waits meanwhile waits some ten milliseconds.
const LARGEST_LATER: usize = 1_024;
/// Changes that may wait; beyond that the answer is 503, never a wait on an async thread.
const QUEUE: usize = 4_096;
/// Asking for the log's length costs a call; after so many batches is often enough.
const BATCHES_A_LOOK: u32 = 16;

enum Message {
    Change {
        change: Box<dyn Change>,
        since: Instant,
    },
    /// Some that nobody waits for.
    Changes {
        changes: Vec<Box<dyn Change>>,
        since: Instant,
    },
    /// One that waits for others to go with.
    Beside(Box<dyn Change>),
    Outside(Box<dyn FnOnce(&Connection) + Send>),
    /// A reader has found damage.
    End,
    Stop(oneshot::Sender<()>),
}

pub struct Writer {
    queue: SyncSender<Message>,
    figures: Arc<Figures>,
    later: Later,
}

#[derive(Default)]
struct Figures {
    batches: AtomicU64,
    changes: AtomicU64,
    wait_us: AtomicU64,
    waiting: AtomicU64,
    refused: AtomicU64,
    full: AtomicU64,
    has_failed: AtomicBool,
    is_dead: AtomicBool,
}

/// Counters since the start, for the metrics page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WriterFigures {
    pub batches: u64,
    pub changes: u64,
    pub wait_us: u64,
    pub waiting: u64,
    pub refused: u64,
    /// How often there was no room.
    pub full: u64,
    /// The storage failed or is damaged: the process must end.
    pub has_failed: bool,
    pub is_dead: bool,
}

impl Writer {
    /// Both are connections to the same file: one to write, one to write its log back.
    pub fn start(conn: Connection, beside: Connection) -> Result<Self> {
        let (queue, waiting) = sync_channel(QUEUE);
        let figures = Arc::new(Figures::default());
        let keeper = LogKeeper::start(beside, figures.clone())?;
        let own = figures.clone();
        std::thread::Builder::new()
            .name("writer".into())
            .spawn(move || {
                // A panic between two changes is the end of the writer too, and must be seen as one.
                let _ = std::panic::catch_unwind(AssertUnwindSafe(|| work(conn, keeper, &waiting, &own)));
                own.is_dead.store(true, Ordering::Release);
            })
            .map_err(Error::internal)?;
        Ok(Self { queue, figures, later: Later::default() })
    }

    pub async fn run<T, F>(&self, change: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let (change, told) = change::once(change);
        self.wait_for(change, told).await
    }

    /// The same for a change that may run again after a rollback: it needs no savepoint among its like.
    pub async fn run_again<T, F>(&self, change: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Connection) -> Result<T> + Send + 'static,
    {
        let (change, told) = change::repeatable(change);
        self.wait_for(change, told).await
    }

    /// The same for one that can wait a moment: it goes into the commit of what comes next, so that it costs nobody a commit and a
    /// sync of its own.
    pub async fn run_beside<T, F>(&self, change: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&Connection) -> Result<T> + Send + 'static,
    {
        let (change, told) = change::repeatable(change);
        self.send(Message::Beside(change))?;
        told.await.map_err(|_| stopping())?
    }

    /// A change that nobody waits for and that may run again. It comes to the writer with others of its moment; `then` hears how
    /// it ended, on the writer's own thread. True for the first of a moment: the caller calls `bring` once it is over.
    pub fn run_later<S, T, F, D>(&self, state: S, change: F, then: D) -> bool
    where
        S: Send + 'static,
        T: Send + 'static,
        F: FnMut(&mut S, &Connection) -> Result<T> + Send + 'static,
        D: FnOnce(S, Result<T>) + Send + 'static,
    {
        self.later.add(change::followed(state, change, then))
    }

    /// How long the moment lasts in which changes are gathered.
    pub fn beat(&self) -> Duration {
        self.later.beat()
    }

    /// Brings what was gathered to the writer, in parts so small that others' changes come between them.
    pub fn bring(&self) {
        let mut rest = self.later.take().into_iter().peekable();
        while rest.peek().is_some() {
            let changes: Vec<_> = rest.by_ref().take(LARGEST_LATER).collect();
            let count = changes.len() as u64;
            self.figures.waiting.fetch_add(count, Ordering::Relaxed);
            if let Err(e) = self.queue.try_send(Message::Changes { changes, since: Instant::now() }) {
                self.figures.waiting.fetch_sub(count, Ordering::Relaxed);
                self.figures.refused.fetch_add(count, Ordering::Relaxed);
                let (message, why): (_, fn() -> Error) = match e {
                    TrySendError::Full(message) => (message, too_busy),
                    TrySendError::Disconnected(message) => (message, stopping),
                };
                if let Message::Changes { changes, .. } = message {
                    changes.into_iter().for_each(|change| change.finish(Err(why())));
                }
            }
        }
    }

    async fn wait_for<T>(&self, change: Box<dyn Change>, told: Told<T>) -> Result<T> {
        self.send(Message::Change { change, since: Instant::now() })?;
        told.await.map_err(|_| stopping())?
    }

    pub async fn run_outside<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        self.send(Message::Outside(Box::new(move |conn| {
            let _ = tell.send(work(conn));
        })))?;
        told.await.map_err(|_| stopping())?
    }

    fn send(&self, message: Message) -> Result<()> {
        self.figures.waiting.fetch_add(1, Ordering::Relaxed);
        self.queue.try_send(message).map_err(|e| {
            self.figures.waiting.fetch_sub(1, Ordering::Relaxed);
            self.figures.refused.fetch_add(1, Ordering::Relaxed);
            match e {
                TrySendError::Full(_) => too_busy(),
                TrySendError::Disconnected(_) => stopping(),
            }
        })
    }

    /// Nothing more is acknowledged, because the storage is not what it was.
    pub fn end(&self) {
        self.figures.has_failed.store(true, Ordering::Release);
        // A full queue wakes the writer as well.
        let _ = self.queue.try_send(Message::End);
    }

    pub async fn stop(&self) {
        let (tell, told) = oneshot::channel();
        if self.queue.try_send(Message::Stop(tell)).is_ok() {
            let _ = told.await;
        }
    }

    pub fn figures(&self) -> WriterFigures {
        let f = &self.figures;
        WriterFigures {
            batches: f.batches.load(Ordering::Relaxed),
            changes: f.changes.load(Ordering::Relaxed),
            wait_us: f.wait_us.load(Ordering::Relaxed),
            waiting: f.waiting.load(Ordering::Relaxed),
            refused: f.refused.load(Ordering::Relaxed),
            full: f.full.load(Ordering::Relaxed),
            has_failed: f.has_failed.load(Ordering::Acquire),
            is_dead: f.is_dead.load(Ordering::Acquire),
        }
    }
}

fn too_busy() -> Error {
    Error::new(Kind::Unavailable, "busy", "Too much is waiting to be stored. Send it again in a few seconds.").after(5)
}

fn stopping() -> Error {
    Error::new(Kind::Unavailable, "stopping", "The server is stopping. Send it again in a few seconds.").after(5)
}

fn work(conn: Connection, keeper: LogKeeper, queue: &Receiver<Message>, figures: &Figures) {
    let mut batches = 0_u32;
    let mut beside = Beside::default();
    while let Ok(mut next) = beside.next(queue) {
        let is_quiet = next.is_none();
        if figures.has_failed.load(Ordering::Acquire) {
            return leave(conn);
        }
        let mut batch: Vec<(Box<dyn Change>, Instant)> = Vec::with_capacity(LARGEST_BATCH);
        let mut after: Option<Message> = None;
        while let Some(message) = next.take() {
            match message {
                Message::Change { change, since } => batch.push((change, since)),
                Message::Changes { changes, since } => batch.extend(changes.into_iter().map(|change| (change, since))),
                Message::Beside(change) => beside.add(change),
                other => after = Some(other),
            }
            if after.is_some() || batch.len() >= LARGEST_BATCH {
                break;
            }
            next = queue.try_recv().ok();
        }
        if is_quiet || after.is_some() || !batch.is_empty() {
            beside.join(&mut batch);
        }
        if !batch.is_empty() {
            figures.waiting.fetch_sub(batch.len() as u64, Ordering::Relaxed);
            figures.batches.fetch_add(1, Ordering::Relaxed);
            figures.changes.fetch_add(batch.len() as u64, Ordering::Relaxed);
            let waited: u64 = batch.iter().map(|(_, since)| since.elapsed().as_micros() as u64).sum();
            figures.wait_us.fetch_add(waited, Ordering::Relaxed);
            batch::commit(&conn, batch);
            batches = batches.wrapping_add(1);
            if batches.is_multiple_of(BATCHES_A_LOOK) {
                keeper.look(&conn);
            }
        }
        match after {
            Some(Message::Outside(work)) => {
                figures.waiting.fetch_sub(1, Ordering::Relaxed);
                let _ = std::panic::catch_unwind(AssertUnwindSafe(|| work(&conn)));
            }
            Some(Message::Stop(tell)) => {
                keeper.stop();
                if figures.has_failed.load(Ordering::Acquire) {
                    leave(conn);
                } else {
                    let _ = conn.execute_batch("pragma wal_checkpoint(truncate);");
                    drop(conn);
                }
                let _ = tell.send(());
                return;
            }
            _ => {}
        }
        match scope::take_fault() {
            None => {}
            Some(Fault::Full) => {
                figures.full.fetch_add(1, Ordering::Relaxed);
            }
            Some(Fault::Io | Fault::Damage) => figures.has_failed.store(true, Ordering::Release),
        }
        if figures.has_failed.load(Ordering::Acquire) {
            return leave(conn);
        }
    }
}

/// After a failed sync the system's memory may not be what is on disk (Rebello et al., USENIX ATC 2020): nothing is
/// promised any more, and nothing is written back, not even by closing. A fresh start recovers from the log.
fn leave(conn: Connection) {
    tracing::error!("The storage has failed or is damaged. Nothing more is taken; the server ends, so that a fresh start can recover.");
    std::mem::forget(conn);
}
