//! Steps that a file has brought, and how they are taken away again when it is taken back: the row stays without anything of a
//! person and counts nowhere, and people who were known by it alone are known no more.

use rusqlite::named_params;

use super::super::scope::SiteConn;
use crate::domain::ids::{ContactId, ConversionId, ImportId, MilestoneId};
use crate::domain::time::Time;
use crate::error::Result;

/// What is to be known of a step to take it away.
#[derive(Debug, Clone)]
pub struct Brought {
    pub contact: Option<ContactId>,
    pub conversion: Option<ConversionId>,
    pub is_undone: bool,
}

/// The file that has told of a step first.
pub fn set_import(c: &SiteConn, id: MilestoneId, import: ImportId) -> Result<()> {
    c.execute(
        "update milestones set import_id = :import where site_id = :site and id = :id and import_id is null",
        named_params! {":id": id.number(), ":import": import.number()},
    )?;
    Ok(())
}

/// A list tells of a step, whoever told of it first.
pub fn tell(c: &SiteConn, id: MilestoneId, import: ImportId) -> Result<()> {
    c.execute(
        "insert into import_tellings (site_id, fact_id, import_id) values (:site, :id, :import) on conflict do nothing",
        named_params! {":id": id.number(), ":import": import.number()},
    )?;
    Ok(())
}

/// The list does not tell of it any more.
pub fn untell(c: &SiteConn, id: MilestoneId, import: ImportId) -> Result<()> {
    c.execute(
        "delete from import_tellings where site_id = :site and fact_id = :id and import_id = :import",
        named_params! {":id": id.number(), ":import": import.number()},
    )?;
    Ok(())
}

/// Steps that a list tells of, behind the one that was looked at last.
pub fn list_told(c: &SiteConn, import: ImportId, after: i64, limit: i64) -> Result<Vec<MilestoneId>> {
    c.list(
        "select fact_id from import_tellings where site_id = :site and import_id = :import and fact_id > :after order by fact_id limit :limit",
        named_params! {":import": import.number(), ":after": after, ":limit": limit},
        |row| Ok(MilestoneId::new(row.get(0)?)),
    )
}

/// The first of the other lists that tell of it.
pub fn find_other(c: &SiteConn, id: MilestoneId, import: ImportId) -> Result<Option<ImportId>> {
    c.find(
        "select import_id from import_tellings where site_id = :site and fact_id = :id and import_id <> :import order by import_id limit 1",
        named_params! {":id": id.number(), ":import": import.number()},
        |row| Ok(ImportId::new(row.get(0)?)),
    )
}

/// What was one list's is another one's.
pub fn hand_over(c: &SiteConn, id: MilestoneId, from: ImportId, to: ImportId) -> Result<()> {
    let who = named_params! {":id": id.number(), ":from": from.number(), ":to": to.number()};
    c.execute("update milestones set import_id = :to where site_id = :site and id = :id and import_id = :from", who)?;
    c.execute(
        "update import_rows set import_id = :to where site_id = :site and fact_id = :id and kind = 'offline' and import_id = :from",
        who,
    )?;
    Ok(())
}

/// So that its rows can come again, in whatever words they told of it.
pub fn forget_rows(c: &SiteConn, id: MilestoneId) -> Result<()> {
    c.execute("delete from import_rows where site_id = :site and fact_id = :id and kind = 'offline'", named_params! {":id": id.number()})?;
    Ok(())
}

/// The step as it stands.
pub fn find(c: &SiteConn, id: MilestoneId) -> Result<Option<Brought>> {
    c.find(
        "select contact_id, conversion_id, undone_at is not null from milestones where site_id = :site and id = :id",
        named_params! {":id": id.number()},
        |row| {
            let (contact, conversion): (Option<i64>, Option<i64>) = (row.get(0)?, row.get(1)?);
            Ok(Brought {
                // Below nought: somebody who was erased.
                contact: contact.filter(|id| *id > 0).map(ContactId::new),
                conversion: conversion.map(ConversionId::new),
                is_undone: row.get(2)?,
            })
        },
    )
}

/// It was never told: nothing of a person stays with it, and the same row may come again.
pub fn take_back(c: &SiteConn, id: MilestoneId, now: Time) -> Result<()> {
    let changed = c.next_inner_number("milestone")?;
    c.execute(
        "update milestones set undone_at = :now, changed = :changed, key = null, external_id = null, contact_id = null, session_id = null,
           conversion_id = null, email = null, phone = null, first_name = null, last_name = null, company = null, referrer = null,
           data = '{}', metadata = '{}'
         where site_id = :site and id = :id",
        named_params! {":id": id.number(), ":now": now.ms(), ":changed": changed},
    )?;
    Ok(())
}

/// Whether another step through the same door belongs to this lead.
pub fn has_other(c: &SiteConn, contact: ContactId, conversion: ConversionId, connection: i64) -> Result<bool> {
    c.one(
        "select exists (select 1 from milestones where site_id = :site and contact_id = :contact and connection_id = :connection
           and conversion_id = :conversion and undone_at is null)",
        named_params! {":contact": contact.number(), ":conversion": conversion.number(), ":connection": connection},
    )
}

/// Somebody of whom nothing else was ever told is known no more. False where anything is.
pub fn forget_if_unknown(c: &SiteConn, contact: ContactId) -> Result<bool> {
    let who = named_params! {":contact": contact.number()};
    let is_known: bool = c.one(
        "select exists (select 1 from milestones where site_id = :site and contact_id = :contact)
           or exists (select 1 from leads where site_id = :site and contact_id = :contact)
           or exists (select 1 from orders where site_id = :site and contact_id = :contact)
           or exists (select 1 from conversions where site_id = :site and contact_id = :contact)
           or exists (select 1 from conversations where site_id = :site and contact_id = :contact)
           or exists (select 1 from enrolments where site_id = :site and contact_id = :contact)
           or exists (select 1 from tracker_events where site_id = :site and contact_id = :contact)
           or exists (select 1 from consents where site_id = :site and contact_id = :contact)
           or exists (select 1 from contact_merges where site_id = :site and kept = :contact)
           or exists (select 1 from identities i join session_people p on p.site_id = i.site_id and p.kind = i.kind and p.value = i.value
             where i.site_id = :site and i.contact_id = :contact)
           or exists (select 1 from contacts where site_id = :site and id = :contact and (merged_into is not null or marketing <> 'unknown'))",
        who,
    )?;
    if !is_known {
        c.execute("delete from identities where site_id = :site and contact_id = :contact", who)?;
        c.execute("delete from contacts where site_id = :site and id = :contact", who)?;
    }
    Ok(!is_known)
}
