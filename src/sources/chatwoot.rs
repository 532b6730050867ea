//! Chatwoot: account webhooks tell of conversations, their messages and who the visitor is.
//! <https://www.chatwoot.com/docs/product/features/webhooks>
//!
//! Newer versions sign `X-Chatwoot-Timestamp` + `.` + body by HMAC-SHA256, as `sha256=` and hex in `X-Chatwoot-Signature`.
//! Older ones sign nothing: then the secret address alone is the proof, and what it says of a person is only said. A
//! connection with a secret takes nothing unsigned.

use serde_json::Value;

use super::kit::{self, clicks_of, flag, ignored, text, time};
use super::{Batch, Heard, Home, Reject, Source, Verified, Webhook};
use crate::domain::fact::{Fact, Message, Person, Role, Said, Traces};
use crate::domain::person::{Email, Name, Phone};
use crate::domain::platform::{About, Field, FieldKind, Secrets, Settings};
use crate::domain::time::Time;
use crate::wire::Incoming;

pub struct Chatwoot;

static ABOUT: About = About {
    slug: "chatwoot",
    name: "Chatwoot",
    purpose: "tells which conversations helped to sell",
    fields: &[Field {
        key: "secret",
        label: "Webhook secret",
        help: "Shown beside the webhook in newer versions of Chatwoot. Leave it empty where there is none.",
        kind: FieldKind::Secret,
        is_required: false,
    }],
    steps: &[
        "In Chatwoot, open Settings, Integrations, Webhooks and add a webhook with the address of this connection.",
        "Choose these events: conversation created, conversation updated, message created, contact created, contact updated.",
        "If Chatwoot shows a secret for the webhook, copy it here.",
        "For the surest match, hand the visit to the chat on your pages: window.$chatwoot.setConversationCustomAttributes({halo_session_id: HaloTrack.getSessionId()}).",
        "Write a line in the chat yourself and look for it under Chat.",
    ],
    docs_url: "https://www.chatwoot.com/docs/product/features/webhooks",
    receives: true,
    pulls: false,
    sends: false,
    own_secret: None,
};

impl Source for Chatwoot {
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

impl Webhook for Chatwoot {
    fn verify<'a>(&self, got: &Incoming<'a>, secrets: &Secrets, now: Time) -> Result<Verified<'a>, Reject> {
        Verified::signed_where_agreed(got, secrets, |live, content_type| {
            let header = |name: &str| got.headers.only(name).ok_or(Reject::BadSignature);
            let (timestamp, signature) = (header("x-chatwoot-timestamp")?, header("x-chatwoot-signature")?);
            let claimed = signature.strip_prefix("sha256=").ok_or(Reject::BadSignature)?;
            let seconds: i64 = timestamp.parse().map_err(|_| Reject::BadSignature)?;
            let parts: [&[u8]; 3] = [timestamp.as_bytes(), b".", got.body];
            let verified = Verified::by_hex_hmac(live, &parts, claimed, got.body, content_type).ok_or(Reject::BadSignature)?;
            if now.s().abs_diff(seconds) > kit::TOLERANCE_S { Err(Reject::StaleSignature) } else { Ok(verified) }
        })
    }

    fn parse(&self, body: &Verified<'_>, _: &Settings, home: &Home) -> Result<Heard, Reject> {
        let value = kit::object(body.body())?;
        let event = text(&value, "event").ok_or_else(|| kit::missing("event"))?;
        let facts = match event.as_str() {
            "conversation_created" | "conversation_updated" | "conversation_status_changed" => conversation(&value, body, home)?,
            "message_created" | "message_updated" => one_message(&value, body, home)?,
            "contact_created" | "contact_updated" => contact(&value, body, home),
            _ => return Ok(ignored()),
        };
        if facts.is_empty() {
            return Ok(ignored());
        }
        Ok(Heard::Facts(Batch { facts, ..Batch::default() }))
    }
}

/// The body is the conversation; it carries its newest message, which `message_created` told already or will.
fn conversation(value: &Value, body: &Verified<'_>, home: &Home) -> Result<Vec<Fact>, Reject> {
    let base = base(value, body, home)?;
    let told: Vec<Fact> =
        value["messages"].as_array().into_iter().flatten().filter_map(|m| said(m, &base, home)).map(Fact::Message).collect();
    Ok(if told.is_empty() { vec![Fact::Message(base)] } else { told })
}

fn one_message(value: &Value, body: &Verified<'_>, home: &Home) -> Result<Vec<Fact>, Reject> {
    let base = base(&value["conversation"], body, home)?;
    Ok(said(value, &base, home).map(Fact::Message).into_iter().collect())
}

/// News of a visitor, for all of their conversations.
fn contact(value: &Value, body: &Verified<'_>, home: &Home) -> Vec<Fact> {
    let person = person(value, home);
    let Some(visitor) = text(value, "id").filter(|_| person.email.is_some() || person.phone.is_some()) else { return Vec::new() };
    vec![Fact::Message(Message {
        conversation: None,
        visitor: Some(visitor),
        platform: ABOUT.slug.into(),
        happened_at: time(value, &["updated_at", "created_at"]).unwrap_or(home.now).min(home.now),
        person,
        traces: Traces::default(),
        is_proved: body.is_signed(),
        said: None,
    })]
}

/// What all messages of a conversation share.
fn base(value: &Value, body: &Verified<'_>, home: &Home) -> Result<Message, Reject> {
    let id = text(value, "id").ok_or_else(|| kit::missing("conversation.id"))?;
    let sender = &value["meta"]["sender"];
    let attributes = &value["additional_attributes"];
    let session = ["custom_attributes", "additional_attributes"].iter().find_map(|place| text(&value[*place], "halo_session_id"));
    Ok(Message {
        conversation: Some(id),
        visitor: text(sender, "id"),
        platform: ABOUT.slug.into(),
        happened_at: time(value, &["created_at", "timestamp", "last_activity_at"]).unwrap_or(home.now).min(home.now),
        person: person(sender, home),
        traces: Traces {
            session,
            click_ids: text(attributes, "referer").map(|url| clicks_of(&url)).unwrap_or_default(),
            ..Traces::default()
        },
        is_proved: body.is_signed(),
        said: None,
    })
}

fn person(sender: &Value, home: &Home) -> Person {
    let name = text(sender, "name").map(|n| Name::from_full(&n)).unwrap_or_default();
    Person {
        email: text(sender, "email").and_then(|e| Email::parse(&e)),
        phone: text(sender, "phone_number").and_then(|p| Phone::parse(&p, home.country.as_deref())),
        first_name: name.first,
        last_name: name.last,
        ..Person::default()
    }
}

/// None for notes among the team, and for what the system writes by itself.
fn said(value: &Value, base: &Message, home: &Home) -> Option<Message> {
    if flag(value, "private") == Some(true) {
        return None;
    }
    let is_robot = matches!(text(&value["sender"], "type").as_deref(), Some("agent_bot" | "AgentBot" | "captain_assistant"));
    let role = match text(value, "message_type")?.as_str() {
        "0" | "incoming" => Role::Customer,
        "1" | "outgoing" if !is_robot => Role::Agent,
        "1" | "outgoing" | "3" | "template" => Role::Bot,
        _ => return None,
    };
    let said = Said { external_id: text(value, "id"), role, text: text(value, "content"), is_product_inquiry: None, is_price_check: None };
    let happened_at = time(value, &["created_at"]).unwrap_or(base.happened_at).min(home.now);
    Some(Message { happened_at, said: Some(said), ..base.clone() })
}
