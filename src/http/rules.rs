//! One name for several spellings of a source, a medium or a campaign: read, tried, made, taken away.

use serde_json::{Value, json};

use super::ask::Ask;
use super::json as reader;
use super::reply::Reply;
use super::reports::tables::shown_earned;
use super::route::Doc;
use super::shown;
use crate::app::App;
use crate::domain::ids::RuleId;
use crate::domain::rule::{Renamed, Rule, Spelling};
use crate::domain::time::Zone;
use crate::error::{Error, Result};
use crate::flows::rules::{self, PREVIEW_DAYS};
use crate::store;
use crate::store::questions::tables::TableRow;

const BODY: &str = r#"{"dimension":"source","from":"fb","to":"facebook"}"#;
const RULE: &str = r#"{"id":"rule_1","dimension":"source","from":"fb","to":"facebook","within":null,"who":"user_1","created_at":"2026-06-13T10:20:00+01:00"}"#;

pub const LIST: Doc = Doc::new("Rules", "Rules for names. They change what reports and lists show; what is stored keeps its words.")
    .answer(r#"{"items":[{"id":"rule_1","dimension":"source","from":"fb","to":"facebook","within":null}]}"#);
pub const PREVIEW: Doc = Doc::new("Rules", "What a rule would move in the last 90 days, and into which row. Nothing is changed.")
    .body(BODY)
    .answer(r#"{"days":90,"into":"facebook","is_merge":true,"moved":{"visits":40,"conversions":2},"there":{"visits":310,"conversions":9}}"#)
    .statuses(&[200, 400, 401, 403, 409, 422]);
pub const ADD: Doc = Doc::new("Rules", "Makes a rule; with `within` for the media or campaigns of one source only.")
    .body(BODY)
    .answer(RULE)
    .statuses(&[201, 400, 401, 403, 409, 422]);
pub const REMOVE: Doc = Doc::new("Rules", "Takes a rule away; everything has its own name again.").statuses(&[204, 401, 403, 404]);

/// `GET /api/sites/{site}/rules`
pub async fn list(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let all = app.store.read(site.id, store::rules::list).await?;
    let items: Vec<Value> = all.iter().map(|rule| shown_rule(rule, &site.zone)).collect();
    Reply::json(&json!({"items": items}))
}

/// `POST /api/sites/{site}/rules/preview`
pub async fn preview(app: App, ask: Ask) -> Result<Reply> {
    let preview = rules::preview(&app, ask.site()?, read(&ask)?).await?;
    Reply::json(&json!({
        "days": PREVIEW_DAYS,
        "into": preview.into,
        "is_merge": preview.is_merge,
        "moved": shown_row(&preview.moved),
        "there": shown_row(&preview.there),
    }))
}

/// `POST /api/sites/{site}/rules`
pub async fn add(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let rule = rules::add(&app, site, read(&ask)?, &ask.who()).await?;
    Reply::json_with(201, &shown_rule(&rule, &site.zone))
}

/// `DELETE /api/sites/{site}/rules/{id}`
pub async fn remove(app: App, ask: Ask) -> Result<Reply> {
    let id: RuleId = ask.param("id").parse().map_err(|()| Error::not_found("A rule's id looks like rule_4."))?;
    rules::remove(&app, ask.site()?, id, &ask.who()).await?;
    Ok(Reply::empty(204))
}

fn read(ask: &Ask) -> Result<Spelling> {
    /// Longer than this is refused before it is looked at.
    const MOST: usize = 300;
    let fields = reader::object(&ask.body)?;
    let dimension = Renamed::parse(reader::required(&fields, "dimension", 20)?)
        .ok_or_else(|| Error::invalid("dimension", "A rule is for a source, a medium or a campaign."))?;
    let (from, to) = (reader::required(&fields, "from", MOST)?, reader::required(&fields, "to", MOST)?);
    Spelling::new(dimension, from, to, reader::text(&fields, "within", MOST)?)
}

fn shown_row(row: &TableRow) -> Value {
    let mut shown = shown_earned(&row.own);
    shown["visits"] = row.visits.into();
    shown
}

fn shown_rule(rule: &Rule, zone: &Zone) -> Value {
    let s = &rule.spelling;
    json!({"id": rule.id, "dimension": s.dimension.word(), "from": s.from, "to": s.to, "within": s.within, "who": rule.who,
        "created_at": shown::time(zone, rule.created_at)})
}
