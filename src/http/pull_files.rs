//! Files that ad platforms fetch by themselves, every few hours: Basic authentication, a token as the password.

use std::sync::Arc;

use super::ask::Ask;
use super::exports::{self, Cell, Format};
use super::reply::Reply;
use super::route::Doc;
use crate::app::App;
use crate::destinations::{google_file, meta_file};
use crate::domain::outgoing::Outgoing;
use crate::domain::question::Asked;
use crate::domain::time::DAY_MS;
use crate::error::{Error, Result};
use crate::flows::pull_file;

/// Longer ago than any platform takes.
const MOST_DAYS: i64 = 90;
const USUAL_DAYS: i64 = 30;
/// Longest name of a conversion action.
const LONGEST_NAME: usize = 100;

pub const GOOGLE: Doc = Doc::new(
    "Files that platforms fetch",
    "Conversions with a Google click, for Google Ads: Goals → Uploads → Schedule, source HTTPS. Basic authentication: any user, and a token \
     of scope export as the password.",
)
.query(&[("days", "how far back, 1 to 90; without it 30"), ("name", "name of the conversion action for all rows"), ("kind", "sale, lead or signup")])
.answer("Google Click ID,GBRAID,WBRAID,Conversion Name,…")
.of_type("text/csv")
.statuses(&[200, 400, 401, 403, 429, 503]);
pub const META: Doc = Doc::new(
    "Files that platforms fetch",
    "Conversions for a dataset of Meta, people hashed. Basic authentication: any user, and a token of scope export as the password.",
)
.query(&[("days", "how far back, 1 to 90; without it 30"), ("kind", "sale, lead or signup")])
.answer("event_name,event_time,event_id,…")
.of_type("text/csv")
.statuses(&[200, 400, 401, 403, 429, 503]);

/// `GET /export/google-conversions.csv`
pub async fn google(app: App, ask: Ask) -> Result<Reply> {
    let name = Asked(&ask.query).text("name")?.map(|n| n.chars().take(LONGEST_NAME).collect::<String>());
    file(app, ask, "google-conversions", &google_file::COLUMNS, move |out| {
        google_file::row(out, name.as_deref()).map(|cells| cells.to_vec())
    })
    .await
}

/// `GET /export/meta-conversions.csv`
pub async fn meta(app: App, ask: Ask) -> Result<Reply> {
    file(app, ask, "meta-conversions", &meta_file::COLUMNS, |out| meta_file::row(out).map(|cells| cells.to_vec())).await
}

async fn file(
    app: App,
    ask: Ask,
    name: &str,
    columns: &[&str],
    row: impl Fn(&Outgoing) -> Option<Vec<String>> + Send + Sync + 'static,
) -> Result<Reply> {
    let site = ask.site()?.clone();
    let asked = Asked(&ask.query);
    let days = match asked.one("days").map(str::parse::<i64>) {
        None => USUAL_DAYS,
        Some(Ok(days)) if (1..=MOST_DAYS).contains(&days) => days,
        Some(_) => return Err(Error::parameter("days", format!("days is a number from 1 to {MOST_DAYS}."))),
    };
    let kind = asked.word("kind", &["sale", "lead", "signup"])?.map(str::to_owned);
    let from = app.clock.now().plus_ms(-days * DAY_MS);
    let row = Arc::new(row);
    let page = move |cursor| {
        let (app, site, row, kind) = (app.clone(), site.clone(), row.clone(), kind.clone());
        async move {
            let (found, next) = pull_file::page(&app, &site, from, cursor).await?;
            let is_wanted = |out: &&Outgoing| kind.as_deref().is_none_or(|kind| kind == out.kind.word());
            let rows = found.iter().filter(is_wanted).filter_map(|out| row(out)).map(cells).collect::<Vec<_>>();
            Ok((exports::csv_lines(&rows)?, next))
        }
    };
    exports::stream(name, Format::Csv, exports::csv_head(columns)?, page).await
}

/// Names, ids and hashes; a time or an amount begins with a digit and is left as it is.
fn cells(row: Vec<String>) -> Vec<Cell> {
    row.into_iter().map(|text| if text.is_empty() { Cell::Empty } else { Cell::text(text) }).collect()
}
