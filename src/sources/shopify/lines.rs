//! Reads a single order whole: one with more lines than a page of orders tells. Its lines come page by page.
//! <https://shopify.dev/docs/api/admin-graphql/latest/queries/order>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::graphql::{self, Trouble};
use super::node;
use crate::domain::fact::Fact;
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps};
use crate::domain::time::Time;
use crate::sources::{Batch, Fetch, Home, Named};
use crate::wire::Response;

const ORDER: &str = concat!(include_str!("order.graphql"), include_str!("parts.graphql"));
/// What such orders are called among the things to be read.
const PREFIX: &str = "order:";
/// Pages of lines of one order: Shopify takes 500 lines, and a cursor that turns in a circle ends here.
const MOST_PAGES: usize = 20;

/// Whether a page of orders has left out lines of this one.
pub fn has_more(order: &Value) -> bool {
    order.pointer("/lineItems/pageInfo/hasNextPage").is_some_and(|more| *more == true)
}

pub fn named(external_id: &str) -> String {
    format!("{PREFIX}{external_id}")
}

pub struct Lines;

#[derive(Debug, Serialize, Deserialize)]
struct Reading {
    refs: Vec<String>,
    /// The order as far as it was read.
    order: Option<Value>,
    after: Option<String>,
    pages: usize,
}

impl Steps<Fetch> for Lines {
    fn step(&self, state: State, got: Option<&Response>, settings: &Settings, home: &Home, _now: Time) -> Step<Fetch> {
        let mut reading = begin(state);
        let Some(response) = got else { return go_on(reading, settings) };
        let shop = graphql::shop_name(settings);
        match graphql::read(response, "order", &shop) {
            Ok(told) => {
                take(&mut reading, told.data["order"].clone());
                if reading.after.is_some() && reading.pages < MOST_PAGES {
                    return go_on(reading, settings);
                }
                let order = reading.order.take().and_then(|order| node::order(&order, home).ok());
                next(&mut reading);
                let batch = Batch::of(order.into_iter().map(Fact::Order).collect());
                Step::Yield(batch, json!(reading))
            }
            // It is there no more.
            Err(_) if is_gone(response) => {
                next(&mut reading);
                go_on(reading, settings)
            }
            Err(Trouble::Throttled(ms)) => Step::Wait(ms, json!(reading)),
            Err(Trouble::TooMuch) => Step::Fail(graphql::too_much()),
            Err(Trouble::Final(verdict)) => Step::Fail(verdict),
        }
    }
}

fn begin(state: State) -> Reading {
    if let Ok(reading) = serde_json::from_value(state.clone()) {
        return reading;
    }
    let named = serde_json::from_value::<Named>(state).map(|named| named.refs).unwrap_or_default();
    // The last one is read first.
    let refs = named.into_iter().rev().filter(|name| name.starts_with(PREFIX)).collect();
    Reading { refs, order: None, after: None, pages: 0 }
}

fn go_on(reading: Reading, settings: &Settings) -> Step<Fetch> {
    let Some(id) = reading.refs.last().and_then(|name| name.strip_prefix(PREFIX)) else { return Step::Done(()) };
    let variables = json!({"id": format!("gid://shopify/Order/{id}"), "after": reading.after});
    match graphql::ask(settings, ORDER, variables) {
        Some(request) => Step::Ask(Box::new(request), json!(reading)),
        None => Step::Fail(graphql::no_shop()),
    }
}

fn next(reading: &mut Reading) {
    reading.refs.pop();
    (reading.order, reading.after, reading.pages) = (None, None, 0);
}

/// Puts a page's lines behind those that are known.
fn take(reading: &mut Reading, told: Value) {
    let cursor = told.pointer("/lineItems/pageInfo/endCursor").and_then(Value::as_str).map(str::to_owned);
    reading.after = cursor.filter(|cursor| has_more(&told) && reading.after.as_ref() != Some(cursor));
    reading.pages += 1;
    match &mut reading.order {
        None => reading.order = Some(told),
        Some(order) => {
            let more = told.pointer("/lineItems/nodes").and_then(Value::as_array).cloned().unwrap_or_default();
            if let Some(lines) = order.pointer_mut("/lineItems/nodes").and_then(Value::as_array_mut) {
                lines.extend(more);
            }
        }
    }
}

fn is_gone(response: &Response) -> bool {
    let body = response.json().unwrap_or_default();
    response.status == 200 && body.get("errors").is_none() && body.pointer("/data/order").is_some_and(Value::is_null)
}
