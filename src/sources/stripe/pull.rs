//! Stripe's own lists. The list of events is read every hour: it says what has become of old payments too, for thirty days.
//! What is older, and the history of a new connection, is read from the lists of checkouts and charges.
//! <https://docs.stripe.com/api/events/list>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::{self, Reading as Answer};
use super::payment::{self, is_disputed, of_charge, of_session};
use super::reading::{self, problem};
use super::{EVENTS, api, hear, is_id};
use crate::domain::fact::Fact;
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps, Verdict};
use crate::domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, Time};
use crate::sources::kit::{self, lists, text};
use crate::sources::{Batch, Home, Pull, Since, Window};
use crate::wire::{Part, Request, Response};

/// Read once more each time: an event may be listed a little after its own time.
const OVERLAP_MS: i64 = 10 * MINUTE_MS;
/// What happened so long before a walk was begun is in the lists for sure.
const SETTLED_MS: i64 = HOUR_MS;
/// How far back events are sure to be there; Stripe keeps them for thirty days.
const EVENTS_MS: i64 = 29 * DAY_MS;
const LIST_BYTES: usize = 8 * 1024 * 1024;
const MOST_WAITS: u32 = 5;

pub struct Lists;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum List {
    Events,
    /// First of a history, because they know the visit of what is then found among the charges.
    Sessions,
    Charges,
}

/// Where the walk is. Lists begin with the newest: what comes meanwhile belongs to the next pull.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Walk {
    list: List,
    from: Time,
    begun_at: Time,
    newest: Time,
    after: Option<String>,
    #[serde(default)]
    is_over: bool,
    #[serde(default)]
    waits: u32,
}

impl Steps<Pull> for Lists {
    fn step(&self, state: State, got: Option<&Response>, _: &Settings, home: &Home, now: Time) -> Step<Pull> {
        let walk = serde_json::from_value::<Walk>(state.clone()).ok();
        let begun = walk.or_else(|| serde_json::from_value::<Since>(state).ok().map(|since| begin(&since, now)));
        let Some(mut walk) = begun else {
            return Step::Fail(Verdict::Refused("The state of the pull cannot be read.".into()));
        };
        let Some(response) = got else {
            return match walk.is_over {
                // An account in which nothing happens is not read from its beginning each time.
                true => Step::Done(Window { from: walk.from, to: walk.newest.max(walk.begun_at.plus_ms(-SETTLED_MS)) }),
                false => Step::Ask(Box::new(walk.request()), json!(walk)),
            };
        };
        match answer::read(response) {
            Answer::Json(page) => {
                walk.waits = 0;
                let rows = match lists::rows(&page["data"], "Stripe") {
                    Ok(rows) => rows,
                    Err(verdict) => return Step::Fail(verdict),
                };
                let before = walk.after.clone();
                let list = walk.list;
                let batch = walk.take(rows, &page, home);
                if !walk.is_over && walk.after.is_some() && walk.after == before && walk.list == list {
                    let sentence = "Stripe gave the same page of a list again. It is asked again later.".into();
                    return Step::Fail(Verdict::Retry { after_ms: None, sentence });
                }
                Step::Yield(batch, json!(walk))
            }
            Answer::Trouble(Verdict::Retry { after_ms: Some(ms), .. }) if walk.waits < MOST_WAITS => {
                walk.waits += 1;
                Step::Wait(ms, json!(walk))
            }
            Answer::Trouble(verdict) => Step::Fail(verdict),
            Answer::NotAllowed => Step::Fail(answer::without(walk.list.right())),
            Answer::Missing => Step::Fail(Verdict::Refused("Stripe knows no such list.".into())),
        }
    }
}

fn begin(since: &Since, now: Time) -> Walk {
    let list = if since.is_first || now.ms_since(since.from) > EVENTS_MS { List::Sessions } else { List::Events };
    Walk { list, from: since.from, begun_at: now, newest: since.from, after: None, is_over: false, waits: 0 }
}

impl List {
    fn right(self) -> &'static str {
        match self {
            List::Events => "events",
            List::Sessions => "checkout sessions",
            List::Charges => "charges, customers and invoices",
        }
    }
}

