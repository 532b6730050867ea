//! What stands behind the id of a charge or an invoice: payer, refunds, disputes, and the checkout by which it was paid, with its
//! visit.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::{self, Reading as Answer};
use super::payment::{id_of, is_disputed, of_charge, of_invoice};
use super::{api, is_id};
use crate::domain::fact::{Fact, Order};
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps, Verdict};
use crate::domain::time::Time;
use crate::sources::kit::text;
use crate::sources::{Batch, Fetch, Home, Problem, Reject};
use crate::wire::{Part, Request, Response};

/// A charge with everything that is asked along with it.
const CHARGE_BYTES: usize = 512 * 1024;
/// Of one charge; nobody gives back in more steps.
const MOST_REFUNDS: usize = 2_000;

/// `charge:ch_3Q…:1781342399`: what, which, and when it was paid where an event has said so.
pub fn reference(what: &str, id: &str, at: Option<Time>) -> Option<String> {
    let at = at.map(|at| at.s().to_string()).unwrap_or_default();
    is_id(id).then(|| format!("{what}:{id}:{at}"))
}

pub struct Reading;

/// Where the talk stands. It is never stored: a fetch that is cut off begins anew.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Talk {
    /// Those that are still to be read, the first of them now.
    refs: Vec<String>,
    /// An invoice has named this charge.
    charge: Option<String>,
    /// The charge, while its disputes and its checkout are looked for.
    read: Option<Value>,
    /// The list of its disputes, where it has any; of a key that may not read them, an empty object.
    disputes: Option<Value>,
}

impl Steps<Fetch> for Reading {
    fn step(&self, state: State, got: Option<&Response>, _: &Settings, home: &Home, _: Time) -> Step<Fetch> {
        let mut talk: Talk = serde_json::from_value(state).unwrap_or_default();
        if got.is_none() {
            talk.refs.retain(|name| parts(name).is_some());
        }
        let Some((what, id, at)) = talk.refs.first().and_then(|name| parts(name)) else { return Step::Done(()) };
        let Some(response) = got else {
            let request = match (&talk.read, &talk.charge) {
                (Some(charge), _) if rest_of(charge).is_some() => rest_of(charge).unwrap_or_else(|| disputes_of(charge)),
                (Some(charge), _) if talk.wants_disputes() => disputes_of(charge),
                (Some(charge), _) => match checkout_of(charge) {
                    Some(request) => request,
                    None => return whole(talk, None, at, home),
                },
                (None, Some(charge)) => charge_of(charge),
                (None, None) if what == "invoice" => api("GET", format!("/v1/invoices/{id}")),
                (None, None) => charge_of(&id),
            };
            return Step::Ask(Box::new(request), json!(talk));
        };
        let value = match answer::read(response) {
            Answer::Json(value) => value,
            Answer::Trouble(verdict) => return Step::Fail(verdict),
            Answer::NotAllowed | Answer::Missing if talk.wants_disputes() => json!({}),
            // Without its checkout a payment is known by its payer.
            Answer::NotAllowed | Answer::Missing if talk.read.is_some() => return whole(talk, None, at, home),
            Answer::Missing => return self.step(json!(talk.next()), None, &Settings::default(), home, home.now),
            Answer::NotAllowed => {
                let right = if what == "invoice" && talk.charge.is_none() { "invoices" } else { "charges, customers and invoices" };
                return Step::Fail(answer::without(right));
            }
        };
        if let Some(charge) = talk.read.as_mut().filter(|charge| rest_of(charge).is_some()) {
            if !take_rest(charge, &value) {
                let sentence = "Stripe gave no end of a charge's refunds. It is asked again later.".into();
                return Step::Fail(Verdict::Retry { after_ms: None, sentence });
            }
            return self.step(json!(talk), None, &Settings::default(), home, home.now);
        }
        if talk.wants_disputes() {
            return self.step(json!(Talk { disputes: Some(value), ..talk }), None, &Settings::default(), home, home.now);
        }
        if talk.read.is_some() {
            let session = value["data"].as_array().and_then(|rows| rows.first()).cloned();
            return whole(talk, session, at, home);
        }
        if what == "invoice" && talk.charge.is_none() {
            return match id_of(&value, "charge") {
                Some(charge) => self.step(json!(Talk { charge: Some(charge), ..talk }), None, &Settings::default(), home, home.now),
                None => given(talk, of_invoice(&value, at, home)),
            };
        }
        self.step(json!(Talk { read: Some(value), ..talk }), None, &Settings::default(), home, home.now)
    }
}

impl Talk {
    fn next(self) -> Self {
        Self { refs: self.refs.into_iter().skip(1).collect(), ..Self::default() }
    }

    fn wants_disputes(&self) -> bool {
        self.disputes.is_none() && self.read.as_ref().is_some_and(|charge| is_disputed(charge) && id_of_charge(charge).is_some())
    }
}

fn whole(talk: Talk, session: Option<Value>, at: Option<Time>, home: &Home) -> Step<Fetch> {
    let (charge, disputes) = (talk.read.clone().unwrap_or_default(), talk.disputes.clone());
    let is_untold = disputes.as_ref().is_some_and(|list| !list["data"].is_array());
    let order = of_charge(&charge, session.as_ref(), disputes.as_ref(), at, home);
    match given(talk, order) {
        Step::Yield(mut batch, state) if is_untold => {
            batch.problems.push(Problem { item: 0, field: None, code: "no_right", sentence: UNREAD_DISPUTES.into() });
            Step::Yield(batch, state)
        }
        step => step,
    }
}

