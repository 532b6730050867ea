//! Calendly's own list of appointments. It cannot be asked for what has changed, so that each time the appointments of the last
//! days and the coming months are read: what was booked, cancelled, kept and missed meanwhile.
//! <https://developer.calendly.com/api-docs/2d5ed9bbd2952-list-events>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::booking::{is_id, short, standing};
use super::{api, owner, refused};
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps, Verdict};
use crate::domain::time::{DAY_MS, HOUR_MS, Time};
use crate::sources::kit::{self, lists, text};
use crate::sources::{Batch, Home, Problem, Pull, Reject, Since, Window};
use crate::wire::{Part, Request, Response};

/// Appointments that far back are read once more: hosts say a day later who stayed away.
const BEHIND_MS: i64 = 3 * DAY_MS;
const AHEAD_MS: i64 = 90 * DAY_MS;
/// After so long an appointment of which nothing else was said has been kept.
const SETTLED_MS: i64 = 24 * HOUR_MS;
const LIST_BYTES: usize = 4 * 1024 * 1024;
const MOST_WAITS: u32 = 5;

pub struct List;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Walk {
    from: Time,
    to: Time,
    /// Whose appointments: `organization` or `user`, and the address of it.
    #[serde(default)]
    whose: Option<(String, String)>,
    /// Kept until it is known whether the whole organization may be read.
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    page: Option<String>,
    #[serde(default)]
    is_last: bool,
    /// Appointments of the page that are still to be read.
    #[serde(default)]
    todo: Vec<Appointment>,
    #[serde(default)]
    invitees: Option<String>,
    #[serde(default)]
    waits: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Appointment {
    id: String,
    name: Option<String>,
    starts_at: Option<Time>,
    ends_at: Option<Time>,
}

impl Steps<Pull> for List {
    fn step(&self, state: State, got: Option<&Response>, _: &Settings, home: &Home, now: Time) -> Step<Pull> {
        let known = serde_json::from_value::<Walk>(state.clone()).ok();
        let begun = known.or_else(|| serde_json::from_value::<Since>(state).ok().map(|since| begin(&since, now)));
        let Some(mut walk) = begun else { return Step::Fail(Verdict::Refused("The state of the pull cannot be read.".into())) };
        let Some(response) = got else {
            return match walk.request() {
                Some(request) => Step::Ask(Box::new(request), json!(walk)),
                None => Step::Done(Window { from: walk.from, to: walk.to }),
            };
        };
        if !response.is_success() {
            return walk.troubled(response);
        }
        walk.waits = 0;
        let Some(page) = response.json().filter(Value::is_object) else { return Step::Fail(lists::otherwise("Calendly")) };
        if walk.whose.is_none() {
            let Some((user, organization)) = owner(&page) else {
                return Step::Fail(Verdict::Refused("Calendly did not say whose the access token is.".into()));
            };
            (walk.whose, walk.user) = (Some(("organization".into(), organization)), Some(user));
            return self.step(json!(walk), None, &Settings::default(), home, now);
        }
        if let Err(verdict) = lists::rows(&page["collection"], "Calendly").and_then(|_| walk.fresh_mark(&page)) {
            return Step::Fail(verdict);
        }
        if walk.todo.is_empty() {
            walk.take_page(&page);
            return self.step(json!(walk), None, &Settings::default(), home, now);
        }
        let batch = walk.take_invitees(&page, home);
        Step::Yield(batch, json!(walk))
    }
}

fn begin(since: &Since, now: Time) -> Walk {
    let from = if since.is_first { since.from } else { since.from.plus_ms(-BEHIND_MS) };
    Walk { from, to: now, whose: None, user: None, page: None, is_last: false, todo: Vec::new(), invitees: None, waits: 0 }
}

impl Walk {
    fn request(&self) -> Option<Request> {
        let Some((kind, uri)) = &self.whose else { return Some(api("GET", "/users/me")) };
        let with = |request: Request, name: &str, value: &Option<String>| match value {
            Some(value) => request.query(name, Part::plain(value)),
            None => request,
        };
        if let Some(appointment) = self.todo.first() {
            let request = api("GET", format!("/scheduled_events/{}/invitees", appointment.id)).query("count", Part::plain("100"));
            return Some(with(request, "page_token", &self.invitees).up_to(LIST_BYTES));
        }
        if self.is_last {
            return None;
        }
        let request = api("GET", "/scheduled_events")
            .query(kind, Part::plain(uri))
            .query("min_start_time", Part::plain(self.from.utc()))
            .query("max_start_time", Part::plain(self.to.plus_ms(AHEAD_MS).utc()))
            .query("count", Part::plain("100"))
            .query("sort", Part::plain("start_time:asc"));
        Some(with(request, "page_token", &self.page).up_to(LIST_BYTES))
    }

