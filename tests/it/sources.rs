//! Every source against recorded cases. A case is a folder under `tests/fixtures/sources/PLATFORM/`:
//!
//! - `request.json`: one hook call, or a list of them: `headers`, `query`, `body` (text), `body_json` or `body_base64`,
//!   `secret` (or `secrets` by key; a list while one is being rotated), `now`, and `reads: "order"` for the generic
//!   address of orders;
//! - or `pages.json`: a talk of several requests: `talk` (`pull`, `fetch` or `provision`), `now`, `state` that it begins with,
//!   `ground` of a registration, `answers` in their order;
//! - `settings.json`: the connection's settings;
//! - `expected.json`: what came of it. `UPDATE=1 cargo test --test it sources` writes it anew: read the difference.

mod told;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use halotrack::crypto::{Secret, unbase64};
use halotrack::domain::fact::Fact;
use halotrack::domain::money::Currency;
use halotrack::domain::platform::{FieldKind, Secrets, Settings};
use halotrack::domain::steps::{Step, Steps, Talk};
use halotrack::domain::time::{Time, Zone};
use halotrack::sources::{self, Batch, Ground, Heard, Home, Source, Verified};
use halotrack::wire::{Headers, Incoming, Response};
use serde_json::{Value, json};

/// More steps than this no case needs; a talk that goes on asks for the same thing for ever.
const MOST_STEPS: usize = 200;

#[test]
fn every_case_gives_what_is_expected() {
    let mut faults = Vec::new();
    let mut count = 0;
    for source in sources::ALL {
        for folder in folders(&fixtures().join(source.about().slug)) {
            count += 1;
            let got = run_case(*source, &folder);
            let path = folder.join("expected.json");
            if std::env::var_os("UPDATE").is_some() {
                let text = serde_json::to_string_pretty(&got).expect("a value becomes text") + "\n";
                fs::write(&path, text).expect("the expectation is written");
            } else if read_json(&path) != Some(got.clone()) {
                faults.push(format!("{}\n{}", folder.display(), serde_json::to_string_pretty(&got).unwrap_or_default()));
            }
        }
    }
    assert!(faults.is_empty(), "not as expected:\n{}", faults.join("\n\n"));
    println!("{count} cases");
}

/// House rule 7: what every source must at least be shown.
#[test]
fn every_source_has_the_cases_it_needs() {
    for source in sources::ALL {
        let slug = source.about().slug;
        let names: Vec<String> = folders(&fixtures().join(slug)).iter().map(|f| file_name(f)).collect();
        let needed: &[&str] = if source.webhook().is_some() { &["good", "unsigned", "malformed", "repeat"] } else { &["good"] };
        for needed in needed {
            assert!(names.iter().any(|n| n.starts_with(needed)), "{slug} has no case {needed}…");
        }
    }
}

/// A body that comes again tells of the same facts.
#[test]
fn a_repeat_has_the_same_identity() {
    for source in sources::ALL {
        for folder in folders(&fixtures().join(source.about().slug)).into_iter().filter(|f| file_name(f).starts_with("repeat")) {
            let Value::Array(results) = run_case(*source, &folder) else { panic!("{} holds one call only", folder.display()) };
            let identities: Vec<Vec<Value>> = results.iter().map(identities).collect();
            assert!(!identities[0].is_empty(), "{} tells nothing", folder.display());
            assert!(identities.iter().all(|i| *i == identities[0]), "{}: {identities:?}", folder.display());
        }
    }
}

/// Bodies of others, where they are at hand: facts or a clear refusal, never a panic.
#[test]
fn foreign_bodies_never_panic() {
    let Some(shared) = shared("fixtures") else { return };
    let mut count = 0;
    for folder in folders(&shared) {
        let source = sources::find(&file_name(&folder));
        for file in files(&folder) {
            let body = fs::read(&file).expect("a fixture can be read");
            count += 1;
            for content_type in ["application/json", ""] {
                let _ = sources::forms::read_lead(&body, content_type, &home(now()));
                let _ = sources::forms::read_order(&body, content_type, &home(now()));
                if let Some(hook) = source.and_then(|s| s.webhook()) {
                    let _ = hook.parse(&Verified::by_our_own_word(&body, content_type), &Settings::default(), &home(now()));
                }
            }
            if file_name(&folder) == "forms" {
                let lead = sources::forms::read_lead(&body, "application/json", &home(now())).expect("a form's body is a lead");
                assert!(lead.person.email.is_some(), "{}: {lead:?}", file.display());
            }
        }
    }
    println!("{count} foreign bodies");
}

