//! What went back on one day, line by line, for the report of that day.

use rusqlite::named_params;

use super::super::scope::SiteConn;
use crate::domain::ids::ConversionId;
use crate::domain::money::{Currency, Money};
use crate::domain::time::{Day, Time};
use crate::error::Result;

/// A line of the ledger that took something back.
#[derive(Debug, Clone, PartialEq)]
pub struct Back {
    pub conversion: ConversionId,
    pub label: String,
    pub source: Option<String>,
    pub medium: Option<String>,
    pub campaign: Option<String>,
    /// `refund` or `cancellation`.
    pub kind: String,
    /// Below nought.
    pub amount: Money,
    pub at: Time,
    /// When it had been sold.
    pub sold_at: Time,
}

/// What went back on a day of conversions that count, as it came; so many lines at most.
pub fn backs(c: &SiteConn, day: Day, most: usize) -> Result<Vec<Back>> {
    let found = c.list(
        "select c.id, c.label, c.source, c.medium, c.campaign, e.kind, e.amount_minor, e.currency, e.happened_at, c.happened_at
         from entries e join conversions c on c.site_id = e.site_id and c.id = e.conversion_id
         where e.site_id = :site and e.book_day = :day and (e.kind = 'refund' or e.kind = 'cancellation') and c.counts = 1
         order by e.happened_at, e.id limit :most",
        named_params! {":day": day.0, ":most": most as i64},
        |row| {
            let currency: String = row.get(7)?;
            let Some(currency) = Currency::parse(&currency) else { return Ok(None) };
            Ok(Some(Back {
                conversion: ConversionId::new(row.get(0)?),
                label: row.get(1)?,
                source: row.get(2)?,
                medium: row.get(3)?,
                campaign: row.get(4)?,
                kind: row.get(5)?,
                amount: Money::new(row.get(6)?, currency),
                at: Time::from_ms(row.get(8)?),
                sold_at: Time::from_ms(row.get(9)?),
            }))
        },
    )?;
    Ok(found.into_iter().flatten().collect())
}
