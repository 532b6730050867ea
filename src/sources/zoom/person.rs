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
    let (number, id) = (number(meeting)?, first_text(registrant, &["id", "registrant_id"]));
    let id = id.or_else(|| text(registrant, "email")).ok_or_else(|| kit::missing("registrant.id"))?;
    let at = kit::time(registrant, &["create_time"]).map_or(told_at, |at| at.min(home.now));
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
    Ok(step(meeting, who, "event_registered", format!("{number}:{id}"), at, link, home))
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
    Ok(step(meeting, who, "event_attended", format!("{occasion}:{id}"), at, None, home))
}

/// A number in some events and a text in others.
fn number(meeting: &Value) -> Result<String, Reject> {
    text(meeting, "id").filter(|id| is_number(id)).ok_or_else(|| kit::missing("object.id"))
}

pub fn is_number(id: &str) -> bool {
    (1..=20).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit())
}

fn step(meeting: &Value, mut who: Answers, kind: &str, id: String, at: Time, link: Option<String>, home: &Home) -> Option<Fact> {
    let (person, own) = (who.person(home), who.utm());
    if person.email.is_none() && person.phone.is_none() {
        return None;
    }
    let utm = Utm { source: own.source.clone().or(link), ..own };
    let traces = who.traces(&utm);
    let starts_at = kit::time(meeting, &["start_time"]).map(Time::utc);
    Some(Fact::Milestone(Milestone {
        external_id: Some(clean_text(&id, MAX_TEXT)),
        source: SLUG.into(),
        kind: kind.into(),
        happened_at: at,
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
