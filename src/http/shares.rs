//! Share links: made, listed with their views, revoked.

use serde_json::{Value, json};

use super::ask::Ask;
use super::json as reader;
use super::people::sight;
use super::reply::Reply;
use super::route::Doc;
use super::segments::spelled_out;
use crate::app::App;
use crate::crypto::Secret;
use crate::domain::ids::ShareId;
use crate::domain::share::{SharedPage, frames};
use crate::domain::time::DAY_MS;
use crate::error::{Error, Result};
use crate::flows::shares as flow;
use crate::store::shares::{self, NewShare};

const MOST_DAYS: i64 = 3_650;

pub const LIST: Doc = Doc::new("Sharing", "Share links that were not revoked, with their addresses and views.")
    .answer(r#"{"items":[{"share":"share_1","name":"For the agency","link":"https://t.shop.example/s/…","pages":["overview","sources"],"frames":[],"has_password":true,"segment":{"source":["google"]},"hides_money":false,"hides_people":true,"created_at":"2026-06-13T09:20:00Z","expires_at":null,"is_over":false,"views":4,"last_viewed_at":null}]}"#)
    .statuses(&[200]);
pub const ADD: Doc = Doc::new("Sharing", "Makes a link to read-only pages: a locked part, with or without amounts and people. The part may be named by a segment that everybody sees, segment_3: its filters as they are now.")
    .body(r#"{"name":"For the agency","pages":["overview","sources"],"frames":["https://agency.example"],"segment":{"source":["google"]},"hides_money":false,"hides_people":true,"password":"eight or more","expires_days":30}"#)
    .answer(r#"{"share":"share_1","link":"https://t.shop.example/s/…"}"#)
    .statuses(&[201, 422]);
pub const REVOKE: Doc = Doc::new("Sharing", "Ends a link at once.").body("{}").nothing().statuses(&[204, 404]);

/// `GET /api/sites/{site}/shares`
pub async fn list(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let now = app.clock.now();
    let all = app.store.read(site.id, shares::list).await?;
    let items: Vec<Value> = all
        .iter()
        .map(|(s, token)| {
            json!({
                "share": s.id,
                "name": s.name,
                "link": flow::address(&app, token),
                "pages": s.pages,
                "frames": s.frames,
                "has_password": s.password_hash.is_some(),
                "segment": s.sight.segment,
                "hides_money": s.sight.hides_money,
                "hides_people": s.sight.hides_people,
                "created_at": site.zone.text(s.created_at),
                "expires_at": s.expires_at.map(|at| site.zone.text(at)),
                "is_over": s.expires_at.is_some_and(|at| at <= now),
                "views": s.views,
                "last_viewed_at": s.last_viewed_at.map(|at| site.zone.text(at)),
            })
        })
        .collect();
    Reply::json(&json!({ "items": items }))
}

/// `POST /api/sites/{site}/shares`
pub async fn add(app: App, ask: Ask) -> Result<Reply> {
    let fields = reader::object(&ask.body)?;
    reader::only(&fields, &["name", "pages", "frames", "segment", "hides_money", "hides_people", "password", "expires_days"])?;
    let fields = spelled_out(&app, ask.site()?, fields).await?;
    let name = reader::required(&fields, "name", 100)?.trim().to_owned();
    let expires_at = match fields.get("expires_days") {
        None | Some(Value::Null) => None,
        Some(days) => {
            let days = days.as_i64().filter(|d| (1..=MOST_DAYS).contains(d));
            let days = days.ok_or_else(|| Error::invalid("expires_days", format!("Days from 1 to {MOST_DAYS}; empty for no end.")))?;
            Some(app.clock.now().plus_ms(days * DAY_MS))
        }
    };
    let given = reader::text(&fields, "password", 1_000)?.filter(|p| !p.is_empty()).map(Secret::new);
    let (pages, frames) = (SharedPage::read(fields.get("pages"))?, frames(fields.get("frames"))?);
    let new = NewShare { name, sight: sight(&fields)?, pages, frames, password_hash: None, created_by: ask.who(), expires_at };
    let (id, link) = flow::add(&app, ask.site()?.id, new, given).await?;
    Reply::json_with(201, &json!({"share": id, "link": link}))
}

/// `POST /api/sites/{site}/shares/{share}/revoke`
pub async fn revoke(app: App, ask: Ask) -> Result<Reply> {
    let id: ShareId = ask.param("share").parse().map_err(|()| Error::not_found("There is no such link."))?;
    flow::revoke(&app, ask.site()?.id, id, &ask.who()).await?;
    Ok(Reply::empty(204))
}
