//! One event in AnyTrack's words. Every key is optional but the name, and any may be null.

use serde_json::{Map, Value, json};

use super::super::kit::{clicks_of, scalar, text, time};
use super::super::{Home, Problem};
use super::{ABOUT, amount, journey};
use crate::crypto;
use crate::domain::campaign::{clean_text, normal_source};
use crate::domain::conversion::{ConversionKind, Rank};
use crate::domain::fact::{Person, Stated, Statement, Traces};
use crate::domain::money::{Currency, Money};
use crate::domain::outgoing::Item;
use crate::domain::person::{Email, Name, Phone, meta_email, meta_name, meta_phone};
use crate::domain::platform::Settings;
use crate::domain::time::{DAY_MS, Time};
use crate::domain::tracker::{Campaign, HashedPerson, TrackerEvent};
use crate::json;

/// Out of the box: the currency of the older system.
const USUAL_CURRENCY: &str = "AED";
const LONGEST: usize = 255;
/// Lists inside an event, as text.
const LARGEST_LIST: usize = 64 * 1024;
/// Items of a purchase that are handed on.
const MOST_ITEMS: usize = 200;
/// A sender's clock may run ahead so far.
const AHEAD_MS: i64 = DAY_MS;
/// 1 January 2000: before that no tracker has seen anybody.
const EARLIEST_MS: i64 = 946_684_800_000;

pub fn read(event: &Value, settings: &Settings, home: &Home) -> Result<TrackerEvent, Problem> {
    if !event.is_object() {
        return Err(problem(None, "bad_json", "This is no event: an event is an object with an eventName."));
    }
    if event.get("eventName").is_some_and(|name| !name.is_null() && !name.is_string()) {
        return Err(problem(Some("eventName"), "invalid_field", "eventName must be a text such as Purchase."));
    }
    let name = short(event, "eventName")?.ok_or_else(|| problem(Some("eventName"), "missing", "eventName is missing."))?;
    let currency = currency(event, settings)?;
    let value = amount::value(event, currency).map_err(|key| {
        problem(Some(key), "invalid_amount", &format!("{key} must be a decimal like 12.50 of {currency}, and not negative."))
    })?;
    let happened_at = happened_at(event, home)?;
    let content = crypto::sha256(json::canonical(event).as_bytes());
    let transaction = short(event, "transactionId")?;
    let event_id = transaction.clone().unwrap_or_else(|| crypto::hex(&content));
    let campaign = journey::campaign(event);
    let (person, hashed) = person(event, home);
    let order_id = short(event, "order_id")?;
    let mut told = TrackerEvent {
        source: ABOUT.slug.into(),
        event_id,
        name,
        happened_at,
        person,
        hashed,
        client: short(event, "clientId")?,
        value,
        custom: custom(event, value, currency, &campaign, transaction.as_deref(), order_id.as_deref())?,
        meta: meta(event, &campaign)?,
        ad: journey::ad(event),
        campaign,
        content,
        fact: None,
    };
    told.fact = fact(event, &told, transaction, order_id, currency);
    Ok(told)
}

/// A sale or a lead; the others are steps on the way.
fn fact(
    event: &Value,
    told: &TrackerEvent,
    transaction: Option<String>,
    order_id: Option<String>,
    currency: Currency,
) -> Option<Statement> {
    let kind = match told.name.as_str() {
        "Purchase" => ConversionKind::Sale,
        "Lead" => ConversionKind::Lead,
        _ => return None,
    };
    // Many shops' integrations give the order's own number as the transaction.
    let order_id = if kind == ConversionKind::Sale { order_id.or_else(|| transaction.clone()) } else { None };
    let items = items(&event["items"], currency);
    let user_agent = text(event, "userAgent").map(|t| clean_text(&t, 1_024));
    let click = text(event, "clickId");
    let detail = json!({
        "order_id": order_id, "email": told.person.email, "phone": told.person.phone, "items": items, "user_agent": user_agent,
        "click_id": click, "source": told.campaign.source, "campaign_id": told.ad.campaign, "ad_id": told.ad.ad, "sub_ids": {},
    });
    let stated = told.campaign.source.as_deref().map(|source| Stated {
        source: normal_source(source),
        medium: told.campaign.medium.as_deref().map(str::to_lowercase),
        campaign: told.campaign.campaign.clone(),
    });
    Some(Statement {
        external_id: transaction.unwrap_or_else(|| crypto::hex(&told.content[..8])),
        platform: ABOUT.slug.into(),
        rank: Rank::AnyTrack,
        kind,
        name: None,
        order_id,
        happened_at: told.happened_at,
        person: told.person.clone(),
        traces: Traces { click_ids: clicks(event), stated, user_agent, ..Traces::default() },
        amount: if kind == ConversionKind::Sale { Some(told.value.unwrap_or(Money::zero(currency))) } else { told.value },
        items,
        detail,
        is_imported: false,
    })
}

