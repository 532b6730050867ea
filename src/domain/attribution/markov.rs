//! Which channels the others cannot do without: the removal effect in a Markov chain of journeys, of order one to three. An
//! estimate from what visitors did, beside the rules that somebody has chosen; nothing is frozen by it.
//!
//! After E. Anderl, I. Becker, F. von Wangenheim, J. H. Schumann, "Mapping the customer journey: Lessons learned from
//! graph-based online attribution modeling", International Journal of Research in Marketing 33 (2016) 457–474. A state is
//! the last one, two or three channels of a journey; it goes on to a further channel, to a conversion, or is lost. Taking a
//! channel away loses every journey that would come to it; what then is missing of the conversions is its effect, and
//! the effects, brought to a sum of one, are the shares. Money goes by the same shares.
//!
//! The chances are worked out, not drawn: Gauss-Seidel sweeps over the absorbing chain, once from below and once from
//! above, until both agree. No chance is involved, so that the same journeys always give the same shares.

/// The estimate is shown for more conversions than this.
pub const FEW: u64 = 300;
/// Channels that are told apart. Beyond them only the most frequent are; the rest is one.
pub const MOST_NAMES: usize = 24;
/// How many channels a state remembers, at most.
pub const MOST_ORDER: usize = 3;

/// From below and from above differ by less, as a part of the chance that is looked for.
const NEAR: f64 = 1e-13;
/// Sweeps at most: journeys of hundreds of visits need a few thousand.
const MOST_SWEEPS: usize = 50_000;
/// Shares as whole numbers, for splitting: finer than any sum of money.
const FINE: f64 = (1u64 << 52) as f64;
const NOWHERE: u32 = u32::MAX;

/// The journeys, counted by where each of their steps led.
pub struct Chain {
    names: usize,
    /// By the digits of its channels, where a state stands in `rows`.
    places: Vec<u32>,
    /// The digits of each state.
    keys: Vec<u32>,
    /// For each state: how often it went on to each channel, to a conversion, and to nothing.
    rows: Vec<u64>,
    converted: u64,
}

impl Chain {
    /// Channels are told by their number, below `names`. More than can be told apart, and another order than there is, is
    /// brought to the nearest that can.
    pub fn new(names: usize, order: usize) -> Self {
        let (names, order) = (names.min(MOST_NAMES), order.clamp(1, MOST_ORDER));
        let mut chain =
            Self { names, places: vec![NOWHERE; (names + 1).pow(order as u32)], keys: Vec::new(), rows: Vec::new(), converted: 0 };
        chain.place(0);
        chain
    }

    /// So many journeys along the same channels: of these `converted` ended with a conversion, `lost` without one. A channel
    /// with a higher number than there are counts as the last one. A journey without a channel says nothing.
    pub fn add(&mut self, path: &[u16], converted: u64, lost: u64) {
        if path.is_empty() || self.names == 0 {
            return;
        }
        let width = self.names + 2;
        let (mut key, mut at) = (0, 0);
        for name in path {
            let name = usize::from(*name).min(self.names - 1);
            self.rows[at * width + name] += converted + lost;
            key = self.after(key, name);
            at = self.place(key);
        }
        self.rows[at * width + self.names] += converted;
        self.rows[at * width + self.names + 1] += lost;
        self.converted += converted;
    }

    pub fn converted(&self) -> u64 {
        self.converted
    }

    /// For each channel, the part of the conversions that would be missing without it.
    pub fn effects(&self) -> Vec<f64> {
        let graph = self.graph();
        let whole = graph.chance(&vec![false; graph.states()]);
        if whole <= 0.0 {
            return vec![0.0; self.names];
        }
        let without = |name: usize| {
            let gone: Vec<bool> = self.keys.iter().map(|key| self.holds(*key, name)).collect();
            (1.0 - graph.chance(&gone) / whole).clamp(0.0, 1.0)
        };
        (0..self.names).map(without).collect()
    }

    fn base(&self) -> u32 {
        self.names as u32 + 1
    }

    /// The digits after one more channel: the oldest is forgotten.
    fn after(&self, key: u32, name: usize) -> u32 {
        (key * self.base() + name as u32 + 1) % self.places.len() as u32
    }

    fn holds(&self, mut key: u32, name: usize) -> bool {
        while key > 0 {
            if key % self.base() == name as u32 + 1 {
                return true;
            }
            key /= self.base();
        }
        false
    }

    fn place(&mut self, key: u32) -> usize {
        let place = &mut self.places[key as usize];
        if *place == NOWHERE {
            *place = self.keys.len() as u32;
            self.keys.push(key);
            self.rows.resize(self.keys.len() * (self.names + 2), 0);
        }
        *place as usize
    }

