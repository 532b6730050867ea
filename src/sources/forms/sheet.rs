//! What a sender wrote, as named fields. Each is asked for under all the names that people give it; what nobody asked
//! for is kept as it is.

use serde_json::{Map, Value};

use crate::domain::consent::Answer;
use crate::domain::yes_no;
use crate::sources::kit::scalar;

/// How a field came: the sender's own words win over those found deeper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Known for certain, by a plug-in's documented shape.
    Known,
    Top,
    Inner,
    /// Under `custom_fields`: kept, and read only for what ties the lead to a visit.
    Custom,
}

#[derive(Debug, Clone)]
struct Field {
    /// As the sender wrote it.
    name: String,
    /// Letters and digits of the name, in lower case: `Your E-Mail*` is `youremail`.
    key: String,
    value: Value,
    place: Place,
    is_taken: bool,
}

/// Names longer than this are cut, in characters.
const MAX_NAME: usize = 80;
/// Fields beyond these are not looked at.
const MAX_FIELDS: usize = 1_000;
/// What is kept of fields that nobody asked for.
const MOST_KEPT: usize = 50;
const MAX_KEPT_BYTES: usize = 8 * 1_024;
/// Longest text that is kept of one such field, in characters.
const MAX_KEPT_TEXT: usize = 2_000;

#[derive(Debug, Clone, Default)]
pub struct Sheet {
    fields: Vec<Field>,
}

impl Sheet {
    /// `name` is what it is kept under, `key` what it is asked for by.
    pub fn add(&mut self, name: &str, key: &str, value: Value, place: Place) {
        if self.fields.len() < MAX_FIELDS {
            let name = cleaned(name, MAX_NAME, false).unwrap_or_default();
            self.fields.push(Field { name, key: squeezed(key), value, place, is_taken: false });
        }
    }

    /// The first text under any of these squeezed names, the earlier names first. It is taken, and so is the same
    /// text under the other names.
    pub fn text(&mut self, keys: &[&str], max: usize) -> Option<String> {
        let found = self.best(keys, Place::Inner)?;
        let text = plain(&self.fields[found].value)?;
        for field in &mut self.fields {
            if keys.contains(&field.key.as_str()) && field.place != Place::Custom && plain(&field.value).as_ref() == Some(&text) {
                field.is_taken = true;
            }
        }
        cleaned(&text, max, false)
    }

    /// As `text`, and lines stay lines.
    pub fn lines(&mut self, keys: &[&str], max: usize) -> Option<String> {
        let found = self.best(keys, Place::Inner)?;
        self.fields[found].is_taken = true;
        cleaned(&joined(&self.fields[found].value)?, max, true)
    }

    /// As `text`, also under `custom_fields`.
    pub fn trace(&mut self, keys: &[&str], max: usize) -> Option<String> {
        let found = self.best(keys, Place::Custom)?;
        self.fields[found].is_taken = true;
        cleaned(&plain(&self.fields[found].value)?, max, false)
    }

    /// The first value under any of these names that is there at all.
    pub fn value(&mut self, keys: &[&str]) -> Option<Value> {
        let is_there = |v: &Value| !v.is_null() && v.as_str().is_none_or(|s| !s.trim().is_empty());
        let found = self.first(keys, Place::Inner, |f| is_there(&f.value))?;
        self.fields[found].is_taken = true;
        Some(self.fields[found].value.clone())
    }

    /// The texts of fields whose name fits, wherever they stand. They stay for whoever else asks.
    pub fn peek(&self, is_wanted: impl Fn(&str) -> bool) -> Vec<String> {
        self.fields.iter().filter(|f| is_wanted(&f.key)).filter_map(|f| plain(&f.value)).collect()
    }

    /// A yes or no under any of these names; what is neither stays where it is.
    pub fn flag(&mut self, keys: &[&str]) -> Option<bool> {
        let found = self.first(keys, Place::Custom, |f| plain(&f.value).is_some_and(|t| yes_no::read(&t).is_some()))?;
        self.fields[found].is_taken = true;
        yes_no::read(&plain(&self.fields[found].value)?)
    }

    /// The answer on consent under all of these names: of several a no wins. What is neither yes nor no stays where it is.
    pub fn consent(&mut self, keys: &[&str]) -> Option<bool> {
        let mut all = Answer::Unknown;
        for field in self.fields.iter_mut().filter(|f| !f.is_taken && keys.contains(&f.key.as_str())) {
            let said = plain(&field.value).and_then(|text| Answer::parse(&text)).unwrap_or_default();
            field.is_taken |= said.given().is_some();
            all = all.and(said);
        }
        all.given()
    }

