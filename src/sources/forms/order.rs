//! An order out of a generic body, or of one in the shape of WooCommerce or Shopify that came to the generic address.

use serde_json::{Map, Value};

use super::amount::{amount, currency, moment, price};
use super::person::{person, traces};
use super::sheet::{Sheet, cleaned};
use super::{encodings, shapes, shops};
use crate::domain::campaign::MAX_TEXT;
use crate::domain::conversion::Rank;
use crate::domain::fact::{Order, OrderStatus, Person, Refund, Traces};
use crate::domain::money::{Currency, Money};
use crate::domain::outgoing::Item;
use crate::domain::time::Time;
use crate::domain::yes_no;
use crate::json;
use crate::sources::kit::first_text;
use crate::sources::{Home, Reject};

/// Lines beyond these are left out.
const MAX_ITEMS: usize = 500;
/// A number of pieces beyond this is a mistake.
const MAX_QUANTITY: i64 = 1_000_000;

/// Reads an order. Shopify's shape is looked for first, because it too has `line_items`; what names an `order_id` is of neither,
/// whatever else it calls as they do.
pub fn read_order(body: &[u8], content_type: &str, home: &Home) -> Result<Order, Reject> {
    let map = encodings::object(body, content_type)?;
    let has = |name: &str| map.get(name).is_some_and(|v| !v.is_null());
    if has("checkout_token") || (has("order_number") && has("line_items")) {
        shops::shopify(&map, home)
    } else if has("id") && !has("order_id") && (has("billing") || has("line_items")) {
        shops::woocommerce(&map, home)
    } else {
        generic(&map, home)
    }
}

/// Whether a body tells of an order rather than of a question: it has a total, and a number or lines of its own.
pub fn is_order(body: &[u8], content_type: &str) -> bool {
    let Ok(map) = encodings::object(body, content_type) else { return false };
    let has = |names: &[&str]| names.iter().any(|name| map.get(*name).is_some_and(|v| !v.is_null()));
    has(&["total", "total_price", "order_total", "total_amount"]) && has(&["order_id", "order_number", "line_items"])
}

/// An order as its sender told it, before ids and words are weighed.
pub struct Told<'a> {
    pub platform: String,
    pub id: Option<String>,
    pub number: Option<String>,
    pub total: Option<&'a Value>,
    pub currency: Option<String>,
    pub status: OrderStatus,
    pub raw_status: String,
    pub happened_at: Option<String>,
    pub modified_at: Option<String>,
    pub is_test: bool,
    pub person: Person,
    pub traces: Traces,
    pub items: &'a [Value],
    /// Refunds as the shop lists them, if it does.
    pub refunds: Option<&'a [Value]>,
    /// What is left of the total, where the shop says so.
    pub left: Option<&'a Value>,
    /// Names of a line's id, the best first.
    pub item_ids: &'a [&'a str],
}

impl Told<'_> {
    pub fn order(self, home: &Home) -> Result<Order, Reject> {
        let id = self.id.as_deref().and_then(|id| cleaned(id, MAX_TEXT + 1, false)).filter(|id| id.chars().count() <= MAX_TEXT);
        let Some(external_id) = id else {
            return Err(Reject::BadField {
                field: "order_id".into(),
                code: "invalid_field",
                sentence: "order_id must be text of 1 to 255 characters.".into(),
            });
        };
        let currency = currency("total", self.currency.as_deref(), home.currency)?;
        let total = amount("total", self.total.unwrap_or(&Value::Null), currency)?;
        let left = self.left.and_then(|left| amount("total", left, currency).ok()).filter(|left| left.minor <= total.minor);
        let refunded_so_far = left.filter(|_| !self.status.is_reversed()).map(|left| Money::new(total.minor - left.minor, currency));
        // Without a time of change the order of arrival must do.
        let modified_at = moment(self.modified_at.as_deref(), home.now).map_or(home.now, |at: Time| at.min(home.now));
        let refunds: Vec<Refund> = self.refunds.unwrap_or_default().iter().filter_map(|row| refund(row, modified_at, currency)).collect();
        let number = self.number.as_deref().and_then(|n| cleaned(n, MAX_TEXT, false));
        // A day that cannot be read is not today: money would be booked in a month that it is not of.
        let happened_at = match self.happened_at.as_deref().filter(|told| !told.trim().is_empty()) {
            None => home.now,
            Some(told) => moment(Some(told), home.now).ok_or_else(|| Reject::BadField {
                field: "created_at".into(),
                code: "invalid_field",
                sentence: "created_at must be a time like 2026-06-12T10:00:00Z, or seconds since 1970.".into(),
            })?,
        };
        Ok(Order {
            order_number: number.unwrap_or_else(|| external_id.clone()),
            external_id,
            platform: self.platform,
            rank: Rank::GenericOrder,
            happened_at,
            modified_at,
            person: self.person,
            traces: self.traces,
            ended_at: None,
            total,
            tax: None,
            shipping: None,
            discount: None,
            status: self.status,
            raw_status: cleaned(&self.raw_status, MAX_TEXT, false).unwrap_or_default(),
            is_test: self.is_test,
            items: items(self.items, self.item_ids, currency),
            refunds,
            are_refunds_whole: self.refunds.is_some(),
            refunded_so_far,
            journey: Vec::new(),
            is_gone: false,
            was_paid: false,
            is_imported: false,
        })
    }
}

