//! What visitors and people answered: the present answer stands in the row of the session or contact, what it replaced in
//! a row of its own.

use rusqlite::named_params;

use super::scope::SiteConn;
use crate::domain::ids::{ContactId, SessionId};
use crate::domain::time::Time;
use crate::error::Result;

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

/// A person's present answer is replaced: it is kept here.
pub fn retire_of_contact(c: &SiteConn, contact: ContactId) -> Result<()> {
    let id = c.next_inner_number("consent")?;
    c.execute(
        "insert into consents (site_id, id, contact_id, at, manager, analytics, marketing)
         select site_id, :id, id, marketing_at, coalesce(marketing_by, 'api'), 'unknown', marketing
         from contacts where site_id = :site and id = :contact and marketing_at is not null",
        named_params! {":id": id, ":contact": contact.number()},
    )?;
    Ok(())
}

/// The newest explicit answer on marketing of any of these sessions and people: when, and whether granted. A denial wins
/// a tie.
pub fn newest_marketing(c: &SiteConn, sessions: &[SessionId], contacts: &[ContactId]) -> Result<Option<(Time, bool)>> {
    let mut answers: Vec<(Time, bool)> = Vec::new();
    let mut add = |found: Option<(i64, String)>| {
        if let Some((at, word)) = found.filter(|(_, word)| word != "unknown") {
            answers.push((Time::from_ms(at), word == "granted"));
        }
    };
    for session in sessions {
        add(c.find(
            "select consent_at, marketing from sessions where site_id = :site and id = :id and consent_at is not null",
            named_params! {":id": session.number()},
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?);
    }
    for contact in contacts {
        add(c.find(
            "select marketing_at, marketing from contacts where site_id = :site and id = :id and marketing_at is not null",
            named_params! {":id": contact.number()},
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?);
    }
    Ok(answers.into_iter().max_by_key(|(at, is_granted)| (*at, !is_granted)))
}
