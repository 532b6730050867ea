//! When a failing destination is left alone: one circuit breaker per connection, kept with it as JSON.
//!
//! What counts as a failure: no answer (network, time-out) and answers that say "not now" (408, 425, 429, 5xx), that is
//! every `Verdict::Retry`. A refusal of one delivery (400, 422, a refusal inside a 200) is an answer: the destination
//! works, so it is recorded as ok. 401, 403, 404 and 410 pause the connection and are not recorded at all.
//!
//! Whoever sends asks `may_send` before a delivery is claimed; while the breaker is open nothing is claimed, so no
//! attempt is charged.
//!
//! Failures only for five days make a connection *hopeless*: all that waits for it is held and the owner is told. One
//! delivery at a time, the oldest, stays on the look-out and is tried once an hour, without being charged. Whatever is
//! planned meanwhile is held too. The first answer that is no failure lets everything go, as does the owner by resuming
//! the connection or replaying a delivery.

use serde::{Deserialize, Serialize};

use super::retry::Scale;
use super::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Time};

/// So many failures in a row open it.
const IN_A_ROW: u32 = 5;
/// Or half of at least so many within the window.
const AT_LEAST: u32 = 10;
const WINDOW_MS: i64 = MINUTE_MS;
/// Results are counted in slices, so that the stored state stays small whatever the traffic.
const SLICE_MS: i64 = 10 * SECOND_MS;

/// How long it stays open at first, doubled by every probe that fails, at most the longest.
pub const FIRST_OPEN_MS: i64 = 30 * SECOND_MS;
pub const LONGEST_OPEN_MS: i64 = 15 * MINUTE_MS;
/// A probe that was never recorded (the process died) holds up the next one no longer than this. Not scaled: it covers
/// the time-out of a request.
pub const PROBE_MS: i64 = MINUTE_MS;
/// Failures only for so long: what waits is held and the owner is told.
pub const HELD_AFTER_MS: i64 = 5 * DAY_MS;
/// How often a hopeless destination is tried by one delivery, the look-out.
pub const LOOK_OUT_MS: i64 = HOUR_MS;

/// The state between two deliveries. An empty JSON object is a breaker that never failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Breaker {
    in_a_row: u32,
    slices: Vec<Slice>,
    /// Set while open and half-open.
    open_until: Option<Time>,
    /// How long it was opened for the last time, before scaling.
    open_ms: i64,
    probe_at: Option<Time>,
    /// What the platform asked for by `Retry-After`; no failure by itself.
    quiet_until: Option<Time>,
    /// First and last failure since the last success.
    failing_since: Option<Time>,
    failed_at: Option<Time>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Slice {
    from: Time,
    ok: u32,
    failed: u32,
}

/// The answer to "may I send?".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Nothing stands in the way.
    Closed,
    /// One delivery may try; mark it with `start_probe` first.
    Probe,
    /// Nothing before this time.
    Open { until: Time },
}

impl Breaker {
    pub fn may_send(&self, now: Time) -> Gate {
        if let Some(until) = self.quiet_until.filter(|until| now < *until) {
            return Gate::Open { until: self.open_until.map_or(until, |open| open.max(until)) };
        }
        let Some(until) = self.open_until else { return Gate::Closed };
        if now < until {
            return Gate::Open { until };
        }
        match self.probe_at.map(|at| at.plus_ms(PROBE_MS)).filter(|back| now < *back) {
            Some(until) => Gate::Open { until },
            None => Gate::Probe,
        }
    }

    /// The one probe is on its way: until it is recorded, everything else waits.
    pub fn start_probe(&mut self, now: Time) {
        self.probe_at = Some(now);
    }

    /// The probe sent nothing after all, so that another may try. True where one was on its way.
    pub fn withdraw_probe(&mut self) -> bool {
        self.probe_at.take().is_some()
    }

    /// Takes a result in. Gives true where this opened the breaker or made it stay open for longer.
    pub fn record(&mut self, is_ok: bool, now: Time, scale: Scale) -> bool {
        if is_ok {
            self.failing_since = None;
            self.failed_at = None;
        } else {
            self.failing_since = Some(self.failing_since.unwrap_or(now));
            self.failed_at = Some(now);
        }
        match self.open_until {
            // Sent before it opened and answered late: says nothing of now.
            Some(until) if now < until => false,
            Some(_) if is_ok => {
                self.close();
                false
            }
            Some(_) => {
                self.open(self.open_ms.saturating_mul(2), now, scale);
                true
            }
            None => {
                self.count(is_ok, now);
                let is_too_much = !is_ok && (self.in_a_row >= IN_A_ROW || self.is_half_failing());
                if is_too_much {
                    self.open(FIRST_OPEN_MS, now, scale);
                }
                is_too_much
            }
        }
    }

