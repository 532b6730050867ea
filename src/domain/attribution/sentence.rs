//! The sentence that says to the owner why a conversion was credited as it was.
//!
//! `Same browser: clicked "Spring ads" on 2 Jun, came back directly on 4 Jun, sent the form 23 minutes later.`

use std::collections::BTreeSet;

use super::super::conversion::ConversionKind;
use super::super::fact::Stated;
use super::super::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use super::super::touch::{TouchKind, Touchpoint};
use super::window::is_before;
use super::{DayText, Evidence, Judged, Link, PathTouch};

/// Names from outside are cut here, so that a sentence stays one.
const LONGEST_NAME: usize = 60;
/// Longer paths tell their first, last and last marketing touch and count the others.
const TOLD_IN_FULL: usize = 4;

/// For a path of at least one touch.
pub fn matched(judged: &Judged, best: Link, path: &[PathTouch], day_text: &DayText<'_>) -> String {
    let mut steps = story(path, day_text);
    let last_at = path.last().map_or(judged.happened_at, |p| p.touch.at);
    steps.push(format!("{} {}", deed(judged.kind), lapse(judged.happened_at.ms_since(last_at))));
    format!("{}: {}.{}", opening(best), steps.join(", "), browsers(best, path))
}

pub fn stated(stated: &Stated) -> String {
    let medium = stated.medium.as_deref().and_then(name).map(|m| format!(" ({m})")).unwrap_or_default();
    let campaign = stated.campaign.as_deref().and_then(name).map(|c| format!(", campaign \"{c}\"")).unwrap_or_default();
    format!("No visit of this customer is known. The sender itself names the source: {}{medium}{campaign}.", source_name(&stated.source))
}

/// Why nothing matched.
pub fn unmatched_reason(judged: &Judged, evidence: &Evidence, day_text: &DayText<'_>) -> String {
    let Some(best) = evidence.sessions.iter().filter(|s| !s.link.is_asserted() && s.link != Link::Imported).map(|s| s.link).min() else {
        return "Unattributed: no visit, code or address of this customer is known.".into();
    };
    let who = match best {
        Link::Session | Link::Code | Link::Click => "this browser",
        Link::Coupon => "the partner of this code",
        _ => "this customer",
    };
    let after = match judged.kind {
        ConversionKind::Sale => "after the order",
        ConversionKind::Lead => "after the form was sent",
        ConversionKind::Signup => "after the sign-up",
        ConversionKind::Custom => "after it happened",
    };
    let first = evidence
        .sessions
        .iter()
        .filter(|s| s.link == best)
        .flat_map(|s| s.touches.iter().map(|t| t.at))
        .filter(|at| !is_before(*at, judged.happened_at))
        .min();
    match first {
        Some(at) => format!("Unattributed: {who} was first seen on {}, {after}. Only what came before counts.", day_text(at)),
        None => format!("Unattributed: {who} is known, but no visit before it."),
    }
}

/// A source as people write it: `google` is Google, a host stays a host.
pub fn source_name(source: &str) -> String {
    const OWN_SPELLING: [(&str, &str); 18] = [
        ("aol", "AOL"),
        ("bing", "Bing"),
        ("chatgpt", "ChatGPT"),
        ("claude", "Claude"),
        ("duckduckgo", "DuckDuckGo"),
        ("facebook", "Facebook"),
        ("google", "Google"),
        ("hubspot", "HubSpot"),
        ("instagram", "Instagram"),
        ("linkedin", "LinkedIn"),
        ("mailchimp", "Mailchimp"),
        ("msn", "MSN"),
        ("tiktok", "TikTok"),
        ("twitter", "Twitter"),
        ("whatsapp", "WhatsApp"),
        ("x", "X"),
        ("yandex", "Yandex"),
        ("youtube", "YouTube"),
    ];
    let Some(plain) = name(source) else { return "an unnamed source".into() };
    if let Some((_, own)) = OWN_SPELLING.iter().find(|(word, _)| plain.eq_ignore_ascii_case(word)) {
        return (*own).into();
    }
    if plain.contains('.') {
        return plain;
    }
    let mut letters = plain.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => plain,
    }
}

