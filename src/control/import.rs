//! Files of history: whoever asks reads the file and hands it over piece by piece, so that the server need not be allowed to
//! read it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;

use super::command::site_named;
use super::{Command, build, settle, socket, with_data};
use crate::app::App;
use crate::config::Config;
use crate::crypto::{self, RunningSha256};
use crate::domain::import::ImportKind;
use crate::error::{Error, Result};
use crate::files;
use crate::flows::COMMAND_LINE;
use crate::flows::imports::{self, Given, Pieces, Wanted, preview};
use crate::http::imports::{shown_import, shown_preview};

/// Bytes that are handed over at once.
const PIECE: usize = 64 * 1024;

/// One file of one site.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImportForm {
    pub site: String,
    pub kind: String,
    pub name: String,
    /// In hex: by it a run that was cut off is found again.
    pub digest: String,
    pub bytes: u64,
    pub preview: bool,
    pub source: Option<String>,
    pub medium: Option<String>,
}

/// Brings a file in, or says what it would do.
pub fn import(config: &Config, mut form: ImportForm, path: &Path) -> Result<Value> {
    ImportKind::read(&form.kind)?;
    (form.digest, form.bytes) = measured(path)?;
    let command = Command::Import(form.clone());
    with_data(config, &command, |is_here| {
        if is_here {
            Ok(Some(here(config.clone(), &form, path)))
        } else {
            let mut file = open(path)?;
            socket::ask_with(&config.data, &command, command.patience(), &mut file)
        }
    })
}

fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|e| files::failed(path, &e))
}

/// SHA-256 and size.
fn measured(path: &Path) -> Result<(String, u64)> {
    let mut file = open(path)?;
    let (mut sum, mut bytes, mut piece) = (RunningSha256::default(), 0, vec![0; PIECE]);
    loop {
        let n = file.read(&mut piece).map_err(|e| files::failed(path, &e))?;
        if n == 0 {
            return Ok((sum.hex(), bytes));
        }
        sum.take(&piece[..n]);
        bytes += n as u64;
    }
}

fn here(config: Config, form: &ImportForm, path: &Path) -> Result<Value> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(Error::internal)?;
    runtime.block_on(async {
        let app = build(config)?;
        settle(&app).await?;
        let mut file = open(path)?;
        let (send, pieces) = mpsc::channel(4);
        let path = path.to_owned();
        let reading = tokio::task::spawn_blocking(move || {
            loop {
                let mut piece = vec![0; PIECE];
                let read = file.read(&mut piece).map_err(|e| files::failed(&path, &e));
                let told = match read {
                    Ok(0) => return,
                    Ok(n) => {
                        piece.truncate(n);
                        Ok(Bytes::from(piece))
                    }
                    Err(e) => Err(e),
                };
                let is_over = told.is_err();
                if send.blocking_send(told).is_err() || is_over {
                    return;
                }
            }
        });
        let answer = execute(&app, form, pieces).await;
        let _ = reading.await;
        app.store.close().await;
        answer
    })
}

/// The server's side.
pub async fn execute(app: &App, form: &ImportForm, pieces: Pieces) -> Result<Value> {
    let site = site_named(app, &form.site)?;
    let kind = ImportKind::read(&form.kind)?;
    let given = Given { source: form.source.clone(), medium: form.medium.clone() };
    if form.preview {
        let preview = preview::of(app, &site, kind, &given, pieces).await?;
        return Ok(shown_preview(&preview, kind));
    }
    let digest = crypto::unhex(&form.digest).unwrap_or_default();
    let wanted = Wanted { kind, name: form.name.clone(), digest, bytes: form.bytes, given };
    let import = imports::bring(app, &site, wanted, pieces, COMMAND_LINE).await?;
    Ok(shown_import(&import, &site, false))
}