    fn graph(&self) -> Graph {
        let width = self.names + 2;
        let mut graph = Graph { ends: Vec::new(), to: Vec::new(), wins: Vec::new() };
        for (state, row) in self.rows.chunks_exact(width).enumerate() {
            let all = row.iter().sum::<u64>().max(1) as f64;
            for (name, n) in row[..self.names].iter().enumerate().filter(|(_, n)| **n > 0) {
                let next = self.places[self.after(self.keys[state], name) as usize];
                graph.to.push((next, *n as f64 / all));
            }
            graph.wins.push(row[self.names] as f64 / all);
            graph.ends.push(graph.to.len());
        }
        graph
    }
}

/// Where each state goes on to, with its chance. State nought is the beginning.
struct Graph {
    /// Where the steps of a state end in `to`.
    ends: Vec<usize>,
    to: Vec<(u32, f64)>,
    /// The chance of a conversion as the next thing.
    wins: Vec<f64>,
}

impl Graph {
    fn states(&self) -> usize {
        self.ends.len()
    }

    /// The chance that a journey ends with a conversion, where one that comes to a state that is gone is lost.
    fn chance(&self, gone: &[bool]) -> f64 {
        let mut low = vec![0.0; self.states()];
        let mut high: Vec<f64> = gone.iter().map(|is_gone| if *is_gone { 0.0 } else { 1.0 }).collect();
        for _ in 0..MOST_SWEEPS {
            self.sweep(gone, &mut low);
            self.sweep(gone, &mut high);
            if high[0] - low[0] <= NEAR * high[0] {
                break;
            }
        }
        (low[0] + high[0]) / 2.0
    }

    /// Later states were met later: going backwards, news of the ends reach the beginning in one sweep.
    fn sweep(&self, gone: &[bool], chances: &mut [f64]) {
        for state in (0..self.states()).rev() {
            if gone[state] {
                continue;
            }
            let from = if state == 0 { 0 } else { self.ends[state - 1] };
            let steps = &self.to[from..self.ends[state]];
            chances[state] = self.wins[state] + steps.iter().map(|(next, chance)| chance * chances[*next as usize]).sum::<f64>();
        }
    }
}

