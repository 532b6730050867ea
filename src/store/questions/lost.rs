//! Visits of some days by browser, for journeys that ended with nothing. Visits without a person are not among them: nobody
//! can say whether they led to anything. A day is kept in memory, as small as it gets, as long as the very same rows stand
//! for it: how many there are, and the sum of their numbers, is read in the question's own snapshot.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::named_params;

use super::super::recall::shelf::{Held, Shelf};
use super::super::scope::SiteConn;
use super::walk::page;
use super::word;
use crate::domain::question::Days;
use crate::domain::question::journeys::{By, Place};
use crate::domain::time::{Day, Time, Zone};
use crate::error::{Error, Result};

/// Bytes of all days that are kept: four million visits, roughly.
const MOST_BYTES: usize = 48 * 1024 * 1024;

pub type Kept = Shelf<Name, Visits>;

pub fn shelf() -> Kept {
    Shelf::new(MOST_BYTES)
}

/// Site, day, what the rows of the day are, and what is kept of where they came from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name {
    site: i64,
    from_ms: i64,
    to_ms: i64,
    rows: i64,
    sum: i64,
    detail: &'static str,
}

/// A visit of a browser.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    pub session: u32,
    /// Milliseconds since the day began.
    pub after_ms: u32,
    place: u32,
}

const IS_DIRECT: u32 = 1 << 31;

impl Seen {
    /// Its place among the places.
    pub fn place(self) -> usize {
        (self.place & !IS_DIRECT) as usize
    }

    pub fn is_direct(self) -> bool {
        self.place & IS_DIRECT != 0
    }
}

/// Those of one day.
#[derive(Debug)]
pub struct Visits {
    pub begins_at: Time,
    pub all: Vec<Seen>,
    pub places: Vec<Place>,
}

impl Held for Visits {
    fn bytes(&self) -> usize {
        self.all.len() * size_of::<Seen>() + self.places.len() * 250 + 300
    }
}

/// The visits of each of these days. Of where they came from only what the rows are by is kept.
pub fn visits(c: &SiteConn, zone: &Zone, days: Days, by: By) -> Result<Vec<Arc<Visits>>> {
    days.each().map(|day| of_day(c, zone, day, by)).collect()
}

fn of_day(c: &SiteConn, zone: &Zone, day: Day, by: By) -> Result<Arc<Visits>> {
    let (from, to) = (zone.start(day), zone.start(day.plus(1)));
    let detail = match by {
        By::Content | By::Term | By::Landing => by.word(),
        By::Channel | By::Source | By::Medium | By::Campaign => "",
    };
    let params = named_params! {":from": from.ms(), ":to": to.ms()};
    let rows =
        c.find("select count(*), coalesce(sum(id), 0) from touches where site_id = :site and at >= :from and at < :to", params, |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let (rows, sum) = rows.unwrap_or_default();
    let name = Name { site: c.site().number(), from_ms: from.ms(), to_ms: to.ms(), rows, sum, detail };
    if let Some(known) = c.visits().and_then(|kept| kept.find(&name)) {
        return Ok(known);
    }
    let read = Arc::new(read(c, from, to, by)?);
    if let Some(kept) = c.visits() {
        kept.keep(name, read.clone());
    }
    Ok(read)
}

fn read(c: &SiteConn, from: Time, to: Time, by: By) -> Result<Visits> {
    let mut found = Visits { begins_at: from, all: Vec::new(), places: Vec::new() };
    let mut known: HashMap<String, u32> = HashMap::new();
    let mut key = String::new();
    let mut is_too_large = false;
    c.scan(
        "select session_id, at, is_direct, source, medium, campaign, content, term, landing from touches
         where site_id = :site and at >= :from and at < :to and is_repeat = 0",
        named_params! {":from": from.ms(), ":to": to.ms()},
        |row| {
            let (session, at): (i64, i64) = (row.get(0)?, row.get(1)?);
            let (source, medium, campaign) = (word(row, 3)?, word(row, 4)?, word(row, 5)?);
            let landing;
            let detail = match by {
                By::Content => word(row, 6)?,
                By::Term => word(row, 7)?,
                By::Landing => {
                    landing = page(word(row, 8)?);
                    &landing
                }
                By::Channel | By::Source | By::Medium | By::Campaign => "",
            };
            key.clear();
            for part in [source, medium, campaign, detail] {
                key.push_str(part);
                key.push('\0');
            }
            let place = match known.get(key.as_str()) {
                Some(place) => *place,
                None => {
                    let place = found.places.len() as u32;
                    found.places.push(origin((source, medium, campaign), detail, by));
                    known.insert(key.clone(), place);
                    place
                }
            };
            let place = place | if row.get(2)? { IS_DIRECT } else { 0 };
            match (u32::try_from(session), u32::try_from(at - from.ms())) {
                (Ok(session), Ok(after_ms)) => found.all.push(Seen { session, after_ms, place }),
                _ => is_too_large = true,
            }
            Ok(!is_too_large)
        },
    )?;
    if is_too_large {
        return Err(Error::internal("a browser's number beyond what journeys hold"));
    }
    found.all.shrink_to_fit();
    Ok(found)
}

fn origin((source, medium, campaign): (&str, &str, &str), detail: &str, by: By) -> Place {
    let own = str::to_owned;
    let place = Place { source: own(source), medium: own(medium), campaign: own(campaign), ..Place::default() };
    match by {
        By::Content => Place { content: own(detail), ..place },
        By::Term => Place { term: own(detail), ..place },
        _ => Place { page: own(detail), ..place },
    }
}
