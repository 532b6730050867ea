//! The master key: 32 random bytes in a file of their own beside the data folder. It seals what is stored, is made on
//! the first start, and is never part of a backup.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::crypto::{self, Sealer};
use crate::domain::time::Time;
use crate::error::{Error, Kind, Result};

const HEADER: &str = "# HaloTrack's master key. Whoever has it and the database can read every stored secret.\n\
                      # Keep a copy of this file in another place than the backups.\n";
const TURNING: &str = "# The key before it. It goes when everything is sealed anew, at the next start at the latest.\n";
const OLD: &str = "# An older master key of HaloTrack: backups from before its rotation open with it only.\n\
                   # Delete this file together with the last of them.\n";

/// Reads the key. It is made only where no database waits for another one.
pub fn open(file: &Path, has_database: bool) -> Result<Sealer> {
    match File::open(file) {
        Ok(mut opened) => read(&mut opened, file),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && !has_database => make(file),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(wrong(
            "key_missing",
            format!("The master key {} is missing. Put the file back that belongs to this database.", file.display()),
        )),
        Err(e) => Err(wrong(
            "key_unreadable",
            format!("The master key {} cannot be read: {e}. Give this user the right to read it.", file.display()),
        )),
    }
}

fn read(opened: &mut File, file: &Path) -> Result<Sealer> {
    let unreadable = |e: std::io::Error| wrong("key_unreadable", format!("The master key {} cannot be read: {e}.", file.display()));
    let meta = opened.metadata().map_err(unreadable)?;
    if !meta.is_file() {
        return Err(wrong(
            "key_unreadable",
            format!("The master key {} is not a plain file. Name another with master_key_file.", file.display()),
        ));
    }
    if meta.permissions().mode() & 0o077 != 0 {
        return Err(wrong("key_exposed", format!("Others may read the master key. Run: chmod 600 {}", file.display())));
    }
    let mut text = String::new();
    opened.take(4_096).read_to_string(&mut text).map_err(unreadable)?;
    let damaged = || {
        wrong(
            "key_damaged",
            format!("The master key {} is not 64 hex digits. Put the file back that belongs to this database.", file.display()),
        )
    };
    let bytes = |line: &str| -> Result<[u8; 32]> { crypto::unhex(line).and_then(|b| b.try_into().ok()).ok_or_else(damaged) };
    let mut lines = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
    let present = bytes(lines.next().unwrap_or_default())?;
    // A second key: a rotation was broken off, and some of what is stored is still sealed with it.
    let former = lines.next().map(bytes).transpose()?;
    Ok(Sealer::between(present, former))
}

/// Puts a key in the place of the file's, beside the former one as long as something may be sealed with it.
pub fn write(file: &Path, present: &[u8; 32], former: Option<&[u8; 32]>) -> Result<()> {
    let mut text = format!("{HEADER}{}\n", crypto::hex(present));
    if let Some(former) = former {
        text.push_str(&format!("{TURNING}{}\n", crypto::hex(former)));
    }
    put(file, &text)
}

/// The old key in a file of its own, for backups from before: `data.key.until-20260613`, with a number if there is one.
pub fn keep_old(file: &Path, old: &[u8; 32], now: Time) -> Result<PathBuf> {
    let day = now.utc()[..10].replace('-', "");
    for n in 1.. {
        let suffix = if n == 1 { format!(".until-{day}") } else { format!(".until-{day}-{n}") };
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        let kept = PathBuf::from(name);
        if !kept.exists() {
            put(&kept, &format!("{OLD}{}\n", crypto::hex(old)))?;
            return Ok(kept);
        }
    }
    unreachable!("there is always a next number")
}

/// A key that does not fit, with the older ones that lie beside it: whoever restores what is older than a rotation needs one.
pub fn with_older(mut e: Error, file: &Path) -> Error {
    let older = older(file);
    if let Some(last) = older.last() {
        let names = older.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
        e.message = format!(
            "{} Older keys lie beside it ({names}): what was backed up before the rotation of that day opens with it. Keep {} somewhere \
             else, then: cp {} {}",
            e.message,
            file.display(),
            last.display(),
            file.display()
        );
    }
    e
}

/// What rotations have left beside the key, by their days.
fn older(file: &Path) -> Vec<PathBuf> {
    let Some(name) = file.file_name().and_then(|name| name.to_str()) else { return Vec::new() };
    let begin = format!("{name}.until-");
    let folder = file.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let beside = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut all: Vec<PathBuf> =
        beside.filter(|entry| entry.file_name().to_str().is_some_and(|n| n.starts_with(&begin))).map(|entry| entry.path()).collect();
    all.sort();
    all
}

fn make(file: &Path) -> Result<Sealer> {
    let bytes: [u8; 32] = crypto::random();
    write(file, &bytes, None)?;
    Ok(Sealer::new(bytes))
}

/// Whole or not at all: a temporary file, synced, renamed, and the folder synced.
fn put(file: &Path, text: &str) -> Result<()> {
    let folder = file.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut name = file.as_os_str().to_owned();
    name.push(".new");
    let fresh = Path::new(&name);
    let write = || -> std::io::Result<()> {
        if fresh.exists() {
            // Left by a process that was cut off; the file itself is as it was.
            std::fs::remove_file(fresh)?;
        }
        let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(fresh)?;
        out.set_permissions(Permissions::from_mode(0o600))?;
        out.write_all(text.as_bytes())?;
        out.sync_all()?;
        std::fs::rename(fresh, file)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(|e| {
        wrong(
            "key_unwritable",
            format!(
                "The master key {} cannot be written: {e}. Make its folder writable or name another with master_key_file.",
                file.display()
            ),
        )
    })
}

fn wrong(code: &'static str, message: String) -> Error {
    Error::new(Kind::Unavailable, code, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_once_and_guarded() {
        let folder = std::env::temp_dir().join(format!("halotrack-key-{}", crypto::random_text(6)));
        std::fs::create_dir(&folder).expect("a folder");
        let file = folder.join("data.key");
        let code = |has_database| open(&file, has_database).map(|_| "ok").unwrap_or_else(|e| e.code);
        assert_eq!(code(true), "key_missing");
        let sealed = open(&file, false).expect("a key").seal(b"x", "row");
        assert_eq!(open(&file, true).expect("the same key").open(&sealed, "row").as_deref(), Some(&b"x"[..]));
        assert_eq!(std::fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&file, Permissions::from_mode(0o640)).expect("a mode");
        assert_eq!(code(true), "key_exposed");
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("a mode");
        std::fs::write(&file, "not a key").expect("a text");
        assert_eq!(code(true), "key_damaged");
        std::fs::remove_dir_all(&folder).expect("a clean end");
    }
}
