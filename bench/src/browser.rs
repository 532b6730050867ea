//! A real browser opens a page through a counter that stands between it and the server: what it fetches, and how many
//! bytes of answers that costs on the wire.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::product::Product;

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// The page is there when nothing more is asked for so long.
const QUIET: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(30);

/// One request of the page.
#[derive(Debug, Clone)]
pub struct Fetched {
    pub path: String,
    /// Of its answer, head included.
    pub bytes: u64,
    /// Since the first request of all.
    pub asked: Duration,
    pub ended: Duration,
}

#[derive(Default)]
struct Record {
    began: Option<Instant>,
    all: Vec<Fetched>,
}

type Seen = Arc<Mutex<Record>>;

/// What was fetched, in the order in which it was asked for; nothing where there is no browser.
pub fn load(product: &Product, cookie: &str, folder: &Path, path: &str) -> Result<Option<Vec<Fetched>>, String> {
    let seen = Seen::default();
    let address = count(product.address(), cookie.to_owned(), seen.clone()).map_err(|e| e.to_string())?;
    let Some(_browser) = NAMES.iter().find_map(|name| open(name, folder, &format!("http://{address}{path}"))) else { return Ok(None) };
    let began = Instant::now();
    let mut last = (0, Instant::now());
    while began.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(100));
        let state: u64 = seen.lock().map_or(0, |s| s.all.len() as u64 * 1_000_000 + s.all.iter().map(|f| f.bytes).sum::<u64>());
        if state != last.0 {
            last = (state, Instant::now());
        } else if state > 0 && last.1.elapsed() > QUIET {
            let seen = seen.lock().map_err(|_| "the counter ended")?.all.clone();
            return Ok(Some(seen));
        }
    }
    Err("the browser did not open the page".into())
}

/// Ends with this value.
struct Browser(Child);

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn open(name: &str, folder: &Path, url: &str) -> Option<Browser> {
    let profile = folder.join("browser");
    Command::new(name)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"])
        .args(["--disable-component-update", "--disable-extensions", "--window-size=1280,900", "--remote-debugging-port=0"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()
        .map(Browser)
}

/// Takes connections for the server, adds the login to each request, and counts the answers.
fn count(server: SocketAddr, cookie: String, seen: Seen) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for browser in listener.incoming().flatten() {
            let (cookie, seen) = (cookie.clone(), seen.clone());
            std::thread::spawn(move || pass(browser, server, &cookie, &seen));
        }
    });
    Ok(address)
}

/// One request and its answer; the server is asked to close after it, so that its end is its end.
fn pass(mut browser: TcpStream, server: SocketAddr, cookie: &str, seen: &Seen) -> Option<()> {
    let mut got = Vec::new();
    let mut chunk = [0; 16 * 1024];
    let at = loop {
        if let Some(at) = memchr::memmem::find(&got, b"\r\n\r\n") {
            break at;
        }
        let n = browser.read(&mut chunk).ok().filter(|n| *n > 0)?;
        got.extend_from_slice(&chunk[..n]);
    };
    let head = String::from_utf8_lossy(&got[..at]).into_owned();
    let path = head.split(' ').nth(1)?.to_owned();
    let length = crate::driver::header(&got[..at], b"content-length").and_then(|v| std::str::from_utf8(v).ok()?.parse().ok()).unwrap_or(0);
    while got.len() < at + 4 + length {
        let n = browser.read(&mut chunk).ok().filter(|n| *n > 0)?;
        got.extend_from_slice(&chunk[..n]);
    }
    let mut request = String::new();
    for line in head.split("\r\n") {
        let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
        if !matches!(name.as_str(), "cookie" | "connection") {
            request.push_str(line);
            request.push_str("\r\n");
        }
    }
    request.push_str(&format!("Cookie: {cookie}\r\nConnection: close\r\n\r\n"));
    let mut server = TcpStream::connect(server).ok()?;
    server.write_all(request.as_bytes()).ok()?;
    server.write_all(&got[at + 4..]).ok()?;
    let place = {
        let mut seen = seen.lock().ok()?;
        let asked = seen.began.get_or_insert_with(Instant::now).elapsed();
        seen.all.push(Fetched { path, bytes: 0, asked, ended: asked });
        seen.all.len() - 1
    };
    loop {
        let n = server.read(&mut chunk).ok().filter(|n| *n > 0)?;
        {
            let mut seen = seen.lock().ok()?;
            let now = seen.began.map_or(Duration::ZERO, |began| began.elapsed());
            let fetched = seen.all.get_mut(place)?;
            fetched.bytes += n as u64;
            fetched.ended = now;
        }
        browser.write_all(&chunk[..n]).ok()?;
    }
}