    /// The platform asked for quiet (`Retry-After`): this holds for the whole connection, not only for the delivery that
    /// was told.
    pub fn keep_quiet_until(&mut self, until: Time) {
        self.quiet_until = Some(self.quiet_until.map_or(until, |known| known.max(until)));
    }

    /// Failures only for five days: what waits is to be held, never deleted.
    pub fn is_hopeless(&self) -> bool {
        match (self.failing_since, self.failed_at) {
            (Some(since), Some(last)) => last.ms_since(since) >= HELD_AFTER_MS,
            _ => false,
        }
    }

    pub fn failing_since(&self) -> Option<Time> {
        self.failing_since
    }

    /// `closed`, `open` or `half_open`, as the connection's card says it.
    pub fn word(&self, now: Time) -> &'static str {
        match self.open_until {
            None => "closed",
            Some(until) if now < until => "open",
            Some(_) => "half_open",
        }
    }

    /// When the next delivery may go, where that is not now.
    pub fn next_try_at(&self, now: Time) -> Option<Time> {
        match self.may_send(now) {
            Gate::Open { until } => Some(until),
            Gate::Closed | Gate::Probe => None,
        }
    }

    fn close(&mut self) {
        *self = Self { quiet_until: self.quiet_until, ..Self::default() };
    }

    fn open(&mut self, open_ms: i64, now: Time, scale: Scale) {
        self.open_ms = open_ms.clamp(FIRST_OPEN_MS, LONGEST_OPEN_MS);
        self.open_until = Some(now.plus_ms(scale.of_ms(self.open_ms)));
        self.probe_at = None;
        self.in_a_row = 0;
        self.slices.clear();
    }

    fn count(&mut self, is_ok: bool, now: Time) {
        self.in_a_row = if is_ok { 0 } else { self.in_a_row.saturating_add(1) };
        // A clock that was set back must not leave slices that never age.
        self.slices.retain(|s| s.from <= now && now.ms_since(s.from) < WINDOW_MS);
        if self.slices.last().is_none_or(|s| now.ms_since(s.from) >= SLICE_MS) {
            self.slices.push(Slice { from: now, ok: 0, failed: 0 });
        }
        if let Some(slice) = self.slices.last_mut() {
            let counter = if is_ok { &mut slice.ok } else { &mut slice.failed };
            *counter = counter.saturating_add(1);
        }
    }

    fn is_half_failing(&self) -> bool {
        let (ok, failed) = self.slices.iter().fold((0u64, 0u64), |(ok, failed), s| (ok + u64::from(s.ok), failed + u64::from(s.failed)));
        ok + failed >= u64::from(AT_LEAST) && failed >= ok
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(s: i64) -> Time {
        Time::from_s(1_000_000 + s)
    }

    /// A breaker after these results, one a second.
    fn after(results: &str) -> (Breaker, Time) {
        let mut breaker = Breaker::default();
        let mut now = at(0);
        for (n, result) in results.chars().enumerate() {
            now = at(n as i64);
            breaker.record(result == '+', now, Scale::FULL);
        }
        (breaker, now)
    }

    #[test]
    fn it_opens_at_five_in_a_row_or_half_of_ten() {
        let rows: &[(&str, &str, &str)] = &[
            ("four failures", "----", "closed"),
            ("five failures", "-----", "open"),
            ("a success in between", "----+----", "closed"),
            ("half of ten", "+-+-+-+-+-", "open"),
            ("half of nine is too few", "-+-+-+-+-", "closed"),
            ("four of ten", "+-+-++-+-+", "closed"),
            ("a success does not open it", "-+-+-+-+-+", "closed"),
            ("nothing", "", "closed"),
        ];
        for (what, results, want) in rows {
            let (breaker, now) = after(results);
            assert_eq!(breaker.word(now), *want, "{what}");
        }
    }

    #[test]
    fn failures_more_than_a_minute_apart_make_no_rate() {
        let mut breaker = Breaker::default();
        for n in 0..30 {
            breaker.record(n % 2 == 0, at(n * 20), Scale::FULL);
        }
        assert_eq!(breaker.word(at(600)), "closed");
    }

    #[test]
    fn open_lasts_thirty_seconds_and_doubles_to_a_quarter_of_an_hour() {
        let (mut breaker, mut now) = after("-----");
        for want_s in [30, 60, 120, 240, 480, 900, 900] {
            let until = now.plus_ms(want_s * SECOND_MS);
            assert_eq!(breaker.may_send(now), Gate::Open { until });
            assert_eq!(breaker.may_send(until.plus_ms(-1)), Gate::Open { until });
            assert_eq!(breaker.may_send(until), Gate::Probe);
            assert_eq!(breaker.word(until), "half_open");
            breaker.start_probe(until);
            assert!(breaker.record(false, until, Scale::FULL));
            now = until;
        }
    }

    #[test]
    fn one_probe_at_a_time_and_its_success_closes() {
        let (mut breaker, now) = after("-----");
        let then = now.plus_ms(30 * SECOND_MS);
        breaker.start_probe(then);
        assert_eq!(breaker.may_send(then), Gate::Open { until: then.plus_ms(PROBE_MS) });
        assert_eq!(breaker.may_send(then.plus_ms(PROBE_MS)), Gate::Probe, "a probe that was lost");
        breaker.record(true, then, Scale::FULL);
        assert_eq!(breaker, Breaker::default());
        assert_eq!(breaker.may_send(then), Gate::Closed);
    }

    #[test]
    fn an_answer_from_before_it_opened_changes_nothing() {
        let (breaker, now) = after("-----");
        let mut late = breaker.clone();
        late.record(false, now.plus_ms(5 * SECOND_MS), Scale::FULL);
        late.record(true, now.plus_ms(6 * SECOND_MS), Scale::FULL);
        assert_eq!(late.may_send(now), breaker.may_send(now));
        let then = now.plus_ms(30 * SECOND_MS);
        late.record(false, then, Scale::FULL);
        assert_eq!(late.next_try_at(then), Some(then.plus_ms(60 * SECOND_MS)), "doubled once, by the probe alone");
    }

    #[test]
    fn the_scale_shortens_the_open_time_only() {
        let mut breaker = Breaker::default();
        for _ in 0..5 {
            breaker.record(false, at(0), Scale::from_ppm(1_000));
        }
        assert_eq!(breaker.may_send(at(0)), Gate::Open { until: at(0).plus_ms(30) });
        breaker.record(false, at(1), Scale::from_ppm(1_000));
        assert_eq!(breaker.next_try_at(at(1)), Some(at(1).plus_ms(60)));
    }

    #[test]
    fn retry_after_keeps_the_connection_quiet_and_is_no_failure() {
        let mut breaker = Breaker::default();
        breaker.keep_quiet_until(at(60));
        breaker.keep_quiet_until(at(20));
        assert_eq!(breaker.may_send(at(59)), Gate::Open { until: at(60) });
        assert_eq!(breaker.may_send(at(60)), Gate::Closed);
        assert_eq!(breaker.word(at(0)), "closed");
        breaker.record(true, at(1), Scale::FULL);
        assert_eq!(breaker.may_send(at(59)), Gate::Open { until: at(60) }, "a success does not end it");

        let (mut open, now) = after("-----");
        let then = now.plus_ms(30 * SECOND_MS);
        open.keep_quiet_until(then.plus_ms(SECOND_MS));
        open.record(true, then, Scale::FULL);
        assert_eq!(open.next_try_at(then), Some(then.plus_ms(SECOND_MS)), "nor does closing");
    }

    #[test]
    fn five_days_of_failures_only_are_hopeless() {
        let mut breaker = Breaker::default();
        for hour in 0..=120 {
            assert!(!breaker.is_hopeless(), "hour {hour}");
            breaker.record(false, at(0).plus_ms(hour * HOUR_MS), Scale::FULL);
        }
        assert!(breaker.is_hopeless());
        assert_eq!(breaker.failing_since(), Some(at(0)));
        breaker.record(true, at(0).plus_ms(121 * HOUR_MS), Scale::FULL);
        assert!(!breaker.is_hopeless());

        let mut once = Breaker::default();
        once.record(false, at(0), Scale::FULL);
        assert!(!once.is_hopeless(), "one failure and a quiet week are no five days of failures");
    }

    #[test]
    fn it_is_read_back_as_it_was_kept() {
        assert_eq!(serde_json::from_str::<Breaker>("{}").expect("an empty one"), Breaker::default());
        let (breaker, _) = after("+-+-----");
        let text = serde_json::to_string(&breaker).expect("JSON");
        assert_eq!(serde_json::from_str::<Breaker>(&text).expect("the same"), breaker);
    }

    proptest! {
        #[test]
        fn it_never_locks_for_ever_and_stays_small(steps in proptest::collection::vec((any::<bool>(), 0i64..40_000), 1..200)) {
            let mut breaker = Breaker::default();
            let mut now = at(0);
            for (is_ok, wait_ms) in steps {
                now = now.plus_ms(wait_ms);
                breaker.record(is_ok, now, Scale::FULL);
                prop_assert!(breaker.slices.len() <= 6);
                if let Gate::Open { until } = breaker.may_send(now) {
                    prop_assert!(until > now && until.ms_since(now) <= LONGEST_OPEN_MS);
                }
            }
            let later = now.plus_ms(LONGEST_OPEN_MS);
            prop_assert_ne!(breaker.word(later), "open");
            breaker.record(true, later, Scale::FULL);
            prop_assert_eq!(breaker.may_send(later), Gate::Closed);
        }
    }
}
