//! `erasures.log`: keyed digests of those who were erased, one line each. It lies beside the database and beside every
//! backup, so that an older backup restores erased. Here the lines are only brought together; whoever erases knows what
//! they mean.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::error::Result;
use crate::files;

pub const FILE: &str = "erasures.log";

/// All lines of the logs in these folders, each once, in their order.
pub fn read(folders: &[&Path]) -> Result<Vec<String>> {
    let mut lines: Vec<String> = Vec::new();
    let mut known: HashSet<String> = HashSet::new();
    for folder in folders {
        let path = folder.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            Err(e) => return Err(files::failed(&path, &e)),
        };
        lines.extend(text.lines().map(str::trim).filter(|l| !l.is_empty() && known.insert((*l).to_owned())).map(str::to_owned));
    }
    Ok(lines)
}

/// Adds to a folder's log those of the lines that it lacks. On disk when it returns. Several may do so at once, also from other
/// processes: each waits for the others, and no line is lost or stands there twice.
pub fn add(folder: &Path, lines: &[String]) -> std::io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(folder.join(FILE))?;
    // A disk that knows no locks is written to without.
    let _ = file.lock();
    let mut there = String::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_string(&mut there)?;
    let known: HashSet<&str> = there.lines().map(str::trim).collect();
    let lacking: Vec<&str> = lines.iter().map(String::as_str).filter(|line| !known.contains(line)).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    // A line that a power cut left half written stands by itself.
    let start = if there.is_empty() || there.ends_with('\n') { "" } else { "\n" };
    file.write_all(format!("{start}{}\n", lacking.join("\n")).as_bytes())?;
    file.sync_all()?;
    File::open(folder)?.sync_all()
}

/// Brings what is in one folder's log into another's.
pub fn carry(from: &Path, to: &Path) -> Result<()> {
    add(to, &read(&[from])?).map_err(|e| files::failed(&to.join(FILE), &e))
}

/// How many lines of one folder's log another's lacks.
pub fn lacking(from: &Path, to: &Path) -> Result<usize> {
    let there: HashSet<String> = read(&[to])?.into_iter().collect();
    Ok(read(&[from])?.iter().filter(|line| !there.contains(*line)).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_together_once() {
        let folder = std::env::temp_dir().join(format!("halotrack-erasures-{}", crate::crypto::random_text(6)));
        let (one, two) = (folder.join("one"), folder.join("two"));
        for each in [&one, &two] {
            files::make_folder(each).expect("a folder");
        }
        carry(&one, &two).expect("nothing to carry");
        assert!(!two.join(FILE).exists());
        std::fs::write(one.join(FILE), "a\nb\n").expect("a log");
        std::fs::write(two.join(FILE), "b\n\nc").expect("a log");
        carry(&one, &two).expect("carried");
        assert_eq!(std::fs::read_to_string(two.join(FILE)).expect("a log"), "b\n\nc\na\n");
        assert_eq!(read(&[&one, &two]).expect("lines"), ["a", "b", "c"]);
        assert_eq!((lacking(&one, &two).expect("none"), lacking(&two, &one).expect("one")), (0, 1));
        // Many at once.
        std::thread::scope(|scope| {
            for n in 0..8 {
                let (one, two) = (&one, &two);
                scope.spawn(move || {
                    add(one, &[format!("line {n}")]).expect("added");
                    carry(one, two).expect("carried");
                });
            }
        });
        carry(&one, &two).expect("carried");
        let text = std::fs::read_to_string(two.join(FILE)).expect("a log");
        assert_eq!(text.lines().filter(|l| !l.is_empty()).count(), 11, "{text}");
        files::remove_folder(&folder).expect("a clean end");
    }
}
