//! Google Analytics 4, Measurement Protocol: leads, purchases and sign-ups from the server.
//! <https://developers.google.com/analytics/devguides/collection/protocol/ga4/reference>
//! Nothing is signed; the API secret travels in the query. The service answers 204 to whatever it gets and never says
//! what became of it, so a live event is *accepted*, not delivered; only the debug address tells what is wrong.

use serde_json::{Map, Value, json};

use super::kit::{self, Hashed};
use super::{Delivery, Destination, Prepared, Start};
use crate::domain::conversion::{ConversionKind, order_event};
use crate::domain::outgoing::{Mode, Outgoing};
use crate::domain::pipeline::Stage;
use crate::domain::platform::{About, Field, FieldKind, Secrets, Settings};
use crate::domain::steps::{State, Step, Steps, Verdict, retry_after_ms};
use crate::domain::time::{DAY_MS, HOUR_MS, Time};
use crate::error::{Error, Result};
use crate::wire::{Part, Request, Response};

mod person;

pub struct Ga4;

/// Longest value of a parameter; Google cuts or drops what is longer.
const LONGEST_VALUE: usize = 100;
const LONGEST_NAME: usize = 40;
/// Most items of one event.
const MOST_ITEMS: usize = 200;

/// Names that Google keeps for itself.
/// <https://developers.google.com/analytics/devguides/collection/protocol/ga4/reference#reserved_names>
const RESERVED_NAMES: &[&str] = &[
    "ad_activeview",
    "ad_click",
    "ad_exposure",
    "ad_query",
    "ad_reward",
    "adunit_exposure",
    "app_background",
    "app_clear_data",
    "app_exception",
    "app_remove",
    "app_store_refund",
    "app_store_subscription_cancel",
    "app_store_subscription_convert",
    "app_store_subscription_renew",
    "app_update",
    "app_upgrade",
    "dynamic_link_app_open",
    "dynamic_link_app_update",
    "dynamic_link_first_open",
    "error",
    "first_open",
    "first_visit",
    "in_app_purchase",
    "notification_dismiss",
    "notification_foreground",
    "notification_open",
    "notification_receive",
    "os_update",
    "screen_view",
    "session_start",
    "user_engagement",
];
const RESERVED_STARTS: &[&str] = &["_", "ga_", "google_", "gtag.", "firebase_"];

static ABOUT: About = About {
    slug: "ga4",
    name: "Google Analytics 4",
    purpose: "shows leads and sales in Google Analytics beside the visit that led to them",
    fields: &[
        Field {
            key: "measurement_id",
            label: "Measurement id",
            help: "Admin → Data streams → your web stream: the id that begins with G-.",
            kind: FieldKind::Text,
            is_required: true,
        },
        Field {
            key: "api_secret",
            label: "API secret",
            help: "Admin → Data streams → your web stream → Measurement Protocol API secrets → Create.",
            kind: FieldKind::Secret,
            is_required: true,
        },
    ],
    steps: &[
        "Open Admin → Data streams in Google Analytics and choose the web stream of your site.",
        "Copy its measurement id and create a Measurement Protocol API secret.",
        "Save both here: conversions are built and shown, but not sent yet.",
        "Switch to test mode: Google checks each event and stores none. It does not check the secret.",
        "Switch to live, and look for generate_lead and purchase in the Realtime report.",
    ],
    docs_url: "https://developers.google.com/analytics/devguides/collection/protocol/ga4",
    receives: false,
    pulls: false,
    sends: true,
    own_secret: None,
};

