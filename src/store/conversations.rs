//! Talks in a chat and their messages. What a conversation is worth to a conversion is read from the messages before it;
//! the row's own figures are of all of them.

use std::collections::BTreeMap;

use rusqlite::{Row, named_params};

use super::people::IdentityKind;
use super::scope::SiteConn;
use crate::domain::attribution::Link;
use crate::domain::attribution::chat::Talk;
use crate::domain::fact::{Message, Role, Said};
use crate::domain::ids::{ContactId, ConversationId, SessionId};
use crate::domain::time::Time;
use crate::error::Result;

#[derive(Debug, Clone)]
pub struct Conversation {
    pub id: ConversationId,
    pub connection: i64,
    pub external_id: String,
    pub contact: Option<ContactId>,
    pub session: Option<SessionId>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub is_verified: bool,
    pub first_at: Time,
    pub last_at: Time,
    pub messages: i64,
    pub is_erased: bool,
}

const COLUMNS: &str = "id, connection_id, external_id, contact_id, session_id, email, phone, is_verified, first_at, last_at, messages, \
    erased_at is not null";

pub fn find(c: &SiteConn, id: ConversationId) -> Result<Option<Conversation>> {
    let sql = format!("select {COLUMNS} from conversations where site_id = :site and id = :id");
    c.find(&sql, named_params! {":id": id.number()}, read)
}

pub fn find_by_external_id(c: &SiteConn, connection: i64, external_id: &str) -> Result<Option<Conversation>> {
    let sql =
        format!("select {COLUMNS} from conversations where site_id = :site and connection_id = :connection and external_id = :external");
    c.find(&sql, named_params! {":connection": connection, ":external": external_id}, read)
}

/// Those of somebody whom the platform names by its own word.
pub fn list_of_visitor(c: &SiteConn, connection: i64, visitor: &str) -> Result<Vec<Conversation>> {
    let sql = format!(
        "select {COLUMNS} from conversations where site_id = :site and connection_id = :connection and visitor = :visitor
         order by last_at desc limit 50"
    );
    c.list(&sql, named_params! {":connection": connection, ":visitor": visitor}, read)
}

fn read(row: &Row) -> rusqlite::Result<Conversation> {
    let (contact, session): (Option<i64>, Option<i64>) = (row.get(3)?, row.get(4)?);
    Ok(Conversation {
        id: ConversationId::new(row.get(0)?),
        connection: row.get(1)?,
        external_id: row.get(2)?,
        contact: contact.map(ContactId::new),
        session: session.map(SessionId::new),
        email: row.get(5)?,
        phone: row.get(6)?,
        is_verified: row.get(7)?,
        first_at: Time::from_ms(row.get(8)?),
        last_at: Time::from_ms(row.get(9)?),
        messages: row.get(10)?,
        is_erased: row.get(11)?,
    })
}

/// Makes the row of a conversation that was not known.
pub fn add(c: &SiteConn, connection: i64, external_id: &str, m: &Message, received_at: Time) -> Result<ConversationId> {
    let id = ConversationId::new(c.next_number("conversation")?);
    c.execute(
        "insert into conversations (site_id, id, connection_id, platform, external_id, visitor, is_verified, first_at, last_at, received_at)
         values (:site, :id, :connection, :platform, :external, :visitor, :verified, :at, :at, :received)",
        named_params! {":id": id.number(), ":connection": connection, ":platform": m.platform, ":external": external_id,
            ":visitor": m.visitor, ":verified": m.is_proved, ":at": m.happened_at.ms(), ":received": received_at.ms()},
    )?;
    Ok(id)
}

/// Who it is, as far as a telling knows more. Gives whether anything is new.
pub fn learned(c: &SiteConn, id: ConversationId, m: &Message, contact: Option<ContactId>, session: Option<SessionId>) -> Result<bool> {
    let changed = c.execute(
        "update conversations set visitor = coalesce(visitor, :visitor), email = coalesce(:email, email), phone = coalesce(:phone, phone),
           contact_id = coalesce(:contact, contact_id), session_id = coalesce(session_id, :session),
           is_verified = case when :contact is null then is_verified when contact_id is null then :verified else max(is_verified, :verified) end
         where site_id = :site and id = :id and erased_at is null
           and (visitor is null and :visitor is not null or :email is not null and email is not :email or :phone is not null and phone is not :phone
             or :contact is not null and contact_id is not :contact or session_id is null and :session is not null)",
        named_params! {":id": id.number(), ":visitor": m.visitor, ":email": m.person.email.as_ref().map(|e| e.as_str()),
            ":phone": m.person.phone.as_ref().map(|p| p.as_str()), ":contact": contact.map(ContactId::number),
            ":session": session.map(SessionId::number), ":verified": m.is_proved},
    )?;
    Ok(changed > 0)
}

/// What is stored of a message.
pub struct NewMessage<'a> {
    pub key: &'a [u8],
    pub at: Time,
    pub said: &'a Said,
    pub is_product_inquiry: bool,
    pub is_price_check: bool,
    /// Only where the owner keeps the words.
    pub text: Option<&'a str>,
}

/// Gives false where it was known.
pub fn add_message(c: &SiteConn, id: ConversationId, new: &NewMessage) -> Result<bool> {
    let added = c.execute(
        "insert into messages (site_id, conversation_id, key, at, role, is_product_inquiry, is_price_check, text)
         values (:site, :id, :key, :at, :role, :product, :price, :text) on conflict do nothing",
        named_params! {":id": id.number(), ":key": new.key, ":at": new.at.ms(), ":role": new.said.role.word(),
        ":product": new.is_product_inquiry, ":price": new.is_price_check, ":text": new.text},
    )?;
    if added > 0 {
        count(c, id, new)?;
    }
    Ok(added > 0)
}

