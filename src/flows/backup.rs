//! Backups of the running box: by the clock each night, or by hand. How each ended is written down and shown; the
//! newest are kept.

use std::path::{Path, PathBuf};

use crate::app::App;
use crate::backup::{self, Watch, erasures, folder};
use crate::clock;
use crate::domain::backup::{self as rules, Record, Standing};
use crate::domain::storage::Burden;
use crate::domain::time::{Time, Zone};
use crate::error::{Error, Kind, Result};
use crate::files;
use crate::flows::erase;
use crate::store::backups;

/// A backup that was proven.
#[derive(Debug, Clone)]
pub struct Taken {
    pub file: PathBuf,
    pub record: Record,
    pub shape: i64,
    pub sha256: String,
}

/// What the owner is shown.
#[derive(Debug, Clone)]
pub struct Overview {
    pub standing: Standing,
    /// In words for whoever is signed in; no file names.
    pub sentence: String,
    pub last: Option<Record>,
    pub last_good: Option<Record>,
    pub is_running: bool,
    pub zone: Zone,
}

/// Makes a backup, proves it and writes down how it ended. Without a name it goes into the folder of backups, where older
/// ones make room for it.
pub async fn run(app: &App, to: Option<PathBuf>, is_nightly: bool, watch: Watch) -> Result<Taken> {
    if let Some(to) = &to {
        // A typing error is told to whoever made it; it is no backup that failed.
        backup::check_name(to)?;
    }
    let _turn = app.backing_up.lock().await;
    let (now, began) = (app.clock.now(), clock::started());
    let data = app.config.data.clone();
    let is_own = to.is_none();
    let file = to.unwrap_or_else(|| folder::name(&data, now));
    let (sealer, target) = (app.store.sealer().clone(), file.clone());
    let is_tight = is_own && !app.disk.level().admits(Burden::Export);
    let made = tokio::task::spawn_blocking(move || {
        if is_tight {
            // The last room is for what the shops send.
            let message = "The disk of this server is nearly full. Free some space; backups wait until there is room again.";
            return Err(Error::new(Kind::Unavailable, "storage_full", message));
        }
        let manifest = backup::take(&data, &target, &sealer, now, &watch)?;
        erasures::carry(&data, &files::folder_of(&target))?;
        if is_own {
            folder::prune(&data, now)?;
        }
        Ok((manifest, std::fs::metadata(&target).map_err(|e| files::failed(&target, &e))?.len()))
    })
    .await
    .map_err(|e| Error::internal(format!("a backup stopped: {e}")))?;
    let took_ms = began.elapsed().as_millis() as i64;
    let blank = Record { at: now, is_good: false, is_nightly, file: shown(&file), bytes: 0, rows: 0, took_ms, sentence: String::new() };
    match made {
        Ok((manifest, bytes)) => {
            // Others may be within reach again.
            erase::beside::spread(app).await;
            let sentence = format!("Restored and checked: {} rows, each table as in the backup.", thousands(manifest.rows()));
            let record = Record { is_good: true, bytes: bytes as i64, rows: manifest.rows(), sentence, ..blank };
            note(app, &record).await;
            tracing::info!(rows = record.rows, bytes = record.bytes, duration_ms = took_ms, "A backup was made, restored and checked.");
            Ok(Taken { file, record, shape: manifest.shape, sha256: manifest.sha256 })
        }
        Err(e) => {
            note(app, &Record { sentence: e.message.clone(), ..blank }).await;
            tracing::error!(error = %e, "A backup failed.");
            Err(e)
        }
    }
}

/// Whether the night's backup is to be made now.
pub async fn is_due(app: &App) -> Result<bool> {
    if app.is_demo() {
        return Ok(false);
    }
    let (last, good, since) = records(app).await?;
    Ok(rules::is_due(&zone(app), last.as_ref(), good.map(|r| r.at), since, app.clock.now()))
}

pub async fn overview(app: &App) -> Result<Overview> {
    let (last, last_good, since) = records(app).await?;
    let (now, zone) = (app.clock.now(), zone(app));
    let standing = rules::standing(last.as_ref(), last_good.as_ref().map(|r| r.at), since, now);
    let sentence = sentence(standing, last_good.as_ref(), &zone, now);
    Ok(Overview { standing, sentence, last, last_good, is_running: app.backing_up.try_lock().is_err(), zone })
}

/// The newest records, for the owner.
pub async fn list(app: &App) -> Result<Vec<Record>> {
    app.store.read_all_sites(|all| backups::list(all, 30)).await
}

async fn records(app: &App) -> Result<(Option<Record>, Option<Record>, Option<Time>)> {
    let read = app
        .store
        .read_all_sites(|all| Ok((backups::list(all, 1)?.into_iter().next(), backups::find_last_good(all)?, backups::first_site_at(all)?)));
    read.await
}

/// Written down where it can be: a full disk must not hide that a backup failed.
async fn note(app: &App, record: &Record) {
    let record = record.clone();
    if let Err(e) = app.store.write_all_sites(move |all| backups::add(all, &record)).await {
        tracing::error!(error = %e, "How a backup ended could not be written down.");
    }
}

/// The box sleeps where its first site does.
fn zone(app: &App) -> Zone {
    app.book().sites().first().map_or_else(Zone::utc, |site| site.zone.clone())
}

fn sentence(standing: Standing, good: Option<&Record>, zone: &Zone, now: Time) -> String {
    let of = |r: &Record| format!("{}, {}", day(zone, r.at, now), &zone.text(r.at)[11..16]);
    match (standing, good) {
        (Standing::Fresh, None) => "The first backup is made tonight.".into(),
        (Standing::Good | Standing::Fresh, Some(r)) => {
            format!("Backup of {} restored and checked: {} rows.", of(r), thousands(r.rows))
        }
        (Standing::Failed, Some(r)) => format!("The last backup failed. The newest good one is of {}.", of(r)),
        (Standing::Failed, None) => "The last backup failed, and no good one is on record.".into(),
        (_, Some(r)) => format!("The newest backup is of {}. There should be one each night.", of(r)),
        (_, None) => "There is no backup yet. There should be one each night.".into(),
    }
}

fn day(zone: &Zone, at: Time, now: Time) -> String {
    if zone.day(at) == zone.day(now) { "today".into() } else { zone.short_day(at, now) }
}

fn shown(file: &Path) -> String {
    file.display().to_string()
}

/// `1,204,331`
fn thousands(n: i64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (n, want) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_204_331, "1,204,331")] {
            assert_eq!(thousands(n), want);
        }
    }
}
