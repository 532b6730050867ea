//! An amount as people and programs write it: the number, and the currency beside it. What could be read in two ways is not
//! read, and a word that is no currency is not passed over.

use super::super::money::Currency;

/// The currency that stands beside a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unit {
    Of(Currency),
    /// A sign that several currencies share.
    Shared(&'static str),
}

impl Unit {
    /// `EUR`, `€`, `US$`, `kr`. None for what is no currency.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        if let Some(currency) = Currency::parse(&text) {
            return Some(Unit::Of(currency));
        }
        let plain = text.trim_end_matches('.');
        if let Some((_, code)) = SIGNS.iter().find(|(sign, _)| *sign == plain) {
            return Currency::parse(code).map(Unit::Of);
        }
        SHARED.iter().find(|(sign, _)| *sign == plain).map(|(_, codes)| Unit::Shared(codes))
    }

    pub fn may_be(self, currency: Currency) -> bool {
        match self {
            Unit::Of(own) => own == currency,
            Unit::Shared(codes) => codes.split(' ').any(|code| code == currency.code()),
        }
    }
}

/// Signs of one currency. Letters in front of a dollar say whose it is.
const SIGNS: &[(&str, &str)] = &[
    ("€", "EUR"),
    ("euro", "EUR"),
    ("euros", "EUR"),
    ("£", "GBP"),
    ("us$", "USD"),
    ("us $", "USD"),
    ("c$", "CAD"),
    ("ca$", "CAD"),
    ("a$", "AUD"),
    ("au$", "AUD"),
    ("nz$", "NZD"),
    ("hk$", "HKD"),
    ("s$", "SGD"),
    ("sg$", "SGD"),
    ("nt$", "TWD"),
    ("mx$", "MXN"),
    ("r$", "BRL"),
    ("₹", "INR"),
    ("₽", "RUB"),
    ("руб", "RUB"),
    ("₺", "TRY"),
    ("tl", "TRY"),
    ("฿", "THB"),
    ("₪", "ILS"),
    ("₩", "KRW"),
    ("₫", "VND"),
    ("₴", "UAH"),
    ("₦", "NGN"),
    ("₱", "PHP"),
    ("zł", "PLN"),
    ("kč", "CZK"),
    ("ft", "HUF"),
    ("fr", "CHF"),
    ("sfr", "CHF"),
    ("円", "JPY"),
    ("元", "CNY"),
    ("د.إ", "AED"),
    ("ر.س", "SAR"),
];

/// Signs that stand for the site's own currency where that is one of these, and for none elsewhere.
const SHARED: &[(&str, &str)] = &[
    ("$", "USD AUD CAD NZD SGD HKD TWD MXN ARS CLP COP UYU DOP BBD BMD BND BSD BZD FJD GYD JMD KYD LRD NAD SBD SRD TTD XCD"),
    ("¥", "JPY CNY"),
    ("￥", "JPY CNY"),
    ("kr", "SEK NOK DKK ISK"),
    ("rs", "INR PKR LKR NPR MUR SCR"),
    ("dh", "AED MAD"),
    ("dhs", "AED MAD"),
];

/// Which sign stands before the cents, as far as the file's own shape tells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Habit {
    /// Programs wrote it: a point, whatever stands behind it.
    Program,
    /// Cells between commas or tabs.
    Point,
    /// Cells between semicolons, because commas stand in amounts.
    Comma,
}

/// Why it is no amount.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NoNumber {
    Unknown,
    /// `1.5k`, `7 per day`: more than a number and a currency.
    Word,
    /// `12.500` where either sign may stand before the cents.
    TwoWays,
}

impl NoNumber {
    pub fn remedy(self) -> &'static str {
        match self {
            NoNumber::Unknown => "It is no amount. Write it as 12.50.",
            NoNumber::Word => "It says more than a number and a currency. Write it as 12.50, in full, with the currency as its ISO code.",
            NoNumber::TwoWays => {
                "It can be read in two ways: its sign may stand before the cents or before the thousands. Write it without a sign \
                 before the thousands and with all cents, as 1250.00."
            }
        }
    }
}

/// A number and what stands around it.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    is_negative: bool,
    number: String,
    /// Before and behind: `$12 USD` has two.
    pub units: Vec<Unit>,
}

