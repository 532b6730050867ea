//! The product as an owner runs it: the binary, a data folder of its own, its command words. It ends with this value,
//! and its folder with it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::visitors::Place;

/// A folder that goes away with its value.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(under: &Path, name: &str) -> Result<Self, String> {
        let path = under.join(format!("halotrack-bench-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(Self(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub struct Product {
    binary: PathBuf,
    data: PathBuf,
    port: u16,
    child: Option<Child>,
    env: Vec<(String, String)>,
}

/// A server that is not ready by then has failed.
const START_TIME: Duration = Duration::from_secs(300);

impl Product {
    /// A server on a folder, on a free port of loopback. Loopback peers are its trusted proxies, as behind a TLS proxy.
    pub fn start(binary: &Path, folder: &Folder, env: &[(&str, &str)]) -> Result<Self, String> {
        let port = free_port()?;
        let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let mut product = Self { binary: binary.to_owned(), data: folder.path().join("data"), port, child: None, env };
        product.start_again()?;
        Ok(product)
    }

    /// Starts it on its old folder and port. Gives the time until it was ready.
    pub fn start_again(&mut self) -> Result<Duration, String> {
        let began = Instant::now();
        let listen = self.address().to_string();
        let mut command = self.command(&["serve", "--listen", &listen]);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| format!("{} does not start: {e}", self.binary.display()))?;
        // Its lines are read, so that it never waits for a reader; the last one is the cause where it does not start.
        let said = Arc::new(Mutex::new(String::new()));
        if let Some(lines) = child.stderr.take() {
            let said = said.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(lines).lines().map_while(Result::ok) {
                    if let Ok(mut said) = said.lock() {
                        *said = line;
                    }
                }
            });
        }
        self.child = Some(child);
        while began.elapsed() < START_TIME {
            if let Some(status) = self.child.as_mut().and_then(|c| c.try_wait().ok().flatten()) {
                let said = said.lock().map(|s| s.clone()).unwrap_or_default();
                return Err(format!("the product ended at its start: {status}. {said}"));
            }
            if self.get("/readyz", &[]).is_ok_and(|a| a.status == 200) {
                return Ok(began.elapsed());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Err("the product was not ready within five minutes".into())
    }

    /// One of its command words; its JSON answer.
    pub fn tell(&self, words: &[&str]) -> Result<Value, String> {
        self.tell_with(words, "")
    }

    /// The same with something on its standard input.
    pub fn tell_with(&self, words: &[&str], input: &str) -> Result<Value, String> {
        let failed = |e: &dyn std::fmt::Display| format!("halotrack {}: {e}", words.join(" "));
        let mut child = self
            .command(words)
            .arg("--json")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| failed(&e))?;
        if let Some(mut stdin) = child.stdin.take() {
            let _ = stdin.write_all(input.as_bytes());
        }
        let output = child.wait_with_output().map_err(|e| failed(&e))?;
        if !output.status.success() {
            return Err(failed(&String::from_utf8_lossy(&output.stderr).trim()));
        }
        serde_json::from_slice(&output.stdout).map_err(|e| failed(&e))
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        // Whatever the person who runs this has set is not measured.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("HALOTRACK_") {
                command.env_remove(name);
            }
        }
        command.arg("--data").arg(&self.data).args(words).env("HALOTRACK_LOG_LEVEL", "error");
        command.envs(self.env.iter().map(|(k, v)| (k, v)));
        command
    }

    /// Shops with a page each, as many as wanted.
    pub fn add_sites(&self, count: usize) -> Result<Vec<Place>, String> {
        (1..=count)
            .map(|n| {
                let domain = format!("shop{n:03}.example");
                let name = format!("shop{n:03}");
                let made =
                    self.tell(&["site", "add", "--name", &name, "--domain", &domain, "--currency", "EUR", "--zone", "Europe/Dublin"])?;
                let key = made["public_key"].as_str().ok_or("site add gave no key")?.to_owned();
                Ok(Place { domain, key })
            })
            .collect()
    }

    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    pub fn database(&self) -> PathBuf {
        self.data.join("halotrack.sqlite")
    }

    /// The process itself, for one who is to end it.
    pub fn take_process(&mut self) -> Option<Child> {
        self.child.take()
    }

    /// SIGKILL: no destructor, no flush, no farewell.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// One question on a connection of its own.
    pub fn get(&self, path: &str, headers: &[(&str, &str)]) -> Result<Got, String> {
        self.ask("GET", path, headers, b"")
    }

    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Got, String> {
        ask(self.address(), method, path, headers, body)
    }
}

/// One question to whoever listens there, on a connection of its own.
pub fn get(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Result<Got, String> {
    ask(address, "GET", path, headers, b"")
}

fn ask(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Got, String> {
    let began = Instant::now();
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2)).map_err(|e| e.to_string())?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).map_err(|e| e.to_string())?;
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n", address, body.len());
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(body);
    stream.write_all(&bytes).map_err(|e| e.to_string())?;
    let mut got = Vec::new();
    stream.read_to_end(&mut got).map_err(|e| e.to_string())?;
    let at = memchr::memmem::find(&got, b"\r\n\r\n").ok_or("no answer")?;
    let body = got.split_off(at + 4);
    let status = got.get(9..12).and_then(|s| std::str::from_utf8(s).ok()?.parse().ok()).ok_or("no status")?;
    Ok(Got { status, head: got, body, took: began.elapsed() })
}

/// An answer read whole.
pub struct Got {
    pub status: u16,
    pub head: Vec<u8>,
    pub body: Vec<u8>,
    pub took: Duration,
}

impl Drop for Product {
    fn drop(&mut self) {
        self.kill();
    }
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
    listener.local_addr().map(|a| a.port()).map_err(|e| e.to_string())
}
