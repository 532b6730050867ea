//! Exact amounts: whole minor units of one currency. Nothing here passes through floating point.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An ISO 4217 code that is in use.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Takes three letters of any case. Source of the list and its digits: ISO 4217, through the crate iso_currency.
    pub fn parse(text: &str) -> Option<Self> {
        let upper = text.trim().to_ascii_uppercase();
        let bytes: [u8; 3] = upper.as_bytes().try_into().ok()?;
        iso_currency::Currency::from_code(&upper).map(|_| Self(bytes))
    }

    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).expect("three letters of ASCII, by parse")
    }

    /// Digits after the decimal point: 2 for AED, 0 for JPY, 3 for KWD.
    pub fn digits(&self) -> u32 {
        iso_currency::Currency::from_code(self.code()).and_then(|c| c.exponent()).unwrap_or(2).into()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Currency::parse(&text).ok_or_else(|| serde::de::Error::custom("an ISO 4217 currency code"))
    }
}

/// Why a text is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAmount {
    /// Not a plain decimal such as 12.50.
    NotDecimal,
    /// More digits after the point than the currency has.
    TooManyDigits,
    /// Beyond ten trillion major units.
    TooLarge,
}

/// Minor units of a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    pub minor: i64,
    pub currency: Currency,
}

/// No single amount may pass this, so that sums of millions of rows stay inside 64 bits.
const LARGEST_MINOR: i64 = 10_000_000_000_000_000;

