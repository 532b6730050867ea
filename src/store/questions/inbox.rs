//! Raw bodies as they were received, and what became of them.

use rusqlite::{Row, named_params};

use super::super::scope::SiteConn;
use super::json_list;
use crate::domain::ids::{ConnectionId, ConversionId, InboxId};
use crate::domain::question::{Choice, Cursor, Span};
use crate::domain::time::{Time, Zone};
use crate::error::Result;

#[derive(Debug, Clone)]
pub struct Line {
    pub id: InboxId,
    pub connection: Option<ConnectionId>,
    pub platform: String,
    pub path: String,
    pub received_at: Time,
    pub state: String,
    pub reason: Option<String>,
    pub content_type: Option<String>,
    /// None once the body is no longer kept.
    pub bytes: Option<i64>,
    /// Conversions that it has told of.
    pub conversions: Vec<ConversionId>,
}

#[derive(Debug, Clone)]
pub struct Wanted {
    pub span: Span,
    /// None for all.
    pub state: Option<String>,
    pub platform: Choice,
    pub cursor: Option<Cursor>,
    pub limit: usize,
}

const COLUMNS: &str = "id, connection_id, platform, path, received_at, state, reason, content_type, length(body)";

pub fn page(c: &SiteConn, zone: &Zone, wanted: &Wanted) -> Result<(Vec<Line>, Option<Cursor>)> {
    let (from, to) = wanted.span.times(zone);
    let before = wanted.cursor.unwrap_or(Cursor { key: Some(i64::MAX), id: i64::MAX });
    let mut lines: Vec<Line> = Vec::new();
    let mut see = |row: &Row| -> rusqlite::Result<bool> {
        if wanted.platform.admits(super::word(row, 2)?) {
            lines.push(read(row)?);
        }
        Ok(lines.len() <= wanted.limit)
    };
    let key = before.key.unwrap_or(i64::MAX);
    match &wanted.state {
        // Nearly all are accepted: these are found by their time.
        Some(state) if state == "accepted" => c.scan(
            &format!(
                "select {COLUMNS} from inbox where site_id = :site and state = 'accepted' and received_at >= :from and received_at < :to
                   and (received_at, id) < (:key, :id) order by received_at desc, id desc"
            ),
            named_params! {":from": from.ms(), ":to": before.end(to.ms()), ":key": key, ":id": before.id},
            &mut see,
        )?,
        Some(state) => c.scan(
            &format!(
                "select {COLUMNS} from inbox where site_id = :site and state = :state and state <> 'accepted' and received_at >= :from and received_at < :to
                   and (received_at, id) < (:key, :id) order by received_at desc, id desc"
            ),
            named_params! {":state": state, ":from": from.ms(), ":to": before.end(to.ms()), ":key": key, ":id": before.id},
            &mut see,
        )?,
        None => c.scan(
            &format!(
                "select {COLUMNS} from inbox where site_id = :site and received_at >= :from and received_at < :to
                   and (received_at, id) < (:key, :id) order by received_at desc, id desc"
            ),
            named_params! {":from": from.ms(), ":to": before.end(to.ms()), ":key": key, ":id": before.id},
            &mut see,
        )?,
    }
    let has_more = lines.len() > wanted.limit;
    lines.truncate(wanted.limit);
    let next = has_more.then(|| lines.last().map(|l| Cursor { key: Some(l.received_at.ms()), id: l.id.number() })).flatten();
    facts(c, &mut lines)?;
    Ok((lines, next))
}

pub fn find(c: &SiteConn, id: InboxId) -> Result<Option<Line>> {
    let mut lines =
        c.list(&format!("select {COLUMNS} from inbox where site_id = :site and id = :id"), named_params! {":id": id.number()}, read)?;
    facts(c, &mut lines)?;
    Ok(lines.pop())
}

/// The newest body that nobody could read.
pub fn newest_unread(c: &SiteConn) -> Result<Option<Line>> {
    c.find(
        &format!(
            "select {COLUMNS} from inbox where site_id = :site and state = 'quarantined' and state <> 'accepted'
             order by received_at desc limit 1"
        ),
        &[],
        read,
    )
}

/// The raw body, as long as it is kept.
pub fn find_body(c: &SiteConn, id: InboxId) -> Result<Option<Vec<u8>>> {
    let found: Option<Option<Vec<u8>>> =
        c.find("select body from inbox where site_id = :site and id = :id", named_params! {":id": id.number()}, |row| row.get(0))?;
    Ok(found.flatten())
}

fn facts(c: &SiteConn, lines: &mut [Line]) -> Result<()> {
    let ids = json_list(lines.iter().map(|l| l.id.number()));
    let told: Vec<(i64, i64)> = c.list(
        "select distinct inbox_id, conversion_id from reports
         where site_id = :site and inbox_id in (select value from json_each(:ids)) order by inbox_id, conversion_id",
        named_params! {":ids": ids},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    for line in lines {
        line.conversions = told.iter().filter(|(inbox, _)| *inbox == line.id.number()).map(|(_, id)| ConversionId::new(*id)).collect();
    }
    Ok(())
}

/// A wish that a platform has passed on, and that only the owner can answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    pub id: InboxId,
    pub connection: Option<ConnectionId>,
    pub received_at: Time,
    pub is_open: bool,
    pub sentence: String,
}

/// Bodies whose sentence for the owner begins with one of two, the newest first, fifty at most.
pub fn asked(c: &SiteConn, beginnings: [&str; 2]) -> Result<Vec<Asked>> {
    c.list(
        "select i.id, i.connection_id, i.received_at, i.state, i.reason
         from json_each('[\"quarantined\",\"dismissed\"]') s
         cross join inbox i on i.site_id = :site and i.state = s.value and i.state <> 'accepted'
         where instr(i.reason, :first) = 1 or instr(i.reason, :second) = 1
         order by i.received_at desc, i.id desc limit 50",
        named_params! {":first": beginnings[0], ":second": beginnings[1]},
        |row| {
            Ok(Asked {
                id: InboxId::new(row.get(0)?),
                connection: row.get::<_, Option<i64>>(1)?.map(ConnectionId::new),
                received_at: Time::from_ms(row.get(2)?),
                is_open: super::word(row, 3)? == "quarantined",
                sentence: row.get(4)?,
            })
        },
    )
}

fn read(row: &Row) -> rusqlite::Result<Line> {
    let connection: Option<i64> = row.get(1)?;
    Ok(Line {
        id: InboxId::new(row.get(0)?),
        connection: connection.map(ConnectionId::new),
        platform: row.get(2)?,
        path: row.get(3)?,
        received_at: Time::from_ms(row.get(4)?),
        state: row.get(5)?,
        reason: row.get(6)?,
        content_type: row.get(7)?,
        bytes: row.get(8)?,
        conversions: Vec::new(),
    })
}
