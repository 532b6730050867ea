//! Leads as their senders told them. People are masked, as in every list.

use serde_json::{Value, json};

use super::ask::Ask;
use super::exports::{self, Cell, Format};
use super::reply::Reply;
use super::route::Doc;
use super::shown;
use crate::app::App;
use crate::domain::mask;
use crate::domain::question::{Asked, Cursor};
use crate::domain::time::Zone;
use crate::error::Result;
use crate::store::questions::facts::{self, LeadLine, Wanted};
use crate::store::sites::Site;

pub const ORDER: &str = "created_at";

const OF_LEADS: &[(&str, &str)] = &[
    ("from", "first day, 2026-06-01; without it, all time"),
    ("to", "last day, included"),
    ("status", "new, contacted, qualified, won or lost"),
    ("source", "the platform that told of it: forms"),
    ("cursor", "`next` of the page before"),
    ("limit", "rows, at most 500"),
];
pub const LEADS: Doc =
    Doc::new("Facts", "Leads, the newest first.").query(OF_LEADS).answer(r#"{"items":[],"next":null}"#).statuses(&[200, 400]);
pub const LEADS_CSV: Doc =
    Doc::new("Facts", "The same as CSV, all rows.").query(OF_LEADS).answer("id,lead_id,…").of_type("text/csv").statuses(&[200, 400]);
pub const LEADS_JSONL: Doc = Doc::new("Facts", "The same as JSON lines, all rows.")
    .query(OF_LEADS)
    .answer("{…}\n")
    .of_type("application/x-ndjson")
    .statuses(&[200, 400]);
pub fn read(app: &App, ask: &Ask, site: &Site, source: &str) -> Result<Wanted> {
    let asked = Asked(&ask.query);
    Ok(Wanted {
        span: asked.span(&site.zone, app.clock.now())?,
        status: asked.choice("status", |v| v.len() <= 60, "a status")?,
        source: asked.choice(source, |v| v.len() <= 60, "a platform's word like forms")?,
        cursor: asked.cursor(ORDER)?,
        limit: asked.limit()?,
    })
}

/// `GET /api/sites/{site}/leads`
pub async fn leads(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let wanted = read(&app, &ask, site, "source")?;
    let zone = site.zone.clone();
    let (lines, next) = app.store.read(site.id, move |c| facts::leads(c, &zone, &wanted)).await?;
    page(lines.iter().map(|l| shown_lead(l, &site.zone)).collect(), next)
}

fn page(items: Vec<Value>, next: Option<Cursor>) -> Result<Reply> {
    Reply::json(&json!({"items": items, "next": next.map(|cursor| cursor.text(ORDER))}))
}

pub fn shown_lead(l: &LeadLine, zone: &Zone) -> Value {
    let names = [l.first_name.as_deref(), l.last_name.as_deref()];
    let name: Vec<String> = names.into_iter().flatten().map(mask::word).filter(|n| !n.is_empty()).collect();
    json!({
        "id": l.id,
        "lead_id": l.external_id,
        "source": l.source,
        "form_type": l.form_type,
        "who": {
            "display": shown::person(l.email.as_deref(), l.phone.as_deref(), false),
            "name": (!name.is_empty()).then(|| name.join(" ")),
            "contact": l.contact,
        },
        "value": shown::maybe_money(l.value),
        "consent_given": l.consent_given,
        "status": l.status,
        "created_at": shown::time(zone, l.created_at),
        "received_at": shown::time(zone, l.received_at),
        "conversion": l.conversion,
    })
}

/// `GET /api/sites/{site}/leads.csv`
pub async fn leads_csv(app: App, ask: Ask) -> Result<Reply> {
    export_leads(app, ask, Format::Csv).await
}

/// `GET /api/sites/{site}/leads.jsonl`
pub async fn leads_jsonl(app: App, ask: Ask) -> Result<Reply> {
    export_leads(app, ask, Format::Jsonl).await
}

const LEAD_COLUMNS: [&str; 11] =
    ["id", "lead_id", "source", "form_type", "who", "value", "currency", "status", "created_at", "received_at", "conversion"];

async fn export_leads(app: App, ask: Ask, format: Format) -> Result<Reply> {
    let site = ask.site()?.clone();
    let mut wanted = read(&app, &ask, &site, "source")?;
    wanted.limit = exports::PAGE;
    let head = if format == Format::Csv { exports::csv_head(&LEAD_COLUMNS)? } else { Vec::new() };
    let name = format!("{}-leads", site.slug);
    let page = move |cursor| {
        let (app, site, wanted) = (app.clone(), site.clone(), Wanted { cursor, ..wanted.clone() });
        async move {
            let zone = site.zone.clone();
            let (lines, next) = app.store.read(site.id, move |c| facts::leads(c, &zone, &wanted)).await?;
            let text = match format {
                Format::Csv => exports::csv_lines(&lines.iter().map(|l| lead_cells(l, &site.zone)).collect::<Vec<_>>())?,
                Format::Jsonl => exports::json_lines(lines.iter().map(|l| shown_lead(l, &site.zone))),
            };
            Ok((text, next))
        }
    };
    exports::stream(&name, format, head, page).await
}

fn lead_cells(l: &LeadLine, zone: &Zone) -> Vec<Cell> {
    vec![
        Cell::text(l.id.to_string()),
        Cell::text(l.external_id.as_str()),
        Cell::text(l.source.as_str()),
        Cell::text(l.form_type.as_str()),
        Cell::maybe(shown::person(l.email.as_deref(), l.phone.as_deref(), false)),
        Cell::maybe_number(l.value.map(|m| m.decimal())),
        Cell::maybe(l.value.map(|m| m.currency.code().to_owned())),
        Cell::text(l.status.as_str()),
        Cell::text(zone.text(l.created_at)),
        Cell::text(zone.text(l.received_at)),
        Cell::maybe(l.conversion.map(|id| id.to_string())),
    ]
}
