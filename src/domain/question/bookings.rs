//! What became of single bookings. A person may hold several, and a no-show rate is one of bookings: three of which one was kept
//! are one of three. Systems tell of the same appointment each in its own words: the one that was booked in a calendar and
//! registered for a call at the same time is one.

use std::borrow::Cow;
use std::collections::HashMap;

use super::show_up::{GRACE_S, Outcome, Told, What};

/// Bookings of many people, by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bookings {
    pub came: u64,
    pub no_show: u64,
    pub not_told: u64,
    pub cancelled: u64,
    pub open: u64,
}

impl Bookings {
    pub fn made(&self) -> u64 {
        self.came + self.no_show + self.not_told + self.cancelled + self.open
    }

    /// Those of which it is known by now whether anybody came, or can be taken that nobody did.
    pub fn settled(&self) -> u64 {
        self.came + self.missed()
    }

    pub fn missed(&self) -> u64 {
        self.no_show + self.not_told
    }

    pub fn add(&mut self, outcome: Outcome) {
        *match outcome {
            Outcome::Came => &mut self.came,
            Outcome::NoShow => &mut self.no_show,
            Outcome::NotTold => &mut self.not_told,
            Outcome::Cancelled => &mut self.cancelled,
            Outcome::Open => &mut self.open,
        } += 1;
    }
}

/// Numbers of one booking that are remembered: one of each system that tells of it.
const MOST_NUMBERS: usize = 4;

/// One booking, as far as it was told.
#[derive(Debug, Clone, Copy)]
struct Booking {
    made_s: u32,
    /// The time that it was made for; `due_s` is the one that it was moved to since.
    first_due_s: Option<u32>,
    due_s: Option<u32>,
    /// Systems that have told of it, a bit each.
    sources: u64,
    /// What they call it; 0 is a free place.
    numbers: [u32; MOST_NUMBERS],
    said: Option<Outcome>,
}

impl Booking {
    fn is_called(&self, t: &Told) -> bool {
        t.booking > 0 && self.numbers.contains(&t.booking)
    }

    /// The system has told of it, and by this number where it says one.
    fn told_by(&mut self, t: &Told) {
        self.sources |= bit(t);
        if t.booking > 0
            && !self.is_called(t)
            && let Some(free) = self.numbers.iter_mut().find(|number| **number == 0)
        {
            *free = t.booking;
        }
    }
}

fn bit(t: &Told) -> u64 {
    1_u64 << t.source.min(63)
}

/// What became of each booking that one person has made in the time. `told` is in its order.
pub fn of_person(told: &[Told], from_s: u32, to_s: u32, now_s: u32, mut on: impl FnMut(Outcome)) {
    let mut all: Vec<Booking> = Vec::new();
    for t in made_first(told).iter() {
        match t.what {
            What::Booked(_) => book(&mut all, t),
            What::Moved(_) => {
                let moved = called(&all, t).or_else(|| meant(&all, t, None, |b| b.said != Some(Outcome::Came)));
                if let Some(place) = moved {
                    let b = &mut all[place];
                    b.told_by(t);
                    (b.due_s, b.said) = (t.due_s.or(b.due_s), b.said.filter(|said| *said == Outcome::Came));
                }
            }
            What::Cancelled => end(&mut all, t, Outcome::Cancelled),
            What::Missed => end(&mut all, t, Outcome::NoShow),
            What::Came => end(&mut all, t, Outcome::Came),
            What::Asked | What::Bought | What::Refunded => {}
        }
    }
    for one in all.into_iter().filter(|b| b.made_s >= from_s && b.made_s < to_s) {
        let is_past = one.due_s.is_some_and(|due| now_s > due.saturating_add(GRACE_S));
        on(one.said.unwrap_or(if is_past { Outcome::NotTold } else { Outcome::Open }));
    }
}

/// That a booking was made may be told with a later moment than what became of it, where one door told of it after another: it
/// was made before all that is told of its number. The moment stays as it was told.
fn made_first(told: &[Told]) -> Cow<'_, [Told]> {
    let is_made = |t: &Told| t.booking > 0 && matches!(t.what, What::Booked(_));
    let became = told.iter().position(|t| t.booking > 0 && !is_made(t));
    let made = told.iter().rposition(is_made);
    if became.is_none() || made.is_none() || became > made {
        return Cow::Borrowed(told);
    }
    let mut earliest: HashMap<u32, u32> = HashMap::new();
    for t in told.iter().filter(|t| t.booking > 0) {
        earliest.entry(t.booking).or_insert(t.at_s);
    }
    let from_s = |t: &Told| if is_made(t) { earliest.get(&t.booking).copied().unwrap_or(t.at_s) } else { t.at_s };
    let mut all = told.to_vec();
    all.sort_by_key(|t| (from_s(t), t.what, *t));
    Cow::Owned(all)
}

