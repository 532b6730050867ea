//! How much of an order's refunds comes off what it came to, and what of it others are told.

use super::time::Time;

/// A refund that stands, in minor units of the order's currency.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing<'a> {
    pub external_id: &'a str,
    pub happened_at: Time,
    pub minor: i64,
}

/// What each refund takes off, in the order given: never more in all than the order came to. The earliest come first,
/// whichever was told first.
pub fn counted(total_minor: i64, refunds: &[Standing]) -> Vec<i64> {
    let mut places: Vec<usize> = (0..refunds.len()).collect();
    places.sort_by_key(|&place| (refunds[place].happened_at, refunds[place].external_id));
    let mut left = total_minor.max(0);
    let mut counted = vec![0; refunds.len()];
    for place in places {
        let minor = refunds[place].minor.clamp(0, left);
        counted[place] = minor;
        left -= minor;
    }
    counted
}

/// What destinations hear of each refund that they know nothing of, and of the rest where the order itself ended. They hear
/// of all that went back once, however many tellings explain it: what they have heard already is not told again.
pub fn to_tell(gone_minor: i64, heard_minor: i64, refunds: &[i64]) -> (Vec<i64>, i64) {
    let mut left = gone_minor.saturating_sub(heard_minor).max(0);
    let mut told = Vec::with_capacity(refunds.len());
    for counted in refunds {
        let minor = (*counted).clamp(0, left);
        told.push(minor);
        left -= minor;
    }
    (told, left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refund(id: &str, at_s: i64, minor: i64) -> Standing<'_> {
        Standing { external_id: id, happened_at: Time::from_s(at_s), minor }
    }

    #[test]
    fn never_more_than_the_order_came_to() {
        let rows: &[(i64, &[Standing], &[i64])] = &[
            (100, &[], &[]),
            (100, &[refund("a", 1, 30)], &[30]),
            (100, &[refund("a", 1, 30), refund("b", 2, 90)], &[30, 70]),
            (100, &[refund("b", 2, 90), refund("a", 1, 30)], &[70, 30]),
            (100, &[refund("b", 1, 90), refund("a", 1, 30)], &[70, 30]),
            (0, &[refund("a", 1, 30)], &[0]),
            (-5, &[refund("a", 1, 30)], &[0]),
        ];
        for (total, refunds, want) in rows {
            assert_eq!(counted(*total, refunds), *want, "{refunds:?}");
        }
    }

    #[test]
    fn what_went_back_is_told_once() {
        let rows: &[(&str, (i64, i64, &[i64]), (&[i64], i64))] = &[
            ("a refund", (30, 0, &[30]), (&[30], 0)),
            ("the whole order", (100, 0, &[]), (&[], 100)),
            ("a refund, then the rest of the order", (100, 30, &[]), (&[], 70)),
            ("both at once", (100, 0, &[30]), (&[30], 70)),
            ("refunds that explain what was told", (100, 100, &[60, 40]), (&[0, 0], 0)),
            ("the same, one of them new", (100, 60, &[60, 40]), (&[40, 0], 0)),
            ("one told and taken back, then another", (20, 20, &[20]), (&[0], 0)),
            ("less is gone than was told", (20, 50, &[20]), (&[0], 0)),
        ];
        for (what, (gone, heard, refunds), (told, rest)) in rows {
            assert_eq!(to_tell(*gone, *heard, refunds), (told.to_vec(), *rest), "{what}");
        }
    }

    proptest! {
        #[test]
        fn each_counts_the_same_in_any_order(minors in proptest::collection::vec(0i64..200, 0..8), total in 0i64..500, turn in 0usize..8) {
            let names: Vec<String> = (0..minors.len()).map(|n| n.to_string()).collect();
            let all: Vec<Standing> = minors.iter().zip(&names).map(|(minor, id)| refund(id, minor % 3, *minor)).collect();
            let plain = counted(total, &all);
            prop_assert!(plain.iter().sum::<i64>() <= total);
            prop_assert!(plain.iter().zip(&all).all(|(counted, refund)| (0..=refund.minor).contains(counted)));
            let mut turned: Vec<(Standing, i64)> = all.into_iter().zip(plain).collect();
            if !turned.is_empty() {
                let by = turn % turned.len();
                turned.rotate_left(by);
            }
            let (refunds, want): (Vec<Standing>, Vec<i64>) = turned.into_iter().unzip();
            prop_assert_eq!(counted(total, &refunds), want);
        }
    }
}
