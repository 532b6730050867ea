//! An order, as a shop or payment told it. It becomes a conversion when it is first paid; what goes back comes off on
//! its own day and never rewrites the order's.

use crate::domain::conversion::ConversionKind;
use crate::domain::fact::{Order, OrderStatus};
use crate::domain::ids::ConversionId;
use crate::domain::money::Money;
use crate::error::Result;
use crate::store::orders::{self, Filed};
use crate::store::{conversions, deliveries, entries};

use super::telling::{Telling, book, known_person, tell, told_session};
use super::{Context, Stored, must};

pub fn store(x: &Context, order: &Order) -> Result<Stored> {
    let session = told_session(x, &order.traces)?;
    let contact = known_person(x, &order.person, session, &order.platform)?;
    let known = orders::find_by_external_id(x.c, x.connection, &order.external_id)?;
    // An older telling never moves the state back.
    let is_older = known.as_ref().is_some_and(|k| order.modified_at < k.modified_at);
    if let (Some(known), true) = (&known, is_older) {
        return unchanged(x, order, known.conversion);
    }
    let is_paid = orders::is_paid(order.status) || known.as_ref().is_some_and(|k| k.is_paid);
    let filed = Filed { connection: x.connection, order, contact, session, received_at: x.now, is_paid };
    let id = orders::save(x.c, known.as_ref(), &filed)?;
    if !is_paid {
        return unchanged(x, order, None);
    }
    let telling = Telling {
        kind: ConversionKind::Sale,
        name: None,
        label: format!("Order {}", order.order_number),
        order_id: Some(&order.order_number),
        external_id: &order.external_id,
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
    let stored = tell(x, &telling, Some(id.number()))?;
    if let Some(conversion) = stored.conversion {
        orders::set_conversion(x.c, id, conversion)?;
        reverse(x, order, conversion)?;
    }
    Ok(stored)
}

/// A cancelled or wholly refunded order takes back what is left of it, once.
fn reverse(x: &Context, order: &Order, id: ConversionId) -> Result<()> {
    let (kind, status) = match order.status {
        OrderStatus::Cancelled => ("cancellation", "cancelled"),
        OrderStatus::Refunded => ("refund", "refunded"),
        _ => return Ok(()),
    };
    let conversion = must(conversions::find(x.c, id)?, "the conversion of an order")?;
    let left = entries::sum(x.c, id)?;
    let currency = conversion.amount.map(|m| m.currency).unwrap_or(order.total.currency);
    if left > 0 {
        book(x, id, kind, Money::new(-left, currency), order.modified_at.max(order.happened_at), None)?;
    }
    conversions::set_status(x.c, id, status, Some(entries::sum(x.c, id)?))
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
    })
}
