//! What became of one booking, where several things were said of it: kept, missed, cancelled, and that it stands. The same rule
//! for every source, in whatever order its words arrive: what a platform says beats what we take to be so, of what it says the
//! newest holds by its own clock, and an end that is older than the newest word that it stands has been taken back. A booking
//! that was never made cannot be cancelled.

use super::milestone::{is_attendance, is_booking};
use super::time::Time;

/// The steps that say how a booking ended, whatever its kind.
pub const ENDS: [&str; 4] = ["appointment_cancelled", "appointment_no_show", "appointment_completed", "event_attended"];

/// What a step says of its booking. Of one moment the last of these counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Word {
    /// It was made, approved or moved.
    Stands,
    Missed,
    Cancelled,
    Came,
}

impl Word {
    pub fn of(kind: &str) -> Option<Self> {
        match kind {
            "appointment_rescheduled" => Some(Word::Stands),
            kind if is_booking(kind) => Some(Word::Stands),
            "appointment_no_show" => Some(Word::Missed),
            "appointment_cancelled" => Some(Word::Cancelled),
            kind if is_attendance(kind) => Some(Word::Came),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    pub word: Word,
    /// When its platform said so, by the platform's own clock. None: nobody said so, we take it to be so.
    pub told_at: Option<Time>,
}

/// The place of the end that holds; none where the booking stands, or nothing was said.
pub fn holding(all: &[Said]) -> Option<usize> {
    let is_booked = all.iter().any(|said| said.word == Word::Stands);
    let stands_at = all.iter().filter(|said| said.word == Word::Stands).filter_map(|said| said.told_at).max();
    let ends = || all.iter().enumerate().filter(|(_, said)| said.word != Word::Stands && (is_booked || said.word != Word::Cancelled));
    let told = ends().filter(|(_, said)| said.told_at.is_some() && said.told_at >= stands_at);
    let newest = told.max_by_key(|(place, said)| (said.told_at, said.word, *place));
    newest.or_else(|| ends().filter(|(_, said)| said.told_at.is_none()).max_by_key(|(_, said)| said.word)).map(|(place, _)| place)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(word: Word, at: i64) -> Said {
        Said { word, told_at: Some(Time::from_s(at)) }
    }

    fn guess(word: Word) -> Said {
        Said { word, told_at: None }
    }

    #[test]
    fn what_is_said_beats_what_is_taken_to_be_so_and_the_newest_holds() {
        use Word::*;
        for (what, all, want) in [
            ("nothing but a booking", vec![said(Stands, 1)], None),
            ("we take it that it was kept", vec![said(Stands, 1), guess(Came)], Some(Came)),
            ("said to be missed", vec![said(Stands, 1), guess(Came), said(Missed, 5)], Some(Missed)),
            ("said first", vec![said(Missed, 5), guess(Came), said(Stands, 1)], Some(Missed)),
            ("taken back", vec![said(Stands, 1), said(Missed, 5), said(Came, 6)], Some(Came)),
            ("missed after all", vec![said(Stands, 1), said(Missed, 7), said(Came, 6)], Some(Missed)),
            ("cancelled, and approved again", vec![said(Cancelled, 3), said(Stands, 4)], None),
            ("approved, and cancelled then", vec![said(Stands, 4), said(Cancelled, 5)], Some(Cancelled)),
            ("in one moment the end counts", vec![said(Stands, 4), said(Cancelled, 4)], Some(Cancelled)),
            ("cancelled and never booked", vec![said(Cancelled, 4)], None),
            ("came without a booking", vec![said(Came, 4)], Some(Came)),
            ("taken to be missed, and seen", vec![said(Stands, 1), guess(Missed), said(Came, 2)], Some(Came)),
        ] {
            assert_eq!(holding(&all).map(|place| all[place].word), want, "{what}");
        }
    }

    #[test]
    fn the_words_of_steps() {
        assert!(ENDS.iter().all(|kind| Word::of(kind).is_some_and(|word| word != Word::Stands)));
        assert_eq!(Word::of("refunded"), None, "money is no booking");
    }

    fn any() -> impl Strategy<Value = Said> {
        let word = prop_oneof![Just(Word::Stands), Just(Word::Missed), Just(Word::Cancelled), Just(Word::Came)];
        (word, proptest::option::of(0_i64..6)).prop_map(|(word, at)| Said { word, told_at: at.map(Time::from_s) })
    }

    proptest! {
        /// The order of arrival makes no difference, and no guess holds where something was said that still counts.
        #[test]
        fn order_makes_no_difference(all in proptest::collection::vec(any(), 0..7), turn in 0_usize..7) {
            let of = |all: &[Said]| holding(all).map(|place| all[place]);
            let got = of(&all);
            let mut turned = all.clone();
            turned.reverse();
            let by = turn % turned.len().max(1);
            turned.rotate_left(by);
            prop_assert_eq!(got, of(&turned));
            let stands = all.iter().filter(|s| s.word == Word::Stands).filter_map(|s| s.told_at).max();
            let counts = all.iter().any(|s| matches!(s.word, Word::Missed | Word::Came) && s.told_at.is_some() && s.told_at >= stands);
            prop_assert!(!counts || got.is_some_and(|s| s.told_at.is_some()));
        }
    }
}
