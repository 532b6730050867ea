//! The attribution lab over a year: a hundred thousand conversions under every model and window, and the estimate from a
//! million journeys.

use crate::day::day_text;
use crate::history::{DAY_MS, Year};
use crate::memory::Watch;
use crate::process;
use crate::product::Folder;
use crate::questions::{self, Filled, NOWHERE, ask};
use crate::settings::Settings;
use crate::table::{Bar, Row, Unit, grouped};

const LAB: Bar = Bar::Below { must: 200.0, aim: 60.0, unit: Unit::Ms };
const ESTIMATE: Bar = Bar::Below { must: 1_500.0, aim: 600.0, unit: Unit::Ms };
const MORE_MEMORY: Bar = Bar::Below { must: 100.0, aim: 60.0, unit: Unit::Mb };

pub fn run(settings: &Settings) -> Result<Vec<Row>, String> {
    let sessions = if settings.is_quick { 100_000 } else { 1_000_000 };
    let folder = Folder::new(&settings.folder, "lab")?;
    let year = Year::of(sessions);
    let Filled { product, cookie, now_ms, .. } = questions::fill(settings, &folder, year, NOWHERE)?;
    let days = format!("from={}&to={}", day_text(now_ms - 364 * DAY_MS), day_text(now_ms));
    let site = "/api/sites/shop001/reports";
    let questions = [
        ("lab, all models", format!("{site}/attribution?{days}")),
        ("lab, a window of 7 days", format!("{site}/attribution?{days}&window=7")),
        ("lab, by campaign without a limit", format!("{site}/attribution?{days}&window=unlimited&by=campaign")),
        ("lab, sales without direct", format!("{site}/attribution?{days}&kind=sale&without=direct,unattributed")),
        ("ways to a conversion", format!("{site}/paths?{days}")),
        ("time to convert", format!("{site}/time_to_convert?{days}")),
    ];
    let over = format!("{} conversions", grouped(year.conversions as f64));
    let mut rows = Vec::new();
    for (what, path) in &questions {
        rows.push(ask(&product, &cookie, what, path)?.against(&over, LAB));
    }
    let before = process::pss_mb(product.pid()).ok_or("the kernel does not tell the memory of a process")?;
    let watch = Watch::start(product.pid());
    let asked = ask(&product, &cookie, "data-driven estimate", &format!("{site}/attribution?{days}&estimate=1"))?;
    let most = watch.most()?;
    rows.push(asked.against(&format!("{} journeys", grouped(sessions as f64)), ESTIMATE));
    rows.push(Row::figure("memory more for the estimate", (most - before).max(0.0), MORE_MEMORY));
    Ok(rows)
}
