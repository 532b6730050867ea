//! WooCommerce: orders, refunds and deletions of a WordPress shop, as they happen (webhooks that register themselves)
//! and once more by reading the shop's own list, because the shop tries each delivery once and never again.
//!
//! A delivery is signed with `base64(HMAC-SHA256(secret, raw body))` in `X-WC-Webhook-Signature`; nothing else of it is
//! signed, so topic and delivery id decide nothing here. Its delivery id is that of a second, not of a delivery.
//! <https://woocommerce.github.io/woocommerce-rest-api-docs/#webhooks>, <https://developer.woocommerce.com/docs/apis/rest-api/>

mod amount;
mod answer;
mod buyer;
mod hooks;
mod journey;
mod order;
mod pull;
mod refund;
mod shop;
mod status;
mod text;
mod walk;

use serde_json::Value;

use super::kit::text as told;
use super::{Batch, Fetch, Heard, Home, Provision, Pull, Reject, Source, Verified, Webhook};
use crate::crypto::Secret;
use crate::domain::fact::{Fact, OrderDeletion};
use crate::domain::platform::{About, Field, FieldKind, Secrets, Settings};
use crate::domain::steps::Steps;
use crate::domain::time::{MINUTE_MS, Time};
use crate::error::Error;
use crate::json;
use crate::wire::{Headers, Incoming, Response};

pub struct WooCommerce;

/// The platform's word for itself, in facts and in hook addresses.
const SLUG: &str = "woocommerce";
/// Names of the connection's secrets.
const KEY: &str = "consumer_key";
const SECRET: &str = "consumer_secret";
const HOOK_SECRET: &str = "secret";

static ABOUT: About = About {
    slug: SLUG,
    name: "WooCommerce",
    purpose: "takes orders and refunds from your WooCommerce shop",
    fields: &[
        Field {
            key: "url",
            label: "Shop address",
            help: "The address of the shop's home page, with its folder if the shop lies in one.",
            kind: FieldKind::Url,
            is_required: true,
        },
        Field {
            key: KEY,
            label: "Consumer key",
            help: "In WordPress under WooCommerce › Settings › Advanced › REST API: add a key with Read/Write permissions. It begins with ck_.",
            kind: FieldKind::Secret,
            is_required: true,
        },
        Field {
            key: SECRET,
            label: "Consumer secret",
            help: "Shown once, beside the consumer key. It begins with cs_.",
            kind: FieldKind::Secret,
            is_required: true,
        },
        Field {
            key: "count_on_hold",
            label: "Count orders on hold as sold",
            help: "Orders on hold wait for a bank transfer or a cheque. Leave this off to count them once they are paid.",
            kind: FieldKind::Switch,
            is_required: false,
        },
        Field {
            key: HOOK_SECRET,
            label: "Webhook secret",
            help: "What the shop signs with. It is made and given to the shop for you: leave it empty.",
            kind: FieldKind::Secret,
            is_required: false,
        },
    ],
    steps: &[
        "In WordPress open WooCommerce › Settings › Advanced › REST API and add a key: an administrator as the user, Read/Write as the permissions.",
        "Enter the shop's address, the consumer key and the consumer secret here. The webhooks are then registered for you.",
        "Install the HaloTrack plugin for WordPress: it puts the tag into your pages and the visit onto each order.",
        "Place an order yourself and look for it under Conversions.",
    ],
    docs_url: "https://woocommerce.com/document/woocommerce-rest-api/",
    receives: true,
    pulls: true,
    sends: false,
    own_secret: Some(HOOK_SECRET),
};

impl Source for WooCommerce {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    /// Keys of another kind are noticed before the shop is asked.
    fn check(&self, settings: &Settings, secrets: &Secrets) -> Result<(), Error> {
        if settings.get("url").is_some() && shop::Shop::of(settings).is_none() {
            return Err(Error::invalid(
                "url",
                "Shop address must begin with https:// and name the shop's host, such as https://shop.example.",
            ));
        }
        let begins = |key: &str, front: &str| secrets.first(key).is_none_or(|s| s.reveal().starts_with(front));
        if !begins(KEY, "ck_") && !begins(SECRET, "cs_") && begins(KEY, "cs_") && begins(SECRET, "ck_") {
            return Err(Error::invalid(KEY, "Consumer key and consumer secret have changed places: the key begins with ck_."));
        }
        if !begins(KEY, "ck_") {
            return Err(Error::invalid(
                KEY,
                "A consumer key of WooCommerce begins with ck_. Copy it from WooCommerce › Settings › Advanced › REST API.",
            ));
        }
        if !begins(SECRET, "cs_") {
            return Err(Error::invalid(
                SECRET,
                "A consumer secret of WooCommerce begins with cs_. It is shown once, when the key is made.",
            ));
        }
        Ok(())
    }

