//! One response: what was asked, what was answered, and what the form's address carried in its hidden fields.
//! <https://www.typeform.com/developers/webhooks/example-payload/>

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::SLUG;
use crate::domain::campaign::{MAX_TEXT, clean_text};
use crate::domain::fact::Lead;
use crate::sources::kit::answers::{Answers, content_key};
use crate::sources::kit::{self, text};
use crate::sources::{Home, Reject};

/// Longest message, in characters.
const MAX_MESSAGE: usize = 10_000;
const MOST_QUESTIONS: usize = 300;
const MAX_QUESTION: usize = 200;

/// The questions of a form by their ids.
pub fn titles(form: &Value) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    collect(&form["fields"], &mut all);
    all
}

/// Questions may stand in groups.
fn collect(fields: &Value, all: &mut BTreeMap<String, String>) {
    for field in fields.as_array().into_iter().flatten() {
        if let (Some(id), Some(title)) = (text(field, "id"), text(field, "title"))
            && all.len() < MOST_QUESTIONS
        {
            all.insert(id, clean_text(&title, MAX_QUESTION));
        }
        if field["properties"]["fields"].is_array() && all.len() < MOST_QUESTIONS {
            collect(&field["properties"]["fields"], all);
        }
    }
}

pub fn read(told: &Value, titles: &BTreeMap<String, String>, form: Option<String>, home: &Home) -> Result<Lead, Reject> {
    let token = text(told, "token").ok_or_else(|| kit::missing("form_response.token"))?;
    let bad = |field: &str, sentence: &str| Reject::BadField { field: field.into(), code: "invalid_field", sentence: sentence.into() };
    if !told["answers"].is_null() && !told["answers"].is_array() {
        return Err(bad("form_response.answers", "answers must be a list."));
    }
    let told_at = kit::time(told, &["submitted_at", "landed_at"]);
    if told_at.is_none() && !(told["submitted_at"].is_null() && told["landed_at"].is_null()) {
        return Err(bad("form_response.submitted_at", "submitted_at must be a time such as 2026-06-13T09:20:00Z."));
    }
    let happened_at = told_at.map_or(home.now, |at| at.min(home.now));
    let mut all = Answers::default();
    let mut message = None;
    for answer in told["answers"].as_array().into_iter().flatten() {
        let kind = text(answer, "type").unwrap_or_default();
        let value = match kind.as_str() {
            "choice" => first_of(&answer["choice"], &["label", "other"]),
            "choices" => first_of(&answer["choices"], &["labels", "other"]),
            "payment" => answer["payment"]["amount"].clone(),
            _ => answer[kind.as_str()].clone(),
        };
        let field = &answer["field"];
        let id = text(field, "id").unwrap_or_default();
        let question = titles.get(&id).cloned().or_else(|| text(field, "ref")).unwrap_or(id);
        match (kind.as_str(), text(field, "type").as_deref()) {
            ("email", _) => all.known("email", &question, value),
            ("phone_number", _) => all.known("phone", &question, value),
            ("text", Some("long_text")) if message.is_none() => {
                message = value.as_str().map(clean_lines).filter(|words| !words.is_empty());
            }
            _ => all.add(&question, value),
        }
    }
    all.object(&told["hidden"]);
    if told["calculated"]["score"].as_i64().is_some_and(|score| score != 0) {
        all.add("score", told["calculated"]["score"].clone());
    }
    let (person, utm) = (all.person(home), all.utm());
    let mut traces = all.traces(&utm);
    traces.user_agent = text(&told["metadata"], "user_agent").map(|agent| clean_text(&agent, 1_024));
    let form_type = form.map(|title| clean_text(&title, MAX_TEXT)).filter(|t| !t.is_empty()).or_else(|| text(told, "form_id"));
    let custom_fields = Value::Object(all.rest());
    let content = json!({"email": person.email, "phone": person.phone, "message": message, "fields": custom_fields});
    Ok(Lead {
        external_id: Some(clean_text(&token, MAX_TEXT)),
        source: SLUG.into(),
        happened_at,
        person,
        traces,
        message,
        form_type: form_type.unwrap_or_else(|| "form".into()),
        value: None,
        custom_fields,
        url: None,
        content_key: content_key(&content),
        is_imported: false,
    })
}

fn first_of(value: &Value, keys: &[&str]) -> Value {
    keys.iter().map(|key| &value[*key]).find(|v| !v.is_null()).cloned().unwrap_or_default()
}

/// Lines stay lines.
fn clean_lines(words: &str) -> String {
    let kept: Vec<String> = words.lines().map(|line| clean_text(line, MAX_MESSAGE)).collect();
    kept.join("\n").trim().chars().take(MAX_MESSAGE).collect()
}
