//! HubSpot: the person becomes a contact, the lead or sale a deal beside it.
//! <https://developers.hubspot.com/docs/guides/api/crm/objects/deals>
//! Three requests: the contact by its e-mail address, the deal by a property that is unique, then the tie between them.
//! Each may be repeated: nothing is ever made blindly. A batch of one is read item by item, since a refusal can stand
//! inside a success. Between two requests nothing of the person is kept.

use serde_json::{Value, json};

use super::kit::{self, Hashed};
use super::{Delivery, Destination, Erased, Prepared, Start, Trial};
use crate::domain::conversion::ConversionKind;
use crate::domain::outgoing::{Mode, Outgoing};
use crate::domain::pipeline::Stage;
use crate::domain::platform::{About, Field, FieldKind, Secrets, Settings};
use crate::domain::steps::{State, Step, Steps, Verdict};
use crate::domain::time::Time;
use crate::error::{Error, Result};
use crate::wire::{Part, Request, Response};

mod answer;
mod deal;
mod person;
mod trial;

pub struct HubSpot;

/// Dated versions live about eighteen months; the newer one adds rules of the owner's own portal.
const DEFAULT_VERSION: &str = "2026-03";
const WON: &str = "closedwon";
const OPEN: &str = "qualifiedtobuy";

static ABOUT: About = About {
    slug: "hubspot",
    name: "HubSpot",
    purpose: "gets a contact and a deal for each lead and sale",
    fields: &[
        Field {
            key: "access_token",
            label: "Access token",
            help: "Settings → Integrations → Service keys (or your private app): the token that begins with pat-. It needs to read and write contacts and deals, and deal properties.",
            kind: FieldKind::Secret,
            is_required: true,
        },
        Field {
            key: "pipeline",
            label: "Deal pipeline",
            help: "The internal id of the pipeline that deals go into. Leave it empty for HubSpot's own, default.",
            kind: FieldKind::Text,
            is_required: false,
        },
        Field {
            key: "stage_won",
            label: "Stage of a sale",
            help: "The internal id of the stage of a sale. Leave it empty for closedwon.",
            kind: FieldKind::Text,
            is_required: false,
        },
        Field {
            key: "stage_lead",
            label: "Stage of a lead",
            help: "The internal id of the stage of a new lead or sign-up. Leave it empty for qualifiedtobuy.",
            kind: FieldKind::Text,
            is_required: false,
        },
        Field {
            key: "stage_lost",
            label: "Stage of a lost deal",
            help: "The internal id of the stage of a sale that was refunded in full. Leave it empty for closedlost in HubSpot's own pipeline; in another the stage then stays.",
            kind: FieldKind::Text,
            is_required: false,
        },
        Field {
            key: "deal_property",
            label: "Deal property",
            help: "The internal name of the deal property that tells our deals apart. Leave it empty for halotrack_id, which is made by itself.",
            kind: FieldKind::Text,
            is_required: false,
        },
        Field {
            key: "api_version",
            label: "API version",
            help: "Leave it empty for 2026-03. Change it only when HubSpot announces that a version ends.",
            kind: FieldKind::Text,
            is_required: false,
        },
    ],
    steps: &[
        "Save it: contacts and deals are built and shown, but not sent yet.",
        "Test it, look at a deal under Deliveries, then switch to live. HubSpot has no test mode.",
        "To hear how far deals have come, make an app in HubSpot, copy its client secret here, and enter the address of this connection in the app's Webhooks page, for deal property dealstage and contact property lifecyclestage.",
    ],
    docs_url: "https://developers.hubspot.com/docs/guides/api/crm/objects/deals",
    receives: false,
    pulls: false,
    sends: true,
    own_secret: None,
};

