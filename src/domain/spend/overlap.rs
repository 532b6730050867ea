//! Amounts that would count twice: a month's total beside its days, a file beside what another has brought. They are told
//! before anything is stored; whether they are meant so is up to the owner.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Spend;
use crate::domain::question::Days;

/// Rows that are looked at; a longer file is looked at so far.
const MOST_ROWS: usize = 500_000;
/// Stands for the rows of a source that name no campaign.
const NONE: &str = "";

/// Rows of one file, and what is there already.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Sources and campaigns, each once.
    words: HashMap<String, u32>,
    rows: Vec<(Place, Spend)>,
    /// Days on which amounts of the file stand.
    of_file: HashMap<(Place, i32), Standing>,
    of_file_source: HashMap<(u32, i32), Standing>,
    stored: HashSet<(Place, i32)>,
    stored_source: HashSet<(u32, i32)>,
    span: Option<Days>,
    is_full: bool,
}

/// Source and campaign. The medium is left out: the same costs come as `cpc` here and as nothing there.
type Place = (u32, u32);

/// The days of the first amount of this day, and whether another has other days.
#[derive(Debug, Clone, Copy)]
struct Standing {
    days: Days,
    is_mixed: bool,
}

/// What overlaps, with the first of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Overlaps {
    pub rows: i64,
    /// Rows and their sum in minor units, by currency.
    pub sums: BTreeMap<String, (i64, i64)>,
    pub first: Spend,
}

impl Ledger {
    /// A row of the file. What is known already is not stored again, and stands beside the others all the same.
    pub fn add(&mut self, spend: &Spend, is_new: bool) {
        if self.rows.len() >= MOST_ROWS {
            self.is_full = true;
            return;
        }
        self.word(NONE);
        let place = (self.word(&spend.source), self.word(&spend.campaign));
        for day in spend.days.each() {
            stand(self.of_file.entry((place, day.0)), spend.days);
            stand(self.of_file_source.entry((place.0, day.0)), spend.days);
        }
        self.span =
            Some(self.span.map_or(spend.days, |span| Days { from: span.from.min(spend.days.from), to: span.to.max(spend.days.to) }));
        if is_new {
            self.rows.push((place, spend.clone()));
        }
    }

    /// First and last day of the file.
    pub fn span(&self) -> Option<Days> {
        self.span
    }

    /// Whether the file had more rows than are looked at.
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// An amount that is there already and that no row of the file stands for.
    pub fn beside(&mut self, source: &str, campaign: &str, days: Days) {
        let (Some(source), Some(span)) = (self.words.get(source).copied(), self.span) else { return };
        let campaign = self.words.get(campaign).copied();
        for day in (Days { from: days.from.max(span.from), to: days.to.min(span.to) }).each() {
            self.stored_source.insert((source, day.0));
            if let Some(campaign) = campaign {
                self.stored.insert(((source, campaign), day.0));
            }
        }
    }

    /// None where nothing would count twice. Amounts of the same days within one file are parts of a whole, as a report by
    /// ads has them; amounts of other days that meet are not.
    pub fn overlaps(&self) -> Option<Overlaps> {
        let none = self.words.get(NONE).copied();
        let mut found: Option<Overlaps> = None;
        for (place, spend) in &self.rows {
            let others: Vec<Place> = [Some(*place), none.map(|none| (place.0, none))].into_iter().flatten().collect();
            let is_whole_source = Some(place.1) == none;
            let is_other = |standing: &Standing| standing.is_mixed || standing.days != spend.days;
            let meets = spend.days.each().any(|day| {
                let at_places =
                    others.iter().any(|p| self.stored.contains(&(*p, day.0)) || self.of_file.get(&(*p, day.0)).is_some_and(is_other));
                let at_source =
                    || self.stored_source.contains(&(place.0, day.0)) || self.of_file_source.get(&(place.0, day.0)).is_some_and(is_other);
                at_places || (is_whole_source && at_source())
            });
            if meets {
                let found = found.get_or_insert_with(|| Overlaps { rows: 0, sums: BTreeMap::new(), first: spend.clone() });
                found.rows += 1;
                let sum = found.sums.entry(spend.amount.currency.code().to_owned()).or_default();
                *sum = (sum.0 + 1, sum.1.saturating_add(spend.amount.minor));
            }
        }
        found
    }

    fn word(&mut self, word: &str) -> u32 {
        let next = self.words.len() as u32;
        *self.words.entry(word.to_owned()).or_insert(next)
    }
}

fn stand<K>(entry: std::collections::hash_map::Entry<'_, K, Standing>, days: Days) {
    let standing = entry.or_insert(Standing { days, is_mixed: false });
    standing.is_mixed |= standing.days != days;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::{Currency, Money};
    use crate::domain::time::Day;

    fn spend(from: &str, to: &str, source: &str, campaign: &str) -> Spend {
        let day = |text: &str| Day::parse(text).expect("a day");
        let eur = Currency::parse("EUR").expect("EUR");
        let days = Days { from: day(from), to: day(to) };
        Spend::new(days, (source, "", campaign), Money::new(1_000, eur), None).expect("spend")
    }

    #[test]
    fn a_month_beside_its_days_counts_twice() {
        let june = ("2026-06-01", "2026-06-30");
        let day = ("2026-06-11", "2026-06-11");
        for (file, beside, rows) in [
            // Within one file: the month and the day, both named.
            (vec![(june, "google", "Spring"), (day, "google", "Spring")], None, 2),
            (vec![(june, "google", "Spring"), (day, "google", "Brand")], None, 0),
            (vec![(june, "google", "Spring"), (day, "facebook", "Spring")], None, 0),
            (vec![(june, "google", ""), (day, "google", "Brand")], None, 2),
            // Parts of one day, as a report by ads has them.
            (vec![(day, "google", "Spring"), (day, "google", "Spring")], None, 0),
            (vec![(june, "google", "Spring"), (("2026-07-01", "2026-07-31"), "google", "Spring")], None, 0),
            // Beside what is there.
            (vec![(day, "google", "Spring")], Some((june, "google", "Spring")), 1),
            (vec![(day, "google", "Spring")], Some((day, "google", "Spring")), 1),
            (vec![(day, "google", "Spring")], Some((june, "google", "")), 1),
            (vec![(june, "google", "")], Some((day, "google", "Spring")), 1),
            (vec![(day, "google", "Spring")], Some((june, "google", "Brand")), 0),
            (vec![(day, "google", "Spring")], Some((("2026-05-01", "2026-06-10"), "google", "Spring")), 0),
        ] {
            let mut ledger = Ledger::default();
            file.iter().for_each(|((from, to), source, campaign)| ledger.add(&spend(from, to, source, campaign), true));
            if let Some(((from, to), source, campaign)) = beside {
                ledger.beside(source, campaign, spend(from, to, source, campaign).days);
            }
            let found = ledger.overlaps();
            assert_eq!(found.as_ref().map_or(0, |f| f.rows), rows, "{file:?} {beside:?}");
            assert_eq!(found.map_or(0, |f| f.sums["EUR"].1), rows * 1_000);
        }
    }

    #[test]
    fn what_is_known_is_not_stored_again() {
        let mut ledger = Ledger::default();
        ledger.add(&spend("2026-06-01", "2026-06-30", "google", ""), false);
        ledger.add(&spend("2026-06-11", "2026-06-11", "google", ""), true);
        assert_eq!(ledger.overlaps().map(|f| f.rows), Some(1), "the day beside the month that is there");
    }
}