/// Effects as weights for an exact split; all nought where no channel has any.
pub fn weights(effects: &[f64]) -> Vec<u64> {
    let sum: f64 = effects.iter().sum();
    if sum <= 0.0 {
        return vec![0; effects.len()];
    }
    effects.iter().map(|effect| (effect / sum * FINE).round() as u64).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::attribution::shares::{WHOLE, shares};
    use proptest::prelude::*;

    type Journeys = BTreeMap<Vec<u16>, (u64, u64)>;

    fn chain(journeys: &Journeys, names: usize, order: usize) -> Chain {
        let mut chain = Chain::new(names, order);
        for (path, (converted, lost)) in journeys {
            chain.add(path, *converted, *lost);
        }
        chain
    }

    /// Another way to the same figures: states as lists of channels, and the chance of having converted after so many steps,
    /// step by step from the beginning, until what is still under way is next to nothing.
    fn by_steps(journeys: &Journeys, order: usize, without: Option<u16>) -> f64 {
        let mut counts: BTreeMap<Vec<u16>, BTreeMap<Option<u16>, u64>> = BTreeMap::new();
        let mut wins: BTreeMap<Vec<u16>, u64> = BTreeMap::new();
        for (path, (converted, lost)) in journeys {
            let mut state = Vec::new();
            for name in path {
                *counts.entry(state.clone()).or_default().entry(Some(*name)).or_default() += converted + lost;
                state.push(*name);
                state = state[state.len().saturating_sub(order)..].to_vec();
            }
            *counts.entry(state.clone()).or_default().entry(None).or_default() += converted + lost;
            *wins.entry(state).or_default() += converted;
        }
        let mut under_way: BTreeMap<Vec<u16>, f64> = BTreeMap::from([(Vec::new(), 1.0)]);
        let mut won = 0.0;
        for _ in 0..100_000 {
            let mut next: BTreeMap<Vec<u16>, f64> = BTreeMap::new();
            for (state, chance) in &under_way {
                let all: u64 = counts[state].values().sum();
                won += chance * wins.get(state).copied().unwrap_or(0) as f64 / all as f64;
                for (name, n) in &counts[state] {
                    let Some(name) = name else { continue };
                    let mut to = state.clone();
                    to.push(*name);
                    let to = to[to.len().saturating_sub(order)..].to_vec();
                    if without.is_none_or(|gone| !to.contains(&gone)) {
                        *next.entry(to).or_default() += chance * *n as f64 / all as f64;
                    }
                }
            }
            if next.values().sum::<f64>() < 1e-14 {
                break;
            }
            under_way = next;
        }
        won
    }

    #[test]
    fn a_channel_that_all_conversions_need_has_the_whole_effect() {
        // Worked by hand: both ways to a conversion lead through 0; of them every second one through 1 as well.
        let journeys = Journeys::from([(vec![0], (10, 10)), (vec![1, 0], (10, 10)), (vec![2], (0, 20))]);
        let effects = chain(&journeys, 3, 1).effects();
        assert!((effects[0] - 1.0).abs() < 1e-12, "{effects:?}");
        assert!((effects[1] - 0.5).abs() < 1e-12, "{effects:?}");
        assert!(effects[2].abs() < 1e-12, "{effects:?}");
        assert_eq!(shares(&weights(&effects)), [666_666_667, 333_333_333, 0]);
    }

    #[test]
    fn three_journeys_are_worked_out_as_by_hand() {
        // Two of three begin with 0; from it every second one goes on to 1, and always to 2, from where every second one is a
        // conversion: (2/3 · 1/2 + 1/3) · 1/2. Without 0 a half of that is left, without 1 or 2 nothing.
        let journeys = Journeys::from([(vec![0, 1, 2], (1, 0)), (vec![0], (0, 1)), (vec![1, 2], (0, 1))]);
        let chain = chain(&journeys, 3, 1);
        let graph = chain.graph();
        let whole = graph.chance(&vec![false; graph.states()]);
        assert!((whole - 1.0 / 3.0).abs() < 1e-12, "{whole}");
        let effects = chain.effects();
        for (effect, want) in effects.iter().zip([0.5, 1.0, 1.0]) {
            assert!((effect - want).abs() < 1e-12, "{effects:?}");
        }
    }

    #[test]
    fn without_conversions_nothing_has_a_share() {
        let journeys = Journeys::from([(vec![0], (0, 10)), (vec![1, 0], (0, 3))]);
        let effects = chain(&journeys, 2, 2).effects();
        assert_eq!(effects, [0.0, 0.0]);
        assert_eq!(weights(&effects), [0, 0]);
        assert!(Chain::new(0, 1).effects().is_empty());
    }

    #[test]
    fn what_cannot_be_told_apart_is_one() {
        let mut chain = Chain::new(60, 9);
        assert_eq!((chain.names, chain.places.len()), (MOST_NAMES, (MOST_NAMES + 1).pow(MOST_ORDER as u32)));
        chain.add(&[59, 3], 5, 5);
        chain.add(&[], 5, 5);
        assert_eq!(chain.converted(), 5);
        let effects = chain.effects();
        assert!(effects[MOST_NAMES - 1] > 0.99 && effects[3] > 0.99, "{effects:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn it_agrees_with_a_walk_step_by_step(
            journeys in proptest::collection::btree_map(proptest::collection::vec(0u16..5, 1..7), (0u64..20, 0u64..50), 1..20),
            order in 1usize..4,
        ) {
            let journeys: Journeys = journeys.into_iter().filter(|(_, (converted, lost))| converted + lost > 0).collect();
            prop_assume!(!journeys.is_empty());
            let whole = by_steps(&journeys, order, None);
            let effects = chain(&journeys, 5, order).effects();
            for (name, effect) in effects.iter().enumerate() {
                let want = if whole > 0.0 { 1.0 - by_steps(&journeys, order, Some(name as u16)) / whole } else { 0.0 };
                prop_assert!((effect - want).abs() < 1e-9, "{name}: {effect} is not {want}");
            }
            let weights = weights(&effects);
            let sum: u64 = shares(&weights).iter().sum();
            prop_assert_eq!(sum, if weights.iter().any(|w| *w > 0) { WHOLE } else { 0 });
        }

        /// The journeys may come in any order, and many alike at once or one by one.
        #[test]
        fn the_order_of_arrival_does_not_matter(
            journeys in proptest::collection::vec((proptest::collection::vec(0u16..6, 1..6), 0u64..3, 0u64..4), 1..30),
            order in 1usize..4,
        ) {
            let mut straight = Chain::new(6, order);
            let mut backwards = Chain::new(6, order);
            for (path, converted, lost) in &journeys {
                straight.add(path, *converted, *lost);
            }
            for (path, converted, lost) in journeys.iter().rev() {
                (0..*converted).for_each(|_| backwards.add(path, 1, 0));
                (0..*lost).for_each(|_| backwards.add(path, 0, 1));
            }
            for (a, b) in straight.effects().iter().zip(backwards.effects()) {
                prop_assert!((a - b).abs() < 1e-12, "{a} is not {b}");
            }
        }
    }
}
