//! The installation's own list of appointments. It cannot be asked for what has changed, so that each time the last days and all
//! that is to come are read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::appointment::{Zones, own_zone, provider_of, stand};
use super::place::{Answer, Place, is_number, read as answer};
use crate::domain::platform::Settings;
use crate::domain::steps::{State, Step, Steps, Verdict};
use crate::domain::time::{DAY_MS, Time, Zone};
use crate::sources::kit::{lists, text};
use crate::sources::{Batch, Home, Pull, Since, Whole, Window};
use crate::wire::{Part, Request, Response};

/// Appointments that far back are read once more: their status is often given days later.
const BEHIND_MS: i64 = 7 * DAY_MS;
const PER_PAGE: usize = 500;
const LIST_BYTES: usize = 8 * 1024 * 1024;
const MOST_WAITS: u32 = 5;
const MOST_PROVIDERS: usize = 500;

pub struct List;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Walk {
    from: Time,
    now: Time,
    /// Of the server, and of each provider by number, once they were read.
    #[serde(default)]
    own_zone: Option<String>,
    #[serde(default)]
    providers: Option<BTreeMap<String, String>>,
    page: u32,
    /// Of the pages that were read.
    #[serde(default)]
    ids: Vec<String>,
    /// A list of several pages is read twice: what moves up by a page while it is read is on neither of them.
    #[serde(default)]
    is_again: bool,
    /// A row was met that has no number.
    #[serde(default)]
    is_doubtful: bool,
    #[serde(default)]
    is_over: bool,
    #[serde(default)]
    waits: u32,
}

impl Steps<Pull> for List {
    fn step(&self, state: State, got: Option<&Response>, settings: &Settings, home: &Home, now: Time) -> Step<Pull> {
        let place = match Place::of(settings) {
            Ok(place) => place,
            Err(verdict) => return Step::Fail(verdict),
        };
        let known = serde_json::from_value::<Walk>(state.clone()).ok();
        let begun = known.or_else(|| serde_json::from_value::<Since>(state).ok().map(|since| begin(&since, now)));
        let Some(mut walk) = begun else { return Step::Fail(Verdict::Refused("The state of the pull cannot be read.".into())) };
        let Some(response) = got else {
            return match walk.is_over {
                true => Step::Done(Window { from: walk.from, to: walk.now }),
                false => Step::Ask(Box::new(walk.request(&place, home)), json!(walk)),
            };
        };
        let told = match answer(response, &place) {
            Answer::Json(value) => value,
            Answer::Missing if walk.own_zone.is_none() => Value::Null,
            Answer::Missing => {
                let sentence = format!("There is no Easy!Appointments with an API at {}. Check the address.", place.shown());
                return Step::Fail(Verdict::Pause(sentence));
            }
            Answer::Trouble(Verdict::Retry { after_ms: Some(ms), .. }) if walk.waits < MOST_WAITS => {
                walk.waits += 1;
                return Step::Wait(ms, json!(walk));
            }
            Answer::Trouble(verdict) => return Step::Fail(verdict),
        };
        walk.waits = 0;
        if walk.own_zone.is_none() {
            walk.own_zone = Some(own_zone(&told, home).name().to_owned());
            return self.step(json!(walk), None, settings, home, now);
        }
        let rows = match lists::rows(&told, "Easy!Appointments") {
            Ok(rows) => rows,
            Err(verdict) => return Step::Fail(verdict),
        };
        if walk.providers.is_none() {
            let zone = |row: &Value| Some((text(row, "id").filter(|id| is_number(id))?, text(row, "timezone")?));
            walk.providers = Some(rows.iter().filter_map(zone).take(MOST_PROVIDERS).collect());
            return self.step(json!(walk), None, settings, home, now);
        }
        let batch = walk.take(rows, home);
        Step::Yield(batch, json!(walk))
    }
}

fn begin(since: &Since, now: Time) -> Walk {
    let from = if since.is_first { since.from } else { since.from.plus_ms(-BEHIND_MS) };
    Walk {
        from,
        now,
        own_zone: None,
        providers: None,
        page: 1,
        ids: Vec::new(),
        is_again: false,
        is_doubtful: false,
        is_over: false,
        waits: 0,
    }
}

impl Walk {
    fn request(&self, place: &Place, home: &Home) -> Request {
        if self.own_zone.is_none() {
            return place.ask("GET", "settings/default_timezone");
        }
        let length = Part::plain(PER_PAGE.to_string());
        if self.providers.is_none() {
            return place.ask("GET", "providers").query("length", length).up_to(LIST_BYTES);
        }
        place
            .ask("GET", "appointments")
            .query("from", Part::plain(home.zone.day(self.from).to_string()))
            .query("sort", Part::plain("id"))
            .query("length", length)
            .query("page", Part::plain(self.page.to_string()))
            .query("with", Part::plain("customer,service"))
            .up_to(LIST_BYTES)
    }

    /// One page. A short one is the last: the list does not say how long it is.
    fn take(&mut self, rows: &[Value], home: &Home) -> Batch {
        let own = self.own_zone.as_deref().and_then(Zone::parse).unwrap_or_else(|| home.zone.clone());
        let none = BTreeMap::new();
        let providers = self.providers.as_ref().unwrap_or(&none);
        let mut batch = Batch::default();
        for row in rows {
            let provider = provider_of(row).and_then(|id| providers.get(&id)).and_then(|name| Zone::parse(name));
            let zones = Zones { provider: provider.unwrap_or_else(|| own.clone()), own: own.clone() };
            let one = stand(row, &zones, home);
            batch.facts.extend(one.facts);
            batch.standing.extend(one.standing);
        }
        let known = self.ids.len();
        self.ids.extend(rows.iter().filter_map(|row| text(row, "id").filter(|id| is_number(id))));
        // Who has a row without a number cannot say what is missing.
        self.is_doubtful |= self.ids.len() - known < rows.len();
        let is_end = rows.len() < PER_PAGE;
        self.is_over = is_end && (self.page == 1 || self.is_again);
        if is_end && !self.is_over {
            (self.page, self.is_again) = (1, true);
        } else {
            self.page += 1;
        }
        // What it takes away it takes out of its list, and says nothing.
        let whole = (self.is_over && !self.is_doubtful).then(|| Whole {
            kind: "appointment_booked",
            end: "appointment_cancelled",
            // The list begins with a day of some zone: what lies in the first of them may be left out by it.
            since: self.from.plus_ms(DAY_MS),
            within: String::new(),
            begun_at: self.now,
            ids: std::mem::take(&mut self.ids),
        });
        Batch { whole, ..batch }
    }
}
