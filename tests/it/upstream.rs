//! A shop of its own behind the proxy, and the street that leads to it: a server that streams, cuts, waits and changes
//! protocols as it is asked, and the product on a real port in front of it.

#![allow(dead_code)] // each story uses its own part of this

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;
use halotrack::flows;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use crate::house::{House, SiteAt};

/// For what must come, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// What a shop's server does, on loopback. It ends with its value.
pub struct Upstream {
    pub address: SocketAddr,
    parts: Arc<Parts>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct Parts {
    /// Request lines, in their order.
    heard: Mutex<Vec<String>>,
    /// Lets what waits go on.
    go_on: Notify,
    /// The first piece of an upload is there.
    began: Notify,
    connections: Mutex<usize>,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Upstream {
    pub async fn start() -> Self {
        Self::at(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    pub async fn at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let parts = Arc::new(Parts::default());
        let own = parts.clone();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let parts = own.clone();
                *parts.connections.lock().expect("nobody panics with it") += 1;
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        let parts = parts.clone();
                        async move { Ok::<_, Infallible>(answer(&parts, request).await) }
                    });
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await;
                });
            }
        });
        Self { address, parts, serving }
    }

    /// On each connection reads one head, writes these bytes and hangs up; the last of them for all that follow.
    pub async fn raw(answers: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let parts = Arc::new(Parts::default());
        let own = parts.clone();
        let serving = tokio::spawn(async move {
            let mut n = 0;
            while let Ok((mut stream, _)) = listener.accept().await {
                let Some(bytes) = answers.get(n.min(answers.len().saturating_sub(1))).cloned() else { return };
                n += 1;
                let parts = own.clone();
                tokio::spawn(async move {
                    let mut got = Vec::new();
                    let mut buffer = [0; 4_096];
                    while !got.windows(4).any(|w| w == b"\r\n\r\n") {
                        match stream.read(&mut buffer).await {
                            Ok(read @ 1..) => got.extend_from_slice(&buffer[..read]),
                            _ => return,
                        }
                    }
                    parts.heard.lock().expect("nobody panics with it").push(String::from_utf8_lossy(&got).into_owned());
                    let _ = stream.write_all(&bytes).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        Self { address, parts, serving }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn heard(&self) -> Vec<String> {
        self.parts.heard.lock().expect("nobody panics with it").clone()
    }

    pub fn connections(&self) -> usize {
        *self.parts.connections.lock().expect("nobody panics with it")
    }

    pub fn go_on(&self) {
        self.parts.go_on.notify_one();
    }

    pub async fn upload_began(&self) {
        self.parts.began.notified().await;
    }
}

/// So many bytes that are not all alike.
pub fn pattern(n: usize) -> Vec<u8> {
    (0..n).map(|i| (i * 31 % 251) as u8).collect()
}

fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).boxed_unsync()
}

fn said(status: u16, headers: &[(&'static str, &str)], body: Body) -> Response<Body> {
    let mut answer = Response::new(body);
    *answer.status_mut() = StatusCode::from_u16(status).expect("a status");
    for (name, value) in headers {
        answer.headers_mut().append(*name, value.parse::<HeaderValue>().expect("a value"));
    }
    answer
}

fn page(inside: &str) -> Vec<u8> {
    format!("<!doctype html><html lang=en><head><meta charset=utf-8>{inside}</head><body><h1>Shop é</h1></body></html>").into_bytes()
}

async fn answer(parts: &Arc<Parts>, mut request: Request<Incoming>) -> Response<Body> {
    let target = request.uri().to_string();
    parts.heard.lock().expect("nobody panics with it").push(format!("{} {target}", request.method()));
    let path = request.uri().path().to_owned();
    const HTML: (&str, &str) = ("content-type", "text/html; charset=utf-8");
    match path.as_str() {
        "/echo" => {
            let mut lines = vec![format!("{} {target}", request.method())];
            lines.extend(request.headers().iter().map(|(n, v)| format!("{n}: {}", String::from_utf8_lossy(v.as_bytes()))));
            let whole = request.into_body().collect().await;
            let trailers = whole.as_ref().ok().and_then(|whole| whole.trailers().cloned());
            let bytes = whole.map(|whole| whole.to_bytes()).unwrap_or_default();
            lines.push(format!("body {} {}", bytes.len(), halotrack::crypto::hex(&halotrack::crypto::sha256(&bytes))));
            lines.extend(trailers.iter().flatten().map(|(n, v)| format!("trailer {n}: {}", v.to_str().unwrap_or_default())));
            said(200, &[("content-type", "text/plain")], full(lines.join("\n")))
        }
        "/bytes" => {
            let n: usize = request.uri().query().and_then(|q| q.strip_prefix("n=")).and_then(|n| n.parse().ok()).unwrap_or(1_000);
            let whole = pattern(n);
            let range = request.headers().get(header::RANGE).and_then(|r| r.to_str().ok()).and_then(|r| r.strip_prefix("bytes="));
            let cut = range.and_then(|r| r.split_once('-')).and_then(|(a, b)| Some((a.parse::<usize>().ok()?, b.parse::<usize>().ok()?)));
            let kind = ("content-type", "application/octet-stream");
            match cut.filter(|(a, b)| a <= b && *b < n) {
                Some((a, b)) => {
                    let range = format!("bytes {a}-{b}/{n}");
                    said(206, &[kind, ("content-range", &range), ("accept-ranges", "bytes")], full(whole[a..=b].to_vec()))
                }
                None => said(200, &[kind, ("accept-ranges", "bytes"), ("etag", "\"p\"")], full(whole)),
            }
        }
        "/stream" => {
            let n: usize = request.uri().query().and_then(|q| q.strip_prefix("mib=")).and_then(|n| n.parse().ok()).unwrap_or(1);
            let piece = Bytes::from(pattern(64 * 1024));
            let pieces = stream::iter(0..n * 16).map(move |_| Ok(Frame::data(piece.clone())));
            said(200, &[("content-type", "application/octet-stream")], StreamBody::new(pieces).boxed_unsync())
        }
        "/trailers" => {
            let mut trailers = HeaderMap::new();
            trailers.insert("x-sum", HeaderValue::from_static("42"));
            let frames = stream::iter([Ok(Frame::data(Bytes::from("body"))), Ok(Frame::trailers(trailers))]);
            said(200, &[("content-type", "text/plain"), ("trailer", "x-sum")], StreamBody::new(frames).boxed_unsync())
        }
        "/sse" => {
            let own = parts.clone();
            let first = stream::once(async { Ok(Frame::data(Bytes::from("data: 1\n\n"))) });
            let second = stream::once(async move {
                own.go_on.notified().await;
                Ok(Frame::data(Bytes::from("data: 2\n\n")))
            });
            said(200, &[("content-type", "text/event-stream")], StreamBody::new(first.chain(second)).boxed_unsync())
        }
        "/upload" => {
            let mut body = request.into_body();
            let mut bytes = 0;
            while let Some(Ok(frame)) = body.frame().await {
                bytes += frame.data_ref().map_or(0, Bytes::len);
                parts.began.notify_one();
            }
            said(200, &[], full(format!("{bytes} bytes")))
        }
        "/refuses" => said(413, &[], full("too much")),
        "/socket" => {
            let to = request.headers().get(header::UPGRADE).cloned();
            let Some(to) = to else { return said(426, &[], full("upgrade, please")) };
            tokio::spawn(async move {
                let Ok(upgraded) = hyper::upgrade::on(&mut request).await else { return };
                let mut line = TokioIo::new(upgraded);
                let mut buffer = [0; 1_024];
                while let Ok(read @ 1..) = line.read(&mut buffer).await {
                    if line.write_all(&buffer[..read]).await.is_err() {
                        return;
                    }
                }
            });
            let mut answer = said(101, &[("connection", "upgrade"), ("sec-websocket-accept", "as asked")], Empty::new().boxed_unsync());
            answer.headers_mut().insert(header::UPGRADE, to);
            answer
        }
        "/many" => said(
            200,
            &[
                ("set-cookie", "a=1; Path=/"),
                ("set-cookie", "b=2"),
                ("x-own", "kept"),
                ("server", "shop"),
                ("connection", "x-hop"),
                ("x-hop", "1"),
            ],
            full("two cookies"),
        ),
        "/cookies" => {
            let cookies: Vec<String> = (0..150).map(|n| format!("c{n}={n}; Path=/")).collect();
            let lines: Vec<(&'static str, &str)> = cookies.iter().map(|cookie| ("set-cookie", cookie.as_str())).collect();
            said(200, &lines, full("many cookies"))
        }
        "/moved" => said(302, &[("location", "/target")], full("")),
        "/go" => said(302, &[("location", "/page?utm_source=partner&utm_medium=affiliate")], full("")),
        "/known" => said(304, &[("etag", "\"p\"")], Empty::new().boxed_unsync()),
        "/nothing" => said(404, &[HTML], full(page("<title>No</title>"))),
        "/again" => said(205, &[HTML], Empty::new().boxed_unsync()),
        "/empty" => said(204, &[], Empty::new().boxed_unsync()),
        "/picture" => said(200, &[("content-type", "image/png")], full("png")),
        "/strict" => said(
            200,
            &[HTML, ("content-security-policy", "script-src 'nonce-r4nd0m'")],
            full(page("<script nonce=r4nd0m>'</head>'</script>")),
        ),
        "/packed" => said(200, &[HTML, ("content-encoding", "gzip")], full(&b"\x1f\x8bnot really</head>"[..])),
        // Pages for the tag: in pieces, with parts left out, in other letters, with a policy of their own.
        "/pieces" => {
            let size: usize = request.uri().query().and_then(|q| q.strip_prefix("size=")).and_then(|n| n.parse().ok()).unwrap_or(7);
            let pieces: Vec<_> = PIECES.as_bytes().chunks(size).map(|piece| Ok(Frame::data(Bytes::from_static(piece)))).collect();
            said(200, &[HTML], StreamBody::new(stream::iter(pieces)).boxed_unsync())
        }
        "/bare" => said(200, &[HTML], full("<!doctype html><title>Bare</title><p>Nothing is closed")),
        "/part" => said(206, &[HTML, ("content-range", "bytes 0-29/99")], full("<html><head></head><body></bo")),
        "/wide" => {
            let bytes: Vec<u8> = "<html><head></head><p>wide".encode_utf16().flat_map(u16::to_le_bytes).collect();
            said(200, &[("content-type", "text/html; charset=utf-16le")], full(bytes))
        }
        "/latin" => said(200, &[("content-type", "text/html")], full(&b"<head><meta charset=iso-8859-1><title>caf\xe9</title></head>"[..])),
        "/xml" => said(
            200,
            &[("content-type", "application/xhtml+xml")],
            full("<?xml version=\"1.0\"?><html xmlns=\"http://www.w3.org/1999/xhtml\"><head><title>Shop</title></head><body/></html>"),
        ),
        "/receipt" => said(200, &[HTML], full(RECEIPT)),
        "/large" => {
            let style = format!("<style>{}</style>", "a{color:red}/*</head>*/".repeat(15_000));
            said(200, &[HTML], full(page(&style)))
        }
        "/favicon.ico" => said(204, &[], Empty::new().boxed_unsync()),
        _ => {
            let link =
                "<title>Shop</title><script>window.own=1;document.cookie='_ga=GA1.1.111.222;path=/'</script><a id=next href=/next>Next</a>";
            said(200, &[HTML, ("etag", "\"page\""), ("x-accepts", encoding(request.headers()))], full(page(link)))
        }
    }
}

/// Its head ends once, however often it seems to; its policy stands in the page.
pub const PIECES: &str = concat!(
    "<!doctype html><html lang=en><!-- <head></head> --><head><meta charset=utf-8>",
    "<meta http-equiv=\"Content-Security-Policy\" content=\"script-src 'nonce-0fPage='\">",
    "<title>a </head> of its own</title><script nonce=\"0fPage=\">'</head>'</script></head><body><p>\u{e9}</body></html>"
);

/// A page whose own script writes another page, as scripts did that hid from browsers without any.
pub const RECEIPT: &str = concat!(
    "<!doctype html><html><head><title>Paid</title><template><p></head></template><script><!--\n",
    "function receipt() { document.write(\"<html><head><script>own = 2</script></head><body>Receipt</body></html>\") }\nwindow.own = 1\n//--></script>",
    "</head><body><p>Thank you</p></body></html>"
);

fn encoding(headers: &HeaderMap) -> &str {
    headers.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or("none")
}

/// The product on a port of its own in front of a shop.
pub struct Street {
    pub house: House,
    pub site: SiteAt,
    pub shop: Upstream,
    pub address: SocketAddr,
    /// For how many touches there is room while none waits.
    room: usize,
    stop: Option<oneshot::Sender<()>>,
    ended: Option<JoinHandle<()>>,
}

impl Street {
    pub async fn open() -> Self {
        Self::with(House::new(), Upstream::start().await).await
    }

    pub async fn with(house: House, shop: Upstream) -> Self {
        let site = house.site("shop.example").await;
        Self::at(house, site, shop).await
    }

    pub async fn at(house: House, site: SiteAt, shop: Upstream) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let app = house.app.clone();
        let ended = tokio::spawn(async move {
            let done = halotrack::http::serve(app, listener, async move {
                let _ = stopped.await;
            });
            done.await.expect("it ends well");
        });
        let room = house.app.queued.available_permits();
        let street = Self { house, site, shop, address, room, stop: Some(stop), ended: Some(ended) };
        street.set("proxy.upstream", &street.shop.url()).await;
        street
    }

    pub async fn set(&self, key: &str, value: &str) {
        flows::sites::set(&self.house.app, self.site.id, key, value, flows::COMMAND_LINE).await.expect("it is set");
    }

    pub async fn close(mut self) {
        self.end_serving().await;
    }

    /// The product stops; the shop goes on.
    pub async fn end_serving(&mut self) {
        let _ = self.stop.take().map(|stop| stop.send(()));
        if let Some(ended) = self.ended.take() {
            ended.await.expect("it ends");
        }
    }

    pub async fn get(&self, path: &str, headers: &str) -> Said {
        self.ask("GET", path, headers, b"").await
    }

    pub async fn ask(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Said {
        talk(self.address, &request(method, path, headers, body)).await
    }

    /// What a browser asks for when somebody opens a page.
    pub async fn open_page(&self, path: &str, more: &str) -> Said {
        self.get(path, &format!("{BROWSER}{more}")).await
    }

    /// Waits until every touch that was queued is stored or dropped: no page waits for that, the story does.
    pub async fn settled(&self) {
        let until = Instant::now() + PATIENCE;
        while self.house.app.queued.available_permits() < self.room {
            assert!(Instant::now() < until, "the queue does not end");
            tokio::task::yield_now().await;
        }
    }

    /// What the books say to a question once all is written down.
    #[track_caller]
    pub fn holds<'a>(&'a self, query: &'a str, want: i64) -> impl Future<Output = ()> + 'a {
        let place = std::panic::Location::caller();
        async move {
            self.settled().await;
            let rows = self.house.sql(&self.site, query);
            let got = rows.first().and_then(|row| row.as_object()?.values().next()?.as_i64());
            assert_eq!(got, Some(want), "{place}: {query}");
        }
    }

    /// Waits until so many connections hold a seat.
    pub async fn until_connections(&self, want: i64) {
        let until = Instant::now() + PATIENCE;
        while self.house.app.door.connections() != want {
            assert!(Instant::now() < until, "{} connections instead of {want}", self.house.app.door.connections());
            tokio::task::yield_now().await;
        }
    }

    /// A line of the metrics page, once all is written down.
    pub async fn is_counted(&self, line: &str) {
        self.settled().await;
        let text = self.house.get("/metrics").send().await.text;
        assert!(text.contains(line), "{line} is not there: {text}");
    }
}

pub const BROWSER: &str = concat!(
    "User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36\r\n",
    "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\nSec-Fetch-Dest: document\r\nAccept-Encoding: gzip, br\r\n",
    "X-Forwarded-For: 198.51.100.7\r\nX-Forwarded-Proto: https\r\n"
);

pub fn request(method: &str, path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let names_host = headers.lines().any(|line| line.to_lowercase().starts_with("host:"));
    let host = if names_host { "" } else { "Host: shop.example\r\n" };
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let mut bytes = format!("{method} {path} HTTP/1.1\r\n{host}{length}Connection: close\r\n{headers}\r\n").into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// An answer as it came over the wire, its chunks put together.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    pub status: u16,
    /// Lower-case names, sorted; without what is of one connection only.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub head: String,
}

impl Said {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v)
    }

    /// The value of the cookie that was set.
    pub fn session(&self) -> Option<&str> {
        let ours = self.headers.iter().find_map(|(n, v)| (n == "set-cookie").then(|| v.strip_prefix("_halo=")).flatten());
        ours.and_then(|v| v.split(';').next())
    }

    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{} {}", self.head, self.text());
        self
    }
}

/// Sends the bytes, says at once that nothing more comes, and gives all that is said to it.
pub async fn talk_and_end(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let (mut from, mut to) = stream.split();
    let mut got = Vec::new();
    let sent = async {
        to.write_all(bytes).await?;
        to.shutdown().await
    };
    let (_, _) = tokio::join!(sent, from.read_to_end(&mut got));
    got
}

/// Sends the bytes, and reads until the other end hangs up.
pub async fn talk(address: SocketAddr, bytes: &[u8]) -> Said {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let (mut from, mut to) = stream.split();
    let mut got = Vec::new();
    // Both at once: a large answer may begin before a large request has ended.
    let (_, read) = tokio::join!(to.write_all(bytes), from.read_to_end(&mut got));
    if let Err(e) = read {
        assert!(!got.is_empty(), "no answer: {e}");
    }
    parse(&got)
}

pub fn parse(got: &[u8]) -> Said {
    let end = got.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or_else(|| panic!("no head: {}", String::from_utf8_lossy(got)));
    let head = String::from_utf8_lossy(&got[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
    if (100..200).contains(&status) && status != 101 {
        return parse(&got[end + 4..]);
    }
    let all = head.lines().skip(1).filter_map(|l| l.split_once(':')).map(|(n, v)| (n.to_lowercase(), v.trim().to_owned()));
    let all: Vec<(String, String)> = all.collect();
    let is_chunked = all.iter().any(|(n, v)| n == "transfer-encoding" && v == "chunked");
    let body = if is_chunked { unchunked(&got[end + 4..]) } else { got[end + 4..].to_vec() };
    let of_one = ["date", "connection", "transfer-encoding", "keep-alive", "x-hop"];
    let mut headers: Vec<(String, String)> = all.into_iter().filter(|(n, _)| !of_one.contains(&n.as_str())).collect();
    headers.sort();
    Said { status, headers, body, head }
}

/// The chunks' content; trailers stand behind it as text.
fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|w| w == b"\r\n") {
        let size = std::str::from_utf8(&rest[..end]).ok().and_then(|s| usize::from_str_radix(s.split(';').next()?.trim(), 16).ok());
        let Some(size) = size.filter(|size| rest.len() >= end + 2 + size) else {
            panic!("a broken chunk: {}", String::from_utf8_lossy(rest))
        };
        rest = &rest[end + 2..];
        if size == 0 {
            body.extend_from_slice(rest.strip_suffix(b"\r\n").unwrap_or(rest));
            return body;
        }
        body.extend_from_slice(&rest[..size]);
        rest = &rest[size + 2..];
    }
    panic!("the chunks do not end")
}
