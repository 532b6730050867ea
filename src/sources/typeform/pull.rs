//! The form's own list of responses, the oldest first. One may be listed up to half an hour after it was sent.
//! <https://www.typeform.com/developers/responses/reference/retrieve-responses/>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::response::{self, titles};
use super::{api, form, refused};
use crate::domain::fact::Fact;
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps, Verdict};
use crate::domain::time::{HOUR_MS, Time};
use crate::sources::kit::{self, lists, text};
use crate::sources::{Batch, Home, Problem, Pull, Reject, Since, Window};
use crate::wire::{Part, Request, Response};

const OVERLAP_MS: i64 = HOUR_MS;
const PER_PAGE: usize = 200;
const LIST_BYTES: usize = 4 * 1024 * 1024;
const MOST_WAITS: u32 = 5;

pub struct List;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Walk {
    from: Time,
    is_first: bool,
    newest: Time,
    /// The form's title and questions, once they were read: responses name them by id alone.
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    questions: Option<BTreeMap<String, String>>,
    /// The last response of the page before.
    #[serde(default)]
    after: Option<String>,
    #[serde(default)]
    is_over: bool,
    #[serde(default)]
    waits: u32,
}

impl Steps<Pull> for List {
    fn step(&self, state: State, got: Option<&Response>, settings: &Settings, home: &Home, _: Time) -> Step<Pull> {
        let form = match form(settings) {
            Ok(form) => form,
            Err(verdict) => return Step::Fail(verdict),
        };
        let known = serde_json::from_value::<Walk>(state.clone()).ok();
        let begun = known.or_else(|| serde_json::from_value::<Since>(state).ok().map(|since| begin(&since)));
        let Some(mut walk) = begun else { return Step::Fail(Verdict::Refused("The state of the pull cannot be read.".into())) };
        let Some(response) = got else {
            return match walk.is_over {
                true => Step::Done(Window { from: walk.from, to: walk.newest }),
                false => Step::Ask(Box::new(walk.request(form)), json!(walk)),
            };
        };
        if !response.is_success() {
            let doing = if walk.questions.is_none() { "read forms" } else { "read responses" };
            return match refused(response, doing) {
                Verdict::Retry { after_ms: Some(ms), .. } if walk.waits < MOST_WAITS => {
                    walk.waits += 1;
                    Step::Wait(ms, json!(walk))
                }
                verdict => Step::Fail(verdict),
            };
        }
        walk.waits = 0;
        let Some(page) = response.json().filter(Value::is_object) else { return Step::Fail(lists::otherwise("Typeform")) };
        if walk.questions.is_none() {
            (walk.title, walk.questions) = (text(&page, "title"), Some(titles(&page)));
            return self.step(json!(walk), None, settings, home, home.now);
        }
        let rows = match lists::rows(&page["items"], "Typeform") {
            Ok(rows) => rows,
            Err(verdict) => return Step::Fail(verdict),
        };
        let batch = walk.take(rows, home);
        Step::Yield(batch, json!(walk))
    }
}

fn begin(since: &Since) -> Walk {
    let (from, is_first) = (since.from, since.is_first);
    Walk { from, is_first, newest: from, title: None, questions: None, after: None, is_over: false, waits: 0 }
}

impl Walk {
    fn request(&self, form: &str) -> Request {
        if self.questions.is_none() {
            return api("GET", format!("/forms/{form}")).up_to(LIST_BYTES);
        }
        let request = api("GET", format!("/forms/{form}/responses"))
            .query("page_size", Part::plain(PER_PAGE.to_string()))
            .query("sort", Part::plain("submitted_at,asc"))
            .up_to(LIST_BYTES);
        match &self.after {
            // With `after` the list takes no `since`.
            Some(after) => request.query("after", Part::plain(after)),
            None => request.query("since", Part::plain(self.from.plus_ms(-OVERLAP_MS).utc())),
        }
    }

    fn take(&mut self, rows: &[Value], home: &Home) -> Batch {
        let none = BTreeMap::new();
        let mut batch = Batch::default();
        for (item, row) in rows.iter().enumerate() {
            self.newest = self.newest.max(kit::time(row, &["submitted_at"]).unwrap_or(self.newest)).min(home.now);
            match response::read(row, self.questions.as_ref().unwrap_or(&none), self.title.clone(), home) {
                Ok(lead) => batch.facts.push(Fact::Lead(crate::domain::fact::Lead { is_imported: self.is_first, ..lead })),
                Err(Reject::BadField { field, code, sentence }) => {
                    batch.problems.push(Problem { item, field: Some(field), code, sentence });
                }
                Err(_) => {}
            }
        }
        match rows.last().and_then(|row| text(row, "token")).filter(|_| rows.len() >= PER_PAGE) {
            Some(last) if self.after.as_ref() != Some(&last) => self.after = Some(last),
            _ => self.is_over = true,
        }
        batch
    }
}
