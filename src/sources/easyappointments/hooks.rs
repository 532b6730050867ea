//! Our webhook in the installation. Its secret can be given at any time, so that one that is there is given ours.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::HOOK_SECRET;
use super::place::{Answer, Place, is_number, read as answer};
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps, Verdict};
use crate::domain::time::Time;
use crate::sources::kit::text;
use crate::sources::{Found, Ground, Hook, Provision, Registered, Wish};
use crate::wire::{Body, Part, Request, Response};

const TOPIC: &str = "appointments";
const ACTIONS: &str = "appointment_save,appointment_delete";
const LIST_BYTES: usize = 1024 * 1024;

pub struct Registration;

/// Where the talk stands. It is never stored: a registration that is cut off begins anew.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Talk {
    is_proven: bool,
    is_listed: bool,
    todo: Vec<Todo>,
    hooks: Vec<Hook>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Todo {
    Make { found: Found },
    Renew { id: String, found: Found },
    Drop { id: String },
}

impl Steps<Provision> for Registration {
    fn step(&self, state: State, got: Option<&Response>, settings: &Settings, ground: &Ground, _: Time) -> Step<Provision> {
        let place = match Place::of(settings) {
            Ok(place) => place,
            Err(verdict) => return Step::Fail(verdict),
        };
        let talk: Talk = serde_json::from_value(state).unwrap_or_default();
        match got {
            Some(response) => take(&place, talk, response, ground),
            None => ask(&place, talk, ground),
        }
    }
}

fn ask(place: &Place, talk: Talk, ground: &Ground) -> Step<Provision> {
    let request = match talk.todo.first() {
        _ if !talk.is_proven => place.ask("GET", "appointments").query("length", Part::plain("1")).up_to(LIST_BYTES),
        _ if ground.wish == Wish::Probe => return Step::Done(Registered::default()),
        _ if !talk.is_listed => place.ask("GET", "webhooks").query("length", Part::plain("500")).up_to(LIST_BYTES),
        Some(todo) => change(place, todo, ground),
        None => return Step::Done(Registered { hooks: talk.hooks, ..Registered::default() }),
    };
    Step::Ask(Box::new(request), json!(talk))
}

fn change(place: &Place, todo: &Todo, ground: &Ground) -> Request {
    let value = json!({
        "name": "HaloTrack", "url": ground.hook_url, "actions": ACTIONS, "secretToken": "", "isSslVerified": true, "notes": ""
    });
    let (method, route) = match todo {
        Todo::Make { .. } => ("POST", "webhooks".to_owned()),
        Todo::Renew { id, .. } => ("PUT", format!("webhooks/{id}")),
        Todo::Drop { id } => return place.ask("DELETE", &format!("webhooks/{id}")),
    };
    let mut request = place.ask(method, &route);
    request.body = Body::JsonWithSecrets(value, vec![("/secretToken".into(), HOOK_SECRET.into())]);
    request
}

fn take(place: &Place, mut talk: Talk, response: &Response, ground: &Ground) -> Step<Provision> {
    let told = match answer(response, place) {
        Answer::Json(value) => Some(value),
        Answer::Missing if talk.is_listed => None,
        Answer::Missing => {
            let sentence = format!("There is no Easy!Appointments with an API at {}. Check the address.", place.shown());
            return Step::Fail(Verdict::Pause(sentence));
        }
        Answer::Trouble(verdict) => return Step::Fail(verdict),
    };
    match told {
        Some(Value::Array(_)) if !talk.is_proven => talk.is_proven = true,
        Some(Value::Array(rows)) if !talk.is_listed => {
            talk.is_listed = true;
            listed(&mut talk, &rows, ground);
        }
        answer if talk.is_listed => changed(&mut talk, answer.as_ref()),
        _ => return Step::Fail(Verdict::Refused(format!("{} answered with something else than a list.", place.shown()))),
    }
    ask(place, talk, ground)
}

fn listed(talk: &mut Talk, rows: &[Value], ground: &Ground) {
    let mut is_placed = false;
    for row in rows {
        let (Some(id), url) = (text(row, "id").filter(|id| is_number(id)), text(row, "url").unwrap_or_default()) else { continue };
        let is_here = url == ground.hook_url;
        let is_known = ground.known.iter().any(|(_, known)| *known == id);
        let is_kept = !ground.kept_url.is_empty() && url.starts_with(&ground.kept_url);
        if !is_here && !is_known && !is_kept {
            continue;
        }
        let is_whole =
            text(row, "actions").is_some_and(|told| ACTIONS.split(',').all(|action| told.split(',').any(|t| t.trim() == action)));
        let found = if is_here && is_known && is_whole { Found::InPlace } else { Found::Adopted };
        match ground.wish {
            Wish::Remove => talk.todo.push(Todo::Drop { id }),
            Wish::Look | Wish::Probe => talk.hooks.push(Hook { topic: TOPIC.into(), id, is_active: true, found }),
            Wish::Register if is_placed => talk.todo.push(Todo::Drop { id }),
            Wish::Register if found == Found::InPlace => talk.hooks.push(Hook { topic: TOPIC.into(), id, is_active: true, found }),
            Wish::Register => talk.todo.push(Todo::Renew { id, found }),
        }
        is_placed = true;
    }
    if ground.wish == Wish::Register && !is_placed {
        talk.todo.push(Todo::Make { found: Found::Made });
    }
}

/// One change was answered; none is an answer that it is not there.
fn changed(talk: &mut Talk, answer: Option<&Value>) {
    if talk.todo.is_empty() {
        return;
    }
    match (talk.todo.remove(0), answer) {
        (Todo::Make { found }, Some(made)) => {
            talk.hooks.push(Hook { topic: TOPIC.into(), id: text(made, "id").unwrap_or_default(), is_active: true, found });
        }
        (Todo::Renew { id, found }, Some(_)) => talk.hooks.push(Hook { topic: TOPIC.into(), id, is_active: true, found }),
        (Todo::Renew { .. }, None) => talk.todo.insert(0, Todo::Make { found: Found::Made }),
        (Todo::Make { .. } | Todo::Drop { .. }, _) => {}
    }
}
