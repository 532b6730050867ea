//! What a look at the plan costs that finds nothing to do: five thousand connections, each with a list that is read and hooks
//! that are looked at, all at other times.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, params};

use crate::product::{Folder, Product};
use crate::settings::Settings;
use crate::table::{Bar, Row, Unit, grouped};

const CONNECTIONS: i64 = 5_000;
const SITES: usize = 10;
const BAR: Bar = Bar::Below { must: 20.0, aim: 5.0, unit: Unit::Ms };
/// Looks that are counted. One comes every five seconds.
const LOOKS: f64 = 8.0;
const PATIENCE: Duration = Duration::from_secs(120);

pub fn run(settings: &Settings) -> Result<Vec<Row>, String> {
    let folder = Folder::new(&settings.folder, "schedule")?;
    let mut product = Product::start(&settings.binary, &folder, &[])?;
    product.add_sites(SITES)?;
    product.kill();
    plan(&product).map_err(|e| e.to_string())?;
    product.start_again()?;
    let began = Instant::now();
    let most = if settings.is_quick { LOOKS / 4.0 } else { LOOKS };
    let first = checks(&product)?;
    loop {
        let now = checks(&product)?;
        if now.0 - first.0 >= most {
            let ms = (now.1 - first.1) * 1_000.0 / (now.0 - first.0);
            let what = format!("a look at what is due, {} connections", grouped(CONNECTIONS as f64));
            let mut row = Row::figure(&what, ms, BAR);
            row.figure = Unit::Ms.show(ms);
            row.of = format!("the mean of {} looks", now.0 - first.0);
            return Ok(vec![row]);
        }
        if began.elapsed() > PATIENCE {
            return Err(format!("only {} looks within two minutes", now.0 - first.0));
        }
        std::thread::sleep(Duration::from_millis(250));
    }
}

/// How often the product has looked, and the seconds that this took it in all.
fn checks(product: &Product) -> Result<(f64, f64), String> {
    let got = product.get("/metrics", &[])?;
    let text = String::from_utf8_lossy(&got.body).into_owned();
    let figure = |name: &str| {
        let line = text.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|v| v.parse().ok()).ok_or(format!("/metrics does not tell {name}"))
    };
    Ok((figure("halotrack_pull_checks_total")?, figure("halotrack_pull_check_seconds_total")?))
}

/// Written straight into the file that the product has made: nothing of them is due for a day.
fn plan(product: &Product) -> rusqlite::Result<()> {
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64);
    let mut file = Connection::open(product.database())?;
    let change = file.transaction()?;
    for n in 0..CONNECTIONS {
        let site = 1 + n % SITES as i64;
        change.execute(
            "insert into connections (site_id, platform, name, settings, created_at) values (?1, 'zoom', ?2, '{\"account_id\":\"a\"}', ?3)",
            params![site, format!("Zoom {n}"), now_ms],
        )?;
        let (id, next_ms) = (change.last_insert_rowid(), now_ms + 86_400_000 + n * 1_000);
        change.execute(
            "insert into pulls (site_id, connection_id, next_at, heard_at, ended_at, seen_to) values (?1, ?2, ?3, ?4, ?4, ?4)",
            params![site, id, next_ms, now_ms],
        )?;
        change.execute(
            "insert into registrations (site_id, connection_id, checked_at, next_at) values (?1, ?2, ?3, ?4)",
            params![site, id, now_ms, next_ms],
        )?;
    }
    change.commit()
}
