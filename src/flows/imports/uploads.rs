//! Files that a browser sends in pieces. Each lies in the data folder until it has been brought in, or for a day.

use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;

use super::preview::{self, Preview};
use super::{Given, Pieces, begin, busy, found, named, run, unknown};
use crate::app::App;
use crate::crypto::{self, RunningSha256};
use crate::domain::ids::ImportId;
use crate::domain::import::ImportKind;
use crate::domain::storage::Burden;
use crate::domain::time::DAY_MS;
use crate::error::{Error, Kind, Result};
use crate::files;
use crate::store::imports::{self, Import, ImportState, NewImport};
use crate::store::sites::Site;

/// Bytes of a file at most; larger ones are brought by `halotrack import`, which takes them from the disk.
pub const LARGEST: i64 = 200 * 1024 * 1024;
/// Bytes of a piece: what a slow line sends well within the time that a body has.
pub const PIECE: usize = 256 * 1024;
/// Files of a site that may be on their way at once.
const MOST_COMING: usize = 5;
/// Room that stays free beside a file: below it visits are no longer counted.
const BESIDE: i64 = 600 * 1024 * 1024;
/// A file that was not brought in is kept so long.
const KEPT_MS: i64 = DAY_MS;

/// Bytes of a file that are read at once.
const READ: usize = 64 * 1024;

/// Announces a file.
pub async fn announce(app: &App, site: &Arc<Site>, kind: ImportKind, name: &str, bytes: i64, given: &Given, who: &str) -> Result<Import> {
    if !(1..=LARGEST).contains(&bytes) {
        return Err(Error::invalid(
            "bytes",
            format!("A file has 1 byte to {} MB here. Bring a larger one with `halotrack import` on the server.", LARGEST / 1024 / 1024),
        ));
    }
    app.disk.admit(Burden::Export)?;
    if i64::try_from(app.disk.free()).unwrap_or(i64::MAX) < bytes + BESIDE {
        return Err(Error::new(
            Kind::Unavailable,
            "storage_full",
            "There is too little room on the server's disk for this file. Free some space, then try again.",
        ));
    }
    files::make_folder(&folder(app))?;
    let name = named(name);
    if name.is_empty() {
        return Err(Error::invalid("name", "name is the file's own name."));
    }
    let (who, now) = (who.to_owned(), app.clock.now());
    let home = serde_json::to_string(given).map_err(Error::internal)?;
    app.store
        .write(site.id, move |c| {
            let coming = imports::list_open(c)?.into_iter().filter(|i| i.state == ImportState::Coming).count();
            if coming >= MOST_COMING {
                return Err(Error::new(
                    Kind::Conflict,
                    "too_many_files",
                    format!("{MOST_COMING} files are waiting already. Bring one of them in or drop it."),
                ));
            }
            let new =
                NewImport { kind, name: &name, digest: None, home: &home, who: &who, state: ImportState::Coming, bytes, inbox: None, now };
            let id = imports::add(c, &new)?;
            found(c, id)
        })
        .await
}

/// Takes a piece at its place; gives how many bytes there are now. A piece that came before is taken once, and only as it was:
/// other bytes in its place are another file.
pub async fn piece(app: &App, site: &Arc<Site>, id: ImportId, at: i64, bytes: Bytes) -> Result<i64> {
    let import = app.store.read(site.id, move |c| found(c, id)).await?;
    if import.state != ImportState::Coming {
        return Err(Error::new(Kind::Conflict, "not_coming", "This file is whole already."));
    }
    let end = at.saturating_add(bytes.len() as i64);
    if at < 0 || at > import.received || end > import.bytes {
        return Err(Error::new(
            Kind::Conflict,
            "wrong_place",
            format!("{} bytes of {} are here. Go on there.", import.received, import.bytes),
        )
        .of("at"));
    }
    app.disk.admit(Burden::Export)?;
    let path = path(app, site, id);
    let again = (end.min(import.received) - at) as usize;
    work(move || {
        let open = std::fs::OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(&path);
        let file = open.map_err(|e| files::failed(&path, &e))?;
        let mut known = vec![0; again];
        file.read_exact_at(&mut known, at as u64).map_err(|e| files::failed(&path, &e))?;
        if known != bytes[..again] {
            return Err(Error::new(
                Kind::Conflict,
                "other_bytes",
                "Other bytes came at this place before: the file has changed since. Drop it here and send it again from its beginning.",
            )
            .of("at"));
        }
        file.write_all_at(&bytes[again..], at as u64 + again as u64).map_err(|e| files::failed(&path, &e))
    })
    .await?;
    let (received, now) = (end.max(import.received), app.clock.now());
    app.store.write(site.id, move |c| imports::set_received(c, id, received, now)).await?;
    Ok(received)
}

/// What the file would do.
pub async fn preview(app: &App, site: &Arc<Site>, id: ImportId) -> Result<Preview> {
    let import = whole(app, site, id).await?;
    let given: Given = serde_json::from_str(&import.home).unwrap_or_default();
    preview::of(app, site, import.kind, &given, opened(&path(app, site, id))).await
}

async fn whole(app: &App, site: &Arc<Site>, id: ImportId) -> Result<Import> {
    let import = app.store.read(site.id, move |c| found(c, id)).await?;
    match import.state {
        ImportState::Coming if import.received == import.bytes => Ok(import),
        ImportState::Coming => Err(Error::new(Kind::Conflict, "not_whole", "Not all of the file is here yet.")),
        _ => Err(Error::new(Kind::Conflict, "not_coming", "This file was brought in already.")),
    }
}

