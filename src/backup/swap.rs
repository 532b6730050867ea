//! A restored database takes the place of another: all of it, or nothing. A note beside the database decides: before it is
//! written the old one stands, afterwards the new one, and whoever takes the lock next ends what was cut off.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Watch, folder};
use crate::error::{Error, Kind, Result};
use crate::files;
use crate::store::FILE;

/// Moments of a swap, in their order.
pub const MOMENTS: [&str; 3] = ["decided", "aside", "placed"];

/// Where the restored database is made ready, in the data folder.
const READY: &str = "restoring";
const NOTE: &str = "restoring.json";

/// What is to be done: names in the data folder.
#[derive(Serialize, Deserialize)]
struct Note {
    aside: PathBuf,
}

pub fn ready(data: &Path) -> PathBuf {
    data.join(READY)
}

/// Whether a swap was decided and not ended.
pub fn is_pending(data: &Path) -> bool {
    data.join(NOTE).exists()
}

/// Puts what stands ready in the place of the database, which goes to `aside`.
pub fn decide(data: &Path, aside: &Path, watch: &Watch) -> Result<()> {
    let note = Note { aside: aside.strip_prefix(data).unwrap_or(aside).to_owned() };
    files::write_whole(&data.join(NOTE), &serde_json::to_vec(&note).map_err(Error::internal)?)?;
    watch.see("decided");
    finish(data, watch)
}

/// Ends a swap that was decided, and removes what was never decided. The lock is held; called again it does nothing.
pub fn finish(data: &Path, watch: &Watch) -> Result<()> {
    let path = data.join(NOTE);
    match std::fs::read(&path) {
        Ok(text) => {
            let note: Note = serde_json::from_slice(&text).map_err(|e| {
                let message = format!("{} cannot be read. Remove it, then restore the backup again.", path.display());
                Error::new(Kind::Unavailable, "restore_unfinished", message).caused(e)
            })?;
            place(data, &data.join(note.aside), watch)?;
            files::remove(&path)?;
            files::sync_folder(&path)?;
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(e) => return Err(files::failed(&path, &e)),
    }
    files::remove_folder(&ready(data))?;
    folder::sweep(data)
}

fn place(data: &Path, aside: &Path, watch: &Watch) -> Result<()> {
    let (fresh, database) = (ready(data).join(FILE), data.join(FILE));
    if !fresh.exists() {
        // It stands in its place already; only the note was left.
        return Ok(());
    }
    files::make_folder(&files::folder_of(aside))?;
    // A log belongs to one database: beside another it would be played into it.
    let log = files::beside(&database, "-wal");
    if log.exists() {
        let kept = files::beside(aside, "-wal");
        std::fs::rename(&log, &kept).map_err(|e| files::failed(&kept, &e))?;
    }
    files::remove(&files::beside(&database, "-shm"))?;
    if database.exists() && !aside.exists() {
        // A second name, so that there is a database at every moment; where a disk has no links it is moved.
        std::fs::hard_link(&database, aside).or_else(|_| std::fs::rename(&database, aside)).map_err(|e| files::failed(aside, &e))?;
        files::sync_folder(aside)?;
    }
    watch.see("aside");
    files::settle(&fresh, &database)?;
    watch.see("placed");
    Ok(())
}
