//! Google Ads by the Data Manager API: which clicks became sales and leads.
//! <https://developers.google.com/data-manager/api/devguides/events>
//! One event a request, so that what Google says later is about this one. Taken only means received: half an hour later
//! it is asked what became of it. Credentials are those of a service account or of a user, both buy a token of an hour.

use serde_json::json;

use super::kit::{self, Hashed};
use super::{Delivery, Destination, Prepared, Start};
use crate::domain::conversion::ConversionKind;
use crate::domain::outgoing::{Mode, Outgoing};
use crate::domain::pipeline::Stage;
use crate::domain::platform::{About, Field, FieldKind, Secrets, Settings};
use crate::domain::steps::{State, Step, Steps, Token, Verdict};
use crate::domain::time::{DAY_MS, HOUR_MS, Time};
use crate::error::{Error, Result};
use crate::wire::{Part, Request, Response};

mod answer;
mod credentials;
mod event;
pub mod file;
mod status;

pub struct GoogleAds;

/// In a field for an action: conversions of that kind are not wanted.
const NONE: &str = "none";

static ABOUT: About = About {
    slug: "google_ads",
    name: "Google Ads",
    purpose: "tells Google Ads which clicks became sales and leads",
    fields: &[
        Field {
            key: "customer_id",
            label: "Customer id",
            help: "The ten digits at the top of Google Ads, of the account that owns the conversion action.",
            kind: FieldKind::Text,
            is_required: true,
        },
        Field {
            key: "conversion_action",
            label: "Conversion action",
            help: "Goals → Conversions → your action of the kind import: the number behind ctId= in its address.",
            kind: FieldKind::Text,
            is_required: true,
        },
        Field {
            key: "lead_action",
            label: "Conversion action of leads",
            help: "The number of an action for leads and sign-ups alone. Leave it empty for the same as above, or write none to leave them out.",
            kind: FieldKind::Text,
            is_required: false,
        },
        Field {
            key: "qualified_action",
            label: "Conversion action of qualified leads",
            help: "The number of an action for leads that you call qualified. Leave it empty to leave them out.",
            kind: FieldKind::Text,
            is_required: false,
        },
        Field {
            key: "won_action",
            label: "Conversion action of won leads",
            help: "The number of an action for leads that you have won. Leave it empty to leave them out.",
            kind: FieldKind::Text,
            is_required: false,
        },
        Field {
            key: "login_customer_id",
            label: "Manager's customer id",
            help: "Only where the credentials belong to a manager account: its ten digits.",
            kind: FieldKind::Text,
            is_required: false,
        },
        Field {
            key: "service_account",
            label: "Service account key",
            help: "Google Cloud → IAM → Service accounts → your account → Keys → Add key → JSON: the whole file.",
            kind: FieldKind::Secret,
            is_required: false,
        },
        Field {
            key: "client_id",
            label: "OAuth client id",
            help: "In place of a service account: the id of your own OAuth client in Google Cloud.",
            kind: FieldKind::Text,
            is_required: false,
        },
        Field {
            key: "client_secret",
            label: "OAuth client secret",
            help: "The secret of that OAuth client.",
            kind: FieldKind::Secret,
            is_required: false,
        },
        Field {
            key: "refresh_token",
            label: "Refresh token",
            help: "Of a user with access to the account, for the scope datamanager.",
            kind: FieldKind::Secret,
            is_required: false,
        },
    ],
    steps: &[
        "In Google Cloud, switch on the Data Manager API and make a service account with a key (JSON).",
        "In Google Ads, open Admin → Access and security and give the service account's address access to the account.",
        "Under Goals → Conversions make a conversion action of the kind import, at least six hours before the first conversion.",
        "Enter the customer id, the action's number and the key here: conversions are built and shown, but not sent yet.",
        "Switch to test mode: Google checks each conversion and keeps none. Then switch to live.",
    ],
    docs_url: "https://developers.google.com/data-manager/api/devguides/events",
    receives: false,
    pulls: false,
    sends: true,
    own_secret: None,
};

