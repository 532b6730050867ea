//! A sale, lead or sign-up told without an order of its own: by the conversions API, a payment, AnyTrack.

use crate::domain::attribution::journey;
use crate::domain::conversion::{ConversionKind, order_event};
use crate::domain::fact::Statement;
use crate::domain::ids::{ContactId, SessionId};
use crate::error::Result;

use super::telling::{Telling, known_person, tell, told_session};
use super::{Context, Stored};

pub fn store(x: &Context, s: &Statement) -> Result<Stored> {
    let session = told_session(x, &s.traces)?;
    let contact = known_person(x, &s.person, &s.traces, session, &s.platform, s.happened_at)?;
    store_of(x, s, session, contact)
}

/// The same where the person is known already.
pub fn store_of(x: &Context, s: &Statement, session: Option<SessionId>, contact: Option<ContactId>) -> Result<Stored> {
    let word = match s.kind {
        ConversionKind::Sale => "order",
        other => other.word(),
    };
    let shown = s.order_id.as_deref().unwrap_or(&s.external_id);
    let label = match s.kind {
        ConversionKind::Sale => format!("Order {shown}"),
        ConversionKind::Lead => format!("Lead {shown}"),
        ConversionKind::Signup => format!("Sign-up {shown}"),
        ConversionKind::Custom => format!("{} {shown}", s.name.as_deref().unwrap_or("Custom")),
    };
    let visits = journey::of_history(s.traces.stated.as_ref(), s.is_imported);
    let telling = Telling {
        kind: s.kind,
        name: s.name.as_deref(),
        label,
        order_id: if s.kind == ConversionKind::Sale { s.order_id.as_deref() } else { None },
        external_id: &s.external_id,
        event_id: if s.kind == ConversionKind::Sale { order_event(shown) } else { format!("{word}_{shown}") },
        platform: &s.platform,
        what: s.kind.word(),
        fact_kind: "statement",
        rank: s.rank.number(),
        person: &s.person,
        traces: &s.traces,
        journey: &visits,
        contact,
        session,
        amount: s.amount,
        happened_at: s.happened_at,
        status: if s.kind == ConversionKind::Sale { "paid" } else { "new" },
        counts: true,
        is_imported: s.is_imported,
        detail: s.detail.to_string(),
    };
    tell(x, &telling, None)
}
