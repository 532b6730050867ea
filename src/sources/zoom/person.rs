//! Somebody who registered for a meeting or a webinar, and somebody who came.

use serde_json::{Value, json};

use super::SLUG;
use crate::domain::campaign::{MAX_TEXT, Utm, clean_text};
use crate::domain::fact::{ByHand, Fact, Milestone};
use crate::domain::time::Time;
use crate::sources::kit::answers::Answers;
use crate::sources::kit::{self, first_text, text};
use crate::sources::{Home, Reject};

pub fn registered(meeting: &Value, registrant: &Value, told_at: Time, home: &Home) -> Result<Option<Fact>, Reject> {
    let at = kit::time(registrant, &["create_time"]).map_or(told_at, |at| at.min(home.now));
    registration(meeting, registrant, "event_registered", (at, told_at), home)
}

/// Somebody has no place any more: cancelled by them, or denied by the host. Who was denied before they ever had one has
/// cancelled nothing (`domain/outcome.rs`).
pub fn ended(meeting: &Value, registrant: &Value, told_at: Time, home: &Home) -> Result<Option<Fact>, Reject> {
    registration(meeting, registrant, "appointment_cancelled", (told_at, told_at), home)
}

/// The host has not let them in yet.
pub fn waits(registrant: &Value) -> bool {
    text(registrant, "status").is_some_and(|status| matches!(status.as_str(), "pending" | "denied"))
}

/// By which a registration is known, as its meeting's number and its own.
pub fn place_of(meeting: &str, registrant: &Value) -> Option<String> {
    let id = first_text(registrant, &["id", "registrant_id"]).or_else(|| text(registrant, "email"))?;
    Some(clean_text(&format!("{meeting}:{id}"), MAX_TEXT))
}

fn registration(meeting: &Value, registrant: &Value, kind: &str, at: (Time, Time), home: &Home) -> Result<Option<Fact>, Reject> {
    let place = place_of(&number(meeting)?, registrant).ok_or_else(|| kit::missing("registrant.id"))?;
    let mut who = Answers::default();
    let names = [
        ("email", "email"),
        ("firstname", "first_name"),
        ("lastname", "last_name"),
        ("phone", "phone"),
        ("company", "org"),
        ("job_title", "job_title"),
    ];
    for (meaning, key) in names {
        who.known(meaning, key, registrant[key].clone());
    }
    for question in registrant["custom_questions"].as_array().into_iter().flatten() {
        who.add(&text(question, "title").unwrap_or_default(), question["value"].clone());
    }
    // A webinar's own links tell where somebody came from.
    let link = text(&registrant["tracking_source"], "source_name").map(|name| clean_text(&name, MAX_TEXT));
    Ok(step(meeting, who, kind, place, at, link, home))
}

/// One person comes once to a meeting, however often the line is lost: who came again is the same step.
pub fn attended(meeting: &Value, participant: &Value, told_at: Time, home: &Home) -> Result<Option<Fact>, Reject> {
    let number = number(meeting)?;
    let occasion = text(meeting, "uuid").unwrap_or(number);
    let email = first_text(participant, &["user_email", "email"]);
    let Some(id) = email.clone().map(|e| e.to_lowercase()).or_else(|| text(participant, "registrant_id")) else { return Ok(None) };
    let at = kit::time(participant, &["join_time"]).map_or(told_at, |at| at.min(home.now));
    let mut who = Answers::default();
    who.known("email", "email", email.map(Value::from).unwrap_or_default());
    who.known("name", "name", first_text(participant, &["name", "user_name"]).map(Value::from).unwrap_or_default());
    let minutes = participant["duration"].as_i64().map(|seconds| seconds / 60);
    if let Some(minutes) = minutes {
        who.add("minutes", json!(minutes));
    }
    Ok(step(meeting, who, "event_attended", clean_text(&format!("{occasion}:{id}"), MAX_TEXT), (at, told_at.max(at)), None, home))
}

/// A number in some events and a text in others.
fn number(meeting: &Value) -> Result<String, Reject> {
    text(meeting, "id").filter(|id| is_number(id)).ok_or_else(|| kit::missing("object.id"))
}

pub fn is_number(id: &str) -> bool {
    (1..=20).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit())
}

/// `at`: when it happened, and when Zoom said so.
fn step(meeting: &Value, mut who: Answers, kind: &str, id: String, at: (Time, Time), link: Option<String>, home: &Home) -> Option<Fact> {
    let (person, own) = (who.person(home), who.utm());
    if person.email.is_none() && person.phone.is_none() {
        return None;
    }
    let utm = Utm { source: own.source.clone().or(link), ..own };
    let traces = who.traces(&utm);
    let starts_at = kit::time(meeting, &["start_time"]).map(Time::utc);
    Some(Fact::Milestone(Milestone {
        external_id: Some(id),
        source: SLUG.into(),
        kind: kind.into(),
        happened_at: at.0,
        told_at: Some(at.1),
        person,
        traces,
        utm,
        referrer: None,
        data: json!({"topic": text(meeting, "topic").map(|t| clean_text(&t, MAX_TEXT)), "starts_at": starts_at, "answers": who.rest()}),
        metadata: json!({"meeting_id": text(meeting, "id"), "meeting_uuid": text(meeting, "uuid")}),
        by_hand: ByHand::default(),
        is_imported: false,
    }))
}
