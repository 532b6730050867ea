//! Words that links are made from, under a name.

use serde_json::{Value, json};

use super::ask::Ask;
use super::json as reader;
use super::reply::Reply;
use super::route::Doc;
use super::shown;
use crate::app::App;
use crate::domain::link_template::{LinkTemplate, read_name, read_words};
use crate::error::{Error, Result};
use crate::flows::link_templates as flow;
use crate::store::link_templates;
use crate::store::sites::Site;

const ONE: &str = r#"{"template":"template_1","name":"Newsletter","words":{"utm_source":"newsletter","utm_medium":"email"},"who":"user_1","created_at":"2026-06-13T10:20:00+01:00"}"#;

pub const LIST: Doc = Doc::new("Links", "Words that links are made from again and again, by name.").answer(r#"{"items":[]}"#);
pub const KEEP: Doc = Doc::new("Links", "Keeps words under a name; under one that is there they take the place of what it had.")
    .body(r#"{"name":"Newsletter","to":null,"utm_source":"newsletter","utm_medium":"email","utm_campaign":null,"affiliate":null}"#)
    .answer(ONE)
    .statuses(&[201, 400, 401, 403, 409, 422]);
pub const REMOVE: Doc = Doc::new("Links", "Takes a template away; links that were made from it stay.").statuses(&[204, 401, 403, 404]);

/// `GET /api/sites/{site}/links/templates`
pub async fn list(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let all = app.store.read(site.id, link_templates::list).await?;
    Reply::json(&json!({"items": all.iter().map(|t| shown_template(t, site)).collect::<Vec<_>>()}))
}

/// `POST /api/sites/{site}/links/templates`
pub async fn keep(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let fields = reader::object(&ask.body)?;
    let name = read_name(reader::required(&fields, "name", 300)?)?;
    // Longer ones are refused in the words of their own rule.
    let words = read_words(|field| reader::text(&fields, field, 4_000))?;
    let kept = flow::keep(&app, site.id, name, words, &ask.who()).await?;
    Reply::json_with(201, &shown_template(&kept, site))
}

/// `DELETE /api/sites/{site}/links/templates/{template}`
pub async fn remove(app: App, ask: Ask) -> Result<Reply> {
    let id = ask.param("template").parse().map_err(|()| Error::not_found("A template's id looks like template_4."))?;
    flow::remove(&app, ask.site()?.id, id, &ask.who()).await?;
    Ok(Reply::empty(204))
}

fn shown_template(t: &LinkTemplate, site: &Site) -> Value {
    json!({"template": t.id, "name": t.name, "words": t.words, "who": t.who, "created_at": shown::time(&site.zone, t.created_at)})
}
