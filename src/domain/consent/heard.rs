//! What was known of a person's answers at a moment that lies behind us: whether something that left then had been refused.

use crate::domain::time::Time;

/// An answer on marketing: from when it counts, and when we were told, which may be later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    pub at: Time,
    pub heard_at: Time,
    pub is_granted: bool,
}

/// The fact's own word.
#[derive(Clone, Copy, Debug)]
pub struct OwnWord {
    pub given: Option<bool>,
    /// When it became a no: with the fact, or by a later telling.
    pub refused_at: Option<Time>,
    pub happened_at: Time,
}

/// Whether the person had refused, as far as it had been heard before `then`: by the fact's own word, by an answer that came after
/// the fact, or, where the fact says nothing, by the newest answer. Silence is no refusal: what it means is the site's mode.
pub fn had_refused(own: &OwnWord, answers: &[Heard], then: Time) -> bool {
    if own.given == Some(false) && own.refused_at.is_none_or(|at| at < then) {
        return true;
    }
    let newest = answers.iter().filter(|a| a.heard_at < then).max_by_key(|a| (a.at, !a.is_granted));
    match (own.given, newest) {
        (_, None) => false,
        // A word that was taken back later was none or a yes at the time: what came after the fact is certain either way.
        (Some(_), Some(answer)) => !answer.is_granted && answer.at > own.happened_at,
        (None, Some(answer)) => !answer.is_granted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FACT: i64 = 100;

    fn own(word: &str) -> OwnWord {
        let (given, refused_at) = match word {
            "yes" => (Some(true), None),
            "no" => (Some(false), Some(Time::from_ms(FACT))),
            "no, told at 300" => (Some(false), Some(Time::from_ms(300))),
            _ => (None, None),
        };
        OwnWord { given, refused_at, happened_at: Time::from_ms(FACT) }
    }

    /// `+50` was granted at 50 and heard then, `-50/200` denied at 50 and heard at 200.
    fn answers(text: &str) -> Vec<Heard> {
        text.split_whitespace()
            .map(|one| {
                let (at, heard_at) = one[1..].split_once('/').unwrap_or((&one[1..], &one[1..]));
                let time = |text: &str| Time::from_ms(text.parse().expect("a number"));
                Heard { at: time(at), heard_at: time(heard_at), is_granted: one.starts_with('+') }
            })
            .collect()
    }

    #[test]
    fn what_had_been_refused() {
        for (word, said, then, want) in [
            ("", "", 200, false),
            ("", "-50", 200, true),
            ("", "-50 +60", 200, false),
            ("", "+60 -60", 200, true),
            ("", "+50 -150", 200, true),
            ("", "+50 -250", 200, false),
            ("", "+50 -150/250", 200, false),
            ("", "+50 -150/250", 300, true),
            ("", "-200", 200, false),
            ("yes", "", 200, false),
            ("yes", "-50", 200, false),
            ("yes", "-150", 200, true),
            ("yes", "-150 +160", 200, false),
            ("no", "+150", 200, true),
            ("no, told at 300", "", 200, false),
            ("no, told at 300", "", 400, true),
            ("no, told at 300", "-50", 200, false),
            ("no, told at 300", "-150", 200, true),
        ] {
            assert_eq!(had_refused(&own(word), &answers(said), Time::from_ms(then)), want, "{word:?} {said:?} at {then}");
        }
    }

    proptest! {
        #[test]
        fn what_is_heard_later_changes_nothing(said in proptest::collection::vec((0i64..300, 0i64..300, any::<bool>()), 0..8), then in 0i64..300) {
            let all: Vec<Heard> = said
                .iter()
                .map(|(at, later, is_granted)| Heard { at: Time::from_ms(*at), heard_at: Time::from_ms((*at).max(*later)), is_granted: *is_granted })
                .collect();
            let then = Time::from_ms(then);
            let known: Vec<Heard> = all.iter().copied().filter(|a| a.heard_at < then).collect();
            for word in ["", "yes", "no"] {
                prop_assert_eq!(had_refused(&own(word), &all, then), had_refused(&own(word), &known, then));
            }
            // Who has only ever agreed has refused nothing.
            let yes: Vec<Heard> = all.iter().map(|a| Heard { is_granted: true, ..*a }).collect();
            prop_assert!(!had_refused(&own(""), &yes, then) && !had_refused(&own("yes"), &yes, then));
        }
    }
}
