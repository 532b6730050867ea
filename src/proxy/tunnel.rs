//! After a change of protocol: bytes in both directions, until one side ends, nothing moves for long, or we stop.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::app::App;

const PIECE: usize = 16 * 1024;

/// What a connection holds of the server's room, given back when the last who has it lets go.
#[derive(Clone)]
pub struct Seat(#[allow(dead_code)] Arc<dyn Any + Send + Sync>);

impl Seat {
    pub fn new(held: Arc<dyn Any + Send + Sync>) -> Self {
        Self(held)
    }
}

/// Carries on in the background.
pub fn begin(app: App, visitor: OnUpgrade, upstream: OnUpgrade, seat: Option<Seat>, idle: Duration) {
    tokio::spawn(async move {
        // A side that goes away before it has changed is no news.
        if let (Ok(visitor), Ok(upstream)) = tokio::join!(visitor, upstream) {
            tokio::select! {
                () = carry(visitor, upstream, idle) => {}
                () = app.stopped() => {}
            }
        }
        drop(seat);
    });
}

async fn carry(visitor: Upgraded, upstream: Upgraded, idle: Duration) {
    let (from_visitor, to_visitor) = tokio::io::split(TokioIo::new(visitor));
    let (from_upstream, to_upstream) = tokio::io::split(TokioIo::new(upstream));
    let moved = AtomicU64::new(0);
    tokio::select! {
        _ = async { tokio::join!(pipe(from_visitor, to_upstream, &moved), pipe(from_upstream, to_visitor, &moved)) } => {}
        () = quiet(&moved, idle) => {}
    }
}

/// Until the one ends; then the other hears of it.
async fn pipe(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, moved: &AtomicU64) {
    let mut piece = vec![0; PIECE];
    while let Ok(read @ 1..) = from.read(&mut piece).await {
        if to.write_all(&piece[..read]).await.is_err() || to.flush().await.is_err() {
            break;
        }
        moved.fetch_add(1, Ordering::Relaxed);
    }
    let _ = to.shutdown().await;
}

async fn quiet(moved: &AtomicU64, longest: Duration) {
    let mut seen = moved.load(Ordering::Relaxed);
    loop {
        tokio::time::sleep(longest).await;
        let now = moved.load(Ordering::Relaxed);
        if now == seen {
            return;
        }
        seen = now;
    }
}
