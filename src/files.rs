//! Files that must be whole or not there at all, whenever the power goes: written aside, synced, renamed, and the folder
//! synced.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use crate::error::{Error, Kind, Result};

/// A folder for its owner alone, with those above it.
pub fn make_folder(path: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|e| failed(path, &e))
}

/// A new empty file for its owner alone; what stood there is gone.
pub fn make_file(path: &Path) -> Result<File> {
    remove(path)?;
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path).map_err(|e| failed(path, &e))
}

/// Puts a finished file under its name: whoever looks sees the old one or the new one, also after a power cut.
pub fn settle(from: &Path, to: &Path) -> Result<()> {
    File::open(from).and_then(|f| f.sync_all()).map_err(|e| failed(from, &e))?;
    std::fs::rename(from, to).map_err(|e| failed(to, &e))?;
    sync_folder(to)
}

/// A small file, whole or as before.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let aside = beside(path, ".new");
    make_file(&aside)?.write_all(bytes).map_err(|e| failed(&aside, &e))?;
    settle(&aside, path)
}

/// Between two syncs of a file that grows: some megabytes.
const GROWING: Duration = Duration::from_millis(20);

/// Runs the work that writes a large file, and has the file synced bit by bit meanwhile. One sync of all of it at the end would
/// hold up whoever else waits for this disk. What is written last is synced by the work itself.
pub fn synced_as_it_grows<T>(path: &Path, work: impl FnOnce() -> T) -> T {
    let (ending, ended) = sync_channel::<()>(0);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let Ok(file) = File::open(path) else { return };
            // What fails here fails again where it is asked for.
            while ended.recv_timeout(GROWING) == Err(RecvTimeoutError::Timeout) && file.sync_data().is_ok() {}
        });
        let done = work();
        drop(ending);
        done
    })
}

/// What was renamed or removed in the folder of a path stays so.
pub fn sync_folder(of: &Path) -> Result<()> {
    let folder = folder_of(of);
    File::open(&folder).and_then(|f| f.sync_all()).map_err(|e| failed(&folder, &e))
}

/// Removes a file; one that is not there is as good.
pub fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(failed(path, &e)),
        _ => Ok(()),
    }
}

/// Removes a folder with all that is in it; one that is not there is as good.
pub fn remove_folder(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(failed(path, &e)),
        _ => Ok(()),
    }
}

/// `x.sqlite` and `-wal` give `x.sqlite-wal`.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The folder in which a path stands.
pub fn folder_of(path: &Path) -> PathBuf {
    path.parent().filter(|p| !p.as_os_str().is_empty()).map_or_else(|| PathBuf::from("."), Path::to_owned)
}

/// A failure of the disk in one line: what it was about and what to do.
pub fn failed(path: &Path, e: &std::io::Error) -> Error {
    let path = path.display();
    match e.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded | std::io::ErrorKind::FileTooLarge => {
            Error::new(Kind::Unavailable, "storage_full", format!("The disk of {path} is full. Free some space, then try again."))
        }
        std::io::ErrorKind::NotFound => Error::new(Kind::NotFound, "no_file", format!("There is no {path}. Look at its name.")),
        _ => Error::new(
            Kind::Unavailable,
            "file_unusable",
            format!("{path} cannot be used: {e}. Make it readable and writable for this user."),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_file_takes_the_place_of_another() {
        let folder = std::env::temp_dir().join(format!("halotrack-files-{}", crate::crypto::random_text(6)));
        make_folder(&folder).expect("a folder");
        let path = folder.join("x");
        for text in ["one", "two"] {
            write_whole(&path, text.as_bytes()).expect("written");
            assert_eq!(std::fs::read_to_string(&path).expect("a file"), text);
        }
        assert_eq!(std::fs::read_dir(&folder).expect("a folder").count(), 1, "nothing lies beside it");
        remove_folder(&folder).expect("a clean end");
        remove_folder(&folder).expect("as good");
    }
}
