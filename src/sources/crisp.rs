//! Crisp: hooks tell of each message, and in events of their own who the visitor is: no message carries an address.
//! <https://docs.crisp.chat/guides/web-hooks/>
//!
//! Hooks of a plugin are signed: hex HMAC-SHA256 over `[` + `X-Crisp-Request-Timestamp` + `;` + body + `]` in
//! `X-Crisp-Signature`. Hooks of a website are not: there the secret address alone is the proof, and what it says of a
//! person is only said. A connection with a secret takes nothing unsigned.

use serde_json::Value;

use super::kit::{self, flag, ignored, text, time};
use super::{Batch, Heard, Home, Reject, Source, Verified, Webhook};
use crate::domain::fact::{Fact, Message, Person, Role, Said, Traces};
use crate::domain::person::{Email, Name, Phone};
use crate::domain::platform::{About, Field, FieldKind, Secrets, Settings};
use crate::domain::time::Time;
use crate::wire::Incoming;

pub struct Crisp;

static ABOUT: About = About {
    slug: "crisp",
    name: "Crisp",
    purpose: "tells which conversations helped to sell",
    fields: &[Field {
        key: "secret",
        label: "Signing secret",
        help: "Only for hooks of a plugin of your own, where Crisp shows one. Leave it empty for the hooks of a website.",
        kind: FieldKind::Secret,
        is_required: false,
    }],
    steps: &[
        "In Crisp, open Settings, Advanced, Web Hooks and add a hook with the address of this connection.",
        "Choose these events: message:send, message:received, session:set_email, session:set_phone, session:set_nickname, session:set_data.",
        "If the hook belongs to a plugin, copy its signing secret here.",
        "For the surest match, hand the visit to the chat on your pages: $crisp.push([\"set\", \"session:data\", [[[\"halo_session_id\", HaloTrack.getSessionId()]]]]).",
        "Write a line in the chat yourself and look for it under Chat.",
    ],
    docs_url: "https://docs.crisp.chat/guides/web-hooks/",
    receives: true,
    pulls: false,
    sends: false,
    own_secret: None,
};

impl Source for Crisp {
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

impl Webhook for Crisp {
    fn verify<'a>(&self, got: &Incoming<'a>, secrets: &Secrets, now: Time) -> Result<Verified<'a>, Reject> {
        Verified::signed_where_agreed(got, secrets, |live, content_type| {
            let header = |name: &str| got.headers.only(name).ok_or(Reject::BadSignature);
            let (timestamp, claimed) = (header("x-crisp-request-timestamp")?, header("x-crisp-signature")?);
            let ms: i64 = timestamp.parse().map_err(|_| Reject::BadSignature)?;
            let parts: [&[u8]; 5] = [b"[", timestamp.as_bytes(), b";", got.body, b"]"];
            let verified = Verified::by_hex_hmac(live, &parts, claimed, got.body, content_type).ok_or(Reject::BadSignature)?;
            if now.ms().abs_diff(ms) > kit::TOLERANCE_S * 1_000 { Err(Reject::StaleSignature) } else { Ok(verified) }
        })
    }

    fn parse(&self, body: &Verified<'_>, _: &Settings, home: &Home) -> Result<Heard, Reject> {
        let value = kit::object(body.body())?;
        let event = text(&value, "event").ok_or_else(|| kit::missing("event"))?;
        let data = &value["data"];
        let mut message = match event.as_str() {
            "message:send"
            | "message:received"
            | "session:set_email"
            | "session:set_phone"
            | "session:set_nickname"
            | "session:set_data" => base(&value, body, home)?,
            _ => return Ok(ignored()),
        };
        match event.as_str() {
            "message:send" | "message:received" => match said(data, event == "message:send") {
                Some(said) => message.said = Some(said),
                None => return Ok(ignored()),
            },
            "session:set_email" => message.person.email = text(data, "email").and_then(|e| Email::parse(&e)),
            "session:set_phone" => message.person.phone = text(data, "phone").and_then(|p| Phone::parse(&p, home.country.as_deref())),
            "session:set_nickname" => {
                let name = text(data, "nickname").map(|n| Name::from_full(&n)).unwrap_or_default();
                (message.person.first_name, message.person.last_name) = (name.first, name.last);
            }
            _ => message.traces.session = text(&data["data"], "halo_session_id"),
        }
        let tells = message.said.is_some() || message.person != Person::default() || message.traces.session.is_some();
        if !tells {
            return Ok(ignored());
        }
        Ok(Heard::Facts(Batch { facts: vec![Fact::Message(message)], ..Batch::default() }))
    }
}

fn base(value: &Value, body: &Verified<'_>, home: &Home) -> Result<Message, Reject> {
    let data = &value["data"];
    let session = text(data, "session_id").ok_or_else(|| kit::missing("data.session_id"))?;
    let happened_at = time(data, &["timestamp"]).or_else(|| time(value, &["timestamp"])).unwrap_or(home.now);
    Ok(Message {
        conversation: Some(session),
        visitor: None,
        platform: ABOUT.slug.into(),
        happened_at: happened_at.min(home.now),
        person: Person::default(),
        traces: Traces::default(),
        is_proved: body.is_signed(),
        said: None,
    })
}

/// None for notes among the team and for what is no part of the talk.
fn said(data: &Value, is_visitor: bool) -> Option<Said> {
    if matches!(text(data, "type").as_deref(), Some("note" | "event")) {
        return None;
    }
    let role = match is_visitor {
        true => Role::Customer,
        false if flag(data, "automated") == Some(true) => Role::Bot,
        false => Role::Agent,
    };
    // Files and pickers have an object for a content: nothing was said in words.
    Some(Said { external_id: text(data, "fingerprint"), role, text: text(data, "content"), is_product_inquiry: None, is_price_check: None })
}
