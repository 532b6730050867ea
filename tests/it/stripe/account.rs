//! An account at Stripe on loopback. It keeps charges, checkouts, invoices, refunds and events, lists them newest first, page by
//! page, tells an endpoint's secret once, and knows what its key may not do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use halotrack::crypto::{hex, hmac_sha256};
use serde_json::{Value, json};

use crate::house::{Answer, House, SiteAt};
use crate::stand_in::{Answer as Says, Seen, StandIn};
use crate::story::Connected;

pub const KEY: &str = "rk_live_harrowVerySecret";
/// Rows of a page: small, so that stories meet the second one.
const PAGE: usize = 2;

#[derive(Default)]
pub struct Inside {
    pub lists: BTreeMap<String, Vec<Value>>,
    pub endpoints: Vec<Value>,
    /// Secrets that were told, in their order.
    pub secrets: Vec<String>,
    /// Parts of paths that the key may not ask, and in which way.
    pub closed: Vec<(&'static str, &'static str)>,
    /// Answered in place of the next question.
    pub moods: Vec<(u16, Value)>,
    pub asked: Vec<String>,
}

pub struct Account {
    pub inside: Arc<Mutex<Inside>>,
    stand_in: StandIn,
}

impl Account {
    pub async fn open() -> Self {
        let inside: Arc<Mutex<Inside>> = Arc::default();
        let shared = inside.clone();
        let stand_in = StandIn::start(move |seen, _| answer(&mut shared.lock().expect("the account"), seen)).await;
        Self { inside, stand_in }
    }

    pub fn house(&self) -> House {
        let url = self.stand_in.url();
        House::with(move |config| drop(config.base_urls.insert("stripe".into(), url)))
    }

    /// With a shop that reads it.
    pub async fn of_a_shop() -> (Self, House, SiteAt, Connected) {
        let account = Self::open().await;
        let house = account.house();
        let site = house.site("harrow.example").await;
        let connected = account.connect(&house, &site).await;
        (account, house, site, connected)
    }

    pub fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().expect("no story panics while it holds the account")
    }

    pub fn keep(&self, list: &str, row: &Value) {
        let mut inside = self.inside();
        let rows = inside.lists.entry(list.to_owned()).or_default();
        rows.retain(|old| old["id"] != row["id"]);
        rows.push(row.clone());
    }

    pub async fn connect(&self, house: &House, site: &SiteAt) -> Connected {
        house.connect(site, "stripe", "live", &[("api_key", KEY)]).await
    }

    pub fn secret(&self) -> String {
        self.inside().secrets.last().cloned().expect("an endpoint was made")
    }

    /// As Stripe sends it, under the newest secret.
    pub async fn send(&self, house: &House, connected: &Connected, event: &Value) -> Answer {
        send_under(house, connected, event, &self.secret()).await
    }
}

pub async fn send_under(house: &House, connected: &Connected, event: &Value, secret: &str) -> Answer {
    let (body, at) = (event.to_string(), house.clock.now().s().to_string());
    let sign = hex(&hmac_sha256(secret.as_bytes(), &[at.as_bytes(), b".", body.as_bytes()]));
    house.post(&connected.hook).header("stripe-signature", &format!("t={at},v1={sign}")).body(body).send().await
}

/// An event about an object that is `ago` seconds old.
pub fn event(house: &House, id: &str, kind: &str, object: &Value) -> Value {
    let live = object["livemode"] != json!(false);
    json!({
        "id": id, "object": "event", "type": kind, "created": house.clock.now().s(), "livemode": live,
        "api_version": "2026-10-28.endive", "data": {"object": object}
    })
}

/// A paid checkout.
pub fn checkout(house: &House, n: u32, minor: i64, email: &str) -> Value {
    json!({
        "id": format!("cs_live_{n}"), "object": "checkout.session", "mode": "payment", "payment_status": "paid", "status": "complete",
        "amount_total": minor, "currency": "usd", "created": house.clock.now().s(), "payment_intent": format!("pi_{n}"), "invoice": null,
        "customer": format!("cus_{n}"), "customer_details": {"email": email, "name": "Orla Byrne", "phone": null}, "metadata": {},
        "client_reference_id": null, "livemode": true
    })
}

/// The charge of the same number.
pub fn charge(house: &House, n: u32, minor: i64, email: &str) -> Value {
    json!({
        "id": format!("ch_{n}"), "object": "charge", "amount": minor, "amount_captured": minor, "amount_refunded": 0, "captured": true,
        "billing_details": {"email": email, "name": "Orla Byrne", "phone": null}, "created": house.clock.now().s(), "currency": "usd",
        "customer": null, "invoice": null, "livemode": true, "metadata": {}, "paid": true, "payment_intent": format!("pi_{n}"),
        "refunds": {"object": "list", "data": [], "has_more": false}, "status": "succeeded"
    })
}

pub fn refund(house: &House, n: u32, id: &str, minor: i64, status: &str) -> Value {
    json!({
        "id": id, "object": "refund", "amount": minor, "charge": format!("ch_{n}"), "payment_intent": format!("pi_{n}"),
        "created": house.clock.now().s(), "currency": "usd", "reason": "requested_by_customer", "status": status
    })
}

