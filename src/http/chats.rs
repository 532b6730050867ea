//! What was said in a chat, told by the owner's own server: one message a call.

use serde_json::{Map, Value, json};

use super::ask::Ask;
use super::json as reader;
use super::reply::Reply;
use super::route::Doc;
use crate::app::App;
use crate::domain::campaign::clean_text;
use crate::domain::fact::{Fact, Message, Person, Role, Said, Traces};
use crate::domain::person::{Email, Phone};
use crate::domain::time::{HOUR_MS, Time};
use crate::error::{Error, Result};
use crate::flows::intake::{self, Delivered};
use crate::sources::kit;
use crate::store::sites::Site;

/// Characters of one message at most.
const MOST_TEXT: usize = 10_000;

pub const TELL: Doc = Doc::new(
    "Facts in",
    "Takes a message of a chat. Its words are kept only where the owner says so (site set chat.text=true); else that it was written, by whom, and what it asked for.",
)
.body(r#"{"conversation_id":"c-81","message_id":"m-3","role":"customer","at":"2026-06-13T09:20:00Z","session_id":"akzJ2n0Q…","email":"ann@shop.example","text":"How much is the diffuser?","metadata":{"product_inquiry":true}}"#)
.answer(r#"{"success":true,"status":"accepted","id":"in_4","conversation_id":"c-81"}"#)
.statuses(&[200, 400, 401, 403, 413, 415, 422, 429, 503]);

/// `POST /api/chat/events`
pub async fn tell(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let fields = reader::object(&ask.body)?;
    let message = read(&site, &fields, app.clock.now())?;
    let conversation = message.conversation.clone();
    let delivered = Delivered {
        connection: None,
        platform: "chat".into(),
        path: "/api/chat/events".into(),
        content_type: "application/json".into(),
        body: ask.body.to_vec(),
        facts: vec![Fact::Message(message)],
        fetch: Vec::new(),
        is_asserted: false,
        read_at: None,
        is_once: false,
    };
    let taken = intake::run(&app, &site, delivered).await?;
    let status = if taken.is_duplicate { "duplicate" } else { "accepted" };
    app.figures.add("inbox", status);
    Reply::json(&json!({"success": true, "status": status, "id": taken.inbox, "conversation_id": conversation}))
}

fn read(site: &Site, fields: &Map<String, Value>, now: Time) -> Result<Message> {
    let conversation = word(fields, "conversation_id", 255)?.ok_or_else(|| absent("conversation_id"))?;
    let role = word(fields, "role", 20)?.ok_or_else(|| absent("role"))?;
    let role = Role::parse(&role).ok_or_else(|| Error::invalid("role", "role must be customer, agent or bot."))?;
    let at = word(fields, "at", 64)?.ok_or_else(|| absent("at"))?;
    let at = Time::parse(&at).ok_or_else(|| Error::invalid("at", "at must be a time like 2026-06-13T09:20:00Z."))?;
    if at.ms_since(now) > 24 * HOUR_MS {
        return Err(Error::invalid("at", "at lies in the future."));
    }
    let email = match word(fields, "email", 254)? {
        Some(text) => Some(Email::parse(&text).ok_or_else(|| Error::invalid("email", "email must be an address like ann@shop.example."))?),
        None => None,
    };
    let phone = word(fields, "phone", 64)?.and_then(|p| Phone::parse(&p, site.country.as_deref()));
    let text = reader::text(fields, "text", MOST_TEXT)?.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
    let metadata = match fields.get("metadata") {
        None | Some(Value::Null) => Value::Null,
        Some(all @ Value::Object(_)) => all.clone(),
        Some(_) => return Err(Error::invalid("metadata", "metadata must be an object, like {\"product_inquiry\": true}.")),
    };
    Ok(Message {
        conversation: Some(conversation),
        visitor: None,
        platform: "chat".into(),
        happened_at: at.min(now),
        person: Person { email, phone, ..Person::default() },
        traces: Traces { session: word(fields, "session_id", 128)?, ..Traces::default() },
        is_proved: true,
        said: Some(Said {
            external_id: word(fields, "message_id", 255)?,
            role,
            text,
            is_product_inquiry: kit::flag(&metadata, "product_inquiry"),
            is_price_check: kit::flag(&metadata, "price_check"),
        }),
    })
}

fn absent(field: &str) -> Error {
    Error::invalid(field, format!("{field} is missing."))
}

/// Text or number as text; empty is absent.
fn word(fields: &Map<String, Value>, name: &str, most: usize) -> Result<Option<String>> {
    let text = match fields.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) if text.chars().count() <= most => clean_text(text, most),
        Some(Value::Number(n)) => n.to_string(),
        Some(_) => return Err(Error::invalid(name, format!("{name} must be text of at most {most} characters."))),
    };
    Ok((!text.is_empty()).then_some(text))
}
