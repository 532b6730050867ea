//! Meta Conversions API: leads, sales and sign-ups for Facebook and Instagram ads.
//! <https://developers.facebook.com/docs/marketing-api/conversions-api/parameters/server-event>
//! Nothing is signed; the access token travels in the query. One event a request: Meta refuses a whole batch for one
//! bad event, and counts a repeat of the same event name and event id within 48 hours once.

use serde_json::{Map, Value, json};

use super::kit::{self, Hashed};
use super::{Delivery, Destination, Prepared, Start};
use crate::domain::conversion::ConversionKind;
use crate::domain::outgoing::{Mode, Outgoing};
use crate::domain::pipeline::Stage;
use crate::domain::platform::{About, Field, FieldKind, Secrets, Settings};
use crate::domain::steps::{State, Step, Steps};
use crate::domain::time::{DAY_MS, HOUR_MS, Time};
use crate::error::{Error, Result};
use crate::wire::{Part, Request, Response};

mod answer;
pub mod file;
mod person;

pub struct Meta;

/// A version lives at least two years for this interface.
const DEFAULT_VERSION: &str = "v25.0";
/// Longest name of a custom event.
const LONGEST_NAME: usize = 50;

static ABOUT: About = About {
    slug: "meta",
    name: "Meta",
    purpose: "tells Facebook and Instagram ads which visits became leads and sales",
    fields: &[
        Field {
            key: "pixel_id",
            label: "Dataset (pixel) id",
            help: "Events Manager → Data sources → your dataset → Settings: the number under its name.",
            kind: FieldKind::Text,
            is_required: true,
        },
        Field {
            key: "access_token",
            label: "Access token",
            help: "Events Manager → your dataset → Settings → Conversions API → Generate access token.",
            kind: FieldKind::Secret,
            is_required: true,
        },
        Field {
            key: "test_event_code",
            label: "Test event code",
            help: "Events Manager → your dataset → Test events: the code such as TEST12345. Needed for test mode only.",
            kind: FieldKind::Text,
            is_required: false,
        },
        Field {
            key: "api_version",
            label: "Graph API version",
            help: "Leave it empty for v25.0. Change it only when Meta announces that a version ends.",
            kind: FieldKind::Text,
            is_required: false,
        },
    ],
    steps: &[
        "Open Events Manager and choose the dataset (pixel) that your ads use.",
        "Copy its id and generate an access token for the Conversions API.",
        "Save both here: conversions are built and shown, but not sent yet.",
        "Enter the test event code, switch to test mode, and watch the next conversion appear under Test events.",
        "Switch to live.",
    ],
    docs_url: "https://developers.facebook.com/docs/marketing-api/conversions-api/get-started",
    receives: false,
    pulls: false,
    sends: true,
    own_secret: None,
};

impl Destination for Meta {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, settings: &Settings, _secrets: &Secrets) -> Result<()> {
        let is_number = |t: &str| (5..=20).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit());
        if settings.get("pixel_id").is_some_and(|id| !is_number(id)) {
            return Err(Error::invalid("pixel_id", "The dataset (pixel) id is a number such as 123456789012345."));
        }
        if settings.get("api_version").is_some_and(|v| !is_version(v)) {
            return Err(Error::invalid("api_version", "The Graph API version is written like v25.0."));
        }
        Ok(())
    }

    fn kind_of(&self, conversion: ConversionKind, name: Option<&str>) -> Option<String> {
        match conversion {
            ConversionKind::Lead => Some("Lead".into()),
            ConversionKind::Sale => Some("Purchase".into()),
            ConversionKind::Signup => Some("CompleteRegistration".into()),
            ConversionKind::Custom => {
                let name = name?.trim();
                let is_fit = !name.is_empty() && name.chars().count() <= LONGEST_NAME && !name.chars().any(char::is_control);
                is_fit.then(|| name.to_owned())
            }
        }
    }

    /// Names of one's own, by which ads can be optimised like by any custom event.
    fn kind_of_stage(&self, stage: Stage) -> Option<&'static str> {
        match stage {
            Stage::Qualified => Some("LeadQualified"),
            Stage::Won => Some("LeadWon"),
            _ => None,
        }
    }

    /// Seven days; the request fails as a whole for one older event.
    fn age_limit_ms(&self) -> Option<i64> {
        Some(7 * DAY_MS - HOUR_MS)
    }

    fn prepare(&self, out: &Outgoing, settings: &Settings) -> Prepared {
        let name = match out.stage {
            Some(stage) => self.kind_of_stage(stage).map(str::to_owned),
            None => self.kind_of(out.kind, out.name.as_deref()),
        };
        let Some(name) = name else {
            return Prepared::Skip("unsupported_kind");
        };
        if out.kind == ConversionKind::Sale && out.amount.is_none() {
            return Prepared::Skip("no_amount");
        }
        let test_code = (out.mode == Mode::Test).then(|| settings.get("test_event_code").unwrap_or_default());
        if test_code == Some("") {
            // Without the code a test would count as real.
            return Prepared::Skip("no_test_event_code");
        }
        let mut hashed = Hashed::default();
        let person = person::user_data(out, &mut hashed);
        if !person.is_matchable {
            return Prepared::Skip("no_match_keys");
        }
        Prepared::Start(Start {
            state: json!({ "event": event(out, &name, person.fields), "test": test_code }),
            hashed: hashed.into_value(),
        })
    }

    fn delivery(&self) -> &dyn Steps<Delivery> {
        self
    }
}