impl Destination for GoogleAds {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, settings: &Settings, secrets: &Secrets) -> Result<()> {
        for key in ["customer_id", "login_customer_id"] {
            if settings.get(key).is_some_and(|id| event::account(id).is_none()) {
                return Err(Error::invalid(key, "A customer id is ten digits, such as 123-456-7890."));
            }
        }
        let is_number = |t: &str| (1..=20).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit());
        for key in ["conversion_action", "lead_action", "qualified_action", "won_action"] {
            let may_be_none = key == "lead_action";
            if settings.get(key).is_some_and(|id| !is_number(id) && !(may_be_none && id == NONE)) {
                let message = "The conversion action is a number: open it in Google Ads and copy what stands behind ctId= in the address.";
                return Err(Error::invalid(key, message));
            }
        }
        credentials::check(settings, secrets)
    }

    fn token(&self, settings: &Settings, secrets: &Secrets, now: Time) -> Option<Token> {
        Some(credentials::token(settings, secrets, now))
    }

    /// Google's own categories of conversion actions.
    fn kind_of(&self, conversion: ConversionKind, _name: Option<&str>) -> Option<String> {
        match conversion {
            ConversionKind::Sale => Some("PURCHASE".into()),
            ConversionKind::Lead => Some("SUBMIT_LEAD_FORM".into()),
            ConversionKind::Signup => Some("SIGNUP".into()),
            ConversionKind::Custom => None,
        }
    }

    fn kind_of_stage(&self, stage: Stage) -> Option<&'static str> {
        match stage {
            Stage::Qualified => Some("QUALIFIED_LEAD"),
            Stage::Won => Some("CONVERTED_LEAD"),
            _ => None,
        }
    }

    /// The longest window that a conversion action can have; of a shorter one Google itself says that it is too old.
    fn age_limit_ms(&self) -> Option<i64> {
        Some(90 * DAY_MS - HOUR_MS)
    }

    fn prepare(&self, out: &Outgoing, settings: &Settings) -> Prepared {
        let own = |key: &str| settings.get(key);
        let action = match (out.stage, out.kind) {
            (Some(Stage::Qualified), _) => own("qualified_action"),
            (Some(Stage::Won), _) => own("won_action"),
            (Some(_), _) | (None, ConversionKind::Custom) => return Prepared::Skip("unsupported_kind"),
            (None, ConversionKind::Lead | ConversionKind::Signup) => own("lead_action").or(own("conversion_action")),
            (None, ConversionKind::Sale) => own("conversion_action"),
        };
        let Some(action) = action.filter(|id| *id != NONE) else { return Prepared::Skip("not_wanted") };
        let mut hashed = Hashed::default();
        let Some(event) = event::of(out, &mut hashed) else { return Prepared::Skip("no_match_keys") };
        let body = event::body(event, action, out, settings);
        Prepared::Start(Start { state: json!({"body": body, "test": out.mode == Mode::Test}), hashed: hashed.into_value() })
    }

    fn delivery(&self) -> &dyn Steps<Delivery> {
        self
    }

    fn ways_in(&self) -> &'static [&'static [&'static str]] {
        credentials::WAYS
    }
}

impl Steps<Delivery> for GoogleAds {
    fn step(&self, state: State, got: Option<&Response>, settings: &Settings, (): &(), now: Time) -> Step<Delivery> {
        if state["at"] == "status" {
            return status::step(state, got);
        }
        let is_test = state["test"] == true;
        kit::once(state, got, |state| ingest(state, now), |_, response| answer::verdict(response, is_test, settings))
    }
}

fn ingest(state: &State, now: Time) -> Request {
    let mut body = state["body"].clone();
    let at = &mut body["events"][0]["eventTimestamp"];
    // A sender's clock may run ahead of ours; Google refuses what lies in the future.
    if at.as_str().and_then(Time::parse).is_some_and(|at| at > now) {
        *at = json!(now.utc());
    }
    api("POST", "/v1/events:ingest").json(body)
}

fn look(request_id: &str) -> Request {
    api("GET", "/v1/requestStatus:retrieve").query("requestId", Part::plain(request_id))
}

fn api(method: &str, path: &str) -> Request {
    Request::new(method, "https://datamanager.googleapis.com", path).host("google_ads").bearer(credentials::TOKEN)
}

/// What the connection's owner reads where Google refuses the set-up.
fn pause(sentence: impl Into<String>) -> Verdict {
    Verdict::Pause(sentence.into())
}
