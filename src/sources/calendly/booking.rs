//! An invitee: who it is, what they answered, and what became of the appointment.
//! <https://developer.calendly.com/api-docs/eb8ee72701f99-list-event-invitees>

use serde_json::{Value, json};

use super::{SLUG, api, refused};
use crate::domain::campaign::{MAX_TEXT, clean_text};
use crate::domain::conversion::Rank;
use crate::domain::fact::{ByHand, Fact, Milestone, Order, Person, Traces};
use crate::domain::money::{Currency, Money};
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps};
use crate::domain::time::Time;
use crate::sources::kit::answers::Answers;
use crate::sources::kit::outcomes::shown_now;
use crate::sources::kit::{self, text};
use crate::sources::{Batch, Fetch, Home, Reject};
use crate::wire::Response;

/// What an event says. Empty: nothing that another event does not say.
pub fn read(event: &str, invitee: &Value, told_at: Time, home: &Home) -> Result<Vec<Fact>, Reject> {
    let is_moved = invitee["rescheduled"] == Value::Bool(true);
    let made_at = kit::time(invitee, &["created_at"]).map_or(told_at, |at| at.min(home.now));
    match event {
        "invitee.created" => made(invitee, made_at, home),
        // The appointment that takes its place says that it was moved.
        "invitee.canceled" if is_moved => Ok(Vec::new()),
        "invitee.canceled" => {
            let ended_at = kit::time(&invitee["cancellation"], &["created_at"]).or_else(|| kit::time(invitee, &["updated_at"]));
            let at = ended_at.map_or(told_at, |at| at.min(home.now));
            Ok(vec![step(invitee, "appointment_cancelled", at, Some(at), home)?])
        }
        "invitee_no_show.created" => {
            let at = kit::time(&invitee["no_show"], &["created_at"]).map_or(told_at, |at| at.min(home.now));
            Ok(vec![step(invitee, "appointment_no_show", at, Some(at), home)?])
        }
        _ => Ok(Vec::new()),
    }
}

/// As the list has it: an appointment with everything that has become of it so far, and what has not. `ended_at` where it is
/// past, and long enough for its host to have said who stayed away: then it is taken to have been kept.
pub fn standing(invitee: &Value, ended_at: Option<Time>, home: &Home) -> Result<Batch, Reject> {
    let told_at = home.now;
    let mut facts = read("invitee.created", invitee, told_at, home)?;
    let is_over = text(invitee, "status").as_deref() == Some("canceled");
    if is_over {
        facts.extend(read("invitee.canceled", invitee, told_at, home)?);
    } else if invitee["no_show"].is_object() {
        facts.extend(read("invitee_no_show.created", invitee, told_at, home)?);
    } else if let Some(at) = ended_at {
        facts.push(step(invitee, "appointment_completed", at, None, home)?);
    }
    Ok(shown_now(facts))
}

fn made(invitee: &Value, at: Time, home: &Home) -> Result<Vec<Fact>, Reject> {
    let kind = if text(invitee, "old_invitee").is_some() { "appointment_rescheduled" } else { "appointment_booked" };
    let mut facts = vec![step(invitee, kind, at, Some(at), home)?];
    if let Some(order) = payment(invitee, at, home)? {
        facts.push(Fact::Order(order));
    }
    Ok(facts)
}

fn told(invitee: &Value) -> Answers {
    let mut all = Answers::default();
    let names =
        [("email", "email"), ("firstname", "first_name"), ("lastname", "last_name"), ("name", "name"), ("phone", "text_reminder_number")];
    for (meaning, key) in names {
        all.known(meaning, key, invitee[key].clone());
    }
    for answer in invitee["questions_and_answers"].as_array().into_iter().flatten() {
        let question = text(answer, "question").unwrap_or_default();
        all.add(&question, answer["answer"].clone());
    }
    all.object(&invitee["tracking"]);
    all
}

fn step(invitee: &Value, kind: &str, at: Time, told_at: Option<Time>, home: &Home) -> Result<Fact, Reject> {
    let uri = text(invitee, "uri").ok_or_else(|| kit::missing("payload.uri"))?;
    let mut answers = told(invitee);
    let clicks = answers.clicks();
    let (person, utm) = (answers.person(home), answers.utm());
    // The visit that the campaign names is a touch of its own beside the step.
    let traces = Traces { click_ids: Vec::new(), ..answers.traces(&utm) };
    let event = &invitee["scheduled_event"];
    let mut data = clicks;
    for (name, key) in [("starts_at", "start_time"), ("ends_at", "end_time")] {
        data.extend(kit::time(event, &[key]).map(|at| (name.to_owned(), json!(at.utc()))));
    }
    let reason = text(&invitee["cancellation"], "reason");
    for (name, value) in [("event_type", text(event, "name")), ("reason", reason)] {
        data.extend(value.map(|t| (name.to_owned(), json!(clean_text(&t, MAX_TEXT)))));
    }
    data.insert("answers".into(), Value::Object(answers.rest()));
    Ok(Fact::Milestone(Milestone {
        external_id: Some(short(&uri)),
        source: SLUG.into(),
        kind: kind.into(),
        happened_at: at,
        told_at,
        person,
        traces,
        utm,
        referrer: None,
        data: Value::Object(data),
        metadata: json!({"moved_from": text(invitee, "old_invitee").map(|uri| short(&uri))}),
        by_hand: ByHand::default(),
        is_imported: false,
    }))
}

