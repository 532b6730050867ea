//! The money ledger: lines are added, never changed.

use rusqlite::named_params;

use super::scope::SiteConn;
use crate::domain::ids::{ConversionId, EntryId, ReportId};
use crate::domain::money::{Currency, Money};
use crate::domain::time::{Day, Time};
use crate::error::Result;

pub struct NewEntry<'a> {
    pub conversion: ConversionId,
    /// `sale`, `refund`, `cancellation`, `adjustment`.
    pub kind: &'static str,
    /// Negative where money goes back.
    pub amount: Money,
    pub happened_at: Time,
    pub book_day: Day,
    pub report: Option<ReportId>,
    pub note: Option<&'a str>,
}

pub fn add(c: &SiteConn, new: &NewEntry) -> Result<EntryId> {
    let id = c.next_number("entry")?;
    c.execute(
        "insert into entries (site_id, id, conversion_id, kind, amount_minor, currency, happened_at, book_day, report_id, note)
         values (:site, :id, :conversion, :kind, :amount, :currency, :happened, :day, :report, :note)",
        named_params! {":id": id, ":conversion": new.conversion.number(), ":kind": new.kind, ":amount": new.amount.minor,
        ":currency": new.amount.currency.code(), ":happened": new.happened_at.ms(), ":day": new.book_day.0,
        ":report": new.report.map(ReportId::number), ":note": new.note},
    )?;
    Ok(EntryId::new(id))
}

/// Marks a refund that the order's own state told, not a refund of its own.
pub const WHOLE_ORDER: &str = "the whole order";

/// What the order's own state has booked, everything but single refunds: of each currency, as a shop may change it.
pub fn sums_of_order(c: &SiteConn, conversion: ConversionId) -> Result<Vec<Money>> {
    let sums: Vec<(String, i64)> = c.list(
        "select currency, sum(amount_minor) from entries
         where site_id = :site and conversion_id = :conversion and (kind <> 'refund' or note = :whole) group by currency order by currency",
        named_params! {":conversion": conversion.number(), ":whole": WHOLE_ORDER},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(sums.into_iter().filter_map(|(code, minor)| Currency::parse(&code).map(|currency| Money::new(minor, currency))).collect())
}

/// What is left of a conversion after refunds and cancellations, in minor units of this currency.
pub fn sum(c: &SiteConn, conversion: ConversionId, currency: Currency) -> Result<i64> {
    c.one(
        "select coalesce(sum(amount_minor), 0) from entries
         where site_id = :site and conversion_id = :conversion and currency = :currency",
        named_params! {":conversion": conversion.number(), ":currency": currency.code()},
    )
}
