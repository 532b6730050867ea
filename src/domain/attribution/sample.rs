//! Touches for the tests of this folder, from a short text.

use super::super::time::{DAY_MS, Time};
use super::super::touch::{TouchKind, Touchpoint};
use super::{Link, PathTouch};

/// 2026-01-01.
pub fn day(n: i64) -> Time {
    Time::from_ms(1_767_225_600_000 + n * DAY_MS)
}

/// Letters are marketing sources, `-` is direct, `*` a chat.
pub fn touch_at(at: Time, who: char) -> PathTouch {
    PathTouch { touch: touchpoint(1, at.ms(), at, who), link: Link::Session, earns: false }
}

pub fn touchpoint(session: i64, seq: i64, at: Time, who: char) -> Touchpoint {
    let (source, medium, kind) = match who {
        '-' => ("direct".to_owned(), "(none)", TouchKind::View),
        '*' => ("chat".to_owned(), "chat", TouchKind::Chat),
        letter => (letter.to_string(), "cpc", TouchKind::Click),
    };
    Touchpoint {
        session,
        seq,
        at,
        kind,
        source,
        medium: medium.into(),
        campaign: None,
        term: None,
        content: None,
        campaign_id: None,
        landing: None,
        referrer: None,
        click: None,
        short_link: None,
        device: None,
        is_direct: who == '-',
        is_imported: false,
    }
}

/// `a80 -99`: source a on day 80, direct on day 99.
pub fn path(spec: &str) -> Vec<PathTouch> {
    spec.split_whitespace()
        .map(|word| {
            let (who, day) = word.split_at(1);
            let day: i64 = day.parse().expect("a day in a test");
            touch_at(self::day(day), who.chars().next().expect("a letter in a test"))
        })
        .collect()
}
