//! How long an owner waits for the overview of a year-old shop: a browser that has never been there, a server that has just
//! been started and has kept nothing.

use crate::browser;
use crate::product::Folder;
use crate::questions::{self, Filled};
use crate::settings::Settings;
use crate::table::{Bar, Row, Unit};

const COLD: Bar = Bar::Below { must: 1_000.0, aim: 400.0, unit: Unit::Ms };
const WHAT: &str = "overview, cold, until its figures are there";

pub fn run(settings: &Settings) -> Result<Vec<Row>, String> {
    let folder = Folder::new(&settings.folder, "paint")?;
    let sessions = if settings.is_quick { 100_000 } else { 1_000_000 };
    let Filled { mut product, cookie, .. } = questions::fill(settings, &folder, questions::Year::of(sessions), questions::NOWHERE)?;
    product.kill();
    product.start_again()?;
    let Some(seen) = browser::load(&product, &cookie, folder.path(), "/dashboard")? else {
        return Ok(vec![Row::missing(WHAT, "no Chromium is here", COLD)]);
    };
    // Live news make it ask again; what counts is the first answer to each question.
    let is_first = |n: usize| seen[..n].iter().all(|earlier| earlier.path != seen[n].path);
    let figures = seen.iter().enumerate().filter(|(n, f)| f.path.contains("/reports/") && is_first(*n));
    let Some(last) = figures.map(|(_, f)| f.ended).max() else {
        return Err(format!("the overview asked for no figures: {:?}", seen.iter().map(|f| &f.path).collect::<Vec<_>>()));
    };
    if settings.is_told_more {
        seen.iter()
            .for_each(|f| eprintln!("paint  {:>6.0} to {:>6.0} ms  {}", f.asked.as_secs_f64() * 1e3, f.ended.as_secs_f64() * 1e3, f.path));
    }
    let mut row = Row::figure(WHAT, last.as_secs_f64() * 1e3, COLD);
    row.of = format!("{} M sessions, from the page's request to the last byte of its figures", sessions as f64 / 1e6);
    Ok(vec![row])
}
