//! A message of a chat, or who the person of one is. The words are read for what they ask, and kept only where the owner
//! says so.

use crate::crypto;
use crate::domain::fact::{Message, Person, Role, Said};
use crate::domain::ids::ConversationId;
use crate::domain::message::{asks_price, asks_product};
use crate::domain::person::{Email, Phone};
use crate::error::Result;
use crate::flows::assists;
use crate::store::conversations::{self, Conversation, NewMessage};
use crate::store::people::identities_of;
use crate::store::touches;

use super::telling::{known_person, told_session};
use super::who::coded_session;
use super::{Context, Stored, must};

pub fn store(x: &Context, m: &Message) -> Result<Stored> {
    let x = &Context { is_asserted: x.is_asserted || !m.is_proved, ..*x };
    let mut is_new = false;
    for talk in spoken_of(x, m)? {
        is_new |= take(x, m, &talk)?;
    }
    Ok(Stored { is_new, ..Stored::of("message", m.conversation.clone().or(m.visitor.clone()).unwrap_or_default()) })
}

/// The conversation that it names, made if it is new; or those of the person whom it names.
fn spoken_of(x: &Context, m: &Message) -> Result<Vec<Conversation>> {
    let Some(external_id) = &m.conversation else {
        return match &m.visitor {
            Some(visitor) => conversations::list_of_visitor(x.c, x.connection, visitor),
            None => Ok(Vec::new()),
        };
    };
    if let Some(known) = conversations::find_by_external_id(x.c, x.connection, external_id)? {
        return Ok(vec![known]);
    }
    let id = conversations::add(x.c, x.connection, external_id, m, x.heard_at)?;
    Ok(vec![again(x, id)?])
}

fn again(x: &Context, id: ConversationId) -> Result<Conversation> {
    must(conversations::find(x.c, id)?, "the conversation just written")
}

/// Gives whether anything was new.
fn take(x: &Context, m: &Message, talk: &Conversation) -> Result<bool> {
    let mut session = told_session(x, &m.traces)?;
    if session.is_none() && talk.session.is_none() {
        session = of_click(x, m)?;
        if session.is_none() {
            session = coded_session(x, &m.traces, m.happened_at)?;
        }
    }
    let contact = match identities_of(&m.person).is_empty() {
        // A browser that chats says nothing new of a person who is known already.
        true if session.is_none() || session == talk.session => None,
        _ => known_person(x, &whole(x, m, talk), &m.traces, session.or(talk.session), &m.platform, m.happened_at)?,
    };
    let mut is_new = conversations::learned(x.c, talk.id, m, contact, session)?;
    if let Some(said) = &m.said {
        is_new |= say(x, m, said, talk)?;
    }
    if is_new {
        assists::heard(x.c, x.site, &again(x, talk.id)?, x.now)?;
    }
    Ok(is_new)
}

/// With what the conversation told of the person before.
fn whole(x: &Context, m: &Message, talk: &Conversation) -> Person {
    let mut person = m.person.clone();
    // What was only said before does not become proof by a signed word about something else.
    if talk.is_verified || x.is_asserted {
        person.email = person.email.or_else(|| talk.email.as_deref().and_then(Email::parse));
        person.phone = person.phone.or_else(|| talk.phone.as_deref().and_then(|p| Phone::parse(p, None)));
    }
    person
}

/// The browser whose click stands in the address of the page that was chatted on, where there is only one.
fn of_click(x: &Context, m: &Message) -> Result<Option<crate::domain::ids::SessionId>> {
    let mut found = Vec::new();
    for click in &m.traces.click_ids {
        found.extend(touches::sessions_with_click(x.c, click)?);
    }
    found.dedup();
    Ok(if let [one] = found.as_slice() { Some(*one) } else { None })
}

fn say(x: &Context, m: &Message, said: &Said, talk: &Conversation) -> Result<bool> {
    let settings = &x.site.settings;
    // What an agent or a greeting says of prices is no question of the customer.
    let asked = said.text.as_deref().filter(|_| said.role == Role::Customer);
    let is_price_check = match (said.is_price_check, asked) {
        (Some(is), _) => is,
        (None, Some(text)) => asks_price(text, &settings.chat_price_words),
        (None, None) => false,
    };
    let is_product_inquiry = match (said.is_product_inquiry, asked) {
        (Some(is), _) => is,
        (None, Some(text)) => {
            let names = conversations::list_product_names(x.c)?;
            asks_product(text, names.iter().chain(&settings.chat_product_words).map(String::as_str))
        }
        (None, None) => false,
    };
    let id = said.external_id.as_deref();
    let at = m.happened_at.ms().to_string();
    let words = said.text.as_deref().unwrap_or_default();
    let parts: [&[u8]; 6] = match id {
        Some(id) => [b"message.", id.as_bytes(), b"", b"", b"", b""],
        None => [b"said.", at.as_bytes(), b".", said.role.word().as_bytes(), b".", words.as_bytes()],
    };
    let key = crypto::hmac_sha256(&x.site.keys.digest, &parts);
    let text = said.text.as_deref().filter(|_| settings.chat_text);
    let new = NewMessage { key: &key[..16], at: m.happened_at, said, is_product_inquiry, is_price_check, text };
    conversations::add_message(x.c, talk.id, &new)
}
