//! Something that no system has told: an enquiry by telephone, a visit that was kept, somebody sent by somebody. Typed in one
//! by one, or as a row of a file; both are read here, so that one word means one thing.

use serde_json::{Map, Value};

use super::super::campaign::{Utm, normal_medium, normal_source};
use super::super::fact::Milestone;
use super::super::milestone::{ByHand, KINDS, kind_of, kinds};
use super::super::time::Time;
use super::cells::Cells;
use super::{Home, ImportKind, LONGEST, Refusal, Row};
use crate::error::{Error, Result as Done};

/// Characters of a note that are kept.
const LONGEST_NOTE: usize = 2_000;

/// Words that an owner knows, and the step and the teller each stands for.
const WORDS: [(&str, &str, &str); 8] = [
    ("lead", "lead_captured", "manual"),
    ("referral", "lead_captured", "referral"),
    ("booking", "appointment_booked", "manual"),
    ("registration", "event_registered", "manual"),
    ("attendance", "appointment_completed", "manual"),
    ("no_show", "appointment_no_show", "manual"),
    ("cancellation", "appointment_cancelled", "manual"),
    ("sign_up", "signup_completed", "direct_signup"),
];
/// What lists of calls and visitors say instead, and the word that each stands for.
const EVERYDAY: [(&str, &str); 25] = [
    ("call", "lead"),
    ("phone", "lead"),
    ("phone_call", "lead"),
    ("telephone", "lead"),
    ("telephone_call", "lead"),
    ("called", "lead"),
    ("walk_in", "lead"),
    ("walkin", "lead"),
    ("walked_in", "lead"),
    ("enquiry", "lead"),
    ("inquiry", "lead"),
    ("request", "lead"),
    ("recommendation", "referral"),
    ("referred", "referral"),
    ("booked", "booking"),
    ("registered", "registration"),
    ("visit", "attendance"),
    ("visited", "attendance"),
    ("came", "attendance"),
    ("attended", "attendance"),
    ("noshow", "no_show"),
    ("cancelled", "cancellation"),
    ("canceled", "cancellation"),
    ("signup", "sign_up"),
    ("signed_up", "sign_up"),
];

/// One that was typed in: an object with the columns of a file as its fields.
pub fn typed(body: &[u8], home: &Home) -> Done<Milestone> {
    let cells = Cells::of_json(ImportKind::Offline, body, home).map_err(refused)?;
    let (milestone, _) = read(&cells, false).map_err(refused)?;
    Ok(milestone)
}

fn refused(refusal: Refusal) -> Error {
    Error::invalid(&refusal.field, refusal.remedy)
}

/// A row of a file.
pub fn row(cells: &Cells) -> Result<Option<(Row, Option<String>)>, Refusal> {
    let (milestone, own) = read(cells, true)?;
    Ok(Some((Row::Fact(Box::new(super::super::fact::Fact::Milestone(milestone)), None), own)))
}

/// The step, and its own id, if it has one.
fn read(cells: &Cells, is_imported: bool) -> Result<(Milestone, Option<String>), Refusal> {
    let (kind, source) = what(cells)?;
    let happened_at = moment(cells, is_imported)?;
    let own = cells.id("id")?;
    let person = cells.person()?;
    if person.email.is_none() && person.phone.is_none() {
        if cells.told("phone").is_some() {
            return Err(Refusal::new("phone", "It is no telephone number. Write it with its country, such as +353 86 123 4567."));
        }
        return Err(Refusal::new("email", "Somebody is known by an e-mail address or a telephone number. Give one of them."));
    }
    let currency = cells.currency()?;
    let by_hand = ByHand {
        value: cells.positive("value", currency)?,
        note: cells.text("note", LONGEST_NOTE),
        referred_by: cells.text("referred_by", LONGEST),
    };
    let mut data = Map::new();
    let said = [("note", &by_hand.note), ("referred_by", &by_hand.referred_by)];
    data.extend(said.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::from(text.clone()?)))));
    let journey = cells.journey().into_iter().next().unwrap_or_default();
    let utm = Utm {
        // Whoever was sent by somebody came from there, unless a source is named.
        source: journey.source.map(|s| normal_source(&s)).or((source == "referral").then(|| "referral".to_owned())),
        medium: journey.medium.map(|m| normal_medium(&m)),
        campaign: journey.campaign,
        term: cells.text("term", LONGEST),
        content: cells.text("content", LONGEST),
    }
    .without_people();
    let milestone = Milestone {
        external_id: own.clone(),
        source: source.to_owned(),
        kind,
        happened_at,
        told_at: Some(happened_at),
        person,
        traces: cells.traces(),
        utm,
        referrer: journey.referrer,
        data: Value::Object(data),
        metadata: Value::Object(Map::new()),
        by_hand,
        is_imported,
    };
    Ok((milestone, own))
}

