//! AnyTrack: every event that it has tracked, one by one or as a list, with where it says that each came from.
//! <https://docs.anytrack.io/docs/webhooks>
//!
//! It signs nothing: the secret address is the proof, and a secret that is sent along (`x-webhook-secret`, `?secret=`) must
//! fit. Field names: <https://support.anytrack.io> and the receivers of its customers.

mod amount;
mod event;
mod journey;

use serde_json::Value;

use super::{Heard, Home, Problem, Reject, Source, Verified, Webhook};
use crate::domain::fact::Fact;
use crate::domain::platform::{About, Field, FieldKind, Secrets, Settings};
use crate::domain::time::Time;
use crate::json;
use crate::wire::Incoming;

pub struct AnyTrack;

static ABOUT: About = About {
    slug: "anytrack",
    name: "AnyTrack",
    purpose: "tells what it has tracked, and can be told what really sold",
    fields: &[
        Field {
            key: "secret",
            label: "Secret",
            help: "For senders that can add a header: x-webhook-secret. Leave it empty and one is made for you.",
            kind: FieldKind::Secret,
            is_required: true,
        },
        Field {
            key: "default_currency",
            label: "Currency",
            help: "For events that name none. Left empty it is AED.",
            kind: FieldKind::Currency,
            is_required: false,
        },
        Field {
            key: "tells_meta",
            label: "AnyTrack tells Meta itself",
            help: "Switch it on if AnyTrack already sends these conversions to Meta: then we do not send them there again.",
            kind: FieldKind::Switch,
            is_required: false,
        },
        Field {
            key: "accept_without_token",
            label: "Accept without token",
            help: "Careful: anybody who knows the old address /functions/v1/anytrack-webhook can then send events, and nobody can tell \
                   them from AnyTrack's. Only for a sender whose address you cannot change, and only while this server has one site.",
            kind: FieldKind::Switch,
            is_required: false,
        },
    ],
    steps: &[
        "In AnyTrack, open Settings, Integrations, Webhooks and add a webhook with the address of this connection, method POST.",
        "Choose the events: at least Purchase, Lead, CompleteRegistration, FormSubmit and OutboundClick.",
        "If your set-up still uses the old address /functions/v1/anytrack-webhook, put ?token= and the last part of the address behind it.",
        "Send a test event, or run the command that is shown with the address, and look for it under Conversions.",
    ],
    docs_url: "https://docs.anytrack.io/docs/webhooks",
    receives: true,
    pulls: false,
    sends: false,
    own_secret: Some("secret"),
};

/// The switch that lets the older address be called bare.
pub const WITHOUT_TOKEN: &str = "accept_without_token";

impl Source for AnyTrack {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn webhook(&self) -> Option<&dyn Webhook> {
        Some(self)
    }

    fn tells_itself(&self, settings: &Settings) -> &'static [&'static str] {
        if settings.is_on("tells_meta") { &["meta"] } else { &[] }
    }

    fn trial(&self) -> Option<&'static str> {
        Some(
            r#"{
    "eventName": "Lead",
    "email": "test@example.com",
    "firstName": "Test",
    "lastName": "User",
    "eventValue": 100,
    "currency": "AED",
    "mainAttribution": {
      "source": "google",
      "medium": "cpc",
      "campaign": "test-campaign"
    }
  }"#,
        )
    }
}

impl Webhook for AnyTrack {
    fn verify<'a>(&self, got: &Incoming<'a>, secrets: &Secrets, _: Time) -> Result<Verified<'a>, Reject> {
        let content_type = got.headers.get("content-type").unwrap_or_default();
        let in_query = || url::form_urlencoded::parse(got.query.as_bytes()).find(|(name, _)| name == "secret");
        let claimed = got.headers.get("x-webhook-secret").map(str::to_owned).or_else(|| in_query().map(|(_, value)| value.into_owned()));
        match claimed {
            Some(claimed) => {
                let live = secrets.all("secret").iter().filter(|s| !s.reveal().is_empty()).cloned().collect::<Vec<_>>();
                Verified::by_shared_secret(&live, &claimed, got.body, content_type).ok_or(Reject::BadSignature)
            }
            None => Ok(Verified::by_address_alone(got.body, content_type)),
        }
    }

    fn is_counted(&self) -> bool {
        true
    }

    /// One event, or a list in which each stands by itself.
    fn parse(&self, body: &Verified<'_>, settings: &Settings, home: &Home) -> Result<Heard, Reject> {
        let value = json::parse(body.body()).map_err(|fault| Reject::BadBody(fault.sentence))?;
        let items = match value {
            Value::Array(items) => items,
            one => vec![one],
        };
        let read = |(item, value): (usize, Value)| {
            let told = event::read(&value, settings, home).map_err(|fault| Problem { item, ..fault })?;
            Ok(Fact::Event(Box::new(told)))
        };
        Ok(Heard::Each(items.into_iter().enumerate().map(read).collect()))
    }
}
