//! Runs every case folder of every destination: `outgoing.json` and `settings.json` go in, `request.json` is what the
//! owner would be shown, and each answer of `responses.json` must lead to its verdict. `UPDATE=1` rewrites what came out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use halotrack::destinations::{self, Delivery, Destination, Prepared};
use halotrack::domain::outgoing::Outgoing;
use halotrack::domain::platform::{FieldKind, Secrets, Settings};
use halotrack::domain::steps::{State, Step, Verdict};
use halotrack::domain::time::Time;
use halotrack::outbound;
use halotrack::wire::{Headers, Request, Response};
use serde_json::{Value, json};

mod outgoing;
mod talk;
mod vectors;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/destinations");

#[test]
fn every_case_gives_its_request_and_its_verdicts() {
    let mut wrong = Vec::new();
    for destination in destinations::ALL {
        let slug = destination.about().slug;
        let cases = folders(&Path::new(CASES).join(slug));
        assert!(!cases.is_empty(), "{slug} has no cases under tests/fixtures/destinations");
        for case in cases {
            wrong.extend(run(*destination, &case).into_iter().map(|w| format!("{}: {w}", case.display())));
        }
    }
    assert!(wrong.is_empty(), "{}\nIf this is meant, run with UPDATE=1 and read the diff.", wrong.join("\n"));
}

#[test]
fn every_case_folder_belongs_to_a_destination() {
    for folder in folders(Path::new(CASES)) {
        let slug = folder.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
        assert!(destinations::find(&slug).is_some(), "there are cases for {slug}, but no such destination");
    }
}

#[test]
fn every_destination_says_what_it_is() {
    let slugs: Vec<_> = destinations::ALL.iter().map(|d| d.about().slug).collect();
    assert!(slugs.is_sorted(), "{slugs:?}");
    for destination in destinations::ALL {
        let about = destination.about();
        assert!(about.sends, "{}", about.slug);
        assert!(about.docs_url.starts_with("https://") && about.steps.len() > 1, "{}", about.slug);
        for field in about.fields {
            assert!(field.help.ends_with('.') && !field.label.is_empty(), "{}.{}", about.slug, field.key);
        }
        if let Some(key) = about.own_secret {
            assert!(about.field(key).is_some_and(|f| f.kind == FieldKind::Secret), "{}", about.slug);
        }
    }
}

#[test]
fn set_ups_that_cannot_work_are_named_at_once() {
    let rows = [
        ("meta", "pixel_id", "123456789012345", true),
        ("meta", "pixel_id", "act_123", false),
        ("meta", "api_version", "v25.0", true),
        ("meta", "api_version", "25", false),
        ("ga4", "measurement_id", "G-AB12CD34EF", true),
        ("ga4", "measurement_id", "UA-12345-1", false),
        ("google_ads", "customer_id", "444-555-6666", true),
        ("google_ads", "customer_id", "AW-12345", false),
        ("google_ads", "conversion_action", "987654321", true),
        ("google_ads", "conversion_action", "AbC-dEf", false),
        ("google_ads", "lead_action", "none", true),
        ("google_ads", "service_account", "{}", false),
        ("hubspot", "api_version", "2026-09", true),
        ("hubspot", "api_version", "v3", false),
        ("hubspot", "stage_won", "1234567", true),
        ("hubspot", "stage_won", "Closed won", false),
        ("hubspot", "deal_property", "external_order_id", true),
        ("hubspot", "deal_property", "Order id", false),
        ("webhook", "url", "https://shop.example/hook", true),
        ("webhook", "url", "https://me:pw@shop.example/hook", false),
        ("webhook", "secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", true),
        ("webhook", "secret", "whsec_c2hvcnQ=", false),
        ("webhook", "secret", "my secret", false),
    ];
    for (slug, key, value, is_fit) in rows {
        let destination = destinations::find(slug).expect("a known destination");
        let (mut settings, mut secrets) = (Settings::default(), Secrets::default());
        let given = BTreeMap::from([(key.to_owned(), value.to_owned())]);
        destination.about().take(&given, &mut settings, &mut secrets).expect("a known key");
        let checked = destination.check(&settings, &secrets);
        assert_eq!(checked.is_ok(), is_fit, "{slug} {key} {value}: {checked:?}");
        assert!(checked.err().is_none_or(|e| e.field.as_deref() == Some(key)));
    }
}

