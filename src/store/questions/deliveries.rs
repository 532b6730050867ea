//! Deliveries: pages of the outbox, how many are in which state, and one with its attempts.

use std::collections::HashMap;

use rusqlite::{Row, named_params};
use serde_json::Value;

use super::super::scope::SiteConn;
use super::search::search;
use super::{json_list, word};
use crate::domain::ids::{ConnectionId, ConversionId, DeliveryId};
use crate::domain::question::filter::DeliveryMarks;
use crate::domain::question::tally::{Named, top};
use crate::domain::question::{Cursor, DeliveryFilter, Span};
use crate::domain::time::{Time, Zone};
use crate::error::Result;

#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub id: DeliveryId,
    pub connection: ConnectionId,
    pub conversion: ConversionId,
    /// How the ledger calls the conversion.
    pub label: String,
    pub platform: String,
    pub kind: String,
    pub mode: String,
    pub state: String,
    pub reason: Option<String>,
    pub event_id: String,
    pub attempts: i64,
    pub next_at: Option<Time>,
    pub created_at: Time,
    pub settled_at: Option<Time>,
    /// As sent: hashed, secrets out.
    pub request: Option<Value>,
    pub response: Option<Value>,
    pub history: Vec<Attempt>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    pub n: i64,
    pub at: Time,
    pub outcome: String,
    pub status: Option<i64>,
    pub sentence: String,
}

#[derive(Debug, Clone)]
pub struct Wanted {
    pub span: Span,
    pub filter: DeliveryFilter,
    pub search: Option<String>,
    pub may_see_people: bool,
    pub cursor: Option<Cursor>,
    pub limit: usize,
}

#[derive(Debug, Default)]
pub struct Page {
    pub lines: Vec<Line>,
    pub next: Option<Cursor>,
    pub count: i64,
    pub states: Vec<(String, i64)>,
    pub platforms: Vec<(String, i64)>,
}

const COLUMNS: &str = "d.id, d.connection_id, d.conversion_id, v.label, d.platform, d.kind, d.mode, d.state, d.reason, d.event_id, d.attempts, \
    d.next_at, d.created_at, d.settled_at, d.request, d.response";

pub fn page(c: &SiteConn, zone: &Zone, wanted: &Wanted) -> Result<Page> {
    if wanted.search.is_none() && wanted.filter.conversion.is_none() {
        return counted_page(c, zone, wanted);
    }
    let mut page = Page::default();
    let (mut states, mut platforms): (Named<i64>, Named<i64>) = Default::default();
    let mut places: Vec<(i64, i64)> = Vec::new();
    each(c, zone, wanted, |m, created_at, id| {
        if wanted.filter.admits_but_state(m) {
            *states.of(m.state) += 1;
        }
        if wanted.filter.admits_but_platform(m) {
            *platforms.of(m.platform) += 1;
        }
        if wanted.filter.admits(m) {
            page.count += 1;
            if is_after(wanted.cursor, created_at, id) && places.len() <= wanted.limit {
                places.push((created_at, id));
            }
        }
        true
    })?;
    page.states = top(states.iter().map(|(v, n)| (v, *n)));
    page.platforms = top(platforms.iter().map(|(v, n)| (v, *n)));
    (page.lines, page.next) = fetch(c, places, wanted.limit)?;
    Ok(page)
}

/// How many there are is read from the counts of days; the rows themselves are walked only until the page is full.
fn counted_page(c: &SiteConn, zone: &Zone, wanted: &Wanted) -> Result<Page> {
    let mut page = Page::default();
    let (mut states, mut platforms): (Named<i64>, Named<i64>) = Default::default();
    let (from, to) = (wanted.span.from.map_or(i32::MIN, |d| d.0), wanted.span.to.map_or(i32::MAX, |d| d.0));
    c.scan(
        "select state, platform, connection_id, kind, sum(count) from delivery_counts
         where site_id = :site and day between :from and :to and count > 0 group by connection_id, platform, kind, state",
        named_params! {":from": from, ":to": to},
        |row| {
            let marks = DeliveryMarks {
                state: word(row, 0)?,
                platform: word(row, 1)?,
                connection: row.get(2)?,
                kind: word(row, 3)?,
                conversion: 0,
            };
            let count: i64 = row.get(4)?;
            if wanted.filter.admits_but_state(&marks) {
                *states.of(marks.state) += count;
            }
            if wanted.filter.admits_but_platform(&marks) {
                *platforms.of(marks.platform) += count;
            }
            if wanted.filter.admits(&marks) {
                page.count += count;
            }
            Ok(true)
        },
    )?;
    page.states = top(states.iter().map(|(v, n)| (v, *n)));
    page.platforms = top(platforms.iter().map(|(v, n)| (v, *n)));
    let mut places: Vec<(i64, i64)> = Vec::new();
    // The counts know when the last one was met; of a later page they do not know how many came before.
    let mut left = if wanted.cursor.is_some() { i64::MAX } else { page.count };
    if left > 0 {
        each(c, zone, wanted, |m, created_at, id| {
            if wanted.filter.admits(m) {
                left -= 1;
                places.push((created_at, id));
            }
            places.len() <= wanted.limit && left > 0
        })?;
    }
    (page.lines, page.next) = fetch(c, places, wanted.limit)?;
    Ok(page)
}