    fn webhook(&self) -> Option<&dyn Webhook> {
        Some(self)
    }

    fn pull(&self) -> Option<&dyn Steps<Pull>> {
        Some(&pull::List)
    }

    fn pull_every_ms(&self) -> i64 {
        15 * MINUTE_MS
    }

    fn fetch(&self) -> Option<&dyn Steps<Fetch>> {
        Some(&refund::Rows)
    }

    fn provision(&self) -> Option<&dyn Steps<Provision>> {
        Some(&hooks::Registration)
    }
}

impl Webhook for WooCommerce {
    /// While a hook is registered, and until one such call got a plain 200, the shop posts an unsigned `webhook_id=N`.
    fn greet(&self, got: &Incoming<'_>) -> Option<Response> {
        let is_unsigned = got.headers.get("x-wc-webhook-signature").is_none();
        let is_form = got.headers.get("content-type").is_some_and(|t| t.starts_with("application/x-www-form-urlencoded"));
        let id = got.body.strip_prefix(b"webhook_id=")?;
        let is_number = !id.is_empty() && id.len() <= 20 && id.iter().all(u8::is_ascii_digit);
        (got.method == "POST" && is_unsigned && is_form && is_number).then(|| plain("pong"))
    }

    fn is_named(&self, got: &Incoming<'_>, settings: &Settings) -> bool {
        let named = got.headers.get("x-wc-webhook-source").and_then(shop::Shop::at);
        named.is_some_and(|named| shop::Shop::of(settings).is_some_and(|own| own.is_same(&named)))
    }

    fn verify<'a>(&self, got: &Incoming<'a>, secrets: &Secrets, _: Time) -> Result<Verified<'a>, Reject> {
        let live: Vec<Secret> = secrets.all(HOOK_SECRET).iter().filter(|s| !s.reveal().is_empty()).cloned().collect();
        let claimed = got.headers.only("x-wc-webhook-signature").ok_or(Reject::BadSignature)?;
        let content_type = got.headers.get("content-type").unwrap_or_default();
        Verified::by_base64_hmac(&live, &[got.body], claimed, got.body, content_type).ok_or(Reject::BadSignature)
    }

    fn parse(&self, body: &Verified<'_>, settings: &Settings, home: &Home) -> Result<Heard, Reject> {
        let value = json::parse(body.body()).map_err(|fault| Reject::BadBody(fault.sentence))?;
        if is_error(&value) {
            // The order was removed before its delivery was built: the shop signs its own refusal to read it.
            return Ok(Heard::Reply(plain("nothing to take")));
        }
        if let Some(id) = thrown_away(&value) {
            let deletion = OrderDeletion { order_external_id: id, platform: SLUG.into(), happened_at: home.now };
            return Ok(Heard::Facts(Batch::of(vec![Fact::Deletion(deletion)])));
        }
        let order = order::read(&value, settings, home, &order::Days::default())?;
        // A body names its refunds without their days; those are asked for right after.
        let fetch = if order.refunds.is_empty() { Vec::new() } else { vec![refund::reference(&order)] };
        Ok(Heard::Facts(Batch { facts: vec![Fact::Order(order)], fetch, ..Batch::default() }))
    }
}

/// `{"id":N}` and nothing else: the whole body of a deletion.
fn thrown_away(value: &Value) -> Option<String> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    map.get("id").filter(|id| id.as_u64().is_some_and(|id| id > 0))?;
    told(value, "id")
}

/// `{"code":"woocommerce_rest_…","message":"…","data":{"status":404}}`
fn is_error(value: &Value) -> bool {
    value.get("id").is_none() && value["code"].is_string() && value["data"]["status"].is_u64()
}

fn plain(text: &str) -> Response {
    Response { status: 200, headers: Headers::default(), body: text.as_bytes().to_vec() }
}
