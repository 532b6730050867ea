//! Backups as files: a copy of the database with its manifest at the end. One is made beside its name, restored into a
//! scratch file and checked, and only then gets its name: a file that is called a backup has been proven once.
//!
//! The master key is never in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::crypto::Sealer;
use crate::disk::{Gauge, SystemGauge};
use crate::domain::backup::Manifest;
use crate::domain::time::Time;
use crate::error::{Error, Kind, Result};
use crate::files;
use crate::store::snapshot;

/// The digests of those who were erased.
pub mod erasures;
/// The file: pages, manifest, foot.
pub mod file;
/// The folder of backups and what stays in it.
pub mod folder;
/// The scratch file and what is asked of it.
pub mod proof;
/// A restored database takes the place of another.
pub mod swap;

/// Moments of a backup, in their order, at which a test may look, or kill the process.
pub const MOMENTS: [&str; 5] = ["copying", "copied", "sealed", "proven", "settled"];
/// Room beyond the database's own size: manifest, folders, and what the box writes meanwhile.
const SPARE: u64 = 16 * 1024 * 1024;

/// Told of each moment that has come.
#[derive(Clone)]
pub struct Watch(Arc<dyn Fn(&'static str) + Send + Sync>);

impl Watch {
    pub fn nobody() -> Self {
        Self(Arc::new(|_| ()))
    }

    pub fn by(look: impl Fn(&'static str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(look))
    }

    pub fn see(&self, moment: &'static str) {
        (self.0)(moment);
    }
}

/// Refuses a name under which no backup may be made, before anything is begun.
pub fn check_name(to: &Path) -> Result<()> {
    let folder = files::folder_of(to);
    if !folder.is_dir() {
        return Err(Error::new(
            Kind::Invalid,
            "usage",
            format!("There is no folder {}. Name a file in one that is there.", folder.display()),
        ));
    }
    if to.exists() && !file::is_backup(to) {
        return Err(Error::new(
            Kind::Conflict,
            "file_exists",
            format!("{} is there already and is no backup of HaloTrack. Name another file.", to.display()),
        ));
    }
    Ok(())
}

/// Makes a backup of the database in the data folder, proves it, and gives it its name.
pub fn take(data: &Path, to: &Path, sealer: &Sealer, now: Time, watch: &Watch) -> Result<Manifest> {
    let database = data.join(crate::store::FILE);
    folder::sweep(data)?;
    files::make_folder(&data.join(snapshot::FOLDER))?;
    let bytes = size(&database)?;
    let scratch = folder::scratch(data);
    if is_one_disk(&files::folder_of(to), data) {
        need(&files::folder_of(to), 2 * bytes + bytes / 5)?;
    } else {
        need(&files::folder_of(to), bytes + bytes / 10)?;
        need(data, bytes + bytes / 10)?;
    }
    let part = Leftover(files::beside(to, ".part"));
    files::make_file(&part.0)?;
    watch.see("copying");
    snapshot::copy(&database, &part.0)?;
    watch.see("copied");
    file::seal(&part.0, &snapshot::count(&part.0)?, now)?;
    watch.see("sealed");
    let manifest = proof::prove(&part.0, &scratch, sealer, now)?;
    watch.see("proven");
    files::settle(&part.0, to)?;
    watch.see("settled");
    Ok(manifest)
}

/// Refuses where a disk has not so much room.
pub fn need(folder: &Path, bytes: u64) -> Result<()> {
    let (free, bytes) = (SystemGauge.free(folder).map_err(|e| files::failed(folder, &e))?, bytes + SPARE);
    if free >= bytes {
        return Ok(());
    }
    Err(Error::new(
        Kind::Unavailable,
        "storage_full",
        format!(
            "{} MB are needed and {} MB are free on the disk of {}. Free some space, or name a file on another disk.",
            megabytes(bytes),
            free / 1_000_000,
            folder.display()
        ),
    ))
}

fn megabytes(bytes: u64) -> u64 {
    bytes.div_ceil(1_000_000)
}

/// Of the database with its log.
fn size(database: &Path) -> Result<u64> {
    let meta = std::fs::metadata(database).map_err(|e| files::failed(database, &e))?;
    let log = std::fs::metadata(files::beside(database, "-wal")).map_or(0, |m| m.len());
    Ok(meta.len() + log)
}

fn is_one_disk(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (std::fs::metadata(one), std::fs::metadata(other)) {
        (Ok(one), Ok(other)) => one.dev() == other.dev(),
        _ => true,
    }
}

/// A file under way: gone when its maker fails.
struct Leftover(PathBuf);

impl Drop for Leftover {
    fn drop(&mut self) {
        // Renamed, it is not there any more.
        let _ = std::fs::remove_file(&self.0);
    }
}
