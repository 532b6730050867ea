//! A line to an upstream: one connection, moved on by whoever waits for its answer. Nothing runs beside the request, so a
//! page costs no change of task on its way, and a line that nobody uses costs nothing.

use std::collections::HashMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::rt::{Read, Write};
use hyper::{Request, Response};
use tokio::runtime::Handle;

use super::body::Upload;

/// A line that was put back before the last beat but one is hung up. Shorter than what servers usually keep an idle line
/// (Node's five seconds), so that a request seldom meets one that is just being closed.
const BEAT: Duration = Duration::from_secs(2);
const MOST_IDLE: usize = 64;
/// A shop may set as many cookies as fit: their bytes are what is limited.
const MOST_HEADERS: usize = 1_024;
const MOST_HEADER_BYTES: usize = 256 * 1024;

type Link = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

pub struct Line {
    sender: SendRequest<Upload>,
    /// None once the connection has ended.
    link: Option<Link>,
    /// Scheme, host and port.
    place: Arc<str>,
}

impl Line {
    pub async fn over<I>(stream: I, place: &str) -> hyper::Result<Self>
    where
        I: Read + Write + Unpin + Send + 'static,
    {
        let mut builder = Builder::new();
        builder.max_headers(MOST_HEADERS).max_buf_size(MOST_HEADER_BYTES);
        let (sender, link) = builder.handshake(stream).await?;
        Ok(Self { sender, link: Some(Box::pin(link.with_upgrades())), place: place.into() })
    }

    /// Sends it, and gives the answer as soon as its head is there.
    pub async fn ask(mut self, request: Request<Upload>, home: &Arc<Kept>) -> hyper::Result<Response<Passing>> {
        let is_upload = !request.body().is_empty();
        let mut answer = pin!(self.sender.send_request(request));
        let answer = std::future::poll_fn(|cx| {
            // In this order: what the connection has read is told at once, also where that was its last.
            self.go_on(cx);
            answer.as_mut().poll(cx)
        });
        let answer = answer.await?;
        let mut line = Some(self);
        if is_upload && let Some(link) = line.take().and_then(|line| line.link) {
            // The rest of it goes on, however slowly the visitor takes the answer.
            tokio::spawn(link);
        }
        Ok(answer.map(|body| Passing { body, has_ended: false, fault: None, line, home: home.clone() }))
    }

    /// Reads and writes what can be read and written now.
    fn go_on(&mut self, cx: &mut Context<'_>) {
        if let Some(link) = &mut self.link
            && link.as_mut().poll(cx).is_ready()
        {
            self.link = None;
        }
    }

    /// Takes the next request at once.
    fn is_free(&self) -> bool {
        self.link.is_some() && self.sender.is_ready()
    }
}

/// An answer's body, and the line that it comes over.
pub struct Passing {
    body: Incoming,
    has_ended: bool,
    /// It broke off; said once what came before is on its way.
    fault: Option<hyper::Error>,
    line: Option<Line>,
    home: Arc<Kept>,
}

impl Passing {
    /// After a change of protocol the line is nobody's request any more: it goes on until both sides are told of the change.
    pub fn let_go(mut self) {
        if let Some(link) = self.line.take().and_then(|line| line.link) {
            tokio::spawn(link);
        }
    }
}

impl Body for Passing {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        if let Some(fault) = this.fault.take() {
            return Poll::Ready(Some(Err(fault)));
        }
        let mut frame = Pin::new(&mut this.body).poll_frame(cx);
        if let (Poll::Pending, Some(line)) = (&frame, &mut this.line) {
            line.go_on(cx);
            frame = Pin::new(&mut this.body).poll_frame(cx);
        }
        match frame {
            Poll::Ready(None) => this.has_ended = true,
            Poll::Ready(Some(Err(fault))) => {
                // Whoever serves it sends what it has as soon as it has to wait; at a fault it would drop it.
                this.fault = Some(fault);
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            _ => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.has_ended || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        let Some(mut line) = self.line.take() else { return };
        if !self.is_end_stream() {
            // The visitor has gone; nobody takes the rest.
            return;
        }
        if !line.is_free() {
            // It has not noticed yet that its answer was taken.
            line.go_on(&mut Context::from_waker(Waker::noop()));
        }
        if line.is_free() {
            self.home.put(line);
        }
    }
}

/// Lines that wait for the next request.
#[derive(Default)]
pub struct Kept {
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    /// With the beat in which each was put back.
    lines: HashMap<Arc<str>, Vec<(Line, u64)>>,
    beat: u64,
    is_beating: bool,
}

impl Kept {
    /// The line to this place that was used last, if it still stands.
    pub async fn take(&self, place: &str) -> Option<Line> {
        loop {
            let (mut line, _) = self.idle().lines.get_mut(place)?.pop()?;
            // An upstream that has hung up meanwhile has said so by now.
            std::future::poll_fn(|cx| {
                line.go_on(cx);
                Poll::Ready(())
            })
            .await;
            if line.is_free() {
                return Some(line);
            }
        }
    }

    fn put(self: &Arc<Self>, line: Line) {
        let mut idle = self.idle();
        let beat = idle.beat;
        match idle.lines.get_mut(&line.place) {
            Some(alike) if alike.len() >= MOST_IDLE => return,
            Some(alike) => alike.push((line, beat)),
            None => drop(idle.lines.insert(line.place.clone(), vec![(line, beat)])),
        }
        if !idle.is_beating
            && let Ok(here) = Handle::try_current()
        {
            idle.is_beating = true;
            here.spawn(sweep(self.clone()));
        }
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(|e| e.into_inner())
    }
}

/// Hangs up on lines that nobody has wanted for long, until there is none.
async fn sweep(kept: Arc<Kept>) {
    loop {
        tokio::time::sleep(BEAT).await;
        let mut idle = kept.idle();
        idle.beat += 1;
        let last = idle.beat - 1;
        idle.lines.retain(|_, alike| {
            alike.retain(|(_, beat)| *beat >= last);
            !alike.is_empty()
        });
        if idle.lines.is_empty() {
            // Said while nobody can put one.
            idle.is_beating = false;
            return;
        }
    }
}
