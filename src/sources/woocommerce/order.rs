//! One order, as a delivery, the list of orders and the answer to a single question show it alike.
//! <https://woocommerce.github.io/woocommerce-rest-api-docs/#order-properties>

use std::collections::BTreeMap;

use serde_json::Value;

use super::text::{readable, short};
use super::{SLUG, amount, buyer, journey, status};
use crate::domain::conversion::Rank;
use crate::domain::coupon;
use crate::domain::fact::{Order, Refund, Traces};
use crate::domain::money::{Currency, Money};
use crate::domain::outgoing::Item;
use crate::domain::platform::Settings;
use crate::domain::short_code::found_in_all;
use crate::domain::time::{MINUTE_MS, Time};
use crate::sources::kit::{self, first_text};
use crate::sources::{Home, Reject};

/// Lines beyond these are left out.
const MOST_ITEMS: usize = 500;
/// A number of pieces beyond this is a mistake.
const MOST_PIECES: i64 = 1_000_000;
/// A shop's clock may be this far ahead of ours; what lies further ahead happened now.
const AHEAD_MS: i64 = 10 * MINUTE_MS;

/// Days of refunds by their ids, as their own rows tell them.
pub type Days = BTreeMap<String, Time>;

/// Reads an order. A refund that `days` does not date is dated by the change that brought it.
pub fn read(order: &Value, settings: &Settings, home: &Home, days: &Days) -> Result<Order, Reject> {
    let external_id = id(order).ok_or_else(|| Reject::BadField {
        field: "id".into(),
        code: "invalid_field",
        sentence: "id must be the whole number of an order.".into(),
    })?;
    let currency = amount::currency(order, home.currency)?;
    let total = amount::total(order, currency)?;
    let raw_status = short(order, "status").unwrap_or_default();
    let ordered_at = utc(order, "date_created", home.now);
    let paid_at = utc(order, "date_paid", home.now);
    let happened_at = sold_at(order, ordered_at, paid_at).unwrap_or(home.now);
    let modified_at = utc(order, "date_modified", home.now).or(ordered_at).unwrap_or(home.now).min(home.now);
    let refunds = refunds(order, currency, days, modified_at);
    Ok(Order {
        order_number: short(order, "number").unwrap_or_else(|| external_id.clone()),
        external_id,
        platform: SLUG.into(),
        rank: Rank::Shop,
        happened_at,
        modified_at,
        ended_at: None,
        person: buyer::read(order, home),
        traces: Traces {
            session: journey::session(order),
            click_ids: journey::click_ids(order),
            codes: found_in_all(journey::notes(order)),
            coupons: coupon::codes(list(order, "coupon_lines").iter().filter_map(|line| short(line, "code"))),
            user_agent: kit::text(order, "customer_user_agent").filter(|agent| agent.len() <= 1_024),
            ..Traces::default()
        },
        total,
        tax: amount::part(order.get("total_tax"), currency),
        shipping: amount::part(order.get("shipping_total"), currency),
        discount: amount::part(order.get("discount_total"), currency),
        status: status::read(&raw_status, paid_at.is_some(), settings.is_on("count_on_hold")),
        is_gone: status::is_gone(&raw_status),
        was_paid: paid_at.is_some() && status::is_over(&raw_status),
        raw_status,
        is_test: journey::is_test(order),
        items: list(order, "line_items").iter().flat_map(|line| items(line, currency)).take(MOST_ITEMS).collect(),
        refunds,
        // The list of an order is always the whole list.
        are_refunds_whole: order.get("refunds").is_some_and(Value::is_array),
        refunded_so_far: None,
        journey: journey::read(order, ordered_at.unwrap_or(happened_at)),
        is_imported: false,
    })
}

/// The number of an order, which is not always the number that the buyer sees.
pub fn id(order: &Value) -> Option<String> {
    let text = kit::text(order, "id")?;
    text.parse::<u64>().ok().filter(|id| *id > 0).map(|id| id.to_string())
}

/// Whether the order has money to give back or given back.
pub fn has_refunds(order: &Value) -> bool {
    !list(order, "refunds").is_empty()
}

/// When the shop last changed it, by the shop's own clock.
pub fn changed_at(order: &Value) -> Option<Time> {
    kit::text(order, "date_modified_gmt").as_deref().and_then(Time::parse)
}

/// When it was sold: paid, else ordered. What is paid to the postman was sold when it was ordered; the shop dates that
/// payment when the parcel is marked as delivered, or never.
fn sold_at(order: &Value, ordered_at: Option<Time>, paid_at: Option<Time>) -> Option<Time> {
    match kit::text(order, "payment_method").as_deref() {
        Some("cod") => ordered_at.or(paid_at),
        _ => paid_at.or(ordered_at),
    }
}

