//! What the owner does by hand: deliveries sent again or ended, kept bodies run again.

use serde_json::{Value, json};

use super::ask::Ask;
use super::json as reader;
use super::reply::Reply;
use super::route::Doc;
use crate::app::App;
use crate::domain::ids::{DeliveryId, InboxId};
use crate::error::{Error, Result};
use crate::flows::replay;

pub const REPLAY: Doc = Doc::new("Deliveries", "Sends deliveries again with their event ids; with preview it only says what would happen.")
    .body(r#"{"deliveries":["delivery_9"],"preview":true}"#)
    .answer(r#"{"count":14,"older_than_48h":3,"warning":"3 are older than 48 hours: Meta may count them twice.","replayed":0}"#)
    .statuses(&[200, 400, 401, 403, 404, 422]);
pub const CANCEL: Doc = Doc::new("Deliveries", "Ends deliveries that wait.")
    .body(r#"{"deliveries":["delivery_9"]}"#)
    .answer(r#"{"cancelled":1}"#)
    .statuses(&[200, 400, 401, 403, 404, 422]);
pub const INBOX: Doc = Doc::new("Inbox", "Runs a kept body again through today's parser.")
    .body("{}")
    .answer(r#"{"status":"accepted","id":"in_4","facts":1}"#)
    .statuses(&[200, 401, 403, 404, 409]);

/// `POST /api/sites/{site}/deliveries/replay`
pub async fn replay(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let fields = reader::object(&ask.body)?;
    let ids = ids(&fields)?;
    let is_preview = fields.get("preview") == Some(&Value::Bool(true));
    Reply::json(&replay::deliveries(&app, &site, ids, is_preview).await?)
}

/// `POST /api/sites/{site}/deliveries/cancel`
pub async fn cancel(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let ids = ids(&reader::object(&ask.body)?)?;
    let cancelled = replay::cancel(&app, &site, ids).await?;
    Reply::json(&json!({"cancelled": cancelled}))
}

/// `POST /api/sites/{site}/inbox/{id}/replay`
pub async fn inbox(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let id: InboxId = ask.param("id").parse().map_err(|()| Error::not_found("An inbox id looks like in_4."))?;
    Reply::json(&replay::body(&app, &site, id).await?)
}

fn ids(fields: &serde_json::Map<String, Value>) -> Result<Vec<DeliveryId>> {
    let wrong = || Error::invalid("deliveries", "deliveries must be a list of ids like delivery_9.");
    let list = fields.get("deliveries").and_then(Value::as_array).filter(|l| !l.is_empty()).ok_or_else(wrong)?;
    list.iter().map(|id| id.as_str().and_then(|t| t.parse().ok()).ok_or_else(wrong)).collect()
}
