//! A WooCommerce shop on loopback: orders, refunds, a bin, webhooks, lists that are paged and ordered as the real ones
//! are, with ties in any order. Its clock is the story's.

#![allow(dead_code)] // each story uses its own part of this

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use halotrack::crypto;
use halotrack::domain::time::Time;
use serde_json::{Value, json};
use url::Url;

use crate::stand_in::{Answer, Seen, StandIn};

pub const KEY: &str = "ck_4f2e9a7c1b3d5f60718293a4b5c6d7e8f9012345";
pub const SECRET: &str = "cs_91d3c5b7a9f0e2d4c6b8a0f1e3d5c7b9a8f6e4d2";

pub struct WooShop {
    pub stand_in: StandIn,
    books: Arc<Mutex<Books>>,
}

/// A change that happens while somebody reads.
type Change = Box<dyn FnOnce(&mut Books) + Send>;

pub struct Books {
    pub orders: BTreeMap<u64, Value>,
    pub refunds: BTreeMap<u64, Vec<Value>>,
    pub hooks: BTreeMap<u64, Hook>,
    /// What the shop would tell its webhooks: topic and order, in the order of the events.
    pub events: VecDeque<(&'static str, u64)>,
    pub currency: &'static str,
    /// How far the shop's own time is ahead of UTC.
    pub ahead_s: i64,
    pub may_write: bool,
    /// Plain permalinks: only `?rest_route=` is understood.
    pub is_plain: bool,
    /// As on plain http in life: a key in the header is not looked at.
    pub ignores_basic: bool,
    /// In maintenance: nothing is answered.
    pub is_closed: bool,
    /// Given before anything else, whatever is asked.
    pub instead: VecDeque<Answer>,
    /// One after each page of orders that is given.
    pub meanwhile: VecDeque<Change>,
    nonces: BTreeSet<String>,
    last_id: u64,
    asked: u64,
}

#[derive(Clone, Debug)]
pub struct Hook {
    pub topic: String,
    pub url: String,
    pub secret: String,
    pub status: String,
}

impl WooShop {
    pub async fn start() -> Self {
        let books = Books {
            orders: BTreeMap::new(),
            refunds: BTreeMap::new(),
            hooks: BTreeMap::new(),
            events: VecDeque::new(),
            currency: "EUR",
            ahead_s: 2 * 3_600,
            may_write: true,
            is_plain: false,
            ignores_basic: false,
            is_closed: false,
            instead: VecDeque::new(),
            meanwhile: VecDeque::new(),
            nonces: BTreeSet::new(),
            last_id: 5_000,
            asked: 0,
        };
        let books = Arc::new(Mutex::new(books));
        let shared = books.clone();
        let stand_in = StandIn::start(move |seen, _| shared.lock().expect("the books").answer(seen)).await;
        Self { stand_in, books }
    }

    /// In a folder of its host, as many shops are.
    pub fn url(&self) -> String {
        format!("{}/store", self.stand_in.url())
    }

    pub fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().expect("the books")
    }

    /// Requests of the API so far: method, and route with query.
    pub fn asked(&self) -> Vec<(String, String)> {
        let seen = self.stand_in.seen();
        let route = |s: &Seen| s.target.split_once("/wc/v3/").map_or(s.target.clone(), |(_, r)| r.to_owned());
        seen.iter().map(|s| (s.method.clone(), route(s))).collect()
    }
}