impl Destination for HubSpot {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, settings: &Settings, _secrets: &Secrets) -> Result<()> {
        if settings.get("api_version").is_some_and(|v| !is_version(v)) {
            return Err(Error::invalid("api_version", "The API version is written like 2026-03."));
        }
        for key in ["pipeline", "stage_won", "stage_lead", "stage_lost"] {
            if settings.get(key).is_some_and(|id| !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')) {
                let message = "Give the internal id, such as closedwon or 1234567, not the name that HubSpot shows.";
                return Err(Error::invalid(key, message));
            }
        }
        if settings.get("deal_property").is_some_and(|name| !is_property(name)) {
            return Err(Error::invalid("deal_property", "The internal name is in small letters, digits and _, such as halotrack_id."));
        }
        Ok(())
    }

    /// Of deals the stage that they are put into, by HubSpot's own names; of others their own name, which makes no deal.
    fn kind_of(&self, conversion: ConversionKind, name: Option<&str>) -> Option<String> {
        match conversion {
            ConversionKind::Sale => Some(WON.into()),
            ConversionKind::Lead | ConversionKind::Signup => Some(OPEN.into()),
            ConversionKind::Custom => name.map(str::trim).filter(|n| !n.is_empty()).map(str::to_owned),
        }
    }

    /// A qualified lead stands at its stage already.
    fn kind_of_stage(&self, stage: Stage) -> Option<&'static str> {
        (stage == Stage::Won).then_some(WON)
    }

    fn kind_of_refund(&self) -> Option<&'static str> {
        Some("refund")
    }

    /// The same deal is put back to where a sale stands, with what is left of it.
    fn kind_of_again(&self) -> Option<&'static str> {
        Some(WON)
    }

    fn age_limit_ms(&self) -> Option<i64> {
        None
    }

    fn prepare(&self, out: &Outgoing, settings: &Settings) -> Prepared {
        if out.mode == Mode::Test && !self.has_test_mode() {
            return Prepared::Skip("no_test_mode");
        }
        if out.stage.is_some_and(|stage| self.kind_of_stage(stage).is_none()) {
            return Prepared::Skip("unsupported_kind");
        }
        let mut hidden = Hashed::default();
        if out.is_refund {
            let Some(changes) = deal::after_refund(out, settings) else { return Prepared::Skip("no_amount") };
            let state = json!({"at": "refund", "key": deal::key(out), "deal": changes});
            return Prepared::Start(Start { state, hashed: hidden.into_value() });
        }
        let deal = deal::of(out, settings);
        let state = match (person::contact(out, &mut hidden), deal) {
            (None, None) => return Prepared::Skip("no_match_keys"),
            (Some(person), deal) => {
                json!({"at": "contact", "person": person, "trace": out.event_id, "key": deal::key(out), "deal": deal})
            }
            (None, deal) => json!({"at": "deal", "trace": out.event_id, "key": deal::key(out), "deal": deal}),
        };
        Prepared::Start(Start { state, hashed: hidden.into_value() })
    }

    fn delivery(&self) -> &dyn Steps<Delivery> {
        self
    }

    fn has_test_mode(&self) -> bool {
        false
    }

    fn trial(&self) -> Option<&dyn Steps<Trial>> {
        Some(&trial::Look)
    }

    fn takes_erasures(&self) -> bool {
        true
    }

    /// Deletes the contact for good, and what hangs on it alone.
    /// <https://developers.hubspot.com/docs/guides/api/crm/objects/contacts#delete-contacts>
    fn erasures(&self, erased: &Erased, settings: &Settings, _now: Time) -> Vec<Request> {
        let path = objects(settings, "contacts/gdpr-delete");
        let one = |email: &String| api("POST", path.clone()).json(json!({"objectId": email, "idProperty": "email"}));
        erased.emails.iter().map(one).collect()
    }
}

/// `at` names what is asked; with an answer in hand, what was asked.
impl Steps<Delivery> for HubSpot {
    fn step(&self, state: State, got: Option<&Response>, settings: &Settings, (): &(), _now: Time) -> Step<Delivery> {
        let Some(response) = got else { return ask(state, settings) };
        if let Some(stopped) = answer::stopped(response) {
            return Step::Done(stopped);
        }
        match state["at"].as_str().unwrap_or_default() {
            "contact" => match answer::item(response) {
                Ok(contact) if state["deal"].is_null() => {
                    Step::Done(Verdict::Delivered(format!("HubSpot has the contact ({contact}). This kind makes no deal.")))
                }
                Ok(contact) => ask(with(state, json!({"at": "deal", "sent": null, "contact": contact})), settings),
                Err(verdict) => Step::Done(verdict),
            },
            "deal" => judge_deal(state, response, settings),
            "property" => match answer::property(response) {
                Ok(()) => ask(with(state, json!({"at": "deal", "made": true})), settings),
                Err(verdict) => Step::Done(verdict),
            },
            "currency" => match answer::portal_currency(response) {
                Ok(code) => judge_currency(state, &code, settings),
                Err(verdict) => Step::Done(verdict),
            },
            "link" => Step::Done(answer::link(response, &state)),
            _ => Step::Done(answer::refund(response)),
        }
    }
}

