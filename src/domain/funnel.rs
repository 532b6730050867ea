//! A funnel as an owner names it: the steps that lead somewhere, told by whichever system knows of each, their order and the
//! time they may take.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::ids::FunnelId;
use super::milestone::{SOURCES, kinds};
use super::money::{Currency, Money};
use super::time::Time;
use crate::error::{Error, Result};

/// Funnels that a site may have, and the longest name of one.
pub const MOST_FUNNELS: usize = 50;
pub const LONGEST_NAME: usize = 60;
/// Steps of a funnel.
pub const FEWEST_STEPS: usize = 2;
pub const MOST_STEPS: usize = 8;
/// The longest window: visits are kept for little more than a year.
pub const LONGEST_WINDOW_DAYS: u32 = 365;
const LONGEST_PATH: usize = 255;
/// As long as a tag's event may be called.
const LONGEST_EVENT: usize = 64;
/// What no shop takes for one order.
const LARGEST_MINIMUM: i64 = 1_000_000_000_000;

#[derive(Debug, Clone, PartialEq)]
pub struct Funnel {
    pub id: FunnelId,
    pub name: String,
    pub plan: Plan,
    pub who: String,
    pub created_at: Time,
}

/// What is asked of people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub steps: Vec<Step>,
    #[serde(default)]
    pub order: Order,
    /// How long the way may take from its first step; without it, as long as it takes.
    #[serde(default)]
    pub window_days: Option<u32>,
}

/// How steps follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// One after the other, whatever else comes in between.
    #[default]
    InOrder,
    /// One right after the other: no other step of the funnel comes in between, and none comes twice.
    Strict,
    /// The first step is the first; the others come after it in any order.
    Any,
}

/// Something that a person does, or that is told of one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Step {
    /// A visit began on such a page, or an event of the tag happened on one. `*` stands for any run of letters.
    Page { path: String },
    /// An event that the page's tag reported by name.
    Event { name: String },
    /// Asked by a form, a chat, a platform: a lead of the ledger.
    Lead,
    /// Told by a booking or ticket platform or the owner's server; by one source, or by any.
    Milestone {
        milestone: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<String>,
    },
    /// A sale of the ledger that counts; of so much at least, in the site's currency.
    Order {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        minimum_minor: Option<i64>,
    },
    /// A sign-up of the ledger.
    SignUp,
    /// A conversion of the owner's own kind.
    Custom { name: String },
    /// Money of a sale went back, or the sale was cancelled.
    Refund,
}

impl Order {
    pub const ALL: [Order; 3] = [Order::InOrder, Order::Strict, Order::Any];

    pub fn word(self) -> &'static str {
        match self {
            Order::InOrder => "in_order",
            Order::Strict => "strict",
            Order::Any => "any",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.word() == word)
    }
}

impl Step {
    /// As the API shows it.
    pub fn shown(&self, currency: Currency) -> Value {
        match self {
            Step::Page { path } => json!({"kind": "page", "path": path}),
            Step::Event { name } => json!({"kind": "event", "name": name}),
            Step::Lead => json!({"kind": "lead"}),
            Step::Milestone { milestone, source } => json!({"kind": "milestone", "milestone": milestone, "source": source}),
            Step::Order { minimum_minor } => {
                json!({"kind": "order", "minimum": minimum_minor.map(|minor| json!({"minor": minor, "currency": currency.code()}))})
            }
            Step::SignUp => json!({"kind": "sign_up"}),
            Step::Custom { name } => json!({"kind": "custom", "name": name}),
            Step::Refund => json!({"kind": "refund"}),
        }
    }
}

/// As a file names it.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Page { path } => write!(f, "page {path}"),
            Step::Event { name } => write!(f, "event {name}"),
            Step::Lead => f.write_str("lead"),
            Step::Milestone { milestone, source: None } => f.write_str(milestone),
            Step::Milestone { milestone, source: Some(source) } => write!(f, "{milestone} ({source})"),
            Step::Order { .. } => f.write_str("order"),
            Step::SignUp => f.write_str("sign_up"),
            Step::Custom { name } => write!(f, "custom {name}"),
            Step::Refund => f.write_str("refund"),
        }
    }
}

/// A name with something in it, on one line.
pub fn read_name(text: &str) -> Result<String> {
    let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Error::invalid("name", format!("A name has 1 to {LONGEST_NAME} characters.")));
    }
    Ok(name)
}

