//! Connecting a platform from the dashboard: what each wants, a new set-up, its settings, a look at it, its end. What a
//! platform is told and where lies with an owner who is signed in: whoever may redirect it may read it, and a token that may
//! tell facts must not be able to send them elsewhere.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::ask::Ask;
use super::json as reader;
use super::reply::Reply;
use super::route::Doc;
use crate::app::App;
use crate::domain::ids::{ConnectionId, SiteId};
use crate::domain::platform::{Field, FieldKind};
use crate::domain::time::{HOUR_MS, MINUTE_MS};
use crate::error::{Error, Result};
use crate::flows::connections::{self, NewConnectionForm};
use crate::platforms::{self, Platform};
use crate::sources::Source;

/// Longest value of a setting; a key of a service account is the longest there is.
const LONGEST_VALUE: usize = 16_384;

pub const PLATFORMS: Doc = Doc::new("Connections", "Every platform that can be connected: what it is good for, its settings, its steps.")
    .answer(
        r#"{"items":[{"platform":"meta","name":"Meta","purpose":"…","fields":[],"steps":[],"receives":false,"pulls":false,"sends":true}]}"#,
    );
pub const ADD: Doc = Doc::new("Connections", "Connects a platform. A secret that was made here is in this answer and in no other. With `wait` false it is answered as soon as it is saved; the card shows how it goes on.")
    .body(r#"{"platform":"meta","mode":"shadow","settings":{"pixel_id":"123456789012345","access_token":"EAAx…"}}"#)
    .answer(r#"{"connection":"con_7","platform":"meta","mode":"shadow","status":"ok","hook_url":null}"#)
    .statuses(&[201, 401, 403, 422]);
pub const ONE: Doc = Doc::new("Connections", "One connection with its settings; of secrets only that they are there.")
    .answer(r#"{"connection":"con_7","platform":"meta","settings":{"pixel_id":"123456789012345"},"secrets":["access_token"]}"#)
    .statuses(&[200, 401, 403, 404]);
pub const SET: Doc = Doc::new("Connections", "Changes settings. An empty value removes a setting; an empty secret stays as it is.")
    .body(r#"{"settings":{"access_token":"EAAy…"}}"#)
    .answer(r#"{"connection":"con_7","platform":"meta","mode":"live","status":"ok"}"#)
    .statuses(&[200, 401, 403, 404, 422]);
pub const TEST: Doc = Doc::new("Connections", "Looks at what can be looked at without sending a conversion, and says what was not tried.")
    .body("{}")
    .answer(
        r#"{"connection":"con_7","platform":"meta","is_ready":true,"checked":["All required settings are filled in."],"not_checked":[]}"#,
    )
    .statuses(&[200, 401, 403, 404]);
pub const REMOVE: Doc = Doc::new("Connections", "Ends a connection. What it told and was told stays; what waits for it is cancelled.")
    .answer(r#"{"connection":"con_7","removed":true}"#)
    .statuses(&[200, 401, 403, 404]);

/// `GET /api/sites/{site}/platforms`
pub async fn list(_: App, ask: Ask) -> Result<Reply> {
    ask.site()?;
    Reply::json(&json!({"items": platforms::all().iter().map(described).collect::<Vec<_>>()}))
}

fn described(platform: &Platform) -> Value {
    json!({
        "platform": platform.slug(),
        "name": platform.name(),
        "purpose": platform.purpose(),
        "fields": platform.fields().into_iter().map(|f| field(f, platform)).collect::<Vec<_>>(),
        "steps": platform.steps(),
        "docs_url": platform.docs_url(),
        "receives": platform.receives(),
        "pulls": platform.pulls(),
        "sends": platform.sends(),
        "modes": if platform.sends() { platform.modes() } else { Vec::new() },
        "trial": platform.source.and_then(|s| s.trial()),
        "registers": platform.source.is_some_and(|s| s.provision().is_some()),
        "brings": platform.source.map(|s| s.brings().0),
        "tracking": platform.source.map(|s| s.brings().1),
    })
}

fn field(field: &Field, platform: &Platform) -> Value {
    let kind = match field.kind {
        FieldKind::Text => "text",
        FieldKind::Secret => "secret",
        FieldKind::Url => "url",
        FieldKind::Switch => "switch",
        FieldKind::Currency => "currency",
        FieldKind::Number { .. } => "number",
        FieldKind::Schedule => "schedule",
        FieldKind::Zone => "zone",
    };
    let (limits, usual) = match field.kind {
        FieldKind::Number { least, most, usual } => (json!([least, most]), Some(usual.to_string())),
        FieldKind::Schedule => (Value::Null, platform.source.map(usual)),
        FieldKind::Zone => (Value::Null, Some("UTC".into())),
        _ => (Value::Null, None),
    };
    // One that we make ourselves may be left empty.
    let is_made = platform.own_secret() == Some(field.key);
    json!({"key": field.key, "label": field.label, "help": field.help, "kind": kind, "required": field.is_required && !is_made, "made": is_made,
        "limits": limits, "default": usual, "instead_of": platform.instead_of(field.key)})
}

/// When a list is read where its owner has said nothing.
fn usual(source: &dyn Source) -> String {
    source.pull_schedule().map_or_else(|| every(source.pull_every_ms()), str::to_owned)
}

/// How often, in words.
fn every(ms: i64) -> String {
    match (ms / HOUR_MS, ms / MINUTE_MS) {
        (1, _) => "every hour".into(),
        (0, minutes) => format!("every {minutes} minutes"),
        (hours, _) => format!("every {hours} hours"),
    }
}

/// `POST /api/sites/{site}/connections`
pub async fn add(app: App, ask: Ask) -> Result<Reply> {
    let fields = reader::object(&ask.body)?;
    let form = NewConnectionForm {
        platform: reader::required(&fields, "platform", 40)?.trim().to_owned(),
        name: reader::text(&fields, "name", 100)?.map(str::to_owned),
        mode: reader::text(&fields, "mode", 16)?.map(str::to_owned),
        settings: settings(&fields)?,
        is_shown_later: fields.get("wait") == Some(&Value::Bool(false)),
    };
    let site = ask.site()?.id;
    Reply::json_with(201, &connections::add(&app, site, &form, &ask.who()).await?)
}

/// `GET /api/sites/{site}/connections/{connection}`
pub async fn one(app: App, ask: Ask) -> Result<Reply> {
    let (site, id) = named(&ask)?;
    let connection = connections::find(&app, Some(site), id)?;
    let platform = platforms::get(&connection.platform)?;
    let mut shown = serde_json::to_value(connections::card(&app, &connection).await?).map_err(Error::internal)?;
    let is_set = |f: &&Field| f.kind == FieldKind::Secret && connection.secrets.first(f.key).is_some();
    shown["settings"] = json!(connection.settings.0);
    shown["secrets"] = platform.fields().into_iter().filter(is_set).map(|f| Value::from(f.key)).collect();
    Reply::json(&shown)
}

/// `POST /api/sites/{site}/connections/{connection}`
pub async fn set(app: App, ask: Ask) -> Result<Reply> {
    let fields = reader::object(&ask.body)?;
    let (site, id) = named(&ask)?;
    connections::find(&app, Some(site), id)?;
    let mode = reader::text(&fields, "mode", 16)?;
    Reply::json(&connections::set(&app, Some(site), id, mode, &settings(&fields)?, &ask.who()).await?)
}

/// `POST …/test`
pub async fn test(app: App, ask: Ask) -> Result<Reply> {
    let (site, id) = named(&ask)?;
    Reply::json(&connections::test(&app, Some(site), id).await?)
}

/// `DELETE …`
pub async fn remove(app: App, ask: Ask) -> Result<Reply> {
    let (site, id) = named(&ask)?;
    connections::find(&app, Some(site), id)?;
    connections::remove(&app, Some(site), id, &ask.who()).await?;
    Reply::json(&json!({"connection": id, "removed": true}))
}

fn named(ask: &Ask) -> Result<(SiteId, ConnectionId)> {
    let site = ask.site()?.id;
    let id = ask.param("connection").parse().map_err(|()| Error::not_found("A connection looks like con_7."))?;
    Ok((site, id))
}

fn settings(fields: &Map<String, Value>) -> Result<BTreeMap<String, String>> {
    let wrong = || Error::invalid("settings", "settings is an object of texts by key.");
    let Some(given) = fields.get("settings") else { return Ok(BTreeMap::new()) };
    let given = given.as_object().ok_or_else(wrong)?;
    let mut all = BTreeMap::new();
    for (key, value) in given {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Bool(is_on) => is_on.to_string(),
            Value::Number(number) => number.to_string(),
            _ => return Err(Error::invalid(key, format!("{key} must be text."))),
        };
        if text.len() > LONGEST_VALUE {
            return Err(Error::invalid(key, format!("{key} must be text of at most {LONGEST_VALUE} characters.")));
        }
        all.insert(key.clone(), text);
    }
    Ok(all)
}
