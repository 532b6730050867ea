//! Sales and leads, each once, whoever told of it.

/// Whose it is.
mod buyer;
/// What its owner should see of it.
mod flag;
/// One that is none after all.
mod void;

use rusqlite::{Row, named_params};

use super::scope::SiteConn;
use crate::domain::conversion::{Candidate, ConversionKind, SAME_LEAD_MS};
use crate::domain::ids::{ContactId, ConversionId, SessionId};
use crate::domain::money::{Currency, Money};
use crate::domain::time::{Day, Time};
use crate::error::Result;

pub use buyer::set_contact;
pub use flag::{set_flag, set_note};
pub use void::{VOID, close, unlink};

/// A conversion as flows judge it.
#[derive(Debug, Clone)]
pub struct Conversion {
    pub id: ConversionId,
    pub kind: ConversionKind,
    pub name: Option<String>,
    pub label: String,
    pub order_key: Option<String>,
    pub event_id: String,
    pub contact: Option<ContactId>,
    pub session: Option<SessionId>,
    pub amount: Option<Money>,
    pub net: Option<Money>,
    pub rank: i64,
    pub happened_at: Time,
    pub received_at: Time,
    pub book_day: Day,
    pub status: String,
    pub counts: bool,
    pub is_imported: bool,
    pub country: Option<String>,
    /// Whether its goods go where the law asks for consent first; none where nobody has said where they go.
    pub goods_ask: Option<bool>,
    pub consent_given: Option<bool>,
    pub match_type: String,
    pub run: i64,
    /// Its person was erased: nothing more is sent of it, and nobody is filled in again.
    pub is_erased: bool,
}

const COLUMNS: &str = "id, kind, name, label, order_key, event_id, contact_id, session_id, amount_minor, currency, net_minor, rank, \
    happened_at, received_at, book_day, status, counts, is_imported, country, consent_given, match_type, run, erased_at is not null, goods_ask";

pub struct NewConversion<'a> {
    pub kind: ConversionKind,
    pub name: Option<&'a str>,
    pub label: &'a str,
    pub order_key: Option<&'a str>,
    pub event_id: &'a str,
    pub contact: Option<ContactId>,
    pub session: Option<SessionId>,
    pub amount: Option<Money>,
    pub rank: i64,
    pub happened_at: Time,
    pub received_at: Time,
    pub book_day: Day,
    pub status: &'a str,
    pub counts: bool,
    pub is_imported: bool,
    pub country: Option<&'a str>,
    pub goods_ask: Option<bool>,
    pub consent_given: Option<bool>,
    pub flag: Option<&'a str>,
    /// Told of somebody who was erased since it happened.
    pub erased_at: Option<Time>,
}

/// The credit fields are filled in by `set_credit` in the same change.
pub fn add(c: &SiteConn, new: &NewConversion) -> Result<ConversionId> {
    let id = c.next_number("conversion")?;
    c.execute(
        "insert into conversions (site_id, id, kind, name, label, order_key, event_id, contact_id, session_id, amount_minor, currency,
           net_minor, rank, happened_at, received_at, book_day, status, counts, is_imported, country, goods_ask, consent_given, match_type,
           confidence_bp, flag, erased_at)
         values (:site, :id, :kind, :name, :label, :order_key, :event, :contact, :session, :amount, :currency,
           :amount, :rank, :happened, :received, :day, :status, :counts, :imported, :country, :goods, :consent, 'none', 0, :flag, :erased)",
        named_params! {":id": id, ":kind": new.kind.word(), ":name": new.name, ":label": new.label, ":order_key": new.order_key,
        ":event": new.event_id, ":contact": new.contact.map(ContactId::number), ":session": new.session.map(SessionId::number),
        ":amount": new.amount.map(|m| m.minor), ":currency": new.amount.map(|m| m.currency.code().to_owned()), ":rank": new.rank,
        ":happened": new.happened_at.ms(), ":received": new.received_at.ms(), ":day": new.book_day.0, ":status": new.status,
        ":counts": new.counts, ":imported": new.is_imported, ":country": new.country, ":goods": new.goods_ask, ":consent": new.consent_given, ":flag": new.flag,
        ":erased": new.erased_at.map(Time::ms)},
    )?;
    Ok(ConversionId::new(id))
}

pub fn find(c: &SiteConn, id: ConversionId) -> Result<Option<Conversion>> {
    c.find(&format!("select {COLUMNS} from conversions where site_id = :site and id = :id"), named_params! {":id": id.number()}, read)
}

