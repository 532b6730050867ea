//! Chance from a seed: the same seed plays the same demo.

/// SplitMix64 (https://prng.di.unimi.it/splitmix64.c): small, even enough for a play.
#[derive(Debug, Clone)]
pub struct Chance {
    state: u64,
}

impl Chance {
    pub fn of_seed(seed: u64) -> Self {
        Self { state: seed }
    }

    pub fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 up to, without, `end`; 0 where there is nothing to choose.
    pub fn below(&mut self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.number() % end }
    }

    /// Both ends included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1).max(1) as u64) as i64
    }

    /// True so many times in ten thousand.
    pub fn happens(&mut self, of_10_000: u64) -> bool {
        self.below(10_000) < of_10_000
    }

    pub fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len() as u64) as usize]
    }

    /// A place in a list of weights.
    pub fn weighed(&mut self, weights: impl Iterator<Item = u64> + Clone) -> usize {
        let mut rest = self.below(weights.clone().sum());
        for (place, weight) in weights.enumerate() {
            if rest < weight {
                return place;
            }
            rest -= weight;
        }
        0
    }

    /// Letters and digits, as click ids have them.
    pub fn letters(&mut self, count: usize) -> String {
        const ALL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
        (0..count).map(|_| char::from(ALL[self.below(ALL.len() as u64) as usize])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_plays_the_same() {
        let play = |seed| {
            let mut chance = Chance::of_seed(seed);
            (chance.between(3, 5), chance.weighed([1u64, 2, 3].into_iter()), chance.letters(12))
        };
        assert_eq!(play(7), play(7));
        assert_ne!(play(7), play(8));
    }

    #[test]
    fn what_has_no_weight_is_never_chosen() {
        let mut chance = Chance::of_seed(1);
        for _ in 0..500 {
            assert_eq!(chance.weighed([0u64, 5, 0].into_iter()), 1);
            assert!((2..=4).contains(&chance.between(2, 4)));
        }
    }
}
