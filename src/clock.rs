//! The only reader of the system clock. Tests freeze it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::domain::time::Time;

/// Tells the time, or the time a test has set.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    frozen: Option<Arc<AtomicI64>>,
}

impl Clock {
    pub fn system() -> Self {
        Self { frozen: None }
    }

    pub fn frozen_at(at: Time) -> Self {
        Self { frozen: Some(Arc::new(AtomicI64::new(at.ms()))) }
    }

    pub fn now(&self) -> Time {
        match &self.frozen {
            Some(ms) => Time::from_ms(ms.load(Ordering::Relaxed)),
            None => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Time::from_ms(since.as_millis() as i64)
            }
        }
    }

    /// Milliseconds of a clock that nobody sets, for how long ago something was. A frozen one tells its own.
    pub fn uptime_ms(&self) -> i64 {
        static SINCE: LazyLock<Instant> = LazyLock::new(Instant::now);
        match &self.frozen {
            Some(ms) => ms.load(Ordering::Relaxed),
            None => SINCE.elapsed().as_millis() as i64,
        }
    }

    /// Moves a frozen clock; a running one moves by itself.
    pub fn advance_ms(&self, by: i64) {
        if let Some(ms) = &self.frozen {
            ms.fetch_add(by, Ordering::Relaxed);
        }
    }
}

/// A point of the monotonic clock, for durations only.
pub fn started() -> Instant {
    Instant::now()
}
