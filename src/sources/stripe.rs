//! Stripe: what was really paid, by Checkout, payment links, invoices or one's own pages, and what went back.
//!
//! Signed in `Stripe-Signature`: `t=seconds,v1=hex(HMAC-SHA256(secret, t.body))`, more than one `v1` while a secret is being
//! rotated; the whole secret, `whsec_` in it, is the key. <https://docs.stripe.com/webhooks#verify-manually>
//!
//! One payment is told by several events (checkout session, charge, invoice, payment intent). It is one by its payment intent.
//! A checkout says everything by itself; of a charge and an invoice only the id is believed, and the rest is read right after
//! (`reading.rs`), so that it does not matter in which order events come and which version of the API wrote them.

mod answer;
mod endpoint;
mod payment;
mod pull;
mod reading;
mod refund;

use serde_json::Value;

use super::kit::minor_units as amount;
use super::kit::{self, Verified, text};
use super::{Batch, Fetch, Heard, Home, Provision, Pull, Reject, Source, Webhook};
use crate::crypto::Secret;
use crate::domain::fact::Fact;
use crate::domain::platform::{About, Field, FieldKind, Secrets, Settings};
use crate::domain::steps::Steps;
use crate::domain::time::Time;
use crate::error::Error;
use crate::wire::{Incoming, Part, Request};

pub struct Stripe;

const SLUG: &str = "stripe";
/// Names of the connection's secrets.
const KEY: &str = "api_key";
const HOOK_SECRET: &str = "webhook_secret";
/// The last version in which a charge names its invoice and an invoice its charge. Asked for in every request, and for the
/// endpoint that is registered; Stripe keeps its old versions. <https://docs.stripe.com/changelog/basil>
const API_VERSION: &str = "2025-02-24.acacia";

static ABOUT: About = About {
    slug: SLUG,
    name: "Stripe",
    purpose: "takes payments and refunds, and joins them to the orders that they paid",
    fields: &[
        Field {
            key: KEY,
            label: "Restricted key",
            help: "In Stripe under Developers › API keys: a restricted key that may read charges, disputes, customers, checkout sessions, invoices and events, and write webhook endpoints. It begins with rk_.",
            kind: FieldKind::Secret,
            is_required: true,
        },
        Field {
            key: HOOK_SECRET,
            label: "Signing secret",
            help: "Only where you added the webhook in Stripe by hand: it begins with whsec_. Else leave it empty: Stripe gives it to us.",
            kind: FieldKind::Secret,
            is_required: false,
        },
    ],
    steps: &[
        "In Stripe open Developers › API keys and create a restricted key: read for charges and refunds, disputes, customers, checkout sessions, invoices and events; write for webhook endpoints.",
        "Enter the key here. The webhook is then registered for you.",
        "Where your own page creates the checkout, give Stripe the visit: client_reference_id or the metadata field halo_session_id, with the value of the cookie _halo. With the order's number in the metadata field order_id, payment and order are one sale.",
        "Pay something yourself and look for it under Conversions. Payments in Stripe's test mode are shown and not counted.",
    ],
    docs_url: "https://docs.stripe.com/keys/restricted-api-keys",
    receives: true,
    pulls: true,
    sends: false,
    own_secret: None,
};

impl Source for Stripe {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, _: &Settings, secrets: &Secrets) -> Result<(), Error> {
        let key = secrets.first(KEY).map(|s| s.reveal().trim()).unwrap_or_default();
        if key.starts_with("pk_") {
            return Err(Error::invalid(
                KEY,
                "This is the publishable key, which may read nothing. Create a restricted key: it begins with rk_.",
            ));
        }
        if !key.is_empty() && !["rk_", "sk_"].iter().any(|front| key.starts_with(front)) {
            return Err(Error::invalid(KEY, "A key of Stripe begins with rk_ or sk_. Copy it from Developers › API keys."));
        }
        let secret = secrets.first(HOOK_SECRET).map(|s| s.reveal().trim()).unwrap_or_default();
        if !secret.is_empty() && !secret.starts_with("whsec_") {
            return Err(Error::invalid(
                HOOK_SECRET,
                "A signing secret of Stripe begins with whsec_. It may stay empty: Stripe gives it to us.",
            ));
        }
        Ok(())
    }

    fn webhook(&self) -> Option<&dyn Webhook> {
        Some(self)
    }

    fn brings(&self) -> (&'static str, &'static str) {
        ("Payments", "Purchase tracking")
    }

    fn pull(&self) -> Option<&dyn Steps<Pull>> {
        Some(&pull::Lists)
    }

    fn fetch(&self) -> Option<&dyn Steps<Fetch>> {
        Some(&reading::Reading)
    }

    fn provision(&self) -> Option<&dyn Steps<Provision>> {
        Some(&endpoint::Registration)
    }
}

