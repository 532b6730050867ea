//! A shop behind the proxy: how many requests pass a second beside nginx before the same shop, what the way through adds to
//! a page, and the sub-request of another web server; then a gigabyte in either direction, and visitors who are slow.

use std::io::Write;
use std::net::SocketAddr;

use crate::chance::Chance;
use crate::driver::{self, Answer, Load, Pace, Talk, header};
use crate::ingest::{CALLERS, Contestant, SITES, check, load, median, ratio};
use crate::large::{self, Store};
use crate::nginx::Nginx;
use crate::product::{Folder, Product};
use crate::settings::Settings;
use crate::slow;
use crate::table::{Bar, Row, Unit, grouped};
use crate::visitors::{BROWSERS, Place, address_of, put};
use crate::yardstick::{Running, Yardstick};

const PASSED: Bar = Bar::AtLeast { must: 0.50, aim: 0.80, unit: Unit::Share };
const EDGE: Bar = Bar::AtLeast { must: 0.25, aim: 0.50, unit: Unit::Share };
const ADDED_MEDIAN: Bar = Bar::Below { must: 1.0, aim: 0.5, unit: Unit::Ms };
const ADDED_WORST: Bar = Bar::Below { must: 5.0, aim: 2.5, unit: Unit::Ms };
/// Pages a second of a busy shop: the way through is measured, not the wait for a core.
pub const QUIET: f64 = 400.0;

pub fn run(settings: &Settings) -> Result<Vec<Row>, String> {
    let folder = Folder::new(&settings.folder, "proxy")?;
    let shop = Running::start(Yardstick::Page, folder.path())?;
    let noop = Running::start(Yardstick::Noop, folder.path())?;
    let product = Product::start(&settings.binary, &folder, &[])?;
    let places = product.add_sites(SITES)?;
    let upstream = format!("proxy.upstream=http://{}", shop.address);
    for place in &places {
        product.tell(&["site", "set", slug(place), &upstream])?;
    }
    let nginx = Nginx::start(&folder, shop.address)?;
    let mut rows = passed(settings, &product, nginx.as_ref(), &places)?;
    rows.extend(added(settings, &product, shop.address, &places)?);
    rows.push(asked_first(settings, &product, &noop, &places)?);
    let store = Store::open(settings)?;
    rows.extend(large::run(&product, &store, &places[0])?);
    rows.extend(slow::run(settings, &product, &store, &places)?);
    Ok(rows)
}

pub fn slug(place: &Place) -> &str {
    place.domain.split('.').next().unwrap_or_default()
}

fn passed(settings: &Settings, product: &Product, nginx: Option<&Nginx>, places: &[Place]) -> Result<Vec<Row>, String> {
    const PICTURES: &str = "pictures through the proxy, 64 callers";
    const PAGES: &str = "pages through the proxy, each counted";
    let Some(nginx) = nginx else {
        return Ok([PICTURES, PAGES].map(|what| Row::missing(what, "nginx is not installed", PASSED)).into());
    };
    let mut rows = Vec::new();
    for (what, kind) in [(PICTURES, Kind::Picture), (PAGES, Kind::Page)] {
        let mut asked = [Contestant::new("nginx"), Contestant::new("proxy")];
        let servers = [(nginx.address, nginx.pid()), (product.address(), product.pid())];
        let mut readers = [Readers::new(places, kind), Readers::new(places, kind)];
        let before = dropped(product)?;
        for _ in 0..settings.rounds() {
            for ((contestant, (address, pid)), readers) in asked.iter_mut().zip(&servers).zip(&mut readers) {
                contestant.round(&load(*address, settings.warm(), settings.round()), *pid, readers)?;
            }
        }
        if settings.is_told_more {
            asked.iter().for_each(|c| eprintln!("{}", c.told()));
        }
        if kind == Kind::Page && readers[1].known.is_empty() {
            return Err("proxy: no page came with a session".into());
        }
        let lost = dropped(product)? - before;
        let [nginx, proxy] = &asked;
        let told = if lost > 0 { format!(" ({} not counted)", grouped(lost as f64)) } else { String::new() };
        let figure = format!("{}/s{told}", grouped(proxy.typical()));
        rows.push(Row::ratio(what, figure, format!("nginx {}/s", grouped(nginx.typical())), ratio(proxy, nginx), PASSED));
    }
    Ok(rows)
}

/// Touches that found no room: pages go before counts.
fn dropped(product: &Product) -> Result<u64, String> {
    let got = product.get("/metrics", &[])?;
    let text = String::from_utf8_lossy(&got.body).into_owned();
    let lines = text.lines().filter(|l| l.starts_with("halotrack_touches_dropped_total"));
    Ok(lines.filter_map(|l| l.rsplit(' ').next()?.parse::<u64>().ok()).sum())
}

