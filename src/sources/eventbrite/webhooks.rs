//! Our webhook at Eventbrite: one for everything that we want to hear of the whole organization.
//! <https://www.eventbrite.com/platform/api#/reference/webhooks>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Answer, api, is_id, no_organization, organization, read};
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps, Verdict};
use crate::domain::time::Time;
use crate::sources::kit::text;
use crate::sources::{Found, Ground, Hook, Provision, Registered, Wish};
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
    is_listed: bool,
    todo: Vec<Todo>,
    hooks: Vec<Hook>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Todo {
    Make { found: Found },
    Drop { id: String },
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
    let request: Request = match talk.todo.first() {
        _ if !talk.is_proven => api("GET", &format!("organizations/{organization}/orders")).up_to(LIST_BYTES),
        _ if ground.wish == Wish::Probe => return Step::Done(Registered::default()),
        _ if !talk.is_listed => api("GET", &format!("organizations/{organization}/webhooks")).up_to(LIST_BYTES),
        Some(Todo::Make { .. }) => api("POST", &format!("organizations/{organization}/webhooks"))
            .json(json!({"endpoint_url": ground.hook_url, "actions": ACTIONS.join(","), "event_id": ""})),
        Some(Todo::Drop { id }) => api("DELETE", &format!("webhooks/{id}")),
        None => return Step::Done(Registered { hooks: talk.hooks, ..Registered::default() }),
    };
    Step::Ask(Box::new(request), json!(talk))
}

fn take(organization: &str, mut talk: Talk, response: &Response, ground: &Ground) -> Step<Provision> {
    let told = match read(response) {
        Answer::Json(told) => Some(told),
        Answer::Missing if talk.is_listed => None,
        Answer::Missing => return Step::Fail(no_organization()),
        Answer::Anew => return Step::Fail(Verdict::Refused("Eventbrite refuses the question.".into())),
        Answer::Trouble(verdict) => return Step::Fail(verdict),
    };
    match told {
        Some(_) if !talk.is_proven => talk.is_proven = true,
        Some(page) if !talk.is_listed => {
            talk.is_listed = true;
            listed(&mut talk, page["webhooks"].as_array().map(Vec::as_slice).unwrap_or_default(), ground);
        }
        answer => changed(&mut talk, answer.as_ref()),
    }
    ask(organization, talk, ground)
}

fn listed(talk: &mut Talk, rows: &[Value], ground: &Ground) {
    let mut is_placed = false;
    for row in rows {
        let (Some(id), url) = (text(row, "id").filter(|id| is_id(id)), text(row, "endpoint_url").unwrap_or_default()) else { continue };
        let is_here = url == ground.hook_url;
        let is_known = ground.known.iter().any(|(_, known)| *known == id);
        let is_kept = !ground.kept_url.is_empty() && url.starts_with(&ground.kept_url);
        if !is_here && !is_known && !is_kept {
            continue;
        }
        let told: Vec<&str> = row["actions"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let is_whole = ACTIONS.iter().all(|action| told.contains(action));
        let found = if is_here && is_known { Found::InPlace } else { Found::Adopted };
        let place = Hook { topic: TOPIC.into(), id: id.clone(), is_active: true, found };
        match ground.wish {
            Wish::Remove => talk.todo.push(Todo::Drop { id }),
            Wish::Look | Wish::Probe => talk.hooks.push(place),
            Wish::Register if is_here && is_whole && !is_placed => {
                talk.hooks.push(place);
                is_placed = true;
            }
            // It cannot be changed: one that points elsewhere or hears too little goes.
            Wish::Register => talk.todo.push(Todo::Drop { id }),
        }
    }
    if ground.wish == Wish::Register && !is_placed {
        let found = if talk.todo.is_empty() { Found::Made } else { Found::Adopted };
        talk.todo.push(Todo::Make { found });
    }
}

/// One change was answered; none is an answer that it is not there.
fn changed(talk: &mut Talk, answer: Option<&Value>) {
    if talk.todo.is_empty() {
        return;
    }
    if let (Todo::Make { found }, Some(made)) = (talk.todo.remove(0), answer) {
        talk.hooks.push(Hook { topic: TOPIC.into(), id: text(made, "id").unwrap_or_default(), is_active: true, found });
    }
}