/// Reads `steps`, `order` and `window_days`. `own` are the site's own words for milestones, `currency` is the site's.
pub fn read_plan(fields: &Map<String, Value>, own: &[String], currency: Currency) -> Result<Plan> {
    let told = fields.get("steps").and_then(Value::as_array).filter(|all| (FEWEST_STEPS..=MOST_STEPS).contains(&all.len()));
    let told = told.ok_or_else(|| Error::invalid("steps", format!("steps is a list of {FEWEST_STEPS} to {MOST_STEPS} steps.")))?;
    let steps = told.iter().enumerate().map(|(n, value)| step(n + 1, value, own, currency)).collect::<Result<Vec<Step>>>()?;
    let order = match fields.get("order") {
        None | Some(Value::Null) => Order::InOrder,
        Some(value) => value.as_str().and_then(Order::parse).ok_or_else(|| Error::invalid("order", "order is in_order, strict or any."))?,
    };
    let window_days = match fields.get("window_days") {
        None | Some(Value::Null) => None,
        Some(value) => {
            let days = value.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| (1..=LONGEST_WINDOW_DAYS).contains(n));
            Some(days.ok_or_else(|| {
                Error::invalid("window_days", format!("window_days is a number from 1 to {LONGEST_WINDOW_DAYS}, or nothing."))
            })?)
        }
    };
    Ok(Plan { steps, order, window_days })
}

fn step(place: usize, value: &Value, own: &[String], currency: Currency) -> Result<Step> {
    let wrong = |sentence: String| Error::invalid("steps", format!("Step {place}: {sentence}"));
    let word = |name: &str, most: usize| {
        let text = value[name].as_str().map(str::trim).filter(|t| !t.is_empty() && t.chars().count() <= most);
        text.filter(|t| !t.chars().any(char::is_control)).map(str::to_owned)
    };
    match value["kind"].as_str().unwrap_or_default() {
        "page" => {
            let path = word("path", LONGEST_PATH).filter(|p| p.starts_with(['/', '*']) && !p.contains(['?', '#']));
            let path =
                path.ok_or_else(|| wrong("path is a page like /pricing or /shop/*, without what follows a question mark.".into()))?;
            Ok(Step::Page { path })
        }
        "event" => {
            let name = word("name", LONGEST_EVENT);
            Ok(Step::Event { name: name.ok_or_else(|| wrong(format!("name is an event of at most {LONGEST_EVENT} characters.")))? })
        }
        "lead" => Ok(Step::Lead),
        "milestone" => {
            let known = kinds(own);
            let milestone = word("milestone", LONGEST_EVENT).filter(|m| known.contains(&m.as_str()));
            let milestone = milestone.ok_or_else(|| wrong(format!("milestone is one of {}.", known.join(", "))))?;
            let source = match &value["source"] {
                Value::Null => None,
                told => {
                    let source = told.as_str().filter(|s| is_source(s));
                    Some(source.ok_or_else(|| wrong(format!("source is one of {}, or another platform's word.", SOURCES.join(", "))))?)
                }
            };
            Ok(Step::Milestone { milestone, source: source.map(str::to_owned) })
        }
        "order" => {
            let minimum_minor = match &value["minimum"] {
                Value::Null => None,
                told => Some(minimum(told, currency).ok_or_else(|| {
                    wrong(format!(
                        "minimum is an amount like {{\"minor\": 5000, \"currency\": \"{}\"}}, in the site's currency.",
                        currency.code()
                    ))
                })?),
            };
            Ok(Step::Order { minimum_minor })
        }
        "sign_up" => Ok(Step::SignUp),
        "custom" => {
            let name = word("name", LONGEST_PATH);
            Ok(Step::Custom { name: name.ok_or_else(|| wrong("name is what the conversion is called.".into()))? })
        }
        "refund" => Ok(Step::Refund),
        _ => Err(wrong("kind is page, event, lead, milestone, order, sign_up, custom or refund.".into())),
    }
}

/// The word of a platform.
fn is_source(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
}

fn minimum(told: &Value, currency: Currency) -> Option<i64> {
    let amount = Money::new(told["minor"].as_i64()?, Currency::parse(told["currency"].as_str()?)?);
    (amount.currency == currency && (1..=LARGEST_MINIMUM).contains(&amount.minor)).then_some(amount.minor)
}

