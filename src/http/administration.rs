//! What owners and editors set up from the dashboard: sites, and how connections deliver.

use serde_json::{Map, Value, json};

use super::ask::Ask;
use super::json as reader;
use super::reply::Reply;
use super::route::Doc;
use crate::app::App;
use crate::domain::ids::ConnectionId;
use crate::error::{Error, Result};
use crate::flows::connections::{self, Card};
use crate::flows::sites::{self, NewSiteForm};

pub const ADD_SITE: Doc = Doc::new("Sites", "Adds a site: a shop or client with its own domains, people and connections.")
    .body(r#"{"name":"Harrow Lane Cycles","domain":"harrowlane.example","currency":"EUR","zone":"Europe/Dublin","consent":"auto"}"#)
    .answer(r#"{"site":"harrow-lane-cycles","public_key":"Yk3…","snippet":"<script defer src=…></script>","consent_note":"…"}"#)
    .statuses(&[201, 401, 403, 422]);
pub const MODE: Doc = Doc::new("Connections", "Sets how a connection delivers: shadow, test or live.")
    .body(r#"{"mode":"live"}"#)
    .answer(r#"{"connection":"con_7","platform":"meta","mode":"live","status":"ok"}"#)
    .statuses(&[200, 401, 403, 404, 422]);
pub const PAUSE: Doc = Doc::new("Connections", "Holds a connection's deliveries; nothing is lost.")
    .body("{}")
    .answer(r#"{"connection":"con_7","platform":"meta","mode":"live","status":"paused"}"#)
    .statuses(&[200, 401, 403, 404]);
pub const RESUME: Doc = Doc::new("Connections", "Takes a connection's deliveries up again.")
    .body("{}")
    .answer(r#"{"connection":"con_7","platform":"meta","mode":"live","status":"ok"}"#)
    .statuses(&[200, 401, 403, 404]);

/// `POST /api/sites`
pub async fn add_site(app: App, ask: Ask) -> Result<Reply> {
    let fields = reader::object(&ask.body)?;
    let text = |name: &str| reader::text(&fields, name, 253).map(|t| t.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty()));
    let form = NewSiteForm {
        name: reader::required(&fields, "name", 200)?.trim().to_owned(),
        domains: domains(&fields)?,
        currency: text("currency")?,
        zone: text("zone")?,
        country: text("country")?,
        consent: text("consent")?,
    };
    Reply::json_with(201, &sites::add(&app, &form, &ask.who()).await?)
}

fn domains(fields: &Map<String, Value>) -> Result<Vec<String>> {
    if let Some(list) = fields.get("domains").and_then(Value::as_array) {
        let wrong = || Error::invalid("domains", "domains must be a list of names like shop.example.");
        return list.iter().map(|d| d.as_str().map(str::to_owned).ok_or_else(wrong)).collect();
    }
    Ok(vec![reader::required(fields, "domain", 253)?.trim().to_owned()])
}

/// `POST /api/sites/{site}/connections/{connection}/mode`
pub async fn mode(app: App, ask: Ask) -> Result<Reply> {
    let fields = reader::object(&ask.body)?;
    let mode = reader::required(&fields, "mode", 16)?.to_owned();
    let (site, id) = named(&ask)?;
    shown(connections::set_mode(&app, Some(site), id, &mode, &ask.who()).await?)
}

/// `POST …/pause`
pub async fn pause(app: App, ask: Ask) -> Result<Reply> {
    let (site, id) = named(&ask)?;
    shown(connections::pause(&app, Some(site), id, &ask.who()).await?)
}

/// `POST …/resume`
pub async fn resume(app: App, ask: Ask) -> Result<Reply> {
    let (site, id) = named(&ask)?;
    shown(connections::resume(&app, Some(site), id, &ask.who()).await?)
}

fn named(ask: &Ask) -> Result<(crate::domain::ids::SiteId, ConnectionId)> {
    let site = ask.site()?.id;
    let id = ask.param("connection").parse().map_err(|()| Error::not_found("A connection looks like con_7."))?;
    Ok((site, id))
}

fn shown(card: Card) -> Result<Reply> {
    let value = serde_json::to_value(&card).map_err(Error::internal)?;
    Reply::json(&json!(value))
}
