//! An event as a tracker told it: kept once by its key; a sale or a lead in it is told like any other.

use crate::domain::tracker::TrackerEvent;
use crate::error::Result;
use crate::store::tracker_events;

use super::telling::known_person;
use super::{Context, Stored, statement};

pub fn store(x: &Context, event: &TrackerEvent) -> Result<Stored> {
    let known = tracker_events::find(x.c, event)?;
    if matches!(known, Some((_, true))) {
        return Ok(nothing(event, false));
    }
    let session = None;
    let contact = match event.is_of_contact() {
        true => known_person(x, &event.person, &Default::default(), session, &event.source, event.happened_at)?,
        false => None,
    };
    match known {
        None => tracker_events::add(x.c, x.connection, event, contact, x.now)?,
        Some((id, _)) => tracker_events::change(x.c, id, event, contact, x.now)?,
    }
    match &event.fact {
        // Told again with another content it is the same report: its credit and its money stay.
        Some(fact) => statement::store_of(x, fact, session, contact),
        None => Ok(nothing(event, known.is_none())),
    }
}

/// No conversion came of it.
fn nothing(event: &TrackerEvent, is_new: bool) -> Stored {
    Stored { is_new, ..Stored::of("event", event.event_id.clone()) }
}
