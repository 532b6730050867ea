//! The bodies of webhooks. Which of them a body is, its own shape says: headers are not signed, and the inbox does not
//! keep them.
//! <https://shopify.dev/docs/api/webhooks>, <https://shopify.dev/docs/api/admin-rest/latest/resources/order>

use serde_json::{Map, Value, json};

use super::amount::{exact, first_shop_money};
use super::buyer::person;
use super::journey::Visits;
use super::refund::{self, Till};
use super::told::{Line, Told, bad, codes, items, list, notes, session, till};
use crate::domain::fact::{Order, OrderDeletion, OrderRefund, Traces};
use crate::domain::money::{Currency, Money};
use crate::domain::short_code::found_in_all;
use crate::sources::kit::{first_text, flag, text};
use crate::sources::{Home, Reject};

/// What a body tells of.
#[derive(Debug)]
pub enum Body {
    Order(Box<Order>),
    Refund(OrderRefund),
    /// A refund by which no money has gone back, at least not yet: the order's next telling says if it does.
    NoRefund,
    Deletion(OrderDeletion),
    /// The shop's own record, which Shopify sends when it is through with us.
    Uninstalled {
        shop: String,
    },
    Privacy(Wish),
}

/// What Shopify passes on by its three privacy topics.
/// <https://shopify.dev/docs/apps/build/compliance/privacy-law-compliance>
#[derive(Debug, PartialEq)]
pub enum Wish {
    /// A customer wants to see what is known of them.
    Data(Customer),
    /// A customer is to be forgotten.
    Erasure(Customer),
    /// The shop has left for good: all that came from it is to go.
    Shop,
}

#[derive(Debug, Default, PartialEq)]
pub struct Customer {
    pub email: Option<String>,
    pub phone: Option<String>,
    pub orders: Vec<String>,
}

/// `currency` is the shop's, as it was told when the shop was connected.
pub fn read(map: Map<String, Value>, currency: Option<Currency>, home: &Home) -> Result<Body, Reject> {
    let has = |name: &str| map.get(name).is_some_and(|v| !v.is_null());
    if map.contains_key("line_items") && map.contains_key("total_price") && map.contains_key("financial_status") {
        return order(&Value::Object(map), home).map(|order| Body::Order(Box::new(order)));
    }
    if has("order_id") && (map.contains_key("transactions") || map.contains_key("refund_line_items")) {
        return lone_refund(&Value::Object(map), currency, home);
    }
    if has("shop_domain") && has("shop_id") {
        return privacy(&Value::Object(map)).map(Body::Privacy);
    }
    if has("myshopify_domain") {
        return Ok(Body::Uninstalled { shop: text(&Value::Object(map), "myshopify_domain").unwrap_or_default() });
    }
    // Of a deleted order only its number is left.
    if map.len() == 1
        && let Some(id) = text(&Value::Object(map.clone()), "id")
    {
        return Ok(Body::Deletion(OrderDeletion { order_external_id: id, platform: "shopify".into(), happened_at: home.now }));
    }
    Err(Reject::BadBody("This is neither an order nor a refund of Shopify.".into()))
}

