//! A lead: what was answered in the form of an ad, and which ad it was.
//! <https://developers.facebook.com/docs/marketing-api/reference/user-lead-gen-info/>

use serde_json::{Value, json};

use super::graph::{self, Answer, FIELDS};
use super::{SLUG, is_number};
use crate::domain::campaign::{MAX_TEXT, clean_text};
use crate::domain::fact::{Fact, Lead, Stated};
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps};
use crate::domain::time::Time;
use crate::sources::kit::answers::{Answers, content_key};
use crate::sources::kit::{self, text};
use crate::sources::{Batch, Fetch, Home, Problem, Reject};
use crate::wire::{Part, Response};

pub fn read(told: &Value, is_imported: bool, home: &Home) -> Result<Lead, Reject> {
    let id = text(told, "id").filter(|id| is_number(id)).ok_or_else(|| kit::missing("id"))?;
    let happened_at = kit::time(told, &["created_time"]).map_or(home.now, |at| at.min(home.now));
    let mut all = Answers::default();
    for field in told["field_data"].as_array().into_iter().flatten() {
        let Some(question) = text(field, "name") else { continue };
        match field["values"].as_array().map(Vec::as_slice).unwrap_or_default() {
            [one] => all.add(&question, one.clone()),
            [] => {}
            more => all.add(&question, Value::Array(more.to_vec())),
        }
    }
    let (person, utm) = (all.person(home), all.utm());
    let mut traces = all.traces(&utm);
    // The ad is what is known best of where they came from: the form never left Meta.
    let is_organic = told["is_organic"] == Value::Bool(true);
    traces.stated = Some(Stated {
        source: if text(told, "platform").as_deref() == Some("ig") { "instagram" } else { "facebook" }.into(),
        medium: Some(if is_organic { "social" } else { "paid_social" }.into()),
        campaign: text(told, "campaign_name").map(|name| clean_text(&name, MAX_TEXT)),
    });
    let mut custom_fields = all.rest();
    for key in ["campaign_id", "adset_id", "adset_name", "ad_id", "ad_name", "form_id"] {
        custom_fields.extend(text(told, key).map(|value| (key.to_owned(), json!(clean_text(&value, MAX_TEXT)))));
    }
    let custom_fields = Value::Object(custom_fields);
    let content = json!({"email": person.email, "phone": person.phone, "fields": custom_fields});
    Ok(Lead {
        external_id: Some(id),
        source: SLUG.into(),
        happened_at,
        person,
        traces,
        message: None,
        form_type: "lead_ad".into(),
        value: None,
        custom_fields,
        url: None,
        content_key: content_key(&content),
        is_imported,
    })
}

/// What was read of some leads, with what could not be.
pub fn batch<'a>(rows: impl Iterator<Item = &'a Value>, is_imported: bool, home: &Home) -> Batch {
    let mut batch = Batch::default();
    for (item, row) in rows.enumerate() {
        match read(row, is_imported, home) {
            Ok(lead) => batch.facts.push(Fact::Lead(lead)),
            Err(Reject::BadField { field, code, sentence }) => batch.problems.push(Problem { item, field: Some(field), code, sentence }),
            Err(_) => {}
        }
    }
    batch
}

/// Reads leads that a body has only named.
pub struct Reading;

impl Steps<Fetch> for Reading {
    fn step(&self, state: State, got: Option<&Response>, _: &Settings, home: &Home, _: Time) -> Step<Fetch> {
        let mut refs: Vec<String> = serde_json::from_value(state["refs"].clone()).unwrap_or_default();
        if got.is_none() {
            refs.retain(|id| is_number(id));
        }
        let Some(id) = refs.first().cloned() else { return Step::Done(()) };
        let Some(response) = got else {
            let request = graph::ask("GET", &id).query("fields", Part::plain(FIELDS));
            return Step::Ask(Box::new(request), json!({ "refs": refs }));
        };
        let left = json!({ "refs": refs.get(1..).unwrap_or_default() });
        match graph::read(response) {
            Answer::Json(told) => Step::Yield(batch(std::iter::once(&told), false, home), left),
            // A test of Meta's that stands for no lead, or one that was deleted.
            Answer::Missing => Step::Yield(Batch::default(), left),
            Answer::Trouble(verdict) => Step::Fail(verdict),
        }
    }
}
