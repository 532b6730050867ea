//! Who took which steps between two moments: how many people, what share goes on, how long they take. From the steps
//! themselves, in one pass over people.

use std::iter::{Copied, Peekable};
use std::slice;

/// One step, as small as it gets: a year of a busy site is looked at as a whole. Ordered by person, then time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// A contact's number; negative for somebody who was erased.
    pub person: i32,
    /// Seconds since 1970.
    pub at_s: u32,
    pub id: u32,
    /// Places in the lists of words that come with the steps.
    pub kind: u16,
    pub source: u8,
    /// Where it says that its person came from: a place in the list that comes with the steps, 0 for nothing.
    pub origin: u16,
    /// When the appointment or event is; 0 for unknown.
    pub starts_s: u32,
    /// Nobody said so: it is taken to be so.
    pub is_guess: bool,
    /// Which booking it is of, as its source numbers them; 0 where it does not.
    pub booking: u32,
}

/// What is asked.
pub struct Asked<'a> {
    /// Seconds, the first one that counts and the first that does no more.
    pub from_s: u32,
    pub to_s: u32,
    /// Only what this source told.
    pub source: Option<u8>,
    /// The steps to be shown, in their order.
    pub kinds: &'a [Option<u16>],
    /// How many sources there are.
    pub sources: usize,
    /// Who signed up in the time, ordered by person, then time.
    pub enrolled: &'a [Enrolled],
}

/// A sign-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enrolled {
    pub person: i32,
    /// Seconds since 1970.
    pub at_s: u32,
    /// Days from the first step, where one is known.
    pub days: Option<i64>,
}

/// A sale, and what is left of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bought {
    pub person: i64,
    /// Seconds since 1970.
    pub at_s: u32,
    pub net_minor: i64,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    pub all: Counts,
    /// By the place of the source.
    pub sources: Vec<Counts>,
    /// As many as there are kinds.
    pub steps: Vec<Taken>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counts {
    pub people: u64,
    /// Of them, who signed up after their first step of all: what came before it, it did not lead to.
    pub enrolled: u64,
    /// The median of the days, doubled: that of two numbers lies between them.
    pub median_days_twice: Option<i64>,
    /// What is left of what they bought from their first step on.
    pub net_minor: i64,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Taken {
    pub people: u64,
    /// From the step before in the list to this one, of those who took both in this order; doubled.
    pub median_s_twice: Option<i64>,
}

/// `steps` and `sales` are ordered by person, then time: all of a person lies together.
pub fn answer(steps: impl Iterator<Item = Step>, sales: impl Iterator<Item = Bought>, asked: &Asked) -> Answer {
    let mut walk = Walk::new(asked, sales);
    let is_asked = |s: &Step| s.at_s < asked.to_s && asked.source.is_none_or(|source| source == s.source);
    for step in steps.filter(is_asked) {
        walk.take(step);
    }
    walk.close();
    let Walk { mut answer, mut days, mut gaps, .. } = walk;
    for (place, days) in days.iter_mut().enumerate() {
        let counts = if place == 0 { &mut answer.all } else { &mut answer.sources[place - 1] };
        counts.median_days_twice = median_twice(days);
    }
    for (taken, gaps) in answer.steps.iter_mut().zip(&mut gaps) {
        taken.median_s_twice = median_twice(gaps);
    }
    answer
}

struct Walk<'a, S: Iterator> {
    /// The place of each kind in the list that is shown.
    places: Vec<Option<usize>>,
    answer: Answer,
    /// Of all people, then of those of each source.
    days: Vec<Vec<i64>>,
    gaps: Vec<Vec<i64>>,
    from_s: u32,
    to_s: u32,
    sales: Peekable<S>,
    enrolled: Peekable<Copied<slice::Iter<'a, Enrolled>>>,
    // The person in hand.
    person: Option<i32>,
    /// The first step of all, and the first one in the time: of anything, then by source.
    ever_s: Option<u32>,
    ever_by_source: Vec<Option<u32>>,
    since_s: Option<u32>,
    since_by_source: Vec<Option<u32>>,
    signed_up: Vec<Enrolled>,
    /// When each step was taken first.
    first_s: Vec<Option<u32>>,
    /// The way to each step was timed.
    is_timed: Vec<bool>,
}

