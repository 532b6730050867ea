//! Everything stored that might explain a conversion, gathered for the rules to judge.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::people::{IdentityKind, list_identities, sessions_of};
use super::scope::SiteConn;
use super::{milestones, short_codes, short_links, touches};
use crate::domain::attribution::{Evidence, Link, LinkedSession, latest_before};
use crate::domain::campaign::{ClickIds, ClickKind, classify, landing};
use crate::domain::fact::{Person, Traces};
use crate::domain::ids::{ContactId, LinkId, SessionId};
use crate::domain::time::Time;
use crate::domain::touch::{TouchKind, Touchpoint};
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
    /// Clicks on our own links that the fact quotes: each id proves its link and its moment.
    pub link_clicks: Vec<(&'a str, LinkId, Time)>,
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
    if let (false, Some(session)) = (asked.is_asserted, short_codes::find_one(c, &asked.traces.codes, asked.happened_at)?) {
        add(session, Link::Code);
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
    for (click, link, at) in &asked.link_clicks {
        // Where its page was seen, that visit speaks for it.
        if touches::sessions_with_click(c, click)?.is_empty()
            && let Some(touch) = followed(c, click, *link, *at, &asked.site_domains)?
        {
            sessions.push(LinkedSession { session: 0, link: Link::Click, touches: vec![touch] });
        }
    }
    if !asked.journey.is_empty() {
        sessions.push(LinkedSession { session: 0, link: Link::Imported, touches: asked.journey });
    }
    Ok(Evidence { sessions, stated: asked.traces.stated.clone() })
}

/// A click on a link of ours that no page gave back, as a touch: the link says all of it but the host before it and the device,
/// which the click's row adds while there is one.
fn followed(c: &SiteConn, click: &str, link: LinkId, at: Time, site_domains: &[&str]) -> Result<Option<Touchpoint>> {
    let Some(link) = short_links::find(c, link)? else { return Ok(None) };
    let (referrer, device) = short_links::find_click(c, click)?.unwrap_or_default();
    let mut clicks = ClickIds::new();
    clicks.add(ClickKind::HaloClick, click);
    let origin = classify(&link.words.utm, &clicks, referrer.as_deref(), site_domains, &[]);
    Ok(Some(Touchpoint {
        session: 0,
        seq: 0,
        at,
        kind: TouchKind::Link,
        source: origin.source,
        medium: origin.medium,
        campaign: origin.campaign,
        term: origin.term,
        content: origin.content,
        campaign_id: None,
        landing: Some(landing(&link.target, &[]).path),
        referrer: origin.referrer_host,
        click: Some(ClickKind::HaloClick.name().to_owned()),
        short_link: Some(link.id),
        device,
        is_direct: origin.is_direct,
        is_imported: false,
    }))
}