fn judge_deal(state: State, response: &Response, settings: &Settings) -> Step<Delivery> {
    let name = deal::property(settings);
    match answer::deal(response, name) {
        answer::Deal::Kept(deal) if state["contact"].is_string() => ask(with(state, json!({"at": "link", "made_deal": deal})), settings),
        answer::Deal::Kept(deal) => {
            Step::Done(Verdict::Delivered(format!("HubSpot has the deal ({deal}), without a contact: no e-mail address is known.")))
        }
        answer::Deal::NoProperty if state["made"] == true => Step::Done(Verdict::Pause(format!(
            "HubSpot does not take {name} as a property that tells deals apart. In HubSpot, open Settings → Properties → Deal \
             properties and see that {name} exists and allows unique values only, then resume."
        ))),
        answer::Deal::NoProperty => ask(with(state, json!({"at": "property"})), settings),
        answer::Deal::NoCurrency => ask(with(state, json!({"at": "currency"})), settings),
        answer::Deal::Judged(verdict) => Step::Done(verdict),
    }
}

/// A portal of one currency has no field for it: then the amount must be in that very one.
fn judge_currency(mut state: State, portal: &str, settings: &Settings) -> Step<Delivery> {
    let ours = state["deal"][deal::CURRENCY].as_str().unwrap_or_default().to_owned();
    if ours.is_empty() || !ours.eq_ignore_ascii_case(portal) {
        return Step::Done(Verdict::Refused(format!(
            "The amount is in {ours} and your HubSpot counts in {portal} alone. Add {ours} in HubSpot under Settings → Account \
             defaults → Currency, then replay."
        )));
    }
    if let Some(deal) = state["deal"].as_object_mut() {
        deal.remove(deal::CURRENCY);
    }
    ask(with(state, json!({"at": "deal"})), settings)
}

fn ask(state: State, settings: &Settings) -> Step<Delivery> {
    let text = |key: &str| state[key].as_str().unwrap_or_default();
    let (request, next) = match text("at") {
        // What was asked of the person is not kept: a talk that was broken off begins anew.
        "contact" if state["person"].is_null() => {
            return Step::Done(Verdict::Retry { after_ms: None, sentence: "The answer was lost.".into() });
        }
        "contact" => {
            let email = state["person"]["email"].clone();
            let input = json!({"idProperty": "email", "id": email, "objectWriteTraceId": state["trace"], "properties": state["person"]});
            let request = api("POST", objects(settings, "contacts/batch/upsert")).json(json!({"inputs": [input]}));
            (request, with(state, json!({"person": null})))
        }
        "deal" => {
            let property = deal::property(settings);
            let mut properties = state["deal"].clone();
            properties[property] = state["key"].clone();
            let input = json!({"idProperty": property, "id": state["key"], "objectWriteTraceId": state["trace"], "properties": properties});
            (api("POST", objects(settings, "deals/batch/upsert")).json(json!({"inputs": [input]})), state)
        }
        "property" => {
            let path = format!("/crm/properties/{}/deals", version(settings));
            (api("POST", path).json(deal::definition(deal::property(settings))), state)
        }
        "currency" => (api("GET", "/account-info/v3/details".into()), state),
        "link" => {
            let (deal, contact) = (kit::segment(text("made_deal")), kit::segment(text("contact")));
            (api("PUT", objects(settings, &format!("deals/{deal}/associations/default/contacts/{contact}"))), state)
        }
        _ => {
            let path = objects(settings, &format!("deals/{}", kit::segment(text("key"))));
            let request = api("PATCH", path).query("idProperty", Part::plain(deal::property(settings)));
            (request.json(json!({"properties": state["deal"]})), state)
        }
    };
    Step::Ask(Box::new(request), next)
}

/// The state with these fields instead; null takes one away.
fn with(mut state: State, changes: Value) -> State {
    for (key, value) in changes.as_object().into_iter().flatten() {
        match (state.as_object_mut(), value.is_null()) {
            (Some(map), true) => drop(map.remove(key)),
            (Some(map), false) => drop(map.insert(key.clone(), value.clone())),
            (None, _) => {}
        }
    }
    state
}

fn api(method: &str, path: String) -> Request {
    Request::new(method, "https://api.hubapi.com", path).host("hubspot").bearer("access_token")
}

fn objects(settings: &Settings, rest: &str) -> String {
    format!("/crm/objects/{}/{rest}", version(settings))
}

fn version(settings: &Settings) -> &str {
    settings.get("api_version").filter(|v| is_version(v)).unwrap_or(DEFAULT_VERSION)
}

/// `2026-03`
fn is_version(text: &str) -> bool {
    let is_number = |t: &str, n: usize| t.len() == n && t.bytes().all(|b| b.is_ascii_digit());
    text.split_once('-').is_some_and(|(year, month)| is_number(year, 4) && is_number(month, 2))
}

fn is_property(text: &str) -> bool {
    text.len() <= 100
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}
