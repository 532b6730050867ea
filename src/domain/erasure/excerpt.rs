//! What of a raw body is one person's to see. A body is often of several people: a list of many leads, an order with somebody
//! else's address to deliver to, a message in which one tells of another. Whoever asks for what is kept of them must not learn of
//! the others by it (Art. 15 (4) GDPR), and what was read from the body stands in the tables beside it anyway.
//!
//! A value that is an address or a number makes the object that it stands in somebody's. Objects of others are left out; of
//! those that are the person's, texts stay without the addresses of others. What names the person in a text alone is theirs only
//! where nobody else has said it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use url::form_urlencoded;

use super::mentioned;
use crate::domain::person::{Email, Phone};

/// In the place of what was left out.
pub const LEFT_OUT: &str = "…";
/// Objects inside objects that are looked into.
const DEEPEST: usize = 64;
/// Digits that a number has with its country at most (E.164), and those by which one is taken for the same without it.
const MOST_DIGITS: usize = 15;
const FEWEST_DIGITS: usize = 7;

/// What a person is known by, as it is stored.
#[derive(Debug, Clone, Default)]
pub struct Own {
    pub emails: BTreeSet<String>,
    pub phones: BTreeSet<String>,
    /// Of the site: numbers may be written without it.
    pub country: Option<String>,
}

#[derive(Debug, PartialEq)]
pub enum Excerpt {
    /// Nobody else is in it.
    Whole,
    Part(String),
    /// It is of others, or nobody can tell what of it is not.
    Nothing,
}

pub fn excerpt(body: &[u8], own: &Own) -> Excerpt {
    let text = String::from_utf8_lossy(body);
    match serde_json::from_slice::<Value>(body) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => {
            let seen = own.see(&value, 0);
            if !seen.has_others() && !matches!(value, Value::Array(_)) {
                return Excerpt::Whole;
            }
            match own.part(&value, true, 0) {
                Some(part) if part == value => Excerpt::Whole,
                Some(part) if own.see(&part, 0).is_given(seen) => Excerpt::Part(part.to_string()),
                _ => Excerpt::Nothing,
            }
        }
        _ if text.contains('=') && !text.trim().contains(char::is_whitespace) => own.of_form(&text),
        _ if own.see_text("", &text).has_others() => Excerpt::Nothing,
        _ => Excerpt::Whole,
    }
}

/// Who is found in something. As such: a whole value is an address or number; else it only stands in a text.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Seen {
    own: bool,
    own_in_text: bool,
    other: bool,
    other_in_text: bool,
}

impl Seen {
    fn and(self, more: Seen) -> Seen {
        Seen {
            own: self.own || more.own,
            own_in_text: self.own_in_text || more.own_in_text,
            other: self.other || more.other,
            other_in_text: self.other_in_text || more.other_in_text,
        }
    }

    fn has_others(self) -> bool {
        self.other || self.other_in_text
    }

    /// Of a body of others as such, only what names the person as such; else also a text that names them.
    fn is_given(self, whole: Seen) -> bool {
        self.own || (self.own_in_text && !whole.other)
    }
}

impl Own {
    fn see(&self, value: &Value, depth: usize) -> Seen {
        match value {
            _ if depth > DEEPEST => Seen { other: true, ..Seen::default() },
            Value::Object(map) => map.iter().fold(Seen::default(), |seen, (key, value)| seen.and(self.see_member(key, value, depth))),
            Value::Array(list) => list.iter().fold(Seen::default(), |seen, value| seen.and(self.see(value, depth + 1))),
            leaf => self.see_member("", leaf, depth),
        }
    }

    fn see_member(&self, key: &str, value: &Value, depth: usize) -> Seen {
        match value {
            Value::String(text) => self.see_text(key, text),
            Value::Number(number) => self.see_text(key, &number.to_string()),
            Value::Array(list) if list.iter().all(|v| !v.is_object() && !v.is_array()) => {
                list.iter().fold(Seen::default(), |seen, value| seen.and(self.see_member(key, value, depth)))
            }
            Value::Object(_) | Value::Array(_) => self.see(value, depth + 1),
            Value::Bool(_) | Value::Null => Seen::default(),
        }
    }