impl Written {
    pub fn read(text: &str) -> Result<Self, NoNumber> {
        let text = text.trim().replace(['\u{2212}', '\u{2013}'], "-");
        let first = text.find(|c: char| c.is_ascii_digit()).ok_or(NoNumber::Unknown)?;
        let last = text.rfind(|c: char| c.is_ascii_digit()).ok_or(NoNumber::Unknown)?;
        let (front, number, behind) = (&text[..first], &text[first..=last], &text[last + 1..]);
        if front.matches('-').count() > 1 {
            return Err(NoNumber::Unknown);
        }
        let mut units = Vec::new();
        for word in [&front.replacen('-', " ", 1), behind] {
            let word = word.trim();
            // `.5` and `5.` are halves of an amount.
            if word.chars().all(|c| ".,".contains(c)) && !word.is_empty() {
                return Err(NoNumber::Unknown);
            }
            if !word.is_empty() {
                units.push(Unit::parse(word).ok_or(NoNumber::Word)?);
            }
        }
        Ok(Self { is_negative: front.contains('-'), number: without_gaps(number)?, units })
    }

    /// A plain decimal, for a currency of so many digits.
    pub fn decimal(&self, habit: Habit, digits: u32) -> Result<String, NoNumber> {
        let number = &self.number;
        let (cents, thousands) = if habit == Habit::Comma { (',', '.') } else { ('.', ',') };
        let (whole, fraction) = match (number.rsplit_once(cents), number.rsplit_once(thousands)) {
            (Some((whole, fraction)), _) => {
                let is_group = fraction.len() == 3 && may_lead(whole) && !whole.contains(thousands);
                // Three digits behind it are cents only of a currency that has so many.
                if habit != Habit::Program && is_group && digits != 3 {
                    return Err(NoNumber::TwoWays);
                }
                (whole, Some(fraction))
            }
            (None, Some((whole, tail))) if !whole.contains(thousands) => {
                let is_group = tail.len() == 3 && may_lead(whole);
                if is_group && digits == 3 {
                    return Err(NoNumber::TwoWays);
                }
                // `12,5` and `0,125` are no groups of thousands, whichever sign is usual in this file.
                if is_group { (number.as_str(), None) } else { (whole, Some(tail)) }
            }
            _ => (number.as_str(), None),
        };
        let groups: Vec<&str> = whole.split(thousands).collect();
        let are_thousands = groups.len() == 1 || (may_lead(groups[0]) && groups[1..].iter().all(|g| g.len() == 3));
        if !are_thousands || whole.contains(cents) || fraction.is_some_and(|f| f.is_empty() || f.contains([',', '.'])) {
            return Err(NoNumber::Unknown);
        }
        let sign = if self.is_negative { "-" } else { "" };
        let whole = groups.concat();
        Ok(fraction.map_or_else(|| format!("{sign}{whole}"), |fraction| format!("{sign}{whole}.{fraction}")))
    }
}

