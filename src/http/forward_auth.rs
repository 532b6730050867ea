//! A touch without a script, where another web server stands in front of the shop and asks before it serves a page.

use super::ask::Ask;
use super::host::without_port;
use super::page_load::PageLoad;
use super::reply::Reply;
use super::route::Doc;
use crate::app::App;
use crate::error::Result;

pub const EDGE: Doc =
    Doc::new("Pages", "For nginx auth_request, Caddy forward_auth and Traefik forwardAuth: sets the cookie and queues the touch.")
        .answer("")
        .statuses(&[204]);

/// Nothing here may hold up or break the page: whatever is missing, the answer is 204.
pub async fn edge(app: App, ask: Ask) -> Result<Reply> {
    let told = |names: &[&str]| names.iter().find_map(|n| ask.header(n)).filter(|_| ask.is_peer_trusted);
    let host = without_port(told(&["x-original-host", "x-forwarded-host"]).unwrap_or(&ask.host));
    let Some(site) = app.book().site_by_host(&host).cloned() else { return Ok(dropped("host")) };
    let uri = told(&["x-original-uri", "x-forwarded-uri"]).unwrap_or("/");
    let method = told(&["x-original-method", "x-forwarded-method"]).unwrap_or("GET");
    if !is_page(&ask, method) {
        return Ok(dropped("page"));
    }
    let load = PageLoad::of(&app, &site, &ask, &host, uri);
    let mut reply = load.left().map_or_else(|| Reply::empty(204), dropped);
    if let Some(id) = load.id() {
        reply = reply.with("x-halo-session", id);
    }
    if let Some(cookie) = load.cookie() {
        reply = reply.with("set-cookie", cookie);
    }
    load.count(&app, None);
    Ok(reply)
}

/// Nothing is counted, and why: for whoever sets a web server up.
fn dropped(why: &str) -> Reply {
    Reply::empty(204).with("x-halo-dropped", why)
}

/// As in our own proxy, but for what only the answer tells.
fn is_page(ask: &Ask, method: &str) -> bool {
    let is_page = match ask.header("sec-fetch-dest") {
        Some(dest) => dest.eq_ignore_ascii_case("document"),
        None => ask.header("accept").is_some_and(|accept| accept.to_ascii_lowercase().contains("text/html")),
    };
    method == "GET" && is_page && !ask.is_prefetch()
}
