//! How much of an order's refunds comes off what it came to, whose word of it counts where several have told, and what of it
//! others are told.

use std::cmp::Reverse;

use super::conversion::Rank;
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

/// How a sale ended by the word of one report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Cancelled,
    Refunded,
}

/// What one report of a sale says of its money.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    pub rank: i64,
    pub connection: i64,
    pub modified_at: Time,
    /// Money had come in by its word.
    pub was_paid: bool,
    pub end: Option<End>,
    /// Its single refunds, in the sale's currency, never more than the sale came to.
    pub back_minor: i64,
}

impl Said {
    /// The best informed speaks, of those the one that was changed last. What ties is decided by what does not depend on the
    /// order of arrival.
    pub fn weight(&self) -> impl Ord + use<> {
        (self.rank, self.modified_at, self.end.is_some(), Reverse(self.connection))
    }
}

/// Whose word counts for what went back, by their places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Whose total, time and identity hold.
    pub speaker: usize,
    /// Whose single refunds come off: those that make most. The shop's and the payment's are the same money.
    pub refunds: usize,
    /// Who says that nothing is left.
    pub end: Option<usize>,
    /// Somebody says that it was cancelled and never paid, and somebody else has the money: nothing comes off for that.
    pub is_doubtful: bool,
}

/// Money that went back counts once, whichever report told of it. None where nobody has told.
pub fn verdict(total_minor: i64, said: &[Said]) -> Option<Verdict> {
    let mut places: Vec<usize> = (0..said.len()).collect();
    places.sort_by_key(|&place| Reverse(said[place].weight()));
    let speaker = *places.first()?;
    let refunds = *places.iter().rev().max_by_key(|&&place| said[place].back_minor)?;
    let ended: Vec<usize> = places.iter().copied().filter(|&place| said[place].end.is_some()).collect();
    let end = ended.iter().copied().find(|&place| is_believed(said, place));
    let is_whole = total_minor > 0 && said[refunds].back_minor >= total_minor;
    Some(Verdict { speaker, refunds, end, is_doubtful: end.is_none() && !ended.is_empty() && !is_whole })
}

/// An order that was never paid may be one that was tried and given up, while its sale was paid elsewhere: a payment, or whoever
/// knows more, has the money.
fn is_believed(said: &[Said], place: usize) -> bool {
    let own = &said[place];
    let has_money = |other: &Said| other.was_paid && other.end.is_none() && (other.rank == Rank::Payment.number() || other.rank > own.rank);
    own.was_paid || own.end == Some(End::Refunded) || !said.iter().enumerate().any(|(n, other)| n != place && has_money(other))
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

    fn said(rank: Rank, was_paid: bool, end: Option<End>, back_minor: i64) -> Said {
        Said { rank: rank.number(), connection: rank.number(), modified_at: Time::from_s(1), was_paid, end, back_minor }
    }

    #[test]
    fn whoever_tells_that_money_went_back_is_heard_once() {
        use End::{Cancelled, Refunded};
        use Rank::{GenericOrder, Payment, Shop};
        let paid = |rank| said(rank, true, None, 0);
        // Places of who speaks, whose refunds count, and who ended it; whether it is in doubt.
        type Row<'a> = (&'a str, &'a [Said], (usize, usize, Option<usize>, bool));
        let rows: &[Row] = &[
            ("nothing went back", &[paid(Payment), paid(GenericOrder)], (0, 0, None, false)),
            ("the shop's program says so", &[paid(Payment), said(GenericOrder, true, Some(Refunded), 0)], (0, 0, Some(1), false)),
            ("a payment under the shop", &[paid(Shop), said(Payment, true, None, 60)], (0, 1, None, false)),
            ("the same money told by both", &[said(Shop, true, None, 60), said(Payment, true, None, 60)], (0, 0, None, false)),
            ("more of it told by the payment", &[said(Shop, true, None, 10), said(Payment, true, None, 25)], (0, 1, None, false)),
            ("cancelled there after it was paid", &[paid(Payment), said(GenericOrder, true, Some(Cancelled), 0)], (0, 0, Some(1), false)),
            ("given up there, paid elsewhere", &[paid(Payment), said(GenericOrder, false, Some(Cancelled), 0)], (0, 0, None, true)),
            ("even by the shop", &[said(Shop, false, Some(Cancelled), 0), paid(Payment)], (0, 0, None, true)),
            ("the shop knows better than a form", &[said(Shop, false, Some(Cancelled), 0), paid(GenericOrder)], (0, 0, Some(0), false)),
            (
                "given up, and the payment went back",
                &[said(Shop, false, Some(Cancelled), 0), said(Payment, true, None, 100)],
                (0, 1, None, false),
            ),
            ("given up by both", &[said(Shop, false, Some(Cancelled), 0), said(Payment, true, Some(Cancelled), 0)], (0, 0, Some(0), false)),
            ("who says refunded has had it", &[paid(Payment), said(GenericOrder, false, Some(Refunded), 0)], (0, 0, Some(1), false)),
        ];
        for (what, all, (speaker, refunds, end, is_doubtful)) in rows {
            let want = Verdict { speaker: *speaker, refunds: *refunds, end: *end, is_doubtful: *is_doubtful };
            assert_eq!(verdict(100, all), Some(want), "{what}");
        }
        assert_eq!(verdict(100, &[]), None);
    }

    fn any_said() -> impl Strategy<Value = Said> {
        let end = prop_oneof![Just(None), Just(Some(End::Cancelled)), Just(Some(End::Refunded))];
        (3i64..=5, 0i64..3, any::<bool>(), end, 0i64..=100).prop_map(|(rank, at, was_paid, end, back_minor)| Said {
            rank,
            connection: 0,
            modified_at: Time::from_s(at),
            was_paid,
            end,
            back_minor,
        })
    }

    proptest! {
        #[test]
        fn a_verdict_is_the_same_whoever_is_heard_first(all in proptest::collection::vec(any_said(), 1..6), turn in 0usize..6) {
            // One connection tells of a sale once.
            let all: Vec<Said> = (1..).zip(all).map(|(connection, one)| Said { connection, ..one }).collect();
            let mut turned = all.clone();
            turned.rotate_left(turn % all.len());
            let told = |all: &[Said]| {
                let v = verdict(100, all).expect("somebody has told");
                (all[v.speaker].clone(), all[v.refunds].clone(), v.end.map(|end| all[end].clone()), v.is_doubtful)
            };
            let (speaker, refunds, end, is_doubtful) = told(&all);
            prop_assert_eq!(told(&turned), (speaker, refunds.clone(), end.clone(), is_doubtful));
            // Never less than anybody tells, and never two tellings added.
            prop_assert_eq!(refunds.back_minor, all.iter().map(|one| one.back_minor).max().unwrap_or_default());
            let must_end = all.iter().any(|one| one.end == Some(End::Refunded) || (one.end.is_some() && one.was_paid));
            prop_assert!(!must_end || end.is_some());
        }

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
