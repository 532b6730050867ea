//! How long the dashboard's questions take over a year of one, and of ten, million sessions, once they have been asked
//! before.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::day::day_text;
pub use crate::history::Year;
use crate::history::{self, DAY_MS, Platforms};
use crate::ingest::median;
use crate::product::{Folder, Product};
use crate::settings::Settings;
use crate::sizes::sign_in;
use crate::table::{Bar, Row, Unit, grouped};
use crate::visitors::Place;

/// Nothing is sent there: the connection is paused.
pub const NOWHERE: &str = "127.0.0.1:9";
const TIMES: usize = 20;
const BAR: Bar = Bar::Below { must: 100.0, aim: 25.0, unit: Unit::Ms };
/// However much there is: the same bar as after a kill.
const READY: Bar = Bar::Below { must: 2.0, aim: 1.0, unit: Unit::Seconds };
/// All counts of a year of ten million sessions, from its rows, while the server answers.
const REBUILT: Bar = Bar::Below { must: 300.0, aim: 60.0, unit: Unit::Seconds };
/// Ten times the data must not take much longer.
const FLAT: Bar = Bar::AtMost { must: 1.5, aim: 1.1, unit: Unit::Times };
/// Counts of a year are made by then.
const COUNTED_BY: Duration = Duration::from_secs(1_800);

pub fn run(settings: &Settings) -> Result<Vec<Row>, String> {
    let sessions = if settings.is_quick { 100_000 } else { 1_000_000 };
    let (mut rows, small) = over(settings, sessions, Bar::None)?;
    rows.extend(small.iter().map(|asked| asked.row(sessions)));
    if settings.is_big {
        let sessions = 10 * sessions;
        let (facts, large) = over(settings, sessions, REBUILT)?;
        rows.extend(facts);
        for (before, asked) in small.iter().zip(large) {
            rows.push(asked.row(sessions));
            let of = format!("{:.1} ms of a tenth of the data", before.typical_ms);
            let figure = format!("{:.1} ms", asked.typical_ms);
            rows.push(Row::ratio(&format!("{}: ten times the data", asked.what), figure, of, asked.typical_ms / before.typical_ms, FLAT));
        }
    }
    Ok(rows)
}

pub fn millions(sessions: usize) -> String {
    format!("{} M", sessions as f64 / 1e6)
}

pub struct Asked {
    what: &'static str,
    /// The very first answer: nothing of it was kept, and its pages were not read before.
    first_ms: f64,
    typical_ms: f64,
    worst_ms: f64,
    bytes: usize,
}

impl Asked {
    fn row(&self, sessions: usize) -> Row {
        self.over(&format!("{} sessions", millions(sessions)))
    }

    /// Held against the bar of all questions.
    pub fn over(&self, what: &str) -> Row {
        self.against(what, BAR)
    }

    /// Held against a bar of its own, in milliseconds.
    pub fn against(&self, what: &str, bar: Bar) -> Row {
        let mut row = Row::figure(&format!("{}, {what}", self.what), self.typical_ms, bar);
        row.of = format!("first {:.1} ms, worst of {TIMES} more {:.1} ms, {} B", self.first_ms, self.worst_ms, grouped(self.bytes as f64));
        row
    }
}

/// How ready and counted it is, then the questions.
fn over(settings: &Settings, sessions: usize, rebuilt: Bar) -> Result<(Vec<Row>, Vec<Asked>), String> {
    let folder = Folder::new(&settings.folder, &format!("year-{sessions}"))?;
    let Filled { product, cookie, conversions, now_ms, ready, counted, .. } = fill(settings, &folder, Year::of(sessions), NOWHERE)?;
    let from = day_text(now_ms - 364 * DAY_MS);
    let to = day_text(now_ms);
    let site = "/api/sites/shop001";
    let questions = [
        ("ledger with totals and facets", format!("{site}/conversions?from={from}&to={to}")),
        ("overview, headline", format!("{site}/reports/overview?from={from}&to={to}")),
        ("overview, day by day", format!("{site}/reports/timeseries?from={from}&to={to}")),
        ("overview, sources", format!("{site}/reports/sources?from={from}&to={to}")),
        ("receipt", format!("{site}/receipts/conversion_{}", conversions / 2)),
        ("deliveries", format!("{site}/deliveries?from={from}&to={to}")),
        ("live", format!("{site}/reports/live")),
    ];
    let mut facts = vec![
        Row::figure(&format!("ready after a start, {} sessions", millions(sessions)), ready.as_secs_f64(), READY),
        Row::figure(&format!("all counts made anew, {} sessions", millions(sessions)), counted.as_secs_f64(), rebuilt),
    ];
    facts[1].figure = Unit::Seconds.show(counted.as_secs_f64());
    let asked = questions.iter().map(|(what, path)| ask(&product, &cookie, what, path)).collect::<Result<_, _>>()?;
    Ok((facts, asked))
}

