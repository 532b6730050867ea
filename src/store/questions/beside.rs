//! What stands beside the rows of a page: who it was, the credit's sentence and path, how many told of it, who was told.
//! One statement for a whole page each.

use std::collections::HashMap;

use rusqlite::named_params;

use super::super::scope::SiteConn;
use super::conversions::Line;
use super::json_list;
use crate::domain::attribution::PathTouch;
use crate::domain::attribution::chat::with_chats;
use crate::domain::ids::DeliveryId;
use crate::error::{Error, Result};

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Beside {
    pub email: Option<String>,
    pub phone: Option<String>,
    /// The credit's sentence.
    pub reason: String,
    /// Touches as the current run judged them, by time.
    pub path: Vec<PathTouch>,
    pub days_to_convert: Option<i64>,
    pub reports: i64,
    pub told: Vec<Told>,
    /// The conversation that led to it; none where none did.
    pub chat: Option<Helped>,
}

/// A conversation that led to a conversion, in short.
#[derive(Debug, Clone, PartialEq)]
pub struct Helped {
    pub method: String,
    pub confidence_bp: i64,
    pub platform: String,
}

/// Who was told, in short.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    pub id: DeliveryId,
    pub platform: String,
    pub state: String,
    pub mode: String,
    pub reason: Option<String>,
}

pub fn fill(c: &SiteConn, lines: &mut [Line]) -> Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let ids = json_list(lines.iter().map(|l| l.id.number()));
    let mut all: HashMap<i64, Beside> = HashMap::new();
    people(c, &ids, &mut all)?;
    credits(c, &ids, &mut all)?;
    reports(c, &ids, &mut all)?;
    told(c, &ids, &mut all)?;
    chats(c, &ids, &mut all)?;
    for line in lines {
        line.beside = all.remove(&line.id.number()).unwrap_or_default();
    }
    Ok(())
}

/// The contact, if there is one; else what the lead or order itself says.
fn people(c: &SiteConn, ids: &str, all: &mut HashMap<i64, Beside>) -> Result<()> {
    c.scan(
        "select v.id, m.email, m.phone
         from conversions v
         join contacts k on k.site_id = v.site_id and k.id = v.contact_id
         join contacts m on m.site_id = v.site_id and m.id = coalesce(k.merged_into, k.id)
         where v.site_id = :site and v.id in (select value from json_each(:ids))",
        named_params! {":ids": ids},
        |row| {
            let beside = all.entry(row.get(0)?).or_default();
            (beside.email, beside.phone) = (row.get(1)?, row.get(2)?);
            Ok(true)
        },
    )?;
    c.scan(
        "select r.conversion_id, l.email, l.phone from reports r join leads l on l.site_id = r.site_id and l.id = r.fact_id
         where r.site_id = :site and r.conversion_id in (select value from json_each(:ids)) and r.fact_kind = 'lead'
         union all
         select conversion_id, email, phone from orders where site_id = :site and conversion_id in (select value from json_each(:ids))",
        named_params! {":ids": ids},
        |row| {
            let beside = all.entry(row.get(0)?).or_default();
            if beside.email.is_none() && beside.phone.is_none() {
                (beside.email, beside.phone) = (row.get(1)?, row.get(2)?);
            }
            Ok(true)
        },
    )
}

fn credits(c: &SiteConn, ids: &str, all: &mut HashMap<i64, Beside>) -> Result<()> {
    let mut broken: Option<Error> = None;
    c.scan(
        "select v.id, k.reason, k.path, case when json_valid(k.snapshot) then k.snapshot ->> '$.days_to_convert' end
         from conversions v join credits k on k.site_id = v.site_id and k.conversion_id = v.id and k.run = v.run
         where v.site_id = :site and v.id in (select value from json_each(:ids))",
        named_params! {":ids": ids},
        |row| {
            let beside = all.entry(row.get(0)?).or_default();
            let path: String = row.get(2)?;
            beside.reason = row.get(1)?;
            beside.days_to_convert = row.get(3)?;
            match serde_json::from_str(&path) {
                Ok(path) => beside.path = path,
                Err(e) => broken = Some(Error::internal(e)),
            }
            Ok(broken.is_none())
        },
    )?;
    broken.map_or(Ok(()), Err)
}

fn reports(c: &SiteConn, ids: &str, all: &mut HashMap<i64, Beside>) -> Result<()> {
    c.scan(
        "select conversion_id, count(*) from reports
         where site_id = :site and conversion_id in (select value from json_each(:ids)) group by conversion_id",
        named_params! {":ids": ids},
        |row| {
            all.entry(row.get(0)?).or_default().reports = row.get(1)?;
            Ok(true)
        },
    )
}

fn told(c: &SiteConn, ids: &str, all: &mut HashMap<i64, Beside>) -> Result<()> {
    c.scan(
        "select conversion_id, id, platform, state, mode, reason from deliveries
         where site_id = :site and conversion_id in (select value from json_each(:ids)) order by conversion_id, id",
        named_params! {":ids": ids},
        |row| {
            let told = Told {
                id: DeliveryId::new(row.get(1)?),
                platform: row.get(2)?,
                state: row.get(3)?,
                mode: row.get(4)?,
                reason: row.get(5)?,
            };
            all.entry(row.get(0)?).or_default().told.push(told);
            Ok(true)
        },
    )
}

/// Chats stand in the journey as it is shown; what they earn, if anything, stands in the credit's own path.
fn chats(c: &SiteConn, ids: &str, all: &mut HashMap<i64, Beside>) -> Result<()> {
    let mut broken: Option<Error> = None;
    c.scan(
        "select a.conversion_id, a.method, a.confidence_bp, coalesce(t.platform, 'chat'), a.touches
         from chat_assists a left join conversations t on t.site_id = a.site_id and t.id = a.conversation_id
         where a.site_id = :site and a.conversion_id in (select value from json_each(:ids))",
        named_params! {":ids": ids},
        |row| {
            let beside = all.entry(row.get(0)?).or_default();
            let (method, touches): (String, String) = (row.get(1)?, row.get(4)?);
            if method != "no_match" {
                beside.chat = Some(Helped { method, confidence_bp: row.get(2)?, platform: row.get(3)? });
            }
            match serde_json::from_str::<Vec<PathTouch>>(&touches) {
                Ok(chats) if beside.path.iter().any(|p| p.earns) || chats.is_empty() => {}
                Ok(chats) => beside.path = with_chats(&beside.path, &chats, false),
                Err(e) => broken = Some(Error::internal(e)),
            }
            Ok(broken.is_none())
        },
    )?;
    broken.map_or(Ok(()), Err)
}
