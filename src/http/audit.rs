//! Who has changed what, when, and from where.

use serde_json::{Value, json};

use super::ask::Ask;
use super::exports::{self, Cell, Format};
use super::reply::Reply;
use super::route::Doc;
use super::shown;
use crate::app::App;
use crate::domain::question::Asked;
use crate::domain::time::Zone;
use crate::error::Result;
use crate::store::questions::audit::{self, Line, Wanted};
use crate::store::sites::Site;

const SORT: &str = "audit";
const COLUMNS: [&str; 7] = ["id", "at", "who", "email", "origin", "what", "detail"];

const QUERY: &[(&str, &str)] = &[
    ("who", "user_3, token_2 or command line"),
    ("what", "a word like site_set"),
    ("from", "first day, 2026-06-01; without it, all time"),
    ("to", "last day, included"),
    ("cursor", "`next` of the page before"),
    ("limit", "rows, at most 500"),
];

pub const LIST: Doc = Doc::new("Site", "Who has changed what, the newest first, with all names there are to filter by.")
    .query(QUERY)
    .answer(r#"{"items":[{"id":7,"at":"2026-06-13T09:20:00Z","who":"user_1","email":"ann@shop.example","origin":"203.0.113.7","what":"site_set","detail":{"keys":["name"]}}],"next":null,"facets":{"who":[],"what":[]}}"#)
    .statuses(&[200, 400]);
pub const CSV: Doc =
    Doc::new("Site", "The same as CSV, all rows.").query(QUERY).answer("id,at,who,…").of_type("text/csv").statuses(&[200, 400]);
pub const JSONL: Doc =
    Doc::new("Site", "The same as JSON lines, all rows.").query(QUERY).of_type("application/x-ndjson").statuses(&[200, 400]);

/// `GET /api/sites/{site}/audit`
pub async fn list(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let wanted = wanted(&app, &ask, site)?;
    let asked = Asked(&ask.query);
    let (cursor, limit) = (asked.cursor(SORT)?, asked.limit()?);
    let zone = site.zone.clone();
    let ((lines, next), (who, what)) =
        app.store.read(site.id, move |c| Ok((audit::page(c, &zone, &wanted, cursor, limit)?, audit::facets(c)?))).await?;
    let items: Vec<Value> = lines.iter().map(|l| line(l, &site.zone)).collect();
    Reply::json(&json!({
        "items": items,
        "next": next.map(|cursor| cursor.text(SORT)),
        "facets": {"who": shown::facet(&who), "what": shown::facet(&what)},
    }))
}

fn wanted(app: &App, ask: &Ask, site: &Site) -> Result<Wanted> {
    let asked = Asked(&ask.query);
    Ok(Wanted {
        who: asked.text("who")?.map(str::to_owned),
        what: asked.text("what")?.map(str::to_owned),
        span: Some(asked.span(&site.zone, app.clock.now())?),
    })
}

fn line(l: &Line, zone: &Zone) -> Value {
    json!({"id": l.id, "at": shown::time(zone, l.at), "who": l.who, "email": l.email, "origin": l.origin, "what": l.what, "detail": l.detail})
}

/// `GET /api/sites/{site}/audit.csv`
pub async fn csv(app: App, ask: Ask) -> Result<Reply> {
    export(app, ask, Format::Csv).await
}

/// `GET /api/sites/{site}/audit.jsonl`
pub async fn jsonl(app: App, ask: Ask) -> Result<Reply> {
    export(app, ask, Format::Jsonl).await
}

async fn export(app: App, ask: Ask, format: Format) -> Result<Reply> {
    let site = ask.site()?.clone();
    let wanted = wanted(&app, &ask, &site)?;
    let head = if format == Format::Csv { exports::csv_head(&COLUMNS)? } else { Vec::new() };
    let name = format!("{}-audit", site.slug);
    let page = move |cursor| {
        let (app, site, wanted) = (app.clone(), site.clone(), wanted.clone());
        async move {
            let zone = site.zone.clone();
            let (lines, next) = app.store.read(site.id, move |c| audit::page(c, &zone, &wanted, cursor, exports::PAGE)).await?;
            let text = match format {
                Format::Csv => exports::csv_lines(&lines.iter().map(|l| cells(l, &site.zone)).collect::<Vec<_>>())?,
                Format::Jsonl => exports::json_lines(lines.iter().map(|l| line(l, &site.zone))),
            };
            Ok((text, next))
        }
    };
    exports::stream(&name, format, head, page).await
}

fn cells(l: &Line, zone: &Zone) -> Vec<Cell> {
    vec![
        Cell::number(l.id),
        Cell::text(zone.text(l.at)),
        Cell::text(l.who.as_str()),
        Cell::maybe(l.email.as_deref()),
        Cell::text(l.origin.as_str()),
        Cell::text(l.what.as_str()),
        Cell::text(l.detail.to_string()),
    ]
}
