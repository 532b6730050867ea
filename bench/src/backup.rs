//! A backup of a year of data while visits come in: how long their callers wait, and how long the copy takes with its proof.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::driver::{self, Load, Pace};
use crate::ingest::{CALLERS, check, load, median, none_dropped};
use crate::product::Folder;
use crate::questions::{self, Filled};
use crate::settings::Settings;
use crate::table::{Bar, Row, Unit};
use crate::visitors::Visitors;

/// A site takes 200 touches a second.
const A_SECOND: f64 = 150.0;
const ROUND: Duration = Duration::from_secs(1);
const WAITS: Bar = Bar::Below { must: 250.0, aim: 100.0, unit: Unit::Ms };

pub fn run(settings: &Settings) -> Result<Vec<Row>, String> {
    let folder = Folder::new(&settings.folder, "backup")?;
    let sessions = if settings.is_quick { 100_000 } else { 1_000_000 };
    let Filled { product, places, .. } = questions::fill(settings, &folder, questions::Year::of(sessions), questions::NOWHERE)?;
    let gigabytes = std::fs::metadata(product.database()).map_err(|e| e.to_string())?.len() as f64 / 1e9;
    let mut visitors = Visitors::new(&places, CALLERS, 7);
    let is_over = AtomicBool::new(false);
    let (mut waits_us, took) = std::thread::scope(|scope| {
        let backup = scope.spawn(|| {
            let began = Instant::now();
            let told = product.tell(&["backup"]);
            is_over.store(true, Ordering::Relaxed);
            told.map(|_| began.elapsed())
        });
        let mut waits_us: Vec<u32> = Vec::new();
        while !is_over.load(Ordering::Relaxed) {
            let load = Load { pace: Pace::PerSecond(A_SECOND), ..load(product.address(), Duration::ZERO, ROUND) };
            let outcome = driver::run(&load, &mut visitors).map_err(|e| e.to_string())?;
            check("backup", &outcome)?;
            waits_us.extend(outcome.waits_us);
        }
        let took = backup.join().map_err(|_| "the backup's thread ended".to_owned())??;
        Ok::<_, String>((waits_us, took))
    })?;
    none_dropped("backup", &visitors)?;
    waits_us.sort_unstable();
    let at = |share: f64| f64::from(waits_us[((waits_us.len() as f64 * share) as usize).min(waits_us.len().saturating_sub(1))]) / 1e3;
    if waits_us.is_empty() {
        return Err("the backup ended before anybody called".into());
    }
    let mut row = Row::figure("p99 of a touch while a backup is made", at(0.99), WAITS);
    row.of =
        format!("{gigabytes:.1} GB, p50 {:.1} ms, worst {:.0} ms", median(waits_us.iter().map(|w| f64::from(*w) / 1e3).collect()), at(1.0));
    let mut whole = Row::figure("the backup, with its proof", took.as_secs_f64() / gigabytes, Bar::None);
    whole.figure = format!("{} a GB", Unit::Seconds.show(took.as_secs_f64() / gigabytes));
    whole.of = format!("{:.0} s beside {A_SECOND:.0} touches a second", took.as_secs_f64());
    Ok(vec![row, whole])
}
