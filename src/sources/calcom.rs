//! Cal.com, at its own place or on one's own server: who booked, moved, cancelled, came and stayed away, and what was paid.
//! <https://cal.com/docs/developing/guides/automation/webhooks>
//!
//! Signed in `X-Cal-Signature-256`: hex of HMAC-SHA256 over the body. Where its webhook has no secret the header holds the words
//! `no-secret-provided`, which prove nothing.

use serde_json::{Value, json};

use super::kit::answers::{Answers, content_key};
use super::kit::{self, Verified, first_text, text};
use super::{Batch, Heard, Home, Reject, Source, Webhook};
use crate::crypto::{self, Secret};
use crate::domain::campaign::{MAX_TEXT, clean_text};
use crate::domain::conversion::Rank;
use crate::domain::fact::{ByHand, Fact, Lead, Milestone, Order};
use crate::domain::money::Currency;
use crate::domain::platform::{About, Field, FieldKind, Secrets, Settings};
use crate::domain::time::Time;
use crate::wire::Incoming;

pub struct CalCom;

static ABOUT: About = About {
    slug: "calcom",
    name: "Cal.com",
    purpose: "tells who booked, moved, cancelled, came and stayed away",
    fields: &[Field {
        key: "secret",
        label: "Secret",
        help: "What Cal.com signs with. Leave it empty and one is made for you, to be entered there.",
        kind: FieldKind::Secret,
        is_required: true,
    }],
    steps: &[
        "In Cal.com open Settings › Developer › Webhooks, add a webhook with the address of this connection, and enter the secret there.",
        "Choose the events: booking created, rescheduled, cancelled, rejected, paid, no-show updated, meeting ended, form submitted.",
        "Add hidden questions utm_source, utm_medium, utm_campaign and halo_session_id to your event types: what the link to your booking page carries under these names then comes along.",
        "Book an appointment yourself and look for it under Funnel.",
    ],
    docs_url: "https://cal.com/docs/developing/guides/automation/webhooks",
    receives: true,
    pulls: false,
    sends: false,
    own_secret: Some("secret"),
};

impl Source for CalCom {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn webhook(&self) -> Option<&dyn Webhook> {
        Some(self)
    }

    fn brings(&self) -> (&'static str, &'static str) {
        ("Bookings", "Booking tracking")
    }
}

impl Webhook for CalCom {
    fn verify<'a>(&self, got: &Incoming<'a>, secrets: &Secrets, _: Time) -> Result<Verified<'a>, Reject> {
        let live: Vec<Secret> = secrets.all("secret").iter().filter(|s| !s.reveal().is_empty()).cloned().collect();
        let claimed = got.headers.only("x-cal-signature-256").ok_or(Reject::BadSignature)?;
        let content_type = got.headers.get("content-type").unwrap_or_default();
        Verified::by_hex_hmac(&live, &[got.body], claimed, got.body, content_type).ok_or(Reject::BadSignature)
    }

    fn parse(&self, body: &Verified<'_>, _: &Settings, home: &Home) -> Result<Heard, Reject> {
        let event = kit::object(body.body())?;
        let trigger = text(&event, "triggerEvent").ok_or_else(|| kit::missing("triggerEvent"))?;
        // Of a meeting that has ended the booking stands at the top.
        let booking = if event["payload"].is_object() { &event["payload"] } else { &event };
        let told_at = kit::time(&event, &["createdAt"]).map_or(home.now, |at| at.min(home.now));
        let fact = match trigger.as_str() {
            "BOOKING_CREATED" => step(booking, "appointment_booked", told_at, home)?,
            "BOOKING_RESCHEDULED" => step(booking, "appointment_rescheduled", told_at, home)?,
            "BOOKING_CANCELLED" | "BOOKING_REJECTED" => step(booking, "appointment_cancelled", told_at, home)?,
            "MEETING_ENDED" => {
                let ended_at = kit::time(booking, &["endTime"]).map_or(told_at, |at| at.min(home.now));
                step(booking, "appointment_completed", ended_at, home)?
            }
            "BOOKING_NO_SHOW_UPDATED" => return Ok(absences(booking, told_at, home)),
            "BOOKING_PAID" => match payment(booking, told_at, home)? {
                Some(order) => Fact::Order(order),
                None => return Ok(kit::ignored()),
            },
            "FORM_SUBMITTED" => submitted(booking, told_at, home)?,
            _ => return Ok(kit::ignored()),
        };
        Ok(Heard::Facts(Batch::of(vec![fact])))
    }
}

/// What everybody is asked, and the owner's own questions, of whom it is for.
fn answers(booking: &Value) -> Answers {
    let mut all = Answers::default();
    let attendee = &booking["attendees"][0];
    for (meaning, value) in [("email", &attendee["email"]), ("name", &attendee["name"]), ("phone", &attendee["phoneNumber"])] {
        all.known(meaning, meaning, value.clone());
    }
    for list in ["responses", "userFieldsResponses", "customInputs"] {
        for (name, told) in booking[list].as_object().into_iter().flatten() {
            // Guests are others, and where it takes place is no answer of theirs.
            if matches!(name.as_str(), "guests" | "location" | "title") {
                continue;
            }
            let value = if told.is_object() { told.get("value").cloned().unwrap_or_default() } else { told.clone() };
            let label = text(told, "label").unwrap_or_else(|| name.clone());
            let meaning = if name == "attendeePhoneNumber" || name == "smsReminderNumber" { "phone" } else { name };
            match &value {
                // First and last name in one answer.
                Value::Object(parts) if name == "name" => {
                    all.known("firstname", "first_name", parts.get("firstName").cloned().unwrap_or_default());
                    all.known("lastname", "last_name", parts.get("lastName").cloned().unwrap_or_default());
                }
                Value::Object(_) => {}
                _ => all.known(meaning, &label, value.clone()),
            }
        }
    }
    for place in ["tracking", "metadata"] {
        all.object(&booking[place]);
    }
    all
}

