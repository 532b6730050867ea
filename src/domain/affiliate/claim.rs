//! Who earns on a sale. Only one partner does, by one printed rule, and the order in which things become known makes no
//! difference: of all claims that were ever heard the strongest holds.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::domain::attribution::is_before;
use crate::domain::time::{DAY_MS, Time};

/// The rule as statements print it.
pub const RULE: &str = "One sale earns for one partner. What the shop's own server names counts first, then a coupon of a partner on \
     the order, then a partner's link that was followed before it.";

/// Which of several links earns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Model {
    #[default]
    Last,
    First,
}

impl Model {
    pub fn word(self) -> &'static str {
        match self {
            Model::Last => "last",
            Model::First => "first",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Model::Last, Model::First].into_iter().find(|m| m.word() == text)
    }

    pub fn sentence(self) -> &'static str {
        match self {
            Model::Last => "Of several links the last one counts.",
            Model::First => "Of several links the first one counts.",
        }
    }
}

/// How a partner comes to a sale, the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    Link,
    Coupon,
    Named,
}

impl Way {
    pub fn word(self) -> &'static str {
        match self {
            Way::Link => "link",
            Way::Coupon => "coupon",
            Way::Named => "named",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Way::Link, Way::Coupon, Way::Named].into_iter().find(|w| w.word() == text)
    }
}

/// One reason to pay somebody for a sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub way: Way,
    /// As it is compared.
    pub code: String,
    /// When the link was followed.
    pub at: Option<Time>,
    /// The link was followed in a browser that only said to be the buyer's. Anybody can say so.
    pub is_asserted: bool,
}

impl Claim {
    /// Two that are equal were told one after the other: what the server named, and coupons on an order.
    fn strength(&self, other: &Claim, model: Model) -> Ordering {
        let by_time = match (self.way, model) {
            (Way::Link, Model::Last) => self.at.cmp(&other.at),
            (Way::Link, Model::First) => other.at.cmp(&self.at),
            _ => Ordering::Equal,
        };
        // Of two links that were followed in the same moment the first by name: any rule would do.
        let by_name = if self.way == Way::Link { other.code.cmp(&self.code) } else { Ordering::Equal };
        // What is proved to be the buyer's goes before what is only said to be.
        let by_proof = other.is_asserted.cmp(&self.is_asserted);
        self.way.cmp(&other.way).then(by_proof).then(by_time).then(by_name)
    }
}

/// The claim that holds: of equal ones the first. What holds already stands first, so that nothing that is told later under the
/// same right takes a commission from whoever has earned it.
pub fn strongest(claims: &[Claim], model: Model) -> Option<&Claim> {
    claims.iter().reduce(|best, next| if next.strength(best, model).is_gt() { next } else { best })
}

/// Whether a link that was followed then may still earn on a sale of this moment.
pub fn is_within(followed_at: Time, sold_at: Time, cookie_days: u32) -> bool {
    is_before(followed_at, sold_at) && sold_at.ms_since(followed_at) <= i64::from(cookie_days) * DAY_MS
}

/// Why this one earns, in a sentence: `over` are claims of other partners that it was stronger than, by their shown codes.
pub fn sentence(claim: &Claim, shown: &str, sold_at: Time, over: &[(Way, String)]) -> String {
    let mut said = match (claim.way, claim.at) {
        (Way::Named, _) => format!("The shop's own server named {shown}."),
        (Way::Coupon, _) => format!("The buyer used the coupon {shown}."),
        (Way::Link, Some(at)) if claim.is_asserted => format!(
            "A link of {shown} was followed {} before, in a browser that said to be the buyer's: nothing proves it.",
            ago(sold_at.ms_since(at))
        ),
        (Way::Link, Some(at)) => format!("The buyer followed a link of {shown} {} before.", ago(sold_at.ms_since(at))),
        (Way::Link, None) => format!("The buyer followed a link of {shown}."),
    };
    for (way, code) in over {
        let rule = match (claim.way, way) {
            (Way::Named, Way::Named) => "what the server named first counts",
            (Way::Named, _) => "what the server names counts first",
            (Way::Coupon, Way::Link) => "a coupon counts before a link",
            (Way::Coupon, _) => "of two coupons the one that was known first counts",
            (Way::Link, _) => "another link of a partner counts by the rule for several links",
        };
        let what = match way {
            Way::Named => "was named too",
            Way::Coupon => "was a coupon on the order too",
            Way::Link => "had a link followed too",
        };
        said.push_str(&format!(" {code} {what}: {rule}."));
    }
    said
}