/// A campaign name fit to stand between quotes; none where it says nothing.
pub fn name(text: &str) -> Option<String> {
    let plain: String = text
        .chars()
        .map(|c| {
            if c.is_control() {
                ' '
            } else if c == '"' {
                '\''
            } else {
                c
            }
        })
        .collect();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    if plain.is_empty() || ["(none)", "(not set)"].contains(&plain.as_str()) {
        return None;
    }
    if plain.chars().count() <= LONGEST_NAME {
        return Some(plain);
    }
    let cut: String = plain.chars().take(LONGEST_NAME).collect();
    Some(format!("{}…", cut.trim_end()))
}

fn opening(best: Link) -> &'static str {
    match best {
        Link::Session => "Same browser",
        Link::Code => "Short code of a visit",
        Link::Click => "Click id of a visit",
        Link::VerifiedEmail => "Same e-mail address",
        Link::VerifiedPhone => "Same phone number",
        Link::CustomerId => "Same customer account",
        Link::Coupon => "Coupon or partner code",
        Link::AssertedEmail => "Same e-mail address, claimed in a browser and not proved",
        Link::AssertedPhone => "Same phone number, claimed in a browser and not proved",
        Link::Imported => "Told by the sender, not seen by us",
    }
}

fn deed(kind: ConversionKind) -> &'static str {
    match kind {
        ConversionKind::Sale => "ordered",
        ConversionKind::Lead => "sent the form",
        ConversionKind::Signup => "signed up",
        ConversionKind::Custom => "converted",
    }
}

fn lapse(ms: i64) -> String {
    let count = |n: i64, unit: &str| format!("{n} {unit}{} later", if n == 1 { "" } else { "s" });
    match ms {
        ..MINUTE_MS => "within a minute".into(),
        MINUTE_MS..HOUR_MS => count(ms / MINUTE_MS, "minute"),
        // Up to two days hours say more than days.
        _ if ms < 2 * DAY_MS => count(ms / HOUR_MS, "hour"),
        _ => count(ms / DAY_MS, "day"),
    }
}

fn story(path: &[PathTouch], day_text: &DayText<'_>) -> Vec<String> {
    let last_marketing = path.iter().rposition(|p| !p.touch.is_direct && p.touch.kind != TouchKind::Chat);
    let is_told = |i: usize| path.len() <= TOLD_IN_FULL || i == 0 || i + 1 == path.len() || Some(i) == last_marketing;
    let mut steps = Vec::new();
    let mut passed_over = 0;
    let mut day_before: Option<String> = None;
    for (i, p) in path.iter().enumerate() {
        if !is_told(i) {
            passed_over += 1;
            continue;
        }
        match std::mem::take(&mut passed_over) {
            0 => {}
            1 => steps.push("one more touch".into()),
            n => steps.push(format!("{n} more touches")),
        }
        let day = day_text(p.touch.at);
        let when = if day_before.as_ref() == Some(&day) { "the same day".to_owned() } else { format!("on {day}") };
        steps.push(format!("{} {when}", step(&p.touch, i == 0)));
        day_before = Some(day);
    }
    steps
}

fn step(touch: &Touchpoint, is_first: bool) -> String {
    let campaign = touch.campaign.as_deref().and_then(name);
    if touch.is_direct {
        return if is_first { "came directly" } else { "came back directly" }.into();
    }
    let source = source_name(&touch.source);
    match (touch.kind, campaign) {
        (TouchKind::Chat, _) => "wrote in the chat".into(),
        (TouchKind::Click, Some(campaign)) => format!("clicked \"{campaign}\""),
        (TouchKind::Click, None) if is_paid(&touch.medium) => format!("clicked an ad on {source}"),
        (TouchKind::Click, None) => format!("clicked through from {source}"),
        (TouchKind::Link, Some(campaign)) => format!("followed the link \"{campaign}\""),
        (TouchKind::Link, None) => format!("followed a link of {source}"),
        (TouchKind::View, Some(campaign)) => format!("came from {source}, \"{campaign}\","),
        (TouchKind::View, None) => format!("came from {source}"),
    }
}

/// Paid as GA4's default channels understand it: https://support.google.com/analytics/answer/9756891
fn is_paid(medium: &str) -> bool {
    let medium = medium.to_ascii_lowercase();
    ["cpc", "cpm", "cpv", "ppc", "retargeting", "display"].contains(&medium.as_str()) || medium.starts_with("paid")
}