impl Webhook for Stripe {
    fn secrets(&self) -> &'static [&'static str] {
        &[HOOK_SECRET]
    }

    fn verify<'a>(&self, got: &Incoming<'a>, secrets: &Secrets, now: Time) -> Result<Verified<'a>, Reject> {
        let header = got.headers.only("stripe-signature").ok_or(Reject::BadSignature)?;
        let live: Vec<Secret> = secrets.all(HOOK_SECRET).iter().filter(|s| !s.reveal().is_empty()).cloned().collect();
        Verified::by_timed_hmac(&live, header, got, now)
    }

    fn parse(&self, body: &Verified<'_>, _: &Settings, home: &Home) -> Result<Heard, Reject> {
        let event = kit::object(body.body())?;
        Ok(match hear(&event, home)? {
            None => kit::ignored(),
            Some(batch) if batch.facts.is_empty() => Heard::Fetch(batch.fetch),
            Some(batch) => Heard::Facts(batch),
        })
    }
}

/// Kinds of events that say something of money. The endpoint is registered for these.
const EVENTS: [&str; 14] = [
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "charge.succeeded",
    "charge.captured",
    "charge.updated",
    "charge.refunded",
    "charge.dispute.created",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "charge.dispute.closed",
    "invoice.paid",
    "refund.created",
    "refund.updated",
    "refund.failed",
];

/// What an event says, whether Stripe sent it or we read it from the list of events. None: it is of no account.
fn hear(event: &Value, home: &Home) -> Result<Option<Batch>, Reject> {
    let kind = text(event, "type").ok_or_else(|| kit::missing("type"))?;
    let object = &event["data"]["object"];
    let is_ours = EVENTS.contains(&kind.as_str())
        || matches!(kind.as_str(), "payment_intent.succeeded" | "invoice.payment_succeeded" | "charge.refund.updated");
    if !is_ours {
        return Ok(None);
    }
    if !object.is_object() {
        return Err(kit::missing("data.object"));
    }
    let at = kit::time(event, &["created"]).map(|at| at.min(home.now)).unwrap_or(home.now);
    let named_at = |front: &str, id: Option<String>, paid_at: Option<Time>| {
        let fetch: Vec<String> = id.and_then(|id| reading::reference(front, &id, paid_at)).into_iter().collect();
        (!fetch.is_empty()).then(|| Batch { fetch, ..Batch::default() })
    };
    let named = |front: &str, id: Option<String>| named_at(front, id, Some(at));
    match kind.split('.').next().unwrap_or_default() {
        "checkout" => match payment::of_session(object, at, home)? {
            payment::Session::Paid(order) => Ok(Some(Batch::of(vec![Fact::Order(*order)]))),
            // The first payment of a subscription: the invoice knows by which charge.
            payment::Session::Invoiced(invoice) => Ok(named("invoice", Some(invoice))),
            payment::Session::Unpaid => Ok(None),
        },
        "invoice" => Ok(named("invoice", text(object, "id"))),
        "payment_intent" => Ok(named("charge", payment::id_of(object, "latest_charge"))),
        // Told of every charge once Stripe has worked out its fee: only what the shop has written on it since is news.
        "charge" if kind == "charge.updated" && !is_written_on(event) => Ok(None),
        // When it was paid these do not say.
        "charge" if matches!(kind.as_str(), "charge.updated" | "charge.refunded") => Ok(named_at("charge", text(object, "id"), None)),
        "charge" if text(object, "object").as_deref() == Some("charge") => Ok(named("charge", text(object, "id"))),
        // Its events come in any order: how it stands is read with the charge.
        "charge" if text(object, "object").as_deref() == Some("dispute") => Ok(named_at("charge", payment::id_of(object, "charge"), None)),
        _ => refund::hear(object, home),
    }
}

/// The number of an order, a visit or an address that a shop notes on a charge after it was paid.
/// <https://docs.stripe.com/api/events/object#event_object-data-previous_attributes>
fn is_written_on(event: &Value) -> bool {
    let before = &event["data"]["previous_attributes"];
    ["metadata", "billing_details", "receipt_email", "customer"].iter().any(|key| before.get(key).is_some())
}

/// A request to Stripe's API, in the version whose answers are read here.
fn api(method: &str, path: impl Into<String>) -> Request {
    Request::new(method, "https://api.stripe.com", path).host(SLUG).bearer(KEY).header("stripe-version", Part::plain(API_VERSION))
}

/// An id as Stripe makes them; nothing else is put into an address.
fn is_id(text: &str) -> bool {
    (4..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
