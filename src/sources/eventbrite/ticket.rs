//! An order and its attendees, each of whom holds one ticket.
//! <https://www.eventbrite.com/platform/api#/reference/attendee>

use serde_json::{Value, json};

use super::{Answer, HOST, SLUG, api, is_id, read};
use crate::domain::campaign::{MAX_TEXT, Utm, clean_text};
use crate::domain::conversion::Rank;
use crate::domain::fact::{ByHand, Fact, Milestone, Order, OrderDeletion, OrderRefund, OrderStatus, Refund};
use crate::domain::money::{Currency, Money};
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps};
use crate::domain::time::Time;
use crate::sources::kit::answers::Answers;
use crate::sources::kit::outcomes::shown_now;
use crate::sources::kit::{self, first_text, text};
use crate::sources::{Batch, Fetch, Home, Problem, Reject};
use crate::wire::{Part, Response};

/// An order with its attendees may be long.
const ORDER_BYTES: usize = 2 * 1024 * 1024;

/// What is read of an address that a call has named: `orders/1` or `events/1/attendees/2`.
pub fn reference(url: &str) -> Option<String> {
    let path = url.strip_prefix(HOST)?.strip_prefix("/v3/")?;
    let parts: Vec<&str> = path.split('?').next()?.trim_end_matches('/').split('/').collect();
    match parts.as_slice() {
        ["orders", order] | ["events", _, "orders", order] if is_id(order) => Some(format!("orders/{order}")),
        ["events", event, "attendees", attendee] if is_id(event) && is_id(attendee) => Some(format!("events/{event}/attendees/{attendee}")),
        _ => None,
    }
}

/// Someone with a ticket: that they have it, that they came, that they gave it back, with its money, and all that is not so.
/// `order` is theirs, where it came along: of one that was begun and never placed nobody has bought anything.
pub fn attendee(row: &Value, order: &Value, event: &Value, home: &Home) -> Result<Batch, Reject> {
    let id = text(row, "id").ok_or_else(|| kit::missing("attendee.id"))?;
    let made_at = kit::time(row, &["created"]).map_or(home.now, |at| at.min(home.now));
    let changed_at = kit::time(row, &["changed"]).map_or(home.now, |at| at.min(home.now)).max(made_at);
    let is_paid = row["costs"]["gross"]["value"].as_i64().is_some_and(|minor| minor > 0);
    let is = |key: &str| row[key] == Value::Bool(true);
    let step = |kind: &str, at: Time| step(row, event, &id, kind, at, home);
    let word = text(order, "status");
    let is_void = matches!(word.as_deref(), Some("deleted" | "cancelled"));
    let is_placed = word.as_deref().is_none_or(|word| is_void || matches!(word, "placed" | "refunded"));
    if !is_placed && !is("refunded") {
        return Ok(Batch::default());
    }
    let mut facts = vec![step(if is_paid { "ticket_purchased" } else { "event_registered" }, made_at)];
    let is_off = is_void || text(row, "status").is_some_and(|status| matches!(status.as_str(), "Not Attending" | "Deleted"));
    if is("checked_in") {
        facts.push(step("event_attended", changed_at));
    } else if is("cancelled") || is("refunded") || is_off {
        facts.push(step("appointment_cancelled", changed_at));
    }
    if is("refunded") {
        facts.push(step("refunded", changed_at));
        if let (Some(order_external_id), Some(refund)) = (text(row, "order_id"), given_back(row, changed_at)) {
            facts.push(Fact::Refund(OrderRefund { order_external_id, platform: SLUG.into(), refund }));
        }
    }
    Ok(shown_now(facts))
}

/// What its organiser gets of it: without the fees and the tax that the buyer pays on top. An answer of an older kind has only
/// all of it together. <https://www.eventbrite.com/platform/api#/reference/order>
fn costs_of(row: &Value) -> (&'static str, &Value) {
    match &row["costs"]["base_price"] {
        Value::Object(_) => ("costs.base_price", &row["costs"]["base_price"]),
        _ => ("costs.gross", &row["costs"]["gross"]),
    }
}

/// The money of a ticket that was given back.
fn given_back(row: &Value, at: Time) -> Option<Refund> {
    let (_, cost) = costs_of(row);
    let currency = text(cost, "currency").and_then(|c| Currency::parse(&c))?;
    let amount = kit::decimal(cost, "major_value", currency).filter(|m| m.minor > 0)?;
    let id = text(row, "id").filter(|_| row["refunded"] == Value::Bool(true))?;
    Some(Refund { external_id: clean_text(&format!("ticket:{id}"), MAX_TEXT), happened_at: at, amount, reason: None })
}

