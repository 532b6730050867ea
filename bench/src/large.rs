//! A gigabyte through the proxy, down and up, and the memory that it costs.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::memory::Watch;
use crate::process;
use crate::product::Product;
use crate::proxy::slug;
use crate::settings::Settings;
use crate::table::{Bar, Row, Unit};
use crate::visitors::Place;

/// Flat: what is on its way, not the file.
const MORE_MEMORY: Bar = Bar::Below { must: 16.0, aim: 4.0, unit: Unit::Mb };
/// A transfer of which nothing moves for so long has failed.
const STANDSTILL: Duration = Duration::from_secs(20);

/// A file of a gigabyte down, and up.
pub fn run(product: &Product, store: &Store, place: &Place) -> Result<Vec<Row>, String> {
    let bytes = store.bytes;
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
    // Whatever goes wrong, the benchmark ends.
    stream.set_read_timeout(Some(STANDSTILL)).and_then(|()| stream.set_write_timeout(Some(STANDSTILL))).map_err(failed)?;
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
pub struct Store {
    pub address: SocketAddr,
    bytes: u64,
}

impl Store {
    pub fn open(settings: &Settings) -> Result<Self, String> {
        let bytes: u64 = if settings.is_quick { 200 << 20 } else { 1 << 30 };
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
        let address = listener.local_addr().map_err(|e| e.to_string())?;
        // It ends with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                std::thread::spawn(move || served(stream, bytes));
            }
        });
        Ok(Self { address, bytes })
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
