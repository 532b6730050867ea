//! Leads as their forms told them. The answer to "which marketing" lies with the conversion, not here.

use rusqlite::named_params;

use super::scope::SiteConn;
use crate::domain::conversion::SAME_CONTENT_MS;
use crate::domain::fact::Lead;
use crate::domain::ids::{ContactId, ConversionId, LeadId, SessionId};
use crate::domain::money::{Currency, Money};
use crate::domain::pipeline::Stage;
use crate::domain::time::Time;
use crate::error::Result;

/// The door of leads that a page told. An index of the schema and the search for a person (`erasures/person.rs`) name it
/// too, as the planner takes an index of a part only where the part is written out.
pub const PAGES: i64 = -2;

/// A lead that is already known.
#[derive(Debug, Clone)]
pub struct KnownLead {
    pub id: LeadId,
    pub external_id: String,
    pub conversion: Option<ConversionId>,
    pub is_erased: bool,
}

/// By the sender's own id, within one connection; 0 stands for the API.
pub fn find_by_external_id(c: &SiteConn, connection: i64, external_id: &str) -> Result<Option<KnownLead>> {
    c.find(
        "select id, external_id, conversion_id, erased_at is not null from leads where site_id = :site and connection_id = :connection and external_id = :external",
        named_params! {":connection": connection, ":external": external_id},
        read,
    )
}

/// By what was written, within a day.
pub fn find_by_content(c: &SiteConn, connection: i64, key: &[u8], now: Time) -> Result<Option<KnownLead>> {
    c.find(
        "select id, external_id, conversion_id, erased_at is not null from leads
         where site_id = :site and content_key = :key and received_at between :since and :until and connection_id = :connection order by received_at desc limit 1",
        named_params! {":connection": connection, ":key": key, ":since": now.ms() - SAME_CONTENT_MS, ":until": now.ms()},
        read,
    )
}

fn read(row: &rusqlite::Row) -> rusqlite::Result<KnownLead> {
    let conversion: Option<i64> = row.get(2)?;
    Ok(KnownLead {
        id: LeadId::new(row.get(0)?),
        external_id: row.get(1)?,
        conversion: conversion.map(ConversionId::new),
        is_erased: row.get(3)?,
    })
}

pub struct Filed<'a> {
    pub connection: i64,
    pub external_id: &'a str,
    pub lead: &'a Lead,
    pub contact: Option<ContactId>,
    pub session: Option<SessionId>,
    pub received_at: Time,
}

pub fn add(c: &SiteConn, new: &Filed) -> Result<LeadId> {
    let id = c.next_number("lead")?;
    let lead = new.lead;
    let p = &lead.person;
    c.execute(
        "insert into leads (site_id, id, connection_id, source, external_id, content_key, contact_id, email, phone, first_name, last_name,
           company, message, form_type, value_minor, currency, session_id, consent_given, custom_fields, url, created_at, received_at)
         values (:site, :id, :connection, :source, :external, :key, :contact, :email, :phone, :first, :last,
           :company, :message, :form, :value, :currency, :session, :consent, :custom, :url, :created, :received)",
        named_params! {":id": id, ":connection": new.connection, ":source": lead.source, ":external": new.external_id,
        ":key": lead.external_id.is_none().then_some(&lead.content_key[..]), ":contact": new.contact.map(ContactId::number),
        ":email": p.email.as_ref().map(|e| e.as_str()), ":phone": p.phone.as_ref().map(|e| e.as_str()), ":first": p.first_name,
        ":last": p.last_name, ":company": p.company, ":message": lead.message, ":form": lead.form_type,
        ":value": lead.value.map(|m| m.minor), ":currency": lead.value.map(|m| m.currency.code().to_owned()),
        ":session": new.session.map(SessionId::number), ":consent": lead.traces.consent_given, ":custom": lead.custom_fields.to_string(),
        ":url": lead.url, ":created": lead.happened_at.ms(), ":received": new.received_at.ms()},
    )?;
    Ok(LeadId::new(id))
}

/// What a later telling of the same lead adds; what is there stays.
pub fn learned(c: &SiteConn, id: LeadId, lead: &Lead, contact: Option<ContactId>) -> Result<()> {
    let p = &lead.person;
    c.execute(
        "update leads set email = coalesce(email, :email), phone = coalesce(phone, :phone), first_name = coalesce(first_name, :first),
           last_name = coalesce(last_name, :last), company = coalesce(company, :company), message = coalesce(message, :message),
           value_minor = coalesce(value_minor, :value), currency = coalesce(currency, :currency), contact_id = coalesce(contact_id, :contact)
         where site_id = :site and id = :id",
        named_params! {":id": id.number(), ":email": p.email.as_ref().map(|e| e.as_str()), ":phone": p.phone.as_ref().map(|e| e.as_str()),
            ":first": p.first_name, ":last": p.last_name, ":company": p.company, ":message": lead.message,
            ":value": lead.value.map(|m| m.minor), ":currency": lead.value.map(|m| m.currency.code().to_owned()),
            ":contact": contact.map(ContactId::number)},
    )?;
    Ok(())
}

pub fn set_conversion(c: &SiteConn, id: LeadId, conversion: ConversionId) -> Result<()> {
    c.execute(
        "update leads set conversion_id = :conversion where site_id = :site and id = :id",
        named_params! {":conversion": conversion.number(), ":id": id.number()},
    )?;
    Ok(())
}

/// It was never told.
pub fn remove(c: &SiteConn, id: LeadId) -> Result<()> {
    c.execute("delete from leads where site_id = :site and id = :id", named_params! {":id": id.number()})?;
    Ok(())
}

/// Where a lead stands in the pipeline.
#[derive(Debug, Clone)]
pub struct Standing {
    pub stage: Stage,
    pub value: Option<Money>,
    pub conversion: Option<ConversionId>,
}

pub fn find_standing(c: &SiteConn, id: LeadId) -> Result<Option<Standing>> {
    c.find(
        "select status, value_minor, currency, conversion_id from leads where site_id = :site and id = :id",
        named_params! {":id": id.number()},
        |row| {
            let (stage, minor): (String, Option<i64>) = (row.get(0)?, row.get(1)?);
            let (currency, conversion): (Option<String>, Option<i64>) = (row.get(2)?, row.get(3)?);
            Ok(Standing {
                stage: Stage::parse(&stage).unwrap_or(Stage::New),
                value: minor.zip(currency.as_deref().and_then(Currency::parse)).map(|(m, cur)| Money::new(m, cur)),
                conversion: conversion.map(ConversionId::new),
            })
        },
    )
}

pub fn set_standing(c: &SiteConn, id: LeadId, stage: Stage, value: Option<Money>) -> Result<()> {
    c.execute(
        "update leads set status = :stage, value_minor = :value, currency = :currency where site_id = :site and id = :id",
        named_params! {":stage": stage.word(), ":value": value.map(|m| m.minor),
        ":currency": value.map(|m| m.currency.code().to_owned()), ":id": id.number()},
    )?;
    Ok(())
}
