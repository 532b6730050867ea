//! What it costs to keep the counts of days up to date while touches come in: processor time of a touch beside a server
//! whose database was told that nothing is ever to be counted.

use std::time::Duration;

use rusqlite::Connection;

use crate::driver;
use crate::ingest::{CALLERS, SITES, check, load, none_dropped};
use crate::process;
use crate::product::{Folder, Product};
use crate::settings::Settings;
use crate::table::{Bar, Row, Unit};
use crate::visitors::Visitors;

const KEPT_UP: Bar = Bar::AtLeast { must: 0.85, aim: 0.95, unit: Unit::Share };
/// The present day is counted every five minutes: each server is watched for longer.
const WATCHED: Duration = Duration::from_secs(6 * 60);
/// A day that never comes.
const NEVER: i64 = 1_000_000;

/// A server, who visits it, and what it has done.
struct Watched<'a> {
    product: &'a Product,
    visitors: Visitors<'a>,
    touches: u64,
    cpu_s: f64,
}

impl Watched<'_> {
    fn round(&mut self, time: Duration) -> Result<(), String> {
        let outcome = driver::run(&load(self.product.address(), Duration::ZERO, time), &mut self.visitors).map_err(|e| e.to_string())?;
        check("counting", &outcome)?;
        self.touches += outcome.answered;
        Ok(())
    }

    fn us(&self) -> f64 {
        (process::cpu_s(self.product.pid()) - self.cpu_s) * 1e6 / self.touches.max(1) as f64
    }
}

pub fn run(settings: &Settings) -> Result<Vec<Row>, String> {
    let folders = [Folder::new(&settings.folder, "counting")?, Folder::new(&settings.folder, "uncounted")?];
    let counted = Product::start(&settings.binary, &folders[0], &[])?;
    let mut uncounted = Product::start(&settings.binary, &folders[1], &[])?;
    let places = [counted.add_sites(SITES)?, uncounted.add_sites(SITES)?];
    uncounted.kill();
    never_count(&uncounted).map_err(|e| format!("the database that is not counted: {e}"))?;
    uncounted.start_again()?;
    let watch = |product, places| Watched { product, visitors: Visitors::new(places, CALLERS, 6), touches: 0, cpu_s: 0.0 };
    let mut both = [watch(&counted, &places[0]), watch(&uncounted, &places[1])];
    both.iter_mut().for_each(|w| w.cpu_s = process::cpu_s(w.product.pid()));
    let watched = if settings.is_quick { WATCHED / 12 } else { WATCHED };
    let round = settings.round() * 2;
    for _ in 0..watched.div_duration_f64(round * 2).ceil() as usize {
        both[0].round(round)?;
        both[1].round(round)?;
    }
    both.iter().try_for_each(|w| none_dropped("counting", &w.visitors))?;
    let [with, without] = [both[0].us(), both[1].us()];
    let figure = format!("{with:.1} µs a touch");
    Ok(vec![Row::ratio("touches with the counts kept up", figure, format!("{without:.1} µs without"), without / with, KEPT_UP)])
}

/// No mark is ever behind, no row is ever late.
fn never_count(product: &Product) -> rusqlite::Result<()> {
    let conn = Connection::open(product.database())?;
    conn.execute_batch("drop trigger touches__late; drop trigger anon_events__late;")?;
    conn.execute(
        "insert or replace into count_marks (site_id, zone, next_day, until_at) select id, zone, ?1, ?1 * 86400000 from sites",
        [NEVER],
    )?;
    Ok(())
}
