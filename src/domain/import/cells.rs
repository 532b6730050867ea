//! Values of one row by what they mean, read into types; what cannot be read is refused by name, with the remedy.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::fact::{Person, ShopTouch, Stated, Traces};
use super::super::money::{Currency, Money, NoAmount};
use super::super::person::{Email, Name, Phone, country_code};
use super::super::short_code::found_in_all;
use super::super::time::{DAY_MS, Day, Time};
use super::columns::{Layout, meaning};
use super::date;
use super::records::Record;
use super::{Home, ImportKind, LONGEST, Refusal, cut};

/// Days that a date may lie ahead of now: planned costs of a year.
const AHEAD_DAYS: i32 = 366;

pub struct Cells<'h> {
    values: BTreeMap<&'static str, String>,
    pub home: &'h Home,
    has_decimal_comma: bool,
    unit: Option<Currency>,
}

impl<'h> Cells<'h> {
    pub fn of_record(layout: &Layout, record: Record, home: &'h Home, has_decimal_comma: bool) -> Result<Self, Refusal> {
        let mut values = BTreeMap::new();
        for (place, cell) in record.cells.into_iter().enumerate() {
            let Some(name) = layout.place(place) else { continue };
            let text = String::from_utf8(cell)
                .map_err(|_| Refusal::new(name, "It is no UTF-8 text. Save the file as “CSV UTF-8” and bring it again."))?;
            let text = unguarded(text.trim());
            if !text.is_empty() {
                values.insert(name, text.to_owned());
            }
        }
        Ok(Self { values, home, has_decimal_comma, unit: layout.unit })
    }

    /// An object of JSON lines. Amounts may be `{minor, currency}`, as our own exports have them.
    pub fn of_json(kind: ImportKind, line: &[u8], home: &'h Home) -> Result<Self, Refusal> {
        let read = serde_json::from_slice::<Value>(line);
        let Ok(Value::Object(fields)) = read else {
            return Err(Refusal::new("row", "It is no JSON object on one line."));
        };
        let mut ranked: BTreeMap<&'static str, (usize, String)> = BTreeMap::new();
        // Our own list of leads calls the platform its source.
        let is_own_leads = kind == ImportKind::Leads && fields.contains_key("form_type") && fields.contains_key("who");
        for (name, value) in &fields {
            let name = match name.as_str() {
                "source" if is_own_leads => Some(("platform", 0)),
                "name" if kind == ImportKind::Offline => Some(("full_name", 0)),
                _ => meaning(kind, name),
            };
            let Some((name, rank)) = name else { continue };
            let text = match value {
                Value::String(text) => text.trim().to_owned(),
                Value::Number(number) => number.to_string(),
                Value::Bool(true) => "yes".to_owned(),
                Value::Bool(false) => "no".to_owned(),
                Value::Object(amount) => {
                    let currency = amount.get("currency").and_then(Value::as_str).and_then(Currency::parse);
                    let Some((minor, currency)) = amount.get("minor").and_then(Value::as_i64).zip(currency) else { continue };
                    ranked.entry("currency").or_insert_with(|| (usize::MAX, currency.code().to_owned()));
                    Money::new(minor, currency).decimal()
                }
                _ => continue,
            };
            if !text.is_empty() && ranked.get(name).is_none_or(|(known, _)| rank < *known) {
                ranked.insert(name, (rank, text));
            }
        }
        let mut values: BTreeMap<&'static str, String> = ranked.into_iter().map(|(name, (_, text))| (name, text)).collect();
        // What our own export credits it with.
        if let Some(Value::Object(credited)) = fields.get("credited").and_then(|all| all.get(0)) {
            for name in ["source", "medium", "campaign"] {
                if let Some(text) = credited.get(name).and_then(Value::as_str).filter(|t| !t.is_empty()) {
                    values.entry(name).or_insert_with(|| text.to_owned());
                }
            }
        }
        Ok(Self { values, home, has_decimal_comma: false, unit: None })
    }

    /// All that the row says, in an order of its own: columns in another order are the same row.
    pub fn content(&self) -> String {
        self.values.iter().map(|(name, value)| format!("{name}={value}\u{1f}")).collect()
    }

    pub fn told(&self, name: &str) -> Option<String> {
        self.values.get(name).cloned()
    }

