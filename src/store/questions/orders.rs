//! Orders as their shop told them last, with what became of their sale: money back, the credited source.

use rusqlite::{Row, named_params};

use super::super::sales;
use super::super::scope::SiteConn;
use super::word;
use crate::domain::ids::{ContactId, ConversionId, OrderId};
use crate::domain::money::{Currency, Money};
use crate::domain::outgoing::Item;
use crate::domain::question::filter::UNATTRIBUTED;
use crate::domain::question::{Choice, Cursor, Span};
use crate::domain::time::{Time, Zone};
use crate::error::{Error, Result};

#[derive(Debug, Clone)]
pub struct OrderLine {
    pub id: OrderId,
    pub external_id: String,
    pub order_number: String,
    pub platform: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub contact: Option<ContactId>,
    /// In the shop's own word.
    pub status: String,
    pub is_paid: bool,
    pub is_test: bool,
    /// Deleted or in the bin at the shop.
    pub is_gone: bool,
    pub total: Option<Money>,
    /// In the total.
    pub tax: Option<Money>,
    pub shipping: Option<Money>,
    /// Taken off before the total was made.
    pub discount: Option<Money>,
    pub items: Vec<Item>,
    pub created_at: Time,
    pub received_at: Time,
    /// Its person was.
    pub is_erased: bool,
    pub sale: Option<Sale>,
}

/// The conversion that the order is a report of.
#[derive(Debug, Clone)]
pub struct Sale {
    pub conversion: ConversionId,
    pub status: String,
    pub counts: bool,
    pub net: Option<Money>,
    /// What was refunded or cancelled, as a positive amount.
    pub back: Option<Money>,
    pub source: Option<String>,
    pub medium: Option<String>,
    pub campaign: Option<String>,
    pub match_type: String,
    pub is_asserted: bool,
    pub confidence_bp: i64,
    /// How many have told of it.
    pub reports: i64,
}

#[derive(Debug, Clone)]
pub struct Wanted {
    pub span: Span,
    pub status: Choice,
    pub platform: Choice,
    /// Credited in the books; `unattributed` for none.
    pub source: Choice,
    /// The connection that told of it, by its number.
    pub connection: Choice,
    /// Whether its buyer had bought before.
    pub customers: Choice,
    /// The order's number, or its beginning.
    pub search: Option<String>,
    pub cursor: Option<Cursor>,
    pub limit: usize,
}

/// The newest first, by when it was made in the shop.
pub fn page(c: &SiteConn, zone: &Zone, wanted: &Wanted) -> Result<(Vec<OrderLine>, Option<Cursor>)> {
    let (from, to) = wanted.span.times(zone);
    let before = wanted.cursor.unwrap_or(Cursor { key: Some(i64::MAX), id: i64::MAX });
    let mut lines: Vec<OrderLine> = Vec::new();
    let mut failed: Option<Error> = None;
    c.scan(
        "select o.id, o.platform, o.status, v.source, o.order_number, o.created_at, o.external_id, o.email, o.phone, o.contact_id, o.is_paid,
           o.is_test, o.total_minor, o.currency, o.received_at, o.conversion_id, o.items, v.status, v.counts, v.net_minor, v.currency,
           (select -coalesce(sum(e.amount_minor), 0) from entries e where e.site_id = o.site_id and e.conversion_id = o.conversion_id
              and e.currency = v.currency and e.kind in ('refund', 'cancellation')),
           v.medium, v.campaign, v.match_type, v.is_asserted, v.confidence_bp,
           (select count(*) from reports r where r.site_id = o.site_id and r.conversion_id = o.conversion_id),
           o.is_gone, o.tax_minor, o.shipping_minor, o.discount_minor, o.connection_id,
           o.erased_at is not null
         from orders o left join conversions v on v.site_id = o.site_id and v.id = o.conversion_id
         where o.site_id = :site and o.created_at >= :from and o.created_at < :to and (o.created_at, o.id) < (:key, :id)
           -- A payment is no order of its own where a shop has told of what it paid.
           and (o.rank <> 4 or not exists (select 1 from orders s where s.site_id = o.site_id and s.conversion_id = o.conversion_id
             and (s.rank = 3 or s.rank = 5)))
         order by o.created_at desc, o.id desc",
        named_params! {":from": from.ms(), ":to": before.end(to.ms()), ":key": before.key.unwrap_or(i64::MAX), ":id": before.id},
        |row| {
            if takes(row, wanted)? {
                match is_of_customers(c, row, wanted) {
                    Ok(true) => lines.push(read(row)?),
                    Ok(false) => {}
                    Err(e) => failed = Some(e),
                }
            }
            Ok(failed.is_none() && lines.len() <= wanted.limit)
        },
    )?;
    if let Some(e) = failed {
        return Err(e);
    }
    let has_more = lines.len() > wanted.limit;
    lines.truncate(wanted.limit);
    let next = lines.last().filter(|_| has_more).map(|l| Cursor { key: Some(l.created_at.ms()), id: l.id.number() });
    Ok((lines, next))
}