impl Money {
    pub fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    pub fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// Reads a plain decimal (`-?digits[.digits]`). Zeros beyond the currency's digits are taken, other digits refused.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, NoAmount> {
        let text = text.trim();
        let (negative, plain) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
        let is_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) || (plain.contains('.') && fraction.is_empty()) {
            return Err(NoAmount::NotDecimal);
        }
        let digits = currency.digits() as usize;
        let kept = fraction.trim_end_matches('0');
        if kept.len() > digits {
            return Err(NoAmount::TooManyDigits);
        }
        let mut minor: i64 = 0;
        let padding = std::iter::repeat_n(b'0', digits - kept.len());
        for digit in whole.bytes().chain(kept.bytes()).chain(padding) {
            minor = minor
                .checked_mul(10)
                .and_then(|m| m.checked_add((digit - b'0') as i64))
                .filter(|m| *m <= LARGEST_MINOR)
                .ok_or(NoAmount::TooLarge)?;
        }
        Ok(Self { minor: if negative { -minor } else { minor }, currency })
    }

    /// What one of so many comes to, to the nearest minor unit, halves away from nought; none of none. An average order is net
    /// revenue by all orders that were made, those that went back since among them (spec 9.3): everywhere by this one rule.
    pub fn average(&self, of: i64) -> Option<Money> {
        if of <= 0 {
            return None;
        }
        let (minor, of) = (i128::from(self.minor), i128::from(of));
        let half = if minor < 0 { -(of / 2) } else { of / 2 };
        // Never larger than what was divided.
        i64::try_from((minor + half) / of).ok().map(|minor| Self { minor, ..*self })
    }

    /// Cuts the amount by weights. The parts always add up to the whole: what rounding leaves goes to the largest
    /// remainders, the earlier first (Hamilton's method).
    pub fn split(&self, weights: &[u64]) -> Vec<Money> {
        let sum: i128 = weights.iter().map(|w| *w as i128).sum();
        if sum == 0 {
            return weights.iter().map(|_| Money::zero(self.currency)).collect();
        }
        let whole = self.minor.unsigned_abs() as i128;
        let sign = if self.minor < 0 { -1 } else { 1 };
        let mut parts: Vec<i128> = weights.iter().map(|w| whole * *w as i128 / sum).collect();
        let mut order: Vec<usize> = (0..weights.len()).collect();
        order.sort_by_key(|i| std::cmp::Reverse(whole * weights[*i] as i128 % sum));
        let left = (whole - parts.iter().sum::<i128>()) as usize;
        for i in order.into_iter().take(left) {
            parts[i] += 1;
        }
        parts.into_iter().map(|p| Money::new(sign * p as i64, self.currency)).collect()
    }

    /// `-12.50`, with the currency's own digits.
    pub fn decimal(&self) -> String {
        let digits = self.currency.digits() as usize;
        let sign = if self.minor < 0 { "-" } else { "" };
        let plain = format!("{:0width$}", self.minor.unsigned_abs(), width = digits + 1);
        let (whole, fraction) = plain.split_at(plain.len() - digits);
        if digits == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }

    /// The amount as a JSON number for interfaces that want one.
    pub fn number(&self) -> serde_json::Value {
        serde_json::from_str(&self.decimal()).unwrap_or(serde_json::Value::Null)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency, self.decimal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_average_goes_to_the_nearest() {
        let usd = Currency::parse("USD").expect("USD");
        for (minor, of, want) in [
            (100, 3, Some(33)),
            (200, 3, Some(67)),
            (5, 2, Some(3)),
            (-5, 2, Some(-3)),
            (-100, 3, Some(-33)),
            (0, 7, Some(0)),
            (7, 0, None),
        ] {
            assert_eq!(Money::new(minor, usd).average(of), want.map(|minor| Money::new(minor, usd)), "{minor} of {of}");
        }
    }
    use proptest::prelude::*;

    fn usd(minor: i64) -> Money {
        Money::new(minor, Currency::parse("USD").expect("USD"))
    }

    #[test]
    fn decimals_are_read_exactly() {
        let rows: &[(&str, &str, Result<i64, NoAmount>)] = &[
            ("299.99", "USD", Ok(29_999)),
            ("0.1", "USD", Ok(10)),
            ("12", "JPY", Ok(12)),
            ("12.000", "JPY", Ok(12)),
            ("1.234", "KWD", Ok(1_234)),
            ("-5", "USD", Ok(-500)),
            ("12,50", "USD", Err(NoAmount::NotDecimal)),
            ("1e999", "USD", Err(NoAmount::NotDecimal)),
            ("NaN", "USD", Err(NoAmount::NotDecimal)),
            ("", "USD", Err(NoAmount::NotDecimal)),
            (".5", "USD", Err(NoAmount::NotDecimal)),
            ("5.", "USD", Err(NoAmount::NotDecimal)),
            ("1.111", "USD", Err(NoAmount::TooManyDigits)),
            ("12.5", "JPY", Err(NoAmount::TooManyDigits)),
            ("999999999999999999999", "USD", Err(NoAmount::TooLarge)),
        ];
        for (text, currency, want) in rows {
            let currency = Currency::parse(currency).expect("a currency");
            assert_eq!(Money::parse(text, currency).map(|m| m.minor), *want, "{text}");
        }
        assert!(Currency::parse("EURO").is_none());
        assert!(Currency::parse("QQQ").is_none());
    }

    #[test]
    fn decimals_are_written_with_the_currencys_digits() {
        assert_eq!(usd(-5).decimal(), "-0.05");
        assert_eq!(Money::new(7, Currency::parse("JPY").expect("JPY")).decimal(), "7");
        assert_eq!(Money::new(1_234, Currency::parse("KWD").expect("KWD")).decimal(), "1.234");
    }

    #[test]
    fn a_split_in_three_gives_the_cent_to_the_first() {
        let parts: Vec<i64> = usd(100).split(&[1, 1, 1]).iter().map(|m| m.minor).collect();
        assert_eq!(parts, [34, 33, 33]);
    }

    proptest! {
        #[test]
        fn parts_add_up_to_the_whole(minor in -LARGEST_MINOR..LARGEST_MINOR, weights in proptest::collection::vec(0u64..1_000_000, 1..12)) {
            let parts = usd(minor).split(&weights);
            let sum: i64 = parts.iter().map(|m| m.minor).sum();
            prop_assert_eq!(sum, if weights.iter().all(|w| *w == 0) { 0 } else { minor });
        }

        #[test]
        fn what_is_written_is_read_again(minor in -LARGEST_MINOR..LARGEST_MINOR) {
            prop_assert_eq!(Money::parse(&usd(minor).decimal(), usd(0).currency), Ok(usd(minor)));
        }
    }
}
