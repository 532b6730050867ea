//! A step that somebody takes on the way to becoming a customer: asked, booked, came, signed up. What the documents call
//! a funnel event. With its words: the platforms that tell of steps, and the steps there are.

use serde_json::Value;

use super::campaign::{ClickIds, ClickKind, Utm, classify};
use super::fact::{Person, Traces};
use super::money::Money;
use super::time::Time;
use super::touch::{TouchKind, Touchpoint};

/// Who tells of steps (spec 8).
pub const SOURCES: [&str; 7] = ["easyappointments", "zoom", "eventbrite", "poshvip", "manual", "referral", "direct_signup"];

/// Those among them that have no platform of ours to read.
pub const UNPULLED: [&str; 3] = ["manual", "referral", "direct_signup"];

/// The steps that every site has, in the order in which people usually take them. Those after the eleventh are ours: what
/// became of a booking or a sale is a step too.
pub const KINDS: [&str; 14] = [
    "lead_captured",
    "form_submitted",
    "appointment_booked",
    "appointment_completed",
    "appointment_cancelled",
    "event_registered",
    "event_attended",
    "ticket_purchased",
    "signup_started",
    "signup_completed",
    "activation",
    "appointment_no_show",
    "appointment_rescheduled",
    "refunded",
];

/// Steps by which somebody becomes a lead.
const LEADS: [&str; 2] = ["lead_captured", "form_submitted"];

#[derive(Debug, Clone)]
pub struct Milestone {
    /// The sender's own id; without one the same person, step and second is the same milestone.
    pub external_id: Option<String>,
    /// One of `SOURCES`.
    pub source: String,
    /// One of `KINDS`, or a word of the site.
    pub kind: String,
    pub happened_at: Time,
    pub person: Person,
    pub traces: Traces,
    pub utm: Utm,
    pub referrer: Option<String>,
    /// What the sender says of the step, as an object.
    pub data: Value,
    /// What the sender says of its own record of it, as an object.
    pub metadata: Value,
    pub by_hand: ByHand,
    pub is_imported: bool,
}

/// What whoever types a step in knows beside it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ByHand {
    /// What a lead may be worth.
    pub value: Option<Money>,
    pub note: Option<String>,
    /// Who sent them: the code of a partner, or a person in words.
    pub referred_by: Option<String>,
}

/// Somebody became a user of the owner's own product, under the number that it has there.
#[derive(Debug, Clone)]
pub struct Enrolment {
    pub user_id: String,
    pub happened_at: Time,
    pub person: Person,
    pub traces: Traces,
    /// In whole cents. What somebody guesses is no revenue.
    pub estimated_usd_minor: Option<i64>,
}

impl Milestone {
    /// When the appointment or the event itself is.
    pub fn starts_at(&self) -> Option<Time> {
        self.data.get("starts_at").and_then(Value::as_str).and_then(Time::parse)
    }
}

/// Steps by which somebody has a place: an appointment, a registration, a ticket.
pub fn is_booking(kind: &str) -> bool {
    matches!(kind, "appointment_booked" | "event_registered" | "ticket_purchased")
}

/// Steps by which somebody was there.
pub fn is_attendance(kind: &str) -> bool {
    matches!(kind, "appointment_completed" | "event_attended")
}

pub fn is_lead(kind: &str) -> bool {
    LEADS.contains(&kind)
}

/// The steps of a site: ours, then its own words in the order in which its owner named them.
pub fn kinds(own: &[String]) -> Vec<&str> {
    KINDS.into_iter().chain(own.iter().filter(|w| !w.contains('=')).map(String::as_str)).collect()
}

/// The step that a word means on a site: itself, or what the owner says that it stands for (`demo_held=event_attended`).
pub fn kind_of<'a>(word: &'a str, own: &'a [String]) -> Option<&'a str> {
    let known = kinds(own);
    if known.contains(&word) {
        return Some(word);
    }
    let (_, target) = own.iter().filter_map(|w| w.split_once('=')).find(|(alias, _)| *alias == word)?;
    known.contains(&target).then_some(target)
}

/// What a site may have for a step of its own: `trial_started`, or another word for one, `demo_held=event_attended`.
pub fn own_word(text: &str) -> Option<String> {
    let is_word = |w: &str| (1..=64).contains(&w.len()) && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    let is_fit = match text.split_once('=') {
        Some((alias, target)) => is_word(alias.trim()) && is_word(target.trim()) && !KINDS.contains(&alias.trim()),
        None => is_word(text) && !KINDS.contains(&text),
    };
    is_fit.then(|| text.split('=').map(str::trim).collect::<Vec<_>>().join("="))
}

/// The booking that a step is of, as its system numbers it. Where a system tells by one number of several people in a booking, what
/// stands behind `::` tells them apart.
pub fn booking_of(external_id: &str) -> &str {
    external_id.split_once("::").map_or(external_id, |(booking, _)| booking)
}

