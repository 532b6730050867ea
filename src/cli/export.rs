//! `halotrack export`: lists into files. A file appears under its name when it is whole.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::words::{Export, FileFormat};
use crate::config::Config;
use crate::control::{self, ExportForm};
use crate::error::{Error, Kind, Result};

pub fn run(config: &Config, words: Export, is_json: bool) -> Result<()> {
    let format = match words.format {
        FileFormat::Csv => "csv",
        FileFormat::Jsonl => "jsonl",
    };
    let known = control::kinds();
    if let Some(strange) = words.kinds.iter().find(|k| !known.contains(&k.as_str())) {
        return Err(Error::invalid("kind", format!("{strange:?} is none of {}.", known.join(", "))));
    }
    let kinds: Vec<String> = if words.kinds.is_empty() { known.iter().map(|k| (*k).to_owned()).collect() } else { words.kinds };
    fs::create_dir_all(&words.to).map_err(|e| unwritable(&words.to, e))?;
    let mut files = Vec::new();
    for kind in kinds {
        let form = ExportForm {
            site: words.site.clone(),
            kind: kind.clone(),
            format: format.into(),
            from: words.from.clone(),
            to: words.to_date.clone(),
        };
        let path = words.to.join(format!("{kind}.{format}"));
        let bytes = whole(config, &form, &path)?;
        files.push(json!({"kind": kind, "file": path, "bytes": bytes}));
    }
    let answer = json!({"site": words.site, "files": files});
    super::print(is_json, &answer, || {
        let lines = files.iter().map(|f| format!("{} ({} bytes)", f["file"].as_str().unwrap_or_default(), f["bytes"]));
        lines.collect::<Vec<_>>().join("\n")
    });
    Ok(())
}

/// Writes beside the name, syncs, renames. Gives how many bytes there are.
fn whole(config: &Config, form: &ExportForm, path: &Path) -> Result<u64> {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    let part = Part(PathBuf::from(name));
    let failed = |e| unwritable(&part.0, e);
    let mut out = BufWriter::new(File::create(&part.0).map_err(failed)?);
    let mut bytes = 0;
    control::export(config, form, &mut |piece| {
        bytes += piece.len() as u64;
        out.write_all(piece).map_err(failed)
    })?;
    let file = out.into_inner().map_err(|e| unwritable(&part.0, e.into_error()))?;
    file.sync_all().map_err(failed)?;
    fs::rename(&part.0, path).map_err(failed)?;
    Ok(bytes)
}

/// Goes away unless it was renamed.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn unwritable(path: &Path, e: std::io::Error) -> Error {
    let message = format!("{} cannot be written: {e}. Name another folder with --to.", path.display());
    Error::new(Kind::Unavailable, "not_written", message).caused(e)
}
