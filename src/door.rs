//! What the edges remember between requests, in memory: guesses at passwords, the last look at readiness, open
//! connections. A restart forgets it all.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::domain::time::{HOUR_MS, MINUTE_MS, SECOND_MS, Time};
use crate::error::{Error, Kind, Result};

/// Argon2 takes 19 MiB each.
const HASHES_AT_ONCE: usize = 2;
/// Those that may wait for their turn.
const HASHES_WAITING: usize = 32;
/// A look at the database is good for this long: a public address must not cost a commit a call.
const LOOK: Duration = Duration::from_millis(500);

/// Guesses that one network has free at one account; then a delay that doubles.
const FREE_GUESSES: u32 = 5;
const LONGEST_DELAY_MS: i64 = 15 * MINUTE_MS;
/// Failures at one account an hour, from all networks.
const ACCOUNT_HOURLY: u32 = 100;
/// Beyond that, one guess of a network in this time.
const BEYOND_MS: i64 = 30 * SECOND_MS;
/// Words by which `halotrack doctor` knows this server again, the last ones said.
const MOST_WORDS: usize = 32;
const LONGEST_WORD: usize = 64;
/// Accounts remembered; a flood of invented ones is not worth the memory.
const MOST_ACCOUNTS: usize = 20_000;

pub struct Door {
    guesses: Mutex<HashMap<u64, Account>>,
    hashing: Semaphore,
    waiting: Semaphore,
    ready: Mutex<Option<(Instant, Option<&'static str>)>>,
    connections: AtomicI64,
    has_owner: AtomicBool,
    words: Mutex<VecDeque<String>>,
}

#[derive(Default)]
struct Account {
    networks: HashMap<u64, Failures>,
    hour: i64,
    failed: u32,
}

#[derive(Default, Clone, Copy)]
struct Failures {
    count: u32,
    until_ms: i64,
}

impl Default for Door {
    fn default() -> Self {
        Self {
            guesses: Mutex::default(),
            hashing: Semaphore::new(HASHES_AT_ONCE),
            waiting: Semaphore::new(HASHES_WAITING),
            ready: Mutex::default(),
            connections: AtomicI64::new(0),
            has_owner: AtomicBool::new(false),
            words: Mutex::default(),
        }
    }
}

impl Door {
    /// A word that somebody has said at this door, to be asked for over the control socket.
    pub fn hear(&self, word: &str) {
        if (1..=LONGEST_WORD).contains(&word.len()) {
            let mut words = self.words.lock().unwrap_or_else(|e| e.into_inner());
            words.push_front(word.to_owned());
            words.truncate(MOST_WORDS);
        }
    }

    pub fn has_heard(&self, word: &str) -> bool {
        self.words.lock().unwrap_or_else(|e| e.into_inner()).iter().any(|known| known == word)
    }

    /// Counts a guess as failed before it is looked at, so that many at once gain nothing. `Err` says when to come back.
    /// Beyond the hourly limit of an account each network still has a guess now and then: strangers must not be able to
    /// lock the owner out.
    pub fn begin_guess(&self, account: u64, network: u64, now: Time) -> std::result::Result<(), u32> {
        let mut accounts = self.guesses.lock().unwrap_or_else(|e| e.into_inner());
        if accounts.len() >= MOST_ACCOUNTS && !accounts.contains_key(&account) {
            accounts.retain(|_, a| a.networks.values().any(|f| f.until_ms > now.ms()));
            if accounts.len() >= MOST_ACCOUNTS {
                accounts.clear();
            }
        }
        let hour = now.ms() / HOUR_MS;
        let entry = accounts.entry(account).or_default();
        if entry.hour != hour {
            entry.hour = hour;
            entry.failed = 0;
            entry.networks.retain(|_, f| f.until_ms > now.ms() - HOUR_MS);
        }
        let mut failures = entry.networks.get(&network).copied().unwrap_or_default();
        if failures.until_ms > now.ms() && failures.count >= FREE_GUESSES {
            return Err(seconds(failures.until_ms - now.ms()));
        }
        let wait_ms = failures.until_ms + BEYOND_MS - now.ms();
        if entry.failed >= ACCOUNT_HOURLY && failures.count > 0 && wait_ms > 0 {
            return Err(seconds(wait_ms));
        }
        failures.count += 1;
        let doublings = failures.count.saturating_sub(FREE_GUESSES).min(20);
        let delay = if failures.count < FREE_GUESSES { 0 } else { (SECOND_MS << doublings).min(LONGEST_DELAY_MS) };
        failures.until_ms = now.ms() + delay;
        entry.failed += 1;
        entry.networks.insert(network, failures);
        Ok(())
    }

