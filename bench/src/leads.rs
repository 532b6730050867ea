//! How many signed leads a second are taken: each is matched by its session, credited, and planned for three
//! destinations before it is answered.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::driver::{self, Answer, Talk};
use crate::ingest::{self, CALLERS, Contestant, check, none_dropped, ratio};
use crate::product::{Folder, Product};
use crate::settings::Settings;
use crate::table::{Bar, Row, Unit, grouped};
use crate::visitors::{Known, Place, Visitors};
use crate::yardstick::{Running, Yardstick};

/// Shops on the box; the signature of a lead is tried against the forms connection of each.
const SHOPS: usize = 8;
/// Visitors of each who may become a lead: as many as a site takes in a burst.
const VISITORS_EACH: u64 = 1_900;
const BAR: Bar = Bar::AtLeast { must: 0.08, aim: 0.15, unit: Unit::Share };
const WHAT: &str = "leads, signed, matched, credited, three deliveries planned";

pub fn run(settings: &Settings) -> Result<Vec<Row>, String> {
    let folder = Folder::new(&settings.folder, "leads")?;
    let group_full = Running::start(Yardstick::GroupFull, folder.path())?;
    let sink = Running::start(Yardstick::Sink, folder.path())?;
    let shops = Shops::open(&settings.binary, &folder, &sink, 0)?;
    let visitors = shops.visit()?;
    let mut touches = Visitors::new(&shops.places, CALLERS, 2);
    let mut leads = Leads::new(&shops, visitors, CALLERS);
    let warm = ingest::load(group_full.address, Duration::ZERO, settings.warm());
    check("first visitors", &driver::run(&warm, &mut touches).map_err(|e| e.to_string())?)?;

    let mut rows = Vec::new();
    // First with the connections paused, so that intake alone is measured; then while deliveries go out.
    for is_sending in [false, true] {
        if is_sending {
            shops.resume()?;
        }
        let mut asked = [Contestant::new("group_full"), Contestant::new("lead")];
        for _ in 0..settings.rounds() {
            let load = |address| ingest::load(address, settings.warm(), settings.round());
            asked[0].round(&load(group_full.address), group_full.pid(), &mut touches)?;
            asked[1].round(&load(shops.product.address()), shops.product.pid(), &mut leads)?;
        }
        if settings.is_told_more {
            asked.iter().for_each(|c| eprintln!("{}", c.told()));
        }
        let [group_full, lead] = &asked;
        let figure = format!("{}/s", grouped(lead.typical()));
        let of = format!("group_full {}/s", grouped(group_full.typical()));
        let share = ratio(lead, group_full);
        rows.push(match is_sending {
            false => Row::ratio(WHAT, figure, of, share, BAR),
            true => Row::ratio("the same, while deliveries go out", figure, of, share, Bar::None),
        });
    }
    leads.check()?;
    Ok(rows)
}

/// Shops with a form and three destinations each.
pub struct Shops {
    pub product: Product,
    /// Those that take leads.
    pub places: Vec<Place>,
    /// Shops without any connection, which are only visited.
    pub others: Vec<Place>,
    secrets: Vec<String>,
    destinations: Vec<String>,
}

impl Shops {
    pub fn open(binary: &Path, folder: &Folder, sink: &Running, others: usize) -> Result<Self, String> {
        let base = format!("http://{}", sink.address);
        let allowed = sink.address.to_string();
        let env = [("HALOTRACK_BASE_URL_META", &*base), ("HALOTRACK_BASE_URL_GA4", &*base), ("HALOTRACK_OUTBOUND_ALLOW", &*allowed)];
        let product = Product::start(binary, folder, &env)?;
        let mut places = product.add_sites(SHOPS + others)?;
        let others = places.split_off(SHOPS);
        let (mut secrets, mut destinations) = (Vec::new(), Vec::new());
        for number in 1..=places.len() {
            let site = format!("shop{number:03}");
            let secret = format!("bench-form-secret-of-{site}-000000000000");
            connect(&product, &site, "forms", &[("secret", &secret)])?;
            let hook = format!("{base}/hook");
            for (platform, set) in [
                ("meta", &[("pixel_id", "1234567890123456"), ("access_token", "EAAbenchbenchbenchbenchbench")][..]),
                ("ga4", &[("measurement_id", "G-BENCH12345"), ("api_secret", "benchbenchbenchbenchbe")]),
                ("webhook", &[("url", &hook), ("secret", "whsec_YmVuY2hiZW5jaGJlbmNoYmVuY2hiZW5jaGJlbmNo")]),
            ] {
                let connection = connect(&product, &site, platform, set)?;
                product.tell(&["connection", "pause", &connection])?;
                destinations.push(connection);
            }
            secrets.push(secret);
        }
        Ok(Self { product, places, others, secrets, destinations })
    }

