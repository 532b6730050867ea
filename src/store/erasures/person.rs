//! Everything that is stored of one person, found by what they are known by: never by reading bodies or texts.

use std::collections::BTreeSet;

use rusqlite::named_params;

use super::super::people::IdentityKind;
use super::super::scope::SiteConn;
use crate::crypto;
use crate::domain::conversion::order_key;
use crate::domain::ids::ContactId;
use crate::error::{Error, Kind, Result};

/// How the owner named the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// Already in the form in which they are stored.
    Email(String),
    Phone(String),
    Order(String),
    /// As the dashboard shows them.
    Contact(ContactId),
    /// From erasures.log: the values whose digests are in it.
    Log(Vec<(IdentityKind, String)>),
}

impl Named {
    pub fn word(&self) -> &'static str {
        match self {
            Named::Email(_) => "email",
            Named::Phone(_) => "phone",
            Named::Order(_) => "order",
            Named::Contact(_) => "contact",
            Named::Log(_) => "log",
        }
    }
}

/// A person's rows, by their numbers.
#[derive(Debug, Clone, Default)]
pub struct Whole {
    /// What the person is known by: given by the owner, or proved.
    pub identities: BTreeSet<(&'static str, String)>,
    pub contacts: BTreeSet<i64>,
    pub sessions: BTreeSet<i64>,
    /// Keys of those sessions: their cookies name nobody any more.
    pub keys: Vec<String>,
    pub leads: BTreeSet<i64>,
    pub orders: BTreeSet<i64>,
    pub conversions: BTreeSet<i64>,
    pub inbox: BTreeSet<i64>,
    pub conversations: BTreeSet<i64>,
    pub milestones: BTreeSet<i64>,
    /// By the number of their conversion.
    pub enrolments: BTreeSet<i64>,
    /// Events of trackers.
    pub events: BTreeSet<i64>,
}

impl Whole {
    pub fn emails(&self) -> Vec<String> {
        self.values("email")
    }

    pub fn phones(&self) -> Vec<String> {
        self.values("phone")
    }

