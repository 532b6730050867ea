//! Short links followed: how many redirects a second, beside a server that answers the same requests with a fixed one.
//! Afterwards every click has to be in the books.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::chance::Chance;
use crate::driver::{Answer, Talk, header};
use crate::ingest::{Contestant, load, ratio};
use crate::product::{Folder, Product};
use crate::settings::Settings;
use crate::table::{Bar, Row, Unit, grouped};
use crate::visitors::{BROWSERS, address_of, put};
use crate::yardstick::{Running, Yardstick};

const SITES: usize = 8;
const LINKS_A_SITE: usize = 8;
const SHARE: Bar = Bar::AtLeast { must: 0.30, aim: 0.50, unit: Unit::Share };
/// Clicks are written down a few times a second.
const PATIENCE: Duration = Duration::from_secs(30);

pub fn run(settings: &Settings) -> Result<Vec<Row>, String> {
    let folder = Folder::new(&settings.folder, "redirect")?;
    let noop = Running::start(Yardstick::Noop, folder.path())?;
    let product = Product::start(&settings.binary, &folder, &[])?;
    let mut codes = Vec::new();
    for place in product.add_sites(SITES)? {
        let site = place.domain.split('.').next().unwrap_or_default().to_owned();
        for n in 0..LINKS_A_SITE {
            let to = format!("https://{}/page-{n}?size=40", place.domain);
            let words = ["link", "add", "--site", &site, "--to", &to, "--utm_source", "newsletter", "--utm_campaign", "spring-boots"];
            let made = product.tell(&words)?;
            codes.push(made["code"].as_str().ok_or("link add gave no code")?.to_owned());
        }
    }
    let mut asked = [Contestant::new("noop"), Contestant::new("redirect")];
    let servers = [(noop.address, noop.pid()), (product.address(), product.pid())];
    let mut followers = [Followers::new(&codes), Followers::new(&codes)];
    for _ in 0..settings.rounds() {
        for ((contestant, (address, pid)), followers) in asked.iter_mut().zip(&servers).zip(&mut followers) {
            contestant.round(&load(*address, settings.warm(), settings.round()), *pid, followers)?;
        }
    }
    let wrong = followers[1].wrong;
    if wrong > 0 {
        return Err(format!("redirect: {wrong} answers led nowhere or had no click id"));
    }
    all_counted(&product, followers[1].led)?;
    if settings.is_told_more {
        asked.iter().for_each(|c| eprintln!("{}", c.told()));
    }
    let [noop, redirect] = &asked;
    let of = format!("noop {}/s", grouped(noop.typical()));
    let figure = format!("{}/s", grouped(redirect.typical()));
    Ok(vec![Row::ratio("short links followed, each click counted, 64 callers", figure, of, ratio(redirect, noop), SHARE)])
}

/// A click that was answered and is not counted would be a wrong figure.
fn all_counted(product: &Product, led: u64) -> Result<(), String> {
    let began = Instant::now();
    loop {
        let mut counted = 0;
        for n in 1..=SITES {
            let links = product.tell(&["link", "list", "--site", &format!("shop{n:03}")])?;
            counted += links.as_array().into_iter().flatten().filter_map(|l| l["clicks"].as_u64()).sum::<u64>();
        }
        if counted == led {
            return Ok(());
        }
        if began.elapsed() > PATIENCE {
            return Err(format!("redirect: {counted} of {led} clicks were counted"));
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// People with browsers, each from an address of their own.
struct Followers<'c> {
    codes: &'c [String],
    chance: Chance,
    who: u64,
    led: u64,
    wrong: u64,
}

impl<'c> Followers<'c> {
    fn new(codes: &'c [String]) -> Self {
        Self { codes, chance: Chance::new(7), who: 0, led: 0, wrong: 0 }
    }
}

impl Talk for Followers<'_> {
    fn ask(&mut self, _: usize, out: &mut Vec<u8>) -> bool {
        self.who += 1;
        let code = self.chance.of(self.codes);
        let browser = self.chance.of(&BROWSERS);
        let [a, b, c, d] = address_of(self.who);
        put(out, &["GET /l/", code, "?fbclid=IwAR0"]);
        let _ = write!(out, "{:016x}", self.chance.next());
        put(out, &[" HTTP/1.1\r\nHost: t.shop001.example\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For: "]);
        let _ = write!(out, "{a}.{b}.{c}.{d}");
        put(out, &["\r\nUser-Agent: ", browser.agent]);
        put(out, &["\r\nAccept: text/html\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en;q=0.8"]);
        put(out, &["\r\nReferer: https://l.instagram.com/\r\nSec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\n\r\n"]);
        true
    }

    fn heard(&mut self, _: usize, answer: &Answer) {
        let has_click = header(answer.head, b"location").is_some_and(|to| memchr::memmem::find(to, b"halo_click=clk_").is_some());
        if answer.status == 302 && has_click { self.led += 1 } else { self.wrong += 1 }
    }
}
