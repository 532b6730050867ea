//! A shop at Shopify on loopback: orders, subscriptions and tokens, behind a GraphQL door that behaves like the real one.
//! It throttles, lets tokens end, answers errors inside a 200, breaks off, and loses subscriptions.

use std::sync::{Arc, Mutex, MutexGuard};

use halotrack::crypto::{base64, hmac_sha256};
use halotrack::domain::time::Time;
use serde_json::{Value, json};

use crate::house::{Answer as Reply, House};
use crate::stand_in::{Answer, Seen, StandIn};

pub const SHOP: &str = "harrow-cups.myshopify.com";
pub const CLIENT_ID: &str = "4f1c0e6d2b7a49c58d3e6f90a1b2c3d4";
pub const CLIENT_SECRET: &str = "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";
pub const STATIC_TOKEN: &str = "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";

/// What stands in the way of the next questions for orders, each once and in order.
#[derive(Debug, Clone)]
pub enum Hurdle {
    /// It is answered.
    Nothing,
    /// An empty bucket: so many points are asked for, so many are there, so many come back a second.
    Throttled(i64, i64, i64),
    /// The token that is shown is refused from now on.
    TokenEnds,
    Says(u16, String),
    /// A body that breaks off in the middle.
    Half,
    Denied(&'static str),
    TooCostly,
}

pub struct Inside {
    pub orders: Vec<Value>,
    /// Id, topic, uri.
    pub hooks: Vec<(String, String, String)>,
    pub scopes: Vec<&'static str>,
    pub hurdles: Vec<Hurdle>,
    /// The same before questions for a single order.
    pub single: Vec<Hurdle>,
    pub tokens: Vec<String>,
    pub bought: usize,
    /// Words of an error of each mutation, as Shopify answers them with a 200.
    pub user_error: Option<String>,
    /// Points that a page leaves.
    pub points: i64,
    /// How many orders each page of a list had.
    pub pages: Vec<usize>,
    count: usize,
}

#[derive(Clone)]
pub struct Shop {
    inside: Arc<Mutex<Inside>>,
    pub url: String,
    stand_in: StandIn,
}

impl Shop {
    pub async fn open() -> Self {
        let inside = Arc::new(Mutex::new(Inside {
            orders: Vec::new(),
            hooks: Vec::new(),
            scopes: vec!["read_orders", "read_customers"],
            hurdles: Vec::new(),
            single: Vec::new(),
            tokens: vec![STATIC_TOKEN.into()],
            bought: 0,
            user_error: None,
            points: 2_000,
            pages: Vec::new(),
            count: 0,
        }));
        let shared = inside.clone();
        let stand_in = StandIn::start(move |seen, _| answer(&mut lock(&shared), seen)).await;
        Self { inside, url: stand_in.url(), stand_in }
    }

    /// A product whose requests for Shopify come here.
    pub fn house(&self) -> House {
        let url = self.url.clone();
        House::with(move |config| {
            config.base_urls.insert("shopify".into(), url);
        })
    }

    pub fn inside(&self) -> MutexGuard<'_, Inside> {
        lock(&self.inside)
    }

    pub fn topics(&self) -> Vec<String> {
        let mut topics: Vec<String> = self.inside().hooks.iter().map(|(_, topic, _)| topic.clone()).collect();
        topics.sort();
        topics
    }

    pub fn calls(&self) -> Vec<Seen> {
        self.stand_in.seen()
    }

    /// Puts an order into the shop, or what became of it.
    pub fn keep(&self, order: &Value) {
        let mut inside = self.inside();
        inside.orders.retain(|o| o["id"] != order["id"]);
        inside.orders.push(order.clone());
        inside.orders.sort_by_key(|o| time(&o["updated_at"]));
    }

    /// Sends a body to a hook as Shopify does.
    pub async fn send(&self, house: &House, path: &str, topic: &str, body: &Value) -> Reply {
        self.send_signed(house, path, topic, body.to_string().into_bytes(), CLIENT_SECRET).await
    }

    pub async fn send_signed(&self, house: &House, path: &str, topic: &str, body: Vec<u8>, secret: &str) -> Reply {
        let signature = base64(&hmac_sha256(secret.as_bytes(), &[&body]));
        self.send_as(house, path, topic, body, &signature).await
    }

    pub async fn send_as(&self, house: &House, path: &str, topic: &str, body: Vec<u8>, signature: &str) -> Reply {
        let call = house.post(path).body(body).header("content-type", "application/json");
        let call = call.header("x-shopify-topic", topic).header("x-shopify-shop-domain", SHOP).header("x-shopify-api-version", "2026-10");
        let call = call.header("x-shopify-webhook-id", "8a1f0c52-9a7e-4c39-b1de-5c7b1a2f3e40");
        call.header("x-shopify-event-id", "e1").header("x-shopify-hmac-sha256", signature).send().await
    }
}

