//! Steps on the way to becoming a customer. A row is never moved by a later telling; only what it left empty is filled in.

/// What a file has brought.
pub mod brought;
/// People who became users.
pub mod enrolments;
/// All steps of a site as figures read them.
pub mod walked;

use rusqlite::{Row, named_params};

use super::scope::SiteConn;
use crate::domain::attribution::{Link, LinkedSession};
use crate::domain::campaign::{ClickKind, Utm};
use crate::domain::fact::{Person, Traces};
use crate::domain::ids::{ContactId, ConversionId, MilestoneId, SessionId};
use crate::domain::milestone::{ByHand, CameFrom, Milestone, booking_number, booking_of, moved_from, touchpoint};
use crate::domain::person::{Email, Phone};
use crate::domain::time::Time;
use crate::error::{Error, Result};

/// Milestones of one person that are looked at, at most.
const MOST: i64 = 500;

/// What is known of one that was told before.
#[derive(Debug, Clone)]
pub struct Known {
    pub id: MilestoneId,
    pub conversion: Option<ConversionId>,
    pub is_erased: bool,
    /// It was so once, and is so no more.
    pub is_undone: bool,
}

pub struct Filed<'a> {
    pub connection: i64,
    pub key: &'a [u8],
    pub milestone: &'a Milestone,
    pub contact: Option<ContactId>,
    pub session: Option<SessionId>,
    pub click: Option<ClickKind>,
    pub received_at: Time,
    pub erased_at: Option<Time>,
}

pub fn find_by_key(c: &SiteConn, key: &[u8]) -> Result<Option<Known>> {
    c.find(
        "select id, conversion_id, erased_at is not null, undone_at is not null from milestones where site_id = :site and key = :key",
        named_params! {":key": key},
        |row| {
            let conversion: Option<i64> = row.get(1)?;
            Ok(Known {
                id: MilestoneId::new(row.get(0)?),
                conversion: conversion.map(ConversionId::new),
                is_erased: row.get(2)?,
                is_undone: row.get(3)?,
            })
        },
    )
}