fn read(row: &Row) -> rusqlite::Result<Conversion> {
    let kind: String = row.get(1)?;
    let contact: Option<i64> = row.get(6)?;
    let session: Option<i64> = row.get(7)?;
    let amount: Option<i64> = row.get(8)?;
    let currency: Option<String> = row.get(9)?;
    let net: Option<i64> = row.get(10)?;
    let currency = currency.as_deref().and_then(Currency::parse);
    Ok(Conversion {
        id: ConversionId::new(row.get(0)?),
        kind: ConversionKind::parse(&kind).unwrap_or(ConversionKind::Custom),
        name: row.get(2)?,
        label: row.get(3)?,
        order_key: row.get(4)?,
        event_id: row.get(5)?,
        contact: contact.map(ContactId::new),
        session: session.map(SessionId::new),
        amount: amount.zip(currency).map(|(m, cur)| Money::new(m, cur)),
        net: net.zip(currency).map(|(m, cur)| Money::new(m, cur)),
        rank: row.get(11)?,
        happened_at: Time::from_ms(row.get(12)?),
        received_at: Time::from_ms(row.get(13)?),
        book_day: Day(row.get(14)?),
        status: row.get(15)?,
        counts: row.get(16)?,
        is_imported: row.get(17)?,
        country: row.get(18)?,
        consent_given: row.get(19)?,
        match_type: row.get(20)?,
        run: row.get(21)?,
        is_erased: row.get(22)?,
        goods_ask: row.get(23)?,
    })
}

/// Conversions that a new report might belong to: by order id at any time, by person within a day of it.
pub fn list_candidates(c: &SiteConn, like: &Candidate) -> Result<Vec<(ConversionId, Candidate)>> {
    let mut ids: Vec<i64> = Vec::new();
    if let Some(key) = &like.order_key {
        ids = c.list(
            "select id from conversions where site_id = :site and order_key = :key and kind = :kind limit 20",
            named_params! {":key": key, ":kind": like.kind.word()},
            |row| row.get(0),
        )?;
    }
    if let Some(contact) = like.contact {
        let near: Vec<i64> = c.list(
            "select id from conversions where site_id = :site and contact_id = :contact and kind = :kind
               and happened_at between :from and :to limit 50",
            named_params! {":contact": contact, ":kind": like.kind.word(), ":from": like.happened_at.ms() - SAME_LEAD_MS,
            ":to": like.happened_at.ms() + SAME_LEAD_MS},
            |row| row.get(0),
        )?;
        ids.extend(near.into_iter().filter(|id| !ids.contains(id)).collect::<Vec<_>>());
    }
    let mut found = Vec::new();
    for id in ids {
        if let Some(conversion) = find(c, ConversionId::new(id))?.filter(|found| found.status != VOID) {
            let reporters = super::reports::list_reporters(c, conversion.id)?;
            let is_key_sure = match &conversion.order_key {
                Some(key) => super::reports::is_number_sure(c, conversion.id, key)?,
                None => true,
            };
            found.push((
                conversion.id,
                Candidate {
                    kind: conversion.kind,
                    order_key: conversion.order_key,
                    is_key_sure,
                    contact: conversion.contact.map(ContactId::number),
                    amount: conversion.amount,
                    happened_at: conversion.happened_at,
                    reporters,
                },
            ));
        }
    }
    Ok(found)
}