/// The UTC column of a date. The column without `_gmt` is the shop's local time and is taken only where there is no
/// other, in bodies of shops from before 2017.
fn utc(order: &Value, name: &str, now: Time) -> Option<Time> {
    let told = kit::text(order, &format!("{name}_gmt")).or_else(|| match order.get(format!("{name}_gmt")) {
        None => kit::text(order, name),
        Some(_) => None,
    });
    let at = told.as_deref().and_then(Time::parse)?;
    Some(if at.ms_since(now) > AHEAD_MS { now } else { at })
}

fn refunds(order: &Value, currency: Currency, days: &Days, modified_at: Time) -> Vec<Refund> {
    let one = |row: &Value| {
        let external_id = id(row)?;
        Some(Refund {
            happened_at: days.get(&external_id).copied().unwrap_or(modified_at),
            amount: amount::back(row.get("total"), currency)?,
            reason: readable(row, "reason"),
            external_id,
        })
    };
    list(order, "refunds").iter().filter_map(one).collect()
}

/// A line by what its pieces cost to the minor unit: three for 50.00 are two at 16.67 and one at 16.66, so that lines add
/// up to what the shop says.
fn items(line: &Value, currency: Currency) -> Vec<Item> {
    let name = readable(line, "name");
    let product = first_text(line, &["product_id"]).filter(|id| id != "0");
    let Some(id) = product.or_else(|| short(line, "sku")).or_else(|| name.clone()) else { return Vec::new() };
    let told = first_text(line, &["quantity"]).unwrap_or_default();
    let pieces = told.split('.').next().unwrap_or_default().parse::<i64>().map_or(1, |n| n.clamp(0, MOST_PIECES));
    let item = |quantity: i64, price: Option<Money>| Item { id: id.clone(), name: name.clone(), quantity, price };
    let sum = amount::part(line.get("total"), currency).filter(|sum| sum.minor >= 0);
    let Some(sum) = sum.filter(|_| pieces > 0) else { return vec![item(pieces, None)] };
    let (each, over) = (sum.minor / pieces, sum.minor % pieces);
    let priced = |quantity: i64, minor: i64| item(quantity, Some(Money::new(minor, currency)));
    match over {
        0 => vec![priced(pieces, each)],
        _ => vec![priced(over, each + 1), priced(pieces - over, each)],
    }
}

