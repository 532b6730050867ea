//! What somebody answered when they booked, signed up or filled in a form: person, campaign and visit out of questions that
//! each owner words differently. What nobody asks for is kept as it was written.

use serde_json::{Map, Value, json};

use super::scalar;
use crate::crypto;
use crate::domain::campaign::{ClickKind, MAX_TEXT, Utm, clean_text, normal_source};
use crate::domain::consent;
use crate::domain::coupon;
use crate::domain::fact::{Person, Stated, Traces};
use crate::domain::person::{Email, Name, Phone};
use crate::json::canonical;
use crate::sources::Home;

const SESSION: &[&str] = &["halosessionid", "halosession", "halo", "sessionid", "visitorid"];
const NAME: &[&str] = &["name", "fullname", "yourname", "customername"];
const FIRST: &[&str] = &["firstname", "yourfirstname", "givenname", "vorname", "prenom"];
const LAST: &[&str] = &["lastname", "yourlastname", "surname", "familyname", "nachname"];
const COMPANY: &[&str] = &["company", "companyname", "yourcompany", "organization", "organisation", "business", "businessname"];
const CONSENT: &[&str] = &["consentgiven", "marketingconsent", "gdprconsent"];
const COUPON: &[&str] = &["coupon", "couponcode", "promocode", "discountcode", "voucher"];
const AFFILIATE: &[&str] = &["affiliate", "affiliateid", "affiliatecode"];
/// Longest session id or click id that is looked at.
const MAX_ID: usize = 512;
/// Answers beyond these are not looked at.
const MOST: usize = 200;
/// What is kept of answers that nobody asked for.
const MOST_KEPT: usize = 50;
const MAX_KEPT: usize = 2_000;

#[derive(Debug)]
struct Answer {
    /// The question as its owner worded it.
    name: String,
    /// Letters and digits of it, in lower case.
    key: String,
    value: Value,
    is_taken: bool,
}

#[derive(Debug, Default)]
pub struct Answers(Vec<Answer>);

impl Answers {
    /// An answer to a question.
    pub fn add(&mut self, question: &str, value: Value) {
        self.known(question, question, value);
    }

    /// One whose meaning the platform itself has said: `email`, `phone`.
    pub fn known(&mut self, meaning: &str, question: &str, value: Value) {
        let is_there = !value.is_null() && value.as_str().is_none_or(|text| !text.trim().is_empty());
        if is_there && self.0.len() < MOST {
            let key = meaning.chars().filter(|c| c.is_alphanumeric()).take(80).flat_map(char::to_lowercase).collect();
            self.0.push(Answer { name: clean_text(question, 80), key, value, is_taken: false });
        }
    }

    /// All plain fields of an object, by their own names.
    pub fn object(&mut self, object: &Value) {
        for (name, value) in object.as_object().into_iter().flatten() {
            if scalar(value).is_some() {
                self.add(name, value.clone());
            }
        }
    }

    pub fn person(&mut self, home: &Home) -> Person {
        let country = home.country.as_deref();
        let email = self.find(|key, text| if key.contains("mail") { Email::parse(text) } else { None });
        let phone = self.find(|key, text| if is_phone(key) { Phone::parse(text, country) } else { None });
        let (first, last) = (self.text(FIRST), self.text(LAST));
        // "What is your name?"
        let full = self.text(NAME).or_else(|| self.find(|key, text| key.ends_with("yourname").then(|| clean_text(text, MAX_TEXT))));
        let name = match (first, last, full) {
            (None, None, full) => Name::from_full(full.as_deref().unwrap_or_default()),
            (first, last, _) => Name::from_parts(first.as_deref(), last.as_deref()),
        };
        let company = self.text(COMPANY);
        Person { email, phone, first_name: name.first, last_name: name.last, company, ..Person::default() }
    }

    pub fn utm(&mut self) -> Utm {
        Utm {
            source: self.text(&["utmsource"]),
            medium: self.text(&["utmmedium"]),
            campaign: self.text(&["utmcampaign"]),
            term: self.text(&["utmterm"]),
            content: self.text(&["utmcontent"]),
        }
        .without_people()
    }

    pub fn traces(&mut self, utm: &Utm) -> Traces {
        let short = |id: &String| id.len() <= MAX_ID;
        let click_ids: Vec<String> = ClickKind::ALL
            .iter()
            .filter_map(|kind| {
                let key: String = kind.name().chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
                self.exact(&[key.as_str()])
            })
            .filter(short)
            .collect();
        Traces {
            session: self.exact(SESSION).filter(short),
            click_ids,
            codes: Vec::new(),
            coupons: coupon::codes(self.text(COUPON)),
            affiliate: self.text(AFFILIATE),
            stated: utm.source.as_ref().map(|source| Stated {
                source: normal_source(source),
                medium: utm.medium.as_ref().map(|m| m.to_lowercase()),
                campaign: utm.campaign.clone(),
            }),
            consent_given: self.consent(),
            user_agent: None,
        }
    }

