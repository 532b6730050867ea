//! Short codes in what somebody has written: a lead's message, answers of a booking, words of a chat, a note of a call. Orders'
//! notes are read by their shops' own files.

use std::borrow::Cow;

use serde_json::Value;

use crate::domain::fact::{Fact, Traces};
use crate::domain::short_code::found_in_all;

/// Values inside values that are looked at.
const DEEPEST: usize = 4;
/// Texts of one fact that are looked at.
const MOST_TEXTS: usize = 200;

/// The fact with the codes that stand in it; hardly any has one.
pub fn read(fact: &Fact) -> Cow<'_, Fact> {
    let codes = found_in_all(texts(fact));
    if codes.is_empty() {
        return Cow::Borrowed(fact);
    }
    let mut fact = fact.clone();
    if let Some(traces) = traces(&mut fact) {
        for code in codes {
            if !traces.codes.contains(&code) {
                traces.codes.push(code);
            }
        }
    }
    Cow::Owned(fact)
}

fn texts(fact: &Fact) -> Vec<&str> {
    let mut all: Vec<&str> = Vec::new();
    match fact {
        Fact::Lead(lead) => {
            all.extend(lead.message.as_deref());
            inside(&lead.custom_fields, DEEPEST, &mut all);
        }
        Fact::Milestone(step) => {
            all.extend(step.by_hand.note.as_deref());
            inside(&step.data, DEEPEST, &mut all);
            inside(&step.metadata, DEEPEST, &mut all);
        }
        Fact::Message(message) => all.extend(message.said.as_ref().and_then(|said| said.text.as_deref())),
        Fact::Statement(statement) => inside(&statement.detail, DEEPEST, &mut all),
        Fact::Order(_) | Fact::Refund(_) | Fact::Deletion(_) | Fact::Progress(_) | Fact::Enrolment(_) | Fact::Event(_) => {}
    }
    all
}

fn inside<'v>(value: &'v Value, depth: usize, all: &mut Vec<&'v str>) {
    if depth == 0 || all.len() >= MOST_TEXTS {
        return;
    }
    match value {
        Value::String(text) => all.push(text),
        Value::Array(items) => items.iter().for_each(|item| inside(item, depth - 1, all)),
        Value::Object(fields) => fields.values().for_each(|field| inside(field, depth - 1, all)),
        _ => {}
    }
}

fn traces(fact: &mut Fact) -> Option<&mut Traces> {
    match fact {
        Fact::Lead(f) => Some(&mut f.traces),
        Fact::Milestone(f) => Some(&mut f.traces),
        Fact::Message(f) => Some(&mut f.traces),
        Fact::Statement(f) => Some(&mut f.traces),
        _ => None,
    }
}
