//! Steps and sign-ups told by the owner's own server, in the shapes of the older system.

/// Figures over all of them.
pub mod metrics;

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::access;
use super::ask::Ask;
use super::json as reader;
use super::reply::Reply;
use super::route::{Doc, Scope};
use crate::app::App;
use crate::domain::campaign::{Utm, clean_text};
use crate::domain::fact::{ByHand, Enrolment, Fact, Milestone, Person, Traces};
use crate::domain::ids::MilestoneId;
use crate::domain::milestone::{self, SOURCES};
use crate::domain::money::{Currency, Money};
use crate::domain::person::{Email, Phone};
use crate::domain::time::{HOUR_MS, Time};
use crate::error::{Error, Kind, Result};
use crate::flows::intake::{self, Delivered, Stored};
use crate::sources::kit;
use crate::store::milestones::{self, enrolments};
use crate::store::sites::Site;

/// Bytes of what a sender says of a step beside its fields.
const MOST_SAID: usize = 16 * 1024;

pub const EVENT: Doc = Doc::new(
    "Funnel",
    "Takes a step of somebody on the way to becoming a customer: asked, booked, came, signed up. The same source, id and type again is the same event; without an id the same source, type, person and second is.",
)
.body(r#"{"source_type":"easyappointments","event_type":"appointment_booked","external_id":"ea_812","event_timestamp":"2026-06-13T09:20:00Z","email":"ann@shop.example","first_name":"Ann","utm_source":"instagram","event_data":{"service":"Fitting"}}"#)
.answer(r#"{"success":true,"event_id":"milestone_12","event_type":"appointment_booked","email":"ann@shop.example","created_at":"2026-06-13T09:20:04Z","message":"The event was stored."}"#)
.statuses(&[200, 400, 401, 403, 413, 415, 422, 503]);

pub const CONVERSION: Doc = Doc::new(
    "Funnel",
    "Tells that somebody became a user. First and last step before it, days and steps are worked out once; the same address and user again gives the same answer.",
)
.body(r#"{"email":"ann@shop.example","user_id":"u-17","converted_at":"2026-06-13T09:20:00Z","estimated_value_usd":120}"#)
.answer(r#"{"success":true,"conversion_id":"conversion_9","user_id":"u-17","email":"ann@shop.example","first_touch_source_type":"referral","first_touch_at":"2026-06-01T08:00:00Z","last_touch_source_type":"zoom","last_touch_at":"2026-06-08T17:00:00Z","days_to_conversion":12,"total_touchpoints":3,"message":"Converted 12 days after the first of 3 steps."}"#)
.statuses(&[200, 400, 401, 403, 413, 415, 422, 503]);

/// `POST /funnel/event`
pub async fn event(app: App, ask: Ask) -> Result<Reply> {
    let site = sender(&app, &ask).await?;
    let now = app.clock.now();
    let fields = reader::object(&ask.body)?;
    let milestone = read_event(&site, &fields, now)?;
    let (kind, email) = (milestone.kind.clone(), address(&milestone.person));
    let stored = take(&app, &site, &ask, Fact::Milestone(milestone)).await?;
    app.figures.add("funnel_events", &format!("type=\"{kind}\""));
    let id = stored.fact.map(MilestoneId::new);
    // One that was known is as old as it was, and of whom it was.
    let known = match id.filter(|_| !stored.is_new) {
        Some(id) => app.store.read(site.id, move |c| milestones::find_first_told(c, id)).await?,
        None => None,
    };
    let (created_at, first_told) = known.unwrap_or((now, email.clone()));
    let message = match (id, stored.is_new) {
        (Some(_), true) => "The event was stored.",
        (Some(_), false) if email.is_some() && first_told.is_some() && email != first_told => {
            "The event was known already, with another address; it stays as it was. Send another person's event under an external_id of its own."
        }
        (Some(_), false) => "The event was known already.",
        (None, _) => "Nothing was stored: the person was erased after this happened.",
    };
    Reply::json(&json!({
        "success": true, "event_id": id, "event_type": kind, "email": first_told, "created_at": created_at.utc(),
        "message": message,
    }))
}

/// `POST /funnel/conversion`
pub async fn conversion(app: App, ask: Ask) -> Result<Reply> {
    let site = sender(&app, &ask).await?;
    let fields = reader::object(&ask.body)?;
    let enrolment = read_enrolment(&fields, app.clock.now())?;
    let (email, user_id) = (address(&enrolment.person), enrolment.user_id.clone());
    let stored = take(&app, &site, &ask, Fact::Enrolment(enrolment)).await?;
    let known = match stored.conversion {
        Some(id) => app.store.read(site.id, move |c| enrolments::find(c, id)).await?,
        None => None,
    };
    let way = known.as_ref().map(|k| k.way.clone()).unwrap_or_default();
    let days = known.as_ref().and_then(|k| k.days);
    let message = match (stored.conversion, days) {
        (None, _) => "Nothing was stored: the person was erased after this happened.".to_owned(),
        (_, Some(days)) => format!("Converted {} after the first of {}.", counted(days, "day"), counted(way.count, "step")),
        (_, None) => "Converted; no step before it is known.".to_owned(),
    };
    Reply::json(&json!({
        "success": true, "conversion_id": stored.conversion, "user_id": user_id, "email": email,
        "first_touch_source_type": way.first.as_ref().map(|(source, _)| source),
        "first_touch_at": way.first.as_ref().map(|(_, at)| at.utc()),
        "last_touch_source_type": way.last.as_ref().map(|(source, _)| source),
        "last_touch_at": way.last.as_ref().map(|(_, at)| at.utc()),
        "days_to_conversion": days, "total_touchpoints": way.count, "message": message,
    }))
}

/// A program with a token that may write. No rate: a system that tells what happened is not slowed down.
async fn sender(app: &App, ask: &Ask) -> Result<Arc<Site>> {
    let token = ask.bearer().or(ask.query("token"));
    let token = token.ok_or_else(|| Error::new(Kind::Unauthorised, "signed_out", "Send a token: Authorization: Bearer ht_…."))?;
    Ok(access::prove(app, token, Scope::Write).await?.1)
}

async fn take(app: &App, site: &Arc<Site>, ask: &Ask, fact: Fact) -> Result<Stored> {
    let delivered = Delivered {
        connection: None,
        platform: "funnel".into(),
        path: ask.path.clone(),
        content_type: "application/json".into(),
        body: ask.body.to_vec(),
        facts: vec![fact],
        fetch: Vec::new(),
        is_asserted: false,
        is_once: false,
        read_at: None,
    };
    let taken = intake::run(app, site, delivered).await?;
    taken.facts.into_iter().next().ok_or_else(|| Error::internal("a told fact left nothing"))
}

fn read_event(site: &Site, fields: &Map<String, Value>, now: Time) -> Result<Milestone> {
    let own = &site.settings.funnel_types;
    let source = word(fields, "source_type", 64)?.unwrap_or_default();
    if !SOURCES.contains(&source.as_str()) {
        return Err(none_of("source_type", &SOURCES));
    }
    let kind = word(fields, "event_type", 64)?.unwrap_or_default();
    let kind = milestone::kind_of(&kind, own).ok_or_else(|| none_of("event_type", &milestone::kinds(own)))?.to_owned();
    let phone = word(fields, "phone", 64)?.and_then(|p| Phone::parse(&p, site.country.as_deref()));
    let happened_at = moment(fields, "event_timestamp", now)?;
    Ok(Milestone {
        external_id: word(fields, "external_id", 255)?,
        source,
        kind,
        happened_at,
        told_at: Some(happened_at),
        person: Person {
            email: email(fields)?,
            phone,
            first_name: word(fields, "first_name", 255)?,
            last_name: word(fields, "last_name", 255)?,
            company: word(fields, "company", 255)?,
            address: word(fields, "ip_address", 64)?,
            ..Person::default()
        },
        traces: Traces {
            session: word(fields, "session_id", 128)?,
            consent_given: kit::consent(&Value::Object(fields.clone()), "consent_given"),
            user_agent: word(fields, "user_agent", 1_024)?,
            ..Traces::default()
        },
        utm: Utm {
            source: word(fields, "utm_source", 255)?,
            medium: word(fields, "utm_medium", 255)?,
            campaign: word(fields, "utm_campaign", 255)?,
            term: word(fields, "utm_term", 255)?,
            content: word(fields, "utm_content", 255)?,
        }
        .without_people(),
        referrer: word(fields, "referrer", 2_048)?,
        data: said(fields, "event_data")?,
        metadata: said(fields, "external_metadata")?,
        by_hand: ByHand::default(),
        is_imported: false,
    })
}

fn read_enrolment(fields: &Map<String, Value>, now: Time) -> Result<Enrolment> {
    let absent = |field: &str| Error::invalid(field, format!("{field} is missing."));
    let email = email(fields)?.ok_or_else(|| absent("email"))?;
    let user_id = word(fields, "user_id", 255)?.ok_or_else(|| absent("user_id"))?;
    let usd = Currency::parse("USD").ok_or_else(|| Error::internal("there is no USD"))?;
    let bad_value = || Error::invalid("estimated_value_usd", "estimated_value_usd must be an amount like 120 or 99.50, and not negative.");
    let estimated = match word(fields, "estimated_value_usd", 32)? {
        Some(text) => Some(Money::parse(&text, usd).ok().filter(|m| m.minor >= 0).ok_or_else(bad_value)?.minor),
        None => None,
    };
    Ok(Enrolment {
        user_id,
        happened_at: moment(fields, "converted_at", now)?,
        person: Person { email: Some(email), ..Person::default() },
        traces: Traces {
            session: word(fields, "session_id", 128)?,
            consent_given: kit::consent(&Value::Object(fields.clone()), "consent_given"),
            ..Traces::default()
        },
        estimated_usd_minor: estimated,
    })
}

pub(super) fn none_of(field: &str, allowed: &[&str]) -> Error {
    Error::invalid(field, format!("{field} must be one of: {}.", allowed.join(", ")))
}

fn email(fields: &Map<String, Value>) -> Result<Option<Email>> {
    match word(fields, "email", 254)? {
        Some(text) => {
            Ok(Some(Email::parse(&text).ok_or_else(|| Error::invalid("email", "email must be an address like ann@shop.example."))?))
        }
        None => Ok(None),
    }
}

/// A time that has come; now where none is given.
fn moment(fields: &Map<String, Value>, name: &str, now: Time) -> Result<Time> {
    let Some(text) = word(fields, name, 64)? else { return Ok(now) };
    let at = Time::parse(&text).ok_or_else(|| Error::invalid(name, format!("{name} must be a time like 2026-06-13T09:20:00Z.")))?;
    if at.ms_since(now) > 24 * HOUR_MS {
        return Err(Error::invalid(name, format!("{name} lies in the future.")));
    }
    Ok(at.min(now))
}

fn said(fields: &Map<String, Value>, name: &str) -> Result<Value> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(json!({})),
        Some(all @ Value::Object(_)) if all.to_string().len() <= MOST_SAID => Ok(all.clone()),
        Some(_) => Err(Error::invalid(name, format!("{name} must be an object of at most {} KiB.", MOST_SAID / 1024))),
    }
}

/// Text or number as text; empty is absent.
fn word(fields: &Map<String, Value>, name: &str, most: usize) -> Result<Option<String>> {
    let text = match fields.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) if text.chars().count() <= most => clean_text(text, most),
        Some(Value::Number(n)) => n.to_string(),
        Some(_) => return Err(Error::invalid(name, format!("{name} must be text of at most {most} characters."))),
    };
    Ok((!text.is_empty()).then_some(text))
}

fn address(person: &Person) -> Option<String> {
    person.email.as_ref().map(|e| e.as_str().to_owned())
}

fn counted(n: i64, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}
