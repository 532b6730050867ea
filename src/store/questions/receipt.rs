//! One conversion from all sides: who told of it and what exactly, every run of its credit, its money, who was told.

use rusqlite::{Row, named_params};
use serde_json::{Map, Value, json};

use super::super::affiliates::{self, commissions};
use super::super::chat_assists;
use super::super::inbox;
use super::super::scope::SiteConn;
use super::conversions::{self, Line};
use super::deliveries;
use crate::domain::attribution::{Link, Policy};
use crate::domain::consent::Answer;
use crate::domain::ids::{ConversionId, ImportId, InboxId, LeadId, OrderId};
use crate::domain::money::{Currency, Money};
use crate::domain::time::{Day, Time};
use crate::error::{Error, Result};

#[derive(Debug)]
pub struct Receipt {
    /// Something about it that its owner should see.
    pub flag: Option<String>,
    /// When its person was erased.
    pub erased_at: Option<Time>,
    pub line: Line,
    pub reports: Vec<Report>,
    pub runs: Vec<Run>,
    /// Weaker links that lead to the same browsers.
    pub also_fits: Vec<Link>,
    pub policy: Policy,
    /// Attribution as the documents print it.
    pub snapshot: Value,
    pub entries: Vec<Entry>,
    pub deliveries: Vec<deliveries::Line>,
    /// The newest explicit answer of the person or browser, the consent manager that told it, and since when it counts.
    pub said: Option<(Answer, String, Time)>,
    /// What the chats had to do with it; none where nobody had ever chatted.
    pub chat: Option<chat_assists::Stored>,
    /// The partner who earns it.
    pub partner: Option<Partner>,
}

/// Who earns a conversion, why, and what.
#[derive(Debug)]
pub struct Partner {
    pub credit: commissions::Credit,
    /// None for a code that nobody has.
    pub name: Option<String>,
    /// What is left of the commission, by currency.
    pub earned: Vec<Money>,
    /// Every line of it, in the order in which they were booked.
    pub booked: Vec<commissions::BookedLine>,
}

/// One platform's statement.
#[derive(Debug, Clone)]
pub struct Report {
    pub id: i64,
    pub received_at: Time,
    pub happened_at: Time,
    /// 0 stands for our own API.
    pub connection: i64,
    pub platform: String,
    pub what: String,
    pub external_id: String,
    pub rank: i64,
    pub amount: Option<Money>,
    pub inbox: Option<InboxId>,
    /// The file of history in which it stood.
    pub import: Option<ImportId>,
    /// The facts taken from it, by the names their senders know.
    pub fields: Map<String, Value>,
}

#[derive(Debug, Clone)]
pub struct Run {
    pub run: i64,
    pub at: Time,
    pub why: String,
    pub match_type: String,
}

#[derive(Debug, Clone)]
pub struct Entry {
    pub kind: String,
    pub amount: Option<Money>,
    pub happened_at: Time,
    pub book_day: Day,
    pub note: Option<String>,
    /// The report that told of it, where one did.
    pub report: Option<i64>,
}

/// What a receipt is asked by.
#[derive(Debug, Clone, Copy)]
pub enum Fact {
    Conversion(ConversionId),
    Lead(LeadId),
    Order(OrderId),
    Inbox(InboxId),
}

impl Fact {
    /// `conversion_12`, `lead_7`, `order_3`, `in_4`.
    pub fn parse(text: &str) -> Option<Self> {
        let (word, _) = text.split_once('_')?;
        match word {
            ConversionId::WORD => text.parse().ok().map(Fact::Conversion),
            LeadId::WORD => text.parse().ok().map(Fact::Lead),
            OrderId::WORD => text.parse().ok().map(Fact::Order),
            InboxId::WORD => text.parse().ok().map(Fact::Inbox),
            _ => None,
        }
    }
}

/// The conversion that a fact belongs to.
pub fn find_conversion(c: &SiteConn, fact: Fact) -> Result<Option<ConversionId>> {
    let (sql, id) = match fact {
        Fact::Conversion(id) => return Ok(Some(id)),
        Fact::Lead(id) => ("select conversion_id from leads where site_id = :site and id = :id", id.number()),
        Fact::Order(id) => ("select conversion_id from orders where site_id = :site and id = :id", id.number()),
        Fact::Inbox(id) => ("select conversion_id from reports where site_id = :site and inbox_id = :id order by id limit 1", id.number()),
    };
    let found: Option<Option<i64>> = c.find(sql, named_params! {":id": id}, |row| row.get(0))?;
    Ok(found.flatten().map(ConversionId::new))
}