fn who(row: &Value) -> Answers {
    let mut all = Answers::default();
    let profile = &row["profile"];
    let names = [("email", "email"), ("firstname", "first_name"), ("lastname", "last_name"), ("name", "name"), ("company", "company")];
    for (meaning, key) in names {
        let own = if profile[key].is_null() { &row[key] } else { &profile[key] };
        all.known(meaning, key, own.clone());
    }
    for key in ["cell_phone", "work_phone", "home_phone"] {
        all.known("phone", key, profile[key].clone());
    }
    for answer in row["answers"].as_array().into_iter().flatten() {
        all.add(&text(answer, "question").unwrap_or_default(), answer["answer"].clone());
    }
    all
}

/// The word behind `aff=` in the link that was followed; `oddtdtcreator` and its like are Eventbrite's own pages.
fn came_from(row: &Value, own: Utm) -> Utm {
    let told = text(row, "affiliate").map(|word| clean_text(&word, MAX_TEXT));
    Utm { source: own.source.clone().or(told), ..own }
}

fn step(row: &Value, event: &Value, id: &str, kind: &str, at: Time, home: &Home) -> Fact {
    let mut answers = who(row);
    let person = answers.person(home);
    let utm = came_from(row, answers.utm());
    let traces = answers.traces(&utm);
    Fact::Milestone(Milestone {
        external_id: Some(clean_text(id, MAX_TEXT)),
        source: SLUG.into(),
        kind: kind.into(),
        happened_at: at,
        told_at: Some(at),
        person,
        traces,
        utm,
        referrer: None,
        data: json!({
            "topic": text(&event["name"], "text").map(|t| clean_text(&t, MAX_TEXT)),
            "starts_at": kit::time(&event["start"], &["utc"]).map(Time::utc), "ends_at": kit::time(&event["end"], &["utc"]).map(Time::utc),
            "ticket": text(row, "ticket_class_name").map(|t| clean_text(&t, MAX_TEXT)), "price": text(&row["costs"]["gross"], "major_value"),
            "currency": text(&row["costs"]["gross"], "currency"), "answers": answers.rest(),
        }),
        metadata: json!({"order_id": text(row, "order_id"), "event_id": text(row, "event_id")}),
        by_hand: ByHand::default(),
        is_imported: false,
    })
}

/// The money of an order. One that is free is no sale, and one that was never placed is none either.
pub fn order(row: &Value, home: &Home) -> Result<Vec<Fact>, Reject> {
    let id = text(row, "id").ok_or_else(|| kit::missing("order.id"))?;
    let (name, cost) = costs_of(row);
    let bad = || Reject::BadField {
        field: name.into(),
        code: "invalid_amount",
        sentence: format!("{name} must hold a currency and a decimal like 12.50."),
    };
    let currency = text(cost, "currency").and_then(|c| Currency::parse(&c)).ok_or_else(bad)?;
    let told: Money = kit::decimal(cost, "major_value", currency).ok_or_else(bad)?;
    let word = text(row, "status").unwrap_or_default();
    let status = match word.as_str() {
        "placed" => OrderStatus::Paid,
        "refunded" => OrderStatus::Refunded,
        "deleted" | "cancelled" => OrderStatus::Cancelled,
        _ => OrderStatus::Pending,
    };
    let made_at = kit::time(row, &["created"]).map_or(home.now, |at| at.min(home.now));
    let changed_at = kit::time(row, &["changed"]).map_or(home.now, |at| at.min(home.now)).max(made_at);
    let tickets = row["attendees"].as_array().map(Vec::as_slice).unwrap_or_default();
    let time = |ticket: &Value| kit::time(ticket, &["changed"]).map_or(changed_at, |at| at.min(home.now)).max(made_at);
    let refunds: Vec<Refund> = tickets.iter().filter_map(|ticket| given_back(ticket, time(ticket))).collect();
    let total = sold(told, tickets, &refunds);
    if total.minor == 0 {
        // Nothing is left of its money, and what it was is not said: it comes off whatever it had been.
        let gone = OrderDeletion { order_external_id: id, platform: SLUG.into(), happened_at: changed_at };
        return Ok(if status == OrderStatus::Refunded { vec![Fact::Deletion(gone)] } else { Vec::new() });
    }
    let first = &row["attendees"][0];
    let mut answers = who(row);
    let utm = came_from(first, answers.utm());
    let newest = refunds.iter().map(|refund| refund.happened_at).max();
    Ok(vec![Fact::Order(Order {
        modified_at: newest.map_or(changed_at, |at| at.max(changed_at)),
        ended_at: status.is_reversed().then_some(changed_at),
        person: answers.person(home),
        traces: answers.traces(&utm),
        // In all of it together there is tax too.
        tax: kit::decimal(&row["costs"]["tax"], "major_value", currency).filter(|m| m.minor > 0 && name == "costs.gross"),
        status,
        raw_status: clean_text(&word, 40),
        was_paid: status == OrderStatus::Refunded,
        refunds,
        ..Order::paid(SLUG, Rank::Shop, id, made_at, total)
    })])
}