/// A server with a year of data in it, and its owner's cookie.
pub struct Filled {
    pub product: Product,
    pub cookie: String,
    pub conversions: i64,
    pub now_ms: i64,
    /// How long the start on this much data took.
    pub ready: Duration,
    /// And how long all counts took.
    pub counted: Duration,
    pub places: Vec<Place>,
}

/// `allowed` is a host on loopback that may be asked.
pub fn fill(settings: &Settings, folder: &Folder, year: Year, allowed: &str) -> Result<Filled, String> {
    let allowed = format!("{NOWHERE},{allowed}");
    let mut product = Product::start(&settings.binary, folder, &[("HALOTRACK_OUTBOUND_ALLOW", &allowed)])?;
    let places = product.add_sites(1)?;
    let platforms = platforms(&product)?;
    let cookie = sign_in(&product)?;
    // The database is made by the product, filled without it, and opened by it again.
    product.kill();
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64);
    let began = Instant::now();
    let written = history::write(&product.database(), &platforms, year, now_ms).map_err(|e| format!("the year: {e}"))?;
    let wrote = began.elapsed();
    let ready = product.start_again()?;
    let began = Instant::now();
    wait_for_counts(&product.database())?;
    let counted = began.elapsed();
    if settings.is_told_more {
        let size = std::fs::metadata(product.database()).map_or(0, |m| m.len()) as f64 / 1e9;
        let (wrote, counted) = (wrote.as_secs_f64(), counted.as_secs_f64());
        eprintln!("{written:?}, {size:.1} GB, written in {wrote:.0} s, ready in {:.2} s, counted in {counted:.0} s", ready.as_secs_f64());
    }
    Ok(Filled { product, cookie, conversions: written.conversions, now_ms, ready, counted, places })
}

/// Connections that are there but send nothing.
fn platforms(product: &Product) -> Result<Platforms, String> {
    let connect = |platform: &str, set: &[&str]| -> Result<i64, String> {
        let mut words = vec!["connection", "add", "--site", "shop001", "--platform", platform, "--mode", "live"];
        set.iter().for_each(|pair| words.extend(["--set", pair]));
        let made = product.tell(&words)?;
        let name = made["connection"].as_str().ok_or("connection add gave no id")?;
        if platform != "forms" {
            product.tell(&["connection", "pause", name])?;
        }
        name.trim_start_matches("con_").parse().map_err(|_| format!("{name} is no connection"))
    };
    Ok(Platforms {
        forms: connect("forms", &["secret=bench-form-secret-000000000000000"])?,
        meta: connect("meta", &["pixel_id=1234567890123456", "access_token=EAAbenchbenchbenchbenchbench"])?,
        ga4: connect("ga4", &["measurement_id=G-BENCH12345", "api_secret=benchbenchbenchbenchbe"])?,
        webhook: connect("webhook", &[&format!("url=http://{NOWHERE}/hook"), "secret=whsec_YmVuY2hiZW5jaGJlbmNoYmVuY2hiZW5jaGJlbmNo"])?,
    })
}

/// Until the counts of whole days go up to today and none is due to be made again.
fn wait_for_counts(database: &Path) -> Result<(), String> {
    let began = Instant::now();
    let conn = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(|e| e.to_string())?;
    while began.elapsed() < COUNTED_BY {
        let due = "select (select count(*) from count_marks where site_id = 1), (select count(*) from dirty_days where site_id = 1)";
        let (marks, dirty): (i64, i64) =
            conn.query_row(due, [], |row| Ok((row.get(0)?, row.get(1)?))).map_err(|e| format!("the counts: {e}"))?;
        if marks > 0 && dirty == 0 {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    Err("the counts of whole days were not made in time".into())
}

pub fn ask(product: &Product, cookie: &str, what: &'static str, path: &str) -> Result<Asked, String> {
    ask_as(product, &[("Cookie", cookie), ("Sec-Fetch-Site", "same-origin")], what, path)
}

/// The same with other proof of who asks.
pub fn ask_as(product: &Product, headers: &[(&str, &str)], what: &'static str, path: &str) -> Result<Asked, String> {
    let mut waits = Vec::new();
    let (mut first_ms, mut bytes) = (0.0, 0);
    for round in 0..TIMES + 2 {
        let got = product.get(path, headers)?;
        if got.status != 200 || serde_json::from_slice::<Value>(&got.body).is_err() {
            return Err(format!("{path} gave {}: {}", got.status, String::from_utf8_lossy(&got.body[..got.body.len().min(300)])));
        }
        bytes = got.body.len();
        // The first two warm the caches.
        match round {
            0 => first_ms = got.took.as_secs_f64() * 1e3,
            1 => {}
            _ => waits.push(got.took.as_secs_f64() * 1e3),
        }
    }
    let worst_ms = waits.iter().copied().fold(0.0, f64::max);
    Ok(Asked { what, first_ms, typical_ms: median(waits), worst_ms, bytes })
}
