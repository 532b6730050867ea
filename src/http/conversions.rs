//! The ledger of conversions, and one of them with its credit under every model.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::ask::Ask;
use super::exports::{self, Cell, Format};
use super::reply::Reply;
use super::reports::query::{FILTERS, Param, joined};
use super::route::Doc;
use super::shown;
use crate::app::App;
use crate::domain::attribution::{Model, PathTouch, Window, shares, weights};
use crate::domain::ids::ConversionId;
use crate::domain::question::{Asked, ConversionFilter, Lens};
use crate::domain::sight::Sight;
use crate::domain::time::{Time, Zone};
use crate::error::{Error, Result};
use crate::store::questions::conversions::{self, Line, Order, Wanted};
use crate::store::sites::Site;

const ALL: &[Param] = &[
    ("from", "first day, 2026-06-01; without it, all time"),
    ("to", "last day, included"),
    ("model", "last_non_direct, first, last, linear, position, time_decay: the lens of `credited`; filters and facets go by the books"),
    ("window", "1, 7, 14, 30, 60, 90 or unlimited"),
];

const PAGE: &[Param] = &[
    ("q", "an order id, a lead's id, an e-mail address"),
    ("sort", "happened_at (newest first) or amount (largest first)"),
    ("cursor", "`next` of the page before"),
    ("limit", "rows, at most 500"),
];

const QUERY: &[Param] = &joined::<30>(&[ALL, FILTERS, PAGE]);

