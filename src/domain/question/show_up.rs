//! Who booked, who came, and what came of it: what many systems tell of one person, as one line. A person stands in it from
//! the first booking in the time that is asked for; whatever is told later belongs to it, however late it is told.

use super::reached::{Quarters, quarters};

/// After its time an appointment has so long for somebody to say whether anybody came.
pub const GRACE_S: u32 = 24 * 3_600;

/// What is told, in the order in which it counts where it is of the same second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Asked: a lead.
    Asked,
    /// An appointment, a registration, a ticket; with its time, where it was told.
    Booked(Option<u32>),
    /// Somebody said that the person did not come.
    Missed,
    Cancelled,
    /// To another time, where it was told.
    Moved(Option<u32>),
    Came,
    Bought,
    Refunded,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Told {
    pub at_s: u32,
    pub what: What,
    /// The time of the appointment or event that it is of, where it was told.
    pub due_s: Option<u32>,
    /// Which system said so, as a number.
    pub source: u8,
    /// Which booking it is of, as that system numbers them; 0 where it does not say.
    pub booking: u32,
}

/// What became of the booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Came,
    /// Somebody said so.
    NoShow,
    /// Its time passed more than a day ago, and nobody has said anything.
    NotTold,
    Cancelled,
    /// Its time is still to come, or was never told.
    Open,
}

impl Outcome {
    pub const ALL: [Outcome; 5] = [Outcome::Came, Outcome::NoShow, Outcome::NotTold, Outcome::Cancelled, Outcome::Open];

    pub fn word(self) -> &'static str {
        match self {
            Outcome::Came => "came",
            Outcome::NoShow => "no_show",
            Outcome::NotTold => "not_told",
            Outcome::Cancelled => "cancelled",
            Outcome::Open => "open",
        }
    }
}

/// One person from the lead to the refund; seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// The last time they asked before they booked.
    pub asked_s: Option<u32>,
    pub booked_s: u32,
    pub moved_s: Option<u32>,
    pub came_s: Option<u32>,
    pub bought_s: Option<u32>,
    pub refunded_s: Option<u32>,
    /// When it is, or was, as told last.
    pub due_s: Option<u32>,
    pub outcome: Outcome,
}

/// `told` is in its order, all of one person. None who booked nothing in the time.
pub fn line(told: &[Told], from_s: u32, to_s: u32, now_s: u32) -> Option<Line> {
    let is_entry = |t: &&Told| matches!(t.what, What::Booked(_)) && t.at_s >= from_s && t.at_s < to_s;
    let booked_s = told.iter().find(is_entry)?.at_s;
    let mut line = Line {
        asked_s: None,
        booked_s,
        moved_s: None,
        came_s: None,
        bought_s: None,
        refunded_s: None,
        due_s: None,
        outcome: Outcome::Open,
    };
    let mut said = None;
    for t in told {
        if t.what == What::Asked && t.at_s <= booked_s {
            line.asked_s = Some(t.at_s);
        }
        if t.at_s < booked_s {
            continue;
        }
        match t.what {
            What::Asked => {}
            // A new time makes up for what was said of the old one.
            What::Booked(due) => (line.due_s, said) = (due.or(line.due_s), None),
            What::Moved(due) => {
                line.moved_s.get_or_insert(t.at_s);
                (line.due_s, said) = (due.or(line.due_s), None);
            }
            What::Missed => said = Some(Outcome::NoShow),
            What::Cancelled => said = Some(Outcome::Cancelled),
            What::Came => drop(line.came_s.get_or_insert(t.at_s)),
            What::Bought => drop(line.bought_s.get_or_insert(t.at_s)),
            What::Refunded => drop(line.refunded_s.get_or_insert(t.at_s)),
        }
    }
    let is_past = line.due_s.is_some_and(|due| now_s > due.saturating_add(GRACE_S));
    line.outcome = match (line.came_s, said) {
        (Some(_), _) => Outcome::Came,
        (None, Some(said)) => said,
        (None, None) if is_past => Outcome::NotTold,
        (None, None) => Outcome::Open,
    };
    Some(line)
}

