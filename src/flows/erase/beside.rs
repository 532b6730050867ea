//! `erasures.log` beside every backup that is known of: an older one, restored on another machine, must bring back nobody.
//! In the folder of backups it lies there with each erasure; where somebody has put a backup elsewhere, as soon as that folder
//! can be reached.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::task::JoinSet;

use crate::app::App;
use crate::backup::erasures;
use crate::domain::backup::is_past;
use crate::domain::time::Time;
use crate::error::{Error, Result};
use crate::files;
use crate::store::backups;
use crate::store::snapshot::FOLDER;

/// A share that has gone away may never answer; nobody waits longer for one. A platform that passes on a wish waits for five.
const PATIENCE: Duration = Duration::from_secs(2);

/// A folder outside the data with backups in it, as they were named.
struct Place {
    folder: PathBuf,
    files: Vec<PathBuf>,
    newest: Time,
}

impl Place {
    fn has_any(&self) -> bool {
        self.files.iter().any(|file| file.exists())
    }
}

/// Brings the log to all backups within reach. What is out of reach is told by `behind`, and tried again with the next erasure,
/// the next backup and the next start.
pub async fn spread(app: &App) {
    let places = match places(app).await {
        Ok(places) => places,
        Err(e) => {
            tracing::error!(error = %e, "Where backups were put could not be read; erasures.log lies beside the data.");
            Vec::new()
        }
    };
    let (data, to) = (app.config.data.clone(), app.config.data.join(FOLDER));
    let mut work = JoinSet::new();
    work.spawn(within(move || if to.is_dir() { erasures::carry(&data, &to) } else { Ok(()) }));
    for place in places {
        let data = app.config.data.clone();
        work.spawn(within(move || if place.has_any() { erasures::carry(&data, &place.folder) } else { Ok(()) }));
    }
    for done in work.join_all().await {
        if let Err(e) = done {
            tracing::warn!(error = %e, "erasures.log does not lie beside all backups; doctor says where.");
        }
    }
}

/// Folders with backups whose log lacks somebody who was erased, or may lack them: it cannot be reached.
pub async fn behind(app: &App) -> Result<Vec<PathBuf>> {
    let (data, now) = (app.config.data.clone(), app.clock.now());
    let newest = super::log::read(&data)?.iter().map(|line| line.at).max();
    let Some(newest) = newest.map(Time::from_ms) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    let own = data.join(FOLDER);
    let (from, to) = (data.clone(), own.clone());
    if !within(move || Ok(!to.is_dir() || is_whole(&from, &to)?)).await.unwrap_or(false) {
        found.push(own);
    }
    for place in places(app).await? {
        // What was put away so long ago has had its time, as those of the nights have.
        let is_missed = newest > place.newest && !is_past(place.newest, now);
        let (from, folder) = (data.clone(), place.folder.clone());
        let is_fine = within(move || {
            if place.has_any() {
                return is_whole(&from, &place.folder);
            }
            // Gone from a folder that is there: nothing is left that could bring anybody back.
            Ok(place.folder.is_dir() || !is_missed)
        });
        if !is_fine.await.unwrap_or(!is_missed) {
            found.push(folder);
        }
    }
    Ok(found)
}

fn is_whole(from: &Path, to: &Path) -> Result<bool> {
    Ok(erasures::lacking(from, to)? == 0)
}

/// Where backups were put by name, outside the folder of backups.
async fn places(app: &App) -> Result<Vec<Place>> {
    let own = app.config.data.join(FOLDER);
    let records = app.store.read_all_sites(|all| backups::list(all, backups::KEPT)).await?;
    let mut places: BTreeMap<PathBuf, Place> = BTreeMap::new();
    for record in records.into_iter().filter(|r| r.is_good) {
        let file = PathBuf::from(&record.file);
        let folder = files::folder_of(&file);
        if folder == own {
            continue;
        }
        let place = places.entry(folder.clone()).or_insert_with(|| Place { folder, files: Vec::new(), newest: record.at });
        place.newest = place.newest.max(record.at);
        if !place.files.contains(&file) {
            place.files.push(file);
        }
    }
    Ok(places.into_values().collect())
}

async fn within<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(work)).await {
        Ok(done) => done.map_err(Error::internal)?,
        Err(_) => Err(Error::internal("a disk does not answer")),
    }
}
