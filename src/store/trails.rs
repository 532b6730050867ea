//! Trails of people over all systems: the visits and events of their browsers, the steps that platforms told of, and what they
//! asked for, bought and sent back. Each of the three is kept in memory by itself, as small as it gets and ordered by person;
//! what is new is read with each question, in the question's own snapshot, so that nothing is ever stale. Somebody is a
//! contact; a browser that nobody is known by stands for itself; who was erased is nobody, and is counted still.

/// What was asked for, bought and sent back.
pub mod sold;
/// Visits and events of browsers.
pub mod visits;
/// The words of what browsers do.
pub mod words;

use std::sync::Arc;

use self::sold::{Joined, Sale, Sold};
use self::visits::{Seen, Visits};
use super::milestones::walked::{self, Walked};
use super::questions::visits::Origin;
use super::scope::SiteConn;
use crate::domain::question::funnel::Step;
use crate::domain::time::Zone;
use crate::error::Result;

/// Numbers of browsers begin above those of contacts. Below 0 are people who were erased, each number one of them.
const BROWSERS: i64 = 1 << 31;

/// Who somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonKey(pub i64);

impl PersonKey {
    pub fn of_contact(number: i64) -> Self {
        Self(number)
    }

    pub fn of_browser(session: u32) -> Self {
        Self(BROWSERS + i64::from(session))
    }

    pub fn contact(self) -> Option<i64> {
        (self.0 > 0 && self.0 < BROWSERS).then_some(self.0)
    }

    pub fn is_erased(self) -> bool {
        self.0 < 0
    }
}

pub struct Trails {
    pub visits: Arc<Visits>,
    pub steps: Arc<Walked>,
    pub sold: Arc<Sold>,
    joined: Arc<Joined>,
}

/// What trails consist of: as long as it is the same, so is every answer from them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Stamp {
    visits: u64,
    steps: i64,
    sold: sold::Stamp,
}

/// All that is known of one person, each part in the order of time.
pub struct Trail<'t> {
    pub person: PersonKey,
    visits: &'t [Seen],
    /// Of browsers that are this person's by the ledger.
    others: &'t [(i64, u32)],
    all_visits: &'t [Seen],
    pub steps: &'t [Step],
    pub sales: &'t [Sale],
}

/// The trails of a site; none where there is more to be read first: then it is asked again.
pub fn of_site(c: &SiteConn, zone: &Zone) -> Result<Option<Trails>> {
    let visits = visits::of_site(c)?;
    let steps = walked::of_site(c)?;
    if !visits.is_whole() || !steps.is_whole {
        return Ok(None);
    }
    let joined = sold::of_site(c, zone, &visits)?;
    Ok(Some(Trails { visits, steps, sold: joined.sold.clone(), joined }))
}

impl Trails {
    pub fn stamp(&self) -> Stamp {
        Stamp { visits: self.visits.version, steps: self.steps.seen(), sold: self.joined.stamp.clone() }
    }

    /// Goes through all people, in the order of their numbers.
    pub fn each<'t>(&'t self, mut on: impl FnMut(&Trail<'t>)) {
        let mut rest = Rest::of(self);
        let mut known = &self.joined.browsers.all[..];
        loop {
            let heads = [
                rest.visits.first().map(|v| i64::from(v.person)),
                rest.steps.first().map(|s| i64::from(s.person)),
                rest.sales.first().map(|s| s.person),
                rest.others.first().map(|(contact, _)| *contact),
            ];
            let Some(person) = heads.into_iter().flatten().min() else { break };
            let trail = rest.take(person);
            if person >= BROWSERS {
                known = from(known, |session| BROWSERS + i64::from(*session) < person);
                // It has been gone through with whom it belongs to.
                if known.first().is_some_and(|session| BROWSERS + i64::from(*session) == person) {
                    continue;
                }
            }
            on(&trail);
        }
    }

    /// The same for those alone of whom a platform has told a step.
    pub fn each_with_steps<'t>(&'t self, mut on: impl FnMut(&Trail<'t>)) {
        let mut rest = Rest::of(self);
        while let Some(first) = rest.steps.first() {
            let person = i64::from(first.person);
            rest.visits = from(rest.visits, |v| i64::from(v.person) < person);
            rest.sales = from(rest.sales, |s| s.person < person);
            rest.others = from(rest.others, |(contact, _)| *contact < person);
            on(&rest.take(person));
        }
    }

