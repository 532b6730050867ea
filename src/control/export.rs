//! Lists as files: read piece by piece, by the running server or here, and handed to whoever asked, who alone writes.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::command::site_named;
use super::{Command, build, socket, with_data};
use crate::app::App;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::http::files::{self, Pieces};
use crate::store::sites::Site;

/// One list of one site. Days are those of the site's zone; both are included.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExportForm {
    pub site: String,
    pub kind: String,
    /// `csv` or `jsonl`.
    pub format: String,
    pub from: Option<String>,
    pub to: Option<String>,
}

/// Takes pieces of a file as they come.
pub type Taker<'a> = dyn FnMut(&[u8]) -> Result<()> + 'a;

/// The lists that there are.
pub fn kinds() -> Vec<&'static str> {
    files::kinds()
}

/// Hands over the whole file.
pub fn export(config: &Config, form: &ExportForm, take: &mut Taker) -> Result<()> {
    let command = Command::Export(form.clone());
    with_data(config, &command, |is_here| {
        if is_here {
            Ok(Some(here(config.clone(), form, take).map(Value::from)))
        } else {
            socket::ask(&config.data, &command, command.patience(), take)
        }
    })?;
    Ok(())
}

/// The server's side.
pub async fn open(app: &App, form: &ExportForm) -> Result<Pieces> {
    let site: Arc<Site> = site_named(app, &form.site)?;
    let named = [("from", &form.from), ("to", &form.to)];
    let query = named.into_iter().filter_map(|(name, day)| Some((name.to_owned(), day.clone()?))).collect();
    files::open(app, &site, &form.kind, &form.format, query).await
}

fn here(config: Config, form: &ExportForm, take: &mut Taker) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(Error::internal)?;
    runtime.block_on(async {
        let app = build(config)?;
        let done = all(&app, form, take).await;
        app.store.close().await;
        done
    })
}

async fn all(app: &App, form: &ExportForm, take: &mut Taker<'_>) -> Result<()> {
    let mut pieces = open(app, form).await?;
    while let Some(piece) = pieces.next().await? {
        take(&piece)?;
    }
    Ok(())
}
