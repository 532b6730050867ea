//! Senders whose bodies hold several events that stand each by itself: answered with counts, in the shape of the older
//! AnyTrack receiver, at the hook's own address and on its kept path.

use std::sync::Arc;

use serde_json::{Value, json};

use super::access;
use super::ask::Ask;
use super::cors;
use super::hooks::delivered;
use super::reply::{Reply, refusal};
use super::route::{Doc, Scope, Shape};
use super::senders::{bad_signature, refused};
use crate::app::App;
use crate::error::{Error, Kind, Result};
use crate::flows::intake::each::{self, message};
use crate::flows::replay::{home_of, sentence};
use crate::sources::anytrack::WITHOUT_TOKEN;
use crate::sources::{self, Batch, Heard, Reject, Verified};
use crate::store::connections::Connection;
use crate::store::sites::Site;

pub const ANYTRACK_PATH: &str = "/functions/v1/anytrack-webhook";
const ANYTRACK: &str = "anytrack";
/// Connections that one secret is tried against.
const MOST_TRIED: usize = 64;

pub const EVENTS: Doc = Doc::new(
    "Facts in",
    "Takes events of AnyTrack, one or a list. The connection is found by ?token= (the last part of its address), by its secret in x-webhook-secret, or by a Bearer token of its site.",
)
.body(r#"{"eventName":"Lead","email":"test@example.com","firstName":"Test","lastName":"User","eventValue":100,"currency":"AED","mainAttribution":{"source":"google","medium":"cpc","campaign":"test-campaign"}}"#)
.answer(r#"{"success":true,"processed":1,"errors":0,"message":"Processed 1 events from AnyTrack"}"#)
.statuses(&[200, 400, 401, 404, 413, 415, 422, 429, 503]);

/// `POST /functions/v1/anytrack-webhook`
pub async fn anytrack(app: App, ask: Ask) -> Result<Reply> {
    let (connection, is_asserted) = sender(&app, &ask).await?;
    let verified = Verified::by_our_own_word(&ask.body, ask.header("content-type").unwrap_or_default());
    take(&app, &ask, &connection, &verified, is_asserted).await
}

/// The connection whose owner takes events from anybody: off by default, and never where it could be another site's.
pub fn takes_bare(app: &App) -> Option<Arc<Connection>> {
    let book = app.book();
    let is_alone = book.sites().len() == 1;
    book.connections().find(|c| is_alone && c.platform == ANYTRACK && c.settings.is_on(WITHOUT_TOKEN)).cloned()
}

/// Stores each event and answers with counts: 200 unless none was taken.
pub async fn take(app: &App, ask: &Ask, connection: &Arc<Connection>, verified: &Verified<'_>, is_asserted: bool) -> Result<Reply> {
    let unknown = access::unknown_endpoint;
    let site = app.book().site(connection.site).cloned().ok_or_else(unknown)?;
    let webhook = sources::find(&connection.platform).and_then(|s| s.webhook()).ok_or_else(unknown)?;
    let items = match webhook.parse(verified, &connection.settings, &home_of(&site, app.clock.now())) {
        Ok(Heard::Each(items)) => items,
        Ok(_) => return Err(Error::internal(format!("{} is counted and tells no list", connection.platform))),
        Err(reject) => {
            each::unreadable(app, &site, connection, sentence(&reject)).await?;
            return Ok(readable(app, ask, &site, refusal(&refused(reject), Shape::AnyTrack, &ask.request_id)));
        }
    };
    let delivered = delivered(ask, Some(connection.id), &connection.platform, Batch::default(), is_asserted);
    let counted = each::run(app, &site, delivered, items).await?;
    let mut body = json!({
        "success": !counted.is_failure(),
        "processed": counted.processed,
        "errors": counted.errors,
        "message": message(&connection.platform, counted.processed),
    });
    if counted.errors > 0 {
        body["details"] =
            counted.details.iter().map(|(index, error)| json!({"index": index, "error": error})).collect::<Vec<Value>>().into();
    }
    let status = if counted.is_failure() { 422 } else { 200 };
    Ok(readable(app, ask, &site, Reply::json_with(status, &body)?))
}

/// For a page of the site that sent it.
fn readable(app: &App, ask: &Ask, site: &Site, reply: Reply) -> Reply {
    match cors::origin_of(ask) {
        Some(origin) if cors::allowed(site, &app.config.cors_origins, &origin) => cors::open(reply, &origin),
        Some(_) => cors::vary(reply),
        None => reply,
    }
}

/// Whose events these are, and whether that is only said. What is offered as a proof must be one.
async fn sender(app: &App, ask: &Ask) -> Result<(Arc<Connection>, bool)> {
    let book = app.book();
    if let Some(token) = ask.bearer() {
        let (_, site) = access::prove(app, token, Scope::Write).await?;
        let own = book.connections_of(site.id).find(|c| c.platform == ANYTRACK).cloned();
        let how = "This site has no AnyTrack connection yet. Connect AnyTrack in the dashboard, or with `halotrack connection add`.";
        return own.map(|c| (c, false)).ok_or_else(|| Error::new(Kind::NotFound, "no_connection", how));
    }
    let by_address = ask.query("token").and_then(|token| book.connection_by_hook(token)).filter(|c| c.platform == ANYTRACK);
    if let Some(connection) = by_address {
        return Ok((connection.clone(), false));
    }
    let secret = ask.header("x-webhook-secret").or(ask.query("token")).or(ask.query("secret"));
    let found = match secret {
        Some(secret) => by_secret(app, secret).map(|c| (c, false)),
        None => takes_bare(app).map(|c| (c, true)),
    };
    match found {
        Some(found) => Ok(found),
        None => Err(bad_signature(app, ask, None, &Reject::BadSignature).await),
    }
}

/// The one connection with this secret; of two with the same one nobody can say which is meant.
fn by_secret(app: &App, claimed: &str) -> Option<Arc<Connection>> {
    let book = app.book();
    let now = app.clock.now();
    let fits = |c: &&Arc<Connection>| {
        let live: Vec<_> = c.secrets.live(now).all("secret").iter().filter(|s| !s.reveal().is_empty()).cloned().collect();
        Verified::by_shared_secret(&live, claimed, b"", "").is_some()
    };
    let all: Vec<Arc<Connection>> = book.connections().filter(|c| c.platform == ANYTRACK).take(MOST_TRIED).filter(fits).cloned().collect();
    match all.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    }
}
