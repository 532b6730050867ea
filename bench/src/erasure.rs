//! One person among a year of visits is forgotten: how long the one change takes that every other writer waits for, and how long it
//! is until the file has been searched. Platforms are told by themselves after it.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::ingest::median;
use crate::orders::read;
use crate::product::{Folder, Product};
use crate::questions::{self, Filled, Year};
use crate::settings::Settings;
use crate::table::{Bar, Row, Unit};

const CHANGE: Bar = Bar::Below { must: 1.0, aim: 0.1, unit: Unit::Seconds };
const WHOLE: Bar = Bar::Below { must: 30.0, aim: 10.0, unit: Unit::Seconds };
/// An erasure that is not searched for by then is not finished.
const PATIENCE: Duration = Duration::from_secs(120);

pub fn run(settings: &Settings) -> Result<Vec<Row>, String> {
    let folder = Folder::new(&settings.folder, "erasure")?;
    let (sessions, people) = if settings.is_quick { (100_000, 3) } else { (1_000_000, 7) };
    let Filled { product, cookie, conversions, .. } = questions::fill(settings, &folder, Year::of(sessions), questions::NOWHERE)?;
    let size = std::fs::metadata(product.database()).map_err(|e| e.to_string())?.len() as f64 / 1e9;
    let conn = read(&product)?;
    let touches: i64 = conn.query_row("select count(*) from touches", [], |r| r.get(0)).map_err(|e| e.to_string())?;
    let (mut changes, mut wholes) = (Vec::new(), Vec::new());
    for n in 0..people {
        let person = 1 + n * (conversions / people);
        let (change, whole) = forget(&product, &conn, &cookie, &format!("person{person}@mail.example"), n)?;
        if settings.is_told_more {
            eprintln!("erasure     person {person}: the change {:.0} ms, the whole {:.2} s", change * 1e3, whole);
        }
        changes.push(change);
        wholes.push(whole);
    }
    let worst = changes.iter().copied().fold(0.0, f64::max);
    let mut change = Row::figure("one person forgotten, the change", median(changes), CHANGE);
    change.of = format!("of {people}, worst {:.0} ms, {:.1} M touches", worst * 1e3, touches as f64 / 1e6);
    let longest = wholes.iter().copied().fold(0.0, f64::max);
    let mut whole = Row::figure("the same with the file searched", median(wholes), WHOLE);
    whole.of = format!("{size:.1} GB, longest {longest:.1} s");
    Ok(vec![change, whole])
}

/// Seconds until the change is seen, and until the file has been searched.
fn forget(product: &Product, conn: &Connection, cookie: &str, email: &str, before: i64) -> Result<(f64, f64), String> {
    let headers = [("Cookie", cookie), ("Sec-Fetch-Site", "same-origin"), ("Content-Type", "application/json")];
    let body = serde_json::json!({ "email": email }).to_string();
    let count = |sql: &str| conn.query_row(sql, [], |r| r.get::<_, i64>(0)).map_err(|e| e.to_string());
    let until = |began: Instant, sql: &str| -> Result<f64, String> {
        while began.elapsed() < PATIENCE {
            if count(sql)? > before {
                return Ok(began.elapsed().as_secs_f64());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Err(format!("{email} was not forgotten within {} s", PATIENCE.as_secs()))
    };
    let began = Instant::now();
    let (answer, seen) = std::thread::scope(|scope| {
        let asked = scope.spawn(|| product.ask("POST", "/api/sites/shop001/erasures", &headers, body.as_bytes()));
        let seen = until(began, "select count(*) from erasures")
            .and_then(|change| Ok((change, until(began, "select count(*) from erasures where cleaned_at is not null")?)));
        (asked.join().map_err(|_| "the caller's thread ended".to_owned()), seen)
    });
    let got = answer??;
    if got.status != 201 {
        return Err(format!("forgetting {email} gave {}: {}", got.status, String::from_utf8_lossy(&got.body)));
    }
    let left = format!("select count(*) from identities where value = '{email}'");
    match (seen?, count(&left)?) {
        (times, 0) => Ok(times),
        (_, _) => Err(format!("{email} is still there")),
    }
}
