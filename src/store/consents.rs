//! What visitors and people answered: the present answer stands in the row of the session or contact, what it replaced in
//! a row of its own.

use rusqlite::named_params;

use super::scope::SiteConn;
use super::sessions::Words;
use crate::domain::consent::Heard;
use crate::domain::ids::{ContactId, SessionId};
use crate::domain::time::Time;
use crate::error::Result;

/// A browser's present answer is replaced: it is kept here.
pub fn retire(c: &SiteConn, session: SessionId) -> Result<()> {
    let id = c.next_inner_number("consent")?;
    c.execute(
        "insert into consents (site_id, id, session_id, at, manager, analytics, marketing, heard_at)
         select site_id, :id, id, consent_at, coalesce(consent_by, 'page'), analytics, marketing, consent_at
         from sessions where site_id = :site and id = :session and consent_at is not null",
        named_params! {":id": id, ":session": session.number()},
    )?;
    Ok(())
}

/// Whether the answer that was kept last of this browser is the same.
pub fn is_retired(c: &SiteConn, session: SessionId, words: &Words) -> Result<bool> {
    let newest: Option<(String, String)> = c.find(
        "select analytics, marketing from consents where site_id = :site and session_id = :session order by id desc limit 1",
        named_params! {":session": session.number()},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(newest.is_some_and(|(analytics, marketing)| analytics == words.analytics && marketing == words.marketing))
}

/// Whether a fact of this browser has brought a yes of its own at that moment or later.
pub fn has_own_yes(c: &SiteConn, session: SessionId, since: Time) -> Result<bool> {
    let found: Option<i64> = c.find(
        "select 1 from conversions
         where site_id = :site and session_id = :session and consent_given = 1 and min(happened_at, received_at) >= :since limit 1",
        named_params! {":session": session.number(), ":since": since.ms()},
        |row| row.get(0),
    )?;
    Ok(found.is_some())
}

/// A person's present answer is replaced: it is kept here.
pub fn retire_of_contact(c: &SiteConn, contact: ContactId) -> Result<()> {
    let id = c.next_inner_number("consent")?;
    c.execute(
        "insert into consents (site_id, id, contact_id, at, manager, analytics, marketing, heard_at)
         select site_id, :id, id, marketing_at, coalesce(marketing_by, 'api'), 'unknown', marketing, coalesce(marketing_heard_at, marketing_at)
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

/// All that a browser has ever answered on marketing, with when it was heard.
pub fn answers_of_session(c: &SiteConn, session: SessionId) -> Result<Vec<Heard>> {
    answers(
        c,
        "select at, heard_at, marketing from consents where site_id = :site and session_id = :id and contact_id is null
         union all
         select consent_at, consent_at, marketing from sessions where site_id = :site and id = :id and consent_at is not null",
        session.number(),
    )
}

/// The same of what facts have told of a person.
pub fn answers_of_contact(c: &SiteConn, contact: ContactId) -> Result<Vec<Heard>> {
    answers(
        c,
        "select at, heard_at, marketing from consents where site_id = :site and contact_id = :id
         union all
         select marketing_at, coalesce(marketing_heard_at, marketing_at), marketing from contacts
         where site_id = :site and id = :id and marketing_at is not null",
        contact.number(),
    )
}

fn answers(c: &SiteConn, sql: &str, id: i64) -> Result<Vec<Heard>> {
    let all: Vec<(i64, i64, String)> = c.list(sql, named_params! {":id": id}, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let heard = |(at, heard_at, word): &(i64, i64, String)| Heard {
        at: Time::from_ms(*at),
        heard_at: Time::from_ms(*heard_at),
        is_granted: word == "granted",
    };
    Ok(all.iter().filter(|(_, _, word)| word != "unknown").map(heard).collect())
}
