//! A file that holds nothing but space. Deleted when the disk is full, it leaves room to sign in and clear up.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::crypto;

const PIECE: usize = 64 * 1024;

/// Writes it under another name first: a start that was cut off leaves no half of one. Random bytes, because a file
/// system that packs zeros away would keep nothing free.
pub fn lay(file: &Path, bytes: u64) -> io::Result<()> {
    let fresh = file.with_extension("new");
    let written = write(&fresh, bytes).and_then(|()| std::fs::rename(&fresh, file));
    if written.is_err() {
        // Half a ballast only takes room away.
        let _ = std::fs::remove_file(&fresh);
    }
    written
}

fn write(file: &Path, bytes: u64) -> io::Result<()> {
    let mut out = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    let mut left = bytes;
    while left > 0 {
        let piece = crypto::random::<PIECE>();
        let length = left.min(PIECE as u64) as usize;
        out.write_all(&piece[..length])?;
        left -= length as u64;
    }
    File::sync_all(&out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_as_long_as_it_says() {
        let folder = std::env::temp_dir().join(format!("halotrack-ballast-{}", crypto::random_text(6)));
        std::fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join("ballast");
        lay(&file, 3 * PIECE as u64 + 5).expect("it is laid");
        assert_eq!(std::fs::metadata(&file).expect("a file").len(), 3 * PIECE as u64 + 5);
        assert!(lay(&folder.join("no/such/folder"), 1).is_err());
        std::fs::remove_dir_all(&folder).expect("a clean end");
    }
}