/// The booking of this number. Two installations of a platform may each have one of it: of these the one of this very time.
fn called(all: &[Booking], t: &Told) -> Option<usize> {
    let places = (0..all.len()).filter(|place| all[*place].is_called(t));
    places.min_by_key(|place| (t.due_s.is_some() && all[*place].due_s != t.due_s, *place))
}

/// What is told once more, by another door, is the same booking; and so is what another system tells of the same time. The same
/// system tells of one more.
fn book(all: &mut Vec<Booking>, t: &Told) {
    let is_of_then = |b: &Booking| t.due_s.is_none() || b.due_s.is_none() || b.due_s == t.due_s || b.first_due_s == t.due_s;
    let again = called(all, t).filter(|place| is_of_then(&all[*place]));
    let joins = |b: &Booking| t.due_s.is_some() && b.due_s == t.due_s && b.sources & bit(t) == 0 && b.said.is_none();
    match again.or_else(|| all.iter().position(joins)) {
        Some(place) => {
            let b = &mut all[place];
            b.told_by(t);
            (b.due_s, b.first_due_s) = (b.due_s.or(t.due_s), b.first_due_s.or(t.due_s));
        }
        None => {
            let mut new =
                Booking { made_s: t.at_s, first_due_s: t.due_s, due_s: t.due_s, sources: 0, numbers: [0; MOST_NUMBERS], said: None };
            new.told_by(t);
            all.push(new);
        }
    }
}

fn end(all: &mut [Booking], t: &Told, outcome: Outcome) {
    if let Some(place) = called(all, t) {
        let b = &mut all[place];
        b.told_by(t);
        // Whoever came has come, whatever was said before.
        b.said = if outcome == Outcome::Came { Some(outcome) } else { b.said.or(Some(outcome)) };
        return;
    }
    let is_of_then = |b: &Booking| t.due_s.is_some() && b.due_s == t.due_s;
    // Another system has said so of this very time: it says nothing of a booking of another time.
    let is_told = all.iter().any(|b| is_of_then(b) && b.said == Some(outcome) && b.sources & bit(t) == 0);
    let open = meant(all, t, t.due_s, |b| b.said.is_none() && (!is_told || is_of_then(b)));
    // Who was said to have stayed away came after all.
    let after_all = || meant(all, t, t.due_s, |b| b.said == Some(Outcome::NoShow) && !is_told);
    if let Some(place) = open.or_else(|| if outcome == Outcome::Came { after_all() } else { None }) {
        all[place].said = Some(outcome);
        all[place].told_by(t);
    } else if let Some(place) = all.iter().position(|b| is_told && is_of_then(b)) {
        all[place].told_by(t);
    }
}

/// The booking that is meant where no number says so: that of this very time, then one that the same system has told of, then
/// one that has no other number, then the one whose time is nearest.
fn meant(all: &[Booking], t: &Told, due_s: Option<u32>, may: impl Fn(&Booking) -> bool) -> Option<usize> {
    let near = due_s.unwrap_or(t.at_s);
    let places = (0..all.len()).filter(|place| may(&all[*place]));
    places.min_by_key(|place| {
        let b = &all[*place];
        let has_other = t.booking > 0 && b.numbers[0] > 0;
        (due_s.is_some() && b.due_s != due_s, b.sources & bit(t) == 0, has_other, b.due_s.unwrap_or(b.made_s).abs_diff(near), *place)
    })
}

