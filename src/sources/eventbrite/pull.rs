//! The organization's attendees and orders that have changed, list after list, page by page.
//! <https://www.eventbrite.com/platform/docs/pagination>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::ticket::{attendee, order, put};
use super::{Answer, api, no_organization, organization, read};
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps, Verdict};
use crate::domain::time::{MINUTE_MS, Time};
use crate::sources::kit::lists::{self, Progress};
use crate::sources::kit::{self, text};
use crate::sources::{Batch, Home, Pull, Since, Window};
use crate::wire::{Part, Request, Response};

const OVERLAP_MS: i64 = 2 * MINUTE_MS;
const LIST_BYTES: usize = 4 * 1024 * 1024;
const MOST_WAITS: u32 = 5;
/// A list whose mark goes bad again and again is not read for ever.
const MOST_ANEW: u32 = 3;

pub struct Lists;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum List {
    Attendees,
    Orders,
    Done,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Walk {
    from: Time,
    newest: Time,
    list: List,
    /// When the walk began: what changed in a list that was read before is found by the next one.
    begun_at: Time,
    #[serde(default)]
    mark: Option<String>,
    /// The next page where Eventbrite numbers them and gives no mark.
    #[serde(default)]
    page: Option<u64>,
    #[serde(default)]
    waits: u32,
    #[serde(default)]
    progress: Progress,
}

impl Steps<Pull> for Lists {
    fn step(&self, state: State, got: Option<&Response>, settings: &Settings, home: &Home, now: Time) -> Step<Pull> {
        let organization = match organization(settings) {
            Ok(id) => id,
            Err(verdict) => return Step::Fail(verdict),
        };
        let known = serde_json::from_value::<Walk>(state.clone()).ok();
        let begun = known.or_else(|| serde_json::from_value::<Since>(state).ok().map(|since| begin(&since, now)));
        let Some(mut walk) = begun else { return Step::Fail(Verdict::Refused("The state of the pull cannot be read.".into())) };
        let Some(response) = got else {
            return match walk.list {
                List::Done => Step::Done(Window { from: walk.from, to: walk.newest.min(walk.begun_at) }),
                _ => Step::Ask(Box::new(walk.request(organization)), json!(walk)),
            };
        };
        match read(response) {
            Answer::Json(page) => {
                walk.waits = 0;
                walk.progress.read();
                match walk.take(&page, home) {
                    Ok(batch) => Step::Yield(batch, json!(walk)),
                    Err(verdict) => Step::Fail(verdict),
                }
            }
            Answer::Anew if walk.progress.begin_again(MOST_ANEW) => {
                (walk.mark, walk.page) = (None, None);
                Step::Ask(Box::new(walk.request(organization)), json!(walk))
            }
            Answer::Anew => Step::Fail(Verdict::Refused("Eventbrite lost its place in the list again and again.".into())),
            Answer::Missing => Step::Fail(no_organization()),
            Answer::Trouble(Verdict::Retry { after_ms: Some(ms), .. }) if walk.waits < MOST_WAITS => {
                walk.waits += 1;
                Step::Wait(ms, json!(walk))
            }
            Answer::Trouble(verdict) => Step::Fail(verdict),
        }
    }
}

fn begin(since: &Since, now: Time) -> Walk {
    let (from, list, progress) = (since.from, List::Attendees, Progress::default());
    Walk { from, newest: from, list, begun_at: now, mark: None, page: None, waits: 0, progress }
}

impl Walk {
    fn request(&self, organization: &str) -> Request {
        let kind = if self.list == List::Orders { "orders" } else { "attendees" };
        let mut request = api("GET", &format!("organizations/{organization}/{kind}"))
            .query("changed_since", Part::plain(self.from.plus_ms(-OVERLAP_MS).utc()))
            .up_to(LIST_BYTES);
        if self.list == List::Orders {
            // Those that were given back are among the inactive; which of their tickets, the attendees say.
            request = request.query("status", Part::plain("both")).query("expand", Part::plain("attendees"));
        } else {
            request = request.query("expand", Part::plain("order,event"));
        }
        match (&self.mark, self.page) {
            (Some(mark), _) => request.query("continuation", Part::plain(mark)),
            (None, Some(page)) => request.query("page", Part::plain(page.to_string())),
            (None, None) => request,
        }
    }

    fn take(&mut self, page: &Value, home: &Home) -> Result<Batch, Verdict> {
        let key = if self.list == List::Orders { "orders" } else { "attendees" };
        let mut batch = Batch::default();
        for (item, row) in lists::rows(&page[key], "Eventbrite")?.iter().enumerate() {
            self.newest = self.newest.max(kit::time(row, &["changed"]).unwrap_or(self.newest)).min(home.now);
            let facts = match self.list {
                List::Orders => order(row, home).map(Batch::of),
                _ => attendee(row, &row["order"], &row["event"], home),
            };
            put(&mut batch, item, facts);
        }
        let told = &page["pagination"];
        let number = |key: &str| told[key].as_u64();
        let is_more = told["has_more_items"] == Value::Bool(true);
        let following = number("page_number").zip(number("page_count")).filter(|(at, of)| at < of).map(|(at, _)| at + 1);
        // A mark is given on the last page too; an older answer has none, and numbers its pages.
        self.mark = text(told, "continuation").filter(|_| is_more);
        self.page = following.filter(|_| self.mark.is_none() && told["has_more_items"] != Value::Bool(false));
        if is_more && self.mark.is_none() && self.page.is_none() {
            let sentence = "Eventbrite says that the list goes on, and does not say where. It is asked again later.".into();
            return Err(Verdict::Retry { after_ms: None, sentence });
        }
        if self.mark.is_none() && self.page.is_none() {
            self.list = if self.list == List::Attendees { List::Orders } else { List::Done };
            self.progress = Progress::default();
        }
        Ok(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;
    use crate::domain::time::Zone;
    use crate::wire::Headers;

    fn settings() -> Settings {
        Settings([("organization_id".to_owned(), "61".to_owned())].into())
    }

    /// What is read late says nothing of what happened meanwhile in a list that was read early.
    #[test]
    fn what_comes_while_the_lists_are_read_is_left_to_the_next_walk() {
        let begun = Time::parse("2026-06-13T09:00:00Z").expect("a time");
        let later = begun.plus_ms(10 * MINUTE_MS);
        let home = |now: Time| Home { currency: Currency::parse("USD").expect("USD"), country: None, zone: Zone::utc(), now };
        let page = |key: &str, changed: Time| {
            let gross = json!({"gross": {"currency": "USD", "major_value": "5.00"}});
            let row = json!({"id": "1", "status": "placed", "created": changed.utc(), "changed": changed.utc(), "costs": gross});
            let body = json!({"pagination": {"has_more_items": false}, key: [row]}).to_string().into_bytes();
            Response { status: 200, headers: Headers::default(), body }
        };
        let mut state = json!(Since { from: begun.plus_ms(-MINUTE_MS), is_first: false });
        let mut answers = vec![page("orders", later), page("attendees", begun.plus_ms(-1_000))];
        let (mut got, mut now) = (None, begun);
        let ended = loop {
            match Lists.step(state, got.take().as_ref(), &settings(), &home(now), now) {
                Step::Ask(_, next) => (got, state) = (answers.pop(), next),
                Step::Yield(_, next) => (now, state) = (later, next),
                Step::Done(window) => break window,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(ended.to, begun);
    }
}
