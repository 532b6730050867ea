//! Our webhook endpoint in Stripe: one for all kinds of events. Its signing secret is told once, when it is made, and kept then.
//! <https://docs.stripe.com/api/webhook_endpoints>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::{self, Reading as Answer};
use super::{API_VERSION, EVENTS, HOOK_SECRET, api, is_id};
use crate::crypto::Secret;
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps, Verdict};
use crate::domain::time::Time;
use crate::sources::kit::text;
use crate::sources::{Found, Ground, Hook, Provision, Registered, Wish};
use crate::wire::{Body, Part, Request, Response};

/// What its events are about; one endpoint stands for all of them.
const TOPIC: &str = "payments";
const LIST_BYTES: usize = 512 * 1024;
const MOST_WAITS: u32 = 5;
/// Lists that the key must be able to read, and what the owner knows them by.
const PROOFS: [(&str, &str); 5] = [
    ("/v1/charges", "charges"),
    ("/v1/customers", "customers"),
    ("/v1/checkout/sessions", "checkout sessions"),
    ("/v1/invoices", "invoices"),
    ("/v1/events", "events"),
];
const READ_ONLY: &str = "The key may not write webhook endpoints, so Stripe cannot tell of a payment at once: payments are read every hour. \
                         For live payments allow it in Stripe under Developers › API keys, or add the endpoint by hand and enter its signing secret here.";

pub struct Registration;

/// Where the talk stands. It is never stored: a registration that is cut off begins anew.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Talk {
    /// How many of the proofs are there.
    proven: usize,
    is_listed: bool,
    todo: Vec<Todo>,
    hooks: Vec<Hook>,
    /// The signing secret of an endpoint that was made just now.
    secret: Option<String>,
    is_read_only: bool,
    is_test: bool,
    waits: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Todo {
    Make { found: Found },
    Renew { id: String, found: Found },
    Drop { id: String },
}

impl Steps<Provision> for Registration {
    fn step(&self, state: State, got: Option<&Response>, _: &Settings, ground: &Ground, _: Time) -> Step<Provision> {
        let talk: Talk = serde_json::from_value(state).unwrap_or_default();
        match got {
            Some(response) => take(talk, response, ground),
            None => ask(talk, ground),
        }
    }
}

fn ask(talk: Talk, ground: &Ground) -> Step<Provision> {
    let is_proving = matches!(ground.wish, Wish::Probe | Wish::Register);
    let request = match PROOFS.get(talk.proven).filter(|_| is_proving) {
        Some((path, _)) => api("GET", *path).query("limit", Part::plain("1")).up_to(LIST_BYTES),
        None if ground.wish == Wish::Probe => return Step::Done(Registered::default()),
        None if !talk.is_listed => api("GET", "/v1/webhook_endpoints").query("limit", Part::plain("100")).up_to(LIST_BYTES),
        None => match talk.todo.first() {
            Some(todo) => change(todo, ground),
            None => return Step::Done(done(talk)),
        },
    };
    Step::Ask(Box::new(request), json!(talk))
}

fn change(todo: &Todo, ground: &Ground) -> Request {
    let plain = |name: &str, value: &str| (name.to_owned(), Part::plain(value));
    // Whoever knows the address could send to it.
    let mut form = vec![("url".to_owned(), Part::Hidden(ground.hook_url.clone()))];
    form.extend(EVENTS.iter().map(|kind| plain("enabled_events[]", kind)));
    let mut request = match todo {
        Todo::Make { .. } => api("POST", "/v1/webhook_endpoints"),
        Todo::Renew { id, .. } => api("POST", format!("/v1/webhook_endpoints/{id}")),
        Todo::Drop { id } => return api("DELETE", format!("/v1/webhook_endpoints/{id}")),
    };
    match todo {
        Todo::Make { .. } => form.extend([plain("api_version", API_VERSION), plain("description", "HaloTrack")]),
        _ => form.push(plain("disabled", "false")),
    }
    request.body = Body::Form(form);
    request
}

fn take(mut talk: Talk, response: &Response, ground: &Ground) -> Step<Provision> {
    let is_proving = matches!(ground.wish, Wish::Probe | Wish::Register) && talk.proven < PROOFS.len();
    let value = match answer::read(response) {
        Answer::Json(value) => Some(value),
        Answer::Missing if !is_proving && talk.is_listed => None,
        Answer::Missing => return Step::Fail(Verdict::Refused("Stripe knows no such list.".into())),
        Answer::NotAllowed if is_proving => return Step::Fail(answer::without(PROOFS[talk.proven].1)),
        Answer::NotAllowed => {
            talk.is_read_only = true;
            talk.is_listed = true;
            talk.todo.clear();
            return ask(talk, ground);
        }
        Answer::Trouble(Verdict::Retry { after_ms: Some(ms), .. }) if talk.waits < MOST_WAITS => {
            talk.waits += 1;
            return Step::Wait(ms, json!(talk));
        }
        Answer::Trouble(verdict) => return Step::Fail(verdict),
    };
    talk.waits = 0;
    match value {
        Some(page) if is_proving => {
            let rows = page["data"].as_array();
            talk.is_test |= rows.is_some_and(|rows| rows.iter().any(|row| row["livemode"] == Value::Bool(false)));
            talk.proven += 1;
        }
        Some(page) if !talk.is_listed => {
            talk.is_listed = true;
            listed(&mut talk, page["data"].as_array().map(Vec::as_slice).unwrap_or_default(), ground);
        }
        answer => changed(&mut talk, answer.as_ref()),
    }
    ask(talk, ground)
}

