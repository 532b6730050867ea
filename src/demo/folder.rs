//! The folder that a demo lives in: new, for its owner alone, and gone with it. What a demo that was killed has left goes
//! when the next one starts.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::control::lock;
use crate::crypto;
use crate::error::{Error, Kind, Result};

const NAME: &str = "halotrack-demo-";

/// Holds the data folder and its key. Goes away when it is dropped.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Result<Self> {
        let place = std::env::temp_dir();
        let path = place.join(format!("{NAME}{}", crypto::hex(&crypto::random::<8>())));
        // Not where somebody else has made one already: what lies in it would be theirs to read.
        fs::DirBuilder::new().mode(0o700).create(&path).map_err(|e| {
            let message = format!("{} cannot be made: {e}. Set TMPDIR to a folder that may be written to.", path.display());
            Error::new(Kind::Unavailable, "no_folder", message)
        })?;
        let own = Self(path);
        sweep(&place, &own.0);
        Ok(own)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Removes what nobody holds any more. Another demo may be running beside this one: its lock says so.
fn sweep(place: &Path, own: &Path) {
    let Ok(owner) = fs::metadata(own).map(|m| m.uid()) else { return };
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        // Not through a link, and not what belongs to somebody else.
        let is_ours = fs::symlink_metadata(&path).is_ok_and(|m| m.is_dir() && m.uid() == owner);
        if path == own || !is_ours || !name.to_string_lossy().starts_with(NAME) || !path.join("data").is_dir() {
            continue;
        }
        if let Ok(Ok(held)) = lock::take(&path.join("data")) {
            let _ = fs::remove_dir_all(&path);
            drop(held);
        }
    }
}
