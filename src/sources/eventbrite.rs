//! Eventbrite: tickets sold and given back, and who came. <https://www.eventbrite.com/platform/api>
//!
//! A call is not signed and holds an address to read. Of it only the numbers are believed; what they stand for is read from
//! Eventbrite's own host (`ticket.rs`), never from the address that was named.

mod pull;
mod ticket;
mod webhooks;

use serde_json::Value;

use super::kit::{self, Verified, text};
use super::{Fetch, Heard, Home, Provision, Pull, Reject, Source, Webhook};
use crate::domain::platform::{About, Field, FieldKind, Secrets, Settings};
use crate::domain::steps::{Steps, Verdict, retry_after_ms};
use crate::domain::time::{MINUTE_MS, Time};
use crate::error::Error;
use crate::wire::{Incoming, Request, Response};

pub struct Eventbrite;

const SLUG: &str = "eventbrite";
const TOKEN: &str = "token";
const ORGANIZATION: &str = "organization_id";
const HOST: &str = "https://www.eventbriteapi.com";

static ABOUT: About = About {
    slug: SLUG,
    name: "Eventbrite",
    purpose: "tells which tickets were sold and given back, and who came",
    fields: &[
        Field {
            key: TOKEN,
            label: "Private token",
            help: "In Eventbrite under Account settings › Developer links › API keys.",
            kind: FieldKind::Secret,
            is_required: true,
        },
        Field {
            key: ORGANIZATION,
            label: "Organization",
            help: "Its number: in Eventbrite under Organization settings, in the address of the page.",
            kind: FieldKind::Text,
            is_required: true,
        },
    ],
    steps: &[
        "In Eventbrite open Account settings › Developer links › API keys and copy your private token.",
        "Enter it here with the number of your organization. The webhook is then registered for you.",
        "Put ?aff= and a word of your own behind the links to your events: it is where a buyer came from.",
        "Order a ticket yourself and look for it under Funnel.",
    ],
    docs_url: "https://www.eventbrite.com/platform/api",
    receives: true,
    pulls: true,
    sends: false,
    own_secret: None,
};

impl Source for Eventbrite {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, settings: &Settings, _: &Secrets) -> Result<(), Error> {
        match settings.get(ORGANIZATION) {
            Some(id) if !is_id(id) => Err(Error::invalid(ORGANIZATION, "Organization is a number, such as 612345678901.")),
            _ => Ok(()),
        }
    }

    fn webhook(&self) -> Option<&dyn Webhook> {
        Some(self)
    }

    fn brings(&self) -> (&'static str, &'static str) {
        ("Tickets", "Ticket tracking")
    }

    fn pull(&self) -> Option<&dyn Steps<Pull>> {
        Some(&pull::Lists)
    }

    fn pull_schedule(&self) -> Option<&'static str> {
        Some("30 18 * * *")
    }

    fn fetch(&self) -> Option<&dyn Steps<Fetch>> {
        Some(&ticket::Reading)
    }

    fn provision(&self) -> Option<&dyn Steps<Provision>> {
        Some(&webhooks::Registration)
    }
}

impl Webhook for Eventbrite {
    fn secrets(&self) -> &'static [&'static str] {
        &[]
    }

    fn verify<'a>(&self, got: &Incoming<'a>, _: &Secrets, _: Time) -> Result<Verified<'a>, Reject> {
        Ok(Verified::by_address_alone(got.body, got.headers.get("content-type").unwrap_or_default()))
    }

    fn parse(&self, body: &Verified<'_>, _: &Settings, _: &Home) -> Result<Heard, Reject> {
        let told = kit::object(body.body())?;
        let action = text(&told["config"], "action").ok_or_else(|| kit::missing("config.action"))?;
        if !matches!(action.split('.').next(), Some("order" | "attendee")) {
            return Ok(kit::ignored());
        }
        let named = text(&told, "api_url").and_then(|url| ticket::reference(&url));
        named.map(|name| Heard::Fetch(vec![name])).ok_or_else(|| Reject::BadField {
            field: "api_url".into(),
            code: "invalid_field",
            sentence: "api_url must name an order or an attendee at www.eventbriteapi.com.".into(),
        })
    }
}

/// Numbers; an attendee's may have a part behind a dash.
fn is_id(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit() || b == b'-')
}

/// Every path ends with a slash: without it Eventbrite leads on.
fn api(method: &str, path: &str) -> Request {
    Request::new(method, HOST, format!("/v3/{path}/")).host(SLUG).bearer(TOKEN)
}

fn organization(settings: &Settings) -> Result<&str, Verdict> {
    settings.get(ORGANIZATION).filter(|id| is_id(id)).ok_or_else(|| Verdict::Pause("Enter the number of your organization.".into()))
}

#[derive(Debug)]
enum Answer {
    Json(Value),
    Missing,
    /// The mark of the next page is past its time: the list is read from its beginning.
    Anew,
    Trouble(Verdict),
}

fn read(response: &Response) -> Answer {
    let body = response.json().unwrap_or_default();
    match (response.status, text(&body, "error").as_deref()) {
        (200..=299, _) if body.is_object() => Answer::Json(body),
        (400, Some("BAD_CONTINUATION_TOKEN")) => Answer::Anew,
        (401, _) => Answer::Trouble(Verdict::Pause(
            "Eventbrite refuses the private token: it was withdrawn or not copied whole. Enter it anew.".into(),
        )),
        (403, _) => Answer::Trouble(Verdict::Pause(
            "The private token may not see this organization. Use that of a member who may manage its events.".into(),
        )),
        (404, _) => Answer::Missing,
        (429, _) => Answer::Trouble(Verdict::Retry {
            after_ms: retry_after_ms(response).or(Some(10 * MINUTE_MS)),
            sentence: "Eventbrite takes no more than two thousand requests an hour. It is asked again later.".into(),
        }),
        _ => Answer::Trouble(kit::lists::trouble("Eventbrite", response)),
    }
}

fn no_organization() -> Verdict {
    Verdict::Pause("Eventbrite knows no such organization for this token. Check its number.".into())
}