    pub fn word(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// A text that is cut where it is too long.
    pub fn text(&self, name: &str, most: usize) -> Option<String> {
        self.values.get(name).map(|text| cut(text, most)).filter(|text| !text.is_empty())
    }

    /// The sender's own id: never cut, so that two of them stay two.
    pub fn id(&self, name: &'static str) -> Result<Option<String>, Refusal> {
        let Some(text) = self.values.get(name) else { return Ok(None) };
        if text.chars().count() > LONGEST || text.chars().any(char::is_control) {
            return Err(Refusal::new(name, format!("An id has at most {LONGEST} characters, all of them visible.")));
        }
        Ok(Some(text.clone()))
    }

    pub fn currency(&self) -> Result<Currency, Refusal> {
        match self.values.get("currency") {
            Some(text) => {
                Currency::parse(text).ok_or_else(|| Refusal::new("currency", "It is no currency. Use its ISO code, such as EUR."))
            }
            None => Ok(self.unit.unwrap_or(self.home.currency)),
        }
    }

    pub fn amount(&self, name: &'static str, currency: Currency) -> Result<Option<Money>, Refusal> {
        let Some(text) = self.values.get(name) else { return Ok(None) };
        let bad = |remedy: &str| Refusal::new(name, remedy.to_owned());
        let plain = decimal(text, self.has_decimal_comma).ok_or_else(|| bad("It is no amount. Write it as 12.50."))?;
        Money::parse(&plain, currency).map(Some).map_err(|wrong| match wrong {
            NoAmount::TooManyDigits => bad("It has more digits after the point than its currency."),
            NoAmount::TooLarge => bad("It is larger than any amount that can be kept."),
            NoAmount::NotDecimal => bad("It is no amount. Write it as 12.50."),
        })
    }

    /// The same, and not below nought.
    pub fn positive(&self, name: &'static str, currency: Currency) -> Result<Option<Money>, Refusal> {
        match self.amount(name, currency)? {
            Some(money) if money.minor < 0 => Err(Refusal::new(name, "An amount below nought cannot be taken here.")),
            other => Ok(other),
        }
    }

    pub fn moment(&self, name: &'static str) -> Result<Option<Time>, Refusal> {
        let Some(text) = self.values.get(name) else { return Ok(None) };
        let at = date::moment(text, &self.home.zone).map_err(|no| Refusal::new(name, no.remedy()))?;
        if at.ms_since(self.home.now) > DAY_MS {
            return Err(Refusal::new(name, "It lies in the future."));
        }
        Ok(Some(at.min(self.home.now)))
    }

    pub fn day(&self, name: &'static str) -> Result<Option<Day>, Refusal> {
        let Some(text) = self.values.get(name) else { return Ok(None) };
        let day = date::day(text, &self.home.zone).map_err(|no| Refusal::new(name, no.remedy()))?;
        let last = self.home.zone.day(self.home.now).plus(AHEAD_DAYS);
        if day > last || day.0 < 0 {
            return Err(Refusal::new(name, "It is no day between 1970 and a year from now."));
        }
        Ok(Some(day))
    }

    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.word(name).to_lowercase().as_str() {
            "yes" | "true" | "1" | "y" | "ja" | "oui" | "si" | "granted" => Some(true),
            "no" | "false" | "0" | "n" | "nein" | "non" | "denied" => Some(false),
            _ => None,
        }
    }

    pub fn person(&self) -> Result<Person, Refusal> {
        let email = match self.values.get("email") {
            Some(text) => {
                Some(Email::parse(text).ok_or_else(|| Refusal::new("email", "It is no e-mail address. Correct it or leave it empty."))?)
            }
            None => None,
        };
        let full = self.text("full_name", LONGEST).map(|name| Name::from_full(&name)).unwrap_or_default();
        Ok(Person {
            email,
            // A number that cannot be read is no reason to lose a sale.
            phone: self.values.get("phone").and_then(|text| Phone::parse(text, self.home.country.as_deref())),
            first_name: self.text("first_name", LONGEST).or(full.first),
            last_name: self.text("last_name", LONGEST).or(full.last),
            company: self.text("company", LONGEST),
            customer_id: self.text("customer_id", LONGEST),
            city: self.text("city", LONGEST),
            postcode: self.text("postcode", 20),
            country: self.values.get("country").and_then(|text| country_code(text)).map(|code| code.to_uppercase()),
            address: None,
        })
    }

    /// What ties the row to a visit. Where it says so itself, that is the file's own word: imported evidence, the lowest tier.
    pub fn traces(&self) -> Traces {
        Traces {
            session: self.text("session", 128),
            click_ids: self.text("click_id", 512).into_iter().collect(),
            // In a column of its own, or written into the note.
            codes: found_in_all([self.word("code"), self.word("note"), self.word("message")]),
            coupons: self.word("coupon").split([',', ';']).map(|c| cut(c, LONGEST)).filter(|c| !c.is_empty()).collect(),
            affiliate: self.text("affiliate", LONGEST),
            stated: None,
            consent_given: self.flag("consent"),
            user_agent: None,
        }
    }

