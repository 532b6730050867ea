//! Reading the shop's own list of orders, because a delivery that failed is never repeated.
//! <https://woocommerce.github.io/woocommerce-rest-api-docs/#list-all-orders>

use serde_json::{Value, json};

use super::answer::{self, Doing, Reading};
use super::shop::{PAGE_BYTES, Shop};
use super::walk::{FIELDS, Next, Walk};
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
        let walk = walk.or_else(|| Some(Walk::begin(&serde_json::from_value::<Since>(state).ok()?, shop.way(), now)));
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
        None => Step::Done(Window { from: walk.from, to: walk.reached() }),
    }
}

fn question(shop: &Shop, walk: &Walk, now: Time) -> Option<Request> {
    Some(match walk.next() {
        Next::Page => shop.ask(walk.way, "GET", "orders", &walk.query(), now),
        Next::RefundsOf(id) => refund::ask(shop, walk.way, &id, now),
        Next::Again(ids) => {
            let query = [
                ("include", ids.join(",")),
                ("status", walk.open_in.status().to_owned()),
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
                walk.open_in = walk.list;
                let batch = self.batch(&walk, whole);
                walk.advance(rows, count_of_pages(response), self.now);
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::money::Currency;
    use crate::domain::time::Zone;
    use crate::wire::{Headers, Part};
    use proptest::prelude::*;

    /// Orders by their ids with the second of their last change, and the days of their refunds.
    struct Shop {
        orders: BTreeMap<u64, i64>,
        refunds: BTreeMap<u64, Vec<i64>>,
        clock_s: i64,
        asked: u64,
    }

    impl Shop {
        fn answer(&mut self, request: &Request) -> Response {
            self.asked += 1;
            let route = match &request.path[0] {
                Part::Plain(path) => path.trim_start_matches("/wp-json/wc/v3/").to_owned(),
                Part::Secret(_) | Part::Hidden(_) | Part::Proof { .. } => String::new(),
            };
            let plain = |part: &Part| if let Part::Plain(text) = part { text.clone() } else { String::new() };
            let query: BTreeMap<&str, String> = request.query.iter().map(|(name, value)| (name.as_str(), plain(value))).collect();
            if let Some(id) = route.strip_prefix("orders/").and_then(|r| r.strip_suffix("/refunds")?.parse::<u64>().ok()) {
                let days = self.refunds.get(&id).cloned().unwrap_or_default();
                let rows = days.iter().zip(0..).map(|(at, n)| json!({"id": id * 100 + n, "date_created_gmt": bare(*at), "amount": "1.00"}));
                return said(rows.collect(), 1);
            }
            let edge = |name: &str| query.get(name).and_then(|t| Time::parse(t)).map(Time::s);
            let (after, before) = (edge("modified_after").unwrap_or(-1), edge("modified_before").unwrap_or(i64::MAX));
            let wanted: Vec<u64> =
                query.get("include").into_iter().flat_map(|ids| ids.split(',')).filter_map(|id| id.parse().ok()).collect();
            let mut rows: Vec<(u64, i64)> = self.orders.iter().map(|(id, at)| (*id, *at)).collect();
            rows.retain(|(id, at)| query["status"] == "any" && *at > after && *at < before && (wanted.is_empty() || wanted.contains(id)));
            let shake = self.asked;
            match query.get("orderby").map(String::as_str) {
                Some("id") => rows.sort(),
                _ => rows.sort_by_key(|(id, at)| (*at, (id * 7_919 + shake * 31) % 101)),
            }
            let size: usize = query["per_page"].parse().expect("a number");
            let page: usize = query.get("page").map_or(1, |p| p.parse().expect("a number"));
            let pages = rows.len().div_ceil(size);
            said(rows.into_iter().skip((page - 1) * size).take(size).map(|(id, at)| self.row(id, at)).collect(), pages)
        }

        fn row(&self, id: u64, at: i64) -> Value {
            let refunds = self.refunds.get(&id).map_or(0, Vec::len) as u64;
            let refunds: Vec<Value> = (0..refunds).map(|n| json!({"id": id * 100 + n, "total": "-1.00"})).collect();
            json!({"id": id, "total": "90.00", "currency": "EUR", "status": "processing", "refunds": refunds, "date_created_gmt": bare(1), "date_modified_gmt": bare(at)})
        }
    }

    fn said(rows: Vec<Value>, pages: usize) -> Response {
        let headers = Headers(vec![("x-wp-totalpages".into(), pages.to_string())]);
        Response { status: 200, headers, body: Value::Array(rows).to_string().into_bytes() }
    }

    fn bare(s: i64) -> String {
        Time::from_s(s).utc().trim_end_matches('Z').to_owned()
    }

    /// Reads the list to its end while `changes` happen one by one between the questions; gives what was told last.
    fn read(
        shop: &mut Shop,
        per_page: u32,
        since: Since,
        changes: &mut Vec<(u64, bool)>,
        told: &mut BTreeMap<u64, (i64, Vec<i64>)>,
    ) -> Time {
        let settings = Settings([("url".to_owned(), "https://shop.example".to_owned())].into());
        let now = Time::from_s(1_400);
        let home = Home { currency: Currency::parse("EUR").expect("EUR"), country: None, zone: Zone::utc(), now };
        let mut walk = Walk::begin(&since, crate::sources::woocommerce::shop::Way::default(), now);
        walk.per_page = per_page;
        let (mut state, mut got) = (json!(walk), None);
        for _ in 0..5_000 {
            match List.step(state, got.as_ref(), &settings, &home, now) {
                Step::Ask(request, next) => {
                    got = Some(shop.answer(&request));
                    state = next;
                    if let Some((pick, is_refund)) = changes.pop() {
                        // Several changes may fall into one second.
                        shop.clock_s += i64::from(pick % 3 == 0);
                        let ids: Vec<u64> = shop.orders.keys().copied().collect();
                        let id = ids[pick as usize % ids.len()];
                        shop.orders.insert(id, shop.clock_s);
                        if is_refund {
                            shop.refunds.entry(id).or_default().push(shop.clock_s - 1);
                        }
                    }
                }
                Step::Yield(batch, next) => {
                    (got, state) = (None, next);
                    for fact in batch.facts {
                        let Fact::Order(order) = fact else { panic!("an order") };
                        let days = order.refunds.iter().map(|r| r.happened_at.s()).collect();
                        told.insert(order.external_id.parse().expect("a number"), (order.modified_at.s(), days));
                    }
                }
                Step::Done(window) => return window.to,
                other => panic!("{other:?}"),
            }
        }
        panic!("the reading does not end");
    }

    proptest! {
        /// Whatever changes while a list is read, this reading and the next one together have told how each order stands.
        #[test]
        fn nothing_is_skipped(
            seconds in proptest::collection::vec(0i64..12, 1..60),
            per_page in 1u32..8,
            mut changes in proptest::collection::vec((0u64..10_000, proptest::bool::weighted(0.3)), 0..40),
        ) {
            let orders: BTreeMap<u64, i64> = (1..).zip(seconds.iter().map(|s| 1_000 + s)).collect();
            let mut shop = Shop { orders, refunds: BTreeMap::new(), clock_s: 1_012, asked: 0 };
            let mut told = BTreeMap::new();
            let first = Since { from: Time::from_ms(0), is_first: true };
            let to = read(&mut shop, per_page, first, &mut changes, &mut told);
            prop_assert_eq!(told.len(), shop.orders.len());
            changes.clear();
            read(&mut shop, per_page, Since { from: to, is_first: false }, &mut changes, &mut told);
            for (id, at) in &shop.orders {
                prop_assert_eq!(&told[id], &(*at, shop.refunds.get(id).cloned().unwrap_or_default()), "order {}", id);
            }
        }
    }
}