    /// The guess was right: the network is clean again.
    pub fn guessed_right(&self, account: u64, network: u64) {
        let mut accounts = self.guesses.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(entry) = accounts.get_mut(&account) {
            entry.networks.remove(&network);
            entry.failed = entry.failed.saturating_sub(1);
        }
    }

    /// The guess was none: the password was right and the second factor not given yet. Earlier failures stay, or codes
    /// could be guessed without end between two such answers.
    pub fn took_back(&self, account: u64, network: u64) {
        let mut accounts = self.guesses.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(entry) = accounts.get_mut(&account) {
            entry.failed = entry.failed.saturating_sub(1);
            if let Some(failures) = entry.networks.get_mut(&network) {
                failures.count = failures.count.saturating_sub(1);
            }
        }
    }

    /// Runs password work off the async threads, two at a time.
    pub async fn hash<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let busy =
            || Error::new(Kind::Unavailable, "busy", "Too many people are signing in just now. Try again in a few seconds.").after(5);
        let _waiting = self.waiting.try_acquire().map_err(|_| busy())?;
        let _turn = self.hashing.acquire().await.map_err(|_| busy())?;
        tokio::task::spawn_blocking(work).await.map_err(|e| Error::internal(format!("password work stopped: {e}")))
    }

    /// The last answer to whether we are ready, while it is fresh. The reason is why not.
    pub fn last_look(&self) -> Option<Option<&'static str>> {
        let ready = self.ready.lock().unwrap_or_else(|e| e.into_inner());
        ready.filter(|(at, _)| at.elapsed() < LOOK).map(|(_, reason)| reason)
    }

    pub fn looked(&self, reason: Option<&'static str>) {
        *self.ready.lock().unwrap_or_else(|e| e.into_inner()) = Some((Instant::now(), reason));
    }

    /// A box that has an owner keeps having one.
    pub fn has_owner(&self) -> bool {
        self.has_owner.load(Ordering::Relaxed)
    }

    pub fn saw_owner(&self) {
        self.has_owner.store(true, Ordering::Relaxed);
    }

    /// Counts an open connection until it is dropped.
    pub fn came(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub fn left(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }

    pub fn connections(&self) -> i64 {
        self.connections.load(Ordering::Relaxed)
    }
}

fn seconds(ms: i64) -> u32 {
    (ms.max(0) as u32).div_ceil(1_000).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guesses every second for `s` seconds and counts those that were looked at.
    fn looked_at(door: &Door, network: u64, from: Time, s: i64) -> usize {
        (0..s).filter(|n| door.begin_guess(1, network, from.plus_ms(n * SECOND_MS)).is_ok()).count()
    }

    #[test]
    fn guesses_get_slower_and_slower() {
        let door = Door::default();
        let at = Time::from_s(1_000_000);
        for _ in 0..FREE_GUESSES {
            assert_eq!(door.begin_guess(1, 1, at), Ok(()));
        }
        assert_eq!(door.begin_guess(1, 1, at), Err(1));
        assert_eq!(door.begin_guess(1, 1, at.plus_ms(1_000)), Ok(()));
        assert_eq!(door.begin_guess(1, 1, at.plus_ms(1_000)), Err(2));
        assert_eq!(door.begin_guess(1, 2, at), Ok(()), "another network");
        assert!(looked_at(&Door::default(), 1, at, 900) <= 20);
    }

    #[test]
    fn a_right_guess_makes_clean() {
        let door = Door::default();
        let at = Time::from_s(1_000_000);
        for _ in 0..4 {
            assert_eq!(door.begin_guess(1, 1, at), Ok(()));
        }
        door.guessed_right(1, 1);
        for _ in 0..5 {
            assert_eq!(door.begin_guess(1, 1, at), Ok(()));
        }
    }

    #[test]
    fn a_guess_taken_back_leaves_the_failures_before_it() {
        let door = Door::default();
        let at = Time::from_s(1_000_000);
        for _ in 0..4 {
            assert_eq!(door.begin_guess(1, 1, at), Ok(()));
            assert_eq!(door.begin_guess(1, 1, at), Ok(()));
            door.took_back(1, 1);
        }
        assert_eq!(door.begin_guess(1, 1, at), Ok(()));
        assert!(door.begin_guess(1, 1, at).is_err(), "five failures, whatever came between");
    }

    #[test]
    fn many_networks_cannot_lock_the_owner_out() {
        let door = Door::default();
        let at = Time::from_s(1_000_000);
        let tried: usize = (100..300).map(|network| (0..5).filter(|_| door.begin_guess(1, network, at).is_ok()).count()).sum();
        assert_eq!(tried, 100 + 180, "a hundred, then one for each new network");
        assert_eq!(door.begin_guess(1, 7, at), Ok(()), "the owner, from a network that has not failed");
    }
}
