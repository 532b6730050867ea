//! The page subscribed to the owner's app, so that Meta calls when a lead comes. The address itself is entered in the app by hand.
//! <https://developers.facebook.com/docs/graph-api/reference/page/subscribed_apps>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::graph::{self, Answer};
use super::is_number;
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps, Verdict};
use crate::domain::time::Time;
use crate::sources::kit::text;
use crate::sources::{Found, Ground, Hook, Provision, Registered, Wish};
use crate::wire::{Part, Request, Response};

const TOPIC: &str = "leadgen";
const BY_HAND: &str = "Enter the address of this connection in your app at Meta under Webhooks › Page, with your verify token, and subscribe to leadgen there.";

pub struct Registration;

/// Where the talk stands. It is never stored: a registration that is cut off begins anew.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Talk {
    page: Option<String>,
    app: Option<String>,
    /// What the page tells the app already.
    fields: Option<Vec<String>>,
    is_done: bool,
    hooks: Vec<Hook>,
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
    let Some(page) = &talk.page else {
        let request = graph::ask("GET", "me").query("fields", Part::plain("id,name"));
        return Step::Ask(Box::new(request), json!(talk));
    };
    if talk.app.is_none() {
        return Step::Ask(Box::new(graph::ask("GET", "app")), json!(talk));
    }
    if talk.is_done {
        return Step::Done(Registered { hooks: talk.hooks, notes: vec![BY_HAND.into()], ..Registered::default() });
    }
    let request = match (&talk.fields, ground.wish) {
        // Reading its forms is what the token must be able to do.
        (_, Wish::Probe) => {
            graph::ask("GET", &format!("{page}/leadgen_forms")).query("fields", Part::plain("id")).query("limit", Part::plain("1"))
        }
        (None, _) => graph::ask("GET", &format!("{page}/subscribed_apps")).query("fields", Part::plain("id,subscribed_fields")),
        (Some(fields), wish) => change(page, fields, wish),
    };
    Step::Ask(Box::new(request), json!(talk))
}

/// The list of fields is given whole: what the page tells the app for other purposes stays.
fn change(page: &str, fields: &[String], wish: Wish) -> Request {
    let others = fields.iter().filter(|field| *field != TOPIC).cloned();
    let wanted: Vec<String> = if wish == Wish::Remove { others.collect() } else { others.chain([TOPIC.to_owned()]).collect() };
    let path = format!("{page}/subscribed_apps");
    if wanted.is_empty() {
        return graph::ask("DELETE", &path);
    }
    graph::ask("POST", &path).query("subscribed_fields", Part::plain(wanted.join(",")))
}

fn take(mut talk: Talk, response: &Response, ground: &Ground) -> Step<Provision> {
    let value = match graph::read(response) {
        Answer::Json(value) => value,
        Answer::Missing => {
            let sentence = "The token is none of a page, or sees nothing of it. Generate a token of the page itself.";
            return Step::Fail(Verdict::Pause(sentence.into()));
        }
        Answer::Trouble(verdict) => return Step::Fail(verdict),
    };
    if talk.page.is_none() {
        talk.page = text(&value, "id").filter(|id| is_number(id));
        if talk.page.is_none() {
            return Step::Fail(Verdict::Refused("Meta did not say whose the token is.".into()));
        }
        return ask(talk, ground);
    }
    if talk.app.is_none() {
        talk.app = text(&value, "id").filter(|id| is_number(id)).or(Some("app".into()));
        return ask(talk, ground);
    }
    if ground.wish == Wish::Probe {
        return Step::Done(Registered::default());
    }
    match talk.fields.is_none() {
        true => listed(&mut talk, &value, ground),
        false => {
            talk.is_done = true;
            if ground.wish == Wish::Register {
                talk.hooks = vec![hook(&talk, Found::Made)];
            }
        }
    }
    ask(talk, ground)
}

fn listed(talk: &mut Talk, value: &Value, ground: &Ground) {
    let own = value["data"].as_array().into_iter().flatten().find(|row| text(row, "id") == talk.app);
    let fields: Vec<String> = own
        .and_then(|row| row["subscribed_fields"].as_array())
        .into_iter()
        .flatten()
        .filter_map(|field| field.as_str().map(str::to_owned))
        .collect();
    let is_there = fields.iter().any(|field| field == TOPIC);
    talk.fields = Some(fields);
    match ground.wish {
        Wish::Remove => talk.is_done = !is_there,
        Wish::Register | Wish::Look | Wish::Probe => {
            talk.is_done = is_there || ground.wish == Wish::Look;
            if is_there {
                talk.hooks = vec![hook(talk, Found::InPlace)];
            }
        }
    }
}

fn hook(talk: &Talk, found: Found) -> Hook {
    Hook { topic: TOPIC.into(), id: talk.app.clone().unwrap_or_default(), is_active: true, found }
}
