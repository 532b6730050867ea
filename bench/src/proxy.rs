//! A shop behind the proxy: how many requests pass a second beside nginx before the same shop, what the way through adds to
//! a page, a gigabyte in either direction, and the sub-request of another web server.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::chance::Chance;
use crate::driver::{self, Answer, Load, Pace, Talk, header};
use crate::ingest::{CALLERS, Contestant, SITES, check, load, median, ratio};
use crate::memory::Watch;
use crate::process;
use crate::product::{Folder, Product};
use crate::settings::Settings;
use crate::table::{Bar, Row, Unit, grouped};
use crate::visitors::{BROWSERS, Place, address_of, put};
use crate::yardstick::{Running, Yardstick};

const PASSED: Bar = Bar::AtLeast { must: 0.50, aim: 0.80, unit: Unit::Share };
const EDGE: Bar = Bar::AtLeast { must: 0.25, aim: 0.50, unit: Unit::Share };
const ADDED_MEDIAN: Bar = Bar::Below { must: 1.0, aim: 0.5, unit: Unit::Ms };
const ADDED_WORST: Bar = Bar::Below { must: 5.0, aim: 2.5, unit: Unit::Ms };
/// Flat: what is on its way, not the file.
const MORE_MEMORY: Bar = Bar::Below { must: 16.0, aim: 4.0, unit: Unit::Mb };
/// Pages a second of a busy shop: the way through is measured, not the wait for a core.
const QUIET: f64 = 400.0;

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
    rows.extend(gigabyte(settings, &product, &places[0])?);
    Ok(rows)
}

fn slug(place: &Place) -> &str {
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

/// A file of a gigabyte down, and up.
fn gigabyte(settings: &Settings, product: &Product, place: &Place) -> Result<Vec<Row>, String> {
    let bytes: u64 = if settings.is_quick { 200 << 20 } else { 1 << 30 };
    let store = Store::open(bytes)?;
    product.tell(&["site", "set", slug(place), &format!("proxy.upstream=http://{}", store.address)])?;
    let before = process::pss_mb(product.pid()).ok_or("the kernel does not tell the memory of a process")?;
    let mut rows = Vec::new();
    for (what, is_up) in [("a large file down, MB a second", false), ("a large file up, MB a second", true)] {
        let watch = Watch::start(product.pid());
        let took = carried(product.address(), &place.domain, bytes, is_up)?;
        let most = watch.most()?;
        let mut row = Row::figure(what, bytes as f64 / 1e6 / took.as_secs_f64(), Bar::None);
        row.of = format!("{:.0} MB in {:.1} s", bytes as f64 / 1e6, took.as_secs_f64());
        rows.push(row);
        rows.push(Row::figure("memory more while it passes", (most - before).max(0.0), MORE_MEMORY));
    }
    Ok(rows)
}

fn carried(address: SocketAddr, host: &str, bytes: u64, is_up: bool) -> Result<Duration, String> {
    let failed = |e: std::io::Error| format!("a large file: {e}");
    let began = Instant::now();
    let mut stream = TcpStream::connect(address).map_err(failed)?;
    let (method, length) = if is_up { ("PUT", bytes) } else { ("GET", 0) };
    let head = format!("{method} /file HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).map_err(failed)?;
    let piece = vec![7; 256 * 1024];
    let mut left = length;
    while left > 0 {
        let next = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        stream.write_all(&piece[..next]).map_err(failed)?;
        left -= next as u64;
    }
    let mut got = 0;
    let mut first = Vec::new();
    let mut piece = piece;
    loop {
        match stream.read(&mut piece).map_err(failed)? {
            0 => break,
            n => {
                first.extend(piece[..n].iter().take(12 - first.len().min(12)));
                got += n as u64;
            }
        }
    }
    if !is_up && got < bytes {
        return Err(format!("a large file: {got} bytes of {bytes} came"));
    }
    if is_up && !first.starts_with(b"HTTP/1.1 200") {
        return Err("a large file was not taken".into());
    }
    Ok(began.elapsed())
}

/// A shop with one large file, and room for another.
struct Store {
    address: SocketAddr,
}

impl Store {
    fn open(bytes: u64) -> Result<Self, String> {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
        let address = listener.local_addr().map_err(|e| e.to_string())?;
        // It ends with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                std::thread::spawn(move || served(stream, bytes));
            }
        });
        Ok(Self { address })
    }
}