fn ago(ms: i64) -> String {
    let (n, word) = match ms {
        ms if ms >= DAY_MS => (ms / DAY_MS, "day"),
        ms if ms >= DAY_MS / 24 => (ms / (DAY_MS / 24), "hour"),
        ms => ((ms / 60_000).max(1), "minute"),
    };
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn claim(way: Way, code: &str, at: Option<i64>) -> Claim {
        Claim { way, code: code.into(), at: at.map(Time::from_s), is_asserted: false }
    }

    #[test]
    fn a_coupon_counts_before_a_link_and_a_name_before_both() {
        let (link, older) = (claim(Way::Link, "a", Some(50)), claim(Way::Link, "b", Some(20)));
        let said = Claim { is_asserted: true, ..claim(Way::Link, "e", Some(60)) };
        let (coupon, named) = (claim(Way::Coupon, "c", None), claim(Way::Named, "d", None));
        let rows: &[(&[&Claim], Model, &str)] = &[
            (&[&link, &older], Model::Last, "a"),
            (&[&link, &older], Model::First, "b"),
            (&[&said, &older], Model::Last, "b"),
            (&[&link, &said], Model::First, "a"),
            (&[&said, &coupon], Model::Last, "c"),
            (&[&link, &coupon], Model::Last, "c"),
            (&[&link, &coupon, &named], Model::First, "d"),
        ];
        for (claims, model, want) in rows {
            let all: Vec<Claim> = claims.iter().map(|c| (*c).clone()).collect();
            assert_eq!(strongest(&all, *model).map(|c| c.code.as_str()), Some(*want));
        }
        assert_eq!(strongest(&[], Model::Last), None);
    }

    #[test]
    fn a_link_earns_for_its_days() {
        let at = |days: i64| Time::from_ms(100 * DAY_MS + days * DAY_MS);
        assert!(is_within(at(-60), at(0), 60) && is_within(at(-1), at(0), 60));
        assert!(is_within(at(0), at(0), 60), "in the same second");
        assert!(!is_within(at(-61), at(0), 60) && !is_within(at(1), at(0), 60));
    }

    #[test]
    fn the_reason_names_what_it_was_stronger_than() {
        let sold = Time::from_ms(10 * DAY_MS);
        let said = sentence(&claim(Way::Coupon, "noor", None), "NOOR10", sold, &[(Way::Link, "karim".into())]);
        assert_eq!(said, "The buyer used the coupon NOOR10. karim had a link followed too: a coupon counts before a link.");
        let link = Claim { way: Way::Link, code: "a".into(), at: Some(Time::from_ms(7 * DAY_MS)), is_asserted: false };
        assert_eq!(sentence(&link, "A", sold, &[]), "The buyer followed a link of A 3 days before.");
        let said = sentence(&Claim { is_asserted: true, ..link }, "A", sold, &[]);
        assert_eq!(said, "A link of A was followed 3 days before, in a browser that said to be the buyer's: nothing proves it.");
    }

    proptest! {
        #[test]
        fn whatever_comes_first_the_right_kind_of_claim_holds(
            raw in proptest::collection::vec((0..3u8, 0..4u8, 0..5i64, any::<bool>()), 1..7), turn in 0..7usize, is_first in any::<bool>(),
        ) {
            let model = if is_first { Model::First } else { Model::Last };
            let ways = [Way::Link, Way::Coupon, Way::Named];
            let all: Vec<Claim> = raw.iter()
                .map(|(way, code, at, is_said)| {
                    let one = claim(ways[usize::from(*way)], &format!("c{code}"), (*way == 0).then_some(*at));
                    Claim { is_asserted: *way == 0 && *is_said, ..one }
                })
                .collect();
            let mut turned = all.clone();
            turned.rotate_left(turn % all.len());
            // One after the other, keeping only the one that holds, as they are stored.
            let kept = turned.iter().fold(None::<Claim>, |held, next| {
                let both: Vec<Claim> = held.into_iter().chain([next.clone()]).collect();
                strongest(&both, model).cloned()
            });
            let whole = strongest(&all, model);
            prop_assert_eq!(kept.as_ref().map(|c| (c.way, c.at)), whole.map(|c| (c.way, c.at)));
            if kept.as_ref().is_some_and(|c| c.way == Way::Link) {
                prop_assert_eq!(kept.as_ref(), whole);
            }
        }
    }
}
