//! A touch of a page, and the rules for which one is a browser's first and last.

use serde::{Deserialize, Serialize};

use super::ids::LinkId;
use super::time::{MINUTE_MS, Time};

/// Touches of one browser without a longer gap are one visit.
pub const VISIT_GAP_MS: i64 = 30 * MINUTE_MS;
/// The same campaign again within this time is the same touch.
pub const SAME_CAMPAIGN_MS: i64 = 30 * MINUTE_MS;

/// A step on the way to a conversion, as it stood when the credit was judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Touchpoint {
    pub session: i64,
    pub seq: i64,
    pub at: Time,
    pub kind: TouchKind,
    pub source: String,
    pub medium: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub landing: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referrer: Option<String>,
    /// Parameter name of the click id it carried, `gclid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub click: Option<String>,
    /// The short link that brought it, proved by its click id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short_link: Option<LinkId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    #[serde(default)]
    pub is_direct: bool,
    #[serde(default)]
    pub is_imported: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TouchKind {
    Click,
    View,
    Chat,
    Link,
}

impl TouchKind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Click => "click",
            Self::View => "view",
            Self::Chat => "chat",
            Self::Link => "link",
        }
    }
}

/// What the rules need to know of a stored touch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mark {
    pub seq: i64,
    pub at: Time,
    pub is_direct: bool,
}

/// Where a browser's first and last touch stand after one more: first is the earliest by its own time, last the latest
/// that is not direct; a direct one stands as last only while there is no other.
pub fn first_and_last(first: Mark, last: Mark, new: Mark) -> (Mark, Mark) {
    let first_now = if new.at < first.at { new } else { first };
    let last_now = match (last.is_direct, new.is_direct) {
        (true, false) => new,
        (false, true) => last,
        (true, true) => first_now,
        (false, false) => {
            if new.at >= last.at {
                new
            } else {
                last
            }
        }
    };
    (first_now, last_now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mark(seq: i64, at_s: i64, is_direct: bool) -> Mark {
        Mark { seq, at: Time::from_s(at_s), is_direct }
    }

    fn run(marks: &[Mark]) -> (i64, i64) {
        let mut pair = (marks[0], marks[0]);
        for m in &marks[1..] {
            pair = first_and_last(pair.0, pair.1, *m);
        }
        (pair.0.seq, pair.1.seq)
    }

    #[test]
    fn direct_never_takes_the_place_of_a_campaign() {
        let rows: &[(&str, &[Mark], (i64, i64))] = &[
            ("a campaign, then direct", &[mark(1, 10, false), mark(2, 20, true)], (1, 1)),
            ("direct, then a campaign", &[mark(1, 10, true), mark(2, 20, false)], (1, 2)),
            ("two campaigns", &[mark(1, 10, false), mark(2, 20, false)], (1, 2)),
            ("history brought in later", &[mark(1, 20, false), mark(2, 10, false)], (2, 1)),
            ("direct only", &[mark(1, 10, true), mark(2, 20, true)], (1, 1)),
        ];
        for (what, marks, want) in rows {
            assert_eq!(run(marks), *want, "{what}");
        }
    }

    proptest! {
        #[test]
        fn the_order_of_arrival_does_not_matter(times in proptest::collection::hash_set(0i64..10_000, 1..8), flags in any::<u8>(), seed in any::<u64>()) {
            let marks: Vec<Mark> = times.iter().enumerate().map(|(i, t)| mark(i as i64, *t, flags >> i & 1 == 1)).collect();
            let mut shuffled = marks.clone();
            let n = shuffled.len();
            for i in (1..n).rev() {
                shuffled.swap(i, (seed.wrapping_mul(i as u64 * 2 + 1) >> 7) as usize % (i + 1));
            }
            prop_assert_eq!(run(&marks), run(&shuffled));
        }
    }
}
