//! Who has told of a conversion, and what exactly.

use rusqlite::named_params;

use super::scope::SiteConn;
use crate::domain::conversion::{Rank, Reporter, order_key};
use crate::domain::ids::{ConversionId, InboxId, ReportId};
use crate::domain::money::Money;
use crate::domain::time::Time;
use crate::error::Result;

pub struct NewReport<'a> {
    pub conversion: ConversionId,
    /// 0 stands for our own API.
    pub connection: i64,
    pub platform: &'a str,
    pub what: &'a str,
    pub fact_kind: &'static str,
    pub fact_id: Option<i64>,
    pub external_id: &'a str,
    pub rank: i64,
    pub amount: Option<Money>,
    pub happened_at: Time,
    pub received_at: Time,
    pub inbox: Option<InboxId>,
    pub detail: &'a str,
}

pub fn add(c: &SiteConn, new: &NewReport) -> Result<ReportId> {
    let id = c.next_number("report")?;
    c.execute(
        "insert into reports (site_id, id, conversion_id, connection_id, platform, what, fact_kind, fact_id, external_id, rank,
           amount_minor, currency, happened_at, received_at, inbox_id, detail)
         values (:site, :id, :conversion, :connection, :platform, :what, :fact_kind, :fact, :external, :rank,
           :amount, :currency, :happened, :received, :inbox, :detail)",
        named_params! {":id": id, ":conversion": new.conversion.number(), ":connection": new.connection, ":platform": new.platform,
        ":what": new.what, ":fact_kind": new.fact_kind, ":fact": new.fact_id, ":external": new.external_id, ":rank": new.rank,
        ":amount": new.amount.map(|m| m.minor), ":currency": new.amount.map(|m| m.currency.code().to_owned()),
        ":happened": new.happened_at.ms(), ":received": new.received_at.ms(), ":inbox": new.inbox.map(InboxId::number),
        ":detail": new.detail},
    )?;
    Ok(ReportId::new(id))
}

/// The conversion that this very report has made or joined before.
pub fn find_conversion(c: &SiteConn, connection: i64, what: &str, external_id: &str) -> Result<Option<ConversionId>> {
    c.find(
        "select conversion_id from reports where site_id = :site and connection_id = :connection and what = :what and external_id = :external",
        named_params! {":connection": connection, ":what": what, ":external": external_id},
        |row| Ok(ConversionId::new(row.get(0)?)),
    )
}

/// Who has told of a conversion.
pub fn list_reporters(c: &SiteConn, conversion: ConversionId) -> Result<Vec<Reporter>> {
    c.list(
        "select connection_id, rank, what, platform from reports where site_id = :site and conversion_id = :conversion",
        named_params! {":conversion": conversion.number()},
        |row| {
            let (what, platform): (String, String) = (row.get(2)?, row.get(3)?);
            Ok(Reporter::new(row.get(0)?, row.get(1)?, &what, &platform))
        },
    )
}

/// Whether the order number of a conversion is the shop's: no tracker has told of it, or somebody else gave the number too.
pub fn is_number_sure(c: &SiteConn, conversion: ConversionId, key: &str) -> Result<bool> {
    let told: Vec<(i64, String, String)> = c.list(
        "select rank, what, external_id from reports where site_id = :site and conversion_id = :conversion",
        named_params! {":conversion": conversion.number()},
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let is_tracker = |rank: i64| rank == Rank::AnyTrack.number();
    let gave_it = |what: &str, external_id: &str| what == "order" || order_key(external_id).as_deref() == Some(key);
    Ok(!told.iter().any(|(rank, ..)| is_tracker(*rank)) || told.iter().any(|(rank, what, id)| !is_tracker(*rank) && gave_it(what, id)))
}

/// Connections that have told of a conversion, each with its platform.
pub fn list_tellers(c: &SiteConn, conversion: ConversionId) -> Result<Vec<(i64, String)>> {
    c.list(
        "select connection_id, platform from reports where site_id = :site and conversion_id = :conversion",
        named_params! {":conversion": conversion.number()},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// Conversions that a body told of, with the sender's id of each.
pub fn list_of_inbox(c: &SiteConn, inbox: InboxId) -> Result<Vec<(ConversionId, String)>> {
    c.list(
        "select conversion_id, external_id from reports where site_id = :site and inbox_id = :inbox order by id",
        named_params! {":inbox": inbox.number()},
        |row| Ok((ConversionId::new(row.get(0)?), row.get(1)?)),
    )
}
