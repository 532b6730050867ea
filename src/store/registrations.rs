//! Our hooks in the platforms, as they were last seen there, and what has happened to them.

use rusqlite::{Row, named_params};

use super::scope::{AllSites, SiteConn};
use crate::domain::ids::{ConnectionId, SiteId};
use crate::domain::time::Time;
use crate::error::{Error, Result};

#[derive(Debug, Clone, PartialEq)]
pub struct Registration {
    pub checked_at: Option<Time>,
    pub next_at: Time,
    /// The owner has taken the hooks out and wants none.
    pub is_wanted: bool,
    pub failures: i64,
    pub sentence: Option<String>,
    /// What the owner should know: what live updates need, what the credentials may not do.
    pub notes: Vec<String>,
    pub hooks: Vec<Known>,
}

/// A hook as the platform has just shown it.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub topic: String,
    pub id: String,
    pub is_active: bool,
}

/// A hook of ours.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    pub topic: String,
    pub id: String,
    pub is_active: bool,
    pub since: Time,
}

impl Registration {
    /// Hooks are in place and call us.
    pub fn is_active(&self) -> bool {
        !self.hooks.is_empty() && self.hooks.iter().all(|h| h.is_active)
    }
}

const COLUMNS: &str = "checked_at, next_at, is_wanted, failures, sentence, notes";

pub fn find(c: &SiteConn, connection: ConnectionId) -> Result<Option<Registration>> {
    let found = c.find(
        &format!("select {COLUMNS} from registrations where site_id = :site and connection_id = :connection"),
        named_params! {":connection": connection.number()},
        read,
    )?;
    let Some(mut registration) = found else { return Ok(None) };
    registration.hooks = c.list(
        "select topic, external_id, is_active, since from hooks where site_id = :site and connection_id = :connection order by place",
        named_params! {":connection": connection.number()},
        |row| Ok(Known { topic: row.get(0)?, id: row.get(1)?, is_active: row.get(2)?, since: Time::from_ms(row.get(3)?) }),
    )?;
    Ok(Some(registration))
}

fn read(row: &Row) -> rusqlite::Result<Registration> {
    let checked: Option<i64> = row.get(0)?;
    let notes: String = row.get(5)?;
    Ok(Registration {
        checked_at: checked.map(Time::from_ms),
        next_at: Time::from_ms(row.get(1)?),
        is_wanted: row.get(2)?,
        failures: row.get(3)?,
        sentence: row.get(4)?,
        notes: serde_json::from_str(&notes).unwrap_or_default(),
        hooks: Vec::new(),
    })
}

/// Hooks are wanted, and are looked at now.
pub fn want(c: &SiteConn, connection: ConnectionId, now: Time) -> Result<()> {
    c.execute(
        "insert into registrations (site_id, connection_id, next_at) values (:site, :connection, :now)
         on conflict (site_id, connection_id) do update set is_wanted = 1, next_at = excluded.next_at",
        named_params! {":connection": connection.number(), ":now": now.ms()},
    )?;
    Ok(())
}

