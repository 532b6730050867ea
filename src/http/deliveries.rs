//! The outbox as a list, and one delivery with its attempts.

use serde_json::{Value, json};

use super::ask::Ask;
use super::exports::{self, Cell, Format};
use super::reply::Reply;
use super::route::{Doc, Right};
use super::shown;
use crate::app::App;
use crate::book::Book;
use crate::domain::ids::DeliveryId;
use crate::domain::question::{Asked, DeliveryFilter};
use crate::domain::reason;
use crate::domain::time::Zone;
use crate::error::{Error, Result};
use crate::store::questions::deliveries::{self, Line, Wanted};
use crate::store::sites::Site;

const ORDER: &str = "created_at";

const QUERY: &[(&str, &str)] = &[
    ("from", "first day, 2026-06-01; without it, all time"),
    ("to", "last day, included"),
    ("platform", "meta; repeat for several, ! in front for all others"),
    ("connection", "con_7"),
    ("state", "pending, leased, delivered, accepted, skipped, refused, dead, held or cancelled"),
    ("kind", "the platform's own name: Purchase"),
    ("conversion", "conversion_12"),
    ("q", "an order id, a lead's id, an event id, an e-mail address"),
    ("cursor", "`next` of the page before"),
    ("limit", "rows, at most 500"),
];