const UNREAD_DISPUTES: &str = "A buyer's bank disputes a payment, and the key may not read how that stands: the payment counts as it was. \
                               In Stripe open Developers › API keys, edit the key and allow it to read disputes.";

fn given(talk: Talk, order: Result<Option<Order>, Reject>) -> Step<Fetch> {
    let batch = batch(order);
    Step::Yield(batch, json!(talk.next()))
}

/// What was read of one thing.
pub fn batch(order: Result<Option<Order>, Reject>) -> Batch {
    match order {
        Ok(order) => Batch::of(order.into_iter().map(Fact::Order).collect()),
        Err(reject) => Batch { problems: vec![problem(reject)], ..Batch::default() },
    }
}

pub fn problem(reject: Reject) -> Problem {
    match reject {
        Reject::BadField { field, code, sentence } => Problem { item: 0, field: Some(field), code, sentence },
        Reject::BadBody(sentence) => Problem { item: 0, field: None, code: "bad_json", sentence },
        Reject::BadSignature | Reject::StaleSignature => {
            Problem { item: 0, field: None, code: "bad_json", sentence: "It cannot be read.".into() }
        }
    }
}

fn parts(name: &str) -> Option<(String, String, Option<Time>)> {
    let mut parts = name.split(':');
    let (what, id) = (parts.next()?, parts.next()?);
    let at = parts.next().and_then(|s| s.parse::<i64>().ok()).map(Time::from_s);
    (matches!(what, "charge" | "invoice") && is_id(id)).then(|| (what.to_owned(), id.to_owned(), at))
}

fn charge_of(id: &str) -> Request {
    let request = api("GET", format!("/v1/charges/{id}")).up_to(CHARGE_BYTES);
    ["customer", "invoice", "refunds"].iter().fold(request, |r, name| r.query("expand[]", Part::plain(*name)))
}

/// The refunds of a charge that did not come along with it. <https://docs.stripe.com/api/refunds/list>
fn rest_of(charge: &Value) -> Option<Request> {
    let list = &charge["refunds"];
    let last = list["data"].as_array()?.last().and_then(|row| text(row, "id"))?;
    let id = text(charge, "id").filter(|_| list["has_more"] == Value::Bool(true))?;
    let request = api("GET", "/v1/refunds").query("charge", Part::plain(id)).query("limit", Part::plain("100"));
    Some(request.query("starting_after", Part::plain(last)).up_to(CHARGE_BYTES))
}

/// False where the page leads nowhere.
fn take_rest(charge: &mut Value, page: &Value) -> bool {
    let Some(rows) = page["data"].as_array() else { return false };
    let list = &mut charge["refunds"];
    let is_more = page["has_more"] == Value::Bool(true);
    let Some(known) = list["data"].as_array_mut() else { return false };
    let fresh: Vec<Value> = rows.iter().filter(|row| known.iter().all(|k| k["id"] != row["id"])).cloned().collect();
    let is_further = !fresh.is_empty();
    known.extend(fresh);
    let is_bounded = known.len() <= MOST_REFUNDS;
    list["has_more"] = Value::Bool(is_more);
    !is_more || (is_further && is_bounded)
}

fn id_of_charge(charge: &Value) -> Option<String> {
    text(charge, "id").filter(|id| is_id(id))
}

/// <https://docs.stripe.com/api/disputes/list>
fn disputes_of(charge: &Value) -> Request {
    api("GET", "/v1/disputes")
        .query("charge", Part::plain(id_of_charge(charge).unwrap_or_default()))
        .query("limit", Part::plain("100"))
        .up_to(CHARGE_BYTES)
}

/// The checkout that a charge was paid by: that of its payment intent; of a subscription's first payment, that of the
/// subscription. A renewal has none.
fn checkout_of(charge: &Value) -> Option<Request> {
    let by = |name: &str, id: String| {
        api("GET", "/v1/checkout/sessions").query(name, Part::plain(id)).query("limit", Part::plain("1")).up_to(CHARGE_BYTES)
    };
    let invoice = &charge["invoice"];
    match text(invoice, "billing_reason").as_deref() {
        Some("subscription_create") => Some(by("subscription", id_of(invoice, "subscription")?)),
        Some(_) => None,
        None => Some(by("payment_intent", id_of(charge, "payment_intent")?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_back_and_nothing_else_is() {
        let made = reference("charge", "ch_1", Some(Time::from_s(1_781_342_399))).expect("a reference");
        assert_eq!(parts(&made), Some(("charge".into(), "ch_1".into(), Some(Time::from_s(1_781_342_399)))));
        assert_eq!(parts("invoice:in_12:"), Some(("invoice".into(), "in_12".into(), None)));
        for name in ["charge:../x:", "charge", "payout:po_1:", "charge::1"] {
            assert_eq!(parts(name), None, "{name}");
        }
        assert_eq!(reference("charge", "ch_1/..", None), None);
    }
}
