//! Old visits go while a shop's webhooks come in: how long their acknowledgement takes meanwhile, beside the same server with
//! nothing to remove, before and after.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::driver::{self, Load, Pace};
use crate::history::DAY_MS;
use crate::ingest::{CALLERS, check, first_visits, load, none_dropped};
use crate::orders::{Hook, Orders, add, read};
use crate::product::{Folder, Product};
use crate::questions::{self, Filled, Year};
use crate::settings::Settings;
use crate::table::{Bar, Row, Unit};
use crate::visitors::{Known, Visitors};
use crate::yardstick::{Running, Yardstick};

/// Webhooks a second: a shop on its best day.
const A_SECOND: f64 = 50.0;
const ROUND: Duration = Duration::from_secs(2);
/// Who may buy.
const VISITORS: u64 = 100;
/// What is older goes: nearly all of the year.
const KEPT_DAYS: i64 = 10;
const SAME: Bar = Bar::AtMost { must: 1.2, aim: 1.05, unit: Unit::Times };
const GONE_BY: Duration = Duration::from_secs(1_800);

pub fn run(settings: &Settings) -> Result<Vec<Row>, String> {
    let folder = Folder::new(&settings.folder, "retention")?;
    let (sessions, quiet) = if settings.is_quick { (60_000, 3) } else { (1_000_000, 15) };
    let stand_in = Running::start(Yardstick::Shop, folder.path())?;
    let Filled { mut product, places, now_ms, .. } = questions::fill(settings, &folder, Year::of(sessions), &stand_in.address.to_string())?;
    let hooks = [add(&product, &stand_in, "shop001", 0)?];
    let mut visitors = Visitors::new(&places, CALLERS, 3).all_new(first_visits(&places, VISITORS));
    check(
        "visitors",
        &driver::run(&load(product.address(), Duration::ZERO, Duration::from_secs(20)), &mut visitors).map_err(|e| e.to_string())?,
    )?;
    none_dropped("visitors", &visitors)?;
    let mut shop = Shop { hooks: &hooks, visitors: &visitors.known, next: 0 };
    let touches = |product: &Product| -> Result<i64, String> { count(&read(product)?) };
    let had = touches(&product)?;

    // The same server with nothing to remove, started anew as it will be.
    product.kill();
    product.start_again()?;
    shop.round(&product)?;
    let mut before: Vec<u32> = Vec::new();
    for _ in 0..quiet {
        before.extend(shop.round(&product)?);
    }
    product.tell(&["site", "set", "shop001", &format!("retention.touches={KEPT_DAYS}")])?;
    product.kill();
    product.start_again()?;
    let began = Instant::now();
    let mut during: Vec<u32> = Vec::new();
    let old = |product: &Product| -> Result<i64, String> {
        let sql = "select count(*) from touches where at < ?1";
        read(product)?.query_row(sql, [now_ms - (KEPT_DAYS + 2) * DAY_MS], |r| r.get(0)).map_err(|e| e.to_string())
    };
    let mut left = old(&product)?;
    while left > 0 {
        let waits = shop.round(&product)?;
        let now = old(&product)?;
        // It rests between two rounds of its own.
        if now < left {
            during.extend(waits);
        }
        left = now;
        if began.elapsed() > GONE_BY {
            return Err(format!("{left} old visits were not gone in time"));
        }
    }
    let took = began.elapsed().as_secs_f64();
    let mut after: Vec<u32> = Vec::new();
    for _ in 0..quiet {
        after.extend(shop.round(&product)?);
    }
    let gone = had - touches(&product)?;
    if during.is_empty() || gone * 2 < had {
        return Err(format!("of {had} visits {gone} went, and {} webhooks came meanwhile", during.len()));
    }
    let (before, during, after) = (p99(before), p99(during), p99(after));
    let usual = (before + after) / 2.0;
    let figure = format!("{during:.1} ms while {:.2} M visits go", gone as f64 / 1e6);
    let of = format!("{before:.1} ms before, {after:.1} ms after, gone in {took:.0} s");
    Ok(vec![Row::ratio("p99 of a webhook's acknowledgement during retention", figure, of, during / usual, SAME)])
}

fn count(conn: &Connection) -> Result<i64, String> {
    conn.query_row("select count(*) from touches", [], |r| r.get(0)).map_err(|e| e.to_string())
}

fn p99(mut waits_us: Vec<u32>) -> f64 {
    waits_us.sort_unstable();
    let place = ((waits_us.len() as f64 * 0.99) as usize).min(waits_us.len().saturating_sub(1));
    waits_us.get(place).map_or(f64::NAN, |us| f64::from(*us) / 1e3)
}

/// A shop that tells of new orders.
struct Shop<'a> {
    hooks: &'a [Hook],
    visitors: &'a [Known],
    next: u64,
}

impl Shop<'_> {
    fn round(&mut self, product: &Product) -> Result<Vec<u32>, String> {
        let mut orders = Orders::from(self.hooks, self.visitors, self.next);
        let load = Load { pace: Pace::PerSecond(A_SECOND), ..load(product.address(), Duration::ZERO, ROUND) };
        let outcome = driver::run(&load, &mut orders).map_err(|e| e.to_string())?;
        check("retention", &outcome)?;
        self.next = orders.next();
        Ok(outcome.waits_us)
    }
}
