//! Partners who send buyers for a commission: their codes, what each rule pays, and what is left of it when money goes
//! back. Amounts are minor units, percentages basis points.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::conversion::ConversionKind;
use super::money::{Currency, Money};

/// Who earns on a sale.
pub mod claim;
/// What looks wrong about a partner's clicks and sales, in words.
pub mod flags;
/// What a commission comes to, day by day.
pub mod ledger;

/// Days for which a followed link may earn, unless the partner has others.
pub const COOKIE_DAYS: u32 = 60;
/// Days for which a commission waits for refunds.
pub const HOLD_DAYS: u32 = 30;
/// No link earns for longer, and no commission waits longer.
pub const MOST_DAYS: u32 = 365;
/// Codes and coupons of one partner at most.
pub const MOST_CODES: usize = 20;
const LONGEST_CODE: usize = 64;
const MOST_RULES: usize = 20;

/// A code as all spellings of it are compared; none where it can be no code. What stands in `ref` of a stranger's link can
/// be anything.
pub fn code(text: &str) -> Option<String> {
    let text = text.trim();
    let is_code = |c: char| c.is_alphanumeric() || "-_.~+".contains(c);
    let fits = (1..=LONGEST_CODE).contains(&text.chars().count()) && text.chars().all(is_code);
    fits.then(|| text.to_lowercase())
}

/// A partner as the owner's own server names one: whatever it says, within the same length.
pub fn named(text: &str) -> Option<String> {
    let text = text.trim();
    (1..=LONGEST_CODE).contains(&text.chars().count()).then(|| text.to_lowercase())
}

/// What a rule pays for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Each conversion of a kind.
    Kind(ConversionKind),
    /// Each piece of a product, by its id or name at the shop.
    Product(String),
}

/// How much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pay {
    /// Of the amount, in basis points.
    PercentBp(u32),
    Fixed(Money),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    pub what: What,
    pub pay: Pay,
}

/// What a partner is paid. A sale is frozen with the terms under which it was first known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    pub rules: Vec<Rule>,
}

/// Why a text is no rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoRule(pub String);

/// A product of an order: the names that it goes by, how many, and what they came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub names: Vec<String>,
    pub quantity: i64,
    pub minor: i64,
}

/// What was sold, before anything went back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sold {
    pub kind: ConversionKind,
    pub amount: Option<Money>,
    pub pieces: Vec<Piece>,
}

impl Rule {
    /// Reads `10%` or `5.00` for sales, `lead=2.00` for another kind, `product:SKU=15%` for a product. A plain amount is of
    /// this currency.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, NoRule> {
        let text = text.trim();
        let (what, pay) = match text.rsplit_once('=') {
            None => (What::Kind(ConversionKind::Sale), text),
            Some((what, pay)) => (Self::what(what.trim()).ok_or_else(|| no_rule(text))?, pay.trim()),
        };
        Ok(Self { what, pay: Self::pay(pay, currency).ok_or_else(|| no_rule(text))? })
    }

    fn what(text: &str) -> Option<What> {
        match text.strip_prefix("product:") {
            Some(name) if (1..=255).contains(&name.trim().chars().count()) => Some(What::Product(name.trim().to_owned())),
            Some(_) => None,
            None => ConversionKind::parse(text).map(What::Kind),
        }
    }

    fn pay(text: &str, currency: Currency) -> Option<Pay> {
        if let Some(percent) = text.strip_suffix('%') {
            let (whole, part) = percent.trim().split_once('.').unwrap_or((percent.trim(), ""));
            let is_digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
            if whole.is_empty() || whole.len() > 3 || part.len() > 2 || !is_digits(whole) || !is_digits(part) {
                return None;
            }
            let bp: u32 = format!("{whole}{part:0<2}").parse().ok()?;
            return (bp <= 10_000).then_some(Pay::PercentBp(bp));
        }
        let money = Money::parse(text, currency).ok()?;
        (money.minor >= 0).then_some(Pay::Fixed(money))
    }
}

fn no_rule(text: &str) -> NoRule {
    NoRule(format!(
        "{text:?} is no commission. Write 10% or 5.00 for each sale, lead=2.00 for each lead, or product:SKU=15% for a product."
    ))
}