fn step(booking: &Value, kind: &str, at: Time, home: &Home) -> Result<Fact, Reject> {
    let uid = text(booking, "uid").ok_or_else(|| kit::missing("uid"))?;
    let mut told = answers(booking);
    let clicks = told.clicks();
    let (person, utm) = (told.person(home), told.utm());
    let mut traces = told.traces(&utm);
    // The visit that the campaign names is a touch of its own beside the step.
    traces.click_ids.clear();
    let mut data = clicks;
    for (name, key) in [("starts_at", "startTime"), ("ends_at", "endTime")] {
        data.extend(kit::time(booking, &[key]).map(|at| (name.to_owned(), json!(at.utc()))));
    }
    for (name, keys) in [("event_type", ["eventTitle", "type"]), ("reason", ["cancellationReason", "rejectionReason"])] {
        data.extend(first_text(booking, &keys).map(|t| (name.to_owned(), json!(clean_text(&t, MAX_TEXT)))));
    }
    data.insert("answers".into(), Value::Object(told.rest()));
    let metadata =
        json!({"booking_id": booking["bookingId"], "rescheduled_from": first_text(booking, &["rescheduleUid", "fromReschedule"])});
    Ok(Fact::Milestone(Milestone {
        external_id: Some(clean_text(&uid, MAX_TEXT)),
        source: ABOUT.slug.into(),
        kind: kind.into(),
        happened_at: at,
        person,
        traces,
        utm,
        referrer: None,
        data: Value::Object(data),
        metadata,
        by_hand: ByHand::default(),
        is_imported: false,
    }))
}

/// Those of a booking who stayed away. One of whom it is taken back stays as told: a step that was taken is not untaken.
fn absences(told: &Value, at: Time, home: &Home) -> Heard {
    let Some(uid) = first_text(told, &["bookingUid", "uid"]) else { return kit::ignored() };
    let absent = told["attendees"].as_array().into_iter().flatten().filter(|a| a["noShow"] == Value::Bool(true));
    let facts: Vec<Fact> = absent
        .filter_map(|attendee| {
            let mut who = Answers::default();
            who.known("email", "email", attendee["email"].clone());
            let person = who.person(home);
            let email = person.email.as_ref().map(|email| email.as_str().to_owned());
            email.map(|email| {
                // Of a booking of two each may stay away: a number of its own, by which nobody is known elsewhere.
                let one = crypto::sha256(format!("{uid} {email}").as_bytes());
                Fact::Milestone(Milestone {
                    external_id: Some(clean_text(&format!("{uid}::{}", crypto::hex(&one[..4])), MAX_TEXT)),
                    source: ABOUT.slug.into(),
                    kind: "appointment_no_show".into(),
                    happened_at: at,
                    person,
                    traces: Default::default(),
                    utm: Default::default(),
                    referrer: None,
                    data: json!({}),
                    metadata: json!({"booking_id": told["bookingId"]}),
                    by_hand: ByHand::default(),
                    is_imported: false,
                })
            })
        })
        .collect();
    if facts.is_empty() { kit::ignored() } else { Heard::Facts(Batch::of(facts)) }
}

/// `price` is in the smallest unit of the currency, as Stripe has it, through which it is paid.
fn payment(booking: &Value, at: Time, home: &Home) -> Result<Option<Order>, Reject> {
    let uid = text(booking, "uid").ok_or_else(|| kit::missing("uid"))?;
    let currency = match text(booking, "currency") {
        Some(word) => Currency::parse(&word),
        None => Some(home.currency),
    };
    let bad = |field: &str, sentence: &str| Reject::BadField { field: field.into(), code: "invalid_amount", sentence: sentence.into() };
    let currency = currency.ok_or_else(|| bad("currency", "currency must be an ISO 4217 code such as eur."))?;
    let price = kit::minor_units::maybe(&booking["price"], currency);
    let price = price.ok_or_else(|| bad("price", "price must be a whole number of the smallest unit of the currency."))?;
    if price.minor == 0 {
        return Ok(None);
    }
    let mut told = answers(booking);
    let (person, utm) = (told.person(home), told.utm());
    let traces = told.traces(&utm);
    Ok(Some(Order { person, traces, ..Order::paid(ABOUT.slug, Rank::Payment, uid, at, price) }))
}

/// A routing form: somebody asked before there was anything to book.
fn submitted(form: &Value, at: Time, home: &Home) -> Result<Fact, Reject> {
    let mut told = answers(form);
    let (person, utm) = (told.person(home), told.utm());
    let traces = told.traces(&utm);
    if person.email.is_none() && person.phone.is_none() && traces.session.is_none() {
        return Err(kit::missing("email"));
    }
    let form_type = text(form, "formName").map(|t| clean_text(&t, MAX_TEXT)).unwrap_or_else(|| "form".into());
    let custom_fields = Value::Object(told.rest());
    let content = json!({"email": person.email, "phone": person.phone, "form": form_type, "fields": custom_fields});
    Ok(Fact::Lead(Lead {
        external_id: first_text(form, &["formResponseId", "responseId"]).map(|id| clean_text(&id, MAX_TEXT)),
        source: ABOUT.slug.into(),
        happened_at: at,
        person,
        traces,
        message: None,
        form_type,
        value: None,
        custom_fields,
        url: None,
        content_key: content_key(&content),
        is_imported: false,
    }))
}
