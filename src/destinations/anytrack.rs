//! AnyTrack, told of what really sold: one POST of JSON to the collect address of a custom integration.
//! <https://readme.anytrack.io/docs/custom-integration-parameters>
//! Nothing is signed: the address itself is the secret. AnyTrack finds the visitor by its own click id or by the e-mail
//! address, and drops a second event of the same type with the same transaction id.

use serde_json::{Map, Value, json};

use super::kit::{self, Hashed};
use super::{Delivery, Destination, Prepared, Start};
use crate::domain::campaign::ClickKind;
use crate::domain::conversion::ConversionKind;
use crate::domain::outgoing::{Item, Mode, Outgoing};
use crate::domain::platform::{About, Field, FieldKind, Secrets, Settings};
use crate::domain::steps::{State, Step, Steps, Verdict, by_status};
use crate::domain::time::Time;
use crate::error::{Error, Result};
use crate::wire::{Part, Request, Response};

pub struct AnyTrack;

/// AnyTrack's own hosts end like this.
const HOST: &str = "anytrack.io";
const LONGEST_NAME: usize = 64;
const MOST_ITEMS: usize = 200;
/// What AnyTrack says where it can find nobody, whatever the status of the answer.
const NOBODY: &str = "missing click_id";

static ABOUT: About = About {
    slug: "anytrack",
    name: "AnyTrack",
    purpose: "can be told what really sold",
    fields: &[Field {
        key: "collect_url",
        label: "Collect address",
        help: "Only to tell AnyTrack of your sales and leads. Integrations, Custom integration: https://t1.anytrack.io/ACCOUNT/collect/NAME.",
        kind: FieldKind::Url,
        is_required: false,
    }],
    steps: &[
        "To tell AnyTrack of your sales too, add a custom integration there and copy its collect address here. What came from AnyTrack is never sent back.",
        "AnyTrack has no test mode: look at what would be sent under Deliveries, then switch to live.",
    ],
    docs_url: "https://readme.anytrack.io/docs/custom-integration-parameters",
    receives: false,
    pulls: false,
    sends: true,
    own_secret: None,
};

impl Destination for AnyTrack {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, settings: &Settings, _: &Secrets) -> Result<()> {
        if settings.get("collect_url").is_some_and(|url| Place::read(url).is_none()) {
            return Err(Error::invalid("collect_url", "The collect address looks like https://t1.anytrack.io/ACCOUNT/collect/NAME."));
        }
        Ok(())
    }

    fn is_set_up(&self, settings: &Settings) -> bool {
        settings.get("collect_url").is_some()
    }

    fn kind_of(&self, conversion: ConversionKind, name: Option<&str>) -> Option<String> {
        match conversion {
            ConversionKind::Sale => Some("Purchase".into()),
            ConversionKind::Lead => Some("Lead".into()),
            ConversionKind::Signup => Some("CompleteRegistration".into()),
            ConversionKind::Custom => name.map(str::trim).filter(|n| !n.is_empty() && n.chars().count() <= LONGEST_NAME).map(str::to_owned),
        }
    }

    fn age_limit_ms(&self) -> Option<i64> {
        None
    }

    fn prepare(&self, out: &Outgoing, _: &Settings) -> Prepared {
        let Some(name) = self.kind_of(out.kind, out.name.as_deref()).filter(|_| out.stage.is_none() && !out.is_refund) else {
            return Prepared::Skip("unsupported_kind");
        };
        if out.mode == Mode::Test && !self.has_test_mode() {
            return Prepared::Skip("no_test_mode");
        }
        let click = out.visit.as_ref().and_then(|v| v.clicks.iter().find(|(kind, ..)| *kind == ClickKind::AtGd)).map(|(_, value, _)| value);
        if click.is_none() && out.email.is_none() {
            return Prepared::Skip("no_match_keys");
        }
        let mut body = Map::new();
        let mut put = |key: &str, value: Value| drop(body.insert(key.into(), value));
        put("event_name", json!(name));
        put("transaction_id", json!(out.event_id));
        if let Some(click) = click {
            put("click_id", json!(click));
        }
        let amount = out.amount.filter(|_| out.kind == ConversionKind::Sale || out.amount.is_some_and(|a| a.minor > 0));
        if let Some(amount) = amount {
            put("value", amount.number());
            put("currency", json!(amount.currency));
        }
        let mut hidden = Hashed::default();
        let people = [
            ("email", out.email.as_ref().map(|e| (e.as_str().to_owned(), e.masked()))),
            ("phone", out.phone.as_ref().map(|p| (p.as_str().to_owned(), p.masked()))),
            ("firstName", kit::filled(&out.first_name).map(|n| (n.to_owned(), kit::masked(n)))),
            ("lastName", kit::filled(&out.last_name).map(|n| (n.to_owned(), kit::masked(n)))),
        ];
        for (key, (value, masked)) in people.into_iter().filter_map(|(key, told)| Some((key, told?))) {
            put(key, json!(value));
            hidden.hide(&format!("/{key}"), masked);
        }
        let items: Vec<Value> = out.items.iter().take(MOST_ITEMS).filter(|i| i.quantity > 0).map(item).collect();
        if !items.is_empty() {
            put("items", json!(items));
        }
        // Passed through as it is: the fact's own time, which may be long before it is told.
        put("xat_event_time", json!(out.happened_at.utc()));
        Prepared::Start(Start { state: json!({ "body": body }), hashed: hidden.into_value() })
    }

    fn delivery(&self) -> &dyn Steps<Delivery> {
        self
    }

    fn has_test_mode(&self) -> bool {
        false
    }
}