    /// Where somebody first came from: the earliest visit or step that says so; where there is none, the first visit that the
    /// ledger has found for what they asked for or bought.
    pub fn origin(&self, trail: &Trail) -> OriginPlace {
        let mut first: Option<(u32, OriginPlace)> = None;
        let words = self.visits.words();
        trail.each_browser(|visits| {
            let said = visits.iter().map(|v| (v.at_s, words.whats[v.what as usize].origin)).find(|(_, origin)| *origin > 0);
            if let Some((at_s, place)) = said
                && first.is_none_or(|known| at_s < known.0)
            {
                first = Some((at_s, OriginPlace { list: 0, place }));
            }
        });
        if let Some(step) = trail.steps.iter().find(|s| s.origin > 0)
            && first.is_none_or(|known| step.at_s < known.0)
        {
            first = Some((step.at_s, OriginPlace { list: 1, place: step.origin.into() }));
        }
        let told = || trail.sales.iter().find(|s| s.origin > 0 && !self.sold.origin(s.origin).0.is_empty());
        first.map(|(_, place)| place).or_else(|| told().map(|s| OriginPlace { list: 2, place: s.origin })).unwrap_or_default()
    }

    /// Source, medium and campaign. Empty words where nothing is known.
    pub fn words_of(&self, origin: OriginPlace) -> &Origin {
        match origin.list {
            0 => &self.visits.words().origins.all[origin.place as usize],
            1 => &self.steps.origins.all[origin.place as usize],
            _ => self.sold.origin(origin.place),
        }
    }
}

/// An origin by its place in one of the lists in which they stand. The first of the first list is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OriginPlace {
    list: u8,
    place: u32,
}

impl OriginPlace {
    /// Lists, and the place in one.
    pub const LISTS: usize = 3;

    pub fn parts(self) -> (usize, usize) {
        (usize::from(self.list), self.place as usize)
    }
}

impl<'t> Trail<'t> {
    /// The visits and events of each lot of browsers, in the order of time.
    pub fn each_browser(&self, mut on: impl FnMut(&'t [Seen])) {
        on(self.visits);
        for (_, session) in self.others {
            let person = PersonKey::of_browser(*session).0;
            let mut theirs = &self.all_visits[self.all_visits.partition_point(|v| i64::from(v.person) < person)..];
            on(take(&mut theirs, |v| i64::from(v.person) == person));
        }
    }
}

/// What has not been gone through yet.
struct Rest<'t> {
    all_visits: &'t [Seen],
    visits: &'t [Seen],
    steps: &'t [Step],
    sales: &'t [Sale],
    others: &'t [(i64, u32)],
}

impl<'t> Rest<'t> {
    fn of(trails: &'t Trails) -> Self {
        let visits = &trails.visits.rows[..];
        let (steps, sales) = (&trails.steps.steps[..], &trails.sold.rows[..]);
        Self { all_visits: visits, visits, steps, sales, others: &trails.joined.browsers.by_contact }
    }

    fn take(&mut self, person: i64) -> Trail<'t> {
        Trail {
            person: PersonKey(person),
            visits: take(&mut self.visits, |v| i64::from(v.person) == person),
            others: take(&mut self.others, |(contact, _)| *contact == person),
            all_visits: self.all_visits,
            steps: take(&mut self.steps, |s| i64::from(s.person) == person),
            sales: take(&mut self.sales, |s| s.person == person),
        }
    }
}

/// The rows at the front of which this is true.
fn take<'t, T>(rows: &mut &'t [T], is_one: impl Fn(&T) -> bool) -> &'t [T] {
    let count = rows.iter().take_while(|row| is_one(row)).count();
    let (front, rest) = rows.split_at(count);
    *rows = rest;
    front
}

/// What is behind the rows of which this is true; they stand at the front. Most often there are few.
fn from<T>(rows: &[T], is_before: impl Fn(&T) -> bool) -> &[T] {
    let mut reach = 1;
    while reach < rows.len() && is_before(&rows[reach - 1]) {
        reach *= 2;
    }
    let reach = reach.min(rows.len());
    &rows[rows[..reach].partition_point(is_before)..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_before_a_person_are_passed_over_whatever_their_number() {
        for len in 0..20_usize {
            let rows: Vec<usize> = (0..len).collect();
            for person in 0..22 {
                assert_eq!(from(&rows, |row| *row < person).first().copied(), (person < len).then_some(person), "{person} of {len}");
            }
        }
    }

    #[test]
    fn contacts_browsers_and_nobodies_are_told_apart() {
        let (contact, browser, nobody) = (PersonKey::of_contact(7), PersonKey::of_browser(7), PersonKey(-7));
        assert_eq!((contact.contact(), browser.contact(), nobody.contact()), (Some(7), None, None));
        assert!(nobody.is_erased() && !browser.is_erased() && !contact.is_erased());
        assert!(nobody < contact && contact < browser);
    }
}
