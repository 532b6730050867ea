//! How long it takes from the first known visit to the conversion, whatever the window; how much of it each window would
//! see, and which one is enough. Days here are 24 hours, as those of windows are.

use super::super::super::attribution::Window;
use super::super::Lens;
use super::super::rate::FEW;
use super::{Asked, Held, Journeys, Names, each};
use crate::domain::attribution::Policy;
use crate::domain::time::DAY_MS;

/// Days of the curve; what took longer is one number.
pub const CURVE_DAYS: usize = 91;
/// A window that sees so much of the journeys is enough: the rest would cost as many days again.
const ENOUGH_PERCENT: i64 = 90;

#[derive(Debug, Clone, PartialEq)]
pub struct Pace {
    /// Conversions with a known visit, by the days since their first one.
    pub days: [i64; CURVE_DAYS],
    pub longer: i64,
    /// Conversions without any known visit.
    pub unknown: i64,
    /// For each window that is offered.
    pub windows: Vec<Seen>,
    ages: Vec<i64>,
}

/// What a window sees of the conversions with known visits.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub window: Window,
    /// The whole way, from the first known visit on.
    pub whole: i64,
    /// At least one visit that brought somebody, so that there is something to credit.
    pub some: i64,
}

pub fn pace<'b>(blocks: impl Iterator<Item = &'b Journeys>, asked: &Asked) -> Pace {
    let mut pace = Pace {
        days: [0; CURVE_DAYS],
        longer: 0,
        unknown: 0,
        windows: Window::ALL.into_iter().map(|window| Seen { window, whole: 0, some: 0 }).collect(),
        ages: Vec::new(),
    };
    // However far back a visit was: windows are what is looked for.
    let unlimited = Asked { lens: Lens::of(&Policy { window_days: None, ..Policy::default() }), ..asked.clone() };
    each(blocks, &unlimited, &mut Names::default(), |journey, held, visits, _| {
        if !journey.is_counted {
            return;
        }
        let (Held::Visits, Some(first), Some(newest)) = (held, visits.first(), visits.iter().map(|v| v.age_ms).min()) else {
            pace.unknown += i64::from(held != Held::OnlyDirect);
            return;
        };
        let age = first.age_ms.max(0);
        pace.ages.push(age);
        match pace.days.get_mut((age / DAY_MS) as usize) {
            Some(n) => *n += 1,
            None => pace.longer += 1,
        }
        for seen in &mut pace.windows {
            let most = seen.window.days().map_or(i64::MAX, |days| i64::from(days) * DAY_MS);
            seen.whole += i64::from(first.age_ms <= most);
            seen.some += i64::from(newest <= most);
        }
    });
    pace.ages.sort_unstable();
    pace
}

impl Pace {
    pub fn known(&self) -> i64 {
        self.ages.len() as i64
    }

    /// Days within which so many of a hundred were done.
    pub fn days_of(&self, percent: usize) -> Option<f64> {
        let last = self.ages.len().checked_sub(1)?;
        Some(self.ages[last * percent / 100] as f64 / DAY_MS as f64)
    }

    /// The shortest window that sees enough; none of too few conversions.
    pub fn enough(&self) -> Option<&Seen> {
        if self.known() < FEW {
            return None;
        }
        self.windows.iter().find(|seen| seen.whole * 100 >= self.known() * ENOUGH_PERCENT)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{By, Journey, Known, Place, Step};
    use super::*;
    use crate::domain::question::ConversionFilter;
    use crate::domain::time::Time;

    fn day(journeys: impl Iterator<Item = Vec<i64>>) -> Journeys {
        let mut day = Journeys {
            origins: vec![Place { source: "ads".into(), ..Place::default() }],
            known: vec![Known { kind: "sale".into(), ..Known::default() }],
            ..Journeys::default()
        };
        for ages in journeys {
            let first_step = day.steps.len() as u32;
            day.steps.extend(ages.iter().map(|ms| Step::new(*ms, 1, 0, false, false)));
            day.all.push(Journey { at: Time::from_s(0), marks: 0, first_step, steps: ages.len() as u32, is_counted: true });
        }
        day
    }

    fn asked() -> Asked {
        Asked {
            lens: Lens::of(&Policy { window_days: Some(1), ..Policy::default() }),
            by: By::Channel,
            without_direct: false,
            without_unattributed: false,
            filter: ConversionFilter::default(),
        }
    }

    #[test]
    fn windows_see_what_lies_within_them() {
        let journeys = [vec![200 * DAY_MS, 2 * DAY_MS], vec![7 * DAY_MS], vec![7 * DAY_MS + 1], vec![-500], vec![]];
        let pace = pace([&day(journeys.into_iter())].into_iter(), &asked());
        assert_eq!((pace.known(), pace.unknown, pace.longer), (4, 1, 1));
        assert_eq!((pace.days[0], pace.days[7]), (1, 2));
        let seen: Vec<(i64, i64)> = pace.windows.iter().map(|s| (s.whole, s.some)).collect();
        assert_eq!(seen, [(1, 1), (2, 3), (3, 4), (3, 4), (3, 4), (3, 4), (4, 4)]);
        assert_eq!(pace.enough(), None);
    }

    #[test]
    fn the_shortest_window_that_sees_nine_of_ten_is_enough() {
        let ages = (0..100).map(|n| vec![if n < 92 { 5 * DAY_MS } else { 40 * DAY_MS }]);
        let pace = pace([&day(ages)].into_iter(), &asked());
        assert_eq!(pace.enough().map(|s| (s.window.days(), s.whole)), Some((Some(7), 92)));
        assert_eq!((pace.days_of(50), pace.days_of(95)), (Some(5.0), Some(40.0)));
    }
}