/// What was paid when it was booked; refunds are not told.
fn payment(invitee: &Value, at: Time, home: &Home) -> Result<Option<Order>, Reject> {
    let paid = &invitee["payment"];
    if paid["successful"] != Value::Bool(true) {
        return Ok(None);
    }
    let bad = |field: &str| Reject::BadField {
        field: field.into(),
        code: "invalid_amount",
        sentence: format!("{field} must be a decimal like 12.50 with a currency such as EUR."),
    };
    let currency = text(paid, "currency").and_then(|c| Currency::parse(&c)).ok_or_else(|| bad("payment.currency"))?;
    let total: Money = kit::decimal(paid, "amount", currency).ok_or_else(|| bad("payment.amount"))?;
    let Some(id) = text(paid, "external_id").filter(|_| total.minor > 0).map(|id| clean_text(&id, MAX_TEXT)) else { return Ok(None) };
    let mut answers = told(invitee);
    let (person, utm): (Person, _) = (answers.person(home), answers.utm());
    Ok(Some(Order { person, traces: answers.traces(&utm), ..Order::paid(SLUG, Rank::Payment, id, at, total) }))
}

/// The last part of an address at Calendly: the id.
pub fn short(uri: &str) -> String {
    clean_text(uri.rsplit('/').next().unwrap_or(uri), MAX_TEXT)
}

/// The path of an invitee's own address. No other address is asked.
pub fn path_of(uri: &str) -> Option<String> {
    let path = uri.strip_prefix("https://api.calendly.com").filter(|path| path.starts_with('/'))?;
    let mut parts = path.split('/').skip(1);
    let (events, event, invitees, invitee) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_fit = events == "scheduled_events" && invitees == "invitees" && is_id(event) && is_id(invitee) && parts.next().is_none();
    is_fit.then(|| path.to_owned())
}

pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Reads an invitee whom a body has only named.
pub struct Reading;

impl Steps<Fetch> for Reading {
    fn step(&self, state: State, got: Option<&Response>, _: &Settings, home: &Home, _: Time) -> Step<Fetch> {
        let mut refs: Vec<String> = serde_json::from_value(state["refs"].clone()).unwrap_or_default();
        if got.is_none() {
            refs.retain(|name| parts(name).is_some());
        }
        let Some((event, at, path)) = refs.first().and_then(|name| parts(name)) else { return Step::Done(()) };
        let Some(response) = got else { return Step::Ask(Box::new(api("GET", path)), json!({ "refs": refs })) };
        let left = json!({ "refs": refs.get(1..).unwrap_or_default() });
        match response.status {
            200..=299 => {
                let invitee = &response.json().unwrap_or_default()["resource"];
                Step::Yield(Batch::of(read(&event, invitee, at, home).unwrap_or_default()), left)
            }
            404 => Step::Yield(Batch::default(), left),
            _ => Step::Fail(refused(response)),
        }
    }
}

/// `invitee_no_show.created:1781342399:/scheduled_events/…/invitees/…`
fn parts(name: &str) -> Option<(String, Time, String)> {
    let mut parts = name.splitn(3, ':');
    let (event, at, path) = (parts.next()?, parts.next()?.parse::<i64>().ok()?, parts.next()?);
    path_of(&format!("https://api.calendly.com{path}")).map(|path| (event.to_owned(), Time::from_s(at), path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_invitees_own_address_is_asked() {
        for (uri, want) in [
            ("https://api.calendly.com/scheduled_events/E1/invitees/I1", true),
            ("https://api.calendly.com/scheduled_events/E1", false),
            ("https://api.calendly.com/scheduled_events/../invitees/I1", false),
            ("https://api.calendly.com.evil.example/scheduled_events/E1/invitees/I1", false),
            ("https://evil.example/scheduled_events/E1/invitees/I1", false),
            ("https://api.calendly.com/scheduled_events/E1/invitees/I1/x", false),
        ] {
            assert_eq!(path_of(uri).is_some(), want, "{uri}");
        }
        assert_eq!(parts("a:1:/scheduled_events/E1/invitees/I1").map(|p| p.2).as_deref(), Some("/scheduled_events/E1/invitees/I1"));
        assert!(parts("a:x:/scheduled_events/E1/invitees/I1").is_none());
    }
}
