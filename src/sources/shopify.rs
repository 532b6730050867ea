//! Shopify: orders, refunds and cancellations by webhook, and the shop's own list once an hour by the GraphQL Admin API.
//!
//! Signed is the raw body, by HMAC-SHA256 in base64 under the client secret of the app (`X-Shopify-Hmac-Sha256`, or
//! `shopify-hmac-sha256` in the newer flavour): <https://shopify.dev/docs/apps/build/webhooks/verify-deliveries>.
//! No header is, so none of them decides anything here; which topic a body is of, its own shape says.

/// Amounts in the shop's and in the buyer's currency.
mod amount;
/// Who bought.
mod buyer;
/// Questions and answers.
mod graphql;
/// What the shop noted on where a buyer came from.
mod journey;
/// Orders with many lines.
mod lines;
/// An order of a page of GraphQL.
mod node;
/// Refunds of both shapes.
mod refund;
/// Our hooks in the shop.
mod registration;
/// Bodies of webhooks.
mod rest;
/// The token of an app.
mod token;
/// An order out of either shape.
mod told;
/// The list of orders, page by page.
mod walk;

use serde_json::Value;

use super::{Batch, Fetch, Heard, Home, Provision, Pull, Reject, Source, Verified, Webhook, Whom};
use crate::crypto::Secret;
use crate::domain::fact::Fact;
use crate::domain::money::Currency;
use crate::domain::platform::{About, Field, FieldKind, Secrets, Settings};
use crate::domain::steps::{Steps, Token};
use crate::domain::time::Time;
use crate::error::Error;
use crate::json;
use crate::wire::{Headers, Incoming, Response};

use rest::{Body, Wish};

pub struct Shopify;

static ABOUT: About = About {
    slug: "shopify",
    name: "Shopify",
    purpose: "brings orders, refunds and cancellations of a Shopify shop",
    fields: &[
        Field {
            key: "shop",
            label: "Shop",
            help: "Shopify admin → Settings → Domains: the address that ends in .myshopify.com.",
            kind: FieldKind::Text,
            is_required: true,
        },
        Field {
            key: "client_id",
            label: "Client id",
            help: "Dev Dashboard → your app → Settings → Credentials. Not needed with an access token.",
            kind: FieldKind::Text,
            is_required: false,
        },
        Field {
            key: "client_secret",
            label: "Client secret",
            help: "Beside the client id. It proves that a live update really is Shopify's; without it the shop is read once an hour.",
            kind: FieldKind::Secret,
            is_required: false,
        },
        Field {
            key: "access_token",
            label: "Access token",
            help: "Only for an app that was made in the shop's own admin before 2026: the text that begins with shpat_.",
            kind: FieldKind::Secret,
            is_required: false,
        },
        Field {
            key: "webhook_secret",
            label: "Secret of hooks made by hand",
            help: "Only if you made hooks yourself: Settings → Notifications → Webhooks shows it below the list.",
            kind: FieldKind::Secret,
            is_required: false,
        },
    ],
    steps: &[
        "Make an app in Shopify's Dev Dashboard, in the organisation that the shop belongs to, with the scopes read_orders and read_customers (read_all_orders too, if orders older than 60 days matter).",
        "Under API access request protected customer data for the app: orders, name, e-mail, phone, address.",
        "Install the app on the shop, and copy its client id and client secret.",
        "Enter both here with the shop's address: the hooks are put into the shop and its orders of the last 60 days are fetched.",
        "Put the snippet from clients/shopify into the theme, so that an order finds the visit it came from.",
    ],
    docs_url: "https://shopify.dev/docs/apps/build/dev-dashboard",
    receives: true,
    pulls: true,
    sends: false,
    own_secret: None,
};