fn list<'a>(order: &'a Value, key: &str) -> &'a [Value] {
    order.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fact::OrderStatus;
    use crate::domain::time::Zone;
    use proptest::prelude::*;
    use serde_json::json;

    fn home() -> Home {
        let now = Time::parse("2026-06-13T09:20:00Z").expect("a time");
        Home { currency: Currency::parse("AED").expect("AED"), country: Some("AE".into()), zone: Zone::utc(), now }
    }

    fn body(fields: Value) -> Value {
        let mut map = json!({
            "id": 731, "number": "731", "status": "processing", "currency": "EUR", "total": "60.00", "total_tax": "10.00",
            "date_created_gmt": "2026-06-10T08:00:00", "date_created": "2026-06-10T10:00:00", "date_modified_gmt": "2026-06-11T09:00:00",
            "date_paid_gmt": "2026-06-10T08:05:00", "payment_method": "card", "refunds": [],
            "billing": {"email": "Ann@Shop.example", "phone": "601 123 456", "country": "CZ", "first_name": "Ann"}, "line_items": []
        });
        map.as_object_mut().expect("an object").extend(fields.as_object().cloned().unwrap_or_default());
        map
    }

    fn order(fields: Value) -> Order {
        read(&body(fields), &Settings::default(), &home(), &Days::default()).expect("an order")
    }

    #[test]
    fn a_sale_is_dated_by_its_payment_in_utc() {
        for (fields, want) in [
            (json!({}), "2026-06-10T08:05:00Z"),
            (json!({"date_paid_gmt": null}), "2026-06-10T08:00:00Z"),
            (json!({"payment_method": "cod"}), "2026-06-10T08:00:00Z"),
            (json!({"payment_method": "cod", "date_paid_gmt": null}), "2026-06-10T08:00:00Z"),
            (json!({"date_paid_gmt": null, "date_created_gmt": null}), "2026-06-13T09:20:00Z"),
            (json!({"date_paid_gmt": "2030-01-01T00:00:00"}), "2026-06-13T09:20:00Z"),
        ] {
            assert_eq!(order(fields.clone()).happened_at.utc(), want, "{fields}");
        }
        let late = order(json!({"date_modified_gmt": "2026-06-13T09:24:00"}));
        assert_eq!(late.modified_at, home().now, "a change from the future does not block the next");
    }

    #[test]
    fn an_order_has_its_own_number_and_its_buyers() {
        let own = order(json!({"number": "WC-2026-0731", "customer_id": 0, "coupon_lines": [{"code": "ten"}, {"code": ""}]}));
        assert_eq!((own.external_id.as_str(), own.order_number.as_str()), ("731", "WC-2026-0731"));
        assert_eq!(own.person.customer_id, None);
        assert_eq!(own.person.phone.as_ref().map(|p| p.as_str()), Some("+420601123456"));
        assert_eq!(own.person.email.as_ref().map(|e| e.as_str()), Some("ann@shop.example"));
        assert_eq!(own.traces.coupons, ["ten"]);
        assert_eq!(order(json!({"number": "", "customer_id": 12})).order_number, "731");
        assert_eq!(order(json!({"id": "731", "customer_id": "12"})).person.customer_id.as_deref(), Some("12"));
    }

    #[test]
    fn refunds_are_positive_and_dated_by_their_rows() {
        let told = body(json!({"refunds": [
            {"id": 740, "reason": "", "total": "-16.20"}, {"id": 741, "reason": "broken &amp; late", "total": "-3.80"}, {"id": 742, "total": "0.00"}
        ]}));
        let at = Time::parse("2026-06-10T20:00:00Z").expect("a time");
        let days = Days::from([("740".to_owned(), at)]);
        let order = read(&told, &Settings::default(), &home(), &days).expect("an order");
        let got: Vec<_> =
            order.refunds.iter().map(|r| (r.external_id.as_str(), r.amount.minor, r.happened_at.utc(), r.reason.as_deref())).collect();
        assert_eq!(
            got,
            [
                ("740", 1_620, "2026-06-10T20:00:00Z".to_owned(), None),
                ("741", 380, "2026-06-11T09:00:00Z".to_owned(), Some("broken & late"))
            ]
        );
        assert!(order.are_refunds_whole);
        assert_eq!(order.total.minor, 6_000, "the total never changes");
    }

    #[test]
    fn pieces_of_a_line_add_up_to_it() {
        let lines = json!([
            {"product_id": 93, "sku": "CUP", "name": "Cup &amp; saucer", "quantity": 3, "total": "50.00", "price": 16.666_666_666},
            {"product_id": 0, "sku": "GONE", "name": "Gone", "quantity": 1, "total": "9.999"},
            {"product_id": 0, "name": "Gift", "quantity": 2, "total": "0.00"},
            {"product_id": 5, "quantity": 0, "total": "1.00"},
            {"total": "1.00"}
        ]);
        let got: Vec<_> = order(json!({"line_items": lines})).items;
        let shown: Vec<_> = got.iter().map(|i| (i.id.as_str(), i.quantity, i.price.map(|p| p.minor))).collect();
        assert_eq!(shown, [("93", 2, Some(1_667)), ("93", 1, Some(1_666)), ("GONE", 1, Some(1_000)), ("Gift", 2, Some(0)), ("5", 0, None)]);
        assert_eq!(got[0].name.as_deref(), Some("Cup & saucer"));
    }

    #[test]
    fn what_is_kept_and_not_counted() {
        let bin = order(json!({"status": "trash"}));
        assert!(bin.is_gone && bin.is_over());
        assert_eq!(order(json!({"status": "checkout-draft"})).status, OrderStatus::Draft);
        assert!(order(json!({"meta_data": [{"key": "_wcpay_mode", "value": "test"}]})).is_test);
        let settings = Settings([("count_on_hold".to_owned(), "true".to_owned())].into());
        let held = read(&body(json!({"status": "on-hold"})), &settings, &home(), &Days::default()).expect("an order");
        assert_eq!(held.status, OrderStatus::Paid);
    }

    #[test]
    fn what_is_no_order_is_named() {
        for (fields, field) in [
            (json!({"id": 0}), "id"),
            (json!({"id": "x"}), "id"),
            (json!({"id": null}), "id"),
            (json!({"total": "12,50"}), "total"),
            (json!({"total": "-1"}), "total"),
            (json!({"total": "1e999"}), "total"),
            (json!({"total": null}), "total"),
            (json!({"currency": "EURO"}), "currency"),
        ] {
            match read(&body(fields.clone()), &Settings::default(), &home(), &Days::default()) {
                Err(Reject::BadField { field: f, .. }) => assert_eq!(f, field, "{fields}"),
                other => panic!("{fields}: {other:?}"),
            }
        }
    }

    proptest! {
        #[test]
        fn never_panics(name in "(billing|line_items|coupon_lines|refunds|meta_data|date_created_gmt|date_paid|status|total|number|customer_id)", text in "\\PC{0,24}", kind in 0..5) {
            let value = match kind { 0 => json!(text), 1 => json!({"id": text, "total": text}), 2 => json!([{"id": 5, "total": text, "quantity": text, "key": text, "value": [1]}]), 3 => json!(-1e300), _ => json!([text]) };
            let _ = read(&body(json!({name: value})), &Settings::default(), &home(), &Days::default());
        }

        #[test]
        fn lines_add_up(minor in 0i64..10_000_000, pieces in 1i64..500) {
            let line = json!({"product_id": 1, "quantity": pieces, "total": format!("{}.{:02}", minor / 100, minor % 100)});
            let got = items(&line, Currency::parse("EUR").expect("EUR"));
            prop_assert_eq!(got.iter().map(|i| i.quantity).sum::<i64>(), pieces);
            prop_assert_eq!(got.iter().map(|i| i.quantity * i.price.map_or(0, |p| p.minor)).sum::<i64>(), minor);
        }
    }
}
