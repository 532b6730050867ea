//! Bands of amounts: from, up to, or both, in the large unit of whatever currency an amount is in. An amount on the edge is in.

use super::super::money::Currency;
use super::{Asked, MOST_VALUES};
use crate::error::{Error, Result};

/// Ten-thousandths of the large unit: no currency has smaller coins.
const PARTS: i128 = 10_000;
/// Larger than any price.
const MOST: i128 = 1_000_000_000_000;

/// Ends of one band, both included.
type Ends = (Option<i128>, Option<i128>);

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bands {
    is: Vec<Option<Ends>>,
    not: Vec<Option<Ends>>,
}

impl Bands {
    pub fn is_open(&self) -> bool {
        self.is.is_empty() && self.not.is_empty()
    }

    /// Currencies are not converted: 50 is 50 of each.
    pub fn admits(&self, minor: Option<i64>, currency: &str) -> bool {
        let amount = minor.zip(Currency::parse(currency)).map(|(minor, currency)| {
            let digits = currency.digits();
            i128::from(minor) * PARTS / 10_i128.pow(digits)
        });
        let holds = |band: &Option<Ends>| match (band, amount) {
            (None, amount) => amount.is_none(),
            (Some(_), None) => false,
            (Some((low, high)), Some(amount)) => low.is_none_or(|low| low <= amount) && high.is_none_or(|high| amount <= high),
        };
        (self.is.is_empty() || self.is.iter().any(holds)) && !self.not.iter().any(holds)
    }
}

impl<'a> Asked<'a> {
    /// `amount=50..200`, `amount=200..`, `amount=..50`, `amount=none`; several are one of them, `!` in front is not.
    pub fn bands(&self, name: &str) -> Result<Bands> {
        let mut bands = Bands::default();
        for text in self.all(name) {
            let (text, list) = match text.strip_prefix('!') {
                Some(text) => (text, &mut bands.not),
                None => (text, &mut bands.is),
            };
            let form = format!("{name} is a band like 50..200, 200.. or ..50, or none; with ! in front, everything else.");
            list.push(if text == "none" { None } else { Some(ends(text).ok_or_else(|| Error::parameter(name, form))?) });
            if list.len() > MOST_VALUES {
                return Err(Error::parameter(name, format!("{name} takes at most {MOST_VALUES} bands.")));
            }
        }
        Ok(bands)
    }
}

fn ends(text: &str) -> Option<Ends> {
    let (low, high) = text.split_once("..")?;
    let end = |text: &str| if text.is_empty() { Some(None) } else { decimal(text).map(Some) };
    let (low, high) = (end(low)?, end(high)?);
    let is_band = match (low, high) {
        (None, None) => false,
        (Some(low), Some(high)) => low <= high,
        _ => true,
    };
    is_band.then_some((low, high))
}

/// `50`, `49.90`, `-5`: at most four digits behind the point.
fn decimal(text: &str) -> Option<i128> {
    let (text, sign) = text.strip_prefix('-').map_or((text, 1), |text| (text, -1));
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 13 || rest.len() > 4 || text.ends_with('.') || !is_number(whole) || !is_number(rest) {
        return None;
    }
    let parts: i128 = format!("{whole}{rest:0<4}").parse().ok()?;
    (parts <= MOST * PARTS).then_some(sign * parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bands(values: &[&str]) -> Result<Bands> {
        let pairs: Vec<(String, String)> = values.iter().map(|v| ("amount".to_owned(), (*v).to_owned())).collect();
        Asked(&pairs).bands("amount")
    }

    #[test]
    fn an_amount_on_the_edge_is_in() {
        for (values, minor, currency, want) in [
            (&["50..200"][..], Some(5_000), "EUR", true),
            (&["50..200"][..], Some(20_000), "EUR", true),
            (&["50..200"][..], Some(20_001), "EUR", false),
            (&["50..200"][..], Some(4_999), "EUR", false),
            (&["49.99.."][..], Some(4_999), "EUR", true),
            (&["..50"][..], Some(-1), "EUR", true),
            (&["..-0.01"][..], Some(0), "EUR", false),
            // As many of the large unit, whatever its coins are.
            (&["50..200"][..], Some(50), "JPY", true),
            (&["50..200"][..], Some(50_000), "KWD", true),
            (&["50..200"][..], Some(5_000), "JPY", false),
            (&["50..200"][..], None, "EUR", false),
            (&["none"][..], None, "", true),
            (&["none"][..], Some(0), "EUR", false),
            (&["!none"][..], Some(0), "EUR", true),
            (&["..10", "100.."][..], Some(20_000), "EUR", true),
            (&["..10", "100.."][..], Some(2_000), "EUR", false),
            (&["!..10"][..], Some(999), "EUR", false),
        ] {
            assert_eq!(bands(values).expect("bands").admits(minor, currency), want, "{values:?} of {minor:?} {currency}");
        }
        assert!(bands(&[]).expect("none").is_open());
    }

    #[test]
    fn what_is_no_band_is_refused() {
        for text in
            ["50", "..", "200..50", "a..b", "1..2..3", "5.12345..", "1e3..", " 5..", "5. ..", "99999999999999..", "50 - 200", "NONE"]
        {
            let e = bands(&[text]).expect_err(text);
            assert_eq!(e.field.as_deref(), Some("amount"), "{text}");
            assert!(e.message.contains("50..200"), "{}", e.message);
        }
    }
}
