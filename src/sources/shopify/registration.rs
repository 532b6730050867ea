//! Putting our hooks into the shop: the credentials are tried by a read call, each topic gets one subscription that calls
//! our address, and what Shopify took away is put back. Subscriptions are signed with the app's own secret; a hook that
//! an app did not make itself is not shown to it, and stays.
//! <https://shopify.dev/docs/api/admin-graphql/latest/mutations/webhookSubscriptionCreate>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::graphql::{self, Trouble, user_error};
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps, Verdict};
use crate::domain::time::Time;
use crate::sources::kit::text;
use crate::sources::{Found, Ground, Hook, Provision, Registered, Wish};
use crate::wire::{Request, Response};

const SHOP: &str = include_str!("shop.graphql");
const HOOKS: &str = include_str!("hooks.graphql");
const CREATE: &str = include_str!("hook_create.graphql");
const UPDATE: &str = include_str!("hook_update.graphql");
const DELETE: &str = include_str!("hook_delete.graphql");

/// Name in GraphQL, and as the header of a delivery writes it. That of a new order is first.
const TOPICS: &[(&str, &str)] = &[
    ("ORDERS_CREATE", "orders/create"),
    ("ORDERS_UPDATED", "orders/updated"),
    ("ORDERS_PAID", "orders/paid"),
    ("ORDERS_CANCELLED", "orders/cancelled"),
    ("REFUNDS_CREATE", "refunds/create"),
    ("APP_UNINSTALLED", "app/uninstalled"),
];

const NO_LIVE_UPDATES: &str =
    "The shop is read once an hour. Live updates need the app's client secret, by which each of them is checked: enter it here.";

pub struct Hooks;

/// A subscription as the shop lists it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Seen {
    id: String,
    topic: String,
    uri: String,
}

/// What is still to be done, the next first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Task {
    Create {
        topic: String,
    },
    /// Lets it call our present address.
    Move {
        topic: String,
        id: String,
    },
    /// One too many, or one that is to go.
    Delete {
        id: String,
    },
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Talk {
    /// What was asked last: `shop`, `hooks`, `task`.
    asked: String,
    after: Option<String>,
    seen: Vec<Seen>,
    tasks: Vec<Task>,
    hooks: Vec<Hook>,
    notes: Vec<String>,
    learned: BTreeMap<String, String>,
}

impl Steps<Provision> for Hooks {
    fn step(&self, state: State, got: Option<&Response>, settings: &Settings, ground: &Ground, _now: Time) -> Step<Provision> {
        let mut talk: Talk = serde_json::from_value(state).unwrap_or_default();
        let Some(response) = got else { return ask(talk, settings, ground) };
        let wanted = match talk.asked.as_str() {
            "shop" => "shop",
            "hooks" => "webhookSubscriptions",
            _ => talk.tasks.first().map_or("", Task::answer),
        };
        let told = match graphql::read(response, wanted, &graphql::shop_name(settings)) {
            Ok(told) => told,
            Err(Trouble::Throttled(ms)) => return Step::Wait(ms, json!(talk)),
            Err(Trouble::TooMuch) => return Step::Fail(graphql::too_much()),
            Err(Trouble::Final(verdict)) => return Step::Fail(verdict),
        };
        let heard = match talk.asked.as_str() {
            "shop" => talk.heard_of_shop(&told.data),
            "hooks" => {
                talk.heard_of_hooks(&told.data["webhookSubscriptions"], ground);
                Ok(())
            }
            _ => talk.heard_of_task(&told.data[wanted], ground),
        };
        match heard {
            Ok(()) => ask(talk, settings, ground),
            Err(verdict) => Step::Fail(verdict),
        }
    }
}