impl Destination for Ga4 {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, settings: &Settings, _secrets: &Secrets) -> Result<()> {
        let is_id =
            |t: &str| t.strip_prefix("G-").is_some_and(|id| (4..=20).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric()));
        if settings.get("measurement_id").is_some_and(|id| !is_id(id)) {
            let message =
                "The measurement id begins with G-, such as G-AB12CD34EF. Ids that begin with UA-, GTM- or AW- are of other products.";
            return Err(Error::invalid("measurement_id", message));
        }
        Ok(())
    }

    fn kind_of(&self, conversion: ConversionKind, name: Option<&str>) -> Option<String> {
        match conversion {
            ConversionKind::Lead => Some("generate_lead".into()),
            ConversionKind::Sale => Some("purchase".into()),
            ConversionKind::Signup => Some("sign_up".into()),
            ConversionKind::Custom => custom_name(name?),
        }
    }

    /// Recommended events of lead generation.
    fn kind_of_stage(&self, stage: Stage) -> Option<&'static str> {
        match stage {
            Stage::Qualified => Some("qualify_lead"),
            Stage::Won => Some("close_convert_lead"),
            _ => None,
        }
    }

    fn kind_of_refund(&self) -> Option<&'static str> {
        Some("refund")
    }

    /// 72 hours; what is older is dropped without a word.
    fn age_limit_ms(&self) -> Option<i64> {
        Some(3 * DAY_MS - HOUR_MS)
    }

    fn prepare(&self, out: &Outgoing, _settings: &Settings) -> Prepared {
        let name = match out.stage {
            Some(stage) => self.kind_of_stage(stage).map(str::to_owned),
            None if out.is_refund => self.kind_of_refund().map(str::to_owned),
            None => self.kind_of(out.kind, out.name.as_deref()),
        };
        let Some(name) = name else {
            return Prepared::Skip("unsupported_kind");
        };
        // An event of a made-up browser with nothing to join it by would only be one more unknown visitor.
        let Some(client_id) = person::client_id(out) else {
            return Prepared::Skip("no_match_keys");
        };
        let mut hashed = Hashed::default();
        let mut body = Map::new();
        body.insert("client_id".into(), json!(client_id));
        body.insert("timestamp_micros".into(), json!(out.happened_at.ms() * 1_000));
        if out.consent.is_explicit {
            body.insert("consent".into(), json!({ "ad_user_data": "GRANTED", "ad_personalization": "GRANTED" }));
        }
        let user_data = person::user_data(out, &mut hashed);
        if !user_data.is_empty() {
            body.insert("user_data".into(), Value::Object(user_data));
        }
        body.insert("events".into(), json!([{ "name": name, "params": params(out) }]));
        let is_test = out.mode == Mode::Test;
        if is_test {
            body.insert("validation_behavior".into(), json!("ENFORCE_RECOMMENDATIONS"));
        }
        Prepared::Start(Start { state: json!({ "body": body, "test": is_test }), hashed: hashed.into_value() })
    }

    fn delivery(&self) -> &dyn Steps<Delivery> {
        self
    }
}

impl Steps<Delivery> for Ga4 {
    fn step(&self, state: State, got: Option<&Response>, settings: &Settings, (): &(), now: Time) -> Step<Delivery> {
        kit::once(
            state,
            got,
            |state| request(state, settings, now),
            |state, response| if state["test"] == true { judged(response) } else { taken(response) },
        )
    }
}

fn params(out: &Outgoing) -> Map<String, Value> {
    let mut params = Map::new();
    if let Some(session) = out.visit.as_ref().and_then(|v| v.ga_session_id.as_deref()).and_then(person::session_id) {
        params.insert("session_id".into(), json!(session));
    }
    params.insert("engagement_time_msec".into(), json!(1));
    if let Some(amount) = out.amount {
        params.insert("currency".into(), json!(amount.currency));
        params.insert("value".into(), amount.number());
    }
    match out.kind {
        ConversionKind::Lead => {
            if let Some(credited) = out.credited.as_ref().filter(|c| !c.source.is_empty()) {
                params.insert("lead_source".into(), json!(cut(&credited.source)));
            }
        }
        ConversionKind::Signup => {
            if let Some(form) = kit::filled(&out.form_type) {
                params.insert("method".into(), json!(cut(form)));
            }
        }
        ConversionKind::Sale => {
            params.insert("transaction_id".into(), json!(cut(transaction_id(out))));
            if out.is_refund {
                // Which goods came back is not known: items would take all of them out of the reports.
                return params;
            }
            if let Some(coupon) = out.coupons.first().filter(|c| !c.trim().is_empty()) {
                params.insert("coupon".into(), json!(cut(coupon)));
            }
            let items: Vec<Value> = out.items.iter().filter_map(|i| item(i, out)).take(MOST_ITEMS).collect();
            if !items.is_empty() {
                params.insert("items".into(), json!(items));
            }
        }
        ConversionKind::Custom => {}
    }
    params
}

