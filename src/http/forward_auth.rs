//! A touch without a script: the reverse proxy in front of the shop asks, before it serves a page.

use serde_json::{Map, Value};

use super::ask::Ask;
use super::reply::Reply;
use super::route::Doc;
use super::touch::{cut, read};
use super::visitor;
use crate::app::App;
use crate::domain::device;
use crate::error::Result;
use crate::flows::session_id;
use crate::flows::touch::{self, PageTouch};

pub const EDGE: Doc =
    Doc::new("Pages", "For nginx auth_request, Caddy forward_auth and Traefik forwardAuth: sets the cookie and queues the touch.")
        .answer("")
        .statuses(&[204]);

/// Nothing here may hold up or break the page: whatever is missing, the answer is 204.
pub async fn edge(app: App, ask: Ask) -> Result<Reply> {
    let told = |names: &[&str]| names.iter().find_map(|n| ask.header(n)).filter(|_| ask.is_peer_trusted).map(str::to_owned);
    let host = told(&["x-original-host", "x-forwarded-host"]).unwrap_or_else(|| ask.host.clone()).to_lowercase();
    let host = host.split(':').next().unwrap_or_default().to_owned();
    let Some(site) = app.book().site_by_host(&host).cloned() else { return Ok(Reply::empty(204)) };
    let uri = told(&["x-original-uri", "x-forwarded-uri"]).unwrap_or_else(|| "/".into());
    let method = told(&["x-original-method", "x-forwarded-method"]).unwrap_or_else(|| "GET".into());
    let agent = cut(ask.header("user-agent").unwrap_or_default(), 1_024);
    let is_page = method == "GET"
        && ask.header("sec-fetch-dest").map_or_else(|| ask.header("accept").is_some_and(|a| a.contains("text/html")), |d| d == "document")
        && !ask.header("sec-purpose").or(ask.header("purpose")).is_some_and(device::may_be_prefetch);
    let told = app.agents.read(&agent);
    if !is_page || told.is_bot {
        return Ok(Reply::empty(204));
    }
    let mut fields = Map::new();
    fields.insert("landing".into(), Value::from(uri));
    if let Some(referrer) = ask.header("referer") {
        fields.insert("referrer".into(), Value::from(referrer));
    }
    let now = app.clock.now();
    let Ok(read) = read(&site, &fields, &ask, &agent, told.device, Some(ask.client)) else { return Ok(Reply::empty(204)) };
    if !touch::may_keep(&site, &read) {
        let queued = app.clone();
        let anonymous = PageTouch { at: now, claim: session_id::oldest(visitor::cookies(&ask), &site.keys.session), ..read };
        tokio::spawn(async move { touch::queued(&queued, &site, anonymous).await });
        return Ok(Reply::empty(204));
    }
    let known = session_id::oldest(visitor::cookies(&ask), &site.keys.session);
    let key = known.unwrap_or_else(|| session_id::issue(now));
    let sealed = key.sealed(&site.keys.session);
    let reply = Reply::empty(204)
        .with("x-halo-session", sealed.clone())
        .with("set-cookie", visitor::cookie(&sealed, 365 * 86_400, &site, ask.is_https));
    let queued = app.clone();
    let page = PageTouch { at: now, claim: Some(key), ..read };
    // The page never waits for the disk; a full queue drops and counts.
    tokio::spawn(async move { touch::queued(&queued, &site, page).await });
    Ok(reply)
}
