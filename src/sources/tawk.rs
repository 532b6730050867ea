//! tawk.to: tells when a chat starts with its first message, when it ends, and its whole transcript afterwards.
//! <https://developer.tawk.to/webhooks/>
//!
//! Signed by HMAC-SHA1 over the body, in hex in `X-Tawk-Signature`. The same event comes again for up to twelve hours
//! unless it is answered: the same body is the same event.

use serde_json::Value;

use super::kit::{self, ignored, text, time};
use super::{Batch, Heard, Home, Reject, Source, Verified, Webhook};
use crate::domain::fact::{Fact, Message, Person, Role, Said, Traces};
use crate::domain::person::{Email, Name, Phone};
use crate::domain::platform::{About, Field, FieldKind, Secrets, Settings};
use crate::domain::time::Time;
use crate::wire::Incoming;

pub struct Tawk;

static ABOUT: About = About {
    slug: "tawk",
    name: "tawk.to",
    purpose: "tells which conversations helped to sell",
    fields: &[Field {
        key: "secret",
        label: "Webhook secret",
        help: "tawk.to shows it when the webhook is made.",
        kind: FieldKind::Secret,
        is_required: true,
    }],
    steps: &[
        "In tawk.to, open Administration, Settings, Webhooks and add a webhook with the address of this connection.",
        "Choose these events: chat start, chat end, chat transcript created.",
        "Copy the secret that tawk.to shows and save it here.",
        "Ask for the e-mail address in the form before the chat: without it an order cannot find its chat.",
        "Write a line in the chat yourself and look for it under Chat.",
    ],
    docs_url: "https://developer.tawk.to/webhooks/",
    receives: true,
    pulls: false,
    sends: false,
    own_secret: None,
};

/// The words under which the first message of a visitor is known, at the start and in the transcript.
const FIRST: &str = "first";

impl Source for Tawk {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn webhook(&self) -> Option<&dyn Webhook> {
        Some(self)
    }

    fn holds_talk(&self) -> bool {
        true
    }
}

impl Webhook for Tawk {
    fn verify<'a>(&self, got: &Incoming<'a>, secrets: &Secrets, _: Time) -> Result<Verified<'a>, Reject> {
        let claimed = got.headers.only("x-tawk-signature").ok_or(Reject::BadSignature)?;
        let content_type = got.headers.get("content-type").unwrap_or_default();
        Verified::by_hex_hmac_sha1(secrets.all("secret"), claimed, got.body, content_type).ok_or(Reject::BadSignature)
    }

    fn parse(&self, body: &Verified<'_>, _: &Settings, home: &Home) -> Result<Heard, Reject> {
        let value = kit::object(body.body())?;
        let event = text(&value, "event").ok_or_else(|| kit::missing("event"))?;
        let facts = match event.as_str() {
            "chat:start" | "chat:end" => {
                let mut message = base(&value, text(&value, "chatId"), &value["visitor"], body, home)?;
                message.said = first(&value["message"]);
                vec![Fact::Message(message)]
            }
            "chat:transcript_created" => transcript(&value, body, home)?,
            _ => return Ok(ignored()),
        };
        Ok(Heard::Facts(Batch { facts, ..Batch::default() }))
    }
}

fn base(value: &Value, chat: Option<String>, visitor: &Value, body: &Verified<'_>, home: &Home) -> Result<Message, Reject> {
    let name = text(visitor, "name").map(|n| Name::from_full(&n)).unwrap_or_default();
    Ok(Message {
        conversation: Some(chat.ok_or_else(|| kit::missing("chatId"))?),
        visitor: None,
        platform: ABOUT.slug.into(),
        happened_at: time(value, &["time"]).unwrap_or(home.now).min(home.now),
        person: Person {
            email: text(visitor, "email").and_then(|e| Email::parse(&e)),
            phone: text(visitor, "phone").and_then(|p| Phone::parse(&p, home.country.as_deref())),
            first_name: name.first,
            last_name: name.last,
            city: text(visitor, "city"),
            country: text(visitor, "country").filter(|c| c.len() == 2).map(|c| c.to_ascii_uppercase()),
            ..Person::default()
        },
        traces: Traces::default(),
        is_proved: body.is_signed(),
        said: None,
    })
}

fn first(message: &Value) -> Option<Said> {
    let role = role(text(&message["sender"], "type")?.as_str())?;
    // The visitor's first is told again by the transcript; what greets before it is not.
    let external_id = (role == Role::Customer).then(|| FIRST.to_owned());
    Some(Said { external_id, role, text: text(message, "text"), is_product_inquiry: None, is_price_check: None })
}

/// All that was said, each by its place.
fn transcript(value: &Value, body: &Verified<'_>, home: &Home) -> Result<Vec<Fact>, Reject> {
    let chat = &value["chat"];
    let base = base(value, text(chat, "id").or(text(value, "chatId")), &chat["visitor"], body, home)?;
    let mut facts = Vec::new();
    let mut has_first = false;
    for (place, message) in chat["messages"].as_array().into_iter().flatten().enumerate() {
        let sender = &message["sender"];
        let Some(role) = text(sender, "t").or(text(sender, "type")).and_then(|word| role(&word)) else { continue };
        let external_id = match role {
            Role::Customer if !has_first => {
                has_first = true;
                FIRST.to_owned()
            }
            _ => place.to_string(),
        };
        let words = text(message, "msg").or(text(message, "text"));
        let said = Said { external_id: Some(external_id), role, text: words, is_product_inquiry: None, is_price_check: None };
        let happened_at = time(message, &["time"]).unwrap_or(base.happened_at).min(home.now);
        facts.push(Fact::Message(Message { happened_at, said: Some(said), ..base.clone() }));
    }
    if facts.is_empty() {
        facts.push(Fact::Message(base));
    }
    Ok(facts)
}

/// None for what the system writes by itself.
fn role(word: &str) -> Option<Role> {
    match word {
        "visitor" | "v" => Some(Role::Customer),
        "agent" | "a" => Some(Role::Agent),
        "bot" | "b" => Some(Role::Bot),
        _ => None,
    }
}