fn generic(map: &Map<String, Value>, home: &Home) -> Result<Order, Reject> {
    let mut sheet = shapes::plain(map);
    let id = sheet.text(&["orderid", "id", "ordernumber", "transactionid"], MAX_TEXT + 1);
    let number = sheet.text(&["ordernumber", "number", "ordername"], MAX_TEXT);
    let total = sheet.value(&["total", "totalamount", "ordertotal", "totalprice", "amount"]);
    let items = sheet.value(&["items", "products", "lines", "contents"]).map(listed).unwrap_or_default();
    let raw_status = sheet.text(&["status", "orderstatus", "paymentstatus", "financialstatus"], MAX_TEXT);
    let told = Told {
        platform: sheet.text(&["platform"], 40).map_or_else(|| "generic".into(), |p| platform_word(&p)),
        id,
        number,
        total: total.as_ref(),
        currency: sheet.text(&["currency", "currencycode"], 16),
        // The senders of old told only what was sold.
        status: raw_status.as_deref().map_or(OrderStatus::Paid, status),
        raw_status: raw_status.unwrap_or_else(|| "paid".into()),
        happened_at: instant(&mut sheet, &["createdat", "datecreatedgmt", "datecreated", "orderdate", "timestamp"]),
        modified_at: instant(&mut sheet, &["modifiedat", "updatedat", "datemodifiedgmt"]),
        is_test: sheet.flag(&["test", "istest"]).unwrap_or(false),
        traces: traces(&mut sheet, None),
        person: person(&mut sheet, home).0,
        items: &items,
        refunds: None,
        left: None,
        item_ids: &["id", "sku", "product_id", "item_id", "variant_id"],
    };
    told.order(home)
}

/// What an order's state means, in the words of shops and payment services. A word that none of them uses does not
/// count as paid.
pub fn status(word: &str) -> OrderStatus {
    let plain: String = word.trim().to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    match plain.strip_prefix("wc-").unwrap_or(&plain) {
        "paid" | "complete" | "completed" | "processing" | "succeeded" | "success" | "successful" | "captured" | "settled" | "shipped"
        | "delivered" | "fulfilled" | "partially-refunded" => OrderStatus::Paid,
        "cancelled" | "canceled" | "failed" | "voided" | "void" | "expired" | "declined" | "rejected" | "trash" | "deleted" => {
            OrderStatus::Cancelled
        }
        "refunded" | "fully-refunded" | "refund" | "chargeback" => OrderStatus::Refunded,
        "draft" | "checkout-draft" | "auto-draft" | "quote" => OrderStatus::Draft,
        _ => OrderStatus::Pending,
    }
}

/// A moment, also where it is a number.
fn instant(sheet: &mut Sheet, keys: &[&str]) -> Option<String> {
    sheet.value(keys).map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned))
}

/// A list, also as the JSON text of one, as form-encoded senders put it.
fn listed(value: Value) -> Vec<Value> {
    match value {
        Value::Array(list) => list,
        Value::String(text) => match json::parse(text.as_bytes()) {
            Ok(Value::Array(list)) => list,
            _ => Vec::new(),
        },
        // `items[0][id]=…`
        Value::Object(map) => map.into_iter().map(|(_, item)| item).collect(),
        _ => Vec::new(),
    }
}