/// Whether the sender's own object, an appointment or a registration, is of somebody who was erased.
pub fn is_erased(c: &SiteConn, connection: i64, external_id: &str) -> Result<bool> {
    let found = c.find(
        "select 1 from milestones where site_id = :site and connection_id = :connection and connection_id > 0 and external_id = :external
           and erased_at is not null limit 1",
        named_params! {":connection": connection, ":external": external_id},
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// When it was first heard of, and under which address.
pub fn find_first_told(c: &SiteConn, id: MilestoneId) -> Result<Option<(Time, Option<String>)>> {
    c.find("select received_at, email from milestones where site_id = :site and id = :id", named_params! {":id": id.number()}, |row| {
        Ok((Time::from_ms(row.get(0)?), row.get(1)?))
    })
}

pub fn add(c: &SiteConn, new: &Filed) -> Result<MilestoneId> {
    let id = c.next_inner_number("milestone")?;
    let m = new.milestone;
    let p = &m.person;
    c.execute(
        "insert into milestones (site_id, id, changed, connection_id, key, source, kind, external_id, at, received_at, told_at, starts_at, contact_id,
           session_id, email, phone, first_name, last_name, company, utm_source, utm_medium, utm_campaign, utm_term, utm_content, click_kind, referrer,
           data, metadata, consent_given, erased_at, booking, moved_from)
         values (:site, :id, :id, :connection, :key, :source, :kind, :external, :at, :received, :told,
           coalesce(:starts, (select b.starts_at from milestones b where b.site_id = :site and b.connection_id = :connection
             and b.connection_id > 0 and b.external_id = :booking and b.starts_at is not null limit 1)), :contact,
           :session, :email, :phone, :first, :last, :company, :utm_source, :utm_medium, :utm_campaign, :utm_term, :utm_content, :click, :referrer,
           :data, :metadata, :consent, :erased, :number, :before)",
        named_params! {":id": id, ":connection": new.connection, ":key": new.key, ":source": m.source, ":kind": m.kind,
            ":external": m.external_id, ":booking": m.external_id.as_deref().map(booking_of), ":at": m.happened_at.ms(),
            ":received": new.received_at.ms(), ":told": m.told_at.map(Time::ms), ":starts": m.starts_at().map(Time::ms),
            ":contact": new.contact.map(ContactId::number), ":session": new.session.map(SessionId::number),
            ":email": p.email.as_ref().map(|e| e.as_str()), ":phone": p.phone.as_ref().map(|e| e.as_str()), ":first": p.first_name,
            ":last": p.last_name, ":company": p.company, ":utm_source": m.utm.source, ":utm_medium": m.utm.medium,
            ":utm_campaign": m.utm.campaign, ":utm_term": m.utm.term, ":utm_content": m.utm.content,
            ":click": new.click.map(ClickKind::name), ":referrer": m.referrer, ":data": m.data.to_string(),
            ":metadata": m.metadata.to_string(), ":consent": m.traces.consent_given, ":erased": new.erased_at.map(Time::ms),
            ":number": booking_number(&m.source, m.external_id.as_deref()), ":before": booking_number(&m.source, moved_from(m))},
    )?;
    Ok(MilestoneId::new(id))
}

/// A step that was told of a booking, or taken to be so.
#[derive(Debug, Clone)]
pub struct OfBooking {
    pub id: MilestoneId,
    pub kind: String,
    pub contact: Option<i64>,
    pub at: Time,
    pub told_at: Option<Time>,
    pub is_undone: bool,
}

/// All steps that a connection has told of one booking, by its own number, and of single people in it (`booking_of`).
pub fn list_of_booking(c: &SiteConn, connection: i64, external_id: &str) -> Result<Vec<OfBooking>> {
    c.list(
        "select id, kind, contact_id, at, told_at, undone_at is not null from milestones
         where site_id = :site and connection_id = :connection and connection_id > 0 and external_id = :booking
         union all
         select id, kind, contact_id, at, told_at, undone_at is not null from milestones
         where site_id = :site and connection_id = :connection and connection_id > 0
           and external_id >= :booking || '::' and external_id < :booking || ':;'
         order by 1",
        named_params! {":connection": connection, ":booking": booking_of(external_id)},
        |row| {
            Ok(OfBooking {
                id: MilestoneId::new(row.get(0)?),
                kind: row.get(1)?,
                contact: row.get(2)?,
                at: Time::from_ms(row.get(3)?),
                told_at: row.get::<_, Option<i64>>(4)?.map(Time::from_ms),
                is_undone: row.get(5)?,
            })
        },
    )
}

/// It was said again, later, or turns out to have been said at all.
pub fn set_told(c: &SiteConn, id: MilestoneId, told_at: Option<Time>) -> Result<()> {
    let changed = c.next_inner_number("milestone")?;
    c.execute(
        "update milestones set told_at = :told, changed = :changed where site_id = :site and id = :id",
        named_params! {":id": id.number(), ":told": told_at.map(Time::ms), ":changed": changed},
    )?;
    Ok(())
}

/// It is not so any more. It stays as a row, and counts nowhere.
pub fn undo_one(c: &SiteConn, id: MilestoneId, now: Time) -> Result<()> {
    let changed = c.next_inner_number("milestone")?;
    c.execute(
        "update milestones set undone_at = :now, changed = :changed where site_id = :site and id = :id",
        named_params! {":id": id.number(), ":now": now.ms(), ":changed": changed},
    )?;
    Ok(())
}

/// How the platform shows an appointment now makes steps of it untrue: one that was cancelled stands again, one that was
/// thought to be kept was missed.
pub fn undo(c: &SiteConn, connection: i64, external_id: &str, kinds: &[&str], now: Time) -> Result<()> {
    let found: Vec<(i64, String)> = c.list(
        "select id, kind from milestones where site_id = :site and connection_id = :connection and connection_id > 0
           and external_id = :external and undone_at is null",
        named_params! {":connection": connection, ":external": external_id},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    for (id, _) in found.iter().filter(|(_, kind)| kinds.contains(&kind.as_str())) {
        undo_one(c, MilestoneId::new(*id), now)?;
    }
    Ok(())
}

/// What was so no more is so again, from a moment on.
pub fn redo(c: &SiteConn, id: MilestoneId, at: Time) -> Result<()> {
    let changed = c.next_inner_number("milestone")?;
    c.execute(
        "update milestones set undone_at = null, at = :at, changed = :changed where site_id = :site and id = :id",
        named_params! {":id": id.number(), ":at": at.ms(), ":changed": changed},
    )?;
    Ok(())
}

/// What a later telling of the same milestone adds; what is there stays, but for the time of an appointment, which is the one
/// that was told last. Gives whether anything was new.
pub fn learned(c: &SiteConn, id: MilestoneId, m: &Milestone, contact: Option<ContactId>, session: Option<SessionId>) -> Result<bool> {
    let p = &m.person;
    let changed = c.next_inner_number("milestone")?;
    let rows = c.execute(
        "update milestones set email = coalesce(email, :email), phone = coalesce(phone, :phone), first_name = coalesce(first_name, :first),
           last_name = coalesce(last_name, :last), company = coalesce(company, :company), contact_id = coalesce(contact_id, :contact),
           session_id = coalesce(session_id, :session), starts_at = coalesce(:starts, starts_at), changed = :changed
         where site_id = :site and id = :id and erased_at is null
           and (starts_at <> :starts or starts_at is null and :starts is not null or email is null and :email is not null or phone is null and :phone is not null or first_name is null and :first is not null
             or last_name is null and :last is not null or company is null and :company is not null
             or contact_id is null and :contact is not null or session_id is null and :session is not null)",
        named_params! {":id": id.number(), ":changed": changed, ":email": p.email.as_ref().map(|e| e.as_str()),
        ":phone": p.phone.as_ref().map(|e| e.as_str()), ":first": p.first_name, ":last": p.last_name, ":company": p.company,
        ":contact": contact.map(ContactId::number), ":session": session.map(SessionId::number),
        ":starts": m.starts_at().map(Time::ms)},
    )?;
    Ok(rows > 0)
}

/// The lead that other words of the same person about the same time have made: saying it in two words is no second lead.
pub fn find_lead_near(c: &SiteConn, contact: ContactId, connection: i64, at: Time, within_ms: i64) -> Result<Option<ConversionId>> {
    let id: Option<i64> = c.find(
        "select conversion_id from milestones
         where site_id = :site and contact_id = :contact and at between :from and :to and connection_id = :connection
           and conversion_id is not null and undone_at is null
         order by abs(at - :at), id limit 1",
        named_params! {":contact": contact.number(), ":connection": connection, ":at": at.ms(), ":from": at.ms() - within_ms,
        ":to": at.ms() + within_ms},
        |row| row.get(0),
    )?;
    Ok(id.map(ConversionId::new))
}

/// What a platform's whole list of a kind is held against.
pub struct Listed<'a> {
    pub kind: &'a str,
    /// Those that begin then or later.
    pub since: Time,
    /// Those whose ids begin so.
    pub within: &'a str,
    /// Those of which we knew before the list was read.
    pub before: Time,
    pub ids: &'a [String],
}

/// Steps that a connection has told of and its list lacks, and of whose end, or of anything else that became of them, nothing
/// is known yet.
pub fn list_missing(c: &SiteConn, connection: i64, listed: &Listed) -> Result<Vec<Milestone>> {
    let ids = serde_json::to_string(listed.ids).map_err(Error::internal)?;
    let kind = listed.kind;
    c.list(
        "select external_id, source, at, email, phone, first_name, last_name, company, starts_at from milestones m
         where site_id = :site and connection_id = :connection and connection_id > 0 and kind = :kind and erased_at is null and undone_at is null
           and starts_at >= :since and received_at < :before
           and substr(external_id, 1, length(:within)) = :within and external_id not in (select value from json_each(:ids))
           and not exists (select 1 from milestones e where e.site_id = m.site_id and e.connection_id = m.connection_id
             and e.connection_id > 0 and e.external_id = m.external_id and e.undone_at is null
             and (e.kind = 'appointment_cancelled' or e.kind = 'appointment_completed' or e.kind = 'appointment_no_show'))
         order by id limit 1000",
        named_params! {":connection": connection, ":kind": kind, ":since": listed.since.ms(), ":before": listed.before.ms(),
        ":within": listed.within, ":ids": ids},
        |row| {
            let text = |at: usize| row.get::<_, Option<String>>(at);
            Ok(Milestone {
                external_id: text(0)?,
                source: row.get(1)?,
                kind: kind.to_owned(),
                happened_at: Time::from_ms(row.get(2)?),
                told_at: None,
                person: Person {
                    email: text(3)?.as_deref().and_then(Email::parse),
                    phone: text(4)?.as_deref().and_then(|p| Phone::parse(p, None)),
                    first_name: text(5)?,
                    last_name: text(6)?,
                    company: text(7)?,
                    ..Person::default()
                },
                traces: Traces::default(),
                utm: Utm::default(),
                referrer: None,
                data: serde_json::json!({"starts_at": row.get::<_, Option<i64>>(8)?.map(|at| Time::from_ms(at).utc())}),
                metadata: serde_json::json!({}),
                by_hand: ByHand::default(),
                is_imported: false,
            })
        },
    )
}

pub fn set_conversion(c: &SiteConn, id: MilestoneId, conversion: ConversionId) -> Result<()> {
    c.execute(
        "update milestones set conversion_id = :conversion where site_id = :site and id = :id",
        named_params! {":conversion": conversion.number(), ":id": id.number()},
    )?;
    Ok(())
}

/// Two contacts are one: so are their steps.
pub fn merge(c: &SiteConn, kept: i64, merged: i64) -> Result<()> {
    for id in of_contact(c, merged)? {
        let changed = c.next_inner_number("milestone")?;
        c.execute(
            "update milestones set contact_id = :kept, changed = :changed where site_id = :site and id = :id",
            named_params! {":kept": kept, ":changed": changed, ":id": id},
        )?;
    }
    c.execute(
        "update enrolments set contact_id = :kept where site_id = :site and contact_id = :merged",
        named_params! {":kept": kept, ":merged": merged},
    )?;
    Ok(())
}

pub fn of_contact(c: &SiteConn, contact: i64) -> Result<Vec<i64>> {
    c.list("select id from milestones where site_id = :site and contact_id = :contact", named_params! {":contact": contact}, |row| {
        row.get(0)
    })
}

/// The way of somebody up to a moment: first and last step, and how many there were.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Way {
    pub first: Option<(String, Time)>,
    pub last: Option<(String, Time)>,
    pub count: i64,
}

