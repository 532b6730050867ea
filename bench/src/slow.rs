//! Five hundred visitors who are slow, half with their request, half with what they were given, and how long everybody else
//! waits beside them.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::driver::{self, Load, Pace};
use crate::ingest::{check, median};
use crate::large::Store;
use crate::memory::Watch;
use crate::process;
use crate::product::Product;
use crate::proxy::{Kind, QUIET, Readers, slug};
use crate::settings::Settings;
use crate::table::{Bar, Row, Unit};
use crate::visitors::Place;

const SLOW: usize = 500;
/// Others at once: with the slow ones fewer than the connections that the product takes.
const OTHERS: usize = 8;
/// Until what the kernel takes for those who do not read has been handed to it: gigabytes in all.
const SETTLED: Duration = Duration::from_secs(4);
/// Between two bytes of a slow one.
const BEAT: Duration = Duration::from_secs(1);
const WAIT: Bar = Bar::Below { must: 20.0, aim: 5.0, unit: Unit::Ms };
/// What waits for 250 of them in our own hands, and what a connection is.
const MEMORY: Bar = Bar::Below { must: 256.0, aim: 128.0, unit: Unit::Mb };

/// The first of the places has the store with the large file.
pub fn run(settings: &Settings, product: &Product, store: &Store, places: &[Place]) -> Result<[Row; 2], String> {
    product.tell(&["site", "set", slug(&places[0]), &format!("proxy.upstream=http://{}", store.address)])?;
    let before = process::pss_mb(product.pid()).ok_or("the kernel does not tell the memory of a process")?;
    let alone = waits(settings, product, &places[1..])?;
    let watch = Watch::start(product.pid());
    let slow = Slow::begin(product.address(), &places[0].domain)?;
    std::thread::sleep(SETTLED);
    let beside = waits(settings, product, &places[1..])?;
    let held = slow.end()?;
    let most = watch.most()?;
    let mut wait = Row::figure("p99 of a counted page beside 500 slow visitors", beside, WAIT);
    wait.of = format!("{alone:.2} ms without them, at {QUIET:.0}/s");
    let mut memory = Row::figure("memory more for 500 slow visitors", (most - before).max(0.0), MEMORY);
    memory.of = format!("{held} of them were held to the end");
    Ok([wait, memory])
}

fn waits(settings: &Settings, product: &Product, places: &[Place]) -> Result<f64, String> {
    let mut readers = Readers::new(places, Kind::Page);
    let mut waits = Vec::new();
    for _ in 0..settings.rounds() {
        let load = Load {
            address: product.address(),
            callers: OTHERS,
            pace: Pace::PerSecond(QUIET),
            warm: settings.warm(),
            time: settings.round(),
        };
        let outcome = driver::run(&load, &mut readers).map_err(|e| e.to_string())?;
        check("slow visitors", &outcome)?;
        waits.push(outcome.wait_ms(0.99));
    }
    Ok(median(waits))
}

/// They go on until they are told to end.
struct Slow {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<usize>,
}

impl Slow {
    fn begin(address: SocketAddr, host: &str) -> Result<Self, String> {
        let mut lines = Vec::new();
        for n in 0..SLOW {
            lines.push(One::new(address, host, n % 2 == 0).map_err(|e| format!("slow visitor {n}: {e}"))?);
        }
        let is_over = Arc::new(AtomicBool::new(false));
        let (seen, host) = (is_over.clone(), host.to_owned());
        let thread = std::thread::spawn(move || {
            while !seen.load(Ordering::Relaxed) {
                for line in &mut lines {
                    // A head that does not end is given up by the server; its visitor tries again.
                    if !line.goes_on()
                        && let Ok(again) = One::new(address, &host, line.is_asking)
                    {
                        *line = again;
                    }
                }
                std::thread::sleep(BEAT);
            }
            lines.iter_mut().filter_map(|line| line.goes_on().then_some(())).count()
        });
        Ok(Self { is_over, thread })
    }

    fn end(self) -> Result<usize, String> {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| "the slow visitors ended".into())
    }
}

struct One {
    stream: TcpStream,
    is_asking: bool,
}

impl One {
    fn new(address: SocketAddr, host: &str, is_asking: bool) -> std::io::Result<Self> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        let end = if is_asking { "X-Slow: " } else { "\r\n" };
        stream.write_all(format!("GET /file HTTP/1.1\r\nHost: {host}\r\n{end}").as_bytes())?;
        stream.set_nonblocking(true)?;
        Ok(Self { stream, is_asking })
    }

    /// One byte more, in the direction in which it is slow.
    fn goes_on(&mut self) -> bool {
        let done = if self.is_asking { self.stream.write(b"a") } else { self.stream.read(&mut [0; 1]) };
        match done {
            Ok(bytes) => bytes > 0,
            Err(e) => e.kind() == ErrorKind::WouldBlock,
        }
    }
}