/// One of ours: it points here, to where we were before, or we have made it.
struct Seen {
    id: String,
    is_here: bool,
    is_known: bool,
    is_enabled: bool,
    /// It is told of everything that we want to hear.
    is_whole: bool,
}

fn seen(row: &Value, ground: &Ground) -> Option<Seen> {
    let (id, url) = (text(row, "id").filter(|id| is_id(id))?, text(row, "url")?);
    let is_here = url == ground.hook_url;
    let is_known = ground.known.iter().any(|(_, known)| *known == id);
    let is_kept = !ground.kept_url.is_empty() && url.starts_with(&ground.kept_url);
    let told: Vec<&str> = row["enabled_events"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    (is_here || is_known || is_kept).then(|| Seen {
        is_here,
        is_known,
        is_enabled: text(row, "status").is_none_or(|status| status == "enabled"),
        is_whole: told.contains(&"*") || EVENTS.iter().all(|kind| told.contains(kind)),
        id,
    })
}

fn listed(talk: &mut Talk, rows: &[Value], ground: &Ground) {
    let mut ours: Vec<Seen> = rows.iter().filter_map(|row| seen(row, ground)).collect();
    ours.sort_by_key(|s| (!s.is_known, !s.is_here, !s.is_enabled));
    match ground.wish {
        Wish::Remove => talk.todo = ours.into_iter().map(|s| Todo::Drop { id: s.id }).collect(),
        Wish::Register => settle(talk, ours, ground.secrets.iter().any(|key| key == HOOK_SECRET)),
        Wish::Look | Wish::Probe => {
            talk.hooks = ours.first().map(|s| hook(s.id.clone(), s.is_enabled, found(s))).into_iter().collect();
        }
    }
}

/// One endpoint, switched on, with our address, whose secret we hold. Stripe never tells the secret of one that is there: where
/// we hold none, it is made anew.
fn settle(talk: &mut Talk, ours: Vec<Seen>, is_secret_held: bool) {
    let mut ours = ours.into_iter();
    match ours.next() {
        None => talk.todo.push(Todo::Make { found: Found::Made }),
        Some(best) if !is_secret_held => {
            talk.todo.push(Todo::Make { found: found(&best) });
            talk.todo.push(Todo::Drop { id: best.id });
        }
        Some(best) if best.is_here && best.is_enabled && best.is_whole => {
            let found = if best.is_known { Found::InPlace } else { Found::Adopted };
            talk.hooks.push(hook(best.id, true, found));
        }
        Some(best) => talk.todo.push(Todo::Renew { found: found(&best), id: best.id }),
    }
    talk.todo.extend(ours.map(|other| Todo::Drop { id: other.id }));
}

fn found(seen: &Seen) -> Found {
    match (seen.is_enabled, seen.is_here) {
        (false, _) => Found::SwitchedOff,
        (true, true) if seen.is_known => Found::InPlace,
        (true, _) => Found::Adopted,
    }
}

fn hook(id: String, is_active: bool, found: Found) -> Hook {
    Hook { topic: TOPIC.into(), id, is_active, found }
}

/// One change was answered; none is an answer that it is not there.
fn changed(talk: &mut Talk, answer: Option<&Value>) {
    if talk.todo.is_empty() {
        return;
    }
    match (talk.todo.remove(0), answer) {
        (Todo::Make { found }, Some(made)) => {
            talk.secret = text(made, "secret").or(talk.secret.take());
            talk.hooks.push(hook(text(made, "id").unwrap_or_default(), text(made, "status").is_none_or(|s| s == "enabled"), found));
        }
        (Todo::Renew { id, found }, Some(_)) => talk.hooks.push(hook(id, true, found)),
        // It was taken away between the list and now.
        (Todo::Renew { .. }, None) => talk.todo.insert(0, Todo::Make { found: Found::Made }),
        (Todo::Make { .. } | Todo::Drop { .. }, _) => {}
    }
}

fn done(talk: Talk) -> Registered {
    let mut notes = Vec::new();
    if talk.is_read_only {
        notes.push(READ_ONLY.to_owned());
    }
    if talk.is_test {
        notes.push("This is a key of Stripe's test mode: payments are shown and not counted.".to_owned());
    }
    let mut registered = Registered { hooks: talk.hooks, notes, ..Registered::default() };
    if let Some(secret) = talk.secret {
        registered.secrets.push((HOOK_SECRET.into(), Secret::new(secret)));
    }
    registered
}
