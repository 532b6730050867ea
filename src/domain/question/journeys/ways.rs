//! The ways that lead to a conversion: the rows a journey went through, one after another, the same one twice in a row said
//! once. How often each, what it brought, how many visits it took and how long.

use std::collections::HashMap;

use super::{Asked, Held, Journeys, Names, Purse, each};
use crate::domain::time::DAY_MS;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Way {
    pub conversions: i64,
    pub net: Purse,
    /// Visits of all of them together, repeats counted.
    pub visits: i64,
    /// From the first visit to the conversion, of each, in hours.
    hours: Vec<u32>,
}

impl Way {
    /// Days from the first visit to the conversion, of the one in the middle; none where nothing is known.
    pub fn median_days(&self) -> Option<f64> {
        let mut hours = self.hours.clone();
        hours.sort_unstable();
        let last = hours.len().checked_sub(1)?;
        Some(f64::from(hours[last / 2] + hours[last.div_ceil(2)]) / 48.0)
    }

    fn add(&mut self, other: &Way) {
        self.conversions += other.conversions;
        self.net.add_all(&other.net);
        self.visits += other.visits;
        self.hours.extend(&other.hours);
    }
}

#[derive(Debug, Clone, Default)]
pub struct Ways {
    /// By the numbers of rows, in the order of time; the empty one is of conversions without any visit.
    pub all: HashMap<Vec<u32>, Way>,
    pub names: Names,
    pub left_out: i64,
}

pub fn ways<'b>(blocks: impl Iterator<Item = &'b Journeys>, asked: &Asked) -> Ways {
    let (mut ways, mut names) = (Ways::default(), Names::default());
    let mut rows: Vec<u32> = Vec::new();
    each(blocks, asked, &mut names, |journey, held, visits, money| {
        rows.clear();
        let is_left_out = match held {
            Held::Visits => {
                rows.extend(visits.iter().map(|v| v.row));
                rows.dedup();
                false
            }
            // Where a sender says that it came from is no visit, and no way.
            Held::Stated(_) | Held::Nothing => asked.without_unattributed,
            Held::OnlyDirect => true,
        };
        if is_left_out {
            ways.left_out += i64::from(journey.is_counted);
            return;
        }
        if !ways.all.contains_key(rows.as_slice()) {
            ways.all.insert(rows.clone(), Way::default());
        }
        let Some(way) = ways.all.get_mut(rows.as_slice()) else { return };
        if journey.is_counted {
            way.conversions += 1;
            way.visits += visits.len() as i64;
            way.hours.extend(visits.first().map(|first| (first.age_ms.max(0) / (DAY_MS / 24)) as u32));
        }
        money.iter().for_each(|e| way.net.add(e.currency, e.minor));
    });
    ways.names = names;
    ways
}

impl Ways {
    /// Of all ways.
    pub fn total(&self) -> Way {
        let mut total = Way::default();
        self.all.values().for_each(|way| total.add(way));
        total
    }

    /// The most frequent first; of equals the shorter one, then by name.
    pub fn sorted(&self) -> Vec<(Vec<&str>, &Way)> {
        let mut all: Vec<(Vec<&str>, &Way)> =
            self.all.iter().map(|(rows, way)| (rows.iter().map(|row| self.names.all[*row as usize].as_str()).collect(), way)).collect();
        all.sort_by(|(a, x), (b, y)| y.conversions.cmp(&x.conversions).then(a.len().cmp(&b.len())).then_with(|| a.cmp(b)));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::super::{By, Entry, Journey, Known, Place, Step};
    use super::*;
    use crate::domain::attribution::Policy;
    use crate::domain::money::Currency;
    use crate::domain::question::{ConversionFilter, Lens};
    use crate::domain::time::Time;

    /// Ages in days and the place of the origin; `d` is direct.
    fn day(journeys: &[&[(i64, usize)]]) -> Journeys {
        let origin = |source: &str| Place { source: source.into(), ..Place::default() };
        let mut day = Journeys {
            origins: vec![origin("ads"), origin("mail"), origin("direct")],
            known: vec![Known { kind: "sale".into(), ..Known::default() }],
            ..Journeys::default()
        };
        for visits in journeys {
            let first_step = day.steps.len() as u32;
            day.steps.extend(visits.iter().map(|(days, origin)| Step::new(days * DAY_MS, 1, *origin, *origin == 2, false)));
            let journey = day.all.len() as u32;
            day.entries.push(Entry { journey, currency: Currency::parse("EUR").expect("EUR"), minor: 100 });
            day.all.push(Journey { at: Time::from_s(0), marks: 0, first_step, steps: visits.len() as u32, is_counted: true });
        }
        day
    }

    #[test]
    fn repeats_are_one_and_times_are_of_the_first_visit() {
        let day = day(&[&[(9, 0), (8, 0), (1, 1)], &[(5, 0), (4, 1), (3, 1)], &[(2, 2)], &[]]);
        let asked = Asked {
            lens: Lens::of(&Policy::default()),
            by: By::Source,
            without_direct: false,
            without_unattributed: false,
            filter: ConversionFilter::default(),
        };
        let all = ways([&day].into_iter(), &asked);
        let sorted = all.sorted();
        let shown: Vec<(String, i64, i64)> = sorted.iter().map(|(rows, way)| (rows.join(" "), way.conversions, way.visits)).collect();
        assert_eq!(shown, [("ads mail".into(), 2, 6), (String::new(), 1, 0), ("direct".into(), 1, 1)]);
        assert_eq!((sorted[0].1.median_days(), sorted[1].1.median_days()), (Some(7.0), None));
        assert_eq!(all.total().conversions, 4);
        let without = ways([&day].into_iter(), &Asked { without_direct: true, without_unattributed: true, ..asked });
        assert_eq!((without.all.len(), without.left_out), (1, 2));
    }
}
