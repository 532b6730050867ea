//! A server on loopback that plays a vendor: it keeps what it has seen and answers as it is told.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// A request as it came in.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v)
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// What is answered: status, headers, body; or the connection is dropped, or hangs.
#[derive(Debug, Clone)]
pub enum Answer {
    Say(u16, Vec<(&'static str, String)>, Vec<u8>),
    Drop,
    /// Sends a body without end.
    Endless,
    /// Waits at a gate, then says an empty 200.
    Held(Arc<Gate>),
}

/// Holds answers back and counts how many wait at a time.
#[derive(Debug)]
pub struct Gate {
    pub turns: Semaphore,
    pub waiting: AtomicUsize,
    pub most: AtomicUsize,
}

impl Gate {
    pub fn closed() -> Arc<Self> {
        Arc::new(Self { turns: Semaphore::new(0), waiting: AtomicUsize::new(0), most: AtomicUsize::new(0) })
    }

    async fn pass(&self) {
        let count = self.waiting.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(count, Ordering::SeqCst);
        let turn = self.turns.acquire().await.expect("nobody closes the semaphore");
        turn.forget();
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Answer {
    pub fn json(status: u16, value: Value) -> Self {
        Answer::Say(status, vec![("content-type", "application/json".into())], value.to_string().into_bytes())
    }

    pub fn text(status: u16, text: &str) -> Self {
        Answer::Say(status, Vec::new(), text.as_bytes().to_vec())
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Answer::Say(_, headers, _) = &mut self {
            headers.push((name, value.into()));
        }
        self
    }
}

#[derive(Clone)]
pub struct StandIn {
    pub port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl StandIn {
    pub async fn start(reply: impl Fn(&Seen, usize) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_at(0, reply).await
    }

    /// On a port that was chosen before.
    pub async fn start_at(port: u16, reply: impl Fn(&Seen, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a free port on loopback");
        let port = listener.local_addr().expect("the port that was bound").port();
        let stand_in = Self { port, seen: Arc::default() };
        let (seen, reply) = (stand_in.seen.clone(), Arc::new(reply));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, seen.clone(), reply.clone()));
            }
        });
        stand_in
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no test panics while it holds the list").clone()
    }
}

/// `reply` is given the request and how many came before it.
async fn serve<F: Fn(&Seen, usize) -> Answer>(mut stream: TcpStream, seen: Arc<Mutex<Vec<Seen>>>, reply: Arc<F>) {
    let Some(request) = read(&mut stream).await else { return };
    let before = {
        let mut list = seen.lock().expect("no test panics while it holds the list");
        list.push(request.clone());
        list.len() - 1
    };
    match reply(&request, before) {
        Answer::Drop => {}
        Answer::Say(status, headers, body) => {
            let mut head = format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            head.push_str("\r\n");
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(&body).await;
        }
        Answer::Held(gate) => {
            gate.pass().await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").await;
        }
        Answer::Endless => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await;
            while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut raw = Vec::new();
    let head_end = loop {
        if let Some(at) = raw.windows(4).position(|w| w == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut raw).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&raw[..head_end]).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines.filter_map(|l| l.split_once(": ")).map(|(n, v)| (n.to_lowercase(), v.to_owned())).collect();
    let length: usize = headers.iter().find(|(n, _)| n == "content-length").and_then(|(_, v)| v.parse().ok()).unwrap_or(0);
    let mut body = raw.split_off(head_end + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(Seen { method, target, headers, body })
}
