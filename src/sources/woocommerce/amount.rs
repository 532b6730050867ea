//! Amounts as WooCommerce writes them: decimals as text. What an order costs is taken to the digit; of its parts, which
//! a shop may keep with more digits than its currency has, what is over is rounded.

use serde_json::Value;

use crate::domain::money::{Currency, Money};
use crate::sources::Reject;
use crate::sources::kit::scalar;

/// What the buyer pays.
pub fn total(order: &Value, currency: Currency) -> Result<Money, Reject> {
    let text = order.get("total").and_then(scalar);
    let money = text.and_then(|text| Money::parse(&text, currency).ok()).filter(|m| m.minor >= 0);
    money.ok_or_else(|| Reject::BadField {
        field: "total".into(),
        code: "invalid_amount",
        sentence: "total must be a decimal like 12.50 in the digits of its currency.".into(),
    })
}

/// The currency that the order names, or the site's.
pub fn currency(order: &Value, home: Currency) -> Result<Currency, Reject> {
    let Some(text) = order.get("currency").and_then(scalar) else { return Ok(home) };
    Currency::parse(&text).ok_or_else(|| Reject::BadField {
        field: "currency".into(),
        code: "invalid_amount",
        sentence: format!("{:?} is no ISO currency.", text.chars().take(12).collect::<String>()),
    })
}

/// A part of an order, rounded half away from zero where it has more digits than its currency.
pub fn part(value: Option<&Value>, currency: Currency) -> Option<Money> {
    let text = scalar(value?)?;
    let digits = currency.digits() as usize;
    let Some((whole, fraction)) = text.split_once('.').filter(|(_, f)| f.len() > digits && f.bytes().all(|b| b.is_ascii_digit())) else {
        return Money::parse(&text, currency).ok();
    };
    let cut = if digits == 0 { whole.to_owned() } else { format!("{whole}.{}", &fraction[..digits]) };
    let mut money = Money::parse(&cut, currency).ok()?;
    if fraction.as_bytes()[digits] >= b'5' {
        money.minor += if text.starts_with('-') { -1 } else { 1 };
    }
    Some(money)
}

/// Money that went back, as a positive amount; it is written with a minus in an order and without one in its own row.
pub fn back(value: Option<&Value>, currency: Currency) -> Option<Money> {
    let money = part(value, currency)?;
    Some(Money::new(money.minor.abs(), money.currency)).filter(|m| m.minor > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn parts_are_rounded_and_totals_are_not() {
        for (code, value, whole, rounded) in [
            ("EUR", json!("12.50"), Some(1_250), Some(1_250)),
            ("EUR", json!("12.500"), Some(1_250), Some(1_250)),
            ("EUR", json!("15.0775"), None, Some(1_508)),
            ("EUR", json!(134.995), None, Some(13_500)),
            ("EUR", json!("-0.005"), None, Some(-1)),
            ("JPY", json!("1200.00"), Some(1_200), Some(1_200)),
            ("JPY", json!("1200.5"), None, Some(1_201)),
            ("KWD", json!("1.234"), Some(1_234), Some(1_234)),
            ("EUR", json!("-16.20"), None, Some(-1_620)),
            ("EUR", json!("12,50"), None, None),
            ("EUR", json!("1e999"), None, None),
            ("EUR", json!("NaN"), None, None),
            ("EUR", json!("1.2x5"), None, None),
            ("EUR", json!(null), None, None),
        ] {
            let currency = Currency::parse(code).expect("a currency");
            assert_eq!(total(&json!({"total": value}), currency).ok().map(|m| m.minor), whole, "total {value}");
            assert_eq!(part(Some(&value), currency).map(|m| m.minor), rounded, "part {value}");
        }
        let eur = Currency::parse("EUR").expect("EUR");
        assert_eq!(back(Some(&json!("-16.20")), eur), back(Some(&json!("16.20")), eur));
        assert_eq!(back(Some(&json!("0.00")), eur), None);
    }
}
