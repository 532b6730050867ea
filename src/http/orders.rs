//! Orders as their shop told them, with their lines, what went back, and where they came from. People are masked, as in
//! every list.

use serde_json::{Value, json};

use super::ask::Ask;
use super::exports::{self, Cell, Format};
use super::reply::Reply;
use super::route::Doc;
use super::shown;
use crate::app::App;
use crate::domain::channel::channel;
use crate::domain::question::Asked;
use crate::domain::question::filter::CUSTOMERS;
use crate::domain::time::Zone;
use crate::error::Result;
use crate::store::questions::orders::{self, OrderLine, Wanted};
use crate::store::sites::Site;

const ORDER: &str = "created_at";

const QUERY: &[(&str, &str)] = &[
    ("from", "first day, 2026-06-01; without it, all time"),
    ("to", "last day, included"),
    ("status", "as the shop calls it: completed"),
    ("platform", "woocommerce"),
    ("source", "credited in the books; `unattributed` for none"),
    ("connection", "the one that told of it, con_7"),
    ("customers", "new where it is its buyer's first one, returning, or unknown"),
    ("q", "an order's number, or its beginning"),
    ("cursor", "`next` of the page before"),
    ("limit", "rows, at most 500"),
];

pub const LIST: Doc = Doc::new("Facts", "Orders with their lines, the newest first. `conversion` opens the receipt.")
    .query(QUERY)
    .answer(
        r#"{"items":[{"id":"order_3","order_number":"10574","platform":"woocommerce","status":"completed","total":{"minor":8690,"currency":"EUR"},"net":{"minor":8690,"currency":"EUR"},"back":null,"lines":[{"id":"7","name":"Gloves","quantity":2,"price":{"minor":4345,"currency":"EUR"}}],"source":"google","conversion":"conversion_3"}],"next":null}"#,
    )
    .statuses(&[200, 400]);
pub const CSV: Doc =
    Doc::new("Facts", "The same as CSV, all rows.").query(QUERY).answer("id,order_id,…").of_type("text/csv").statuses(&[200, 400]);
pub const JSONL: Doc = Doc::new("Facts", "The same as JSON lines, all rows.")
    .query(QUERY)
    .answer("{…}\n")
    .of_type("application/x-ndjson")
    .statuses(&[200, 400]);

fn read(app: &App, ask: &Ask, site: &Site) -> Result<Wanted> {
    let asked = Asked(&ask.query);
    Ok(Wanted {
        span: asked.span(&site.zone, app.clock.now())?,
        status: asked.choice("status", |v| v.len() <= 60, "a status")?,
        platform: asked.choice("platform", |v| v.len() <= 60, "a platform's word like woocommerce")?,
        source: asked.choice("source", |_| true, "a source like google")?,
        connection: asked.connections("connection")?,
        customers: asked.one_of("customers", &CUSTOMERS)?,
        search: asked.search()?.map(str::to_owned),
        cursor: asked.cursor(ORDER)?,
        limit: asked.limit()?,
    })
}

/// `GET /api/sites/{site}/orders`
pub async fn list(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let wanted = read(&app, &ask, site)?;
    let zone = site.zone.clone();
    let (lines, next) = app.store.read(site.id, move |c| orders::page(c, &zone, &wanted)).await?;
    let items: Vec<Value> = lines.iter().map(|l| line(l, &site.zone)).collect();
    Reply::json(&json!({"items": items, "next": next.map(|cursor| cursor.text(ORDER))}))
}

fn line(l: &OrderLine, zone: &Zone) -> Value {
    let lines: Vec<Value> =
        l.items.iter().map(|i| json!({"id": i.id, "name": i.name, "quantity": i.quantity, "price": shown::maybe_money(i.price)})).collect();
    let sale = l.sale.as_ref();
    let source = sale.and_then(|s| s.source.as_deref());
    json!({
        "id": l.id,
        "order_id": l.external_id,
        "order_number": l.order_number,
        "platform": l.platform,
        "who": shown::who(shown::person(l.email.as_deref(), l.phone.as_deref(), false), l.contact, l.is_erased),
        "total": shown::maybe_money(l.total),
        "tax": shown::maybe_money(l.tax),
        "shipping": shown::maybe_money(l.shipping),
        "discount": shown::maybe_money(l.discount),
        "net": shown::maybe_money(sale.and_then(|s| s.net)),
        "back": shown::maybe_money(sale.and_then(|s| s.back)),
        "lines": lines,
        "status": l.status,
        "is_paid": l.is_paid,
        "is_test": l.is_test,
        "is_gone": l.is_gone,
        "sale": sale.map(|s| json!({
            "status": s.status,
            "counts": s.counts,
            "reports": s.reports,
            "match": {"type": s.match_type, "asserted": s.is_asserted, "confidence_bp": s.confidence_bp},
        })),
        "source": source,
        "medium": sale.and_then(|s| s.medium.as_deref()),
        "campaign": sale.and_then(|s| s.campaign.as_deref()),
        "channel": sale.and_then(|s| Some(channel(s.source.as_deref()?, s.medium.as_deref().unwrap_or_default(), s.campaign.as_deref()))),
        "created_at": shown::time(zone, l.created_at),
        "received_at": shown::time(zone, l.received_at),
        "conversion": sale.map(|s| s.conversion),
    })
}