/// Every id by which the visit may be known to us.
fn clicks(event: &Value) -> Vec<String> {
    let main = &event["mainAttribution"];
    let named = [text(event, "clickId"), text(event, "externalClickId"), text(main, "gclid"), text(main, "fbclid")];
    let in_address = text(event, "location").map(|location| clicks_of(&location)).unwrap_or_default();
    let mut all: Vec<String> = Vec::new();
    for click in named.into_iter().flatten().chain(in_address) {
        if click.len() <= 512 && !all.contains(&click) {
            all.push(click);
        }
    }
    all
}

fn currency(event: &Value, settings: &Settings) -> Result<Currency, Problem> {
    let given = short(event, "currency")?;
    let word = given.as_deref().or(settings.get("default_currency")).unwrap_or(USUAL_CURRENCY);
    Currency::parse(word).ok_or_else(|| problem(Some("currency"), "invalid_amount", "currency must be an ISO 4217 code such as AED."))
}

/// An empty time is none. One that cannot be is an error of its own field: it would stand in the books for ever.
fn happened_at(event: &Value, home: &Home) -> Result<Time, Problem> {
    let Some(key) = ["eventTime", "eventTimestamp"].into_iter().find(|key| event.get(*key).is_some_and(is_filled)) else {
        return Ok(home.now);
    };
    let bad = |sentence: String| problem(Some(key), "invalid_field", &sentence);
    match time(event, &[key]) {
        None => Err(bad(format!("{key} must be a time like 2026-06-13T09:20:00.000Z."))),
        Some(at) if at.ms() < EARLIEST_MS => Err(bad(format!("{key} lies before the year 2000."))),
        Some(at) if at.ms_since(home.now) > AHEAD_MS => Err(bad(format!("{key} lies more than a day in the future."))),
        Some(at) => Ok(at.min(home.now)),
    }
}

fn is_filled(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        _ => true,
    }
}

/// The person, readable for the contact, and hashed for the event.
fn person(event: &Value, home: &Home) -> (Person, HashedPerson) {
    let (email, phone) = (text(event, "email"), text(event, "phone"));
    let country = home.country.as_deref();
    let parts = Name::from_parts(text(event, "firstName").as_deref(), text(event, "lastName").as_deref());
    let full = text(event, "fullName").map(|full| Name::from_full(&full)).unwrap_or_default();
    let person = Person {
        email: email.as_deref().and_then(Email::parse),
        phone: phone.as_deref().and_then(|p| Phone::parse(p, country)),
        first_name: parts.first.or(full.first),
        last_name: parts.last.or(full.last),
        ..Person::default()
    };
    let sha = |text: &str| crypto::sha256_hex(text.as_bytes());
    let hashed = HashedPerson {
        em: person.email.as_ref().map(|e| sha(e.as_str())).or_else(|| meta_email(email.as_deref()?).filter(|h| h.len() == 64)),
        ph: person.phone.as_ref().map(|p| sha(p.digits())).or_else(|| meta_phone(phone.as_deref()?, country)),
        given: person.first_name.as_deref().and_then(meta_name),
        family: person.last_name.as_deref().and_then(meta_name),
        external_id: text(event, "customerId").or_else(|| text(event, "clientId")).map(|t| clean_text(&t, LONGEST)),
    };
    (person, hashed)
}

