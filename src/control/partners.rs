//! Partners by command: what the dashboard's own list shows.

use serde_json::Value;

use super::command::site_named;
use crate::app::App;
use crate::error::Result;
use crate::flows::COMMAND_LINE;
use crate::flows::affiliates::{self as flow, AffiliateForm};
use crate::http::affiliates::{everybody, line, one};

pub async fn add(app: &App, site: &str, form: AffiliateForm) -> Result<Value> {
    let site = site_named(app, site)?;
    let id = flow::add(app, &site, form, COMMAND_LINE).await?;
    let mut made = one(app, &site, id).await?;
    made["site"] = site.slug.as_str().into();
    made["code"] = made["codes"][0].clone();
    Ok(made)
}

pub async fn list(app: &App, site: Option<&str>) -> Result<Value> {
    let sites = match site {
        Some(word) => vec![site_named(app, word)?],
        None => app.book().sites().to_vec(),
    };
    let now = app.clock.now();
    let mut all = Vec::new();
    for site in sites {
        for partner in app.store.read(site.id, move |c| everybody(c, now)).await? {
            let mut shown = line(&site, &partner);
            shown["site"] = site.slug.as_str().into();
            shown["code"] = shown["codes"][0].clone();
            all.push(shown);
        }
    }
    Ok(Value::Array(all))
}