    pub fn resume(&self) -> Result<(), String> {
        self.destinations.iter().try_for_each(|connection| self.product.tell(&["connection", "resume", connection]).map(|_| ()))
    }

    /// Visitors who come by an advertisement, and may become leads.
    pub fn visit(&self) -> Result<Vec<Known>, String> {
        let mut visitors = Visitors::new(&self.places, CALLERS, 3).all_new(ingest::first_visits(&self.places, VISITORS_EACH));
        let load = ingest::load(self.product.address(), Duration::ZERO, Duration::from_secs(60));
        check("visitors of the shops", &driver::run(&load, &mut visitors).map_err(|e| e.to_string())?)?;
        none_dropped("visitors of the shops", &visitors)?;
        Ok(visitors.known)
    }
}

/// A connection that is live; its id.
pub fn connect(product: &Product, site: &str, platform: &str, set: &[(&str, &str)]) -> Result<String, String> {
    let pairs: Vec<String> = set.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let mut words = vec!["connection", "add", "--site", site, "--platform", platform, "--mode", "live"];
    pairs.iter().for_each(|pair| words.extend(["--set", pair]));
    let made = product.tell(&words)?;
    Ok(made["connection"].as_str().ok_or("connection add gave no id")?.to_owned())
}

/// Forms sent by visitors, each by another one.
pub struct Leads<'a> {
    shops: &'a Shops,
    visitors: Vec<Known>,
    next: u64,
    body: Vec<u8>,
    asked: Vec<u64>,
    /// Ids of leads that were acknowledged.
    pub ledger: Vec<u64>,
    unmatched: u64,
    unplanned: u64,
}

impl<'a> Leads<'a> {
    pub fn new(shops: &'a Shops, visitors: Vec<Known>, callers: usize) -> Self {
        Self {
            shops,
            visitors,
            next: 0,
            body: Vec::with_capacity(1_024),
            asked: vec![0; callers],
            ledger: Vec::new(),
            unmatched: 0,
            unplanned: 0,
        }
    }

    /// Every lead must have been what the line says it was.
    fn check(&self) -> Result<(), String> {
        if self.unmatched + self.unplanned > 0 {
            return Err(format!("{} leads were not matched by their session, {} not planned three times", self.unmatched, self.unplanned));
        }
        Ok(())
    }
}

impl Talk for Leads<'_> {
    fn ask(&mut self, caller: usize, out: &mut Vec<u8>) -> bool {
        let number = self.next;
        self.next += 1;
        self.asked[caller] = number;
        let visitor = &self.visitors[number as usize % self.visitors.len()];
        let place = &self.shops.places[visitor.place as usize];
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        let session = std::str::from_utf8(&visitor.session).unwrap_or_default();
        self.body.clear();
        let _ = write!(
            self.body,
            "{{\"lead_id\":\"L-{number}\",\"email\":\"visitor{number}@mail.example\",\"phone\":\"+35387{:07}\",\"name\":\"Nora Byrne\",\
             \"form_type\":\"contact\",\"message\":\"Do you have the lined boot in size 42? Please call me back.\",\"value\":250,\
             \"currency\":\"EUR\",\"session_id\":\"{session}\",\"consent_given\":true,\"url\":\"https://{}/contact\"}}",
            number % 10_000_000,
            place.domain,
        );
        let time = now.to_string();
        let signature = sign(self.shops.secrets[visitor.place as usize].as_bytes(), &[time.as_bytes(), b".", &self.body]);
        let _ = write!(
            out,
            "POST /api/webhook/lead HTTP/1.1\r\nHost: t.{}\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For: 198.51.100.7\r\n\
             User-Agent: WordPress/6.8\r\nContent-Type: application/json\r\nx-halo-timestamp: {time}\r\nx-halo-signature: {signature}\r\n\
             Content-Length: {}\r\n\r\n",
            place.domain,
            self.body.len(),
        );
        out.extend_from_slice(&self.body);
        true
    }

    fn heard(&mut self, caller: usize, answer: &Answer) {
        if !(200..300).contains(&answer.status) {
            return;
        }
        self.ledger.push(self.asked[caller]);
        if memchr::memmem::find(answer.body, b"\"match_type\":\"session\"").is_none() {
            self.unmatched += 1;
        }
        if memchr::memmem::find_iter(answer.body, b"\"state\":\"").count() != 3 {
            self.unplanned += 1;
        }
    }
}

fn sign(secret: &[u8], parts: &[&[u8]]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("an HMAC takes a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}
