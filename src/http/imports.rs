//! Files of history: announced, sent in pieces, looked at, brought in, listed, taken back where that can be.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::ask::Ask;
use super::exports::{self, Cell, Format};
use super::json as reader;
use super::reply::Reply;
use super::route::Doc;
use super::shown;
use crate::app::App;
use crate::domain::ids::ImportId;
use crate::domain::import::ImportKind;
use crate::domain::money::{Currency, Money};
use crate::domain::question::{Asked, Cursor};
use crate::error::{Error, Result};
use crate::flows::imports::preview::Preview;
use crate::flows::imports::uploads::{self, LARGEST, PIECE};
use crate::flows::imports::{self as flow, Given};
use crate::store::imports::{self, Counts, Import, ImportState};
use crate::store::sites::Site;

pub const ORDER: &str = "import";

const ONE_SHOWN: &str = r#"{"id":"import_3","kind":"orders","name":"orders.csv","state":"done","bytes":48210,"received":48210,"rows":{"read":120,"new":118,"changed":0,"known":0,"joined":0,"left_out":0,"refused":2},"who":"user_1","created_at":"2026-06-13T10:20:00+01:00","ended_at":"2026-06-13T10:20:04+01:00"}"#;

pub const LIST: Doc = Doc::new("Imports", "Files that were brought in, the newest first.")
    .query(&[("cursor", "`next` of the page before"), ("limit", "rows, at most 500")])
    .answer(r#"{"items":[],"next":null}"#)
    .statuses(&[200, 400]);
pub const CSV: Doc = Doc::new("Imports", "The same as CSV, all rows.").answer("id,kind,name,…").of_type("text/csv").statuses(&[200]);
pub const JSONL: Doc =
    Doc::new("Imports", "The same as JSON lines, all rows.").answer("{…}\n").of_type("application/x-ndjson").statuses(&[200]);
pub const ONE: Doc = Doc::new("Imports", "One of them, and how far it has come.").answer(ONE_SHOWN).statuses(&[200, 404]);
pub const ANNOUNCE: Doc = Doc::new(
    "Imports",
    "Announces a file: spend, conversions, orders, leads, offline or touches, as CSV or JSON lines. `source` and `medium` are for files of spend that name none.",
)
.body(r#"{"kind":"orders","name":"orders.csv","bytes":48210}"#)
.answer(r#"{"id":"import_3","kind":"orders","state":"coming","received":0,"piece":262144,"largest":209715200}"#)
.statuses(&[201, 400, 401, 403, 409, 422, 503]);
pub const SEND: Doc = Doc::new(
    "Imports",
    "A piece of the file, as it is. `at` is how many bytes came before; what is there already may come again as it was.",
)
.query(&[("at", "bytes before this piece")])
.answer(r#"{"received":48210}"#)
.statuses(&[200, 400, 401, 403, 404, 409, 413, 503]);
pub const PREVIEW: Doc = Doc::new("Imports", "What the file would do: rows by what would become of them, sums, days, the first refused rows, amounts of spend that would count twice. Nothing is stored.")
    .answer(r#"{"kind":"orders","rows":{"read":120,"new":118,"refused":2},"sums":[{"rows":118,"amount":{"minor":734500,"currency":"EUR"}}],"from":"2025-06-01","to":"2026-06-12","overlaps":null,"may_be_cut":false,"refused":[{"line":7,"field":"total","remedy":"It is no amount. Write it as 12.50."}]}"#)
    .statuses(&[200, 400, 401, 403, 404, 409]);
pub const RUN: Doc = Doc::new("Imports", "Brings the file in, in the background. The same file again changes nothing.")
    .answer(ONE_SHOWN)
    .statuses(&[202, 400, 401, 403, 404, 409]);
pub const UNDO: Doc = Doc::new("Imports", "Takes back a file of spend, whose amounts of earlier files are again what they were, or a list of what no system has told (kind offline), with the leads that it made; a lead on which somebody has worked since stays. Other kinds cannot be: 409 says why.")
    .answer(ONE_SHOWN)
    .statuses(&[200, 401, 403, 404, 409]);
pub const REMOVE: Doc = Doc::new("Imports", "Drops a file that was not brought in.").statuses(&[204, 401, 403, 404, 409]);
pub const REFUSED: Doc = Doc::new("Imports", "Its refused rows as CSV: line, field, what to do. Of the first 10,000.")
    .answer("line,field,remedy")
    .of_type("text/csv")
    .statuses(&[200, 404]);

/// `GET /api/sites/{site}/imports`
pub async fn list(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let asked = Asked(&ask.query);
    let (cursor, limit) = (asked.cursor(ORDER)?, asked.limit()?);
    // Asked first: one that ends meanwhile is done by the time it is read.
    let is_busy = app.importing.is_taken(site.id);
    let (all, next) = app.store.read(site.id, move |c| imports::page(c, cursor, limit)).await?;
    let items: Vec<Value> = all.iter().map(|import| shown_import(import, site, is_busy)).collect();
    Reply::json(&json!({"items": items, "next": next.map(|cursor| cursor.text(ORDER))}))
}

/// `GET /api/sites/{site}/imports.csv`
pub async fn csv(app: App, ask: Ask) -> Result<Reply> {
    export(app, ask, Format::Csv).await
}

/// `GET /api/sites/{site}/imports.jsonl`
pub async fn jsonl(app: App, ask: Ask) -> Result<Reply> {
    export(app, ask, Format::Jsonl).await
}

const COLUMNS: [&str; 15] = [
    "id",
    "kind",
    "name",
    "state",
    "bytes",
    "read",
    "new",
    "changed",
    "known",
    "joined",
    "left_out",
    "refused",
    "who",
    "created_at",
    "ended_at",
];

async fn export(app: App, ask: Ask, format: Format) -> Result<Reply> {
    let site = ask.site()?.clone();
    let head = if format == Format::Csv { exports::csv_head(&COLUMNS)? } else { Vec::new() };
    let name = format!("{}-imports", site.slug);
    let page = move |cursor: Option<Cursor>| {
        let (app, site) = (app.clone(), site.clone());
        async move {
            let is_busy = app.importing.is_taken(site.id);
            let (all, next) = app.store.read(site.id, move |c| imports::page(c, cursor, exports::PAGE)).await?;
            let text = match format {
                Format::Csv => exports::csv_lines(&all.iter().map(|import| cells(import, &site, is_busy)).collect::<Vec<_>>())?,
                Format::Jsonl => exports::json_lines(all.iter().map(|import| shown_import(import, &site, is_busy))),
            };
            Ok((text, next))
        }
    };
    exports::stream(&name, format, head, page).await
}

fn cells(import: &Import, site: &Site, is_busy: bool) -> Vec<Cell> {
    let counts = &import.counts;
    let rows = [counts.rows, counts.new, counts.changed, counts.known, counts.joined, counts.left_out, counts.refused];
    let mut cells = vec![
        Cell::text(import.id.to_string()),
        Cell::text(import.kind.word()),
        Cell::text(import.name.as_str()),
        Cell::text(state_of(import, is_busy)),
        Cell::number(import.bytes),
    ];
    cells.extend(rows.map(Cell::number));
    cells.push(Cell::text(import.who.as_str()));
    cells.push(Cell::text(site.zone.text(import.created_at)));
    cells.push(Cell::maybe(import.ended_at.map(|at| site.zone.text(at))));
    cells
}

/// `GET /api/sites/{site}/imports/{id}`
pub async fn one(app: App, ask: Ask) -> Result<Reply> {
    let (site, id) = (ask.site()?, id(&ask)?);
    let is_busy = app.importing.is_taken(site.id);
    let import = app.store.read(site.id, move |c| imports::find(c, id)).await?.ok_or_else(|| flow::unknown(id))?;
    Reply::json(&shown_import(&import, site, is_busy))
}

/// `POST /api/sites/{site}/imports`
pub async fn announce(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let fields = reader::object(&ask.body)?;
    let kind = ImportKind::read(reader::required(&fields, "kind", 20)?)?;
    let name = reader::required(&fields, "name", 1_000)?;
    let bytes = fields.get("bytes").and_then(Value::as_i64).ok_or_else(|| Error::invalid("bytes", "bytes is the size of the file."))?;
    let word = |name: &str| reader::text(&fields, name, 255).map(|text| text.map(str::to_owned));
    let given = Given { source: word("source")?, medium: word("medium")? };
    let import = uploads::announce(&app, site, kind, name, bytes, &given, &ask.who()).await?;
    let mut shown = shown_import(&import, site, false);
    shown["piece"] = PIECE.into();
    shown["largest"] = LARGEST.into();
    Reply::json_with(201, &shown)
}

/// `POST /api/sites/{site}/imports/{id}/pieces`
pub async fn send(app: App, ask: Ask) -> Result<Reply> {
    let at = ask.query("at").and_then(|text| text.parse::<i64>().ok()).filter(|at| *at >= 0);
    let at = at.ok_or_else(|| Error::parameter("at", "at is how many bytes came before this piece."))?;
    let received = uploads::piece(&app, ask.site()?, id(&ask)?, at, ask.body.clone()).await?;
    Reply::json(&json!({"received": received}))
}

/// `POST /api/sites/{site}/imports/{id}/preview`
pub async fn preview(app: App, ask: Ask) -> Result<Reply> {
    let (site, id) = (ask.site()?, id(&ask)?);
    let import = app.store.read(site.id, move |c| imports::find(c, id)).await?.ok_or_else(|| flow::unknown(id))?;
    let preview = uploads::preview(&app, site, id).await?;
    Reply::json(&shown_preview(&preview, import.kind))
}

/// `POST /api/sites/{site}/imports/{id}/run`
pub async fn run(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let import = uploads::start(&app, site, id(&ask)?).await?;
    Reply::json_with(202, &shown_import(&import, site, true))
}

/// `POST /api/sites/{site}/imports/{id}/undo`
pub async fn undo(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let import = flow::undo(&app, site, id(&ask)?, &ask.who()).await?;
    Reply::json(&shown_import(&import, site, false))
}

/// `DELETE /api/sites/{site}/imports/{id}`
pub async fn remove(app: App, ask: Ask) -> Result<Reply> {
    uploads::remove(&app, ask.site()?, id(&ask)?).await?;
    Ok(Reply::empty(204))
}

/// `GET /api/sites/{site}/imports/{id}/refused.csv`
pub async fn refused(app: App, ask: Ask) -> Result<Reply> {
    let (site, id) = (ask.site()?.clone(), id(&ask)?);
    app.store.read(site.id, move |c| imports::find(c, id)).await?.ok_or_else(|| flow::unknown(id))?;
    let name = format!("{}-{id}-refused", site.slug);
    let page = move |cursor: Option<Cursor>| {
        let (app, site) = (app.clone(), site.clone());
        async move {
            let after = cursor.map_or(-1, |c| c.id);
            let rows = app.store.read(site.id, move |c| imports::list_refusals(c, id, after, exports::PAGE)).await?;
            let next = rows.last().filter(|_| rows.len() == exports::PAGE).map(|(line, _)| Cursor { key: None, id: *line });
            let cells = rows
                .iter()
                .map(|(line, refusal)| vec![Cell::number(line), Cell::text(refusal.field.as_str()), Cell::text(refusal.remedy.as_str())]);
            Ok((exports::csv_lines(&cells.collect::<Vec<_>>())?, next))
        }
    };
    exports::stream(&name, Format::Csv, exports::csv_head(&["line", "field", "remedy"])?, page).await
}

fn id(ask: &Ask) -> Result<ImportId> {
    ask.param("id").parse().map_err(|()| Error::not_found("An import's id looks like import_4."))
}

/// A run that nobody is at was cut off: the same file again goes on there.
fn state_of(import: &Import, is_busy: bool) -> &'static str {
    match import.state {
        ImportState::Running if !is_busy => "cut_off",
        other => other.word(),
    }
}

/// `is_busy`: some file of this site is being brought in just now.
pub fn shown_import(import: &Import, site: &Site, is_busy: bool) -> Value {
    json!({
        "id": import.id,
        "kind": import.kind.word(),
        "name": import.name,
        "digest": import.digest.as_deref().map(crate::crypto::hex),
        "state": state_of(import, is_busy),
        "bytes": import.bytes,
        "received": import.received,
        "rows": shown_counts(&import.counts),
        "problem": import.problem,
        "may_undo": flow::may_undo(import.kind) && import.state == ImportState::Done,
        "who": import.who,
        "created_at": shown::time(&site.zone, import.created_at),
        "ended_at": shown::maybe_time(&site.zone, import.ended_at),
    })
}

fn shown_counts(counts: &Counts) -> Value {
    json!({
        "read": counts.rows,
        "new": counts.new,
        "changed": counts.changed,
        "known": counts.known,
        "joined": counts.joined,
        "left_out": counts.left_out,
        "refused": counts.refused,
    })
}

pub fn shown_preview(preview: &Preview, kind: ImportKind) -> Value {
    let overlaps = preview.overlaps.as_ref().map(|found| {
        json!({
            "rows": found.rows,
            "sums": shown_sums(&found.sums),
            "source": found.first.source,
            "campaign": found.first.campaign,
            "from": found.first.days.from.to_string(),
            "to": found.first.days.to.to_string(),
        })
    });
    let refused: Vec<Value> =
        preview.refused.iter().map(|(line, refusal)| json!({"line": line, "field": refusal.field, "remedy": refusal.remedy})).collect();
    json!({
        "kind": kind.word(),
        "rows": shown_counts(&preview.counts),
        "sums": shown_sums(&preview.sums),
        "overlaps": overlaps,
        "may_be_cut": preview.shape.may_be_cut,
        "from": preview.days.map(|(from, _)| from.to_string()),
        "to": preview.days.map(|(_, to)| to.to_string()),
        "refused": refused,
        "format": preview.shape.format,
        "delimiter": preview.shape.delimiter,
        "made_by": preview.shape.made_by,
        "columns": preview.shape.used,
        "mapped": preview.shape.mapped.iter().map(|(column, meaning)| json!({"column": column, "as": meaning})).collect::<Vec<_>>(),
        "ignored_columns": preview.shape.ignored,
        "is_rough": preview.is_rough,
    })
}

/// Rows and their sum, by currency.
fn shown_sums(sums: &BTreeMap<String, (i64, i64)>) -> Vec<Value> {
    let sum = |(code, (rows, minor)): (&String, &(i64, i64))| {
        let money = Money::new(*minor, Currency::parse(code)?);
        Some(json!({"rows": rows, "amount": shown::money(money), "text": money.to_string()}))
    };
    sums.iter().filter_map(sum).collect()
}