impl Source for Shopify {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, settings: &Settings, secrets: &Secrets) -> Result<(), Error> {
        let invalid = |field: &str, sentence: &str| Err(Error::invalid(field, sentence));
        let secret = |key: &str| secrets.first(key).map(Secret::reveal).filter(|text| !text.is_empty());
        let shop = settings.get("shop");
        if shop.is_some_and(|typed| graphql::shop_host(typed).is_none()) {
            return invalid(
                "shop",
                "The shop is the address that ends in .myshopify.com, such as cups.myshopify.com: Shopify admin → Settings → Domains shows it.",
            );
        }
        if secret("access_token").is_some_and(|t| t.starts_with("shpss_")) {
            return invalid("access_token", "This is a client secret (shpss_…). An access token begins with shpat_.");
        }
        if secret("client_secret").is_some_and(|t| t.starts_with("shpat_")) {
            return invalid("client_secret", "This is an access token (shpat_…). The client secret stands beside the client id.");
        }
        if shop.is_some() && secret("access_token").is_none() {
            if settings.get("client_id").is_none() {
                return invalid("client_id", "Enter the app's client id and client secret, or an access token.");
            }
            if secret("client_secret").is_none() {
                return invalid(
                    "client_secret",
                    "The client id needs its client secret: Dev Dashboard → your app → Settings → Credentials.",
                );
            }
        }
        Ok(())
    }

    /// A token that does not end is used as it is.
    fn token(&self, settings: &Settings, secrets: &Secrets) -> Option<Token> {
        if secrets.first("access_token").is_some() { None } else { token::token(settings) }
    }

    fn webhook(&self) -> Option<&dyn Webhook> {
        Some(self)
    }

    fn pull(&self) -> Option<&dyn Steps<Pull>> {
        Some(&walk::Orders)
    }

    fn fetch(&self) -> Option<&dyn Steps<Fetch>> {
        Some(&lines::Lines)
    }

    fn provision(&self) -> Option<&dyn Steps<Provision>> {
        Some(&registration::Hooks)
    }
}

impl Webhook for Shopify {
    fn secrets(&self) -> &'static [&'static str] {
        &["client_secret", "webhook_secret"]
    }

    fn is_named(&self, got: &Incoming<'_>, settings: &Settings) -> bool {
        let named = header(got.headers, "shop-domain").and_then(graphql::shop_host);
        named.is_some() && named == graphql::shop_of(settings)
    }

    /// Business dates have no age: Shopify sends again for hours, and an old body twice is the same body.
    fn verify<'a>(&self, got: &Incoming<'a>, secrets: &Secrets, _now: Time) -> Result<Verified<'a>, Reject> {
        let claimed = header(got.headers, "hmac-sha256").ok_or(Reject::BadSignature)?;
        // Shopify never leaves these out; who does is not Shopify. The newer flavour also names each event.
        let is_newer = got.headers.get("x-shopify-hmac-sha256").is_none();
        let needed: &[&str] = if is_newer { &["topic", "event-id"] } else { &["topic"] };
        if got.body.is_empty() || needed.iter().any(|name| header(got.headers, name).is_none()) {
            return Err(Reject::BadSignature);
        }
        let content_type = got.headers.get("content-type").unwrap_or_default();
        let live = ["client_secret", "webhook_secret"].iter().flat_map(|key| secrets.all(key));
        let live: Vec<Secret> = live.filter(|s| !s.reveal().is_empty()).cloned().collect();
        Verified::by_base64_hmac(&live, &[got.body], claimed, got.body, content_type).ok_or(Reject::BadSignature)
    }

    fn parse(&self, body: &Verified<'_>, settings: &Settings, home: &Home) -> Result<Heard, Reject> {
        let Value::Object(map) = json::parse(body.body()).map_err(|fault| Reject::BadBody(fault.sentence))? else {
            return Err(Reject::BadBody("This is neither an order nor a refund of Shopify.".into()));
        };
        let currency = settings.get("currency").and_then(Currency::parse);
        Ok(match rest::read(map, currency, home)? {
            Body::Order(order) => Heard::Facts(Batch::of(vec![Fact::Order(*order)])),
            Body::Refund(refund) => Heard::Facts(Batch::of(vec![Fact::Refund(refund)])),
            Body::Deletion(deletion) => Heard::Facts(Batch::of(vec![Fact::Deletion(deletion)])),
            Body::NoRefund => {
                Heard::Reply(Response { status: 200, headers: Headers::default(), body: b"Nothing was given back yet.".to_vec() })
            }
            Body::Uninstalled { shop } => farewell(&shop, settings)?,
            Body::Privacy(Wish::Erasure(customer)) => {
                Heard::Erasure(Whom { email: customer.email, phone: customer.phone, orders: customer.orders })
            }
            Body::Privacy(Wish::Data(customer)) => Heard::ForOwner(format!(
                "{ASKS_FOR_DATA} ({}). Look them up under People, export what is there, and send it to them within 30 days.",
                if customer.email.is_some() { "Shopify named their e-mail" } else { "Shopify named no e-mail" },
            )),
            Body::Privacy(Wish::Shop) => Heard::ForOwner(format!(
                "{ASKS_FOR_SHOP}, which removed the app two days ago. If it will not come back, remove the connection and erase its customers under Privacy.",
            )),
        })
    }
}

