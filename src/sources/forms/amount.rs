//! Amounts and moments as strangers write them.

use serde_json::Value;

use crate::domain::money::{Currency, Money};
use crate::domain::time::{MINUTE_MS, Time};
use crate::sources::Reject;
use crate::sources::kit::scalar;

/// Clocks of senders may be this far ahead; beyond it the moment is ours.
const AHEAD_MS: i64 = 10 * MINUTE_MS;

/// A price or worth: a plain decimal, never below zero. A JSON number counts as its shortest decimal text.
pub fn amount(field: &str, value: &Value, currency: Currency) -> Result<Money, Reject> {
    let text = scalar(value).ok_or_else(|| invalid(field, field))?;
    match Money::parse(&text, currency) {
        Ok(money) if money.minor >= 0 => Ok(money),
        _ => Err(invalid(field, field)),
    }
}

/// The named currency of the amount in `field`, or what the site lends.
pub fn currency(field: &str, told: Option<&str>, home: Currency) -> Result<Currency, Reject> {
    match told {
        Some(text) => Currency::parse(text).ok_or_else(|| invalid("currency", field)),
        None => Ok(home),
    }
}

/// The price of a line, which may have more digits than its currency (WooCommerce: 134.995): rounded half up. None for
/// what is no price; a line is no reason to lose an order.
pub fn price(value: &Value, currency: Currency) -> Option<Money> {
    let text = scalar(value)?;
    let digits = currency.digits() as usize;
    let Some((whole, fraction)) = text.split_once('.').filter(|(_, f)| f.len() > digits && f.bytes().all(|b| b.is_ascii_digit())) else {
        return Money::parse(&text, currency).ok().filter(|m| m.minor >= 0);
    };
    let cut = if digits == 0 { whole.to_owned() } else { format!("{whole}.{}", &fraction[..digits]) };
    let mut money = Money::parse(&cut, currency).ok().filter(|m| m.minor >= 0)?;
    money.minor += i64::from(fraction.as_bytes()[digits] >= b'5');
    Some(money)
}

/// A moment as told, none that lies ahead.
pub fn moment(told: Option<&str>, now: Time) -> Option<Time> {
    told.and_then(Time::parse).map(|at| if at.ms_since(now) > AHEAD_MS { now } else { at })
}

fn invalid(field: &str, amount: &str) -> Reject {
    Reject::BadField {
        field: field.to_owned(),
        code: "invalid_amount",
        sentence: format!("{amount} must be a decimal like 12.50 with an ISO currency."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn amounts_are_plain_decimals() {
        let eur = Currency::parse("EUR").expect("EUR");
        let read = |value: Value| amount("total", &value, eur).ok().map(|m| m.minor);
        for (value, want) in
            [(json!("12.50"), 1250), (json!(12.5), 1250), (json!(12), 1200), (json!(0), 0), (json!("0.00"), 0), (json!("12.500"), 1250)]
        {
            assert_eq!(read(value.clone()), Some(want), "{value}");
        }
        let many = format!("1.{}", "1".repeat(20));
        for bad in [
            json!("1e999"),
            json!("-5"),
            json!(-5),
            json!("12,50"),
            json!("NaN"),
            json!(many),
            json!(1e30),
            json!(true),
            json!({}),
            json!("12.501"),
        ] {
            let sentence = "total must be a decimal like 12.50 with an ISO currency.".to_owned();
            let want = Reject::BadField { field: "total".into(), code: "invalid_amount", sentence };
            assert_eq!(amount("total", &bad, eur), Err(want), "{bad}");
        }
        assert!(matches!(currency("total", Some("EURO"), eur), Err(Reject::BadField { field, .. }) if field == "currency"));
        assert_eq!(currency("total", None, eur), Ok(eur));
    }

    #[test]
    fn prices_of_lines_are_rounded() {
        for (code, value, want) in [
            ("EUR", json!(134.995), Some(13_500)),
            ("EUR", json!("134.994"), Some(13_499)),
            ("JPY", json!("12.5"), Some(13)),
            ("EUR", json!("x"), None),
            ("EUR", json!("-1"), None),
            ("EUR", json!("1.2x5"), None),
            ("EUR", json!(null), None),
        ] {
            let currency = Currency::parse(code).expect("a currency");
            assert_eq!(price(&value, currency).map(|m| m.minor), want, "{value}");
        }
    }

    #[test]
    fn nothing_happens_in_the_future() {
        let now = Time::from_s(1_780_000_000);
        assert_eq!(moment(Some("2099-01-01"), now), Some(now));
        let soon = now.plus_ms(5 * MINUTE_MS);
        assert_eq!(moment(Some(&soon.ms().to_string()), now), Some(soon));
        assert_eq!(moment(Some("13 June"), now), None);
        assert_eq!(moment(None, now), None);
    }
}
