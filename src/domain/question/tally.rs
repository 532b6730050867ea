//! Sums over conversions and how often each value occurs, from rows and from counts of rows alike.

use std::collections::HashMap;

use super::super::attribution::MatchType;
use super::super::conversion::ConversionKind;
use super::super::money::{Currency, Money};
use super::filter::{ConversionFilter, Dimension, Marks, UNATTRIBUTED, Verdict};

/// Values that a facet shows at most.
pub const MOST_FACETS: usize = 20;

/// What rows of the same marks have in sum.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sums {
    pub count: i64,
    pub amount_minor: i64,
    pub net_minor: i64,
    pub days_sum: i64,
    /// Conversions whose days to convert are known.
    pub days_count: i64,
}

impl Sums {
    pub fn add(&mut self, other: &Sums) {
        self.count += other.count;
        // A shop may tell nonsense amounts; a sum at the edge of 64 bits is better than no answer.
        self.amount_minor = self.amount_minor.saturating_add(other.amount_minor);
        self.net_minor = self.net_minor.saturating_add(other.net_minor);
        self.days_sum += other.days_sum;
        self.days_count += other.days_count;
    }
}

/// The sums of what a filter takes.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    pub count: i64,
    /// Those with a match of any kind.
    pub attributed: i64,
    pub days_sum: i64,
    pub days_count: i64,
    money: Named<(i64, i64)>,
    /// What leads and sign-ups are said to be worth, where no sale is asked for: it is no money.
    worth: Named<i64>,
    kinds: Named<i64>,
    sources: Named<i64>,
    matches: Named<i64>,
    statuses: Named<i64>,
}

impl Tally {
    /// Counts rows of these marks, if the filter takes them, and into the facet of the one dimension that refuses them.
    pub fn add(&mut self, filter: &ConversionFilter, marks: &Marks, sums: &Sums) -> bool {
        let verdict = filter.judge(marks);
        let marks = &marks.named_by(&filter.rules);
        match verdict {
            Verdict::Taken => {
                self.count += sums.count;
                if marks.match_type != MatchType::None.word() {
                    self.attributed += sums.count;
                }
                self.days_sum += sums.days_sum;
                self.days_count += sums.days_count;
                if !marks.currency.is_empty() {
                    // Revenue is what orders bring.
                    if marks.kind == ConversionKind::Sale.word() {
                        let money = self.money.of(marks.currency);
                        money.0 = money.0.saturating_add(sums.amount_minor);
                        money.1 = money.1.saturating_add(sums.net_minor);
                    } else if !filter.kind.admits(ConversionKind::Sale.word()) {
                        let worth = self.worth.of(marks.currency);
                        *worth = worth.saturating_add(sums.amount_minor);
                    }
                }
                *self.kinds.of(marks.kind) += sums.count;
                *self.sources.of(named(marks.source)) += sums.count;
                *self.matches.of(marks.match_type) += sums.count;
                *self.statuses.of(marks.status) += sums.count;
                true
            }
            Verdict::RefusedBy(dimension) => {
                let (facet, value) = match dimension {
                    Dimension::Kind => (&mut self.kinds, marks.kind),
                    Dimension::Source => (&mut self.sources, named(marks.source)),
                    Dimension::Match => (&mut self.matches, marks.match_type),
                    Dimension::Status => (&mut self.statuses, marks.status),
                    Dimension::Other => return false,
                };
                *facet.of(value) += sums.count;
                false
            }
            Verdict::Refused => false,
        }
    }

    /// As if all that the other has counted had been counted here.
    pub fn merge(&mut self, other: &Tally) {
        self.count += other.count;
        self.attributed += other.attributed;
        self.days_sum += other.days_sum;
        self.days_count += other.days_count;
        for (currency, amount) in other.worth.iter() {
            let worth = self.worth.of(currency);
            *worth = worth.saturating_add(*amount);
        }
        for (currency, (amount, net)) in other.money.iter() {
            let money = self.money.of(currency);
            money.0 = money.0.saturating_add(*amount);
            money.1 = money.1.saturating_add(*net);
        }
        let facets = [
            (&mut self.kinds, &other.kinds),
            (&mut self.sources, &other.sources),
            (&mut self.matches, &other.matches),
            (&mut self.statuses, &other.statuses),
        ];
        for (own, other) in facets {
            for (value, count) in other.iter() {
                *own.of(value) += count;
            }
        }
    }

