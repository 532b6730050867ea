//! Raw bodies as they were received. The body itself is shown to those who may change things: it holds people.

use serde_json::{Value, json};

use super::ask::Ask;
use super::exports::{self, Cell, Format};
use super::reply::Reply;
use super::route::{Doc, Right};
use super::shown;
use crate::app::App;
use crate::domain::ids::InboxId;
use crate::domain::question::Asked;
use crate::domain::time::Zone;
use crate::error::{Error, Result};
use crate::store::questions::inbox::{self, Line, Wanted};
use crate::store::sites::Site;

const ORDER: &str = "received_at";
/// Repeats are answered and counted, not kept: the word is known and finds nothing.
const STATES: [&str; 5] = ["accepted", "duplicate", "quarantined", "replayed", "dismissed"];
/// Bytes of a body that are shown.
const MOST_SHOWN: usize = 256 * 1024;

const QUERY: &[(&str, &str)] = &[
    ("state", "accepted, duplicate, quarantined, replayed or dismissed"),
    ("platform", "woocommerce; repeat for several, ! in front for all others"),
    ("from", "first day"),
    ("to", "last day, included"),
    ("cursor", "`next` of the page before"),
    ("limit", "rows, at most 500"),
];

pub const LIST: Doc =
    Doc::new("Inbox", "What was received, the newest first.").query(QUERY).answer(r#"{"items":[],"next":null}"#).statuses(&[200, 400]);
pub const CSV: Doc = Doc::new("Inbox", "The same as CSV, all rows, without bodies.")
    .query(QUERY)
    .answer("id,received_at,…")
    .of_type("text/csv")
    .statuses(&[200, 400]);
pub const JSONL: Doc = Doc::new("Inbox", "The same as JSON lines, all rows, without bodies.")
    .query(QUERY)
    .of_type("application/x-ndjson")
    .statuses(&[200, 400]);
pub const ONE: Doc = Doc::new("Inbox", "One of them; with its body for owners and editors.").statuses(&[200, 404]);

/// `GET /api/sites/{site}/inbox`
pub async fn list(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let wanted = read(&app, &ask, site)?;
    let zone = site.zone.clone();
    let (lines, next) = app.store.read(site.id, move |c| inbox::page(c, &zone, &wanted)).await?;
    Reply::json(&json!({
        "items": lines.iter().map(|l| shown_line(l, &site.zone)).collect::<Vec<_>>(),
        "next": next.map(|cursor| cursor.text(ORDER)),
    }))
}

fn read(app: &App, ask: &Ask, site: &Site) -> Result<Wanted> {
    let asked = Asked(&ask.query);
    Ok(Wanted {
        span: asked.span(&site.zone, app.clock.now())?,
        state: asked.word("state", &STATES)?.map(str::to_owned),
        platform: asked.choice("platform", |v| v.len() <= 40, "a platform's word like woocommerce")?,
        cursor: asked.cursor(ORDER)?,
        limit: asked.limit()?,
    })
}

/// `GET /api/sites/{site}/inbox.csv`
pub async fn csv(app: App, ask: Ask) -> Result<Reply> {
    export(app, ask, Format::Csv).await
}

/// `GET /api/sites/{site}/inbox.jsonl`
pub async fn jsonl(app: App, ask: Ask) -> Result<Reply> {
    export(app, ask, Format::Jsonl).await
}

const COLUMNS: [&str; 8] = ["id", "received_at", "platform", "connection", "state", "reason", "bytes", "facts"];

async fn export(app: App, ask: Ask, format: Format) -> Result<Reply> {
    let site = ask.site()?.clone();
    let mut wanted = read(&app, &ask, &site)?;
    wanted.limit = exports::PAGE;
    let head = if format == Format::Csv { exports::csv_head(&COLUMNS)? } else { Vec::new() };
    let name = format!("{}-inbox", site.slug);
    let page = move |cursor| {
        let (app, site, wanted) = (app.clone(), site.clone(), Wanted { cursor, ..wanted.clone() });
        async move {
            let zone = site.zone.clone();
            let (lines, next) = app.store.read(site.id, move |c| inbox::page(c, &zone, &wanted)).await?;
            let text = match format {
                Format::Csv => exports::csv_lines(&lines.iter().map(|l| cells(l, &site.zone)).collect::<Vec<_>>())?,
                Format::Jsonl => exports::json_lines(lines.iter().map(|l| shown_line(l, &site.zone))),
            };
            Ok((text, next))
        }
    };
    exports::stream(&name, format, head, page).await
}

fn cells(l: &Line, zone: &Zone) -> Vec<Cell> {
    let facts: Vec<String> = l.conversions.iter().map(|id| id.to_string()).collect();
    vec![
        Cell::text(l.id.to_string()),
        Cell::text(zone.text(l.received_at)),
        Cell::text(l.platform.as_str()),
        Cell::maybe(l.connection.map(|id| id.to_string())),
        Cell::text(l.state.as_str()),
        Cell::maybe(l.reason.as_deref()),
        Cell::number(l.bytes.unwrap_or(0)),
        Cell::text(facts.join(" ")),
    ]
}

/// `GET /api/sites/{site}/inbox/{id}`
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
