//! The first reading of a shop's own list of a hundred thousand orders: how long it takes beyond what the shop itself needs
//! for its answers, and how much memory.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::leads::Shops;
use crate::memory::Watch;
use crate::orders::{add, read};
use crate::product::{Folder, get};
use crate::settings::Settings;
use crate::shop;
use crate::table::{Bar, Row, Unit, grouped};
use crate::yardstick::{Running, Yardstick};

const BEYOND: Bar = Bar::Below { must: 100.0, aim: 40.0, unit: Unit::Seconds };
const MEMORY: Bar = Bar::Below { must: 150.0, aim: 128.0, unit: Unit::Mb };
const PATIENCE: Duration = Duration::from_secs(900);

pub fn run(settings: &Settings) -> Result<Vec<Row>, String> {
    let count = if settings.is_quick { 5_000 } else { 100_000 };
    let folder = Folder::new(&settings.folder, "pull")?;
    let stand_in = Running::start(Yardstick::Shop, folder.path())?;
    let own = own_time(&stand_in, count)?;
    let shops = Shops::open(&settings.binary, &folder, &stand_in, 0)?;
    let watch = Watch::start(shops.product.pid());
    let began = Instant::now();
    add(&shops.product, &stand_in, "shop001", count)?;
    let conn = read(&shops.product)?;
    let orders = || conn.query_row("select count(*) from orders", [], |r| r.get::<_, i64>(0)).map_err(|e| e.to_string());
    let open = "select (select count(*) from pulls where ended_at is null) + (select count(*) from jobs where kind like 'fetch%')";
    loop {
        let is_open = conn.query_row(open, [], |r| r.get::<_, i64>(0)).map_err(|e| e.to_string())? > 0;
        if !is_open && orders()? == count as i64 {
            break;
        }
        if began.elapsed() > PATIENCE {
            return Err(format!("after {} s {} of {count} orders were read", PATIENCE.as_secs(), orders()?));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let took = began.elapsed();
    let most = watch.most()?;
    let refunded = count as i64 / shop::REFUNDED;
    let booked = conn.query_row("select count(*) from entries where kind = 'refund'", [], |r| r.get::<_, i64>(0));
    let booked = booked.map_err(|e| e.to_string())?;
    if booked != refunded {
        return Err(format!("{booked} of {refunded} refunds were booked"));
    }
    let beyond = took.saturating_sub(own).as_secs_f64();
    // A shorter list is a look, not a measurement.
    let (time, memory) = if settings.is_quick { (Bar::None, Bar::None) } else { (BEYOND, MEMORY) };
    let mut row = Row::figure(&format!("first reading of {} orders, beyond the shop's own time", grouped(count as f64)), beyond, time);
    row.figure = Unit::Seconds.show(beyond);
    row.of = format!("{:.1} s in all, the shop's own {:.1} s", took.as_secs_f64(), own.as_secs_f64());
    let mut memory = Row::figure("memory at most meanwhile", most, memory);
    memory.figure = Unit::Mb.show(most);
    Ok(vec![row, memory])
}

/// The same requests without the product: page after page, then the refunds.
fn own_time(stand_in: &Running, count: usize) -> Result<Duration, String> {
    let began = Instant::now();
    let api = format!("/orders-{count}/shop001/wp-json/wc/v3/orders");
    let mut after = "1990-01-01T00:00:00".to_owned();
    loop {
        let path = format!("{api}?status=any&order=asc&per_page=100&modified_after={after}&orderby=modified&page=1");
        let got = get(stand_in.address, &path, &[])?;
        let rows: Vec<Value> = serde_json::from_slice(&got.body).map_err(|e| e.to_string())?;
        for row in rows.iter().filter(|row| row["refunds"].as_array().is_some_and(|r| !r.is_empty())) {
            get(stand_in.address, &format!("{api}/{}/refunds", row["id"]), &[])?;
        }
        match rows.last().and_then(|row| row["date_modified_gmt"].as_str()) {
            Some(last) if rows.len() == 100 => after = last.to_owned(),
            _ => return Ok(began.elapsed()),
        }
    }
}
