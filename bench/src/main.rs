//! Measures the product as ratios in one run and prints one table. See README.md beside this folder.

use std::path::Path;
use std::process::ExitCode;

/// Copied under load.
mod backup;
/// Lists of events.
mod batches;
/// A real browser, counted.
mod browser;
/// A bad moment.
mod busy;
/// Numbers that are the same in every run.
mod chance;
/// What the counts of days cost.
mod counting;
/// Killed under load.
mod crash;
/// Days as text.
mod day;
/// The load driver.
mod driver;
/// Somebody forgotten.
mod erasure;
/// Steps told, and what they say.
mod funnel;
/// A year of made data.
mod history;
/// Touches a second.
mod ingest;
/// All models side by side.
mod lab;
/// A gigabyte through the proxy.
mod large;
/// Signed leads.
mod leads;
/// A Zoom account on loopback.
mod meetings;
/// Megabytes.
mod memory;
/// The nginx that the proxy is measured by.
mod nginx;
/// Order webhooks.
mod orders;
/// The first screen.
mod paint;
/// What the kernel says of a process.
mod process;
/// The product as an owner runs it.
mod product;
/// A shop behind the proxy.
mod proxy;
/// A shop's list, read.
mod pull;
/// The dashboard's questions.
mod questions;
/// The conversions API, read.
mod records;
/// Short links followed.
mod redirect;
/// A Zoom account, read.
mod registrants;
/// Old rows go.
mod retention;
/// A shop's figures.
mod sales;
/// A look at what is due.
mod schedule;
/// The command line.
mod settings;
/// Shops on loopback.
mod shop;
/// What has to be fetched.
mod sizes;
/// Visitors who are slow.
mod slow;
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

/// `false` where a bar is missed. A phase that cannot be measured does not take the others with it.
fn measure(settings: &Settings) -> Result<bool, String> {
    let machine = process::machine();
    let mut rows: Vec<Row> = Vec::new();
    let mut failures = Vec::new();
    let mut most = None;
    for (name, run) in PHASES {
        if !settings.wants(name) {
            continue;
        }
        match run(settings, &mut most) {
            Ok(found) => rows.extend(found),
            Err(e) => failures.push(format!("{name}: {e}")),
        }
    }
    print!("{}", table::text(&rows));
    println!("\n{machine}");
    if failures.is_empty() { Ok(rows.iter().all(|r| r.verdict() != Verdict::Missed)) } else { Err(failures.join("\nbench: ")) }
}

type Phase = fn(&Settings, &mut Option<f64>) -> Result<Vec<Row>, String>;

/// In the order of the table. The most touches a second are handed on: a later phase asks for a tenth of them.
const PHASES: [(&str, Phase); 24] = [
    ("touches", |settings, most| {
        let found = ingest::run(settings)?;
        *most = Some(found.touches_per_second);
        Ok(found.rows)
    }),
    ("leads", |settings, _| leads::run(settings)),
    ("waits", |settings, most| waits::run(settings, *most)),
    ("crash", |settings, _| crash::run(settings)),
    ("memory", |settings, _| memory::run(settings)),
    ("questions", |settings, _| questions::run(settings)),
    ("sizes", |settings, _| sizes::run(settings)),
    ("paint", |settings, _| paint::run(settings)),
    ("backup", |settings, _| backup::run(settings)),
    ("counting", |settings, _| counting::run(settings)),
    ("orders", |settings, _| orders::run(settings)),
    ("batches", |settings, _| batches::run(settings)),
    ("pull", |settings, _| pull::run(settings)),
    ("busy", |settings, _| busy::run(settings)),
    ("sales", |settings, _| sales::run(settings)),
    ("lab", |settings, _| lab::run(settings)),
    ("records", |settings, _| records::run(settings)),
    ("redirect", |settings, _| redirect::run(settings)),
    ("funnel", |settings, _| funnel::run(settings)),
    ("proxy", |settings, _| proxy::run(settings)),
    ("schedule", |settings, _| schedule::run(settings)),
    ("registrants", |settings, _| registrants::run(settings)),
    ("erasure", |settings, _| erasure::run(settings)),
    ("retention", |settings, _| retention::run(settings)),
];
