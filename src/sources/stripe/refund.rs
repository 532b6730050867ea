//! Money that went back: refunded by the owner, or taken by the buyer's bank.
//! <https://docs.stripe.com/api/refunds/object>, <https://docs.stripe.com/api/disputes/object>

use serde_json::Value;

use super::payment::id_of;
use super::{SLUG, amount, reading};
use crate::domain::campaign::clean_text;
use crate::domain::fact::{Fact, OrderRefund, Refund};
use crate::sources::kit::{self, text};
use crate::sources::{Batch, Home, Reject};

/// A refund that an event tells of. One that came to nothing after all is seen by what is left of the whole list.
pub fn hear(object: &Value, home: &Home) -> Result<Option<Batch>, Reject> {
    let charge = id_of(object, "charge").and_then(|id| reading::reference("charge", &id, None));
    let Some(refund) = read(object, home)? else {
        return Ok(charge.map(|name| Batch { fetch: vec![name], ..Batch::default() }));
    };
    let Some(order_external_id) = id_of(object, "payment_intent").or_else(|| id_of(object, "charge")) else { return Ok(None) };
    Ok(Some(Batch::of(vec![Fact::Refund(OrderRefund { order_external_id, platform: SLUG.into(), refund })])))
}

/// One that stands. A pending one is on its way: Stripe has taken it off the balance already.
pub fn read(object: &Value, home: &Home) -> Result<Option<Refund>, Reject> {
    let external_id = text(object, "id").ok_or_else(|| kit::missing("id"))?;
    if matches!(text(object, "status").as_deref(), Some("failed" | "canceled" | "requires_action")) {
        return Ok(None);
    }
    let amount = amount::at(object, "amount")?;
    let happened_at = kit::time(object, &["created"]).map_or(home.now, |at| at.min(home.now));
    let reason = text(object, "reason").map(|word| clean_text(&word.replace('_', " "), 255));
    Ok(Some(Refund { external_id, happened_at, amount, reason }))
}

/// A dispute takes the money when it is opened, and gives it again when it is won. A mere question of the bank (`warning_…`)
/// takes nothing.
pub fn disputed(object: &Value, home: &Home) -> Result<Option<Refund>, Reject> {
    let external_id = text(object, "id").ok_or_else(|| kit::missing("id"))?;
    if !matches!(text(object, "status").as_deref(), Some("needs_response" | "under_review" | "lost")) {
        return Ok(None);
    }
    let amount = amount::at(object, "amount")?;
    let happened_at = kit::time(object, &["created"]).map_or(home.now, |at| at.min(home.now));
    let why = text(object, "reason").map(|word| word.replace('_', " ")).unwrap_or_else(|| "no reason given".into());
    Ok(Some(Refund { external_id, happened_at, amount, reason: Some(clean_text(&format!("disputed: {why}"), 255)) }))
}