/// A number for the booking that a source calls so, by FNV-1a: it has to tell apart the few bookings of one person. 0 for none.
pub fn booking_number(source: &str, external_id: Option<&str>) -> u32 {
    let Some(id) = external_id.map(booking_of).filter(|id| !id.is_empty()) else { return 0 };
    let bytes = source.bytes().chain([0]).chain(id.bytes());
    bytes.fold(0x811c_9dc5_u32, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193)).max(1)
}

/// What the booking was called before, where a move brought another name.
pub fn moved_from(milestone: &Milestone) -> Option<&str> {
    let told = ["moved_from", "rescheduled_from"].into_iter().find_map(|name| milestone.metadata.get(name)?.as_str());
    told.filter(|_| milestone.kind == "appointment_rescheduled")
}

/// The click ids among what the sender says of a step.
pub fn clicks_in(data: &Value) -> ClickIds {
    let mut clicks = ClickIds::new();
    for kind in ClickKind::ALL {
        if let Some(value) = data.get(kind.name()).and_then(Value::as_str) {
            clicks.add(kind, value);
        }
    }
    clicks
}

/// What is stored of where a milestone came from.
#[derive(Debug, Clone, Default)]
pub struct CameFrom {
    pub utm: Utm,
    pub referrer: Option<String>,
    pub click: Option<ClickKind>,
}

/// A milestone that says where its person came from is a touch like any other: the sender saw a visit that we did not.
pub fn touchpoint(from: &CameFrom, at: Time, site_domains: &[&str]) -> Option<Touchpoint> {
    if from.utm.is_empty() && from.click.is_none() {
        return None;
    }
    let mut clicks = ClickIds::new();
    if let Some(kind) = from.click {
        // Which click it was is not needed to name the source.
        clicks.add(kind, "known");
    }
    let origin = classify(&from.utm, &clicks, from.referrer.as_deref(), site_domains, &[]);
    Some(Touchpoint {
        session: 0,
        seq: 0,
        at,
        kind: if from.click.is_some() { TouchKind::Click } else { TouchKind::View },
        source: origin.source,
        medium: origin.medium,
        campaign: origin.campaign,
        term: origin.term,
        content: origin.content,
        campaign_id: None,
        landing: None,
        referrer: origin.referrer_host,
        click: from.click.map(|c| c.name().to_owned()),
        short_link: None,
        device: None,
        is_direct: origin.is_direct,
        is_imported: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_site_has_our_words_and_its_own() {
        let own: Vec<String> =
            ["trial_started", "demo_held=event_attended", "lost=nowhere", "began=trial_started"].map(str::to_owned).into();
        let rows: &[(&str, Option<&str>)] = &[
            ("activation", Some("activation")),
            ("refunded", Some("refunded")),
            ("trial_started", Some("trial_started")),
            ("demo_held", Some("event_attended")),
            ("began", Some("trial_started")),
            ("lost", None),
            ("nowhere", None),
            ("demo_held=event_attended", None),
            ("", None),
        ];
        for (word, want) in rows {
            assert_eq!(kind_of(word, &own), *want, "{word}");
        }
        assert_eq!(kinds(&own).len(), 15);
        for (text, want) in [
            ("trial_started", Some("trial_started")),
            ("demo = event_attended", Some("demo=event_attended")),
            ("Trial", None),
            ("activation", None),
            ("activation=refunded", None),
            ("a=", None),
            ("", None),
        ] {
            assert_eq!(own_word(text).as_deref(), want, "{text}");
        }
    }

    #[test]
    fn a_booking_has_one_number_whoever_of_it_is_meant() {
        let number = |source, id| booking_number(source, Some(id));
        assert_eq!(number("calcom", "b1::0a1b2c3d"), number("calcom", "b1"), "two people of one booking");
        assert_ne!(number("calcom", "b1"), number("calcom", "b2"));
        assert_ne!(number("calcom", "12"), number("easyappointments", "12"));
        assert_eq!((booking_number("zoom", None), number("zoom", ""), number("zoom", "::x")), (0, 0, 0));
    }

    #[test]
    fn what_names_a_campaign_or_a_click_is_a_touch() {
        let utm = Utm { source: Some("Instagram".into()), medium: Some("social".into()), ..Utm::default() };
        let from = CameFrom { utm, ..CameFrom::default() };
        let touch = touchpoint(&from, Time::from_s(9), &[]).expect("a touch");
        assert_eq!((touch.source.as_str(), touch.medium.as_str(), touch.kind), ("instagram", "social", TouchKind::View));
        let clicks = clicks_in(&json!({"gclid": "abc", "fbclid": 7, "note": "x"}));
        let from = CameFrom { click: clicks.first().map(|(kind, _)| kind), ..CameFrom::default() };
        let touch = touchpoint(&from, Time::from_s(9), &[]).expect("a touch");
        assert_eq!((touch.source.as_str(), touch.medium.as_str(), touch.kind), ("google", "cpc", TouchKind::Click));
        let bare = CameFrom { referrer: Some("https://example.org/".into()), ..CameFrom::default() };
        assert_eq!(touchpoint(&bare, Time::from_s(9), &[]), None, "where a page was linked from is not a visit of it");
    }
}
