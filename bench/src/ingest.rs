//! How many touches a second are taken, each answered after its commit is on disk, beside two servers that do less.
//! The three are asked in turn, in short rounds, so that whatever else the machine does meets all of them.

use std::time::Duration;

use crate::driver::{self, Load, Outcome, Pace};
use crate::process;
use crate::product::{Folder, Product};
use crate::settings::Settings;
use crate::table::{Bar, Row, Unit, grouped};
use crate::visitors::{Place, Visitors};
use crate::yardstick::{Running, Yardstick};

pub const CALLERS: usize = 64;
/// A site takes 200 touches a second; so many sites that no limit is met.
pub const SITES: usize = 64;

/// What later phases are measured by.
pub struct Found {
    pub rows: Vec<Row>,
    pub touches_per_second: f64,
}

/// A server in the comparison, and its rounds so far.
pub struct Contestant {
    pub name: &'static str,
    pub per_second: Vec<f64>,
    pub server_us: Vec<f64>,
    pub driver_us: Vec<f64>,
    pub written_kb: Vec<f64>,
    pub waits_ms: Vec<[f64; 2]>,
}

impl Contestant {
    pub fn new(name: &'static str) -> Self {
        Self { name, per_second: Vec::new(), server_us: Vec::new(), driver_us: Vec::new(), written_kb: Vec::new(), waits_ms: Vec::new() }
    }

    /// One round of load, with the processor time that the server took for it.
    pub fn round(&mut self, load: &Load, pid: u32, talk: &mut impl driver::Talk) -> Result<(), String> {
        let (cpu, written) = (process::cpu_s(pid), process::written_kb(pid));
        let outcome = driver::run(load, talk).map_err(|e| format!("{}: {e}", self.name))?;
        check(self.name, &outcome)?;
        let all = outcome.answered as f64 * (load.warm + load.time).as_secs_f64() / load.time.as_secs_f64();
        self.per_second.push(outcome.per_second());
        self.server_us.push((process::cpu_s(pid) - cpu) * 1e6 / all.max(1.0));
        self.driver_us.push(outcome.driver_cpu_s * 1e6 / all.max(1.0));
        self.written_kb.push((process::written_kb(pid) - written) / all.max(1.0));
        self.waits_ms.push([outcome.wait_ms(0.5), outcome.wait_ms(0.99)]);
        Ok(())
    }

    pub fn typical(&self) -> f64 {
        median(self.per_second.clone())
    }

    pub fn told(&self) -> String {
        let waits = |place: usize| median(self.waits_ms.iter().map(|w| w[place]).collect());
        format!(
            "{:<11} {:>8}/s  processor {:>6.1} µs a request, driver {:>4.1} µs, {:>4.1} kB written  p50 {:.2} ms  p99 {:.2} ms  rounds {}",
            self.name,
            grouped(self.typical()),
            median(self.server_us.clone()),
            median(self.driver_us.clone()),
            median(self.written_kb.clone()),
            waits(0),
            waits(1),
            self.per_second.iter().map(|p| grouped(*p)).collect::<Vec<_>>().join(" "),
        )
    }
}

/// The median of what each round's share was: a round in which the machine was busy is a bad round for all.
pub fn ratio(of: &Contestant, to: &Contestant) -> f64 {
    median(of.per_second.iter().zip(&to.per_second).map(|(a, b)| a / b).collect())
}

pub fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    match all.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => all[n / 2],
        n => (all[n / 2 - 1] + all[n / 2]) / 2.0,
    }
}

pub fn check(name: &str, outcome: &Outcome) -> Result<(), String> {
    if outcome.refused > 0 || outcome.broken > 0 {
        return Err(format!("{name}: {} requests refused, {} connections broken", outcome.refused, outcome.broken));
    }
    Ok(())
}

/// A figure with dropped touches in it is no figure.
pub fn none_dropped(name: &str, visitors: &Visitors) -> Result<(), String> {
    if visitors.dropped + visitors.without_session > 0 {
        return Err(format!("{name}: {} touches were dropped, {} had no session", visitors.dropped, visitors.without_session));
    }
    Ok(())
}

pub fn run(settings: &Settings) -> Result<Found, String> {
    let folder = Folder::new(&settings.folder, "touches")?;
    let noop = Running::start(Yardstick::Noop, folder.path())?;
    let group_full = Running::start(Yardstick::GroupFull, folder.path())?;
    let product = Product::start(&settings.binary, &folder, &[])?;
    let places = product.add_sites(SITES)?;
    let mut asked = [Contestant::new("noop"), Contestant::new("group_full"), Contestant::new("touch")];
    let servers = [(noop.address, noop.pid()), (group_full.address, group_full.pid()), (product.address(), product.pid())];
    let mut visitors: Vec<Visitors> = (0..3).map(|_| Visitors::new(&places, CALLERS, 1)).collect();
    // Everybody has some visitors who come back, before the first round counts.
    for ((address, _), visitors) in servers.iter().zip(&mut visitors) {
        let load = load(*address, Duration::ZERO, settings.warm());
        check("first visitors", &driver::run(&load, visitors).map_err(|e| e.to_string())?)?;
    }
    for _ in 0..settings.rounds() {
        for ((contestant, (address, pid)), visitors) in asked.iter_mut().zip(&servers).zip(&mut visitors) {
            contestant.round(&load(*address, settings.warm(), settings.round()), *pid, visitors)?;
        }
    }
    none_dropped("touch", &visitors[2])?;
    if settings.is_told_more {
        asked.iter().for_each(|c| eprintln!("{}", c.told()));
    }
    let [noop, group_full, touch] = &asked;
    let figure = || format!("{}/s", grouped(touch.typical()));
    let of = |c: &Contestant| format!("{} {}/s", c.name, grouped(c.typical()));
    let rows = vec![
        Row::ratio(
            "touches, on disk before the answer, 64 callers",
            figure(),
            of(noop),
            ratio(touch, noop),
            Bar::AtLeast { must: 0.15, aim: 0.25, unit: Unit::Share },
        ),
        Row::ratio(
            "the same",
            figure(),
            of(group_full),
            ratio(touch, group_full),
            Bar::AtLeast { must: 0.40, aim: 0.65, unit: Unit::Share },
        ),
    ];
    Ok(Found { rows, touches_per_second: touch.typical() })
}

pub fn load(address: std::net::SocketAddr, warm: Duration, time: Duration) -> Load {
    Load { address, callers: CALLERS, pace: Pace::AsFastAsAnswered, warm, time }
}

/// Sites of which each may take so many touches in a burst.
pub fn first_visits(places: &[Place], each: u64) -> u64 {
    places.len() as u64 * each
}