/// A page of an export: no counts.
pub fn export_page(c: &SiteConn, zone: &Zone, wanted: &Wanted) -> Result<(Vec<Line>, Option<Cursor>)> {
    let mut places: Vec<(i64, i64)> = Vec::new();
    each(c, zone, wanted, |m, created_at, id| {
        if wanted.filter.admits(m) && is_after(wanted.cursor, created_at, id) {
            places.push((created_at, id));
        }
        places.len() <= wanted.limit
    })?;
    fetch(c, places, wanted.limit)
}

/// The newest of all that is wanted, for replaying a filter; at most so many.
pub fn list_ids(c: &SiteConn, zone: &Zone, wanted: &Wanted, most: usize) -> Result<Vec<DeliveryId>> {
    let mut ids = Vec::new();
    each(c, zone, wanted, |m, _, id| {
        if wanted.filter.admits(m) {
            ids.push(DeliveryId::new(id));
        }
        ids.len() < most
    })?;
    Ok(ids)
}

pub fn find(c: &SiteConn, id: DeliveryId) -> Result<Option<Line>> {
    Ok(by_ids(c, &[id.number()])?.pop())
}

/// Everything a conversion was meant for, in the order of planning.
pub fn of_conversion(c: &SiteConn, id: ConversionId) -> Result<Vec<Line>> {
    let ids: Vec<i64> = c.list(
        "select id from deliveries where site_id = :site and conversion_id = :id order by id",
        named_params! {":id": id.number()},
        |row| row.get(0),
    )?;
    by_ids(c, &ids)
}

/// Goes through what lies in the span and behind the cursor, the newest first, until `on` has enough; filters are left
/// to it. What a search finds is little and is gone through as a whole.
fn each(c: &SiteConn, zone: &Zone, wanted: &Wanted, mut on: impl FnMut(&DeliveryMarks, i64, i64) -> bool) -> Result<()> {
    let (from, to) = wanted.span.times(zone);
    let before = wanted.cursor.unwrap_or(Cursor { key: Some(i64::MAX), id: i64::MAX });
    let conversions: Option<Vec<i64>> = match (&wanted.search, wanted.filter.conversion) {
        (Some(text), _) => Some(search(c, text, wanted.may_see_people)?.into_iter().collect()),
        (None, Some(id)) => Some(vec![id]),
        (None, None) => None,
    };
    let mut see = |row: &Row| -> rusqlite::Result<bool> {
        let marks = DeliveryMarks {
            state: word(row, 2)?,
            platform: word(row, 3)?,
            connection: row.get(4)?,
            kind: word(row, 5)?,
            conversion: row.get(6)?,
        };
        Ok(on(&marks, row.get(0)?, row.get(1)?))
    };
    match conversions {
        // A single index answers, without touching a payload.
        None => c.scan(
            "select created_at, id, state, platform, connection_id, kind, conversion_id from deliveries indexed by deliveries__site_id__created_at
             where site_id = :site and created_at >= :from and created_at < :to and (created_at, id) < (:key, :id)
             order by created_at desc, id desc",
            named_params! {":from": from.ms(), ":to": to.ms(), ":key": before.key.unwrap_or(i64::MAX), ":id": before.id},
            see,
        ),
        Some(ids) => c.scan(
            "select created_at, id, state, platform, connection_id, kind, conversion_id from deliveries
             where site_id = :site and conversion_id in (select value from json_each(:ids)) and created_at >= :from and created_at < :to
             order by created_at desc, id desc",
            named_params! {":ids": json_list(ids.into_iter()), ":from": from.ms(), ":to": to.ms()},
            &mut see,
        ),
    }
}