    /// Of several answers on consent a no wins. What is neither yes nor no is kept as it was written.
    fn consent(&mut self) -> Option<bool> {
        let mut all = consent::Answer::Unknown;
        for answer in self.0.iter_mut().filter(|a| CONSENT.contains(&a.key.as_str())) {
            let said = scalar(&answer.value).and_then(|text| consent::Answer::parse(&text)).unwrap_or_default();
            answer.is_taken |= said.given().is_some();
            all = all.and(said);
        }
        all.given()
    }

    /// The click ids by their parameters, as a milestone holds them.
    pub fn clicks(&self) -> Map<String, Value> {
        let mut all = Map::new();
        for kind in ClickKind::ALL {
            let key: String = kind.name().chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
            if let Some(value) = self.0.iter().find(|a| a.key == key).and_then(|a| scalar(&a.value)).filter(|v| v.len() <= MAX_ID) {
                all.insert(kind.name().to_owned(), json!(value));
            }
        }
        all
    }

    /// What nobody has asked for.
    pub fn rest(self) -> Map<String, Value> {
        let mut kept = Map::new();
        for answer in self.0.into_iter().filter(|a| !a.is_taken).take(MOST_KEPT) {
            let value = match &answer.value {
                Value::Array(list) => {
                    Value::Array(list.iter().filter_map(scalar).map(|t| json!(clean_text(&t, MAX_KEPT))).take(20).collect())
                }
                Value::Number(number) => Value::Number(number.clone()),
                Value::Bool(flag) => Value::Bool(*flag),
                other => match scalar(other) {
                    Some(text) => json!(clean_text(&text, MAX_KEPT)),
                    None => continue,
                },
            };
            kept.insert(answer.name, value);
        }
        kept
    }

    /// The first text under any of these, the earlier meanings first; taken under all of them.
    pub fn text(&mut self, keys: &[&str]) -> Option<String> {
        self.exact(keys).map(|text| clean_text(&text, MAX_TEXT)).filter(|text| !text.is_empty())
    }

    fn exact(&mut self, keys: &[&str]) -> Option<String> {
        let found = keys.iter().find_map(|key| self.0.iter().find(|a| a.key == *key && scalar(&a.value).is_some()))?;
        let text = scalar(&found.value);
        self.0.iter_mut().filter(|a| keys.contains(&a.key.as_str())).for_each(|a| a.is_taken = true);
        text
    }

    fn find<T>(&mut self, fit: impl Fn(&str, &str) -> Option<T>) -> Option<T> {
        self.0.iter_mut().find_map(|answer| {
            let found = fit(&answer.key, &scalar(&answer.value)?);
            answer.is_taken |= found.is_some();
            found
        })
    }
}

/// What a lead without an id of its own is known by.
pub fn content_key(parts: &Value) -> [u8; 32] {
    crypto::sha256(canonical(parts).as_bytes())
}

fn is_phone(key: &str) -> bool {
    ["phone", "mobile", "whatsapp", "telefon", "telephone", "cellnumber"].iter().any(|word| key.contains(word)) || key == "tel"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;
    use crate::domain::time::{Time, Zone};

    #[test]
    fn questions_are_understood_however_they_are_worded() {
        let home =
            Home { currency: Currency::parse("EUR").expect("EUR"), country: Some("AE".into()), zone: Zone::utc(), now: Time::from_s(1) };
        let mut answers = Answers::default();
        answers.add("What is your work e-mail?", json!("Ann.Lee@Mail.example"));
        answers.add("Your WhatsApp number", json!("050 123 4567"));
        answers.add("Full name", json!("Ann Lee"));
        answers.add("utm_source", json!("Instagram"));
        answers.add("halo_session_id", json!("v1.x"));
        answers.add("gclid", json!("abc"));
        answers.add("Budget", json!(["1", "2"]));
        answers.add("Empty", json!(" "));
        let clicks = answers.clicks();
        let (person, utm) = (answers.person(&home), answers.utm());
        let traces = answers.traces(&utm);
        assert_eq!(person.email.map(|e| e.to_string()).as_deref(), Some("ann.lee@mail.example"));
        assert_eq!(person.phone.map(|p| p.as_str().to_owned()).as_deref(), Some("+971501234567"));
        assert_eq!((person.first_name.as_deref(), person.last_name.as_deref()), (Some("Ann"), Some("Lee")));
        assert_eq!((traces.session.as_deref(), traces.click_ids), (Some("v1.x"), vec!["abc".to_owned()]));
        assert_eq!(traces.stated.map(|s| s.source).as_deref(), Some("instagram"));
        assert_eq!(clicks, json!({"gclid": "abc"}).as_object().cloned().unwrap_or_default());
        assert_eq!(Value::Object(answers.rest()), json!({"Budget": ["1", "2"]}));
    }
}
