//! What advertising has cost: listed, typed in, corrected, taken away. Files of it come by `imports`.

use serde_json::{Map, Value, json};

use super::ask::Ask;
use super::exports::{self, Cell, Format};
use super::json as reader;
use super::reply::Reply;
use super::route::Doc;
use super::shown;
use crate::app::App;
use crate::domain::ids::SpendId;
use crate::domain::money::{Currency, Money, NoAmount};
use crate::domain::question::{Asked, Cursor, Days, Span, days};
use crate::domain::spend::{Spend, SpendLine};
use crate::domain::time::Zone;
use crate::error::{Error, Kind, Result};
use crate::flows;
use crate::store::sites::Site;
use crate::store::spend;

pub const ORDER: &str = "from";

const BODY: &str = r#"{"from":"2026-06-01","to":"2026-06-30","source":"google","medium":"cpc","campaign":"spring","amount":"300.00","currency":"EUR","note":"June"}"#;
const ONE: &str = r#"{"id":"spend_1","from":"2026-06-01","to":"2026-06-30","source":"google","medium":"cpc","campaign":"spring","amount":{"minor":30000,"currency":"EUR"},"note":"June","who":"user_1","import":null,"created_at":"2026-06-13T10:20:00+01:00"}"#;
const QUERY: &[(&str, &str)] = &[
    ("from", "first day, 2026-06-01; without it, all time"),
    ("to", "last day, included"),
    ("cursor", "`next` of the page before"),
    ("limit", "rows, at most 500"),
];