/// Whether a page is of a pattern in which `*` stands for any run of letters, none too. A slash at the end makes no difference.
pub fn is_of_pattern(pattern: &str, path: &str) -> bool {
    let trimmed = |text: &'_ str| -> usize { if text.len() > 1 && text.ends_with('/') { text.len() - 1 } else { text.len() } };
    let (pattern, path) = (&pattern.as_bytes()[..trimmed(pattern)], &path.as_bytes()[..trimmed(path)]);
    // The usual walk with one way back: to the last star, one letter further each time.
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while t < path.len() {
        if p < pattern.len() && pattern[p] == b'*' {
            back = Some((p + 1, t));
            p += 1;
        } else if p < pattern.len() && pattern[p] == path[t] {
            (p, t) = (p + 1, t + 1);
        } else if let Some((after, from)) = back {
            (p, t) = (after, from + 1);
            back = Some((after, from + 1));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|b| *b == b'*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn euro() -> Currency {
        Currency::parse("EUR").expect("a currency")
    }

    fn read(value: &Value) -> Result<Plan> {
        read_plan(value.as_object().expect("an object"), &["trial_started".to_owned()], euro())
    }

    #[test]
    fn a_plan_is_read_strictly_and_shown_as_it_was_told() {
        let steps = json!([
            {"kind": "page", "path": "/pricing*"},
            {"kind": "event", "name": "add_to_cart"},
            {"kind": "lead"},
            {"kind": "milestone", "milestone": "trial_started", "source": null},
            {"kind": "milestone", "milestone": "event_attended", "source": "zoom"},
            {"kind": "order", "minimum": {"minor": 5000, "currency": "EUR"}},
            {"kind": "refund"}
        ]);
        let plan = read(&json!({"steps": steps, "order": "strict", "window_days": 30})).expect("a plan");
        assert_eq!((plan.order, plan.window_days), (Order::Strict, Some(30)));
        let shown: Vec<Value> = plan.steps.iter().map(|s| s.shown(euro())).collect();
        assert_eq!(json!(shown), steps);
        let kept = serde_json::to_string(&plan).expect("JSON");
        assert_eq!(serde_json::from_str::<Plan>(&kept).expect("a plan"), plan);
        let plain = read(&json!({"steps": [{"kind": "lead"}, {"kind": "order"}]})).expect("a plan");
        assert_eq!((plain.order, plain.window_days), (Order::InOrder, None));
    }

    #[test]
    fn what_is_no_plan_is_refused_by_name() {
        let two = |step: Value| json!({"steps": [{"kind": "lead"}, step]});
        for (bad, field, part) in [
            (json!({}), "steps", "2 to 8"),
            (json!({"steps": [{"kind": "lead"}]}), "steps", "2 to 8"),
            (json!({"steps": vec![json!({"kind": "lead"}); 9]}), "steps", "2 to 8"),
            (two(json!({"kind": "visit"})), "steps", "Step 2: kind is"),
            (two(json!("lead")), "steps", "kind is"),
            (two(json!({"kind": "page", "path": "pricing"})), "steps", "/pricing"),
            (two(json!({"kind": "page", "path": "/a?b=1"})), "steps", "question mark"),
            (two(json!({"kind": "event", "name": " "})), "steps", "64"),
            (two(json!({"kind": "milestone", "milestone": "came"})), "steps", "trial_started"),
            (two(json!({"kind": "milestone", "milestone": "refunded", "source": "Zoom!"})), "steps", "source"),
            (two(json!({"kind": "order", "minimum": {"minor": 5000, "currency": "USD"}})), "steps", "EUR"),
            (two(json!({"kind": "order", "minimum": 50})), "steps", "EUR"),
            (json!({"steps": [{"kind": "lead"}, {"kind": "order"}], "order": "loose"}), "order", "strict"),
            (json!({"steps": [{"kind": "lead"}, {"kind": "order"}], "window_days": 0}), "window_days", "365"),
        ] {
            let e = read(&bad).expect_err("refused");
            assert_eq!(e.field.as_deref(), Some(field), "{bad}");
            assert!(e.message.contains(part), "{bad}: {}", e.message);
        }
        assert_eq!(read_name("  Came \n and bought ").expect("a name"), "Came and bought");
        assert!(read_name("").is_err() && read_name(&"x".repeat(61)).is_err());
    }

    #[test]
    fn a_star_is_any_run_of_letters() {
        for (pattern, path, want) in [
            ("/", "/", true),
            ("/", "/a", false),
            ("/pricing", "/pricing/", true),
            ("/pricing/", "/pricing", true),
            ("/pricing", "/pricing-old", false),
            ("/shop/*", "/shop/hat", true),
            ("/shop/*", "/shop", false),
            ("/shop*", "/shop", true),
            ("*/thanks", "/de/thanks", true),
            ("/a*c*e", "/abcde", true),
            ("/a*c*e", "/abcd", false),
            ("/a*b", "/aXbXb", true),
            ("*", "", true),
        ] {
            assert_eq!(is_of_pattern(pattern, path), want, "{pattern} {path}");
        }
    }

    /// By trying every way.
    fn slow(pattern: &[u8], path: &[u8]) -> bool {
        match pattern.split_first() {
            None => path.is_empty(),
            Some((b'*', rest)) => (0..=path.len()).any(|n| slow(rest, &path[n..])),
            Some((b, rest)) => path.first() == Some(b) && slow(rest, &path[1..]),
        }
    }

    proptest! {
        #[test]
        fn a_pattern_fits_what_trying_every_way_fits(pattern in "/[ab*]{0,6}c", path in "/[ab]{0,8}c") {
            prop_assert_eq!(is_of_pattern(&pattern, &path), slow(pattern.as_bytes(), path.as_bytes()));
        }
    }
}
