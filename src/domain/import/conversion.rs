//! A row of a conversions file. A sale is an order without a shop behind it, so that what went back of it comes off;
//! everything else is a statement.

use serde_json::json;

use super::super::conversion::{ConversionKind, Rank};
use super::super::fact::{Fact, Order, Refund, Statement};
use super::super::time::Time;
use super::cells::Cells;
use super::{LONGEST, Refusal, order};

/// The fact and the row's own id, if it has one.
pub fn read(cells: &Cells) -> Result<(Fact, Option<String>), Refusal> {
    let kind = match cells.word("kind").to_lowercase().as_str() {
        "" | "purchase" | "order" => ConversionKind::Sale,
        "sign-up" | "sign_up" | "registration" => ConversionKind::Signup,
        word => ConversionKind::parse(word).ok_or_else(|| Refusal::new("kind", "It is none of sale, lead, signup and custom."))?,
    };
    let happened_at = cells.moment("at")?.ok_or_else(|| Refusal::new("happened_at", "There is no time."))?;
    let own = cells.id("id")?;
    let order_id = match cells.id("order_id")? {
        Some(id) => Some(id),
        // Our own list has it in words.
        None => cells.word("label").strip_prefix("Order ").map(str::to_owned),
    };
    let fact = if kind == ConversionKind::Sale {
        Fact::Order(sale(cells, own.as_deref(), order_id, happened_at)?)
    } else {
        Fact::Statement(statement(cells, kind, own.as_deref(), happened_at)?)
    };
    Ok((fact, own))
}

fn sale(cells: &Cells, own: Option<&str>, order_id: Option<String>, happened_at: Time) -> Result<Order, Refusal> {
    let id = order_id.clone().or_else(|| own.map(str::to_owned)).unwrap_or_else(|| nameless(cells));
    let currency = cells.currency()?;
    let total = cells.positive("total", currency)?.ok_or_else(|| Refusal::new("amount", "There is no amount."))?;
    let (status, was_paid) = order::status(cells, false)?;
    let back = match (cells.amount("back", currency)?, cells.amount("net", currency)?) {
        (Some(back), _) => back.minor.abs(),
        (None, Some(net)) => total.minor - net.minor,
        (None, None) => 0,
    };
    let amount = super::super::money::Money::new(back.clamp(0, total.minor), currency);
    let refunds = if amount.minor > 0 && !status.is_reversed() {
        vec![Refund { external_id: format!("{id}-imported"), happened_at, amount, reason: None }]
    } else {
        Vec::new()
    };
    Ok(Order {
        external_id: id.clone(),
        order_number: order_id.unwrap_or(id),
        platform: "generic".into(),
        rank: Rank::Api,
        happened_at,
        modified_at: happened_at,
        ended_at: status.is_reversed().then_some(happened_at),
        person: cells.person()?,
        traces: cells.traces(),
        total,
        tax: None,
        shipping: None,
        discount: None,
        status,
        raw_status: cells.text("status", 60).unwrap_or_else(|| status.word().to_owned()),
        is_test: cells.flag("test").unwrap_or(false),
        items: Vec::new(),
        refunds,
        are_refunds_whole: true,
        refunded_so_far: None,
        journey: cells.journey(),
        is_gone: false,
        // A conversion has come about: what was cancelled since was a sale until then.
        was_paid: was_paid || status.is_reversed(),
        is_imported: true,
    })
}

fn statement(cells: &Cells, kind: ConversionKind, own: Option<&str>, happened_at: Time) -> Result<Statement, Refusal> {
    let currency = cells.currency()?;
    let amount = cells.positive("total", currency)?;
    let external_id = own.map_or_else(|| nameless(cells), str::to_owned);
    let name = cells.text("name", 64);
    if kind == ConversionKind::Custom && name.is_none() {
        return Err(Refusal::new("name", "A custom conversion has a name."));
    }
    Ok(Statement {
        external_id,
        platform: "import".into(),
        rank: Rank::Api,
        kind,
        name: name.filter(|_| kind == ConversionKind::Custom),
        order_id: None,
        happened_at,
        person: cells.person()?,
        traces: super::super::fact::Traces { stated: cells.stated(), ..cells.traces() },
        amount,
        items: Vec::new(),
        detail: json!({"source": cells.text("source", LONGEST), "campaign_id": cells.text("campaign", LONGEST)}),
        is_imported: true,
    })
}

/// By all it says, where it has no id.
fn nameless(cells: &Cells) -> String {
    crate::crypto::hex(&crate::crypto::sha256(cells.content().as_bytes())[..8])
}
