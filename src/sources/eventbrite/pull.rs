//! The organization's attendees and orders that have changed, list after list, page by page.
//! <https://www.eventbrite.com/platform/docs/pagination>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::ticket::{attendee, order, put};
use super::{Answer, api, no_organization, organization, read};
use crate::domain::fact::Fact;
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps, Verdict};
use crate::domain::time::{MINUTE_MS, Time};
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
    #[serde(default)]
    mark: Option<String>,
    #[serde(default)]
    waits: u32,
    #[serde(default)]
    anew: u32,
}

impl Steps<Pull> for Lists {
    fn step(&self, state: State, got: Option<&Response>, settings: &Settings, home: &Home, _: Time) -> Step<Pull> {
        let organization = match organization(settings) {
            Ok(id) => id,
            Err(verdict) => return Step::Fail(verdict),
        };
        let known = serde_json::from_value::<Walk>(state.clone()).ok();
        let begun = known.or_else(|| serde_json::from_value::<Since>(state).ok().map(|since| begin(&since)));
        let Some(mut walk) = begun else { return Step::Fail(Verdict::Refused("The state of the pull cannot be read.".into())) };
        let Some(response) = got else {
            return match walk.list {
                List::Done => Step::Done(Window { from: walk.from, to: walk.newest }),
                _ => Step::Ask(Box::new(walk.request(organization)), json!(walk)),
            };
        };
        match read(response) {
            Answer::Json(page) => {
                walk.waits = 0;
                // A mark that was good is progress.
                walk.anew = if walk.mark.is_some() { 0 } else { walk.anew };
                let batch = walk.take(&page, home);
                Step::Yield(batch, json!(walk))
            }
            Answer::Anew if walk.anew < MOST_ANEW => {
                (walk.mark, walk.anew) = (None, walk.anew + 1);
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

fn begin(since: &Since) -> Walk {
    Walk { from: since.from, newest: since.from, list: List::Attendees, mark: None, waits: 0, anew: 0 }
}

impl Walk {
    fn request(&self, organization: &str) -> Request {
        let kind = if self.list == List::Orders { "orders" } else { "attendees" };
        let mut request = api("GET", &format!("organizations/{organization}/{kind}"))
            .query("changed_since", Part::plain(self.from.plus_ms(-OVERLAP_MS).utc()))
            .up_to(LIST_BYTES);
        if self.list == List::Orders {
            // Those that were given back are among the inactive.
            request = request.query("status", Part::plain("both"));
        }
        match &self.mark {
            Some(mark) => request.query("continuation", Part::plain(mark)),
            None => request,
        }
    }

    fn take(&mut self, page: &Value, home: &Home) -> Batch {
        let key = if self.list == List::Orders { "orders" } else { "attendees" };
        let mut batch = Batch::default();
        for (item, row) in page[key].as_array().into_iter().flatten().enumerate() {
            self.newest = self.newest.max(kit::time(row, &["changed"]).unwrap_or(self.newest)).min(home.now);
            let facts = match self.list {
                List::Orders => order(row, home).map(|order| order.into_iter().map(Fact::Order).collect()),
                _ => attendee(row, home),
            };
            put(&mut batch, item, facts);
        }
        // A mark is given on the last page too.
        let more = page["pagination"]["has_more_items"] == Value::Bool(true);
        self.mark = text(&page["pagination"], "continuation").filter(|_| more);
        if self.mark.is_none() {
            self.list = if self.list == List::Attendees { List::Orders } else { List::Done };
        }
        batch
    }
}
