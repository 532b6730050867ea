//! The owner's own system: a readable JSON message, signed by the Standard Webhooks rules.
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>
//! `webhook-id` stays the same for every try of one message; timestamp and signature are made anew for each.

use serde_json::{Map, Value, json};

use super::kit::{self, Hashed};
use super::{Delivery, Destination, Erased, Prepared, Start};
use crate::crypto;
use crate::domain::conversion::ConversionKind;
use crate::domain::money::Money;
use crate::domain::outgoing::{Item, Mode, Outgoing, Visit};
use crate::domain::pipeline::Stage;
use crate::domain::platform::{About, Field, FieldKind, Secrets, Settings};
use crate::domain::steps::{State, Step, Steps, Verdict, by_status};
use crate::domain::time::Time;
use crate::error::{Error, Result};
use crate::wire::{Request, Response, Sign};

pub struct Webhook;

/// What a message is about; more kinds may come, so receivers look at `type`.
const CREATED: &str = "conversion.created";
/// Somebody of whom conversions were handed over has been erased: the receiver is asked to do the same.
const ERASED: &str = "person.erased";

static ABOUT: About = About {
    slug: "webhook",
    name: "Webhook",
    purpose: "hands every conversion to a system of your own, readable and signed",
    fields: &[
        Field {
            key: "url",
            label: "Address",
            help: "The https address of your own system that takes a POST with JSON.",
            kind: FieldKind::Url,
            is_required: true,
        },
        Field {
            key: "secret",
            label: "Signing secret",
            help: "whsec_ and 24 to 64 bytes in base64. Leave it empty and one is made for you.",
            kind: FieldKind::Secret,
            is_required: true,
        },
    ],
    steps: &[
        "Give the address of your system that takes a POST with JSON.",
        "Put the signing secret into that system: any Standard Webhooks library checks the signature with it.",
        "Answer with a 2xx status within 10 seconds; anything else is tried again for a day and a half.",
        "Keep the webhook-id of what you have handled: a repeat carries the same one.",
        "A message of the type sale.refunded says how much of a sale went back, one of sale.restored how much of that counts again after all.",
        "A message of the type person.erased names somebody who was erased here: do the same in your system.",
    ],
    docs_url: "https://www.standardwebhooks.com/",
    receives: false,
    pulls: false,
    sends: true,
    own_secret: Some("secret"),
};

impl Destination for Webhook {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, settings: &Settings, secrets: &Secrets) -> Result<()> {
        if settings.get("url").is_some_and(|url| Place::read(url).is_none()) {
            return Err(Error::invalid(
                "url",
                "Give an https address such as https://shop.example/hooks/halotrack, without name and password.",
            ));
        }
        if secrets.all("secret").iter().any(|s| crypto::webhook_key(s.reveal()).is_none()) {
            return Err(Error::invalid("secret", "The signing secret is whsec_ followed by 24 to 64 bytes in base64."));
        }
        Ok(())
    }

    fn signs_with(&self) -> Option<&'static str> {
        Some("secret")
    }

    fn kind_of(&self, _conversion: ConversionKind, _name: Option<&str>) -> Option<String> {
        Some(CREATED.into())
    }

    fn kind_of_stage(&self, stage: Stage) -> Option<&'static str> {
        match stage {
            Stage::Qualified => Some("lead.qualified"),
            Stage::Won => Some("lead.won"),
            _ => None,
        }
    }

    fn kind_of_refund(&self) -> Option<&'static str> {
        Some("sale.refunded")
    }

    fn kind_of_again(&self) -> Option<&'static str> {
        Some("sale.restored")
    }

    fn age_limit_ms(&self) -> Option<i64> {
        None
    }

    fn prepare(&self, out: &Outgoing, _settings: &Settings) -> Prepared {
        let moved = match (out.is_refund, out.is_again) {
            (true, _) => self.kind_of_refund(),
            (_, true) => self.kind_of_again(),
            _ => out.stage.and_then(|stage| self.kind_of_stage(stage)),
        };
        let about = moved.unwrap_or(CREATED);
        let digest = crypto::sha256_hex(format!("{about} {}", out.event_id).as_bytes());
        let body = json!({
            "type": about,
            "timestamp": out.happened_at.utc(),
            "data": data(out),
        });
        let state = json!({ "body": body, "id": format!("msg_{}", &digest[..32]), "test": out.mode == Mode::Test });
        Prepared::Start(Start { state, hashed: hidden(out).into_value() })
    }

    fn delivery(&self) -> &dyn Steps<Delivery> {
        self
    }

    fn takes_erasures(&self) -> bool {
        true
    }

    fn erasures(&self, erased: &Erased, settings: &Settings, now: Time) -> Vec<Request> {
        let Some(place) = settings.get("url").and_then(Place::read) else { return Vec::new() };
        let names = json!({
            "emails": erased.emails, "phones": erased.phones, "customer_ids": erased.customer_ids,
            "conversions": erased.conversions, "event_ids": erased.event_ids,
        });
        let body = json!({"type": ERASED, "timestamp": erased.at.utc(), "data": names});
        let digest = crypto::sha256_hex(format!("{ERASED} {} {}", erased.number, erased.at.ms()).as_bytes());
        let state = json!({"body": body, "id": format!("msg_{}", &digest[..32])});
        vec![request(&state, place, now)]
    }
}