    fn see_text(&self, key: &str, text: &str) -> Seen {
        let text = text.trim();
        if let Some(email) = Email::parse(text) {
            let is_own = self.emails.contains(email.as_str());
            return Seen { own: is_own, other: !is_own, ..Seen::default() };
        }
        if let Some(is_own) = self.number(key, text) {
            return Seen { own: is_own, other: !is_own, ..Seen::default() };
        }
        let mut seen = Seen::default();
        for email in mentioned(text.as_bytes()) {
            let is_own = self.emails.contains(email.as_str());
            (seen.own_in_text, seen.other_in_text) = (seen.own_in_text || is_own, seen.other_in_text || !is_own);
        }
        for (_, _, is_own) in self.numbers_in(text) {
            (seen.own_in_text, seen.other_in_text) = (seen.own_in_text || is_own, seen.other_in_text || !is_own);
        }
        seen
    }

    /// Whether a value is a number to call, and the person's. Bare digits are one only where the field's name says so.
    fn number(&self, key: &str, text: &str) -> Option<bool> {
        let is_clean = text.chars().all(|c| c.is_ascii_digit() || "+-(). /".contains(c));
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        if !is_clean || !(FEWEST_DIGITS..=MOST_DIGITS).contains(&digits.len()) {
            return None;
        }
        if let Some(phone) = Phone::parse(text, self.country.as_deref()).filter(|_| text.starts_with('+') || names_a_phone(key)) {
            return Some(self.phones.contains(phone.as_str()));
        }
        // Of another country than the site's, and written without it.
        let at_home = digits.trim_start_matches('0');
        let is_own = at_home.len() >= FEWEST_DIGITS && self.phones.iter().any(|phone| phone.ends_with(at_home));
        names_a_phone(key).then_some(is_own)
    }

    /// Numbers that stand in a text, with their place in it, where they are written with their country.
    fn numbers_in(&self, text: &str) -> Vec<(usize, usize, bool)> {
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(step) = text[at..].find('+') {
            let from = at + step;
            let rest = &text[from + 1..];
            let length = rest.find(|c: char| !(c.is_ascii_digit() || "-(). /".contains(c))).unwrap_or(rest.len());
            let run = text[from..from + 1 + length].trim_end_matches(|c: char| !c.is_ascii_digit());
            at = from + run.len().max(1);
            if let Some(phone) = Phone::parse(run, None) {
                found.push((from, from + run.len(), self.phones.contains(phone.as_str())));
            }
        }
        found
    }

    /// What of a value may be given. None where nothing of it may.
    fn part(&self, value: &Value, is_top: bool, depth: usize) -> Option<Value> {
        if !self.see(value, depth).has_others() && !(is_top && value.is_array()) {
            return Some(value.clone());
        }
        match value {
            Value::Array(list) => {
                let seen: Vec<Seen> = list.iter().map(|item| self.see(item, depth + 1)).collect();
                let is_mixed = seen.iter().any(|s| s.has_others());
                let has_own = seen.iter().any(|s| s.own || s.own_in_text);
                // Beside others, and on a list of things that stand each by itself, what names nobody may be anybody's.
                let is_kept = |s: &Seen| s.own || s.own_in_text || !(is_mixed || (is_top && has_own));
                let kept: Vec<Value> = list
                    .iter()
                    .zip(&seen)
                    .filter(|(_, seen)| is_kept(seen))
                    .filter_map(|(item, whole)| {
                        self.part(item, false, depth + 1).filter(|part| !is_mixed || self.see(part, 0).is_given(*whole))
                    })
                    .collect();
                (!kept.is_empty()).then_some(Value::Array(kept))
            }
            Value::Object(map) => self.part_of_object(map, depth),
            Value::String(text) => Some(self.masked(text).into()),
            other => Some(other.clone()),
        }
    }

    fn part_of_object(&self, map: &Map<String, Value>, depth: usize) -> Option<Value> {
        let is_leaf = |value: &Value| !value.is_object() && !value.is_array();
        let is_others = map.iter().any(|(key, value)| is_leaf(value) && self.see_member(key, value, depth).other);
        let cut: Vec<&String> =
            map.iter().filter(|(key, value)| !is_leaf(value) && self.see_member(key, value, depth).other).map(|(key, _)| key).collect();
        let mut kept = Map::new();
        for (key, value) in map {
            let seen = self.see_member(key, value, depth);
            if is_leaf(value) {
                // `customer_name` beside a `customer` who is somebody else.
                let is_of_them = !seen.own && cut.iter().any(|name| key.starts_with(name.as_str()));
                if !is_others && !is_of_them {
                    kept.insert(key.clone(), value.as_str().map_or_else(|| value.clone(), |text| self.masked(text).into()));
                }
                continue;
            }
            if is_others && !seen.own {
                continue;
            }
            let part = if depth < DEEPEST { self.part_of_member(key, value, seen, depth) } else { None };
            kept.insert(key.clone(), part.unwrap_or_else(|| LEFT_OUT.into()));
        }
        (!kept.is_empty()).then_some(Value::Object(kept))
    }

