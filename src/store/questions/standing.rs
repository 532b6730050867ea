//! How a connection stands with its platform: its hooks there, its pulls, what has happened, what hooks have missed, and
//! for how long nothing came.

use rusqlite::named_params;

use super::super::pulls::{self, Pull};
use super::super::registrations::{self, Happening, Registration};
use super::super::scope::SiteConn;
use crate::domain::ids::{ConnectionId, OrderId};
use crate::domain::rhythm::LEARNED_MS;
use crate::domain::time::{DAY_MS, HOUR_MS, Time};
use crate::error::Result;

/// A hook may come this late and still count as told.
const LATEST_HOOK_MS: i64 = HOUR_MS;
/// What hooks have missed is counted for so long.
const COUNTED_MS: i64 = 30 * DAY_MS;
const MOST_HAPPENINGS: usize = 10;

#[derive(Debug, Clone)]
pub struct Standing {
    pub registration: Option<Registration>,
    pub pull: Option<Pull>,
    pub happenings: Vec<Happening>,
    /// Orders that a pull found and no hook had told of, in the order in which they were found.
    pub missed: Vec<Missed>,
    /// Orders of the time from which the rhythm is learned, and the last one.
    pub orders: i64,
    pub last_order_at: Option<Time>,
}

#[derive(Debug, Clone)]
pub struct Missed {
    pub order: OrderId,
    /// As the shop calls it.
    pub label: String,
    pub found_at: Time,
}

pub fn of(c: &SiteConn, connection: ConnectionId, now: Time) -> Result<Standing> {
    let registration = registrations::find(c, connection)?;
    let missed: Vec<Missed> = match registration.as_ref().is_some_and(|r| r.hooks.iter().any(|h| h.is_active)) {
        true => c.list(
            "select id, order_number, found_at from orders
             where site_id = :site and connection_id = :connection and found_at between :from and :until
               and modified_at >= (select min(since) from hooks where site_id = :site and connection_id = :connection)
             order by found_at",
            named_params! {":connection": connection.number(), ":from": now.ms() - COUNTED_MS, ":until": now.ms() - LATEST_HOOK_MS},
            |row| Ok(Missed { order: OrderId::new(row.get(0)?), label: row.get(1)?, found_at: Time::from_ms(row.get(2)?) }),
        )?,
        false => Vec::new(),
    };
    let (orders, last): (i64, Option<i64>) = c
        .find(
            "select count(*), max(created_at) from orders
             where site_id = :site and created_at between :from and :now and connection_id = :connection",
            named_params! {":connection": connection.number(), ":from": now.ms() - LEARNED_MS, ":now": now.ms()},
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?
        .unwrap_or_default();
    Ok(Standing {
        registration,
        pull: pulls::find(c, connection)?,
        happenings: registrations::list_happenings(c, connection, MOST_HAPPENINGS)?,
        missed,
        orders,
        last_order_at: last.map(Time::from_ms),
    })
}