/// Says where more than one browser was looked at.
fn browsers(best: Link, path: &[PathTouch]) -> String {
    let own: BTreeSet<i64> = path.iter().filter(|p| p.link == best).map(|p| p.touch.session).collect();
    let joined: BTreeSet<i64> = path.iter().filter(|p| p.link != best).map(|p| p.touch.session).collect();
    let links: BTreeSet<Link> = path.iter().filter(|p| p.link != best).map(|p| p.link).collect();
    let traces: Vec<&str> = links.into_iter().map(trace).collect();
    match (own.len(), joined.len()) {
        (0 | 1, 0) => String::new(),
        (n, 0) => format!(" {n} browsers of this customer were seen."),
        (_, 1) => format!(" Another browser was joined by {}.", traces.join(" and ")),
        (_, n) => format!(" {n} more browsers were joined by {}.", traces.join(" and ")),
    }
}

/// A link as a thing, for the middle of a sentence.
pub fn trace(link: Link) -> &'static str {
    match link {
        Link::Session => "the session",
        Link::Code => "the short code",
        Link::Click => "the click id",
        Link::VerifiedEmail => "the e-mail address",
        Link::VerifiedPhone => "the phone number",
        Link::CustomerId => "the customer account",
        Link::Coupon => "the coupon or partner code",
        Link::AssertedEmail => "the claimed e-mail address",
        Link::AssertedPhone => "the claimed phone number",
        Link::Imported => "the sender's own note",
    }
}

#[cfg(test)]
mod tests {
    use super::super::LinkedSession;
    use super::super::matching::attribute;
    use super::super::sample::touchpoint;
    use super::*;
    use crate::domain::time::{Time, Zone};

    fn at(text: &str) -> Time {
        Time::parse(text).expect("a time")
    }

    fn days(at: Time) -> String {
        Zone::parse("Europe/Dublin").expect("a zone").short_day(at, Time::parse("2026-07-01T00:00:00Z").expect("a time"))
    }

    fn touch(session: i64, text: &str, kind: TouchKind, source: &str, medium: &str, campaign: Option<&str>) -> Touchpoint {
        let mut touch = touchpoint(session, at(text).ms(), at(text), if source == "direct" { '-' } else { 'a' });
        (touch.kind, touch.source, touch.medium, touch.campaign) = (kind, source.into(), medium.into(), campaign.map(str::to_owned));
        touch
    }

    fn said(kind: ConversionKind, happened_at: &str, sessions: Vec<LinkedSession>) -> String {
        attribute(&Judged { kind, happened_at: at(happened_at) }, &Evidence { sessions, stated: None }, &days).reason
    }

    fn spring(session: i64) -> Vec<Touchpoint> {
        vec![
            touch(session, "2026-06-02T09:00:00Z", TouchKind::Click, "google", "cpc", Some("Spring ads")),
            touch(session, "2026-06-04T14:00:00Z", TouchKind::View, "direct", "(none)", None),
        ]
    }

    #[test]
    fn it_is_said_as_the_design_says_it() {
        let one = vec![LinkedSession { session: 1, link: Link::Session, touches: spring(1) }];
        assert_eq!(
            said(ConversionKind::Lead, "2026-06-04T14:23:40Z", one.clone()),
            "Same browser: clicked \"Spring ads\" on 2 Jun, came back directly on 4 Jun, sent the form 23 minutes later."
        );
        assert_eq!(
            said(ConversionKind::Sale, "2026-06-04T15:00:00Z", one),
            "Same browser: clicked \"Spring ads\" on 2 Jun, came back directly on 4 Jun, ordered 1 hour later."
        );
    }

    #[test]
    fn each_step_is_said_by_its_kind() {
        let rows: &[(TouchKind, &str, &str, Option<&str>, &str)] = &[
            (TouchKind::Click, "google", "cpc", None, "clicked an ad on Google on 2 Jun"),
            (TouchKind::Click, "mailchimp", "email", None, "clicked through from Mailchimp on 2 Jun"),
            (TouchKind::View, "chatgpt", "ai", None, "came from ChatGPT on 2 Jun"),
            (TouchKind::View, "blog.example.org", "referral", None, "came from blog.example.org on 2 Jun"),
            (TouchKind::View, "newsletter", "email", Some("June"), "came from Newsletter, \"June\", on 2 Jun"),
            (TouchKind::Link, "flyer", "print", Some("Market hall"), "followed the link \"Market hall\" on 2 Jun"),
            (TouchKind::Chat, "chat", "chat", None, "wrote in the chat on 2 Jun"),
            (TouchKind::View, "direct", "(none)", None, "came directly on 2 Jun"),
            (TouchKind::Click, "google", "cpc", Some("(not set)"), "clicked an ad on Google on 2 Jun"),
            (TouchKind::Click, "", "", None, "clicked through from an unnamed source on 2 Jun"),
        ];
        for (kind, source, medium, campaign, want) in rows {
            let touches = vec![touch(1, "2026-06-02T09:00:00Z", *kind, source, medium, *campaign)];
            let got =
                said(ConversionKind::Signup, "2026-06-02T09:00:10Z", vec![LinkedSession { session: 1, link: Link::Session, touches }]);
            assert_eq!(got, format!("Same browser: {want}, signed up within a minute."));
        }
    }

