//! What a sale is worth to a partner, day by day: worked out from the money ledger under the frozen terms. It depends on what
//! stands there alone, not on the order in which it came; what is booked already is only added to.

use std::collections::BTreeMap;

use super::{Sold, Terms, share};
use crate::domain::money::{Currency, Money};
use crate::domain::time::Day;

/// A line of the money ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub day: Day,
    /// Negative where money goes back.
    pub amount: Money,
}

/// A sale or lead, as far as a commission goes by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earning {
    pub sold: Sold,
    /// The day on which it happened.
    pub day: Day,
    pub entries: Vec<Entry>,
    /// Tests and the owner's own people do not count.
    pub counts: bool,
    /// Nothing is left of it.
    pub is_reversed: bool,
    /// The day on which the owner refused to pay for it.
    pub refused_on: Option<Day>,
}

/// What is known of one day: how many conversions, what was sold, and what is earned by it. Each currency by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    pub conversions: i64,
    pub base_minor: i64,
    pub minor: i64,
}

impl Sums {
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    pub fn minus(self, other: Self) -> Self {
        Self {
            conversions: self.conversions - other.conversions,
            base_minor: self.base_minor - other.base_minor,
            minor: self.minor - other.minor,
        }
    }
}

/// Day, currency of what was sold, currency of the commission.
pub type Place = (Day, Option<Currency>, Option<Currency>);

/// All that ought to be booked for it. Without terms it is counted and earns nothing.
pub fn wanted(earning: &Earning, terms: Option<&Terms>) -> BTreeMap<Place, Sums> {
    let mut all: BTreeMap<Place, Sums> = BTreeMap::new();
    if !earning.counts {
        return all;
    }
    let full = terms.and_then(|terms| terms.full(&earning.sold));
    let paid_in = full.map(|m| m.currency);
    let own = earning.sold.amount.map(|m| m.currency);
    all.entry((earning.day, own, paid_in)).or_default().conversions += 1;
    let mut by_day: BTreeMap<Day, i64> = BTreeMap::new();
    for entry in &earning.entries {
        all.entry((entry.day, Some(entry.amount.currency), paid_in)).or_default().base_minor += entry.amount.minor;
        if Some(entry.amount.currency) == own {
            *by_day.entry(entry.day).or_default() += entry.amount.minor;
        }
    }
    let Some(full) = full else { return kept(all) };
    let gross = earning.sold.amount.map_or(0, |m| m.minor);
    let mut so_far = 0;
    let mut sum = 0;
    if gross > 0 && !earning.entries.is_empty() {
        let mut left = 0;
        for (day, minor) in by_day {
            left += minor;
            let now = share(full.minor, left.clamp(0, gross), gross);
            all.entry((day, own, paid_in)).or_default().minor += now - so_far;
            sum += now - so_far;
            so_far = now;
        }
    } else if !earning.is_reversed {
        // Nothing that could be given back in parts: a lead, or a sale for nothing.
        all.entry((earning.day, own, paid_in)).or_default().minor += full.minor;
        sum = full.minor;
    }
    if let Some(day) = earning.refused_on {
        all.entry((day, own, paid_in)).or_default().minor -= sum;
    }
    kept(all)
}

/// What has to be added so that what is booked becomes what is wanted.
pub fn missing(wanted: &BTreeMap<Place, Sums>, booked: &BTreeMap<Place, Sums>) -> Vec<(Place, Sums)> {
    let mut places: Vec<Place> = wanted.keys().chain(booked.keys()).copied().collect();
    places.sort_unstable();
    places.dedup();
    let of = |all: &BTreeMap<Place, Sums>, place: &Place| all.get(place).copied().unwrap_or_default();
    places.into_iter().map(|place| (place, of(wanted, &place).minus(of(booked, &place)))).filter(|(_, sums)| !sums.is_nothing()).collect()
}

