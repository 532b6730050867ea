//! Our webhooks in the shop: proved, found, adopted, made, put back, taken away.
//! <https://woocommerce.github.io/woocommerce-rest-api-docs/#webhooks>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::HOOK_SECRET;
use super::answer::{self, Doing, Reading};
use super::shop::{Shop, Way};
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps, Verdict};
use crate::domain::time::Time;
use crate::sources::kit;
use crate::sources::{Found, Ground, Hook, Provision, Registered, Wish};
use crate::wire::{Body, Request, Response};

/// One webhook each; that of a new order first.
const TOPICS: [&str; 3] = ["order.created", "order.updated", "order.deleted"];
const PER_PAGE: usize = 100;
const LIST_BYTES: usize = 1024 * 1024;
const MOST_WAITS: u32 = 5;
const READ_ONLY: &str = "The consumer key may only read, so the shop cannot tell of an order at once: its orders are read every 15 minutes. \
                         For live orders give the key Read/Write permissions in WooCommerce › Settings › Advanced › REST API.";

pub struct Registration;

/// Where the talk stands.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Talk {
    way: Way,
    stage: Stage,
    page: u32,
    /// Hooks of the shop that are ours.
    seen: Vec<Seen>,
    todo: Vec<Todo>,
    hooks: Vec<Hook>,
    is_read_only: bool,
    waits: u32,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    /// A read call, which proves address and key.
    #[default]
    Prove,
    List,
    Change,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Seen {
    id: String,
    topic: String,
    status: String,
    /// It points to our present address.
    is_here: bool,
    /// It holds our present address and secret, as far as we remember.
    is_known: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Todo {
    Make { topic: String, found: Found },
    Renew { id: String, topic: String, found: Found },
    Drop { id: String },
}

impl Steps<Provision> for Registration {
    fn step(&self, state: State, got: Option<&Response>, settings: &Settings, ground: &Ground, now: Time) -> Step<Provision> {
        let Some(shop) = Shop::of(settings) else {
            return Step::Fail(Verdict::Pause("Enter the address of the shop.".into()));
        };
        let talk = serde_json::from_value(state).unwrap_or_else(|_| Talk { way: shop.way(), ..Talk::default() });
        match got {
            Some(response) => take(&shop, talk, response, ground, now),
            None => ask(&shop, talk, ground, now),
        }
    }
}

fn ask(shop: &Shop, talk: Talk, ground: &Ground, now: Time) -> Step<Provision> {
    let request = match talk.stage {
        Stage::Prove => {
            let query = [("per_page", "1".to_owned()), ("_fields", "id".to_owned())];
            shop.ask(talk.way, "GET", "orders", &query, now)
        }
        Stage::List => {
            let query = [("per_page", PER_PAGE.to_string()), ("page", talk.page.max(1).to_string()), ("status", "all".to_owned())];
            shop.ask(talk.way, "GET", "webhooks", &query, now).up_to(LIST_BYTES)
        }
        Stage::Change => match talk.todo.first() {
            Some(todo) => change(shop, talk.way, todo, ground, now),
            None => return Step::Done(done(talk)),
        },
    };
    Step::Ask(Box::new(request), json!(talk))
}

fn change(shop: &Shop, way: Way, todo: &Todo, ground: &Ground, now: Time) -> Request {
    let hook = |topic: &str| {
        let value = json!({
            "name": format!("HaloTrack {topic}"), "topic": topic, "delivery_url": ground.hook_url, "status": "active", "secret": ""
        });
        Body::JsonWithSecrets(value, vec![("/secret".into(), HOOK_SECRET.into())])
    };
    let (method, route, body) = match todo {
        Todo::Make { topic, .. } => ("POST", "webhooks".to_owned(), hook(topic)),
        Todo::Renew { id, topic, .. } => ("PUT", format!("webhooks/{id}"), hook(topic)),
        Todo::Drop { id } => ("DELETE", format!("webhooks/{id}"), Body::Empty),
    };
    // Without force the shop answers 501: webhooks have no bin.
    let query: &[(&str, String)] = if matches!(todo, Todo::Drop { .. }) { &[("force", "true".to_owned())] } else { &[] };
    let mut request = shop.ask(way, method, &route, query, now);
    request.body = body;
    request
}

fn take(shop: &Shop, mut talk: Talk, response: &Response, ground: &Ground, now: Time) -> Step<Provision> {
    let (doing, most) = match talk.stage {
        Stage::Prove => (Doing::Proving, 64 * 1024),
        Stage::List => (Doing::Proving, LIST_BYTES),
        Stage::Change => (Doing::Writing, 64 * 1024),
    };
    match answer::read(response, shop, talk.way, doing, most) {
        Reading::Json(value) => {
            talk.waits = 0;
            match (talk.stage, value) {
                (Stage::Prove, Value::Array(_)) if ground.wish == Wish::Probe => return Step::Done(Registered::default()),
                (Stage::Prove, Value::Array(_)) => talk.stage = Stage::List,
                (Stage::List, Value::Array(rows)) => listed(&mut talk, &rows, ground),
                (Stage::Change, value) => changed(&mut talk, Some(&value)),
                _ => return Step::Fail(Verdict::Pause(format!("There is no WooCommerce shop at {}. Check the address.", shop.shown()))),
            }
        }
        Reading::Missing if talk.stage == Stage::Change => changed(&mut talk, None),
        Reading::Otherwise(way) => talk.way = way,
        Reading::ReadOnly => {
            talk.is_read_only = true;
            talk.todo.clear();
        }
        Reading::Trouble(Verdict::Retry { after_ms: Some(ms), .. }) if talk.waits < MOST_WAITS => {
            talk.waits += 1;
            return Step::Wait(ms, json!(talk));
        }
        Reading::Trouble(verdict) => return Step::Fail(verdict),
        Reading::Missing | Reading::Cut => {
            let sentence = format!("{} answered with something else than its webhooks.", shop.shown());
            return Step::Fail(Verdict::Retry { after_ms: None, sentence });
        }
    }
    ask(shop, talk, ground, now)
}

/// A page of the shop's webhooks; behind the last one it is decided what to do.
fn listed(talk: &mut Talk, rows: &[Value], ground: &Ground) {
    talk.seen.extend(rows.iter().filter_map(|row| seen(row, ground)));
    if rows.len() >= PER_PAGE {
        talk.page = talk.page.max(1) + 1;
        return;
    }
    talk.stage = Stage::Change;
    match ground.wish {
        Wish::Register => TOPICS.iter().for_each(|topic| settle(talk, topic)),
        Wish::Remove => talk.todo = talk.seen.iter().map(|s| Todo::Drop { id: s.id.clone() }).collect(),
        Wish::Look | Wish::Probe => TOPICS.iter().for_each(|topic| look(talk, topic)),
    }
}

/// A webhook that points to us, to a path of before, or that we made under another address.
fn seen(row: &Value, ground: &Ground) -> Option<Seen> {
    let (id, topic, url) = (kit::text(row, "id")?, kit::text(row, "topic")?, kit::text(row, "delivery_url")?);
    let is_here = url == ground.hook_url;
    let is_named = ground.known.iter().any(|(known, number)| *number == id && *known == topic);
    let is_kept = !ground.kept_url.is_empty()
        && url
            .strip_prefix(&ground.kept_url)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']) || ground.kept_url.ends_with('/'));
    (is_here || is_named || is_kept).then(|| Seen {
        status: kit::text(row, "status").unwrap_or_default(),
        is_known: is_here && is_named,
        is_here,
        id,
        topic,
    })
}

/// Ours of a topic, the best first.
fn of_topic(talk: &Talk, topic: &str) -> Vec<Seen> {
    let mut ours: Vec<Seen> = talk.seen.iter().filter(|s| s.topic == topic).cloned().collect();
    ours.sort_by_key(|s| (!s.is_known, !s.is_here, s.status != "active"));
    ours
}

/// Every topic once, active, with our address and secret.
fn settle(talk: &mut Talk, topic: &str) {
    let ours = of_topic(talk, topic);
    let topic = topic.to_owned();
    let Some((best, others)) = ours.split_first() else {
        talk.todo.push(Todo::Make { topic, found: Found::Made });
        return;
    };
    match (best.is_known, best.status.as_str()) {
        (true, "active") => talk.hooks.push(hook(best, Found::InPlace)),
        // The shop keeps its count of failures when a webhook is switched on again: one more would end it. A new one
        // begins at zero.
        (_, "disabled") => {
            talk.todo.push(Todo::Drop { id: best.id.clone() });
            talk.todo.push(Todo::Make { topic, found: Found::SwitchedOff });
        }
        (_, "active") => talk.todo.push(Todo::Renew { id: best.id.clone(), topic, found: Found::Adopted }),
        _ => talk.todo.push(Todo::Renew { id: best.id.clone(), topic, found: Found::SwitchedOff }),
    }
    talk.todo.extend(others.iter().map(|other| Todo::Drop { id: other.id.clone() }));
}

fn look(talk: &mut Talk, topic: &str) {
    let Some(best) = of_topic(talk, topic).into_iter().next() else { return };
    let found = match (best.is_here, best.status.as_str()) {
        (_, status) if status != "active" => Found::SwitchedOff,
        (true, _) => Found::InPlace,
        (false, _) => Found::Adopted,
    };
    talk.hooks.push(hook(&best, found));
}

fn hook(seen: &Seen, found: Found) -> Hook {
    Hook { topic: seen.topic.clone(), id: seen.id.clone(), is_active: seen.status == "active", found }
}

/// One change was answered; none is an answer that it is not there.
fn changed(talk: &mut Talk, answer: Option<&Value>) {
    if talk.todo.is_empty() {
        return;
    }
    match (talk.todo.remove(0), answer) {
        (Todo::Make { topic, found } | Todo::Renew { topic, found, .. }, Some(answer)) => {
            let is_active = kit::text(answer, "status").is_none_or(|status| status == "active");
            talk.hooks.push(Hook { topic, id: kit::text(answer, "id").unwrap_or_default(), is_active, found });
        }
        // It was taken away between the list and now.
        (Todo::Renew { topic, .. }, None) => talk.todo.insert(0, Todo::Make { topic, found: Found::Made }),
        (Todo::Make { .. } | Todo::Drop { .. }, _) => {}
    }
}

fn done(mut talk: Talk) -> Registered {
    talk.hooks.sort_by_key(|h| TOPICS.iter().position(|t| *t == h.topic));
    let notes = if talk.is_read_only { vec![READ_ONLY.to_owned()] } else { Vec::new() };
    Registered { hooks: talk.hooks, notes, ..Registered::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ground(wish: Wish, known: &[(&str, &str)]) -> Ground {
        Ground {
            wish,
            hook_url: "https://stats.example/in/woocommerce/T".into(),
            kept_url: "https://stats.example/api/webhooks/woocommerce".into(),
            known: known.iter().map(|(topic, id)| (topic.to_string(), id.to_string())).collect(),
            secrets: Vec::new(),
        }
    }

    fn row(id: i64, topic: &str, status: &str, url: &str) -> Value {
        json!({"id": id, "topic": topic, "status": status, "delivery_url": url})
    }

    fn planned(rows: &[Value], known: &[(&str, &str)]) -> (Vec<Todo>, Vec<(String, Found)>) {
        let mut talk = Talk { stage: Stage::List, ..Talk::default() };
        listed(&mut talk, rows, &ground(Wish::Register, known));
        (talk.todo, talk.hooks.into_iter().map(|h| (h.id, h.found)).collect())
    }

    const HERE: &str = "https://stats.example/in/woocommerce/T";
    const KEPT: &str = "https://stats.example/api/webhooks/woocommerce/order-created";

    fn make(topic: &str, found: Found) -> Todo {
        Todo::Make { topic: topic.into(), found }
    }

    #[test]
    fn a_repeat_changes_nothing() {
        let rows: Vec<Value> = TOPICS.iter().zip(1..).map(|(topic, id)| row(id, topic, "active", HERE)).collect();
        let known = [("order.created", "1"), ("order.updated", "2"), ("order.deleted", "3")];
        let (todo, hooks) = planned(&rows, &known);
        assert!(todo.is_empty(), "{todo:?}");
        assert_eq!(hooks.len(), 3);
    }

    #[test]
    fn what_is_missing_is_made_and_what_is_others_stays() {
        let rows = [
            row(1, "order.created", "active", "https://other.example/hook"),
            row(2, "customer.created", "active", HERE),
            row(3, "order.created", "active", "https://stats.example/api/webhooks/woocommerce-other"),
        ];
        let (todo, _) = planned(&rows, &[]);
        assert_eq!(todo, TOPICS.map(|t| make(t, Found::Made)));
    }

    #[test]
    fn hooks_of_before_are_adopted_and_doubles_dropped() {
        let rows = [
            row(1, "order.created", "active", KEPT),
            row(2, "order.created", "active", HERE),
            row(3, "order.updated", "paused", HERE),
            row(4, "order.deleted", "disabled", HERE),
        ];
        let (todo, hooks) = planned(&rows, &[("order.updated", "3"), ("order.deleted", "4")]);
        assert_eq!(
            todo,
            [
                Todo::Renew { id: "2".into(), topic: "order.created".into(), found: Found::Adopted },
                Todo::Drop { id: "1".into() },
                Todo::Renew { id: "3".into(), topic: "order.updated".into(), found: Found::SwitchedOff },
                Todo::Drop { id: "4".into() },
                make("order.deleted", Found::SwitchedOff),
            ]
        );
        assert!(hooks.is_empty());
    }

    #[test]
    fn a_hook_that_vanished_under_way_is_made() {
        let renew = Todo::Renew { id: "3".into(), topic: "order.updated".into(), found: Found::Adopted };
        let mut talk = Talk { todo: vec![renew, Todo::Drop { id: "9".into() }], ..Talk::default() };
        changed(&mut talk, None);
        assert_eq!(talk.todo[0], make("order.updated", Found::Made));
        changed(&mut talk, Some(&json!({"id": 12, "status": "active"})));
        changed(&mut talk, None);
        assert_eq!((talk.todo.len(), talk.hooks.len(), talk.hooks[0].id.as_str()), (0, 1, "12"));
    }
}