    #[test]
    fn a_long_path_tells_its_turning_points() {
        let mut touches = spring(1);
        for n in 10..16 {
            touches.push(touch(1, &format!("2026-06-{n}T08:00:00Z"), TouchKind::View, "direct", "(none)", None));
        }
        touches.push(touch(1, "2026-06-12T10:00:00Z", TouchKind::View, "instagram", "social", None));
        touches.push(touch(1, "2026-06-12T11:00:00Z", TouchKind::View, "direct", "(none)", None));
        assert_eq!(
            said(ConversionKind::Sale, "2026-06-18T08:00:00Z", vec![LinkedSession { session: 1, link: Link::Session, touches }]),
            "Same browser: clicked \"Spring ads\" on 2 Jun, 4 more touches, came from Instagram on 12 Jun, 3 more touches, \
             came back directly on 15 Jun, ordered 3 days later."
        );
    }

    #[test]
    fn other_browsers_and_weaker_traces_are_named() {
        let joined = vec![
            LinkedSession { session: 1, link: Link::Session, touches: spring(1) },
            LinkedSession {
                session: 2,
                link: Link::VerifiedEmail,
                touches: vec![touch(2, "2026-06-02T10:00:00Z", TouchKind::View, "bing", "organic", None)],
            },
        ];
        assert_eq!(
            said(ConversionKind::Sale, "2026-06-06T15:00:00Z", joined),
            "Same browser: clicked \"Spring ads\" on 2 Jun, came from Bing the same day, came back directly on 4 Jun, \
             ordered 2 days later. Another browser was joined by the e-mail address."
        );
        let claimed = vec![
            LinkedSession { session: 1, link: Link::AssertedEmail, touches: spring(1) },
            LinkedSession { session: 2, link: Link::AssertedEmail, touches: vec![] },
        ];
        let got = said(ConversionKind::Sale, "2026-06-06T15:00:00Z", claimed);
        assert!(got.starts_with("Same e-mail address, claimed in a browser and not proved: clicked"), "{got}");
    }

    #[test]
    fn the_unmatched_are_told_why() {
        let sale = |sessions| said(ConversionKind::Sale, "2026-06-01T00:00:00Z", sessions);
        assert_eq!(sale(vec![]), "Unattributed: no visit, code or address of this customer is known.");
        assert_eq!(
            sale(vec![LinkedSession { session: 1, link: Link::Session, touches: spring(1) }]),
            "Unattributed: this browser was first seen on 2 Jun, after the order. Only what came before counts."
        );
        assert_eq!(
            sale(vec![LinkedSession { session: 1, link: Link::VerifiedEmail, touches: vec![] }]),
            "Unattributed: this customer is known, but no visit before it."
        );
        assert_eq!(
            sale(vec![LinkedSession { session: 1, link: Link::AssertedEmail, touches: spring(1) }]),
            "Unattributed: no visit, code or address of this customer is known.",
            "what is only claimed is not said to be known"
        );
    }

    #[test]
    fn what_is_stated_is_said_to_be() {
        let radio = Stated { source: "radio".into(), medium: Some("audio".into()), campaign: Some("Morning".into()) };
        assert_eq!(
            stated(&radio),
            "No visit of this customer is known. The sender itself names the source: Radio (audio), campaign \"Morning\"."
        );
    }

    #[test]
    fn names_from_outside_cannot_break_the_sentence() {
        assert_eq!(name("  a \"b\"\n\tc "), Some("a 'b' c".into()));
        assert_eq!(name("\u{0}\n"), None);
        assert_eq!(name(&"ü".repeat(61)).map(|n| n.chars().count()), Some(LONGEST_NAME + 1));
        assert_eq!(source_name("ärzte"), "Ärzte");
    }
}
