//! The money of a sale: what its best informed order says now, brought into the ledger by lines that are added and never
//! changed.

use std::cmp::Reverse;

use crate::domain::conversion::Rank;
use crate::domain::fact::OrderStatus;
use crate::domain::ids::ConversionId;
use crate::domain::money::Money;
use crate::domain::time::Time;
use crate::error::Result;
use crate::store::entries::{self, NewEntry};
use crate::store::orders::{self, OrderWord};
use crate::store::reports::{self, NewReport};
use crate::store::{conversions, deliveries};

use super::{Context, must};

/// A line of the ledger, on its own day.
pub fn book(x: &Context, id: ConversionId, kind: &'static str, amount: Money, at: Time, note: Option<&str>) -> Result<()> {
    let book_day = x.site.zone.day(at);
    entries::add(x.c, &NewEntry { conversion: id, kind, amount, happened_at: at, book_day, report: None, note })?;
    Ok(())
}

/// Brings the ledger to what the shop says now, by a line on the day of the change: an order that was cancelled, wholly
/// refunded, paid again, or changed in its total. Single refunds are lines of their own and stay as they are.
pub fn balance(x: &Context, id: ConversionId) -> Result<()> {
    let conversion = must(conversions::find(x.c, id)?, "the conversion of an order")?;
    let words = orders::words_of(x.c, id)?;
    let Some(word) = speaker(&words) else { return Ok(()) };
    if word.rank < conversion.rank || conversion.amount.is_some_and(|m| m.currency != word.total.currency) {
        return Ok(());
    }
    let (target, kind, note, status) = match word.status {
        OrderStatus::Cancelled => (0, "cancellation", None, "cancelled"),
        OrderStatus::Refunded => (0, "refund", Some(entries::WHOLE_ORDER), "refunded"),
        _ => (word.total.minor, "adjustment", Some("changed in the shop"), "paid"),
    };
    let difference = target - entries::sum_of_order(x.c, id)?;
    if difference != 0 {
        book(x, id, kind, Money::new(difference, word.total.currency), word.modified_at.max(word.happened_at), note)?;
    }
    if target == 0 {
        // Nothing is left of it: whoever has not heard of the sale yet need not.
        deliveries::cancel_waiting(x.c, id, "reversed", x.now)?;
    }
    conversions::set_amount(x.c, id, word.total)?;
    if difference != 0 || conversion.status != status {
        conversions::set_status(x.c, id, status, Some(entries::sum(x.c, id)?))?;
    }
    Ok(())
}

/// The order that speaks: of the best informed senders the one that was changed last. What ties is decided by what
/// does not depend on the order of arrival.
fn speaker(words: &[OrderWord]) -> Option<&OrderWord> {
    words.iter().max_by_key(|w| (w.rank, w.modified_at, w.status.is_reversed(), Reverse(w.connection)))
}

/// A sale that was just made may be that of an order which has ended already: then the order says so now.
pub fn adopt_ended(x: &Context, id: ConversionId, rank: i64, order_key: &str) -> Result<()> {
    let is_shop = |rank: i64| rank == Rank::Shop.number();
    let ended = orders::list_ended(x.c, order_key)?;
    let mut fitting = ended.iter().filter(|o| o.connection != x.connection && !(is_shop(o.rank) && is_shop(rank)));
    // Of several it is not known which is meant.
    let (Some(order), None) = (fitting.next(), fitting.next()) else { return Ok(()) };
    reports::add(
        x.c,
        &NewReport {
            conversion: id,
            connection: order.connection,
            platform: &order.platform,
            what: "order",
            fact_kind: "order",
            fact_id: Some(order.id.number()),
            external_id: &order.external_id,
            rank: order.rank,
            amount: Some(order.total),
            happened_at: order.happened_at,
            received_at: x.heard_at,
            inbox: None,
            detail: &serde_json::json!({"status": order.raw_status}).to_string(),
        },
    )?;
    orders::set_conversion(x.c, order.id, id)?;
    conversions::learned(x.c, id, order.contact, order.session, None)?;
    conversions::raise_rank(x.c, id, order.rank)?;
    balance(x, id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::OrderId;
    use crate::domain::money::Currency;

    fn word(connection: i64, rank: Rank, modified_s: i64, status: OrderStatus) -> OrderWord {
        OrderWord {
            id: OrderId::new(connection),
            connection,
            platform: "generic".into(),
            external_id: "1".into(),
            rank: rank.number(),
            status,
            raw_status: status.word().into(),
            total: Money::new(100, Currency::parse("EUR").expect("EUR")),
            contact: None,
            session: None,
            happened_at: Time::from_s(0),
            modified_at: Time::from_s(modified_s),
        }
    }

    #[test]
    fn the_best_informed_speaks_then_the_newest() {
        use OrderStatus::{Cancelled, Paid};
        let rows: &[(&str, [OrderWord; 2], i64)] = &[
            ("a shop knows more", [word(1, Rank::Shop, 1, Paid), word(2, Rank::GenericOrder, 9, Cancelled)], 1),
            ("the newer word", [word(1, Rank::Shop, 1, Paid), word(2, Rank::Shop, 2, Cancelled)], 2),
            ("an older word", [word(1, Rank::Shop, 3, Cancelled), word(2, Rank::Shop, 2, Paid)], 1),
            ("at the same moment the end of it", [word(1, Rank::Shop, 2, Paid), word(2, Rank::Shop, 2, Cancelled)], 2),
            ("else the older connection", [word(1, Rank::Shop, 2, Paid), word(2, Rank::Shop, 2, Paid)], 1),
        ];
        for (what, words, want) in rows {
            let mut turned = words.clone();
            turned.reverse();
            assert_eq!(
                (speaker(words).map(|w| w.connection), speaker(&turned).map(|w| w.connection)),
                (Some(*want), Some(*want)),
                "{what}"
            );
        }
        assert_eq!(speaker(&[]), None);
    }
}