/// Many lines.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shown {
    pub booked: u64,
    pub asked: u64,
    pub moved: u64,
    pub came: u64,
    pub no_show: u64,
    pub not_told: u64,
    pub cancelled: u64,
    pub open: u64,
    pub bought: u64,
    /// Of those who came.
    pub came_and_bought: u64,
    pub refunded: u64,
}

impl Shown {
    pub fn add(&mut self, line: &Line) {
        self.booked += 1;
        self.asked += u64::from(line.asked_s.is_some());
        self.moved += u64::from(line.moved_s.is_some());
        self.bought += u64::from(line.bought_s.is_some());
        self.came_and_bought += u64::from(line.came_s.is_some() && line.bought_s.is_some());
        self.refunded += u64::from(line.refunded_s.is_some());
        *match line.outcome {
            Outcome::Came => &mut self.came,
            Outcome::NoShow => &mut self.no_show,
            Outcome::NotTold => &mut self.not_told,
            Outcome::Cancelled => &mut self.cancelled,
            Outcome::Open => &mut self.open,
        } += 1;
    }

    /// Those of whom it is known by now whether they came, or can be taken that they did not.
    pub fn settled(&self) -> u64 {
        self.came + self.missed()
    }

    /// Who was said to have stayed away, and who was never heard of again.
    pub fn missed(&self) -> u64 {
        self.no_show + self.not_told
    }
}

/// How long people take between two things.
#[derive(Debug, Clone, Default)]
pub struct Paces {
    pub to_book: Vec<u32>,
    pub to_come: Vec<u32>,
    pub to_buy: Vec<u32>,
    pub to_refund: Vec<u32>,
}

impl Paces {
    pub fn add(&mut self, line: &Line) {
        let mut gap = |all: fn(&mut Self) -> &mut Vec<u32>, from: Option<u32>, to: Option<u32>| {
            if let (Some(from), Some(to)) = (from, to)
                && to >= from
            {
                all(self).push(to - from);
            }
        };
        gap(|p| &mut p.to_book, line.asked_s, Some(line.booked_s));
        gap(|p| &mut p.to_come, Some(line.booked_s), line.came_s);
        gap(|p| &mut p.to_buy, line.came_s, line.bought_s);
        gap(|p| &mut p.to_refund, line.bought_s, line.refunded_s);
    }

    pub fn quarters(&mut self) -> [Option<Quarters>; 4] {
        [&mut self.to_book, &mut self.to_come, &mut self.to_buy, &mut self.to_refund].map(|all| quarters(all))
    }
}

