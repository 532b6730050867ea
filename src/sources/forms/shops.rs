//! WooCommerce and Shopify orders that were posted to the generic address: what an order is made of and how much
//! of it went back, no more. Taxes and journeys are read where the shops themselves are connected.
//! <https://woocommerce.github.io/woocommerce-rest-api-docs/#order-properties>,
//! <https://shopify.dev/docs/api/admin-rest/latest/resources/order>

use serde_json::{Map, Value, json};

use super::order::{Told, is_test, status};
use super::person::iso_country;
use crate::domain::campaign::landing;
use crate::domain::coupon;
use crate::domain::fact::{Order, OrderStatus, Person, Stated, Traces};
use crate::domain::person::{Email, Name, Phone};
use crate::domain::short_code::found_in_all;
use crate::sources::kit::{first_text, scalar, text};
use crate::sources::{Home, Reject};

/// Where the page script and the shop's own settings leave the visit.
const SESSION: &[&str] = &["_halo_session", "halo_session_id", "_halo"];

pub fn woocommerce(map: &Map<String, Value>, home: &Home) -> Result<Order, Reject> {
    let at = |name: &str| map.get(name).and_then(scalar);
    let billing = map.get("billing").unwrap_or(&Value::Null);
    let raw_status = at("status").unwrap_or_else(|| "paid".into());
    let paid_at = at("date_paid_gmt");
    let state = match status(&raw_status) {
        // A plug-in's own word for an order whose money has come.
        OrderStatus::Pending if paid_at.is_some() && !matches!(raw_status.as_str(), "pending" | "on-hold") => OrderStatus::Paid,
        other if at("status").is_some() => other,
        _ => OrderStatus::Paid,
    };
    let meta = pairs(map.get("meta_data"), "key", "value");
    let utm = |name: &str| find(&meta, &[&format!("_wc_order_attribution_utm_{name}")]).filter(|v| !v.starts_with('('));
    let told = Told {
        platform: "woocommerce".into(),
        id: at("id"),
        number: at("number"),
        total: map.get("total"),
        currency: at("currency"),
        status: state,
        raw_status,
        happened_at: paid_at.or_else(|| at("date_created_gmt")).or_else(|| at("date_created")),
        modified_at: at("date_modified_gmt"),
        is_test: is_test(map),
        // 0 stands for a guest.
        person: person((billing, map.get("shipping").unwrap_or(&Value::Null)), at("customer_id").filter(|id| id != "0"), &[billing], home),
        traces: Traces {
            session: find(&meta, SESSION),
            codes: found_in_all(at("customer_note").into_iter().chain(meta.iter().map(|(_, value)| value.clone()))),
            coupons: codes(map.get("coupon_lines")),
            stated: utm("source").map(|source| Stated { source, medium: utm("medium"), campaign: utm("campaign") }),
            user_agent: at("customer_user_agent"),
            ..Traces::default()
        },
        items: list(map.get("line_items")),
        refunds: map.get("refunds").and_then(Value::as_array).map(Vec::as_slice),
        left: None,
        item_ids: &["sku", "product_id", "id"],
    };
    told.order(home)
}

pub fn shopify(map: &Map<String, Value>, home: &Home) -> Result<Order, Reject> {
    let at = |name: &str| map.get(name).and_then(scalar);
    let part = |name: &str| map.get(name).unwrap_or(&Value::Null);
    let raw_status = at("financial_status").unwrap_or_else(|| "paid".into());
    let is_cancelled = at("cancelled_at").is_some();
    let notes = pairs(map.get("note_attributes"), "name", "value");
    let page = landing(&at("landing_site").unwrap_or_default(), &[]);
    let (customer, billing) = (part("customer"), part("billing_address"));
    // The order's own e-mail and number come before the customer's.
    let own = json!({"email": at("email").or_else(|| at("contact_email")), "phone": at("phone")});
    let told = Told {
        platform: "shopify".into(),
        id: at("id"),
        number: at("order_number").or_else(|| at("name")),
        total: map.get("total_price").or_else(|| map.get("current_total_price")),
        currency: at("currency"),
        status: if is_cancelled { OrderStatus::Cancelled } else { status(&raw_status) },
        raw_status: if is_cancelled { "cancelled".into() } else { raw_status },
        happened_at: at("processed_at").or_else(|| at("created_at")),
        modified_at: at("updated_at"),
        is_test: is_test(map),
        person: person(
            (billing, part("shipping_address")),
            text(customer, "id"),
            &[&own, customer, billing, part("shipping_address")],
            home,
        ),
        traces: Traces {
            session: find(&notes, SESSION),
            codes: found_in_all(at("note").into_iter().chain(notes.iter().map(|(_, value)| value.clone()))),
            click_ids: page.clicks.iter().map(|(_, id)| id.to_owned()).collect(),
            coupons: codes(map.get("discount_codes")),
            stated: page.utm.source.map(|source| Stated { source, medium: page.utm.medium, campaign: page.utm.campaign }),
            user_agent: map.get("client_details").and_then(|d| text(d, "user_agent")),
            ..Traces::default()
        },
        items: list(map.get("line_items")),
        refunds: None,
        left: map.get("total_price").and(map.get("current_total_price")),
        item_ids: &["sku", "variant_id", "product_id", "id"],
    };
    told.order(home)
}