fn served(mut stream: TcpStream, bytes: u64) -> std::io::Result<()> {
    let mut piece = vec![7; 256 * 1024];
    let mut got = Vec::new();
    let end = loop {
        let n = stream.read(&mut piece)?;
        if n == 0 {
            return Ok(());
        }
        got.extend_from_slice(&piece[..n]);
        if let Some(end) = memchr::memmem::find(&got, b"\r\n\r\n") {
            break end + 4;
        }
    };
    if got.starts_with(b"GET") {
        stream.write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {bytes}\r\nConnection: close\r\n\r\n").as_bytes())?;
        let mut left = bytes;
        while left > 0 {
            let next = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            stream.write_all(&piece[..next])?;
            left -= next as u64;
        }
    } else {
        let mut left = bytes.saturating_sub((got.len() - end) as u64);
        while left > 0 {
            let n = stream.read(&mut piece)?;
            if n == 0 {
                return Ok(());
            }
            left -= (n as u64).min(left);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")?;
    }
    Ok(())
}

/// nginx with nothing but `proxy_pass`, on lines that it keeps. It ends with this value.
struct Nginx {
    child: Child,
    address: SocketAddr,
}

impl Nginx {
    /// None where it is not installed.
    fn start(folder: &Folder, shop: SocketAddr) -> Result<Option<Self>, String> {
        if Command::new("nginx").arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
            return Ok(None);
        }
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).map_err(|e| e.to_string())?.port();
        let root = folder.path().join("nginx");
        std::fs::create_dir_all(&root).map_err(|e| e.to_string())?;
        let at = root.display();
        let temp: String =
            ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].iter().map(|n| format!("{n}_temp_path {at}/{n};\n")).collect();
        let text = format!(
            "daemon off;\nworker_processes auto;\npid {at}/pid;\nerror_log {at}/log;\nevents {{ worker_connections 1024; }}\nhttp {{\naccess_log off;\n\
             {temp}keepalive_requests 1000000000;\nupstream shop {{ server {shop}; keepalive 64; keepalive_requests 1000000000; }}\n\
             server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://shop; proxy_http_version 1.1; proxy_set_header Connection \"\";\n\
             proxy_set_header Host $host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }} }}\n}}\n"
        );
        let conf = root.join("conf");
        std::fs::write(&conf, text).map_err(|e| e.to_string())?;
        let mut command = Command::new("nginx");
        command.arg("-p").arg(&root).arg("-e").arg(root.join("log")).arg("-c").arg(&conf);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().map_err(|e| e.to_string())?;
        let nginx = Self { child, address: SocketAddr::from(([127, 0, 0, 1], port)) };
        let began = Instant::now();
        while TcpStream::connect(nginx.address).is_err() {
            if began.elapsed() > Duration::from_secs(10) {
                return Err(format!("nginx does not listen: {}", std::fs::read_to_string(root.join("log")).unwrap_or_default()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Some(nginx))
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Told, so that it ends its workers too.
        let told = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status();
        if told.is_err() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Page,
    Picture,
    /// Asked for by another web server.
    Edge,
}

/// People who read a shop's pages: half of them have its cookie.
struct Readers<'a> {
    places: &'a [Place],
    kind: Kind,
    chance: Chance,
    who: u64,
    known: Vec<(usize, Vec<u8>)>,
    asking: Vec<usize>,
}

impl<'a> Readers<'a> {
    fn new(places: &'a [Place], kind: Kind) -> Self {
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
