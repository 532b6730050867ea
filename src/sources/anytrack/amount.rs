//! What an event was worth. The value is a JSON number made by a script: it may carry the dust of binary fractions.

use serde_json::Value;

use crate::domain::money::{Currency, Money, NoAmount};
use crate::sources::kit::scalar;

/// Where the value stands, the best first. A real 0 is a value.
const KEYS: [&str; 3] = ["eventValue", "orderTotal", "cartTotal"];
/// So many noughts or nines behind the currency's own digits are dust, not a price.
const DUST: usize = 6;

/// The first value that is there; the field's name where it is no amount.
pub fn value(event: &Value, currency: Currency) -> Result<Option<Money>, &'static str> {
    for key in KEYS {
        match event.get(key) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) if text.trim().is_empty() => {}
            Some(given) => return scalar(given).and_then(|text| exact(&text, currency)).map(Some).ok_or(key),
        }
    }
    Ok(None)
}

/// A decimal, never below zero.
pub fn exact(text: &str, currency: Currency) -> Option<Money> {
    let money = match Money::parse(text, currency) {
        Err(NoAmount::TooManyDigits) => without_dust(text, currency)?,
        parsed => parsed.ok()?,
    };
    (money.minor >= 0).then_some(money)
}

/// 33.300000000000004 is 33.30, and 19.989999999999998 is 19.99.
fn without_dust(text: &str, currency: Currency) -> Option<Money> {
    let (whole, fraction) = text.trim().split_once('.')?;
    let digits = currency.digits() as usize;
    let (kept, rest) = (fraction.get(..digits)?, fraction.get(digits..digits + DUST)?);
    let cut = if digits == 0 { whole.to_owned() } else { format!("{whole}.{kept}") };
    let money = Money::parse(&cut, currency).ok()?;
    let is_all = |digit: u8| rest.bytes().all(|b| b == digit);
    if is_all(b'0') {
        Some(money)
    } else if is_all(b'9') && money.minor >= 0 && !whole.starts_with('-') {
        Some(Money::new(money.minor + 1, currency))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(event: Value) -> Result<Option<i64>, &'static str> {
        value(&event, Currency::parse("AED").expect("a currency")).map(|v| v.map(|m| m.minor))
    }

    #[test]
    fn the_first_that_is_there_counts_also_where_it_is_nothing() {
        for (event, want) in [
            (json!({"eventValue": 0, "orderTotal": 50}), Ok(Some(0))),
            (json!({"orderTotal": 75.5, "cartTotal": 1}), Ok(Some(7_550))),
            (json!({"eventValue": null, "cartTotal": "12.25"}), Ok(Some(1_225))),
            (json!({"eventValue": " ", "cartTotal": 3}), Ok(Some(300))),
            (json!({}), Ok(None)),
            (json!({"eventValue": "1e999", "orderTotal": 5}), Err("eventValue")),
            (json!({"eventValue": "12,50"}), Err("eventValue")),
            (json!({"eventValue": -5}), Err("eventValue")),
            (json!({"eventValue": {"a": 1}}), Err("eventValue")),
            (json!({"eventValue": true}), Err("eventValue")),
        ] {
            assert_eq!(of(event.clone()), want, "{event}");
        }
    }

    #[test]
    fn the_dust_of_a_script_is_no_price() {
        for (text, currency, want) in [
            ("33.300000000000004", "AED", Some(3_330)),
            ("19.989999999999998", "AED", Some(1_999)),
            ("0.30000000000000004", "AED", Some(30)),
            ("99.99999999999999", "AED", Some(10_000)),
            ("12.0000001", "JPY", Some(12)),
            ("1.111", "AED", None),
            ("1.1199999", "AED", None),
            ("-0.30000000000000004", "AED", None),
        ] {
            let got = exact(text, Currency::parse(currency).expect("a currency"));
            assert_eq!(got.map(|m| m.minor), want, "{text} {currency}");
        }
    }
}
