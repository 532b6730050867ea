//! All that is stored of a person, table by table, for the person. Columns keep their names; times are milliseconds here.

use rusqlite::named_params;
use rusqlite::types::ValueRef;
use serde_json::{Map, Value};

use super::super::scope::{Params, SiteConn};
use super::super::sessions;
use super::super::{affiliates, inbox};
use super::person::Whole;
use crate::crypto;
use crate::domain::erasure::excerpt::{Excerpt, Own, excerpt};
use crate::domain::ids::{InboxId, SessionId};
use crate::domain::time::Time;
use crate::error::Result;

const WITHHELD: &str = "It names this person, and may be of somebody else who is named beside them: nothing proves whose it is.";
const IN_PART: &str = "It is of several people. What is of the others is left out.";
const OF_OTHERS: &str = "It names this person, and is of others, whose data may not be given. Ask what it says of this person.";

/// Tables by name, each with the person's rows. Keyed digests of ours say nothing to anybody and are left out.
/// What is also of others is given without what is theirs, or noted in its place.
pub fn run(c: &SiteConn, whole: &Whole, country: Option<&str>, now: Time) -> Result<Map<String, Value>> {
    let mut all = Out { c, tables: Map::new() };
    for contact in &whole.contacts {
        let id = named_params! {":id": contact};
        all.add("contacts", "select * from contacts where site_id = :site and id = :id", id)?;
        all.add("identities", "select * from identities where site_id = :site and contact_id = :id", id)?;
        all.add("contact_merges", "select * from contact_merges where site_id = :site and kept = :id", id)?;
        all.add("consents", "select * from consents where site_id = :site and contact_id = :id", id)?;
    }
    for (kind, value) in &whole.identities {
        let known = named_params! {":kind": kind, ":value": value};
        all.add("session_people", "select * from session_people where site_id = :site and kind = :kind and value = :value", known)?;
        for partner in affiliates::list_of_person(c, kind, value)? {
            let id = named_params! {":id": partner.number()};
            all.add("affiliates", "select * from affiliates where site_id = :site and id = :id", id)?;
            all.add("affiliate_statements", "select * from affiliate_statements where site_id = :site and affiliate_id = :id", id)?;
        }
    }
    for session in &whole.sessions {
        let id = named_params! {":id": session};
        all.add("sessions", "select * from sessions where site_id = :site and id = :id", id)?;
        all.add("touches", "select * from touches where site_id = :site and session_id = :id order by seq", id)?;
        all.add("clicks", "select * from clicks where site_id = :site and session_id = :id", id)?;
        all.add(
            "link_clicks",
            "select * from link_clicks where site_id = :site and click in
               (select value from clicks where site_id = :site and session_id = :id and kind = 'halo_click')",
            id,
        )?;
        all.add("page_events", "select * from page_events where site_id = :site and session_id = :id", id)?;
        all.add("short_codes", "select * from short_codes where site_id = :site and session_id = :id", id)?;
        all.add("consents", "select * from consents where site_id = :site and session_id = :id and contact_id is null", id)?;
        if let Some(address) = sessions::find_address(c, SessionId::new(*session), now)? {
            let row = serde_json::json!({"session_id": session, "address": address});
            all.rows("session_addresses").push(row);
        }
    }
    for lead in &whole.leads {
        all.add("leads", "select * from leads where site_id = :site and id = :id", named_params! {":id": lead})?;
    }
    for order in &whole.orders {
        all.add("orders", "select * from orders where site_id = :site and id = :id", named_params! {":id": order})?;
    }
    for order in &whole.orders {
        all.add(
            "refunds",
            "select r.* from orders o join refunds r on r.site_id = o.site_id and r.connection_id = o.connection_id
               and r.order_external_id = o.external_id
             where o.site_id = :site and o.id = :id",
            named_params! {":id": order},
        )?;
    }
    for conversion in &whole.conversions {
        let id = named_params! {":id": conversion};
        all.add("conversions", "select * from conversions where site_id = :site and id = :id", id)?;
        all.add("reports", "select * from reports where site_id = :site and conversion_id = :id", id)?;
        all.add("chat_assists", "select * from chat_assists where site_id = :site and conversion_id = :id", id)?;
        all.add("entries", "select * from entries where site_id = :site and conversion_id = :id", id)?;
        all.add("credits", "select * from credits where site_id = :site and conversion_id = :id", id)?;
        all.add("deliveries", "select * from deliveries where site_id = :site and conversion_id = :id", id)?;
        all.add(
            "attempts",
            "select a.* from deliveries d join attempts a on a.site_id = d.site_id and a.delivery_id = d.id
             where d.site_id = :site and d.conversion_id = :id",
            id,
        )?;
    }
    for talk in &whole.conversations {
        let id = named_params! {":id": talk};
        all.add("conversations", "select * from conversations where site_id = :site and id = :id", id)?;
        all.add("messages", "select * from messages where site_id = :site and conversation_id = :id order by at", id)?;
    }
    for milestone in &whole.milestones {
        all.add("milestones", "select * from milestones where site_id = :site and id = :id", named_params! {":id": milestone})?;
    }
    for enrolment in &whole.enrolments {
        let sql = "select * from enrolments where site_id = :site and conversion_id = :id";
        all.add("enrolments", sql, named_params! {":id": enrolment})?;
    }
    for event in &whole.events {
        let sql = "select * from tracker_events where site_id = :site and id = :id";
        all.add("tracker_events", sql, named_params! {":id": event})?;
    }
    let own = Own { emails: whole.own_values("email"), phones: whole.own_values("phone"), country: country.map(str::to_owned) };
    for inbox in &whole.inbox {
        all.add_message(*inbox, &own)?;
    }
    for (table, id) in &whole.withheld {
        let sql = match *table {
            "leads" => "select id, created_at from leads where site_id = :site and id = :id",
            "conversations" => "select id, platform, first_at from conversations where site_id = :site and id = :id",
            _ => "select id, created_at from sessions where site_id = :site and id = :id",
        };
        all.add_noted(table, sql, *id, WITHHELD)?;
    }
    Ok(all.tables)
}

