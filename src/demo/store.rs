//! The WooCommerce shop of the demo's first site: its orders, refunds and webhooks as its REST API shows them. It lives in
//! memory and does what real ones do: once it switches a webhook off.
//! <https://woocommerce.github.io/woocommerce-rest-api-docs/>

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};
use url::Url;

pub const SHOP: &str = "shop.saffronpalm.example";
/// What the demo connects with; the shop lets in whoever asks.
pub const KEY: &str = "ck_demo";
pub const SECRET: &str = "cs_demo";
const API: &str = "/wp-json/wc/v3/";

#[derive(Clone, Default)]
pub struct Store(Arc<Mutex<Books>>);

#[derive(Default)]
struct Books {
    orders: BTreeMap<u64, Value>,
    refunds: BTreeMap<u64, Vec<Value>>,
    hooks: BTreeMap<u64, Hook>,
    last_hook: u64,
}

struct Hook {
    topic: String,
    url: String,
    secret: String,
    is_active: bool,
}

/// An answer of the shop; of a list with the number of its pages.
pub struct Reply {
    pub status: u16,
    pub pages: Option<usize>,
    pub text: String,
}

impl Store {
    /// A new order, or what became of it.
    pub fn keep(&self, order: &Value) {
        if let Some(id) = order["id"].as_u64() {
            self.books().orders.insert(id, order.clone());
        }
    }

    pub fn give_back(&self, order: u64, refund: Value) {
        self.books().refunds.entry(order).or_default().push(refund);
    }

    /// What a topic's webhook signs with, while there is one that is switched on.
    pub fn signs(&self, topic: &str) -> Option<String> {
        self.books().hooks.values().find(|h| h.topic == topic && h.is_active).map(|h| h.secret.clone())
    }

    /// As after five deliveries that failed.
    pub fn switch_off(&self, topic: &str) {
        for hook in self.books().hooks.values_mut().filter(|h| h.topic == topic) {
            hook.is_active = false;
        }
    }

