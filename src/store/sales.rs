//! Sales that count, by what a shop's figures go by: who told of them, which conversation led to them, and whether their
//! buyer was new. The counts of whole days and the questions read them here, so that both mean the same.

/// What was bought.
pub mod lines;

use rusqlite::{Row, named_params};

use super::scope::SiteConn;
use crate::domain::ids::ConversionId;
use crate::domain::time::{Day, Time};
use crate::error::Result;

/// What a sale is counted by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Facets<'r> {
    /// Of the report that speaks for it.
    pub platform: &'r str,
    /// Method and confidence of the conversation before it: `session_match 9500`; empty without one.
    pub chat: &'r str,
    /// `new` is the customer's first sale that counts, `returning` a later one; `unknown` has no customer.
    pub buyer: &'r str,
}

/// A sale on its own day.
pub struct Order<'r> {
    pub at: Time,
    pub currency: &'r str,
    pub facets: Facets<'r>,
}

/// Money of a sale on the day it is booked on.
pub struct Booked<'r> {
    pub day: Day,
    pub kind: &'r str,
    pub currency: &'r str,
    pub amount_minor: i64,
    pub facets: Facets<'r>,
}

/// Which entries are read.
pub struct Entries {
    pub from: Day,
    pub to: Day,
    /// Nothing that was booked later.
    pub until: Time,
    /// Entries with a higher number than this.
    pub after: i64,
    /// Of this day, entries up to this number.
    pub part: (Day, i64),
}

const PLATFORM: &str = "coalesce((select r.platform from reports r where r.site_id = c.site_id and r.conversion_id = c.id
    order by r.rank desc, r.id limit 1), '')";
const CHAT: &str = "coalesce((select a.method || ' ' || a.confidence_bp from chat_assists a
    where a.site_id = c.site_id and a.conversion_id = c.id and a.method <> 'no_match'), '')";
// Who was erased is counted on under a number of nobody.
const BUYER: &str = "case when coalesce(c.contact_id, c.bought_by) is null then 'unknown'
    when (select k.first_conversion from customers k
      where k.site_id = c.site_id and k.contact_id = coalesce(c.contact_id, c.bought_by)) = c.id then 'new'
    else 'returning' end";

/// Sales that happened from a moment to before another, in the order of time.
pub fn scan_orders(c: &SiteConn, from: Time, to: Time, mut on: impl FnMut(&Order)) -> Result<()> {
    c.scan(
        &format!(
            "select c.happened_at, coalesce(c.currency, ''), {PLATFORM}, {CHAT}, {BUYER} from conversions c
             where c.site_id = :site and c.kind = 'sale' and c.happened_at >= :from and c.happened_at < :to and c.counts = 1
             order by c.happened_at"
        ),
        named_params! {":from": from.ms(), ":to": to.ms()},
        |row| {
            on(&Order { at: Time::from_ms(row.get(0)?), currency: word(row, 1)?, facets: facets(row, 2)? });
            Ok(true)
        },
    )
}

/// The money of sales, in the order of the days it is booked on.
pub fn scan_booked(c: &SiteConn, entries: &Entries, mut on: impl FnMut(&Booked)) -> Result<()> {
    c.scan(
        &format!(
            "select e.book_day, e.kind, e.currency, e.amount_minor, {PLATFORM}, {CHAT}, {BUYER}
             from entries e join conversions c on c.site_id = e.site_id and c.id = e.conversion_id
             where e.site_id = :site and e.book_day between :from and :to and e.happened_at < :until and e.id > :after
               and (e.book_day <> :part or e.id <= :known) and c.counts = 1
             order by e.book_day"
        ),
        named_params! {":from": entries.from.0, ":to": entries.to.0, ":until": entries.until.ms(), ":after": entries.after,
        ":part": entries.part.0.0, ":known": entries.part.1},
        |row| {
            on(&Booked {
                day: Day(row.get(0)?),
                kind: word(row, 1)?,
                currency: word(row, 2)?,
                amount_minor: row.get(3)?,
                facets: facets(row, 4)?,
            });
            Ok(true)
        },
    )
}

/// Whose sale a conversion is, as `Facets::buyer`; empty for what is no sale or does not count.
pub fn buyer(c: &SiteConn, conversion: ConversionId) -> Result<String> {
    let found = c.find(
        &format!("select {BUYER} from conversions c where c.site_id = :site and c.id = :id and c.kind = 'sale' and c.counts = 1"),
        named_params! {":id": conversion.number()},
        |row| row.get(0),
    )?;
    Ok(found.unwrap_or_default())
}

/// Of one sale.
pub fn with_facets<T>(c: &SiteConn, conversion: ConversionId, on: impl FnOnce(Facets) -> T) -> Result<Option<T>> {
    c.find(
        &format!("select {PLATFORM}, {CHAT}, {BUYER} from conversions c where c.site_id = :site and c.id = :id"),
        named_params! {":id": conversion.number()},
        |row| Ok(on(facets(row, 0)?)),
    )
}

fn facets<'r>(row: &'r Row, from: usize) -> rusqlite::Result<Facets<'r>> {
    Ok(Facets { platform: word(row, from)?, chat: word(row, from + 1)?, buyer: word(row, from + 2)? })
}

fn word<'r>(row: &'r Row, place: usize) -> rusqlite::Result<&'r str> {
    row.get_ref(place)?.as_str().map_err(|e| rusqlite::Error::FromSqlConversionFailure(place, rusqlite::types::Type::Text, Box::new(e)))
}
