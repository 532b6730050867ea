//! An order, as a shop or payment told it. It becomes a conversion when it is first paid; what goes back comes off on
//! its own day and never rewrites the order's.

use crate::domain::attribution::journey;
use crate::domain::conversion::{ConversionKind, Rank, order_event};
use crate::domain::fact::{Fact, Order, OrderDeletion, OrderRefund, Refund};
use crate::domain::ids::{ConnectionId, OrderId};
use crate::domain::money::Money;
use crate::domain::time::Time;
use crate::error::Result;
use crate::flows::commissions;
use crate::sources;
use crate::store::orders::{self, Filed, KnownOrder};
use crate::store::pulls;
use crate::store::refunds::{self, Heard, ToldAt};
use crate::store::scope::SiteConn;

use super::telling::{Telling, heed_refusal, known_person, tell, told_session, would_join};
use super::{Context, Delivered, Stored, ledger};

pub fn store(x: &Context, order: &Order) -> Result<Stored> {
    match order.refunded_so_far {
        Some(sum) => store_told(x, &parted(x, order, sum)?),
        None => store_told(x, order),
    }
}

/// With single refunds that make up the sum which went back so far: those that are known as they are, and what is new of it
/// as one more. Those that make more than the sum were taken back. An older sum says nothing.
fn parted(x: &Context, order: &Order, sum: Money) -> Result<Order> {
    let external_id = own_id(&order.platform, &order.external_id);
    let known = orders::find_by_external_id(x.c, x.connection, &external_id)?;
    if known.as_ref().is_some_and(|known| order.modified_at < known.modified_at) {
        return Ok(Order { refunded_so_far: None, ..order.clone() });
    }
    let since = known.map_or(ToldAt::never(), |known| known.refunds_at);
    let all = refunds::list_of_order(x.c, x.connection, &external_id)?;
    let mut standing: Vec<refunds::Known> =
        all.into_iter().filter(|r| r.told_at >= since && r.amount.currency == sum.currency && r.amount.minor > 0).collect();
    standing.sort_by_key(|r| (r.happened_at, r.id));
    let mut left = sum.minor;
    let mut parts = Vec::new();
    for known in standing {
        if known.amount.minor > left {
            break;
        }
        left -= known.amount.minor;
        let own = known.external_id.strip_prefix(&format!("{}:", order.platform)).unwrap_or(&known.external_id).to_owned();
        parts.push(Refund { external_id: own, happened_at: known.happened_at, amount: known.amount, reason: None });
    }
    if left > 0 {
        let external_id = format!("{}-to-{}", order.external_id, sum.minor);
        parts.push(Refund { external_id, happened_at: order.modified_at, amount: Money::new(left, sum.currency), reason: None });
    }
    Ok(Order { refunds: parts, are_refunds_whole: true, refunded_so_far: None, ..order.clone() })
}

