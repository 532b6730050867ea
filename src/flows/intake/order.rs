//! An order, as a shop or payment told it. It becomes a conversion when it is first paid; what goes back comes off on
//! its own day and never rewrites the order's.

use crate::domain::conversion::ConversionKind;
use crate::domain::fact::{Order, OrderStatus};
use crate::domain::ids::ConversionId;
use crate::error::Result;
use crate::store::deliveries;
use crate::store::orders::{self, Filed};

use super::telling::{Telling, known_person, tell, told_session, would_join};
use super::{Context, Stored, ledger};

pub fn store(x: &Context, order: &Order) -> Result<Stored> {
    let session = told_session(x, &order.traces)?;
    let contact = known_person(x, &order.person, session, &order.platform)?;
    // Two shops may number alike: what is told through one door is told apart by its platform.
    let external_id =
        if order.platform == "generic" { order.external_id.clone() } else { format!("{}:{}", order.platform, order.external_id) };
    let known = orders::find_by_external_id(x.c, x.connection, &external_id)?;
    // An older telling never moves the state back.
    let is_older = known.as_ref().is_some_and(|k| order.modified_at < k.modified_at);
    if let (Some(known), true) = (&known, is_older) {
        return unchanged(x, order, known.conversion);
    }
    let is_paid = orders::is_paid(order.status) || known.as_ref().is_some_and(|k| k.is_paid);
    let filed = Filed { connection: x.connection, external_id: &external_id, order, contact, session, received_at: x.now, is_paid };
    let id = orders::save(x.c, known.as_ref(), &filed)?;
    let telling = Telling {
        kind: ConversionKind::Sale,
        name: None,
        label: format!("Order {}", order.order_number),
        order_id: Some(&order.order_number),
        external_id: &external_id,
        event_id: format!("order_{}", order.order_number),
        platform: &order.platform,
        what: "order",
        fact_kind: "order",
        rank: order.rank.number(),
        person: &order.person,
        traces: &order.traces,
        contact,
        session,
        amount: Some(order.total),
        happened_at: order.happened_at,
        status: "paid",
        counts: !order.is_test,
        is_imported: order.is_imported,
        detail: serde_json::json!({"status": order.raw_status}).to_string(),
    };
    // Never paid is no sale, unless somebody else has told of one: then this says how it ended.
    if !is_paid && !(order.status == OrderStatus::Cancelled && would_join(x, &telling)?) {
        return unchanged(x, order, None);
    }
    let mut stored = tell(x, &telling, Some(id.number()))?;
    if let Some(conversion) = stored.conversion {
        orders::set_conversion(x.c, id, conversion)?;
        ledger::balance(x, conversion)?;
    }
    // The sender knows it by its own id.
    stored.external_id.clone_from(&order.external_id);
    Ok(stored)
}

fn unchanged(x: &Context, order: &Order, conversion: Option<ConversionId>) -> Result<Stored> {
    Ok(Stored {
        conversion,
        kind: ConversionKind::Sale.word(),
        external_id: order.external_id.clone(),
        is_new: false,
        match_type: "none",
        is_attributed: false,
        snapshot: serde_json::Value::Null,
        deliveries: match conversion {
            Some(id) => deliveries::list_planned(x.c, id)?,
            None => Vec::new(),
        },
        planned: Vec::new(),
    })
}
