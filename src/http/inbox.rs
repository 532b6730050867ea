//! Raw bodies as they were received. The body itself is shown to those who may change things: it holds people.

use serde_json::{Value, json};

use super::ask::Ask;
use super::reply::Reply;
use super::route::{Doc, Right};
use super::shown;
use crate::app::App;
use crate::domain::ids::InboxId;
use crate::domain::question::Asked;
use crate::domain::time::Zone;
use crate::error::{Error, Result};
use crate::store::questions::inbox::{self, Line, Wanted};

const ORDER: &str = "received_at";
/// Repeats are answered and counted, not kept: the word is known and finds nothing.
const STATES: [&str; 4] = ["accepted", "duplicate", "quarantined", "replayed"];
/// Bytes of a body that are shown.
const MOST_SHOWN: usize = 256 * 1024;

pub const LIST: Doc = Doc::new("Inbox", "What was received, the newest first.")
    .query(&[
        ("state", "accepted, duplicate, quarantined or replayed"),
        ("platform", "woocommerce; repeat for several, ! in front for all others"),
        ("from", "first day"),
        ("to", "last day, included"),
        ("cursor", "`next` of the page before"),
        ("limit", "rows, at most 500"),
    ])
    .answer(r#"{"items":[],"next":null}"#)
    .statuses(&[200, 400]);
pub const ONE: Doc = Doc::new("Inbox", "One of them; with its body for owners and editors.").statuses(&[200, 404]);
pub async fn list(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let asked = Asked(&ask.query);
    let wanted = Wanted {
        span: asked.span(&site.zone, app.clock.now())?,
        state: asked.word("state", &STATES)?.map(str::to_owned),
        platform: asked.choice("platform", |v| v.len() <= 40, "a platform's word like woocommerce")?,
        cursor: asked.cursor(ORDER)?,
        limit: asked.limit()?,
    };
    let zone = site.zone.clone();
    let (lines, next) = app.store.read(site.id, move |c| inbox::page(c, &zone, &wanted)).await?;
    Reply::json(&json!({
        "items": lines.iter().map(|l| shown_line(l, &site.zone)).collect::<Vec<_>>(),
        "next": next.map(|cursor| cursor.text(ORDER)),
    }))
}

pub async fn one(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let unknown = || Error::not_found("There is no such inbox row.");
    let id: InboxId = ask.param("id").parse().map_err(|()| unknown())?;
    let may_see_body = ask.may(Right::Edit);
    let (line, body) = app
        .store
        .read(site.id, move |c| {
            let Some(line) = inbox::find(c, id)? else { return Ok(None) };
            let body = if may_see_body { inbox::find_body(c, id)? } else { None };
            Ok(Some((line, body)))
        })
        .await?
        .ok_or_else(unknown)?;
    let mut shown = shown_line(&line, &site.zone);
    shown["content_type"] = line.content_type.as_deref().into();
    shown["path"] = line.path.as_str().into();
    shown["body"] = body.map_or(Value::Null, |bytes| text(&bytes).into());
    shown["may_see_body"] = may_see_body.into();
    Reply::json(&shown)
}

/// Bytes as text; what is none is shown with marks in its place.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(MOST_SHOWN)]).into_owned()
}

fn shown_line(l: &Line, zone: &Zone) -> Value {
    json!({
        "id": l.id,
        "received_at": shown::time(zone, l.received_at),
        "platform": l.platform,
        "connection": l.connection,
        "state": l.state,
        "reason": l.reason,
        "bytes": l.bytes.unwrap_or(0),
        "is_kept": l.bytes.is_some(),
        "facts": l.conversions,
    })
}
