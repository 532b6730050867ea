//! Values of one row by what they mean, read into types; what cannot be read is refused by name, with the remedy.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::consent::Answer;
use super::super::coupon;
use super::super::fact::{Person, ShopTouch, Stated, Traces};
use super::super::money::{Currency, Money, NoAmount};
use super::super::person::{Email, Name, Phone, country_code};
use super::super::short_code::found_in_all;
use super::super::time::{DAY_MS, Day, Time};
use super::super::yes_no;
use super::amount::{Habit, NoNumber, Unit, Written};
use super::columns::{AMOUNTS, Layout, meaning, unit_of};
use super::date;
use super::records::Record;
use super::{Home, ImportKind, LONGEST, Refusal, cut};

/// Days that a date may lie ahead of now: planned costs of a year.
const AHEAD_DAYS: i32 = 366;

pub struct Cells<'h> {
    values: BTreeMap<&'static str, String>,
    pub home: &'h Home,
    habit: Habit,
    /// Currencies that the heads of columns name.
    units: Vec<Unit>,
}

impl<'h> Cells<'h> {
    pub fn of_record(layout: &Layout, record: Record, home: &'h Home, habit: Habit) -> Result<Self, Refusal> {
        let mut values = BTreeMap::new();
        for (place, cell) in record.cells.into_iter().enumerate() {
            if place >= layout.width() && !cell.trim_ascii().is_empty() {
                return Err(Refusal::new("row", surplus(habit)));
            }
            let Some(name) = layout.place(place) else { continue };
            let text = String::from_utf8(cell)
                .map_err(|_| Refusal::new(name, "It is no UTF-8 text. Save the file as “CSV UTF-8” and bring it again."))?;
            let text = unguarded(text.trim());
            if !text.is_empty() {
                values.insert(name, text.to_owned());
            }
        }
        Ok(Self { values, home, habit, units: layout.units.clone() })
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
        let mut units = Vec::new();
        for (told, value) in &fields {
            let name = match told.as_str() {
                "source" if is_own_leads => Some(("platform", 0)),
                "name" if kind == ImportKind::Offline => Some(("full_name", 0)),
                _ => meaning(kind, told),
            };
            let Some((name, rank)) = name else { continue };
            if AMOUNTS.contains(&name) {
                units.extend(unit_of(told));
            }
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
        Ok(Self { values, home, habit: Habit::Program, units })
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

    /// The currency of the row: of all that name one (its own column, the heads of the columns, signs beside the numbers) each
    /// must agree. Where nothing does it is the site's.
    pub fn currency(&self) -> Result<Currency, Refusal> {
        let mut units = self.units.clone();
        if let Some(text) = self.values.get("currency") {
            let unit = Unit::parse(text);
            units.push(unit.ok_or_else(|| Refusal::new("currency", "It is no currency. Use its ISO code, such as EUR."))?);
        }
        // What cannot be read at all is refused where it is asked for.
        let written = AMOUNTS.iter().filter_map(|name| Written::read(self.values.get(*name)?).ok());
        units.extend(written.flat_map(|written| written.units));
        let of_one = units.iter().find_map(|unit| match unit {
            Unit::Of(currency) => Some(*currency),
            Unit::Shared(_) => None,
        });
        let currency = of_one.unwrap_or(self.home.currency);
        match units.into_iter().find(|unit| !unit.may_be(currency)) {
            None => Ok(currency),
            Some(Unit::Of(_)) => Err(Refusal::new("currency", "The row names two currencies. Leave the one that is right.")),
            Some(Unit::Shared(_)) => Err(Refusal::new(
                "currency",
                format!(
                    "Its sign stands for several currencies, and {currency} is none of them. Name the currency by its ISO code, such as USD."
                ),
            )),
        }
    }

    pub fn amount(&self, name: &'static str, currency: Currency) -> Result<Option<Money>, Refusal> {
        let Some(text) = self.values.get(name) else { return Ok(None) };
        let plain = Written::read(text).and_then(|written| written.decimal(self.habit, currency.digits()));
        let plain = plain.map_err(|no| Refusal::new(name, no.remedy()))?;
        Money::parse(&plain, currency).map(Some).map_err(|wrong| {
            let remedy = match wrong {
                NoAmount::TooManyDigits => "It has more digits after the point than its currency.",
                NoAmount::TooLarge => "It is larger than any amount that can be kept.",
                NoAmount::NotDecimal => NoNumber::Unknown.remedy(),
            };
            Refusal::new(name, remedy)
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
        let at = date::moment(text, &self.home.zone, self.home.now).map_err(|no| Refusal::new(name, no.remedy()))?;
        if at.ms_since(self.home.now) > DAY_MS {
            return Err(Refusal::new(name, "It lies in the future."));
        }
        Ok(Some(at.min(self.home.now)))
    }

    pub fn day(&self, name: &'static str) -> Result<Option<Day>, Refusal> {
        let Some(text) = self.values.get(name) else { return Ok(None) };
        let day = date::day(text, &self.home.zone, self.home.now).map_err(|no| Refusal::new(name, no.remedy()))?;
        let last = self.home.zone.day(self.home.now).plus(AHEAD_DAYS);
        if day > last {
            return Err(Refusal::new(name, "It lies more than a year ahead."));
        }
        Ok(Some(day))
    }

    pub fn flag(&self, name: &str) -> Option<bool> {
        yes_no::read(self.word(name))
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
            sent_to: self.values.get("sent_to").and_then(|text| country_code(text)).map(|code| code.to_uppercase()),
        })
    }

    /// What ties the row to a visit. Where it says so itself, that is the file's own word: imported evidence, the lowest tier.
    pub fn traces(&self) -> Traces {
        Traces {
            session: self.text("session", 128),
            click_ids: self.text("click_id", 512).into_iter().collect(),
            // In a column of its own, or written into the note.
            codes: found_in_all([self.word("code"), self.word("note"), self.word("message")]),
            coupons: coupon::codes([self.word("coupon")]).iter().map(|code| cut(code, LONGEST)).collect(),
            affiliate: self.text("affiliate", LONGEST),
            stated: None,
            consent_given: Answer::parse(self.word("consent")).and_then(Answer::given),
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

/// A row with more cells than its header names: most often an amount that a comma has cut in two.
fn surplus(habit: Habit) -> &'static str {
    match habit {
        Habit::Comma => "It has more cells than the first line has names. Put a text with a semicolon into quotation marks.",
        _ => {
            "It has more cells than the first line has names, as where a comma cuts an amount in two. Put such an amount into \
             quotation marks, or save the file with semicolons."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_our_exports_guard_is_read_back() {
        for (cell, want) in [("'=1+1", "=1+1"), ("''=x", "'=x"), ("'t Hof", "'t Hof"), ("-5", "-5"), ("'-5", "-5")] {
            assert_eq!(unguarded(cell), want);
        }
    }

    fn home(currency: &str) -> Home {
        Home::of_test(currency)
    }

    /// The total and the refund of an order's row at a site of a currency, or the field that is refused.
    fn money(site: &str, header: &str, row: &str) -> Result<String, String> {
        let home = home(site);
        let cells = |line: &str| line.split(',').map(|cell| cell.to_owned()).collect::<Vec<_>>();
        let layout = Layout::read(ImportKind::Orders, &cells(header), &home).expect("columns");
        let record = Record {
            line: 2,
            cells: cells(row).into_iter().map(|c| c.replace('_', ",").into_bytes()).collect(),
            flaw: None,
            is_ended: true,
        };
        let cells = Cells::of_record(&layout, record, &home, Habit::Point).map_err(|r| r.field)?;
        let currency = cells.currency().map_err(|r| r.field)?;
        let amount = |name| cells.amount(name, currency).map_err(|r: Refusal| r.field);
        let (total, back) = (amount("total")?, amount("back")?);
        Ok([total, back].into_iter().flatten().map(|m| m.to_string()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn the_currency_that_a_row_names_is_its_own() {
        let (plain, unit, column) = ("order,date,total,refund", "order,date,Total (USD),refund", "order,date,total,refund,currency");
        for (site, header, row, want) in [
            ("EUR", plain, "1,2026-06-01,13.00,", Ok("EUR 13.00")),
            ("EUR", plain, "1,2026-06-01,14.00 USD,", Ok("USD 14.00")),
            ("EUR", plain, "1,2026-06-01,14.00 USD,2.00", Ok("USD 14.00 USD 2.00")),
            ("EUR", plain, "1,2026-06-01,14.00 USD,2.00 EUR", Err("currency")),
            ("EUR", plain, "1,2026-06-01,AED 5,", Ok("AED 5.00")),
            ("USD", plain, "1,2026-06-01,£5,", Ok("GBP 5.00")),
            ("USD", plain, "1,2026-06-01,5 €,", Ok("EUR 5.00")),
            ("EUR", plain, "1,2026-06-01,$13.00,", Err("currency")),
            ("CAD", plain, "1,2026-06-01,$13.00,", Ok("CAD 13.00")),
            ("EUR", unit, "1,2026-06-01,$13.00,", Ok("USD 13.00")),
            ("EUR", unit, "1,2026-06-01,13.00,1", Ok("USD 13.00 USD 1.00")),
            ("EUR", unit, "1,2026-06-01,13.00 €,", Err("currency")),
            ("EUR", column, "1,2026-06-01,$13.00,,AUD", Ok("AUD 13.00")),
            ("EUR", column, "1,2026-06-01,13.00,,€", Ok("EUR 13.00")),
            ("EUR", column, "1,2026-06-01,$13.00,,GBP", Err("currency")),
            ("EUR", plain, "1,2026-06-01,1.5k,", Err("total")),
            ("EUR", plain, "1,2026-06-01,0_125,", Err("total")),
            ("KWD", plain, "1,2026-06-01,12.500,", Ok("KWD 12.500")),
            ("KWD", plain, "1,2026-06-01,12_500,", Err("total")),
        ] {
            assert_eq!(money(site, header, row), want.map(str::to_owned).map_err(str::to_owned), "{site} {row}");
        }
    }

    #[test]
    fn a_cell_too_many_is_never_passed_over() {
        let header = "order,date,total";
        assert_eq!(money("EUR", header, "1,2026-06-01,7,50"), Err("row".into()));
        assert_eq!(money("EUR", header, "1,2026-06-01,7,,"), Ok("EUR 7.00".into()));
        assert_eq!(money("EUR", header, "1,2026-06-01,7, "), Ok("EUR 7.00".into()));
        assert_eq!(money("EUR", header, "1,2026-06-01,7_50"), Ok("EUR 7.50".into()));
    }
}
