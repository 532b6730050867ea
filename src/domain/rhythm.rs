//! How often somebody who tells us things usually does, and when a silence is longer than that.

use super::time::{DAY_MS, HOUR_MS, Time};

/// The rhythm is learned from so many days.
pub const LEARNED_MS: i64 = 28 * DAY_MS;
/// Fewer are no rhythm.
const LEAST_EVENTS: i64 = 8;
/// Nights and quiet days are no silence.
const LEAST_SILENCE_MS: i64 = 24 * HOUR_MS;
/// So many usual gaps without a word.
const GAPS: i64 = 6;

/// The usual gap, where this is silent for longer than its own rhythm explains.
pub fn silent_for(events: i64, last_at: Time, now: Time) -> Option<i64> {
    if events < LEAST_EVENTS {
        return None;
    }
    let usual_ms = LEARNED_MS / events;
    (now.ms_since(last_at) > (GAPS * usual_ms).max(LEAST_SILENCE_MS)).then_some(usual_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_is_measured_by_its_own_rhythm() {
        let now = Time::from_s(1_781_342_400);
        let ago = |hours: i64| now.plus_ms(-hours * HOUR_MS);
        // Twelve a day: a day without one is strange, a night is not.
        assert_eq!(silent_for(336, ago(25), now), Some(2 * HOUR_MS));
        assert_eq!(silent_for(336, ago(10), now), None);
        // Two a week: five days are nothing.
        assert_eq!(silent_for(8, ago(120), now), None);
        assert!(silent_for(8, ago(24 * 25), now).is_some());
        // Too few to know.
        assert_eq!(silent_for(7, ago(24 * 27), now), None);
    }
}
