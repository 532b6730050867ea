//! `halotrack import`: a file of history, looked at or brought in.

use serde_json::Value;

use super::words::Import;
use crate::config::Config;
use crate::control::{self, ImportForm};
use crate::error::Result;

pub fn run(config: &Config, words: Import, is_json: bool) -> Result<()> {
    let form = ImportForm {
        site: words.site,
        kind: words.kind,
        name: words.file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(),
        digest: String::new(),
        bytes: 0,
        preview: words.preview,
        source: words.source,
        medium: words.medium,
    };
    let answer = control::import(config, form, &words.file)?;
    super::print(is_json, &answer, || if words.preview { previewed(&answer) } else { brought(&answer) });
    Ok(())
}

fn brought(answer: &Value) -> String {
    let mut lines = vec![format!("{} of {} is done: {}.", text(&answer["id"]), text(&answer["name"]), rows(&answer["rows"]))];
    if answer["rows"]["refused"] != 0 {
        lines.push("The refused rows, each with what to do, are in the dashboard: Settings, History.".into());
    }
    lines.join("\n")
}

fn previewed(answer: &Value) -> String {
    let mut lines = vec![format!("Nothing is stored yet. It would be: {}.", rows(&answer["rows"]))];
    if let (Some(from), Some(to)) = (answer["from"].as_str(), answer["to"].as_str()) {
        lines.push(format!("Days: {from} to {to}."));
    }
    for sum in answer["sums"].as_array().into_iter().flatten() {
        lines.push(format!("Sum of {} rows: {}.", text(&sum["rows"]), text(&sum["text"])));
    }
    let words = |name: &str| answer[name].as_array().map(|all| all.iter().map(text).collect::<Vec<_>>().join(", ")).unwrap_or_default();
    if !words("columns").is_empty() {
        lines.push(format!("Columns that are read: {}.", words("columns")));
    }
    if !words("ignored_columns").is_empty() {
        lines.push(format!("Columns that are not: {}.", words("ignored_columns")));
    }
    for row in answer["refused"].as_array().into_iter().flatten() {
        lines.push(format!("  line {}, {}: {}", text(&row["line"]), text(&row["field"]), text(&row["remedy"])));
    }
    let found = &answer["overlaps"];
    if !found.is_null() {
        let sums: Vec<String> = found["sums"].as_array().into_iter().flatten().map(|sum| text(&sum["text"])).collect();
        lines.push(format!(
            "{} rows ({}) are of days on which the same source and campaign has other amounts, in this file or here already: they would count \
             twice. The first is of {} {} to {}.",
            text(&found["rows"]),
            sums.join(", "),
            text(&found["source"]),
            text(&found["from"]),
            text(&found["to"]),
        ));
    }
    if answer["may_be_cut"] == true {
        lines.push("The last line does not end with a line break: look whether the file is whole.".into());
    }
    if answer["is_rough"] == true {
        lines.push("The file is long: rows that stand in it twice may be counted as new twice here. They are stored once.".into());
    }
    lines.join("\n")
}

/// `118 new, 2 refused`: what is nought is left out.
fn rows(counts: &Value) -> String {
    let named = [
        ("new", "new"),
        ("changed", "changed"),
        ("known", "known already"),
        ("joined", "told by somebody else already"),
        ("left_out", "left out"),
        ("refused", "refused"),
    ];
    let all: Vec<String> =
        named.iter().filter(|(key, _)| counts[*key] != 0).map(|(key, word)| format!("{} {word}", text(&counts[*key]))).collect();
    if all.is_empty() { "no rows".into() } else { all.join(", ") }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