/// Whether a sale of this number is that of somebody who was erased.
pub fn is_erased_order(c: &SiteConn, order_key: &str) -> Result<bool> {
    let found = c.find(
        "select 1 from conversions where site_id = :site and order_key = :key and erased_at is not null limit 1",
        named_params! {":key": order_key},
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

pub fn find_by_event(c: &SiteConn, event_id: &str) -> Result<Option<ConversionId>> {
    c.find(
        "select id from conversions where site_id = :site and event_id = :event order by id limit 1",
        named_params! {":event": event_id},
        |row| Ok(ConversionId::new(row.get(0)?)),
    )
}

pub fn has_event_id(c: &SiteConn, event_id: &str) -> Result<bool> {
    let found =
        c.find("select 1 from conversions where site_id = :site and event_id = :event", named_params! {":event": event_id}, |_| Ok(()))?;
    Ok(found.is_some())
}

/// What the current run says, beside the conversion, so that lists need not read paths.
pub struct CreditFields<'a> {
    pub run: i64,
    pub match_type: &'a str,
    pub is_asserted: bool,
    pub confidence_bp: i64,
    /// Source, medium, campaign under the site's own lens; none is unattributed.
    pub credited: Option<(&'a str, &'a str, Option<&'a str>)>,
    pub first: Option<(&'a str, &'a str, Option<&'a str>)>,
    pub session: Option<SessionId>,
}

pub fn set_credit(c: &SiteConn, id: ConversionId, credit: &CreditFields) -> Result<()> {
    let (source, medium, campaign) = spread(credit.credited);
    let (first_source, first_medium, first_campaign) = spread(credit.first);
    c.execute(
        "update conversions set run = :run, match_type = :match, is_asserted = :asserted, confidence_bp = :confidence,
           source = :source, medium = :medium, campaign = :campaign, first_source = :first_source, first_medium = :first_medium,
           first_campaign = :first_campaign, session_id = coalesce(session_id, :session)
         where site_id = :site and id = :id",
        named_params! {":run": credit.run, ":match": credit.match_type, ":asserted": credit.is_asserted, ":confidence": credit.confidence_bp,
            ":source": source, ":medium": medium, ":campaign": campaign, ":first_source": first_source, ":first_medium": first_medium,
            ":first_campaign": first_campaign, ":session": credit.session.map(SessionId::number), ":id": id.number()},
    )?;
    Ok(())
}

type Spread<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>);

fn spread<'a>(of: Option<(&'a str, &'a str, Option<&'a str>)>) -> Spread<'a> {
    match of {
        Some((source, medium, campaign)) => (Some(source), Some(medium), campaign),
        None => (None, None, None),
    }
}

/// A better informed report now speaks for the conversion.
pub fn set_speaker(c: &SiteConn, id: ConversionId, new: &NewConversion) -> Result<()> {
    c.execute(
        "update conversions set label = :label, order_key = coalesce(:order_key, order_key), contact_id = coalesce(:contact, contact_id),
           session_id = coalesce(:session, session_id), amount_minor = coalesce(:amount, amount_minor), currency = coalesce(:currency, currency),
           rank = :rank, happened_at = :happened, book_day = :day, status = :status, counts = :counts, country = coalesce(:country, country),
           goods_ask = coalesce(:goods, goods_ask),
           refused_at = case when :consent = 0 and consent_given is not 0 then :received else refused_at end,
           consent_given = case when consent_given = 0 then 0 else coalesce(:consent, consent_given) end
         where site_id = :site and id = :id",
        named_params! {":label": new.label, ":order_key": new.order_key, ":contact": new.contact.map(ContactId::number),
            ":session": new.session.map(SessionId::number), ":amount": new.amount.map(|m| m.minor),
            ":currency": new.amount.map(|m| m.currency.code().to_owned()), ":rank": new.rank, ":happened": new.happened_at.ms(),
            ":day": new.book_day.0, ":status": new.status, ":counts": new.counts, ":country": new.country, ":goods": new.goods_ask, ":consent": new.consent_given,
            ":received": new.received_at.ms(), ":id": id.number()},
    )?;
    Ok(())
}

/// What a sale is that has lost a telling: of who speaks for it now, and not of who has left.
pub fn reset_speaker(c: &SiteConn, id: ConversionId, new: &NewConversion) -> Result<()> {
    c.execute(
        "update conversions set label = :label, order_key = :order_key, session_id = :session, rank = :rank, happened_at = :happened,
           book_day = :day, counts = :counts, country = coalesce(:country, country)
         where site_id = :site and id = :id",
        named_params! {":label": new.label, ":order_key": new.order_key, ":session": new.session.map(SessionId::number), ":rank": new.rank,
        ":happened": new.happened_at.ms(), ":day": new.book_day.0, ":counts": new.counts, ":country": new.country, ":id": id.number()},
    )?;
    Ok(())
}

/// Who speaks for it knows its number now.
pub fn rename(c: &SiteConn, id: ConversionId, label: &str, rank: i64) -> Result<()> {
    c.execute(
        "update conversions set label = :label where site_id = :site and id = :id and rank = :rank",
        named_params! {":label": label, ":id": id.number(), ":rank": rank},
    )?;
    Ok(())
}

/// Its goods go where the law asks for consent first.
pub fn learn_goods_ask(c: &SiteConn, id: ConversionId) -> Result<()> {
    c.execute(
        "update conversions set goods_ask = 1 where site_id = :site and id = :id and goods_ask is not 1",
        named_params! {":id": id.number()},
    )?;
    Ok(())
}

