//! Lead ads of Facebook and Instagram. A call brings the number of a lead alone; who it is and by which ad they came is read
//! right after with the page's token. <https://developers.facebook.com/docs/marketing-api/guides/lead-ads/retrieving>
//!
//! Signed in `X-Hub-Signature-256`: `sha256=` and the hex of HMAC-SHA256 under the app's secret, over the body as it came. The
//! address is proved by a GET that holds the word which the owner has entered at Meta, and wants its challenge back.

mod graph;
mod lead;
mod page;
mod pull;

use serde_json::Value;

use super::kit::{self, Verified, text};
use super::{Fetch, Heard, Home, Provision, Pull, Reject, Source, Webhook};
use crate::crypto::Secret;
use crate::domain::platform::{About, Field, FieldKind, Secrets, Settings};
use crate::domain::steps::Steps;
use crate::domain::time::Time;
use crate::wire::{Headers, Incoming, Response};

pub struct MetaLeads;

const SLUG: &str = "metaleads";
const APP_SECRET: &str = "app_secret";
const PAGE_TOKEN: &str = "page_token";
const VERIFY_TOKEN: &str = "verify_token";
/// What a checked challenge is handed on as; no body that comes by POST is read as one.
const CHALLENGE: &str = "challenge";

static ABOUT: About = About {
    slug: SLUG,
    name: "Meta lead ads",
    purpose: "takes leads from forms inside Facebook and Instagram ads",
    fields: &[
        Field {
            key: APP_SECRET,
            label: "App secret",
            help: "Of your app at developers.facebook.com: App settings › Basic.",
            kind: FieldKind::Secret,
            is_required: true,
        },
        Field {
            key: PAGE_TOKEN,
            label: "Page token",
            help: "A token of your page that does not expire, with the rights leads_retrieval, pages_manage_metadata and pages_show_list: Business settings › System users.",
            kind: FieldKind::Secret,
            is_required: true,
        },
        Field {
            key: VERIFY_TOKEN,
            label: "Verify token",
            help: "Any word of your own. Enter the same beside the address at Meta.",
            kind: FieldKind::Secret,
            is_required: true,
        },
    ],
    steps: &[
        "At developers.facebook.com make an app of type Business, and let a system user of your business generate a token for your page.",
        "Enter the app's secret, the page's token and a word of your own here. The page is then subscribed to your app for you.",
        "In the app open Webhooks › Page, enter the address of this connection with the same word, and subscribe to leadgen.",
        "Send a test lead at developers.facebook.com/tools/lead-ads-testing and look for it under Conversions.",
    ],
    docs_url: "https://developers.facebook.com/docs/marketing-api/guides/lead-ads/quickstart/webhooks-integration",
    receives: true,
    pulls: true,
    sends: false,
    own_secret: None,
};

impl Source for MetaLeads {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn webhook(&self) -> Option<&dyn Webhook> {
        Some(self)
    }

    fn brings(&self) -> (&'static str, &'static str) {
        ("Leads", "Lead tracking")
    }

    fn pull(&self) -> Option<&dyn Steps<Pull>> {
        Some(&pull::List)
    }

    fn fetch(&self) -> Option<&dyn Steps<Fetch>> {
        Some(&lead::Reading)
    }

    fn provision(&self) -> Option<&dyn Steps<Provision>> {
        Some(&page::Registration)
    }
}

impl Webhook for MetaLeads {
    fn secrets(&self) -> &'static [&'static str] {
        &[APP_SECRET, VERIFY_TOKEN]
    }

    fn verify<'a>(&self, got: &Incoming<'a>, secrets: &Secrets, _: Time) -> Result<Verified<'a>, Reject> {
        let live = |key: &str| -> Vec<Secret> { secrets.all(key).iter().filter(|s| !s.reveal().is_empty()).cloned().collect() };
        if got.method == "GET" {
            let named =
                |name: &str| url::form_urlencoded::parse(got.query.as_bytes()).find(|(n, _)| n == name).map(|(_, v)| v.into_owned());
            let claimed = named("hub.verify_token").filter(|_| named("hub.mode").as_deref() == Some("subscribe"));
            let claimed = claimed.filter(|c| !c.is_empty()).ok_or(Reject::BadSignature)?;
            let challenge = challenge(got.query).ok_or(Reject::BadSignature)?;
            return Verified::by_shared_secret(&live(VERIFY_TOKEN), &claimed, challenge.as_bytes(), CHALLENGE).ok_or(Reject::BadSignature);
        }
        let header = got.headers.only("x-hub-signature-256").ok_or(Reject::BadSignature)?;
        let claimed = header.strip_prefix("sha256=").ok_or(Reject::BadSignature)?;
        Verified::by_hex_hmac(&live(APP_SECRET), &[got.body], claimed, got.body, "application/json").ok_or(Reject::BadSignature)
    }

    fn parse(&self, body: &Verified<'_>, _: &Settings, _: &Home) -> Result<Heard, Reject> {
        if body.content_type() == CHALLENGE {
            return Ok(Heard::Reply(Response { status: 200, headers: Headers::default(), body: body.body().to_vec() }));
        }
        let told = kit::object(body.body())?;
        let entries = told["entry"].as_array().ok_or_else(|| kit::missing("entry"))?;
        let mut refs: Vec<String> = Vec::new();
        let changes = entries.iter().flat_map(|entry| entry["changes"].as_array().into_iter().flatten());
        for id in changes.filter(|change| text(change, "field").as_deref() == Some("leadgen")).filter_map(lead_of) {
            if !refs.contains(&id) {
                refs.push(id);
            }
        }
        Ok(if refs.is_empty() { kit::ignored() } else { Heard::Fetch(refs) })
    }
}

/// The challenge as it stands in the query: Meta sends digits.
fn challenge(query: &str) -> Option<&str> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix("hub.challenge="))?;
    let is_fit = (1..=255).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    is_fit.then_some(value)
}

/// The number of a lead, which may come as a number or a text.
fn lead_of(change: &Value) -> Option<String> {
    text(&change["value"], "leadgen_id").filter(|id| is_number(id))
}

fn is_number(id: &str) -> bool {
    (1..=24).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit())
}
