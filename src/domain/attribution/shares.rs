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

/// Cuts one whole after another by the same rule, without asking for room each time: reports cut hundreds of thousands.
#[derive(Default)]
pub struct Cutter {
    rests: Vec<(u128, u32)>,
}

impl Cutter {
    /// Parts of a whole, which may be below nought; they add up to it, or are all nought where no weight is above nought.
    pub fn cut(&mut self, whole: i64, weights: &[u64], parts: &mut Vec<i64>) {
        parts.clear();
        self.rests.clear();
        let (size, sign) = (whole.unsigned_abs(), whole.signum());
        let sum: u128 = weights.iter().map(|w| u128::from(*w)).sum();
        let most = weights.iter().copied().max().unwrap_or(0);
        if sum == 0 {
            parts.resize(weights.len(), 0);
            return;
        }
        let mut left = size;
        let mut put = |part: u64, rest: u128| {
            left -= part;
            self.rests.push((rest, parts.len() as u32));
            parts.push(part as i64);
        };
        // Most weights are small, and dividing 64 bits takes a fraction of what 128 bits take.
        match (u64::try_from(sum), most.checked_mul(size)) {
            (Ok(sum), Some(_)) => weights.iter().for_each(|w| put(w * size / sum, u128::from(w * size % sum))),
            _ => weights.iter().for_each(|w| {
                let all = u128::from(*w) * u128::from(size);
                put((all / sum) as u64, all % sum);
            }),
        }
        self.rests.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        for (_, place) in self.rests.iter().take(left as usize) {
            parts[*place as usize] += 1;
        }
        if sign < 0 {
            parts.iter_mut().for_each(|part| *part = -*part);
        }
    }
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
        fn cutting_many_is_cutting_each(
            weights in proptest::collection::vec(prop_oneof![0u64..=9, 0u64..=(1 << 62)], 0..40),
            whole in prop_oneof![-200_000i64..200_000, any::<i64>()],
        ) {
            let (mut cutter, mut parts) = (Cutter::default(), Vec::new());
            cutter.cut(WHOLE as i64, &weights, &mut parts);
            prop_assert_eq!(&parts, &shares(&weights).into_iter().map(|s| s as i64).collect::<Vec<_>>());
            prop_assume!(whole != i64::MIN);
            cutter.cut(whole, &weights, &mut parts);
            let euros = Money::new(whole, Currency::parse("EUR").expect("EUR"));
            prop_assert_eq!(&parts, &euros.split(&weights).iter().map(|m| m.minor).collect::<Vec<_>>());
        }

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