/// `GET /api/sites/{site}/orders.csv`
pub async fn csv(app: App, ask: Ask) -> Result<Reply> {
    export(app, ask, Format::Csv).await
}

/// `GET /api/sites/{site}/orders.jsonl`
pub async fn jsonl(app: App, ask: Ask) -> Result<Reply> {
    export(app, ask, Format::Jsonl).await
}

const COLUMNS: [&str; 24] = [
    "id",
    "order_id",
    "order_number",
    "platform",
    "who",
    "total",
    "tax",
    "shipping",
    "discount",
    "back",
    "net",
    "currency",
    "status",
    "sale",
    "paid",
    "test",
    "gone",
    "lines",
    "source",
    "medium",
    "campaign",
    "created_at",
    "received_at",
    "conversion",
];

async fn export(app: App, ask: Ask, format: Format) -> Result<Reply> {
    let site = ask.site()?.clone();
    let mut wanted = read(&app, &ask, &site)?;
    wanted.limit = exports::PAGE;
    let head = if format == Format::Csv { exports::csv_head(&COLUMNS)? } else { Vec::new() };
    let name = format!("{}-orders", site.slug);
    let page = move |cursor| {
        let (app, site, wanted) = (app.clone(), site.clone(), Wanted { cursor, ..wanted.clone() });
        async move {
            let zone = site.zone.clone();
            let (lines, next) = app.store.read(site.id, move |c| orders::page(c, &zone, &wanted)).await?;
            let text = match format {
                Format::Csv => exports::csv_lines(&lines.iter().map(|l| cells(l, &site.zone)).collect::<Vec<_>>())?,
                Format::Jsonl => exports::json_lines(lines.iter().map(|l| line(l, &site.zone))),
            };
            Ok((text, next))
        }
    };
    exports::stream(&name, format, head, page).await
}

fn cells(l: &OrderLine, zone: &Zone) -> Vec<Cell> {
    let word = |is: bool| Cell::text(if is { "yes" } else { "no" });
    let lines: Vec<String> =
        l.items.iter().map(|i| format!("{} × {}", i.quantity, i.name.as_deref().filter(|n| !n.is_empty()).unwrap_or(&i.id))).collect();
    let sale = l.sale.as_ref();
    vec![
        Cell::text(l.id.to_string()),
        Cell::text(l.external_id.as_str()),
        Cell::text(l.order_number.as_str()),
        Cell::text(l.platform.as_str()),
        Cell::maybe(shown::person(l.email.as_deref(), l.phone.as_deref(), false)),
        Cell::maybe_number(l.total.map(|m| m.decimal())),
        Cell::maybe_number(l.tax.map(|m| m.decimal())),
        Cell::maybe_number(l.shipping.map(|m| m.decimal())),
        Cell::maybe_number(l.discount.map(|m| m.decimal())),
        Cell::maybe_number(sale.and_then(|s| s.back).map(|m| m.decimal())),
        Cell::maybe_number(sale.and_then(|s| s.net).map(|m| m.decimal())),
        Cell::maybe(l.total.map(|m| m.currency.code().to_owned())),
        Cell::text(l.status.as_str()),
        Cell::maybe(sale.map(|s| s.status.as_str())),
        word(l.is_paid),
        word(l.is_test),
        word(l.is_gone),
        Cell::text(lines.join("; ")),
        Cell::maybe(sale.and_then(|s| s.source.as_deref())),
        Cell::maybe(sale.and_then(|s| s.medium.as_deref())),
        Cell::maybe(sale.and_then(|s| s.campaign.as_deref())),
        Cell::text(zone.text(l.created_at)),
        Cell::text(zone.text(l.received_at)),
        Cell::maybe(sale.map(|s| s.conversion.to_string())),
    ]
}
