//! How many order webhooks a second are taken, as WooCommerce sends them: signed, eight kilobytes, each by a person not
//! known before, matched by the visit that came by an advertisement, booked, credited, and planned for three destinations
//! before it is answered.

use std::path::Path;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use sha2::Sha256;

use crate::driver::{self, Answer, Load, Talk};
use crate::ingest::{CALLERS, Contestant, check, load, median, ratio};
use crate::leads::{Shops, connect};
use crate::product::{Folder, Product};
use crate::settings::Settings;
use crate::shop::Told;
use crate::table::{Bar, Row, Unit, grouped};
use crate::visitors::{Known, Visitors};
use crate::yardstick::{Running, Yardstick};

const SHARE: Bar = Bar::AtLeast { must: 0.05, aim: 0.10, unit: Unit::Share };
const WAITS: Bar = Bar::Below { must: 25.0, aim: 12.0, unit: Unit::Ms };
const UNDER_LOAD: usize = 32;
const RAM_DISK: &str = "/dev/shm";
/// Webhooks are registered by then.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn run(settings: &Settings) -> Result<Vec<Row>, String> {
    Ok(vec![on_disk(settings)?, on_ram_disk(settings)?])
}

fn on_disk(settings: &Settings) -> Result<Row, String> {
    let folder = Folder::new(&settings.folder, "orders")?;
    let group_full = Running::start(Yardstick::GroupFull, folder.path())?;
    let world = World::open(settings, &folder)?;
    let mut orders = world.orders();
    let mut touches = Visitors::new(&world.shops.places, CALLERS, 2);
    let warm = load(group_full.address, Duration::ZERO, settings.warm());
    check("first visitors", &driver::run(&warm, &mut touches).map_err(|e| e.to_string())?)?;
    let mut asked = [Contestant::new("group_full"), Contestant::new("order")];
    for _ in 0..settings.rounds() {
        let load = |address| load(address, settings.warm(), settings.round());
        asked[0].round(&load(group_full.address), group_full.pid(), &mut touches)?;
        asked[1].round(&load(world.shops.product.address()), world.shops.product.pid(), &mut orders)?;
    }
    if settings.is_told_more {
        asked.iter().for_each(|c| eprintln!("{}", c.told()));
    }
    world.check(&orders)?;
    let [group_full, order] = &asked;
    let of = format!("group_full {}/s", grouped(group_full.typical()));
    let figure = format!("{}/s", grouped(order.typical()));
    Ok(Row::ratio("order webhooks, signed, 8 kB, three deliveries planned", figure, of, ratio(order, group_full), SHARE))
}

fn on_ram_disk(settings: &Settings) -> Result<Row, String> {
    const WHAT: &str = "p99 of an order webhook, 32 callers, data on a RAM disk";
    if !Path::new(RAM_DISK).is_dir() {
        return Ok(Row::missing(WHAT, "there is no /dev/shm", WAITS));
    }
    let folder = Folder::new(Path::new(RAM_DISK), "orders")?;
    let world = World::open(settings, &folder)?;
    let mut orders = world.orders();
    let mut worst = Vec::new();
    for _ in 0..settings.rounds() {
        let load = Load { callers: UNDER_LOAD, ..load(world.shops.product.address(), settings.warm(), settings.round()) };
        let outcome = driver::run(&load, &mut orders).map_err(|e| e.to_string())?;
        check(WHAT, &outcome)?;
        worst.push(outcome.wait_ms(0.99));
    }
    world.check(&orders)?;
    Ok(Row::figure(WHAT, median(worst), WAITS))
}

/// Shops with a WooCommerce and three destinations each, and visitors who may buy.
pub struct World {
    pub shops: Shops,
    /// It ends with this value.
    _stand_in: Running,
    hooks: Vec<Hook>,
    visitors: Vec<Known>,
}

/// Where a shop's orders are told, and what it signs with.
pub struct Hook {
    pub path: String,
    pub secret: String,
}

impl World {
    fn open(settings: &Settings, folder: &Folder) -> Result<Self, String> {
        let stand_in = Running::start(Yardstick::Shop, folder.path())?;
        let shops = Shops::open(&settings.binary, folder, &stand_in, 0)?;
        let mut hooks = Vec::new();
        for number in 1..=shops.places.len() {
            hooks.push(add(&shops.product, &stand_in, &format!("shop{number:03}"), 0)?);
        }
        let visitors = shops.visit()?;
        Ok(Self { shops, _stand_in: stand_in, hooks, visitors })
    }