impl<'a, S: Iterator<Item = Bought>> Walk<'a, S> {
    fn new(asked: &'a Asked<'a>, sales: S) -> Self {
        let most = asked.kinds.iter().flatten().max().map_or(0, |kind| usize::from(*kind) + 1);
        let mut places = vec![None; most];
        for (place, kind) in asked.kinds.iter().enumerate() {
            if let Some(kind) = kind {
                places[usize::from(*kind)] = Some(place);
            }
        }
        Self {
            places,
            answer: Answer {
                sources: vec![Counts::default(); asked.sources],
                steps: vec![Taken::default(); asked.kinds.len()],
                ..Answer::default()
            },
            days: vec![Vec::new(); asked.sources + 1],
            gaps: vec![Vec::new(); asked.kinds.len()],
            from_s: asked.from_s,
            to_s: asked.to_s,
            sales: sales.peekable(),
            enrolled: asked.enrolled.iter().copied().peekable(),
            person: None,
            ever_s: None,
            ever_by_source: vec![None; asked.sources],
            signed_up: Vec::new(),
            since_s: None,
            since_by_source: vec![None; asked.sources],
            first_s: vec![None; asked.kinds.len()],
            is_timed: vec![false; asked.kinds.len()],
        }
    }

    fn take(&mut self, step: Step) {
        if self.person != Some(step.person) {
            self.close();
            self.person = Some(step.person);
        }
        self.ever_s.get_or_insert(step.at_s);
        self.ever_by_source[usize::from(step.source)].get_or_insert(step.at_s);
        if step.at_s < self.from_s {
            return;
        }
        self.since_s.get_or_insert(step.at_s);
        self.since_by_source[usize::from(step.source)].get_or_insert(step.at_s);
        let Some(place) = self.places.get(usize::from(step.kind)).copied().flatten() else { return };
        if self.first_s[place].is_none() {
            self.first_s[place] = Some(step.at_s);
            self.answer.steps[place].people += 1;
        }
        let before = place.checked_sub(1).and_then(|before| self.first_s[before]);
        if let Some(before) = before.filter(|_| !self.is_timed[place]) {
            self.is_timed[place] = true;
            self.gaps[place].push(i64::from(step.at_s - before));
        }
    }

    /// The person in hand is complete.
    fn close(&mut self) {
        let Some(person) = self.person.take() else { return };
        if self.since_s.is_some() {
            self.count(person);
        }
        (self.ever_s, self.since_s) = (None, None);
        self.ever_by_source.fill(None);
        self.since_by_source.fill(None);
        self.first_s.fill(None);
        self.is_timed.fill(false);
    }

    fn count(&mut self, person: i32) {
        while self.enrolled.next_if(|one| one.person < person).is_some() {}
        self.signed_up.clear();
        while let Some(one) = self.enrolled.next_if(|one| one.person == person) {
            self.signed_up.push(one);
        }
        let answer = &mut self.answer;
        let of_all = (&mut answer.all, self.since_s, self.ever_s);
        let since = self.since_by_source.iter().zip(&self.ever_by_source);
        let of_each = answer.sources.iter_mut().zip(since).map(|(counts, (since, ever))| (counts, *since, *ever));
        for ((counts, since, ever), days) in std::iter::once(of_all).chain(of_each).zip(&mut self.days) {
            if since.is_none() {
                continue;
            }
            counts.people += 1;
            if let Some(first) = self.signed_up.iter().find(|one| ever.is_some_and(|ever| ever <= one.at_s)) {
                counts.enrolled += 1;
                days.extend(first.days);
            }
        }
        while self.sales.next_if(|sale| sale.person < i64::from(person)).is_some() {}
        while let Some(sale) = self.sales.next_if(|sale| sale.person == i64::from(person)) {
            if self.since_s.is_none_or(|since| sale.at_s < since) || sale.at_s >= self.to_s {
                continue;
            }
            answer.all.net_minor = answer.all.net_minor.saturating_add(sale.net_minor);
            for (counts, since) in answer.sources.iter_mut().zip(&self.since_by_source) {
                if since.is_some_and(|since| since <= sale.at_s) {
                    counts.net_minor = counts.net_minor.saturating_add(sale.net_minor);
                }
            }
        }
    }
}

