//! What visitors answered: the present answer stands in the session's row, what it replaced in a row of its own.

use rusqlite::named_params;

use super::scope::SiteConn;
use super::sessions::Words;
use crate::domain::ids::{ContactId, SessionId};
use crate::domain::time::Time;
use crate::error::Result;

pub fn add(c: &SiteConn, session: Option<SessionId>, contact: Option<ContactId>, words: &Words, manager: &str, at: Time) -> Result<()> {
    let id = c.next_inner_number("consent")?;
    c.execute(
        "insert into consents (site_id, id, session_id, contact_id, at, manager, analytics, marketing)
         values (:site, :id, :session, :contact, :at, :manager, :analytics, :marketing)",
        named_params! {":id": id, ":session": session.map(SessionId::number), ":contact": contact.map(ContactId::number), ":at": at.ms(),
        ":manager": manager, ":analytics": words.analytics, ":marketing": words.marketing},
    )?;
    Ok(())
}

/// A browser's present answer is replaced: it is kept here.
pub fn retire(c: &SiteConn, session: SessionId) -> Result<()> {
    let id = c.next_inner_number("consent")?;
    c.execute(
        "insert into consents (site_id, id, session_id, at, manager, analytics, marketing)
         select site_id, :id, id, consent_at, coalesce(consent_by, 'page'), analytics, marketing
         from sessions where site_id = :site and id = :session and consent_at is not null",
        named_params! {":id": id, ":session": session.number()},
    )?;
    Ok(())
}

/// The newest explicit answer on marketing of any of these sessions: when, and whether granted. A denial wins a tie.
pub fn newest_marketing(c: &SiteConn, sessions: &[SessionId]) -> Result<Option<(Time, bool)>> {
    let mut newest: Option<(Time, bool)> = None;
    for session in sessions {
        let found: Option<(i64, String)> = c.find(
            "select consent_at, marketing from sessions where site_id = :site and id = :id and consent_at is not null",
            named_params! {":id": session.number()},
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        if let Some((at, word)) = found
            && word != "unknown"
        {
            let this = (Time::from_ms(at), word == "granted");
            let is_newer = newest.is_none_or(|(best, granted)| this.0 > best || (this.0 == best && granted && !this.1));
            if is_newer {
                newest = Some(this);
            }
        }
    }
    Ok(newest)
}
