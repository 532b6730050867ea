//! Bookings that their systems number: each keeps its own end, whatever its time, and in whatever order and however often it is told.

use proptest::prelude::*;

use super::super::show_up::{GRACE_S, Outcome, Told, What};
use super::{Bookings, of_person};

const DAY: u32 = 86_400;

fn one((at_s, what, due_s, source): (u32, What, Option<u32>, u8), booking: u32) -> Told {
    Told { at_s, what, due_s, source, booking }
}

fn booked(at_s: u32, due_s: u32) -> (u32, What, Option<u32>, u8) {
    (at_s, What::Booked(Some(due_s)), Some(due_s), 0)
}

/// Numbers say which booking is meant, where times and systems would not.
#[test]
fn a_number_says_which_booking_is_meant() {
    use What::*;
    let late = 60 * DAY;
    let two = [(booked(110, 10 * DAY), 1), (booked(120, 20 * DAY), 2)];
    for (what, more, now_s, want) in [
        ("the later one is moved", vec![((5 * DAY, Moved(Some(40 * DAY)), Some(40 * DAY), 0), 2)], 15 * DAY, (0, 1, 0, 1)),
        ("told by another door too", vec![(booked(115, 10 * DAY), 1)], 0, (0, 0, 0, 2)),
        ("and after it was moved", vec![((130, Moved(Some(12 * DAY)), Some(12 * DAY), 0), 1), (booked(140, 10 * DAY), 1)], 0, (0, 0, 0, 2)),
        ("cancelled, and told of no time", vec![((130, Cancelled, None, 0), 2)], 15 * DAY, (0, 1, 1, 0)),
        (
            "missed twice is one that was missed",
            vec![((10 * DAY, Missed, None, 0), 1), ((11 * DAY, Missed, None, 0), 1)],
            late,
            (0, 2, 0, 0),
        ),
        (
            "the same number of another installation",
            vec![(booked(130, 30 * DAY), 1), ((30 * DAY, Came, Some(30 * DAY), 0), 1)],
            late,
            (1, 2, 0, 0),
        ),
    ] {
        let mut all: Vec<Told> = two.iter().copied().chain(more).map(|(said, number)| one(said, number)).collect();
        all.sort();
        let mut sum = Bookings::default();
        of_person(&all, 100, 1_000, now_s, |outcome| sum.add(outcome));
        assert_eq!((sum.came, sum.missed(), sum.cancelled, sum.open), want, "{what}");
    }
}

/// One booking as it was: its system, for when it was made and whether that is told late, moves, whether its end is told with its
/// time, and how often each thing is told.
type Was = (u8, (u32, bool), Vec<u32>, Option<(What, bool)>, usize);

fn was() -> impl Strategy<Value = Was> {
    let end = prop_oneof![Just(What::Came), Just(What::Missed), Just(What::Cancelled)];
    (
        0_u8..3,
        (1_u32..50, any::<bool>()),
        proptest::collection::vec(1_u32..50, 0..3),
        proptest::option::of((end, any::<bool>())),
        1_usize..3,
    )
}

proptest! {
    /// However many bookings somebody has, of whichever systems and times, told once or twice and in any order: each has the end
    /// that it had.
    #[test]
    fn numbered_bookings_have_each_their_own_end(
        all in proptest::collection::vec(was(), 1..6), shuffle in any::<u64>(), now_days in 0_u32..100,
    ) {
        let now_s = now_days * DAY;
        let mut want = Bookings::default();
        let mut told = Vec::new();
        for (n, (source, (due, is_late), moves, end, times)) in all.iter().enumerate() {
            let number = n as u32 + 1;
            // Systems that agree on a time tell of one booking: here each has times of its own.
            let due_of = |day: u32| day * DAY + number;
            let mut due_s = due_of(*due);
            let made_s = if *is_late { 3_000 } else { 100 };
            let mut says = vec![(made_s + number, What::Booked(Some(due_s)), Some(due_s), *source)];
            for (k, day) in moves.iter().enumerate() {
                due_s = due_of(*day);
                says.push((1_000 + k as u32 * 10 + number, What::Moved(Some(due_s)), Some(due_s), *source));
            }
            if let Some((what, is_timed)) = end {
                says.push((2_000 + number, *what, is_timed.then_some(due_s), *source));
            }
            want.add(match end {
                Some((What::Came, _)) => Outcome::Came,
                Some((What::Missed, _)) => Outcome::NoShow,
                Some(_) => Outcome::Cancelled,
                None if now_s > due_s + GRACE_S => Outcome::NotTold,
                None => Outcome::Open,
            });
            for again in 0..*times {
                told.extend(says.iter().map(|said| one((said.0 + again as u32, said.1, said.2, said.3), number)));
            }
        }
        let mut dice = shuffle;
        for place in (1..told.len()).rev() {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            told.swap(place, (dice >> 33) as usize % (place + 1));
        }
        told.sort();
        let mut got = Bookings::default();
        of_person(&told, 100, 10_000, now_s, |outcome| got.add(outcome));
        prop_assert_eq!(got, want);
    }
}
