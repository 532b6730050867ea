//! Megabytes of the server: at rest, and at most while 64 callers are at it. Pages shared with others count by their share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::driver;
use crate::ingest::{CALLERS, SITES, check, load, none_dropped};
use crate::process;
use crate::product::{Folder, Product};
use crate::settings::Settings;
use crate::table::{Bar, Row, Unit};
use crate::visitors::Visitors;

const AT_REST: Bar = Bar::Below { must: 40.0, aim: 20.0, unit: Unit::Mb };
const AT_MOST: Bar = Bar::Below { must: 200.0, aim: 128.0, unit: Unit::Mb };
/// Reading the kernel's sum costs the server a little; ten a second are few.
const GRAIN: Duration = Duration::from_millis(100);

pub fn run(settings: &Settings) -> Result<Vec<Row>, String> {
    let folder = Folder::new(&settings.folder, "memory")?;
    let mut product = Product::start(&settings.binary, &folder, &[])?;
    let places = product.add_sites(SITES)?;
    // Rest is what a server has that was started and not yet asked.
    product.kill();
    let ready = product.start_again()?;
    std::thread::sleep(Duration::from_secs(2));
    let pid = product.pid();
    let rest = process::pss_mb(pid).ok_or("the kernel does not tell the memory of a process")?;
    let watch = Watch::start(pid);
    let mut visitors = Visitors::new(&places, CALLERS, 9);
    let outcome = driver::run(&load(product.address(), Duration::ZERO, settings.round() * 4), &mut visitors);
    let most = watch.most()?;
    check("memory", &outcome.map_err(|e| e.to_string())?)?;
    none_dropped("memory", &visitors)?;
    let mut start = Row::figure("ready after a start", ready.as_secs_f64(), Bar::None);
    start.figure = Unit::Seconds.show(ready.as_secs_f64());
    Ok(vec![Row::figure("memory at rest", rest, AT_REST), Row::figure("memory at most, 64 callers", most, AT_MOST), start])
}

/// Watches how much memory a process takes at most.
pub struct Watch {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<f64>,
}

impl Watch {
    pub fn start(pid: u32) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let seen = is_over.clone();
        let thread = std::thread::spawn(move || {
            let mut most: f64 = 0.0;
            while !seen.load(Ordering::Relaxed) {
                most = most.max(process::pss_mb(pid).unwrap_or(0.0));
                std::thread::sleep(GRAIN);
            }
            most
        });
        Self { is_over, thread }
    }

    /// Megabytes, until now.
    pub fn most(self) -> Result<f64, String> {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| "the watch on the memory ended".into())
    }
}
