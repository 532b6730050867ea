//! Our webhook at the form, under a name that is made of our address: putting it twice is putting it once.
//! <https://www.typeform.com/developers/webhooks/reference/create-or-update-webhook/>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{HOOK_SECRET, api, form, is_id, refused};
use crate::crypto;
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps, Verdict};
use crate::domain::time::Time;
use crate::sources::kit::hooks::{Own, Todo, Told, Work};
use crate::sources::kit::text;
use crate::sources::{Found, Ground, Provision, Registered, Wish};
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
    work: Work,
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
    let request = match (talk.proven, talk.work.todo.first()) {
        (0, _) if is_proving => api("GET", format!("/forms/{form}")).up_to(LIST_BYTES),
        (1, _) if is_proving => api("GET", format!("/forms/{form}/responses")).query("page_size", Part::plain("1")).up_to(LIST_BYTES),
        _ if ground.wish == Wish::Probe => return Step::Done(Registered::default()),
        _ if !talk.work.is_listed => api("GET", format!("/forms/{form}/webhooks")).up_to(LIST_BYTES),
        (_, Some(Todo::Make { .. } | Todo::Renew { .. })) => put(form, ground),
        (_, Some(Todo::Drop { id })) => api("DELETE", format!("/forms/{form}/webhooks/{id}")),
        (_, None) => return Step::Done(Registered { hooks: talk.work.hooks, ..Registered::default() }),
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
        200..=299 if !talk.work.is_listed => {
            listed(&mut talk.work, value["items"].as_array().map(Vec::as_slice).unwrap_or_default(), ground);
        }
        200..=299 => {
            let is_active = value["enabled"] != Value::Bool(false);
            talk.work.changed(TOPIC, Some(Told { id: tag(ground), is_active }));
        }
        // Gone already.
        404 if matches!(talk.work.todo.first(), Some(Todo::Drop { .. })) => talk.work.changed(TOPIC, None),
        429 | 500..=599 => {
            let sentence = "Typeform cannot be asked now. It is tried again by itself.".to_owned();
            return Step::Fail(Verdict::Retry { after_ms: None, sentence });
        }
        _ => return Step::Fail(refused(response, doing)),
    }
    ask(form, talk, ground)
}

fn listed(work: &mut Work, rows: &[Value], ground: &Ground) {
    work.is_listed = true;
    let own_tag = tag(ground);
    let mut is_placed = false;
    for row in rows {
        let Some(tag) = text(row, "tag").filter(|tag| is_id(tag)) else { continue };
        let (url, id) = (text(row, "url").unwrap_or_default(), text(row, "id").unwrap_or_default());
        // Its name is ours, whatever it points to.
        let named = (tag == own_tag).then_some(Own { is_here: false, is_known: false });
        let Some(own) = Own::of(ground, &[&id, &tag], &url).or(named) else { continue };
        let is_active = row["enabled"] != Value::Bool(false);
        let found = own.found(is_active);
        match ground.wish {
            Wish::Remove => work.todo.push(Todo::Drop { id: tag }),
            Wish::Look | Wish::Probe => work.keep(TOPIC, tag, is_active, found),
            Wish::Register if tag == own_tag && found == Found::InPlace => {
                work.keep(TOPIC, tag, is_active, found);
                is_placed = true;
            }
            Wish::Register if tag == own_tag => {
                work.todo.push(Todo::Make { found });
                is_placed = true;
            }
            Wish::Register => work.todo.push(Todo::Drop { id: tag }),
        }
    }
    if ground.wish == Wish::Register && !is_placed {
        let found = if work.todo.is_empty() { Found::Made } else { Found::Adopted };
        work.todo.push(Todo::Make { found });
    }
}
