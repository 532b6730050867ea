//! Rows of refunds, which alone know the day of each. An order only names its refunds.
//! <https://woocommerce.github.io/woocommerce-rest-api-docs/#order-refunds>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::{self, Doing, Reading};
use super::shop::{PAGE_BYTES, Shop, Way};
use super::text::readable;
use super::{SLUG, amount, order};
use crate::domain::fact::{Fact, Order, OrderRefund, Refund};
use crate::domain::money::Currency;
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps, Verdict};
use crate::domain::time::Time;
use crate::sources::kit;
use crate::sources::{Batch, Fetch, Home, Named};
use crate::wire::{Request, Response};

const MOST_WAITS: u32 = 5;

/// What is asked for right after a body: `731:EUR`. A row of a refund does not say its currency.
pub fn reference(order: &Order) -> String {
    format!("{}:{}", order.external_id, order.total.currency)
}

pub fn ask(shop: &Shop, way: Way, order: &str, now: Time) -> Request {
    let query = [("per_page", "100".to_owned()), ("_fields", "id,date_created_gmt,amount,reason".to_owned())];
    shop.ask(way, "GET", &format!("orders/{order}/refunds"), &query, now).up_to(PAGE_BYTES)
}

/// Which refund was made when.
pub fn day(row: &Value) -> Option<(String, Time)> {
    Some((order::id(row)?, Time::parse(&kit::text(row, "date_created_gmt")?)?))
}

/// Reads the refunds of single orders.
pub struct Rows;

/// What is still to be asked.
#[derive(Debug, Serialize, Deserialize)]
struct Asking {
    #[serde(default)]
    way: Way,
    refs: Vec<String>,
    #[serde(default)]
    waits: u32,
}

impl Steps<Fetch> for Rows {
    fn step(&self, state: State, got: Option<&Response>, settings: &Settings, home: &Home, now: Time) -> Step<Fetch> {
        let Some(shop) = Shop::of(settings) else {
            return Step::Fail(Verdict::Pause("Enter the address of the shop.".into()));
        };
        let asking = serde_json::from_value::<Asking>(state.clone()).ok();
        let asking = asking.or_else(|| {
            let named: Named = serde_json::from_value(state).ok()?;
            Some(Asking { way: shop.way(), refs: named.refs, waits: 0 })
        });
        let Some(mut asking) = asking else { return Step::Done(()) };
        let Some(response) = got else { return go_on(&shop, asking, now) };
        let Some((order, currency)) = asking.refs.first().and_then(|r| read_reference(r)) else { return go_on(&shop, asking, now) };
        match answer::read(response, &shop, asking.way, Doing::Reading, PAGE_BYTES) {
            Reading::Json(Value::Array(rows)) => {
                asking.refs.remove(0);
                asking.waits = 0;
                let facts: Vec<Fact> = rows.iter().filter_map(|row| fact(row, &order, currency, home)).collect();
                if facts.is_empty() { go_on(&shop, asking, now) } else { Step::Yield(Batch::of(facts), json!(asking)) }
            }
            // The order is gone by now, and its refunds with it.
            Reading::Missing | Reading::Cut => {
                asking.refs.remove(0);
                go_on(&shop, asking, now)
            }
            Reading::Otherwise(way) => go_on(&shop, Asking { way, ..asking }, now),
            Reading::Trouble(Verdict::Retry { after_ms: Some(ms), .. }) if asking.waits < MOST_WAITS => {
                asking.waits += 1;
                Step::Wait(ms, json!(asking))
            }
            Reading::Trouble(verdict) => Step::Fail(verdict),
            Reading::Json(_) | Reading::ReadOnly => {
                let sentence = format!("{} answered with something else than the refunds of an order.", shop.shown());
                Step::Fail(Verdict::Retry { after_ms: None, sentence })
            }
        }
    }
}

fn go_on(shop: &Shop, mut asking: Asking, now: Time) -> Step<Fetch> {
    asking.refs.retain(|r| read_reference(r).is_some());
    match asking.refs.first().and_then(|r| read_reference(r)) {
        Some((order, _)) => Step::Ask(Box::new(ask(shop, asking.way, &order, now)), json!(asking)),
        None => Step::Done(()),
    }
}

fn read_reference(reference: &str) -> Option<(String, Currency)> {
    let (order, currency) = reference.split_once(':')?;
    let is_number = !order.is_empty() && order.bytes().all(|b| b.is_ascii_digit());
    Some((order.to_owned(), Currency::parse(currency)?)).filter(|_| is_number)
}

fn fact(row: &Value, order: &str, currency: Currency, home: &Home) -> Option<Fact> {
    let (external_id, at) = day(row)?;
    let refund = Refund {
        external_id,
        happened_at: at.min(home.now),
        amount: amount::back(row.get("amount"), currency)?,
        reason: readable(row, "reason"),
    };
    Some(Fact::Refund(OrderRefund { order_external_id: order.to_owned(), platform: SLUG.into(), refund }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_back_and_nothing_else_is() {
        for (text, want) in [("731:EUR", Some("731")), ("731", None), ("731/../x:EUR", None), (":EUR", None), ("731:EURO", None)] {
            assert_eq!(read_reference(text).map(|(order, _)| order).as_deref(), want, "{text}");
        }
    }
}