    /// Sums of sales as first told, one for each currency, in the order of their codes; where no sale is asked for, what the
    /// others are said to be worth.
    pub fn amounts(&self) -> Vec<Money> {
        let worth = self.worth.iter().map(|(code, minor)| (code, *minor));
        in_order(self.money.iter().map(|(code, (amount, _))| (code, *amount)).chain(worth))
    }

    /// What is left of the same conversions after refunds.
    pub fn net(&self) -> Vec<Money> {
        in_order(self.money.iter().map(|(code, (_, net))| (code, *net)))
    }

    /// Words that are held, of all facets.
    pub fn names(&self) -> usize {
        [&self.kinds, &self.sources, &self.matches, &self.statuses].iter().map(|facet| facet.iter().count()).sum::<usize>()
            + self.money.iter().count()
    }

    pub fn of_kind(&self, kind: &str) -> i64 {
        self.kinds.iter().find(|(k, _)| *k == kind).map_or(0, |(_, n)| *n)
    }

    pub fn kinds(&self) -> Vec<(String, i64)> {
        top(self.kinds.iter().map(|(v, n)| (v, *n)))
    }

    pub fn sources(&self) -> Vec<(String, i64)> {
        top(self.sources.iter().map(|(v, n)| (v, *n)))
    }

    pub fn matches(&self) -> Vec<(String, i64)> {
        top(self.matches.iter().map(|(v, n)| (v, *n)))
    }

    pub fn statuses(&self) -> Vec<(String, i64)> {
        top(self.statuses.iter().map(|(v, n)| (v, *n)))
    }
}

/// The most frequent first, equals by name.
pub fn top<'v>(counts: impl Iterator<Item = (&'v str, i64)>) -> Vec<(String, i64)> {
    let mut all: Vec<(String, i64)> = counts.filter(|(_, n)| *n > 0).map(|(v, n)| (v.to_owned(), n)).collect();
    all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    all.truncate(MOST_FACETS);
    all
}

fn named(source: &str) -> &str {
    if source.is_empty() { UNATTRIBUTED } else { source }
}

/// Values by name. Rows come in the order of their names, so that the last one is mostly the next one too.
#[derive(Debug, Clone)]
pub struct Named<V> {
    values: Vec<(String, V)>,
    places: HashMap<String, usize>,
    last: usize,
}

impl<V> Default for Named<V> {
    fn default() -> Self {
        Self { values: Vec::new(), places: HashMap::new(), last: 0 }
    }
}

impl<V: Default> Named<V> {
    /// The value under a name, made if there is none.
    pub fn of(&mut self, name: &str) -> &mut V {
        let is_last = self.values.get(self.last).is_some_and(|(known, _)| known == name);
        if !is_last {
            self.last = match self.places.get(name) {
                Some(place) => *place,
                None => {
                    self.places.insert(name.to_owned(), self.values.len());
                    self.values.push((name.to_owned(), V::default()));
                    self.values.len() - 1
                }
            };
        }
        &mut self.values[self.last].1
    }
}

impl<V> Named<V> {
    pub fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value))
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

fn in_order<'s>(sums: impl Iterator<Item = (&'s str, i64)>) -> Vec<Money> {
    let mut all: Vec<Money> = sums.filter_map(|(code, minor)| Currency::parse(code).map(|c| Money::new(minor, c))).collect();
    all.sort_by_key(|m| m.currency);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_summed_by_currency_and_never_across() {
        let mut tally = Tally::default();
        let filter = ConversionFilter::default();
        let marks = |currency| Marks { kind: "sale", source: "", medium: "", campaign: "", match_type: "none", status: "paid", currency };
        for (currency, minor) in [("EUR", 500), ("AED", 100), ("EUR", 250), ("", 0)] {
            tally.add(&filter, &marks(currency), &Sums { count: 1, amount_minor: minor, net_minor: minor - 50, ..Sums::default() });
        }
        let shown: Vec<String> = tally.amounts().iter().map(Money::to_string).collect();
        assert_eq!(shown, ["AED 1.00", "EUR 7.50"]);
        assert_eq!(tally.net()[1].minor, 650);
        assert_eq!((tally.count, tally.attributed), (4, 0));
        assert_eq!(tally.sources(), [("unattributed".to_owned(), 4)]);
    }

    #[test]
    fn facets_are_the_twenty_most_frequent() {
        let counts: Vec<(String, i64)> = (0..30).map(|n| (format!("s{n:02}"), n / 2)).collect();
        let top = top(counts.iter().map(|(v, n)| (v.as_str(), *n)));
        assert_eq!(top.len(), 20);
        assert_eq!((top[0].0.as_str(), top[1].0.as_str(), top[2].1), ("s28", "s29", 13));
    }
}
