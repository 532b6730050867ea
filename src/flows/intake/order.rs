//! An order, as a shop or payment told it. It becomes a conversion when it is first paid; what goes back comes off on
//! its own day and never rewrites the order's.

use crate::domain::conversion::ConversionKind;
use crate::domain::fact::{Order, OrderStatus};
use crate::domain::ids::OrderId;
use crate::error::Result;
use crate::store::orders::{self, Filed, KnownOrder};

use super::telling::{Telling, heed_refusal, known_person, tell, told_session, would_join};
use super::{Context, Stored, ledger};

pub fn store(x: &Context, order: &Order) -> Result<Stored> {
    let session = told_session(x, &order.traces)?;
    let contact = known_person(x, &order.person, &order.traces, session, &order.platform)?;
    // Two shops may number alike: what is told through one door is told apart by its platform.
    let external_id =
        if order.platform == "generic" { order.external_id.clone() } else { format!("{}:{}", order.platform, order.external_id) };
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
    let known = orders::find_by_external_id(x.c, x.connection, &external_id)?;
    if let Some(known) = known.as_ref().filter(|known| order.modified_at < known.modified_at) {
        return older(x, order, &telling, known);
    }
    let is_paid = orders::is_paid(order.status) || known.as_ref().is_some_and(|k| k.is_paid);
    let filed = Filed {
        connection: x.connection,
        external_id: &external_id,
        order,
        contact,
        session,
        received_at: x.now,
        is_paid,
        erased_at: x.erased_at,
    };
    let id = orders::save(x.c, known.as_ref(), &filed)?;
    if !is_paid {
        // Never paid is no sale, unless somebody else has told of one: then this says how it ended, and who refused.
        let Some(sale) = would_join(x, &telling)? else { return Ok(unchanged(order)) };
        if order.status != OrderStatus::Cancelled {
            heed_refusal(x, &telling, sale)?;
            return Ok(unchanged(order));
        }
    }
    tell_of(x, order, &telling, id)
}

fn tell_of(x: &Context, order: &Order, telling: &Telling, id: OrderId) -> Result<Stored> {
    let mut stored = tell(x, telling, Some(id.number()))?;
    if let Some(conversion) = stored.conversion {
        orders::set_conversion(x.c, id, conversion)?;
        ledger::balance(x, conversion)?;
    }
    // The sender knows it by its own id.
    stored.external_id.clone_from(&order.external_id);
    Ok(stored)
}

/// An older telling never moves the state back. What it knows of the person and the visit counts all the same, and so
/// does that the order was paid once.
fn older(x: &Context, order: &Order, telling: &Telling, known: &KnownOrder) -> Result<Stored> {
    if known.conversion.is_some() {
        let mut stored = tell(x, telling, Some(known.id.number()))?;
        stored.external_id.clone_from(&order.external_id);
        return Ok(stored);
    }
    if !orders::is_paid(order.status) {
        return Ok(unchanged(order));
    }
    orders::set_paid(x.c, known.id)?;
    tell_of(x, order, telling, known.id)
}

/// Kept, and no conversion.
fn unchanged(order: &Order) -> Stored {
    Stored {
        conversion: None,
        kind: ConversionKind::Sale.word(),
        external_id: order.external_id.clone(),
        is_new: false,
        match_type: "none",
        is_attributed: false,
        snapshot: serde_json::Value::Null,
        deliveries: Vec::new(),
        planned: Vec::new(),
    }
}
