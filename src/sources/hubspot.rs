//! HubSpot: tells when a deal or a contact has come further, and moves our lead with it.
//! <https://developers.hubspot.com/docs/guides/api/app-management/webhooks>
//!
//! Signature v3: base64 of HMAC-SHA256, under the app's client secret, over method, whole address, body and the time of
//! `X-HubSpot-Request-Timestamp` (milliseconds, at most five minutes old). A body is a list of up to a hundred events that
//! hold ids alone: what stands behind them is read right after (`reading.rs`). Other events are kept as they came.

use serde_json::Value;

use super::kit::{Verified, text};
use super::{Fetch, Heard, Home, Reject, Source, Webhook};
use crate::domain::platform::{About, Field, FieldKind, Secrets, Settings};
use crate::domain::steps::Steps;
use crate::domain::time::{MINUTE_MS, Time};
use crate::error::Error;
use crate::wire::Incoming;

mod reading;
mod stages;

pub struct HubSpot;

/// HubSpot's own rule for the age of a signature.
const LONGEST_MS: u64 = 5 * MINUTE_MS as u64;

static ABOUT: About = About {
    slug: "hubspot",
    name: "HubSpot",
    purpose: "gets a contact and a deal for each lead and sale, and tells which leads were won",
    fields: &[
        Field {
            key: "access_token",
            label: "Access token",
            help: "Settings → Integrations → Service keys (or your private app): the token that begins with pat-. It needs to read and write contacts and deals, and deal properties.",
            kind: FieldKind::Secret,
            is_required: true,
        },
        Field {
            key: "client_secret",
            label: "Client secret",
            help: "Of the app whose webhooks call us: its Auth page. Needed only where HubSpot is to tell how far deals have come.",
            kind: FieldKind::Secret,
            is_required: false,
        },
        Field {
            key: "stages",
            label: "What stages mean",
            help: "Pairs such as contractsent=qualified, 99120=won: HubSpot's internal id of a deal stage or lifecycle stage, and contacted, qualified, won, lost or none. What is not named keeps its usual meaning.",
            kind: FieldKind::Text,
            is_required: false,
        },
    ],
    steps: &[
        "In HubSpot, open Settings → Integrations → Service keys and create a key that may read and write contacts and deals, and write deal properties.",
        "Copy its token here. Pipeline and stages can stay empty where you use HubSpot's own.",
    ],
    docs_url: "https://developers.hubspot.com/docs/guides/api/app-management/webhooks",
    receives: true,
    pulls: false,
    sends: false,
    own_secret: None,
};

impl Source for HubSpot {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, settings: &Settings, _secrets: &Secrets) -> Result<(), Error> {
        stages::Meanings::read(settings).map(drop).map_err(|pair| {
            Error::invalid(
                "stages",
                format!("{pair} is no pair. Write it like contractsent=qualified; the words are contacted, qualified, won, lost and none."),
            )
        })
    }

    fn webhook(&self) -> Option<&dyn Webhook> {
        Some(self)
    }

    fn fetch(&self) -> Option<&dyn Steps<Fetch>> {
        Some(&reading::Reading)
    }
}

impl Webhook for HubSpot {
    fn secrets(&self) -> &'static [&'static str] {
        &["client_secret"]
    }

    fn verify<'a>(&self, got: &Incoming<'a>, secrets: &Secrets, now: Time) -> Result<Verified<'a>, Reject> {
        let header = |name: &str| got.headers.only(name).ok_or(Reject::BadSignature);
        let (timestamp, signature) = (header("x-hubspot-request-timestamp")?, header("x-hubspot-signature-v3")?);
        let at: i64 = timestamp.parse().map_err(|_| Reject::BadSignature)?;
        let mark = if got.query.is_empty() { "" } else { "?" };
        let parts: [&[u8]; 7] = [
            got.method.as_bytes(),
            got.origin.as_bytes(),
            got.path.as_bytes(),
            mark.as_bytes(),
            got.query.as_bytes(),
            got.body,
            timestamp.as_bytes(),
        ];
        let content_type = got.headers.get("content-type").unwrap_or_default();
        let live = secrets.all("client_secret");
        let verified = Verified::by_base64_hmac(live, &parts, signature, got.body, content_type).ok_or(Reject::BadSignature)?;
        if now.ms().abs_diff(at) > LONGEST_MS { Err(Reject::StaleSignature) } else { Ok(verified) }
    }

    fn parse(&self, body: &Verified<'_>, _: &Settings, _: &Home) -> Result<Heard, Reject> {
        let value = crate::json::parse(body.body()).map_err(|fault| Reject::BadBody(fault.sentence))?;
        let events = match &value {
            Value::Array(events) => events.as_slice(),
            one @ Value::Object(_) => std::slice::from_ref(one),
            _ => return Err(Reject::BadBody("The body is no list of events.".into())),
        };
        let mut refs: Vec<String> = Vec::new();
        for name in events.iter().filter_map(named) {
            if !refs.contains(&name) {
                refs.push(name);
            }
        }
        Ok(Heard::Fetch(refs))
    }
}

/// `deal:123:1462216307999` of an event that says how far somebody has come: what, which, and when it was changed.
fn named(event: &Value) -> Option<String> {
    let property = text(event, "propertyName")?;
    let kind = text(event, "subscriptionType")?;
    let object = match (kind.as_str(), text(event, "objectTypeId").as_deref()) {
        ("deal.propertyChange", _) | ("object.propertyChange", Some("0-3")) => "deal",
        ("contact.propertyChange", _) | ("object.propertyChange", Some("0-1")) => "contact",
        _ => return None,
    };
    if !matches!((object, property.as_str()), ("deal", "dealstage") | ("contact", "lifecyclestage")) {
        return None;
    }
    let number = |key: &str| text(event, key).filter(|t| t.len() <= 20 && t.bytes().all(|b| b.is_ascii_digit()));
    Some(format!("{object}:{}:{}", number("objectId")?, number("occurredAt")?))
}
