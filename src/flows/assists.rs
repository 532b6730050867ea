//! Which conversation led to a conversion: judged with its credit, kept in a row of its own, and frozen like it. A chat
//! that is told late may explain what nothing explained before; nothing else moves.

use serde_json::{Value, json};

use crate::domain::attribution::Evidence;
use crate::domain::attribution::chat::{self, Assist};
use crate::domain::fact::{Person, Traces};
use crate::domain::ids::{ConversationId, ConversionId, SessionId};
use crate::domain::time::{HOUR_MS, Time};
use crate::error::Result;
use crate::flows::crediting::{self, Known};
use crate::store::chat_assists;
use crate::store::conversations::{self, Asked, Conversation};
use crate::store::conversions::{self, Conversion};
use crate::store::evidence;
use crate::store::people::{self, IdentityKind, identities_of};
use crate::store::scope::SiteConn;
use crate::store::sessions;
use crate::store::sites::Site;

/// For how long after a conversion was told a chat may still explain it (spec 4.1).
const LATE_MS: i64 = 24 * HOUR_MS;

/// On what occasion a verdict is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The conversion is first known.
    First,
    /// A better informed report speaks for it now.
    Joined,
    /// Who it was, or what was said, was told after the conversion.
    Late,
}

/// The verdict on all conversations of the person and the browsers. None where nobody has ever chatted on the site.
pub fn judge(c: &SiteConn, conversion: &Conversion, known: &Known, evidence: &Evidence) -> Result<Option<Assist>> {
    if conversations::is_empty(c)? {
        return Ok(None);
    }
    Ok(Some(verdict(c, conversion, known, evidence, None)?))
}

fn verdict(c: &SiteConn, conversion: &Conversion, known: &Known, evidence: &Evidence, only: Option<ConversationId>) -> Result<Assist> {
    let links: Vec<_> = evidence.sessions.iter().map(|s| (SessionId::new(s.session), s.link)).collect();
    let mut identities = identities_of(known.person);
    if let Some(contact) = known.contact.filter(|_| !known.is_asserted) {
        identities.extend(people::list_identities(c, contact)?);
    }
    let mut talks = conversations::list_before(
        c,
        &Asked {
            sessions: &links,
            contact: known.contact,
            identities: &identities,
            is_asserted: known.is_asserted,
            until: chat::until(conversion.happened_at),
        },
    )?;
    if let Some(only) = only {
        talks.retain(|t| t.conversation == only.number());
    }
    Ok(chat::judge(conversion.happened_at, &talks))
}

/// Stores a verdict where one may stand. One that matched is never replaced by what is told later of another
/// conversation; what the very conversation that was told late goes on to tell still counts, for the same day.
pub fn keep(c: &SiteConn, conversion: ConversionId, assist: Option<&Assist>, when: When, now: Time) -> Result<bool> {
    let Some(assist) = assist else { return Ok(false) };
    let before = chat_assists::find(c, conversion)?;
    let is_late = match (&before, when) {
        (None, _) => when == When::Late,
        (Some(b), _) if b.conversation.is_none() => {
            if assist.claim.is_none() {
                return Ok(false);
            }
            when == When::Late
        }
        (Some(b), When::Joined) if assist.claim.is_some() => b.is_late,
        (Some(b), When::Late) if b.is_late && b.conversation == assist.claim.as_ref().map(|x| ConversationId::new(x.conversation)) => true,
        _ => return Ok(false),
    };
    chat_assists::save(c, conversion, assist, is_late, now)?;
    Ok(true)
}

/// Whether a verdict may still change by what is told now.
pub fn is_open(c: &SiteConn, conversion: &Conversion, now: Time) -> Result<bool> {
    if now.ms_since(conversion.received_at) > LATE_MS || conversations::is_empty(c)? {
        return Ok(false);
    }
    Ok(chat_assists::find(c, conversion.id)?.is_none_or(|b| b.conversation.is_none() || b.is_late))
}

/// News of a conversation: conversions of the last day that it may explain are judged with it.
pub fn heard(c: &SiteConn, site: &Site, talk: &Conversation, now: Time) -> Result<()> {
    if talk.messages == 0 {
        return Ok(());
    }
    let mut contacts: Vec<_> = talk.contact.into_iter().collect();
    let said = [(IdentityKind::Email, &talk.email), (IdentityKind::Phone, &talk.phone)];
    for (kind, value) in said.into_iter().filter_map(|(kind, value)| Some((kind, value.as_deref()?))) {
        contacts.extend(people::holder_of(c, kind, value)?);
    }
    if let Some(session) = talk.session {
        contacts.extend(sessions::find_contact(c, session)?);
    }
    contacts.sort_unstable();
    contacts.dedup();
    let reach = (talk.first_at.plus_ms(-1_000), talk.last_at.plus_ms(chat::LONGEST_MS + 1_000));
    for (id, is_of_page) in chat_assists::list_open(c, &contacts, talk.session, now.plus_ms(-LATE_MS), reach)? {
        let Some(conversion) = conversions::find(c, id)?.filter(|v| !v.is_erased) else { continue };
        let (person, traces) = (Person::default(), Traces::default());
        let known = Known {
            session: conversion.session,
            person: &person,
            contact: conversion.contact,
            traces: &traces,
            journey: &[],
            is_asserted: is_of_page,
        };
        late(c, site, &conversion, &known, now)?;
    }
    Ok(())
}

/// Judges once more what may still change.
pub fn late(c: &SiteConn, site: &Site, conversion: &Conversion, known: &Known, now: Time) -> Result<()> {
    if !is_open(c, conversion, now)? {
        return Ok(());
    }
    if site.settings.policy.chat_credit && conversion.match_type == "none" {
        let outcome = crediting::judge(c, site, conversion, known, now)?;
        if outcome.is_attributed {
            return crediting::write(c, site, conversion, conversion.run + 1, "late chat", &outcome, now);
        }
    }
    let only = chat_assists::find(c, conversion.id)?.and_then(|b| b.conversation);
    let evidence = evidence::gather(c, crediting::asked(site, conversion, known))?;
    let assist = verdict(c, conversion, known, &evidence, only)?;
    keep(c, conversion.id, Some(&assist), When::Late, now)?;
    Ok(())
}

/// A conversion's attribution as answers tell it: with the conversation that led to it, by the sender's own id.
pub fn shown(c: &SiteConn, conversion: ConversionId, mut snapshot: Value) -> Result<Value> {
    if let Value::Object(fields) = &mut snapshot
        && let Some(chat) = chat_assists::find(c, conversion)?.filter(|chat| chat.conversation.is_some())
    {
        let confidence = f64::from(chat.confidence_bp) / 10_000.0;
        let told = json!({"conversation_id": chat.external_id, "confidence": confidence, "method": chat.method.word()});
        fields.insert("chat".into(), told);
    }
    Ok(snapshot)
}
