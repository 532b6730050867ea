//! How far the list of each connection's platform was read, and what is under way there.

use rusqlite::{Row, named_params};

use super::scope::{AllSites, SiteConn};
use crate::domain::ids::{ConnectionId, SiteId};
use crate::domain::steps::State;
use crate::domain::time::{MINUTE_MS, Time};
use crate::error::{Error, Result};

/// A platform's clock may be ahead of ours by so much; what was seen later than this was seen by a clock that was wrong.
const AHEAD_MS: i64 = 10 * MINUTE_MS;

#[derive(Debug, Clone, PartialEq)]
pub struct Pull {
    /// `Window::to` of the last pull that came to its end; none before the first did.
    pub seen_to: Option<Time>,
    /// Where a walk that is under way goes on.
    pub state: Option<State>,
    /// When the walk under way, or the last one, began.
    pub began_at: Option<Time>,
    pub ended_at: Option<Time>,
    pub next_at: Time,
    pub failures: i64,
    /// New orders that this walk has brought so far, or the last one did; all that it was handed; in how many pages.
    pub orders: i64,
    pub records: i64,
    pub pages: i64,
    /// From when on this walk reads, and the newest change that it has come to.
    pub since: Option<Time>,
    pub reached_at: Option<Time>,
    /// The owner wants the list read once more from here on: the next walk begins there.
    pub back_to: Option<Time>,
    /// Why it does not go on, where it does not.
    pub sentence: Option<String>,
    /// Somebody wants it now.
    pub is_by_hand: bool,
}

/// What one step of a walk has brought.
#[derive(Debug, Clone, Copy, Default)]
pub struct Brought {
    /// New ones.
    pub orders: usize,
    pub records: usize,
    pub pages: usize,
    /// The newest change among them.
    pub reached_at: Option<Time>,
}

const COLUMNS: &str =
    "seen_to, state, began_at, ended_at, next_at, failures, orders, records, pages, since, reached_at, back_to, sentence, is_by_hand";

pub fn find(c: &SiteConn, connection: ConnectionId) -> Result<Option<Pull>> {
    c.find(
        &format!("select {COLUMNS} from pulls where site_id = :site and connection_id = :connection"),
        named_params! {":connection": connection.number()},
        read,
    )
}

/// By the number of its connection.
pub fn list(c: &SiteConn) -> Result<Vec<(i64, Pull)>> {
    c.list(&format!("select {COLUMNS}, connection_id from pulls where site_id = :site"), &[], |row| Ok((row.get(14)?, read(row)?)))
}

fn read(row: &Row) -> rusqlite::Result<Pull> {
    let at = |place: usize| -> rusqlite::Result<Option<Time>> { Ok(row.get::<_, Option<i64>>(place)?.map(Time::from_ms)) };
    let state: Option<String> = row.get(1)?;
    Ok(Pull {
        seen_to: at(0)?,
        state: state.and_then(|text| serde_json::from_str(&text).ok()),
        began_at: at(2)?,
        ended_at: at(3)?,
        next_at: Time::from_ms(row.get(4)?),
        failures: row.get(5)?,
        orders: row.get(6)?,
        records: row.get(7)?,
        pages: row.get(8)?,
        since: at(9)?,
        reached_at: at(10)?,
        back_to: at(11)?,
        sentence: row.get(12)?,
        is_by_hand: row.get(13)?,
    })
}

/// Due now, whether or not it has ever been pulled. What is due already is not heard of by being asked for once more.
pub fn hurry(c: &SiteConn, connection: ConnectionId, now: Time) -> Result<()> {
    c.execute(
        "insert into pulls (site_id, connection_id, next_at, heard_at) values (:site, :connection, :now, :now)
         on conflict (site_id, connection_id) do update set next_at = min(next_at, excluded.next_at),
           heard_at = case when next_at > excluded.next_at then excluded.heard_at else heard_at end",
        named_params! {":connection": connection.number(), ":now": now.ms()},
    )?;
    Ok(())
}

