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
use crate::sources::kit::hooks::{Own, Todo, Told, Work};
use crate::sources::kit::text;
use crate::sources::{Found, Ground, Provision, Registered, Wish};
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
    work: Work,
    /// The signing secret of an endpoint that was made just now.
    secret: Option<String>,
    is_read_only: bool,
    is_test: bool,
    waits: u32,
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
        None if !talk.work.is_listed => api("GET", "/v1/webhook_endpoints").query("limit", Part::plain("100")).up_to(LIST_BYTES),
        None => match talk.work.todo.first() {
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
        Answer::Missing if !is_proving && talk.work.is_listed => None,
        Answer::Missing => return Step::Fail(Verdict::Refused("Stripe knows no such list.".into())),
        Answer::NotAllowed if is_proving => return Step::Fail(answer::without(PROOFS[talk.proven].1)),
        Answer::NotAllowed => {
            talk.is_read_only = true;
            talk.work.is_listed = true;
            talk.work.todo.clear();
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
        Some(page) if !talk.work.is_listed => {
            listed(&mut talk.work, page["data"].as_array().map(Vec::as_slice).unwrap_or_default(), ground);
        }
        answer => changed(&mut talk, answer.as_ref()),
    }
    ask(talk, ground)
}

/// One of ours.
struct Seen {
    id: String,
    own: Own,
    is_enabled: bool,
    /// It is told of everything that we want to hear.
    is_whole: bool,
}

fn seen(row: &Value, ground: &Ground) -> Option<Seen> {
    let (id, url) = (text(row, "id").filter(|id| is_id(id))?, text(row, "url")?);
    let own = Own::of(ground, &[&id], &url)?;
    let told: Vec<&str> = row["enabled_events"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    Some(Seen {
        own,
        is_enabled: text(row, "status").is_none_or(|status| status == "enabled"),
        is_whole: told.contains(&"*") || EVENTS.iter().all(|kind| told.contains(kind)),
        id,
    })
}

fn listed(work: &mut Work, rows: &[Value], ground: &Ground) {
    work.is_listed = true;
    let mut ours: Vec<Seen> = rows.iter().filter_map(|row| seen(row, ground)).collect();
    ours.sort_by_key(|s| (!s.own.is_known, !s.own.is_here, !s.is_enabled));
    match ground.wish {
        Wish::Remove => work.todo = ours.into_iter().map(|s| Todo::Drop { id: s.id }).collect(),
        Wish::Register => settle(work, ours, ground.secrets.iter().any(|key| key == HOOK_SECRET)),
        Wish::Look | Wish::Probe => {
            if let Some(s) = ours.first() {
                work.keep(TOPIC, s.id.clone(), s.is_enabled, s.own.found(s.is_enabled));
            }
        }
    }
}

/// One endpoint, switched on, with our address, whose secret we hold. Stripe never tells the secret of one that is there: where
/// we hold none, it is made anew.
fn settle(work: &mut Work, ours: Vec<Seen>, is_secret_held: bool) {
    let mut ours = ours.into_iter();
    match ours.next() {
        None => work.todo.push(Todo::Make { found: Found::Made }),
        Some(best) if !is_secret_held => {
            work.todo.push(Todo::Make { found: best.own.found(best.is_enabled) });
            work.todo.push(Todo::Drop { id: best.id });
        }
        Some(best) if best.own.is_here && best.is_enabled && best.is_whole => work.keep(TOPIC, best.id, true, best.own.found(true)),
        Some(best) => work.todo.push(Todo::Renew { found: best.own.found(best.is_enabled), id: best.id }),
    }
    work.todo.extend(ours.map(|other| Todo::Drop { id: other.id }));
}

/// One change was answered; none is an answer that it is not there.
fn changed(talk: &mut Talk, answer: Option<&Value>) {
    let is_made = matches!(talk.work.todo.first(), Some(Todo::Make { .. }));
    if let Some(made) = answer.filter(|_| is_made) {
        talk.secret = text(made, "secret").or(talk.secret.take());
    }
    let told = |answer: &Value| Told {
        id: text(answer, "id").unwrap_or_default(),
        // What was changed is on: that is what it was changed to.
        is_active: !is_made || text(answer, "status").is_none_or(|s| s == "enabled"),
    };
    talk.work.changed(TOPIC, answer.map(told));
}

fn done(talk: Talk) -> Registered {
    let mut notes = Vec::new();
    if talk.is_read_only {
        notes.push(READ_ONLY.to_owned());
    }
    if talk.is_test {
        notes.push("This is a key of Stripe's test mode: payments are shown and not counted.".to_owned());
    }
    let mut registered = Registered { hooks: talk.work.hooks, notes, ..Registered::default() };
    if let Some(secret) = talk.secret {
        registered.secrets.push((HOOK_SECRET.into(), Secret::new(secret)));
    }
    registered
}
