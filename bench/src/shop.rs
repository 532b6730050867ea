//! WooCommerce shops on loopback, as many as asked for, each in a folder of the same host: `/orders-5000/shop001` is a shop
//! with five thousand orders, spread evenly over eighty days. They list their orders by change, have refunds for some, and
//! take webhooks; what they were told of these is read at `/standing`.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::day::{second_of, second_text};

const SPAN_S: i64 = 80 * 86_400;
/// Refunds have the number of their order on top of this.
const FIRST_REFUND: i64 = 10_000_000;
/// Every so many of the orders has a refund.
pub const REFUNDED: i64 = 50;

struct Shops {
    began_s: i64,
    hooks: Mutex<Vec<Value>>,
}

pub fn router() -> Router {
    let began_s = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64);
    Router::new().fallback(answer).with_state(Arc::new(Shops { began_s, hooks: Mutex::new(Vec::new()) }))
}

async fn answer(State(shops): State<Arc<Shops>>, method: Method, uri: Uri, body: Bytes) -> Response {
    if uri.path() == "/standing" {
        return shown(StatusCode::OK, json!(*shops.hooks.lock().unwrap_or_else(|e| e.into_inner())));
    }
    match uri.path().split_once("/wp-json/wc/v3/") {
        Some((folder, route)) => shops.api(&method, folder, route, uri.query().unwrap_or_default(), &body),
        // What deliveries are told: the answer of a platform that took one event.
        None => ([(header::CONTENT_TYPE, "application/json")], r#"{"events_received":1}"#).into_response(),
    }
}

fn shown(status: StatusCode, value: Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

impl Shops {
    fn api(&self, method: &Method, folder: &str, route: &str, query: &str, body: &[u8]) -> Response {
        let count = folder.split('/').find_map(|part| part.strip_prefix("orders-")?.parse().ok()).unwrap_or(0);
        let list = List { began_s: self.began_s, count };
        match (method.as_str(), route.split('/').collect::<Vec<_>>().as_slice()) {
            ("GET", ["orders"]) => list.page(query),
            ("GET", ["orders", id, "refunds"]) => list.refunds(id.parse().unwrap_or(0)),
            ("GET", ["webhooks"]) => shown(StatusCode::OK, json!([])),
            ("POST", ["webhooks"]) => {
                let mut told: Value = serde_json::from_slice(body).unwrap_or_default();
                let mut hooks = self.hooks.lock().unwrap_or_else(|e| e.into_inner());
                (told["id"], told["folder"]) = (json!(hooks.len() + 1), json!(folder));
                hooks.push(told.clone());
                told["secret"] = json!("");
                shown(StatusCode::CREATED, told)
            }
            _ => shown(StatusCode::NOT_FOUND, json!({"code": "rest_no_route", "message": "No route was found.", "data": {"status": 404}})),
        }
    }
}

struct List {
    began_s: i64,
    count: i64,
}

impl List {
    /// When an order was made, and changed last. Orders have the numbers from 1.
    fn at_s(&self, number: i64) -> i64 {
        self.began_s - SPAN_S + SPAN_S * number / (self.count + 1)
    }

    fn page(&self, query: &str) -> Response {
        let of = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).map(plain);
        let number = |name: &str, or: i64| of(name).and_then(|v| v.parse().ok()).unwrap_or(or);
        if of("status").as_deref() == Some("trash") {
            return paged(String::from("[]"), 0, 1);
        }
        let numbers: Vec<i64> = match of("include") {
            Some(ids) => ids.split(',').filter_map(|id| id.parse().ok()).collect(),
            None => {
                let after = of("modified_after").and_then(|t| second_of(&t)).unwrap_or(i64::MIN);
                let before = of("modified_before").and_then(|t| second_of(&t)).unwrap_or(i64::MAX);
                let first = (1..=self.count).collect::<Vec<_>>().partition_point(|n| self.at_s(*n) <= after) as i64 + 1;
                (first..=self.count).take_while(|n| self.at_s(*n) < before).collect()
            }
        };
        let (size, page) = (number("per_page", 10).clamp(1, 100), number("page", 1).max(1));
        let mut text = String::with_capacity(300_000);
        for n in numbers.iter().skip(((page - 1) * size) as usize).take(size as usize) {
            text.push(if text.is_empty() { '[' } else { ',' });
            let told = Told { number: *n, at_s: self.at_s(*n), email: format!("buyer{n}@mail.example"), session: None };
            text.push_str(&told.json(n % REFUNDED == 0, false));
        }
        if text.is_empty() {
            text.push('[');
        }
        text.push(']');
        paged(text, numbers.len() as i64, size)
    }

    fn refunds(&self, number: i64) -> Response {
        let at = second_text((self.at_s(number) + 3_600).min(self.began_s));
        shown(StatusCode::OK, json!([{"id": FIRST_REFUND + number, "date_created_gmt": at, "amount": "10.00", "reason": "Did not fit"}]))
    }
}

fn paged(text: String, count: i64, size: i64) -> Response {
    let pages = (count + size - 1) / size;
    let counts = [("x-wp-total", count.to_string()), ("x-wp-totalpages", pages.to_string())];
    ([(header::CONTENT_TYPE, "application/json")], counts, text).into_response()
}

/// Dates and lists of numbers are all that is escaped in these queries.
fn plain(value: &str) -> String {
    value.replace("%3A", ":").replace("%2C", ",")
}

/// An order as the shop tells it.
pub struct Told {
    pub number: i64,
    pub at_s: i64,
    pub email: String,
    pub session: Option<String>,
}

impl Told {
    /// Whole, as a webhook has it (eight kilobytes, with addresses, taxes, links and what plugins leave), or with the fields
    /// alone that a reader asks for.
    pub fn json(&self, has_refund: bool, is_whole: bool) -> String {
        let Told { number, email, .. } = self;
        let at = second_text(self.at_s);
        let cents = 2_500 + number * 37 % 20_000;
        let total = format!("{}.{:02}", cents / 100, cents % 100);
        let refunds = has_refund.then(|| format!(r#"{{"id":{},"reason":"","total":"-10.00"}}"#, FIRST_REFUND + number)).unwrap_or_default();
        let session = self.session.as_ref().map_or(String::new(), |s| format!(r#",{{"id":9,"key":"_halo_session","value":"{s}"}}"#));
        let address = r#""first_name":"Nora","last_name":"Byrne","company":"","address_1":"4 Quay Street","address_2":"","city":"Galway","state":"G","postcode":"H91 XY01","country":"IE""#;
        let line = |id: i64, name: &str| {
            format!(
                r#"{{"id":{id},"name":"{name}","product_id":{},"variation_id":0,"quantity":1,"tax_class":"","subtotal":"{total}","subtotal_tax":"0.00","total":"{total}","total_tax":"0.00","taxes":[{{"id":1,"total":"0","subtotal":"0"}}],"meta_data":[],"sku":"BOOT-42","price":{}.5,"image":{{"id":"811","src":"https:\/\/shop.example\/wp-content\/uploads\/2026\/05\/boot-brown.jpg"}},"parent_name":null}}"#,
                100 + number % 40,
                cents / 100
            )
        };
        let mut text = format!(
            r#"{{"id":{number},"number":"{number}","status":"processing","currency":"EUR","total":"{total}","total_tax":"0.00","shipping_total":"0.00","discount_total":"0.00","payment_method":"card","customer_id":0,"customer_user_agent":"Mozilla\/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X)","billing":{{{address},"email":"{email}","phone":"+35387{:07}"}},"line_items":[{}],"coupon_lines":[],"refunds":[{refunds}],"date_created_gmt":"{at}","date_modified_gmt":"{at}","date_paid_gmt":"{at}","meta_data":[{{"id":1,"key":"_wc_order_attribution_source_type","value":"utm"}},{{"id":2,"key":"_wc_order_attribution_utm_source","value":"google"}}{session}"#,
            number % 10_000_000,
            line(1, "Walking boot, lined"),
        );
        if is_whole {
            for id in 20..56 {
                text.push_str(&format!(
                    r#",{{"id":{id},"key":"_plugin_note_{id}","value":{{"label":"Kept by another plugin for the invoice and the parcel label","value":"{:032x}"}}}}"#,
                    crate::chance::mix((number * 100 + id) as u64)
                ));
            }
        }
        text.push(']');
        if is_whole {
            text.push_str(&format!(
                r#","parent_id":0,"version":"10.7.0","prices_include_tax":true,"date_created":"{at}","date_modified":"{at}","discount_tax":"0.00","shipping_tax":"0.00","cart_tax":"0.00","order_key":"wc_order_{number:012}","shipping":{{{address}}},"payment_method_title":"Card","transaction_id":"pi_{number:024}","customer_ip_address":"203.0.113.9","created_via":"checkout","customer_note":"","date_completed":null,"date_paid":"{at}","cart_hash":"{:032x}","tax_lines":[],"shipping_lines":[{{"id":3,"method_title":"Post","method_id":"flat_rate","instance_id":"1","total":"0.00","total_tax":"0.00","taxes":[],"meta_data":[]}}],"fee_lines":[],"payment_url":"https:\/\/shop.example\/checkout\/order-pay\/{number}\/?pay_for_order=true","is_editable":false,"needs_payment":false,"needs_processing":true,"currency_symbol":"\u20ac","_links":{{"self":[{{"href":"https:\/\/shop.example\/wp-json\/wc\/v3\/orders\/{number}"}}],"collection":[{{"href":"https:\/\/shop.example\/wp-json\/wc\/v3\/orders"}}]}}"#,
                crate::chance::mix(*number as u64),
            ));
        }
        text.push('}');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_json_of_the_size_that_is_told() {
        let told = Told { number: 7, at_s: 1_781_337_600, email: "a@mail.example".into(), session: Some("abc".into()) };
        let whole = told.json(false, true);
        let value: Value = serde_json::from_str(&whole).expect("JSON");
        assert_eq!((value["id"].as_i64(), value["date_paid_gmt"].as_str()), (Some(7), Some("2026-06-13T08:00:00")));
        assert!((7_000..9_000).contains(&whole.len()), "{} bytes", whole.len());
        assert!(serde_json::from_str::<Value>(&told.json(true, false)).is_ok());
    }
}