impl Steps<Delivery> for AnyTrack {
    fn step(&self, state: State, got: Option<&Response>, settings: &Settings, (): &(), _: Time) -> Step<Delivery> {
        let Some(place) = settings.get("collect_url").and_then(Place::read) else {
            let how = "AnyTrack's collect address is missing or of another kind. Copy it from the custom integration in AnyTrack.";
            return Step::Done(Verdict::Pause(how.into()));
        };
        kit::once(state, got, |state| place.request(&state["body"]), |_, response| verdict(response))
    }
}

/// Its answers are not documented: what is taken is done, but for the one refusal that is known.
fn verdict(response: &Response) -> Verdict {
    let said = String::from_utf8_lossy(&response.body).to_lowercase();
    if said.contains(NOBODY) {
        return Verdict::Refused("AnyTrack found neither a click nor an e-mail address in it.".into());
    }
    kit::alone(by_status("AnyTrack", response))
}

fn item(item: &Item) -> Value {
    let mut line = json!({ "id": item.id, "quantity": item.quantity });
    if let Some(name) = kit::filled(&item.name) {
        line["name"] = json!(name);
    }
    if let Some(price) = item.price {
        line["price"] = price.number();
    }
    line
}

/// The owner's collect address, cut for a request. Its path is a secret and is never shown.
struct Place {
    origin: String,
    path: String,
    is_anytracks: bool,
}

impl Place {
    fn read(text: &str) -> Option<Self> {
        let url = url::Url::parse(text.trim()).ok()?;
        let is_plain = matches!(url.scheme(), "https" | "http") && url.username().is_empty() && url.password().is_none();
        let segments: Vec<&str> = url.path_segments()?.collect();
        let is_collect =
            segments.iter().position(|s| *s == "collect").is_some_and(|at| at > 0 && segments.get(at + 1).is_some_and(|s| !s.is_empty()));
        let host = url.host_str()?;
        let query = url.query().map(|q| format!("?{q}")).unwrap_or_default();
        (is_plain && is_collect).then(|| Self {
            origin: url.origin().ascii_serialization(),
            path: format!("{}{query}", url.path()),
            is_anytracks: host == HOST || host.strip_suffix(HOST).is_some_and(|front| front.ends_with('.')),
        })
    }

    fn request(self, body: &Value) -> Request {
        let mut request = Request::new("POST", self.origin, "").json(body.clone());
        request.path = vec![Part::Hidden(self.path)];
        if self.is_anytracks { request.host(ABOUT.slug) } else { request }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collect_address_is_known_by_its_path() {
        for (given, want) in [
            ("https://t1.anytrack.io/aB3x/collect/shop", Some((true, "/aB3x/collect/shop"))),
            ("https://anytrack.io/aB3x/collect/shop?x=1", Some((true, "/aB3x/collect/shop?x=1"))),
            ("https://notanytrack.io/a/collect/b", Some((false, "/a/collect/b"))),
            ("https://t1.anytrack.io/collect/shop", None),
            ("https://t1.anytrack.io/aB3x/collect/", None),
            ("https://t1.anytrack.io/", None),
            ("https://me:pw@t1.anytrack.io/aB3x/collect/shop", None),
            ("ftp://t1.anytrack.io/aB3x/collect/shop", None),
            ("t1.anytrack.io/aB3x/collect/shop", None),
        ] {
            let got = Place::read(given).map(|p| (p.is_anytracks, p.path));
            assert_eq!(got, want.map(|(is_anytracks, path)| (is_anytracks, path.to_owned())), "{given}");
        }
    }
}
