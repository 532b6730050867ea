//! A visitor's connection that is given up where nothing of an answer is taken any more: whoever reads nothing holds a
//! seat, and with it what the answer comes from. One who has only said that nothing more is to be sent may still read, and
//! is told from one who has gone by what becomes of the answer.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

/// How long a reader may take nothing.
const LONGEST: Duration = Duration::from_secs(60);
/// How long one who sends nothing more is kept while there is nothing to be written: the second piece that is written to one
/// who has gone fails.
const AFTER_THE_END: Duration = Duration::from_secs(10);

/// A stream that can be looked at without reading it.
pub trait Peek {
    /// Whether the other end has said that nothing more comes; an error where it has gone.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>>;
}

impl Peek for TcpStream {
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut one = [0; 1];
        self.poll_peek(cx, &mut ReadBuf::new(&mut one)).map_ok(|bytes| bytes == 0)
    }
}

/// What is known of the other end's sending.
#[derive(Clone, Copy, PartialEq)]
enum Sending {
    Open,
    /// Something lies there that nobody has read yet.
    Waiting,
    Ended,
}

pub struct Patient<S> {
    stream: S,
    longest: Duration,
    after_the_end: Duration,
    pause: Option<Pin<Box<Sleep>>>,
    sending: Sending,
    silence: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    pub fn new(stream: S) -> Self {
        Self::with(stream, LONGEST, AFTER_THE_END)
    }

    fn with(stream: S, longest: Duration, after_the_end: Duration) -> Self {
        Self { stream, longest, after_the_end, pause: None, sending: Sending::Open, silence: None }
    }

    /// What became of a write: one that waits begins to count.
    fn judged<T>(&mut self, cx: &mut Context<'_>, done: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if done.is_ready() {
            (self.pause, self.silence) = (None, None);
            return done;
        }
        let longest = self.longest;
        let pause = self.pause.get_or_insert_with(|| Box::pin(tokio::time::sleep(longest)));
        ready!(pause.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: Peek> Patient<S> {
    /// Whether somebody is still there, as far as can be told without reading what is not wanted yet. Looked at whenever
    /// the server has written what it had, which it does each time that it is woken.
    fn watched(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.sending == Sending::Open
            && let Poll::Ready(has_ended) = self.stream.poll_end(cx)
        {
            self.sending = if has_ended? { Sending::Ended } else { Sending::Waiting };
        }
        if self.sending != Sending::Ended {
            return Ok(());
        }
        let longest = self.after_the_end;
        let silence = self.silence.get_or_insert_with(|| Box::pin(tokio::time::sleep(longest)));
        if silence.as_mut().poll(cx).is_ready() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(()) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.sending == Sending::Waiting {
            self.sending = Sending::Open;
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Peek + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.judged(cx, done)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, pieces: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.judged(cx, done)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        Poll::Ready(self.watched(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

    const SHORT: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_secs(600);

    /// A line whose other end has said no more than this.
    struct Told(DuplexStream, bool);

    impl Peek for Told {
        fn poll_end(&mut self, _: &mut Context<'_>) -> Poll<io::Result<bool>> {
            if self.1 { Poll::Ready(Ok(true)) } else { Poll::Pending }
        }
    }

    impl AsyncWrite for Told {
        fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            Pin::new(&mut self.0).poll_write(cx, bytes)
        }

        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_flush(cx)
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_shutdown(cx)
        }
    }

    /// Looked at each time that it wakes, as the server does: until it is given up.
    async fn given_up(mut line: Patient<Told>) -> io::ErrorKind {
        let look = std::future::poll_fn(|cx| match Pin::new(&mut line).poll_flush(cx) {
            Poll::Ready(Err(e)) => Poll::Ready(e.kind()),
            _ => Poll::Pending,
        });
        look.await
    }

    #[tokio::test]
    async fn a_reader_who_takes_nothing_is_given_up() {
        let (near, mut far) = tokio::io::duplex(8);
        let mut line = Patient::with(Told(near, false), SHORT, LONG);
        line.write_all(b"12345678").await.expect("there is room");
        let wait = line.write_all(b"9").await.expect_err("nobody reads");
        assert_eq!(wait.kind(), io::ErrorKind::TimedOut);
        let mut taken = [0; 8];
        far.read_exact(&mut taken).await.expect("it is there");
        line.write_all(b"9").await.expect("there is room again");
    }

    #[tokio::test]
    async fn one_who_sends_nothing_more_is_waited_for_but_not_long() {
        let (near, _far) = tokio::io::duplex(8);
        let mut line = Patient::with(Told(near, true), LONG, LONG);
        line.write_all(b"1234").await.expect("there is room");
        line.flush().await.expect("whoever has ended its own side may still read");
        let (near, _far) = tokio::io::duplex(8);
        assert_eq!(given_up(Patient::with(Told(near, true), LONG, SHORT)).await, io::ErrorKind::TimedOut);
        // One who may still send is not hurried.
        let (near, _far) = tokio::io::duplex(8);
        let line = Patient::with(Told(near, false), LONG, Duration::ZERO);
        assert!(tokio::time::timeout(SHORT, given_up(line)).await.is_err());
    }
}
