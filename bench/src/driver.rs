//! The load driver: many keep-alive connections on one thread, so that it takes as little of the two cores as it can.
//! The same driver, with the same bytes, asks the product and its yardsticks.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use memchr::memmem;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

/// What is said on the connections.
pub trait Talk {
    /// Writes the next whole request of this caller; `false` when there is nothing left to say.
    fn ask(&mut self, caller: usize, out: &mut Vec<u8>) -> bool;
    fn heard(&mut self, caller: usize, answer: &Answer);
}

pub struct Answer<'a> {
    pub status: u16,
    pub head: &'a [u8],
    pub body: &'a [u8],
}

#[derive(Debug, Clone, Copy)]
pub enum Pace {
    /// Every caller asks again as soon as it has its answer.
    AsFastAsAnswered,
    /// So many a second in all, whether or not earlier ones are answered.
    PerSecond(f64),
}

pub struct Load {
    pub address: SocketAddr,
    pub callers: usize,
    pub pace: Pace,
    /// Asked, but not counted.
    pub warm: Duration,
    pub time: Duration,
}

/// What came of it. Only what was asked after the warm-up and before the end is counted.
#[derive(Debug, Default)]
pub struct Outcome {
    pub answered: u64,
    pub seconds: f64,
    /// Microseconds, sorted.
    pub waits_us: Vec<u32>,
    /// Answers whose status was neither 2xx nor 3xx.
    pub refused: u64,
    /// Connections that broke while an answer was due.
    pub broken: u64,
    pub driver_cpu_s: f64,
}

impl Outcome {
    pub fn per_second(&self) -> f64 {
        if self.seconds > 0.0 { self.answered as f64 / self.seconds } else { 0.0 }
    }

    /// Milliseconds at a share of all: 0.5, 0.99.
    pub fn wait_ms(&self, share: f64) -> f64 {
        if self.waits_us.is_empty() {
            return f64::NAN;
        }
        let place = ((self.waits_us.len() as f64 * share).ceil() as usize).clamp(1, self.waits_us.len());
        f64::from(self.waits_us[place - 1]) / 1_000.0
    }
}

/// An answer that has not come by then does not come.
const PATIENCE: Duration = Duration::from_secs(10);

struct Caller {
    stream: TcpStream,
    got: Vec<u8>,
    asked: Option<Instant>,
    is_gone: bool,
}

/// Runs the load. Fails where nobody listens; a server that goes away under load is an outcome.
pub fn run(load: &Load, talk: &mut impl Talk) -> io::Result<Outcome> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(load.callers.max(16));
    let mut callers = connect(load, &poll)?;
    let mut out = Vec::with_capacity(4_096);
    let mut outcome = Outcome::default();
    let cpu = crate::process::cpu_s("self");
    let began = Instant::now();
    let counted_from = began + load.warm;
    let end = counted_from + load.time;
    let mut free: Vec<usize> = (0..load.callers).rev().collect();
    let mut due = began;
    let mut is_over = false;
    if matches!(load.pace, Pace::AsFastAsAnswered) {
        while let Some(place) = free.pop() {
            let now = Instant::now();
            if !say(&mut callers[place], place, talk, &mut out, now, &mut outcome) {
                is_over = true;
                break;
            }
        }
    }
    loop {
        let now = Instant::now();
        is_over |= now >= end;
        let waiting = callers.iter().any(|c| c.asked.is_some());
        if (is_over && !waiting) || callers.iter().all(|c| c.is_gone) || now >= end + PATIENCE {
            break;
        }
        let mut nap = Duration::from_millis(100);
        if let Pace::PerSecond(rate) = load.pace
            && !is_over
        {
            while due <= now
                && let Some(place) = free.pop()
            {
                // Late by the poll's own grain is the driver's fault, late for want of a free caller is the server's.
                let since = if now - due > Duration::from_millis(2) { due } else { now };
                is_over |= !say(&mut callers[place], place, talk, &mut out, since, &mut outcome);
                due += Duration::from_secs_f64(1.0 / rate);
            }
            nap = due.saturating_duration_since(now).min(nap);
        }
        poll.poll(&mut events, Some(nap)).or_else(|e| if e.kind() == ErrorKind::Interrupted { Ok(()) } else { Err(e) })?;
        for event in &events {
            let place = event.token().0;
            let Heard::Whole { wait, asked } = listen(&mut callers[place], place, talk, &mut outcome) else { continue };
            if asked >= counted_from && asked < end {
                outcome.answered += 1;
                outcome.waits_us.push(u32::try_from(wait.as_micros()).unwrap_or(u32::MAX));
            }
            match load.pace {
                Pace::AsFastAsAnswered if !is_over => {
                    let now = Instant::now();
                    is_over |= now >= end || !say(&mut callers[place], place, talk, &mut out, now, &mut outcome);
                }
                _ => free.push(place),
            }
        }
    }
    outcome.seconds = Instant::now().min(end).saturating_duration_since(counted_from).as_secs_f64();
    outcome.driver_cpu_s = crate::process::cpu_s("self") - cpu;
    outcome.waits_us.sort_unstable();
    Ok(outcome)
}