/// The number in the middle, or the sum of the two that are; doubled, so that it is whole.
fn median_twice(all: &mut [i64]) -> Option<i64> {
    let is_odd = all.len() % 2 == 1;
    if all.is_empty() {
        return None;
    }
    let (lower, at, _) = all.select_nth_unstable(all.len() / 2);
    if is_odd { Some(2 * *at) } else { lower.iter().max().map(|below| below + *at) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [Option<u16>; 3] = [Some(4), Some(2), None];

    fn step(person: i32, at_s: u32, kind: u16, source: u8) -> Step {
        Step { person, at_s, id: at_s, kind, source, origin: 0, starts_s: 0, is_guess: false, booking: 0 }
    }

    fn ask(steps: &[Step], source: Option<u8>) -> Answer {
        let mut steps = steps.to_vec();
        steps.sort();
        let signed_up = |person: i32, at_s: u32, days: Option<i64>| Enrolled { person, at_s, days };
        let enrolled = [
            // Between the steps of two sources, then after both.
            signed_up(1, 30, Some(4)),
            signed_up(1, 70, Some(5)),
            signed_up(2, 60, None),
            signed_up(3, 60, Some(7)),
            // Before the only step, and after one that was before the time.
            signed_up(5, 20, Some(0)),
            signed_up(6, 12, Some(2)),
            signed_up(9, 60, Some(1)),
        ];
        let asked = Asked { from_s: 10, to_s: 100, source, kinds: &KINDS, sources: 2, enrolled: &enrolled };
        let bought = |person: i64, at_s: u32, net_minor: i64| Bought { person, at_s, net_minor };
        let sales = [
            bought(0, 50, 1),
            // Before the first step, between the steps of two sources, after both, and too late.
            bought(1, 19, 10),
            bought(1, 20, 100),
            bought(1, 50, 1_000),
            bought(1, 100, 10_000),
            bought(2, 99, 7),
            bought(7, 50, 100_000),
        ];
        answer(steps.into_iter(), sales.into_iter(), &asked)
    }

    #[test]
    fn people_are_counted_once_and_only_in_their_time() {
        let steps = [
            step(1, 20, 4, 0),
            step(1, 50, 2, 1),
            step(1, 60, 2, 0),
            // The booking came first: it is counted, and times no way.
            step(2, 30, 2, 0),
            step(2, 40, 4, 0),
            step(2, 44, 2, 0),
            step(3, 10, 7, 1),
            step(4, 9, 4, 0),
            step(4, 100, 4, 0),
            step(5, 25, 9, 0),
            step(6, 5, 9, 0),
            step(6, 20, 9, 0),
        ];
        let got = ask(&steps, None);
        assert_eq!(got.all, Counts { people: 5, enrolled: 4, median_days_twice: Some(8), net_minor: 1_107 });
        assert_eq!(got.sources[0], Counts { people: 4, enrolled: 3, median_days_twice: Some(6), net_minor: 1_107 });
        // What the first of the two came before, the second did not.
        assert_eq!(got.sources[1], Counts { people: 2, enrolled: 2, median_days_twice: Some(12), net_minor: 1_000 });
        let taken: Vec<(u64, Option<i64>)> = got.steps.iter().map(|t| (t.people, t.median_s_twice)).collect();
        assert_eq!(taken, [(2, None), (2, Some(34)), (0, None)]);
        let got = ask(&steps, Some(1));
        assert_eq!((got.all.people, got.sources[0].people, got.steps[1].people), (2, 0, 1));
        assert_eq!(ask(&[], None).all, Counts::default());
    }

    #[test]
    fn the_middle_of_two_lies_between_them() {
        for (all, want) in
            [(&mut [][..], None), (&mut [5][..], Some(10)), (&mut [9, 2, 5][..], Some(10)), (&mut [9, 2, 5, 6][..], Some(11))]
        {
            assert_eq!(median_twice(all), want);
        }
    }
}
