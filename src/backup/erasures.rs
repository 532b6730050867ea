//! `erasures.log`: keyed digests of those who were erased, one line each. It lies beside the database and beside every
//! backup, so that an older backup restores erased. Here the lines are only brought together; whoever erases knows what
//! they mean.

use std::path::Path;

use crate::error::Result;
use crate::files;

pub const FILE: &str = "erasures.log";

/// All lines of the logs in these folders, each once, in their order.
pub fn read(folders: &[&Path]) -> Result<Vec<String>> {
    let mut lines: Vec<String> = Vec::new();
    for folder in folders {
        let path = folder.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            Err(e) => return Err(files::failed(&path, &e)),
        };
        for line in text.lines().map(str::trim).filter(|l| !l.is_empty()) {
            if !lines.iter().any(|known| known == line) {
                lines.push(line.to_owned());
            }
        }
    }
    Ok(lines)
}

/// Brings what is in one folder's log into another's.
pub fn carry(from: &Path, to: &Path) -> Result<()> {
    let all = read(&[to, from])?;
    if all == read(&[to])? { Ok(()) } else { files::write_whole(&to.join(FILE), (all.join("\n") + "\n").as_bytes()) }
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
        assert_eq!(std::fs::read_to_string(two.join(FILE)).expect("a log"), "b\nc\na\n");
        assert_eq!(read(&[&one, &two]).expect("lines"), ["a", "b", "c"]);
        files::remove_folder(&folder).expect("a clean end");
    }
}
