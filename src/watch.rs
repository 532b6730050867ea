//! What the watchdog of readings knows, in memory: whether their waker still wakes, what is late, and since when it is seen
//! to be. All by a clock that nobody sets.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Notify;

use crate::domain::ids::{ConnectionId, SiteId};
use crate::domain::time::{MINUTE_MS, Time};

/// Not heard of yet: a waker that was never started is not missed.
const NEVER: i64 = i64::MIN;
/// Its next words would have come twelve times.
const LONGEST_SILENCE_MS: i64 = MINUTE_MS;
/// What is late for less is being made up for: after hours without power all is late for a moment.
const GRACE_MS: i64 = 5 * MINUTE_MS;

/// A reading whose time came and went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Late {
    pub site: SiteId,
    pub connection: ConnectionId,
    pub due_at: Time,
}

pub struct Watch {
    /// Somebody should look what is due.
    pub tick: Notify,
    /// The waker is to be begun anew.
    pub again: Notify,
    waked_ms: AtomicI64,
    /// How often it had to be begun anew.
    stops: AtomicU64,
    seen: Mutex<Seen>,
    checks: AtomicU64,
    checking_us: AtomicU64,
}

#[derive(Default)]
struct Seen {
    since: HashMap<ConnectionId, i64>,
    /// Those that are late for longer than a moment.
    late: Arc<Vec<Late>>,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            tick: Notify::new(),
            again: Notify::new(),
            waked_ms: AtomicI64::new(NEVER),
            stops: AtomicU64::new(0),
            seen: Mutex::default(),
            checks: AtomicU64::new(0),
            checking_us: AtomicU64::new(0),
        }
    }
}

impl Watch {
    /// The waker has something to say: nothing but that time goes on.
    pub fn wake(&self, uptime_ms: i64) {
        self.waked_ms.store(uptime_ms, Ordering::Relaxed);
        self.tick.notify_waiters();
    }

    /// How long the waker has been silent; none where there is none.
    pub fn silence_ms(&self, uptime_ms: i64) -> Option<i64> {
        let waked = self.waked_ms.load(Ordering::Relaxed);
        (waked != NEVER).then(|| (uptime_ms - waked).max(0))
    }

    pub fn is_waker_silent(&self, uptime_ms: i64) -> bool {
        self.silence_ms(uptime_ms).is_some_and(|ms| ms > LONGEST_SILENCE_MS)
    }

    /// Has the waker begun anew.
    pub fn begin_again(&self) {
        self.stops.fetch_add(1, Ordering::Relaxed);
        self.again.notify_one();
    }

    pub fn stops(&self) -> u64 {
        self.stops.load(Ordering::Relaxed)
    }

    /// All that is late in this moment. What was late before is late for longer; what is not named any more has been read.
    pub fn saw(&self, late: Vec<Late>, uptime_ms: i64) {
        let mut seen = self.of_seen();
        let before = std::mem::take(&mut seen.since);
        seen.since = late.iter().map(|l| (l.connection, before.get(&l.connection).copied().unwrap_or(uptime_ms))).collect();
        let lasting = late.into_iter().filter(|l| seen.since.get(&l.connection).is_some_and(|since| uptime_ms - since >= GRACE_MS));
        seen.late = Arc::new(lasting.collect());
    }

    pub fn late(&self) -> Arc<Vec<Late>> {
        self.of_seen().late.clone()
    }

    /// A look at what is due has taken so long.
    pub fn checked(&self, took: Duration) {
        self.checks.fetch_add(1, Ordering::Relaxed);
        self.checking_us.fetch_add(took.as_micros() as u64, Ordering::Relaxed);
    }

    /// How often it was looked, and how long that took in all, in microseconds.
    pub fn checks(&self) -> (u64, u64) {
        (self.checks.load(Ordering::Relaxed), self.checking_us.load(Ordering::Relaxed))
    }

    fn of_seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(|e| e.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waker_that_was_never_started_is_not_missed() {
        let watch = Watch::default();
        assert!(!watch.is_waker_silent(1_000_000));
        watch.wake(0);
        assert!(!watch.is_waker_silent(60_000));
        assert!(watch.is_waker_silent(60_001));
    }
}