/// Signatures made by other people's code, where they are at hand.
#[test]
fn foreign_signatures_are_judged_alike() {
    let Some(folder) = shared("reference/vectors") else { return };
    let vectors = read_json(&folder.join("webhook_signatures.json")).expect("the vectors can be read");
    let mut judged = 0;
    for group in vectors["groups"].as_array().into_iter().flatten() {
        let name = group["source"].as_str().unwrap_or_default();
        let slug = match name {
            "svix" | "standard_webhooks" => "forms",
            "meta_lead_ads" => "metaleads",
            "cal_com" => "calcom",
            "crisp_plugin_hook" => "crisp",
            "hubspot_v3" => "hubspot",
            other => other,
        };
        for vector in group["vectors"].as_array().into_iter().flatten() {
            let slug = match vector["name"].as_str().and_then(|n| n.split('_').next()) {
                Some("posh") => "poshvip",
                Some("ea") => "easyappointments",
                _ => slug,
            };
            let body = vector["body_base64"].as_str().and_then(unbase64).unwrap_or_default();
            let _ = sources::forms::read_lead(&body, "application/json", &home(now()));
            let is_fit = |source: &dyn Source| verifies(source, vector, &body);
            if let Some(source) = sources::find(slug).filter(|s| s.webhook().is_some()) {
                judged += 1;
                assert_eq!(Some(is_fit(source)), vector["valid"].as_bool(), "{name}: {}", vector["name"]);
            }
            if slug != "forms" {
                assert!(!is_fit(&sources::forms::Forms), "forms took {name}: {}", vector["name"]);
            }
        }
    }
    println!("{judged} foreign signatures");
}

fn verifies(source: &dyn Source, vector: &Value, body: &[u8]) -> bool {
    let mut secrets = Secrets::default();
    for field in source.about().fields.iter().filter(|f| f.kind == FieldKind::Secret) {
        secrets.set(field.key, Secret::new(vector["secret"].as_str().unwrap_or_default()));
    }
    let headers = headers(&vector["headers"]);
    // Where a platform signs the whole address, the vector has it.
    let url = vector["url"].as_str().unwrap_or("https://shop.example/in/x/y");
    let (front, query) = url.split_once('?').unwrap_or((url, ""));
    let (origin, path) = front.split_at(front[8..].find('/').map_or(front.len(), |at| at + 8));
    let got = Incoming { origin, method: "POST", path, query, headers: &headers, body };
    let at = Time::from_s(vector["now_unix"].as_i64().unwrap_or_default());
    source.webhook().is_some_and(|hook| hook.verify(&got, &secrets, at).is_ok())
}

fn run_case(source: &dyn Source, folder: &Path) -> Value {
    let settings: BTreeMap<String, String> =
        read_json(&folder.join("settings.json")).and_then(|v| serde_json::from_value(v).ok()).unwrap_or_default();
    let settings = Settings(settings);
    if let Some(pages) = read_json(&folder.join("pages.json")) {
        return run_pages(source, &pages, &settings);
    }
    match read_json(&folder.join("request.json")) {
        Some(Value::Array(calls)) => calls.iter().map(|call| run_call(source, call, &settings)).collect(),
        Some(call) => run_call(source, &call, &settings),
        None => panic!("{} holds neither request.json nor pages.json that can be read", folder.display()),
    }
}

fn run_call(source: &dyn Source, call: &Value, settings: &Settings) -> Value {
    let hook = source.webhook().expect("only a source that is called has such a case");
    let body = match (&call["body"], &call["body_json"], &call["body_base64"]) {
        (Value::String(text), _, _) => text.clone().into_bytes(),
        (_, _, Value::String(text)) => unbase64(text).expect("the body is base64"),
        (_, value, _) => value.to_string().into_bytes(),
    };
    let headers = headers(&call["headers"]);
    let word = |name: &str, or: &'static str| call[name].as_str().map_or(or.to_owned(), str::to_owned);
    let (method, path, query) = (word("method", "POST"), word("path", "/in/x/y"), word("query", ""));
    let origin = word("origin", "https://halo.shop.example");
    let got = Incoming { origin: &origin, method: &method, path: &path, query: &query, headers: &headers, body: &body };
    let at = call["now"].as_str().and_then(Time::parse).expect("a case says when it is");
    let secrets = secrets(source, call);
    let heard = hook.verify(&got, &secrets, at).and_then(|body| match call["reads"].as_str() {
        _ if hook.challenge(&body, &secrets).is_some() => {
            Ok(Heard::Reply(hook.challenge(&body, &secrets).expect("it was there a line ago")))
        }
        Some("order") => {
            let order = sources::forms::read_order(body.body(), body.content_type(), &home(at))?;
            Ok(Heard::Facts(Batch::of(vec![Fact::Order(order)])))
        }
        _ => hook.parse(&body, settings, &home(at)),
    });
    told::heard(heard)
}

fn run_pages(source: &dyn Source, pages: &Value, settings: &Settings) -> Value {
    let at = pages["now"].as_str().and_then(Time::parse).expect("a case says when it is");
    match pages["talk"].as_str().unwrap_or("pull") {
        "provision" => {
            let talk = source.provision().expect("only a source that registers has such a case");
            let ground: Ground = serde_json::from_value(pages["ground"].clone()).expect("a case of a registration says what is wanted");
            run_talk(talk, pages, settings, &ground, |_| Value::Null, |done| json!(done))
        }
        "fetch" => {
            let talk = source.fetch().expect("only a source that tells of ids has such a case");
            run_talk(talk, pages, settings, &home(at), told::batch, |()| Value::Null)
        }
        _ => {
            let talk = source.pull().expect("only a source that is pulled has such a case");
            run_talk(talk, pages, settings, &home(at), told::batch, |w| json!({"from": w.from.utc(), "to": w.to.utc()}))
        }
    }
}

