//! The leads of every form of the page, by form. Meta keeps them for ninety days.
//! <https://developers.facebook.com/docs/marketing-api/guides/lead-ads/retrieving#bulk-read>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::graph::{self, Answer, FIELDS};
use super::{is_number, lead};
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps, Verdict};
use crate::domain::time::{MINUTE_MS, Time};
use crate::sources::kit::{self, lists, text};
use crate::sources::{Batch, Home, Pull, Since, Window};
use crate::wire::{Part, Request, Response};

const OVERLAP_MS: i64 = 10 * MINUTE_MS;
const LIST_BYTES: usize = 4 * 1024 * 1024;
const MOST_WAITS: u32 = 5;
/// Forms of a page that are read; the newest come first.
const MOST_FORMS: usize = 500;

pub struct List;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Walk {
    from: Time,
    is_first: bool,
    newest: Time,
    /// When the walk began: what came meanwhile to a form that was read before is found by the next one.
    begun_at: Time,
    #[serde(default)]
    page: Option<String>,
    /// Forms that are still to be read, once they are known.
    #[serde(default)]
    forms: Vec<String>,
    #[serde(default)]
    are_forms_whole: bool,
    #[serde(default)]
    after: Option<String>,
    #[serde(default)]
    waits: u32,
}

impl Steps<Pull> for List {
    fn step(&self, state: State, got: Option<&Response>, _: &Settings, home: &Home, now: Time) -> Step<Pull> {
        let known = serde_json::from_value::<Walk>(state.clone()).ok();
        let begun = known.or_else(|| serde_json::from_value::<Since>(state).ok().map(|since| begin(&since, now)));
        let Some(mut walk) = begun else { return Step::Fail(Verdict::Refused("The state of the pull cannot be read.".into())) };
        let Some(response) = got else {
            return match walk.request() {
                Some(request) => Step::Ask(Box::new(request), json!(walk)),
                None => Step::Done(Window { from: walk.from, to: walk.newest.min(walk.begun_at) }),
            };
        };
        let page = match graph::read(response) {
            Answer::Json(page) => page,
            Answer::Missing if walk.are_forms_whole => {
                walk.next_form();
                return Step::Yield(Batch::default(), json!(walk));
            }
            Answer::Missing => {
                return Step::Fail(Verdict::Pause("The token is none of a page. Generate a token of the page itself.".into()));
            }
            Answer::Trouble(Verdict::Retry { after_ms: Some(ms), .. }) if walk.waits < MOST_WAITS => {
                walk.waits += 1;
                return Step::Wait(ms, json!(walk));
            }
            Answer::Trouble(verdict) => return Step::Fail(verdict),
        };
        walk.waits = 0;
        if walk.page.is_none() {
            walk.page = text(&page, "id").filter(|id| is_number(id));
            if walk.page.is_none() {
                return Step::Fail(Verdict::Refused("Meta did not say whose the token is.".into()));
            }
            return self.step(json!(walk), None, &Settings::default(), home, home.now);
        }
        let rows = match lists::rows(&page["data"], "Meta") {
            Ok(rows) => rows,
            Err(verdict) => return Step::Fail(verdict),
        };
        if !walk.are_forms_whole {
            if let Err(verdict) = walk.take_forms(rows, &page) {
                return Step::Fail(verdict);
            }
            return self.step(json!(walk), None, &Settings::default(), home, home.now);
        }
        match walk.take_leads(rows, &page, home) {
            Ok(batch) => Step::Yield(batch, json!(walk)),
            Err(verdict) => Step::Fail(verdict),
        }
    }
}

fn begin(since: &Since, now: Time) -> Walk {
    let (from, is_first) = (since.from, since.is_first);
    Walk { from, is_first, newest: from, begun_at: now, page: None, forms: Vec::new(), are_forms_whole: false, after: None, waits: 0 }
}

impl Walk {
    fn request(&self) -> Option<Request> {
        let Some(page) = &self.page else { return Some(graph::ask("GET", "me").query("fields", Part::plain("id"))) };
        let request = match self.are_forms_whole {
            false => graph::ask("GET", &format!("{page}/leadgen_forms")).query("fields", Part::plain("id")),
            true => {
                let from = self.from.plus_ms(-OVERLAP_MS).s();
                let since = json!([{"field": "time_created", "operator": "GREATER_THAN", "value": from}]);
                graph::ask("GET", &format!("{}/leads", self.forms.first()?))
                    .query("fields", Part::plain(FIELDS))
                    .query("filtering", Part::plain(since.to_string()))
            }
        };
        let request = request.query("limit", Part::plain("100")).up_to(LIST_BYTES);
        Some(match &self.after {
            Some(after) => request.query("after", Part::plain(after)),
            None => request,
        })
    }

    fn take_forms(&mut self, rows: &[Value], page: &Value) -> Result<(), Verdict> {
        let forms = rows.iter().filter_map(|row| text(row, "id")).filter(|id| is_number(id));
        self.forms.extend(forms);
        self.forms.truncate(MOST_FORMS);
        self.after = self.next(page)?;
        self.are_forms_whole = self.after.is_none() || self.forms.len() >= MOST_FORMS;
        if self.are_forms_whole {
            self.after = None;
        }
        Ok(())
    }

    fn take_leads(&mut self, rows: &[Value], page: &Value, home: &Home) -> Result<Batch, Verdict> {
        for row in rows {
            self.newest = self.newest.max(kit::time(row, &["created_time"]).unwrap_or(self.newest)).min(home.now);
        }
        match self.next(page)?.filter(|_| !rows.is_empty()) {
            Some(after) => self.after = Some(after),
            None => self.next_form(),
        }
        Ok(lead::batch(rows.iter(), self.is_first, home))
    }

    /// Where the next page begins, if there is one. The place that was just read leads nowhere.
    fn next(&self, page: &Value) -> Result<Option<String>, Verdict> {
        let paging = &page["paging"];
        if paging["next"].as_str().is_none() {
            return Ok(None);
        }
        match text(&paging["cursors"], "after").filter(|after| self.after.as_ref() != Some(after)) {
            Some(after) => Ok(Some(after)),
            None => Err(Verdict::Retry {
                after_ms: None,
                sentence: "Meta says that the list goes on, and does not say where. It is asked again later.".into(),
            }),
        }
    }

    fn next_form(&mut self) {
        self.after = None;
        if !self.forms.is_empty() {
            self.forms.remove(0);
        }
    }
}
