//! The shapes in which form plug-ins and form services send: each becomes one flat sheet.
//!
//! - Contact Form 7 ("CF7 to Webhook"): one object, keys are the form's tags (`your-email`).
//!   <https://wordpress.org/plugins/cf7-to-zapier/>
//! - Elementor: field labels as keys, or with "advanced data" `fields[ID][value]`, `form[name]`, `meta[page_url][value]`.
//!   <https://elementor.com/help/form-actions-after-submit/>
//! - Gravity Forms: the entry object, fields by number. <https://docs.gravityforms.com/entry-object/>
//! - WPForms: keys chosen by the owner, or its own `fields` of `{name, value, type}`.
//! - Typeform: <https://www.typeform.com/developers/webhooks/example-payload/>
//! - Tally: <https://tally.so/help/webhooks>
//! - Webflow: <https://developers.webflow.com/data/reference/webhooks/events/form-submission>

use serde_json::{Map, Value};

use super::sheet::{Place, Sheet, squeezed};
use crate::domain::campaign::ClickKind;
use crate::sources::kit::{first_text, scalar, text};

/// Objects that only wrap the lead's own fields.
const WRAPPERS: &[&str] = &[
    "lead",
    "order",
    "data",
    "payload",
    "body",
    "fields",
    "formdata",
    "formfields",
    "fielddata",
    "answers",
    "submission",
    "entry",
    "values",
    "contact",
    "customer",
    "person",
    "user",
];
/// Of these the wrapped `id` is the person's, not the lead's.
const PEOPLE: &[&str] = &["contact", "customer", "person", "user"];
/// Objects whose name belongs to the names in them: `utm.source`, `page.url`, `name.first`.
const PREFIXES: &[&str] = &[
    "utm",
    "utms",
    "tracking",
    "attribution",
    "hidden",
    "hiddenfields",
    "meta",
    "params",
    "query",
    "urlparams",
    "queryparams",
    "clickids",
    "context",
    "page",
    "form",
    "name",
    "fullname",
    "yourname",
    "address",
];
const MAX_DEPTH: usize = 4;

/// One object, however its sender arranged it, as a sheet.
pub fn sheet(map: &Map<String, Value>) -> Sheet {
    let mut sheet = Sheet::default();
    if let Some(response) = map.get("form_response").and_then(Value::as_object) {
        typeform(response, &mut sheet);
    } else if text_at(map, "eventType").is_some_and(|t| t == "FORM_RESPONSE") && map.get("data").is_some_and(Value::is_object) {
        tally(&map["data"], &mut sheet);
    } else if let Some((form, inner)) = webflow(map) {
        known(&mut sheet, "lead_id", text_at(form, "id").or_else(|| text_at(form, "_id")));
        known(&mut sheet, "form_name", text_at(form, "name"));
        known(&mut sheet, "created_at", text_at(form, "submittedAt").or_else(|| text_at(form, "d")));
        known(&mut sheet, "page_url", text_at(form, "pageUrl"));
        flat(inner, Place::Top, 1, &mut sheet);
    } else if map.contains_key("form_id") && map.keys().any(|k| is_number(k)) {
        gravity(map, &mut sheet);
    } else {
        flat(map, Place::Top, 0, &mut sheet);
    }
    sheet
}

/// An object that is no plug-in's, as a sheet.
pub fn plain(map: &Map<String, Value>) -> Sheet {
    let mut sheet = Sheet::default();
    flat(map, Place::Top, 0, &mut sheet);
    sheet
}

/// Fields by their own names; wrappers are looked into, other objects stay whole.
fn flat(map: &Map<String, Value>, place: Place, depth: usize, sheet: &mut Sheet) {
    for (name, value) in map {
        let key = squeezed(name);
        match value {
            Value::Object(inner) if key == "customfields" => custom(inner, sheet),
            Value::Object(inner) if depth < MAX_DEPTH && WRAPPERS.contains(&key.as_str()) => {
                if is_labelled(inner) {
                    for (id, field) in inner {
                        labelled(id, field, sheet);
                    }
                } else if PEOPLE.contains(&key.as_str()) {
                    let (ids, others): (Vec<_>, Vec<_>) = inner.clone().into_iter().partition(|(k, _)| k == "id");
                    for (_, id) in ids {
                        sheet.add(&format!("{name}_id"), &format!("{key}id"), id, Place::Inner);
                    }
                    flat(&others.into_iter().collect(), Place::Inner, depth + 1, sheet);
                } else {
                    flat(inner, Place::Inner, depth + 1, sheet);
                }
            }
            Value::Object(inner) if PREFIXES.contains(&key.as_str()) => prefixed(name, inner, sheet),
            Value::Array(list) if WRAPPERS.contains(&key.as_str()) && list.iter().all(is_field) => {
                for field in list {
                    labelled("", field, sheet);
                }
            }
            _ => sheet.add(name, &key, value.clone(), place),
        }
    }
}

