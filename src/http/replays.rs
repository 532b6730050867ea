//! What the owner does by hand: deliveries sent again or ended, kept bodies run again.

use serde_json::{Value, json};

use super::ask::Ask;
use super::deliveries;
use super::json as reader;
use super::reply::Reply;
use super::route::Doc;
use crate::app::App;
use crate::domain::ids::{DeliveryId, InboxId};
use crate::error::{Error, Result};
use crate::flows::{dismissal, replay};

pub const REPLAY: Doc = Doc::new("Deliveries", "Sends deliveries again with their event ids; five a second; with preview it only says what would happen. In place of deliveries, a filter such as the list takes: {\"filter\":{\"state\":\"dead\",\"platform\":[\"meta\"]}}.")
    .body(r#"{"deliveries":["delivery_9"],"preview":true}"#)
    .answer(r#"{"count":14,"older_than_48h":3,"warning":"3 are older than 48 hours: Meta may count them twice.","replayed":0,"left_out":0}"#)
    .statuses(&[200, 400, 401, 403, 404, 422]);
pub const CANCEL: Doc = Doc::new("Deliveries", "Ends deliveries that wait.")
    .body(r#"{"deliveries":["delivery_9"]}"#)
    .answer(r#"{"cancelled":1}"#)
    .statuses(&[200, 400, 401, 403, 404, 422]);
pub const INBOX: Doc = Doc::new("Inbox", "Runs a kept body again through today's parser.")
    .body("{}")
    .answer(r#"{"status":"accepted","id":"in_4","facts":1}"#)
    .statuses(&[200, 401, 403, 404, 409]);

pub const DISMISS: Doc =
    Doc::new("Inbox", "Says of a body that could not be read that it needs nobody: it stays in the list and asks no more.")
        .body("{}")
        .answer(r#"{"status":"dismissed","id":"in_4"}"#)
        .statuses(&[200, 401, 403, 404, 409]);

/// `POST /api/sites/{site}/deliveries/replay`
pub async fn replay(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let fields = reader::object(&ask.body)?;
    let is_preview = fields.get("preview") == Some(&Value::Bool(true));
    let done = match fields.get("filter") {
        None => replay::deliveries(&app, &site, ids(&fields)?, is_preview).await?,
        Some(_) if fields.contains_key("deliveries") => {
            return Err(Error::invalid("filter", "Name deliveries or a filter, not both."));
        }
        Some(filter) => {
            let wanted = deliveries::read_pairs(&app, &pairs(filter)?, &site, ask.may_see_people())?;
            replay::matching(&app, &site, wanted, is_preview).await?
        }
    };
    Reply::json(&done)
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

/// `POST /api/sites/{site}/inbox/{id}/dismiss`
pub async fn dismiss(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let id: InboxId = ask.param("id").parse().map_err(|()| Error::not_found("An inbox id looks like in_4."))?;
    dismissal::run(&app, &site, id, &ask.who()).await?;
    Reply::json(&json!({"status": "dismissed", "id": id}))
}

/// What a filter may name: as the list of deliveries, but for pages.
const FILTERS: [&str; 8] = ["from", "to", "platform", "connection", "state", "kind", "conversion", "q"];

/// A filter as an object, several values as a list, read like the parameters of the list.
fn pairs(filter: &Value) -> Result<Vec<(String, String)>> {
    let wrong = || Error::invalid("filter", format!("filter is an object of texts or lists of texts under {}.", FILTERS.join(", ")));
    let mut pairs = Vec::new();
    for (name, value) in filter.as_object().ok_or_else(wrong)? {
        if !FILTERS.contains(&name.as_str()) {
            return Err(wrong());
        }
        let values = match value {
            Value::Array(values) => values.as_slice(),
            one => std::slice::from_ref(one),
        };
        for value in values {
            pairs.push((name.clone(), value.as_str().ok_or_else(wrong)?.to_owned()));
        }
    }
    Ok(pairs)
}

fn ids(fields: &serde_json::Map<String, Value>) -> Result<Vec<DeliveryId>> {
    let wrong = || Error::invalid("deliveries", "deliveries must be a list of ids like delivery_9.");
    let list = fields.get("deliveries").and_then(Value::as_array).filter(|l| !l.is_empty()).ok_or_else(wrong)?;
    list.iter().map(|id| id.as_str().and_then(|t| t.parse().ok()).ok_or_else(wrong)).collect()
}
