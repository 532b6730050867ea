//! Our webhook at Eventbrite: one for everything that we want to hear of the whole organization.
//! <https://www.eventbrite.com/platform/api#/reference/webhooks>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Answer, api, is_id, no_organization, organization, read};
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps, Verdict};
use crate::domain::time::Time;
use crate::sources::kit::hooks::{Own, Todo, Told, Work};
use crate::sources::kit::text;
use crate::sources::{Found, Ground, Provision, Registered, Wish};
use crate::wire::{Request, Response};

const TOPIC: &str = "tickets";
const ACTIONS: [&str; 5] = ["order.placed", "order.refunded", "order.updated", "attendee.updated", "attendee.checked_in"];
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
        let organization = match organization(settings) {
            Ok(id) => id,
            Err(verdict) => return Step::Fail(verdict),
        };
        let talk: Talk = serde_json::from_value(state).unwrap_or_default();
        match got {
            Some(response) => take(organization, talk, response, ground),
            None => ask(organization, talk, ground),
        }
    }
}

fn ask(organization: &str, talk: Talk, ground: &Ground) -> Step<Provision> {
    let request: Request = match talk.work.todo.first() {
        _ if !talk.is_proven => api("GET", &format!("organizations/{organization}/orders")).up_to(LIST_BYTES),
        _ if ground.wish == Wish::Probe => return Step::Done(Registered::default()),
        _ if !talk.work.is_listed => api("GET", &format!("organizations/{organization}/webhooks")).up_to(LIST_BYTES),
        // It cannot be changed: one that is not right goes, and another is made.
        Some(Todo::Make { .. } | Todo::Renew { .. }) => api("POST", &format!("organizations/{organization}/webhooks"))
            .json(json!({"endpoint_url": ground.hook_url, "actions": ACTIONS.join(","), "event_id": ""})),
        Some(Todo::Drop { id }) => api("DELETE", &format!("webhooks/{id}")),
        None => return Step::Done(Registered { hooks: talk.work.hooks, ..Registered::default() }),
    };
    Step::Ask(Box::new(request), json!(talk))
}

fn take(organization: &str, mut talk: Talk, response: &Response, ground: &Ground) -> Step<Provision> {
    let told = match read(response) {
        Answer::Json(told) => Some(told),
        Answer::Missing if talk.work.is_listed => None,
        Answer::Missing => return Step::Fail(no_organization()),
        Answer::Anew => return Step::Fail(Verdict::Refused("Eventbrite refuses the question.".into())),
        Answer::Trouble(verdict) => return Step::Fail(verdict),
    };
    match told {
        Some(_) if !talk.is_proven => talk.is_proven = true,
        Some(page) if !talk.work.is_listed => {
            listed(&mut talk.work, page["webhooks"].as_array().map(Vec::as_slice).unwrap_or_default(), ground);
        }
        answer => talk.work.changed(TOPIC, answer.map(|made| Told { id: text(&made, "id").unwrap_or_default(), is_active: true })),
    }
    ask(organization, talk, ground)
}

fn listed(work: &mut Work, rows: &[Value], ground: &Ground) {
    work.is_listed = true;
    let mut is_placed = false;
    for row in rows {
        let Some(id) = text(row, "id").filter(|id| is_id(id)) else { continue };
        let Some(own) = Own::of(ground, &[&id], &text(row, "endpoint_url").unwrap_or_default()) else { continue };
        let told: Vec<&str> = row["actions"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let is_whole = ACTIONS.iter().all(|action| told.contains(action));
        match ground.wish {
            Wish::Remove => work.todo.push(Todo::Drop { id }),
            Wish::Look | Wish::Probe => work.keep(TOPIC, id, true, own.found(true)),
            Wish::Register if own.is_here && is_whole && !is_placed => {
                work.keep(TOPIC, id, true, own.found(true));
                is_placed = true;
            }
            // One that points elsewhere or hears too little.
            Wish::Register => work.todo.push(Todo::Drop { id }),
        }
    }
    if ground.wish == Wish::Register && !is_placed {
        let found = if work.todo.is_empty() { Found::Made } else { Found::Adopted };
        work.todo.push(Todo::Make { found });
    }
}
