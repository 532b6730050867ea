//! Leads as their senders told them, page by page.

use rusqlite::{Row, named_params};

use super::super::scope::SiteConn;
use super::word;
use crate::domain::ids::{ContactId, ConversionId, LeadId};
use crate::domain::money::{Currency, Money};
use crate::domain::question::{Choice, Cursor, Span};
use crate::domain::time::{Time, Zone};
use crate::error::Result;

#[derive(Debug, Clone)]
pub struct LeadLine {
    pub id: LeadId,
    pub external_id: String,
    pub source: String,
    pub form_type: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub contact: Option<ContactId>,
    pub value: Option<Money>,
    pub consent_given: Option<bool>,
    pub status: String,
    pub created_at: Time,
    pub received_at: Time,
    pub conversion: Option<ConversionId>,
}

#[derive(Debug, Clone)]
pub struct Wanted {
    pub span: Span,
    pub status: Choice,
    /// Where a lead came from.
    pub source: Choice,
    pub cursor: Option<Cursor>,
    pub limit: usize,
}

const LEAD: &str = "id, source, status, created_at, external_id, form_type, email, phone, first_name, last_name, contact_id, value_minor, \
    currency, consent_given, received_at, conversion_id";

pub fn lead(c: &SiteConn, id: LeadId) -> Result<Option<LeadLine>> {
    c.find(&format!("select {LEAD} from leads where site_id = :site and id = :id"), named_params! {":id": id.number()}, read_lead)
}

fn read_lead(row: &Row) -> rusqlite::Result<LeadLine> {
    let (contact, conversion): (Option<i64>, Option<i64>) = (row.get(10)?, row.get(15)?);
    Ok(LeadLine {
        id: LeadId::new(row.get(0)?),
        source: row.get(1)?,
        status: row.get(2)?,
        created_at: Time::from_ms(row.get(3)?),
        external_id: row.get(4)?,
        form_type: row.get(5)?,
        email: row.get(6)?,
        phone: row.get(7)?,
        first_name: row.get(8)?,
        last_name: row.get(9)?,
        contact: contact.map(ContactId::new),
        value: money(row, 11, 12)?,
        consent_given: row.get(13)?,
        received_at: Time::from_ms(row.get(14)?),
        conversion: conversion.map(ConversionId::new),
    })
}

/// The newest first, by when it was made at its sender.
pub fn leads(c: &SiteConn, zone: &Zone, wanted: &Wanted) -> Result<(Vec<LeadLine>, Option<Cursor>)> {
    let mut lines: Vec<LeadLine> = Vec::new();
    walk(
        c,
        zone,
        wanted,
        &format!(
            "select {LEAD} from leads where site_id = :site and created_at >= :from and created_at < :to and (created_at, id) < (:key, :id)
             order by created_at desc, id desc"
        ),
        |row| {
            lines.push(read_lead(row)?);
            Ok(lines.len() <= wanted.limit)
        },
    )?;
    let has_more = lines.len() > wanted.limit;
    lines.truncate(wanted.limit);
    let next = lines.last().filter(|_| has_more).map(|l| Cursor { key: Some(l.created_at.ms()), id: l.id.number() });
    Ok((lines, next))
}

/// Number, source, status and time stand in the first four columns.
fn walk(c: &SiteConn, zone: &Zone, wanted: &Wanted, sql: &str, mut on: impl FnMut(&Row) -> rusqlite::Result<bool>) -> Result<()> {
    let (from, to) = wanted.span.times(zone);
    let before = wanted.cursor.unwrap_or(Cursor { key: Some(i64::MAX), id: i64::MAX });
    c.scan(
        sql,
        named_params! {":from": from.ms(), ":to": before.end(to.ms()), ":key": before.key.unwrap_or(i64::MAX), ":id": before.id},
        |row| {
            if !wanted.source.admits(word(row, 1)?) || !wanted.status.admits(word(row, 2)?) {
                return Ok(true);
            }
            on(row)
        },
    )
}

fn money(row: &Row, minor: usize, currency: usize) -> rusqlite::Result<Option<Money>> {
    let (minor, currency): (Option<i64>, Option<String>) = (row.get(minor)?, row.get(currency)?);
    Ok(minor.zip(currency.as_deref().and_then(Currency::parse)).map(|(minor, currency)| Money::new(minor, currency)))
}