/// Lets it run in the background; what becomes of it stands in its row.
pub async fn start(app: &App, site: &Arc<Site>, id: ImportId) -> Result<Import> {
    let import = whole(app, site, id).await?;
    let turn = app.importing.try_take(site.id).ok_or_else(busy)?;
    let path = path(app, site, id);
    let digest = digest_of(&path).await?;
    let now = app.clock.now();
    let import = app
        .store
        .write(site.id, move |c| {
            // The same file again, after a run of it that was cut off elsewhere: the rows say what is known.
            begin(c, id, import.kind, &digest, &import.who, now)?;
            found(c, id)
        })
        .await?;
    let (app, site, running) = (app.clone(), site.clone(), import.clone());
    tokio::spawn(async move {
        let _turn = turn;
        finish(&app, &site, running).await;
    });
    Ok(import)
}

/// Runs a file of the data folder to its end. It stays where only something outside has stopped it.
async fn finish(app: &App, site: &Arc<Site>, import: Import) {
    let (id, path) = (import.id, path(app, site, import.id));
    match run(app, site, import, opened(&path)).await {
        Ok(_) => drop(files::remove(&path)),
        Err(e) => {
            tracing::warn!(site.id = %site.id, import = %id, error = %e, "An import did not come to its end.");
            let state = app.store.read(site.id, move |c| found(c, id)).await.map(|i| i.state);
            if !matches!(state, Ok(ImportState::Running)) {
                let _ = files::remove(&path);
            }
        }
    }
}

/// Drops a file that was not run.
pub async fn remove(app: &App, site: &Arc<Site>, id: ImportId) -> Result<()> {
    let import = app.store.read(site.id, move |c| imports::find(c, id)).await?.ok_or_else(|| unknown(id))?;
    if import.state != ImportState::Coming {
        return Err(Error::new(Kind::Conflict, "not_coming", "This file was brought in already. It stays in the list."));
    }
    app.store.write(site.id, move |c| imports::remove(c, id)).await?;
    files::remove(&path(app, site, id))
}

/// Files that nobody has brought in yet, and where they lie.
pub async fn waiting(app: &App, site: &Arc<Site>) -> Result<Vec<(ImportId, PathBuf)>> {
    let open = app.store.read(site.id, imports::list_open).await?;
    Ok(open.into_iter().filter(|i| i.state == ImportState::Coming).map(|i| (i.id, path(app, site, i.id))).collect())
}

/// Takes up what an earlier run of the process has left: files that were being brought in.
pub async fn go_on(app: &App) -> Result<()> {
    for site in app.book().sites().to_vec() {
        for import in app.store.read(site.id, imports::list_open).await? {
            let is_here = import.state == ImportState::Running && path(app, &site, import.id).exists();
            if is_here && let Some(_turn) = app.importing.try_take(site.id) {
                finish(app, &site, import).await;
            }
        }
    }
    Ok(())
}

/// Files that nobody brought in are gone after a day, and so is what no row names.
pub async fn sweep(app: &App) -> Result<()> {
    let now = app.clock.now();
    let mut kept: Vec<PathBuf> = Vec::new();
    for site in app.book().sites().to_vec() {
        for import in app.store.read(site.id, imports::list_open).await? {
            let id = import.id;
            if import.state == ImportState::Coming && now.ms_since(import.changed_at) > KEPT_MS {
                app.store.write(site.id, move |c| imports::remove(c, id)).await?;
            } else {
                kept.push(path(app, &site, id));
            }
        }
    }
    let Ok(all) = std::fs::read_dir(folder(app)) else { return Ok(()) };
    for path in all.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| !kept.contains(path)) {
        files::remove(&path)?;
    }
    Ok(())
}

fn folder(app: &App) -> PathBuf {
    app.config.data.join("imports")
}

fn path(app: &App, site: &Site, id: ImportId) -> PathBuf {
    folder(app).join(format!("{}-{}.part", site.id.number(), id.number()))
}

async fn work<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|e| Error::internal(format!("a file's work stopped: {e}")))?
}

async fn digest_of(path: &Path) -> Result<Vec<u8>> {
    let mut pieces = opened(path);
    let mut sum = RunningSha256::default();
    while let Some(piece) = pieces.recv().await {
        sum.take(&piece?);
    }
    Ok(crypto::unhex(&sum.hex()).unwrap_or_default())
}

/// A file of the disk, read as fast as it is taken.
pub fn opened(path: &Path) -> Pieces {
    let (send, pieces) = mpsc::channel(4);
    let path = path.to_owned();
    tokio::spawn(async move {
        let read = async {
            let mut file = tokio::fs::File::open(&path).await.map_err(|e| files::failed(&path, &e))?;
            loop {
                let mut piece = vec![0; READ];
                let n = file.read(&mut piece).await.map_err(|e| files::failed(&path, &e))?;
                piece.truncate(n);
                if n == 0 || send.send(Ok(Bytes::from(piece))).await.is_err() {
                    return Ok(());
                }
            }
        };
        if let Err(e) = read.await {
            let _ = send.send(Err(e)).await;
        }
    });
    pieces
}
