//! A row of an orders file: our own list, a shop's export, a spreadsheet.

use super::super::conversion::Rank;
use super::super::fact::{Order, OrderStatus, Refund};
use super::super::outgoing::Item;
use super::cells::Cells;
use super::{LONGEST, Refusal, cut};

/// Lines of an order that are kept.
const MOST_LINES: usize = 200;

/// The order and its id. Nothing for another line of the order before it, as Shopify's export has them.
pub fn read(cells: &Cells, before: Option<&str>) -> Result<Option<(Order, String)>, Refusal> {
    let number = cells.id("number")?;
    let own = cells.id("order_id")?.or_else(|| number.clone()).or(cells.id("id")?);
    let own = own.ok_or_else(|| Refusal::new("order_id", "There is no order number."))?;
    let platform = platform(cells)?;
    let id = format!("{platform} {own}");
    if cells.word("total").is_empty() && before == Some(id.as_str()) {
        return Ok(None);
    }
    let currency = cells.currency()?;
    let total = cells.positive("total", currency)?.ok_or_else(|| Refusal::new("total", "There is no total."))?;
    let (paid_at, made_at) = (cells.moment("paid_at")?, cells.moment("at")?);
    let happened_at = paid_at.or(made_at).ok_or_else(|| Refusal::new("created_at", "There is no time."))?;
    let (status, was_paid) = status(cells, paid_at.is_some())?;
    let (refunded_at, ended_at) = (cells.moment("refunded_at")?, cells.moment("ended_at")?);
    let modified_at = [cells.moment("modified_at")?, refunded_at, ended_at].into_iter().flatten().max().unwrap_or(happened_at);
    // Our own list has what went back below nought, a shop's above.
    let back = cells.amount("back", currency)?.map(|mut money| {
        money.minor = money.minor.abs().min(total.minor);
        money
    });
    let refunds: Vec<Refund> = back
        .filter(|money| money.minor > 0 && !status.is_reversed())
        .map(|amount| Refund {
            external_id: format!("{own}-imported"),
            // Where the file does not date it, it stands on the order's own day.
            happened_at: refunded_at.unwrap_or(modified_at).max(happened_at),
            amount,
            reason: None,
        })
        .into_iter()
        .collect();
    let order = Order {
        external_id: own.clone(),
        order_number: number.unwrap_or_else(|| own.clone()),
        platform,
        rank: Rank::GenericOrder,
        happened_at,
        modified_at: modified_at.max(happened_at),
        ended_at: status.is_reversed().then(|| ended_at.or(refunded_at).unwrap_or(modified_at).max(happened_at)),
        person: cells.person()?,
        traces: cells.traces(),
        total,
        tax: cells.positive("tax", currency)?,
        shipping: cells.positive("shipping", currency)?,
        discount: cells.amount("discount", currency)?.map(|mut money| {
            money.minor = money.minor.abs();
            money
        }),
        status,
        raw_status: cells.text("status", 60).unwrap_or_else(|| status.word().to_owned()),
        is_test: cells.flag("test").unwrap_or(false),
        items: items(cells.word("lines")),
        refunds,
        are_refunds_whole: true,
        refunded_so_far: None,
        journey: cells.journey(),
        is_gone: cells.flag("gone").unwrap_or(false),
        was_paid,
        is_imported: true,
    };
    Ok(Some((order, id)))
}

/// Where it was sold. An order whose shop is not named is the same as that of any shop that tells its number.
pub fn platform(cells: &Cells) -> Result<String, Refusal> {
    let word = cells.word("platform").trim().to_lowercase();
    if word.is_empty() {
        return Ok("generic".into());
    }
    let is_slug = word.len() <= 40 && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if is_slug { Ok(word) } else { Err(Refusal::new("platform", "A platform is one word, such as woocommerce.")) }
}

/// How the order stands, and whether it was paid once.
pub fn status(cells: &Cells, has_paid_at: bool) -> Result<(OrderStatus, bool), Refusal> {
    let word = cells.word("status").trim().to_lowercase().replace([' ', '-'], "_");
    let word = word.strip_prefix("wc_").unwrap_or(&word);
    let paid = cells.flag("paid");
    let was_paid = has_paid_at || paid == Some(true);
    // What our own list says of the sale is surer than the shop's word for the order.
    let sale = match cells.word("sale") {
        "cancelled" => Some(OrderStatus::Cancelled),
        "refunded" => Some(OrderStatus::Refunded),
        "paid" | "part_refunded" => Some(OrderStatus::Paid),
        _ => None,
    };
    let status = match word {
        _ if sale.is_some() => sale,
        "" => Some(if paid == Some(false) { OrderStatus::Pending } else { OrderStatus::Paid }),
        "paid"
        | "complete"
        | "completed"
        | "processing"
        | "fulfilled"
        | "partially_fulfilled"
        | "shipped"
        | "delivered"
        | "succeeded"
        | "success"
        | "captured"
        | "settled"
        | "closed"
        | "partially_refunded"
        | "part_refunded"
        | "partially_paid" => Some(OrderStatus::Paid),
        "refunded" => Some(OrderStatus::Refunded),
        "cancelled" | "canceled" | "voided" | "failed" | "expired" | "declined" | "trash" => Some(OrderStatus::Cancelled),
        "pending" | "on_hold" | "unpaid" | "authorized" | "open" | "new" | "pending_payment" | "awaiting_payment" => {
            Some(OrderStatus::Pending)
        }
        "draft" | "checkout_draft" | "auto_draft" => Some(OrderStatus::Draft),
        _ => match paid {
            Some(true) => Some(OrderStatus::Paid),
            Some(false) => Some(OrderStatus::Pending),
            None => has_paid_at.then_some(OrderStatus::Paid),
        },
    };
    let status = status.ok_or_else(|| Refusal::new("status", "It is none of paid, pending, cancelled, refunded and draft."))?;
    // A refund is of money that came.
    Ok((status, was_paid || sale.is_some() || status == OrderStatus::Refunded))
}

/// `2 × Shoes; 1 × Hat`, as our own list has them.
fn items(text: &str) -> Vec<Item> {
    let line = |part: &str| {
        let (quantity, name) = part.trim().split_once(" × ")?;
        let name = cut(name, LONGEST);
        Some(Item { id: name.clone(), name: Some(name), quantity: quantity.parse().ok().filter(|n| *n > 0)?, price: None })
    };
    text.split("; ").filter_map(line).take(MOST_LINES).collect()
}
