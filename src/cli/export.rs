//! `halotrack export`: lists into files. A file appears under its name when it is whole.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::words::{Export, FileFormat};
use crate::config::Config;
use crate::control::{self, ExportForm};
use crate::error::{Error, Result};
use crate::files;

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
    files::make_folder(&words.to)?;
    let mut written = Vec::new();
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
        written.push(json!({"kind": kind, "file": path, "bytes": bytes}));
    }
    let answer = json!({"site": words.site, "files": written});
    super::print(is_json, &answer, || {
        let lines = written.iter().map(|f| format!("{} ({} bytes)", f["file"].as_str().unwrap_or_default(), f["bytes"]));
        lines.collect::<Vec<_>>().join("\n")
    });
    Ok(())
}

/// Writes beside the name, syncs, renames. Gives how many bytes there are.
fn whole(config: &Config, form: &ExportForm, path: &Path) -> Result<u64> {
    let part = Part(files::beside(path, ".part"));
    let mut out = BufWriter::new(files::make_file(&part.0)?);
    let mut bytes = 0;
    control::export(config, form, &mut |piece| {
        bytes += piece.len() as u64;
        out.write_all(piece).map_err(|e| files::failed(&part.0, &e))
    })?;
    out.flush().map_err(|e| files::failed(&part.0, &e))?;
    files::settle(&part.0, path)?;
    Ok(bytes)
}

/// Goes away unless it was renamed.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        let _ = files::remove(&self.0);
    }
}