fn items(lines: &[Value], ids: &[&str], currency: Currency) -> Vec<Item> {
    let items = lines.iter().take(MAX_ITEMS).filter_map(|line| {
        let name = first_text(line, &["name", "title", "product_name"]).and_then(|n| cleaned(&n, MAX_TEXT, false));
        let id = first_text(line, ids).and_then(|id| cleaned(&id, MAX_TEXT, false)).filter(|id| id != "0").or_else(|| name.clone())?;
        Some(Item { id, name, quantity: quantity(line), price: line_price(line, currency) })
    });
    items.collect()
}

/// A refund of WooCommerce's list: `total` is below nothing there. It is not dated.
fn refund(row: &Value, at: Time, currency: Currency) -> Option<Refund> {
    let external_id = cleaned(&first_text(row, &["id"])?, MAX_TEXT, false)?;
    let minus = first_text(row, &["total", "amount"])?;
    let amount = price(&Value::from(minus.trim_start_matches('-')), currency).filter(|m| m.minor > 0)?;
    let reason = first_text(row, &["reason"]).and_then(|text| cleaned(&text, MAX_TEXT, false));
    Some(Refund { external_id, happened_at: at, amount, reason })
}

fn line_price(line: &Value, currency: Currency) -> Option<Money> {
    ["price", "unit_price", "item_price"].iter().find_map(|key| price(line.get(*key)?, currency))
}

/// Whole pieces, one where nothing is said; `2.0` is two.
fn quantity(line: &Value) -> i64 {
    let told = first_text(line, &["quantity", "qty"]).unwrap_or_default();
    let whole = told.split('.').next().unwrap_or_default();
    whole.parse::<i64>().map_or(1, |n| n.clamp(0, MAX_QUANTITY))
}

/// A platform's word for itself: small letters, digits and dashes.
fn platform_word(text: &str) -> String {
    let word: String = text.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
    let word = word.trim_matches('-');
    if word.is_empty() { "generic".into() } else { word.to_owned() }
}