/// The same, because somebody asks for it.
pub fn ask_now(c: &SiteConn, connection: ConnectionId, now: Time) -> Result<()> {
    hurry(c, connection, now)?;
    set_by_hand(c, connection, true)
}

pub fn set_by_hand(c: &SiteConn, connection: ConnectionId, is_by_hand: bool) -> Result<()> {
    c.execute(
        "update pulls set is_by_hand = :is_by_hand where site_id = :site and connection_id = :connection",
        named_params! {":connection": connection.number(), ":is_by_hand": is_by_hand},
    )?;
    Ok(())
}

/// Something may have changed: the list is read soon, and not more than once a minute for it.
pub fn look_again(c: &SiteConn, connection: ConnectionId, now: Time) -> Result<()> {
    c.execute(
        "update pulls set next_at = min(next_at, max(:now, coalesce(ended_at, 0) + :rest)),
           heard_at = case when next_at > :now then :now else heard_at end
         where site_id = :site and connection_id = :connection and failures = 0",
        named_params! {":connection": connection.number(), ":now": now.ms(), ":rest": MINUTE_MS},
    )?;
    Ok(())
}

/// A walk from `since` on begins; its first state is not kept, for it can be made again.
pub fn begin(c: &SiteConn, connection: ConnectionId, since: Time, now: Time) -> Result<()> {
    c.execute(
        "update pulls set began_at = :now, since = :since, reached_at = null, orders = 0, records = 0, pages = 0, state = null
         where site_id = :site and connection_id = :connection",
        named_params! {":connection": connection.number(), ":since": since.ms(), ":now": now.ms()},
    )?;
    Ok(())
}

/// The list is read once more from `from` on, as soon as nothing else of it is under way.
pub fn ask_back(c: &SiteConn, connection: ConnectionId, from: Time, now: Time) -> Result<()> {
    hurry(c, connection, now)?;
    read_from(c, connection, from)
}

/// The next walk begins here at the latest.
pub fn read_from(c: &SiteConn, connection: ConnectionId, from: Time) -> Result<()> {
    c.execute(
        "update pulls set back_to = min(coalesce(back_to, :from), :from) where site_id = :site and connection_id = :connection",
        named_params! {":connection": connection.number(), ":from": from.ms()},
    )?;
    Ok(())
}

/// The walk has come here, and brought so much since it was last kept.
pub fn save(c: &SiteConn, connection: ConnectionId, state: &State, brought: &Brought, now: Time) -> Result<()> {
    let state = serde_json::to_string(state).map_err(Error::internal)?;
    c.execute(
        "update pulls set state = :state, heard_at = :now where site_id = :site and connection_id = :connection",
        named_params! {":connection": connection.number(), ":state": state, ":now": now.ms()},
    )?;
    count(c, connection, brought)
}

/// Also of a part of a page, before the state behind the page is kept.
pub fn count(c: &SiteConn, connection: ConnectionId, brought: &Brought) -> Result<()> {
    c.execute(
        "update pulls set orders = orders + :orders, records = records + :records, pages = pages + :pages,
         reached_at = max(coalesce(reached_at, :reached), coalesce(:reached, reached_at))
         where site_id = :site and connection_id = :connection",
        named_params! {":connection": connection.number(), ":orders": brought.orders as i64, ":records": brought.records as i64,
        ":pages": brought.pages as i64, ":reached": brought.reached_at.map(Time::ms)},
    )?;
    Ok(())
}

/// The walk has come to its end.
pub fn finish(c: &SiteConn, connection: ConnectionId, seen_to: Time, next_at: Time, now: Time) -> Result<()> {
    c.execute(
        "update pulls set seen_to = case when seen_to > :now + :ahead then :to else max(coalesce(seen_to, 0), :to) end, state = null, ended_at = :now, failures = 0, sentence = null,
         heard_at = :now, next_at = case when back_to < since then :now else :next end, back_to = case when back_to < since then back_to end
         where site_id = :site and connection_id = :connection",
        named_params! {":connection": connection.number(), ":to": seen_to.ms(), ":now": now.ms(), ":next": next_at.ms(),
        ":ahead": AHEAD_MS},
    )?;
    Ok(())
}

