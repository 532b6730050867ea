//! Funnels of a site: listed, named, changed, taken away. Their figures are a report.

use serde_json::{Value, json};

use super::ask::Ask;
use super::json as reader;
use super::reply::Reply;
use super::route::Doc;
use super::shown;
use crate::app::App;
use crate::domain::funnel::{self, Funnel};
use crate::domain::ids::FunnelId;
use crate::domain::milestone::kinds;
use crate::error::{Error, Result};
use crate::flows::funnels;
use crate::store;
use crate::store::sites::Site;

const BODY: &str = r#"{"name":"Pricing to order","steps":[{"kind":"page","path":"/pricing*"},{"kind":"lead"},{"kind":"milestone","milestone":"event_attended","source":"zoom"},{"kind":"order","minimum":{"minor":5000,"currency":"EUR"}}],"order":"in_order","window_days":30}"#;
const ONE: &str = r#"{"funnel":"funnel_1","name":"Pricing to order","steps":[{"kind":"page","path":"/pricing*"},{"kind":"order","minimum":null}],"order":"in_order","window_days":30,"who":"user_1","created_at":"2026-06-13T10:20:00+01:00"}"#;

pub const LIST: Doc = Doc::new("Funnels", "Funnels by name, and the words of milestones that a step may have on this site.")
    .answer(r#"{"items":[{"funnel":"funnel_1","name":"Pricing to order","steps":[],"order":"in_order","window_days":null}],"milestones":["lead_captured"]}"#);
pub const ADD: Doc = Doc::new(
    "Funnels",
    "Names a funnel of 2 to 8 steps. A step is a page (a visit began on it, or an event of the tag happened on it; * is any run of letters), an event of the tag, a lead, a milestone (of one source, or any), an order (of a minimum, or any), a sign_up, a custom conversion or a refund. order: in_order (whatever else comes in between), strict (nothing of the funnel in between), any (the first one first, the others in any order). window_days: how long the way may take from its first step.",
)
.body(BODY)
.answer(ONE)
.statuses(&[201, 400, 401, 403, 409, 422]);
pub const CHANGE: Doc = Doc::new("Funnels", "Gives a funnel another name, other steps with their order and window, or both.")
    .body(BODY)
    .answer(ONE)
    .statuses(&[200, 400, 401, 403, 404, 409, 422]);
pub const REMOVE: Doc = Doc::new("Funnels", "Takes a funnel away. What people did stays as it is.").statuses(&[204, 401, 403, 404]);

/// `GET /api/sites/{site}/funnels`
pub async fn list(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let all = app.store.read(site.id, store::funnels::list).await?;
    let items: Vec<Value> = all.iter().map(|f| shown_funnel(f, site)).collect();
    Reply::json(&json!({"items": items, "milestones": kinds(&site.settings.funnel_types)}))
}

/// `POST /api/sites/{site}/funnels`
pub async fn add(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let fields = reader::object(&ask.body)?;
    let name = funnel::read_name(reader::required(&fields, "name", 300)?)?;
    let plan = funnel::read_plan(&fields, &site.settings.funnel_types, site.currency)?;
    let made = funnels::add(&app, site, name, plan, ask.who()).await?;
    Reply::json_with(201, &shown_funnel(&made, site))
}

/// `POST /api/sites/{site}/funnels/{funnel}`
pub async fn change(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let id = id(&ask)?;
    let fields = reader::object(&ask.body)?;
    let name = reader::text(&fields, "name", 300)?.map(funnel::read_name).transpose()?;
    let is_planned = ["steps", "order", "window_days"].iter().any(|name| fields.contains_key(*name));
    let plan = is_planned.then(|| funnel::read_plan(&fields, &site.settings.funnel_types, site.currency)).transpose()?;
    let changed = funnels::change(&app, site, id, name, plan, ask.who()).await?;
    Reply::json(&shown_funnel(&changed, site))
}

/// `DELETE /api/sites/{site}/funnels/{funnel}`
pub async fn remove(app: App, ask: Ask) -> Result<Reply> {
    funnels::remove(&app, ask.site()?, id(&ask)?, ask.who()).await?;
    Ok(Reply::empty(204))
}

fn id(ask: &Ask) -> Result<FunnelId> {
    ask.param("funnel").parse().map_err(|()| Error::not_found("A funnel's id looks like funnel_4."))
}

pub fn shown_funnel(f: &Funnel, site: &Site) -> Value {
    let steps: Vec<Value> = f.plan.steps.iter().map(|step| step.shown(site.currency)).collect();
    json!({
        "funnel": f.id,
        "name": f.name,
        "steps": steps,
        "order": f.plan.order,
        "window_days": f.plan.window_days,
        "who": f.who,
        "created_at": shown::time(&site.zone, f.created_at),
    })
}
