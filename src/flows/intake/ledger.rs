//! The money of a sale: what its best informed order says now, brought into the ledger by lines that are added and never
//! changed.

use crate::domain::conversion::{Reporter, can_be_one};
use crate::domain::fact::OrderStatus;
use crate::domain::ids::{ConversionId, ReportId};
use crate::domain::money::Money;
use crate::domain::time::Time;
use crate::error::Result;
use crate::store::conversions::Conversion;
use crate::store::deliveries::Made;
use crate::store::entries::{self, NewEntry};
use crate::store::orders::{self, OrderWord};
use crate::store::reports::{self, NewReport};
use crate::store::{conversions, deliveries};

use super::reversal::{self, Ground, Turn, changed_at};
use super::standing::{DOUBTFUL, Standing};
use super::{Context, must, refund};

/// A line of the ledger, on its own day.
pub fn book(x: &Context, id: ConversionId, kind: &'static str, amount: Money, at: Time, note: Option<&str>) -> Result<()> {
    book_as_told(x, id, kind, amount, at, note, None)
}

/// The same with the report that told of it.
fn book_as_told(
    x: &Context,
    id: ConversionId,
    kind: &'static str,
    amount: Money,
    at: Time,
    note: Option<&str>,
    report: Option<ReportId>,
) -> Result<()> {
    let book_day = x.site.zone.day(at);
    entries::add(x.c, &NewEntry { conversion: id, kind, amount, happened_at: at, book_day, report, refund: None, note })?;
    Ok(())
}

/// Brings the sale's own lines to what a better informed sender says: the amount, and the day on which it was.
pub fn retell(x: &Context, id: ConversionId, before: &Conversion, amount: Money, happened_at: Time) -> Result<()> {
    // What came off since stays where it is.
    let booked = entries::sums_of_own(x.c, id)?;
    if booked.is_empty() {
        return book(x, id, "sale", amount, happened_at, None);
    }
    let is_same_day = x.site.zone.day(before.happened_at) == x.site.zone.day(happened_at);
    let (mut own, mut left) = (0, Vec::new());
    for money in booked.into_iter().filter(|money| money.minor != 0) {
        match is_same_day && money.currency == amount.currency {
            true => own = money.minor,
            false => left.push(money),
        }
    }
    for money in left {
        let note = if money.currency == amount.currency { OTHER_DAY } else { OTHER_CURRENCY };
        book(x, id, "adjustment", Money::new(-money.minor, money.currency), before.happened_at, Some(note))?;
    }
    if amount.minor != own {
        let note = if is_same_day { OTHER_AMOUNT } else { OTHER_DAY };
        book(x, id, "adjustment", Money::new(amount.minor - own, amount.currency), happened_at, Some(note))?;
    }
    Ok(())
}

/// A sale was earlier than was first told: what was sold moves to its day, and what came off since stays where it is.
pub fn move_back(x: &Context, id: ConversionId, before: &Conversion, happened_at: Time) -> Result<()> {
    let (old, new) = (x.site.zone.day(before.happened_at), x.site.zone.day(happened_at));
    if old != new {
        for money in entries::sums_of_sale(x.c, id, old)? {
            book(x, id, "adjustment", Money::new(-money.minor, money.currency), before.happened_at, Some(OTHER_DAY))?;
            book(x, id, "adjustment", money, happened_at, Some(OTHER_DAY))?;
        }
    }
    conversions::set_time(x.c, id, happened_at, new)
}

const OTHER_AMOUNT: &str = "a better informed sender gave another amount";
const OTHER_DAY: &str = "another sender knew the day better";
const OTHER_CURRENCY: &str = "told again in another currency";