/// A paid order of one line, in the shape of a webhook.
pub fn order(id: u64, total: &str, at: &str) -> Value {
    json!({
        "id": id, "admin_graphql_api_id": format!("gid://shopify/Order/{id}"), "name": format!("#{}", id % 10_000), "order_number": id % 10_000,
        "email": format!("buyer{id}@mail.example"), "phone": null, "created_at": at, "processed_at": at, "updated_at": at, "cancelled_at": null,
        "test": false, "currency": "USD", "presentment_currency": "USD", "financial_status": "paid", "total_price": total,
        "current_total_price": total, "total_tax": "0.00", "total_discounts": "0.00",
        "total_price_set": {"shop_money": {"amount": total, "currency_code": "USD"}, "presentment_money": {"amount": total, "currency_code": "USD"}},
        "landing_site": "/", "referring_site": null, "note_attributes": [], "discount_codes": [], "refunds": [], "source_name": "web",
        "customer": {"id": 700_000 + id, "first_name": "Ida", "last_name": "Berg"},
        "billing_address": {"first_name": "Ida", "last_name": "Berg", "country_code": "US"},
        "line_items": [{"id": id + 1, "product_id": 4_471, "sku": "CUP-1", "title": "Blue cup", "quantity": 1, "price": total}]
    })
}

/// The order with money given back; the body of `refunds/create` is the second.
pub fn refunded(order: &Value, id: u64, amount: &str, at: &str, status: &str) -> (Value, Value) {
    let mut order = order.clone();
    let refund = json!({
        "id": id, "order_id": order["id"], "created_at": at, "processed_at": at, "note": "chipped", "refund_line_items": [], "order_adjustments": [],
        "transactions": [{"id": id + 1, "kind": "refund", "status": "success", "amount": amount, "currency": order["currency"], "created_at": at}]
    });
    order["refunds"].as_array_mut().expect("a list").push(refund.clone());
    order["financial_status"] = json!(status);
    order["updated_at"] = json!(at);
    (order, refund)
}

fn lock(inside: &Arc<Mutex<Inside>>) -> MutexGuard<'_, Inside> {
    inside.lock().expect("no test panics while it holds the shop")
}

fn time(value: &Value) -> Time {
    value.as_str().and_then(Time::parse).expect("an order says when")
}