/// Where systems number their bookings.
#[cfg(test)]
mod numbered;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::show_up::{line, told_words as what};
    use super::*;

    const DAY: u32 = 86_400;

    /// When, what, the time that it is of, and which system said so.
    type Said = (u32, What, Option<u32>, u8);

    fn one((at_s, what, due_s, source): Said, booking: u32) -> Told {
        Told { at_s, what, due_s, source, booking }
    }

    fn told(said: &[Said]) -> Vec<Told> {
        let mut all: Vec<Told> = said.iter().map(|said| one(*said, 0)).collect();
        all.sort();
        all
    }

    fn counted(said: &[Said], now_s: u32) -> Bookings {
        let mut all = Bookings::default();
        of_person(&told(said), 100, 1_000, now_s, |outcome| all.add(outcome));
        all
    }

    fn booked(at_s: u32, due_s: u32, source: u8) -> Said {
        (at_s, What::Booked(Some(due_s)), Some(due_s), source)
    }

    #[test]
    fn every_booking_has_an_outcome_of_its_own() {
        use What::*;
        let late = 5_000 + DAY;
        let all = |came, no_show, not_told, cancelled, open| Bookings { came, no_show, not_told, cancelled, open };
        let three = [booked(110, 2_000, 0), booked(120, 3_000, 0), booked(130, 4_000, 0)];
        let with = |more: &[Said]| three.iter().copied().chain(more.iter().copied()).collect::<Vec<_>>();
        for (what, said, now_s, want) in [
            ("three, one kept", with(&[(3_000, Came, Some(3_000), 0)]), late, all(1, 0, 2, 0, 0)),
            ("the time is not told: the nearest", with(&[(2_990, Came, None, 0)]), late, all(1, 0, 2, 0, 0)),
            (
                "one kept, one missed, one cancelled",
                with(&[(140, Cancelled, Some(4_000), 0), (2_100, Missed, Some(2_000), 0), (3_000, Came, Some(3_000), 0)]),
                late,
                all(1, 1, 0, 1, 0),
            ),
            ("kept as two systems say", with(&[(3_000, Came, Some(3_000), 0), (3_001, Came, Some(3_000), 1)]), late, all(1, 0, 2, 0, 0)),
            ("still to come", with(&[]), 1_500, all(0, 0, 0, 0, 3)),
            (
                "moved, and kept then",
                with(&[(150, Moved(Some(4_500)), Some(4_500), 0), (4_500, Came, Some(4_500), 0)]),
                late,
                all(1, 0, 2, 0, 0),
            ),
            (
                "missed, and came after all",
                vec![booked(110, 2_000, 0), (2_050, Missed, Some(2_000), 0), (2_060, Came, Some(2_000), 0)],
                late,
                all(1, 0, 0, 0, 0),
            ),
            (
                "three tickets, one checked in",
                vec![booked(110, 2_000, 0), booked(110, 2_000, 0), booked(110, 2_000, 0), (2_000, Came, Some(2_000), 0)],
                late,
                all(1, 0, 2, 0, 0),
            ),
            (
                "in a calendar and for a call",
                vec![booked(110, 2_000, 0), booked(111, 2_000, 1), (2_000, Came, Some(2_000), 1)],
                late,
                all(1, 0, 0, 0, 0),
            ),
            (
                "in a calendar and for a call, both say it was kept",
                vec![booked(110, 2_000, 0), booked(111, 2_000, 1), (2_000, Came, Some(2_000), 1), (2_001, Came, Some(2_000), 0)],
                late,
                all(1, 0, 0, 0, 0),
            ),
            (
                "cancelled and booked again",
                vec![booked(110, 2_000, 0), (120, Cancelled, Some(2_000), 0), booked(130, 2_000, 0), (2_000, Came, Some(2_000), 0)],
                late,
                all(1, 0, 0, 1, 0),
            ),
            (
                "one before the time that is asked for",
                vec![booked(50, 2_000, 0), booked(110, 3_000, 0), (2_000, Came, Some(2_000), 0)],
                late,
                all(0, 0, 1, 0, 0),
            ),
            ("came without a booking", vec![(200, Came, None, 0)], late, all(0, 0, 0, 0, 0)),
        ] {
            assert_eq!(counted(&said, now_s), want, "{what}");
        }
    }

    #[test]
    fn bookings_add_up() {
        let all = Bookings { came: 2, no_show: 1, not_told: 3, cancelled: 1, open: 4 };
        assert_eq!((all.made(), all.settled(), all.missed()), (11, 6, 4));
    }

    proptest! {
        /// Nobody has a booking who has no line; there are never more than were told, and the order in which they were told makes no
        /// difference.
        #[test]
        fn who_has_bookings_has_a_line(
            said in proptest::collection::vec(((0_u32..300, what(), proptest::option::of(0_u32..400), 0_u8..3), 0_u32..4), 0..14), now_s in 0_u32..200_000,
        ) {
            let fit = |((at_s, what, due_s, source), number): (Said, u32)| match what {
                What::Booked(_) => one((at_s, What::Booked(due_s), due_s, source), number),
                What::Moved(_) => one((at_s, What::Moved(due_s), due_s, source), number),
                other => one((at_s, other, due_s, source), number),
            };
            let said: Vec<Told> = said.into_iter().map(fit).collect();
            let told = |said: &[Told]| {
                let mut all = said.to_vec();
                all.sort();
                all
            };
            let count = |all: &[Told]| {
                let mut sum = Bookings::default();
                of_person(all, 100, 200, now_s, |outcome| sum.add(outcome));
                sum
            };
            let all = told(&said);
            let mut turned = said.clone();
            turned.reverse();
            let got = count(&all);
            prop_assert_eq!(got, count(&told(&turned)));
            prop_assert!(got.made() == 0 || line(&all, 100, 200, now_s).is_some());
            let most = all.iter().filter(|t| matches!(t.what, What::Booked(_)) && (100..200).contains(&t.at_s)).count();
            prop_assert!(got.made() <= most as u64);
        }
    }
}