    fn orders(&self) -> Orders<'_> {
        Orders::new(&self.hooks, &self.visitors)
    }

    /// Every order must be what the line says it is.
    fn check(&self, orders: &Orders) -> Result<(), String> {
        let conn = read(&self.shops.product)?;
        let count = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(|e| e.to_string());
        let matched = count("select count(*) from conversions where kind = 'sale' and match_type = 'session'")?;
        let planned = count("select count(*) from deliveries")?;
        let taken = orders.taken as i64;
        match (matched, planned) {
            (m, p) if m == taken && p == 3 * taken => Ok(()),
            (m, p) => Err(format!("of {taken} orders {m} were matched by their session, {p} deliveries planned")),
        }
    }
}

/// A second reader of a server's database.
pub fn read(product: &Product) -> Result<Connection, String> {
    Connection::open_with_flags(product.database(), OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(|e| e.to_string())
}

/// Connects a shop of so many orders; where its webhooks go.
pub fn add(product: &Product, stand_in: &Running, site: &str, orders: usize) -> Result<Hook, String> {
    let folder = format!("/orders-{orders}/{site}");
    let url = format!("http://{}{folder}", stand_in.address);
    let set = [
        ("url", &*url),
        ("consumer_key", "ck_0123456789abcdef0123456789abcdef01234567"),
        ("consumer_secret", "cs_0123456789abcdef0123456789abcdef01234567"),
    ];
    connect(product, site, "woocommerce", &set)?;
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        let told: Value = serde_json::from_slice(&crate::product::get(stand_in.address, "/standing", &[])?.body).unwrap_or_default();
        let hook = told.as_array().into_iter().flatten().find(|h| h["folder"] == folder && h["topic"] == "order.created");
        if let Some(hook) = hook {
            let (url, secret) = (hook["delivery_url"].as_str().unwrap_or_default(), hook["secret"].as_str().unwrap_or_default());
            let path = url.find("/in/").map(|at| url[at..].to_owned()).ok_or(format!("{url} is no address of a hook"))?;
            return Ok(Hook { path, secret: secret.to_owned() });
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err(format!("the webhooks of {site} were not registered within a minute"))
}

/// Orders as the shops' webhooks tell them.
pub struct Orders<'a> {
    hooks: &'a [Hook],
    visitors: &'a [Known],
    next: u64,
    pub taken: u64,
}

impl<'a> Orders<'a> {
    pub fn new(hooks: &'a [Hook], visitors: &'a [Known]) -> Self {
        Self::from(hooks, visitors, 0)
    }

    /// The same behind orders that were told before.
    pub fn from(hooks: &'a [Hook], visitors: &'a [Known], next: u64) -> Self {
        Self { hooks, visitors, next, taken: 0 }
    }

    /// How many were told, those before it too.
    pub fn next(&self) -> u64 {
        self.next
    }
}

impl Talk for Orders<'_> {
    fn ask(&mut self, _: usize, out: &mut Vec<u8>) -> bool {
        self.next += 1;
        let visitor = &self.visitors[self.next as usize % self.visitors.len()];
        let hook = &self.hooks[visitor.place as usize];
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64);
        let session = String::from_utf8_lossy(&visitor.session).into_owned();
        let number = 1_000_000 + self.next as i64;
        let told = Told { number, at_s: now, email: format!("buyer{number}@mail.example"), session: Some(session) };
        let body = told.json(false, true);
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: t.shop.example\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For: 198.51.100.8\r\n\
             User-Agent: WooCommerce/10.7.0 Hookshot (WordPress/6.8)\r\nContent-Type: application/json\r\n\
             x-wc-webhook-source: https://shop.example/\r\nx-wc-webhook-topic: order.created\r\nx-wc-webhook-resource: order\r\n\
             x-wc-webhook-event: created\r\nx-wc-webhook-id: 1\r\nx-wc-webhook-delivery-id: {:032x}\r\nx-wc-webhook-signature: {}\r\n\
             Content-Length: {}\r\n\r\n",
            hook.path,
            crate::chance::mix(self.next),
            signature(hook.secret.as_bytes(), body.as_bytes()),
            body.len()
        );
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(body.as_bytes());
        true
    }

    fn heard(&mut self, _: usize, answer: &Answer) {
        if answer.status == 200 && memchr::memmem::find(answer.body, b"accepted").is_some() {
            self.taken += 1;
        }
    }
}

/// HMAC-SHA256 in base64, as WooCommerce signs.
fn signature(secret: &[u8], body: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("an HMAC takes a key of any length");
    mac.update(body);
    let digest = mac.finalize().into_bytes();
    let mut text = String::with_capacity(44);
    for three in digest.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let n = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            text.push(if place <= three.len() { char::from(LETTERS[(n >> (18 - 6 * place) & 63) as usize]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_the_rfc() {
        // RFC 4231, test case 2, in base64.
        assert_eq!(signature(b"Jefe", b"what do ya want for nothing?"), "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
    }
}
