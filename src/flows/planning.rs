//! The outbox rows of a conversion: one for every connection that sends, skipped with its reason where nothing may go.

use std::sync::Arc;

use crate::destinations;
use crate::domain::consent::{Consent, Signs, decide};
use crate::domain::ids::{ConnectionId, ContactId, ConversionId, SessionId};
use crate::domain::time::{HOUR_MS, Time};
use crate::error::Result;
use crate::sources::{self, Source};
use crate::store::connections::{self, Connection, Status};
use crate::store::consents::newest_marketing;
use crate::store::conversions::Conversion;
use crate::store::deliveries::{self, Made, Planned};
use crate::store::people;
use crate::store::reports;
use crate::store::scope::SiteConn;
use crate::store::sessions::find_contact;
use crate::store::sites::Site;

/// Whether a conversion may leave, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct May {
    pub is_allowed: bool,
    pub is_explicit: bool,
    pub basis: &'static str,
}

const OWN_WORD: &str = "the fact's own consent_given";

/// Marketing consent for a conversion (spec 3.3): the fact's own word, else the newest explicit answer of the matched
/// person, else the site's mode by billing country, and by the country to which the goods go: either may ask first. A refusal that came after the fact always wins.
pub fn consent_for(c: &SiteConn, site: &Site, conversion: &Conversion, sessions: &[SessionId], now: Time) -> Result<May> {
    // A sender whose clock is ahead of ours puts off no refusal.
    let said_at = conversion.happened_at.min(conversion.received_at);
    if let Some(given) = conversion.consent_given.filter(|given| !given || said_at >= now) {
        // Nothing can have been said since, or nothing that would count.
        return Ok(May { is_allowed: given, is_explicit: true, basis: OWN_WORD });
    }
    let (browsers, contacts) = of_person(c, conversion.contact, sessions)?;
    let newest = newest_marketing(c, &browsers, &contacts)?;
    if let Some(given) = conversion.consent_given {
        if let Some((at, false)) = newest
            && at > said_at
        {
            return Ok(May { is_allowed: false, is_explicit: true, basis: "refused after the fact" });
        }
        return Ok(May { is_allowed: given, is_explicit: true, basis: OWN_WORD });
    }
    if let Some((_, granted)) = newest {
        return Ok(May { is_allowed: granted, is_explicit: true, basis: "the visitor's own answer" });
    }
    let signs = Signs {
        country: conversion.country.as_deref(),
        time_zone: None,
        goods_ask: conversion.goods_ask == Some(true),
        site_country: site.country.as_deref(),
    };
    let decision = decide(Consent::UNKNOWN, site.consent, &signs, false);
    Ok(May { is_allowed: decision.marketing, is_explicit: false, basis: decision.basis })
}

/// The newest explicit answer on marketing of whoever a browser is known to be: when, and whether granted.
pub fn newest_of_browser(c: &SiteConn, session: SessionId) -> Result<Option<(Time, bool)>> {
    let (browsers, contacts) = of_person(c, None, &[session])?;
    newest_marketing(c, &browsers, &contacts)
}

/// The sessions, every other browser that was proved to be the same person, and the person: the conversion's own, or
/// whoever its browser is known to be.
fn of_person(c: &SiteConn, own: Option<ContactId>, sessions: &[SessionId]) -> Result<(Vec<SessionId>, Vec<ContactId>)> {
    let mut all = sessions.to_vec();
    let mut contacts: Vec<ContactId> = own.into_iter().collect();
    for session in sessions {
        if let Some(contact) = find_contact(c, *session)?
            && !contacts.contains(&contact)
        {
            contacts.push(contact);
        }
    }
    for contact in &contacts {
        for (kind, value) in people::list_identities(c, *contact)? {
            for (session, is_verified) in people::sessions_of(c, kind, &value)? {
                if is_verified && !all.contains(&session) {
                    all.push(session);
                }
            }
        }
    }
    Ok((all, own.map_or(contacts, |own| vec![own])))
}

/// Plans the rows beside those that are known, and gives those that are new, or wait only now. Repeating it adds nothing.
pub fn run(
    c: &SiteConn,
    site: &Site,
    connections: &[Arc<Connection>],
    conversion: &Conversion,
    sessions: &[SessionId],
    known: &[deliveries::Known],
    now: Time,
) -> Result<Vec<Made>> {
    rows(c, site, (connections, None), conversion, sessions, known, now)
}

/// The same for one connection, beside all the others, which decide with it who is told.
pub fn one(
    c: &SiteConn,
    site: &Site,
    (connections, only): (&[Arc<Connection>], ConnectionId),
    conversion: &Conversion,
    sessions: &[SessionId],
    known: &[deliveries::Known],
    now: Time,
) -> Result<Vec<Made>> {
    rows(c, site, (connections, Some(only)), conversion, sessions, known, now)
}