pub fn find(c: &SiteConn, fact: Fact) -> Result<Option<Receipt>> {
    let Some(id) = find_conversion(c, fact)? else { return Ok(None) };
    let Some(line) = conversions::find(c, id)? else { return Ok(None) };
    let (runs, newest) = runs(c, id)?;
    let (also_fits, policy, snapshot) = match newest {
        Some((also, policy, snapshot)) => (
            serde_json::from_str(&also).map_err(Error::internal)?,
            serde_json::from_str(&policy).map_err(Error::internal)?,
            serde_json::from_str(&snapshot).unwrap_or(Value::Null),
        ),
        None => (Vec::new(), Policy::default(), Value::Null),
    };
    let (flag, erased_at): (Option<String>, Option<i64>) = c
        .find("select flag, erased_at from conversions where site_id = :site and id = :id", named_params! {":id": id.number()}, |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .unwrap_or_default();
    Ok(Some(Receipt {
        flag,
        erased_at: erased_at.map(Time::from_ms),
        reports: reports(c, id)?,
        runs,
        also_fits,
        policy,
        snapshot,
        entries: entries(c, id)?,
        deliveries: deliveries::of_conversion(c, id)?,
        said: said(c, &line)?,
        chat: chat_assists::find(c, id)?,
        partner: partner(c, id)?,
        line,
    }))
}

fn partner(c: &SiteConn, id: ConversionId) -> Result<Option<Partner>> {
    let Some(credit) = commissions::find(c, id)? else { return Ok(None) };
    let name = match credit.affiliate {
        Some(affiliate) => affiliates::find(c, affiliate)?.map(|a| a.name),
        None => None,
    };
    Ok(Some(Partner { earned: commissions::left(c, id, credit.affiliate)?, booked: commissions::lines_of(c, id)?, name, credit }))
}

type Newest = (String, String, String);

fn runs(c: &SiteConn, id: ConversionId) -> Result<(Vec<Run>, Option<Newest>)> {
    let mut newest = None;
    let runs = c.list(
        "select run, at, why, match_type, also_fits, policy, snapshot from credits
         where site_id = :site and conversion_id = :id order by run",
        named_params! {":id": id.number()},
        |row| {
            newest = Some((row.get(4)?, row.get(5)?, row.get(6)?));
            Ok(Run { run: row.get(0)?, at: Time::from_ms(row.get(1)?), why: row.get(2)?, match_type: row.get(3)? })
        },
    )?;
    Ok((runs, newest))
}

fn reports(c: &SiteConn, id: ConversionId) -> Result<Vec<Report>> {
    let mut reports: Vec<(Report, String, Option<i64>)> = c.list(
        "select received_at, happened_at, connection_id, platform, what, external_id, rank, amount_minor, currency, inbox_id,
           detail, fact_kind, fact_id, id
         from reports where site_id = :site and conversion_id = :id order by received_at, id",
        named_params! {":id": id.number()},
        |row| {
            let inbox: Option<i64> = row.get(9)?;
            let detail: String = row.get(10)?;
            let report = Report {
                id: row.get(13)?,
                received_at: Time::from_ms(row.get(0)?),
                happened_at: Time::from_ms(row.get(1)?),
                connection: row.get(2)?,
                platform: row.get(3)?,
                what: row.get(4)?,
                external_id: row.get(5)?,
                rank: row.get(6)?,
                amount: money(row, 7, 8)?,
                inbox: inbox.map(InboxId::new),
                import: None,
                fields: match serde_json::from_str(&detail) {
                    Ok(Value::Object(fields)) => fields,
                    _ => Map::new(),
                },
            };
            Ok((report, row.get(11)?, row.get(12)?))
        },
    )?;
    for (report, fact_kind, fact_id) in &mut reports {
        report.import = report.inbox.map(|id| inbox::find_import(c, id)).transpose()?.flatten();
        let told = match (fact_kind.as_str(), *fact_id) {
            ("lead", Some(id)) => lead_fields(c, id)?,
            ("order", Some(id)) => order_fields(c, id)?,
            _ => None,
        };
        if let Some(mut told) = told {
            told.append(&mut report.fields);
            report.fields = told;
        }
    }
    Ok(reports.into_iter().map(|(report, _, _)| report).collect())
}

fn money(row: &Row, minor: usize, currency: usize) -> rusqlite::Result<Option<Money>> {
    let (minor, currency): (Option<i64>, Option<String>) = (row.get(minor)?, row.get(currency)?);
    Ok(minor.zip(currency.as_deref().and_then(Currency::parse)).map(|(minor, currency)| Money::new(minor, currency)))
}

/// Names and values, without those that are not there.
fn fields(all: Vec<(&str, Value)>) -> Map<String, Value> {
    let is_there = |v: &Value| !v.is_null() && *v != json!({}) && *v != json!([]);
    all.into_iter().filter(|(_, v)| is_there(v)).map(|(n, v)| (n.to_owned(), v)).collect()
}

fn text(row: &Row, place: usize) -> rusqlite::Result<Value> {
    let text: Option<String> = row.get(place)?;
    Ok(text.map_or(Value::Null, Value::String))
}

fn nested(row: &Row, place: usize) -> rusqlite::Result<Value> {
    let text: Option<String> = row.get(place)?;
    Ok(text.and_then(|t| serde_json::from_str(&t).ok()).unwrap_or(Value::Null))
}

fn lead_fields(c: &SiteConn, id: i64) -> Result<Option<Map<String, Value>>> {
    c.find(
        "select external_id, form_type, email, phone, first_name, last_name, company, message, value_minor, currency, consent_given,
           url, custom_fields, status
         from leads where site_id = :site and id = :id",
        named_params! {":id": id},
        |row| {
            let consent: Option<bool> = row.get(10)?;
            Ok(fields(vec![
                ("lead_id", text(row, 0)?),
                ("form_type", text(row, 1)?),
                ("email", text(row, 2)?),
                ("phone", text(row, 3)?),
                ("first_name", text(row, 4)?),
                ("last_name", text(row, 5)?),
                ("company", text(row, 6)?),
                ("message", text(row, 7)?),
                ("value", money(row, 8, 9)?.map_or(Value::Null, |m| m.decimal().into())),
                ("currency", text(row, 9)?),
                ("consent_given", consent.map_or(Value::Null, Value::Bool)),
                ("url", text(row, 11)?),
                ("custom_fields", nested(row, 12)?),
                ("status", text(row, 13)?),
            ]))
        },
    )
}

fn order_fields(c: &SiteConn, id: i64) -> Result<Option<Map<String, Value>>> {
    c.find(
        "select external_id, order_number, status, email, phone, first_name, last_name, customer_id, total_minor, currency, items, coupons,
           country, is_test
         from orders where site_id = :site and id = :id",
        named_params! {":id": id},
        |row| {
            let is_test: bool = row.get(13)?;
            Ok(fields(vec![
                ("order_id", text(row, 0)?),
                ("order_number", text(row, 1)?),
                ("status", text(row, 2)?),
                ("email", text(row, 3)?),
                ("phone", text(row, 4)?),
                ("first_name", text(row, 5)?),
                ("last_name", text(row, 6)?),
                ("customer_id", text(row, 7)?),
                ("total", money(row, 8, 9)?.map_or(Value::Null, |m| m.decimal().into())),
                ("currency", text(row, 9)?),
                ("items", nested(row, 10)?),
                ("coupons", nested(row, 11)?),
                ("country", text(row, 12)?),
                ("test", if is_test { Value::Bool(true) } else { Value::Null }),
            ]))
        },
    )
}

fn entries(c: &SiteConn, id: ConversionId) -> Result<Vec<Entry>> {
    c.list(
        "select kind, amount_minor, currency, happened_at, book_day, note, report_id from entries
         where site_id = :site and conversion_id = :id order by happened_at, id",
        named_params! {":id": id.number()},
        |row| {
            Ok(Entry {
                kind: row.get(0)?,
                amount: money(row, 1, 2)?,
                happened_at: Time::from_ms(row.get(3)?),
                book_day: Day(row.get(4)?),
                note: row.get(5)?,
                report: row.get(6)?,
            })
        },
    )
}

/// What the person, or the browser the conversion was matched to, said last. A denial at the same moment wins.
fn said(c: &SiteConn, line: &Line) -> Result<Option<(Answer, String, Time)>> {
    let found: Option<(String, String, i64)> = c.find(
        "select marketing, manager, at from (
           select marketing, manager, at from consents where site_id = :site and contact_id = :contact
           union all
           select marketing, manager, at from consents where site_id = :site and session_id = :session
           union all
           select marketing, coalesce(consent_by, 'page'), consent_at from sessions where site_id = :site and id = :session and consent_at is not null
           union all
           select marketing, coalesce(marketing_by, 'api'), marketing_at from contacts where site_id = :site and id = :contact and marketing_at is not null)
         where marketing in ('granted', 'denied') order by at desc, marketing limit 1",
        named_params! {":contact": line.contact.map(|id| id.number()), ":session": line.session.map(|id| id.number())},
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    Ok(found.and_then(|(word, manager, at)| Answer::parse(&word).map(|answer| (answer, manager, Time::from_ms(at)))))
}