/// The buyer: where they live from `address`, where the goods go from `goods`, the rest from the first of `told` that has it.
fn person((address, goods): (&Value, &Value), customer_id: Option<String>, told: &[&Value], home: &Home) -> Person {
    let first = |keys: &[&str]| told.iter().find_map(|part| first_text(part, keys));
    let country_of = |address: &Value| first_text(address, &["country_code", "country"]).as_deref().and_then(iso_country);
    let country = country_of(address);
    let dialled_in = country.as_deref().or(home.country.as_deref());
    let name = Name::from_parts(first(&["first_name"]).as_deref(), first(&["last_name"]).as_deref());
    Person {
        email: told.iter().find_map(|part| Email::parse(&text(part, "email")?)),
        phone: told.iter().find_map(|part| Phone::parse(&text(part, "phone")?, dialled_in)),
        first_name: name.first,
        last_name: name.last,
        company: first_text(address, &["company"]),
        customer_id,
        city: first_text(address, &["city"]),
        postcode: first_text(address, &["postcode", "zip"]),
        country,
        address: first_text(address, &["address_1", "address1"]),
        sent_to: country_of(goods),
    }
}

/// Named values of a list such as `[{"key": …, "value": …}]`; values that are no text are left out.
fn pairs(value: Option<&Value>, name: &str, content: &str) -> Vec<(String, String)> {
    list(value).iter().filter_map(|p| Some((text(p, name)?, text(p, content)?))).collect()
}

fn find(pairs: &[(String, String)], names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| pairs.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone()))
}

fn codes(value: Option<&Value>) -> Vec<String> {
    coupon::codes(list(value).iter().filter_map(|line| text(line, "code")))
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;
    use crate::domain::time::{Time, Zone};

    fn home() -> Home {
        let now = Time::parse("2026-06-13T09:20:00Z").expect("a time");
        Home { currency: Currency::parse("AED").expect("AED"), country: Some("AE".into()), zone: Zone::utc(), now }
    }

    fn woo(fields: Value) -> Order {
        let mut map = json!({"id": 7, "total": "10.00", "billing": {"country": "CZ", "phone": "601 123 456"}, "line_items": []});
        map.as_object_mut().expect("an object").extend(fields.as_object().cloned().unwrap_or_default());
        woocommerce(map.as_object().expect("an object"), &home()).expect("an order")
    }

    #[test]
    fn a_woo_order_counts_by_its_money() {
        for (fields, want) in [
            (json!({"status": "processing"}), OrderStatus::Paid),
            (json!({"status": "on-hold", "date_paid_gmt": "2026-06-01T00:00:00"}), OrderStatus::Pending),
            (json!({"status": "packing", "date_paid_gmt": "2026-06-01T00:00:00"}), OrderStatus::Paid),
            (json!({"status": "packing", "date_paid_gmt": null}), OrderStatus::Pending),
            (json!({"status": "trash"}), OrderStatus::Cancelled),
            (json!({}), OrderStatus::Paid),
        ] {
            assert_eq!(woo(fields.clone()).status, want, "{fields}");
        }
    }

    #[test]
    fn numbers_are_dialled_in_the_buyers_country() {
        let order = woo(json!({"customer_id": 0, "meta_data": [{"key": "x", "value": {}}, {"key": "_halo_session", "value": "s"}]}));
        assert_eq!(order.person.phone.map(|p| p.as_str().to_owned()).as_deref(), Some("+420601123456"));
        assert_eq!((order.person.customer_id, order.traces.session.as_deref()), (None, Some("s")));
    }

    #[test]
    fn a_cancelled_shopify_order_is_cancelled_however_it_was_paid() {
        let map = json!({"id": 5_000_000_000_000_u64, "order_number": 1001, "checkout_token": "c", "total_price": "10.00", "currency": "EUR", "email": "",
            "contact_email": "a@example.com", "financial_status": "paid", "cancelled_at": "2026-06-12T10:00:00+02:00"});
        let order = shopify(map.as_object().expect("an object"), &home()).expect("an order");
        assert_eq!(
            (order.status, order.external_id.as_str(), order.order_number.as_str()),
            (OrderStatus::Cancelled, "5000000000000", "1001")
        );
        assert_eq!(order.person.email.map(|e| e.to_string()).as_deref(), Some("a@example.com"));
    }

    #[test]
    fn what_went_back_comes_off_in_part() {
        let order =
            woo(json!({"status": "completed", "refunds": [{"id": 71, "reason": "Broken", "total": "-2.50"}, {"id": 72, "total": "0"}]}));
        let back: Vec<(String, i64)> = order.refunds.iter().map(|r| (r.external_id.clone(), r.amount.minor)).collect();
        assert_eq!((order.total.minor, back, order.are_refunds_whole), (1_000, vec![("71".into(), 250)], true));
        assert!(!woo(json!({"status": "completed"})).are_refunds_whole, "a body without the list says nothing of refunds");
        let map = |left: Value| json!({"id": 5, "order_number": 1001, "line_items": [], "total_price": "10.00", "current_total_price": left, "currency": "EUR", "financial_status": "partially_refunded"});
        for (left, want) in [(json!("7.50"), Some(250)), (json!("10.00"), Some(0)), (json!(null), None), (json!("12.00"), None)] {
            let order = shopify(map(left.clone()).as_object().expect("an object"), &home()).expect("an order");
            assert_eq!((order.total.minor, order.refunded_so_far.map(|m| m.minor)), (1_000, want), "{left}");
        }
    }
}