/// Every request that was asked, everything that was handed over, and the end.
fn run_talk<K: Talk>(
    talk: &dyn Steps<K>,
    pages: &Value,
    settings: &Settings,
    ground: &K::Ground,
    yielded: impl Fn(K::Yield) -> Value,
    ended: impl Fn(K::Outcome) -> Value,
) -> Value {
    let at = pages["now"].as_str().and_then(Time::parse).expect("a case says when it is");
    let mut answers = pages["answers"].as_array().cloned().unwrap_or_default().into_iter();
    let mut state = pages.get("state").cloned().unwrap_or(Value::Null);
    let (mut got, mut log) = (None, Vec::new());
    for _ in 0..MOST_STEPS {
        match talk.step(state, got.as_ref(), settings, ground, at) {
            Step::Ask(request, next) => {
                log.push(json!({"asked": *request}));
                let Some(answer) = answers.next() else {
                    log.push(json!("no answer is left"));
                    return Value::Array(log);
                };
                got = Some(response(&answer));
                state = next;
            }
            Step::Yield(batch, next) => {
                log.push(json!({"yielded": yielded(batch)}));
                (got, state) = (None, next);
            }
            Step::Wait(ms, next) => {
                log.push(json!({"waited_ms": ms}));
                (got, state) = (None, next);
            }
            Step::Done(outcome) => {
                log.push(json!({"done": ended(outcome), "answers_left": answers.len()}));
                return Value::Array(log);
            }
            Step::Fail(verdict) => {
                log.push(json!({"failed": format!("{verdict:?}")}));
                return Value::Array(log);
            }
        }
    }
    panic!("the talk does not end");
}

fn response(answer: &Value) -> Response {
    let body = match &answer["body"] {
        Value::String(text) => text.clone().into_bytes(),
        Value::Null => Vec::new(),
        value => value.to_string().into_bytes(),
    };
    let status = answer["status"].as_u64().and_then(|s| u16::try_from(s).ok()).unwrap_or(200);
    Response { status, headers: headers(&answer["headers"]), body }
}

/// By key under `secrets`, or under the source's own key as `secret`.
fn secrets(source: &dyn Source, call: &Value) -> Secrets {
    let about = source.about();
    let own = about.own_secret.or_else(|| about.fields.iter().find(|f| f.kind == FieldKind::Secret).map(|f| f.key)).unwrap_or("secret");
    let list = |value: &Value| -> Vec<Secret> {
        let texts = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        texts.iter().filter_map(Value::as_str).map(Secret::new).collect()
    };
    let mut secrets = Secrets::default();
    secrets.all.insert(own.to_owned(), list(&call["secret"]));
    for (key, value) in call["secrets"].as_object().into_iter().flatten() {
        secrets.all.insert(key.clone(), list(value));
    }
    secrets
}

fn headers(value: &Value) -> Headers {
    let mut headers = Vec::new();
    for (name, value) in value.as_object().into_iter().flatten() {
        let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        headers.extend(values.iter().filter_map(Value::as_str).map(|v| (name.to_lowercase(), v.to_owned())));
    }
    Headers(headers)
}

/// Which facts a result is about: their own ids, or where they have none the digest of what was written.
fn identities(result: &Value) -> Vec<Value> {
    let facts = result["facts"].as_array().into_iter().flatten();
    let fetched = result["fetch"].as_array().into_iter().flatten().cloned();
    facts.map(|f| if f["external_id"].is_null() { f["content_key"].clone() } else { f["external_id"].clone() }).chain(fetched).collect()
}

/// A shop in Dubai that counts in dirhams.
fn home(now: Time) -> Home {
    let (currency, zone) = (Currency::parse("AED").expect("a currency"), Zone::parse("Asia/Dubai").expect("a zone"));
    Home { currency, country: Some("AE".into()), zone, now }
}

fn now() -> Time {
    Time::parse("2026-06-13T09:20:00Z").expect("a time")
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sources")
}

/// A folder beside the project that not everyone has.
fn shared(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(name);
    if !folder.is_dir() {
        println!("skipped: there is no {}", folder.display());
        return None;
    }
    Some(folder)
}

fn folders(parent: &Path) -> Vec<PathBuf> {
    entries(parent).into_iter().filter(|p| p.is_dir()).collect()
}

fn files(parent: &Path) -> Vec<PathBuf> {
    entries(parent).into_iter().filter(|p| p.is_file()).collect()
}

fn entries(parent: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(parent).into_iter().flatten().flatten().map(|e| e.path()).collect();
    paths.sort();
    paths
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

fn read_json(path: &Path) -> Option<Value> {
    let bytes = fs::read(path).ok()?;
    Some(serde_json::from_slice(&bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
}
