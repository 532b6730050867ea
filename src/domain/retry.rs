//! When a failed delivery is tried again: the schedule, what the platform itself asks for, and when not to try any more.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Time};

/// Waits after the first, second, … failed attempt. With ±20 % they stay within 46.3 h in all, inside the 48 h in which
/// Meta drops repeats.
pub const SCHEDULE_MS: [i64; 8] =
    [10 * SECOND_MS, MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 6 * HOUR_MS, 12 * HOUR_MS, 18 * HOUR_MS];

/// The first attempt and one after each wait.
pub const ATTEMPTS: u32 = SCHEDULE_MS.len() as u32 + 1;

/// How far a wait may move either way, so that what failed together does not come back together.
const SPREAD_BP: i64 = 2_000;

/// What a platform asks for is kept within these.
pub const SHORTEST_WISH_MS: i64 = SECOND_MS;
pub const LONGEST_WISH_MS: i64 = DAY_MS;

/// A send whose answer never came may have been taken. Platforms drop a repeat for 48 h; an hour of safety is kept.
pub const AMBIGUOUS_AFTER_MS: i64 = 47 * HOUR_MS;

/// The setting `retry_scale` in parts per million: 1.0 is 1,000,000. It shortens schedules, not what a platform asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    ppm: u64,
}

impl Scale {
    pub const FULL: Self = Self { ppm: 1_000_000 };

    pub fn from_ppm(ppm: u64) -> Self {
        Self { ppm }
    }

