//! Halving over time in whole numbers: 2^-(age / half-life), without floating point.

use super::super::time::DAY_MS;

/// Time-decay halves a touch's weight every seven days.
pub const HALF_LIFE_MS: u64 = 7 * DAY_MS as u64;

/// The weight of a touch of age nought. Sums of weights belong into 128 bits; `Money::split` does that.
pub const FULL: u64 = 1 << 62;

/// Digits of the fixed point below one.
const POINT: u32 = 63;
const STEPS: usize = 48;

/// 2^-(1/2), 2^-(1/4), 2^-(1/8), … with 63 binary digits: each is the root of the one before.
const ROOTS: [u128; STEPS] = roots();

const fn roots() -> [u128; STEPS] {
    let mut roots = [0; STEPS];
    let mut previous: u128 = 1 << (POINT - 1);
    let mut k = 0;
    while k < STEPS {
        previous = (previous << POINT).isqrt();
        roots[k] = previous;
        k += 1;
    }
    roots
}

/// The weight of a touch so much older than the newest one. The error is below 2^-61 of `FULL`, which is below one part
/// in a million of the weight itself for ages up to 290 days; older weights are so small that no share of a billion
/// shows them. Never nought: what is credited stays told from what is not.
pub fn weight(age_ms: u64) -> u64 {
    let halvings = age_ms / HALF_LIFE_MS;
    if halvings >= 62 {
        return 1;
    }
    // The age beyond whole half-lives as a binary fraction; each digit that is set multiplies by its root.
    let fraction = (u128::from(age_ms % HALF_LIFE_MS) << STEPS) / u128::from(HALF_LIFE_MS);
    let mut one: u128 = 1 << POINT;
    for (k, root) in ROOTS.iter().enumerate() {
        if (fraction >> (STEPS - 1 - k)) & 1 == 1 {
            one = (one * root) >> POINT;
        }
    }
    // From 63 digits to `FULL`, rounded half up.
    let shift = halvings as u32 + POINT - FULL.ilog2();
    let rounded = (one + (1 << (shift - 1))) >> shift;
    (rounded as u64).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::HOUR_MS;
    use proptest::prelude::*;

    const DAY: u64 = DAY_MS as u64;
    const HOUR: u64 = HOUR_MS as u64;

    /// Ages in milliseconds and `FULL` times 2^-(age / 7 days), rounded, worked out elsewhere with 60 decimal digits.
    const KNOWN: [(u64, u64); 14] = [
        (0, 4_611_686_018_427_387_904),
        (1, 4_611_686_013_142_042_072),
        (HOUR, 4_592_697_971_519_754_423),
        (DAY, 4_176_913_159_044_679_998),
        (90_061_001, 4_159_424_432_508_204_617),
        (3 * DAY, 3_426_469_543_337_905_161),
        (6 * DAY + 12_345, 2_545_821_067_313_363_342),
        (7 * DAY, 2_305_843_009_213_693_952),
        (7 * DAY + 1, 2_305_843_006_571_021_036),
        (50 * DAY, 32_632_134_055_036_562),
        (100 * DAY + 1, 230_903_874_962_544),
        (200 * DAY, 11_561_194_622),
        (290 * DAY, 1_558_178),
        (400 * DAY, 29),
    ];

    #[test]
    fn weights_agree_with_the_formula() {
        for (age, exact) in KNOWN {
            let error = weight(age).abs_diff(exact);
            assert!(error <= exact / 1_000_000_000_000 + 1, "age {age}: {} is not {exact}", weight(age));
        }
    }

    #[test]
    fn a_half_life_halves_exactly_and_nothing_vanishes() {
        for n in 0..62 {
            assert_eq!(weight(n * HALF_LIFE_MS), FULL >> n, "{n} half-lives");
        }
        assert_eq!(weight(62 * HALF_LIFE_MS), 1);
        assert_eq!(weight(u64::MAX), 1);
    }

    proptest! {
        #[test]
        fn the_older_never_weighs_more(age in 0u64..40_000_000_000, more in 0u64..40_000_000_000) {
            prop_assert!(weight(age) >= weight(age + more));
        }

        /// Ratios depend on the difference of ages alone, so "age before the newest touch" gives the shares of "age before the sale".
        #[test]
        fn only_differences_of_age_matter(age in 0u64..20 * DAY, more in 0u64..60 * DAY) {
            let product = (u128::from(weight(age)) * u128::from(weight(more))) / u128::from(FULL);
            prop_assert!(product.abs_diff(u128::from(weight(age + more))) <= product / 1_000_000_000_000 + 4);
        }
    }
}
