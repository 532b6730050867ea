//! The data folder, and the lock that only one process holds on it.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::backup::{Watch, swap};
use crate::clock;
use crate::error::{Error, Kind, Result};

/// Held as long as the process may change the data; the system lets go of it even after a kill.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Whoever holds the lock, as it wrote itself down.
#[derive(Debug, Clone, PartialEq)]
pub struct Holder {
    pub pid: Option<u32>,
}

impl Holder {
    /// `process 4711`
    pub fn name(&self) -> String {
        self.pid.map_or("another process".into(), |pid| format!("process {pid}"))
    }
}

/// Makes the folder, for its owner alone.
pub fn make_folder(data: &Path) -> Result<()> {
    let failed = |e: std::io::Error| {
        Error::new(
            Kind::Unavailable,
            "folder_unwritable",
            format!(
                "The data folder {} cannot be made or written: {e}. Make it writable for this user or name another with --data.",
                data.display()
            ),
        )
    };
    if !data.is_dir() {
        DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(failed)?;
    }
    let meta = std::fs::metadata(data).map_err(failed)?;
    if meta.permissions().mode() & 0o077 != 0 {
        std::fs::set_permissions(data, std::fs::Permissions::from_mode(0o700)).map_err(failed)?;
    }
    Ok(())
}

/// Takes the lock, waiting a little for a command that just ends, or refuses.
pub fn take_within(data: &Path, patience: Duration) -> Result<Lock> {
    let since = clock::started();
    loop {
        match take(data)? {
            Ok(held) => return Ok(held),
            Err(holder) if since.elapsed() > patience => return Err(refused(data, &holder)),
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

/// Takes the lock, or says who has it. The folder must be there. Whoever gets it first ends what a killed process began.
pub fn take(data: &Path) -> Result<std::result::Result<Lock, Holder>> {
    let path = path(data);
    let failed = |e: std::io::Error| {
        Error::new(
            Kind::Unavailable,
            "folder_unwritable",
            format!("{} cannot be written: {e}. Make the data folder writable for this user.", path.display()),
        )
    };
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(failed)?;
            swap::finish(data, &Watch::nobody())?;
            Ok(Ok(Lock { _file: file }))
        }
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let _ = file.take(32).read_to_string(&mut text);
            Ok(Err(Holder { pid: text.trim().parse().ok() }))
        }
        Err(TryLockError::Error(e)) => Err(failed(e)),
    }
}

/// The refusal of a command that needs the data folder for itself.
pub fn refused(data: &Path, holder: &Holder) -> Error {
    Error::new(
        Kind::Conflict,
        "locked",
        format!("The data folder {} is in use by {}. Stop it first, or name another folder with --data.", data.display(), holder.name()),
    )
}

fn path(data: &Path) -> PathBuf {
    data.join("lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_it_and_the_other_is_told_who() {
        let data = std::env::temp_dir().join(format!("halotrack-lock-{}", crate::crypto::random_text(6)));
        make_folder(&data).expect("a folder");
        let held = take(&data).expect("an answer").expect("the lock");
        let holder = take(&data).expect("an answer").expect_err("refused");
        assert_eq!(holder.pid, Some(std::process::id()));
        drop(held);
        assert!(take(&data).expect("an answer").is_ok());
        std::fs::remove_dir_all(&data).expect("a clean end");
    }
}