/// Brings the ledger to what the orders of a sale say now, by a line on the day of the change: an order that was cancelled, wholly
/// refunded, paid again, or changed in its total. Single refunds are lines of their own and stay as they are.
///
/// Gives the deliveries that were planned for what went back.
pub fn balance(x: &Context, id: ConversionId) -> Result<Vec<Made>> {
    let conversion = must(conversions::find(x.c, id)?, "the conversion of an order")?;
    let words = orders::words_of(x.c, id)?;
    let Some(standing) = Standing::of(x.c, &words)? else { return Ok(Vec::new()) };
    let word = &standing.word;
    if word.rank < conversion.rank {
        return Ok(Vec::new());
    }
    // Who bought it says whoever knows most, and of that the newest.
    if let Some(buyer) = word.contact.filter(|buyer| conversion.contact != Some(*buyer) && !conversion.is_erased) {
        conversions::set_contact(x.c, id, buyer)?;
        if conversion.contact.is_some() {
            conversions::set_note(x.c, id, ANOTHER_BUYER, true)?;
        }
    }
    let mut is_changed = refund::book_all(x, id, &standing.refunds, &standing.others)?;
    let back = standing.refunds.minor();
    let is_over = word.is_over();
    let (target, kind, note) = match word.status {
        // What single refunds have taken off is not taken off again.
        OrderStatus::Refunded => (back, "refund", Some(WHOLE_ORDER)),
        _ if is_over => (back, "cancellation", word.is_gone.then_some(DELETED)),
        _ => (word.total.minor, "adjustment", Some("changed in the shop")),
    };
    let status = match word.status {
        OrderStatus::Refunded => "refunded",
        _ if is_over => "cancelled",
        _ if word.total.minor > 0 && back >= word.total.minor => "refunded",
        _ => "paid",
    };
    let was_over = matches!(conversion.status.as_str(), "cancelled" | "refunded");
    // What holds again does so since whoever had ended it was heard last.
    let is_again = was_over && !is_over && status == "paid";
    let (at, teller, note) = match is_again {
        true => (changed_at(word).max(standing.newest.modified_at), &standing.newest, Some("it holds again")),
        false => (changed_at(word), &standing.teller, note),
    };
    let teller = reports::find_of_order(x.c, id, teller.id)?;
    let mut own = 0;
    for money in entries::sums_of_order(x.c, id)? {
        if money.currency == word.total.currency {
            own = money.minor;
        } else if money.minor != 0 {
            let note = if is_over { note } else { Some(OTHER_CURRENCY) };
            book_as_told(x, id, kind, Money::new(-money.minor, money.currency), at, note, teller)?;
            is_changed = true;
        }
    }
    if target != own {
        book_as_told(x, id, kind, Money::new(target - own, word.total.currency), at, note, teller)?;
        is_changed = true;
    }
    let turn = match (was_over, status) {
        (true, "paid") => Turn::Again,
        (false, "cancelled" | "refunded") => Turn::Back,
        _ => Turn::None,
    };
    if status != "paid" {
        // Nothing is left of it: whoever has not heard of the sale yet need not.
        deliveries::cancel_reversed(x.c, id, x.now)?;
    } else if turn == Turn::Again {
        deliveries::revive(x.c, id, x.now)?;
    }
    for word in &words {
        orders::set_net(x.c, word.id, refund::net_of(x, word)?)?;
    }
    conversions::set_note(x.c, id, DOUBTFUL, standing.is_doubtful)?;
    conversions::set_amount(x.c, id, word.total)?;
    if is_changed || conversion.status != status {
        conversions::set_status(x.c, id, status, Some(entries::sum(x.c, id, word.total.currency)?))?;
    }
    let ground = Ground { c: x.c, site: x.site, connections: x.connections, now: x.now };
    reversal::settle(ground, &conversion, word, standing.counted(), turn)
}

/// Said of a sale that is somebody else's than was told at first.
const ANOTHER_BUYER: &str = "the order was told again with another buyer: it counts as theirs";

/// Marks money that the order's own state gave back, not a refund of its own.
const WHOLE_ORDER: &str = "the whole order";
const DELETED: &str = "deleted in the shop";

/// A sale that was just made may be that of orders which have ended already: then they say so now.
pub fn adopt_ended(x: &Context, id: ConversionId, order_key: &str) -> Result<()> {
    let known = orders::list_ended(x.c, order_key)?;
    if known.is_empty() {
        return Ok(());
    }
    let reporters = reports::list_reporters(x.c, id)?;
    let mut ended = Vec::new();
    for order in known {
        let own = Reporter::new(order.connection, order.rank, "order", &order.platform);
        if !can_be_one(&reporters, std::slice::from_ref(&own)) {
            continue;
        }
        if ended.iter().any(|(_, known)| !can_be_one(std::slice::from_ref(known), std::slice::from_ref(&own))) {
            // Of orders that exclude each other it is not known which is meant.
            return Ok(());
        }
        ended.push((order, own));
    }
    for (order, _) in ended {
        adopt(x, id, &order, order_key)?;
    }
    balance(x, id).map(drop)
}

fn adopt(x: &Context, id: ConversionId, order: &OrderWord, order_key: &str) -> Result<()> {
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
            order_key: Some(order_key),
            rank: order.rank,
            amount: Some(order.total),
            happened_at: order.happened_at,
            received_at: x.heard_at,
            inbox: None,
            detail: &serde_json::json!({"status": order.raw_status}).to_string(),
            known: None,
        },
    )?;
    orders::set_conversion(x.c, order.id, id)?;
    conversions::learned(x.c, id, order.contact, order.session, None)?;
    let before = must(conversions::find(x.c, id)?, "the conversion of an order")?;
    if order.rank > before.rank {
        conversions::raise_rank(x.c, id, order.rank)?;
        retell(x, id, &before, order.total, order.happened_at)?;
        conversions::set_time(x.c, id, order.happened_at, x.site.zone.day(order.happened_at))?;
    }
    Ok(())
}
