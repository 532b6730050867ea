//! Reading the shop's own list of orders, because a delivery that failed is never repeated.
//! <https://woocommerce.github.io/woocommerce-rest-api-docs/#list-all-orders>

use serde_json::{Value, json};

use super::answer::{self, Doing, Reading};
use super::shop::{PAGE_BYTES, Shop};
use super::walk::{FIELDS, List as Which, Next, Walk};
use super::{order, refund};
use crate::domain::fact::Fact;
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps, Verdict};
use crate::domain::time::Time;
use crate::sources::{Batch, Home, Problem, Pull, Reject, Since, Window};
use crate::wire::{Request, Response};

/// How often in a row a shop may ask us to wait before the reading ends until the next one.
const MOST_WAITS: u32 = 5;

pub struct List;

impl Steps<Pull> for List {
    fn step(&self, state: State, got: Option<&Response>, settings: &Settings, home: &Home, now: Time) -> Step<Pull> {
        let Some(shop) = Shop::of(settings) else {
            return Step::Fail(Verdict::Pause("Enter the address of the shop.".into()));
        };
        let walk = serde_json::from_value(state.clone()).ok();
        let walk = walk.or_else(|| Some(Walk::begin(&serde_json::from_value::<Since>(state).ok()?, now)));
        let Some(walk) = walk else {
            return Step::Fail(Verdict::Refused("The place where the last reading stopped is lost: start a new one.".into()));
        };
        match got {
            Some(response) => Reader { shop, settings, home, now }.take(walk, response),
            None => ask(&shop, walk, now),
        }
    }
}

/// The next question, or the end.
fn ask(shop: &Shop, walk: Walk, now: Time) -> Step<Pull> {
    match question(shop, &walk, now) {
        Some(request) => Step::Ask(Box::new(request.up_to(PAGE_BYTES)), state(&walk)),
        None => Step::Done(Window { from: walk.from, to: walk.newest }),
    }
}

fn question(shop: &Shop, walk: &Walk, now: Time) -> Option<Request> {
    Some(match walk.next() {
        Next::Page => shop.ask(walk.way, "GET", "orders", &walk.query(), now),
        Next::RefundsOf(id) => refund::ask(shop, walk.way, &id, now),
        Next::Again(ids) => {
            let query = [
                ("include", ids.join(",")),
                ("status", if walk.list == Which::Bin { "trash" } else { "any" }.to_owned()),
                ("per_page", ids.len().to_string()),
                ("_fields", FIELDS.to_owned()),
            ];
            shop.ask(walk.way, "GET", "orders", &query, now)
        }
        Next::End => return None,
    })
}

struct Reader<'a> {
    shop: Shop,
    settings: &'a Settings,
    home: &'a Home,
    now: Time,
}

impl Reader<'_> {
    fn take(&self, mut walk: Walk, response: &Response) -> Step<Pull> {
        let asked = walk.next();
        match answer::read(response, &self.shop, walk.way, Doing::Reading, PAGE_BYTES) {
            Reading::Json(Value::Array(rows)) => {
                walk.waits = 0;
                self.read(walk, &asked, &rows, response)
            }
            // Orders that vanished while they were being read.
            Reading::Missing | Reading::Cut if matches!(asked, Next::RefundsOf(_)) => {
                walk.asked += 1;
                ask(&self.shop, walk, self.now)
            }
            Reading::Cut if walk.shrink() => ask(&self.shop, walk, self.now),
            Reading::Cut => {
                let mib = PAGE_BYTES / 1_048_576;
                Step::Fail(Verdict::Refused(format!("{} has an order of more than {mib} MiB, which is not read.", self.shop.shown())))
            }
            Reading::Otherwise(way) => {
                walk.way = way;
                ask(&self.shop, walk, self.now)
            }
            Reading::Trouble(Verdict::Retry { after_ms: Some(ms), .. }) if walk.waits < MOST_WAITS => {
                walk.waits += 1;
                Step::Wait(ms, state(&walk))
            }
            Reading::Trouble(verdict) => Step::Fail(verdict),
            Reading::Json(_) | Reading::Missing | Reading::ReadOnly => {
                let sentence = format!("{} answered with something else than its orders.", self.shop.shown());
                Step::Fail(Verdict::Retry { after_ms: None, sentence })
            }
        }
    }

    fn read(&self, mut walk: Walk, asked: &Next, rows: &[Value], response: &Response) -> Step<Pull> {
        let batch = match asked {
            Next::Page => {
                let edge_s = walk.since_s - 1;
                if rows.iter().filter_map(order::changed_at).any(|at| at.s() < edge_s) {
                    return Step::Fail(Verdict::Refused(format!(
                        "{} cannot list its orders by their last change: its WooCommerce is older than 5.8. Update it.",
                        self.shop.shown()
                    )));
                }
                let (open, whole): (Vec<&Value>, Vec<&Value>) = rows.iter().partition(|row| order::has_refunds(row));
                walk.open = open.into_iter().filter_map(order::id).collect();
                let batch = self.batch(&walk, whole);
                walk.advance(rows, count_of_pages(response));
                batch
            }
            Next::RefundsOf(_) => {
                walk.days.extend(rows.iter().filter_map(refund::day));
                walk.asked += 1;
                Batch::default()
            }
            Next::Again(ids) => {
                let batch = self.batch(&walk, rows.iter().collect());
                walk.close(ids.len());
                batch
            }
            Next::End => Batch::default(),
        };
        if batch.facts.is_empty() && batch.problems.is_empty() {
            return ask(&self.shop, walk, self.now);
        }
        Step::Yield(batch, state(&walk))
    }

    /// One order that cannot be read does not lose the others.
    fn batch(&self, walk: &Walk, rows: Vec<&Value>) -> Batch {
        let mut batch = Batch::default();
        for (item, row) in rows.into_iter().enumerate() {
            match order::read(row, self.settings, self.home, &walk.days) {
                Ok(mut order) => {
                    order.is_imported = walk.is_first && order.happened_at < walk.began;
                    batch.facts.push(Fact::Order(order));
                }
                Err(reject) => batch.problems.push(problem(item, row, reject)),
            }
        }
        batch
    }
}

fn problem(item: usize, row: &Value, reject: Reject) -> Problem {
    let which = order::id(row).map_or_else(|| "An order".to_owned(), |id| format!("Order {id}"));
    let (field, code, sentence) = match reject {
        Reject::BadField { field, code, sentence } => (Some(field), code, sentence),
        Reject::BadBody(sentence) => (None, "bad_json", sentence),
        Reject::BadSignature | Reject::StaleSignature => (None, "bad_signature", String::new()),
    };
    Problem { item, field, code, sentence: format!("{which}: {sentence}") }
}

fn count_of_pages(response: &Response) -> Option<u32> {
    response.headers.get("x-wp-totalpages")?.trim().parse().ok()
}

fn state(walk: &Walk) -> State {
    json!(walk)
}