impl Steps<Delivery> for Webhook {
    fn step(&self, state: State, got: Option<&Response>, settings: &Settings, (): &(), now: Time) -> Step<Delivery> {
        let Some(place) = settings.get("url").and_then(Place::read) else {
            return Step::Done(Verdict::Pause("The webhook has no usable address. Set it to an https address of your system.".into()));
        };
        kit::once(state, got, |state| request(state, place, now), |_, response| verdict(response))
    }
}

fn request(state: &State, place: Place, now: Time) -> Request {
    Request::new("POST", place.origin, place.path).json(state["body"].clone()).signed(Sign::StandardWebhooks {
        secret: "secret".into(),
        id: state["id"].as_str().unwrap_or_default().to_owned(),
        timestamp_s: now.s(),
    })
}

/// A receiver that says 410 wants no more messages.
fn verdict(response: &Response) -> Verdict {
    match response.status {
        200..=299 => Verdict::Delivered(format!("Your system took it ({}).", response.status)),
        410 => Verdict::Pause("Your system answered 410: it wants no more messages.".into()),
        _ => kit::alone(by_status("Your system", response)),
    }
}

/// The owner's own data, readable: hashes would only be in their way. A value that is not known is null.
fn data(out: &Outgoing) -> Value {
    let mut data = json!({
        "conversion": out.conversion,
        "kind": out.kind,
        "name": out.name,
        "event_id": out.event_id,
        "external_id": out.external_id,
        "happened_at": out.happened_at.utc(),
        "amount": out.amount.map(amount),
        "form_type": out.form_type,
        "coupons": out.coupons,
        "items": out.items.iter().map(item).collect::<Vec<_>>(),
        "credited": out.credited,
        "match_type": out.match_type,
        "person": {
            "email": out.email.as_ref().map(|e| e.as_str()),
            "phone": out.phone.as_ref().map(|p| p.as_str()),
            "first_name": out.first_name,
            "last_name": out.last_name,
            "city": out.city,
            "region": out.region,
            "postcode": out.postcode,
            "country": out.country,
            "customer_id": out.customer_id,
        },
        "visit": out.visit.as_ref().map(|v| visit(v, out)),
        "consent": { "marketing": "granted", "explicit": out.consent.is_explicit },
        "site": out.site_domain,
    });
    if let Some(stage) = out.stage {
        data["stage"] = json!(stage.word());
    }
    if out.mode == Mode::Test {
        data["test"] = json!(true);
    }
    data
}

/// The message is readable, what is kept and shown of it is not: it lasts longer than the person may want.
fn hidden(out: &Outgoing) -> Hashed {
    let mut hidden = Hashed::default();
    let fields = [
        ("email", out.email.as_ref().map(|e| e.masked())),
        ("phone", out.phone.as_ref().map(|p| p.masked())),
        ("first_name", kit::filled(&out.first_name).map(kit::masked)),
        ("last_name", kit::filled(&out.last_name).map(kit::masked)),
        ("postcode", kit::filled(&out.postcode).map(kit::masked)),
        ("customer_id", kit::filled(&out.customer_id).map(kit::masked)),
    ];
    for (field, masked) in fields {
        if let Some(masked) = masked {
            hidden.hide(&format!("/data/person/{field}"), masked);
        }
    }
    hidden
}

fn amount(money: Money) -> Value {
    json!({ "minor": money.minor, "currency": money.currency, "decimal": money.decimal() })
}

fn item(item: &Item) -> Value {
    json!({ "id": item.id, "name": item.name, "quantity": item.quantity, "price": item.price.map(amount) })
}

fn visit(visit: &Visit, out: &Outgoing) -> Value {
    let mut clicks = Map::new();
    for (kind, value, _) in &visit.clicks {
        // Newest first: the first of a kind stays.
        clicks.entry(kind.name()).or_insert_with(|| json!(value));
    }
    json!({
        "started_at": visit.started_at.map(Time::utc),
        "page": kit::page_address(out),
        "referrer": visit.referrer,
        "click_ids": clicks,
    })
}

/// The owner's address, cut for a request. Path and query stay letter by letter: some receivers sign them.
struct Place {
    origin: String,
    path: String,
}

impl Place {
    fn read(text: &str) -> Option<Self> {
        let url = url::Url::parse(text.trim()).ok()?;
        let is_fit = matches!(url.scheme(), "https" | "http") && url.has_host() && url.username().is_empty() && url.password().is_none();
        let query = url.query().map(|q| format!("?{q}")).unwrap_or_default();
        is_fit.then(|| Self { origin: url.origin().ascii_serialization(), path: format!("{}{query}", url.path()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_cut_into_origin_and_path() {
        for (given, want) in [
            ("https://shop.example/hook", Some(("https://shop.example", "/hook"))),
            ("https://shop.example", Some(("https://shop.example", "/"))),
            ("https://shop.example:8443/a%20b?x=1&y=%2F&z#part", Some(("https://shop.example:8443", "/a%20b?x=1&y=%2F&z"))),
            ("https://user:pass@shop.example/", None),
            ("ftp://shop.example/", None),
            ("shop.example", None),
        ] {
            let got = Place::read(given).map(|p| (p.origin, p.path));
            assert_eq!(got, want.map(|(o, p)| (o.to_owned(), p.to_owned())), "{given}");
        }
    }
}