impl Steps<Delivery> for Meta {
    fn step(&self, state: State, got: Option<&Response>, settings: &Settings, (): &(), now: Time) -> Step<Delivery> {
        kit::once(state, got, |state| request(state, settings, now), |_, response| answer::verdict(response))
    }
}

fn event(out: &Outgoing, name: &str, user_data: Map<String, Value>) -> Value {
    let page = kit::page_address(out);
    // Meta demands the page and the user agent of an event that says it happened on a website. That a lead is qualified
    // or won is said in the office, not on a page.
    let is_website = page.is_some() && user_data.contains_key("client_user_agent") && out.stage.is_none();
    let mut event = json!({
        "event_name": name,
        "event_time": out.happened_at.s(),
        "event_id": out.event_id,
        "action_source": if is_website { "website" } else { "system_generated" },
        "user_data": user_data,
    });
    if let Some(page) = page.filter(|_| is_website) {
        event["event_source_url"] = json!(page);
    }
    let custom = custom_data(out);
    if !custom.is_empty() {
        event["custom_data"] = Value::Object(custom);
    }
    event
}

fn custom_data(out: &Outgoing) -> Map<String, Value> {
    let mut data = Map::new();
    if let Some(amount) = out.amount {
        data.insert("value".into(), amount.number());
        data.insert("currency".into(), json!(amount.currency));
    }
    if let Some(form) = kit::filled(&out.form_type) {
        data.insert("content_name".into(), json!(form));
    }
    if out.kind == ConversionKind::Lead {
        data.insert("content_category".into(), json!("lead"));
    }
    if out.kind != ConversionKind::Sale {
        return data;
    }
    data.insert("order_id".into(), json!(out.external_id));
    let items: Vec<_> = out.items.iter().filter(|i| i.quantity > 0 && !i.id.trim().is_empty()).collect();
    if items.is_empty() {
        return data;
    }
    let mut ids: Vec<&str> = Vec::new();
    let mut contents = Vec::new();
    for item in &items {
        if !ids.contains(&item.id.as_str()) {
            ids.push(&item.id);
        }
        let mut content = json!({ "id": item.id, "quantity": item.quantity });
        // An item's price has no currency of its own here: it is read in that of the event.
        if let Some(price) = item.price.filter(|p| out.amount.is_some_and(|a| a.currency == p.currency)) {
            content["item_price"] = price.number();
        }
        if let Some(name) = kit::filled(&item.name) {
            content["title"] = json!(name);
        }
        contents.push(content);
    }
    data.insert("content_type".into(), json!("product"));
    data.insert("content_ids".into(), json!(ids));
    data.insert("contents".into(), Value::Array(contents));
    data.insert("num_items".into(), json!(items.iter().map(|i| i.quantity).sum::<i64>()));
    data
}

fn request(state: &State, settings: &Settings, now: Time) -> Request {
    let mut event = state["event"].clone();
    // A sender's clock may run ahead of ours; Meta refuses what lies in the future.
    if event["event_time"].as_i64().is_some_and(|at| at > now.s()) {
        event["event_time"] = json!(now.s());
    }
    let mut body = json!({ "data": [event] });
    if let Some(code) = state["test"].as_str() {
        body["test_event_code"] = json!(code);
    }
    let version = settings.get("api_version").filter(|v| is_version(v)).unwrap_or(DEFAULT_VERSION);
    let pixel = kit::segment(settings.get("pixel_id").unwrap_or_default());
    Request::new("POST", "https://graph.facebook.com", format!("/{version}/{pixel}/events"))
        .host("meta")
        .query("access_token", Part::secret("access_token"))
        .json(body)
}

/// `v25.0`
fn is_version(text: &str) -> bool {
    let is_number = |t: &str| !t.is_empty() && t.len() <= 3 && t.bytes().all(|b| b.is_ascii_digit());
    text.strip_prefix('v').and_then(|t| t.split_once('.')).is_some_and(|(major, minor)| is_number(major) && is_number(minor))
}