fn connect(load: &Load, poll: &Poll) -> io::Result<Vec<Caller>> {
    (0..load.callers)
        .map(|place| {
            let stream = std::net::TcpStream::connect_timeout(&load.address, PATIENCE)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            poll.registry().register(&mut stream, Token(place), Interest::READABLE)?;
            Ok(Caller { stream, got: Vec::with_capacity(4_096), asked: None, is_gone: false })
        })
        .collect()
}

/// `false` when the talk is over.
fn say(caller: &mut Caller, place: usize, talk: &mut impl Talk, out: &mut Vec<u8>, since: Instant, outcome: &mut Outcome) -> bool {
    if caller.is_gone {
        return true;
    }
    out.clear();
    if !talk.ask(place, out) {
        return false;
    }
    // A request of two kilobytes always fits an empty socket buffer.
    match caller.stream.write(out) {
        Ok(n) if n == out.len() => caller.asked = Some(since),
        _ => {
            caller.is_gone = true;
            outcome.broken += 1;
        }
    }
    true
}

enum Heard {
    Part,
    Whole { wait: Duration, asked: Instant },
}

fn listen(caller: &mut Caller, place: usize, talk: &mut impl Talk, outcome: &mut Outcome) -> Heard {
    let mut chunk = [0u8; 16 * 1024];
    loop {
        match caller.stream.read(&mut chunk) {
            Ok(0) => return gone(caller, outcome),
            Ok(n) => caller.got.extend_from_slice(&chunk[..n]),
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Heard::Part,
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return gone(caller, outcome),
        }
        if let Some(answer) = whole(&caller.got) {
            let Some(asked) = caller.asked.take() else { return gone(caller, outcome) };
            let wait = asked.elapsed();
            if !(200..400).contains(&answer.status) {
                outcome.refused += 1;
            }
            talk.heard(place, &answer);
            caller.got.clear();
            return Heard::Whole { wait, asked };
        }
    }
}

fn gone(caller: &mut Caller, outcome: &mut Outcome) -> Heard {
    if caller.asked.take().is_some() {
        outcome.broken += 1;
    }
    caller.is_gone = true;
    Heard::Part
}

/// The answer, if all of it is there. The servers asked here all send a length.
fn whole(got: &[u8]) -> Option<Answer<'_>> {
    let end = memmem::find(got, b"\r\n\r\n")?;
    let head = &got[..end];
    let status = std::str::from_utf8(head.get(9..12)?).ok()?.parse().ok()?;
    let length = header(head, b"content-length").and_then(|v| std::str::from_utf8(v).ok()?.parse::<usize>().ok()).unwrap_or(0);
    let body = got.get(end + 4..end + 4 + length)?;
    Some(Answer { status, head, body })
}

/// A header's value; names come in lower case from hyper.
pub fn header<'a>(head: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut rest = head;
    while let Some(at) = memchr::memchr(b'\n', rest) {
        rest = &rest[at + 1..];
        if rest.len() > name.len() && rest[name.len()] == b':' && rest[..name.len()].eq_ignore_ascii_case(name) {
            let value = &rest[name.len() + 1..];
            let value = &value[..memchr::memchr(b'\r', value).unwrap_or(value.len())];
            return Some(value.trim_ascii());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_or_not() {
        let text =
            b"HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\nContent-Length: 4\r\nx-halo-dropped: limited\r\n\r\nnull";
        let answer = whole(text).expect("all of it");
        assert_eq!((answer.status, answer.body), (429, &b"null"[..]));
        assert_eq!(header(answer.head, b"x-halo-dropped"), Some(&b"limited"[..]));
        assert_eq!(header(answer.head, b"x-halo"), None);
        assert!(whole(&text[..text.len() - 1]).is_none());
        assert!(whole(&text[..20]).is_none());
    }

    #[test]
    fn shares_of_the_waits() {
        let outcome = Outcome { waits_us: (1..=100).map(|n| n * 1_000).collect(), ..Outcome::default() };
        assert_eq!((outcome.wait_ms(0.5), outcome.wait_ms(0.99), outcome.wait_ms(1.0)), (50.0, 99.0, 100.0));
    }
}
