//! Who a fact is about: the browser that it names, and the person's contact.

use super::Context;
use crate::domain::fact::{Person, Traces};
use crate::domain::ids::{ContactId, SessionId};
use crate::domain::time::Time;
use crate::error::Result;
use crate::flows::erase::past;
use crate::flows::{session_id, withdraw};
use crate::store::people::{self, SessionLink};
use crate::store::{sessions, short_codes};

/// The session that a fact's signed id names, if it is one of this site's.
pub fn told_session(x: &Context, traces: &Traces) -> Result<Option<SessionId>> {
    let Some(text) = &traces.session else { return Ok(None) };
    // The owner's server may name the browser by its own word, as it did in its touches.
    let key = match session_id::open(text, &x.site.keys.session) {
        Some(key) => key,
        None if !x.is_asserted && !text.is_empty() && text.chars().count() <= 64 => session_id::mapped(text, &x.site.keys.session),
        None => return Ok(None),
    };
    if let Some(known) = sessions::find_by_key(x.c, key.key())? {
        return Ok(Some(known.id));
    }
    match past::heir(x.c, &x.site.keys, &key)? {
        past::Heir::New { key, .. } => Ok(sessions::find_by_key(x.c, key.key())?.map(|s| s.id)),
        past::Heir::None => Ok(None),
    }
}

/// The browser that a short code in the fact leads to, where it names none itself.
pub fn coded_session(x: &Context, traces: &Traces, happened_at: Time) -> Result<Option<SessionId>> {
    if x.is_asserted { Ok(None) } else { short_codes::find_one(x.c, &traces.codes, happened_at) }
}

/// The contact of a fact, and the proof that its browser is this person's. What it tells of consent was said when it happened,
/// however late it is told.
pub fn known_person(
    x: &Context,
    person: &Person,
    traces: &Traces,
    session: Option<SessionId>,
    platform: &str,
    happened_at: Time,
) -> Result<Option<ContactId>> {
    let session = match session {
        Some(told) => Some(told),
        None => coded_session(x, traces, happened_at)?,
    };
    let (contact, is_merged) = if x.is_asserted {
        (people::contact_of_asserted(x.c, person, platform, x.now)?, false)
    } else {
        people::contact_of_verified(x.c, person, platform, x.now)?.map_or((None, false), |p| (Some(p.contact), p.is_merged))
    };
    if let Some(session) = session {
        for (kind, value) in people::identities_of(person) {
            let link =
                SessionLink { kind, value: &value, session, is_verified: !x.is_asserted, at: x.now, source: platform, is_flagged: false };
            people::link_session(x.c, &link)?;
        }
        if let (Some(contact), false) = (contact, x.is_asserted) {
            sessions::set_contact(x.c, session, contact.number())?;
        }
    }
    if let (Some(contact), true) = (contact, is_merged) {
        // What one of them has refused holds for what waits of the other.
        withdraw::of_contact(x.c, x.site, contact, x.now)?;
    }
    // What the owner's own server or a platform says the person has answered holds for all of the person.
    if let (Some(contact), Some(is_granted), false) = (contact, traces.consent_given, x.is_asserted)
        && people::answered(x.c, contact, is_granted, platform, happened_at.min(x.now), x.now)?
        && !is_granted
    {
        withdraw::of_contact(x.c, x.site, contact, x.now)?;
    }
    Ok(contact)
}