pub fn way_before(c: &SiteConn, contact: ContactId, until: Time) -> Result<Way> {
    let who = named_params! {":contact": contact.number(), ":until": until.ms()};
    let step = |row: &Row| -> rusqlite::Result<(String, Time)> { Ok((row.get(0)?, Time::from_ms(row.get(1)?))) };
    Ok(Way {
        first: c.find(
            "select source, at from milestones where site_id = :site and contact_id = :contact and at <= :until and undone_at is null
             order by at, id limit 1",
            who,
            step,
        )?,
        last: c.find(
            "select source, at from milestones where site_id = :site and contact_id = :contact and at <= :until and undone_at is null
             order by at desc, id desc limit 1",
            who,
            step,
        )?,
        count: c.one(
            "select count(*) from milestones where site_id = :site and contact_id = :contact and at <= :until and undone_at is null",
            who,
        )?,
    })
}

/// Steps before a moment that say where their person came from, as touches.
pub fn touches_before(c: &SiteConn, contact: ContactId, before: Time, site_domains: &[&str]) -> Result<Vec<LinkedSession>> {
    let mut found = Vec::new();
    c.scan(
        "select at, email is not null, utm_source, utm_medium, utm_campaign, utm_term, utm_content, click_kind, referrer from milestones
         where site_id = :site and contact_id = :contact and at < :before and undone_at is null
         order by at desc limit :most",
        named_params! {":contact": contact.number(), ":before": before.ms(), ":most": MOST},
        |row| {
            let click: Option<String> = row.get(7)?;
            let from = CameFrom {
                utm: Utm { source: row.get(2)?, medium: row.get(3)?, campaign: row.get(4)?, term: row.get(5)?, content: row.get(6)? },
                click: click.as_deref().and_then(ClickKind::from_name),
                referrer: row.get(8)?,
            };
            let link = if row.get(1)? { Link::VerifiedEmail } else { Link::VerifiedPhone };
            if let Some(touch) = touchpoint(&from, Time::from_ms(row.get(0)?), site_domains) {
                found.push(LinkedSession { session: 0, link, touches: vec![touch] });
            }
            Ok(true)
        },
    )?;
    Ok(found)
}
