//! A lead, as a form told it.

use crate::domain::attribution::journey;
use crate::domain::conversion::{ConversionKind, Rank};
use crate::domain::fact::Lead;
use crate::domain::ids::{ContactId, SessionId};
use crate::error::Result;
use crate::flows::pipeline;
use crate::store::leads::{self, Filed};

use super::telling::{Telling, known_person, tell, told_session};
use super::{Context, Stored, given_id};

pub fn store(x: &Context, lead: &Lead) -> Result<Stored> {
    let session = told_session(x, &lead.traces)?;
    let contact = known_person(x, &lead.person, &lead.traces, session, &lead.source, lead.happened_at)?;
    store_of(x, lead, session, contact)
}

/// The same where browser and person are known already.
pub fn store_of(x: &Context, lead: &Lead, session: Option<SessionId>, contact: Option<ContactId>) -> Result<Stored> {
    let known = match &lead.external_id {
        Some(id) => leads::find_by_external_id(x.c, x.connection, id)?,
        None => leads::find_by_content(x.c, x.connection, &lead.content_key, x.heard_at)?,
    };
    let external_id = match (&known, &lead.external_id) {
        (Some(known), _) => known.external_id.clone(),
        (None, Some(id)) => id.clone(),
        (None, None) => fresh_id(x, lead)?,
    };
    let id = match &known {
        Some(known) => {
            leads::learned(x.c, known.id, lead, contact)?;
            known.id
        }
        None => leads::add(
            x.c,
            &Filed { connection: x.connection, external_id: &external_id, lead, contact, session, received_at: x.heard_at },
        )?,
    };
    let visits = journey::of_history(lead.traces.stated.as_ref(), lead.is_imported);
    let telling = Telling {
        kind: ConversionKind::Lead,
        name: None,
        label: format!("Lead {external_id}"),
        order_id: None,
        external_id: &external_id,
        event_id: format!("lead_{external_id}"),
        platform: &lead.source,
        what: "lead",
        fact_kind: "lead",
        rank: Rank::Api.number(),
        person: &lead.person,
        traces: &lead.traces,
        journey: &visits,
        contact,
        session,
        amount: lead.value,
        happened_at: lead.happened_at,
        status: "new",
        counts: true,
        is_imported: lead.is_imported,
        detail: serde_json::json!({"form_type": lead.form_type, "url": lead.url}).to_string(),
    };
    let stored = tell(x, &telling, Some(id.number()))?;
    if let Some(conversion) = stored.conversion
        && known.is_none()
    {
        leads::set_conversion(x.c, id, conversion)?;
        if !stored.is_new {
            pipeline::adopt(x.c, id, conversion)?;
        }
    }
    Ok(stored)
}

/// The same words a day later are another lead: then the id gets a number behind it.
fn fresh_id(x: &Context, lead: &Lead) -> Result<String> {
    let base = given_id(&lead.content_key);
    let mut id = base.clone();
    let mut n = 2;
    while leads::find_by_external_id(x.c, x.connection, &id)?.is_some() {
        id = format!("{base}-{n}");
        n += 1;
    }
    Ok(id)
}
