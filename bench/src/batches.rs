//! How many events a second AnyTrack can tell in lists of a thousand: what is looked at, clicked, signed up for and bought,
//! each with its person and where it came from, every one counted as stored.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::driver;
use crate::ingest::{self, CALLERS, Contestant, check, median};
use crate::product::{Folder, Product};
use crate::settings::Settings;
use crate::table::{Bar, Row, Unit, grouped};
use crate::visitors::Visitors;
use crate::yardstick::{Running, Yardstick};

const BAR: Bar = Bar::AtLeast { must: 0.15, aim: 0.30, unit: Unit::Share };
const SHOPS: usize = 8;
const SENDERS: usize = 4;
/// Events in a list.
const LIST: u64 = 1_000;
/// Of a hundred events of a shop: what they are called.
const MIX: [(&str, u64); 8] = [
    ("PageView", 45),
    ("ViewContent", 20),
    ("OutboundClick", 12),
    ("AddToCart", 8),
    ("InitiateCheckout", 5),
    ("Lead", 4),
    ("CompleteRegistration", 2),
    ("Purchase", 4),
];

pub fn run(settings: &Settings) -> Result<Vec<Row>, String> {
    let folder = Folder::new(&settings.folder, "batches")?;
    let group_full = Running::start(Yardstick::GroupFull, folder.path())?;
    let product = Product::start(&settings.binary, &folder, &[])?;
    let places = product.add_sites(SHOPS)?;
    let paths = (1..=SHOPS).map(|number| connected(&product, &format!("shop{number:03}"))).collect::<Result<Vec<_>, _>>()?;
    let mut touches = Visitors::new(&places, CALLERS, 2);
    let warm = ingest::load(group_full.address, Duration::ZERO, settings.warm());
    check("first visitors", &driver::run(&warm, &mut touches).map_err(|e| e.to_string())?)?;

    let (mut yardstick, mut told) = (Contestant::new("group_full"), Vec::new());
    let lists = AtomicU64::new(0);
    for _ in 0..settings.rounds() {
        yardstick.round(&ingest::load(group_full.address, settings.warm(), settings.round()), group_full.pid(), &mut touches)?;
        told.push(round(&product, &paths, &lists, settings.round())?);
    }
    let events = crate::orders::read(&product)?
        .query_row("select count(*) from tracker_events", [], |row| row.get::<_, i64>(0))
        .map_err(|e| e.to_string())?;
    let said = lists.load(Ordering::Relaxed) * LIST;
    if events != said as i64 {
        return Err(format!("of {said} events {events} are stored"));
    }
    let share = median(told.iter().zip(&yardstick.per_second).map(|(told, base)| told / base).collect());
    let of = format!("group_full {}/s", grouped(yardstick.typical()));
    let figure = format!("{}/s", grouped(median(told)));
    Ok(vec![Row::ratio("AnyTrack events, lists of 1,000, mixed", figure, of, share, BAR)])
}

/// Where a shop's AnyTrack sends to.
fn connected(product: &Product, site: &str) -> Result<String, String> {
    let made = product.tell(&["connection", "add", "--site", site, "--platform", "anytrack", "--mode", "live"])?;
    let url = made["hook_url"].as_str().ok_or_else(|| format!("connection add gave no address: {made}"))?;
    url.find("/in/").map(|at| url[at..].to_owned()).ok_or(format!("{url} is no address of a hook"))
}

/// Events a second. Lists that are under way at the end are waited for and counted, with their time.
fn round(product: &Product, paths: &[String], lists: &AtomicU64, time: Duration) -> Result<f64, String> {
    let began = Instant::now();
    let send = || -> Result<u64, String> {
        let mut sent = 0;
        while began.elapsed() < time {
            let number = lists.fetch_add(1, Ordering::Relaxed);
            let path = &paths[number as usize % paths.len()];
            let headers = [("X-Forwarded-Proto", "https"), ("Content-Type", "application/json")];
            let got = product.ask("POST", path, &headers, list(number).as_bytes())?;
            let answer: Value = serde_json::from_slice(&got.body).unwrap_or_default();
            if answer["processed"] != LIST {
                return Err(format!("a list was answered {}", String::from_utf8_lossy(&got.body[..got.body.len().min(300)])));
            }
            sent += LIST;
        }
        Ok(sent)
    };
    let sent = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS).map(|_| scope.spawn(send)).collect();
        senders.into_iter().map(|s| s.join().unwrap_or_else(|_| Err("a sender ended".into()))).sum::<Result<u64, String>>()
    })?;
    Ok(sent as f64 / began.elapsed().as_secs_f64())
}

/// A thousand events of three hundred people, who come by advertisements, in the last hour.
fn list(number: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let mut out = String::from("[");
    for place in 0..LIST {
        let (id, chance) = (number * LIST + place, crate::chance::mix(number * LIST + place));
        let person = number * 300 + chance % 300;
        if place > 0 {
            out.push(',');
        }
        let _ = write!(
            out,
            r#"{{"eventName":"{}","transactionId":"at-{id}","eventTime":{},"clickId":"at{person:012x}","url":"https://shop.example/boots/{}","referrer":"https://www.facebook.com/","userAgent":"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X)","mainAttribution":{{"source":"facebook","medium":"paid","campaign":"spring-{}","content":"film-{}"}}"#,
            name(chance / 7_919 % 100),
            now - chance % 3_600,
            chance % 500,
            chance % 12,
            chance % 40,
        );
        match name(chance / 7_919 % 100) {
            "Purchase" => {
                let _ = write!(
                    out,
                    r#","email":"buyer{person}@mail.example","firstName":"Nora","lastName":"Byrne","phone":"+35387{:07}","eventValue":{}.90,"currency":"EUR","orderId":"S-{id}","items":[{{"id":"B-{}","name":"Lined boot","quantity":1,"price":{}.90}}]"#,
                    person % 10_000_000,
                    20 + chance % 180,
                    chance % 50,
                    20 + chance % 180,
                );
            }
            "Lead" | "CompleteRegistration" => {
                let _ = write!(out, r#","email":"buyer{person}@mail.example","firstName":"Nora","eventValue":0,"currency":"EUR""#);
            }
            _ => {}
        }
        out.push('}');
    }
    out.push(']');
    out
}

fn name(share: u64) -> &'static str {
    let mut upto = 0;
    for (name, of) in MIX {
        upto += of;
        if share < upto {
            return name;
        }
    }
    MIX[0].0
}
