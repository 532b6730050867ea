//! How long one caller waits: under load without the disk's share in it, and on the disk with little to do.

use std::path::Path;
use std::time::Duration;

use crate::driver::{self, Load, Pace};
use crate::ingest::{CALLERS, SITES, check, load, median, none_dropped};
use crate::product::{Folder, Product};
use crate::settings::Settings;
use crate::table::{Bar, Row, Unit};
use crate::visitors::Visitors;

/// A file system in memory, wherever Linux runs.
const RAM_DISK: &str = "/dev/shm";
const UNDER_LOAD: usize = 32;
const LOADED: Bar = Bar::Below { must: 15.0, aim: 8.0, unit: Unit::Ms };
const PACED: Bar = Bar::Below { must: 4.0, aim: 2.5, unit: Unit::Ms };

/// `most` touches a second is what the pace is a tenth of; it is measured here where no earlier phase has.
pub fn run(settings: &Settings, most: Option<f64>) -> Result<Vec<Row>, String> {
    Ok(vec![on_ram_disk(settings)?, paced(settings, most)?])
}

fn on_ram_disk(settings: &Settings) -> Result<Row, String> {
    const WHAT: &str = "p99 of a touch, 32 callers, data on a RAM disk";
    if !Path::new(RAM_DISK).is_dir() {
        return Ok(Row::missing(WHAT, "there is no /dev/shm", LOADED));
    }
    let folder = Folder::new(Path::new(RAM_DISK), "waits")?;
    let product = Product::start(&settings.binary, &folder, &[])?;
    let places = product.add_sites(SITES)?;
    let mut visitors = Visitors::new(&places, UNDER_LOAD, 4);
    let mut worst = Vec::new();
    for _ in 0..settings.rounds() {
        let load = Load { callers: UNDER_LOAD, ..load(product.address(), settings.warm(), settings.round()) };
        let outcome = driver::run(&load, &mut visitors).map_err(|e| e.to_string())?;
        check(WHAT, &outcome)?;
        if settings.is_told_more {
            eprintln!(
                "RAM disk    {:>8.0}/s  p50 {:.2} ms  p99 {:.2} ms  p99.9 {:.2} ms",
                outcome.per_second(),
                outcome.wait_ms(0.5),
                outcome.wait_ms(0.99),
                outcome.wait_ms(0.999)
            );
        }
        worst.push(outcome.wait_ms(0.99));
    }
    none_dropped(WHAT, &visitors)?;
    Ok(Row::figure(WHAT, median(worst), LOADED))
}

fn paced(settings: &Settings, most: Option<f64>) -> Result<Row, String> {
    let folder = Folder::new(&settings.folder, "paced")?;
    let product = Product::start(&settings.binary, &folder, &[])?;
    let places = product.add_sites(SITES)?;
    let mut visitors = Visitors::new(&places, CALLERS, 5);
    let first = driver::run(&load(product.address(), settings.warm(), settings.round()), &mut visitors).map_err(|e| e.to_string())?;
    check("paced", &first)?;
    let rate = (most.unwrap_or(first.per_second()) / 10.0).max(1.0);
    // What the burst left in the log is written back before the quiet begins.
    std::thread::sleep(Duration::from_secs(1));
    let mut typical = Vec::new();
    for _ in 0..settings.rounds() {
        let load = Load { pace: Pace::PerSecond(rate), ..load(product.address(), settings.warm(), settings.round()) };
        let outcome = driver::run(&load, &mut visitors).map_err(|e| e.to_string())?;
        check("paced", &outcome)?;
        if settings.is_told_more {
            eprintln!(
                "paced       {:>8.0}/s  p50 {:.2} ms  p99 {:.2} ms",
                outcome.per_second(),
                outcome.wait_ms(0.5),
                outcome.wait_ms(0.99)
            );
        }
        typical.push(outcome.wait_ms(0.5));
    }
    none_dropped("paced", &visitors)?;
    let mut row = Row::figure("p50 of a touch at a tenth of the most, on disk", median(typical), PACED);
    row.of = format!("at {rate:.0}/s");
    Ok(row)
}
