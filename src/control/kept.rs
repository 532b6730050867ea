//! Backups by command, and what waits since one was restored.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::command::{json_of, site_named};
use crate::app::App;
use crate::backup::Watch;
use crate::domain::time::Time;
use crate::error::{Error, Result};
use crate::flows::{COMMAND_LINE, backup, outbox};

pub async fn backup(app: &App, to: Option<PathBuf>) -> Result<Value> {
    let taken = backup::run(app, to, false, Watch::nobody()).await?;
    Ok(json!({
        "backup": taken.file,
        "taken_at": taken.record.at.utc(),
        "bytes": taken.record.bytes,
        "rows": taken.record.rows,
        "shape": taken.shape,
        "sha256": taken.sha256,
        "checked": true,
        "key_file": app.config.master_key_file,
    }))
}

pub async fn release(app: &App, site: &str, since: Option<&str>) -> Result<Value> {
    let site = site_named(app, site)?;
    let since = match since {
        Some(text) => Some(
            Time::parse(text)
                .ok_or_else(|| Error::invalid("since", format!("{text:?} is no time such as 2026-06-13 or 2026-06-13T09:20:00Z.")))?,
        ),
        None => None,
    };
    json_of(&outbox::release(app, site.id, since, COMMAND_LINE).await?)
}