    fn troubled(mut self, response: &Response) -> Step<Pull> {
        let may_only_self =
            response.status == 403 && self.whose.as_ref().is_some_and(|(kind, _)| kind == "organization") && self.todo.is_empty();
        if let Some(user) = self.user.clone().filter(|_| may_only_self) {
            self.whose = Some(("user".into(), user));
            return match self.request() {
                Some(request) => Step::Ask(Box::new(request), json!(self)),
                None => Step::Done(Window { from: self.from, to: self.to }),
            };
        }
        if response.status == 404 && !self.todo.is_empty() {
            // Taken away since the page was read.
            self.next_appointment();
            return Step::Yield(Batch::default(), json!(self));
        }
        match refused(response) {
            Verdict::Retry { after_ms: Some(ms), .. } if self.waits < MOST_WAITS => {
                self.waits += 1;
                Step::Wait(ms, json!(self))
            }
            verdict => Step::Fail(verdict),
        }
    }

    /// The place that was just read leads nowhere.
    fn fresh_mark(&self, page: &Value) -> Result<(), Verdict> {
        let known = if self.todo.is_empty() { &self.page } else { &self.invitees };
        match text(&page["pagination"], "next_page_token") {
            Some(next) if known.as_ref() == Some(&next) => Err(Verdict::Retry {
                after_ms: None,
                sentence: "Calendly gave the same page of a list again. It is asked again later.".into(),
            }),
            _ => Ok(()),
        }
    }

    fn take_page(&mut self, page: &Value) {
        let row = |row: &Value| {
            let id = text(row, "uri").map(|uri| short(&uri)).filter(|id| is_id(id))?;
            let at = |key: &str| kit::time(row, &[key]);
            Some(Appointment { id, name: text(row, "name"), starts_at: at("start_time"), ends_at: at("end_time") })
        };
        self.todo = page["collection"].as_array().into_iter().flatten().filter_map(row).collect();
        self.page = text(&page["pagination"], "next_page_token");
        self.is_last = self.page.is_none();
    }

    fn take_invitees(&mut self, page: &Value, home: &Home) -> Batch {
        let mut batch = Batch::default();
        let Some(appointment) = self.todo.first().cloned() else { return batch };
        let ended_at = appointment.ends_at.filter(|at| home.now.ms_since(*at) >= SETTLED_MS);
        for (item, row) in page["collection"].as_array().into_iter().flatten().enumerate() {
            let mut invitee = row.clone();
            let time = |at: Option<Time>| at.map(Time::utc);
            invitee["scheduled_event"] =
                json!({"name": appointment.name, "start_time": time(appointment.starts_at), "end_time": time(appointment.ends_at)});
            match standing(&invitee, ended_at, home) {
                Ok(one) => {
                    batch.facts.extend(one.facts);
                    batch.standing.extend(one.standing);
                }
                Err(Reject::BadField { field, code, sentence }) => {
                    batch.problems.push(Problem { item, field: Some(field), code, sentence });
                }
                Err(_) => {}
            }
        }
        match text(&page["pagination"], "next_page_token") {
            Some(next) => self.invitees = Some(next),
            None => self.next_appointment(),
        }
        batch
    }

    fn next_appointment(&mut self) {
        self.invitees = None;
        if !self.todo.is_empty() {
            self.todo.remove(0);
        }
    }
}
