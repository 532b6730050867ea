//! What a search of the file still finds after a person's own rows are gone: an address in a text that somebody else
//! wrote, or a person whom another site knows too. What counts as being named the domain says (`domain::erasure::mentions`), which
//! these statements ask by the name `mentions`.

use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, named_params};

use super::super::scope::{AllSites, SiteConn};
use super::goods::{self, Bearer};
use crate::domain::erasure;
use crate::error::Result;

/// Teaches a connection the word `mentions(text, value)`. Nothing that is no text mentions anybody.
pub fn teach(conn: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    conn.create_scalar_function("mentions", 2, flags, |context| {
        let value: String = context.get(1)?;
        Ok(match context.get_raw(0) {
            ValueRef::Text(text) => erasure::mentions(&String::from_utf8_lossy(text), &value),
            _ => false,
        })
    })
}

/// Rows of others whose texts name one of the values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mentions {
    pub leads: Vec<i64>,
    pub reports: Vec<i64>,
    pub page_events: Vec<i64>,
    pub inbox: Vec<i64>,
    pub conversations: Vec<i64>,
    pub milestones: Vec<i64>,
    pub touches: Vec<i64>,
    pub tracker_events: Vec<i64>,
    pub orders: Vec<i64>,
}

impl Mentions {
    pub fn is_empty(&self) -> bool {
        let told = [&self.leads, &self.reports, &self.inbox, &self.conversations, &self.milestones, &self.orders];
        let seen = [&self.page_events, &self.touches, &self.tracker_events];
        told.iter().chain(&seen).all(|found| found.is_empty())
    }
}

/// Small texts: what the owner has noted, what was done, what platforms said when something went wrong. None of them is ever
/// needed for a sum.
const SMALL_TEXTS: [&str; 10] = [
    "update notes set text = 'erased' where site_id = :site and mentions(text, :value)",
    "update audit set detail = '{}' where site_id = :site and mentions(detail, :value)",
    "update happenings set sentence = 'erased' where site_id = :site and mentions(sentence, :value)",
    "update sync_runs set sentences = '[]' where site_id = :site and mentions(sentences, :value)",
    "update pulls set sentence = null where site_id = :site and mentions(sentence, :value)",
    "update imports set name = 'erased', problem = null where site_id = :site and mentions(name || ' ' || coalesce(problem, ''), :value)",
    "update refunds set reason = null where site_id = :site and mentions(reason, :value)",
    "update spend set note = null where site_id = :site and mentions(note, :value)",
    "update deliveries set request = null, response = null, reason = case when mentions(reason, :value) then 'erased' else reason end
     where site_id = :site and mentions(coalesce(request, '') || ' ' || coalesce(response, '') || ' ' || coalesce(reason, ''), :value)",
    "update tracker_calls set message = 'erased', details = '[]' where site_id = :site and mentions(message || ' ' || details, :value)",
];

/// Empties those that name the value.
pub fn blank_small_texts(c: &SiteConn, value: &str) -> Result<()> {
    for sql in SMALL_TEXTS {
        c.execute(sql, named_params! {":value": value})?;
    }
    Ok(())
}

/// Reads the site's texts: only where the file has been searched and something was found.
pub fn find_mentions(c: &SiteConn, value: &str) -> Result<Mentions> {
    let value = named_params! {":value": value};
    Ok(Mentions {
        leads: c.list(
            "select id from leads where site_id = :site
               and mentions(coalesce(message, '') || ' ' || custom_fields || ' ' || coalesce(url, '') || ' ' || coalesce(company, ''), :value)",
            value,
            |row| row.get(0),
        )?,
        reports: c.list(
            "select id from reports where site_id = :site and mentions(detail || ' ' || coalesce(known, ''), :value)",
            value,
            |row| row.get(0),
        )?,
        page_events: c.list(
            "select id from page_events where site_id = :site
               and mentions(name || ' ' || properties || ' ' || coalesce(path, ''), :value)",
            value,
            |row| row.get(0),
        )?,
        touches: c.list(
            "select id from touches where site_id = :site
               and mentions(coalesce(title, '') || ' ' || landing || ' ' || coalesce(referrer, '') || ' ' || coalesce(term, '') || ' '
                 || coalesce(content, '') || ' ' || coalesce(raw_source, '') || ' ' || coalesce(raw_medium, ''), :value)",
            value,
            |row| row.get(0),
        )?,
        tracker_events: c.list(
            "select id from tracker_events where site_id = :site
               and mentions(custom || ' ' || meta || ' ' || coalesce(referrer, '') || ' ' || coalesce(term, '') || ' '
                 || coalesce(content_word, ''), :value)",
            value,
            |row| row.get(0),
        )?,
        orders: c.list("select id from orders where site_id = :site and mentions(items, :value)", value, |row| row.get(0))?,
        inbox: c.list(
            "select id from inbox where site_id = :site and body is not null and mentions(cast(body as text), :value)",
            value,
            |row| row.get(0),
        )?,
        conversations: c.list(
            "select id from conversations where site_id = :site and mentions(external_id || ' ' || coalesce(visitor, ''), :value)
             union
             select conversation_id from messages where site_id = :site and mentions(text, :value)",
            value,
            |row| row.get(0),
        )?,
        milestones: c.list(
            "select id from milestones where site_id = :site
               and mentions(data || ' ' || metadata || ' ' || coalesce(external_id, '') || ' ' || coalesce(referrer, ''), :value)",
            value,
            |row| row.get(0),
        )?,
    })
}