fn store_told(x: &Context, order: &Order) -> Result<Stored> {
    let session = told_session(x, &order.traces)?;
    let contact = known_person(x, &order.person, &order.traces, session, &order.platform, order.happened_at)?;
    let external_id = own_id(&order.platform, &order.external_id);
    let visits = journey::cleaned(&order.journey);
    let telling = Telling {
        kind: ConversionKind::Sale,
        name: None,
        label: match order.shared_number() {
            Some(number) => format!("Order {number}"),
            None => format!("Payment {}", order.order_number),
        },
        order_id: order.shared_number(),
        external_id: &external_id,
        event_id: order_event(&order.order_number),
        platform: &order.platform,
        what: "order",
        fact_kind: "order",
        rank: order.rank.number(),
        person: &order.person,
        traces: &order.traces,
        journey: &visits,
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
    let told_at = told_at(x, order.modified_at);
    for refund in &order.refunds {
        hear_of(x, &order.platform, &external_id, refund, told_at)?;
    }
    if let Some(known) = known.as_ref().filter(|known| order.modified_at < known.modified_at) {
        return older(x, order, &telling, known, told_at);
    }
    let is_paid = order.is_sold() || known.as_ref().is_some_and(|k| k.is_paid);
    let deleted_at = orders::find_deletion(x.c, x.connection, &external_id)?.filter(|at| is_after(x, *at, order.modified_at));
    let is_gone = order.is_gone || deleted_at.is_some();
    let ended_at = (order.is_over() || is_gone).then(|| {
        // The first telling of the end dates it, unless the shop does.
        let first = known.as_ref().filter(|k| k.is_over).and_then(|k| k.ended_at);
        order.ended_at.or(first).or(deleted_at).unwrap_or(order.modified_at)
    });
    let cleaned = Order { journey: visits.clone(), ..order.clone() };
    let filed = Filed {
        connection: x.connection,
        external_id: &external_id,
        order: &cleaned,
        contact,
        session,
        received_at: x.now,
        is_paid,
        is_gone,
        ended_at,
        erased_at: x.erased_at,
        found_at: x.read_at.filter(|_| !x.was_named),
        refunds_at: if order.are_refunds_whole { told_at } else { ToldAt::never() },
    };
    let id = orders::save(x.c, known.as_ref(), &filed)?;
    if !is_paid {
        // Never paid is no sale, unless somebody else has told of one: then this says how it ended, and who refused.
        let Some(sale) = would_join(x, &telling)? else { return Ok(unchanged(&order.external_id)) };
        if !order.is_over() && !is_gone {
            heed_refusal(x, &telling, sale)?;
            // It had ended, and stands again unpaid: its end is no word of the sale any more.
            return balance_known(x, &external_id, &order.external_id);
        }
    }
    let is_plain = known.is_none() && ended_at.is_none() && order.refunds.is_empty();
    tell_of(x, order, &telling, id, is_plain)
}

/// A refund told alone. Without its order it waits for it.
pub fn refund(x: &Context, told: &OrderRefund) -> Result<Stored> {
    let external_id = own_id(&told.platform, &told.order_external_id);
    hear_of(x, &told.platform, &external_id, &told.refund, told_at(x, told.refund.happened_at))?;
    balance_known(x, &external_id, &told.order_external_id)
}

/// The shop has thrown an order away. What was sold stays sold on its day, and comes off on this one.
pub fn deletion(x: &Context, told: &OrderDeletion) -> Result<Stored> {
    let external_id = own_id(&told.platform, &told.order_external_id);
    orders::add_deletion(x.c, x.connection, &external_id, told.happened_at)?;
    if let Some(known) = orders::find_by_external_id(x.c, x.connection, &external_id)?
        && told.happened_at >= known.modified_at
    {
        if !known.is_over {
            orders::set_ended(x.c, known.id, told.happened_at)?;
        }
        orders::set_gone(x.c, known.id)?;
    }
    balance_known(x, &external_id, &told.order_external_id)
}

/// A body of deletions came once more. A deletion is told by a number alone, so that a second one looks like the first told
/// again: an order that was thrown away, restored and thrown away once more. Who has copied the body could say it too, and
/// the same signed content is never a second fact. So it is not believed, but the shop's own list is read at once.
pub fn look_again(c: &SiteConn, connection: ConnectionId, delivered: &Delivered, now: Time) -> Result<()> {
    let is_deletion = delivered.facts.iter().any(|fact| matches!(fact, Fact::Deletion(_)));
    if is_deletion && sources::find(&delivered.platform).is_some_and(|s| s.pull().is_some()) {
        pulls::look_again(c, connection, now)?;
    }
    Ok(())
}

/// Two shops may number alike: what is told through one door is told apart by its platform.
pub fn own_id(platform: &str, id: &str) -> String {
    if platform == "generic" { id.to_owned() } else { format!("{platform}:{id}") }
}

fn told_at(x: &Context, modified_at: Time) -> ToldAt {
    ToldAt { modified_at, read_at: x.read_at.map_or(0, Time::ms) }
}

/// An order that was changed after its deletion is back, and so is one that the shop itself shows later.
fn is_after(x: &Context, deleted_at: Time, modified_at: Time) -> bool {
    deleted_at >= modified_at && x.read_at.is_none_or(|read_at| read_at <= deleted_at)
}

fn hear_of(x: &Context, platform: &str, order_external_id: &str, refund: &Refund, told_at: ToldAt) -> Result<()> {
    if refund.amount.minor <= 0 {
        return Ok(());
    }
    let external_id = own_id(platform, &refund.external_id);
    let heard = Heard { connection: x.connection, order_external_id, external_id: &external_id, refund, told_at, received_at: x.heard_at };
    refunds::save(x.c, &heard, x.erased_at.is_some())
}

fn balance_known(x: &Context, external_id: &str, shown_id: &str) -> Result<Stored> {
    let mut stored = unchanged(shown_id);
    if let Some(conversion) = orders::find_by_external_id(x.c, x.connection, external_id)?.and_then(|k| k.conversion) {
        stored.planned = ledger::balance(x, conversion)?;
        commissions::rebook(x.c, x.site, conversion, x.now)?;
        stored.conversion = Some(conversion);
    }
    Ok(stored)
}

/// `is_plain`: nobody has told of the order before, and of nothing that went back. Where it makes its sale and is all that is
/// known of it, the sale stands as it was just booked.
fn tell_of(x: &Context, order: &Order, telling: &Telling, id: OrderId, is_plain: bool) -> Result<Stored> {
    if order.rank == Rank::Payment
        && let Some(number) = order.shared_number()
    {
        orders::learn_number(x.c, id, number)?;
    }
    let mut stored = tell(x, telling, Some(id.number()))?;
    if let Some(conversion) = stored.conversion {
        if is_plain && stored.is_new && orders::is_alone(x.c, conversion, x.connection, telling.external_id)? {
            orders::set_sold(x.c, id, conversion)?;
        } else {
            orders::set_conversion(x.c, id, conversion)?;
            stored.planned.extend(ledger::balance(x, conversion)?);
        }
        commissions::rebook(x.c, x.site, conversion, x.now)?;
    }
    // The sender knows it by its own id.
    stored.external_id.clone_from(&order.external_id);
    Ok(stored)
}

/// An older telling never moves the state back. What it knows of the person, the visit and single refunds counts all the
/// same, and so does that the order was paid once.
fn older(x: &Context, order: &Order, telling: &Telling, known: &KnownOrder, told_at: ToldAt) -> Result<Stored> {
    if x.read_at.is_none() {
        orders::set_told(x.c, known.id)?;
    }
    if order.are_refunds_whole && told_at > known.refunds_at {
        orders::set_refunds_at(x.c, known.id, told_at)?;
    }
    if order.is_over() && known.is_over {
        orders::set_ended(x.c, known.id, order.ended_at.unwrap_or(order.modified_at))?;
    }
    if order.is_sold() {
        orders::set_paid(x.c, known.id)?;
    } else if known.conversion.is_none() {
        return Ok(unchanged(&order.external_id));
    }
    tell_of(x, order, telling, known.id, false)
}

/// Kept, and no conversion.
fn unchanged(external_id: &str) -> Stored {
    Stored::of(ConversionKind::Sale.word(), external_id.to_owned())
}
