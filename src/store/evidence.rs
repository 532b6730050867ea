//! Everything stored that might explain a conversion, gathered for the rules to judge.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::people::{IdentityKind, list_identities, sessions_of};
use super::scope::SiteConn;
use super::{milestones, touches};
use crate::domain::attribution::{Evidence, Link, LinkedSession, latest_before};
use crate::domain::fact::{Person, Traces};
use crate::domain::ids::{ContactId, SessionId};
use crate::domain::time::Time;
use crate::domain::touch::Touchpoint;
use crate::error::Result;

/// Links looked at for one conversion at most.
const MOST: usize = 100;

pub struct Asked<'a> {
    pub session: Option<SessionId>,
    pub person: &'a Person,
    pub contact: Option<ContactId>,
    pub traces: &'a Traces,
    /// What the sender itself has noted of the visits.
    pub journey: Vec<Touchpoint>,
    /// Who it was is only said by a browser.
    pub is_asserted: bool,
    pub happened_at: Time,
    pub site_domains: Vec<&'a str>,
}

/// Sessions linked to the fact, by each of their links, with their touches up to the moment it happened.
pub fn gather(c: &SiteConn, asked: Asked) -> Result<Evidence> {
    // Every link of a session, not only the strongest: the others tell what else would have found it.
    let mut links: Vec<(SessionId, Link)> = Vec::new();
    let mut add = |session: SessionId, link: Link| {
        if links.len() < MOST && !links.contains(&(session, link)) {
            links.push((session, link));
        }
    };
    if let Some(session) = asked.session {
        add(session, Link::Session);
    }
    for click in &asked.traces.click_ids {
        for session in touches::sessions_with_click(c, click)? {
            add(session, Link::Click);
        }
    }
    let mut identities: Vec<(IdentityKind, String)> = super::people::identities_of(asked.person);
    if let Some(contact) = asked.contact.filter(|_| !asked.is_asserted) {
        for identity in list_identities(c, contact)? {
            if !identities.contains(&identity) {
                identities.push(identity);
            }
        }
    }
    for (kind, value) in &identities {
        let known = sessions_of(c, *kind, value)?;
        if asked.is_asserted && known.iter().any(|(_, is_verified)| *is_verified) {
            // What a browser says may not borrow what somebody else has proved.
            continue;
        }
        for (session, is_verified) in known {
            let link = match (kind, is_verified) {
                (IdentityKind::Email, true) => Link::VerifiedEmail,
                (IdentityKind::Phone, true) => Link::VerifiedPhone,
                (IdentityKind::CustomerId, true) => Link::CustomerId,
                (IdentityKind::Email, false) => Link::AssertedEmail,
                (IdentityKind::Phone, false) => Link::AssertedPhone,
                // A shop's customer numbers are small and guessable: said by a browser they prove nothing.
                (IdentityKind::CustomerId, false) => continue,
            };
            add(session, link);
        }
    }
    // One browser may be linked in several ways; its touches are read once.
    let mut read: HashMap<SessionId, Vec<Touchpoint>> = HashMap::new();
    let mut sessions = Vec::with_capacity(links.len());
    for (session, link) in links {
        let touches = match read.entry(session) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(place) => place.insert(touches::list_before(c, session, latest_before(asked.happened_at))?).clone(),
        };
        sessions.push(LinkedSession { session: session.number(), link, touches });
    }
    if let Some(contact) = asked.contact.filter(|_| !asked.is_asserted) {
        sessions.extend(milestones::touches_before(c, contact, asked.happened_at, &asked.site_domains)?);
    }
    if !asked.journey.is_empty() {
        sessions.push(LinkedSession { session: 0, link: Link::Imported, touches: asked.journey });
    }
    Ok(Evidence { sessions, stated: asked.traces.stated.clone() })
}
