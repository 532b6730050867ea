//! Backups as the dashboard shows them, one made by hand, and what waits since one was restored.

use serde_json::{Value, json};

use super::ask::{Ask, Caller};
use super::json as reader;
use super::reply::Reply;
use super::route::Doc;
use super::shown;
use crate::app::App;
use crate::backup::{Watch, folder};
use crate::domain::backup::Record;
use crate::domain::time::{Time, Zone};
use crate::error::{Error, Result};
use crate::flows::{backup, outbox};

pub const LIST: Doc = Doc::new("Backups", "How backups stand: the last one, whether it was proven, and for owners the files that are kept.")
    .answer(
        r#"{"standing":"good","sentence":"Backup of today, 03:10 restored and checked: 1,204,331 rows.","is_running":false,"last_good_at":"…","items":[],"kept":[]}"#,
    )
    .statuses(&[200, 401]);
pub const MAKE: Doc = Doc::new("Backups", "Begins a backup; GET /api/backups says how it ended.")
    .body("{}")
    .answer(r#"{"started":true}"#)
    .statuses(&[202, 401, 403]);
pub const OUTBOX: Doc = Doc::new("Deliveries", "What is held since a backup was restored.")
    .answer(r#"{"held":14,"oldest_at":"…","newest_at":"…"}"#)
    .statuses(&[200, 401, 404]);
pub const RELEASE: Doc =
    Doc::new("Deliveries", "Sends what is held since a backup was restored; with since only what was made from then on.")
        .body(r#"{"since":"2026-06-13T09:20:00Z"}"#)
        .answer(r#"{"released":12,"still_held":2}"#)
        .statuses(&[200, 401, 403, 404, 422]);

/// `GET /api/backups`
pub async fn list(app: App, ask: Ask) -> Result<Reply> {
    let overview = backup::overview(&app).await?;
    let zone = &overview.zone;
    let mut answer = json!({
        "standing": overview.standing.word(),
        "sentence": overview.sentence,
        "is_running": overview.is_running,
        "last_at": overview.last.as_ref().map(|r| shown::time(zone, r.at)),
        "last_good_at": overview.last_good.as_ref().map(|r| shown::time(zone, r.at)),
    });
    // Names of files and folders are for those who own the machine.
    if matches!(ask.caller, Caller::User { is_box_owner: true, .. }) {
        let records = backup::list(&app).await?;
        let data = app.config.data.clone();
        let kept = tokio::task::spawn_blocking(move || folder::list(&data)).await.map_err(Error::internal)?;
        answer["why"] = overview.last.filter(|r| !r.is_good).map(|r| r.sentence).into();
        answer["items"] = records.iter().map(|r| line(r, zone)).collect();
        answer["kept"] = kept.iter().map(|k| json!({"name": k.name, "at": shown::time(zone, k.at), "bytes": k.bytes})).collect();
        answer["folder"] = app.config.data.join(crate::store::snapshot::FOLDER).display().to_string().into();
        answer["key_file"] = app.config.master_key_file.display().to_string().into();
    }
    Reply::json(&answer)
}

/// `POST /api/backups`
pub async fn make(app: App, _: Ask) -> Result<Reply> {
    if !backup::overview(&app).await?.is_running {
        // It may take minutes; how it ends is written down.
        tokio::spawn(async move { backup::run(&app, None, false, Watch::nobody()).await });
    }
    Reply::json_with(202, &json!({"started": true}))
}

/// `GET /api/sites/{site}/outbox`
pub async fn held(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?;
    let held = outbox::held(&app, site.id).await?;
    Reply::json(&json!({
        "held": held.count,
        "oldest_at": shown::maybe_time(&site.zone, held.oldest_at),
        "newest_at": shown::maybe_time(&site.zone, held.newest_at),
    }))
}

/// `POST /api/sites/{site}/outbox/release`
pub async fn release(app: App, ask: Ask) -> Result<Reply> {
    let site = ask.site()?.id;
    let fields = reader::object(&ask.body)?;
    let since = match reader::text(&fields, "since", 40)? {
        Some(text) => Some(Time::parse(text).ok_or_else(|| Error::invalid("since", "since is a time like 2026-06-13T09:20:00Z."))?),
        None => None,
    };
    Reply::json(&outbox::release(&app, site, since, &ask.who()).await?)
}

fn line(r: &Record, zone: &Zone) -> Value {
    json!({
        "at": shown::time(zone, r.at),
        "good": r.is_good,
        "nightly": r.is_nightly,
        "file": r.file,
        "bytes": r.bytes,
        "rows": r.rows,
        "took_ms": r.took_ms,
        "sentence": r.sentence,
    })
}