/// As the platform has them now.
pub fn save(c: &SiteConn, connection: ConnectionId, hooks: &[Seen], notes: &[String], next_at: Time, now: Time) -> Result<()> {
    let known: Vec<(String, String, i64)> = c.list(
        "select topic, external_id, since from hooks where site_id = :site and connection_id = :connection",
        named_params! {":connection": connection.number()},
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    c.execute(
        "delete from hooks where site_id = :site and connection_id = :connection",
        named_params! {":connection": connection.number()},
    )?;
    for (place, hook) in hooks.iter().enumerate() {
        let since = known.iter().find(|(topic, id, _)| *topic == hook.topic && *id == hook.id).map_or(now.ms(), |(_, _, since)| *since);
        c.execute(
            "insert into hooks (site_id, connection_id, topic, external_id, place, is_active, since)
             values (:site, :connection, :topic, :id, :place, :active, :since)
             on conflict (site_id, connection_id, topic) do nothing",
            named_params! {":connection": connection.number(), ":topic": hook.topic, ":id": hook.id, ":place": place as i64,
            ":active": hook.is_active, ":since": since},
        )?;
    }
    let notes = serde_json::to_string(notes).map_err(Error::internal)?;
    c.execute(
        "update registrations set checked_at = :now, next_at = :next, failures = 0, sentence = null, notes = :notes
         where site_id = :site and connection_id = :connection",
        named_params! {":connection": connection.number(), ":now": now.ms(), ":next": next_at.ms(), ":notes": notes},
    )?;
    Ok(())
}

pub fn put_off(c: &SiteConn, connection: ConnectionId, next_at: Time, sentence: &str, now: Time) -> Result<()> {
    c.execute(
        "update registrations set checked_at = :now, next_at = :next, failures = failures + 1, sentence = :sentence
         where site_id = :site and connection_id = :connection",
        named_params! {":connection": connection.number(), ":now": now.ms(), ":next": next_at.ms(), ":sentence": sentence},
    )?;
    Ok(())
}

/// Not looked at before this time, for a fault of ours.
pub fn rest(c: &SiteConn, connection: ConnectionId, next_at: Time) -> Result<()> {
    c.execute(
        "update registrations set next_at = max(next_at, :next) where site_id = :site and connection_id = :connection",
        named_params! {":connection": connection.number(), ":next": next_at.ms()},
    )?;
    Ok(())
}

/// The owner wants no hooks any more.
pub fn unwant(c: &SiteConn, connection: ConnectionId, now: Time) -> Result<()> {
    c.execute(
        "delete from hooks where site_id = :site and connection_id = :connection",
        named_params! {":connection": connection.number()},
    )?;
    c.execute(
        "update registrations set is_wanted = 0, checked_at = :now, sentence = null where site_id = :site and connection_id = :connection",
        named_params! {":connection": connection.number(), ":now": now.ms()},
    )?;
    Ok(())
}

/// The platform is told our address or secret anew: what it holds is not ours until then.
pub fn forget_hooks(c: &SiteConn, connection: ConnectionId) -> Result<()> {
    c.execute(
        "delete from hooks where site_id = :site and connection_id = :connection",
        named_params! {":connection": connection.number()},
    )?;
    Ok(())
}

/// Connections that work and whose hooks are to be looked at.
pub fn list_due(all: &AllSites, now: Time) -> Result<Vec<(SiteId, ConnectionId)>> {
    all.list(
        "select r.site_id, r.connection_id from registrations r join connections k on k.id = r.connection_id
         where r.is_wanted = 1 and r.next_at <= :now and k.removed_at is null and k.status in ('ok', 'needs_attention')
         order by r.next_at limit 100",
        named_params! {":now": now.ms()},
        |row| Ok((SiteId::issued(row.get(0)?), ConnectionId::new(row.get(1)?))),
    )
}

/// What is planned further ahead than this was planned by another clock: it is due now.
pub fn bring_near(c: &SiteConn, connection: ConnectionId, furthest: Time, now: Time) -> Result<()> {
    c.execute(
        "update registrations set next_at = :now where site_id = :site and connection_id = :connection and next_at > :furthest",
        named_params! {":connection": connection.number(), ":furthest": furthest.ms(), ":now": now.ms()},
    )?;
    Ok(())
}

/// A sentence on what has happened to a connection, by itself or by us.
#[derive(Debug, Clone, PartialEq)]
pub struct Happening {
    pub at: Time,
    pub sentence: String,
}

/// `waits_for_pull`: the next pull says how much it brought.
pub fn tell(c: &SiteConn, connection: ConnectionId, sentence: &str, waits_for_pull: bool, now: Time) -> Result<()> {
    let id = c.next_number("happening")?;
    c.execute(
        "insert into happenings (site_id, id, connection_id, at, sentence, waits_for_pull)
         values (:site, :id, :connection, :now, :sentence, :waits)",
        named_params! {":id": id, ":connection": connection.number(), ":now": now.ms(), ":sentence": sentence, ":waits": waits_for_pull},
    )?;
    Ok(())
}

/// The pull that followed what has happened: its end is said in the same sentence.
pub fn tell_pulled(c: &SiteConn, connection: ConnectionId, more: &str) -> Result<usize> {
    c.execute(
        "update happenings set sentence = sentence || ' ' || :more, waits_for_pull = 0
         where site_id = :site and connection_id = :connection and waits_for_pull = 1",
        named_params! {":connection": connection.number(), ":more": more},
    )
}

/// The newest first.
pub fn list_happenings(c: &SiteConn, connection: ConnectionId, most: usize) -> Result<Vec<Happening>> {
    c.list(
        "select at, sentence from happenings where site_id = :site and connection_id = :connection order by id desc limit :most",
        named_params! {":connection": connection.number(), ":most": most as i64},
        |row| Ok(Happening { at: Time::from_ms(row.get(0)?), sentence: row.get(1)? }),
    )
}
