//! Reading the shop's own list of orders, by the time of their last change, page by page. A page's cursor names the place
//! by that time and the order's number, so that an order that changes meanwhile is met again further on, and none is
//! skipped.
//! <https://shopify.dev/docs/api/admin-graphql/latest/queries/orders>,
//! <https://shopify.dev/docs/api/usage/search-syntax>
//!
//! Where a buyer came from Shopify works out only after the order, and says so by no change of it: orders of an hour and
//! of a day ago are therefore looked at once more, and told only if they know it by now.
//!
//! An order with more lines than a page tells is taken at once, for its money, and read by itself right after (`lines.rs`).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::graphql::{self, Trouble};
use super::{lines, node};
use crate::domain::fact::Fact;
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps, Verdict};
use crate::domain::time::{DAY_MS, HOUR_MS, MINUTE_MS, Time};
use crate::sources::kit::text;
use crate::sources::{Batch, Home, Problem, Pull, Reject, Since, Window};
use crate::wire::Response;

const ORDERS: &str = concat!(include_str!("orders.graphql"), include_str!("parts.graphql"));
/// Orders of a page. Fewer where one page costs too much or does not fit.
const PAGE: u32 = 25;
/// Shopify's list lags behind: what was changed shortly before the last look is read again.
const OVERLAP_MS: i64 = 2 * MINUTE_MS;
/// How long a stretch of orders is looked at again for its journeys: the hour between two pulls, and some.
const SPAN_MS: i64 = HOUR_MS + 15 * MINUTE_MS;

pub struct Orders;

/// Which orders are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Part {
    Changed,
    /// Made an hour ago: whose journey may be ready now.
    AnHourOld,
    ADayOld,
    End,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Walk {
    since: Since,
    begun_at: Time,
    /// The newest change that was seen.
    newest: Option<Time>,
    part: Part,
    after: Option<String>,
    page: u32,
    /// Before the next question, so that it is not refused.
    pause_ms: i64,
}

impl Walk {
    fn begin(state: State, now: Time) -> Self {
        if let Ok(walk) = serde_json::from_value(state.clone()) {
            return walk;
        }
        let since = serde_json::from_value(state).unwrap_or(Since { from: now.plus_ms(-60 * DAY_MS), is_first: true });
        Self { since, begun_at: now, newest: None, part: Part::Changed, after: None, page: PAGE, pause_ms: 0 }
    }

    fn query(&self) -> String {
        let ago = |ms: i64| self.begun_at.plus_ms(-ms).utc();
        match self.part {
            Part::Changed => format!("updated_at:>='{}'", self.since.from.plus_ms(-OVERLAP_MS).utc()),
            Part::AnHourOld => format!("created_at:>='{}' created_at:<='{}'", ago(HOUR_MS + SPAN_MS), ago(HOUR_MS)),
            // A little less than a day: after that what is learned changes nothing any more.
            Part::ADayOld | Part::End => {
                format!("created_at:>='{}' created_at:<='{}'", ago(DAY_MS - 15 * MINUTE_MS), ago(DAY_MS - 15 * MINUTE_MS - SPAN_MS))
            }
        }
    }

    /// What comes after the last page of this part. History is read as it is.
    fn next_part(&self) -> Part {
        match self.part {
            Part::Changed if !self.since.is_first => Part::AnHourOld,
            Part::AnHourOld => Part::ADayOld,
            _ => Part::End,
        }
    }

    fn is_at_start(&self) -> bool {
        self.part == Part::Changed && self.after.is_none()
    }

    fn state(&self) -> State {
        json!(self)
    }

    fn window(&self) -> Window {
        Window { from: self.since.from, to: self.newest.unwrap_or(self.since.from).max(self.since.from) }
    }
}

impl Steps<Pull> for Orders {
    fn step(&self, state: State, got: Option<&Response>, settings: &Settings, home: &Home, now: Time) -> Step<Pull> {
        let mut walk = Walk::begin(state, now);
        let Some(response) = got else { return go_on(walk, settings) };
        match graphql::read(response, "orders", &graphql::shop_name(settings)) {
            Ok(told) => {
                walk.pause_ms = told.pause_ms;
                // What the app may not see is missing from every page, and said once.
                let held_back = told.held_back.into_iter().filter(|_| walk.is_at_start());
                let held_back: Vec<String> = held_back.collect();
                let mut batch = page(&mut walk, &told.data["orders"], home);
                batch.problems.extend(held_back.into_iter().map(|sentence| Problem { item: 0, field: None, code: "held_back", sentence }));
                match batch.facts.is_empty() && batch.problems.is_empty() {
                    true => go_on(walk, settings),
                    false => Step::Yield(batch, walk.state()),
                }
            }
            Err(Trouble::Throttled(ms)) => Step::Wait(ms, walk.state()),
            Err(Trouble::TooMuch) if walk.page > 1 => {
                walk.page /= 2;
                go_on(walk, settings)
            }
            Err(Trouble::TooMuch) => Step::Fail(Verdict::Retry {
                after_ms: None,
                sentence: "One order is larger than Shopify tells at a time. It is asked again.".into(),
            }),
            Err(Trouble::Final(verdict)) => Step::Fail(verdict),
        }
    }
}

fn go_on(mut walk: Walk, settings: &Settings) -> Step<Pull> {
    if walk.part == Part::End {
        return Step::Done(walk.window());
    }
    if walk.pause_ms > 0 {
        let pause = std::mem::take(&mut walk.pause_ms);
        return Step::Wait(pause, walk.state());
    }
    let variables = json!({"first": walk.page, "after": walk.after, "query": walk.query()});
    match graphql::ask(settings, ORDERS, variables) {
        Some(request) => Step::Ask(Box::new(request), walk.state()),
        None => Step::Fail(graphql::no_shop()),
    }
}

/// Takes a page in, and moves on.
fn page(walk: &mut Walk, orders: &Value, home: &Home) -> Batch {
    let mut batch = Batch::default();
    for (item, told) in orders["nodes"].as_array().into_iter().flatten().enumerate() {
        if walk.part == Part::Changed {
            walk.newest = walk.newest.max(text(told, "updatedAt").as_deref().and_then(Time::parse));
        }
        match node::order(told, home) {
            Ok(order) if walk.part == Part::Changed || !order.journey.is_empty() => {
                if lines::has_more(told) {
                    batch.fetch.push(lines::named(&order.external_id));
                }
                batch.facts.push(Fact::Order(order));
            }
            Ok(_) => {}
            Err(reject) => batch.problems.push(problem(item, reject)),
        }
    }
    let info = &orders["pageInfo"];
    let cursor = info["endCursor"].as_str().filter(|_| info["hasNextPage"] == true);
    // A cursor that stays where it is would be read for ever.
    match cursor.filter(|c| walk.after.as_deref() != Some(*c)) {
        Some(cursor) => walk.after = Some(cursor.to_owned()),
        None => {
            walk.part = walk.next_part();
            walk.after = None;
        }
    }
    batch
}

fn problem(item: usize, reject: Reject) -> Problem {
    match reject {
        Reject::BadField { field, code, sentence } => Problem { item, field: Some(field), code, sentence },
        _ => Problem { item, field: None, code: "bad_order", sentence: "This is no order.".into() },
    }
}