    fn part_of_member(&self, key: &str, value: &Value, seen: Seen, depth: usize) -> Option<Value> {
        if let Value::Array(list) = value
            && seen.other
            && list.iter().all(|v| !v.is_object() && !v.is_array())
        {
            let own: Vec<Value> = list.iter().filter(|v| self.see_member(key, v, depth).own).cloned().collect();
            return (!own.is_empty()).then_some(Value::Array(own));
        }
        self.part(value, false, depth + 1)
    }

    /// A text without the addresses and numbers of others.
    fn masked(&self, text: &str) -> String {
        if !self.see_text("", text).has_others() {
            return text.to_owned();
        }
        let mut masked = text.to_owned();
        for (from, until, _) in self.numbers_in(text).into_iter().rev().filter(|(_, _, is_own)| !is_own) {
            masked.replace_range(from..until, LEFT_OUT);
        }
        let is_between = |c: char| c.is_whitespace() || "<>()[]{},;:\"'|/?&=".contains(c);
        let words: Vec<&str> = masked.split_inclusive(is_between).collect();
        let masked: String = words
            .into_iter()
            .map(|word| {
                let end = word.chars().next_back().filter(|c| is_between(*c)).map(String::from).unwrap_or_default();
                let is_others = mentioned(word.as_bytes()).iter().any(|email| !self.emails.contains(email.as_str()));
                if is_others { format!("{LEFT_OUT}{end}") } else { word.to_owned() }
            })
            .collect();
        if self.see_text("", &masked).has_others() { LEFT_OUT.into() } else { masked }
    }

    /// Fields of a form are one object.
    fn of_form(&self, text: &str) -> Excerpt {
        let pairs: Vec<(String, String)> = form_urlencoded::parse(text.trim().as_bytes()).into_owned().collect();
        let seen = pairs.iter().fold(Seen::default(), |seen, (key, value)| seen.and(self.see_text(key, value)));
        if !seen.has_others() {
            return Excerpt::Whole;
        }
        if seen.other || !seen.own {
            return Excerpt::Nothing;
        }
        let masked = pairs.iter().map(|(key, value)| (key, self.masked(value)));
        Excerpt::Part(form_urlencoded::Serializer::new(String::new()).extend_pairs(masked).finish())
    }
}

