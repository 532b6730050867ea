//! What became of leads in the pipeline, change by change. Rows are added, never changed.

use rusqlite::{Row, named_params};

use super::scope::SiteConn;
use crate::domain::ids::{ConversionId, LeadId};
use crate::domain::money::{Currency, Money};
use crate::domain::pipeline::Stage;
use crate::domain::time::Time;
use crate::error::Result;

/// A change as it is read again.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub id: i64,
    pub lead: LeadId,
    pub at: Time,
    pub who: String,
    pub before: Stage,
    pub stage: Stage,
    /// What the lead was worth after the change.
    pub value: Option<Money>,
    pub event_id: Option<String>,
}

pub struct NewChange<'a> {
    pub lead: LeadId,
    pub at: Time,
    pub who: &'a str,
    pub before: Stage,
    pub stage: Stage,
    pub value: Option<Money>,
    /// Of the fact that this change is; none where it is none, or where it was told before.
    pub event_id: Option<&'a str>,
}

const COLUMNS: &str = "id, lead_id, at, who, stage_before, stage, value_minor, currency, event_id";

pub fn add(c: &SiteConn, new: &NewChange) -> Result<i64> {
    let id = c.next_number("lead_change")?;
    c.execute(
        "insert into lead_changes (site_id, id, lead_id, at, who, stage_before, stage, value_minor, currency, event_id)
         values (:site, :id, :lead, :at, :who, :before, :stage, :value, :currency, :event)",
        named_params! {":id": id, ":lead": new.lead.number(), ":at": new.at.ms(), ":who": new.who, ":before": new.before.word(),
        ":stage": new.stage.word(), ":value": new.value.map(|m| m.minor), ":currency": new.value.map(|m| m.currency.code().to_owned()),
        ":event": new.event_id},
    )?;
    Ok(id)
}

/// All changes of a lead, the newest first.
pub fn list(c: &SiteConn, lead: LeadId) -> Result<Vec<Change>> {
    c.list(
        &format!("select {COLUMNS} from lead_changes where site_id = :site and lead_id = :lead order by id desc limit 200"),
        named_params! {":lead": lead.number()},
        read,
    )
}

/// The fact that has this event id.
pub fn find_by_event(c: &SiteConn, event_id: &str) -> Result<Option<Change>> {
    c.find(
        &format!("select {COLUMNS} from lead_changes where site_id = :site and event_id = :event"),
        named_params! {":event": event_id},
        read,
    )
}

/// Every lead of a conversion, the first told first: several connections may have told of the same one.
pub fn list_leads(c: &SiteConn, conversion: ConversionId) -> Result<Vec<LeadId>> {
    c.list(
        "select fact_id from reports where site_id = :site and conversion_id = :conversion and fact_kind = 'lead' and fact_id is not null
         order by fact_id limit 50",
        named_params! {":conversion": conversion.number()},
        |row| Ok(LeadId::new(row.get(0)?)),
    )
}

fn read(row: &Row) -> rusqlite::Result<Change> {
    let (before, stage): (String, String) = (row.get(4)?, row.get(5)?);
    let (minor, currency): (Option<i64>, Option<String>) = (row.get(6)?, row.get(7)?);
    Ok(Change {
        id: row.get(0)?,
        lead: LeadId::new(row.get(1)?),
        at: Time::from_ms(row.get(2)?),
        who: row.get(3)?,
        before: Stage::parse(&before).unwrap_or(Stage::New),
        stage: Stage::parse(&stage).unwrap_or(Stage::New),
        value: minor.zip(currency.as_deref().and_then(Currency::parse)).map(|(m, cur)| Money::new(m, cur)),
        event_id: row.get(8)?,
    })
}
