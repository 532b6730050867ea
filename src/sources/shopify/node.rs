//! An order as a page of GraphQL tells it.
//! <https://shopify.dev/docs/api/admin-graphql/latest/objects/Order>

use serde_json::{Value, json};

use super::amount::{first_shop_money, shop_money};
use super::buyer::{number_of, person};
use super::journey::Visits;
use super::refund;
use super::told::{Line, Told, codes, items, list, notes, session, till};
use crate::domain::fact::{Order, Traces};
use crate::domain::money::{Currency, Money};
use crate::domain::short_code::found_in_all;
use crate::sources::kit::{flag, scalar, text};
use crate::sources::{Home, Reject};

/// Refunds that a page asks for; a list of so many may have been cut.
pub const MOST_REFUNDS: usize = 100;

pub fn order(node: &Value, home: &Home) -> Result<Order, Reject> {
    let at = |name: &str| text(node, name);
    let part = |name: &str| node.get(name).unwrap_or(&Value::Null);
    let own = json!({"email": at("email"), "phone": at("phone")});
    let (customer, billing) = (part("customer"), part("billingAddress"));
    let total = first_shop_money(node, &["totalPriceSet"]);
    let till = till(total, node.get("totalPriceSet"));
    let visits = Visits::of_summary(node.get("customerJourneySummary"));
    let refunds = node.get("refunds");
    Told {
        id: at("legacyResourceId").or_else(|| at("id").map(|gid| number_of(&gid))),
        name: at("name"),
        total,
        tax: first_shop_money(node, &["totalTaxSet"]),
        shipping: first_shop_money(node, &["totalShippingPriceSet"]),
        discount: first_shop_money(node, &["totalDiscountsSet"]),
        financial_status: at("displayFinancialStatus"),
        cancelled_at: at("cancelledAt"),
        happened_at: at("processedAt").or_else(|| at("createdAt")),
        modified_at: at("updatedAt"),
        is_test: flag(node, "test").unwrap_or(false),
        person: person(
            &[&own, customer, billing],
            text(customer, "id").map(|gid| number_of(&gid)),
            (billing, part("shippingAddress")),
            home,
        ),
        traces: Traces {
            session: session(list(node.get("customAttributes"))),
            click_ids: visits.click_ids(),
            codes: found_in_all(at("note").into_iter().chain(notes(list(node.get("customAttributes"))))),
            coupons: codes(list(node.get("discountCodes")).iter().filter_map(scalar)),
            ..Traces::default()
        },
        items: items(list(node.pointer("/lineItems/nodes")).iter().map(|line| Line {
            ids: vec![
                line.get("product").and_then(|p| text(p, "legacyResourceId")),
                text(line, "sku"),
                text(line, "id").map(|gid| number_of(&gid)),
            ],
            name: text(line, "title"),
            quantity: text(line, "quantity"),
            price: first_shop_money(line, &["originalUnitPriceSet"]),
            off: total.and_then(|t| off(line, t.currency)),
        })),
        refunds: list(refunds).iter().map(|r| refund::read(r, till, home.now)).collect(),
        are_refunds_listed: refunds.and_then(Value::as_array).is_some_and(|all| all.len() < MOST_REFUNDS),
        visits,
    }
    .order(home)
}

/// The line's share of all discounts.
fn off(line: &Value, currency: Currency) -> Option<Money> {
    let shares = list(line.get("discountAllocations")).iter().filter_map(|share| shop_money(share.get("allocatedAmountSet")?));
    let sum: i64 = shares.filter(|money| money.currency == currency).map(|money| money.minor).fold(0, i64::saturating_add);
    (sum > 0).then(|| Money::new(sum, currency))
}

#[cfg(test)]
mod tests {
    use super::super::rest;
    use super::*;
    use crate::domain::time::{Time, Zone};

    fn home() -> Home {
        let now = Time::parse("2026-06-13T09:20:00Z").expect("a time");
        Home { currency: Currency::parse("AED").expect("AED"), country: Some("AE".into()), zone: Zone::utc(), now }
    }

