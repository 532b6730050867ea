//! People as the site knows them.

use rusqlite::{Row, named_params};

use super::super::scope::SiteConn;
use super::json_list;
use crate::domain::ids::{ContactId, ConversionId};
use crate::domain::money::{Currency, Money};
use crate::domain::question::Cursor;
use crate::domain::time::Time;
use crate::error::Result;

/// Conversions shown with a person.
const MOST_CONVERSIONS: i64 = 200;

#[derive(Debug, Clone)]
pub struct Line {
    pub id: ContactId,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub company: Option<String>,
    pub country: Option<String>,
    pub city: Option<String>,
    pub first_seen_at: Time,
    pub last_seen_at: Time,
    pub conversions: i64,
}

#[derive(Debug)]
pub struct Contact {
    pub line: Line,
    pub identities: Vec<Identity>,
    /// The newest first.
    pub conversions: Vec<Short>,
    /// What is left after refunds, of conversions that count, by currency.
    pub net: Vec<Money>,
}

#[derive(Debug, Clone)]
pub struct Identity {
    pub kind: String,
    pub value: String,
    pub is_verified: bool,
    pub first_at: Time,
    pub source: String,
}

#[derive(Debug, Clone)]
pub struct Short {
    pub id: ConversionId,
    pub kind: String,
    pub label: String,
    pub amount: Option<Money>,
    pub status: String,
    pub happened_at: Time,
}

const COLUMNS: &str = "id, email, phone, first_name, last_name, company, country, city, first_seen_at, last_seen_at";

/// The newest known first; those that were merged into others are not listed. A search finds whole addresses and their
/// beginnings.
pub fn page(c: &SiteConn, search: Option<&str>, cursor: Option<Cursor>, limit: usize) -> Result<(Vec<Line>, Option<Cursor>)> {
    let before = cursor.map_or(i64::MAX, |cursor| cursor.id);
    let most = limit as i64 + 1;
    let mut lines = match search {
        None => c.list(
            &format!(
                "select {COLUMNS} from contacts where site_id = :site and id < :before and merged_into is null order by id desc limit :most"
            ),
            named_params! {":before": before, ":most": most},
            read,
        )?,
        Some(text) => c.list(
            &format!(
                "select {COLUMNS} from contacts where site_id = :site and id < :before and merged_into is null and id in (
                   select contact_id from identities
                   where site_id = :site and kind in ('email', 'phone', 'customer_id') and value >= :text and value < :end)
                 order by id desc limit :most"
            ),
            named_params! {":before": before, ":most": most, ":text": text.to_lowercase(), ":end": format!("{}\u{10ffff}", text.to_lowercase())},
            read,
        )?,
    };
    let has_more = lines.len() > limit;
    lines.truncate(limit);
    let next = lines.last().filter(|_| has_more).map(|l| Cursor { key: None, id: l.id.number() });
    count_conversions(c, &mut lines)?;
    Ok((lines, next))
}

/// A person with everything known; one that was merged is shown as the one it went into.
pub fn find(c: &SiteConn, id: ContactId) -> Result<Option<Contact>> {
    let merged: Option<Option<i64>> =
        c.find("select merged_into from contacts where site_id = :site and id = :id", named_params! {":id": id.number()}, |row| {
            row.get(0)
        })?;
    let id = merged.flatten().unwrap_or(id.number());
    let mut lines =
        c.list(&format!("select {COLUMNS} from contacts where site_id = :site and id = :id"), named_params! {":id": id}, read)?;
    count_conversions(c, &mut lines)?;
    let Some(line) = lines.pop() else { return Ok(None) };
    let identities = c.list(
        "select kind, value, is_verified, first_at, source from identities
         where site_id = :site and contact_id = :id order by kind, first_at",
        named_params! {":id": id},
        |row| {
            Ok(Identity {
                kind: row.get(0)?,
                value: row.get(1)?,
                is_verified: row.get(2)?,
                first_at: Time::from_ms(row.get(3)?),
                source: row.get(4)?,
            })
        },
    )?;
    let conversions = c.list(
        "select id, kind, label, amount_minor, currency, status, happened_at from conversions
         where site_id = :site and contact_id = :id and status <> 'void' order by happened_at desc limit :most",
        named_params! {":id": id, ":most": MOST_CONVERSIONS},
        |row| {
            let (minor, currency): (Option<i64>, Option<String>) = (row.get(3)?, row.get(4)?);
            Ok(Short {
                id: ConversionId::new(row.get(0)?),
                kind: row.get(1)?,
                label: row.get(2)?,
                amount: minor.zip(currency.as_deref().and_then(Currency::parse)).map(|(m, cur)| Money::new(m, cur)),
                status: row.get(5)?,
                happened_at: Time::from_ms(row.get(6)?),
            })
        },
    )?;
    let net: Vec<(String, i64)> = c.list(
        "select currency, sum(net_minor) from conversions
         where site_id = :site and contact_id = :id and counts = 1 and net_minor is not null and currency is not null
         group by currency order by currency",
        named_params! {":id": id},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let net = net.into_iter().filter_map(|(code, minor)| Currency::parse(&code).map(|cur| Money::new(minor, cur))).collect();
    Ok(Some(Contact { line, identities, conversions, net }))
}

fn count_conversions(c: &SiteConn, lines: &mut [Line]) -> Result<()> {
    let counts: Vec<(i64, i64)> = c.list(
        "select contact_id, count(*) from conversions
         where site_id = :site and contact_id in (select value from json_each(:ids)) and status <> 'void' group by contact_id",
        named_params! {":ids": json_list(lines.iter().map(|l| l.id.number()))},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    for line in lines {
        line.conversions = counts.iter().find(|(id, _)| *id == line.id.number()).map_or(0, |(_, n)| *n);
    }
    Ok(())
}

/// The number of a contact with its address and phone.
pub type KnownBy = (ContactId, Option<String>, Option<String>);

/// What these contacts are known by.
pub fn known_by(c: &SiteConn, ids: &[ContactId]) -> Result<Vec<KnownBy>> {
    let ids = json_list(ids.iter().map(|id| id.number()));
    c.list(
        "select id, email, phone from contacts where site_id = :site and id in (select value from json_each(:ids))",
        named_params! {":ids": ids},
        |row| Ok((ContactId::new(row.get(0)?), row.get(1)?, row.get(2)?)),
    )
}

fn read(row: &Row) -> rusqlite::Result<Line> {
    Ok(Line {
        id: ContactId::new(row.get(0)?),
        email: row.get(1)?,
        phone: row.get(2)?,
        first_name: row.get(3)?,
        last_name: row.get(4)?,
        company: row.get(5)?,
        country: row.get(6)?,
        city: row.get(7)?,
        first_seen_at: Time::from_ms(row.get(8)?),
        last_seen_at: Time::from_ms(row.get(9)?),
        conversions: 0,
    })
}
