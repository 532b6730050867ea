//! The money ledger: lines are added, never changed.

use rusqlite::named_params;

use super::scope::SiteConn;
use crate::domain::ids::{ConversionId, EntryId, RefundId, ReportId};
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
    pub refund: Option<RefundId>,
    pub note: Option<&'a str>,
}

pub fn add(c: &SiteConn, new: &NewEntry) -> Result<EntryId> {
    let id = c.next_number("entry")?;
    c.execute(
        "insert into entries (site_id, id, conversion_id, kind, amount_minor, currency, happened_at, book_day, report_id, refund_id, note)
         values (:site, :id, :conversion, :kind, :amount, :currency, :happened, :day, :report, :refund, :note)",
        named_params! {":id": id, ":conversion": new.conversion.number(), ":kind": new.kind, ":amount": new.amount.minor,
        ":currency": new.amount.currency.code(), ":happened": new.happened_at.ms(), ":day": new.book_day.0,
        ":report": new.report.map(ReportId::number), ":refund": new.refund.map(RefundId::number), ":note": new.note},
    )?;
    Ok(EntryId::new(id))
}

/// What the order's own state has booked, everything but single refunds: of each currency, as a shop may change it.
pub fn sums_of_order(c: &SiteConn, conversion: ConversionId) -> Result<Vec<Money>> {
    let sums: Vec<(String, i64)> = c.list(
        "select currency, sum(amount_minor) from entries
         where site_id = :site and conversion_id = :conversion and refund_id is null group by currency order by currency",
        named_params! {":conversion": conversion.number()},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(sums.into_iter().filter_map(|(code, minor)| Currency::parse(&code).map(|currency| Money::new(minor, currency))).collect())
}

/// What a sale came to by its own lines, without what came off since.
pub fn sums_of_own(c: &SiteConn, conversion: ConversionId) -> Result<Vec<Money>> {
    let sums: Vec<(String, i64)> = c.list(
        "select currency, sum(amount_minor) from entries
         where site_id = :site and conversion_id = :conversion and refund_id is null and kind in ('sale', 'adjustment')
         group by currency order by currency",
        named_params! {":conversion": conversion.number()},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(sums.into_iter().filter_map(|(code, minor)| Currency::parse(&code).map(|currency| Money::new(minor, currency))).collect())
}

/// What was sold on a day, by currency: the sale and what was changed of it, without what came off.
pub fn sums_of_sale(c: &SiteConn, conversion: ConversionId, day: Day) -> Result<Vec<Money>> {
    let sums: Vec<(String, i64)> = c.list(
        "select currency, sum(amount_minor) from entries
         where site_id = :site and conversion_id = :conversion and book_day = :day and kind in ('sale', 'adjustment')
         group by currency having sum(amount_minor) <> 0 order by currency",
        named_params! {":conversion": conversion.number(), ":day": day.0},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(sums.into_iter().filter_map(|(code, minor)| Currency::parse(&code).map(|currency| Money::new(minor, currency))).collect())
}

/// Lines of single refunds.
pub struct RefundLine {
    pub refund: RefundId,
    pub amount: Money,
    pub happened_at: Time,
}

/// What single refunds have booked on a conversion.
pub fn list_of_refunds(c: &SiteConn, conversion: ConversionId) -> Result<Vec<RefundLine>> {
    let rows: Vec<(i64, i64, String, i64)> = c.list(
        "select refund_id, amount_minor, currency, happened_at from entries
         where site_id = :site and conversion_id = :conversion and refund_id is not null order by id",
        named_params! {":conversion": conversion.number()},
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
    )?;
    let lines = rows.into_iter().filter_map(|(refund, minor, code, at)| {
        let amount = Money::new(minor, Currency::parse(&code)?);
        Some(RefundLine { refund: RefundId::new(refund), amount, happened_at: Time::from_ms(at) })
    });
    Ok(lines.collect())
}

/// What is left of a conversion after refunds and cancellations, in minor units of this currency.
pub fn sum(c: &SiteConn, conversion: ConversionId, currency: Currency) -> Result<i64> {
    c.one(
        "select coalesce(sum(amount_minor), 0) from entries
         where site_id = :site and conversion_id = :conversion and currency = :currency",
        named_params! {":conversion": conversion.number(), ":currency": currency.code()},
    )
}
