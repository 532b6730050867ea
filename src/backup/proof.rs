//! A backup is good when it could be restored: its database is written into a scratch file, every page is looked at, every
//! row counted, and the key opens what is sealed in it.

use std::path::Path;

use super::file;
use crate::book::Book;
use crate::crypto::Sealer;
use crate::domain::backup::Manifest;
use crate::domain::time::Time;
use crate::error::Result;
use crate::files;
use crate::store::{FILE, migrate, snapshot};

/// Restores a backup of the present shape into a scratch folder, looks, and removes the folder.
pub fn prove(path: &Path, scratch: &Path, sealer: &Sealer, now: Time) -> Result<Manifest> {
    let answer = unpack(path, scratch).and_then(|manifest| {
        snapshot::ask(&scratch.join(FILE), sealer, |all| Book::read(all, now))?;
        Ok(manifest)
    });
    files::remove_folder(scratch)?;
    answer
}

/// Writes the database of a backup into a fresh folder, and looks whether it is what the manifest says. The folder stays.
pub fn unpack(path: &Path, folder: &Path) -> Result<Manifest> {
    files::remove_folder(folder)?;
    files::make_folder(folder)?;
    let database = folder.join(FILE);
    let manifest = file::extract(path, &database)?;
    migrate::look(&database)?;
    let found = snapshot::examine(&database).map_err(|e| file::damaged(path, "the database in it is damaged").caused(e))?;
    if found.shape != manifest.shape {
        return Err(file::damaged(path, "the database in it is of another shape than its manifest says"));
    }
    match manifest.differs_from(&found.tables) {
        Some(what) => Err(file::damaged(path, &what)),
        None => Ok(manifest),
    }
}