pub fn learned(
    c: &SiteConn,
    id: ConversionId,
    contact: Option<ContactId>,
    session: Option<SessionId>,
    order_key: Option<&str>,
) -> Result<()> {
    c.execute(
        "update conversions set contact_id = coalesce(contact_id, :contact), session_id = coalesce(session_id, :session),
           order_key = coalesce(order_key, :order_key) where site_id = :site and id = :id",
        named_params! {":contact": contact.map(ContactId::number), ":session": session.map(SessionId::number), ":order_key": order_key,
        ":id": id.number()},
    )?;
    Ok(())
}

/// Its sender has taken consent back. False where it was refused already.
pub fn refuse(c: &SiteConn, id: ConversionId, now: Time) -> Result<bool> {
    let changed = c.execute(
        "update conversions set consent_given = 0, refused_at = :now where site_id = :site and id = :id and consent_given is not 0",
        named_params! {":id": id.number(), ":now": now.ms()},
    )?;
    Ok(changed > 0)
}

/// Somebody better informed has told of it; never down.
pub fn raise_rank(c: &SiteConn, id: ConversionId, rank: i64) -> Result<()> {
    c.execute(
        "update conversions set rank = :rank where site_id = :site and id = :id and rank < :rank",
        named_params! {":rank": rank, ":id": id.number()},
    )?;
    Ok(())
}

/// The shop has changed the order's total.
pub fn set_amount(c: &SiteConn, id: ConversionId, amount: Money) -> Result<()> {
    c.execute(
        "update conversions set amount_minor = :amount, currency = :currency
         where site_id = :site and id = :id and (amount_minor is not :amount or currency is not :currency)",
        named_params! {":amount": amount.minor, ":currency": amount.currency.code(), ":id": id.number()},
    )?;
    Ok(())
}

/// Somebody better informed says when it was.
pub fn set_time(c: &SiteConn, id: ConversionId, at: Time, book_day: Day) -> Result<()> {
    c.execute(
        "update conversions set happened_at = :at, book_day = :day where site_id = :site and id = :id",
        named_params! {":at": at.ms(), ":day": book_day.0, ":id": id.number()},
    )?;
    Ok(())
}

pub fn set_status(c: &SiteConn, id: ConversionId, status: &str, net_minor: Option<i64>) -> Result<()> {
    c.execute(
        "update conversions set status = :status, net_minor = coalesce(:net, net_minor) where site_id = :site and id = :id",
        named_params! {":status": status, ":net": net_minor, ":id": id.number()},
    )?;
    Ok(())
}

/// Conversions from a time on, in the order of time, after the one that was last seen.
pub fn list_since(c: &SiteConn, from: Time, after: Option<(Time, ConversionId)>, limit: usize) -> Result<Vec<Conversion>> {
    let (at, id) = after.map_or((from.ms(), -1), |(at, id)| (at.ms(), id.number()));
    c.list(
        &format!(
            "select {COLUMNS} from conversions where site_id = :site and (happened_at, id) > (:at, :id) order by happened_at, id limit :limit"
        ),
        named_params! {":at": at, ":id": id, ":limit": limit as i64},
        read,
    )
}

/// Conversions of a person.
pub fn of_contact(c: &SiteConn, contact: ContactId) -> Result<Vec<ConversionId>> {
    c.list(
        "select id from conversions where site_id = :site and contact_id = :contact limit 500",
        named_params! {":contact": contact.number()},
        |row| Ok(ConversionId::new(row.get(0)?)),
    )
}

/// Conversions matched to this browser, or of the person it was proved to be.
pub fn of_browser(c: &SiteConn, session: SessionId) -> Result<Vec<ConversionId>> {
    let mut ids: Vec<i64> = c.list(
        "select id from conversions where site_id = :site and session_id = :session limit 500",
        named_params! {":session": session.number()},
        |row| row.get(0),
    )?;
    let contact: Option<Option<i64>> = c.find(
        "select contact_id from sessions where site_id = :site and id = :session",
        named_params! {":session": session.number()},
        |row| row.get(0),
    )?;
    if let Some(Some(contact)) = contact {
        let others: Vec<i64> = c.list(
            "select id from conversions where site_id = :site and contact_id = :contact limit 500",
            named_params! {":contact": contact},
            |row| row.get(0),
        )?;
        ids.extend(others.into_iter().filter(|id| !ids.contains(id)).collect::<Vec<_>>());
    }
    Ok(ids.into_iter().map(ConversionId::new).collect())
}
