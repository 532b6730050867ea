//! Who has told of a conversion, and what exactly.

use rusqlite::named_params;

use super::scope::SiteConn;
use crate::domain::conversion::{Rank, Reporter, order_key};
use crate::domain::ids::{ConversionId, InboxId, OrderId, ReportId};
use crate::domain::money::{Currency, Money};
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
    /// The number that it gave.
    pub order_key: Option<&'a str>,
    pub rank: i64,
    pub amount: Option<Money>,
    pub happened_at: Time,
    pub received_at: Time,
    pub inbox: Option<InboxId>,
    pub detail: &'a str,
    /// What makes it a sale of its own again.
    pub known: Option<&'a str>,
}

pub fn add(c: &SiteConn, new: &NewReport) -> Result<ReportId> {
    let id = c.next_number("report")?;
    c.execute(
        "insert into reports (site_id, id, conversion_id, connection_id, platform, what, fact_kind, fact_id, external_id, order_key, rank,
           amount_minor, currency, happened_at, received_at, inbox_id, detail, known)
         values (:site, :id, :conversion, :connection, :platform, :what, :fact_kind, :fact, :external, :order_key, :rank,
           :amount, :currency, :happened, :received, :inbox, :detail, :known)",
        named_params! {":id": id, ":conversion": new.conversion.number(), ":connection": new.connection, ":platform": new.platform,
        ":what": new.what, ":fact_kind": new.fact_kind, ":fact": new.fact_id, ":external": new.external_id, ":order_key": new.order_key, ":rank": new.rank,
        ":amount": new.amount.map(|m| m.minor), ":currency": new.amount.map(|m| m.currency.code().to_owned()),
        ":happened": new.happened_at.ms(), ":received": new.received_at.ms(), ":inbox": new.inbox.map(InboxId::number),
        ":detail": new.detail, ":known": new.known},
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

/// A known telling gives its number for the first time. False where it had given one.
pub fn learn_number(c: &SiteConn, connection: i64, what: &str, external_id: &str, order_key: &str) -> Result<bool> {
    let changed = c.execute(
        "update reports set order_key = :key
         where site_id = :site and connection_id = :connection and what = :what and external_id = :external and order_key is null",
        named_params! {":connection": connection, ":what": what, ":external": external_id, ":key": order_key},
    )?;
    Ok(changed > 0)
}

/// The report that an order of this conversion is.
pub fn find_of_order(c: &SiteConn, conversion: ConversionId, order: OrderId) -> Result<Option<ReportId>> {
    c.find(
        "select id from reports where site_id = :site and conversion_id = :conversion and fact_kind = 'order' and fact_id = :order
         order by id limit 1",
        named_params! {":conversion": conversion.number(), ":order": order.number()},
        |row| Ok(ReportId::new(row.get(0)?)),
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

/// A report of a sale, as it is judged and told again.
#[derive(Debug, Clone)]
pub struct Told {
    pub id: ReportId,
    pub connection: i64,
    pub platform: String,
    pub what: String,
    pub fact_kind: String,
    pub fact_id: Option<i64>,
    pub external_id: String,
    pub order_key: Option<String>,
    pub rank: i64,
    pub amount: Option<Money>,
    pub happened_at: Time,
    pub detail: String,
    pub known: Option<String>,
}

impl Told {
    pub fn reporter(&self) -> Reporter {
        Reporter::new(self.connection, self.rank, &self.what, &self.platform)
    }
}

/// All that has been told of a conversion, the first first.
pub fn list_told(c: &SiteConn, conversion: ConversionId) -> Result<Vec<Told>> {
    c.list(
        "select id, connection_id, platform, what, fact_kind, fact_id, external_id, order_key, rank, amount_minor, currency, happened_at,
           detail, known from reports where site_id = :site and conversion_id = :conversion order by id",
        named_params! {":conversion": conversion.number()},
        |row| {
            let (minor, currency): (Option<i64>, Option<String>) = (row.get(9)?, row.get(10)?);
            Ok(Told {
                id: ReportId::new(row.get(0)?),
                connection: row.get(1)?,
                platform: row.get(2)?,
                what: row.get(3)?,
                fact_kind: row.get(4)?,
                fact_id: row.get(5)?,
                external_id: row.get(6)?,
                order_key: row.get(7)?,
                rank: row.get(8)?,
                amount: minor.zip(currency.as_deref().and_then(Currency::parse)).map(|(minor, currency)| Money::new(minor, currency)),
                happened_at: Time::from_ms(row.get(11)?),
                detail: row.get(12)?,
                known: row.get(13)?,
            })
        },
    )
}

/// It was never told.
pub fn remove(c: &SiteConn, id: ReportId) -> Result<()> {
    c.execute("delete from reports where site_id = :site and id = :id", named_params! {":id": id.number()})?;
    Ok(())
}

/// It belongs to another sale after all.
pub fn move_to(c: &SiteConn, id: ReportId, conversion: ConversionId) -> Result<()> {
    c.execute(
        "update reports set conversion_id = :conversion where site_id = :site and id = :id",
        named_params! {":id": id.number(), ":conversion": conversion.number()},
    )?;
    Ok(())
}
