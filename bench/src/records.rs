//! The conversions API over a year of a million orders: pages, wherever they lie, and all of it as one file.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::day::day_text;
use crate::history::{DAY_MS, Year};
use crate::memory::Watch;
use crate::process;
use crate::product::{Folder, Product};
use crate::questions::{self, Filled, NOWHERE, ask_as};
use crate::settings::Settings;
use crate::table::{Bar, Row, Unit, grouped};

const PAGE: Bar = Bar::Below { must: 30.0, aim: 10.0, unit: Unit::Ms };
const FILE: Bar = Bar::AtLeast { must: 60_000.0, aim: 150_000.0, unit: Unit::Count };
/// Flat: a few pages of rows, not the file.
const MORE_MEMORY: Bar = Bar::Below { must: 48.0, aim: 16.0, unit: Unit::Mb };
/// How far the cursor is followed.
const PAGES: usize = 12;

pub fn run(settings: &Settings) -> Result<Vec<Row>, String> {
    let orders = if settings.is_quick { 50_000 } else { 1_000_000 };
    let folder = Folder::new(&settings.folder, "records")?;
    let year = Year { sessions: 2 * orders, conversions: orders, buyers: Some(orders as i64 * 6 / 10) };
    let Filled { product, now_ms, .. } = questions::fill(settings, &folder, year, NOWHERE)?;
    let (from, half, to) = (day_text(now_ms - 364 * DAY_MS), day_text(now_ms - 182 * DAY_MS), day_text(now_ms));
    let list = format!("/api/conversions?date_from={from}&date_to={to}&limit=500");
    let over = format!("500 of {} conversions", grouped(orders as f64));
    let later = format!("{list}&cursor={}", cursor(&product, &list)?);
    let pages = [
        ("first page", list.clone()),
        ("a later page", later),
        ("a page of half a year ago", format!("/api/conversions?date_from={from}&date_to={half}&limit=500")),
    ];
    let mut rows = Vec::new();
    for (what, path) in &pages {
        let bearer = bearer(&product)?;
        rows.push(ask_as(&product, &[("Authorization", &bearer)], what, path)?.against(&over, PAGE));
    }
    let before = process::pss_mb(product.pid()).ok_or("the kernel does not tell the memory of a process")?;
    let watch = Watch::start(product.pid());
    let (lines, took) = file(&product, &bearer(&product)?, &format!("/api/conversions.csv?date_from={from}&date_to={to}"))?;
    let most = watch.most()?;
    // The last hours of a year and of its last day are no conversion's.
    if lines < orders * 98 / 100 {
        return Err(format!("the file has {lines} rows of {orders}"));
    }
    let mut speed = Row::figure("conversions as CSV, rows a second", lines as f64 / took.as_secs_f64(), FILE);
    speed.of = format!("{} rows in {:.1} s", grouped(lines as f64), took.as_secs_f64());
    rows.push(speed);
    rows.push(Row::figure("memory more while it is read", (most - before).max(0.0), MORE_MEMORY));
    Ok(rows)
}

/// One token may ask forty times at once: every question has its own.
fn bearer(product: &Product) -> Result<String, String> {
    let made = product.tell(&["token", "create", "--site", "shop001", "--name", "bench", "--scope", "read,export"])?;
    Ok(format!("Bearer {}", made["token"].as_str().ok_or("token create gave no token")?))
}

/// Of a page some way down.
fn cursor(product: &Product, list: &str) -> Result<String, String> {
    let bearer = bearer(product)?;
    let mut path = list.to_owned();
    let mut next = String::new();
    for _ in 0..PAGES {
        let got = product.get(&path, &[("Authorization", &bearer)])?;
        let page: Value = serde_json::from_slice(&got.body).map_err(|e| format!("{path}: {e}"))?;
        next = page["next"].as_str().ok_or_else(|| format!("{path} has no further page"))?.to_owned();
        path = format!("{list}&cursor={next}");
    }
    Ok(next)
}

/// Read to its end without keeping it: rows below the head, and how long it took.
fn file(product: &Product, bearer: &str, path: &str) -> Result<(usize, Duration), String> {
    let began = Instant::now();
    let mut stream = TcpStream::connect(product.address()).map_err(|e| e.to_string())?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).map_err(|e| e.to_string())?;
    // HTTP/1.0: the file comes as it is, and ends with the connection.
    let head = format!("GET {path} HTTP/1.0\r\nHost: {}\r\nAuthorization: {bearer}\r\n\r\n", product.address());
    stream.write_all(head.as_bytes()).map_err(|e| e.to_string())?;
    let (mut lines, mut buffer) = (0, vec![0; 1 << 16]);
    let mut start: Vec<u8> = Vec::new();
    let mut is_body = false;
    loop {
        let n = stream.read(&mut buffer).map_err(|e| e.to_string())?;
        if n == 0 {
            break;
        }
        if is_body {
            lines += memchr::memchr_iter(b'\n', &buffer[..n]).count();
            continue;
        }
        start.extend_from_slice(&buffer[..n]);
        if let Some(at) = memchr::memmem::find(&start, b"\r\n\r\n") {
            if start.get(9..12) != Some(b"200") {
                return Err(format!("{path} gave {}", String::from_utf8_lossy(&start[..start.len().min(300)])));
            }
            lines += memchr::memchr_iter(b'\n', &start[at + 4..]).count();
            is_body = true;
        }
    }
    Ok((lines.saturating_sub(1), began.elapsed()))
}
