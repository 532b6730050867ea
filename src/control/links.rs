//! Short links by command.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::command::site_named;
use crate::app::App;
use crate::domain::time::Time;
use crate::error::Result;
use crate::flows::COMMAND_LINE;
use crate::flows::short_links::{self as flow, Wish};
use crate::http::short_links::line;
use crate::store::short_links::{self, Tally, Wanted};

/// Links that one look shows; an export has all of them.
const MOST: usize = 500;

/// A link as the command line asks for it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct LinkForm {
    pub site: String,
    pub to: String,
    pub utm_source: Option<String>,
    pub utm_medium: Option<String>,
    pub utm_campaign: Option<String>,
    pub utm_term: Option<String>,
    pub utm_content: Option<String>,
    pub affiliate: Option<String>,
    pub label: Option<String>,
}

pub async fn add(app: &App, form: LinkForm) -> Result<Value> {
    let site = site_named(app, &form.site)?;
    let wish = Wish {
        to: form.to,
        utm_source: form.utm_source,
        utm_medium: form.utm_medium,
        utm_campaign: form.utm_campaign,
        utm_term: form.utm_term,
        utm_content: form.utm_content,
        affiliate: form.affiliate,
        label: form.label,
    };
    let planned = flow::plan(app, &site, &wish).await?;
    let doubts = flow::doubts(&planned.words, &flow::known_words(app, &site).await?);
    let made = flow::add(app, &site, &planned, COMMAND_LINE).await?;
    let mut answer = line(app, &site, &made, &Tally::default());
    answer["warnings"] = doubts.iter().map(|d| Value::from(format!("{}: {} is known as {}.", d.field, d.said, d.known))).collect();
    Ok(answer)
}

pub async fn list(app: &App, site: &str) -> Result<Value> {
    let site = site_named(app, site)?;
    flow::write_down(app).await?;
    let wanted = Wanted { search: None, from: Time::from_ms(0), to: Time::from_ms(i64::MAX) };
    let (lines, _) = app.store.read(site.id, move |c| short_links::page(c, &wanted, None, MOST)).await?;
    Ok(lines.iter().map(|(link, tally)| line(app, &site, link, tally)).collect())
}
