//! The way of one person through the steps of a funnel: of all walks that fit, the one that goes furthest; of those, the
//! earliest. Time goes by whole seconds. What happened in the same second counts in the order of the funnel's steps.

use super::super::funnel::{MOST_STEPS, Order};

/// Something that happened and is a step, or several: bit 0 for the first step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fit {
    pub at_s: u32,
    pub steps: u8,
}

impl Fit {
    /// What comes first: by time, then by the first step that it is.
    pub fn order(&self) -> (u32, u32, u8) {
        (self.at_s, self.steps.trailing_zeros(), self.steps)
    }
}

/// What a walk has to keep to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    pub steps: usize,
    pub order: Order,
    /// From the first step to the last.
    pub window_s: Option<u32>,
    /// When the first step must be taken: from the first of these seconds to before the other.
    pub from_s: u32,
    pub to_s: u32,
}

/// How far somebody came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Walk {
    /// Steps taken, one at least.
    pub reached: usize,
    /// When each of them was; where the order is any, when all up to it were.
    pub at_s: [u32; MOST_STEPS],
}

/// `fits` are those of one person, in their order. None where the first step was not taken in its time.
pub fn walk(fits: &[Fit], rule: &Rule) -> Option<Walk> {
    let mut best: Option<Walk> = None;
    // Where each step was found; from a later beginning it is found there or later.
    let mut places = [0_usize; MOST_STEPS];
    for (begin, first) in fits.iter().enumerate() {
        if first.at_s >= rule.to_s {
            break;
        }
        if first.at_s < rule.from_s || first.steps & 1 == 0 {
            continue;
        }
        let walk = match rule.order {
            Order::InOrder => in_order(fits, begin, rule, &mut places),
            Order::Strict => strict(fits, begin, rule),
            Order::Any => any(fits, begin, rule, &mut places),
        };
        if best.is_none_or(|best| walk.reached > best.reached) {
            best = Some(walk);
        }
        // Without a window whoever begins later gets no further, unless each step must be the next.
        let is_best = rule.window_s.is_none() && rule.order != Order::Strict;
        if is_best || walk.reached == rule.steps {
            break;
        }
    }
    best
}

/// The last second in which a walk may end.
fn end(first_s: u32, rule: &Rule) -> u32 {
    rule.window_s.map_or(u32::MAX, |window| first_s.saturating_add(window))
}

/// The first place from `from` on that is the step.
fn next(fits: &[Fit], from: usize, step: usize) -> Option<usize> {
    fits.iter().skip(from).position(|fit| fit.steps & (1 << step) != 0).map(|n| from + n)
}

fn in_order(fits: &[Fit], begin: usize, rule: &Rule, places: &mut [usize; MOST_STEPS]) -> Walk {
    let first_s = fits[begin].at_s;
    let mut walk = Walk { reached: 1, at_s: [0; MOST_STEPS] };
    walk.at_s[0] = first_s;
    places[0] = begin;
    for step in 1..rule.steps {
        let Some(place) = next(fits, places[step].max(places[step - 1] + 1), step) else {
            places[step] = fits.len();
            break;
        };
        places[step] = place;
        if fits[place].at_s > end(first_s, rule) {
            break;
        }
        walk.at_s[step] = fits[place].at_s;
        walk.reached = step + 1;
    }
    walk
}

fn strict(fits: &[Fit], begin: usize, rule: &Rule) -> Walk {
    let first_s = fits[begin].at_s;
    let mut walk = Walk { reached: 1, at_s: [0; MOST_STEPS] };
    walk.at_s[0] = first_s;
    for step in 1..rule.steps {
        let Some(fit) = fits.get(begin + step).filter(|fit| fit.steps & (1 << step) != 0 && fit.at_s <= end(first_s, rule)) else { break };
        walk.at_s[step] = fit.at_s;
        walk.reached = step + 1;
    }
    walk
}