    /// Never below one millisecond: a wait is a wait.
    pub fn of_ms(self, ms: i64) -> i64 {
        let scaled = i128::from(ms.max(0)) * i128::from(self.ppm) / 1_000_000;
        i64::try_from(scaled).unwrap_or(i64::MAX).max(1)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Again in so many milliseconds.
    After(i64),
    /// All attempts are used up.
    Dead,
}

/// What follows a failed attempt. `attempts` counts those made, the failed one included. `wish_ms` is the platform's
/// own `Retry-After`; it goes before the schedule and is neither scaled nor spread. `jitter_bp` is a random fraction,
/// 0 to 10,000, drawn by the caller.
pub fn next(attempts: u32, wish_ms: Option<i64>, scale: Scale, jitter_bp: u32) -> Next {
    if attempts >= ATTEMPTS {
        return Next::Dead;
    }
    if let Some(wish) = wish_ms {
        return Next::After(wish.clamp(SHORTEST_WISH_MS, LONGEST_WISH_MS));
    }
    let wait = SCHEDULE_MS[attempts.saturating_sub(1) as usize];
    Next::After(scale.of_ms(spread(wait, jitter_bp)))
}

/// A wait between 80 % (`jitter_bp` 0) and 120 % (10,000) of itself.
pub fn spread(wait_ms: i64, jitter_bp: u32) -> i64 {
    let fraction_bp = i64::from(jitter_bp.min(10_000));
    let factor_bp = 10_000 - SPREAD_BP + 2 * SPREAD_BP * fraction_bp / 10_000;
    wait_ms * factor_bp / 10_000
}

/// Reads `Retry-After`: seconds, or any of the three date forms of HTTP (RFC 9110, sections 10.2.3 and 5.6.7).
/// What cannot be read counts as not sent.
pub fn retry_after_ms(header: &str, now: Time) -> Option<i64> {
    let text = header.trim();
    let wish = if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than fit are a long time all the same.
        text.parse::<i64>().unwrap_or(i64::MAX).saturating_mul(SECOND_MS)
    } else {
        http_date(text)?.ms_since(now)
    };
    Some(wish.clamp(SHORTEST_WISH_MS, LONGEST_WISH_MS))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT`, `Sun Nov  6 08:49:37 1994`.
fn http_date(text: &str) -> Option<Time> {
    // The name of the day says nothing that the date does not, and a wrong one should not cost the date.
    let date = match text.split_once(',') {
        Some((_, rest)) => rest.trim(),
        None => text.split_once(' ').map(|(_, rest)| rest.trim())?,
    };
    let shapes = ["%d %b %Y %H:%M:%S GMT", "%d-%b-%y %H:%M:%S GMT", "%b %e %H:%M:%S %Y"];
    let civil = shapes.iter().find_map(|shape| DateTime::strptime(shape, date).ok())?;
    let at: Timestamp = civil.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some(Time::from_ms(at.as_millisecond()))
}

/// Whether a further try might be counted twice. `unanswered_since` is the earliest send whose answer never came: the
/// platform's time for dropping repeats may run from there. None where every send was answered or none was made; such
/// a delivery goes on until the platform's age limit.
pub fn is_ambiguous(unanswered_since: Option<Time>, now: Time) -> bool {
    unanswered_since.is_some_and(|since| now.ms_since(since) > AMBIGUOUS_AFTER_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MIDDLE: u32 = 5_000;

    #[test]
    fn the_schedule_is_the_contracts() {
        let minutes = |m: i64| Next::After(m * MINUTE_MS);
        let rows = [
            (1, Next::After(10_000)),
            (2, minutes(1)),
            (3, minutes(5)),
            (4, minutes(30)),
            (5, minutes(120)),
            (6, minutes(360)),
            (7, minutes(720)),
            (8, minutes(1_080)),
            (9, Next::Dead),
            (10, Next::Dead),
        ];
        for (attempts, want) in rows {
            assert_eq!(next(attempts, None, Scale::FULL, MIDDLE), want, "after {attempts}");
        }
    }

    #[test]
    fn all_attempts_fall_into_the_time_in_which_repeats_are_dropped() {
        let total = |jitter| -> i64 {
            (1..ATTEMPTS)
                .map(|n| match next(n, None, Scale::FULL, jitter) {
                    Next::After(ms) => ms,
                    Next::Dead => 0,
                })
                .sum()
        };
        assert_eq!(total(MIDDLE) / MINUTE_MS, 38 * 60 + 36);
        assert!(total(10_000) < AMBIGUOUS_AFTER_MS, "{}", total(10_000));
        assert_eq!(next(1, None, Scale::FULL, 0), Next::After(8_000));
        assert_eq!(next(1, None, Scale::FULL, 10_000), Next::After(12_000));
        assert_eq!(next(1, None, Scale::FULL, u32::MAX), Next::After(12_000));
    }

    #[test]
    fn the_scale_shortens_the_schedule_and_not_the_platforms_wish() {
        let thousandth = Scale::from_ppm(1_000);
        assert_eq!(next(1, None, thousandth, MIDDLE), Next::After(10));
        assert_eq!(next(8, None, thousandth, MIDDLE), Next::After(64_800));
        assert_eq!(next(1, Some(2_000), thousandth, 0), Next::After(2_000));
        assert_eq!(next(4, Some(2_000), Scale::FULL, 10_000), Next::After(2_000));
        assert_eq!(next(1, None, Scale::from_ppm(0), MIDDLE), Next::After(1));
    }

    #[test]
    fn a_wish_is_kept_within_a_second_and_a_day_and_saves_nobody_from_the_end() {
        assert_eq!(next(1, Some(0), Scale::FULL, 0), Next::After(SECOND_MS));
        assert_eq!(next(1, Some(-5), Scale::FULL, 0), Next::After(SECOND_MS));
        assert_eq!(next(1, Some(i64::MAX), Scale::FULL, 0), Next::After(DAY_MS));
        assert_eq!(next(9, Some(2_000), Scale::FULL, 0), Next::Dead);
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_as_a_date() {
        let now = Time::parse("1994-11-06T08:49:07Z").expect("a time");
        let rows: &[(&str, Option<i64>)] = &[
            ("2", Some(2_000)),
            (" 120 ", Some(120_000)),
            ("0", Some(SECOND_MS)),
            ("86401", Some(DAY_MS)),
            ("99999999999999999999999", Some(DAY_MS)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(30_000)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(30_000)),
            ("Sun Nov  6 08:49:37 1994", Some(30_000)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(SECOND_MS)),
            ("Tue, 06 Dec 1994 08:00:00 GMT", Some(DAY_MS)),
            ("", None),
            ("-5", None),
            ("2.5", None),
            ("soon", None),
            ("Sun, 41 Nov 1994 08:49:37 GMT", None),
        ];
        for (header, want) in rows {
            assert_eq!(retry_after_ms(header, now), *want, "{header}");
        }
    }

    #[test]
    fn an_unanswered_send_is_ambiguous_after_47_hours() {
        let now = Time::parse("2026-06-13T09:20:00Z").expect("a time");
        assert!(!is_ambiguous(None, now));
        assert!(!is_ambiguous(Some(now.plus_ms(-47 * HOUR_MS)), now));
        assert!(is_ambiguous(Some(now.plus_ms(-47 * HOUR_MS - 1)), now));
    }

    proptest! {
        #[test]
        fn a_wait_stays_within_a_fifth(attempts in 1u32..9, jitter in 0u32..=10_000) {
            let plain = SCHEDULE_MS[attempts as usize - 1];
            let Next::After(ms) = next(attempts, None, Scale::FULL, jitter) else { panic!("dead too early") };
            prop_assert!(ms >= plain * 8 / 10 && ms <= plain * 12 / 10, "{ms} of {plain}");
        }

        #[test]
        fn any_header_is_read_without_harm(header in ".{0,40}", now_ms in 0i64..4_000_000_000_000) {
            if let Some(ms) = retry_after_ms(&header, Time::from_ms(now_ms)) {
                prop_assert!((SHORTEST_WISH_MS..=LONGEST_WISH_MS).contains(&ms));
            }
        }
    }
}