impl Terms {
    /// Rules as they are typed. One for each thing; the first for sales is the usual one.
    pub fn parse<'t>(texts: impl IntoIterator<Item = &'t str>, currency: Currency) -> Result<Self, NoRule> {
        let mut rules: Vec<Rule> = Vec::new();
        for text in texts {
            let rule = Rule::parse(text, currency)?;
            if rules.iter().any(|known| known.what == rule.what) {
                return Err(NoRule(format!("There are two rules for {}.", rule.what)));
            }
            rules.push(rule);
        }
        if rules.is_empty() || rules.len() > MOST_RULES {
            return Err(NoRule(format!("Name a commission such as 10% or 5.00, and at most {MOST_RULES} of them.")));
        }
        Ok(Self { rules })
    }

    /// The whole commission of what was sold, rounded to the nearest minor unit; none where no rule pays for it.
    pub fn full(&self, sold: &Sold) -> Option<Money> {
        let own = self.rules.iter().find(|r| r.what == What::Kind(sold.kind));
        let mut paid: Vec<Money> = Vec::new();
        let mut left = sold.amount;
        let mut has_product = false;
        if let (Some(amount), ConversionKind::Sale) = (sold.amount, sold.kind) {
            for piece in &sold.pieces {
                let Some(rule) = self.rules.iter().find(|r| r.is_of(piece)) else { continue };
                has_product = true;
                let rest = left.map_or(0, |m| m.minor);
                let minor = piece.minor.clamp(0, rest.max(0));
                left = Some(Money::new(rest - minor, amount.currency));
                paid.push(rule.pay.of(Some(Money::new(minor, amount.currency)), piece.quantity.max(1))?);
            }
        }
        // What has a rule of its own is paid by it; the usual rule pays for the rest, if there is any.
        let is_rest = !has_product || left.is_some_and(|m| m.minor > 0);
        if let (Some(rule), true) = (own, is_rest) {
            paid.extend(rule.pay.of(left, 1));
        }
        let first = *paid.first()?;
        let same = paid.iter().filter(|m| m.currency == first.currency).map(|m| m.minor).sum();
        Some(Money::new(same, first.currency))
    }

    /// As a person reads it: `10% of each sale, 2.00 EUR for each lead`.
    pub fn words(&self) -> String {
        self.rules.iter().map(Rule::to_string).collect::<Vec<_>>().join(", ")
    }

    /// As it is typed.
    pub fn texts(&self) -> Vec<String> {
        self.rules.iter().map(Rule::text).collect()
    }
}

impl Rule {
    fn is_of(&self, piece: &Piece) -> bool {
        let What::Product(name) = &self.what else { return false };
        piece.names.iter().any(|n| n.trim().to_lowercase() == name.to_lowercase())
    }

    fn text(&self) -> String {
        let pay = match self.pay {
            Pay::PercentBp(bp) => percent(bp),
            Pay::Fixed(money) => money.decimal(),
        };
        match &self.what {
            What::Kind(ConversionKind::Sale) => pay,
            What::Kind(kind) => format!("{}={pay}", kind.word()),
            What::Product(name) => format!("product:{name}={pay}"),
        }
    }
}

impl Pay {
    fn of(self, amount: Option<Money>, pieces: i64) -> Option<Money> {
        match self {
            Pay::PercentBp(bp) => amount.map(|m| Money::new(share(m.minor, i64::from(bp), 10_000), m.currency)),
            Pay::Fixed(money) => Some(Money::new(money.minor.saturating_mul(pieces), money.currency)),
        }
    }
}

/// A part of an amount, rounded to the nearest whole, halves up. The whole must be more than nothing.
pub fn share(minor: i64, part: i64, whole: i64) -> i64 {
    let doubled = 2 * i128::from(minor) * i128::from(part) + i128::from(whole);
    let rounded = doubled.div_euclid(2 * i128::from(whole));
    rounded.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}

/// Earnings per click, to the nearest minor unit; nothing where there was no click.
pub fn per_click(revenue: Money, clicks: i64) -> Money {
    Money::new(if clicks > 0 { share(revenue.minor, 1, clicks) } else { 0 }, revenue.currency)
}

