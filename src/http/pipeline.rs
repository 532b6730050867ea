//! Leads in the pipeline: who stands where, what it is worth, and moving one.

use serde_json::{Map, Value, json};

use super::ask::Ask;
use super::json as reader;
use super::leads::{self, ORDER, shown_lead};
use super::reply::Reply;
use super::route::Doc;
use super::shown;
use crate::app::App;
use crate::domain::ids::LeadId;
use crate::domain::money::{Currency, Money};
use crate::domain::pipeline::{self as rules, Stage};
use crate::error::{Error, Result};
use crate::flows::pipeline::{self, Move, Worth};
use crate::store::lead_changes::{self, Change};
use crate::store::questions::facts::LeadLine;
use crate::store::questions::pipeline::Column;
use crate::store::questions::{deliveries, facts, pipeline as question};
use crate::store::scope::SiteConn;
use crate::store::sites::Site;

pub const COLUMNS: Doc = Doc::new("Facts", "Leads by where they stand: how many, what they are worth, and the newest of each stage.")
    .query(&[
        ("from", "first day, 2026-06-01; without it, all time"),
        ("to", "last day, included"),
        ("source", "the platform that told of it: forms"),
        ("limit", "leads of each stage, at most 500"),
    ])
    .answer(r#"{"stages":[{"stage":"new","count":3,"worth":[{"minor":25000,"currency":"EUR"}],"items":[],"next":null}],"sources":[]}"#)
    .statuses(&[200, 400]);
pub const ONE: Doc = Doc::new("Facts", "One lead, with its way through the pipeline and who was told.").statuses(&[200, 404]);
pub const CHANGE: Doc = Doc::new("Facts", "Moves a lead in the pipeline or says what it is worth; qualified and won are told once.")
    .body(r#"{"status":"qualified","value":"1200.00","currency":"EUR"}"#)
    .answer(r#"{"id":"lead_4","status":"qualified","value":{"minor":120000,"currency":"EUR"},"history":[]}"#)
    .statuses(&[200, 403, 404, 422]);

/// `GET /api/sites/{site}/leads/pipeline`
pub async fn columns(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let wanted = leads::read(&app, &ask, site, "source")?;
    let zone = site.zone.clone();
    let pipeline = app.store.read(site.id, move |c| question::pipeline(c, &zone, &wanted)).await?;
    Reply::json(&json!({
        "stages": pipeline.columns.iter().map(|column| shown_column(column, site)).collect::<Vec<_>>(),
        "sources": shown::facet(&pipeline.sources),
    }))
}

fn shown_column(column: &Column, site: &Site) -> Value {
    json!({
        "stage": column.stage.word(),
        "count": column.count,
        "worth": shown::moneys(&column.worth),
        "items": column.leads.iter().map(|l| shown_lead(l, &site.zone)).collect::<Vec<_>>(),
        "next": column.next.map(|cursor| cursor.text(ORDER)),
    })
}

struct Known {
    lead: LeadLine,
    history: Vec<Change>,
    told: Vec<deliveries::Line>,
}

/// `GET /api/sites/{site}/leads/{id}`
pub async fn one(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let id = named(&ask)?;
    let known = app.store.read(site.id, move |c| known(c, id)).await?.ok_or_else(unknown)?;
    Reply::json(&shown_one(&known, site))
}

/// `POST /api/sites/{site}/leads/{id}`
pub async fn change(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let id = named(&ask)?;
    let fields = reader::object(&ask.body)?;
    let before = app.store.read(site.id, move |c| facts::lead(c, id)).await?.ok_or_else(unknown)?;
    let wanted = Move { stage: stage(&fields)?, value: value(&fields, before.value, site.currency)? };
    if wanted.stage.is_none() && wanted.value == Worth::AsItIs {
        return Err(Error::invalid("status", "Say where the lead stands (status), what it is worth (value), or both."));
    }
    pipeline::run(&app, &site, id, wanted, &ask.who()).await?;
    let known = app.store.read(site.id, move |c| known(c, id)).await?.ok_or_else(unknown)?;
    Reply::json(&shown_one(&known, &site))
}

fn named(ask: &Ask) -> Result<LeadId> {
    ask.param("id").parse().map_err(|()| unknown())
}

fn unknown() -> Error {
    Error::not_found("There is no such lead.")
}

fn stage(fields: &Map<String, Value>) -> Result<Option<Stage>> {
    let Some(word) = reader::text(fields, "status", 20)? else { return Ok(None) };
    let all = Stage::ALL.map(Stage::word).join(", ");
    Stage::parse(word).map(Some).ok_or_else(|| Error::invalid("status", format!("status is one of {all}.")))
}

/// A number or a text; null says that nobody knows. Without a currency it is in the one it was in, else in the site's.
fn value(fields: &Map<String, Value>, before: Option<Money>, own: Currency) -> Result<Worth> {
    let text = match fields.get("value") {
        None => return Ok(Worth::AsItIs),
        Some(Value::Null) => return Ok(Worth::Unknown),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) if text.trim().is_empty() => return Ok(Worth::Unknown),
        Some(Value::String(text)) => text.clone(),
        Some(_) => return Err(Error::invalid("value", "value is an amount such as 1200.50.")),
    };
    let currency = match reader::text(fields, "currency", 3)? {
        Some(code) => Currency::parse(code).ok_or_else(|| Error::invalid("currency", "currency must be an ISO 4217 code such as EUR."))?,
        None => before.map_or(own, |m| m.currency),
    };
    rules::worth(&text, currency).map(Worth::Known).map_err(|sentence| Error::invalid("value", sentence))
}

fn known(c: &SiteConn, id: LeadId) -> Result<Option<Known>> {
    let Some(lead) = facts::lead(c, id)? else { return Ok(None) };
    let (mut first, mut told) = (id, Vec::new());
    if let Some(conversion) = lead.conversion {
        first = lead_changes::list_leads(c, conversion)?.first().copied().unwrap_or(id).min(id);
        told = deliveries::of_conversion(c, conversion)?;
    }
    Ok(Some(Known { lead, history: lead_changes::list(c, first)?, told }))
}

fn shown_one(known: &Known, site: &Site) -> Value {
    let mut shown = shown_lead(&known.lead, &site.zone);
    let change = |h: &Change| {
        json!({"at": shown::time(&site.zone, h.at), "who": h.who, "from": h.before.word(), "to": h.stage.word(),
            "value": shown::maybe_money(h.value)})
    };
    shown["history"] = known.history.iter().map(change).collect();
    let told = |d: &deliveries::Line| json!({"id": d.id, "platform": d.platform, "kind": d.kind, "mode": d.mode, "state": d.state, "reason": d.reason});
    shown["deliveries"] = known.told.iter().map(told).collect();
    shown
}