    pub fn answer(&self, method: &str, target: &str, body: &str) -> Reply {
        self.books().answer(method, target, body)
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl Books {
    fn answer(&mut self, method: &str, target: &str, body: &str) -> Reply {
        let Ok(url) = Url::parse(&format!("http://{SHOP}{target}")) else { return missing() };
        let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        let Some(route) = url.path().strip_prefix(API) else { return missing() };
        let parts: Vec<&str> = route.split('/').collect();
        match (method, parts.as_slice()) {
            ("GET", ["orders"]) => self.list(&query),
            ("GET", ["orders", id, "refunds"]) => {
                let refunds = id.parse().ok().and_then(|id: u64| self.refunds.get(&id)).cloned();
                paged(refunds.unwrap_or_default(), &query)
            }
            ("GET", ["webhooks"]) => paged(self.hooks.iter().map(|(id, hook)| shown(*id, hook)).collect(), &query),
            ("POST", ["webhooks"]) => {
                self.last_hook += 1;
                let id = self.last_hook;
                self.hooks.insert(id, told(body));
                self.hooks.get(&id).map_or_else(missing, |hook| said(201, &shown(id, hook)))
            }
            ("PUT", ["webhooks", id]) => match id.parse().ok().and_then(|id: u64| Some((id, self.hooks.get_mut(&id)?))) {
                Some((id, hook)) => {
                    *hook = told(body);
                    said(200, &shown(id, hook))
                }
                None => missing(),
            },
            ("DELETE", ["webhooks", id]) => match id.parse().ok().and_then(|id: u64| Some((id, self.hooks.remove(&id)?))) {
                Some((id, hook)) => said(200, &shown(id, &hook)),
                None => missing(),
            },
            _ => missing(),
        }
    }

    fn list(&self, query: &BTreeMap<String, String>) -> Reply {
        let of = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
        let at = |order: &Value| order["date_modified_gmt"].as_str().unwrap_or_default().to_owned();
        let ids: Vec<u64> = of("include").split(',').filter_map(|id| id.parse().ok()).collect();
        // Nothing is ever thrown away here.
        let mut rows: Vec<(u64, &Value)> = self
            .orders
            .iter()
            .filter(|(id, _)| of("status") != "trash" && (ids.is_empty() || ids.contains(id)))
            .filter(|(_, order)| of("modified_after").is_empty() || at(order).as_str() > of("modified_after"))
            .filter(|(_, order)| of("modified_before").is_empty() || at(order).as_str() < of("modified_before"))
            .map(|(id, order)| (*id, order))
            .collect();
        if of("orderby") == "modified" {
            rows.sort_by_key(|(id, order)| (at(order), *id));
        }
        paged(rows.into_iter().map(|(_, order)| order.clone()).collect(), query)
    }
}

fn paged(rows: Vec<Value>, query: &BTreeMap<String, String>) -> Reply {
    let number = |name: &str, or: usize| query.get(name).and_then(|v| v.parse().ok()).unwrap_or(or).clamp(1, 100_000);
    let (size, page) = (number("per_page", 10), number("page", 1));
    let pages = rows.len().div_ceil(size);
    let rows: Vec<Value> = rows.into_iter().skip((page - 1) * size).take(size).collect();
    Reply { pages: Some(pages), ..said(200, &Value::Array(rows)) }
}

fn said(status: u16, value: &Value) -> Reply {
    Reply { status, pages: None, text: value.to_string() }
}

fn missing() -> Reply {
    said(404, &json!({"code": "rest_no_route", "message": "No route was found.", "data": {"status": 404}}))
}

fn told(body: &str) -> Hook {
    let told: Value = serde_json::from_str(body).unwrap_or_default();
    let word = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    Hook { topic: word("topic"), url: word("delivery_url"), secret: word("secret"), is_active: told["status"] == "active" }
}

fn shown(id: u64, hook: &Hook) -> Value {
    let status = if hook.is_active { "active" } else { "disabled" };
    json!({"id": id, "name": "HaloTrack", "status": status, "topic": hook.topic, "delivery_url": hook.url})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_shows_its_books_as_a_shop_does() {
        let store = Store::default();
        for (id, at) in [(7, "2026-06-10T08:00:00"), (5, "2026-06-11T08:00:00"), (6, "2026-06-12T08:00:00")] {
            store.keep(&json!({"id": id, "date_modified_gmt": at}));
        }
        let ids = |query: &str| -> Vec<u64> {
            let reply = store.answer("GET", &format!("/wp-json/wc/v3/orders?{query}"), "");
            let rows: Value = serde_json::from_str(&reply.text).unwrap_or_default();
            rows.as_array().into_iter().flatten().filter_map(|row| row["id"].as_u64()).collect()
        };
        assert_eq!(ids("orderby=modified&status=any"), [7, 5, 6]);
        assert_eq!(ids("orderby=modified&modified_after=2026-06-10T08:00:00&per_page=1&page=2"), [6]);
        assert_eq!(ids("status=trash"), Vec::<u64>::new());
        let hook = json!({"topic": "order.created", "delivery_url": "http://x/", "secret": "s", "status": "active"}).to_string();
        assert_eq!(store.answer("POST", "/wp-json/wc/v3/webhooks", &hook).status, 201);
        assert_eq!(store.signs("order.created").as_deref(), Some("s"));
        store.switch_off("order.created");
        assert_eq!(store.signs("order.created"), None);
        assert!(store.answer("GET", "/wp-json/wc/v3/webhooks", "").text.contains("disabled"));
        assert_eq!(store.answer("DELETE", "/wp-json/wc/v3/webhooks/1?force=true", "").status, 200);
        assert_eq!(store.answer("GET", "/wp-json/wc/v3/nothing", "").status, 404);
    }
}