fn takes(row: &Row, wanted: &Wanted) -> rusqlite::Result<bool> {
    let source = match word(row, 3)? {
        "" => UNATTRIBUTED,
        source => source,
    };
    let is_found = match &wanted.search {
        None => true,
        Some(text) => {
            let plain = |number: &str| number.trim_start_matches('#').to_lowercase();
            plain(word(row, 4)?).starts_with(&plain(text))
        }
    };
    let is_told = wanted.connection.is_open() || wanted.connection.admits(&row.get::<_, i64>(32)?.to_string());
    Ok(is_found && is_told && wanted.platform.admits(word(row, 1)?) && wanted.status.admits(word(row, 2)?) && wanted.source.admits(source))
}

/// An order without a sale that counts is nobody's first, and nobody's next one.
fn is_of_customers(c: &SiteConn, row: &Row, wanted: &Wanted) -> Result<bool> {
    if wanted.customers.is_open() {
        return Ok(true);
    }
    let conversion: Option<i64> = row.get(15).map_err(Error::internal)?;
    let buyer = conversion.map(|id| sales::buyer(c, ConversionId::new(id))).transpose()?;
    Ok(wanted.customers.admits(&buyer.unwrap_or_default()))
}

fn read(row: &Row) -> rusqlite::Result<OrderLine> {
    let contact: Option<i64> = row.get(9)?;
    let conversion: Option<i64> = row.get(15)?;
    let items: String = row.get(16)?;
    let currency = Currency::parse(word(row, 13)?);
    let money = |place| {
        Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(place)?.zip(currency).map(|(minor, currency)| Money::new(minor, currency)))
    };
    let sale = match conversion {
        // Of a conversion that is gone there is no status.
        Some(id) if row.get::<_, Option<String>>(17)?.is_some() => {
            let currency = row.get::<_, Option<String>>(20)?.as_deref().and_then(Currency::parse);
            let net: Option<i64> = row.get(19)?;
            let back: Option<i64> = row.get(21)?;
            Some(Sale {
                conversion: ConversionId::new(id),
                status: row.get(17)?,
                counts: row.get(18)?,
                net: net.zip(currency).map(|(minor, currency)| Money::new(minor, currency)),
                back: back.filter(|minor| *minor != 0).zip(currency).map(|(minor, currency)| Money::new(minor, currency)),
                source: row.get(3)?,
                medium: row.get(22)?,
                campaign: row.get(23)?,
                match_type: row.get(24)?,
                is_asserted: row.get(25)?,
                confidence_bp: row.get(26)?,
                reports: row.get(27)?,
            })
        }
        _ => None,
    };
    Ok(OrderLine {
        id: OrderId::new(row.get(0)?),
        platform: row.get(1)?,
        status: row.get(2)?,
        order_number: row.get(4)?,
        created_at: Time::from_ms(row.get(5)?),
        external_id: row.get(6)?,
        email: row.get(7)?,
        phone: row.get(8)?,
        contact: contact.map(ContactId::new),
        is_paid: row.get(10)?,
        is_test: row.get(11)?,
        is_gone: row.get(28)?,
        total: money(12)?,
        tax: money(29)?,
        shipping: money(30)?,
        discount: money(31)?,
        received_at: Time::from_ms(row.get(14)?),
        is_erased: row.get(33)?,
        items: serde_json::from_str(&items).unwrap_or_default(),
        sale,
    })
}
