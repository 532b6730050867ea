//! What is usual: for a day of the week, from the weeks before, as a shop sells otherwise on Saturdays than on Mondays; and
//! for the share of conversions that nothing is known of.

use super::question::rate::wilson;

/// So many weeks back are looked at.
const WEEKS: usize = 4;
/// Fewer say nothing yet.
const LEAST_WEEKS: usize = 3;

/// `days` ends with today. The middle of the same weekday's counts; none while too little is known.
pub fn on_this_weekday(days: &[i64]) -> Option<i64> {
    let today = days.len().checked_sub(1)?;
    let began = days.iter().position(|n| *n > 0)?;
    let mut same: Vec<i64> =
        (1..=WEEKS).filter_map(|week| today.checked_sub(7 * week)).filter(|day| *day >= began).map(|day| days[day]).collect();
    if same.len() < LEAST_WEEKS {
        return None;
    }
    same.sort_unstable();
    let middle = same.len() / 2;
    let usual = if same.len() % 2 == 1 { same[middle] } else { (same[middle - 1] + same[middle] + 1) / 2 };
    (usual > 0).then_some(usual)
}

/// Fewer conversions say nothing about a share of them.
const LEAST_CASES: i64 = 30;
/// So much more than usual is worth a word: ten of a hundred.
const MORE: f64 = 0.10;

/// Whether clearly more conversions than usual are without a source: beyond what chance does with so many. Each is how
/// many are without, and how many there are.
pub fn is_unmatched_unusual(now: (i64, i64), before: (i64, i64)) -> bool {
    if now.1 < LEAST_CASES || before.1 < LEAST_CASES {
        return false;
    }
    let usual = before.0 as f64 / before.1 as f64;
    wilson(now.0, now.1).0 > usual + MORE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_the_same_weekday_is_usual() {
        let mut days = vec![1; 30];
        for (week, n) in [(1, 14), (2, 10), (3, 90), (4, 12)] {
            days[29 - 7 * week] = n;
        }
        assert_eq!(on_this_weekday(&days), Some(13), "one mad week moves little");
        days[..15].fill(0);
        assert_eq!(on_this_weekday(&days), None, "two weeks are too few");
        assert_eq!(on_this_weekday(&[0; 30]), None);
        assert_eq!(on_this_weekday(&[]), None);
    }

    #[test]
    fn more_without_a_source_than_chance_explains() {
        for (now, before, want) in [
            ((40, 80), (20, 200), true),
            ((10, 80), (20, 200), false),
            // A little more, of many.
            ((150, 1_000), (100, 1_000), false),
            // Too few to say.
            ((20, 29), (0, 200), false),
            ((20, 60), (0, 20), false),
            ((80, 80), (200, 200), false),
        ] {
            assert_eq!(is_unmatched_unusual(now, before), want, "{now:?} after {before:?}");
        }
    }
}