    /// What matters most of the two shapes: one order is one order, whichever way it comes.
    #[test]
    fn both_shapes_tell_the_same_order() {
        let note = format!("Seen in your window, my code is {}", crate::domain::short_code::of_session("v1.Zk3JQmT7xN0pRwYb5LhG2cUa"));
        let rest = json!({
            "note": note,
            "id": 5_912_345_678_901_u64, "name": "#1001", "order_number": 1001, "email": "Ann@Mail.example", "phone": null,
            "created_at": "2026-06-10T06:00:00-04:00", "processed_at": "2026-06-10T06:00:00-04:00", "updated_at": "2026-06-11T06:00:00-04:00",
            "cancelled_at": null, "test": false, "currency": "USD", "financial_status": "partially_refunded", "total_price": "50.00",
            "total_tax": "4.00", "total_discounts": "10.00", "total_shipping_price_set": {"shop_money": {"amount": "5.00", "currency_code": "USD"}},
            "discount_codes": [{"code": "TEN", "amount": "10.00"}], "note_attributes": [{"name": "_halo_session", "value": "s1"}],
            "customer": {"id": 7_012_345, "first_name": "Ann", "last_name": "Lee", "phone": "+14155552671"},
            "billing_address": {"first_name": "Ann", "last_name": "Lee", "country_code": "US", "city": "Reno", "zip": "89501", "address1": "1 Mill St"},
            "line_items": [{"id": 1, "product_id": 77, "sku": "CUP-1", "title": "Cup", "quantity": 2, "price": "25.50",
                "discount_allocations": [{"amount": "10.00"}]}],
            "refunds": [{"id": 88, "created_at": "2026-06-11T06:00:00-04:00", "note": null,
                "transactions": [{"kind": "refund", "status": "success", "amount": "12.50", "currency": "USD"}]}]
        });
        let usd = |amount: &str| json!({"shopMoney": {"amount": amount, "currencyCode": "USD"}});
        let node = json!({
            "note": note,
            "legacyResourceId": "5912345678901", "name": "#1001", "email": "ann@mail.example", "phone": null, "createdAt": "2026-06-10T10:00:00Z",
            "processedAt": "2026-06-10T10:00:00Z", "updatedAt": "2026-06-11T10:00:00Z", "cancelledAt": null, "test": false,
            "displayFinancialStatus": "PARTIALLY_REFUNDED", "totalPriceSet": usd("50.0"), "totalTaxSet": usd("4.0"), "totalDiscountsSet": usd("10.0"),
            "totalShippingPriceSet": usd("5.0"), "discountCodes": ["TEN"], "customAttributes": [{"key": "_halo_session", "value": "s1"}],
            "customer": {"id": "gid://shopify/Customer/7012345", "firstName": "Ann", "lastName": "Lee", "defaultEmailAddress": null,
                "defaultPhoneNumber": {"phoneNumber": "+14155552671"}},
            "billingAddress": {"firstName": "Ann", "lastName": "Lee", "countryCodeV2": "US", "city": "Reno", "zip": "89501", "address1": "1 Mill St"},
            "lineItems": {"nodes": [{"id": "gid://shopify/LineItem/1", "title": "Cup", "sku": "CUP-1", "quantity": 2, "product": {"legacyResourceId": "77"},
                "originalUnitPriceSet": usd("25.5"), "discountAllocations": [{"allocatedAmountSet": usd("10.0")}]}]},
            "refunds": [{"legacyResourceId": "88", "createdAt": "2026-06-11T10:00:00Z", "note": null, "totalRefundedSet": usd("12.5"),
                "transactions": {"nodes": [{"kind": "REFUND", "status": "SUCCESS", "amountSet": usd("12.5")}]}}],
            "customerJourneySummary": {"ready": false, "firstVisit": null, "lastVisit": null}
        });
        let (a, b) = (rest::order(&rest, &home()).expect("an order"), order(&node, &home()).expect("an order"));
        assert_eq!(format!("{a:?}"), format!("{b:?}"));
        assert_eq!((a.order_number.as_str(), a.items[0].price.map(|p| p.minor), a.refunds.len()), ("1001", Some(2_050), 1));
        assert!(a.are_refunds_whole);
        assert_eq!(b.traces.codes.len(), 1, "what the buyer wrote beside the order");
    }

    #[test]
    fn an_order_without_its_customer_is_an_order() {
        let node = json!({"legacyResourceId": "1", "name": "#1", "totalPriceSet": {"shopMoney": {"amount": "5.0", "currencyCode": "EUR"}},
            "displayFinancialStatus": "PAID", "customer": null, "email": null, "refunds": null, "lineItems": null, "customerJourneySummary": null});
        let told = order(&node, &home()).expect("an order");
        assert_eq!((told.person.email, told.total.to_string().as_str(), told.are_refunds_whole), (None, "EUR 5.00", false));
        assert!(order(&json!({"legacyResourceId": "1"}), &home()).is_err(), "without a total it is none");
    }
}