/// What happened, in an owner's word, in the step's own, or in one of the site's.
fn what(cells: &Cells) -> Result<(String, &'static str), Refusal> {
    let told = cells.word("what").trim().to_lowercase().replace([' ', '-'], "_");
    if told.is_empty() {
        return Ok(("lead_captured".into(), if cells.told("referred_by").is_some() { "referral" } else { "manual" }));
    }
    let is = |word: &str| word == told || told.strip_suffix('s') == Some(word);
    let plain = |word: &str| WORDS.iter().find(|(known, ..)| *known == word).map(|(_, kind, source)| ((*kind).to_owned(), *source));
    if let Some(found) = WORDS.iter().find(|(word, ..)| is(word)).and_then(|(word, ..)| plain(word)) {
        return Ok(found);
    }
    let own = &cells.home.steps;
    // What the site means by a word goes before what we take it for: `call=appointment_booked`.
    if let Some(kind) = kind_of(&told, own) {
        return Ok((kind.to_owned(), "manual"));
    }
    if let Some(found) = EVERYDAY.iter().find(|(word, _)| is(word)).and_then(|(_, word)| plain(word)) {
        return Ok(found);
    }
    let own: Vec<&str> = kinds(own).split_off(KINDS.len());
    let own = if own.is_empty() { String::new() } else { format!(", or a step of your own: {}", own.join(", ")) };
    Err(Refusal::new("what", format!("{KNOWN}{own}.")))
}

/// The words, as they are said to whoever wrote another.
const KNOWN: &str = "It is no word for what happened. Write call, walk-in or lead (somebody asked), referral, booking, visit (they came), \
    no-show, cancellation, registration or sign-up";

/// One that is typed in without a time happened just now.
fn moment(cells: &Cells, is_imported: bool) -> Result<Time, Refusal> {
    match cells.moment("at")? {
        Some(at) => Ok(at),
        None if !is_imported => Ok(cells.home.now),
        None => Err(Refusal::new("at", "There is no time.")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::time::Zone;
    use super::*;

    fn home() -> Home {
        Home {
            zone: Zone::parse("Europe/Dublin").expect("a zone"),
            country: Some("IE".into()),
            steps: vec!["trial_started".into(), "demo_held=event_attended".into()],
            ..Home::of_test("EUR")
        }
    }

    fn read(body: Value) -> Result<Milestone, (String, String)> {
        typed(body.to_string().as_bytes(), &home()).map_err(|e| (e.field.unwrap_or_default(), e.message))
    }

    #[test]
    fn an_owners_words_are_steps() {
        for (word, kind, source) in [
            ("Lead", "lead_captured", "manual"),
            ("referrals", "lead_captured", "referral"),
            ("No show", "appointment_no_show", "manual"),
            ("call", "lead_captured", "manual"),
            ("Phone call", "lead_captured", "manual"),
            ("Calls", "lead_captured", "manual"),
            ("walk-in", "lead_captured", "manual"),
            ("visit", "appointment_completed", "manual"),
            ("signup", "signup_completed", "direct_signup"),
            ("sign-up", "signup_completed", "direct_signup"),
            ("event_attended", "event_attended", "manual"),
            ("demo_held", "event_attended", "manual"),
            ("trial_started", "trial_started", "manual"),
        ] {
            let read = read(json!({"what": word, "email": "ann@mail.example"})).expect(word);
            assert_eq!((read.kind.as_str(), read.source.as_str()), (kind, source), "{word}");
        }
        let none = read(json!({"email": "ann@mail.example", "referred_by": "Ben"})).expect("a referral");
        assert_eq!((none.source.as_str(), none.utm.source.as_deref()), ("referral", Some("referral")));
        let (field, words) = read(json!({"what": "dance", "email": "ann@mail.example"})).expect_err("refused");
        assert_eq!(field, "what");
        assert!(words.contains("call, walk-in") && words.contains("trial_started") && !words.contains("_captured"), "{words}");
        let own = Home { steps: vec!["call=appointment_booked".into()], ..home() };
        let cells = Cells::of_json(ImportKind::Offline, br#"{"what": "call"}"#, &own).expect("a row");
        assert_eq!(what(&cells).expect("a step").0, "appointment_booked", "the owner's own word");
    }

    #[test]
    fn all_that_was_typed_is_kept_and_nonsense_is_refused_by_its_field() {
        let read_one = read(json!({
            "what": "lead", "email": " Ann@Mail.Example ", "phone": "086 123 4567", "name": "Ann Byrne", "at": "2026-06-12 18:30",
            "source": "FB", "medium": "Paid Social", "campaign": "June", "value": "1,250.50", "note": "Kitchen, by telephone"
        }))
        .expect("a lead");
        assert_eq!(read_one.happened_at.utc(), "2026-06-12T17:30:00Z", "in the site's zone");
        assert_eq!(read_one.person.phone.as_ref().map(|p| p.as_str().to_owned()).as_deref(), Some("+353861234567"));
        assert_eq!((read_one.person.first_name.as_deref(), read_one.utm.source.as_deref()), (Some("Ann"), Some("facebook")));
        assert_eq!(read_one.by_hand.value.map(|v| v.minor), Some(125_050));
        assert_eq!(read_one.data, json!({"note": "Kitchen, by telephone"}));
        for (body, field) in [
            (json!({"what": "lead"}), "email"),
            (json!({"email": "no address"}), "email"),
            (json!({"phone": "12"}), "phone"),
            (json!({"email": "ann@mail.example", "value": "much"}), "value"),
            (json!({"email": "ann@mail.example", "value": "-5"}), "value"),
            (json!({"email": "ann@mail.example", "currency": "shells"}), "currency"),
            (json!({"email": "ann@mail.example", "at": "2026-06-20"}), "at"),
            (json!({"email": "ann@mail.example", "at": "yesterday"}), "at"),
            (json!([1]), "row"),
        ] {
            assert_eq!(read(body.clone()).expect_err("refused").0, field, "{body}");
        }
    }
}
