//! What waits for the owner: platforms that take nothing, bodies that nobody could read, senders that have gone silent or
//! sign wrongly, more sales without a source than usual, what a restore holds.

use std::collections::HashMap;

use rusqlite::named_params;

use super::super::outbox::{self, Held};
use super::super::scope::SiteConn;
use super::{inbox, overview};
use crate::domain::ids::{ConnectionId, InboxId};
use crate::domain::question::{ConversionFilter, Days, Period};
use crate::domain::rhythm;
use crate::domain::time::{DAY_MS, Day, Time, Zone};
use crate::domain::usual;
use crate::error::Result;

/// Deliveries that were given up are told of for so long.
const GIVEN_UP_MS: i64 = 30 * DAY_MS;
/// Wrong signatures of yesterday and today; one or two may be a stranger who tries.
const LEAST_BAD_SIGNATURES: i64 = 3;
/// Whole days of which the share without a source is looked at, and those before it that say what is usual.
const LOOKED_AT: i32 = 7;
const USUAL: i32 = 28;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Needs {
    pub quarantined: i64,
    /// The newest of them.
    pub unread: Option<Unread>,
    pub silent: Vec<Silent>,
    pub bad_signatures: Vec<(ConnectionId, i64)>,
    pub unmatched: Option<Unmatched>,
    pub held: Held,
    /// Of each connection: what waits, and what was given up.
    pub counts: HashMap<i64, Waiting>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Unread {
    pub id: InboxId,
    pub platform: String,
    pub received_at: Time,
    pub reason: Option<String>,
    pub bytes: Option<i64>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Silent {
    pub connection: ConnectionId,
    pub last_at: Time,
    pub usual_gap_ms: i64,
}

/// Conversions without a source of the last week, and of the weeks before.
#[derive(Debug, Clone, PartialEq)]
pub struct Unmatched {
    pub without: i64,
    pub of: i64,
    pub usual_without: i64,
    pub usual_of: i64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Waiting {
    pub waiting: i64,
    pub given_up: i64,
}

pub fn needs(c: &SiteConn, zone: &Zone, now: Time) -> Result<Needs> {
    let quarantined = c.one(
        "select count(*) from inbox where site_id = :site and state = 'quarantined' and received_at >= :since",
        named_params! {":since": 0},
    )?;
    Ok(Needs {
        quarantined,
        unread: if quarantined > 0 { inbox::newest_unread(c)?.map(unread) } else { None },
        silent: silent(c, now)?,
        bad_signatures: bad_signatures(c, zone.day(now))?,
        unmatched: unmatched(c, zone, now)?,
        held: outbox::held(c)?,
        counts: waiting(c, now)?,
    })
}

fn unread(line: inbox::Line) -> Unread {
    Unread { id: line.id, platform: line.platform, received_at: line.received_at, reason: line.reason, bytes: line.bytes }
}

fn silent(c: &SiteConn, now: Time) -> Result<Vec<Silent>> {
    // Who was heard of within a day is not silent: mostly nothing is counted.
    let quiet: Vec<(i64, i64)> = c.list(
        "select id, last_event_at from connections
         where site_id = :site and removed_at is null and status = 'ok' and last_event_at < :day_ago order by id",
        named_params! {":day_ago": now.plus_ms(-DAY_MS).ms()},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let mut silent = Vec::new();
    for (id, last_at) in quiet {
        let last_at = Time::from_ms(last_at);
        let events: i64 = c.one(
            "select count(*) from inbox where site_id = :site and received_at >= :from and received_at <= :to and connection_id = :id",
            named_params! {":from": last_at.plus_ms(-rhythm::LEARNED_MS).ms(), ":to": last_at.ms(), ":id": id},
        )?;
        if let Some(usual_gap_ms) = rhythm::silent_for(events, last_at, now) {
            silent.push(Silent { connection: ConnectionId::new(id), last_at, usual_gap_ms });
        }
    }
    Ok(silent)
}

fn bad_signatures(c: &SiteConn, today: Day) -> Result<Vec<(ConnectionId, i64)>> {
    let counted: Vec<(String, i64)> = c.list(
        "select detail, sum(count) from counters
         where site_id = :site and day between :from and :to and name = 'bad_signature' group by detail",
        named_params! {":from": today.0 - 1, ":to": today.0},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let many = counted.into_iter().filter(|(_, count)| *count >= LEAST_BAD_SIGNATURES);
    Ok(many.filter_map(|(detail, count)| Some((detail.parse().ok()?, count))).collect())
}

/// Of whole days: the present one is not over.
fn unmatched(c: &SiteConn, zone: &Zone, now: Time) -> Result<Option<Unmatched>> {
    let today = zone.day(now);
    let first = today.plus(-LOOKED_AT);
    let days = Days { from: first.plus(-USUAL), to: today.plus(-1) };
    let (mut late, mut before) = ((0, 0), (0, 0));
    for (day, figures) in overview::conversions_by_day(c, zone, Period::whole(days), &ConversionFilter::default())? {
        let sum = if day >= first { &mut late } else { &mut before };
        sum.0 += figures.conversions() - figures.attributed;
        sum.1 += figures.conversions();
    }
    let unusual = Unmatched { without: late.0, of: late.1, usual_without: before.0, usual_of: before.1 };
    Ok(usual::is_unmatched_unusual(late, before).then_some(unusual))
}

fn waiting(c: &SiteConn, now: Time) -> Result<HashMap<i64, Waiting>> {
    let mut all: HashMap<i64, Waiting> = HashMap::new();
    c.scan(
        "select k.id, s.value,
           (select count(*) from deliveries d
            where d.site_id = :site and d.connection_id = k.id and d.state = s.value
              and d.created_at >= case when s.value = 'dead' then :since else 0 end)
         from connections k cross join json_each('[\"pending\",\"leased\",\"held\",\"dead\"]') s
         where k.site_id = :site and k.removed_at is null",
        named_params! {":since": now.plus_ms(-GIVEN_UP_MS).ms()},
        |row| {
            let of = all.entry(row.get(0)?).or_default();
            let count: i64 = row.get(2)?;
            if super::word(row, 1)? == "dead" {
                of.given_up += count
            } else {
                of.waiting += count
            }
            Ok(true)
        },
    )?;
    Ok(all)
}
