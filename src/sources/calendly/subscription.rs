//! Our webhook subscription at Calendly. One that it has switched off cannot be switched on again: it is made anew.
//! <https://developer.calendly.com/api-docs/c1ddc06ce1f1b-create-webhook-subscription>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::booking::{is_id, short};
use super::{HOOK_SECRET, api, owner, refused};
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps, Verdict};
use crate::domain::time::Time;
use crate::sources::kit::hooks::{Own, Todo, Told, Work};
use crate::sources::kit::text;
use crate::sources::{Found, Ground, Provision, Registered, Wish};
use crate::wire::{Body, Part, Request, Response};

const TOPIC: &str = "bookings";
const EVENTS: [&str; 3] = ["invitee.created", "invitee.canceled", "invitee_no_show.created"];
const LIST_BYTES: usize = 1024 * 1024;
const NO_WEBHOOKS: &str = "Calendly's free plan has no webhooks, so bookings are read once a day. With a paid plan they come at once.";
const ONLY_OWN: &str =
    "The access token is of a member: only their own bookings are told. An owner's or admin's sees the whole organization.";

pub struct Registration;

/// Where the talk stands. It is never stored: a registration that is cut off begins anew.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Talk {
    user: Option<String>,
    organization: Option<String>,
    /// Only the user's own bookings may be heard of.
    is_only_own: bool,
    work: Work,
    has_no_webhooks: bool,
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
    let (Some(user), Some(organization)) = (&talk.user, &talk.organization) else {
        return Step::Ask(Box::new(api("GET", "/users/me")), json!(talk));
    };
    if ground.wish == Wish::Probe {
        return Step::Done(Registered::default());
    }
    let request = match talk.work.todo.first() {
        _ if !talk.work.is_listed => {
            let request = api("GET", "/webhook_subscriptions")
                .query("organization", Part::plain(organization))
                .query("scope", Part::plain(scope(&talk)))
                .query("count", Part::plain("100"));
            if talk.is_only_own { request.query("user", Part::plain(user)) } else { request }.up_to(LIST_BYTES)
        }
        Some(Todo::Drop { id }) => api("DELETE", format!("/webhook_subscriptions/{id}")),
        // One whose key is not ours goes, and another is made.
        Some(Todo::Make { .. } | Todo::Renew { .. }) => make(&talk, user, organization, ground),
        None => return Step::Done(done(talk)),
    };
    Step::Ask(Box::new(request), json!(talk))
}

fn scope(talk: &Talk) -> &'static str {
    if talk.is_only_own { "user" } else { "organization" }
}

fn make(talk: &Talk, user: &str, organization: &str, ground: &Ground) -> Request {
    let mut value = json!({
        "url": ground.hook_url, "events": EVENTS, "organization": organization, "scope": scope(talk), "signing_key": ""
    });
    if talk.is_only_own {
        value["user"] = json!(user);
    }
    let mut request = api("POST", "/webhook_subscriptions");
    request.body = Body::JsonWithSecrets(value, vec![("/signing_key".into(), HOOK_SECRET.into())]);
    request
}

fn take(mut talk: Talk, response: &Response, ground: &Ground) -> Step<Provision> {
    let value = response.json().unwrap_or_default();
    if talk.user.is_none() {
        return match owner(&value).filter(|_| response.is_success()) {
            Some((user, organization)) => {
                (talk.user, talk.organization) = (Some(user), Some(organization));
                ask(talk, ground)
            }
            None if response.is_success() => Step::Fail(Verdict::Refused("Calendly did not say whose the access token is.".into())),
            None => Step::Fail(refused(response)),
        };
    }
    match (response.status, talk.work.is_listed) {
        (200..=299, false) => listed(&mut talk.work, value["collection"].as_array().map(Vec::as_slice).unwrap_or_default(), ground),
        (200..=299, true) => talk.work.changed(TOPIC, Some(told(&value["resource"]))),
        (404, true) => talk.work.changed(TOPIC, None),
        // Only owners and admins may hear of the whole organization.
        (403, _) if !talk.is_only_own && !is_plan(&value) => {
            (talk.is_only_own, talk.work.is_listed) = (true, false);
            talk.work.todo.clear();
        }
        (403, _) => {
            (talk.has_no_webhooks, talk.work.is_listed) = (true, true);
            talk.work.todo.clear();
        }
        _ => return Step::Fail(refused(response)),
    }
    ask(talk, ground)
}

/// `Please upgrade your Calendly account to Standard…`
fn is_plan(value: &Value) -> bool {
    value["message"].as_str().is_some_and(|message| message.to_lowercase().contains("upgrade"))
}

fn told(subscription: &Value) -> Told {
    Told {
        id: text(subscription, "uri").map(|uri| short(&uri)).unwrap_or_default(),
        is_active: text(subscription, "state").is_none_or(|state| state == "active"),
    }
}

fn listed(work: &mut Work, rows: &[Value], ground: &Ground) {
    work.is_listed = true;
    let mut is_placed = false;
    for row in rows {
        let Some(id) = text(row, "uri").map(|uri| short(&uri)).filter(|id| is_id(id)) else { continue };
        let Some(own) = Own::of(ground, &[&id], &text(row, "callback_url").unwrap_or_default()) else { continue };
        let is_active = text(row, "state").as_deref() == Some("active");
        let found = own.found(is_active);
        match ground.wish {
            Wish::Remove => work.todo.push(Todo::Drop { id }),
            Wish::Look | Wish::Probe if is_placed => {}
            Wish::Look | Wish::Probe => work.keep(TOPIC, id, is_active, found),
            Wish::Register if found == Found::InPlace && !is_placed => work.keep(TOPIC, id, is_active, found),
            Wish::Register => {
                // Its key is not known to us, or it is off for good.
                work.todo.push(Todo::Drop { id });
                if !is_placed {
                    work.todo.push(Todo::Make { found });
                }
            }
        }
        is_placed = true;
    }
    if ground.wish == Wish::Register && !is_placed {
        work.todo.push(Todo::Make { found: Found::Made });
    }
    // Two with one address are refused: old ones go first.
    work.todo.sort_by_key(|todo| matches!(todo, Todo::Make { .. }));
}

fn done(talk: Talk) -> Registered {
    let mut notes = Vec::new();
    if talk.has_no_webhooks {
        notes.push(NO_WEBHOOKS.to_owned());
    } else if talk.is_only_own {
        notes.push(ONLY_OWN.to_owned());
    }
    Registered { hooks: talk.work.hooks, notes, ..Registered::default() }
}
