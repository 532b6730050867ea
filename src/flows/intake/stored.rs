//! What became of one fact, as its sender is answered.

use serde_json::Value;

use crate::domain::fact::{Fact, Person};
use crate::domain::ids::ConversionId;
use crate::store::deliveries::Made;

/// What became of one fact.
#[derive(Debug, Clone)]
pub struct Stored {
    pub conversion: Option<ConversionId>,
    /// The number of its own row, where answers name it by that.
    pub fact: Option<i64>,
    pub kind: &'static str,
    /// The sender's own id, or the one we gave.
    pub external_id: String,
    pub is_new: bool,
    /// It was known, and this telling has added to it.
    pub is_changed: bool,
    pub match_type: &'static str,
    pub is_attributed: bool,
    pub snapshot: Value,
    /// Platform, mode and state of each delivery.
    pub deliveries: Vec<(String, String, String)>,
    /// Those among them that this telling made.
    pub planned: Vec<Made>,
}

impl Stored {
    /// A fact that is kept and is no conversion by itself.
    pub fn of(kind: &'static str, external_id: String) -> Self {
        Self {
            conversion: None,
            fact: None,
            kind,
            external_id,
            is_new: false,
            is_changed: false,
            match_type: "none",
            is_attributed: false,
            snapshot: Value::Null,
            deliveries: Vec::new(),
            planned: Vec::new(),
        }
    }

    /// Old news of somebody who was erased: a success for the sender, and nothing is stored.
    pub fn refused(fact: &Fact) -> Self {
        let (kind, external_id) = match fact {
            Fact::Lead(f) => ("lead", f.external_id.clone().unwrap_or_default()),
            Fact::Order(f) => ("sale", f.external_id.clone()),
            Fact::Refund(f) => ("sale", f.order_external_id.clone()),
            Fact::Deletion(f) => ("sale", f.order_external_id.clone()),
            Fact::Statement(f) => (f.kind.word(), f.external_id.clone()),
            Fact::Message(f) => ("message", f.conversation.clone().unwrap_or_default()),
            Fact::Event(f) => ("event", f.event_id.clone()),
            Fact::Milestone(f) => ("milestone", f.external_id.clone().unwrap_or_default()),
            Fact::Enrolment(f) => ("signup", f.user_id.clone()),
        };
        Self::of(kind, external_id)
    }
}

/// Who it was, where the fact can say.
pub fn person_of(fact: &Fact) -> Option<&Person> {
    match fact {
        Fact::Lead(f) => Some(&f.person),
        Fact::Order(f) => Some(&f.person),
        Fact::Refund(_) | Fact::Deletion(_) => None,
        Fact::Statement(f) => Some(&f.person),
        Fact::Message(f) => Some(&f.person),
        Fact::Event(f) => Some(&f.person),
        Fact::Milestone(f) => Some(&f.person),
        Fact::Enrolment(f) => Some(&f.person),
    }
}
