//! Filters under a name, as somebody kept them.

use rusqlite::{Row, named_params};

use super::scope::SiteConn;
use crate::domain::ids::{SegmentId, UserId};
use crate::domain::segment::{Filters, Segment};
use crate::domain::time::Time;
use crate::error::{Error, Result};

const COLUMNS: &str = "id, name, filters, user_id, who, created_at";

/// Everybody's, and those of one user, by name.
pub fn list(c: &SiteConn, user: Option<UserId>) -> Result<Vec<Segment>> {
    c.list(
        &format!("select {COLUMNS} from segments where site_id = :site and (user_id is null or user_id = :user) order by lower(name), id"),
        named_params! {":user": user.map(UserId::number)},
        read,
    )
}

/// One that this user is shown: everybody's, or an own one.
pub fn find(c: &SiteConn, id: SegmentId, user: Option<UserId>) -> Result<Option<Segment>> {
    c.find(
        &format!("select {COLUMNS} from segments where site_id = :site and id = :id and (user_id is null or user_id = :user)"),
        named_params! {":id": id.number(), ":user": user.map(UserId::number)},
        read,
    )
}

pub fn count(c: &SiteConn) -> Result<usize> {
    let count: i64 = c.one("select count(*) from segments where site_id = :site", &[])?;
    Ok(count as usize)
}

/// Another one of the same name, of the same user or of everybody too.
pub fn find_namesake(c: &SiteConn, name: &str, user: Option<UserId>, but: Option<SegmentId>) -> Result<Option<SegmentId>> {
    let found: Option<i64> = c.find(
        "select id from segments where site_id = :site and name = :name and coalesce(user_id, 0) = :user and id <> :but",
        named_params! {":name": name, ":user": user.map_or(0, UserId::number), ":but": but.map_or(0, SegmentId::number)},
        |row| row.get(0),
    )?;
    Ok(found.map(SegmentId::new))
}

pub fn add(c: &SiteConn, name: &str, filters: &Filters, user: Option<UserId>, who: &str, now: Time) -> Result<Segment> {
    let id = c.next_number("segment")?;
    c.execute(
        "insert into segments (site_id, id, user_id, name, filters, who, created_at)
         values (:site, :id, :user, :name, :filters, :who, :now)",
        named_params! {":id": id, ":user": user.map(UserId::number), ":name": name, ":filters": text(filters)?, ":who": who,
        ":now": now.ms()},
    )?;
    let (name, filters, who) = (name.to_owned(), filters.clone(), who.to_owned());
    Ok(Segment { id: SegmentId::new(id), name, filters, user, who, created_at: now })
}

pub fn change(c: &SiteConn, segment: &Segment) -> Result<()> {
    c.execute(
        "update segments set name = :name, filters = :filters where site_id = :site and id = :id",
        named_params! {":name": segment.name, ":filters": text(&segment.filters)?, ":id": segment.id.number()},
    )?;
    Ok(())
}

pub fn remove(c: &SiteConn, id: SegmentId) -> Result<()> {
    c.execute("delete from segments where site_id = :site and id = :id", named_params! {":id": id.number()})?;
    Ok(())
}

/// Somebody is no member any more: what was theirs alone goes.
pub fn remove_of(c: &SiteConn, user: UserId) -> Result<()> {
    c.execute("delete from segments where site_id = :site and user_id = :user", named_params! {":user": user.number()})?;
    Ok(())
}

fn text(filters: &Filters) -> Result<String> {
    serde_json::to_string(filters).map_err(Error::internal)
}

fn read(row: &Row) -> rusqlite::Result<Segment> {
    let (filters, user): (String, Option<i64>) = (row.get(2)?, row.get(3)?);
    Ok(Segment {
        id: SegmentId::new(row.get(0)?),
        name: row.get(1)?,
        filters: serde_json::from_str(&filters).unwrap_or_default(),
        user: user.map(UserId::new),
        who: row.get(4)?,
        created_at: Time::from_ms(row.get(5)?),
    })
}
