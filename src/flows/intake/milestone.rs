//! A step on the way to becoming a customer. The words by which somebody becomes a lead make one; every other step is kept
//! beside the person, and where it says where they came from it counts as a touch of what comes later.

use crate::crypto;
use crate::domain::affiliate;
use crate::domain::campaign::{ClickIds, normal_source};
use crate::domain::conversion::SAME_LEAD_MS;
use crate::domain::fact::{Lead, Milestone, Stated, Traces};
use crate::domain::ids::{ContactId, MilestoneId, SessionId};
use crate::domain::milestone::{clicks_in, is_lead};
use crate::domain::outcome::{Said, Word, holding};
use crate::error::Result;
use crate::store::affiliates;
use crate::store::milestones::{self, Filed, OfBooking};
use crate::store::people::identities_of;
use crate::store::sites::Site;

use super::telling::{known_person, told_session};
use super::{Context, Stored, given_id, lead};

pub fn store(x: &Context, m: &Milestone) -> Result<Stored> {
    let clicks = clicks_in(&m.data);
    let key = key(x.site, x.connection, m);
    let known = milestones::find_by_key(x.c, &key[..16])?;
    if let Some(known) = known.as_ref().filter(|known| known.is_erased) {
        // Told once more after an erasure: it makes nobody of them again.
        return Ok(Stored { conversion: known.conversion, ..kept(known.id, m, false) });
    }
    let session = told_session(x, &m.traces)?;
    let contact = match x.erased_at {
        Some(_) => None,
        None => known_person(x, &m.person, &m.traces, session, &m.source, m.happened_at)?,
    };
    let booking = m.external_id.as_deref().filter(|_| x.connection > 0 && Word::of(&m.kind).is_some());
    if let Some(known) = known {
        let is_end = booking.is_some() && Word::of(&m.kind) != Some(Word::Stands);
        if known.is_undone && !is_end {
            milestones::redo(x.c, known.id, m.happened_at)?;
        }
        let mut is_changed = milestones::learned(x.c, known.id, m, contact, session)? || (known.is_undone && !is_end);
        if let Some(booking) = booking {
            is_changed |= weigh(x, m, booking, known.id, false)?;
        }
        let mut stored = kept(known.id, m, false);
        (stored.conversion, stored.is_changed) = (known.conversion, is_changed);
        return Ok(stored);
    }
    let filed = Filed {
        connection: x.connection,
        key: &key[..16],
        milestone: m,
        contact,
        session,
        click: clicks.first().map(|(kind, _)| kind),
        received_at: x.heard_at,
        erased_at: x.erased_at,
    };
    let id = milestones::add(x.c, &filed)?;
    if let Some(booking) = booking {
        weigh(x, m, booking, id, true)?;
    }
    match contact {
        Some(contact) if is_lead(&m.kind) => {
            let mut lead = lead_of(m, &key, &clicks);
            lead.traces.affiliate = lead.traces.affiliate.or(partner(x, m)?);
            as_lead(x, m, &lead, id, session, contact)
        }
        _ => Ok(kept(id, m, true)),
    }
}

/// Something was said of a booking: of all that is known of it, what holds now (`domain/outcome.rs`). What does not stays as a
/// row. Gives whether anything came of it. What a platform has taken back by showing that it is not so is weighed no more.
fn weigh(x: &Context, m: &Milestone, booking: &str, id: MilestoneId, is_new: bool) -> Result<bool> {
    let rows = milestones::list_of_booking(x.c, x.connection, booking)?;
    let Some(own) = rows.iter().find(|row| row.id == id) else { return Ok(false) };
    let word = |row: &OfBooking| Word::of(&row.kind);
    // An end may be told before its booking.
    let is_first = is_new && word(own) == Some(Word::Stands) && rows.iter().all(|row| row.id == id || word(row) != Some(Word::Stands));
    // What is only taken to be so again says nothing of when it was told.
    let newest = if own.is_undone && m.told_at.is_none() { None } else { own.told_at.max(m.told_at) };
    let is_of_them = |row: &OfBooking| row.contact.is_none() || own.contact.is_none() || row.contact == own.contact;
    let is_weighed = |row: &&OfBooking| row.id == id || !row.is_undone || (is_first && row.told_at.is_some());
    let weighed: Vec<(&OfBooking, Said)> = rows
        .iter()
        .filter(is_weighed)
        .filter(|row| is_of_them(row))
        .filter_map(|row| Some((row, Said { word: word(row)?, told_at: if row.id == id { newest } else { row.told_at } })))
        .collect();
    let said: Vec<Said> = weighed.iter().map(|(_, said)| *said).collect();
    let holds = holding(&said).map(|place| weighed[place].0.id);
    let mut is_changed = false;
    if newest != own.told_at && (newest > own.told_at || holds == Some(id)) {
        milestones::set_told(x.c, id, newest)?;
    }
    for (row, said) in weighed.iter().filter(|(_, said)| said.word != Word::Stands) {
        if holds == Some(row.id) && row.is_undone {
            let at = match said.word {
                // Who came has come when they were first said to have.
                Word::Came => row.at.min(m.happened_at),
                _ if row.id == id => m.happened_at,
                _ => row.at,
            };
            milestones::redo(x.c, row.id, at)?;
            is_changed = true;
        } else if holds != Some(row.id) && !row.is_undone {
            milestones::undo_one(x.c, row.id, x.now)?;
            is_changed |= row.id != id;
        }
    }
    Ok(is_changed)
}