/// Whether a shop calls the order a test.
pub fn is_test(map: &Map<String, Value>) -> bool {
    map.get("test").and_then(crate::sources::kit::scalar).and_then(|t| yes_no::read(&t)).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Zone;
    use proptest::prelude::*;
    use serde_json::json;

    fn home() -> Home {
        Home {
            currency: Currency::parse("AED").expect("AED"),
            country: Some("AE".into()),
            zone: Zone::utc(),
            now: Time::parse("2026-06-13T09:20:00Z").expect("a time"),
        }
    }

    fn read(body: Value) -> Result<Order, Reject> {
        read_order(body.to_string().as_bytes(), "application/json", &home())
    }

    #[test]
    fn a_generic_order() {
        let order = read(json!({
            "order_id": 1001, "platform": "My Shop", "total": 12.5, "currency": "usd", "customer": {"id": 7, "email": "Ana@Example.com", "name": "Ana Silva"},
            "phone": "050 123 4567", "session_id": "s1", "items": [{"sku": "A-1", "name": "Cup", "quantity": "2", "price": 5}, {"name": "Gift"}, 3],
            "status": "Completed", "created_at": "2026-06-12T10:00:00Z", "coupons": ["TEN", "XMAS"], "country": "uae", "ip_address": "203.0.113.9", "gclid": "g"
        }))
        .expect("an order");
        assert_eq!((order.external_id.as_str(), order.order_number.as_str(), order.platform.as_str()), ("1001", "1001", "my-shop"));
        assert_eq!(order.total.to_string(), "USD 12.50");
        assert_eq!(order.person.customer_id.as_deref(), Some("7"));
        assert_eq!(order.person.email.map(|e| e.to_string()).as_deref(), Some("ana@example.com"));
        assert_eq!(order.person.country.as_deref(), Some("AE"));
        assert_eq!((order.status, order.rank), (OrderStatus::Paid, Rank::GenericOrder));
        assert_eq!((order.happened_at.utc().as_str(), order.modified_at), ("2026-06-12T10:00:00Z", home().now));
        assert_eq!(order.items.iter().map(|i| (i.id.as_str(), i.quantity)).collect::<Vec<_>>(), [("A-1", 2), ("Gift", 1)]);
        assert_eq!((order.traces.coupons.len(), order.traces.click_ids.len()), (2, 1));
    }

    #[test]
    fn orders_are_form_encoded_too() {
        let form = "order_id=%231001&total=12.50&email=a%40example.com&items%5B0%5D%5Bid%5D=A&items%5B0%5D%5Bqty%5D=3";
        let order = read_order(form.as_bytes(), "application/x-www-form-urlencoded", &home()).expect("an order");
        assert_eq!((order.external_id.as_str(), order.total.to_string().as_str()), ("#1001", "AED 12.50"));
        assert_eq!(order.items, [Item { id: "A".into(), name: None, quantity: 3, price: None }]);
        let text = "order_id=1&total=1&items=%5B%7B%22id%22%3A%22A%22%7D%5D";
        assert_eq!(read_order(text.as_bytes(), "", &home()).map(|o| o.items.len()).ok(), Some(1));
    }

    #[test]
    fn what_is_no_order_is_named() {
        for (body, field, code) in [
            (json!({"total": 1}), "order_id", "invalid_field"),
            (json!({"order_id": "", "total": 1}), "order_id", "invalid_field"),
            (json!({"order_id": 1}), "total", "invalid_amount"),
            (json!({"order_id": 1, "total": "12,50"}), "total", "invalid_amount"),
            (json!({"order_id": 1, "total": "12.50", "currency": "EURO"}), "currency", "invalid_amount"),
            (json!({"order_number": 1, "line_items": [], "total_price": "1"}), "order_id", "invalid_field"),
            (json!({"billing": {}, "id": 1}), "total", "invalid_amount"),
        ] {
            match read(body.clone()) {
                Err(Reject::BadField { field: f, code: c, .. }) => assert_eq!((f.as_str(), c), (field, code), "{body}"),
                other => panic!("{body}: {other:?}"),
            }
        }
    }

    #[test]
    fn words_of_state() {
        for (word, want) in [
            ("paid", OrderStatus::Paid),
            ("wc-processing", OrderStatus::Paid),
            ("Partially Refunded", OrderStatus::Paid),
            ("on-hold", OrderStatus::Pending),
            ("unpaid", OrderStatus::Pending),
            ("something else", OrderStatus::Pending),
            ("Canceled", OrderStatus::Cancelled),
            ("failed", OrderStatus::Cancelled),
            ("refunded", OrderStatus::Refunded),
            ("checkout-draft", OrderStatus::Draft),
        ] {
            assert_eq!(status(word), want, "{word}");
        }
        assert_eq!(read(json!({"order_id": 1, "total": 1})).map(|o| o.status).ok(), Some(OrderStatus::Paid));
    }

    #[test]
    fn a_change_from_the_future_does_not_block_the_next() {
        let order = read(json!({"order_id": 1, "total": 1, "updated_at": "2026-06-13T09:25:00Z"})).expect("an order");
        assert_eq!(order.modified_at, home().now);
    }

    proptest! {
        #[test]
        fn never_panics(body in proptest::collection::vec(any::<u8>(), 0..300), text in "[{}\\[\\]\":,a-z0-9@+.=&%]{0,200}", kind in "\\PC{0,30}") {
            for content_type in [kind.as_str(), "", "application/json"] {
                let _ = read_order(&body, content_type, &home());
                let _ = read_order(text.as_bytes(), content_type, &home());
            }
        }

        #[test]
        fn any_values_under_known_names(names in proptest::collection::vec("(order_id|total|items|billing|line_items|checkout_token|order_number|meta_data|customer|status|currency|id|refunds|note_attributes)", 2..8), text in "\\PC{0,20}", kind in 0..4) {
            let value = match kind { 0 => json!(text), 1 => json!({"id": text, "key": "halo_session_id"}), 2 => json!([{"price": text, "value": [1]}]), _ => json!(-1e300) };
            let map: Map<String, Value> = names.into_iter().map(|n| (n, value.clone())).collect();
            let _ = read_order(Value::Object(map).to_string().as_bytes(), "", &home());
        }
    }
}
