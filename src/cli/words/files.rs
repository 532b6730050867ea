//! The words of files: lists that go out, and history that comes in.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::SITE;
use crate::control;

#[derive(Args)]
pub struct Export {
    #[arg(long, help = SITE)]
    pub site: String,
    /// Folder for the files, one for each list; files of the same name are replaced
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    #[arg(long = "kind", value_name = "KINDS", value_delimiter = ',', help = kinds())]
    pub kinds: Vec<String>,
    /// The first day, such as 2026-06-01 [default: the first there is]
    #[arg(long, value_name = "DAY")]
    pub from: Option<String>,
    /// The last day [default: today]
    #[arg(long, value_name = "DAY")]
    pub to_date: Option<String>,
    #[arg(long, value_enum, default_value_t = FileFormat::Csv, help = "How the files are written")]
    pub format: FileFormat,
}

#[derive(Args)]
pub struct Import {
    #[arg(long, help = SITE)]
    pub site: String,
    /// spend, conversions, orders, leads, offline or touches
    #[arg(long)]
    pub kind: String,
    #[arg(value_name = "FILE", help = "The file; its columns are known by their names")]
    pub file: PathBuf,
    /// Say what the file would do, and store nothing
    #[arg(long)]
    pub preview: bool,
    /// Where spend went, for a file that has no such column
    #[arg(long, value_name = "SOURCE")]
    pub source: Option<String>,
    /// Its medium
    #[arg(long, value_name = "MEDIUM")]
    pub medium: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FileFormat {
    /// For spreadsheets
    Csv,
    /// One JSON object a line: the exact form
    Jsonl,
}

/// The lists that can be written into files.
fn kinds() -> String {
    format!("Lists, separated by commas: {} [default: all of them; visits are no list]", control::kinds().join(", "))
}
