//! A site's settings, the line for its pages, its secret for signed identify, and who is left out of the counts.

use serde_json::{Value, json};

use super::account::check_proved;
use super::ask::Ask;
use super::json as reader;
use super::reply::Reply;
use super::route::Doc;
use crate::app::App;
use crate::crypto::Secret;
use crate::domain::retention;
use crate::error::{Error, Result};
use crate::flows::{session_id, sites};

pub const SHOW: Doc = Doc::new("Site", "The site's settings, with the line for its pages and the link that leaves a device out.")
    .answer(r#"{"name":"Shop","domains":["shop.example"],"currency":"EUR","zone":"Europe/Dublin","country":"IE","consent":"auto","gpc":true,"cookie_domain":"shop.example","staff_emails":[],"staff_networks":[],"extra_params":[],"public_leads":false,"snippet":"<script …>","secret_ends_in":"3f9a","own_device_link":"https://shop.example/?halo_me=…"}"#)
    .statuses(&[200]);
pub const CHANGE: Doc = Doc::new("Site", "Changes settings by name, all or none; the same names as `halotrack site set`.")
    .body(r#"{"name":"Shop","staff_emails":["ann@shop.example"],"public_leads":false}"#)
    .answer(r#"{"name":"Shop"}"#)
    .statuses(&[200, 422]);
pub const SECRET: Doc = Doc::new("Site", "Replaces the secret for signed identify. The new one is shown once; the old one stops at once.")
    .body("{}")
    .answer(r#"{"secret":"64 hex characters"}"#)
    .statuses(&[200]);

/// `GET /api/sites/{site}/settings`
pub async fn show(app: App, ask: Ask) -> Result<Reply> {
    Reply::json(&shown(&app, &ask)?)
}

fn shown(app: &App, ask: &Ask) -> Result<Value> {
    let book = app.book();
    let site = book.site(ask.site()?.id).ok_or_else(|| Error::internal("a site that is not in the book"))?;
    let s = &site.settings;
    let kept: serde_json::Map<String, Value> = retention::KINDS
        .iter()
        .map(|k| (k.kind.to_owned(), json!(s.retention.get(k.kind).copied().or(retention::default_days(k.kind)))))
        .collect();
    let first = site.domains.first().map(String::as_str).unwrap_or_default();
    Ok(json!({
        "site": site.slug,
        "name": site.name,
        "domains": site.domains,
        "currency": site.currency.code(),
        "zone": site.zone.name(),
        "country": site.country,
        "consent": site.consent.as_str(),
        "consent_note": sites::consent_note(site.consent),
        "gpc": s.gpc,
        "cookie_domain": site.cookie_domain,
        "staff_emails": s.staff_emails,
        "staff_networks": s.staff_networks,
        "extra_params": s.extra_params,
        "public_leads": s.public_leads,
        "chat.text": s.chat_text,
        "chat.price_words": s.chat_price_words,
        "chat.product_words": s.chat_product_words,
        "cors_origins": s.cors_origins,
        "affiliates.model": s.affiliate_model.word(),
        "retention": kept,
        "public_key": site.public_key,
        "snippet": sites::snippet(&app.config.public_url, &site.public_key),
        "secret_ends_in": Secret::new(site.keys.identify.clone()).hint(),
        "own_device_link": format!("https://{first}/?halo_me={}", session_id::own_device_word(&site.keys.session)),
        "own_device_off": format!("https://{first}/?halo_me=off"),
        "your_address": ask.client.to_string(),
    }))
}

/// `POST /api/sites/{site}/settings`
pub async fn change(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.id;
    let fields = reader::object(&ask.body)?;
    let mut changes = Vec::new();
    for (key, value) in &fields {
        if key == "model" || key.starts_with("window") || key == "chat.credit" {
            return Err(Error::invalid(
                key,
                "Models, windows and what chats earn are changed under credit, where the effect is shown first.",
            ));
        }
        changes.push((key.clone(), text_of(key, value)?));
    }
    if changes.is_empty() {
        return Err(Error::invalid("name", "Name at least one setting."));
    }
    sites::set_all(&app, site, &changes, &ask.who()).await?;
    Reply::json(&shown(&app, &ask)?)
}

/// Settings are texts, as on the command line; lists are written with commas.
fn text_of(key: &str, value: &Value) -> Result<String> {
    let wrong = || Error::invalid(key, "A setting is text, a number, true or false, or a list of texts.");
    Ok(match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(is) => is.to_string(),
        Value::Number(n) => n.to_string(),
        Value::Array(all) => all.iter().map(|v| v.as_str().ok_or_else(wrong)).collect::<Result<Vec<_>>>()?.join(","),
        Value::Object(_) => return Err(wrong()),
    })
}

/// `POST /api/sites/{site}/secret`
pub async fn secret(app: App, ask: Ask) -> Result<Reply> {
    check_proved(&app, &ask)?;
    let secret = sites::rotate_secret(&app, ask.site()?.id, &ask.who()).await?;
    Reply::json(&json!({ "secret": secret }))
}
