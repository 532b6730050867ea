//! An appointment with its customer: as the API's own record with the database's rows inside it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::SLUG;
use super::place::{Answer, Place, is_number, read as answer};
use crate::domain::campaign::{MAX_TEXT, clean_text};
use crate::domain::fact::{ByHand, Fact, Milestone, Traces};
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps};
use crate::domain::time::{HOUR_MS, Time, Zone};
use crate::sources::kit::answers::Answers;
use crate::sources::kit::outcomes::shown_now;
use crate::sources::kit::{first_text, text};
use crate::sources::{Batch, Fetch, Home};
use crate::wire::{Part, Request, Response};

/// After so long an appointment of which nothing else was said has been kept.
const SETTLED_MS: i64 = 24 * HOUR_MS;

/// In which zones an installation writes.
pub struct Zones {
    /// Of its server: the moment of booking.
    pub own: Zone,
    /// Of the provider: when it begins and ends.
    pub provider: Zone,
}

/// Everything that has become of an appointment so far, and what has not: it came back into the list, or its status was put
/// right.
pub fn stand(row: &Value, zones: &Zones, home: &Home) -> Batch {
    shown_now(read(row, zones, home))
}

fn read(row: &Value, zones: &Zones, home: &Home) -> Vec<Fact> {
    let Some(id) = text(row, "id").filter(|id| is_number(id)) else { return Vec::new() };
    let status = text(row, "status").unwrap_or_default().to_lowercase();
    let is = |words: &[&str]| words.iter().any(|word| status.contains(word));
    let wall = |zone: &Zone, keys: &[&str]| first_text(row, keys).and_then(|t| zone.wall(&t));
    let booked_at = wall(&zones.own, &["book", "book_datetime"]).map_or(home.now, |at| at.min(home.now));
    let starts_at = wall(&zones.provider, &["start", "start_datetime"]);
    let ends_at = wall(&zones.provider, &["end", "end_datetime"]);
    if is(&["draft"]) {
        return Vec::new();
    }
    let step = |kind: &str, at: Time, told_at: Option<Time>| step(row, &id, kind, at, told_at, (starts_at, ends_at), home);
    let mut facts = vec![step("appointment_booked", booked_at, Some(booked_at))];
    // A status has no time of its own: it is so as it is read.
    let now = Some(home.now);
    if is(&["cancel", "storn", "annul"]) {
        facts.push(step("appointment_cancelled", home.now, now));
    } else if is(&["no-show", "no show", "noshow", "missed"]) {
        facts.push(step("appointment_no_show", ends_at.map_or(home.now, |at| at.min(home.now)), now));
    } else {
        if is(&["reschedul", "moved"]) {
            facts.push(step("appointment_rescheduled", home.now, Some(booked_at)));
        }
        if let Some(at) = ends_at.filter(|at| home.now.ms_since(*at) >= SETTLED_MS) {
            facts.push(step("appointment_completed", at, None));
        }
    }
    facts
}

fn step(row: &Value, id: &str, kind: &str, at: Time, told_at: Option<Time>, times: (Option<Time>, Option<Time>), home: &Home) -> Fact {
    let customer = &row["customer"];
    let mut who = Answers::default();
    let names = [
        ("email", ["email", "email"]),
        ("phone", ["phone", "phone_number"]),
        ("firstname", ["firstName", "first_name"]),
        ("lastname", ["lastName", "last_name"]),
    ];
    for (meaning, keys) in names {
        who.known(meaning, meaning, first_text(customer, &keys).map(Value::from).unwrap_or_default());
    }
    // Owners put campaign and visit into fields of their own: what stands there is known by its look.
    for n in 1..=5 {
        let keys = [format!("customField{n}"), format!("custom_field_{n}")];
        let told = keys.iter().find_map(|key| text(customer, key));
        if let Some((name, value)) = told.as_deref().and_then(|t| t.split_once('=')) {
            who.add(name, json!(value));
        } else if let Some(told) = told.filter(|t| t.starts_with("v1.")) {
            who.known("halosessionid", "halo_session_id", json!(told));
        }
    }
    let (person, utm) = (who.person(home), who.utm());
    let traces = Traces { click_ids: Vec::new(), ..who.traces(&utm) };
    let service = &row["service"];
    Fact::Milestone(Milestone {
        external_id: Some(id.to_owned()),
        source: SLUG.into(),
        kind: kind.into(),
        happened_at: at,
        told_at,
        person,
        traces,
        utm,
        referrer: None,
        data: json!({
            "starts_at": times.0.map(Time::utc), "ends_at": times.1.map(Time::utc),
            "service": text(service, "name").map(|t| clean_text(&t, MAX_TEXT)), "price": text(service, "price"),
            "currency": text(service, "currency").map(|t| clean_text(&t, 16)),
        }),
        metadata: json!({"service_id": first_text(row, &["serviceId", "id_services"]), "provider_id": provider_of(row)}),
        by_hand: ByHand::default(),
        is_imported: false,
    })
}

