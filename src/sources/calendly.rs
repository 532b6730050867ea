//! Calendly: who booked, moved, cancelled, came and stayed away, with the campaign that the link to the booking page carried.
//! <https://developer.calendly.com/api-docs>
//!
//! Signed in `Calendly-Webhook-Signature`: `t=seconds,v1=hex(HMAC-SHA256(our key, t.body))`. The webhook is registered with a key
//! of ours. An appointment that is moved is told as one that is cancelled and one that is made; it is one step here.

mod booking;
mod pull;
mod subscription;

use serde_json::Value;

use super::kit::{self, Verified, text};
use super::{Batch, Fetch, Heard, Home, Provision, Pull, Reject, Source, Webhook};
use crate::crypto::Secret;
use crate::domain::platform::{About, Field, FieldKind, Secrets, Settings};
use crate::domain::steps::{Steps, Verdict, by_status, retry_after_ms};
use crate::domain::time::{SECOND_MS, Time};
use crate::wire::{Incoming, Request, Response};

pub struct Calendly;

const SLUG: &str = "calendly";
const TOKEN: &str = "token";
/// What Calendly signs with: made by us and given to it.
const HOOK_SECRET: &str = "secret";

static ABOUT: About = About {
    slug: SLUG,
    name: "Calendly",
    purpose: "tells who booked, moved, cancelled, came and stayed away",
    fields: &[
        Field {
            key: TOKEN,
            label: "Access token",
            help: "In Calendly under Integrations › API and webhooks: a personal access token. An owner's or admin's sees the whole organization.",
            kind: FieldKind::Secret,
            is_required: true,
        },
        Field {
            key: HOOK_SECRET,
            label: "Webhook secret",
            help: "What Calendly signs with. It is made and given to Calendly for you: leave it empty.",
            kind: FieldKind::Secret,
            is_required: false,
        },
    ],
    steps: &[
        "In Calendly open Integrations › API and webhooks and generate a personal access token.",
        "Enter it here. The webhook is then registered for you; on Calendly's free plan bookings are read once a day instead.",
        "Put utm_source, utm_medium and utm_campaign behind the link to your booking page: they come along with each booking.",
        "Book an appointment yourself and look for it under Funnel.",
    ],
    docs_url: "https://developer.calendly.com/personal-access-tokens",
    receives: true,
    pulls: true,
    sends: false,
    own_secret: Some(HOOK_SECRET),
};

impl Source for Calendly {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn webhook(&self) -> Option<&dyn Webhook> {
        Some(self)
    }

    fn brings(&self) -> (&'static str, &'static str) {
        ("Bookings", "Booking tracking")
    }

    fn pull(&self) -> Option<&dyn Steps<Pull>> {
        Some(&pull::List)
    }

    fn pull_schedule(&self) -> Option<&'static str> {
        Some("30 18 * * *")
    }

    fn fetch(&self) -> Option<&dyn Steps<Fetch>> {
        Some(&booking::Reading)
    }

    fn provision(&self) -> Option<&dyn Steps<Provision>> {
        Some(&subscription::Registration)
    }
}

impl Webhook for Calendly {
    fn verify<'a>(&self, got: &Incoming<'a>, secrets: &Secrets, now: Time) -> Result<Verified<'a>, Reject> {
        let header = got.headers.only("calendly-webhook-signature").ok_or(Reject::BadSignature)?;
        let live: Vec<Secret> = secrets.all(HOOK_SECRET).iter().filter(|s| !s.reveal().is_empty()).cloned().collect();
        Verified::by_timed_hmac(&live, header, got, now)
    }

    fn parse(&self, body: &Verified<'_>, _: &Settings, home: &Home) -> Result<Heard, Reject> {
        let event = kit::object(body.body())?;
        let kind = text(&event, "event").ok_or_else(|| kit::missing("event"))?;
        let invitee = &event["payload"];
        let told_at = kit::time(&event, &["created_at"]).map_or(home.now, |at| at.min(home.now));
        if !matches!(kind.as_str(), "invitee.created" | "invitee.canceled" | "invitee_no_show.created") {
            return Ok(kit::ignored());
        }
        if text(invitee, "email").is_none() {
            // Only named: of whom it is stands at Calendly.
            let uri = text(invitee, "invitee").or_else(|| text(invitee, "uri")).ok_or_else(|| kit::missing("payload.uri"))?;
            let path = booking::path_of(&uri).ok_or_else(|| kit::missing("payload.uri"))?;
            return Ok(Heard::Fetch(vec![format!("{kind}:{}:{path}", told_at.s())]));
        }
        let facts = booking::read(&kind, invitee, told_at, home)?;
        Ok(if facts.is_empty() { kit::ignored() } else { Heard::Facts(Batch::of(facts)) })
    }
}

fn api(method: &str, path: impl Into<String>) -> Request {
    Request::new(method, "https://api.calendly.com", path).host(SLUG).bearer(TOKEN)
}

/// What an answer means that is not what was asked for.
fn refused(response: &Response) -> Verdict {
    match response.status {
        401 => {
            Verdict::Pause("Calendly refuses the access token: it was revoked or not copied whole. Generate a new one and enter it.".into())
        }
        403 => Verdict::Pause(
            "The access token may not read bookings. Generate one as a member of the organization whose bookings you want.".into(),
        ),
        429 => Verdict::Retry {
            after_ms: retry_after_ms(response).or(Some(60 * SECOND_MS)),
            sentence: "Calendly asks for fewer requests.".into(),
        },
        _ => by_status("Calendly", response),
    }
}

/// Who the token is of: their own address at Calendly and that of their organization.
fn owner(me: &Value) -> Option<(String, String)> {
    let resource = &me["resource"];
    let fit = |uri: &String| uri.starts_with("https://api.calendly.com/");
    Some((text(resource, "uri").filter(fit)?, text(resource, "current_organization").filter(fit)?))
}