/// What is wrong with one case.
fn run(destination: &dyn Destination, case: &Path) -> Vec<String> {
    let mut wrong = Vec::new();
    let read = |name: &str| -> Value {
        let text = std::fs::read_to_string(case.join(name)).unwrap_or_else(|e| panic!("{}/{name}: {e}", case.display()));
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}/{name}: {e}", case.display()))
    };
    let out = outgoing::read(&read("outgoing.json"));
    let set_up = read("settings.json");
    let now = set_up["now"].as_str().and_then(Time::parse).expect("settings.json says what time it is");
    let mut settings = Settings::default();
    for (key, value) in set_up["settings"].as_object().expect("settings.json holds settings") {
        assert!(destination.about().field(key).is_some_and(|f| f.kind != FieldKind::Secret), "{key} is no plain setting");
        settings.0.insert(key.clone(), value.as_str().expect("settings are texts").to_owned());
    }
    let mut asked = None;
    let got = match destination.prepare(&out, &settings) {
        Prepared::Skip(reason) => json!({ "skip": reason }),
        Prepared::Start(start) => match destination.delivery().step(start.state, None, &settings, &(), now) {
            Step::Ask(request, state) => {
                let shown = outbound::redacted(&request, &start.hashed);
                wrong.extend(told_people(destination, &out, &request, &shown));
                asked = Some((request, state));
                let kind = match out.stage {
                    Some(stage) => destination.kind_of_stage(stage).map(str::to_owned),
                    None if out.is_refund => destination.kind_of_refund().map(str::to_owned),
                    None if out.is_again => destination.kind_of_again().map(str::to_owned),
                    None => destination.kind_of(out.kind, out.name.as_deref()),
                };
                json!({ "kind": kind, "request": shown })
            }
            other => json!({ "step": format!("{other:?}") }),
        },
    };
    wrong.extend(compare(&case.join("request.json"), &got));
    if let Some((request, state)) = asked {
        wrong.extend(same_twice(destination, &out, &settings, now, &request));
        wrong.extend(answers(destination, &case.join("responses.json"), &state, &settings, now));
    }
    wrong
}

/// A second try builds the same request: only then does a platform see that it is a repeat.
fn same_twice(destination: &dyn Destination, out: &Outgoing, settings: &Settings, now: Time, first: &Request) -> Option<String> {
    let Prepared::Start(start) = destination.prepare(out, settings) else { return Some("skips the second time".into()) };
    match destination.delivery().step(start.state, None, settings, &(), now) {
        Step::Ask(request, _) if *request == *first => None,
        _ => Some("the second try is another request".into()),
    }
}

/// Systems of the owner's own, and the owner's tracker, which knows nobody by a hash: they get readable messages.
const OWN: [&str; 3] = ["anytrack", "hubspot", "webhook"];

/// What is kept and shown of a request tells nobody's name; and ad platforms get hashes only. The owner's own systems
/// are excepted.
fn told_people(destination: &dyn Destination, out: &Outgoing, request: &Request, shown: &Value) -> Vec<String> {
    let mut texts = vec![("what is shown", format!("{} {} {}", shown["url"], shown["headers"], shown["body"]))];
    if !OWN.contains(&destination.about().slug) {
        texts.push(("the request", format!("{:?}", request)));
    }
    let people = [
        out.email.as_ref().map(|e| e.as_str().to_owned()),
        out.phone.as_ref().map(|p| p.digits().to_owned()),
        out.first_name.clone(),
        out.last_name.clone(),
        out.customer_id.clone(),
    ];
    let tells = |text: &str, p: &str| text.to_lowercase().contains(&p.to_lowercase());
    let pairs = texts.iter().flat_map(|(what, text)| people.iter().flatten().map(move |p| (what, text, p)));
    let mut told: Vec<String> = pairs.filter(|(_, t, p)| tells(t, p)).map(|(what, _, p)| format!("{what} tells {p}")).collect();
    let address = out.visit.as_ref().and_then(|v| v.address.as_ref());
    told.extend(address.filter(|a| tells(&texts[0].1, a)).map(|a| format!("what is shown tells the address {a}")));
    told
}

