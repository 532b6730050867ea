//! Filters under a name: listed, kept, changed, taken away.

use serde_json::{Map, Value, json};

use super::ask::Ask;
use super::json as reader;
use super::reply::Reply;
use super::route::Doc;
use super::shown;
use crate::app::App;
use crate::domain::ids::SegmentId;
use crate::domain::rights::Right;
use crate::domain::segment::{self, Filters, Segment};
use crate::error::{Error, Result};
use crate::flows::segments::{self, Keeper};
use crate::store;
use crate::store::sites::Site;

const BODY: &str = r#"{"name":"Paid ads","filters":{"channel":["~paid"],"amount":["50.."]},"scope":"site"}"#;
const ONE: &str = r#"{"segment":"segment_1","name":"Paid ads","filters":{"channel":["~paid"]},"scope":"site","may_change":true,"who":"user_1","created_at":"2026-06-13T10:20:00+01:00"}"#;

pub const LIST: Doc = Doc::new("Segments", "Filters under a name: everybody's, and one's own.")
    .answer(r#"{"items":[{"segment":"segment_1","name":"Paid ads","filters":{"channel":["~paid"]},"scope":"site","may_change":true}]}"#);
pub const ADD: Doc = Doc::new(
    "Segments",
    "Keeps filters under a name, written as in the parameters of a report: for oneself, or with scope site for everybody.",
)
.body(BODY)
.answer(ONE)
.statuses(&[201, 400, 401, 403, 409, 422]);
pub const CHANGE: Doc = Doc::new("Segments", "Gives a segment another name, other filters, or both.")
    .body(r#"{"name":"Paid search and social"}"#)
    .answer(ONE)
    .statuses(&[200, 400, 401, 403, 404, 409, 422]);
pub const REMOVE: Doc =
    Doc::new("Segments", "Takes a segment away. Addresses that were copied keep their filters.").statuses(&[204, 401, 403, 404]);

/// `GET /api/sites/{site}/segments`
pub async fn list(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let keeper = keeper(&ask);
    let user = keeper.user;
    let all = app.store.read(site.id, move |c| store::segments::list(c, user)).await?;
    let items: Vec<Value> = all.iter().map(|s| shown_segment(s, site, &keeper)).collect();
    Reply::json(&json!({"items": items}))
}

/// `POST /api/sites/{site}/segments`
pub async fn add(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let fields = reader::object(&ask.body)?;
    let name = segment::read_name(reader::required(&fields, "name", 300)?)?;
    let filters = segment::read_filters(fields.get("filters").unwrap_or(&Value::Null))?;
    let is_everybodys = match reader::text(&fields, "scope", 10)? {
        Some("site") => true,
        None | Some("mine") => false,
        Some(_) => return Err(Error::invalid("scope", "scope is mine or site.")),
    };
    let keeper = keeper(&ask);
    let made = segments::add(&app, site.id, name, filters, is_everybodys, keeper.clone()).await?;
    Reply::json_with(201, &shown_segment(&made, site, &keeper))
}

/// `POST /api/sites/{site}/segments/{segment}`
pub async fn change(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let id = id(&ask)?;
    let fields = reader::object(&ask.body)?;
    let name = reader::text(&fields, "name", 300)?.map(segment::read_name).transpose()?;
    let filters: Option<Filters> = fields.get("filters").filter(|v| !v.is_null()).map(segment::read_filters).transpose()?;
    let keeper = keeper(&ask);
    let changed = segments::change(&app, site.id, id, name, filters, keeper.clone()).await?;
    Reply::json(&shown_segment(&changed, site, &keeper))
}

/// `DELETE /api/sites/{site}/segments/{segment}`
pub async fn remove(app: App, ask: Ask) -> Result<Reply> {
    segments::remove(&app, ask.site()?.id, id(&ask)?, keeper(&ask)).await?;
    Ok(Reply::empty(204))
}

/// The fields of a share link or an invitation whose part is named by a segment that everybody sees: its filters take the place
/// of its name, as they are now. A segment that changes later changes nobody's part.
pub async fn spelled_out(app: &App, site: &Site, mut fields: Map<String, Value>) -> Result<Map<String, Value>> {
    let Some(Value::String(text)) = fields.get("segment") else { return Ok(fields) };
    let unknown = || Error::invalid("segment", "There is no such segment that everybody sees.");
    let id: SegmentId = text.parse().map_err(|()| unknown())?;
    let known = app.store.read(site.id, move |c| store::segments::find(c, id, None)).await?.ok_or_else(unknown)?;
    fields.insert("segment".into(), json!(known.filters));
    Ok(fields)
}

fn id(ask: &Ask) -> Result<SegmentId> {
    ask.param("segment").parse().map_err(|()| Error::not_found("A segment's id looks like segment_4."))
}

fn keeper(ask: &Ask) -> Keeper {
    Keeper { user: ask.user().ok().map(|(user, _)| user), may_edit: ask.may(Right::Edit), who: ask.who() }
}

fn shown_segment(s: &Segment, site: &Site, keeper: &Keeper) -> Value {
    json!({
        "segment": s.id,
        "name": s.name,
        "filters": s.filters,
        "scope": if s.user.is_some() { "mine" } else { "site" },
        "may_change": s.user.is_some() || keeper.may_edit,
        "who": s.who,
        "created_at": shown::time(&site.zone, s.created_at),
    })
}