/// It goes on later from where it is; a failure is counted and has a sentence, a wait has neither.
pub fn put_off(c: &SiteConn, connection: ConnectionId, next_at: Time, failure: Option<&str>, now: Time) -> Result<()> {
    c.execute(
        "update pulls set next_at = :next, heard_at = :now, failures = failures + (:sentence is not null),
           sentence = coalesce(:sentence, sentence)
         where site_id = :site and connection_id = :connection",
        named_params! {":connection": connection.number(), ":next": next_at.ms(), ":sentence": failure, ":now": now.ms()},
    )?;
    Ok(())
}

/// What was planned is planned anew; where it was never read, that stays for its first time.
pub fn plan(c: &SiteConn, connection: ConnectionId, next_at: Time, now: Time) -> Result<()> {
    put_off(c, connection, next_at, None, now)
}

/// A state that its source cannot go on with: the next walk begins anew, from where the last whole one ended.
pub fn drop_state(c: &SiteConn, connection: ConnectionId) -> Result<()> {
    c.execute(
        "update pulls set state = null where site_id = :site and connection_id = :connection",
        named_params! {":connection": connection.number()},
    )?;
    Ok(())
}

/// Connections that work and whose pull is due.
pub fn list_due(all: &AllSites, now: Time) -> Result<Vec<(SiteId, ConnectionId)>> {
    all.list(
        "select p.site_id, p.connection_id from pulls p join connections k on k.id = p.connection_id
         where p.next_at <= :now and k.removed_at is null and k.status in ('ok', 'needs_attention') order by p.next_at limit 100",
        named_params! {":now": now.ms()},
        |row| Ok((SiteId::issued(row.get(0)?), ConnectionId::new(row.get(1)?))),
    )
}

/// Connections that work and were planned by a clock that said more than this one says now.
pub fn list_adrift(all: &AllSites, now: Time) -> Result<Vec<(SiteId, ConnectionId)>> {
    all.list(
        "select p.site_id, p.connection_id from pulls p join connections k on k.id = p.connection_id
         where p.heard_at > :now and k.removed_at is null and k.status in ('ok', 'needs_attention') limit 1000",
        named_params! {":now": now.ms()},
        |row| Ok((SiteId::issued(row.get(0)?), ConnectionId::new(row.get(1)?))),
    )
}

/// A plan that was not kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Overdue {
    pub site: SiteId,
    pub connection: ConnectionId,
    pub due_at: Time,
    /// When anything of it was last planned or read.
    pub heard_at: Time,
}

/// Connections that work, with what was due before this and has not been done, the oldest first.
pub fn list_overdue(all: &AllSites, before: Time) -> Result<Vec<Overdue>> {
    all.list(
        "select p.site_id, p.connection_id, p.next_at, p.heard_at from pulls p join connections k on k.id = p.connection_id
         where p.next_at < :before and k.removed_at is null and k.status in ('ok', 'needs_attention') order by p.next_at limit 1000",
        named_params! {":before": before.ms()},
        |row| {
            Ok(Overdue {
                site: SiteId::issued(row.get(0)?),
                connection: ConnectionId::new(row.get(1)?),
                due_at: Time::from_ms(row.get(2)?),
                heard_at: Time::from_ms(row.get(3)?),
            })
        },
    )
}

/// Connections that work and have no row yet.
pub fn list_unplanned(all: &AllSites) -> Result<Vec<(SiteId, ConnectionId)>> {
    all.list(
        "select k.site_id, k.id from connections k
         where k.removed_at is null and k.status in ('ok', 'needs_attention')
           and not exists (select 1 from pulls p where p.site_id = k.site_id and p.connection_id = k.id)",
        &[],
        |row| Ok((SiteId::issued(row.get(0)?), ConnectionId::new(row.get(1)?))),
    )
}