impl Walk {
    fn request(&self) -> Request {
        let (path, limit) = match self.list {
            List::Events => ("/v1/events", 100),
            List::Sessions => ("/v1/checkout/sessions", 100),
            // Each brings its customer, invoice and refunds along.
            List::Charges => ("/v1/charges", 50),
        };
        let from = self.from.plus_ms(-OVERLAP_MS).s();
        let mut request = api("GET", path)
            .query("limit", Part::plain(limit.to_string()))
            .query("created[gte]", Part::plain(from.to_string()))
            .up_to(LIST_BYTES);
        match self.list {
            List::Events => request = EVENTS.iter().fold(request, |r, kind| r.query("types[]", Part::plain(*kind))),
            List::Sessions => {}
            List::Charges => {
                let along = ["data.customer", "data.invoice", "data.refunds"];
                request = along.iter().fold(request, |r, name| r.query("expand[]", Part::plain(*name)));
            }
        }
        match &self.after {
            Some(after) => request.query("starting_after", Part::plain(after)),
            None => request,
        }
    }

    /// One page, and where the next one begins.
    fn take(&mut self, rows: &[Value], page: &Value, home: &Home) -> Batch {
        let mut batch = Batch::default();
        for (item, row) in rows.iter().enumerate() {
            self.newest = self.newest.max(kit::time(row, &["created"]).unwrap_or(self.newest)).min(home.now);
            let read = match self.list {
                List::Events => hear(row, home).map(Option::unwrap_or_default),
                List::Sessions => session(row, home),
                List::Charges => charge(row, home),
            };
            match read {
                Ok(one) => {
                    batch.facts.extend(one.facts);
                    batch.fetch.extend(one.fetch.into_iter().filter(|name| !batch.fetch.contains(name)).collect::<Vec<_>>());
                }
                Err(reject) => batch.problems.push(kit_item(item, reject)),
            }
        }
        let last = rows.last().and_then(|row| text(row, "id")).filter(|id| is_id(id));
        match (page["has_more"] == Value::Bool(true), last, self.list) {
            (true, Some(last), _) => self.after = Some(last),
            (_, _, List::Sessions) => (self.list, self.after) = (List::Charges, None),
            _ => self.is_over = true,
        }
        batch
    }
}

fn kit_item(item: usize, reject: crate::sources::Reject) -> crate::sources::Problem {
    crate::sources::Problem { item, ..problem(reject) }
}

fn session(row: &Value, home: &Home) -> Result<Batch, crate::sources::Reject> {
    let made_at = kit::time(row, &["created"]).map_or(home.now, |at| at.min(home.now));
    match of_session(row, made_at, home)? {
        payment::Session::Paid(order) => Ok(Batch::of(vec![Fact::Order(*order)])),
        // Among the charges, with the same money.
        payment::Session::Invoiced(_) | payment::Session::Unpaid => Ok(Batch::default()),
    }
}

fn charge(row: &Value, home: &Home) -> Result<Batch, crate::sources::Reject> {
    let mut batch = Batch::of(of_charge(row, None, None, None, home)?.into_iter().map(Fact::Order).collect());
    // More went back than came along: the rest is read right after.
    if row["refunds"]["has_more"] == Value::Bool(true) {
        batch.fetch.extend(text(row, "id").and_then(|id| reading::reference("charge", &id, None)));
    }
    // The first payment of a subscription: its checkout knows the visit, and has not been read above. How a dispute stands is
    // not in the list.
    let is_first = text(&row["invoice"], "billing_reason").as_deref() == Some("subscription_create");
    match text(row, "id").filter(|_| (is_first || is_disputed(row)) && !batch.facts.is_empty()) {
        Some(id) => Ok(Batch { fetch: reading::reference("charge", &id, None).into_iter().collect(), ..Batch::default() }),
        None => Ok(batch),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;
    use crate::domain::time::Zone;

    /// A charge of a history brings its first refunds along; where there are more, the rest is read right after.
    #[test]
    fn a_charge_with_more_refunds_than_came_along_is_read_by_itself() {
        let now = Time::from_s(1_781_342_400);
        let home = Home { currency: Currency::parse("EUR").expect("EUR"), country: None, zone: Zone::utc(), now };
        for (has_more, want) in [(false, vec![]), (true, vec!["charge:ch_1234:".to_owned()])] {
            let row = json!({
                "id": "ch_1234", "object": "charge", "amount": 5_000, "amount_captured": 5_000, "captured": true, "currency": "usd",
                "created": 1_781_000_000, "payment_intent": "pi_1234", "status": "succeeded", "livemode": true,
                "refunds": {"data": [{"id": "re_1", "amount": 100, "currency": "usd", "created": 1_781_000_100, "status": "succeeded"}],
                    "has_more": has_more}
            });
            let batch = charge(&row, &home).expect("it is read");
            assert_eq!((batch.facts.len(), batch.fetch), (1, want), "{has_more}");
        }
    }
}
