//! Visits of some days by browser, for journeys that ended with nothing. Visits without a person are not among them: nobody
//! can say whether they led to anything.

use std::collections::HashMap;

use rusqlite::named_params;

use super::super::scope::SiteConn;
use super::walk::page;
use super::word;
use crate::domain::question::journeys::{By, Place};
use crate::domain::time::Time;
use crate::error::Result;

/// A visit of a browser.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    pub session: u32,
    pub at_ms: i64,
    /// Its place among the places.
    pub place: u32,
    pub is_direct: bool,
}

#[derive(Debug, Default)]
pub struct Visits {
    pub all: Vec<Seen>,
    pub places: Vec<Place>,
}

/// Visits from a moment to before another, in no order. Of where they came from only what the rows are by is kept.
pub fn visits(c: &SiteConn, from: Time, to: Time, by: By) -> Result<Visits> {
    let mut found = Visits::default();
    let mut known: HashMap<String, u32> = HashMap::new();
    let mut key = String::new();
    c.scan(
        "select session_id, at, is_direct, source, medium, campaign, content, term, landing from touches
         where site_id = :site and at >= :from and at < :to and is_repeat = 0",
        named_params! {":from": from.ms(), ":to": to.ms()},
        |row| {
            // A number beyond four thousand million browsers is passed over: this is an estimate.
            let Ok(session) = u32::try_from(row.get::<_, i64>(0)?) else { return Ok(true) };
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
                    let own = str::to_owned;
                    let mut origin =
                        Place { source: own(source), medium: own(medium), campaign: own(campaign), ..Place::default() };
                    match by {
                        By::Content => origin.content = own(detail),
                        By::Term => origin.term = own(detail),
                        _ => origin.page = own(detail),
                    }
                    found.places.push(origin);
                    known.insert(key.clone(), place);
                    place
                }
            };
            found.all.push(Seen { session, at_ms: row.get(1)?, place, is_direct: row.get(2)? });
            Ok(true)
        },
    )?;
    Ok(found)
}
