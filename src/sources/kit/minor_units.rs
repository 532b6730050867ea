//! Amounts as Stripe writes them: whole numbers of the smallest unit that Stripe has for a currency, which is not always
//! that of ISO 4217. <https://docs.stripe.com/currencies#minor-units>

use serde_json::Value;

use crate::domain::money::{Currency, Money};
use crate::sources::Reject;
use crate::sources::kit;

/// Without smaller units at Stripe. The króna (ISK) and the Ugandan shilling (UGX) have none either, and are written with
/// two zeros all the same.
const WHOLE: [&str; 15] = ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"];
const THREE_DIGITS: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];

/// No amount is larger, so that nothing overflows on the way.
const LARGEST: i64 = 1_000_000_000_000_000;

/// The amount at a key in the object's own currency.
pub fn at(object: &Value, key: &str) -> Result<Money, Reject> {
    let word = kit::text(object, "currency").ok_or_else(|| kit::missing("currency"))?;
    let currency = Currency::parse(&word).ok_or_else(|| bad("currency", "currency must be an ISO 4217 code such as eur."))?;
    let minor = object.get(key).filter(|v| !v.is_null()).ok_or_else(|| kit::missing(key))?;
    of(minor, currency).ok_or_else(|| bad(key, &format!("{key} must be a whole number of the smallest unit of {currency}.")))
}

/// The same where nothing may stand there.
pub fn maybe(value: &Value, currency: Currency) -> Option<Money> {
    of(value, currency)
}

fn of(value: &Value, currency: Currency) -> Option<Money> {
    let told = value.as_i64().filter(|minor| (0..=LARGEST).contains(minor))?;
    let (ours, theirs) = (currency.digits(), digits(currency.code()));
    let minor = match ours.checked_sub(theirs) {
        Some(more) => told.checked_mul(10_i64.pow(more))?,
        None => {
            let parts = 10_i64.pow(theirs - ours);
            if told % parts != 0 {
                return None;
            }
            told / parts
        }
    };
    Some(Money::new(minor, currency))
}

fn digits(code: &str) -> u32 {
    match code {
        code if WHOLE.contains(&code) => 0,
        code if THREE_DIGITS.contains(&code) => 3,
        _ => 2,
    }
}

fn bad(field: &str, sentence: &str) -> Reject {
    Reject::BadField { field: field.into(), code: "invalid_amount", sentence: sentence.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn stripes_units_become_those_of_the_currency() {
        for (minor, code, want) in [
            (json!(1999), "eur", Some("19.99")),
            (json!(0), "usd", Some("0.00")),
            (json!(500), "jpy", Some("500")),
            (json!(12345), "kwd", Some("12.345")),
            (json!(150_000), "isk", Some("1500")),
            (json!(150_050), "isk", None),
            (json!(7_500_000), "ugx", Some("75000")),
            (json!(3000), "mga", Some("3000.00")),
            (json!(3000), "huf", Some("30.00")),
            (json!(-1), "eur", None),
            (json!(19.99), "eur", None),
            (json!("1999"), "eur", None),
            (json!(i64::MAX), "eur", None),
        ] {
            let object = json!({"amount": minor, "currency": code});
            assert_eq!(at(&object, "amount").ok().map(|m| m.decimal()).as_deref(), want, "{minor} {code}");
        }
        assert!(at(&json!({"amount": 1, "currency": "qqq"}), "amount").is_err());
        assert!(at(&json!({"amount": 1}), "amount").is_err());
        assert!(at(&json!({"currency": "eur"}), "amount").is_err());
    }
}
