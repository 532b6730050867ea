//! Tellings of sales that only look alike: the same person, the same amount, within half an hour. Which of them are one must
//! not depend on who was heard first, so all that look alike are judged together.

use super::conversion::{Candidate, is_alike};

/// Whether a telling looks like two others that cannot be one themselves: then nobody knows to which it belongs.
pub fn is_doubtful(all: &[Candidate], place: usize) -> bool {
    let alike: Vec<&Candidate> =
        all.iter().enumerate().filter(|(n, other)| *n != place && is_alike(&all[place], other)).map(|(_, other)| other).collect();
    alike.iter().enumerate().any(|(n, a)| alike[..n].iter().any(|b| !is_alike(a, b)))
}

/// The sales that these tellings make, as a number for each of them: whoever is doubtful stands alone, the others are one with
/// all that they look like. The same whatever the order.
pub fn sales(all: &[Candidate]) -> Vec<usize> {
    let doubtful: Vec<bool> = (0..all.len()).map(|n| is_doubtful(all, n)).collect();
    let mut sales: Vec<usize> = (0..all.len()).collect();
    for a in 0..all.len() {
        for b in 0..a {
            if !doubtful[a] && !doubtful[b] && is_alike(&all[a], &all[b]) {
                let (from, to) = (sales[a], sales[b]);
                sales.iter_mut().filter(|sale| **sale == from).for_each(|sale| *sale = to);
            }
        }
    }
    sales
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::conversion::{ConversionKind, Rank, Reporter, order_key};
    use crate::domain::money::{Currency, Money};
    use crate::domain::time::Time;

    /// Minute, connection, number.
    fn told(minute: i64, connection: i64, number: Option<&str>) -> Candidate {
        let rank = if number.is_some() { Rank::Shop } else { Rank::Api };
        Candidate {
            kind: ConversionKind::Sale,
            order_key: number.and_then(order_key),
            is_key_sure: true,
            contact: Some(7),
            amount: Some(Money::new(500, Currency::parse("EUR").expect("EUR"))),
            happened_at: Time::from_s(1_000_000 + 60 * minute),
            reporters: vec![Reporter::new(connection, rank.number(), if number.is_some() { "order" } else { "sale" }, "generic")],
        }
    }

    fn count(sales: &[usize]) -> usize {
        let mut sales = sales.to_vec();
        sales.sort_unstable();
        sales.dedup();
        sales.len()
    }

    #[test]
    fn who_may_belong_to_two_belongs_to_none() {
        let (a, b, r) = (told(0, 1, Some("1")), told(10, 1, Some("2")), told(5, 0, None));
        let p = told(6, 2, None);
        let rows: &[(&str, Vec<Candidate>, usize)] = &[
            ("an order and its payment", vec![a.clone(), r.clone()], 1),
            ("an order and two that tell of it", vec![a.clone(), r.clone(), p.clone()], 1),
            ("two orders, and one that may be of either", vec![a.clone(), b.clone(), r.clone()], 3),
            ("two orders, and two that may be of either", vec![a.clone(), b.clone(), r.clone(), p.clone()], 4),
            ("an order, and two of one sender", vec![a.clone(), r.clone(), told(8, 0, None)], 3),
            ("a chain: the ends are too far apart", vec![told(0, 0, None), told(25, 1, Some("1")), told(50, 2, None)], 3),
            ("an hour later", vec![a.clone(), told(61, 0, None)], 2),
        ];
        for (what, all, want) in rows {
            let mut all = all.clone();
            for _ in 0..all.len() {
                assert_eq!(count(&sales(&all)), *want, "{what}");
                all.rotate_left(1);
            }
            all.reverse();
            assert_eq!(count(&sales(&all)), *want, "{what}");
        }
    }
}