/// Anything that may be told, with the times that it says: for tests of whatever is made of it.
#[cfg(test)]
pub fn told_words() -> impl proptest::strategy::Strategy<Value = What> {
    use proptest::prelude::*;
    let due = proptest::option::of(0_u32..400);
    prop_oneof![
        Just(What::Asked),
        due.clone().prop_map(What::Booked),
        due.prop_map(What::Moved),
        Just(What::Missed),
        Just(What::Cancelled),
        Just(What::Came),
        Just(What::Bought),
        Just(What::Refunded),
    ]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: u32 = 86_400;

    fn told(pairs: &[(u32, What)]) -> Vec<Told> {
        let mut all: Vec<Told> =
            pairs.iter().map(|(at_s, what)| Told { at_s: *at_s, what: *what, due_s: None, source: 0, booking: 0 }).collect();
        all.sort();
        all
    }

    fn outcome(pairs: &[(u32, What)], now_s: u32) -> Option<Outcome> {
        line(&told(pairs), 100, 1_000, now_s).map(|l| l.outcome)
    }

    #[test]
    fn a_line_goes_from_the_lead_to_the_refund() {
        let all = told(&[
            (10, What::Asked),
            (50, What::Asked),
            (90, What::Booked(Some(95))),
            (120, What::Booked(Some(500))),
            (130, What::Moved(Some(700))),
            (140, What::Asked),
            (705, What::Came),
            (800, What::Bought),
            (900, What::Bought),
            (1_500, What::Refunded),
        ]);
        let got = line(&all, 100, 1_000, 2_000).expect("a line");
        let want = Line {
            asked_s: Some(50),
            booked_s: 120,
            moved_s: Some(130),
            came_s: Some(705),
            bought_s: Some(800),
            refunded_s: Some(1_500),
            due_s: Some(700),
            outcome: Outcome::Came,
        };
        assert_eq!(got, want);
        assert_eq!(line(&all, 130, 1_000, 2_000), None, "the booking is not of this time");
    }

    #[test]
    fn who_did_not_come_is_told_apart_from_whom_nobody_tells_of() {
        use What::*;
        let booked = (120, Booked(Some(500)));
        let late = 500 + DAY + 1;
        for (what, pairs, now_s, want) in [
            ("still to come", &[booked][..], 400, Outcome::Open),
            ("within a day of its time", &[booked], 500 + DAY, Outcome::Open),
            ("more than a day after", &[booked], late, Outcome::NotTold),
            ("no time was told", &[(120, Booked(None))], u32::MAX, Outcome::Open),
            ("somebody said so", &[booked, (501, Missed)], 502, Outcome::NoShow),
            ("came after all", &[booked, (501, Missed), (600, Came)], late, Outcome::Came),
            ("cancelled", &[booked, (130, Cancelled)], late, Outcome::Cancelled),
            ("cancelled and booked again", &[booked, (130, Cancelled), (140, Booked(Some(600)))], late, Outcome::Open),
            ("missed and moved", &[booked, (510, Missed), (520, Moved(Some(900)))], late, Outcome::Open),
            ("moved in the second of its cancelling", &[booked, (130, Moved(None)), (130, Cancelled)], late, Outcome::NotTold),
            ("what was before the booking is of another", &[(100, Came), booked, (110, Missed)], 400, Outcome::Open),
        ] {
            // One that came before the entry is of another line.
            let pairs: Vec<(u32, What)> = pairs.to_vec();
            assert_eq!(outcome(&pairs, now_s), Some(want), "{what}");
        }
    }

    #[test]
    fn lines_add_up() {
        use What::*;
        let mut all = Shown::default();
        let mut paces = Paces::default();
        for pairs in [
            &[(100, Asked), (120, Booked(Some(500))), (505, Came), (600, Bought)][..],
            &[(120, Booked(Some(500))), (505, Missed), (550, Bought), (560, Refunded)],
            &[(120, Booked(Some(500)))],
            &[(120, Booked(None)), (121, Cancelled)],
            &[(120, Booked(None)), (130, Moved(None))],
        ] {
            let line = line(&told(pairs), 100, 1_000, 500 + DAY + 1).expect("a line");
            all.add(&line);
            paces.add(&line);
        }
        let want = Shown {
            booked: 5,
            asked: 1,
            moved: 1,
            came: 1,
            no_show: 1,
            not_told: 1,
            cancelled: 1,
            open: 1,
            bought: 2,
            came_and_bought: 1,
            refunded: 1,
        };
        assert_eq!(all, want);
        assert_eq!((all.settled(), all.missed()), (3, 2));
        let medians = paces.quarters().map(|q| q.map(|q| q.median_s));
        assert_eq!(medians, [Some(20), Some(385), Some(95), Some(10)]);
    }

    proptest! {
        /// Nothing that happened before the booking, and no order of telling, changes what became of it; and everybody who
        /// booked has one outcome.
        #[test]
        fn a_line_is_made_of_what_comes_after(
            pairs in proptest::collection::vec((0_u32..300, told_words()), 0..14), from_s in 0_u32..200, now_s in 0_u32..200_000,
        ) {
            let all = told(&pairs);
            let mut turned: Vec<(u32, What)> = pairs.clone();
            turned.reverse();
            let got = line(&all, from_s, from_s + 80, now_s);
            prop_assert_eq!(got, line(&told(&turned), from_s, from_s + 80, now_s));
            let Some(got) = got else { return Ok(()) };
            let after: Vec<Told> = all.iter().copied().filter(|t| t.at_s >= got.booked_s || t.what == What::Asked).collect();
            prop_assert_eq!(line(&after, from_s, from_s + 80, now_s), Some(got));
            let mut sum = Shown::default();
            sum.add(&got);
            prop_assert_eq!(sum.settled() + sum.cancelled + sum.open, sum.booked);
            for later in [got.moved_s, got.came_s, got.bought_s, got.refunded_s].into_iter().flatten() {
                prop_assert!(later >= got.booked_s);
            }
        }
    }
}