/// `utm: {source}` is utm_source; a name that says it all by itself (`gclid`, `utm_source`) stays as it is.
fn prefixed(prefix: &str, inner: &Map<String, Value>, sheet: &mut Sheet) {
    for (name, value) in inner {
        // Elementor: `meta[page_url][value]`.
        let value = value.get("value").unwrap_or(value).clone();
        let key = squeezed(name);
        let says_all = key.starts_with("utm") || key.contains("session") || key == "pageurl" || key == "useragent" || is_click(&key);
        if says_all {
            sheet.add(name, &key, value, Place::Inner);
        } else {
            // `utms.source` too is utm_source.
            let front = prefix.strip_suffix('s').filter(|p| *p == "utm").unwrap_or(prefix);
            sheet.add(&format!("{front}_{name}"), &format!("{front}{name}"), value, Place::Inner);
        }
    }
}

fn custom(inner: &Map<String, Value>, sheet: &mut Sheet) {
    for (name, value) in inner {
        sheet.add(name, name, value.clone(), Place::Custom);
    }
}

/// A field with its label and its kind: `{id, title, type, value}`.
fn labelled(id: &str, field: &Value, sheet: &mut Sheet) {
    let Some(value) = ["value", "values", "answer", "raw_value"].iter().find_map(|k| field.get(*k)) else {
        if !field.is_null() && !id.is_empty() {
            sheet.add(id, id, field.clone(), Place::Inner);
        }
        return;
    };
    let value = chosen(field, value);
    let title = first_text(field, &["label", "title", "name", "key"]);
    let id = if id.is_empty() { first_text(field, &["id", "key", "name"]).unwrap_or_default() } else { id.to_owned() };
    // Ids made by a machine (`field_a1b2c3`, `7`) say nothing; those that the owner chose do.
    let is_made = id.is_empty() || id.starts_with("field_") || id.starts_with("question_") || is_number(&id);
    let name = match &title {
        Some(title) if is_made => title.clone(),
        _ => id,
    };
    let kind = text(field, "type").unwrap_or_default().to_lowercase();
    let key = match kind.as_str() {
        k if k.contains("email") => "email",
        "tel" | "phone" | "phone_number" | "input_phone_number" => "phone",
        "textarea" => "message",
        _ => name.as_str(),
    };
    sheet.add(title.as_deref().unwrap_or(&name), key, value, Place::Inner);
}

/// Choices are sent by their ids, with the words beside them (Tally).
fn chosen(field: &Value, value: &Value) -> Value {
    let (Some(options), Value::Array(ids)) = (field.get("options").and_then(Value::as_array), value) else {
        return value.clone();
    };
    let words = |id: &Value| options.iter().find(|o| o.get("id") == Some(id)).and_then(|o| o.get("text")).unwrap_or(id).clone();
    Value::Array(ids.iter().take(100).map(words).collect())
}

fn typeform(response: &Map<String, Value>, sheet: &mut Sheet) {
    let definition = response.get("definition");
    known(sheet, "lead_id", text_at(response, "token"));
    known(sheet, "created_at", text_at(response, "submitted_at"));
    known(sheet, "form_name", definition.and_then(|d| text(d, "title")));
    known(sheet, "form_id", text_at(response, "form_id"));
    if let Some(hidden) = response.get("hidden").and_then(Value::as_object) {
        flat(hidden, Place::Inner, MAX_DEPTH, sheet);
    }
    let questions = definition.and_then(|d| d.get("fields")).and_then(Value::as_array);
    let asked = |id: &str| questions?.iter().find(|q| text(q, "id").as_deref() == Some(id)).and_then(|q| text(q, "title"));
    for answer in response.get("answers").and_then(Value::as_array).into_iter().flatten() {
        let kind = text(answer, "type").unwrap_or_default();
        let Some(value) = answer.get(kind.as_str()) else { continue };
        let value = match kind.as_str() {
            "choice" => value.get("label").or_else(|| value.get("other")),
            "choices" => value.get("labels").or_else(|| value.get("other")),
            "payment" => value.get("amount"),
            _ => Some(value),
        };
        let Some(value) = value else { continue };
        let field = answer.get("field").unwrap_or(&Value::Null);
        let id = text(field, "id").unwrap_or_default();
        let name = asked(&id).or_else(|| text(field, "ref")).unwrap_or(id);
        let key = match kind.as_str() {
            "email" => "email",
            "phone_number" => "phone",
            _ if text(field, "type").as_deref() == Some("long_text") => "message",
            _ => name.as_str(),
        };
        sheet.add(&name, key, value.clone(), Place::Inner);
    }
    if let Some(score) = response.get("calculated").and_then(|c| c.get("score")) {
        sheet.add("score", "score", score.clone(), Place::Inner);
    }
}

