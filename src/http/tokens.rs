//! Keys of programs: made, listed, revoked.

use serde_json::{Value, json};

use super::account::check_proved;
use super::ask::Ask;
use super::json as reader;
use super::reply::Reply;
use super::route::{Doc, Scope};
use crate::app::App;
use crate::domain::ids::TokenId;
use crate::domain::time::DAY_MS;
use crate::error::{Error, Result};
use crate::flows::tokens as flow;
use crate::store::tokens;

/// Ten years: longer is for ever, which is said by leaving the end away.
const MOST_DAYS: i64 = 3_650;

pub const LIST: Doc = Doc::new("Tokens", "The site's tokens; of each only its last characters.")
    .answer(r#"{"items":[{"token":"token_2","name":"Shop","scopes":["read","write"],"ends_in":"k3jP","created_at":"2026-06-13T09:20:00Z","expires_at":null,"last_used_at":null}]}"#)
    .statuses(&[200]);
pub const CREATE: Doc = Doc::new("Tokens", "Makes a token. Its text is shown once and not kept.")
    .body(r#"{"name":"Shop","scopes":["read","write"],"expires_days":365}"#)
    .answer(r#"{"secret":"ht_…"}"#)
    .statuses(&[201, 422]);
pub const REVOKE: Doc = Doc::new("Tokens", "Ends a token at once.").body("{}").nothing().statuses(&[204, 404]);

/// `GET /api/sites/{site}/tokens`
pub async fn list(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let all = app.store.read(site.id, tokens::list).await?;
    let shown: Vec<Value> = all
        .iter()
        .map(|t| {
            json!({
                "token": t.id,
                "name": t.name,
                "scopes": t.scopes.iter().map(|s| s.word()).collect::<Vec<_>>(),
                "ends_in": t.hint,
                "created_at": site.zone.text(t.created_at),
                "expires_at": t.expires_at.map(|at| site.zone.text(at)),
                "last_used_at": t.last_used_at.map(|at| site.zone.text(at)),
            })
        })
        .collect();
    Reply::json(&json!({ "items": shown }))
}

/// `POST /api/sites/{site}/tokens`
pub async fn create(app: App, ask: Ask) -> Result<Reply> {
    check_proved(&app, &ask)?;
    let fields = reader::object(&ask.body)?;
    let name = reader::required(&fields, "name", 100)?.trim().to_owned();
    let wrong = || Error::invalid("scopes", format!("Scopes are a list of {}.", Scope::list_words(&Scope::ALL)));
    let words = fields.get("scopes").and_then(Value::as_array).ok_or_else(wrong)?;
    let words = words.iter().map(|w| w.as_str().ok_or_else(wrong)).collect::<Result<Vec<_>>>()?;
    let scopes = Scope::parse_list(&words.join(",")).map_err(|_| wrong())?;
    let expires_at = match fields.get("expires_days") {
        None | Some(Value::Null) => None,
        Some(days) => {
            let days = days.as_i64().filter(|d| (1..=MOST_DAYS).contains(d));
            let days = days.ok_or_else(|| Error::invalid("expires_days", format!("Days from 1 to {MOST_DAYS}; empty for no end.")))?;
            Some(app.clock.now().plus_ms(days * DAY_MS))
        }
    };
    let secret = flow::create(&app, &ask.who(), ask.site()?.id, name, scopes, expires_at, None).await?;
    Reply::json_with(201, &json!({"secret": secret.reveal()}))
}

/// `POST /api/sites/{site}/tokens/{token}/revoke`
pub async fn revoke(app: App, ask: Ask) -> Result<Reply> {
    let id: TokenId = ask.param("token").parse().map_err(|()| Error::not_found("There is no such token."))?;
    flow::revoke(&app, &ask.who(), ask.site()?.id, id).await?;
    Ok(Reply::empty(204))
}
