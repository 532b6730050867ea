//! What the owner knows of a day.

use rusqlite::named_params;

use super::scope::SiteConn;
use crate::domain::ids::NoteId;
use crate::domain::question::Span;
use crate::domain::time::{Day, Time};
use crate::error::Result;

/// Notes that one look shows.
const MOST: i64 = 500;

#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    pub id: NoteId,
    pub day: Day,
    pub text: String,
    pub who: String,
    pub created_at: Time,
}

pub fn add(c: &SiteConn, day: Day, text: &str, who: &str, now: Time) -> Result<Note> {
    let id = c.next_number("note")?;
    c.execute(
        "insert into notes (site_id, id, day, text, who, created_at) values (:site, :id, :day, :text, :who, :now)",
        named_params! {":id": id, ":day": day.0, ":text": text, ":who": who, ":now": now.ms()},
    )?;
    Ok(Note { id: NoteId::new(id), day, text: text.to_owned(), who: who.to_owned(), created_at: now })
}

/// In the order of days.
pub fn list(c: &SiteConn, span: Span) -> Result<Vec<Note>> {
    let (from, to) = (span.from.map_or(i32::MIN, |d| d.0), span.to.map_or(i32::MAX, |d| d.0));
    c.list(
        "select id, day, text, who, created_at from notes
         where site_id = :site and day between :from and :to order by day, id limit :most",
        named_params! {":from": from, ":to": to, ":most": MOST},
        |row| {
            Ok(Note {
                id: NoteId::new(row.get(0)?),
                day: Day(row.get(1)?),
                text: row.get(2)?,
                who: row.get(3)?,
                created_at: Time::from_ms(row.get(4)?),
            })
        },
    )
}

/// Whether there was one.
pub fn remove(c: &SiteConn, id: NoteId) -> Result<bool> {
    Ok(c.execute("delete from notes where site_id = :site and id = :id", named_params! {":id": id.number()})? > 0)
}
