//! Funnels: steps told by the owner's own server, each a person not known before; and what a million of them say over a year,
//! together with a million visitors.

use std::io::Write;

use rusqlite::{Connection, params};

use crate::chance::Chance;
use crate::day::day_text;
use crate::driver::{Answer, Talk};
use crate::history::{DAY_MS, Year};
use crate::ingest::{self, CALLERS, Contestant, ratio};
use crate::product::{Folder, Product};
use crate::questions::{self, Filled, NOWHERE, ask, ask_as};
use crate::settings::Settings;
use crate::table::{Bar, Row, Unit, grouped};
use crate::visitors::{Place, Visitors};
use crate::yardstick::{Running, Yardstick};

const SHARE: Bar = Bar::AtLeast { must: 0.20, aim: 0.40, unit: Unit::Share };
const FIGURES: Bar = Bar::Below { must: 100.0, aim: 30.0, unit: Unit::Ms };
const VISITORS: Bar = Bar::Below { must: 100.0, aim: 25.0, unit: Unit::Ms };
/// Shops whose servers tell, as many as tell leads; the most that one token may tell in a second is far below what is measured.
const SHOPS: usize = 8;
const TOKENS_EACH: usize = 128;

pub fn run(settings: &Settings) -> Result<Vec<Row>, String> {
    let mut rows = vec![told(settings)?];
    rows.extend(asked(settings)?);
    Ok(rows)
}

/// How many steps a second are taken.
fn told(settings: &Settings) -> Result<Row, String> {
    let folder = Folder::new(&settings.folder, "funnel")?;
    let group_full = Running::start(Yardstick::GroupFull, folder.path())?;
    let product = Product::start(&settings.binary, &folder, &[])?;
    let places = product.add_sites(SHOPS)?;
    let tokens = tokens(&product, &places)?;
    let mut touches = Visitors::new(&places, CALLERS, 2);
    let mut steps = Steps { tokens, next: 0, body: Vec::with_capacity(512), wrong: 0 };
    let mut asked = [Contestant::new("group_full"), Contestant::new("step")];
    for _ in 0..settings.rounds() {
        let load = |address| ingest::load(address, settings.warm(), settings.round());
        asked[0].round(&load(group_full.address), group_full.pid(), &mut touches)?;
        asked[1].round(&load(product.address()), product.pid(), &mut steps)?;
    }
    if settings.is_told_more {
        asked.iter().for_each(|c| eprintln!("{}", c.told()));
    }
    if steps.wrong > 0 {
        return Err(format!("{} answers named no event", steps.wrong));
    }
    let [group_full, step] = &asked;
    let of = format!("group_full {}/s", grouped(group_full.typical()));
    Ok(Row::ratio(
        "funnel events, each a person not known before",
        format!("{}/s", grouped(step.typical())),
        of,
        ratio(step, group_full),
        SHARE,
    ))
}

fn tokens(product: &Product, places: &[Place]) -> Result<Vec<String>, String> {
    let mut all = Vec::new();
    for n in 0..places.len() * TOKENS_EACH {
        let site = format!("shop{:03}", n % places.len() + 1);
        let made = product.tell(&["token", "create", "--site", &site, "--name", &format!("bench {n}"), "--scope", "write"])?;
        all.push(made["token"].as_str().ok_or("token create gave no token")?.to_owned());
    }
    Ok(all)
}

struct Steps {
    tokens: Vec<String>,
    next: u64,
    body: Vec<u8>,
    wrong: u64,
}

impl Talk for Steps {
    fn ask(&mut self, _: usize, out: &mut Vec<u8>) -> bool {
        let n = self.next;
        self.next += 1;
        let token = &self.tokens[n as usize % self.tokens.len()];
        self.body.clear();
        let _ = write!(
            self.body,
            "{{\"source_type\":\"zoom\",\"event_type\":\"event_registered\",\"external_id\":\"w-{n}\",\"email\":\"guest{n}@mail.example\",\
             \"first_name\":\"Nora\",\"last_name\":\"Byrne\",\"utm_source\":\"newsletter\",\"utm_medium\":\"email\",\
             \"event_data\":{{\"topic\":\"How to care for boots\",\"starts_at\":\"2031-06-16T08:00:00Z\"}}}}"
        );
        let _ = write!(
            out,
            "POST /funnel/event HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.body.len(),
        );
        out.extend_from_slice(&self.body);
        true
    }

    fn heard(&mut self, _: usize, answer: &Answer) {
        if (200..300).contains(&answer.status) && memchr::memmem::find(answer.body, b"\"event_id\":\"milestone_").is_none() {
            self.wrong += 1;
        }
    }
}

