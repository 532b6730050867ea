//! Raw bodies as received, kept for a short time, and digests of what was seen, kept for ever.

use rusqlite::named_params;

use super::scope::SiteConn;
use crate::domain::ids::{ConnectionId, ImportId, InboxId};
use crate::domain::time::Time;
use crate::error::Result;

pub struct NewBody<'a> {
    pub connection: Option<ConnectionId>,
    pub platform: &'a str,
    pub path: &'a str,
    pub received_at: Time,
    pub state: &'static str,
    pub reason: Option<&'a str>,
    pub content_type: &'a str,
    pub body: &'a [u8],
    pub digest: &'a [u8],
}

pub fn add(c: &SiteConn, new: &NewBody) -> Result<InboxId> {
    let id = c.next_number("in")?;
    c.execute(
        "insert into inbox (site_id, id, connection_id, platform, path, received_at, state, reason, content_type, body, digest)
         values (:site, :id, :connection, :platform, :path, :at, :state, :reason, :type, nullif(:body, x''), :digest)",
        named_params! {":id": id, ":connection": new.connection.map(ConnectionId::number), ":platform": new.platform, ":path": new.path,
        ":at": new.received_at.ms(), ":state": new.state, ":reason": new.reason, ":type": new.content_type, ":body": new.body,
        ":digest": new.digest},
    )?;
    Ok(InboxId::new(id))
}

/// The receipt of the same content from the same connection, if it came before.
pub fn find_seen(c: &SiteConn, connection: ConnectionId, digest: &[u8]) -> Result<Option<InboxId>> {
    c.find(
        "select inbox_id from seen where site_id = :site and connection_id = :connection and digest = :digest",
        named_params! {":connection": connection.number(), ":digest": digest},
        |row| Ok(InboxId::new(row.get(0)?)),
    )
}

pub fn add_seen(c: &SiteConn, connection: ConnectionId, digest: &[u8], id: InboxId) -> Result<()> {
    c.execute(
        "insert into seen (site_id, connection_id, digest, inbox_id) values (:site, :connection, :digest, :id) on conflict do nothing",
        named_params! {":connection": connection.number(), ":digest": digest, ":id": id.number()},
    )?;
    Ok(())
}

/// So that erasure finds a raw body by a person's digest without reading every body.
pub fn add_person(c: &SiteConn, id: InboxId, digest: &[u8]) -> Result<()> {
    c.execute(
        "insert into inbox_people (site_id, digest, inbox_id) values (:site, :digest, :id) on conflict do nothing",
        named_params! {":digest": digest, ":id": id.number()},
    )?;
    Ok(())
}

pub fn set_state(c: &SiteConn, id: InboxId, state: &'static str, reason: Option<&str>) -> Result<()> {
    c.execute(
        "update inbox set state = :state, reason = :reason where site_id = :site and id = :id",
        named_params! {":state": state, ":reason": reason, ":id": id.number()},
    )?;
    Ok(())
}

/// From one state to another; false where it stands in a third or is not there.
pub fn turn(c: &SiteConn, id: InboxId, from: &'static str, to: &'static str) -> Result<bool> {
    let changed = c.execute(
        "update inbox set state = :to where site_id = :site and id = :id and state = :from",
        named_params! {":to": to, ":from": from, ":id": id.number()},
    )?;
    Ok(changed > 0)
}

pub fn find_state(c: &SiteConn, id: InboxId) -> Result<Option<String>> {
    c.find("select state from inbox where site_id = :site and id = :id", named_params! {":id": id.number()}, |row| row.get(0))
}

/// The file of history that a row stands for.
pub fn find_import(c: &SiteConn, id: InboxId) -> Result<Option<ImportId>> {
    let path: Option<String> = c.find(
        "select path from inbox where site_id = :site and id = :id and platform = 'import'",
        named_params! {":id": id.number()},
        |row| row.get(0),
    )?;
    Ok(path.and_then(|path| path.strip_prefix("/imports/")?.parse().ok()))
}

/// A body to be run again.
#[derive(Debug, Clone)]
pub struct Kept {
    pub id: InboxId,
    pub connection: Option<ConnectionId>,
    pub platform: String,
    pub path: String,
    pub state: String,
    pub content_type: String,
    pub body: Vec<u8>,
    pub received_at: Time,
}

pub fn find_body(c: &SiteConn, id: InboxId) -> Result<Option<Kept>> {
    c.find(
        "select id, connection_id, platform, path, state, coalesce(content_type, ''), coalesce(body, x''), received_at from inbox
         where site_id = :site and id = :id",
        named_params! {":id": id.number()},
        |row| {
            let connection: Option<i64> = row.get(1)?;
            Ok(Kept {
                id: InboxId::new(row.get(0)?),
                connection: connection.map(ConnectionId::new),
                platform: row.get(2)?,
                path: row.get(3)?,
                state: row.get(4)?,
                content_type: row.get(5)?,
                body: row.get(6)?,
                received_at: Time::from_ms(row.get(7)?),
            })
        },
    )
}

/// Bodies of a connection that were not understood and are still there, the oldest first.
pub fn list_quarantined(c: &SiteConn, connection: ConnectionId) -> Result<Vec<InboxId>> {
    c.list(
        "select id from inbox where site_id = :site and state = 'quarantined' and connection_id = :connection and body is not null
         order by received_at, id limit 1000",
        named_params! {":connection": connection.number()},
        |row| Ok(InboxId::new(row.get(0)?)),
    )
}

/// Bodies of a platform since a time, the oldest first.
pub fn list_since(c: &SiteConn, platform: &str, since: Time, limit: i64) -> Result<Vec<InboxId>> {
    c.list(
        "select id from inbox where site_id = :site and received_at >= :since and platform = :platform order by received_at, id limit :limit",
        named_params! {":since": since.ms(), ":platform": platform, ":limit": limit},
        |row| Ok(InboxId::new(row.get(0)?)),
    )
}