/// Empties those texts; the rows stay.
pub fn blank_mentions(c: &SiteConn, found: &Mentions, value: &str) -> Result<()> {
    for id in &found.leads {
        c.execute(
            "update leads set message = case when mentions(message, :value) then null else message end,
               custom_fields = case when mentions(custom_fields, :value) then '{}' else custom_fields end,
               url = case when mentions(url, :value) then null else url end,
               company = case when mentions(company, :value) then null else company end
             where site_id = :site and id = :id",
            named_params! {":id": id, ":value": value},
        )?;
    }
    for id in &found.reports {
        c.execute("update reports set detail = '{}', known = null where site_id = :site and id = :id", named_params! {":id": id})?;
    }
    for id in &found.page_events {
        c.execute(
            "update page_events set properties = case when mentions(properties, :value) then '{}' else properties end,
               name = case when mentions(name, :value) then 'erased' else name end,
               path = case when mentions(path, :value) then null else path end
             where site_id = :site and id = :id",
            named_params! {":id": id, ":value": value},
        )?;
    }
    for id in &found.touches {
        c.execute(
            "update touches set title = case when mentions(title, :value) then null else title end,
               landing = case when mentions(landing, :value) then '/' else landing end,
               referrer = case when mentions(referrer, :value) then null else referrer end,
               term = case when mentions(term, :value) then null else term end,
               content = case when mentions(content, :value) then null else content end,
               raw_source = case when mentions(raw_source, :value) then null else raw_source end,
               raw_medium = case when mentions(raw_medium, :value) then null else raw_medium end
             where site_id = :site and id = :id",
            named_params! {":id": id, ":value": value},
        )?;
    }
    for id in &found.tracker_events {
        c.execute(
            "update tracker_events set custom = case when mentions(custom, :value) then '{}' else custom end,
               meta = case when mentions(meta, :value) then '{}' else meta end,
               referrer = case when mentions(referrer, :value) then null else referrer end,
               term = case when mentions(term, :value) then null else term end,
               content_word = case when mentions(content_word, :value) then null else content_word end
             where site_id = :site and id = :id",
            named_params! {":id": id, ":value": value},
        )?;
    }
    let bearer = Bearer::named(&[value.to_owned()]);
    for id in &found.orders {
        goods::rename(c, &bearer, *id)?;
    }
    for id in &found.inbox {
        c.execute("update inbox set body = null where site_id = :site and id = :id", named_params! {":id": id})?;
    }
    for id in &found.conversations {
        let named = named_params! {":id": id, ":value": value};
        c.execute(
            "update conversations set external_id = case when mentions(external_id, :value) then 'erased_' || id else external_id end,
               visitor = case when mentions(visitor, :value) then null else visitor end
             where site_id = :site and id = :id",
            named,
        )?;
        c.execute("update messages set text = null where site_id = :site and conversation_id = :id and mentions(text, :value)", named)?;
    }
    for id in &found.milestones {
        c.execute(
            "update milestones set data = '{}', metadata = '{}', referrer = null,
               external_id = case when mentions(external_id, :value) then 'erased_' || id else external_id end
             where site_id = :site and id = :id",
            named_params! {":id": id, ":value": value},
        )?;
    }
    Ok(())
}

/// Whether another site of the box, or its own staff, is known by this value: then it stays there.
pub fn is_known_elsewhere(all: &AllSites, own: &SiteConn, kind: &str, value: &str) -> Result<bool> {
    let others: Vec<i64> = all.list("select id from sites", &[], |row| row.get(0))?;
    for site in others.into_iter().filter(|id| *id != own.site().number()) {
        let found = all.find(
            "select 1 where exists (select 1 from identities where site_id = :other and kind = :kind and value = :value)
               or exists (select 1 from session_people where site_id = :other and kind = :kind and value = :value)
               or exists (select 1 from leads where site_id = :other and :kind = 'email' and email = :value and connection_id = -2)",
            named_params! {":other": site, ":kind": kind, ":value": value},
            |_| Ok(()),
        )?;
        if found.is_some() {
            return Ok(true);
        }
    }
    let is_staff = all.find("select 1 from users where email = :value", named_params! {":value": value}, |_| Ok(()))?;
    Ok(is_staff.is_some())
}