fn custom(
    event: &Value,
    value: Option<Money>,
    currency: Currency,
    campaign: &Campaign,
    transaction: Option<&str>,
    order_id: Option<&str>,
) -> Result<Value, Problem> {
    let main = &event["mainAttribution"];
    let mut out = Map::new();
    out.insert("value".into(), value.map_or(json!(0), |m| m.number()));
    out.insert("currency".into(), json!(currency));
    put(&mut out, "transaction_id", transaction.map(str::to_owned));
    put(&mut out, "order_id", order_id.map(str::to_owned));
    out.insert("items".into(), list(event, "items")?);
    put(&mut out, "source_attribution", campaign.source.clone());
    put(&mut out, "medium", campaign.medium.clone());
    put(&mut out, "campaign", campaign.campaign.clone());
    put(&mut out, "gclid", text(main, "gclid"));
    put(&mut out, "fbclid", text(main, "fbclid"));
    put(&mut out, "click_id", text(event, "clickId"));
    Ok(Value::Object(out))
}

fn meta(event: &Value, campaign: &Campaign) -> Result<Value, Problem> {
    let mut out = Map::new();
    put(&mut out, "anytrack_asset_id", text(event, "assetId"));
    put(&mut out, "integration_id", text(event, "integrationId"));
    put(&mut out, "tracking_group", text(event, "trackingGroupId"));
    put(&mut out, "user_agent", text(event, "userAgent"));
    put(&mut out, "location", campaign.landing.clone());
    put(&mut out, "brand", text(event, "brandName"));
    out.insert("attributions".into(), list(event, "attributions")?);
    Ok(Value::Object(out))
}

fn put(out: &mut Map<String, Value>, name: &str, text: Option<String>) {
    if let Some(text) = text {
        out.insert(name.into(), clean_text(&text, 2_048).into());
    }
}

/// A list inside the event, without addresses of people. What is none is an empty one.
fn list(event: &Value, key: &'static str) -> Result<Value, Problem> {
    let Some(Value::Array(items)) = event.get(key) else { return Ok(json!([])) };
    let list = Value::Array(items.iter().map(without_people).collect());
    if list.to_string().len() > LARGEST_LIST {
        return Err(problem(Some(key), "invalid_field", &format!("{key} is larger than 64 KiB.")));
    }
    Ok(list)
}

fn without_people(value: &Value) -> Value {
    match value {
        Value::String(text) => journey::without_addresses(text).into(),
        Value::Array(list) => list.iter().map(without_people).collect(),
        Value::Object(map) => Value::Object(map.iter().map(|(name, value)| (name.clone(), without_people(value))).collect()),
        other => other.clone(),
    }
}

fn items(value: &Value, currency: Currency) -> Vec<Item> {
    let read = |line: &Value| {
        let id = text(line, "id").or_else(|| text(line, "sku")).or_else(|| text(line, "name"))?;
        let quantity = text(line, "quantity").map_or(Some(1), |q| q.parse().ok()).filter(|q: &i64| *q > 0)?;
        let price = text(line, "price").and_then(|price| amount::exact(&price, currency));
        Some(Item { id: clean_text(&id, LONGEST), name: text(line, "name").map(|n| clean_text(&n, LONGEST)), quantity, price })
    };
    value.as_array().into_iter().flatten().take(MOST_ITEMS).filter_map(read).collect()
}

/// A text that is a key or a name: what does not fit is refused, not cut.
fn short(event: &Value, key: &'static str) -> Result<Option<String>, Problem> {
    let given = match event.get(key) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(_) | Value::Array(_)) => None,
        Some(value) => Some(scalar(value).map(|t| clean_text(&t, LONGEST + 1)).unwrap_or_default()),
    };
    match given {
        Some(text) if text.chars().count() <= LONGEST => Ok((!text.is_empty()).then_some(text)),
        _ => Err(problem(Some(key), "invalid_field", &format!("{key} must be text of at most {LONGEST} characters."))),
    }
}

fn problem(field: Option<&str>, code: &'static str, sentence: &str) -> Problem {
    Problem { item: 0, field: field.map(str::to_owned), code, sentence: sentence.to_owned() }
}
