//! Kills the server while 64 callers are at it, and counts what it had acknowledged and does not have any more.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, params};

use crate::driver::{self, Answer, Talk};
use crate::ingest::{self, CALLERS, SITES, none_dropped};
use crate::leads::{Leads, Shops};
use crate::product::Folder;
use crate::settings::Settings;
use crate::table::{Bar, Row, Unit, grouped};
use crate::visitors::{Session, Visitors};
use crate::yardstick::{Running, Yardstick};

const RUNS: usize = 3;
/// Of the callers, those that send leads; the others visit pages.
const LEADS: usize = 16;
/// The part of a sealed session id that is stored.
const KEY_CHARS: usize = 28;

pub fn run(settings: &Settings) -> Result<Vec<Row>, String> {
    let (mut lost, mut acknowledged, mut slowest) = (0, 0, Duration::ZERO);
    for run in 0..RUNS {
        let one = kill_once(settings, run)?;
        if settings.is_told_more {
            eprintln!(
                "kill -9     {} touches and {} leads acknowledged, {} lost, ready after {:.0} ms",
                one.touches,
                one.leads,
                one.lost,
                one.ready.as_secs_f64() * 1e3
            );
        }
        lost += one.lost;
        acknowledged += one.touches + one.leads;
        slowest = slowest.max(one.ready);
    }
    let mut row =
        Row::figure("lost after kill -9 under load, three runs", lost as f64, Bar::AtMost { must: 0.0, aim: 0.0, unit: Unit::Count });
    row.of = format!("{} acknowledged", grouped(acknowledged as f64));
    let ready = Row::figure("ready after that kill", slowest.as_secs_f64(), Bar::Below { must: 2.0, aim: 1.0, unit: Unit::Seconds });
    Ok(vec![row, ready])
}

struct Killed {
    touches: usize,
    leads: usize,
    lost: usize,
    ready: Duration,
}

fn kill_once(settings: &Settings, run: usize) -> Result<Killed, String> {
    let folder = Folder::new(&settings.folder, "crash")?;
    let sink = Running::start(Yardstick::Sink, folder.path())?;
    let mut shops = Shops::open(&settings.binary, &folder, &sink, SITES)?;
    shops.resume()?;
    let known = shops.visit()?;
    let address = shops.product.address();
    let database = shops.product.database();
    // Each run is ended at another moment of its life.
    let life = settings.round() + Duration::from_millis(137 * run as u64);
    let process = shops.product.take_process();
    let murderer = std::thread::spawn(move || {
        std::thread::sleep(life);
        if let Some(mut process) = process {
            let _ = process.kill();
            let _ = process.wait();
        }
    });
    let mut both =
        Both { visitors: Visitors::new(&shops.others, CALLERS, 6 + run as u64).with_ledger(), leads: Leads::new(&shops, known, CALLERS) };
    let outcome = driver::run(&ingest::load(address, Duration::ZERO, Duration::from_secs(30)), &mut both);
    let _ = murderer.join();
    let outcome = outcome.map_err(|e| e.to_string())?;
    if outcome.refused > 0 {
        return Err(format!("kill -9: {} requests were refused before the kill", outcome.refused));
    }
    none_dropped("kill -9", &both.visitors)?;
    let (sessions, leads) = (std::mem::take(&mut both.visitors.ledger), std::mem::take(&mut both.leads.ledger));
    drop(both);
    let ready = shops.product.start_again()?;
    let lost = lost_touches(&database, &sessions)? + lost_leads(&database, &leads)?;
    Ok(Killed { touches: sessions.len(), leads: leads.len(), lost, ready })
}

/// Some callers visit, the others send forms.
struct Both<'a> {
    visitors: Visitors<'a>,
    leads: Leads<'a>,
}

impl Talk for Both<'_> {
    fn ask(&mut self, caller: usize, out: &mut Vec<u8>) -> bool {
        if caller < LEADS { self.leads.ask(caller, out) } else { self.visitors.ask(caller, out) }
    }

    fn heard(&mut self, caller: usize, answer: &Answer) {
        if caller < LEADS { self.leads.heard(caller, answer) } else { self.visitors.heard(caller, answer) }
    }
}

/// Every touch is a page view of its session: there must be as many as were acknowledged.
fn lost_touches(database: &Path, sessions: &[Session]) -> Result<usize, String> {
    let mut due: HashMap<&str, i64> = HashMap::new();
    for session in sessions {
        *due.entry(std::str::from_utf8(&session[..KEY_CHARS]).unwrap_or_default()).or_default() += 1;
    }
    let conn = open(database)?;
    let mut list = conn.prepare("select key, page_views from sessions").map_err(|e| e.to_string())?;
    let rows = list.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))).map_err(|e| e.to_string())?;
    let stored: HashMap<String, i64> = rows.collect::<Result<_, _>>().map_err(|e| e.to_string())?;
    Ok(due.into_iter().map(|(key, count)| (count - stored.get(key).copied().unwrap_or(0)).max(0) as usize).sum())
}

/// A lead must be there with its conversion, its credit and its three deliveries.
fn lost_leads(database: &Path, leads: &[u64]) -> Result<usize, String> {
    let conn = open(database)?;
    let mut find = conn
        .prepare(
            "select (select count(*) from deliveries d where d.site_id = l.site_id and d.conversion_id = l.conversion_id),
               (select count(*) from credits c where c.site_id = l.site_id and c.conversion_id = l.conversion_id)
             from leads l where l.external_id = ?1 and l.site_id = ?2",
        )
        .map_err(|e| e.to_string())?;
    let sites: Vec<i64> = {
        let mut list = conn.prepare("select id from sites").map_err(|e| e.to_string())?;
        let rows = list.query_map([], |row| row.get(0)).map_err(|e| e.to_string())?;
        rows.collect::<Result<_, _>>().map_err(|e| e.to_string())?
    };
    let mut lost = 0;
    for number in leads {
        let name = format!("L-{number}");
        let is_there = sites.iter().any(|site| {
            let found = find.query_row(params![name, site], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)));
            matches!(found, Ok((3, 1..)))
        });
        lost += usize::from(!is_there);
    }
    Ok(lost)
}

fn open(database: &Path) -> Result<Connection, String> {
    Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(|e| format!("{}: {e}", database.display()))
}