fn answers(destination: &dyn Destination, file: &Path, state: &State, settings: &Settings, now: Time) -> Option<String> {
    let Ok(text) = std::fs::read_to_string(file) else { return None };
    let rows: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let mut got = Vec::new();
    for row in rows.as_array().expect("responses.json is a list") {
        let mut row = row.clone();
        let step = destination.delivery().step(state.clone(), Some(&response(&row["response"])), settings, &(), now);
        row["verdict"] = match step {
            Step::Done(verdict) => verdict_shown(&verdict),
            Step::Ask(request, _) => json!({ "asks": outbound::redacted(&request, &Value::Null) }),
            other => json!({ "step": format!("{other:?}") }),
        };
        got.push(row);
    }
    compare(file, &Value::Array(got))
}

pub fn response(given: &Value) -> Response {
    let headers = given["headers"].as_object().into_iter().flatten();
    let body = match &given["body"] {
        Value::Null => Vec::new(),
        Value::String(text) => text.clone().into_bytes(),
        json => json.to_string().into_bytes(),
    };
    Response {
        status: given["status"].as_u64().expect("a response has a status") as u16,
        headers: Headers(headers.map(|(n, v)| (n.to_lowercase(), v.as_str().unwrap_or_default().to_owned())).collect()),
        body,
    }
}

pub fn verdict_shown(verdict: &Verdict) -> Value {
    match verdict {
        Verdict::Delivered(s) => json!({ "delivered": s }),
        Verdict::Accepted(s) => json!({ "accepted": s }),
        Verdict::CheckLater { after_ms, .. } => json!({ "check_later": after_ms }),
        Verdict::Retry { after_ms: None, sentence } => json!({ "retry": sentence }),
        Verdict::Retry { after_ms, sentence } => json!({ "retry": sentence, "after_ms": after_ms }),
        Verdict::Split(s) => json!({ "split": s }),
        Verdict::Pause(s) => json!({ "pause": s }),
        Verdict::Refused(s) => json!({ "refused": s }),
    }
}

/// Compares with the file, or writes it.
fn compare(file: &Path, got: &Value) -> Option<String> {
    if std::env::var_os("UPDATE").is_some() {
        let text = serde_json::to_string_pretty(got).expect("values can be written") + "\n";
        std::fs::write(file, text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        return None;
    }
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let want: Value = serde_json::from_str(&text).unwrap_or_default();
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    first_difference("", &want, got).map(|d| format!("{name}{d}"))
}

/// Where two values part, as a path with both.
pub fn first_difference(at: &str, want: &Value, got: &Value) -> Option<String> {
    match (want, got) {
        (Value::Object(w), Value::Object(g)) => {
            let keys: std::collections::BTreeSet<_> = w.keys().chain(g.keys()).collect();
            keys.into_iter().find_map(|k| {
                let missing = json!("(nothing)");
                first_difference(&format!("{at}/{k}"), w.get(k).unwrap_or(&missing), g.get(k).unwrap_or(&missing))
            })
        }
        (Value::Array(w), Value::Array(g)) if w.len() == g.len() => {
            w.iter().zip(g).enumerate().find_map(|(i, (w, g))| first_difference(&format!("{at}/{i}"), w, g))
        }
        // 10 and 10.0 are one number in JSON.
        (Value::Number(w), Value::Number(g)) if w.as_f64() == g.as_f64() => None,
        _ if want == got => None,
        _ => Some(format!("{at}: expected {want}, got {got}")),
    }
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(of).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries.map(|e| e.path()).filter(|p| p.is_dir()).collect();
    found.sort();
    found
}

/// The first request of a delivery, or the reason for none.
pub fn first_request(destination: &dyn Destination, out: &Outgoing, settings: &Settings, now: Time) -> Result<Box<Request>, &'static str> {
    let start = match destination.prepare(out, settings) {
        Prepared::Start(start) => start,
        Prepared::Skip(reason) => return Err(reason),
    };
    let step: Step<Delivery> = destination.delivery().step(start.state, None, settings, &(), now);
    match step {
        Step::Ask(request, _) => Ok(request),
        other => panic!("no request first: {other:?}"),
    }
}
