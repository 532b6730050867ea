//! The accept loop. Our own, on hyper's HTTP/1 builder with a timer: `axum::serve` has no time limit for headers.
//! HTTP/2 and TLS come from the proxy in front.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::header::UPGRADE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use super::edge::Edge;
use super::host;
use super::patient::Patient;
use crate::app::App;
use crate::error::Result;
use crate::limits::address_key;
use crate::proxy::Seat;

/// Connections at once, in all and from one address.
const MOST: usize = 512;
/// Descriptors that stay free for the database, its readers, outgoing requests and the control socket.
const RESERVED: usize = 40;
const FEWEST: usize = 8;
const MOST_PER_ADDRESS: u32 = 64;
/// Also how long an idle connection is kept.
const HEADER_TIME: Duration = Duration::from_secs(5);
const MOST_HEADERS: usize = 64;
const MOST_HEADER_BYTES: usize = 32 * 1024;
/// What has begun may end within this time after the word to stop.
const DRAIN_TIME: Duration = Duration::from_secs(10);
/// No descriptor is free: connections that end give some back.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// Takes connections until `shutdown` ends, then lets what has begun finish.
pub async fn serve(app: App, listener: TcpListener, shutdown: impl Future<Output = ()>) -> Result<()> {
    let edge = Edge::new(app.clone());
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADER_TIME).max_headers(MOST_HEADERS).max_buf_size(MOST_HEADER_BYTES);
    // Who has sent all of a request and ends that side still waits for the answer; `Patient` sees to who has gone.
    builder.half_close(true);
    let (stop, word) = watch::channel(());
    let seats = Arc::new(Semaphore::new(most_connections()));
    let guests = Arc::new(Guests::default());
    let mut tasks = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        let seat = tokio::select! {
            _ = &mut shutdown => break,
            seat = seats.clone().acquire_owned() => match seat {
                Ok(seat) => seat,
                Err(_) => break,
            },
        };
        let (stream, peer) = tokio::select! {
            _ = &mut shutdown => break,
            accepted = accept(&listener) => accepted,
        };
        while tasks.try_join_next().is_some() {}
        let is_trusted = host::is_trusted(peer.ip(), &app.config.trusted_proxies);
        let Some(guest) = guests.clone().admit(address_key(peer.ip()), is_trusted) else {
            app.figures.add("connections_refused", "reason=\"address\"");
            continue;
        };
        let _ = stream.set_nodelay(true);
        app.door.came();
        let (edge, own_app) = (edge.clone(), app.clone());
        let held: Arc<Held> = Arc::new(Held { app: own_app, _seat: seat, _guest: guest });
        let seat = held.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            let edge = edge.clone();
            if request.headers().contains_key(UPGRADE) {
                // What goes on after a change of protocol still takes its room.
                request.extensions_mut().insert(Seat::new(seat.clone()));
            }
            async move { Ok::<_, Infallible>(edge.answer(peer, request).await) }
        });
        let stream = TokioIo::new(Patient::new(stream));
        let connection = builder.serve_connection(stream, service).with_upgrades();
        let mut word = word.clone();
        tasks.spawn(async move {
            tokio::pin!(connection);
            // A client that goes away or talks nonsense is no news.
            tokio::select! {
                _ = connection.as_mut() => {}
                _ = word.changed() => {
                    connection.as_mut().graceful_shutdown();
                    let _ = connection.await;
                }
            }
            drop(held);
        });
    }
    drop(listener);
    let _ = stop.send(());
    let ended = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN_TIME, ended).await.is_err() {
        tracing::warn!(connections = tasks.len(), "Some connections did not end in time and were cut");
    }
    tasks.shutdown().await;
    Ok(())
}

/// As many as the process may have open, less what it needs itself.
fn most_connections() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next()?.parse::<usize>().ok());
    files.map_or(MOST, |files| files.saturating_sub(RESERVED).clamp(FEWEST, MOST))
}

/// The next connection. A shortage of descriptors passes; nothing here ends the server.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    let mut is_told = false;
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(e) => match e.kind() {
                std::io::ErrorKind::ConnectionAborted | std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::Interrupted => {}
                _ => {
                    if !is_told {
                        tracing::warn!(error = %e, "No connection can be taken just now");
                        is_told = true;
                    }
                    tokio::time::sleep(EXHAUSTED_PAUSE).await;
                }
            },
        }
    }
}

/// What a connection takes of the server's room.
struct Held {
    app: App,
    _seat: OwnedSemaphorePermit,
    _guest: Guest,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.app.door.left();
    }
}

/// Connections by address.
#[derive(Default)]
struct Guests {
    counts: Mutex<HashMap<u64, u32>>,
}

struct Guest {
    guests: Arc<Guests>,
    key: u64,
}

impl Guests {
    /// A trusted proxy brings many visitors, so its address is counted but never refused.
    fn admit(self: Arc<Self>, key: u64, is_trusted: bool) -> Option<Guest> {
        let mut counts = self.counts.lock().unwrap_or_else(|e| e.into_inner());
        let count = counts.entry(key).or_default();
        if *count >= MOST_PER_ADDRESS && !is_trusted {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Guest { guests: self, key })
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut counts = self.guests.counts.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(count) = counts.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_gets_its_share_and_no_more() {
        let guests = Arc::new(Guests::default());
        let mut held: Vec<Guest> = (0..MOST_PER_ADDRESS).filter_map(|_| guests.clone().admit(1, false)).collect();
        assert_eq!(held.len(), MOST_PER_ADDRESS as usize);
        assert!(guests.clone().admit(1, false).is_none());
        assert!(guests.clone().admit(1, true).is_some());
        assert!(guests.clone().admit(2, false).is_some());
        held.pop();
        assert!(guests.clone().admit(1, false).is_some());
    }
}
