//! The account's meetings and webinars, with those who registered and those who came. Nothing can be asked for by its change: those
//! of the last days and those to come are read each time. <https://developers.zoom.us/docs/api/meetings/>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::came::Came;
use super::meeting::{Meeting, encoded};
use super::person::{attended, ended, place_of, registered};
use super::{Answer, api, read};
use crate::domain::fact::Fact;
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps, Verdict};
use crate::domain::time::{DAY_MS, Time};
use crate::sources::kit::lists::{self, Progress};
use crate::sources::kit::outcomes::shown_now;
use crate::sources::kit::{first_text, text};
use crate::sources::{Batch, Home, Problem, Pull, Reject, Since, Whole, Window};
use crate::wire::{Part, Request, Response};

/// Meetings that far back are read once more: lists of participants are late, and webinars are watched later.
const BEHIND_MS: i64 = 7 * DAY_MS;
const LIST_BYTES: usize = 4 * 1024 * 1024;
const MOST_WAITS: u32 = 8;
/// A list whose mark is refused again and again is not begun for ever. Marks are good for 15 minutes.
/// <https://developers.zoom.us/docs/api/rest/pagination/>
const MOST_ANEW: u32 = 5;
/// Registrants of one meeting that are remembered by number; Zoom lets no more into a webinar.
const MOST_KNOWN: usize = 50_000;
/// So long after its end a meeting's registrants are taken to be on its list still.
const LISTED_MS: i64 = 2 * DAY_MS;
pub struct Lists;

/// Reads what one row says of a meeting.
type Read = fn(&Value, &Value, Time, &Home) -> Result<Option<Fact>, Reject>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    Users,
    Past,
    Coming,
    Webinars,
    Registrants,
    Participants,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Walk {
    from: Time,
    now: Time,
    stage: Stage,
    /// Hosts whose meetings are still to be listed, the first of them now.
    users: Vec<String>,
    meetings: Vec<Meeting>,
    /// The list of one host's meetings, to which the walk comes back once those of a page are read.
    listing: Stage,
    listed: Option<String>,
    mark: Option<String>,
    #[serde(default)]
    is_over: bool,
    #[serde(default)]
    waits: u32,
    /// How far the present list was read.
    #[serde(default)]
    progress: Progress,
    /// Addresses of those who registered for the present meeting, by number; empty where there is none.
    #[serde(default)]
    registered: BTreeMap<String, String>,
    /// Those who were approved are read, and now those who were denied.
    #[serde(default)]
    is_denied: bool,
    /// Who has a place at the present meeting, as its list says; none where nobody has to register for it.
    #[serde(default)]
    placed: Option<Vec<String>>,
    #[serde(default = "never")]
    listed_at: Time,
    /// Who came to it, as far as it was read.
    #[serde(default)]
    came: Came,
    /// Pages of the present list of meetings that were gone through, and those of them still to be passed over after it was
    /// begun again.
    #[serde(default)]
    passed: u32,
    #[serde(default)]
    to_pass: u32,
}

impl Steps<Pull> for Lists {
    fn step(&self, state: State, got: Option<&Response>, _: &Settings, home: &Home, now: Time) -> Step<Pull> {
        let known = serde_json::from_value::<Walk>(state.clone()).ok();
        let begun = known.or_else(|| serde_json::from_value::<Since>(state).ok().map(|since| begin(&since, now)));
        let Some(mut walk) = begun else { return Step::Fail(Verdict::Refused("The state of the pull cannot be read.".into())) };
        let Some(response) = got else {
            return match walk.is_over {
                true => Step::Done(Window { from: walk.from, to: walk.now }),
                false => Step::Ask(Box::new(walk.request()), json!(walk)),
            };
        };
        let page = match read(response) {
            Answer::Json(page) => page,
            // The mark has died while the walk was elsewhere: what it led to is not missing. Repeats are harmless.
            Answer::Missing if walk.mark.is_some() => {
                if !walk.begin_again() {
                    return Step::Fail(Verdict::Refused("Zoom lost its place in a list again and again.".into()));
                }
                return Step::Ask(Box::new(walk.request()), json!(walk));
            }
            // There is no such meeting, or nobody had to register for it.
            Answer::Missing => {
                walk.placed = None;
                json!({ walk.key(): [] })
            }
            Answer::Trouble(Verdict::Retry { after_ms: Some(ms), .. }) if walk.waits < MOST_WAITS => {
                walk.waits += 1;
                return Step::Wait(ms, json!(walk));
            }
            Answer::Trouble(verdict) => return Step::Fail(verdict),
        };
        walk.waits = 0;
        match walk.take(&page, home) {
            Ok(batch) => Step::Yield(batch, json!(walk)),
            Err(verdict) => Step::Fail(verdict),
        }
    }
}

