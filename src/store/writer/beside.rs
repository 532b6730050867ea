//! Housekeeping that goes into the commit of what comes next: it costs nobody a commit and a sync of its own.

use std::sync::mpsc::{Receiver, RecvError, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::Message;
use super::change::Change;

/// Where nothing comes it goes alone after this.
const PATIENCE: Duration = Duration::from_millis(10);

#[derive(Default)]
pub struct Beside {
    waiting: Vec<Box<dyn Change>>,
    since: Option<Instant>,
}

impl Beside {
    pub fn add(&mut self, change: Box<dyn Change>) {
        self.since.get_or_insert_with(Instant::now);
        self.waiting.push(change);
    }

    /// The next message. None: what waits has waited long enough, and nothing came.
    pub fn next(&self, queue: &Receiver<Message>) -> Result<Option<Message>, RecvError> {
        let Some(since) = self.since else { return queue.recv().map(Some) };
        match queue.recv_timeout(PATIENCE.saturating_sub(since.elapsed())) {
            Ok(message) => Ok(Some(message)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(RecvError),
        }
    }

    /// At the head of the batch, where no savepoint is needed. It has not waited for the writer.
    pub fn join(&mut self, batch: &mut Vec<(Box<dyn Change>, Instant)>) {
        self.since = None;
        batch.splice(0..0, self.waiting.drain(..).map(|change| (change, Instant::now())));
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;

    use super::super::Writer;
    use super::super::place::Place;
    use crate::error::{Error, Result};

    fn insert(n: i64) -> impl FnMut(&rusqlite::Connection) -> Result<i64> {
        move |conn| conn.execute("insert into t values (?1)", [n]).map(|_| n).map_err(Error::internal)
    }

    fn spoil(n: i64) -> impl FnMut(&rusqlite::Connection) -> Result<i64> {
        move |conn| insert(n)(conn).and_then(|_| Err(Error::internal("spoiled")))
    }

    /// Ends once both are queued: the writer is kept busy until then.
    async fn together<A, B>(writer: &Writer, one: impl Future<Output = A>, other: impl Future<Output = B>) -> (A, B) {
        let (open, gate) = std::sync::mpsc::channel();
        let busy = writer.run_outside(move |_| gate.recv().map_err(Error::internal));
        let both_wait = async { open.send(()).expect("the writer waits") };
        let (busy, one, other, ()) = tokio::join!(biased; busy, one, other, both_wait);
        busy.expect("it was let go");
        (one, other)
    }

    #[tokio::test]
    async fn it_goes_with_what_comes_next_and_alone_where_nothing_comes() {
        let place = Place::new();
        let writer = place.writer();
        assert_eq!(writer.run_beside(insert(1)).await.ok(), Some(1), "alone");
        let before = writer.figures();
        let (beside, own) = together(&writer, writer.run_beside(insert(2)), writer.run(insert(3))).await;
        assert_eq!((beside.ok(), own.ok()), (Some(2), Some(3)));
        let after = writer.figures();
        assert_eq!((after.batches - before.batches, after.changes - before.changes, after.waiting), (1, 2, 0), "one commit");
        writer.stop().await;
        assert_eq!(place.all(), [1, 2, 3]);
    }

    #[tokio::test]
    async fn neither_undoes_the_other() {
        let place = Place::new();
        let writer = place.writer();
        let (beside, own) = together(&writer, writer.run_beside(spoil(1)), writer.run(insert(2))).await;
        assert_eq!((beside.is_err(), own.ok()), (true, Some(2)));
        let (beside, own) = together(&writer, writer.run_beside(insert(3)), writer.run(spoil(4))).await;
        assert_eq!((beside.ok(), own.is_err()), (Some(3), true));
        // The same among changes that may run again.
        let (beside, own) = together(&writer, writer.run_beside(spoil(5)), writer.run_again(insert(6))).await;
        assert_eq!((beside.is_err(), own.ok()), (true, Some(6)));
        let (beside, own) = together(&writer, writer.run_beside(insert(7)), writer.run_again(spoil(8))).await;
        assert_eq!((beside.ok(), own.is_err()), (Some(7), true));
        writer.stop().await;
        assert_eq!(place.all(), [2, 3, 6, 7]);
    }

    #[tokio::test]
    async fn what_waits_at_the_end_is_done_first() {
        let place = Place::new();
        let writer = place.writer();
        let (beside, ()) = together(&writer, writer.run_beside(insert(1)), writer.stop()).await;
        assert_eq!(beside.ok(), Some(1));
        assert_eq!(place.all(), [1]);
    }
}