pub fn order(order: &Value, home: &Home) -> Result<Order, Reject> {
    let at = |name: &str| text(order, name);
    let part = |name: &str| order.get(name).unwrap_or(&Value::Null);
    let own = json!({"email": at("email"), "contact_email": at("contact_email"), "phone": at("phone")});
    let (customer, billing, shipping) = (part("customer"), part("billing_address"), part("shipping_address"));
    let currency = at("currency").as_deref().and_then(Currency::parse).unwrap_or(home.currency);
    // Without pairs an order is of a single currency, and its plain amounts are the shop's.
    let money = |bag: &str, plain: &str| first_shop_money(order, &[bag]).or_else(|| exact(order.get(plain)?, currency));
    let total = money("total_price_set", "total_price");
    let till = till(total, order.get("total_price_set"));
    let visits = Visits::of_rest(order);
    let refunds = order.get("refunds");
    Told {
        id: at("id"),
        name: at("name").or_else(|| at("order_number")),
        total,
        tax: money("total_tax_set", "total_tax"),
        shipping: first_shop_money(order, &["total_shipping_price_set"]),
        discount: money("total_discounts_set", "total_discounts"),
        financial_status: at("financial_status"),
        cancelled_at: at("cancelled_at"),
        happened_at: at("processed_at").or_else(|| at("created_at")),
        modified_at: at("updated_at"),
        is_test: flag(order, "test").unwrap_or(false),
        person: person(&[&own, customer, billing, shipping], text(customer, "id"), (billing, shipping), home),
        traces: Traces {
            session: session(list(order.get("note_attributes"))),
            click_ids: visits.click_ids(),
            codes: found_in_all(text(order, "note").into_iter().chain(notes(list(order.get("note_attributes"))))),
            coupons: codes(list(order.get("discount_codes")).iter().filter_map(|line| text(line, "code"))),
            user_agent: order.get("client_details").and_then(|d| text(d, "user_agent")).map(|a| a.chars().take(1_024).collect()),
            // `buyer_accepts_marketing` is about newsletters: neither a yes nor a no to being measured.
            ..Traces::default()
        },
        items: items(list(order.get("line_items")).iter().map(|line| Line {
            ids: ["product_id", "sku", "variant_id", "id"].map(|key| text(line, key)).into(),
            name: first_text(line, &["title", "name"]),
            quantity: text(line, "quantity"),
            price: first_shop_money(line, &["price_set"]).or_else(|| exact(line.get("price")?, till.currency.unwrap_or(currency))),
            off: off(line, till.currency.unwrap_or(currency)),
        })),
        refunds: list(refunds).iter().map(|r| refund::read(r, till, home.now)).collect(),
        are_refunds_listed: refunds.is_some_and(Value::is_array),
        visits,
    }
    .order(home)
}

/// The line's share of all discounts.
fn off(line: &Value, currency: Currency) -> Option<Money> {
    let mut sum = 0_i64;
    for share in list(line.get("discount_allocations")) {
        let money = first_shop_money(share, &["amount_set"]).or_else(|| exact(share.get("amount")?, currency))?;
        sum = sum.checked_add(money.minor).filter(|_| money.currency == currency)?;
    }
    (sum > 0).then(|| Money::new(sum, currency))
}

/// A refund that comes without its order, and maybe before it.
fn lone_refund(value: &Value, currency: Option<Currency>, home: &Home) -> Result<Body, Reject> {
    let order = text(value, "order_id").ok_or_else(|| bad("order_id", "order_id must be the number of the order."))?;
    text(value, "id").ok_or_else(|| bad("id", "id must be the number of the refund."))?;
    match refund::read(value, Till { currency, rate: None }, home.now) {
        refund::Told::Refund(refund) => Ok(Body::Refund(OrderRefund { order_external_id: order, platform: "shopify".into(), refund })),
        refund::Told::NoMoney => Ok(Body::NoRefund),
        refund::Told::Unclear => {
            Err(bad("transactions_price", "The refund is in a currency that is not the shop's. The next pull brings it."))
        }
    }
}