/// The dashboard's questions and the kept path over a year.
fn asked(settings: &Settings) -> Result<Vec<Row>, String> {
    let (sessions, steps) = if settings.is_quick { (100_000, 100_000) } else { (1_000_000, 1_000_000) };
    let folder = Folder::new(&settings.folder, "funnels")?;
    let Filled { mut product, cookie, now_ms, .. } = questions::fill(settings, &folder, Year::of(sessions), NOWHERE)?;
    let token = product.tell(&["token", "create", "--site", "shop001", "--name", "bench", "--scope", "read"])?;
    let token = token["token"].as_str().ok_or("token create gave no token")?.to_owned();
    product.kill();
    write(&product, steps, now_ms).map_err(|e| format!("the steps: {e}"))?;
    product.start_again()?;
    let days = format!("from={}&to={}", day_text(now_ms - 364 * DAY_MS), day_text(now_ms));
    let site = "/api/sites/shop001/reports";
    let over = format!("{} events, {} sessions", grouped(steps as f64), grouped(sessions as f64));
    let mut rows = Vec::new();
    for (what, path, bar) in [
        ("show-up funnel", format!("{site}/show_up?{days}"), FIGURES),
        ("who did not come", format!("{site}/show_up/people?{days}&part=not_told"), FIGURES),
        ("visitors to order, 30 days", format!("{site}/funnel?funnel=funnel_1&{days}"), VISITORS),
        ("who left after the first visit", format!("{site}/funnel/people?funnel=funnel_1&{days}&step=1&part=left"), VISITORS),
        ("lead to attended, strict", format!("{site}/funnel?funnel=funnel_2&{days}"), FIGURES),
    ] {
        rows.push(ask(&product, &cookie, what, &path)?.against(&over, bar));
    }
    let bearer = format!("Bearer {token}");
    let kept = format!("/analytics/funnel-metrics?start_date={}&end_date={}", day_text(now_ms - 364 * DAY_MS), day_text(now_ms));
    let asked = ask_as(&product, &[("Authorization", bearer.as_str())], "funnel metrics", &kept)?;
    rows.push(asked.against(&over, FIGURES));
    Ok(rows)
}

/// Steps of a year, written straight into the file, and two funnels that ask for them.
fn write(product: &Product, count: usize, now_ms: i64) -> rusqlite::Result<()> {
    const KINDS: [&str; 6] =
        ["lead_captured", "appointment_booked", "appointment_booked", "appointment_completed", "event_registered", "event_attended"];
    const SOURCES: [&str; 3] = ["zoom", "easyappointments", "eventbrite"];
    let mut conn = Connection::open(product.database())?;
    let tx = conn.transaction()?;
    {
        let mut chance = Chance::new(71);
        let people: i64 = tx.query_row("select max(id) from contacts where site_id = 1", [], |row| row.get(0))?;
        let mut add = tx.prepare(
            "insert into milestones (site_id, id, changed, connection_id, key, source, kind, at, received_at, told_at, starts_at, contact_id, utm_source,
               utm_medium)
             values (1, ?1, ?1, -3, ?2, ?3, ?4, ?5, ?5, ?5, ?6, ?7, ?8, ?9)",
        )?;
        for n in 1..=count as i64 {
            let at = now_ms - 364 * DAY_MS + 363 * DAY_MS * n / count as i64;
            let kind = KINDS[chance.below(6)];
            let starts = (kind == "appointment_booked" || kind == "event_registered").then(|| at + chance.below(20) as i64 * DAY_MS);
            let is_tagged = chance.below(5) == 0;
            add.execute(params![
                n,
                &(n as u128).to_be_bytes()[..],
                SOURCES[chance.below(3)],
                kind,
                at,
                starts,
                1 + chance.below(people as usize) as i64,
                is_tagged.then_some("newsletter"),
                is_tagged.then_some("email"),
            ])?;
        }
        tx.execute("insert or replace into numbers (site_id, noun, last) values (1, 'milestone', ?1)", [count as i64])?;
        for (id, name, plan) in [
            (1, "Visit to order", r#"{"steps":[{"kind":"page","path":"*"},{"kind":"lead"},{"kind":"order"}],"window_days":30}"#),
            (
                2,
                "Lead to attended",
                r#"{"steps":[{"kind":"milestone","milestone":"lead_captured"},{"kind":"milestone","milestone":"appointment_booked"},{"kind":"milestone","milestone":"appointment_completed"}],"order":"strict"}"#,
            ),
        ] {
            tx.execute(
                "insert into funnels (site_id, id, name, plan, who, created_at) values (1, ?1, ?2, ?3, 'bench', 0)",
                params![id, name, plan],
            )?;
        }
        tx.execute("insert or replace into numbers (site_id, noun, last) values (1, 'funnel', 2)", [])?;
    }
    tx.commit()
}