pub fn provider_of(row: &Value) -> Option<String> {
    first_text(row, &["providerId", "id_users_provider"]).filter(|id| is_number(id))
}

/// The zone that an installation names, under either of two paths' shapes.
pub fn own_zone(value: &Value, home: &Home) -> Zone {
    text(value, "value").and_then(|name| Zone::parse(&name)).unwrap_or_else(|| home.zone.clone())
}

/// Reads what a call has only named: an appointment, or the customer of one that was taken away.
pub struct Reading;

/// Where the talk stands. It is never stored: a fetch that is cut off begins anew.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Talk {
    refs: Vec<String>,
    own_zone: Option<String>,
    /// The appointment, while its provider's zone is asked for.
    row: Option<Value>,
}

impl Steps<Fetch> for Reading {
    fn step(&self, state: State, got: Option<&Response>, settings: &Settings, home: &Home, _: Time) -> Step<Fetch> {
        let place = match Place::of(settings) {
            Ok(place) => place,
            Err(verdict) => return Step::Fail(verdict),
        };
        let mut talk: Talk = serde_json::from_value(state).unwrap_or_default();
        if got.is_none() {
            talk.refs.retain(|name| Named::of(name).is_some());
        }
        let Some(named) = talk.refs.first().and_then(|name| Named::of(name)) else { return Step::Done(()) };
        let Some(response) = got else { return Step::Ask(Box::new(talk.request(&place, &named)), json!(talk)) };
        let told = match answer(response, &place) {
            Answer::Json(value) => Some(value),
            Answer::Missing => None,
            Answer::Trouble(verdict) => return Step::Fail(verdict),
        };
        if talk.own_zone.is_none() {
            talk.own_zone = Some(own_zone(&told.unwrap_or_default(), home).name().to_owned());
            return self.step(json!(talk), None, settings, home, home.now);
        }
        if let Some(row) = talk.row.take() {
            let provider = told.and_then(|p| text(&p, "timezone")).and_then(|name| Zone::parse(&name));
            let own = talk.own_zone.as_deref().and_then(Zone::parse).unwrap_or_else(|| home.zone.clone());
            let zones = Zones { provider: provider.unwrap_or_else(|| own.clone()), own };
            return Step::Yield(stand(&row, &zones, home), json!(talk.next()));
        }
        match (named, told) {
            (Named::Appointment(_), Some(row)) => {
                talk.row = Some(row);
                self.step(json!(talk), None, settings, home, home.now)
            }
            (Named::Gone { id, at, .. }, Some(customer)) => {
                let row = json!({"customer": customer});
                let at = at.min(home.now);
                let fact = step(&row, &id, "appointment_cancelled", at, Some(at), (None, None), home);
                Step::Yield(Batch::of(vec![fact]), json!(talk.next()))
            }
            // Taken away since.
            (_, None) => Step::Yield(Batch::default(), json!(talk.next())),
        }
    }
}

impl Talk {
    fn next(self) -> Self {
        Self { refs: self.refs.into_iter().skip(1).collect(), own_zone: self.own_zone, row: None }
    }

    fn request(&self, place: &Place, named: &Named) -> Request {
        if self.own_zone.is_none() {
            return place.ask("GET", "settings/default_timezone");
        }
        match (&self.row, named) {
            (Some(row), _) => place.ask("GET", &format!("providers/{}", provider_of(row).unwrap_or_else(|| "0".into()))),
            (None, Named::Appointment(id)) => {
                place.ask("GET", &format!("appointments/{id}")).query("with", Part::plain("customer,service"))
            }
            (None, Named::Gone { customer, .. }) => place.ask("GET", &format!("customers/{customer}")),
        }
    }
}

enum Named {
    Appointment(String),
    Gone { id: String, customer: String, at: Time },
}

impl Named {
    fn of(name: &str) -> Option<Self> {
        let parts: Vec<&str> = name.split(':').collect();
        match parts.as_slice() {
            ["appointment", id] if is_number(id) => Some(Self::Appointment((*id).to_owned())),
            ["gone", id, customer, at] if is_number(id) && is_number(customer) => {
                Some(Self::Gone { id: (*id).to_owned(), customer: (*customer).to_owned(), at: Time::from_s(at.parse().ok()?) })
            }
            _ => None,
        }
    }
}
