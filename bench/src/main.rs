//! Measures the product as ratios in one run and prints one table. See README.md beside this folder.

use std::path::Path;
use std::process::ExitCode;

/// A real browser, counted.
mod browser;
/// Numbers that are the same in every run.
mod chance;
/// Killed under load.
mod crash;
/// The load driver.
mod driver;
/// A year of made data.
mod history;
/// Touches a second.
mod ingest;
/// Signed leads.
mod leads;
/// Megabytes.
mod memory;
/// What the kernel says of a process.
mod process;
/// The product as an owner runs it.
mod product;
/// The dashboard's questions.
mod questions;
/// The command line.
mod settings;
/// What has to be fetched.
mod sizes;
/// The table.
mod table;
/// Touches as the tag sends them.
mod visitors;
/// How long one caller waits.
mod waits;
/// What the product is measured by.
mod yardstick;

use settings::Settings;
use table::{Row, Verdict};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["yardstick", which, folder] => yardstick::serve(which, Path::new(folder)).map(|()| true),
        _ => Settings::read(words.into_iter()).and_then(|settings| measure(&settings)),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(e) => {
            eprintln!("bench: {e}");
            ExitCode::from(2)
        }
    }
}

/// `false` where a bar is missed.
fn measure(settings: &Settings) -> Result<bool, String> {
    let mut rows: Vec<Row> = Vec::new();
    let mut most = None;
    if settings.wants("touches") {
        let found = ingest::run(settings)?;
        most = Some(found.touches_per_second);
        rows.extend(found.rows);
    }
    if settings.wants("leads") {
        rows.extend(leads::run(settings)?);
    }
    if settings.wants("waits") {
        rows.extend(waits::run(settings, most)?);
    }
    if settings.wants("crash") {
        rows.extend(crash::run(settings)?);
    }
    if settings.wants("memory") {
        rows.extend(memory::run(settings)?);
    }
    if settings.wants("questions") {
        rows.extend(questions::run(settings)?);
    }
    if settings.wants("sizes") {
        rows.extend(sizes::run(settings)?);
    }
    print!("{}", table::text(&rows));
    Ok(rows.iter().all(|r| r.verdict() != Verdict::Missed))
}