impl Books {
    /// A new order; `more` replaces what it names.
    pub fn place(&mut self, at: Time, total: &str, more: Value) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        let mut order = json!({
            "id": id, "number": id.to_string(), "status": "processing", "currency": self.currency, "total": total, "total_tax": "0.00",
            "shipping_total": "0.00", "discount_total": "0.00", "payment_method": "card", "customer_id": 0, "customer_user_agent": "",
            "billing": {"first_name": "Ines", "last_name": format!("Number {id}"), "email": format!("buyer{id}@mail.example"), "country": "PT"},
            "line_items": [{"id": 1, "product_id": 40 + id % 5, "name": "Cup", "quantity": 1, "total": total}],
            "coupon_lines": [], "refunds": [], "meta_data": [], "created_via": "checkout", "parent_id": 0
        });
        stamp(&mut order, "created", Some(at), self.ahead_s);
        stamp(&mut order, "modified", Some(at), self.ahead_s);
        stamp(&mut order, "paid", None, self.ahead_s);
        put(&mut order, more);
        self.orders.insert(id, order);
        self.pay(id, at);
        self.events.push_back(("order.created", id));
        id
    }

    /// Changes fields of an order.
    pub fn edit(&mut self, id: u64, at: Time, fields: Value) {
        let ahead_s = self.ahead_s;
        let order = self.orders.get_mut(&id).expect("an order");
        put(order, fields);
        stamp(order, "modified", Some(at), ahead_s);
        self.pay(id, at);
        self.events.push_back(("order.updated", id));
    }

    /// Gives money back, in whole cents.
    pub fn refund(&mut self, id: u64, at: Time, cents: i64) {
        self.last_id += 1;
        let (number, ahead_s) = (self.last_id, self.ahead_s);
        let amount = format!("{}.{:02}", cents / 100, cents % 100);
        let mut row = json!({"id": number, "amount": amount, "reason": "", "line_items": []});
        stamp(&mut row, "created", Some(at), ahead_s);
        self.refunds.entry(id).or_default().push(row);
        let order = self.orders.get_mut(&id).expect("an order");
        let mut list = order["refunds"].as_array().cloned().unwrap_or_default();
        // In no fixed order.
        list.insert(0, json!({"id": number, "reason": "", "total": format!("-{amount}")}));
        order["refunds"] = Value::Array(list);
        let is_sold = matches!(self.orders[&id]["status"].as_str(), Some("processing" | "completed"));
        if is_sold && self.left(id) <= 0 {
            self.orders.get_mut(&id).expect("an order")["status"] = json!("refunded");
        }
        self.edit(id, at, json!({}));
    }

    pub fn throw_away(&mut self, id: u64, at: Time) {
        self.edit(id, at, json!({"status": "trash"}));
        self.events.pop_back();
        self.events.push_back(("order.deleted", id));
    }

    /// What the shop's own list says is left of an order, in cents: nothing of what was never paid, ended or lies in
    /// the bin.
    pub fn left(&self, id: u64) -> i64 {
        let order = &self.orders[&id];
        if !matches!(order["status"].as_str(), Some("processing" | "completed" | "refunded")) {
            return 0;
        }
        let back: i64 = self.refunds.get(&id).into_iter().flatten().map(|r| cents(&r["amount"])).sum();
        cents(&order["total"]) - back
    }

    /// The body that a webhook gets now, whatever the event was.
    pub fn body(&self, topic: &str, id: u64) -> Vec<u8> {
        let body = if topic == "order.deleted" { json!({"id": id}) } else { self.orders[&id].clone() };
        body.to_string().replace('/', "\\/").into_bytes()
    }

    pub fn hook(&self, topic: &str) -> Option<&Hook> {
        self.hooks.values().find(|h| h.topic == topic)
    }

    fn pay(&mut self, id: u64, at: Time) {
        let ahead_s = self.ahead_s;
        let order = self.orders.get_mut(&id).expect("an order");
        if matches!(order["status"].as_str(), Some("processing" | "completed")) && order["date_paid_gmt"].is_null() {
            stamp(order, "paid", Some(at), ahead_s);
        }
    }

    fn answer(&mut self, seen: &Seen) -> Answer {
        if self.is_closed {
            return Answer::text(503, "Briefly unavailable for scheduled maintenance.");
        }
        self.asked += 1;
        if let Some(answer) = self.instead.pop_front() {
            return answer;
        }
        let url = Url::parse(&format!("http://{}{}", seen.header("host"), seen.target)).expect("an address");
        let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        let route = match (self.is_plain, query.get("rest_route")) {
            (true, Some(route)) => route.clone(),
            // The home page, for every path.
            (true, None) => return Answer::text(200, "<!doctype html><title>Our shop</title>"),
            (false, _) => match url.path().strip_prefix("/store/wp-json") {
                Some(route) => route.to_owned(),
                None => return Answer::text(404, "<!doctype html><title>Not found</title>"),
            },
        };
        let Some(route) = route.strip_prefix("/wc/v3/") else {
            return error(404, "rest_no_route");
        };
        if let Some(refusal) = self.refusal(seen, &url, &query) {
            return refusal;
        }
        let parts: Vec<&str> = route.split('/').collect();
        match (seen.method.as_str(), parts.as_slice()) {
            ("GET", ["orders"]) => self.list(&query),
            ("GET", ["orders", id, "refunds"]) => match id.parse().ok().filter(|id| self.orders.contains_key(id)) {
                Some(id) => paged(self.refunds.get(&id).cloned().unwrap_or_default(), &query),
                None => error(404, "woocommerce_rest_shop_order_invalid_id"),
            },
            ("GET", ["webhooks"]) => paged(self.hooks.iter().map(|(id, hook)| shown(*id, hook)).collect(), &query),
            (_, ["webhooks", ..]) if !self.may_write => error(401, "woocommerce_rest_authentication_error"),
            ("POST", ["webhooks"]) => {
                self.last_id += 1;
                let (id, told) = (self.last_id, seen.json());
                let hook = Hook {
                    topic: word(&told, "topic"),
                    url: word(&told, "delivery_url"),
                    secret: word(&told, "secret"),
                    status: "active".into(),
                };
                let answer = Answer::json(201, shown(id, &hook));
                self.hooks.insert(id, hook);
                answer
            }
            ("PUT", ["webhooks", id]) => match id.parse().ok().and_then(|id: u64| Some((id, self.hooks.get_mut(&id)?))) {
                Some((id, hook)) => {
                    let told = seen.json();
                    hook.url = word(&told, "delivery_url");
                    hook.secret = word(&told, "secret");
                    hook.status = word(&told, "status");
                    Answer::json(200, shown(id, hook))
                }
                None => error(404, "woocommerce_rest_shop_webhook_invalid_id"),
            },
            ("DELETE", ["webhooks", _]) if query.get("force").map(String::as_str) != Some("true") => {
                error(501, "woocommerce_rest_trash_not_supported")
            }
            ("DELETE", ["webhooks", id]) => match id.parse().ok().and_then(|id: u64| Some((id, self.hooks.remove(&id)?))) {
                Some((id, hook)) => Answer::json(200, shown(id, &hook)),
                None => error(404, "woocommerce_rest_shop_webhook_invalid_id"),
            },
            _ => error(404, "rest_no_route"),
        }
    }

    /// Why this request is not let in.
    fn refusal(&mut self, seen: &Seen, url: &Url, query: &BTreeMap<String, String>) -> Option<Answer> {
        if let Some(key) = query.get("oauth_consumer_key") {
            let is_signed = key == KEY && query.get("oauth_signature") == Some(&signature(seen, url));
            let is_fresh = query.get("oauth_nonce").is_some_and(|nonce| self.nonces.insert(nonce.clone()));
            return (!(is_signed && is_fresh)).then(|| error(401, "woocommerce_rest_authentication_error"));
        }
        let given = seen.header("authorization").strip_prefix("Basic ").and_then(crypto::unbase64).unwrap_or_default();
        let given = String::from_utf8_lossy(&given).into_owned();
        match given.split_once(':') {
            Some((KEY, SECRET)) if !self.ignores_basic => None,
            Some((KEY, _)) if !self.ignores_basic => Some(error(401, "woocommerce_rest_authentication_error")),
            _ => Some(error(401, "woocommerce_rest_cannot_view")),
        }
    }

    fn list(&mut self, query: &BTreeMap<String, String>) -> Answer {
        let of = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
        let column = if of("dates_are_gmt") == "true" { "date_modified_gmt" } else { "date_modified" };
        let at = |order: &Value| order[column].as_str().unwrap_or_default().to_owned();
        let ids: Vec<u64> = of("include").split(',').filter_map(|id| id.parse().ok()).collect();
        let is_bin = of("status") == "trash";
        let mut rows: Vec<(u64, Value)> = self
            .orders
            .iter()
            .filter(|(id, order)| (order["status"] == "trash") == is_bin && (ids.is_empty() || ids.contains(id)))
            .filter(|(_, order)| of("modified_after").is_empty() || at(order).as_str() > of("modified_after"))
            .filter(|(_, order)| of("modified_before").is_empty() || at(order).as_str() < of("modified_before"))
            .map(|(id, order)| (*id, order.clone()))
            .collect();
        // Of one second any order will do, and another one each time.
        let shake = self.asked;
        match of("orderby") {
            "id" => rows.sort_by_key(|(id, _)| *id),
            _ => rows.sort_by_key(|(id, order)| (at(order), (id * 7_919 + shake * 31) % 1_009)),
        }
        let fields: Vec<&str> = of("_fields").split(',').filter(|f| !f.is_empty()).collect();
        let rows = rows.into_iter().map(|(_, order)| match order {
            Value::Object(map) if !fields.is_empty() => {
                Value::Object(map.into_iter().filter(|(name, _)| fields.contains(&name.as_str())).collect())
            }
            whole => whole,
        });
        let answer = paged(rows.collect(), query);
        if let Some(change) = self.meanwhile.pop_front() {
            change(self);
        }
        answer
    }
}