    /// The first value, in the sender's order, whose name and text fit.
    pub fn guess<T>(&mut self, fit: impl Fn(&str, &str) -> Option<T>) -> Option<T> {
        for field in self.fields.iter_mut().filter(|f| !f.is_taken && f.place != Place::Custom) {
            if let Some(found) = plain(&field.value).and_then(|text| fit(&field.key, &text)) {
                field.is_taken = true;
                return Some(found);
            }
        }
        None
    }

    /// The texts of fields whose name fits, under `custom_fields` too. They are taken.
    pub fn texts(&mut self, is_wanted: impl Fn(&str) -> bool, max: usize) -> Vec<String> {
        let mut texts = Vec::new();
        for field in self.fields.iter_mut().filter(|f| !f.is_taken && is_wanted(&f.key)) {
            let items = match &field.value {
                Value::Array(list) => list.iter().filter_map(scalar).collect(),
                one => scalar(one).into_iter().collect::<Vec<_>>(),
            };
            field.is_taken |= !items.is_empty();
            texts.extend(items.iter().filter_map(|t| cleaned(t, max, false)));
        }
        texts
    }

    /// Leaves these names out of what is kept.
    pub fn drop(&mut self, is_unwanted: impl Fn(&str) -> bool) {
        for field in &mut self.fields {
            field.is_taken |= is_unwanted(&field.key);
        }
    }

    /// What nobody asked for, the sender's own `custom_fields` first, within bounds.
    pub fn rest(&self, first: Map<String, Value>) -> Map<String, Value> {
        let mut kept = Map::new();
        let mut bytes = 2;
        let own = self.fields.iter().filter(|f| f.place == Place::Custom);
        let others = self.fields.iter().filter(|f| f.place != Place::Custom);
        let left = own.chain(others).filter(|f| !f.is_taken && !f.name.is_empty()).map(|f| (f.name.clone(), f.value.clone()));
        for (name, value) in first.into_iter().chain(left) {
            let Some(value) = bounded(value) else { continue };
            // Two quotes, a colon and a comma; escapes make it a little more, which the value's own text counts.
            let size = name.len() + value.to_string().len() + 4;
            if kept.len() < MOST_KEPT && bytes + size <= MAX_KEPT_BYTES && !kept.contains_key(&name) {
                bytes += size;
                kept.insert(name, value);
            }
        }
        kept
    }

    /// The earliest of these names that has a text, at the best place that has it.
    fn best(&self, keys: &[&str], last: Place) -> Option<usize> {
        self.first(keys, last, |f| plain(&f.value).is_some_and(|t| cleaned(&t, 1, false).is_some()))
    }

    fn first(&self, keys: &[&str], last: Place, is_fit: impl Fn(&Field) -> bool) -> Option<usize> {
        keys.iter().find_map(|key| {
            let with_key = self.fields.iter().enumerate().filter(|(_, f)| !f.is_taken && f.place <= last && f.key == *key && is_fit(f));
            with_key.min_by_key(|(at, f)| (f.place, *at)).map(|(at, _)| at)
        })
    }
}

/// Letters and digits in lower case.
pub fn squeezed(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).take(MAX_NAME).flat_map(char::to_lowercase).collect()
}

/// Trimmed, without control characters and the marks that turn or hide text, at most so many characters.
pub fn cleaned(text: &str, max: usize, keep_lines: bool) -> Option<String> {
    let is_unseen = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    let fit = text.trim().chars().filter_map(|c| match c {
        '\n' if keep_lines => Some('\n'),
        '\n' | '\t' => Some(' '),
        c if c.is_control() || is_unseen(c) => None,
        c => Some(c),
    });
    let cut: String = fit.take(max).collect();
    let cut = cut.trim();
    (!cut.is_empty()).then(|| cut.to_owned())
}

/// The text of a scalar. Of a list the last counts: a checkbox sends its hidden `0` before its `1`.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Array(list) => list.iter().rev().find_map(scalar),
        one => scalar(one),
    }
}

/// All texts of a list in one, for what is only read by people.
fn joined(value: &Value) -> Option<String> {
    match value {
        Value::Array(list) => Some(list.iter().filter_map(scalar).collect::<Vec<_>>().join(", ")),
        one => scalar(one),
    }
}