fn begin(since: &Since, now: Time) -> Walk {
    let from = if since.is_first { since.from } else { since.from.plus_ms(-BEHIND_MS) };
    Walk {
        from,
        now,
        stage: Stage::Users,
        users: Vec::new(),
        meetings: Vec::new(),
        listing: Stage::Past,
        listed: None,
        mark: None,
        is_over: false,
        waits: 0,
        progress: Progress::default(),
        registered: BTreeMap::new(),
        is_denied: false,
        placed: Some(Vec::new()),
        listed_at: now,
        came: Came::default(),
        passed: 0,
        to_pass: 0,
    }
}

impl Walk {
    fn request(&self) -> Request {
        let user = self.users.first().map(String::as_str).unwrap_or("me");
        let (path, kind) = match (self.stage, self.meetings.first()) {
            (Stage::Users, _) => ("users".to_owned(), None),
            (Stage::Past, _) => (format!("users/{user}/meetings"), Some("previous_meetings")),
            (Stage::Coming, _) => (format!("users/{user}/meetings"), Some("upcoming_meetings")),
            (Stage::Webinars, _) => (format!("users/{user}/webinars"), None),
            (Stage::Registrants, Some(m)) => (format!("{}/{}/registrants", if m.is_webinar { "webinars" } else { "meetings" }, m.id), None),
            (Stage::Participants, Some(m)) => {
                let which = m.uuid.as_deref().map_or_else(|| m.id.clone(), encoded);
                (format!("past_{}/{which}/participants", if m.is_webinar { "webinars" } else { "meetings" }), None)
            }
            (Stage::Registrants | Stage::Participants, None) => ("users".to_owned(), None),
        };
        let mut request = api(&path).query("page_size", Part::plain("300")).up_to(LIST_BYTES);
        if let Some(kind) = kind {
            request = request.query("type", Part::plain(kind));
        }
        if self.stage == Stage::Registrants {
            // Left out it means those who were approved; who waits has no place yet.
            request = request.query("status", Part::plain(if self.is_denied { "denied" } else { "approved" }));
        }
        if self.stage == Stage::Past {
            let day = |at: Time| Part::plain(at.utc().get(..10).unwrap_or_default().to_owned());
            request = request.query("from", day(self.from)).query("to", day(self.now.plus_ms(DAY_MS)));
        }
        match &self.mark {
            Some(mark) => request.query("next_page_token", Part::plain(mark)),
            None => request,
        }
    }

