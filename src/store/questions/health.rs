//! How connections have fared of late: day by day what came and what went, what was refused, what waits.

use std::collections::HashMap;

use rusqlite::named_params;

use super::super::scope::SiteConn;
use super::word;
use crate::domain::time::{Day, Time};
use crate::error::Result;

/// Days that are looked at, today included.
pub const DAYS: usize = 30;

#[derive(Debug, Clone)]
pub struct Health {
    /// Each ends with today.
    pub heard: Vec<i64>,
    pub told: Vec<i64>,
    pub failed: Vec<i64>,
    /// In the same days.
    pub bad_signatures: i64,
    pub unreadable: i64,
    pub next_at: Option<Time>,
}

impl Default for Health {
    fn default() -> Self {
        let none = vec![0; DAYS];
        Self { heard: none.clone(), told: none.clone(), failed: none, bad_signatures: 0, unreadable: 0, next_at: None }
    }
}

/// By the connection's number. What was heard is counted under `heard` and the connection's id, wrong signatures likewise.
pub fn by_connection(c: &SiteConn, today: Day, ids: &[i64]) -> Result<HashMap<i64, Health>> {
    let from = today.0 - DAYS as i32 + 1;
    let mut all: HashMap<i64, Health> = ids.iter().map(|id| (*id, Health::default())).collect();
    let place = |day: i32| usize::try_from(day - from).ok().filter(|p| *p < DAYS);
    c.scan(
        "select day, connection_id, state, sum(count) from delivery_counts
         where site_id = :site and day between :from and :to and count > 0 group by day, connection_id, state",
        named_params! {":from": from, ":to": today.0},
        |row| {
            let count: i64 = row.get(3)?;
            if let (Some(health), Some(place)) = (all.get_mut(&row.get(1)?), place(row.get(0)?)) {
                match word(row, 2)? {
                    "delivered" | "accepted" => health.told[place] += count,
                    "refused" | "dead" => health.failed[place] += count,
                    _ => {}
                }
            }
            Ok(true)
        },
    )?;
    c.scan(
        "select day, name, detail, count from counters
         where site_id = :site and day between :from and :to and name in ('heard', 'bad_signature')",
        named_params! {":from": from, ":to": today.0},
        |row| {
            let id = word(row, 2)?.strip_prefix("con_").and_then(|n| n.parse::<i64>().ok());
            let count: i64 = row.get(3)?;
            if let (Some(health), Some(place)) = (id.and_then(|id| all.get_mut(&id)), place(row.get(0)?)) {
                match word(row, 1)? {
                    "heard" => health.heard[place] += count,
                    _ => health.bad_signatures += count,
                }
            }
            Ok(true)
        },
    )?;
    c.scan(
        "select connection_id, count(*) from inbox
         where site_id = :site and state = 'quarantined' and received_at >= 0 and connection_id is not null group by connection_id",
        &[],
        |row| {
            if let Some(health) = all.get_mut(&row.get(0)?) {
                health.unreadable = row.get(1)?;
            }
            Ok(true)
        },
    )?;
    for (id, health) in &mut all {
        let next: Option<i64> = c.one(
            "select min(next_at) from deliveries
             where site_id = :site and connection_id = :connection and state = 'pending' and next_at is not null",
            named_params! {":connection": id},
        )?;
        health.next_at = next.map(Time::from_ms);
    }
    Ok(all)
}