/// The same pages at the same pace, straight from the shop and through the product, in turn.
fn added(settings: &Settings, product: &Product, shop: SocketAddr, places: &[Place]) -> Result<[Row; 2], String> {
    let mut waits: [[Vec<f64>; 2]; 2] = Default::default();
    let mut readers = [Readers::new(places, Kind::Page), Readers::new(places, Kind::Page)];
    for _ in 0..settings.rounds() {
        for ((address, readers), waits) in [shop, product.address()].into_iter().zip(&mut readers).zip(&mut waits) {
            let load = Load { address, callers: CALLERS, pace: Pace::PerSecond(QUIET), warm: settings.warm(), time: settings.round() };
            let outcome = driver::run(&load, readers).map_err(|e| e.to_string())?;
            check("added", &outcome)?;
            waits[0].push(outcome.wait_ms(0.5));
            waits[1].push(outcome.wait_ms(0.99));
        }
    }
    let [direct, through] = waits.map(|[median_ms, worst_ms]| [median(median_ms), median(worst_ms)]);
    let row = |what: &str, place: usize, bar: Bar| {
        let mut row = Row::figure(what, (through[place] - direct[place]).max(0.0), bar);
        row.of = format!("{:.2} ms through, {:.2} ms straight, at {QUIET:.0}/s", through[place], direct[place]);
        row
    };
    Ok([row("added to a counted page, p50", 0, ADDED_MEDIAN), row("added to a counted page, p99", 1, ADDED_WORST)])
}

fn asked_first(settings: &Settings, product: &Product, noop: &Running, places: &[Place]) -> Result<Row, String> {
    let mut asked = [Contestant::new("noop"), Contestant::new("edge")];
    let servers = [(noop.address, noop.pid()), (product.address(), product.pid())];
    let mut readers = [Readers::new(places, Kind::Edge), Readers::new(places, Kind::Edge)];
    let before = dropped(product)?;
    for _ in 0..settings.rounds() {
        for ((contestant, (address, pid)), readers) in asked.iter_mut().zip(&servers).zip(&mut readers) {
            contestant.round(&load(*address, settings.warm(), settings.round()), *pid, readers)?;
        }
    }
    if settings.is_told_more {
        asked.iter().for_each(|c| eprintln!("{}", c.told()));
    }
    let lost = dropped(product)? - before;
    let [noop, edge] = &asked;
    let told = if lost > 0 { format!(" ({} not counted)", grouped(lost as f64)) } else { String::new() };
    let figure = format!("{}/s{told}", grouped(edge.typical()));
    Ok(Row::ratio("sub-requests of another web server", figure, format!("noop {}/s", grouped(noop.typical())), ratio(edge, noop), EDGE))
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Page,
    Picture,
    /// Asked for by another web server.
    Edge,
}

/// People who read a shop's pages: half of them have its cookie.
pub struct Readers<'a> {
    places: &'a [Place],
    kind: Kind,
    chance: Chance,
    who: u64,
    known: Vec<(usize, Vec<u8>)>,
    asking: Vec<usize>,
}

impl<'a> Readers<'a> {
    pub fn new(places: &'a [Place], kind: Kind) -> Self {
        Self { places, kind, chance: Chance::new(11), who: 0, known: Vec::new(), asking: vec![0; CALLERS] }
    }
}

impl Talk for Readers<'_> {
    fn ask(&mut self, caller: usize, out: &mut Vec<u8>) -> bool {
        self.who += 1;
        let is_known = !self.known.is_empty() && self.chance.one_in(2);
        let known = if is_known { Some(self.chance.of(&self.known).clone()) } else { None };
        let place = known.as_ref().map_or_else(|| self.chance.below(self.places.len()), |(place, _)| *place);
        self.asking[caller] = place;
        let domain = &self.places[place].domain;
        let browser = self.chance.of(&BROWSERS);
        let [a, b, c, d] = address_of(self.who);
        let query = if is_known { "" } else { "?utm_source=newsletter&utm_medium=email&utm_campaign=spring-boots" };
        let path = if self.kind == Kind::Edge { "/api/edge" } else { "/boots/ladies" };
        put(out, &["GET ", path, if self.kind == Kind::Edge { "" } else { query }, " HTTP/1.1\r\nHost: ", domain]);
        if self.kind == Kind::Edge {
            put(out, &["\r\nX-Original-Method: GET\r\nX-Original-URI: /boots/ladies", query]);
        }
        put(out, &["\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For: "]);
        let _ = write!(out, "{a}.{b}.{c}.{d}");
        put(out, &["\r\nUser-Agent: ", browser.agent]);
        let (accept, dest) = if self.kind == Kind::Picture {
            ("image/avif,image/webp,*/*;q=0.8", "image")
        } else {
            ("text/html,application/xhtml+xml", "document")
        };
        put(out, &["\r\nAccept: ", accept, "\r\nSec-Fetch-Dest: ", dest, "\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: none"]);
        put(out, &["\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.8"]);
        if let Some((_, session)) = &known {
            put(out, &["\r\nCookie: _halo="]);
            out.extend_from_slice(session);
        }
        out.extend_from_slice(b"\r\n\r\n");
        true
    }

    fn heard(&mut self, caller: usize, answer: &Answer) {
        let session = header(answer.head, b"set-cookie").and_then(|c| c.strip_prefix(b"_halo=")).and_then(|c| c.get(..40));
        if let Some(session) = session
            && self.known.len() < 20_000
        {
            self.known.push((self.asking[caller], session.to_vec()));
        }
    }
}
