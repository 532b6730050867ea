//! Our webhook in the installation. Its secret can be given at any time, so that one that is there is given ours.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::HOOK_SECRET;
use super::place::{Answer, Place, is_number, read as answer};
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps, Verdict};
use crate::domain::time::Time;
use crate::sources::kit::hooks::{Own, Todo, Told, Work};
use crate::sources::kit::text;
use crate::sources::{Found, Ground, Provision, Registered, Wish};
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
    work: Work,
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
    let request = match talk.work.todo.first() {
        _ if !talk.is_proven => place.ask("GET", "appointments").query("length", Part::plain("1")).up_to(LIST_BYTES),
        _ if ground.wish == Wish::Probe => return Step::Done(Registered::default()),
        _ if !talk.work.is_listed => place.ask("GET", "webhooks").query("length", Part::plain("500")).up_to(LIST_BYTES),
        Some(todo) => change(place, todo, ground),
        None => return Step::Done(Registered { hooks: talk.work.hooks, ..Registered::default() }),
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
        Answer::Missing if talk.work.is_listed => None,
        Answer::Missing => {
            let sentence = format!("There is no Easy!Appointments with an API at {}. Check the address.", place.shown());
            return Step::Fail(Verdict::Pause(sentence));
        }
        Answer::Trouble(verdict) => return Step::Fail(verdict),
    };
    match told {
        Some(Value::Array(_)) if !talk.is_proven => talk.is_proven = true,
        Some(Value::Array(rows)) if !talk.work.is_listed => listed(&mut talk.work, &rows, ground),
        answer if talk.work.is_listed => {
            talk.work.changed(TOPIC, answer.map(|made| Told { id: text(&made, "id").unwrap_or_default(), is_active: true }));
        }
        _ => return Step::Fail(Verdict::Refused(format!("{} answered with something else than a list.", place.shown()))),
    }
    ask(place, talk, ground)
}

fn listed(work: &mut Work, rows: &[Value], ground: &Ground) {
    work.is_listed = true;
    let mut is_placed = false;
    for row in rows {
        let Some(id) = text(row, "id").filter(|id| is_number(id)) else { continue };
        let Some(own) = Own::of(ground, &[&id], &text(row, "url").unwrap_or_default()) else { continue };
        let is_whole =
            text(row, "actions").is_some_and(|told| ACTIONS.split(',').all(|action| told.split(',').any(|t| t.trim() == action)));
        let found = if is_whole { own.found(true) } else { Found::Adopted };
        match ground.wish {
            Wish::Remove => work.todo.push(Todo::Drop { id }),
            Wish::Look | Wish::Probe => work.keep(TOPIC, id, true, found),
            Wish::Register if is_placed => work.todo.push(Todo::Drop { id }),
            Wish::Register if found == Found::InPlace => work.keep(TOPIC, id, true, found),
            Wish::Register => work.todo.push(Todo::Renew { id, found }),
        }
        is_placed = true;
    }
    if ground.wish == Wish::Register && !is_placed {
        work.todo.push(Todo::Make { found: Found::Made });
    }
}
