//! What a list shows again and we know already: reading the same twice changes nothing, and is called nothing new.

use crate::domain::conversion::Rank;
use crate::domain::fact::{Fact, Order, Refund};
use crate::domain::ids::ConnectionId;
use crate::error::Result;
use crate::flows::intake;
use crate::store::scope::SiteConn;
use crate::store::{orders, refunds};

/// It says nothing that is not known: the same change, the same refunds. A journey that the shop has worked out since changes
/// no order, and is news all the same.
pub fn is_same(c: &SiteConn, id: ConnectionId, order: &Order, external_id: &str, known: &orders::KnownOrder) -> Result<bool> {
    if order.modified_at > known.modified_at || (order.is_over() != known.is_over && order.modified_at == known.modified_at) {
        return Ok(false);
    }
    if !order.journey.is_empty() && !known.has_journey {
        return Ok(false);
    }
    // What a shop has written on a payment since changes nothing of the payment itself.
    if order.rank == Rank::Payment {
        let is_found = order.traces.session.is_some() && !known.has_session;
        let is_named = order.person.email.is_some() && !known.has_contact;
        if is_found || is_named || (order.shared_number().is_some() && !known.has_number) {
            return Ok(false);
        }
    }
    // Another talk has read more of its lines.
    if order.items.len() > known.lines {
        return Ok(false);
    }
    let stored = refunds::list_of_order(c, id.number(), external_id)?;
    let stands: Vec<&refunds::Known> = stored.iter().filter(|r| r.told_at >= known.refunds_at).collect();
    let is_told = |refund: &Refund| {
        let own = intake::own_id(&order.platform, &refund.external_id);
        stands.iter().any(|r| r.external_id == own && r.amount == refund.amount && r.happened_at <= refund.happened_at)
    };
    let is_whole = !order.are_refunds_whole || stands.len() == order.refunds.len();
    Ok(is_whole && order.refunds.iter().all(is_told))
}

/// Money that went back, told alone, of which nothing is new.
pub fn is_told_already(c: &SiteConn, id: ConnectionId, fact: &Fact) -> Result<bool> {
    let order = |platform: &str, number: &str| orders::find_by_external_id(c, id.number(), &intake::own_id(platform, number));
    match fact {
        Fact::Refund(told) => {
            let since = order(&told.platform, &told.order_external_id)?.map(|known| known.refunds_at);
            let own = intake::own_id(&told.platform, &told.refund.external_id);
            let all = refunds::list_of_order(c, id.number(), &intake::own_id(&told.platform, &told.order_external_id))?;
            Ok(all.iter().any(|r| {
                let is_earlier = r.happened_at <= told.refund.happened_at && since.is_none_or(|since| r.told_at >= since);
                r.external_id == own && r.amount == told.refund.amount && is_earlier
            }))
        }
        Fact::Deletion(told) => {
            let known = orders::find_deletion(c, id.number(), &intake::own_id(&told.platform, &told.order_external_id))?;
            let is_over = order(&told.platform, &told.order_external_id)?.is_none_or(|order| order.is_over);
            Ok(is_over && known.is_some_and(|at| at >= told.happened_at))
        }
        _ => Ok(false),
    }
}
