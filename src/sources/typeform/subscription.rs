//! Our webhook at the form, under a name that is made of our address: putting it twice is putting it once.
//! <https://www.typeform.com/developers/webhooks/reference/create-or-update-webhook/>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{HOOK_SECRET, api, form, is_id, refused};
use crate::crypto;
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps, Verdict};
use crate::domain::time::Time;
use crate::sources::kit::text;
use crate::sources::{Found, Ground, Hook, Provision, Registered, Wish};
use crate::wire::{Body, Part, Request, Response};

const TOPIC: &str = "responses";
const LIST_BYTES: usize = 1024 * 1024;

pub struct Registration;

/// Where the talk stands. It is never stored: a registration that is cut off begins anew.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Talk {
    /// Reading forms and responses was tried.
    proven: usize,
    is_listed: bool,
    todo: Vec<Todo>,
    hooks: Vec<Hook>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Todo {
    Put { found: Found },
    Drop { tag: String },
}

impl Steps<Provision> for Registration {
    fn step(&self, state: State, got: Option<&Response>, settings: &Settings, ground: &Ground, _: Time) -> Step<Provision> {
        let form = match form(settings) {
            Ok(form) => form,
            Err(verdict) => return Step::Fail(verdict),
        };
        let talk: Talk = serde_json::from_value(state).unwrap_or_default();
        match got {
            Some(response) => take(form, talk, response, ground),
            None => ask(form, talk, ground),
        }
    }
}

/// Two servers may hear of one form: each has a name of its own.
fn tag(ground: &Ground) -> String {
    format!("halotrack-{}", &crypto::sha256_hex(ground.hook_url.as_bytes())[..10])
}

fn ask(form: &str, talk: Talk, ground: &Ground) -> Step<Provision> {
    let is_proving = matches!(ground.wish, Wish::Probe | Wish::Register);
    let request = match (talk.proven, talk.todo.first()) {
        (0, _) if is_proving => api("GET", format!("/forms/{form}")).up_to(LIST_BYTES),
        (1, _) if is_proving => api("GET", format!("/forms/{form}/responses")).query("page_size", Part::plain("1")).up_to(LIST_BYTES),
        _ if ground.wish == Wish::Probe => return Step::Done(Registered::default()),
        _ if !talk.is_listed => api("GET", format!("/forms/{form}/webhooks")).up_to(LIST_BYTES),
        (_, Some(Todo::Put { .. })) => put(form, ground),
        (_, Some(Todo::Drop { tag })) => api("DELETE", format!("/forms/{form}/webhooks/{tag}")),
        (_, None) => return Step::Done(Registered { hooks: talk.hooks, ..Registered::default() }),
    };
    Step::Ask(Box::new(request), json!(talk))
}

fn put(form: &str, ground: &Ground) -> Request {
    let value = json!({"url": ground.hook_url, "enabled": true, "verify_ssl": true, "secret": ""});
    let mut request = api("PUT", format!("/forms/{form}/webhooks/{}", tag(ground)));
    request.body = Body::JsonWithSecrets(value, vec![("/secret".into(), HOOK_SECRET.into())]);
    request
}

fn take(form: &str, mut talk: Talk, response: &Response, ground: &Ground) -> Step<Provision> {
    let is_proving = matches!(ground.wish, Wish::Probe | Wish::Register) && talk.proven < 2;
    let doing = match talk.proven {
        0 if is_proving => "read forms",
        1 if is_proving => "read responses",
        _ => "read and write webhooks",
    };
    let value = response.json().unwrap_or_default();
    match response.status {
        200..=299 if is_proving => talk.proven += 1,
        200..=299 if !talk.is_listed => {
            talk.is_listed = true;
            listed(&mut talk, value["items"].as_array().map(Vec::as_slice).unwrap_or_default(), ground);
        }
        200..=299 => changed(&mut talk, &value, ground),
        // Gone already.
        404 if matches!(talk.todo.first(), Some(Todo::Drop { .. })) => drop(talk.todo.remove(0)),
        429 | 500..=599 => {
            let sentence = "Typeform cannot be asked now. It is tried again by itself.".to_owned();
            return Step::Fail(Verdict::Retry { after_ms: None, sentence });
        }
        _ => return Step::Fail(refused(response, doing)),
    }
    ask(form, talk, ground)
}

fn listed(talk: &mut Talk, rows: &[Value], ground: &Ground) {
    let own = tag(ground);
    let mut is_placed = false;
    for row in rows {
        let Some(tag) = text(row, "tag").filter(|tag| is_id(tag)) else { continue };
        let (url, id) = (text(row, "url").unwrap_or_default(), text(row, "id").unwrap_or_default());
        let is_here = url == ground.hook_url;
        let is_known = ground.known.iter().any(|(_, known)| *known == id || *known == tag);
        let is_kept = !ground.kept_url.is_empty() && url.starts_with(&ground.kept_url);
        if !is_here && !is_known && !is_kept && tag != own {
            continue;
        }
        let is_active = row["enabled"] != Value::Bool(false);
        let found = match (is_active, is_here && is_known) {
            (false, _) => Found::SwitchedOff,
            (true, true) => Found::InPlace,
            (true, false) => Found::Adopted,
        };
        match ground.wish {
            Wish::Remove => talk.todo.push(Todo::Drop { tag }),
            Wish::Look | Wish::Probe => talk.hooks.push(Hook { topic: TOPIC.into(), id: tag, is_active, found }),
            Wish::Register if tag == own && found == Found::InPlace => {
                talk.hooks.push(Hook { topic: TOPIC.into(), id: tag, is_active, found });
                is_placed = true;
            }
            Wish::Register if tag == own => {
                talk.todo.push(Todo::Put { found });
                is_placed = true;
            }
            Wish::Register => talk.todo.push(Todo::Drop { tag }),
        }
    }
    if ground.wish == Wish::Register && !is_placed {
        let found = if talk.todo.is_empty() { Found::Made } else { Found::Adopted };
        talk.todo.push(Todo::Put { found });
    }
}

fn changed(talk: &mut Talk, value: &Value, ground: &Ground) {
    if talk.todo.is_empty() {
        return;
    }
    if let Todo::Put { found } = talk.todo.remove(0) {
        let is_active = value["enabled"] != Value::Bool(false);
        talk.hooks.push(Hook { topic: TOPIC.into(), id: tag(ground), is_active, found });
    }
}
