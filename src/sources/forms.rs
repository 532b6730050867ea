//! Any form that can call an address: leads as JSON, form-encoded or multipart, from Contact Form 7, Elementor, Gravity
//! Forms, WPForms, Typeform, Tally, Webflow or a few lines of one's own. Orders of unknown shops are read here too.
//!
//! Signed by HMAC-SHA256 in hex over `timestamp.body` (`x-halo-timestamp`, `x-halo-signature`), or by the rules of
//! Standard Webhooks (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>);
//! who can sign nothing sends the secret itself, in `x-webhook-secret` or in the address.

mod amount;
mod encodings;
mod lead;
mod multipart;
mod order;
mod person;
mod shapes;
mod sheet;
mod shops;

use super::{Batch, Heard, Home, Reject, Source, Verified, Webhook, kit};
use crate::crypto::Secret;
use crate::domain::fact::Fact;
use crate::domain::platform::{About, Field, FieldKind, Secrets, Settings};
use crate::domain::time::Time;
use crate::wire::Incoming;

pub use lead::read_lead;
pub use order::read_order;

pub struct Forms;

static ABOUT: About = About {
    slug: "forms",
    name: "Forms",
    purpose: "takes leads from any form that can call an address",
    fields: &[Field {
        key: "secret",
        label: "Secret",
        help: "What the form signs with or sends along. Leave it empty and one is made for you.",
        kind: FieldKind::Secret,
        is_required: true,
    }],
    steps: &[
        "Copy the address of this connection into your form's webhook action: Contact Form 7, Elementor, Gravity Forms, WPForms, Typeform, Tally and Webflow all have one.",
        "If the form can send headers, add x-webhook-secret with the secret; else put ?secret= and the secret behind the address.",
        "From your own server, sign instead: x-halo-timestamp with the unix seconds, and x-halo-signature with the HMAC-SHA256 in hex of timestamp, a full stop and the body.",
        "Add a hidden field halo_session_id to the form: the page tag fills it in, and the lead finds its visit.",
        "Send the form once yourself and look for it under Conversions.",
    ],
    docs_url: "https://www.standardwebhooks.com/",
    receives: true,
    pulls: false,
    sends: false,
    own_secret: Some("secret"),
};

impl Source for Forms {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn webhook(&self) -> Option<&dyn Webhook> {
        Some(self)
    }
}

impl Webhook for Forms {
    /// The strongest proof that is offered decides: a stale signature is not saved by a secret in the address.
    fn verify<'a>(&self, got: &Incoming<'a>, secrets: &Secrets, now: Time) -> Result<Verified<'a>, Reject> {
        let secrets: Vec<Secret> = secrets.all("secret").iter().filter(|s| !s.reveal().is_empty()).cloned().collect();
        let content_type = got.headers.get("content-type").unwrap_or_default();
        if got.headers.get("x-halo-signature").is_some() {
            return by_own_signature(got, &secrets, content_type, now);
        }
        if ["webhook-signature", "svix-signature"].iter().any(|name| got.headers.get(name).is_some()) {
            return Verified::by_standard_webhooks(&secrets, got, now);
        }
        let in_header = got.headers.get("x-webhook-secret").map(str::to_owned);
        let in_query = || url::form_urlencoded::parse(got.query.as_bytes()).find(|(name, _)| name == "secret" || name == "token");
        let claimed = in_header.or_else(|| in_query().map(|(_, value)| value.into_owned()));
        let claimed = claimed.filter(|c| !c.is_empty()).ok_or(Reject::BadSignature)?;
        Verified::by_shared_secret(&secrets, &claimed, got.body, content_type).ok_or(Reject::BadSignature)
    }

    fn parse(&self, body: &Verified<'_>, _: &Settings, home: &Home) -> Result<Heard, Reject> {
        let fact = if order::is_order(body.body(), body.content_type()) {
            Fact::Order(read_order(body.body(), body.content_type(), home)?)
        } else {
            Fact::Lead(read_lead(body.body(), body.content_type(), home)?)
        };
        Ok(Heard::Facts(Batch::of(vec![fact])))
    }
}

fn by_own_signature<'a>(got: &Incoming<'a>, secrets: &[Secret], content_type: &'a str, now: Time) -> Result<Verified<'a>, Reject> {
    let signature = got.headers.only("x-halo-signature").ok_or(Reject::BadSignature)?;
    let timestamp = got.headers.only("x-halo-timestamp").ok_or(Reject::BadSignature)?;
    let seconds: i64 = timestamp.parse().map_err(|_| Reject::BadSignature)?;
    let parts: [&[u8]; 3] = [timestamp.as_bytes(), b".", got.body];
    let verified = Verified::by_hex_hmac(secrets, &parts, signature, got.body, content_type).ok_or(Reject::BadSignature)?;
    if now.s().abs_diff(seconds) > kit::TOLERANCE_S { Err(Reject::StaleSignature) } else { Ok(verified) }
}
