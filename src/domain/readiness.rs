//! Whether facts can be taken now, by what is seen of the parts. The answer for the public is one word.

use super::storage::{Burden, Level};
use super::time::Time;

/// No clock that is right says earlier than this: the code did not exist yet. 1 June 2026, 00:00 UTC.
const FIRST_DAY_S: i64 = 1_780_272_000;

/// Work that goes on for as long as the server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worker {
    Clicks,
    Deliveries,
    Housekeeping,
    Lookout,
    Puller,
    Watchdog,
}

impl Worker {
    pub const ALL: [Worker; 6] =
        [Worker::Clicks, Worker::Deliveries, Worker::Housekeeping, Worker::Lookout, Worker::Puller, Worker::Watchdog];

    pub fn word(self) -> &'static str {
        match self {
            Worker::Clicks => "clicks",
            Worker::Deliveries => "deliveries",
            Worker::Housekeeping => "housekeeping",
            Worker::Lookout => "lookout",
            Worker::Puller => "puller",
            Worker::Watchdog => "watchdog",
        }
    }

    /// Silent for longer, it has stopped or hangs. Many times what it waits between two rounds.
    pub fn longest_silence_ms(self) -> i64 {
        match self {
            // Twice a second, and waits for the disk in between.
            Worker::Clicks => 60_000,
            // Looks at its queue every five seconds.
            Worker::Deliveries => 60_000,
            // Every half minute, and after each month that it counts.
            Worker::Housekeeping => 300_000,
            // Every two seconds.
            Worker::Lookout => 30_000,
            // Every five seconds, or every fifteen where nobody wakes it.
            Worker::Puller => 60_000,
            // Every half minute.
            Worker::Watchdog => 150_000,
        }
    }
}

/// What is seen of the parts, without waiting for any.
#[derive(Debug, Clone)]
pub struct Signs {
    pub is_stopping: bool,
    pub is_writer_dead: bool,
    pub level: Level,
    /// The master key still lies in its file, for the next start.
    pub has_key: bool,
    pub now: Time,
    /// How long each worker has said nothing; absent where it was never started.
    pub silence_ms: [Option<i64>; Worker::ALL.len()],
}

/// Why facts cannot be taken. `None` is ready, as far as these signs go.
pub fn why_not(signs: &Signs) -> Option<&'static str> {
    let is_silent = |(worker, ms): (&Worker, &Option<i64>)| ms.is_some_and(|ms| ms > worker.longest_silence_ms());
    if signs.is_stopping {
        Some("stopping")
    } else if signs.is_writer_dead {
        Some("writer")
    } else if signs.level == Level::Gone {
        Some("storage_gone")
    } else if !signs.level.admits(Burden::Fact) {
        Some("storage_full")
    } else if !signs.has_key {
        Some("key")
    } else if signs.now.s() < FIRST_DAY_S {
        Some("clock")
    } else if Worker::ALL.iter().zip(&signs.silence_ms).any(is_silent) {
        Some("workers")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Signs {
        Signs {
            is_stopping: false,
            is_writer_dead: false,
            level: Level::Ample,
            has_key: true,
            now: Time::from_s(1_781_342_400),
            silence_ms: [Some(0), Some(0), Some(0), None, Some(0), Some(0)],
        }
    }

    #[test]
    fn each_sign_has_its_word() {
        let with = |change: fn(&mut Signs)| {
            let mut signs = good();
            change(&mut signs);
            why_not(&signs)
        };
        assert_eq!(with(|_| {}), None);
        assert_eq!(with(|s| s.is_stopping = true), Some("stopping"));
        assert_eq!(with(|s| s.is_writer_dead = true), Some("writer"));
        assert_eq!(with(|s| s.level = Level::Short), None, "facts are still taken");
        assert_eq!(with(|s| s.level = Level::Full), Some("storage_full"));
        assert_eq!(with(|s| s.level = Level::Gone), Some("storage_gone"));
        assert_eq!(with(|s| s.has_key = false), Some("key"));
        assert_eq!(with(|s| s.now = Time::from_s(0)), Some("clock"));
        assert_eq!(with(|s| s.silence_ms[0] = Some(60_000)), None);
        assert_eq!(with(|s| s.silence_ms[0] = Some(60_001)), Some("workers"));
        assert_eq!(with(|s| s.silence_ms[1] = Some(60_000)), None);
        assert_eq!(with(|s| s.silence_ms[1] = Some(60_001)), Some("workers"));
        assert_eq!(with(|s| s.silence_ms[2] = Some(300_001)), Some("workers"));
        assert_eq!(with(|s| s.silence_ms[3] = Some(30_001)), Some("workers"));
        assert_eq!(with(|s| s.silence_ms[4] = Some(60_001)), Some("workers"));
        assert_eq!(with(|s| s.silence_ms[5] = Some(150_001)), Some("workers"));
    }
}