fn rows(
    c: &SiteConn,
    site: &Site,
    (connections, only): (&[Arc<Connection>], Option<ConnectionId>),
    conversion: &Conversion,
    sessions: &[SessionId],
    known: &[deliveries::Known],
    now: Time,
) -> Result<Vec<Made>> {
    let may = consent_for(c, site, conversion, sessions, now)?;
    let tellers = Tellers::of(c, connections, conversion.id)?;
    let mut planned = Vec::new();
    for connection in connections.iter().filter(|c| only.is_none_or(|id| id == c.id)) {
        let Some(destination) = sending(connection) else { continue };
        let kind = destination.kind_of(conversion.kind, conversion.name.as_deref());
        // One hour of safety, so that an event does not grow too old on the way.
        let not_after = destination.age_limit_ms().map(|limit| conversion.happened_at.plus_ms(limit - HOUR_MS));
        let skip = if conversion.is_erased {
            Some("erased")
        } else if !conversion.counts {
            Some("not_counted")
        } else if conversion.is_imported {
            Some("imported")
        } else if kind.is_none() {
            Some("unsupported_kind")
        } else if let Some(why) = tellers.keep_from(connection) {
            Some(why)
        } else if !may.is_allowed {
            Some("consent")
        } else if not_after.is_some_and(|limit| now > limit) {
            Some("too_old")
        } else {
            None
        };
        let is_waiting = matches!(connection.status, Status::Paused | Status::NotConfigured);
        let row = Planned {
            connection: connection.id,
            conversion: conversion.id,
            platform: &connection.platform,
            kind: kind.as_deref().unwrap_or(conversion.kind.word()),
            event_id: &conversion.event_id,
            mode: connection.mode,
            skip,
            hold: if skip.is_none() && is_hopeless(c, connection)? { Some(deliveries::FAILING) } else { None },
            next_at: (!is_waiting).then_some(now),
            not_after,
            now,
            day: site.zone.day(now),
        };
        planned.extend(deliveries::plan(c, &row, known)?);
    }
    Ok(planned)
}

/// Another platform has told of a known conversion: what waits for it, or for whom it tells itself, need not go.
pub fn heed_teller(c: &SiteConn, connections: &[Arc<Connection>], conversion: ConversionId, now: Time) -> Result<Vec<Made>> {
    let tellers = Tellers::of(c, connections, conversion)?;
    let mut skipped = Vec::new();
    for connection in connections {
        if let Some(why) = tellers.keep_from(connection) {
            skipped.extend(deliveries::skip_waiting(c, conversion, connection.id, why, now)?);
        }
    }
    Ok(skipped)
}

/// The destination of a connection that is set up to be told.
pub fn sending(connection: &Connection) -> Option<&'static dyn destinations::Destination> {
    destinations::find(&connection.platform).filter(|d| d.is_set_up(&connection.settings))
}

/// Who has told of a conversion, as far as it decides who is told.
struct Tellers<'a> {
    platforms: Vec<String>,
    /// Connections of those that tell others by themselves.
    told_too: Vec<&'a Arc<Connection>>,
}

impl<'a> Tellers<'a> {
    fn of(c: &SiteConn, connections: &'a [Arc<Connection>], conversion: ConversionId) -> Result<Self> {
        // Most sites have no platform that both tells and is told.
        let matters = |c: &Arc<Connection>| sources::find(&c.platform).is_some_and(|s| sending(c).is_some() || tells_others(s, c));
        if !connections.iter().any(matters) {
            return Ok(Self { platforms: Vec::new(), told_too: Vec::new() });
        }
        let tellers = reports::list_tellers(c, conversion)?;
        let told_too = connections.iter().filter(|c| tellers.iter().any(|(id, _)| *id == c.id.number())).collect();
        Ok(Self { platforms: tellers.into_iter().map(|(_, platform)| platform).collect(), told_too })
    }

    fn keep_from(&self, connection: &Connection) -> Option<&'static str> {
        if self.platforms.contains(&connection.platform) {
            return Some(deliveries::OWN_REPORT);
        }
        let tells_it = |teller: &&Arc<Connection>| {
            sources::find(&teller.platform).is_some_and(|s| s.tells_itself(&teller.settings).contains(&connection.platform.as_str()))
        };
        self.told_too.iter().any(tells_it).then_some(deliveries::TOLD_ALREADY)
    }
}

fn tells_others(source: &dyn Source, connection: &Connection) -> bool {
    !source.tells_itself(&connection.settings).is_empty()
}

/// As the file has it: what is held is let go once, and the book may be a moment behind that. One that turned hopeless
/// behind the book's back costs a try, after which it is held like the others.
pub fn is_hopeless(c: &SiteConn, connection: &Connection) -> Result<bool> {
    Ok(connection.breaker.is_hopeless() && connections::find_breaker(c, connection.id)?.is_hopeless())
}
