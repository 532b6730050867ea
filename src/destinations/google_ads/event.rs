//! The event as Data Manager wants it: identifiers hashed in Google's own way, one click id, consent, money.
//! <https://developers.google.com/data-manager/api/devguides/formatting>

use serde_json::{Map, Value, json};

use crate::destinations::kit::{self, Hashed};
use crate::domain::campaign::ClickKind;
use crate::domain::consent;
use crate::domain::outgoing::{Mode, Outgoing, Visit};
use crate::domain::person;
use crate::domain::platform::Settings;

/// Our own name for the only destination of a request.
const REFERENCE: &str = "ads";

/// None where nothing in it could be recognised.
pub fn of(out: &Outgoing, hashed: &mut Hashed) -> Option<Value> {
    let identifiers = identifiers(out, hashed);
    let click = out.visit.as_ref().and_then(|visit| click(visit, out));
    if identifiers.is_empty() && click.is_none() {
        return None;
    }
    let mut event = json!({
        "destinationReferences": [REFERENCE],
        "transactionId": out.event_id,
        "eventTimestamp": out.happened_at.utc(),
    });
    if !identifiers.is_empty() {
        event["userData"] = json!({ "userIdentifiers": identifiers });
    }
    if let Some((kind, value)) = click {
        event["adIdentifiers"] = json!({ kind.name(): value });
    }
    if let Some(amount) = out.amount {
        event["currency"] = json!(amount.currency);
        event["conversionValue"] = amount.number();
    }
    // That a lead is qualified or won is said in the office, not on a page.
    event["eventSource"] = json!(if out.stage.is_some() { "OTHER" } else { "WEB" });
    if let Some(device) = out.visit.as_ref().filter(|_| out.stage.is_none()).and_then(|visit| device(visit, out, hashed)) {
        event["eventDeviceInfo"] = device;
    }
    Some(event)
}

pub fn body(event: Value, action: &str, out: &Outgoing, settings: &Settings) -> Value {
    let number = |key: &str| settings.get(key).and_then(account);
    let of_account = |id: String| json!({"accountId": id, "accountType": "GOOGLE_ADS"});
    let mut destination = json!({
        "reference": REFERENCE,
        "operatingAccount": of_account(number("customer_id").unwrap_or_default()),
        "productDestinationId": action,
    });
    if let Some(manager) = number("login_customer_id") {
        destination["loginAccount"] = of_account(manager);
    }
    let mut body = json!({"destinations": [destination], "events": [event], "encoding": "HEX", "validateOnly": out.mode == Mode::Test});
    // Where only the site's rule allows it nobody has said a word, and none is claimed.
    if out.consent.is_explicit {
        body["consent"] = json!({"adUserData": "CONSENT_GRANTED", "adPersonalization": "CONSENT_GRANTED"});
    }
    body
}

/// `123-456-7890` as the ten digits that it is.
pub fn account(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
    (digits.len() == 10 && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
}

/// Each is exactly one of address, number, or name with place.
fn identifiers(out: &Outgoing, hashed: &mut Hashed) -> Vec<Value> {
    let mut all = Vec::new();
    if let Some(email) = &out.email
        && let Some(digest) = person::google_email(email.as_str(), true)
    {
        hashed.add("emailAddress", email.masked());
        all.push(json!({ "emailAddress": digest }));
    }
    if let Some(phone) = &out.phone
        && let Some(digest) = person::google_phone(phone.as_str(), None)
    {
        hashed.add("phoneNumber", phone.masked());
        all.push(json!({ "phoneNumber": digest }));
    }
    if let Some(address) = address(out, hashed) {
        all.push(json!({ "address": address }));
    }
    all
}

/// Only whole: two names, country and postcode.
fn address(out: &Outgoing, hashed: &mut Hashed) -> Option<Value> {
    let (first, last) = (kit::filled(&out.first_name)?, kit::filled(&out.last_name)?);
    let region = kit::filled(&out.country).and_then(person::google_country)?;
    let postcode = kit::filled(&out.postcode).and_then(person::google_postal_code)?;
    let (given, family) = (person::google_name(first)?, person::google_name(last)?);
    hashed.add("givenName", kit::masked(first));
    hashed.add("familyName", kit::masked(last));
    Some(json!({"givenName": given, "familyName": family, "regionCode": region, "postalCode": postcode}))
}

/// One alone: the newest `gclid` before the event, else the newest of the two that iPhones bring.
pub fn click<'a>(visit: &'a Visit, out: &Outgoing) -> Option<(ClickKind, &'a str)> {
    let before = |wanted: &[ClickKind]| {
        let is_it = |(kind, _, at): &&(ClickKind, String, _)| wanted.contains(kind) && *at <= out.happened_at;
        visit.clicks.iter().find(is_it).map(|(kind, value, _)| (*kind, value.as_str()))
    };
    before(&[ClickKind::Gclid]).or_else(|| before(&[ClickKind::Gbraid, ClickKind::Wbraid]))
}

/// Google does not want the addresses of people in the EEA, the UK and Switzerland; where the country is unknown none is
/// sent either.
fn device(visit: &Visit, out: &Outgoing, hashed: &mut Hashed) -> Option<Value> {
    let mut device = Map::new();
    if let Some(agent) = kit::filled(&visit.user_agent) {
        device.insert("userAgent".into(), json!(agent));
    }
    let is_elsewhere = kit::filled(&out.country).and_then(consent::asks_first) == Some(false);
    if let Some(address) = kit::filled(&visit.address).filter(|_| is_elsewhere) {
        hashed.hide("/events/0/eventDeviceInfo/ipAddress", kit::masked_address(address));
        device.insert("ipAddress".into(), json!(address));
    }
    (!device.is_empty()).then_some(Value::Object(device))
}