/// The next question, or the end.
fn ask(mut talk: Talk, settings: &Settings, ground: &Ground) -> Step<Provision> {
    let (word, query, variables) = match talk.asked.as_str() {
        "" if ground.wish != Wish::Remove => ("shop", SHOP, json!({})),
        "shop" if ground.wish == Wish::Probe => return talk.end(),
        // What cannot be checked would have to be refused, and Shopify deletes a hook that is refused eight times.
        "shop" if !ground.secrets.iter().any(|key| key == "client_secret") => {
            talk.notes.push(NO_LIVE_UPDATES.into());
            return talk.end();
        }
        "" | "shop" => ("hooks", HOOKS, json!({"after": null})),
        "hooks" if talk.after.is_some() => ("hooks", HOOKS, json!({"after": talk.after})),
        _ => match talk.tasks.first() {
            Some(task) => {
                let (query, variables) = task.question(ground);
                ("task", query, variables)
            }
            None => return talk.end(),
        },
    };
    let request: Option<Request> = graphql::ask(settings, query, variables);
    let Some(request) = request else { return Step::Fail(graphql::no_shop()) };
    talk.asked = word.into();
    Step::Ask(Box::new(request), json!(talk))
}

impl Talk {
    /// The read call that proves the credentials: who the shop is, and what the app may see of it.
    fn heard_of_shop(&mut self, data: &Value) -> Result<(), Verdict> {
        let shop = &data["shop"];
        for (key, name) in [("currency", "currencyCode"), ("zone", "ianaTimezone"), ("shop_name", "name")] {
            if let Some(value) = text(shop, name) {
                self.learned.insert(key.into(), value);
            }
        }
        let scopes: Vec<&str> = data["currentAppInstallation"]["accessScopes"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|scope| scope["handle"].as_str())
            .collect();
        // A scope to write holds that to read.
        let may = |what: &str| scopes.iter().any(|s| *s == format!("read_{what}") || *s == format!("write_{what}"));
        if scopes.is_empty() {
            return Ok(());
        }
        if !may("orders") {
            return Err(Verdict::Pause(
                "The app lacks the scope read_orders. Add read_orders and read_customers to it in the Dev Dashboard, install it again, then resume the connection.".into(),
            ));
        }
        if !may("customers") {
            self.notes.push(
                "The app lacks the scope read_customers: orders come without their customer's number, and fewer of them match a visit. Add the scope and install the app again.".into(),
            );
        }
        if !may("all_orders") {
            self.notes.push(
                "Shopify shows this app only the orders of the last 60 days. For older ones, request the scope read_all_orders in the Dev Dashboard.".into(),
            );
        }
        Ok(())
    }

    fn heard_of_hooks(&mut self, list: &Value, ground: &Ground) {
        for node in list["nodes"].as_array().into_iter().flatten() {
            if let (Some(id), Some(topic), Some(uri)) = (text(node, "id"), text(node, "topic"), text(node, "uri")) {
                self.seen.push(Seen { id, topic, uri });
            }
        }
        let cursor = list["pageInfo"]["endCursor"].as_str().filter(|_| list["pageInfo"]["hasNextPage"] == true);
        let next = cursor.filter(|c| self.after.as_deref() != Some(*c)).map(str::to_owned);
        self.after = next;
        if self.after.is_none() {
            self.plan(ground);
        }
    }

    /// What has to be done so that the shop's list is as we wish.
    fn plan(&mut self, ground: &Ground) {
        let seen = std::mem::take(&mut self.seen);
        let is_known = |s: &Seen| ground.known.iter().any(|(_, id)| *id == s.id);
        let is_kept = |s: &Seen| !ground.kept_url.is_empty() && s.uri.starts_with(&ground.kept_url);
        let is_ours = |s: &Seen| s.uri == ground.hook_url || is_kept(s) || is_known(s);
        if ground.wish == Wish::Remove {
            self.tasks = seen.iter().filter(|s| is_ours(s)).map(|s| Task::Delete { id: s.id.clone() }).collect();
            return;
        }
        for (topic, shown) in TOPICS {
            let mut ours: Vec<&Seen> = seen.iter().filter(|s| s.topic == *topic && is_ours(s)).collect();
            // One that is right already stays rather than one that would have to be moved.
            ours.sort_by_key(|s| s.uri != ground.hook_url);
            let hook = |id: &str, found| Hook { topic: (*shown).into(), id: id.into(), is_active: true, found };
            match ours.split_first() {
                Some((first, others)) => {
                    let is_right = first.uri == ground.hook_url;
                    self.hooks.push(hook(&first.id, if is_right { Found::InPlace } else { Found::Adopted }));
                    if ground.wish == Wish::Register {
                        if !is_right {
                            self.tasks.push(Task::Move { topic: (*topic).into(), id: first.id.clone() });
                        }
                        self.tasks.extend(others.iter().map(|s| Task::Delete { id: s.id.clone() }));
                    }
                }
                None if ground.wish == Wish::Register => self.tasks.push(Task::Create { topic: (*topic).into() }),
                None => {}
            }
        }
    }

