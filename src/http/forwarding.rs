//! `POST /api/conversions/{id}/sync`: one conversion for one platform.

use serde_json::{Value, json};

use super::ask::Ask;
use super::json as reader;
use super::reply::Reply;
use super::route::Doc;
use super::shown;
use crate::app::App;
use crate::domain::ids::ConversionId;
use crate::domain::reason;
use crate::domain::time::Zone;
use crate::error::{Error, Result};
use crate::flows::forwarding;
use crate::store::deliveries::Delivery;

/// Longest name of a destination that is read.
const LONGEST: usize = 40;

pub const SYNC: Doc = Doc::new(
    "Conversions API",
    "Tells one platform of a conversion, and says where that stands. Asked again, it is the same delivery. A destination is a platform, \
     or a connection (con_7) where there are several of it.",
)
.body(r#"{"destination":"meta"}"#)
.answer(r#"{"data":{"id":"delivery_9","platform":"meta","connection":"con_7","kind":"Purchase","mode":"live","state":"pending","reason":null,"reason_text":null,"event_id":"order_1001","attempts":0}}"#)
.statuses(&[200, 400, 401, 403, 404, 422]);

pub async fn sync(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.clone();
    let id: ConversionId = ask.param("id").parse().map_err(|()| Error::not_found("There is no such conversion."))?;
    let fields = reader::object(&ask.body)?;
    let destination = reader::required(&fields, "destination", LONGEST)?.trim().to_owned();
    let delivery = forwarding::run(&app, &site, id, &destination).await?;
    Reply::json(&json!({ "data": shown(&delivery, &site.zone) }))
}

/// The state as the documents write it, with its reason: `skipped(shadow)`.
fn shown(d: &Delivery, zone: &Zone) -> Value {
    let state = match d.reason.as_deref().filter(|_| !d.is_check()) {
        Some(reason) => format!("{}({reason})", d.state),
        None => d.state.clone(),
    };
    json!({
        "id": d.id,
        "conversion": d.conversion,
        "connection": d.connection,
        "platform": d.platform,
        "kind": d.kind,
        "mode": d.mode,
        "state": state,
        "reason": d.reason,
        "reason_text": reason::sentence(&d.state, d.reason.as_deref()),
        "event_id": d.event_id,
        "attempts": d.attempts,
        "created_at": shown::time(zone, d.created_at),
    })
}