fn is_after(cursor: Option<Cursor>, created_at: i64, id: i64) -> bool {
    cursor.is_none_or(|cursor| (Some(created_at), id) < (cursor.key, cursor.id))
}

fn fetch(c: &SiteConn, mut places: Vec<(i64, i64)>, limit: usize) -> Result<(Vec<Line>, Option<Cursor>)> {
    let has_more = places.len() > limit;
    places.truncate(limit);
    let next = has_more.then(|| places.last().map(|(at, id)| Cursor { key: Some(*at), id: *id })).flatten();
    let ids: Vec<i64> = places.iter().map(|(_, id)| *id).collect();
    let mut lines = by_ids(c, &ids)?;
    lines.sort_by_key(|l| std::cmp::Reverse((l.created_at, l.id)));
    Ok((lines, next))
}

fn by_ids(c: &SiteConn, ids: &[i64]) -> Result<Vec<Line>> {
    let ids = json_list(ids.iter().copied());
    let mut lines = c.list(
        &format!(
            "select {COLUMNS} from deliveries d left join conversions v on v.site_id = d.site_id and v.id = d.conversion_id
             where d.site_id = :site and d.id in (select value from json_each(:ids)) order by d.id"
        ),
        named_params! {":ids": ids},
        read,
    )?;
    let mut history: HashMap<i64, Vec<Attempt>> = HashMap::new();
    c.scan(
        "select delivery_id, n, at, outcome, status, sentence from attempts
         where site_id = :site and delivery_id in (select value from json_each(:ids)) order by delivery_id, n",
        named_params! {":ids": ids},
        |row| {
            history.entry(row.get(0)?).or_default().push(Attempt {
                n: row.get(1)?,
                at: Time::from_ms(row.get(2)?),
                outcome: row.get(3)?,
                status: row.get(4)?,
                sentence: row.get(5)?,
            });
            Ok(true)
        },
    )?;
    for line in &mut lines {
        line.history = history.remove(&line.id.number()).unwrap_or_default();
    }
    Ok(lines)
}

fn read(row: &Row) -> rusqlite::Result<Line> {
    let (next, settled): (Option<i64>, Option<i64>) = (row.get(11)?, row.get(13)?);
    let (request, response): (Option<String>, Option<String>) = (row.get(14)?, row.get(15)?);
    let label: Option<String> = row.get(3)?;
    Ok(Line {
        id: DeliveryId::new(row.get(0)?),
        connection: ConnectionId::new(row.get(1)?),
        conversion: ConversionId::new(row.get(2)?),
        label: label.unwrap_or_default(),
        platform: row.get(4)?,
        kind: row.get(5)?,
        mode: row.get(6)?,
        state: row.get(7)?,
        reason: row.get(8)?,
        event_id: row.get(9)?,
        attempts: row.get(10)?,
        next_at: next.map(Time::from_ms),
        created_at: Time::from_ms(row.get(12)?),
        settled_at: settled.map(Time::from_ms),
        // What was written by an older version is shown as it is rather than not at all.
        request: request.map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text))),
        response: response.map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text))),
        history: Vec::new(),
    })
}

/// Deliveries of each connection by state: what is still open whenever it was made, the rest since this moment.
pub fn count_by_connection(c: &SiteConn, since: Time) -> Result<HashMap<i64, HashMap<String, i64>>> {
    // Numbers are given in the order of time: the first one since then bounds the walk over the index of states.
    let first: Option<i64> = c.find(
        "select id from deliveries indexed by deliveries__site_id__created_at
         where site_id = :site and created_at >= :since order by created_at limit 1",
        named_params! {":since": since.ms()},
        |row| row.get(0),
    )?;
    let mut all: HashMap<i64, HashMap<String, i64>> = HashMap::new();
    c.scan(
        "select k.id, s.value,
           (select count(*) from deliveries d
            where d.site_id = :site and d.connection_id = k.id and d.state = s.value
              and d.id >= case when s.value in ('pending', 'leased', 'held') then 0 else :first end)
         from connections k cross join json_each('[\"pending\",\"leased\",\"delivered\",\"accepted\",\"skipped\",\"refused\",\"dead\",\"held\",\"cancelled\"]') s
         where k.site_id = :site and k.removed_at is null",
        named_params! {":first": first.unwrap_or(i64::MAX)},
        |row| {
            all.entry(row.get(0)?).or_default().insert(row.get(1)?, row.get(2)?);
            Ok(true)
        },
    )?;
    Ok(all)
}
