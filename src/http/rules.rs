//! One name for several spellings of a source, a medium or a campaign: read, tried, made, taken away.

use serde_json::{Map, Value, json};

use super::ask::Ask;
use super::json as reader;
use super::reply::Reply;
use super::reports::tables::shown_earned;
use super::route::Doc;
use super::shown;
use crate::app::App;
use crate::domain::campaign::{Utm, landing};
use crate::domain::ids::RuleId;
use crate::domain::naming;
use crate::domain::rule::{self, Renamed, Rule, Spelling};
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
pub const TRY: Doc = Doc::new(
    "Rules",
    "What a visit would be called: by its `url`, its `referrer`, or words of its link; with the rules that stand, and with one more.",
)
.body(r#"{"url":"https://shop.example/?utm_source=fb&utm_medium=cpc","referrer":"https://l.facebook.com/","rule":{"dimension":"source","from":"facebook","to":"meta"}}"#)
.answer(r#"{"reasons":[{"by":"link","text":"The link names the source: utm_source=fb."}],"before":{"source":"facebook","medium":"cpc","campaign":null,"channel":"Paid Social","rules":[]},"after":{"source":"meta","medium":"cpc","campaign":null,"channel":"Paid Social","rules":[{"dimension":"source","from":"facebook","to":"meta","within":null}]},"is_changed":true}"#)
.statuses(&[200, 400, 401, 403, 409, 422]);
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

/// `POST /api/sites/{site}/rules/try`
pub async fn attempt(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let fields = reader::object(&ask.body)?;
    let word = |name: &str, most: usize| reader::text(&fields, name, most).map(|t| t.map(str::trim).filter(|t| !t.is_empty()));
    let (url, referrer) = (word("url", 8_192)?, word("referrer", 2_048)?);
    let typed = Utm {
        source: word("source", 255)?.map(str::to_owned),
        medium: word("medium", 255)?.map(str::to_owned),
        campaign: word("campaign", 255)?.map(str::to_owned),
        ..Utm::default()
    };
    if url.is_none() && referrer.is_none() && typed.is_empty() {
        return Err(Error::invalid("url", "Give an address of a visit, a referrer, or words of a link."));
    }
    let new = match fields.get("rule") {
        None | Some(Value::Null) => None,
        Some(Value::Object(rule)) => Some(spelling(rule)?),
        Some(_) => return Err(Error::invalid("rule", "rule is {dimension, from, to, within}.")),
    };
    let landed = landing(url.unwrap_or_default(), &site.settings.extra_params);
    let domains: Vec<&str> = site.domains.iter().map(String::as_str).collect();
    let (origin, reasons) = naming::explained(&typed.or(landed.utm), &landed.clicks, referrer, &domains);
    let standing = app.store.read(site.id, store::rules::list).await?;
    if let Some(new) = &new {
        rule::admit(&standing, new)?;
    }
    let mut all: Vec<Spelling> = standing.into_iter().map(|rule| rule.spelling).collect();
    let before = naming::shown(&origin, &all);
    let after = new.map(|new| {
        all.push(new);
        naming::shown(&origin, &all)
    });
    let names = |n: &naming::Shown| (n.source.clone(), n.medium.clone(), n.campaign.clone());
    let is_changed = after.as_ref().is_some_and(|after| names(after) != names(&before));
    Reply::json(&json!({
        "reasons": reasons.iter().map(|r| json!({"by": r.by, "text": r.text})).collect::<Vec<_>>(),
        "before": shown_naming(&before),
        "after": after.as_ref().map(shown_naming),
        "is_changed": is_changed,
    }))
}

fn shown_naming(n: &naming::Shown) -> Value {
    let rules: Vec<Value> =
        n.rules.iter().map(|s| json!({"dimension": s.dimension.word(), "from": s.from, "to": s.to, "within": s.within})).collect();
    let campaign = (!n.campaign.is_empty()).then_some(n.campaign.as_str());
    json!({"source": n.source, "medium": n.medium, "campaign": campaign, "channel": n.channel, "rules": rules})
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
    spelling(&reader::object(&ask.body)?)
}

fn spelling(fields: &Map<String, Value>) -> Result<Spelling> {
    /// Longer than this is refused before it is looked at.
    const MOST: usize = 300;
    let dimension = Renamed::parse(reader::required(fields, "dimension", 20)?)
        .ok_or_else(|| Error::invalid("dimension", "A rule is for a source, a medium or a campaign."))?;
    let (from, to) = (reader::required(fields, "from", MOST)?, reader::required(fields, "to", MOST)?);
    Spelling::new(dimension, from, to, reader::text(fields, "within", MOST)?)
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