fn kept(mut all: BTreeMap<Place, Sums>) -> BTreeMap<Place, Sums> {
    all.retain(|_, sums| !sums.is_nothing());
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::conversion::ConversionKind;
    use proptest::prelude::*;

    fn eur() -> Currency {
        Currency::parse("EUR").expect("a currency")
    }

    fn terms(text: &str) -> Terms {
        Terms::parse([text], eur()).expect("terms")
    }

    fn earning(gross: i64, entries: &[(i32, i64)]) -> Earning {
        Earning {
            sold: Sold { kind: ConversionKind::Sale, amount: Some(Money::new(gross, eur())), pieces: Vec::new() },
            day: Day(1),
            entries: entries.iter().map(|(day, minor)| Entry { day: Day(*day), amount: Money::new(*minor, eur()) }).collect(),
            counts: true,
            is_reversed: false,
            refused_on: None,
        }
    }

    fn by_day(all: &BTreeMap<Place, Sums>) -> Vec<(i32, i64)> {
        all.iter().map(|((day, ..), sums)| (day.0, sums.minor)).collect()
    }

    #[test]
    fn what_goes_back_takes_its_part_on_its_own_day() {
        for (text, gross, entries, want) in [
            ("10%", 10_000, &[(1, 10_000)][..], &[(1, 1_000)][..]),
            ("10%", 10_000, &[(1, 10_000), (5, -2_500)], &[(1, 1_000), (5, -250)]),
            ("5.00", 10_000, &[(1, 10_000), (5, -2_500), (9, -7_500)], &[(1, 500), (5, -125), (9, -375)]),
            ("10%", 10_000, &[(1, 10_000), (5, -10_000)], &[(1, 1_000), (5, -1_000)]),
            // Cancelled, and paid again.
            ("5.00", 10_000, &[(1, 10_000), (5, -10_000), (6, 10_000)], &[(1, 500), (5, -500), (6, 500)]),
            // Thirds leave nothing behind.
            ("0.10", 300, &[(1, 300), (2, -100), (3, -100), (4, -100)], &[(1, 10), (2, -3), (3, -4), (4, -3)]),
            ("5.00", 0, &[(1, 0)], &[(1, 500)]),
        ] {
            let all = wanted(&earning(gross, entries), Some(&terms(text)));
            assert_eq!(by_day(&all), want, "{text} {entries:?}");
        }
    }

    #[test]
    fn what_does_not_count_earns_nothing_and_what_has_no_terms_is_counted() {
        let test = Earning { counts: false, ..earning(10_000, &[(1, 10_000)]) };
        assert!(wanted(&test, Some(&terms("10%"))).is_empty());
        let nobody = wanted(&earning(10_000, &[(1, 10_000)]), None);
        assert_eq!(nobody.values().copied().collect::<Vec<_>>(), [Sums { conversions: 1, base_minor: 10_000, minor: 0 }]);
        let refused = Earning { refused_on: Some(Day(8)), ..earning(10_000, &[(1, 10_000), (9, -5_000)]) };
        assert_eq!(by_day(&wanted(&refused, Some(&terms("10%")))), [(1, 1_000), (8, -500), (9, -500)]);
    }

    #[test]
    fn leads_earn_what_is_fixed() {
        let mut lead = earning(0, &[]);
        lead.sold = Sold { kind: ConversionKind::Lead, amount: None, pieces: Vec::new() };
        assert_eq!(by_day(&wanted(&lead, Some(&terms("lead=2.00")))), [(1, 200)]);
        assert_eq!(by_day(&wanted(&lead, Some(&terms("10%")))), [(1, 0)]);
    }

    proptest! {
        /// However the ledger grew, what is booked in the end is what it says now.
        #[test]
        fn adding_what_is_missing_comes_to_the_same(
            entries in proptest::collection::vec((1..9i32, -5_000..10_000i64), 1..8), gross in 1..20_000i64, bp in 0..10_000u32,
        ) {
            let terms = terms(&format!("{}.{:02}%", bp / 100, bp % 100));
            let mut booked: BTreeMap<Place, Sums> = BTreeMap::new();
            for n in 1..=entries.len() {
                let want = wanted(&earning(gross, &entries[..n]), Some(&terms));
                for (place, sums) in missing(&want, &booked) {
                    let known = booked.entry(place).or_default();
                    *known = Sums { conversions: known.conversions + sums.conversions, base_minor: known.base_minor + sums.base_minor, minor: known.minor + sums.minor };
                }
                prop_assert!(missing(&want, &booked).is_empty());
            }
            let left: i64 = entries.iter().map(|(_, minor)| minor).sum();
            let full = terms.full(&earning(gross, &[]).sold).expect("a commission").minor;
            prop_assert_eq!(booked.values().map(|s| s.minor).sum::<i64>(), share(full, left.clamp(0, gross), gross));
        }
    }
}
