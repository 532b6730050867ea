//! What became of single bookings. A person may hold several, and a no-show rate is one of bookings: three of which one was kept
//! are one of three. Systems tell of the same appointment each in its own words: the one that was booked in a calendar and
//! registered for a call at the same time is one.

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

    /// Those of which it is known by now whether anybody came.
    pub fn settled(&self) -> u64 {
        self.came + self.no_show
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

/// One booking, as far as it was told.
#[derive(Debug, Clone, Copy)]
struct Booking {
    made_s: u32,
    due_s: Option<u32>,
    /// Systems that have told of it, a bit each.
    sources: u64,
    said: Option<Outcome>,
    /// Nobody said so: it is taken to have been kept.
    is_kept: bool,
    is_watched: bool,
}

/// What became of each booking that one person has made in the time. `told` is in its order.
pub fn of_person(told: &[Told], from_s: u32, to_s: u32, now_s: u32, mut on: impl FnMut(Outcome)) {
    let mut all: Vec<Booking> = Vec::new();
    for t in told {
        let (source, due_s) = (1_u64 << t.source.min(63), t.due_s);
        match t.what {
            What::Booked(_) => book(&mut all, t, source),
            What::Moved(_) => {
                if let Some(place) = meant(&all, None, source, t.at_s, |b| b.said != Some(Outcome::Came)) {
                    let b = &mut all[place];
                    (b.due_s, b.said, b.is_kept, b.is_watched) = (due_s.or(b.due_s), None, false, t.is_watched);
                }
            }
            What::Cancelled => end(&mut all, due_s, source, t.at_s, Outcome::Cancelled),
            What::Missed => end(&mut all, due_s, source, t.at_s, Outcome::NoShow),
            What::Came if t.is_guess => keep(&mut all, due_s, source, t.at_s),
            What::Came => end(&mut all, due_s, source, t.at_s, Outcome::Came),
            What::Asked | What::Bought | What::Refunded => {}
        }
    }
    for one in all.into_iter().filter(|b| b.made_s >= from_s && b.made_s < to_s) {
        let is_past = one.due_s.is_some_and(|due| now_s > due.saturating_add(GRACE_S));
        on(one.said.unwrap_or(match (one.is_kept, is_past, one.is_watched) {
            (true, ..) => Outcome::Came,
            (_, true, true) => Outcome::NoShow,
            (_, true, false) => Outcome::NotTold,
            _ => Outcome::Open,
        }));
    }
}

/// Another system that tells of the same time tells of the same booking; the same one tells of one more.
fn book(all: &mut Vec<Booking>, t: &Told, source: u64) {
    let is_known = |b: &&mut Booking| t.due_s.is_some() && b.due_s == t.due_s && b.sources & source == 0 && b.said.is_none();
    match all.iter_mut().find(is_known) {
        Some(known) => (known.sources, known.is_watched) = (known.sources | source, known.is_watched || t.is_watched),
        None => all.push(Booking { made_s: t.at_s, due_s: t.due_s, sources: source, said: None, is_kept: false, is_watched: t.is_watched }),
    }
}

/// What is taken to be so is of its own time alone, and of nothing of which somebody has said what became of it.
fn keep(all: &mut [Booking], due_s: Option<u32>, source: u64, at_s: u32) {
    let is_of_then = |b: &Booking| due_s.is_some() && b.due_s == due_s;
    let is_exact = all.iter().any(is_of_then);
    if let Some(place) = meant(all, due_s, source, at_s, |b| b.said.is_none() && !b.is_kept && (!is_exact || is_of_then(b))) {
        all[place].is_kept = true;
        all[place].sources |= source;
    }
}

fn end(all: &mut [Booking], due_s: Option<u32>, source: u64, at_s: u32, outcome: Outcome) {
    let is_of_then = |b: &Booking| due_s.is_some() && b.due_s == due_s;
    // Another system has said so of this very time: it says nothing of a booking of another time.
    let is_told = all.iter().any(|b| is_of_then(b) && b.said == Some(outcome) && b.sources & source == 0);
    let open = meant(all, due_s, source, at_s, |b| b.said.is_none() && (!is_told || is_of_then(b)));
    // Who was said to have stayed away came after all.
    let after_all = || meant(all, due_s, source, at_s, |b| b.said == Some(Outcome::NoShow) && !is_told);
    if let Some(place) = open.or_else(|| if outcome == Outcome::Came { after_all() } else { None }) {
        all[place].said = Some(outcome);
        all[place].sources |= source;
    } else if let Some(place) = all.iter().position(|b| is_told && is_of_then(b)) {
        all[place].sources |= source;
    }
}

/// The booking that is meant: that of this very time, then one that the same system has told of, then the one whose time is
/// nearest.
fn meant(all: &[Booking], due_s: Option<u32>, source: u64, at_s: u32, may: impl Fn(&Booking) -> bool) -> Option<usize> {
    let near = due_s.unwrap_or(at_s);
    let places = (0..all.len()).filter(|place| may(&all[*place]));
    places.min_by_key(|place| {
        let b = &all[*place];
        (due_s.is_some() && b.due_s != due_s, b.sources & source == 0, b.due_s.unwrap_or(b.made_s).abs_diff(near), *place)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::show_up::line;
    use super::*;

    const DAY: u32 = 86_400;

    /// When, what, the time that it is of, and which system said so.
    type Said = (u32, What, Option<u32>, u8);

    fn told(said: &[Said]) -> Vec<Told> {
        let mut all: Vec<Told> = said
            .iter()
            .map(|(at_s, what, due_s, source)| Told {
                at_s: *at_s,
                what: *what,
                due_s: *due_s,
                source: *source,
                is_guess: false,
                is_watched: false,
            })
            .collect();
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
        assert_eq!((all.made(), all.settled()), (11, 3));
    }

    fn what() -> impl Strategy<Value = What> {
        prop_oneof![
            Just(What::Asked),
            Just(What::Booked(None)),
            Just(What::Moved(None)),
            Just(What::Missed),
            Just(What::Cancelled),
            Just(What::Came),
            Just(What::Bought),
            Just(What::Refunded),
        ]
    }

    proptest! {
        /// Nobody has a booking who has no line; there are never more than were told, and the order in which they were told makes no
        /// difference.
        #[test]
        fn who_has_bookings_has_a_line(
            said in proptest::collection::vec((0_u32..300, what(), proptest::option::of(0_u32..400), 0_u8..3), 0..14), now_s in 0_u32..200_000,
        ) {
            let fit = |(at_s, what, due_s, source): Said| match what {
                What::Booked(_) => (at_s, What::Booked(due_s), due_s, source),
                What::Moved(_) => (at_s, What::Moved(due_s), due_s, source),
                other => (at_s, other, due_s, source),
            };
            let said: Vec<Said> = said.into_iter().map(fit).collect();
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