fn privacy(value: &Value) -> Result<Wish, Reject> {
    let told = value.get("customer").filter(|c| c.is_object());
    let orders = |key: &str| list(value.get(key)).iter().filter_map(crate::sources::kit::scalar).take(500).collect::<Vec<_>>();
    let customer = |key: &str| Customer {
        email: told.and_then(|c| text(c, "email")),
        phone: told.and_then(|c| text(c, "phone")),
        orders: orders(key),
    };
    if value.get("orders_requested").is_some() || value.get("data_request").is_some() {
        return Ok(Wish::Data(customer("orders_requested")));
    }
    match told {
        Some(_) => Ok(Wish::Erasure(customer("orders_to_redact"))),
        None => Ok(Wish::Shop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::{Time, Zone};
    use proptest::prelude::*;

    fn home() -> Home {
        let now = Time::parse("2026-06-13T09:20:00Z").expect("a time");
        Home { currency: Currency::parse("USD").expect("USD"), country: Some("US".into()), zone: Zone::utc(), now }
    }

    fn told(body: Value) -> String {
        let Value::Object(map) = body else { panic!("an object") };
        match read(map, None, &home()) {
            Ok(Body::Order(order)) => format!("order {}", order.external_id),
            Ok(Body::Refund(refund)) => format!("refund {} of {}", refund.refund.external_id, refund.order_external_id),
            Ok(Body::NoRefund) => "no refund".into(),
            Ok(Body::Deletion(gone)) => format!("deletion {}", gone.order_external_id),
            Ok(Body::Uninstalled { shop }) => format!("uninstalled {shop}"),
            Ok(Body::Privacy(wish)) => format!("{wish:?}"),
            Err(_) => "refused".into(),
        }
    }

    #[test]
    fn a_body_says_itself_what_it_is() {
        let order =
            json!({"id": 9_007_199_254_740_993_u64, "total_price": "5.00", "currency": "USD", "financial_status": null, "line_items": []});
        for (body, want) in [
            (order, "order 9007199254740993"),
            (
                json!({"id": 7, "order_id": 8, "transactions": [{"kind": "refund", "status": "success", "amount": "1.00", "currency": "USD"}]}),
                "refund 7 of 8",
            ),
            (json!({"id": 7, "order_id": 8, "transactions": []}), "no refund"),
            (json!({"id": 7, "order_id": 8, "fulfillments": []}), "refused"),
            (json!({"id": 7}), "deletion 7"),
            (json!({"id": null}), "refused"),
            (json!({"myshopify_domain": "cups.myshopify.com", "id": 1}), "uninstalled cups.myshopify.com"),
            (json!({"shop_id": 1, "shop_domain": "cups.myshopify.com"}), "Shop"),
            (json!({}), "refused"),
        ] {
            assert_eq!(told(body.clone()), want, "{body}");
        }
        let wish = json!({"shop_id": 1, "shop_domain": "x", "customer": {"email": "a@b.example"}, "orders_to_redact": [5]});
        assert!(told(wish).starts_with("Erasure"));
        let wish = json!({"shop_id": 1, "shop_domain": "x", "customer": {"email": "a@b.example"}, "orders_requested": [], "data_request": {"id": 1}});
        assert!(told(wish).starts_with("Data"));
    }

    proptest! {
        #[test]
        fn any_values_under_known_names(
            names in proptest::collection::vec("(id|order_id|total_price|total_price_set|currency|line_items|financial_status|refunds|transactions|note_attributes|customer|billing_address|discount_codes|landing_site|cancelled_at|updated_at|client_details|shop_id|shop_domain|refund_line_items)", 2..12),
            text in "\\PC{0,20}", kind in 0..5,
        ) {
            let value = match kind {
                0 => json!(text),
                1 => json!([{"id": text, "kind": "refund", "status": "success", "amount": "9e99", "currency": text, "price": -1, "quantity": -7}]),
                2 => json!({"shop_money": {"amount": "99999999999999.99", "currency_code": "USD"}, "presentment_money": {"amount": "0.01", "currency_code": "USD"}}),
                3 => json!(-1e300),
                _ => json!([[text], null, 7, {"name": [text], "value": {}}]),
            };
            let map: Map<String, Value> = names.into_iter().map(|n| (n, value.clone())).collect();
            let _ = read(map.clone(), None, &home());
            let _ = order(&Value::Object(map.clone()), &home());
            let _ = super::super::node::order(&Value::Object(map), &home());
        }
    }
}
