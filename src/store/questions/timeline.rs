//! What is known of a person, in the order of time: visits, forms, orders, money back, who was told, what was answered.

use rusqlite::{Row, named_params};

use super::super::people;
use super::super::scope::SiteConn;
use super::json_list;
use crate::domain::ids::{ContactId, ConversionId, SessionId};
use crate::domain::money::{Currency, Money};
use crate::domain::question::Cursor;
use crate::domain::time::Time;
use crate::error::Result;

/// Browsers of one person that are looked at, at most.
const MOST_SESSIONS: usize = 200;

#[derive(Debug, Clone, Default)]
pub struct Line {
    pub at: Option<Time>,
    /// `visit`, `touch`, `event`, `lead`, `sale`, `signup`, `custom`, `order`, `refund`, `cancellation`, `adjustment`,
    /// `stage`, `delivery`, `consent`, `identity`, `chat`, `milestone`.
    pub kind: String,
    /// What it is called where it stands: the ledger's label, an event's name, a platform's word.
    pub name: Option<String>,
    pub source: Option<String>,
    pub medium: Option<String>,
    pub campaign: Option<String>,
    pub page: Option<String>,
    pub amount: Option<Money>,
    pub state: Option<String>,
    pub reason: Option<String>,
    pub platform: Option<String>,
    pub conversion: Option<ConversionId>,
    /// What somebody is known by: shown only to who may see people.
    pub identity: Option<(String, String)>,
    /// Of a chat, all sides together.
    pub messages: Option<i64>,
    /// Which of two lines of the same moment comes first.
    order: i64,
}

/// The head of a person's page.
#[derive(Debug, Default)]
pub struct Head {
    pub first_touch_at: Option<Time>,
    pub first_purchase_at: Option<Time>,
    pub orders: i64,
    /// Sales that count, net of refunds and cancellations, by currency.
    pub lifetime: Vec<Money>,
    /// The newest explicit answer.
    pub consent: Option<Answered>,
}

#[derive(Debug, Clone)]
pub struct Answered {
    pub at: Time,
    pub by: String,
    pub analytics: String,
    pub marketing: String,
}

/// A contact that went into another one is shown as that one.
pub fn resolve(c: &SiteConn, id: ContactId) -> Result<Option<ContactId>> {
    let merged: Option<Option<i64>> =
        c.find("select merged_into from contacts where site_id = :site and id = :id", named_params! {":id": id.number()}, |row| {
            row.get(0)
        })?;
    Ok(merged.map(|into| into.map_or(id, ContactId::new)))
}

/// Browsers that were proved to be this person's, and those their conversions came from.
pub(super) fn sessions(c: &SiteConn, contact: ContactId) -> Result<Vec<SessionId>> {
    let mut all: Vec<SessionId> = Vec::new();
    for (kind, value) in people::list_identities(c, contact)? {
        for (session, is_verified) in people::sessions_of(c, kind, &value)? {
            if is_verified && !all.contains(&session) {
                all.push(session);
            }
        }
    }
    let matched: Vec<i64> = c.list(
        "select session_id from conversions where site_id = :site and contact_id = :contact and session_id is not null
         order by id desc limit 500",
        named_params! {":contact": contact.number()},
        |row| row.get(0),
    )?;
    for session in matched.into_iter().map(SessionId::new) {
        if !all.contains(&session) {
            all.push(session);
        }
    }
    all.truncate(MOST_SESSIONS);
    Ok(all)
}