struct Out<'a> {
    c: &'a SiteConn<'a>,
    tables: Map<String, Value>,
}

impl Out<'_> {
    fn rows(&mut self, table: &str) -> &mut Vec<Value> {
        let rows = self.tables.entry(table.to_owned()).or_insert_with(|| Value::Array(Vec::new()));
        match rows {
            Value::Array(rows) => rows,
            _ => unreachable!("only lists are put in"),
        }
    }

    /// A body as it came, if the person alone is in it; else what of it is theirs.
    fn add_message(&mut self, id: i64, own: &Own) -> Result<()> {
        let sql = "select id, connection_id, platform, path, received_at, state, reason, content_type from inbox
             where site_id = :site and id = :id";
        let body = inbox::find_body(self.c, InboxId::new(id))?.map(|kept| kept.body).unwrap_or_default();
        let (given, note) = match excerpt(&body, own) {
            _ if body.is_empty() => (Value::Null, None),
            Excerpt::Whole => (read(&String::from_utf8_lossy(&body)), None),
            Excerpt::Part(text) => (read(&text), Some(IN_PART)),
            Excerpt::Nothing => (Value::Null, Some(OF_OTHERS)),
        };
        self.add("inbox", sql, named_params! {":id": id})?;
        self.complete("inbox", &[("body", given), ("withheld", note.into())]);
        Ok(())
    }

    /// A row of which only that there is one is told.
    fn add_noted(&mut self, table: &str, sql: &str, id: i64, note: &str) -> Result<()> {
        self.add(table, sql, named_params! {":id": id})?;
        self.complete(table, &[("withheld", note.into())]);
        Ok(())
    }

    /// More fields for the row that was added last; what says nothing is left out.
    fn complete(&mut self, table: &str, fields: &[(&str, Value)]) {
        if let Some(Value::Object(row)) = self.rows(table).last_mut() {
            for (name, value) in fields {
                if *name == "body" || !value.is_null() {
                    row.insert((*name).to_owned(), value.clone());
                }
            }
        }
    }

    fn add(&mut self, table: &str, sql: &str, params: Params) -> Result<()> {
        let mut found = Vec::new();
        self.c.scan(sql, params, |row| {
            let mut shown = Map::new();
            for (place, name) in row.as_ref().column_names().enumerate() {
                let value = match row.get_ref(place)? {
                    ValueRef::Null => Value::Null,
                    ValueRef::Integer(n) => n.into(),
                    ValueRef::Real(n) => n.into(),
                    ValueRef::Text(text) => read(&String::from_utf8_lossy(text)),
                    ValueRef::Blob(bytes) => crypto::hex(bytes).into(),
                };
                if !matches!(name, "site_id" | "content_key" | "content" | "key" | "last_event" | "event" | "owner") {
                    shown.insert(name.to_owned(), value);
                }
            }
            found.push(Value::Object(shown));
            Ok(true)
        })?;
        self.rows(table).extend(found);
        Ok(())
    }
}

/// What is stored as JSON is shown as such.
fn read(text: &str) -> Value {
    match text.starts_with(['{', '[']) {
        true => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        false => text.into(),
    }
}
