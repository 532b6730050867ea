//! The account's meetings and webinars, with those who registered and those who came. Nothing can be asked for by its change: those
//! of the last days and those to come are read each time. <https://developers.zoom.us/docs/api/meetings/>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::came::Came;
use super::person::{attended, is_number, registered};
use super::{Answer, api, read};
use crate::domain::fact::Fact;
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps, Verdict};
use crate::domain::time::{DAY_MS, MINUTE_MS, Time};
use crate::sources::kit::lists::{self, Progress};
use crate::sources::kit::{self, first_text, text};
use crate::sources::{Batch, Ground, Home, Problem, Provision, Pull, Registered, Reject, Since, Window, Wish};
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
const BY_HAND: &str =
    "For live updates enter the app's secret token here and the address of this connection in the app's event subscription.";

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
struct Meeting {
    id: String,
    uuid: Option<String>,
    topic: Option<String>,
    starts_at: Option<Time>,
    ends_at: Option<Time>,
    is_webinar: bool,
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
    /// Addresses of those who registered for the present meeting, by number.
    #[serde(default)]
    registered: BTreeMap<String, String>,
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
            Answer::Missing => json!({ walk.key(): [] }),
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
                let found = rows.iter().filter_map(|row| meeting(row, is_webinar));
                let from = self.from;
                self.meetings = found.filter(|m| m.starts_at.is_none_or(|at| at >= from)).collect();
                (self.listing, self.listed, self.mark) = (self.stage, next, None);
                self.stage = Stage::Registrants;
                self.progress = Progress::default();
            }
            Stage::Registrants => {
                self.put(&mut batch, rows, home, registered);
                self.know(rows);
                self.mark = next;
                if self.mark.is_none() {
                    self.stage = Stage::Participants;
                    self.progress = Progress::default();
                }
            }
            Stage::Participants => {
                self.came.take(rows, &self.registered);
                self.mark = next;
                if self.mark.is_none() {
                    let came = std::mem::take(&mut self.came).rows();
                    self.put(&mut batch, &came, home, attended);
                    self.next_meeting();
                }
            }
        }
        self.settle();
        Ok(batch)
    }

    /// The present list from its first page, unless that has led nowhere too often.
    fn begin_again(&mut self) -> bool {
        self.mark = None;
        match self.stage {
            Stage::Users => self.users.clear(),
            Stage::Past | Stage::Coming | Stage::Webinars => self.to_pass = self.passed,
            Stage::Registrants => {}
            Stage::Participants => self.came = Came::default(),
        }
        self.progress.begin_again(MOST_ANEW)
    }

    /// Who registered is named by number alone among those who came.
    fn know(&mut self, rows: &[Value]) {
        let named = rows.iter().filter_map(|row| Some((first_text(row, &["id", "registrant_id"])?, text(row, "email")?)));
        let room = MOST_KNOWN.saturating_sub(self.registered.len());
        self.registered.extend(named.take(room));
    }

    /// Passes over what there is nothing to ask for.
    fn settle(&mut self) {
        loop {
            match (self.stage, self.meetings.first()) {
                (Stage::Past | Stage::Coming | Stage::Webinars, _) if self.users.is_empty() => {
                    self.is_over = true;
                    return;
                }
                // Of a meeting that is still to come nobody has been.
                (Stage::Participants, Some(m)) if m.ends_at.is_none_or(|at| at > self.now) && self.mark.is_none() => self.next_meeting(),
                (Stage::Registrants | Stage::Participants, None) => self.next_list(),
                _ => return,
            }
        }
    }

    fn next_meeting(&mut self) {
        (self.progress, self.came) = (Progress::default(), Came::default());
        self.registered.clear();
        if !self.meetings.is_empty() {
            self.meetings.remove(0);
        }
        (self.mark, self.stage) = (None, Stage::Registrants);
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

fn meeting(row: &Value, is_webinar: bool) -> Option<Meeting> {
    let starts_at = kit::time(row, &["start_time"]);
    let minutes = row["duration"].as_i64().unwrap_or(0).clamp(0, 60 * 24);
    Some(Meeting {
        id: text(row, "id").filter(|id| is_number(id))?,
        uuid: text(row, "uuid").filter(|uuid| uuid.len() <= 64),
        topic: text(row, "topic"),
        starts_at,
        ends_at: starts_at.map(|at| at.plus_ms(minutes * MINUTE_MS)),
        is_webinar,
    })
}

fn is_user(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// One that begins with a slash or holds two of them is encoded twice.
/// <https://developers.zoom.us/docs/api/rest/using-zoom-apis/#meeting-id-and-uuid>
fn encoded(uuid: &str) -> String {
    let once: String = url::form_urlencoded::byte_serialize(uuid.as_bytes()).collect();
    match uuid.starts_with('/') || uuid.contains("//") {
        true => url::form_urlencoded::byte_serialize(once.as_bytes()).collect(),
        false => once,
    }
}

/// The credentials are proved by reading; event subscriptions are made in the app by hand.
pub struct Proof;

impl Steps<Provision> for Proof {
    fn step(&self, _: State, got: Option<&Response>, _: &Settings, ground: &Ground, _: Time) -> Step<Provision> {
        let Some(response) = got else {
            return match ground.wish {
                Wish::Probe | Wish::Register => {
                    Step::Ask(Box::new(api("users").query("page_size", Part::plain("1")).up_to(LIST_BYTES)), Value::Null)
                }
                Wish::Look | Wish::Remove => Step::Done(Registered::default()),
            };
        };
        let has_secret = ground.secrets.iter().any(|key| key == super::WEBHOOK_SECRET);
        let notes = if has_secret { Vec::new() } else { vec![BY_HAND.to_owned()] };
        match read(response) {
            Answer::Json(_) => Step::Done(Registered { notes, ..Registered::default() }),
            Answer::Missing => {
                Step::Fail(Verdict::Pause("Zoom shows no users of this account. Give the app the right to read them.".into()))
            }
            Answer::Trouble(verdict) => Step::Fail(verdict),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_a_meeting_is_encoded_as_zoom_wants_it() {
        assert_eq!(encoded("abc=="), "abc%3D%3D");
        assert_eq!(encoded("a/b+c=="), "a%2Fb%2Bc%3D%3D");
        assert_eq!(encoded("/ab=="), "%252Fab%253D%253D");
        assert_eq!(encoded("a//b=="), "a%252F%252Fb%253D%253D");
    }
}
