//! From weights to parts of a whole that add up exactly, whatever rounding does.

use super::super::money::Money;

/// Shares are kept in billionths: finer than any amount needs, and whole numbers.
pub const WHOLE: u64 = 1_000_000_000;
pub const WHOLE_BP: u64 = 10_000;

/// Billionths by weight, adding up to exactly one billion; all nought where no weight is above nought.
pub fn shares(weights: &[u64]) -> Vec<u64> {
    parts(weights, WHOLE)
}

/// Basis points by weight (or by share), adding up to exactly 10,000; all nought where no weight is above nought.
pub fn basis_points(weights: &[u64]) -> Vec<u16> {
    parts(weights, WHOLE_BP).into_iter().map(|bp| bp as u16).collect()
}

/// An amount by weight, to the last minor unit.
pub fn amounts(amount: Money, weights: &[u64]) -> Vec<Money> {
    amount.split(weights)
}

/// The largest remainders get what rounding leaves, the earlier first (Hamilton's method, as in `Money::split`).
fn parts(weights: &[u64], whole: u64) -> Vec<u64> {
    let whole = u128::from(whole);
    let sum: u128 = weights.iter().map(|w| u128::from(*w)).sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let mut parts: Vec<u64> = weights.iter().map(|w| (u128::from(*w) * whole / sum) as u64).collect();
    let left = (whole - parts.iter().map(|p| u128::from(*p)).sum::<u128>()) as usize;
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|i| std::cmp::Reverse(u128::from(weights[*i]) * whole % sum));
    for i in order.into_iter().take(left) {
        parts[i] += 1;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;
    use proptest::prelude::*;

    #[test]
    fn what_is_left_goes_to_the_largest_remainders_the_earlier_first() {
        let rows: &[(&[u64], &[u64], &[u16])] = &[
            (&[], &[], &[]),
            (&[0, 0], &[0, 0], &[0, 0]),
            (&[7], &[1_000_000_000], &[10_000]),
            (&[1, 1, 1], &[333_333_334, 333_333_333, 333_333_333], &[3_334, 3_333, 3_333]),
            (&[2, 1, 0, 2], &[400_000_000, 200_000_000, 0, 400_000_000], &[4_000, 2_000, 0, 4_000]),
            (&[1, 6], &[142_857_143, 857_142_857], &[1_429, 8_571]),
            (&[u64::MAX, u64::MAX], &[500_000_000, 500_000_000], &[5_000, 5_000]),
        ];
        for (weights, want, want_bp) in rows {
            assert_eq!(shares(weights), *want, "{weights:?}");
            assert_eq!(basis_points(weights), *want_bp, "{weights:?}");
        }
    }

    #[test]
    fn an_amount_is_split_as_the_receipt_prints_it() {
        let euros = Money::new(8_690, Currency::parse("EUR").expect("EUR"));
        let minor = |weights: &[u64]| -> Vec<i64> { amounts(euros, weights).iter().map(|m| m.minor).collect() };
        assert_eq!(minor(&[1, 1, 1, 0]), [2_897, 2_897, 2_896, 0]);
        assert_eq!(minor(&[2, 1, 2, 0]), [3_476, 1_738, 3_476, 0]);
    }

    proptest! {
        #[test]
        fn they_add_up_and_lie_within_one_of_the_exact_share(weights in proptest::collection::vec(0u64..=(1 << 62), 1..300)) {
            let sum: u128 = weights.iter().map(|w| u128::from(*w)).sum();
            prop_assume!(sum > 0);
            let got = shares(&weights);
            prop_assert_eq!(got.iter().sum::<u64>(), WHOLE);
            prop_assert_eq!(basis_points(&weights).iter().map(|bp| u64::from(*bp)).sum::<u64>(), WHOLE_BP);
            for (weight, share) in weights.iter().zip(got) {
                let floor = (u128::from(*weight) * u128::from(WHOLE) / sum) as u64;
                prop_assert!(share == floor || share == floor + 1);
                prop_assert!(*weight > 0 || share == 0, "nothing comes of nothing");
            }
        }
    }
}
