//! Who it was, as Google Analytics wants it: the browser's client and session id, and hashed user data.
//! <https://developers.google.com/analytics/devguides/collection/ga4/uid-data>

use serde_json::{Map, Value, json};

use crate::crypto::sha256;
use crate::destinations::kit::{self, Hashed};
use crate::domain::outgoing::Outgoing;
use crate::domain::person;

/// The browser's own client id. Where it is unknown but the person is, one that is always the same for that browser or
/// person, so that their events form one user; none where there is nothing to join the event by.
pub fn client_id(out: &Outgoing) -> Option<String> {
    let visit = out.visit.as_ref();
    if let Some(known) = visit.and_then(|v| v.ga_client_id.as_deref()).and_then(found_client_id) {
        return Some(known);
    }
    let person = out.email.as_ref().map(|e| e.as_str()).or(out.phone.as_ref().map(|p| p.as_str()))?;
    let visitor = visit.map(|v| v.visitor.as_str()).filter(|v| !v.is_empty());
    Some(made_client_id(visitor.unwrap_or(person)))
}

/// `1234567890.1795200000`, also where the whole cookie (`GA1.1.1234567890.1795200000`) was kept.
fn found_client_id(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.trim().split('.').collect();
    let (random, seconds) = match parts[..] {
        [random, seconds] => (random, seconds),
        [version, _, random, seconds] if version.starts_with("GA") => (random, seconds),
        _ => return None,
    };
    let is_number = |t: &str| (1..=20).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit());
    (is_number(random) && is_number(seconds)).then(|| format!("{random}.{seconds}"))
}

/// In the shape of a real one, `<number>.<unix seconds>`, from a digest: the same for ever, and leading back to nobody.
fn made_client_id(of: &str) -> String {
    let digest = sha256(format!("ga4 client {of}").as_bytes());
    let number = |at: usize| u32::from_be_bytes([digest[at], digest[at + 1], digest[at + 2], digest[at + 3]]);
    // Any second of the years 2014 to 2020: before every event that is sent now.
    format!("{}.{}", number(0) & 0x7fff_ffff, 1_400_000_000 + number(4) % 200_000_000)
}

/// Digits only, else the event joins no session.
pub fn session_id(text: &str) -> Option<&str> {
    let text = text.trim();
    ((1..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())).then_some(text)
}

pub fn user_data(out: &Outgoing, hashed: &mut Hashed) -> Map<String, Value> {
    let mut data = Map::new();
    // Gmail's dots go; of a `+` suffix this interface says nothing, so it stays.
    if let Some(email) = &out.email
        && let Some(digest) = person::google_email(email.as_str(), false)
    {
        hashed.add("sha256_email_address", email.masked());
        data.insert("sha256_email_address".into(), json!([digest]));
    }
    if let Some(phone) = &out.phone
        && let Some(digest) = person::google_phone(phone.as_str(), None)
    {
        hashed.add("sha256_phone_number", phone.masked());
        data.insert("sha256_phone_number".into(), json!([digest]));
    }
    if let Some(address) = address(out, hashed) {
        data.insert("address".into(), json!([address]));
    }
    data
}

/// Google matches an address by the whole name; a town or country alone is not sent.
fn address(out: &Outgoing, hashed: &mut Hashed) -> Option<Value> {
    let (first, last) = (kit::filled(&out.first_name)?, kit::filled(&out.last_name)?);
    let names = [("sha256_first_name", first, person::ga4_name(first)?), ("sha256_last_name", last, person::ga4_name(last)?)];
    let mut address = Map::new();
    for (key, plain, digest) in names {
        hashed.add(key, kit::masked(plain));
        address.insert(key.into(), json!(digest));
    }
    type Rule = fn(&str) -> Option<String>;
    let places: [(&str, &Option<String>, Rule); 4] = [
        ("city", &out.city, person::google_city),
        ("region", &out.region, person::google_region),
        ("postal_code", &out.postcode, person::google_postal_code),
        ("country", &out.country, person::google_country),
    ];
    for (key, text, rule) in places {
        if let Some(plain) = kit::filled(text).and_then(rule) {
            address.insert(key.into(), json!(plain));
        }
    }
    Some(Value::Object(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_ids_are_found_in_both_shapes() {
        for (given, want) in [
            ("1234567890.1795200000", Some("1234567890.1795200000")),
            ("GA1.1.1234567890.1795200000", Some("1234567890.1795200000")),
            ("amp-xyz", None),
            ("", None),
            ("1.2.3", None),
        ] {
            assert_eq!(found_client_id(given).as_deref(), want, "{given}");
        }
    }

    #[test]
    fn a_made_client_id_stays_the_same() {
        let made = made_client_id("niamh@example.ie");
        assert_eq!(made, made_client_id("niamh@example.ie"));
        assert_ne!(made, made_client_id("noel@example.ie"));
        assert_eq!(found_client_id(&made), Some(made));
    }
}