fn item(item: &crate::domain::outgoing::Item, out: &Outgoing) -> Option<Value> {
    let id = item.id.trim();
    if item.quantity <= 0 || id.is_empty() {
        return None;
    }
    let mut line = json!({ "item_id": cut(id), "quantity": item.quantity });
    if let Some(name) = kit::filled(&item.name) {
        line["item_name"] = json!(cut(name));
    }
    // An item's price is read in the currency of the event.
    if let Some(price) = item.price.filter(|p| out.amount.is_some_and(|a| a.currency == p.currency)) {
        line["price"] = price.number();
    }
    Some(line)
}

fn request(state: &State, settings: &Settings, now: Time) -> Request {
    let mut body = state["body"].clone();
    // A sender's clock may run ahead of ours; an event of the future has no place in a report.
    let latest = now.ms() * 1_000;
    if body["timestamp_micros"].as_i64().is_some_and(|at| at > latest) {
        body["timestamp_micros"] = json!(latest);
    }
    let path = if state["test"] == true { "/debug/mp/collect" } else { "/mp/collect" };
    Request::new("POST", "https://www.google-analytics.com", path)
        .host("ga4")
        .query("measurement_id", Part::plain(settings.get("measurement_id").unwrap_or_default()))
        .query("api_secret", Part::secret("api_secret"))
        .json(body)
}

/// The live address: 2xx means received, for rubbish too. Anything else did not reach the service.
fn taken(response: &Response) -> Verdict {
    match response.status {
        200..=299 => Verdict::Accepted("Google Analytics received it. It never confirms an event.".into()),
        300..=399 => Verdict::Refused(format!("Google Analytics answered with a redirect ({}), which is not followed.", response.status)),
        413 => Verdict::Refused("Google Analytics finds the event too large.".into()),
        status => Verdict::Retry { after_ms: retry_after_ms(response), sentence: format!("Google Analytics answered {status}.") },
    }
}

/// The debug address: a list of what is wrong with the event.
fn judged(response: &Response) -> Verdict {
    if !response.is_success() {
        return taken(response);
    }
    let body = response.json().unwrap_or_default();
    let Some(messages) = body["validationMessages"].as_array() else {
        return Verdict::Retry { after_ms: None, sentence: "Google's validation answered without a result.".into() };
    };
    if messages.is_empty() {
        return Verdict::Accepted(
            "Validated, not stored: Google finds nothing wrong with the event. It does not check the API secret.".into(),
        );
    }
    let said: Vec<String> = messages
        .iter()
        .map(|m| {
            let field = m["fieldPath"].as_str().filter(|f| !f.is_empty());
            let words = kit::quoted(m["description"].as_str().or(m["validationCode"].as_str()).unwrap_or("no reason given"));
            field.map_or(words.clone(), |f| format!("{}: {words}", kit::quoted(f)))
        })
        .collect();
    Verdict::Refused(format!("Google's validation says: {}.", said.join("; ")))
}

/// An event name as Google takes it; blanks and hyphens become underscores.
fn custom_name(name: &str) -> Option<String> {
    let name = name.trim().replace([' ', '-'], "_");
    let is_fit = name.len() <= LONGEST_NAME
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !RESERVED_NAMES.contains(&name.as_str())
        && !RESERVED_STARTS.iter().any(|start| name.starts_with(start));
    is_fit.then_some(name)
}

fn cut(text: &str) -> String {
    text.trim().chars().take(LONGEST_VALUE).collect()
}

/// GA4 counts each transaction id once. The same number of a second shop is another sale, as its event id says; the sale that has
/// the plain number keeps it, so that a page's own tag may tell the same.
fn transaction_id(out: &Outgoing) -> &str {
    let of_second_shop = out.subject.strip_prefix("order_").filter(|id| id.starts_with("con"));
    let own = order_event(&out.external_id);
    let plain = own.strip_prefix("order_").unwrap_or(&own);
    let is_this = |id: &&str| id.strip_suffix(plain).is_some_and(|front| front.ends_with('_'));
    of_second_shop.filter(is_this).unwrap_or(&out.external_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn custom_names_follow_googles_rules() {
        for (given, want) in [
            ("demo_booked", Some("demo_booked")),
            (" Demo booked ", Some("Demo_booked")),
            ("demo-booked", Some("demo_booked")),
            ("1st_call", None),
            ("", None),
            ("first_visit", None),
            ("ga_thing", None),
            ("_private", None),
            ("prix_payé", None),
            ("a23456789012345678901234567890123456789_41", None),
        ] {
            assert_eq!(custom_name(given).as_deref(), want, "{given}");
        }
    }
}