pub fn head(c: &SiteConn, contact: ContactId) -> Result<Head> {
    let sessions = sessions(c, contact)?;
    let ids = json_list(sessions.iter().map(|s| s.number()));
    let first_touch: Option<i64> = c.one(
        "select min(first_at) from sessions where site_id = :site and id in (select value from json_each(:ids))",
        named_params! {":ids": ids},
    )?;
    let (orders, first): (i64, Option<i64>) = c
        .find(
            "select count(*), min(happened_at) from conversions
             where site_id = :site and contact_id = :contact and kind = 'sale' and counts = 1",
            named_params! {":contact": contact.number()},
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?
        .unwrap_or_default();
    let lifetime: Vec<(String, i64)> = c.list(
        "select currency, sum(net_minor) from conversions
         where site_id = :site and contact_id = :contact and kind = 'sale' and counts = 1 and net_minor is not null and currency is not null
         group by currency order by currency",
        named_params! {":contact": contact.number()},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let mut answers = present(c, &ids)?;
    answers.extend(of_facts(c, contact)?);
    // A refusal wins a tie, as where it decides.
    let consent = answers.into_iter().max_by_key(|a| (a.at, a.marketing == "denied"));
    Ok(Head {
        first_touch_at: first_touch.map(Time::from_ms),
        first_purchase_at: first.map(Time::from_ms),
        orders,
        lifetime: lifetime.into_iter().filter_map(|(code, minor)| Some(Money::new(minor, Currency::parse(&code)?))).collect(),
        consent,
    })
}

fn present(c: &SiteConn, ids: &str) -> Result<Vec<Answered>> {
    c.list(
        "select consent_at, coalesce(consent_by, 'page'), analytics, marketing from sessions
         where site_id = :site and id in (select value from json_each(:ids)) and consent_at is not null",
        named_params! {":ids": ids},
        answered,
    )
}

fn of_facts(c: &SiteConn, contact: ContactId) -> Result<Vec<Answered>> {
    c.list(
        "select at, manager, analytics, marketing from consents where site_id = :site and contact_id = :contact order by at desc limit 50",
        named_params! {":contact": contact.number()},
        answered,
    )
}

fn answered(row: &Row) -> rusqlite::Result<Answered> {
    Ok(Answered { at: Time::from_ms(row.get(0)?), by: row.get(1)?, analytics: row.get(2)?, marketing: row.get(3)? })
}

/// The newest first. Each kind gives its newest lines from the cursor on; they are put in one order here.
pub fn page(c: &SiteConn, contact: ContactId, cursor: Option<Cursor>, limit: usize) -> Result<(Vec<Line>, Option<Cursor>)> {
    let sessions = sessions(c, contact)?;
    let walk = Walk {
        c,
        contact: contact.number(),
        sessions: json_list(sessions.iter().map(|s| s.number())),
        key: cursor.and_then(|cursor| cursor.key).unwrap_or(i64::MAX),
        before: cursor.map_or(i64::MAX, |cursor| cursor.id),
        most: limit as i64 + 1,
    };
    let mut lines = walk.of_browsers()?;
    lines.extend(walk.of_facts()?);
    lines.extend(walk.of_answers()?);
    lines.extend(walk.of_identities()?);
    lines.extend(walk.of_chats()?);
    lines.extend(walk.of_milestones()?);
    lines.sort_by_key(|l| std::cmp::Reverse((l.at, l.order)));
    let has_more = lines.len() > limit;
    lines.truncate(limit);
    let next = lines.last().filter(|_| has_more).map(|l| Cursor { key: l.at.map(Time::ms), id: l.order });
    Ok((lines, next))
}

/// Lines of one kind have numbers of their own: each kind counts from a base.
const fn base(kind: i64) -> i64 {
    kind << 58
}

struct Walk<'a> {
    c: &'a SiteConn<'a>,
    contact: i64,
    sessions: String,
    key: i64,
    before: i64,
    most: i64,
}

impl Walk<'_> {
    fn of_browsers(&self) -> Result<Vec<Line>> {
        let mut lines = self.c.list(
            "select at, :base + session_id * 1048576 + seq, case when starts_visit = 1 then 'visit' else 'touch' end, click_kind,
               source, medium, campaign, landing
             from touches
             where site_id = :site and session_id in (select value from json_each(:sessions))
               and (at, :base + session_id * 1048576 + seq) < (:key, :before)
             order by at desc, 2 desc limit :most",
            named_params! {":base": base(1), ":sessions": self.sessions, ":key": self.key, ":before": self.before, ":most": self.most},
            |row| {
                let landing: String = row.get(7)?;
                Ok(Line {
                    source: row.get(4)?,
                    medium: row.get(5)?,
                    campaign: row.get(6)?,
                    // What stands behind the question mark may say who somebody is.
                    page: landing.split('?').next().map(str::to_owned),
                    ..line(row)?
                })
            },
        )?;
        lines.extend(self.c.list(
            "select at, :base + id, 'event', name, path from page_events
             where site_id = :site and session_id in (select value from json_each(:sessions)) and (at, :base + id) < (:key, :before)
             order by at desc, 2 desc limit :most",
            named_params! {":base": base(2), ":sessions": self.sessions, ":key": self.key, ":before": self.before, ":most": self.most},
            |row| Ok(Line { page: row.get(4)?, ..line(row)? }),
        )?);
        Ok(lines)
    }

    fn of_facts(&self) -> Result<Vec<Line>> {
        let mut lines = self.c.list(
            "select happened_at, :base + id, kind, label, id, amount_minor, currency, status, source, medium, campaign from conversions
             where site_id = :site and contact_id = :contact and status <> 'void' and (happened_at, :base + id) < (:key, :before)
             order by happened_at desc, 2 desc limit :most",
            named_params! {":base": base(3), ":contact": self.contact, ":key": self.key, ":before": self.before, ":most": self.most},
            |row| Ok(Line { state: row.get(7)?, source: row.get(8)?, medium: row.get(9)?, campaign: row.get(10)?, ..of_conversion(row)? }),
        )?;
        // What is not paid yet is no conversion.
        lines.extend(self.c.list(
            "select created_at, :base + id, 'order', order_number, null, total_minor, currency, status, platform from orders
             where site_id = :site and contact_id = :contact and conversion_id is null and (created_at, :base + id) < (:key, :before)
             order by created_at desc, 2 desc limit :most",
            named_params! {":base": base(4), ":contact": self.contact, ":key": self.key, ":before": self.before, ":most": self.most},
            |row| Ok(Line { state: row.get(7)?, platform: row.get(8)?, ..of_conversion(row)? }),
        )?);
        lines.extend(self.c.list(
            "select e.happened_at, :base + e.id, e.kind, v.label, v.id, e.amount_minor, e.currency from conversions v
             join entries e on e.site_id = v.site_id and e.conversion_id = v.id
             where v.site_id = :site and v.contact_id = :contact and v.status <> 'void' and e.kind <> 'sale' and (e.happened_at, :base + e.id) < (:key, :before)
             order by e.happened_at desc, 2 desc limit :most",
            named_params! {":base": base(5), ":contact": self.contact, ":key": self.key, ":before": self.before, ":most": self.most},
            of_conversion,
        )?);
        lines.extend(self.c.list(
            "select h.at, :base + h.id, 'stage', h.stage, l.conversion_id, h.value_minor, h.currency from leads l
             join lead_changes h on h.site_id = l.site_id and h.lead_id = l.id
             where l.site_id = :site and l.contact_id = :contact and (h.at, :base + h.id) < (:key, :before)
             order by h.at desc, 2 desc limit :most",
            named_params! {":base": base(6), ":contact": self.contact, ":key": self.key, ":before": self.before, ":most": self.most},
            of_conversion,
        )?);
        lines.extend(self.c.list(
            "select coalesce(d.settled_at, d.created_at), :base + d.id, 'delivery', d.kind, d.conversion_id, null, null,
               d.state, d.reason, d.platform
             from conversions v join deliveries d on d.site_id = v.site_id and d.conversion_id = v.id
             where v.site_id = :site and v.contact_id = :contact
               and (coalesce(d.settled_at, d.created_at), :base + d.id) < (:key, :before)
             order by 1 desc, 2 desc limit :most",
            named_params! {":base": base(7), ":contact": self.contact, ":key": self.key, ":before": self.before, ":most": self.most},
            |row| Ok(Line { state: row.get(7)?, reason: row.get(8)?, platform: row.get(9)?, ..of_conversion(row)? }),
        )?);
        Ok(lines)
    }

    /// Answers to the consent question: the present one of each browser, earlier ones, and those of facts.
    fn of_answers(&self) -> Result<Vec<Line>> {
        let mut lines = self.c.list(
            "select consent_at, :base + id, 'consent', coalesce(consent_by, 'page'), analytics, marketing from sessions
             where site_id = :site and id in (select value from json_each(:sessions)) and consent_at is not null
               and (consent_at, :base + id) < (:key, :before)
             order by consent_at desc, 2 desc limit :most",
            named_params! {":base": base(8), ":sessions": self.sessions, ":key": self.key, ":before": self.before, ":most": self.most},
            answer,
        )?;
        lines.extend(self.c.list(
            "select at, :base + id, 'consent', manager, analytics, marketing from consents
             where site_id = :site and session_id in (select value from json_each(:sessions)) and (at, :base + id) < (:key, :before)
             order by at desc, 2 desc limit :most",
            named_params! {":base": base(9), ":sessions": self.sessions, ":key": self.key, ":before": self.before, ":most": self.most},
            answer,
        )?);
        lines.extend(self.c.list(
            "select at, :base + id, 'consent', manager, analytics, marketing from consents
             where site_id = :site and contact_id = :contact and session_id is null and (at, :base + id) < (:key, :before)
             order by at desc, 2 desc limit :most",
            named_params! {":base": base(9), ":contact": self.contact, ":key": self.key, ":before": self.before, ":most": self.most},
            answer,
        )?);
        Ok(lines)
    }

    /// Conversations of the person, and those of their browsers that nobody else is known by.
    fn of_chats(&self) -> Result<Vec<Line>> {
        let read = |row: &Row| -> rusqlite::Result<Line> {
            Ok(Line { platform: row.get(4)?, messages: Some(row.get(5)?), state: row.get(6)?, ..line(row)? })
        };
        let mut lines = self.c.list(
            "select first_at, :base + id, 'chat', null, platform, messages, case when is_product_inquiry = 1 and is_price_check = 1 then 'product_price'
               when is_product_inquiry = 1 then 'product' when is_price_check = 1 then 'price' end
             from conversations
             where site_id = :site and contact_id = :contact and messages > 0 and (first_at, :base + id) < (:key, :before)
             order by first_at desc, 2 desc limit :most",
            named_params! {":base": base(11), ":contact": self.contact, ":key": self.key, ":before": self.before, ":most": self.most},
            read,
        )?;
        lines.extend(self.c.list(
            "select first_at, :base + id, 'chat', null, platform, messages, case when is_product_inquiry = 1 and is_price_check = 1 then 'product_price'
               when is_product_inquiry = 1 then 'product' when is_price_check = 1 then 'price' end
             from conversations
             where site_id = :site and session_id in (select value from json_each(:sessions)) and contact_id is null and messages > 0
               and (first_at, :base + id) < (:key, :before)
             order by first_at desc, 2 desc limit :most",
            named_params! {":base": base(11), ":sessions": self.sessions, ":key": self.key, ":before": self.before, ":most": self.most},
            read,
        )?);
        Ok(lines)
    }

    /// Those that made a lead are told by it.
    fn of_milestones(&self) -> Result<Vec<Line>> {
        self.c.list(
            "select at, :base + id, 'milestone', kind, source, utm_source, utm_medium, utm_campaign from milestones
             where site_id = :site and contact_id = :contact and conversion_id is null and undone_at is null and (at, :base + id) < (:key, :before)
             order by at desc, 2 desc limit :most",
            named_params! {":base": base(12), ":contact": self.contact, ":key": self.key, ":before": self.before, ":most": self.most},
            |row| Ok(Line { platform: row.get(4)?, source: row.get(5)?, medium: row.get(6)?, campaign: row.get(7)?, ..line(row)? }),
        )
    }

    /// They have no number: their place among the person's own is one.
    fn of_identities(&self) -> Result<Vec<Line>> {
        let mut lines = self.c.list(
            "select first_at, 0, 'identity', source, kind, value from identities
             where site_id = :site and contact_id = :contact order by kind, value limit 500",
            named_params! {":contact": self.contact},
            |row| Ok(Line { identity: Some((row.get(4)?, row.get(5)?)), ..line(row)? }),
        )?;
        for (place, line) in lines.iter_mut().enumerate() {
            line.order = base(10) + place as i64;
        }
        let mark = (Some(Time::from_ms(self.key)), self.before);
        lines.retain(|l| (l.at, l.order) < mark);
        Ok(lines)
    }
}

/// Time, place, kind and name stand in the first four columns.
fn line(row: &Row) -> rusqlite::Result<Line> {
    Ok(Line { at: Some(Time::from_ms(row.get(0)?)), order: row.get(1)?, kind: row.get(2)?, name: row.get(3)?, ..Line::default() })
}

/// Then the conversion and an amount.
fn of_conversion(row: &Row) -> rusqlite::Result<Line> {
    let conversion: Option<i64> = row.get(4)?;
    let (minor, currency): (Option<i64>, Option<String>) = (row.get(5)?, row.get(6)?);
    Ok(Line {
        conversion: conversion.map(ConversionId::new),
        amount: minor.zip(currency.as_deref().and_then(Currency::parse)).map(|(m, cur)| Money::new(m, cur)),
        ..line(row)?
    })
}

/// Then what was answered on being counted and on being told of.
fn answer(row: &Row) -> rusqlite::Result<Line> {
    Ok(Line { reason: row.get(4)?, state: row.get(5)?, ..line(row)? })
}
