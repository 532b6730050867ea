//! What the work in the background last said of itself, in memory: when each worker was last heard, and whether the
//! master key still lies where the next start looks for it.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use crate::clock::Clock;
use crate::domain::readiness::Worker;

/// Not heard of yet: a worker that was never started is not missed.
const NEVER: i64 = i64::MIN;

pub struct Pulse {
    clock: Clock,
    /// Milliseconds of a clock that nobody sets, by the place in `Worker::ALL`.
    heard: [AtomicI64; Worker::ALL.len()],
    has_key: AtomicBool,
}

impl Pulse {
    pub fn new(clock: Clock) -> Self {
        Self { clock, heard: [NEVER; Worker::ALL.len()].map(AtomicI64::new), has_key: AtomicBool::new(true) }
    }

    pub fn beat(&self, worker: Worker) {
        self.heard[worker as usize].store(self.clock.uptime_ms(), Ordering::Relaxed);
    }

    /// How long each has said nothing.
    pub fn silence_ms(&self) -> [Option<i64>; Worker::ALL.len()] {
        let now = self.clock.uptime_ms();
        Worker::ALL.map(|worker| {
            let heard = self.heard[worker as usize].load(Ordering::Relaxed);
            (heard != NEVER).then(|| (now - heard).max(0))
        })
    }

    pub fn saw_key(&self, is_there: bool) {
        self.has_key.store(is_there, Ordering::Relaxed);
    }

    pub fn has_key(&self) -> bool {
        self.has_key.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Time;

    #[test]
    fn who_was_never_started_is_not_missed() {
        let clock = Clock::frozen_at(Time::from_s(1_000));
        let pulse = Pulse::new(clock.clone());
        pulse.beat(Worker::Housekeeping);
        clock.advance_ms(1_500);
        assert_eq!(pulse.silence_ms(), [None, None, Some(1_500), None, None, None]);
    }
}