fn tally(data: &Value, sheet: &mut Sheet) {
    known(sheet, "lead_id", first_text(data, &["responseId", "submissionId"]));
    known(sheet, "created_at", text(data, "createdAt"));
    known(sheet, "form_name", text(data, "formName"));
    known(sheet, "form_id", text(data, "formId"));
    for field in data.get("fields").and_then(Value::as_array).into_iter().flatten() {
        labelled("", field, sheet);
    }
}

/// The form and what was typed: `{triggerType, payload: {name, data}}`, formerly `{name, site, data, _id}`.
fn webflow(map: &Map<String, Value>) -> Option<(&Map<String, Value>, &Map<String, Value>)> {
    let is_new = text_at(map, "triggerType").is_some_and(|t| t == "form_submission");
    let is_old = map.contains_key("_id") && map.contains_key("site") && map.contains_key("d");
    let form = if is_new { map.get("payload")?.as_object()? } else { map };
    let typed = form.get("data")?.as_object()?;
    (is_new || is_old).then_some((form, typed))
}

/// Fields by number. A name is `N.3` and `N.6`; an address has these too, but also a street `N.1` or a code `N.5`.
fn gravity(map: &Map<String, Value>, sheet: &mut Sheet) {
    known(sheet, "lead_id", text_at(map, "id"));
    known(sheet, "created_at", text_at(map, "date_created"));
    known(sheet, "page_url", text_at(map, "source_url"));
    known(sheet, "user_agent", text_at(map, "user_agent"));
    for (name, value) in map {
        let key = match name.split_once('.') {
            Some((field, part)) if is_number(field) => {
                let is_address = ["1", "4", "5"].iter().any(|p| map.get(&format!("{field}.{p}")).and_then(scalar).is_some());
                let has_last = map.contains_key(&format!("{field}.6"));
                match (part, is_address) {
                    ("3", false) if has_last => "first_name",
                    ("6", false) => "last_name",
                    ("1", true) => "address",
                    ("3", true) => "city",
                    ("5", true) => "postcode",
                    ("6", true) => "country",
                    _ => name,
                }
            }
            _ => name,
        };
        // Of the entry itself only what the visitor or the page wrote is kept.
        let is_entry = matches!(
            name.as_str(),
            "id" | "date_created"
                | "date_updated"
                | "source_url"
                | "user_agent"
                | "ip"
                | "is_starred"
                | "is_read"
                | "created_by"
                | "status"
                | "post_id"
        ) || name.starts_with("payment_")
            || name.starts_with("transaction_");
        if !is_entry {
            sheet.add(name, key, value.clone(), Place::Top);
        }
    }
}

fn known(sheet: &mut Sheet, name: &str, value: Option<String>) {
    if let Some(value) = value {
        sheet.add(name, name, Value::String(value), Place::Known);
    }
}

/// Whether all of an object's members are fields with a value of their own.
fn is_labelled(map: &Map<String, Value>) -> bool {
    !map.is_empty() && map.values().all(is_field)
}

fn is_field(value: &Value) -> bool {
    value.is_object() && ["value", "values", "answer"].iter().any(|k| value.get(*k).is_some())
}

/// `2` and `1.3`, as Gravity Forms numbers its fields.
fn is_number(name: &str) -> bool {
    !name.is_empty() && name.len() <= 8 && name.bytes().all(|b| b.is_ascii_digit() || b == b'.') && !name.starts_with('.')
}

/// Whether a squeezed name is that of a click id.
pub fn is_click(key: &str) -> bool {
    key == "clickid" || ClickKind::ALL.iter().any(|kind| squeezed(kind.name()) == key)
}

fn text_at(map: &Map<String, Value>, key: &str) -> Option<String> {
    scalar(map.get(key)?)
}