pub const LIST: Doc =
    Doc::new("Spend", "Amounts that have a part in the days, the last begun first. One of several days is spread evenly.")
        .query(QUERY)
        .answer(r#"{"items":[{"id":"spend_1","from":"2026-06-01","to":"2026-06-30","source":"google"}],"next":null}"#)
        .statuses(&[200, 400]);
pub const CSV: Doc = Doc::new("Spend", "The same as CSV, all rows; it can be brought back in.")
    .query(QUERY)
    .answer("id,from,…")
    .of_type("text/csv")
    .statuses(&[200, 400]);
pub const JSONL: Doc = Doc::new("Spend", "The same as JSON lines, all rows.")
    .query(QUERY)
    .answer("{…}\n")
    .of_type("application/x-ndjson")
    .statuses(&[200, 400]);
pub const ADD: Doc = Doc::new("Spend", "Writes down what was spent: on one `day`, or from a day to a day.")
    .body(BODY)
    .answer(ONE)
    .statuses(&[201, 400, 401, 403, 422]);
pub const CHANGE: Doc = Doc::new("Spend", "Puts another amount in its place; all of it is said anew.")
    .body(BODY)
    .answer(ONE)
    .statuses(&[200, 400, 401, 403, 404, 422]);
pub const REMOVE: Doc = Doc::new("Spend", "Takes an amount away.").statuses(&[204, 401, 403, 404]);

/// `GET /api/sites/{site}/spend`
pub async fn list(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let asked = Asked(&ask.query);
    let (span, cursor, limit) = (asked.span(&site.zone, app.clock.now())?, asked.cursor(ORDER)?, asked.limit()?);
    let (lines, next) = app.store.read(site.id, move |c| spend::page(c, span, cursor, limit)).await?;
    let items: Vec<Value> = lines.iter().map(|l| shown_line(l, &site.zone)).collect();
    ask.shown(json!({"items": items, "next": next.map(|cursor| cursor.text(ORDER))}))
}

/// `GET /api/sites/{site}/spend.csv`
pub async fn csv(app: App, ask: Ask) -> Result<Reply> {
    export(app, ask, Format::Csv).await
}

/// `GET /api/sites/{site}/spend.jsonl`
pub async fn jsonl(app: App, ask: Ask) -> Result<Reply> {
    export(app, ask, Format::Jsonl).await
}

const COLUMNS: [&str; 11] = ["id", "from", "to", "source", "medium", "campaign", "amount", "currency", "note", "import", "created_at"];

async fn export(app: App, ask: Ask, format: Format) -> Result<Reply> {
    let site = ask.site()?.clone();
    let span: Span = Asked(&ask.query).span(&site.zone, app.clock.now())?;
    let head = if format == Format::Csv { exports::csv_head(&COLUMNS)? } else { Vec::new() };
    let name = format!("{}-spend", site.slug);
    let page = move |cursor: Option<Cursor>| {
        let (app, site) = (app.clone(), site.clone());
        async move {
            let (lines, next) = app.store.read(site.id, move |c| spend::page(c, span, cursor, exports::PAGE)).await?;
            let text = match format {
                Format::Csv => exports::csv_lines(&lines.iter().map(|l| cells(l, &site.zone)).collect::<Vec<_>>())?,
                Format::Jsonl => exports::json_lines(lines.iter().map(|l| shown_line(l, &site.zone))),
            };
            Ok((text, next))
        }
    };
    exports::stream(&name, format, head, page).await
}

fn cells(l: &SpendLine, zone: &Zone) -> Vec<Cell> {
    let s = &l.spend;
    vec![
        Cell::text(l.id.to_string()),
        Cell::text(s.days.from.to_string()),
        Cell::text(s.days.to.to_string()),
        Cell::text(s.source.as_str()),
        Cell::text(s.medium.as_str()),
        Cell::text(s.campaign.as_str()),
        Cell::number(s.amount.decimal()),
        Cell::text(s.amount.currency.code()),
        Cell::maybe(s.note.as_deref()),
        Cell::maybe(l.import.map(|id| id.to_string())),
        Cell::text(zone.text(l.created_at)),
    ]
}

fn shown_line(l: &SpendLine, zone: &Zone) -> Value {
    let s = &l.spend;
    json!({
        "id": l.id,
        "from": s.days.from.to_string(),
        "to": s.days.to.to_string(),
        "source": s.source,
        "medium": s.medium,
        "campaign": s.campaign,
        "amount": shown::money(s.amount),
        "note": s.note,
        "who": l.who,
        "import": l.import,
        "created_at": shown::time(zone, l.created_at),
    })
}

/// `POST /api/sites/{site}/spend`
pub async fn add(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let amount = read(&app, site, &reader::object(&ask.body)?)?;
    let line = flows::spend::add(&app, site.id, amount, &ask.who()).await?;
    Reply::json_with(201, &shown_line(&line, &site.zone))
}

/// `POST /api/sites/{site}/spend/{id}`
pub async fn change(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let amount = read(&app, site, &reader::object(&ask.body)?)?;
    let line = flows::spend::change(&app, site.id, id(&ask)?, amount, &ask.who()).await?;
    Reply::json(&shown_line(&line, &site.zone))
}

/// `DELETE /api/sites/{site}/spend/{id}`
pub async fn remove(app: App, ask: Ask) -> Result<Reply> {
    flows::spend::remove(&app, ask.site()?.id, id(&ask)?, &ask.who()).await?;
    Ok(Reply::empty(204))
}

fn id(ask: &Ask) -> Result<SpendId> {
    ask.param("id").parse().map_err(|()| Error::not_found("An amount's id looks like spend_4."))
}

fn read(app: &App, site: &Site, fields: &Map<String, Value>) -> Result<Spend> {
    let day = |name: &str| -> Result<Option<crate::domain::time::Day>> {
        let text = reader::text(fields, name, 10)?.map(str::trim).filter(|t| !t.is_empty());
        text.map(|text| days::day(name, text).map_err(|e| Error::invalid(name, e.message))).transpose()
    };
    let from = day("day")?.or(day("from")?).ok_or_else(|| Error::invalid("from", "Say on which day, such as 2026-06-13."))?;
    let to = day("to")?.unwrap_or(from);
    if to > site.zone.day(app.clock.now()).plus(366) {
        return Err(Error::invalid("to", "The last day is at most a year from now."));
    }
    let word = |name: &str| reader::text(fields, name, 300).map(Option::unwrap_or_default);
    let currency = match word("currency")? {
        "" => site.currency,
        code => Currency::parse(code).ok_or_else(|| Error::invalid("currency", "currency is an ISO 4217 code like EUR."))?,
    };
    let amount = match fields.get("amount") {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        _ => return Err(Error::invalid("amount", "amount is a decimal like 12.50.")),
    };
    let bad = |message: String| Error::new(Kind::Invalid, "invalid_amount", message).of("amount");
    let amount = Money::parse(&amount, currency).map_err(|wrong| match wrong {
        NoAmount::TooManyDigits => bad(format!("amount has more than the {} decimals of {currency}.", currency.digits())),
        _ => bad("amount is a decimal like 12.50.".into()),
    })?;
    Spend::new(Days { from, to }, (word("source")?, word("medium")?, word("campaign")?), amount, reader::text(fields, "note", 1_000)?)
}
