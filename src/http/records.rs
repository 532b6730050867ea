//! Reading side of the conversions API, in the shapes of the documents: records in `data`, money as decimals.

use serde_json::{Map, Value, json};

use super::ask::Ask;
use super::conversions::{find as find_line, shares_of};
use super::exports::{self, Cell, Format};
use super::reply::Reply;
use super::route::Doc;
use crate::app::App;
use crate::domain::conversion::ConversionKind;
use crate::domain::ids::ConversionId;
use crate::domain::money::{Currency, Money};
use crate::domain::question::{Asked, days};
use crate::error::{Error, Result};
use crate::store::questions::statements::{self, Earned, Record, Wanted};
use crate::store::sites::Site;

const ORDER: &str = "happened_at";
/// Days that are listed where none are named.
const DEFAULT_DAYS: i32 = 30;

const QUERY: &[(&str, &str)] = &[
    ("date_from", "a day or a time; without it, 30 days"),
    ("date_to", "a day (included) or a time"),
    ("source", "the raw or the usual word"),
    ("campaign_id", "as stated, or of the credited visit"),
    ("type", "sale, lead, signup or custom"),
    ("cursor", "`next` of the page before"),
    ("limit", "rows, at most 500"),
];

pub const LIST: Doc = Doc::new("Conversions API", "Conversions of the site, whoever told of them, the newest first.")
    .query(QUERY)
    .answer(r#"{"data":[],"next":null}"#)
    .statuses(&[200, 400]);
pub const CSV: Doc = Doc::new("Conversions API", "The same as CSV, all rows.")
    .query(QUERY)
    .answer("id,click_id,…")
    .of_type("text/csv")
    .statuses(&[200, 400]);
pub const ONE: Doc = Doc::new("Conversions API", "One conversion.").answer(r#"{"data":{"id":"conversion_12"}}"#).statuses(&[200, 404]);
pub const ATTRIBUTION: Doc = Doc::new("Conversions API", "Shares of each touchpoint in the order of time; they add up to one.")
    .query(&[("model", "last_click, first_click, linear, time_decay, position, last_non_direct, …"), ("window", "days")])
    .answer(r#"{"model":"linear","weights":{"touchpoint_1":0.5,"touchpoint_2":0.5},"models":{}}"#)
    .statuses(&[200, 400, 404]);
pub const TOUCHPOINTS: Doc = Doc::new("Conversions API", "The visits before a conversion, in the order of time.")
    .answer(r#"{"data":[{"type":"click","source":"google","medium":"cpc","campaign_id":"1","timestamp":"2026-06-13T09:20:00Z"}]}"#)
    .statuses(&[200, 404]);
pub const DAILY: Doc = Doc::new("Conversions API", "One day of the site's zone; net money as booked on it.")
    .query(&[("date", "2026-06-13; without it, today")])
    .answer(r#"{"total_revenue":12.5,"total_conversions":1,"avg_order_value":12.5,"by_source":{},"by_campaign":{}}"#)
    .statuses(&[200, 400]);
fn read(app: &App, ask: &Ask, site: &Site) -> Result<Wanted> {
    let asked = Asked(&ask.query);
    let (from, to) = asked.times("date_from", "date_to", &site.zone, app.clock.now(), DEFAULT_DAYS)?;
    let kind = asked.word("type", &ConversionKind::ALL.map(ConversionKind::word))?.and_then(ConversionKind::parse);
    Ok(Wanted {
        from,
        to,
        kind,
        source: asked.text("source")?.map(str::to_owned),
        campaign_id: asked.text("campaign_id")?.map(str::to_owned),
        cursor: asked.cursor(ORDER)?,
        limit: asked.limit()?,
        rules: site.rules.clone(),
    })
}

/// `GET /api/conversions`
pub async fn list(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let wanted = read(&app, &ask, site)?;
    let (records, next) = app.store.read(site.id, move |c| statements::page(c, &wanted)).await?;
    let data: Vec<Value> = records.iter().map(|r| shown(r, site)).collect();
    Reply::json(&json!({"data": data, "next": next.map(|cursor| cursor.text(ORDER))}))
}

/// `GET /api/conversions/{id}`
pub async fn one(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let unknown = || Error::not_found("There is no such conversion.");
    let id: ConversionId = ask.param("id").parse().map_err(|()| unknown())?;
    let record = app.store.read(site.id, move |c| statements::find(c, id)).await?.ok_or_else(unknown)?;
    Reply::json(&json!({"data": shown(&record, site)}))
}

/// The record of the documents. The address is never kept, so that it is always null.
fn shown(r: &Record, site: &Site) -> Value {
    let currency = currency(r, site);
    json!({
        "id": r.id,
        "click_id": r.stated("click_id"),
        "conversion_type": r.kind,
        "revenue": r.amount.unwrap_or(Money::zero(currency)).number(),
        "currency": currency.code(),
        "source": r.source(&site.rules),
        "campaign_id": r.campaign_id(),
        "ad_id": r.stated("ad_id"),
        "timestamp": site.zone.text(r.happened_at),
        "sub_ids": sub_ids(r),
        "ip_address": Value::Null,
        "user_agent": r.stated("user_agent"),
    })
}

fn currency(r: &Record, site: &Site) -> Currency {
    let stated = || r.stated("currency").and_then(|code| Currency::parse(&code));
    r.amount.map(|m| m.currency).or_else(stated).unwrap_or(site.currency)
}

fn sub_ids(r: &Record) -> Value {
    match r.detail.get("sub_ids") {
        Some(Value::Object(ids)) => Value::Object(ids.clone()),
        _ => json!({}),
    }
}

const COLUMNS: [&str; 12] = [
    "id",
    "click_id",
    "conversion_type",
    "revenue",
    "currency",
    "source",
    "campaign_id",
    "ad_id",
    "timestamp",
    "sub_ids",
    "ip_address",
    "user_agent",
];

/// `GET /api/conversions.csv`
pub async fn csv(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let mut wanted = read(&app, &ask, &site)?;
    wanted.limit = exports::PAGE;
    let name = format!("{}-conversions", site.slug);
    let id = site.id;
    let page = move |cursor| {
        let (app, wanted) = (app.clone(), Wanted { cursor, ..wanted.clone() });
        async move { app.store.read(id, move |c| statements::page(c, &wanted)).await }
    };
    let lines = move |records: Vec<Record>| exports::csv_lines(&records.iter().map(|r| cells(r, &site)).collect::<Vec<_>>());
    exports::stream_written(&name, Format::Csv, exports::csv_head(&COLUMNS)?, page, lines).await
}

fn cells(r: &Record, site: &Site) -> Vec<Cell> {
    let currency = currency(r, site);
    let ids = sub_ids(r);
    vec![
        Cell::text(r.id.to_string()),
        Cell::maybe(r.stated("click_id")),
        Cell::text(r.kind.as_str()),
        Cell::number(r.amount.unwrap_or(Money::zero(currency)).decimal()),
        Cell::text(currency.code()),
        Cell::maybe(r.source(&site.rules)),
        Cell::maybe(r.campaign_id()),
        Cell::maybe(r.stated("ad_id")),
        Cell::text(site.zone.text(r.happened_at)),
        if ids == json!({}) { Cell::Empty } else { Cell::text(ids.to_string()) },
        Cell::Empty,
        Cell::maybe(r.stated("user_agent")),
    ]
}

/// `GET /api/conversions/{id}/attribution`
pub async fn attribution(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let lens = Asked(&ask.query).lens(&site.settings.policy)?;
    let line = find_line(&app, site, ask.param("id"), &ask.sight).await?;
    Reply::json(&shares_of(&line, lens))
}

/// `GET /api/conversions/{id}/touchpoints`
pub async fn touchpoints(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let mut line = find_line(&app, site, ask.param("id"), &ask.sight).await?;
    line.name_by(&site.rules);
    let data: Vec<Value> = line
        .beside
        .path
        .iter()
        .map(|p| {
            json!({"type": p.touch.kind.word(), "source": p.touch.source, "medium": p.touch.medium, "campaign_id": p.touch.campaign_id,
                "timestamp": site.zone.text(p.touch.at)})
        })
        .collect();
    Reply::json(&json!({ "data": data }))
}

/// `GET /api/reports/daily`
pub async fn daily(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let day = match Asked(&ask.query).one("date") {
        Some(text) => days::day("date", text)?,
        None => site.zone.day(app.clock.now()),
    };
    let (zone, rules) = (site.zone.clone(), site.rules.clone());
    let report = app.store.read(site.id, move |c| statements::day_report(c, &zone, day, &rules)).await?;
    let own = |e: &Earned| Money::new(e.minor.get(site.currency.code()).copied().unwrap_or(0), site.currency);
    let total = own(&report.all);
    let orders = report.orders.get(site.currency.code()).copied().unwrap_or(0);
    let average = total.average(orders).unwrap_or(Money::zero(site.currency));
    let named = |all: &std::collections::BTreeMap<String, Earned>| -> Value {
        let rows = all.iter().map(|(name, e)| (name.clone(), json!({"revenue": own(e).number(), "conversions": e.conversions})));
        Value::Object(rows.collect())
    };
    let others: Map<String, Value> = report
        .all
        .minor
        .iter()
        .filter(|(code, _)| code.as_str() != site.currency.code())
        .filter_map(|(code, minor)| Currency::parse(code).map(|c| (code.clone(), Money::new(*minor, c).number())))
        .collect();
    Reply::json(&json!({
        "date": day.to_string(),
        "total_revenue": total.number(),
        "total_conversions": report.all.conversions,
        "avg_order_value": average.number(),
        "by_source": named(&report.by_source),
        "by_campaign": named(&report.by_campaign),
        "currency": site.currency.code(),
        "other_currencies": others,
    }))
}