/// Whether a field of this name holds a number to call.
fn names_a_phone(key: &str) -> bool {
    const WORDS: [&str; 8] = ["phone", "tel", "mobile", "mobil", "cell", "handy", "whatsapp", "gsm"];
    let key = key.to_lowercase();
    key == "ph" || (WORDS.iter().any(|word| key.contains(word)) && !key.ends_with("id"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const ANN: &str = "ann@mail.example";
    const BO: &str = "bo@mail.example";
    const PHONE: &str = "+971501234567";
    const OTHER: &str = "+971507654321";

    fn own() -> Own {
        Own { emails: BTreeSet::from([ANN.to_owned()]), phones: BTreeSet::from([PHONE.to_owned()]), country: Some("AE".into()) }
    }

    #[track_caller]
    fn check(body: Value, want: Option<Value>) {
        let got = match excerpt(body.to_string().as_bytes(), &own()) {
            Excerpt::Whole => Some(body),
            Excerpt::Part(text) => serde_json::from_str(&text).ok(),
            Excerpt::Nothing => None,
        };
        assert_eq!(got, want);
    }

    #[test]
    fn a_body_of_one_person_is_theirs() {
        for body in [
            json!({"email": ANN, "phone": "050 123 4567", "name": "Ann", "message": format!("write to {ANN} or {PHONE}"), "total": 971_507_654_321_u64}),
            json!({"order_id": 7, "transactions": [{"amount": "5.00"}]}),
            json!({"billing": {"email": ANN, "telefon": PHONE}, "line_items": [{"sku": "1234567890"}]}),
            json!("garbage"),
            json!([{"email": ANN}]),
        ] {
            check(body.clone(), Some(body));
        }
        assert_eq!(excerpt(format!("hello, call {PHONE} or write to {ANN}").as_bytes(), &own()), Excerpt::Whole);
        assert_eq!(excerpt(b"email=ann%40mail.example&name=Ann", &own()), Excerpt::Whole);
    }

    #[test]
    fn a_list_gives_what_names_the_person() {
        check(
            json!([{"e": "Lead", "email": ANN}, {"e": "Lead", "email": BO, "phone": OTHER}, {"e": "PageView", "client": "x"}]),
            Some(json!([{"e": "Lead", "email": ANN}])),
        );
        check(json!({"events": [{"email": BO}, {"email": ANN, "n": 1}]}), Some(json!({"events": [{"email": ANN, "n": 1}]})));
        check(json!([{"email": BO}, {"client": "x"}]), None);
    }

    #[test]
    fn what_another_says_of_them_is_not_given() {
        check(json!({"email": BO, "phone": OTHER, "name": "Bo", "message": format!("my friend {ANN} told me; I am ill")}), None);
        check(json!({"sender": {"email": BO}, "content": format!("I am ill, {ANN} knows")}), None);
        check(json!({"email": BO, "phone": PHONE, "name": "Bo"}), None);
        check(
            json!([{"sender": {"email": BO}, "content": format!("I am ill, {ANN} knows")}, {"email": ANN}]),
            Some(json!([{"email": ANN}])),
        );
        assert_eq!(excerpt(format!("ask {ANN} or {BO}").as_bytes(), &own()), Excerpt::Nothing);
        assert_eq!(excerpt(format!("email=bo%40mail.example&text=ask+{ANN}").as_bytes(), &own()), Excerpt::Nothing);
    }

    #[test]
    fn what_they_say_of_others_stays_without_their_addresses() {
        check(
            json!({"email": ANN, "message": format!("also tell {BO}, {OTHER}; mine is {PHONE}")}),
            Some(json!({"email": ANN, "message": format!("also tell …, …; mine is {PHONE}")})),
        );
        assert_eq!(
            excerpt(b"email=ann%40mail.example&text=ask+bo%40mail.example", &own()),
            Excerpt::Part("email=ann%40mail.example&text=ask+%E2%80%A6".into())
        );
    }

    #[test]
    fn others_inside_are_left_out() {
        check(
            json!({"billing": {"email": ANN, "city": "Ajman"}, "shipping": {"phone": OTHER, "first_name": "Bo"}, "shipping_name": "Bo", "total": "5.00"}),
            Some(json!({"billing": {"email": ANN, "city": "Ajman"}, "shipping": "…", "total": "5.00"})),
        );
        check(
            json!({"payload": {"host_email": BO, "host": "Bo", "participant": {"email": ANN, "name": "Ann"}}}),
            Some(json!({"payload": {"participant": {"email": ANN, "name": "Ann"}}})),
        );
        check(json!({"email": ANN, "to": [ANN, BO]}), Some(json!({"email": ANN, "to": [ANN]})));
    }

    proptest! {
        #[test]
        fn no_address_of_others_is_ever_given(
            keys in proptest::collection::vec("(email|phone|text|sender|list|to)", 1..6),
            texts in proptest::collection::vec("[a-z ,<>%+]{0,12}", 6),
            who in proptest::collection::vec(0..4usize, 6),
            shape in 0..4usize,
        ) {
            let names = [ANN, BO, PHONE, OTHER];
            let mut map = Map::new();
            for (n, key) in keys.iter().enumerate() {
                let text = format!("{}{}", texts[n], names[who[n]]);
                map.insert(key.clone(), match (shape, n % 3) {
                    (0, _) => names[who[n]].into(),
                    (1, 0) => json!({"inner": text, "email": names[who[n]]}),
                    (2, 1) => json!([text, {"phone": names[who[n]]}]),
                    _ => text.into(),
                });
            }
            let body = if shape == 3 { json!([map, {"email": BO}]) } else { Value::Object(map) };
            let given = match excerpt(body.to_string().as_bytes(), &own()) {
                Excerpt::Whole => body.to_string(),
                Excerpt::Part(text) => text,
                Excerpt::Nothing => String::new(),
            };
            prop_assert!(!given.contains(BO), "{given}");
            prop_assert!(!given.contains(OTHER), "{given}");
        }
    }
}