fn percent(bp: u32) -> String {
    match (bp / 100, bp % 100) {
        (whole, 0) => format!("{whole}%"),
        (whole, part) if part % 10 == 0 => format!("{whole}.{}%", part / 10),
        (whole, part) => format!("{whole}.{part:02}%"),
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Kind(ConversionKind::Signup) => f.write_str("each sign-up"),
            What::Kind(ConversionKind::Custom) => f.write_str("each custom conversion"),
            What::Kind(kind) => write!(f, "each {}", kind.word()),
            What::Product(name) => write!(f, "the product {name}"),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pay {
            Pay::PercentBp(bp) => write!(f, "{} of {}", percent(bp), self.what),
            Pay::Fixed(money) => write!(f, "{} {} for {}", money.decimal(), money.currency, self.what),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eur() -> Currency {
        Currency::parse("EUR").expect("a currency")
    }

    fn terms(texts: &[&str]) -> Terms {
        Terms::parse(texts.iter().copied(), eur()).expect("terms")
    }

    fn sale(minor: i64, pieces: &[(&str, i64, i64)]) -> Sold {
        let piece =
            |(name, quantity, minor): &(&str, i64, i64)| Piece { names: vec![(*name).to_owned()], quantity: *quantity, minor: *minor };
        Sold { kind: ConversionKind::Sale, amount: Some(Money::new(minor, eur())), pieces: pieces.iter().map(piece).collect() }
    }

    #[test]
    fn codes_are_compared_without_their_case() {
        for (text, want) in [(" NOOR15 ", Some("noor15")), ("a-b_c.d~e+f", Some("a-b_c.d~e+f")), ("نور", Some("نور"))] {
            assert_eq!(code(text).as_deref(), want, "{text}");
        }
        for bad in ["", " ", "a b", "<x>", "a@b.example", "a/b", &"x".repeat(65)] {
            assert_eq!(code(bad), None, "{bad}");
        }
    }

    #[test]
    fn rules_are_read_and_said_as_they_are_typed() {
        for (text, words) in [
            ("10%", "10% of each sale"),
            ("7.5%", "7.5% of each sale"),
            ("0.25%", "0.25% of each sale"),
            ("5.00", "5.00 EUR for each sale"),
            ("lead=2.00", "2.00 EUR for each lead"),
            ("signup=1.50", "1.50 EUR for each sign-up"),
            ("product:GLOVES=15%", "15% of the product GLOVES"),
            ("product:a=b=1.00", "1.00 EUR for the product a=b"),
        ] {
            let terms = terms(&[text]);
            assert_eq!((terms.words().as_str(), terms.texts()), (words, vec![text.to_owned()]));
        }
        for bad in ["", "%", "101%", "-5", "10 %x", "1.234%", "visit=1.00", "product:=1.00", "1,50", "100.01%"] {
            assert!(Terms::parse([bad], eur()).is_err(), "{bad}");
        }
        assert!(Terms::parse(["10%", "5.00"], eur()).is_err(), "two rules for one thing");
        assert!(Terms::parse([], eur()).is_err());
    }

    #[test]
    fn a_commission_is_rounded_to_the_nearest_minor_unit() {
        for (texts, sold, want) in [
            (&["10%"][..], sale(8_690, &[]), 869),
            (&["10%"], sale(5, &[]), 1),
            (&["10%"], sale(4, &[]), 0),
            (&["5.00"], sale(8_690, &[]), 500),
            (&["5.00"], sale(0, &[]), 500),
            (&["0%"], sale(8_690, &[]), 0),
            // Gloves have a rule of their own, the rest of the order goes by the usual one.
            (&["10%", "product:gloves=20%"], sale(10_000, &[("Gloves", 1, 4_000), ("Cap", 1, 6_000)]), 800 + 600),
            (&["10%", "product:gloves=1.00"], sale(10_000, &[("Gloves", 3, 4_000)]), 300 + 600),
            // The lines of an order may come to more than it cost, after a discount.
            (&["10%", "product:gloves=20%"], sale(3_000, &[("Gloves", 1, 4_000)]), 600),
            (&["5.00", "product:gloves=20%"], sale(4_000, &[("Gloves", 1, 4_000)]), 800),
        ] {
            assert_eq!(terms(texts).full(&sold).map(|m| m.minor), Some(want), "{texts:?} {sold:?}");
        }
        let lead = Sold { kind: ConversionKind::Lead, amount: None, pieces: Vec::new() };
        assert_eq!(terms(&["10%"]).full(&lead), None);
        assert_eq!(terms(&["10%", "lead=2.00"]).full(&lead).map(|m| m.minor), Some(200));
    }

    #[test]
    fn earnings_per_click_are_revenue_by_clicks() {
        assert_eq!(per_click(Money::new(500_000, eur()), 1_000).decimal(), "5.00");
        assert_eq!(per_click(Money::new(500_000, eur()), 0).decimal(), "0.00");
        assert_eq!(per_click(Money::new(100, eur()), 3).decimal(), "0.33");
        assert_eq!(share(-100, 1, 3), -33);
    }
}
