//! Bodies on their way: a visitor's upload, which may be slow but not silent, and what the visitor is served. Nothing is
//! gathered: a piece goes on when the other end takes it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::oneshot;
use tokio::time::Sleep;

use super::line::Passing;
use super::tag::Tagged;

pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Inner = Pin<Box<dyn Body<Data = Bytes, Error = BoxError> + Send>>;

/// What is known of an upload while it goes on.
#[derive(Debug, Default)]
pub struct Progress {
    moved: AtomicU64,
    has_stalled: AtomicBool,
}

impl Progress {
    pub fn has_stalled(&self) -> bool {
        self.has_stalled.load(Ordering::Relaxed)
    }

    /// Ends when nothing has moved for so long.
    pub async fn silence(&self, longest: Duration) {
        let mut seen = self.moved.load(Ordering::Relaxed);
        loop {
            tokio::time::sleep(longest).await;
            let now = self.moved.load(Ordering::Relaxed);
            if now == seen {
                return;
            }
            seen = now;
        }
    }

    fn moves(&self) {
        self.moved.fetch_add(1, Ordering::Relaxed);
    }
}

/// A visitor's body.
pub struct Upload {
    inner: Option<Inner>,
    progress: Arc<Progress>,
    /// How long the visitor may send nothing.
    patience: Duration,
    pause: Option<Pin<Box<Sleep>>>,
    /// The upstream has not said yet that it wants the body.
    gate: Option<oneshot::Receiver<()>>,
}

impl Upload {
    pub fn empty() -> Self {
        Self { inner: None, progress: Arc::default(), patience: Duration::ZERO, pause: None, gate: None }
    }

    pub fn new<B>(body: B, patience: Duration, gate: Option<oneshot::Receiver<()>>) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        if body.is_end_stream() {
            return Self::empty();
        }
        Self { inner: Some(Box::pin(Erased(Box::pin(body)))), progress: Arc::default(), patience, pause: None, gate }
    }

    pub fn is_empty(&self) -> bool {
        self.inner.is_none()
    }

    pub fn progress(&self) -> Arc<Progress> {
        self.progress.clone()
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if let Some(gate) = &mut this.gate {
            // An error says that nobody is left to ask: the body may come.
            let _ = ready!(Pin::new(gate).poll(cx));
            this.gate = None;
        }
        let Some(inner) = &mut this.inner else { return Poll::Ready(None) };
        match inner.as_mut().poll_frame(cx) {
            Poll::Ready(frame) => {
                this.pause = None;
                this.progress.moves();
                Poll::Ready(frame)
            }
            Poll::Pending => {
                let pause = this.pause.get_or_insert_with(|| Box::pin(tokio::time::sleep(this.patience)));
                ready!(pause.as_mut().poll(cx));
                this.progress.has_stalled.store(true, Ordering::Relaxed);
                Poll::Ready(Some(Err("the visitor sends nothing any more".into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(|inner| inner.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), |inner| inner.size_hint())
    }
}

/// Any body with our error.
struct Erased<B>(Pin<Box<B>>);

impl<B> Body for Erased<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.0.as_mut().poll_frame(cx).map(|frame| frame.map(|done| done.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

/// What a visitor gets.
pub enum Served {
    /// A few words of ours.
    Words(Option<Bytes>),
    /// The upstream's body as it comes.
    Passed(Passing),
    /// The same with the tag put in.
    Tagged(Box<Tagged<Passing>>),
}

impl Body for Served {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.get_mut() {
            Served::Words(words) => Poll::Ready(words.take().map(|words| Ok(Frame::data(words)))),
            Served::Passed(body) => Pin::new(body).poll_frame(cx),
            Served::Tagged(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Served::Words(words) => words.is_none(),
            Served::Passed(body) => body.is_end_stream(),
            Served::Tagged(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Served::Words(words) => SizeHint::with_exact(words.as_ref().map_or(0, |w| w.len() as u64)),
            Served::Passed(body) => body.size_hint(),
            Served::Tagged(body) => body.size_hint(),
        }
    }
}