/// Whether these digits may stand before a group of thousands: `0,125` is no hundred and twenty-five.
fn may_lead(digits: &str) -> bool {
    (1..=3).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Blanks and apostrophes stand between thousands and nowhere else.
fn without_gaps(number: &str) -> Result<String, NoNumber> {
    let is_gap = |c: char| c.is_whitespace() || c == '\'' || c == '’';
    let parts: Vec<&str> = number.split(is_gap).collect();
    let is_group = |part: &&str| part.chars().take_while(char::is_ascii_digit).count() == 3;
    let are_groups = parts.len() == 1 || (may_lead(parts[0]) && parts[1..].iter().all(is_group));
    let plain = parts.concat();
    match plain.chars().all(|c| c.is_ascii_digit() || c == '.' || c == ',') {
        true if are_groups => Ok(plain),
        true => Err(NoNumber::Unknown),
        false => Err(NoNumber::Word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str, habit: Habit, digits: u32) -> Result<String, NoNumber> {
        Written::read(text)?.decimal(habit, digits)
    }

    #[test]
    fn amounts_of_both_habits() {
        use Habit::{Comma, Point};
        for (text, habit, want) in [
            ("12.50", Point, Ok("12.50")),
            ("$1,234.50", Point, Ok("1234.50")),
            ("1.234,50 €", Comma, Ok("1234.50")),
            ("1.234", Comma, Ok("1234")),
            ("1,234", Point, Ok("1234")),
            ("1,234,567", Point, Ok("1234567")),
            ("12,5", Point, Ok("12.5")),
            ("12.5", Comma, Ok("12.5")),
            ("1 234,50", Comma, Ok("1234.50")),
            ("1 234", Point, Ok("1234")),
            ("1'234.50", Point, Ok("1234.50")),
            ("USD -7", Point, Ok("-7")),
            ("-$7", Point, Ok("-7")),
            ("-7.00 USD", Point, Ok("-7.00")),
            ("Rs. 500", Point, Ok("500")),
            ("12.5000", Point, Ok("12.5000")),
            ("0,125", Point, Ok("0.125")),
            ("0.500", Point, Ok("0.500")),
            ("0.125", Comma, Ok("0.125")),
            ("0,125,000", Point, Err(NoNumber::Unknown)),
            ("1.250", Point, Err(NoNumber::TwoWays)),
            ("1,250", Comma, Err(NoNumber::TwoWays)),
            ("1.250.000", Comma, Ok("1250000")),
            ("12,34,567.00", Point, Err(NoNumber::Unknown)),
            ("1.2.3", Point, Err(NoNumber::Unknown)),
            ("12 50", Point, Err(NoNumber::Unknown)),
            (".5", Point, Err(NoNumber::Unknown)),
            ("5.", Point, Err(NoNumber::Unknown)),
            ("--", Point, Err(NoNumber::Unknown)),
            ("--5", Point, Err(NoNumber::Unknown)),
            ("", Point, Err(NoNumber::Unknown)),
            ("1e9", Point, Err(NoNumber::Word)),
            ("1.5k", Point, Err(NoNumber::Word)),
            ("2 Mio.", Point, Err(NoNumber::Word)),
            ("12%", Point, Err(NoNumber::Word)),
            ("(12.50)", Point, Err(NoNumber::Word)),
        ] {
            assert_eq!(decimal(text, habit, 2), want.map(str::to_owned), "{text} {habit:?}");
        }
    }

    #[test]
    fn three_digits_are_cents_of_some_currencies() {
        use Habit::{Comma, Point, Program};
        for (text, habit, digits, want) in [
            // As our own lists and every shop write KWD.
            ("12.500", Point, 3, Ok("12.500")),
            ("12,500", Point, 3, Err(NoNumber::TwoWays)),
            ("12.500", Comma, 3, Err(NoNumber::TwoWays)),
            ("12,500", Comma, 3, Ok("12.500")),
            ("1,234.500", Point, 3, Ok("1234.500")),
            ("1234,500", Point, 3, Ok("1234.500")),
            ("1.000", Point, 0, Err(NoNumber::TwoWays)),
            ("1,000", Point, 0, Ok("1000")),
            ("12.500", Program, 3, Ok("12.500")),
            ("12.500", Program, 2, Ok("12.500")),
            ("1,000", Program, 2, Ok("1000")),
        ] {
            assert_eq!(decimal(text, habit, digits), want.map(str::to_owned), "{text} {habit:?} {digits}");
        }
    }

    #[test]
    fn the_currency_beside_a_number_is_heard() {
        let currency = |code: &str| Currency::parse(code).expect("a currency");
        for (text, codes, others) in [
            ("$13.00", "USD CAD AUD", "EUR AED"),
            ("14.00 USD", "USD", "EUR CAD"),
            ("$14.00 USD", "USD", "CAD"),
            ("US$ 14", "USD", "CAD"),
            ("7,50 €", "EUR", "USD"),
            ("AED 5", "AED", "USD"),
            ("£9", "GBP", "EUR"),
            ("Fr. 9", "CHF", "EUR"),
            ("90 kr.", "SEK NOK DKK", "EUR"),
            ("¥900", "JPY CNY", "USD"),
            ("9", "EUR USD KWD", ""),
        ] {
            let units = Written::read(text).expect("a number").units;
            let fits = |code: &&str| units.iter().all(|unit| unit.may_be(currency(code)));
            assert!(codes.split(' ').all(|code| fits(&code)), "{text}");
            assert!(!others.split_whitespace().any(|code| fits(&code)), "{text}");
        }
        assert_eq!(Unit::parse("incl. tax"), None);
    }
}
