//! Addresses that deliver a page, and the front door.

use serde_json::json;

use super::ask::Ask;
use super::assets;
use super::reply::Reply;
use super::route::Doc;
use crate::app::App;
use crate::domain::milestone::SOURCES;
use crate::error::Result;

pub const DOOR: Doc = Doc::new("Health", "What runs here. A browser that asks for a page is sent to the dashboard.")
    .answer(r#"{"service":"halotrack","status":"running","version":"0.1.0","supported_sources":["easyappointments","zoom","eventbrite","poshvip","manual","referral","direct_signup"]}"#)
    .statuses(&[200, 302]);

pub async fn door(_: App, ask: Ask) -> Result<Reply> {
    if ask.header("accept").is_some_and(|accept| accept.contains("text/html")) {
        return Ok(Reply::redirect("/dashboard").with("vary", "accept"));
    }
    let version = env!("CARGO_PKG_VERSION");
    let reply = Reply::json(&json!({"service": "halotrack", "status": "running", "version": version, "supported_sources": SOURCES}))?;
    Ok(reply.with("vary", "accept"))
}

pub const SHELL: Doc =
    Doc::new("Pages", "The dashboard's one page; its scripts do the rest.").answer("<!doctype html>…").of_type("text/html");

pub async fn shell(_: App, _: Ask) -> Result<Reply> {
    assets::page("index.html")
}

pub const API: Doc = Doc::new("Pages", "This description, to be read by people.").answer("<!doctype html>…").of_type("text/html");

pub async fn api(_: App, _: Ask) -> Result<Reply> {
    assets::page("docs.html")
}