/// What was paid once. Where the order's own sum is that of the tickets which are left, those given back come on top of it.
fn sold(told: Money, tickets: &[Value], refunds: &[Refund]) -> Money {
    let back: i64 = refunds.iter().filter(|r| r.amount.currency == told.currency).map(|r| r.amount.minor).sum();
    let left = tickets.iter().filter(|t| t["refunded"] != Value::Bool(true));
    let left: i64 = left.filter_map(|t| kit::decimal(costs_of(t).1, "major_value", told.currency)).map(|m| m.minor).sum();
    if back > 0 && told.minor == left { Money::new(told.minor + back, told.currency) } else { told }
}

/// What was read of one row, in its place of a list.
pub fn put(batch: &mut Batch, item: usize, read: Result<Batch, Reject>) {
    match read {
        Ok(one) => {
            batch.facts.extend(one.facts);
            batch.standing.extend(one.standing);
        }
        Err(Reject::BadField { field, code, sentence }) => batch.problems.push(Problem { item, field: Some(field), code, sentence }),
        Err(_) => {}
    }
}

/// Reads orders and attendees that a call has only named.
pub struct Reading;

impl Steps<Fetch> for Reading {
    fn step(&self, state: State, got: Option<&Response>, _: &Settings, home: &Home, _: Time) -> Step<Fetch> {
        let mut refs: Vec<String> = serde_json::from_value(state["refs"].clone()).unwrap_or_default();
        let is_fit = |name: &String| reference(&format!("{HOST}/v3/{name}/")).as_ref() == Some(name);
        if got.is_none() {
            refs.retain(is_fit);
        }
        let Some(name) = refs.first().cloned() else { return Step::Done(()) };
        let Some(response) = got else {
            let along = if name.contains("attendees") { "order,event" } else { "attendees,event" };
            let request = api("GET", &name).query("expand", Part::plain(along)).up_to(ORDER_BYTES);
            return Step::Ask(Box::new(request), json!({ "refs": refs }));
        };
        let left = json!({ "refs": refs.get(1..).unwrap_or_default() });
        let told = match read(response) {
            Answer::Json(told) => told,
            Answer::Missing | Answer::Anew => return Step::Yield(Batch::default(), left),
            Answer::Trouble(verdict) => return Step::Fail(verdict),
        };
        let mut batch = Batch::default();
        if first_text(&told, &["order_id"]).is_some() {
            put(&mut batch, 0, attendee(&told, &told["order"], &told["event"], home));
        } else {
            for (item, row) in told["attendees"].as_array().into_iter().flatten().enumerate() {
                put(&mut batch, item, attendee(row, &told, &told["event"], home));
            }
            put(&mut batch, 0, order(&told, home).map(Batch::of));
        }
        Step::Yield(batch, left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_are_taken_from_an_address_that_was_named() {
        for (url, want) in [
            ("https://www.eventbriteapi.com/v3/orders/123/", Some("orders/123")),
            ("https://www.eventbriteapi.com/v3/events/9/orders/123/?expand=x", Some("orders/123")),
            ("https://www.eventbriteapi.com/v3/events/9/attendees/690507907-1/", Some("events/9/attendees/690507907-1")),
            ("https://www.eventbriteapi.com/v3/users/1/", None),
            ("https://www.eventbriteapi.com/v3/orders/../users/", None),
            ("https://www.eventbriteapi.com.evil.example/v3/orders/1/", None),
            ("http://127.0.0.1/v3/orders/1/", None),
        ] {
            assert_eq!(reference(url).as_deref(), want, "{url}");
        }
    }
}