    fn heard_of_task(&mut self, payload: &Value, ground: &Ground) -> Result<(), Verdict> {
        if self.tasks.is_empty() {
            return Ok(());
        }
        let task = self.tasks.remove(0);
        let said = user_error(payload);
        match (task, said) {
            (Task::Create { topic }, None) => {
                let id = text(&payload["webhookSubscription"], "id").unwrap_or_default();
                self.made(&topic, id);
                Ok(())
            }
            // Somebody was quicker, or it went to an address of ours that the list showed late: it is there.
            (Task::Create { topic }, Some(said)) if said.contains("already been taken") => {
                let known = ground.known.iter().find(|(known, _)| *known == shown(&topic)).map(|(_, id)| id.clone());
                self.made(&topic, known.unwrap_or_default());
                Ok(())
            }
            (Task::Move { topic, id }, Some(said)) if is_gone(&said) => {
                self.hooks.retain(|h| h.id != id);
                self.tasks.insert(0, Task::Create { topic });
                Ok(())
            }
            (Task::Create { topic } | Task::Move { topic, .. }, Some(said)) => Err(Verdict::Pause(format!(
                "Shopify does not take {} as the address for {}: {said}. Live updates need an address that begins with https:// and can be reached from the internet (public_url).",
                ground.hook_url,
                shown(&topic),
            ))),
            // Gone already, or one too many that stays: neither is in the way.
            (Task::Move { .. } | Task::Delete { .. }, _) => Ok(()),
        }
    }

    fn made(&mut self, topic: &str, id: String) {
        self.hooks.push(Hook { topic: shown(topic), id, is_active: true, found: Found::Made });
    }

    fn end(mut self) -> Step<Provision> {
        let place = |hook: &Hook| TOPICS.iter().position(|(_, shown)| *shown == hook.topic);
        self.hooks.sort_by_key(place);
        Step::Done(Registered { hooks: self.hooks, notes: self.notes, learned: self.learned, secrets: Vec::new() })
    }
}

impl Task {
    fn question(&self, ground: &Ground) -> (&'static str, Value) {
        let hook = json!({"uri": ground.hook_url, "format": "JSON"});
        match self {
            Task::Create { topic } => (CREATE, json!({"topic": topic, "hook": hook})),
            Task::Move { id, .. } => (UPDATE, json!({"id": id, "hook": hook})),
            Task::Delete { id } => (DELETE, json!({"id": id})),
        }
    }

    fn answer(&self) -> &'static str {
        match self {
            Task::Create { .. } => "webhookSubscriptionCreate",
            Task::Move { .. } => "webhookSubscriptionUpdate",
            Task::Delete { .. } => "webhookSubscriptionDelete",
        }
    }
}

/// The topic as the header of a delivery writes it.
fn shown(topic: &str) -> String {
    TOPICS.iter().find(|(name, _)| *name == topic).map_or(topic, |(_, shown)| shown).to_owned()
}

fn is_gone(said: &str) -> bool {
    let said = said.to_lowercase();
    said.contains("not exist") || said.contains("not found") || said.contains("could not find")
}
