//! Deliveries: pages of the outbox, how many are in which state, and one with its attempts.

use std::collections::HashMap;

use rusqlite::{Row, named_params};
use serde_json::Value;

use super::super::recounts;
use super::super::scope::SiteConn;
use super::{json_list, word};
use crate::domain::ids::{ConnectionId, ConversionId, DeliveryId};
use crate::domain::question::deliveries::DeliveryMarks;
use crate::domain::question::tally::{Named, top};
use crate::domain::question::{Cursor, DeliveryFilter, Span};
use crate::domain::time::{Time, Zone};
use crate::error::Result;

/// Ways through the outbox.
mod walk;

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
    /// The platform took it though it had been called back on its way.
    pub taken_at: Option<Time>,
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

impl Wanted {
    /// Neither a search nor the deliveries of one conversion.
    fn is_listed(&self) -> bool {
        self.search.is_none() && self.filter.conversion.is_none()
    }
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
    d.next_at, d.created_at, d.settled_at, d.request, d.response, d.taken_at";

pub fn page(c: &SiteConn, zone: &Zone, wanted: &Wanted) -> Result<Page> {
    if wanted.is_listed() && !recounts::is_under_way(c)? {
        return counted_page(c, zone, wanted);
    }
    let mut page = Page::default();
    let (mut states, mut platforms): (Named<i64>, Named<i64>) = Default::default();
    let mut places: Vec<(i64, i64)> = Vec::new();
    // What a search finds is little, and is gone through as a whole for its count. So is the list while its counts are made anew.
    let uncut = Wanted { cursor: None, ..wanted.clone() };
    walk::each(c, zone, &uncut, |m, created_at, id| {
        if wanted.filter.admits_but_state(m) {
            *states.of(m.state) += 1;
        }
        if wanted.filter.admits_but_platform(m) {
            *platforms.of(m.platform) += 1;
        }
        if wanted.filter.admits(m) {
            page.count += 1;
            if walk::is_after(wanted.cursor, created_at, id) && places.len() <= wanted.limit {
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
    for sum in sums(c, wanted.span)? {
        let marks =
            DeliveryMarks { state: &sum.state, platform: &sum.platform, connection: sum.connection, kind: &sum.kind, conversion: 0 };
        if wanted.filter.admits_but_state(&marks) {
            *states.of(marks.state) += sum.count;
        }
        if wanted.filter.admits_but_platform(&marks) {
            *platforms.of(marks.platform) += sum.count;
        }
        if wanted.filter.admits(&marks) {
            page.count += sum.count;
        }
    }
    page.states = top(states.iter().map(|(v, n)| (v, *n)));
    page.platforms = top(platforms.iter().map(|(v, n)| (v, *n)));
    // The counts know when the last one was met; of a later page they do not know how many came before.
    let left = if wanted.cursor.is_some() { usize::MAX } else { usize::try_from(page.count).unwrap_or(0) };
    let places = walk::newest(c, zone, wanted, left.min(wanted.limit + 1))?;
    (page.lines, page.next) = fetch(c, places, wanted.limit)?;
    Ok(page)
}

/// Deliveries of some days that are alike but for the day.
struct Sum {
    connection: i64,
    platform: String,
    kind: String,
    state: String,
    count: i64,
}

/// Every day has nearly the same rows in the same order, so that the sum of a row is the one behind that of the row before:
/// much less work than grouping them by four words.
fn sums(c: &SiteConn, span: Span) -> Result<Vec<Sum>> {
    let (from, to) = (span.from.map_or(i32::MIN, |d| d.0), span.to.map_or(i32::MAX, |d| d.0));
    let (mut sums, mut next): (Vec<Sum>, usize) = (Vec::new(), 0);
    c.scan(
        "select connection_id, platform, kind, state, count from delivery_counts
         where site_id = :site and day between :from and :to and count > 0 order by day, connection_id, platform, kind, state",
        named_params! {":from": from, ":to": to},
        |row| {
            let connection: i64 = row.get(0)?;
            let (platform, kind, state) = (word(row, 1)?, word(row, 2)?, word(row, 3)?);
            let is_it = |s: &Sum| s.connection == connection && s.state == state && s.kind == kind && s.platform == platform;
            let (before, behind) = sums.split_at(next.min(sums.len()));
            let found = behind.iter().position(is_it).map(|n| n + before.len()).or_else(|| before.iter().position(is_it));
            let place = found.unwrap_or(sums.len());
            if found.is_none() {
                sums.push(Sum { connection, platform: platform.into(), kind: kind.into(), state: state.into(), count: 0 });
            }
            sums[place].count += row.get::<_, i64>(4)?;
            next = place + 1;
            Ok(true)
        },
    )?;
    Ok(sums)
}

/// A page of an export: no counts.
pub fn export_page(c: &SiteConn, zone: &Zone, wanted: &Wanted) -> Result<(Vec<Line>, Option<Cursor>)> {
    let places = walk::newest(c, zone, wanted, wanted.limit + 1)?;
    fetch(c, places, wanted.limit)
}

/// The newest of all that is wanted, for replaying a filter; at most so many.
pub fn list_ids(c: &SiteConn, zone: &Zone, wanted: &Wanted, most: usize) -> Result<Vec<DeliveryId>> {
    Ok(walk::newest(c, zone, wanted, most)?.into_iter().map(|(_, id)| DeliveryId::new(id)).collect())
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
        taken_at: row.get::<_, Option<i64>>(16)?.map(Time::from_ms),
        // What was written by an older version is shown as it is rather than not at all.
        request: request.map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text))),
        response: response.map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text))),
        history: Vec::new(),
    })
}

/// Deliveries of each connection by state: what is still open whenever it was made, the rest since this moment.
pub fn count_by_connection(c: &SiteConn, since: Time) -> Result<HashMap<i64, HashMap<String, i64>>> {
    let mut all: HashMap<i64, HashMap<String, i64>> = HashMap::new();
    c.scan(
        "select k.id, s.value,
           (select count(*) from deliveries d
            where d.site_id = :site and d.connection_id = k.id and d.state = s.value
              and d.created_at >= case when s.value in ('pending', 'leased', 'held') then 0 else :since end)
         from connections k cross join json_each('[\"pending\",\"leased\",\"delivered\",\"accepted\",\"skipped\",\"refused\",\"dead\",\"held\",\"cancelled\"]') s
         where k.site_id = :site and k.removed_at is null",
        named_params! {":since": since.ms()},
        |row| {
            all.entry(row.get(0)?).or_default().insert(row.get(1)?, row.get(2)?);
            Ok(true)
        },
    )?;
    Ok(all)
}