    /// What the list is called in the answer.
    fn key(&self) -> &'static str {
        match self.stage {
            Stage::Users => "users",
            Stage::Past | Stage::Coming => "meetings",
            Stage::Webinars => "webinars",
            Stage::Registrants => "registrants",
            Stage::Participants => "participants",
        }
    }

    fn take(&mut self, page: &Value, home: &Home) -> Result<Batch, Verdict> {
        let rows = lists::rows(&page[self.key()], "Zoom")?;
        // The mark that was asked with leads to the same page for ever.
        let next = text(page, "next_page_token").filter(|next| self.mark.as_ref() != Some(next));
        let mut batch = Batch::default();
        // Of a list of meetings the pages that are passed over are no progress.
        if self.to_pass == 0 {
            self.progress.read();
        }
        match self.stage {
            Stage::Users => {
                self.users.extend(rows.iter().filter_map(|user| text(user, "id")).filter(|id| is_user(id)));
                self.mark = next;
                if self.mark.is_none() {
                    self.stage = Stage::Past;
                    self.progress = Progress::default();
                }
            }
            Stage::Past | Stage::Coming | Stage::Webinars if self.to_pass > 0 && next.is_some() => {
                (self.to_pass, self.mark) = (self.to_pass - 1, next);
            }
            Stage::Past | Stage::Coming | Stage::Webinars => {
                let is_webinar = self.stage == Stage::Webinars;
                let found = rows.iter().filter_map(|row| Meeting::of(row, is_webinar));
                let from = self.from;
                self.meetings = found.filter(|m| m.starts_at.is_none_or(|at| at >= from)).collect();
                (self.listing, self.listed, self.mark) = (self.stage, next, None);
                self.begin_meeting(home.now);
                self.progress = Progress::default();
            }
            Stage::Registrants => {
                if self.is_denied {
                    self.put(&mut batch, rows, home, ended);
                } else {
                    self.put(&mut batch, rows, home, registered);
                    // Who is approved has a place, whatever was told before.
                    let facts = std::mem::take(&mut batch.facts);
                    for one in facts.into_iter().map(|fact| shown_now(vec![fact])) {
                        batch.facts.extend(one.facts);
                        batch.standing.extend(one.standing);
                    }
                    self.know(rows);
                }
                self.mark = next;
                if self.mark.is_none() {
                    self.progress = Progress::default();
                    if self.is_denied || self.placed.is_none() {
                        batch.whole = self.whole();
                        self.stage = Stage::Participants;
                    } else {
                        self.is_denied = true;
                    }
                }
            }
            Stage::Participants => {
                self.came.take(rows, &self.registered);
                self.mark = next;
                if self.mark.is_none() {
                    let came = std::mem::take(&mut self.came).rows();
                    self.put(&mut batch, &came, home, attended);
                    self.next_meeting(home.now);
                }
            }
        }
        self.settle(home.now);
        Ok(batch)
    }

    /// Who cancelled is on no list of Zoom's: they are not among those who have a place any more. What is long past may be
    /// kept no longer, and of a meeting that is held again and again each list may be of some dates only.
    fn whole(&mut self) -> Option<Whole> {
        let ids = self.placed.take()?;
        let m = self.meetings.first().filter(|m| m.is_single && ids.len() < MOST_KNOWN)?;
        let ended_at = m.ends_at?;
        let is_kept = ended_at > self.now || (self.now.ms_since(ended_at) < LISTED_MS && !ids.is_empty());
        is_kept.then(|| Whole {
            kind: "event_registered",
            end: "appointment_cancelled",
            since: never(),
            within: format!("{}:", m.id),
            begun_at: self.listed_at,
            ids,
        })
    }

    /// The present list from its first page, unless that has led nowhere too often.
    fn begin_again(&mut self) -> bool {
        self.mark = None;
        match self.stage {
            Stage::Users => self.users.clear(),
            Stage::Past | Stage::Coming | Stage::Webinars => self.to_pass = self.passed,
            Stage::Registrants if self.is_denied => {}
            Stage::Registrants => self.placed = Some(Vec::new()),
            Stage::Participants => self.came = Came::default(),
        }
        self.progress.begin_again(MOST_ANEW)
    }

    /// Who registered is named by number alone among those who came.
    fn know(&mut self, rows: &[Value]) {
        let named = rows.iter().filter_map(|row| Some((first_text(row, &["id", "registrant_id"])?, text(row, "email")?)));
        let room = MOST_KNOWN.saturating_sub(self.registered.len());
        self.registered.extend(named.take(room));
        let meeting = self.meetings.first().map(|m| m.id.clone()).unwrap_or_default();
        if let Some(placed) = &mut self.placed {
            let room = MOST_KNOWN.saturating_sub(placed.len());
            placed.extend(rows.iter().filter_map(|row| place_of(&meeting, row)).take(room));
        }
    }

    /// Passes over what there is nothing to ask for.
    fn settle(&mut self, now: Time) {
        loop {
            match (self.stage, self.meetings.first()) {
                (Stage::Past | Stage::Coming | Stage::Webinars, _) if self.users.is_empty() => {
                    self.is_over = true;
                    return;
                }
                // Of a meeting that is still to come nobody has been.
                (Stage::Participants, Some(m)) if m.ends_at.is_none_or(|at| at > self.now) && self.mark.is_none() => self.next_meeting(now),
                (Stage::Registrants | Stage::Participants, None) => self.next_list(),
                _ => return,
            }
        }
    }

    fn next_meeting(&mut self, now: Time) {
        (self.progress, self.came) = (Progress::default(), Came::default());
        if !self.meetings.is_empty() {
            self.meetings.remove(0);
        }
        self.begin_meeting(now);
    }

    fn begin_meeting(&mut self, now: Time) {
        self.registered.clear();
        (self.mark, self.stage, self.is_denied) = (None, Stage::Registrants, false);
        (self.placed, self.listed_at) = (Some(Vec::new()), now);
    }

    /// The next page of the list, the next list of the host, the next host.
    fn next_list(&mut self) {
        self.progress = Progress::default();
        self.mark = self.listed.take();
        self.passed = if self.mark.is_some() { self.passed + 1 } else { 0 };
        self.to_pass = 0;
        self.stage = match (self.mark.is_some(), self.listing) {
            (true, listing) => listing,
            (false, Stage::Past) => Stage::Coming,
            (false, Stage::Coming) => Stage::Webinars,
            (false, _) => {
                if !self.users.is_empty() {
                    self.users.remove(0);
                }
                Stage::Past
            }
        };
    }

    fn put(&self, batch: &mut Batch, rows: &[Value], home: &Home, read: Read) {
        let Some(m) = self.meetings.first() else { return };
        let told = json!({"id": m.id, "uuid": m.uuid, "topic": m.topic, "start_time": m.starts_at.map(Time::utc)});
        let at = m.starts_at.unwrap_or(home.now).min(home.now);
        for (item, row) in rows.iter().enumerate() {
            match read(&told, row, at, home) {
                Ok(fact) => batch.facts.extend(fact),
                Err(Reject::BadField { field, code, sentence }) => {
                    batch.problems.push(Problem { item, field: Some(field), code, sentence });
                }
                Err(_) => {}
            }
        }
    }
}

fn never() -> Time {
    Time::from_ms(0)
}

fn is_user(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}