pub const LIST: Doc = Doc::new("Deliveries", "What was meant for whom, the newest first, with what was sent and answered.")
    .query(QUERY)
    .answer(r#"{"items":[],"next":null,"total":{"count":0},"facets":{"state":[],"platform":[]}}"#)
    .statuses(&[200, 400]);
pub const CSV: Doc =
    Doc::new("Deliveries", "The same as CSV, all rows.").query(QUERY).answer("id,created_at,…").of_type("text/csv").statuses(&[200, 400]);
pub const JSONL: Doc = Doc::new("Deliveries", "The same as JSON lines, all rows.")
    .query(QUERY)
    .answer("{…}\n")
    .of_type("application/x-ndjson")
    .statuses(&[200, 400]);
pub const ONE: Doc = Doc::new("Deliveries", "One delivery with every attempt.").statuses(&[200, 404]);

/// `GET /api/sites/{site}/deliveries`
pub async fn list(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let wanted = read(&app, &ask, &site)?;
    let zone = site.zone.clone();
    let page = app.store.read(site.id, move |c| deliveries::page(c, &zone, &wanted)).await?;
    let book = app.book();
    Reply::json(&json!({
        "items": page.lines.iter().map(|l| shown_line(l, &site.zone, Eyes::of(&ask), &book)).collect::<Vec<_>>(),
        "next": page.next.map(|cursor| cursor.text(ORDER)),
        "total": {"count": page.count},
        "facets": {"state": shown::facet(&page.states), "platform": shown::facet(&page.platforms)},
    }))
}

/// What is asked for; also what a replay of a filter goes by.
pub fn read(app: &App, ask: &Ask, site: &Site) -> Result<Wanted> {
    read_pairs(app, &ask.query, site, ask.may_see_people())
}

pub fn read_pairs(app: &App, pairs: &[(String, String)], site: &Site, may_see_people: bool) -> Result<Wanted> {
    let asked = Asked(pairs);
    Ok(Wanted {
        span: asked.span(&site.zone, app.clock.now())?,
        filter: DeliveryFilter::read(asked)?,
        search: asked.search()?.map(str::to_owned),
        may_see_people,
        cursor: asked.cursor(ORDER)?,
        limit: asked.limit()?,
    })
}

/// `GET /api/sites/{site}/deliveries/{id}`
pub async fn one(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let unknown = || Error::not_found("There is no such delivery.");
    let id: DeliveryId = ask.param("id").parse().map_err(|()| unknown())?;
    let line = app.store.read(site.id, move |c| deliveries::find(c, id)).await?.ok_or_else(unknown)?;
    Reply::json(&shown_line(&line, &site.zone, Eyes::of(&ask), &app.book()))
}

/// `GET /api/sites/{site}/deliveries.csv`
pub async fn csv(app: App, ask: Ask) -> Result<Reply> {
    export(app, ask, Format::Csv).await
}

/// `GET /api/sites/{site}/deliveries.jsonl`
pub async fn jsonl(app: App, ask: Ask) -> Result<Reply> {
    export(app, ask, Format::Jsonl).await
}

const COLUMNS: [&str; 15] = [
    "id",
    "created_at",
    "conversion",
    "conversion_label",
    "connection",
    "platform",
    "kind",
    "mode",
    "state",
    "reason",
    "event_id",
    "attempts",
    "next_at",
    "settled_at",
    "answer",
];

async fn export(app: App, ask: Ask, format: Format) -> Result<Reply> {
    let site = ask.site()?.clone();
    let mut wanted = read(&app, &ask, &site)?;
    wanted.limit = exports::PAGE;
    let head = if format == Format::Csv { exports::csv_head(&COLUMNS)? } else { Vec::new() };
    let eyes = Eyes::of(&ask);
    let name = format!("{}-deliveries", site.slug);
    let page = move |cursor| {
        let (app, site, wanted) = (app.clone(), site.clone(), Wanted { cursor, ..wanted.clone() });
        async move {
            let zone = site.zone.clone();
            let (lines, next) = app.store.read(site.id, move |c| deliveries::export_page(c, &zone, &wanted)).await?;
            let book = app.book();
            let text = match format {
                Format::Csv => exports::csv_lines(&lines.iter().map(|l| cells(l, &site.zone)).collect::<Vec<_>>())?,
                Format::Jsonl => exports::json_lines(lines.iter().map(|l| shown_line(l, &site.zone, eyes, &book))),
            };
            Ok((text, next))
        }
    };
    exports::stream(&name, format, head, page).await
}

/// What the caller may see of a request.
#[derive(Debug, Clone, Copy)]
pub struct Eyes {
    /// Whole addresses: owners put keys into them.
    pub addresses: bool,
    /// Bodies: hashes of people are people's data.
    pub people: bool,
}

impl Eyes {
    pub fn of(ask: &Ask) -> Self {
        Self { addresses: ask.may(Right::Edit), people: ask.may_see_people() }
    }

    fn veil(self, request: &Option<Value>) -> Option<Value> {
        let mut shown = request.clone()?;
        if !self.addresses
            && let Some(url) = shown.get("url").and_then(Value::as_str)
        {
            let cut = url.split_once('?').map_or_else(|| url.to_owned(), |(front, _)| format!("{front}?…"));
            shown["url"] = Value::from(cut);
        }
        if !self.people
            && let Some(fields) = shown.as_object_mut()
        {
            fields.remove("body");
            fields.remove("hashed");
        }
        Some(shown)
    }
}

/// A delivery as lists and receipts show it.
pub fn shown_line(l: &Line, zone: &Zone, eyes: Eyes, book: &Book) -> Value {
    let history: Vec<Value> = l
        .history
        .iter()
        .map(|a| json!({"n": a.n, "at": shown::time(zone, a.at), "outcome": a.outcome, "status": a.status, "sentence": a.sentence}))
        .collect();
    json!({
        "id": l.id,
        "conversion": l.conversion,
        "conversion_label": l.label,
        "connection": l.connection,
        "connection_name": book.connection(l.connection).map(|c| c.name.as_str()),
        "platform": l.platform,
        "kind": l.kind,
        "mode": l.mode,
        "state": l.state,
        "reason": l.reason,
        "reason_text": match l.taken_at {
            Some(_) if l.state == "cancelled" => Some(reason::taken_all_the_same(l.reason.as_deref())),
            _ => reason::sentence(&l.state, l.reason.as_deref()),
        },
        "event_id": l.event_id,
        "attempts": l.attempts,
        "next_at": shown::maybe_time(zone, l.next_at),
        "created_at": shown::time(zone, l.created_at),
        "settled_at": shown::maybe_time(zone, l.settled_at),
        "taken_at": shown::maybe_time(zone, l.taken_at),
        "request": eyes.veil(&l.request),
        "response": l.response,
        "history": history,
    })
}

fn cells(l: &Line, zone: &Zone) -> Vec<Cell> {
    let answer = l.response.as_ref().and_then(|r| r.get("sentence")).and_then(Value::as_str).map(str::to_owned);
    vec![
        Cell::text(l.id.to_string()),
        Cell::text(zone.text(l.created_at)),
        Cell::text(l.conversion.to_string()),
        Cell::text(l.label.as_str()),
        Cell::text(l.connection.to_string()),
        Cell::text(l.platform.as_str()),
        Cell::text(l.kind.as_str()),
        Cell::text(l.mode.as_str()),
        Cell::text(l.state.as_str()),
        Cell::maybe(l.reason.as_deref()),
        Cell::text(l.event_id.as_str()),
        Cell::number(l.attempts),
        Cell::maybe(l.next_at.map(|at| zone.text(at))),
        Cell::maybe(l.settled_at.map(|at| zone.text(at))),
        Cell::maybe(answer.or_else(|| reason::sentence(&l.state, l.reason.as_deref()))),
    ]
}
