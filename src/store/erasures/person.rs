//! Everything that is stored of one person, found by what they are known by: never by reading bodies or texts.

use std::collections::BTreeSet;

use rusqlite::named_params;

use super::super::scope::SiteConn;
use super::named::{self, Named};
use crate::crypto;
use crate::error::Result;

/// A person's rows, by their numbers.
#[derive(Debug, Clone, Default)]
pub struct Whole {
    /// What the person is known by: given by the owner, or proved.
    pub identities: BTreeSet<(&'static str, String)>,
    /// These, and what else the person has given as theirs, proved or not.
    pub own: BTreeSet<(&'static str, String)>,
    /// Table and number of rows that name the person, and may be somebody else's.
    pub withheld: Vec<(&'static str, i64)>,
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

    /// Whether an address or number that stands in a row may be theirs: none is.
    fn may_own(&self, kind: &'static str, value: &Option<String>) -> bool {
        value.as_ref().is_none_or(|value| self.own.contains(&(kind, value.clone())))
    }

    pub fn own_values(&self, kind: &str) -> BTreeSet<String> {
        self.own.iter().filter(|(k, _)| *k == kind).map(|(_, v)| v.clone()).collect()
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

/// For whom rows are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Whatever is known by the person goes with them, also what others have said in their name.
    Erasure,
    /// What the person may see: what may be of somebody else is left out, and noted in `withheld`.
    Access,
}

pub fn find(c: &SiteConn, named: &Named, sight: Sight, digest_of: impl Fn(&str, &str) -> [u8; 16]) -> Result<Whole> {
    let mut whole = Whole::default();
    named::start(c, named, &mut whole)?;
    for _ in 0..ROUNDS {
        let before = (whole.identities.len(), whole.contacts.len());
        widen(c, &mut whole)?;
        if before == (whole.identities.len(), whole.contacts.len()) {
            break;
        }
    }
    whole.own = own(c, &whole)?;
    find_events(c, &mut whole)?;
    find_facts(c, sight, &mut whole)?;
    find_sessions(c, sight, &mut whole)?;
    find_conversations(c, sight, &mut whole)?;
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

/// What the person is known by, and what else they have given of themselves.
fn own(c: &SiteConn, whole: &Whole) -> Result<BTreeSet<(&'static str, String)>> {
    let mut own = whole.identities.clone();
    for contact in &whole.contacts {
        let id = named_params! {":id": contact};
        let sql = "select kind, value from identities where site_id = :site and contact_id = :id";
        let known: Vec<(String, String)> = c.list(sql, id, |row| Ok((row.get(0)?, row.get(1)?)))?;
        own.extend(known.into_iter().map(|(kind, value)| (kind_word(&kind), value)));
        for sql in [
            "select email, phone from leads where site_id = :site and contact_id = :id",
            "select email, phone from orders where site_id = :site and contact_id = :id",
            "select email, phone from milestones where site_id = :site and contact_id = :id",
            "select email, phone from conversations where site_id = :site and contact_id = :id",
        ] {
            let given: Vec<(Option<String>, Option<String>)> = c.list(sql, id, |row| Ok((row.get(0)?, row.get(1)?)))?;
            for (email, phone) in given {
                own.extend(email.map(|email| ("email", email)));
                own.extend(phone.map(|phone| ("phone", phone)));
            }
        }
    }
    Ok(own)
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
fn find_facts(c: &SiteConn, sight: Sight, whole: &mut Whole) -> Result<()> {
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
        (whole.emails(), "select id, contact_id, email, phone from leads where site_id = :site and email = :value and connection_id = -2"),
        (whole.phones(), "select id, contact_id, email, phone from leads where site_id = :site and phone = :value and connection_id = -2"),
    ] {
        for value in values {
            let found = c.list(sql, named_params! {":value": value}, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
            for lead in found {
                if let Some(id) = seen("leads", lead, sight, whole) {
                    whole.leads.insert(id);
                }
            }
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

/// The number of a row that names the person, with its contact, address and number, where it goes with them. For their eyes, not
/// one that is a contact's of somebody else, or names somebody else beside them.
fn seen(
    table: &'static str,
    (id, contact, email, phone): (i64, Option<i64>, Option<String>, Option<String>),
    sight: Sight,
    whole: &mut Whole,
) -> Option<i64> {
    let is_theirs = contact.is_some_and(|contact| whole.contacts.contains(&contact));
    let may_be = contact.is_none() && whole.may_own("email", &email) && whole.may_own("phone", &phone);
    if sight == Sight::Erasure || is_theirs || may_be {
        return Some(id);
    }
    if !whole.withheld.contains(&(table, id)) {
        whole.withheld.push((table, id));
    }
    None
}

/// Browsers that said or were proved to be this person, and those that bought. One that is proved to be somebody else's
/// (a shared machine, a clerk at the till) stays; only its links go.
fn find_sessions(c: &SiteConn, sight: Sight, whole: &mut Whole) -> Result<()> {
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
        let said: Vec<(String, String, bool)> = c.list(
            "select kind, value, is_verified from session_people where site_id = :site and session_id = :id",
            named_params! {":id": session},
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        let is_known = |all: &BTreeSet<(&'static str, String)>, kind: &str, value: &str| all.iter().any(|(k, v)| *k == kind && v == value);
        if said.iter().any(|(kind, value, is_proved)| *is_proved && !is_known(&whole.identities, kind, value)) {
            continue;
        }
        let is_proved = said.iter().any(|(kind, value, is_proved)| *is_proved && is_known(&whole.identities, kind, value));
        if sight == Sight::Access && !is_proved && is_anybodys(c, whole, &said)? {
            whole.withheld.push(("sessions", session));
            continue;
        }
        let key =
            c.find("select key from sessions where site_id = :site and id = :id", named_params! {":id": session}, |row| row.get(0))?;
        whole.sessions.insert(session);
        whole.keys.extend(key);
    }
    Ok(())
}

/// Several have said to be at a browser: under two addresses, or under one that is known as somebody else's.
fn is_anybodys(c: &SiteConn, whole: &Whole, said: &[(String, String, bool)]) -> Result<bool> {
    let emails: BTreeSet<&str> = said.iter().filter(|(kind, ..)| kind == "email").map(|(_, value, _)| value.as_str()).collect();
    for (kind, value, _) in said {
        if whole.own.contains(&(kind_word(kind), value.clone())) {
            continue;
        }
        let sql = "select contact_id from identities where site_id = :site and kind = :kind and value = :value";
        let holder: Option<i64> = c.find(sql, named_params! {":kind": kind, ":value": value}, |row| row.get(0))?;
        if (kind == "email" && emails.len() > 1) || holder.is_some_and(|holder| !whole.contacts.contains(&holder)) {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(super) fn kind_word(kind: &str) -> &'static str {
    match kind {
        "email" => "email",
        "phone" => "phone",
        _ => "customer_id",
    }
}

/// Those of the contact, those in which the address was given, and those of the browsers that nobody else is known by.
fn find_conversations(c: &SiteConn, sight: Sight, whole: &mut Whole) -> Result<()> {
    for contact in &whole.contacts {
        let id = named_params! {":id": contact};
        whole.conversations.extend(numbers(c, "select id from conversations where site_id = :site and contact_id = :id", id)?);
    }
    for (kind, sql) in [
        ("email", "select id, contact_id, email, phone from conversations where site_id = :site and email = :value"),
        ("phone", "select id, contact_id, email, phone from conversations where site_id = :site and phone = :value"),
    ] {
        for value in whole.values(kind) {
            let found = c.list(sql, named_params! {":value": value}, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
            for talk in found {
                if let Some(id) = seen("conversations", talk, sight, whole) {
                    whole.conversations.insert(id);
                }
            }
        }
    }
    for session in &whole.sessions {
        let sql = "select id from conversations where site_id = :site and session_id = :id and contact_id is null";
        whole.conversations.extend(numbers(c, sql, named_params! {":id": session})?);
    }
    Ok(())
}

pub(super) fn numbers(c: &SiteConn, sql: &str, params: super::super::scope::Params) -> Result<Vec<i64>> {
    c.list(sql, params, |row| row.get(0))
}