fn answer(inside: &mut Inside, seen: &Seen) -> Answer {
    if seen.target == "/admin/oauth/access_token" {
        return sell_token(inside, seen);
    }
    if seen.target != "/admin/api/2026-10/graphql.json" || seen.method != "POST" {
        return Answer::text(404, "Not Found");
    }
    let shown = seen.header("x-shopify-access-token").to_owned();
    let asked = seen.json();
    let query = asked["query"].as_str().unwrap_or_default();
    let hurdles = match () {
        () if query.starts_with("query Orders") => &mut inside.hurdles,
        () if query.starts_with("query OneOrder") => &mut inside.single,
        () => &mut Vec::new(),
    };
    if !hurdles.is_empty() {
        let hurdle = hurdles.remove(0);
        match hurdle {
            Hurdle::Nothing => {}
            Hurdle::TokenEnds => inside.tokens.retain(|t| *t != shown),
            Hurdle::Says(status, body) => return Answer::text(status, &body),
            Hurdle::Half => return Answer::text(200, r#"{"data":{"orders":{"pageInfo":{"hasNext"#),
            Hurdle::Denied(message) => return errors("ACCESS_DENIED", message, 0, 0, 1),
            Hurdle::TooCostly => {
                return errors("MAX_COST_EXCEEDED", "Query cost is 4400, which exceeds the single query max cost limit", 0, 0, 1);
            }
            Hurdle::Throttled(requested, available, restored) => return errors("THROTTLED", "Throttled", requested, available, restored),
        }
    }
    if !inside.tokens.contains(&shown) {
        return Answer::json(401, json!({"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}));
    }
    let variables = &asked["variables"];
    let data = match () {
        () if query.contains("webhookSubscriptionCreate") => json!({"webhookSubscriptionCreate": subscribe(inside, variables)}),
        () if query.contains("webhookSubscriptionUpdate") => json!({"webhookSubscriptionUpdate": move_hook(inside, variables)}),
        () if query.contains("webhookSubscriptionDelete") => json!({"webhookSubscriptionDelete": unsubscribe(inside, variables)}),
        () if query.contains("webhookSubscriptions") => {
            let nodes =
                inside.hooks.iter().map(|(id, topic, uri)| json!({"id": id, "topic": topic, "uri": uri, "format": "JSON"})).collect();
            json!({"webhookSubscriptions": connection(nodes, 100, variables)})
        }
        () if query.contains("currentAppInstallation") => json!({
            "shop": {"name": "Harrow Cups", "myshopifyDomain": SHOP, "currencyCode": "USD", "ianaTimezone": "America/New_York"},
            "currentAppInstallation": {"accessScopes": inside.scopes.iter().map(|s| json!({"handle": s})).collect::<Vec<_>>()},
            "orders": {"nodes": []}
        }),
        () if query.starts_with("query OneOrder") => json!({"order": single(inside, variables)}),
        () => json!({"orders": orders(inside, variables)}),
    };
    let cost = cost(52, inside.points, 100);
    Answer::json(200, json!({"data": data, "extensions": cost}))
}

fn sell_token(inside: &mut Inside, seen: &Seen) -> Answer {
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&seen.body).into_owned().collect();
    let has = |name: &str, value: &str| form.iter().any(|(n, v)| n == name && v == value);
    if !(has("grant_type", "client_credentials") && has("client_id", CLIENT_ID) && has("client_secret", CLIENT_SECRET)) {
        return Answer::json(400, json!({"error": "invalid_client"}));
    }
    inside.bought += 1;
    let token = format!("shpat_bought_{:024}", inside.bought);
    inside.tokens.push(token.clone());
    Answer::json(200, json!({"access_token": token, "scope": "read_orders,read_customers", "expires_in": 86_399}))
}

fn cost(requested: i64, available: i64, restored: i64) -> Value {
    let status = json!({"maximumAvailable": 2_000.0, "currentlyAvailable": available, "restoreRate": restored});
    json!({"cost": {"requestedQueryCost": requested, "actualQueryCost": requested, "throttleStatus": status}})
}

fn errors(code: &str, message: &str, requested: i64, available: i64, restored: i64) -> Answer {
    let error = json!({"message": message, "extensions": {"code": code}});
    Answer::json(200, json!({"data": null, "errors": [error], "extensions": cost(requested, available, restored)}))
}

fn connection(nodes: Vec<Value>, first: u64, variables: &Value) -> Value {
    let start: usize = variables["after"].as_str().and_then(|c| c.parse().ok()).unwrap_or(0);
    let end = nodes.len().min(start + first as usize);
    let page = nodes.get(start..end).unwrap_or_default();
    json!({"nodes": page, "pageInfo": {"hasNextPage": end < nodes.len(), "endCursor": (!page.is_empty()).then(|| end.to_string())}})
}

fn orders(inside: &mut Inside, variables: &Value) -> Value {
    let query = variables["query"].as_str().unwrap_or_default();
    let fits = |order: &Value| {
        query.split(' ').all(|term| {
            let (field, rest) = term.split_once(':').unwrap_or((term, ""));
            let at = time(&order[field]);
            let edge = |sign: &str| rest.strip_prefix(sign).and_then(|t| Time::parse(t.trim_matches('\'')));
            edge(">=").is_some_and(|edge| at >= edge) || edge("<=").is_some_and(|edge| at <= edge)
        })
    };
    let nodes: Vec<Value> = inside.orders.iter().filter(|o| fits(o)).map(|o| node(o, &Value::Null)).collect();
    let page = connection(nodes, variables["first"].as_u64().unwrap_or(0), variables);
    inside.pages.push(page["nodes"].as_array().map_or(0, Vec::len));
    page
}

fn single(inside: &Inside, variables: &Value) -> Value {
    let wanted = variables["id"].as_str().and_then(|id| id.strip_prefix("gid://shopify/Order/")).unwrap_or_default();
    let found = inside.orders.iter().find(|order| order["id"].to_string() == wanted);
    found.map_or(Value::Null, |order| node(order, variables))
}

/// The same order in the words of GraphQL, with a page of its lines.
fn node(order: &Value, variables: &Value) -> Value {
    let utc = |value: &Value| value.as_str().and_then(Time::parse).map(|at| at.utc());
    let money = |amount: &Value| {
        let side = json!({"amount": amount, "currencyCode": order["currency"]});
        json!({"shopMoney": side, "presentmentMoney": side})
    };
    let list = |key: &str| order[key].as_array().cloned().unwrap_or_default();
    let lines: Vec<Value> = list("line_items")
        .iter()
        .map(|line| {
            json!({"id": format!("gid://shopify/LineItem/{}", line["id"]), "title": line["title"], "sku": line["sku"], "quantity": line["quantity"],
                "product": {"legacyResourceId": line["product_id"].to_string()}, "originalUnitPriceSet": money(&line["price"]), "discountAllocations": []})
        })
        .collect();
    let refunds: Vec<Value> = list("refunds")
        .iter()
        .map(|refund| {
            let transaction = &refund["transactions"][0];
            json!({"legacyResourceId": refund["id"].to_string(), "createdAt": utc(&refund["created_at"]), "processedAt": utc(&refund["processed_at"]),
                "note": refund["note"], "totalRefundedSet": money(&transaction["amount"]),
                "transactions": {"nodes": [{"kind": "REFUND", "status": transaction["status"].as_str().map(str::to_uppercase), "amountSet": money(&transaction["amount"])}]}})
        })
        .collect();
    let attributes: Vec<Value> = list("note_attributes").iter().map(|a| json!({"key": a["name"], "value": a["value"]})).collect();
    let codes: Vec<Value> = list("discount_codes").iter().map(|c| c["code"].clone()).collect();
    json!({
        "legacyResourceId": order["id"].to_string(), "name": order["name"], "createdAt": utc(&order["created_at"]), "processedAt": utc(&order["processed_at"]),
        "updatedAt": utc(&order["updated_at"]), "cancelledAt": utc(&order["cancelled_at"]), "test": order["test"],
        "displayFinancialStatus": order["financial_status"].as_str().map(str::to_uppercase), "email": order["email"], "phone": order["phone"],
        "totalPriceSet": money(&order["total_price"]), "totalTaxSet": money(&order["total_tax"]), "totalDiscountsSet": money(&order["total_discounts"]),
        "totalShippingPriceSet": null, "discountCodes": codes, "customAttributes": attributes,
        "customer": {"id": format!("gid://shopify/Customer/{}", order["customer"]["id"]), "firstName": order["customer"]["first_name"],
            "lastName": order["customer"]["last_name"], "defaultEmailAddress": {"emailAddress": order["email"]}, "defaultPhoneNumber": null},
        "billingAddress": {"firstName": "Ida", "lastName": "Berg", "countryCodeV2": "US"},
        "lineItems": connection(lines, 100, variables), "refunds": refunds,
        "customerJourneySummary": order.get("journey").cloned().unwrap_or_else(|| json!({"ready": false, "firstVisit": null, "lastVisit": null}))
    })
}

fn subscribe(inside: &mut Inside, variables: &Value) -> Value {
    let (topic, uri) = (&variables["topic"], &variables["hook"]["uri"]);
    let (topic, uri) = (topic.as_str().unwrap_or_default(), uri.as_str().unwrap_or_default());
    if let Some(said) = refusal(inside) {
        return said;
    }
    if inside.hooks.iter().any(|(_, t, u)| t == topic && u == uri) {
        return user_error("Address for this topic has already been taken");
    }
    inside.count += 1;
    let id = format!("gid://shopify/WebhookSubscription/{}", 1_611_000_000 + inside.count);
    inside.hooks.push((id.clone(), topic.into(), uri.into()));
    json!({"webhookSubscription": {"id": id, "topic": topic, "uri": uri}, "userErrors": []})
}

fn move_hook(inside: &mut Inside, variables: &Value) -> Value {
    let uri = variables["hook"]["uri"].as_str().unwrap_or_default().to_owned();
    if let Some(said) = refusal(inside) {
        return said;
    }
    match inside.hooks.iter_mut().find(|(id, ..)| variables["id"] == **id) {
        Some(hook) => {
            hook.2.clone_from(&uri);
            json!({"webhookSubscription": {"id": hook.0, "topic": hook.1, "uri": uri}, "userErrors": []})
        }
        None => user_error("Webhook subscription does not exist"),
    }
}

fn unsubscribe(inside: &mut Inside, variables: &Value) -> Value {
    let before = inside.hooks.len();
    inside.hooks.retain(|(id, ..)| variables["id"] != **id);
    match inside.hooks.len() < before {
        true => json!({"deletedWebhookSubscriptionId": variables["id"], "userErrors": []}),
        false => {
            json!({"deletedWebhookSubscriptionId": null, "userErrors": [{"field": ["id"], "message": "Webhook subscription does not exist"}]})
        }
    }
}

/// Shopify calls https addresses only; a story that does not say so has none.
fn refusal(inside: &Inside) -> Option<Value> {
    inside.user_error.as_deref().map(user_error)
}

fn user_error(message: &str) -> Value {
    json!({"webhookSubscription": null, "userErrors": [{"field": ["webhookSubscription", "uri"], "message": message}]})
}