    /// The visit that the row names, as a shop notes one on its orders.
    pub fn journey(&self) -> Vec<ShopTouch> {
        let word = |name: &str| self.text(name, LONGEST).filter(|w| !is_nothing(w));
        let touch = ShopTouch {
            at: None,
            source: word("source"),
            medium: word("medium"),
            campaign: word("campaign"),
            landing: self.text("landing", 2_048),
            referrer: self.text("referrer", 2_048),
        };
        if touch == ShopTouch::default() { Vec::new() } else { vec![touch] }
    }

    /// The same in one word, for facts that have no visits of their own.
    pub fn stated(&self) -> Option<Stated> {
        let touch = self.journey().into_iter().next()?;
        let source = touch.source.map(|s| super::super::campaign::normal_source(&s))?;
        Some(Stated { source, medium: touch.medium.map(|m| super::super::campaign::normal_medium(&m)), campaign: touch.campaign })
    }
}

/// Words that stand for no source at all.
fn is_nothing(word: &str) -> bool {
    matches!(word.to_lowercase().as_str(), "unattributed" | "(not set)" | "not set" | "null" | "undefined" | "unknown" | "--" | "-")
}

/// The way back from what our exports do to cells that a sheet would take for a formula.
fn unguarded(text: &str) -> &str {
    let rest = text.trim_start_matches('\'');
    let is_guarded = rest.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if is_guarded && text.starts_with('\'') { &text[1..] } else { text }
}

/// A plain decimal of an amount as people and programs write it: signs of currencies and blanks apart, thousands apart. In
/// files with semicolons a comma stands before the cents; elsewhere a point does.
fn decimal(text: &str, has_decimal_comma: bool) -> Option<String> {
    let is_sign = |c: char| c.is_whitespace() || c.is_alphabetic() || "$€£¥₹₽₺฿₪".contains(c);
    let text = text.trim().replace(['\u{2212}', '\u{2013}'], "-");
    let (sign, rest) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let rest = rest.trim_matches(is_sign);
    let (sign, rest) = rest.strip_prefix('-').map_or((sign, rest), |rest| ("-", rest));
    let plain: String = rest.chars().filter(|c| !c.is_whitespace() && *c != '\'' && *c != '’').collect();
    if plain.is_empty() || !plain.chars().all(|c| c.is_ascii_digit() || c == '.' || c == ',') {
        return None;
    }
    let (cents, thousands) = if has_decimal_comma { (',', '.') } else { ('.', ',') };
    let (whole, fraction) = match plain.rsplit_once(cents) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => match plain.rsplit_once(thousands) {
            // `12,5` is no group of thousands, whichever sign is usual in this file.
            Some((whole, tail)) if tail.len() != 3 && !whole.contains(thousands) => (whole, Some(tail)),
            _ => (plain.as_str(), None),
        },
    };
    let groups: Vec<&str> = whole.split(thousands).collect();
    let are_thousands = groups.len() == 1 || (groups[1..].iter().all(|g| g.len() == 3) && (1..=3).contains(&groups[0].len()));
    if !are_thousands || whole.contains(cents) || fraction.is_some_and(|f| f.is_empty() || f.contains([',', '.'])) {
        return None;
    }
    let whole = groups.concat();
    if whole.is_empty() {
        return None;
    }
    Some(match fraction {
        Some(fraction) => format!("{sign}{whole}.{fraction}"),
        None => format!("{sign}{whole}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_both_habits() {
        for (text, comma, want) in [
            ("12.50", false, Some("12.50")),
            ("$1,234.50", false, Some("1234.50")),
            ("1.234,50 €", true, Some("1234.50")),
            ("1.234", true, Some("1234")),
            ("1,234", false, Some("1234")),
            ("12,5", false, Some("12.5")),
            ("12.5", true, Some("12.5")),
            ("1 234,50", true, Some("1234.50")),
            ("1'234.50", false, Some("1234.50")),
            ("USD -7", false, Some("-7")),
            ("-7.00 USD", false, Some("-7.00")),
            ("12,34,567.00", false, None),
            ("1.2.3", false, None),
            (".5", false, None),
            ("5.", false, None),
            ("--", false, None),
            ("", false, None),
            ("1e9", false, None),
        ] {
            assert_eq!(decimal(text, comma).as_deref(), want, "{text} {comma}");
        }
    }

    #[test]
    fn what_our_exports_guard_is_read_back() {
        for (cell, want) in [("'=1+1", "=1+1"), ("''=x", "'=x"), ("'t Hof", "'t Hof"), ("-5", "-5"), ("'-5", "-5")] {
            assert_eq!(unguarded(cell), want);
        }
    }
}
