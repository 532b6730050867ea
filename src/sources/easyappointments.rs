//! Easy!Appointments on one's own server: who booked, cancelled, came and stayed away.
//! <https://easyappointments.org/documentation/>, and its REST API: <https://easyappointments.org/docs/1.5/rest-api>
//!
//! A call holds the bare row of an appointment and, in `X-Ea-Token`, the secret that was agreed; it is made once, while the visitor
//! waits. Whom it is of is read right after. Times have no zone: those of an appointment are its provider's, the moment of booking is
//! the installation's.

mod appointment;
mod hooks;
mod place;
mod pull;

use super::kit::{self, Verified, text};
use super::{Fetch, Heard, Home, Provision, Pull, Reject, Source, Webhook};
use crate::crypto::Secret;
use crate::domain::platform::{About, Field, FieldKind, Secrets, Settings};
use crate::domain::steps::Steps;
use crate::domain::time::Time;
use crate::error::Error;
use crate::wire::Incoming;

pub struct EasyAppointments;

const SLUG: &str = "easyappointments";
const TOKEN: &str = "token";
/// What a call brings along: made by us and given to the installation.
const HOOK_SECRET: &str = "secret";

static ABOUT: About = About {
    slug: SLUG,
    name: "Easy!Appointments",
    purpose: "tells who booked, cancelled, came and stayed away",
    fields: &[
        Field {
            key: "url",
            label: "Address",
            help: "Where your Easy!Appointments is, with its folder if it lies in one.",
            kind: FieldKind::Url,
            is_required: true,
        },
        Field {
            key: TOKEN,
            label: "API token",
            help: "In Easy!Appointments under Settings › Integrations › API.",
            kind: FieldKind::Secret,
            is_required: true,
        },
        Field {
            key: HOOK_SECRET,
            label: "Webhook secret",
            help: "What its calls bring along. It is made and given to Easy!Appointments for you: leave it empty.",
            kind: FieldKind::Secret,
            is_required: false,
        },
    ],
    steps: &[
        "In Easy!Appointments open Settings › Integrations › API and set a token.",
        "Enter the address and the token here. The webhook is then registered for you.",
        "Give each appointment that was kept or missed its status: one whose status says no-show counts as missed, one that is past as kept.",
        "Book an appointment yourself and look for it under Funnel.",
    ],
    docs_url: "https://easyappointments.org/docs/1.5/rest-api",
    receives: true,
    pulls: true,
    sends: false,
    own_secret: Some(HOOK_SECRET),
};

impl Source for EasyAppointments {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, settings: &Settings, _: &Secrets) -> Result<(), Error> {
        match settings.get("url") {
            Some(url) if place::Place::at(url).is_none() => {
                Err(Error::invalid("url", "Address must begin with https:// and name a host, such as https://book.example."))
            }
            _ => Ok(()),
        }
    }

    fn webhook(&self) -> Option<&dyn Webhook> {
        Some(self)
    }

    fn brings(&self) -> (&'static str, &'static str) {
        ("Appointments", "Booking tracking")
    }

    fn pull(&self) -> Option<&dyn Steps<Pull>> {
        Some(&pull::List)
    }

    fn pull_schedule(&self) -> Option<&'static str> {
        Some("30 18 * * *")
    }

    fn fetch(&self) -> Option<&dyn Steps<Fetch>> {
        Some(&appointment::Reading)
    }

    fn provision(&self) -> Option<&dyn Steps<Provision>> {
        Some(&hooks::Registration)
    }
}

impl Webhook for EasyAppointments {
    fn verify<'a>(&self, got: &Incoming<'a>, secrets: &Secrets, _: Time) -> Result<Verified<'a>, Reject> {
        let live: Vec<Secret> = secrets.all(HOOK_SECRET).iter().filter(|s| !s.reveal().is_empty()).cloned().collect();
        let claimed = got.headers.only("x-ea-token").filter(|c| !c.is_empty()).ok_or(Reject::BadSignature)?;
        let content_type = got.headers.get("content-type").unwrap_or_default();
        Verified::by_shared_secret(&live, claimed, got.body, content_type).ok_or(Reject::BadSignature)
    }

    fn parse(&self, body: &Verified<'_>, _: &Settings, home: &Home) -> Result<Heard, Reject> {
        let told = kit::object(body.body())?;
        let action = text(&told, "action").ok_or_else(|| kit::missing("action"))?;
        let row = &told["payload"];
        let number = |key: &str| text(row, key).filter(|id| place::is_number(id));
        match action.as_str() {
            "appointment_save" if row["is_unavailability"] == serde_json::Value::Bool(true) => Ok(kit::ignored()),
            "appointment_save" => {
                let id = number("id").ok_or_else(|| kit::missing("payload.id"))?;
                Ok(Heard::Fetch(vec![format!("appointment:{id}")]))
            }
            "appointment_delete" => {
                let id = number("id").ok_or_else(|| kit::missing("payload.id"))?;
                // A row that blocks time is of nobody.
                let Some(customer) = number("id_users_customer") else { return Ok(kit::ignored()) };
                Ok(Heard::Fetch(vec![format!("gone:{id}:{customer}:{}", home.now.s())]))
            }
            _ => Ok(kit::ignored()),
        }
    }
}