/// One-legged OAuth, worked out from what came over the wire.
fn signature(seen: &Seen, url: &Url) -> String {
    let plain = |text: &str| -> String {
        let is_free = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        text.bytes().map(|b| if is_free(b) { (b as char).to_string() } else { format!("%{b:02X}") }).collect()
    };
    let pairs = url.query_pairs().filter(|(name, _)| name != "oauth_signature");
    let mut pairs: Vec<String> = pairs.map(|(name, value)| format!("{}={}", plain(&name), plain(&value))).collect();
    pairs.sort();
    let home = format!("http://{}{}", seen.header("host"), url.path());
    let base = format!("{}&{}&{}", seen.method, plain(&home), plain(&pairs.join("&")));
    crypto::base64(&crypto::hmac_sha256(format!("{SECRET}&").as_bytes(), &[base.as_bytes()]))
}

fn paged(rows: Vec<Value>, query: &BTreeMap<String, String>) -> Answer {
    let number = |name: &str, or: usize| query.get(name).and_then(|v| v.parse().ok()).unwrap_or(or);
    let (size, page) = (number("per_page", 10), number("page", 1).max(1));
    if !(1..=100).contains(&size) {
        return error(400, "rest_invalid_param");
    }
    let (count, pages) = (rows.len(), rows.len().div_ceil(size));
    let rows: Vec<Value> = rows.into_iter().skip((page - 1) * size).take(size).collect();
    Answer::json(200, Value::Array(rows)).with("X-WP-Total", &count.to_string()).with("X-WP-TotalPages", &pages.to_string())
}

fn error(status: u16, code: &str) -> Answer {
    Answer::json(status, json!({"code": code, "message": "No.", "data": {"status": status}}))
}

fn shown(id: u64, hook: &Hook) -> Value {
    json!({"id": id, "name": "x", "status": hook.status, "topic": hook.topic, "delivery_url": hook.url})
}

fn word(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

fn put(order: &mut Value, fields: Value) {
    if let (Value::Object(order), Value::Object(fields)) = (order, fields) {
        order.extend(fields);
    }
}

fn stamp(row: &mut Value, name: &str, at: Option<Time>, ahead_s: i64) {
    let bare = |at: Time| json!(at.utc().trim_end_matches('Z'));
    row[format!("date_{name}_gmt")] = at.map_or(Value::Null, bare);
    row[format!("date_{name}")] = at.map_or(Value::Null, |at| bare(at.plus_ms(ahead_s * 1_000)));
}

/// `12.50` in cents.
fn cents(value: &Value) -> i64 {
    value.as_str().unwrap_or_default().replace('.', "").parse().unwrap_or_default()
}
