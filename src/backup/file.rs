//! The file of a backup: an SQLite database, then its manifest as JSON, then a foot of fixed length. SQLite reads such a
//! file as it is; cut or changed anywhere, it is no backup any more.
//!
//! ```text
//! …pages… {"format":1,…,"sha256":"of the pages"} HALOTRACK-BACKUP-1 <sha256 of the manifest> <its length>\n
//! ```

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::crypto::{self, RunningSha256};
use crate::domain::backup::Manifest;
use crate::domain::time::Time;
use crate::error::{Error, Kind, Result};
use crate::files::{self, failed};
use crate::store::snapshot::Examined;

const MARK: &str = "HALOTRACK-BACKUP-1";
/// Mark, digest, length in ten digits, two spaces, one newline.
const FOOT: u64 = 18 + 1 + 64 + 1 + 10 + 1;
/// A manifest names some dozens of tables.
const LONGEST_MANIFEST: u64 = 1024 * 1024;
/// Read and hashed at a time.
const PIECE: usize = 256 * 1024;

/// Ends a finished copy with its manifest.
pub fn seal(path: &Path, found: &Examined, now: Time) -> Result<()> {
    let wrong = |e: std::io::Error| failed(path, &e);
    let mut file = OpenOptions::new().read(true).append(true).open(path).map_err(wrong)?;
    let bytes = file.metadata().map_err(wrong)?.len();
    let sha256 = pass_on(&mut file, bytes, path, &mut std::io::sink(), path)?;
    let manifest = Manifest {
        format: Manifest::FORMAT,
        version: env!("CARGO_PKG_VERSION").into(),
        shape: found.shape,
        taken_at: now.utc(),
        bytes,
        sha256,
        tables: found.tables.clone(),
    };
    let text = serde_json::to_string(&manifest).map_err(Error::internal)?;
    let foot = format!("{MARK} {} {:010}\n", crypto::sha256_hex(text.as_bytes()), text.len());
    file.write_all(text.as_bytes()).and_then(|()| file.write_all(foot.as_bytes())).and_then(|()| file.sync_all()).map_err(wrong)
}

/// Whether it ends as a backup does.
pub fn is_backup(path: &Path) -> bool {
    read(path).is_ok()
}

/// The manifest, itself whole. Whether the pages are is not looked at.
pub fn read(path: &Path) -> Result<Manifest> {
    let mut file = File::open(path).map_err(|e| failed(path, &e))?;
    Ok(manifest_of(&mut file, path)?.0)
}

/// Writes the database of a backup into a file of its own, page by page as they were hashed.
pub fn extract(path: &Path, to: &Path) -> Result<Manifest> {
    let mut file = File::open(path).map_err(|e| failed(path, &e))?;
    let (manifest, pages) = manifest_of(&mut file, path)?;
    if manifest.bytes != pages {
        return Err(damaged(path, "its length is not the one in its manifest"));
    }
    let mut out = files::make_file(to)?;
    file.seek(SeekFrom::Start(0)).map_err(|e| failed(path, &e))?;
    if files::synced_as_it_grows(to, || pass_on(&mut file, pages, path, &mut out, to))? != manifest.sha256 {
        files::remove(to)?;
        return Err(damaged(path, "its content is not what was written"));
    }
    out.sync_all().map_err(|e| failed(to, &e))?;
    Ok(manifest)
}

/// The refusal of a file that is none, or no longer one.
pub fn damaged(path: &Path, why: &str) -> Error {
    Error::new(
        Kind::Unavailable,
        "backup_damaged",
        format!("{} is no whole backup: {why}. Nothing was changed. Take another backup.", path.display()),
    )
}

fn manifest_of(file: &mut File, path: &Path) -> Result<(Manifest, u64)> {
    let wrong = |e: std::io::Error| failed(path, &e);
    let cut = || damaged(path, "it does not end as one, so it may have been cut off");
    let meta = file.metadata().map_err(wrong)?;
    if !meta.is_file() {
        return Err(damaged(path, "it is no file"));
    }
    let foot_at = meta.len().checked_sub(FOOT).ok_or_else(cut)?;
    file.seek(SeekFrom::Start(foot_at)).map_err(wrong)?;
    let mut foot = String::new();
    // Bytes that are no text are no foot.
    file.take(FOOT).read_to_string(&mut foot).map_err(|_| cut())?;
    let words: Vec<&str> = foot.trim_end_matches('\n').split(' ').collect();
    let [MARK, digest, length] = words[..] else { return Err(cut()) };
    let length: u64 = length.parse().ok().filter(|n| *n <= LONGEST_MANIFEST).ok_or_else(cut)?;
    let manifest_at = foot_at.checked_sub(length).ok_or_else(cut)?;
    file.seek(SeekFrom::Start(manifest_at)).map_err(wrong)?;
    let mut text = Vec::new();
    file.take(length).read_to_end(&mut text).map_err(wrong)?;
    if crypto::sha256_hex(&text) != digest {
        return Err(damaged(path, "its manifest was changed"));
    }
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|_| damaged(path, "its manifest cannot be read"))?;
    if manifest.format > Manifest::FORMAT {
        let message =
            format!("{} was made by HaloTrack {}. Restore it with that version or a newer one.", path.display(), manifest.version);
        return Err(Error::new(Kind::Unavailable, "storage_newer", message));
    }
    Ok((manifest, manifest_at))
}

/// Copies so many bytes and gives their SHA-256.
fn pass_on(from: &mut File, bytes: u64, path: &Path, to: &mut dyn Write, target: &Path) -> Result<String> {
    let mut sum = RunningSha256::default();
    let mut piece = vec![0; PIECE];
    let mut left = bytes;
    while left > 0 {
        let most = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let count = match from.read(&mut piece[..most]) {
            Ok(0) => return Err(damaged(path, "it ends too early")),
            Ok(count) => count,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(failed(path, &e)),
        };
        sum.take(&piece[..count]);
        to.write_all(&piece[..count]).map_err(|e| failed(target, &e))?;
        left -= count as u64;
    }
    Ok(sum.hex())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_changed_or_missing_byte_is_seen() {
        let folder = std::env::temp_dir().join(format!("halotrack-backup-{}", crypto::random_text(6)));
        files::make_folder(&folder).expect("a folder");
        let (path, out) = (folder.join("x.backup"), folder.join("out"));
        let pages: Vec<u8> = (0..3_000u32).map(|n| (n % 251) as u8).collect();
        std::fs::write(&path, &pages).expect("pages");
        let found = Examined { shape: 1, tables: vec![("sites".into(), 2)] };
        seal(&path, &found, Time::from_s(1_781_342_400)).expect("sealed");
        let manifest = extract(&path, &out).expect("whole");
        assert_eq!((manifest.rows(), manifest.bytes, manifest.taken_at.as_str()), (2, 3_000, "2026-06-13T09:20:00Z"));
        assert_eq!(std::fs::read(&out).expect("a file"), pages);
        let whole = std::fs::read(&path).expect("a file");
        for place in (0..whole.len()).step_by(7).chain(whole.len() - FOOT as usize - 40..whole.len()) {
            let mut bad = whole.clone();
            bad[place] ^= 1;
            std::fs::write(&path, &bad).expect("written");
            assert_eq!(extract(&path, &out).map_err(|e| e.code), Err("backup_damaged"), "byte {place}");
            std::fs::write(&path, &whole[..place]).expect("written");
            assert_eq!(extract(&path, &out).map_err(|e| e.code), Err("backup_damaged"), "cut at {place}");
        }
        files::remove_folder(&folder).expect("a clean end");
    }
}