/// By the sender's own id, else by person, step and second (spec 8). Each connection numbers its own.
pub fn key(site: &Site, connection: i64, m: &Milestone) -> [u8; 32] {
    let teller = connection.to_string();
    let parts: Vec<String> = match &m.external_id {
        Some(id) => vec!["id".into(), id.clone()],
        None => {
            let who = identities_of(&m.person).into_iter().next();
            let who = who.map(|(kind, value)| format!("{}:{value}", kind.word()));
            let who = who.or(m.traces.session.clone()).unwrap_or_else(|| all_said(m));
            vec!["at".into(), who, m.happened_at.s().to_string()]
        }
    };
    let mut all: Vec<&[u8]> = vec![b"milestone\0", teller.as_bytes(), b"\0", m.source.as_bytes(), b"\0", m.kind.as_bytes()];
    for part in &parts {
        all.extend([&b"\0"[..], part.as_bytes()]);
    }
    crypto::hmac_sha256(&site.keys.digest, &all)
}

/// Of somebody who is not named, two of a second are one only where they say the same.
fn all_said(m: &Milestone) -> String {
    let p = &m.person;
    let names = [&p.first_name, &p.last_name, &p.company, &m.referrer];
    serde_json::json!([names, m.utm, m.data, m.metadata]).to_string()
}

/// The step makes a lead, unless it is the same one said in another word.
fn as_lead(x: &Context, m: &Milestone, lead: &Lead, id: MilestoneId, session: Option<SessionId>, contact: ContactId) -> Result<Stored> {
    if let Some(known) = milestones::find_lead_near(x.c, contact, x.connection, m.happened_at, SAME_LEAD_MS)? {
        milestones::set_conversion(x.c, id, known)?;
        return Ok(Stored { conversion: Some(known), ..kept(id, m, true) });
    }
    let told = lead::store_of(x, lead, session, Some(contact))?;
    if let Some(conversion) = told.conversion {
        milestones::set_conversion(x.c, id, conversion)?;
    }
    Ok(Stored { fact: Some(id.number()), external_id: id.to_string(), is_new: true, ..told })
}

/// The code of the partner who is said to have sent them, if it is one. Only the owner's own word may name one.
fn partner(x: &Context, m: &Milestone) -> Result<Option<String>> {
    let Some(code) = m.by_hand.referred_by.as_deref().and_then(affiliate::code).filter(|_| !x.is_asserted) else { return Ok(None) };
    for kind in ["code", "coupon"] {
        if affiliates::find_by_code(x.c, kind, &code)?.is_some() {
            return Ok(Some(code));
        }
    }
    Ok(None)
}

fn lead_of(m: &Milestone, key: &[u8; 32], clicks: &ClickIds) -> Lead {
    let stated = m.utm.source.as_ref().map(|source| Stated {
        source: normal_source(source),
        medium: m.utm.medium.clone(),
        campaign: m.utm.campaign.clone(),
    });
    Lead {
        external_id: Some(m.external_id.as_ref().map_or_else(|| given_id(key), |id| format!("{}:{id}", m.source))),
        source: m.source.clone(),
        happened_at: m.happened_at,
        person: m.person.clone(),
        traces: Traces {
            click_ids: clicks.iter().map(|(_, value)| value.to_owned()).collect(),
            stated: m.traces.stated.clone().or(stated),
            ..m.traces.clone()
        },
        message: m.by_hand.note.clone(),
        form_type: m.kind.clone(),
        value: m.by_hand.value,
        custom_fields: serde_json::json!({}),
        url: None,
        content_key: *key,
        is_imported: m.is_imported,
    }
}

fn kept(id: MilestoneId, m: &Milestone, is_new: bool) -> Stored {
    Stored { fact: Some(id.number()), is_new, ..Stored::of("milestone", m.external_id.clone().unwrap_or_else(|| id.to_string())) }
}