/// A value fit to be kept: nothing empty, no text without end.
fn bounded(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::String(text) => cleaned(&text, MAX_KEPT_TEXT, true).map(Value::String),
        Value::Array(list) => {
            let list: Vec<Value> = list.into_iter().filter_map(bounded).collect();
            (!list.is_empty()).then_some(Value::Array(list))
        }
        Value::Object(map) => {
            let map: Map<String, Value> = map.into_iter().filter_map(|(name, value)| Some((name, bounded(value)?))).collect();
            (!map.is_empty()).then_some(Value::Object(map))
        }
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sheet(fields: &[(&str, Value, Place)]) -> Sheet {
        let mut sheet = Sheet::default();
        for (name, value, place) in fields {
            sheet.add(name, name, value.clone(), *place);
        }
        sheet
    }

    #[test]
    fn names_are_squeezed_and_the_nearest_wins() {
        let mut s = sheet(&[
            ("E-Mail", json!("inner@example.com"), Place::Inner),
            ("email *", json!(" "), Place::Top),
            ("Your E-Mail:", json!("top@example.com"), Place::Top),
            ("email", json!("custom@example.com"), Place::Custom),
        ]);
        assert_eq!(s.text(&["youremail", "email"], 99).as_deref(), Some("top@example.com"));
        assert_eq!(s.text(&["youremail", "email"], 99).as_deref(), Some("inner@example.com"));
        assert_eq!(s.text(&["youremail", "email"], 99), None);
        assert_eq!(s.trace(&["email"], 3).as_deref(), Some("cus"));
    }

    #[test]
    fn a_checkbox_sends_its_opposite_first() {
        let mut s = sheet(&[("consent", json!(["0", "1"]), Place::Top), ("other", json!("perhaps"), Place::Top)]);
        assert_eq!(s.flag(&["consent"]), Some(true));
        assert_eq!(s.flag(&["other"]), None);
        assert_eq!(Value::Object(s.rest(Map::new())), json!({"other": "perhaps"}));
    }

    #[test]
    fn of_several_answers_on_consent_a_no_wins() {
        const KEYS: &[&str] = &["consentgiven", "marketingconsent"];
        for (given, marketing, want) in [
            (json!(true), Value::Null, Some(true)),
            (json!(0), Value::Null, Some(false)),
            (json!("Nein"), Value::Null, Some(false)),
            (json!("reject_all"), json!("yes"), Some(false)),
            (json!("yes"), json!(["1", "0"]), Some(false)),
            (json!("perhaps"), json!("oui"), Some(true)),
            (json!("perhaps"), json!(""), None),
            (json!({"given": true}), json!("unknown"), None),
        ] {
            let mut s = sheet(&[("consent_given", given.clone(), Place::Top), ("Marketing consent", marketing.clone(), Place::Custom)]);
            assert_eq!(s.consent(KEYS), want, "{given} {marketing}");
        }
        let mut s = sheet(&[("consent_given", json!("perhaps"), Place::Top)]);
        assert_eq!(s.consent(KEYS), None);
        assert_eq!(Value::Object(s.rest(Map::new())), json!({"consent_given": "perhaps"}), "what nobody can read is kept to be looked at");
    }

    #[test]
    fn the_same_text_under_two_names_is_taken_once() {
        let mut s = sheet(&[("tel", json!("1"), Place::Top), ("phone", json!(1), Place::Inner), ("mobile", json!("2"), Place::Top)]);
        assert_eq!(s.text(&["phone", "tel", "mobile"], 9).as_deref(), Some("1"));
        assert_eq!(Value::Object(s.rest(Map::new())), json!({"mobile": "2"}));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let many: Vec<_> = (0..200).map(|n| (format!("field {n}"), json!(n))).collect();
        let many: Vec<_> = many.iter().map(|(n, v)| (n.as_str(), v.clone(), Place::Top)).collect();
        assert_eq!(sheet(&many).rest(Map::new()).len(), MOST_KEPT);
        let long = sheet(&[
            ("a", json!("é".repeat(9_000)), Place::Top),
            ("b", json!(["x".repeat(9_000), "", null]), Place::Top),
            ("c", json!({"deep": {"empty": null}}), Place::Top),
            ("d", json!(false), Place::Top),
        ]);
        let kept = long.rest(Map::new());
        assert_eq!(kept["a"].as_str().map(|s| s.chars().count()), Some(MAX_KEPT_TEXT));
        assert_eq!(kept.keys().map(String::as_str).collect::<Vec<_>>(), ["a", "b", "d"]);
        assert!(Value::Object(kept).to_string().len() <= MAX_KEPT_BYTES);
    }

    #[test]
    fn unseen_characters_go() {
        assert_eq!(cleaned(" a\u{0}b\u{202e}c\r\nd\te ", 99, true).as_deref(), Some("abc\nd e"));
        assert_eq!(cleaned("a\nb", 99, false).as_deref(), Some("a b"));
        assert_eq!(cleaned("\u{200b} \u{0}", 9, false), None);
    }
}