/// How the privacy topics begin that only the owner can answer; the desk finds them by it.
pub const ASKS_FOR_DATA: &str = "A customer of the shop asks what is known of them";
pub const ASKS_FOR_SHOP: &str = "Shopify asks to delete what came from this shop";

/// The record of another shop that shares the app says nothing of this one.
fn farewell(shop: &str, settings: &Settings) -> Result<Heard, Reject> {
    let own = graphql::shop_of(settings);
    if own.is_some() && graphql::shop_host(shop) != own {
        return Err(Reject::BadBody(format!("The app was uninstalled from {shop}, which is not the shop of this connection.")));
    }
    Ok(Heard::Farewell(format!(
        "The app was uninstalled from {shop}: Shopify sends no more orders. Install it again in the Dev Dashboard, then resume the connection."
    )))
}

/// A header of either flavour, that occurs once.
fn header<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    let older = format!("x-shopify-{name}");
    let name = if headers.get(&older).is_some() { older } else { format!("shopify-{name}") };
    headers.only(&name).map(str::trim).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(settings: &[(&str, &str)], secrets: &[(&str, &str)]) -> Option<String> {
        let settings = Settings(settings.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect());
        let mut known = Secrets::default();
        for (key, value) in secrets {
            known.set(key, Secret::new(*value));
        }
        Shopify.check(&settings, &known).err().and_then(|e| e.field)
    }

    #[test]
    fn a_wrong_set_up_is_seen_before_anything_is_asked() {
        let shop = ("shop", "cups.myshopify.com");
        type Row<'a> = (&'a [(&'a str, &'a str)], &'a [(&'a str, &'a str)], Option<&'a str>);
        let rows: &[Row] = &[
            (&[shop], &[("access_token", "shpat_1")], None),
            (&[shop, ("client_id", "abc")], &[("client_secret", "shpss_1")], None),
            (&[shop], &[("access_token", "shpat_1"), ("client_secret", "shpss_1")], None),
            (&[], &[], None),
            (&[("shop", "cups.example")], &[("access_token", "shpat_1")], Some("shop")),
            (&[shop], &[], Some("client_id")),
            (&[shop, ("client_id", "abc")], &[], Some("client_secret")),
            (&[shop], &[("access_token", "shpss_1")], Some("access_token")),
            (&[shop], &[("access_token", "shpat_1"), ("client_secret", "shpat_1")], Some("client_secret")),
        ];
        for (settings, secrets, want) in rows {
            assert_eq!(checked(settings, secrets).as_deref(), *want, "{settings:?} {secrets:?}");
        }
    }

    #[test]
    fn a_token_that_does_not_end_comes_first() {
        let settings = Settings([("shop", "cups"), ("client_id", "abc")].iter().map(|(k, v)| (k.to_string(), v.to_string())).collect());
        let mut secrets = Secrets::default();
        assert!(Shopify.token(&settings, &secrets).is_some());
        secrets.set("access_token", Secret::new("shpat_1"));
        assert!(Shopify.token(&settings, &secrets).is_none());
    }
}
