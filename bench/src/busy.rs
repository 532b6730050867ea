//! A bad moment: a backup is made, a shop's list of orders is read for the first time, and reports that were never asked
//! before are asked one after the other. How long visitors wait meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::day::day_text;
use crate::driver::{self, Load, Pace};
use crate::history::DAY_MS;
use crate::ingest::{CALLERS, check, load, median, none_dropped};
use crate::orders::{add, read};
use crate::product::Folder;
use crate::questions::{self, Filled, Year};
use crate::settings::Settings;
use crate::table::{Bar, Row, Unit};
use crate::visitors::Visitors;
use crate::yardstick::{Running, Yardstick};

/// A site takes 200 touches a second.
const A_SECOND: f64 = 150.0;
const ROUND: Duration = Duration::from_secs(1);
const P99: Bar = Bar::Below { must: 250.0, aim: 100.0, unit: Unit::Ms };
const MOST: Bar = Bar::Below { must: 1_000.0, aim: 1_000.0, unit: Unit::Ms };

pub fn run(settings: &Settings) -> Result<Vec<Row>, String> {
    let folder = Folder::new(&settings.folder, "busy")?;
    let (sessions, orders) = if settings.is_quick { (100_000, 5_000) } else { (1_000_000, 100_000) };
    let stand_in = Running::start(Yardstick::Shop, folder.path())?;
    let Filled { product, places, cookie, now_ms, .. } =
        questions::fill(settings, &folder, Year::of(sessions), &stand_in.address.to_string())?;
    let mut visitors = Visitors::new(&places, CALLERS, 7);
    let is_over = AtomicBool::new(false);
    add(&product, &stand_in, "shop001", orders)?;
    let (mut waits_us, asked) = std::thread::scope(|scope| {
        let backup = scope.spawn(|| {
            let told = product.tell(&["backup"]);
            is_over.store(true, Ordering::Relaxed);
            told
        });
        let reports = scope.spawn(|| {
            let headers = [("Cookie", &*cookie), ("Sec-Fetch-Site", "same-origin")];
            let mut asked = 0;
            // Another beginning and another filter each time: nothing of the answer was kept.
            while !is_over.load(Ordering::Relaxed) {
                let from = day_text(now_ms - (364 - asked % 300) * DAY_MS);
                let country = ["IE", "GB", "DE", "FR", "US"][asked as usize % 5];
                let path = format!("/api/sites/shop001/reports/sources?from={from}&to={}&country={country}", day_text(now_ms));
                let got = product.get(&path, &headers)?;
                if got.status != 200 {
                    return Err(format!("{path} gave {}", got.status));
                }
                asked += 1;
            }
            Ok(asked)
        });
        let mut waits_us: Vec<u32> = Vec::new();
        while !is_over.load(Ordering::Relaxed) {
            let load = Load { pace: Pace::PerSecond(A_SECOND), ..load(product.address(), Duration::ZERO, ROUND) };
            let outcome = driver::run(&load, &mut visitors).map_err(|e| e.to_string())?;
            check("busy", &outcome)?;
            waits_us.extend(outcome.waits_us);
        }
        backup.join().map_err(|_| "the backup's thread ended".to_owned())??;
        let asked = reports.join().map_err(|_| "the reports' thread ended".to_owned())??;
        Ok::<_, String>((waits_us, asked))
    })?;
    none_dropped("busy", &visitors)?;
    let pulled: i64 = read(&product)?
        .query_row("select count(*) from orders where connection_id = (select max(connection_id) from pulls)", [], |r| r.get(0))
        .map_err(|e| e.to_string())?;
    if waits_us.is_empty() || asked == 0 || pulled == 0 {
        return Err(format!("nothing went on at the same time: {} touches, {asked} reports, {pulled} orders", waits_us.len()));
    }
    waits_us.sort_unstable();
    let at = |share: f64| f64::from(waits_us[((waits_us.len() as f64 * share) as usize).min(waits_us.len() - 1)]) / 1e3;
    let mut row = Row::figure("p99 of a touch while a backup, a shop's reading and reports run", at(0.99), P99);
    row.of = format!(
        "p50 {:.1} ms; {} touches, {asked} reports, {pulled} orders",
        median(waits_us.iter().map(|w| f64::from(*w) / 1e3).collect()),
        waits_us.len()
    );
    Ok(vec![row, Row::figure("the longest of them", at(1.0), MOST)])
}