/// The row's figures, one message further. Not counted anew: old messages have a clock, the figures have none.
fn count(c: &SiteConn, id: ConversationId, new: &NewMessage) -> Result<()> {
    let asked = (new.said.role == Role::Customer).then(|| new.at.ms());
    c.execute(
        "update conversations set first_at = case when messages = 0 then :at else min(first_at, :at) end,
           last_at = case when messages = 0 then :at else max(last_at, :at) end, messages = messages + 1,
           is_product_inquiry = max(is_product_inquiry, :product), is_price_check = max(is_price_check, :price),
           first_asked_at = case when :asked is null then first_asked_at else min(coalesce(first_asked_at, :asked), :asked) end
         where site_id = :site and id = :id",
        named_params! {":id": id.number(), ":at": new.at.ms(), ":product": new.is_product_inquiry, ":price": new.is_price_check,
        ":asked": asked},
    )?;
    c.execute(
        "update conversations set first_answer_at = coalesce(
           (select min(m.at) from messages m where m.site_id = conversations.site_id and m.conversation_id = conversations.id
              and m.role = 'agent' and m.at >= conversations.first_asked_at), first_answer_at)
         where site_id = :site and id = :id",
        named_params! {":id": id.number()},
    )?;
    Ok(())
}

/// Names under which the shop has sold.
pub fn list_product_names(c: &SiteConn) -> Result<Vec<String>> {
    c.list("select name from product_names where site_id = :site order by name limit 5000", &[], |row| row.get(0))
}

/// Whether anybody has ever chatted here: where not, there is nothing else to ask.
pub fn is_empty(c: &SiteConn) -> Result<bool> {
    Ok(c.find("select 1 from conversations where site_id = :site limit 1", &[], |_| Ok(()))?.is_none())
}

/// Who a conversion is of, for finding its conversations.
pub struct Asked<'a> {
    /// Browsers, each with the link by which it belongs to the conversion.
    pub sessions: &'a [(SessionId, Link)],
    pub contact: Option<ContactId>,
    pub identities: &'a [(IdentityKind, String)],
    /// Who the conversion is of was only said by a browser: it borrows nothing that is proved.
    pub is_asserted: bool,
    pub until: Time,
}

/// Conversations of the person or the browser with a message up to that moment, each by its strongest link and as it
/// stood then.
pub fn list_before(c: &SiteConn, asked: &Asked) -> Result<Vec<Talk>> {
    let mut links: BTreeMap<i64, Link> = BTreeMap::new();
    let mut add = |id: i64, link: Link| {
        links.entry(id).and_modify(|known| *known = link.min(*known)).or_insert(link);
    };
    for (session, link) in asked.sessions.iter().filter(|(_, link)| !matches!(link, Link::Coupon | Link::Imported)) {
        let sql = "select id from conversations where site_id = :site and session_id = :session and first_at <= :until
             order by last_at desc limit 50";
        for id in numbers(c, sql, named_params! {":session": session.number(), ":until": asked.until.ms()})? {
            add(id, *link);
        }
    }
    if let Some(contact) = asked.contact {
        let sql = "select id, is_verified, email is not null from conversations where site_id = :site and contact_id = :contact and first_at <= :until
             order by last_at desc limit 50";
        let of_contact: Vec<(i64, bool, bool)> =
            c.list(sql, named_params! {":contact": contact.number(), ":until": asked.until.ms()}, |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
        for (id, is_verified, has_email) in of_contact {
            match (is_verified && !asked.is_asserted, has_email) {
                (true, true) => add(id, Link::VerifiedEmail),
                (true, false) => add(id, Link::VerifiedPhone),
                (false, _) if is_verified => {}
                (false, true) => add(id, Link::AssertedEmail),
                (false, false) => add(id, Link::AssertedPhone),
            }
        }
    }
    for (kind, value) in asked.identities {
        // What was proved is found by its contact.
        let (link, sql) = match kind {
            IdentityKind::Email => (
                Link::AssertedEmail,
                "select id from conversations where site_id = :site and email = :value and is_verified = 0 and first_at <= :until
                 order by last_at desc limit 50",
            ),
            IdentityKind::Phone => (
                Link::AssertedPhone,
                "select id from conversations where site_id = :site and phone = :value and is_verified = 0 and first_at <= :until
                 order by last_at desc limit 50",
            ),
            IdentityKind::CustomerId => continue,
        };
        for id in numbers(c, sql, named_params! {":value": value, ":until": asked.until.ms()})? {
            add(id, link);
        }
    }
    let mut talks = Vec::with_capacity(links.len());
    for (id, link) in links {
        talks.extend(as_it_stood(c, id, link, asked.until)?);
    }
    Ok(talks)
}

fn as_it_stood(c: &SiteConn, id: i64, link: Link, until: Time) -> Result<Option<Talk>> {
    c.find(
        "select t.external_id, t.platform, max(m.at), count(*), max(m.is_product_inquiry), max(m.is_price_check)
         from conversations t join messages m on m.site_id = t.site_id and m.conversation_id = t.id
         where t.site_id = :site and t.id = :id and m.at <= :until group by t.id",
        named_params! {":id": id, ":until": until.ms()},
        |row| {
            Ok(Talk {
                conversation: id,
                external_id: row.get(0)?,
                platform: row.get(1)?,
                link,
                last_at: Time::from_ms(row.get(2)?),
                messages: row.get(3)?,
                is_product_inquiry: row.get(4)?,
                is_price_check: row.get(5)?,
            })
        },
    )
}

fn numbers(c: &SiteConn, sql: &str, params: super::scope::Params) -> Result<Vec<i64>> {
    c.list(sql, params, |row| row.get(0))
}