pub const LIST: Doc = Doc::new("Conversions", "A page of the ledger, with sums and facets of all that the filter takes.")
            .query(QUERY)
            .answer(r#"{"items":[],"next":null,"total":{"count":0,"attributed":0,"amounts":[],"net":[]},"facets":{"kind":[],"source":[],"match":[],"status":[]}}"#)
            .statuses(&[200, 400]);
pub const CSV: Doc =
    Doc::new("Conversions", "The same as CSV, all rows.").query(QUERY).answer("id,kind,…").of_type("text/csv").statuses(&[200, 400]);
pub const JSONL: Doc = Doc::new("Conversions", "The same as JSON lines, all rows.")
    .query(QUERY)
    .answer("{…}\n")
    .of_type("application/x-ndjson")
    .statuses(&[200, 400]);
pub const ONE: Doc = Doc::new("Conversions", "One conversion, as in the list.")
    .query(&[("model", "the lens"), ("window", "days")])
    .statuses(&[200, 400, 404]);
pub const ATTRIBUTION: Doc = Doc::new("Conversions", "Shares of each touchpoint, in the order of time, under one model and under all.")
    .query(&[("model", "the lens"), ("window", "days")])
    .answer(r#"{"model":"linear","weights":{"touchpoint_1":0.5,"touchpoint_2":0.5},"models":{}}"#)
    .statuses(&[200, 400, 404]);
pub const TOUCHPOINTS: Doc = Doc::new("Conversions", "The visits before a conversion, in the order of time.")
    .query(&[("window", "days: what lies outside is listed with in_window false")])
    .answer(r#"{"items":[]}"#)
    .statuses(&[200, 400, 404]);

/// `GET /api/sites/{site}/conversions`
pub async fn list(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let (wanted, lens) = read(&app, &ask, &site)?;
    let (zone, order) = (site.zone.clone(), wanted.order);
    let mut page = app.store.read(site.id, move |c| conversions::page(c, &zone, &wanted)).await?;
    page.lines.iter_mut().for_each(|line| conversions::keep_within(line, &ask.sight));
    let is_of_the_books = lens.is_of_the_books(&site.settings.policy);
    let items: Vec<Value> = page.lines.iter().map(|l| shown::line(l, &site.zone, lens, is_of_the_books)).collect();
    let t = &page.tally;
    ask.shown(json!({
        "items": items,
        "next": page.next.map(|cursor| cursor.text(order.word())),
        "total": {
            "count": t.count,
            "attributed": t.attributed,
            "amounts": shown::moneys(&t.amounts()),
            "net": shown::moneys(&t.net()),
        },
        "facets": {
            "kind": shown::facet(&t.kinds()),
            "source": shown::facet(&t.sources()),
            "match": shown::facet(&t.matches()),
            "status": shown::facet(&t.statuses()),
        },
    }))
}

fn read(app: &App, ask: &Ask, site: &Site) -> Result<(Wanted, Lens)> {
    let asked = Asked(&ask.query);
    let order = match asked.word("sort", &["happened_at", "amount"])? {
        Some("amount") => Order::Amount,
        _ => Order::HappenedAt,
    };
    let wanted = Wanted {
        span: asked.span(&site.zone, app.clock.now())?,
        filter: ConversionFilter::read(asked)?.within(&ask.sight)?.named_by(&site.rules),
        search: asked.search()?.map(str::to_owned),
        may_see_people: ask.may_see_people(),
        order,
        cursor: asked.cursor(order.word())?,
        limit: asked.limit()?,
    };
    Ok((wanted, asked.lens(&site.settings.policy)?))
}

/// `GET /api/sites/{site}/conversions.csv`
pub async fn csv(app: App, ask: Ask) -> Result<Reply> {
    export(app, ask, Format::Csv).await
}

/// `GET /api/sites/{site}/conversions.jsonl`
pub async fn jsonl(app: App, ask: Ask) -> Result<Reply> {
    export(app, ask, Format::Jsonl).await
}

const COLUMNS: [&str; 26] = [
    "id",
    "kind",
    "name",
    "label",
    "happened_at",
    "received_at",
    "who",
    "amount",
    "net",
    "currency",
    "status",
    "match",
    "asserted",
    "confidence",
    "source",
    "medium",
    "campaign",
    "channel",
    "credited",
    "touches",
    "days_to_convert",
    "chat",
    "reports",
    "test",
    "told",
    "sentence",
];

async fn export(app: App, ask: Ask, format: Format) -> Result<Reply> {
    let site = ask.site()?.clone();
    let (mut wanted, lens) = read(&app, &ask, &site)?;
    // A file is walked in the order of time, whatever the screen shows.
    wanted.order = Order::HappenedAt;
    wanted.limit = exports::PAGE;
    let is_of_the_books = lens.is_of_the_books(&site.settings.policy);
    let head = if format == Format::Csv { exports::csv_head(&COLUMNS)? } else { Vec::new() };
    let name = format!("{}-conversions", site.slug);
    let (id, zone) = (site.id, site.zone.clone());
    let page = move |cursor| {
        let (app, zone, wanted) = (app.clone(), site.zone.clone(), Wanted { cursor, ..wanted.clone() });
        async move { app.store.read(id, move |c| conversions::export_page(c, &zone, &wanted)).await }
    };
    let lines = move |lines: Vec<Line>| match format {
        Format::Csv => exports::csv_lines(&lines.iter().map(|l| cells(l, &zone, lens, is_of_the_books)).collect::<Vec<_>>()),
        Format::Jsonl => Ok(exports::json_lines(lines.iter().map(|l| shown::line(l, &zone, lens, is_of_the_books)))),
    };
    exports::stream_written(&name, format, head, page, lines).await
}

fn cells(l: &Line, zone: &Zone, lens: Lens, is_of_the_books: bool) -> Vec<Cell> {
    let parts = shown::credited(l, lens, is_of_the_books);
    let first = parts.first();
    let all: Vec<String> = parts
        .iter()
        .map(|p| {
            let origin = [Some(p.source.as_str()), Some(p.medium.as_str()), p.campaign.as_deref()];
            let origin: Vec<&str> = origin.into_iter().flatten().filter(|w| !w.is_empty()).collect();
            format!("{} {}.{:02}%", origin.join(" / "), p.share_bp / 100, p.share_bp % 100)
        })
        .collect();
    let told: Vec<String> = l.beside.told.iter().map(|d| format!("{} {}", d.platform, d.state)).collect();
    vec![
        Cell::text(l.id.to_string()),
        Cell::text(l.kind.as_str()),
        Cell::maybe(l.name.as_deref()),
        Cell::text(l.label.as_str()),
        Cell::text(zone.text(l.happened_at)),
        Cell::text(zone.text(l.received_at)),
        Cell::maybe(shown::person(l.beside.email.as_deref(), l.beside.phone.as_deref(), false)),
        Cell::maybe_number(l.amount.map(|m| m.decimal())),
        Cell::maybe_number(l.net.map(|m| m.decimal())),
        Cell::maybe(l.amount.map(|m| m.currency.code().to_owned())),
        Cell::text(l.status.as_str()),
        Cell::text(l.match_type.as_str()),
        Cell::text(if l.is_asserted { "yes" } else { "no" }),
        Cell::number(format!("{}.{:04}", l.confidence_bp / 10_000, l.confidence_bp % 10_000)),
        Cell::maybe(first.map(|p| p.source.as_str())),
        Cell::maybe(first.map(|p| p.medium.as_str())),
        Cell::maybe(first.and_then(|p| p.campaign.as_deref())),
        Cell::maybe(first.map(|p| p.channel())),
        Cell::text(all.join("; ")),
        Cell::number(l.beside.path.len()),
        Cell::maybe_number(l.beside.days_to_convert),
        Cell::text(if shown::has_chat(l) { "yes" } else { "no" }),
        Cell::number(l.beside.reports),
        Cell::text(if shown::is_test(l) { "yes" } else { "no" }),
        Cell::text(told.join("; ")),
        Cell::text(l.beside.reason.as_str()),
    ]
}

/// The conversion in the path, or the refusal that names it.
pub async fn find(app: &App, site: &Arc<Site>, id: &str, sight: &Sight) -> Result<Line> {
    let unknown = || Error::not_found(format!("There is no conversion {}.", id.chars().take(40).collect::<String>()));
    let id: ConversionId = id.parse().map_err(|()| unknown())?;
    let line = app.store.read(site.id, move |c| conversions::find(c, id)).await?;
    let mut line = line.filter(|line| conversions::is_within(line, sight)).ok_or_else(unknown)?;
    conversions::keep_within(&mut line, sight);
    Ok(line)
}

/// `GET /api/sites/{site}/conversions/{id}`
pub async fn one(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let lens = Asked(&ask.query).lens(&site.settings.policy)?;
    let line = find(&app, site, ask.param("id"), &ask.sight).await?;
    let came_as = shown::came_as(&line, &site.rules);
    let mut shown = shown::line(&named(line, site), &site.zone, lens, lens.is_of_the_books(&site.settings.policy));
    shown["came_as"] = came_as;
    ask.shown(shown)
}

/// Under the names of the site's rules, as lists have it.
fn named(mut line: Line, site: &Site) -> Line {
    line.name_by(&site.rules);
    line
}

/// `GET /api/sites/{site}/conversions/{id}/attribution`
pub async fn attribution(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let lens = Asked(&ask.query).lens(&site.settings.policy)?;
    let line = find(&app, site, ask.param("id"), &ask.sight).await?;
    let mut shown = shares_of(&line, lens);
    if !ask.sight.segment.is_open() {
        // Through another model a part would show who else had a share in it.
        shown["models"] = json!({(lens.model.word()): shown["weights"]});
    }
    Reply::json(&shown)
}

/// `{model, weights{touchpoint_1: 0.4, …}, models{…}}`: shares in the order of time that add up to one, or nothing where
/// no touch earns anything.
pub fn shares_of(line: &Line, lens: Lens) -> Value {
    let window = lens.window_of(&line.kind);
    let of = |model: Model| weights_by_name(&line.beside.path, model, line.happened_at, window);
    let mut models = Map::new();
    for model in Model::ALL {
        models.insert(model.word().to_owned(), of(model));
    }
    json!({"model": lens.model.word(), "window": lens.window.word(), "weights": of(lens.model), "models": models})
}

fn weights_by_name(path: &[PathTouch], model: Model, happened_at: Time, window: Window) -> Value {
    let shares = shares(&weights(model, path, happened_at, window.days()));
    if shares.iter().all(|s| *s == 0) {
        return json!({});
    }
    let named = shares.iter().enumerate().map(|(i, share)| (format!("touchpoint_{}", i + 1), json!(*share as f64 / 1e9)));
    Value::Object(named.collect())
}

/// `GET /api/sites/{site}/conversions/{id}/touchpoints`
pub async fn touchpoints(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let lens = Asked(&ask.query).lens(&site.settings.policy)?;
    let line = named(find(&app, site, ask.param("id"), &ask.sight).await?, site);
    let items: Vec<Value> = line.beside.path.iter().enumerate().map(|(i, p)| touchpoint(i, p, &line, lens, &site.zone)).collect();
    Reply::json(&json!({ "items": items }))
}

/// A touch as receipts and lists show it, without its credit.
pub fn touchpoint(place: usize, p: &PathTouch, line: &Line, lens: Lens, zone: &Zone) -> Value {
    let t = &p.touch;
    json!({
        "n": place + 1,
        "at": shown::time(zone, t.at),
        "type": t.kind.word(),
        "source": t.source,
        "medium": t.medium,
        "campaign": t.campaign,
        "campaign_id": t.campaign_id,
        "content": t.content,
        "term": t.term,
        "channel": crate::domain::channel::channel(&t.source, &t.medium, t.campaign.as_deref()),
        "landing": t.landing,
        "referrer": t.referrer,
        "click_id": t.click,
        "device": t.device,
        "link": p.link,
        "in_window": lens.window_of(&line.kind).holds(t.at, line.happened_at),
    })
}