/// One thing that happened may be several of the later steps.
fn any(fits: &[Fit], begin: usize, rule: &Rule, places: &mut [usize; MOST_STEPS]) -> Walk {
    let first_s = fits[begin].at_s;
    let mut walk = Walk { reached: 1, at_s: [0; MOST_STEPS] };
    walk.at_s[0] = first_s;
    for (step, known) in places.iter_mut().enumerate().take(rule.steps).skip(1) {
        let found = next(fits, (*known).max(begin + 1), step);
        *known = found.unwrap_or(fits.len());
        let Some(place) = found.filter(|place| fits[*place].at_s <= end(first_s, rule)) else { break };
        walk.at_s[step] = walk.at_s[step - 1].max(fits[place].at_s);
        walk.reached = step + 1;
    }
    walk
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULE: Rule = Rule { steps: 3, order: Order::InOrder, window_s: None, from_s: 0, to_s: 1_000 };

    fn of(pairs: &[(u32, u8)]) -> Vec<Fit> {
        let mut fits: Vec<Fit> = pairs.iter().map(|(at_s, steps)| Fit { at_s: *at_s, steps: *steps }).collect();
        fits.sort_by_key(Fit::order);
        fits
    }

    fn taken(pairs: &[(u32, u8)], rule: Rule) -> Vec<u32> {
        walk(&of(pairs), &rule).map(|w| w.at_s[..w.reached].to_vec()).unwrap_or_default()
    }

    #[test]
    fn a_walk_is_the_earliest_that_goes_furthest() {
        let all = [(10, 1), (20, 2), (30, 1), (40, 4), (50, 2), (60, 4)];
        assert_eq!(taken(&all, RULE), [10, 20, 40]);
        // From the first beginning the third step comes too late; from the next one it does not.
        let late = [(10, 1), (20, 2), (100, 1), (110, 2), (120, 4)];
        assert_eq!(taken(&late, Rule { window_s: Some(50), ..RULE }), [100, 110, 120]);
        assert_eq!(taken(&late, RULE), [10, 20, 120]);
        // To the second the window ends.
        assert_eq!(taken(&late, Rule { window_s: Some(20), ..RULE }), [100, 110, 120]);
        assert_eq!(taken(&late, Rule { window_s: Some(19), ..RULE }), [10, 20]);
        // Only a beginning in its time is one; the rest may come later.
        assert_eq!(taken(&all, Rule { from_s: 11, to_s: 31, ..RULE }), [30, 50, 60]);
        assert!(taken(&all, Rule { from_s: 31, ..RULE }).is_empty());
        assert!(taken(&[(5, 6)], RULE).is_empty());
    }

    #[test]
    fn of_one_second_the_steps_order_counts() {
        assert_eq!(taken(&[(10, 4), (10, 1), (10, 2)], RULE), [10, 10, 10]);
        // Each step takes a happening of its own.
        assert_eq!(taken(&[(10, 3)], RULE), [10]);
        assert_eq!(taken(&[(10, 3), (11, 3), (12, 7)], RULE), [10, 11, 12]);
    }

    #[test]
    fn strict_lets_nothing_of_the_funnel_come_between() {
        let rule = Rule { order: Order::Strict, ..RULE };
        assert_eq!(taken(&[(10, 1), (20, 2), (30, 4)], rule), [10, 20, 30]);
        assert_eq!(taken(&[(10, 1), (20, 4), (30, 2), (40, 4)], rule), [10]);
        assert_eq!(taken(&[(10, 1), (20, 1), (30, 2), (35, 2), (40, 4)], rule), [20, 30]);
        assert_eq!(taken(&[(10, 1), (20, 2), (25, 2), (30, 1), (40, 2), (50, 4)], rule), [30, 40, 50]);
    }

    #[test]
    fn any_order_counts_a_step_once_all_before_it_are_taken() {
        let rule = Rule { order: Order::Any, ..RULE };
        assert_eq!(taken(&[(5, 2), (10, 1), (20, 4), (30, 2)], rule), [10, 30, 30]);
        assert_eq!(taken(&[(5, 2), (10, 1), (20, 4)], rule), [10]);
        assert_eq!(taken(&[(10, 1), (20, 6)], rule), [10, 20, 20]);
    }

    /// Every beginning, every choice of happenings.
    fn slow(fits: &[Fit], rule: &Rule) -> usize {
        fn furthest(fits: &[Fit], rule: &Rule, first_s: u32, at: usize, step: usize) -> usize {
            if step == rule.steps {
                return step;
            }
            let fitting = |place: &usize| fits[*place].steps & (1 << step) != 0 && fits[*place].at_s <= end(first_s, rule);
            let most = if rule.order == Order::Strict { (at + 2).min(fits.len()) } else { fits.len() };
            (at + 1..most).filter(fitting).map(|place| furthest(fits, rule, first_s, place, step + 1)).max().unwrap_or(step)
        }
        let begins = |fit: &Fit| fit.steps & 1 != 0 && fit.at_s >= rule.from_s && fit.at_s < rule.to_s;
        let from = |begin: usize| match rule.order {
            Order::InOrder | Order::Strict => furthest(fits, rule, fits[begin].at_s, begin, 1),
            Order::Any => {
                let has = |step: usize| {
                    fits[begin + 1..].iter().any(|fit| fit.steps & (1 << step) != 0 && fit.at_s <= end(fits[begin].at_s, rule))
                };
                1 + (1..rule.steps).take_while(|step| has(*step)).count()
            }
        };
        (0..fits.len()).filter(|n| begins(&fits[*n])).map(from).max().unwrap_or(0)
    }

    proptest! {
        #[test]
        fn no_other_choice_goes_further(
            pairs in proptest::collection::vec((0_u32..40, 1_u8..16), 0..12),
            order in 0_usize..3, window in proptest::option::of(1_u32..30), from_s in 0_u32..20, steps in 2_usize..5,
        ) {
            let fits = of(&pairs);
            let rule = Rule { steps, order: Order::ALL[order], window_s: window, from_s, to_s: from_s + 15 };
            let got = walk(&fits, &rule);
            prop_assert_eq!(got.map_or(0, |w| w.reached), slow(&fits, &rule));
            if let Some(w) = got {
                let taken = &w.at_s[..w.reached];
                prop_assert!(taken.is_sorted(), "time does not go back");
                prop_assert!(taken[0] >= rule.from_s && taken[0] < rule.to_s);
                prop_assert!(window.is_none_or(|window| taken[w.reached - 1] - taken[0] <= window));
            }
        }

        /// More steps never bring anybody further, and a longer window takes nobody away.
        #[test]
        fn a_wider_rule_loses_nobody(pairs in proptest::collection::vec((0_u32..40, 1_u8..8), 0..15), window in 1_u32..30) {
            let fits = of(&pairs);
            let reached = |rule: Rule| walk(&fits, &rule).map_or(0, |w| w.reached);
            let of_order = |order: Order| reached(Rule { order, ..RULE });
            let within = |days: u32| reached(Rule { window_s: Some(days), ..RULE });
            prop_assert!(within(window) <= within(window + 5));
            prop_assert!(within(window) <= reached(RULE));
            prop_assert!(of_order(Order::Strict) <= reached(RULE));
            prop_assert!(reached(RULE) <= of_order(Order::Any));
        }
    }
}
