//! What is usual for a day of the week, from the weeks before: a shop sells otherwise on Saturdays than on Mondays.

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
}