    pub fn values(&self, kind: &str) -> Vec<String> {
        self.identities.iter().filter(|(k, _)| *k == kind).map(|(_, v)| v.clone()).collect()
    }
}

/// What the person wrote in leads that have no id of their own, as digests: by it a lead is known again within a day.
pub fn contents(c: &SiteConn, whole: &Whole) -> Result<Vec<Vec<u8>>> {
    let mut all = Vec::new();
    for lead in &whole.leads {
        let sql = "select content_key from leads where site_id = :site and id = :id and content_key is not null";
        all.extend(c.find(sql, named_params! {":id": lead}, |row| row.get(0))?);
    }
    Ok(all)
}

/// The person's conversations as their stones name them: connection and the sender's own id.
pub fn talks(c: &SiteConn, whole: &Whole) -> Result<Vec<(i64, String)>> {
    let mut all = Vec::new();
    for id in &whole.conversations {
        let sql = "select connection_id, external_id from conversations where site_id = :site and id = :id and erased_at is null";
        all.extend(c.find(sql, named_params! {":id": id}, |row| Ok((row.get(0)?, row.get(1)?)))?);
    }
    Ok(all)
}

/// Rounds in which one identity may lead to the next; merged contacts make chains of one or two.
const ROUNDS: usize = 8;

pub fn find(c: &SiteConn, named: &Named, digest_of: impl Fn(&str, &str) -> [u8; 16]) -> Result<Whole> {
    let mut whole = Whole::default();
    match named {
        Named::Email(email) => drop(whole.identities.insert(("email", email.clone()))),
        Named::Phone(phone) => drop(whole.identities.insert(("phone", phone.clone()))),
        Named::Order(order) => start_from_order(c, order, &mut whole)?,
        Named::Contact(id) => start_from_contact(c, *id, &mut whole)?,
        Named::Log(all) => whole.identities.extend(all.iter().map(|(kind, value)| (kind.word(), value.clone()))),
    }
    for _ in 0..ROUNDS {
        let before = (whole.identities.len(), whole.contacts.len());
        widen(c, &mut whole)?;
        if before == (whole.identities.len(), whole.contacts.len()) {
            break;
        }
    }
    find_events(c, &mut whole)?;
    find_facts(c, &mut whole)?;
    find_sessions(c, &mut whole)?;
    find_conversations(c, &mut whole)?;
    for (kind, value) in &whole.identities {
        let digest = digest_of(kind, value);
        whole.inbox.extend(numbers(
            c,
            "select inbox_id from inbox_people where site_id = :site and digest = :digest",
            named_params! {":digest": digest},
        )?);
    }
    for conversion in &whole.conversions {
        whole.inbox.extend(numbers(
            c,
            "select inbox_id from reports where site_id = :site and conversion_id = :id and inbox_id is not null",
            named_params! {":id": conversion},
        )?);
    }
    Ok(whole)
}

/// The person of an order. Two shops may number alike: then it is not said which one is meant.
fn start_from_order(c: &SiteConn, text: &str, whole: &mut Whole) -> Result<()> {
    let Some(key) = order_key(text) else {
        return Err(Error::invalid("order", format!("{text:?} is no order number.")));
    };
    let mut people: BTreeSet<(Option<i64>, Option<String>)> = BTreeSet::new();
    let found: Vec<i64> =
        numbers(c, "select id from conversions where site_id = :site and order_key = :key limit 20", named_params! {":key": key})?;
    for id in &found {
        people.extend(c.list(
            "select contact_id, email from orders where site_id = :site and conversion_id = :id and erased_at is null",
            named_params! {":id": id},
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?);
        let contact: Option<Option<i64>> = c.find(
            "select contact_id from conversions where site_id = :site and id = :id and erased_at is null",
            named_params! {":id": id},
            |row| row.get(0),
        )?;
        if let Some(Some(contact)) = contact
            && !people.iter().any(|(known, _)| *known == Some(contact))
        {
            people.insert((Some(contact), None));
        }
    }
    people.extend(c.list(
        "select contact_id, email from orders where site_id = :site and order_key = :key and conversion_id is null and erased_at is null",
        named_params! {":key": key},
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?);
    if people.is_empty() && found.is_empty() {
        let what = format!("There is no order {text}. Check the number, or name the person by e-mail or phone.");
        return Err(Error::not_found(what));
    }
    let contacts: BTreeSet<i64> = people.iter().filter_map(|(contact, _)| *contact).collect();
    if contacts.len() > 1 {
        let what = format!("Several people have an order {text}. Name the person by e-mail or phone.");
        return Err(Error::new(Kind::Conflict, "several_people", what));
    }
    whole.contacts = contacts;
    whole.identities.extend(people.into_iter().filter_map(|(_, email)| Some(("email", email?))));
    // An order of nobody known is erased by itself.
    whole.conversions.extend(found);
    Ok(())
}

/// The person behind a page of the dashboard, with all by which that page is found: naming one of these finds it too.
fn start_from_contact(c: &SiteConn, id: ContactId, whole: &mut Whole) -> Result<()> {
    let kept: Option<i64> = c.find(
        "select coalesce(merged_into, id) from contacts where site_id = :site and id = :id",
        named_params! {":id": id.number()},
        |row| row.get(0),
    )?;
    let Some(kept) = kept else { return Err(Error::not_found("There is no such contact.")) };
    whole.contacts.insert(kept);
    let known: Vec<(String, String)> =
        c.list("select kind, value from identities where site_id = :site and contact_id = :id", named_params! {":id": kept}, |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    for (kind, value) in known {
        whole.identities.insert((kind_word(&kind), value));
    }
    Ok(())
}

/// Contacts of the identities, contacts merged into them, and what all of those were proved to be.
fn widen(c: &SiteConn, whole: &mut Whole) -> Result<()> {
    for (kind, value) in whole.identities.clone() {
        whole.contacts.extend(numbers(
            c,
            "select contact_id from identities where site_id = :site and kind = :kind and value = :value",
            named_params! {":kind": kind, ":value": value},
        )?);
    }
    for contact in whole.contacts.clone() {
        whole.contacts.extend(numbers(
            c,
            "select merged from contact_merges where site_id = :site and kept = :id and undone_at is null",
            named_params! {":id": contact},
        )?);
        let proved: Vec<(String, String)> = c.list(
            "select kind, value from identities where site_id = :site and contact_id = :id and is_verified = 1",
            named_params! {":id": contact},
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        for (kind, value) in proved {
            whole.identities.insert((kind_word(&kind), value));
        }
    }
    Ok(())
}

/// What trackers told of them: by contact, by the digests of their addresses, and what the same browsers did without a name.
fn find_events(c: &SiteConn, whole: &mut Whole) -> Result<()> {
    for contact in &whole.contacts {
        let sql = "select id from tracker_events where site_id = :site and contact_id = :id";
        whole.events.extend(numbers(c, sql, named_params! {":id": contact})?);
    }
    let digits = |phone: &String| phone.trim_start_matches('+').to_owned();
    for (values, sql) in [
        (whole.emails(), "select id from tracker_events where site_id = :site and em = :digest"),
        (whole.phones().iter().map(digits).collect(), "select id from tracker_events where site_id = :site and ph = :digest"),
    ] {
        for value in values {
            whole.events.extend(numbers(c, sql, named_params! {":digest": crypto::sha256_hex(value.as_bytes())})?);
        }
    }
    let mut browsers: BTreeSet<String> = BTreeSet::new();
    for event in &whole.events {
        let id = named_params! {":id": event};
        browsers.extend(c.find("select client from tracker_events where site_id = :site and id = :id", id, |row| row.get(0))?.flatten());
        // What was only said has no contact to be found by.
        whole.conversions.extend(numbers(
            c,
            "select r.conversion_id from tracker_events e join reports r on r.site_id = e.site_id and r.connection_id = e.connection_id
               and r.what = iif(e.event_name = 'Purchase', 'sale', 'lead') and r.external_id in (e.event_id, substr(e.event_id, 1, 16))
             where e.site_id = :site and e.id = :id and e.event_name in ('Purchase', 'Lead')",
            id,
        )?);
    }
    for browser in browsers {
        let sql = "select id from tracker_events where site_id = :site and client = :client and em is null and ph is null";
        whole.events.extend(numbers(c, sql, named_params! {":client": browser})?);
    }
    Ok(())
}

/// Leads, orders and what they were counted as, with all that others have told of the same sale.
fn find_facts(c: &SiteConn, whole: &mut Whole) -> Result<()> {
    for contact in &whole.contacts {
        let id = named_params! {":id": contact};
        whole.conversions.extend(numbers(c, "select id from conversions where site_id = :site and contact_id = :id", id)?);
        whole.leads.extend(numbers(c, "select id from leads where site_id = :site and contact_id = :id", id)?);
        whole.orders.extend(numbers(c, "select id from orders where site_id = :site and contact_id = :id", id)?);
        whole.milestones.extend(numbers(c, "select id from milestones where site_id = :site and contact_id = :id", id)?);
        whole.enrolments.extend(numbers(c, "select conversion_id from enrolments where site_id = :site and contact_id = :id", id)?);
    }
    // What a page told may be somebody else's contact, or nobody's; all else is found by its contact.
    for (values, sql) in [
        (whole.emails(), "select id from leads where site_id = :site and email = :value and connection_id = -2"),
        (whole.phones(), "select id from leads where site_id = :site and phone = :value and connection_id = -2"),
    ] {
        for value in values {
            whole.leads.extend(numbers(c, sql, named_params! {":value": value})?);
        }
    }
    for (ids, sql) in [
        (&whole.leads, "select conversion_id from leads where site_id = :site and id = :id and conversion_id is not null"),
        (&whole.orders, "select conversion_id from orders where site_id = :site and id = :id and conversion_id is not null"),
    ] {
        for id in ids {
            whole.conversions.extend(numbers(c, sql, named_params! {":id": id})?);
        }
    }
    for conversion in &whole.conversions {
        let id = named_params! {":id": conversion};
        whole.leads.extend(numbers(
            c,
            "select fact_id from reports where site_id = :site and conversion_id = :id and fact_kind = 'lead' and fact_id is not null",
            id,
        )?);
        whole.orders.extend(numbers(c, "select id from orders where site_id = :site and conversion_id = :id", id)?);
    }
    Ok(())
}

/// Browsers that said or were proved to be this person, and those that bought. One that is proved to be somebody else's
/// (a shared machine, a clerk at the till) stays; only its links go.
fn find_sessions(c: &SiteConn, whole: &mut Whole) -> Result<()> {
    let mut found: BTreeSet<i64> = BTreeSet::new();
    for (kind, value) in &whole.identities {
        found.extend(numbers(
            c,
            "select session_id from session_people where site_id = :site and kind = :kind and value = :value",
            named_params! {":kind": kind, ":value": value},
        )?);
    }
    for conversion in &whole.conversions {
        found.extend(numbers(
            c,
            "select session_id from conversions where site_id = :site and id = :id and session_id is not null",
            named_params! {":id": conversion},
        )?);
    }
    for session in found {
        let proved: Vec<(String, String)> = c.list(
            "select kind, value from session_people where site_id = :site and session_id = :id and is_verified = 1",
            named_params! {":id": session},
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let is_anothers = |(kind, value): &(String, String)| !whole.identities.iter().any(|(k, v)| k == kind && v == value);
        if proved.iter().any(is_anothers) {
            continue;
        }
        let key =
            c.find("select key from sessions where site_id = :site and id = :id", named_params! {":id": session}, |row| row.get(0))?;
        whole.sessions.insert(session);
        whole.keys.extend(key);
    }
    Ok(())
}

fn kind_word(kind: &str) -> &'static str {
    match kind {
        "email" => "email",
        "phone" => "phone",
        _ => "customer_id",
    }
}

/// Those of the contact, those in which the address was given, and those of the browsers that nobody else is known by.
fn find_conversations(c: &SiteConn, whole: &mut Whole) -> Result<()> {
    for contact in &whole.contacts {
        let id = named_params! {":id": contact};
        whole.conversations.extend(numbers(c, "select id from conversations where site_id = :site and contact_id = :id", id)?);
    }
    for (kind, sql) in [
        ("email", "select id from conversations where site_id = :site and email = :value"),
        ("phone", "select id from conversations where site_id = :site and phone = :value"),
    ] {
        for value in whole.values(kind) {
            whole.conversations.extend(numbers(c, sql, named_params! {":value": value})?);
        }
    }
    for session in &whole.sessions {
        let sql = "select id from conversations where site_id = :site and session_id = :id and contact_id is null";
        whole.conversations.extend(numbers(c, sql, named_params! {":id": session})?);
    }
    Ok(())
}

fn numbers(c: &SiteConn, sql: &str, params: super::super::scope::Params) -> Result<Vec<i64>> {
    c.list(sql, params, |row| row.get(0))
}