/// Of the whole charge of the same number.
pub fn dispute(house: &House, n: u32, minor: i64, status: &str) -> Value {
    json!({
        "id": format!("dp_{n}"), "object": "dispute", "amount": minor, "charge": format!("ch_{n}"), "payment_intent": format!("pi_{n}"),
        "created": house.clock.now().s(), "currency": "usd", "reason": "product_not_received", "status": status, "livemode": true
    })
}

fn refused(status: u16, message: &str) -> Says {
    Says::json(status, json!({"error": {"type": "invalid_request_error", "message": message}}))
}

fn answer(inside: &mut Inside, seen: &Seen) -> Says {
    let (path, query) = seen.target.split_once('?').unwrap_or((&seen.target, ""));
    inside.asked.push(format!("{} {path}", seen.method));
    if seen.header("authorization") != format!("Bearer {KEY}") {
        return refused(401, "Invalid API Key provided: rk_live_*****");
    }
    if !inside.moods.is_empty() {
        let (status, body) = inside.moods.remove(0);
        return Says::json(status, body);
    }
    if inside.closed.iter().any(|(method, part)| *method == seen.method && path.contains(part)) {
        return refused(403, "The provided key does not have the required permissions for this endpoint");
    }
    assert_eq!(seen.header("stripe-version"), "2025-02-24.acacia");
    let asked: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&seen.body).into_owned().collect();
    let parts: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
    match (seen.method.as_str(), parts.as_slice()) {
        (method, ["webhook_endpoints", rest @ ..]) => endpoints(inside, method, rest, &form),
        ("GET", ["checkout", "sessions"]) => list(inside, "checkout/sessions", &asked),
        ("GET", [kind]) => list(inside, kind, &asked),
        ("GET", [kind, id]) => match inside.lists.get(*kind).and_then(|rows| rows.iter().find(|row| row["id"] == *id)) {
            Some(row) => Says::json(200, row.clone()),
            None => refused(404, &format!("No such {kind}: '{id}'")),
        },
        other => panic!("the account knows nothing of {other:?}"),
    }
}

fn list(inside: &Inside, kind: &str, asked: &[(String, String)]) -> Says {
    let named = |name: &str| asked.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    let types: Vec<&str> = asked.iter().filter(|(n, _)| n == "types[]").map(|(_, v)| v.as_str()).collect();
    let since = named("created[gte]").and_then(|s| s.parse::<i64>().ok()).unwrap_or(0);
    let is_asked = |row: &&Value| {
        row["created"].as_i64().unwrap_or_default() >= since
            && (types.is_empty() || types.iter().any(|kind| row["type"] == *kind))
            && ["payment_intent", "subscription", "charge"].iter().all(|key| named(key).is_none_or(|want| row[*key] == want))
    };
    let mut rows: Vec<&Value> = inside.lists.get(kind).map(|all| all.iter().filter(is_asked).collect()).unwrap_or_default();
    rows.sort_by_key(|row| std::cmp::Reverse(row["created"].as_i64()));
    let from = match named("starting_after") {
        Some(after) => rows.iter().position(|row| row["id"] == after).map_or(rows.len(), |at| at + 1),
        None => 0,
    };
    let most = PAGE.min(named("limit").and_then(|n| n.parse().ok()).unwrap_or(10));
    let page: Vec<&Value> = rows.iter().skip(from).take(most).copied().collect();
    Says::json(200, json!({"object": "list", "data": page, "has_more": rows.len() > from + page.len()}))
}

fn endpoints(inside: &mut Inside, method: &str, rest: &[&str], form: &[(String, String)]) -> Says {
    let told: Vec<&str> = form.iter().filter(|(n, _)| n == "enabled_events[]").map(|(_, v)| v.as_str()).collect();
    let named = |name: &str| form.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    match (method, rest) {
        ("GET", []) => Says::json(200, json!({"object": "list", "data": inside.endpoints, "has_more": false})),
        ("POST", []) => {
            let n = inside.secrets.len() + 1;
            let made = json!({
                "id": format!("we_{n}"), "object": "webhook_endpoint", "url": named("url"), "status": "enabled", "enabled_events": told,
                "api_version": named("api_version")
            });
            let secret = format!("whsec_of_endpoint_{n}");
            inside.endpoints.push(made.clone());
            inside.secrets.push(secret.clone());
            let mut answer = made;
            answer["secret"] = json!(secret);
            Says::json(200, answer)
        }
        ("POST", [id]) => match inside.endpoints.iter_mut().find(|e| e["id"] == *id) {
            Some(endpoint) => {
                endpoint["url"] = json!(named("url"));
                endpoint["enabled_events"] = json!(told);
                endpoint["status"] = json!(if named("disabled").as_deref() == Some("true") { "disabled" } else { "enabled" });
                Says::json(200, endpoint.clone())
            }
            None => refused(404, "No such webhook endpoint"),
        },
        ("DELETE", [id]) => {
            inside.endpoints.retain(|e| e["id"] != *id);
            Says::json(200, json!({"id": id, "deleted": true}))
        }
        other => panic!("endpoints know nothing of {other:?}"),
    }
}
