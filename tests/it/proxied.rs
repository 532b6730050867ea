//! The proxy in front of a shop: what passes through it unchanged, what ends there, and what it says where nobody answers.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;
use halotrack::proxy::{BoxError, Came, Passage, Patience, Proxy};
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::body::Frame;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::House;
use crate::upstream::{BROWSER, Said, Street, Upstream, parse, pattern, request, talk, talk_and_end};

/// Reads until the text is there; gives all that came.
async fn until(stream: &mut TcpStream, got: &mut Vec<u8>, word: &str) {
    let mut buffer = [0; 4_096];
    while !String::from_utf8_lossy(got).contains(word) {
        match stream.read(&mut buffer).await {
            Ok(read @ 1..) => got.extend_from_slice(&buffer[..read]),
            end => panic!("{word} did not come: {end:?} {}", String::from_utf8_lossy(got)),
        }
    }
}

/// What the shop was asked, as its own echo told it.
fn lines(said: &Said) -> BTreeSet<String> {
    said.text().lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_shop_says_arrives_to_the_byte() {
    let street = Street::open().await;
    let body = pattern(300_000);
    let cases: Vec<(&str, &str, &str, &[u8])> = vec![
        ("GET", "/bytes?n=200000", "", b""),
        ("GET", "/bytes?n=5000", "Range: bytes=100-299\r\n", b""),
        ("HEAD", "/bytes?n=5000", "", b""),
        ("GET", "/stream?mib=2", "", b""),
        ("GET", "/many", "", b""),
        ("GET", "/cookies", "", b""),
        ("GET", "/known", "If-None-Match: \"p\"\r\n", b""),
        ("GET", "/empty", "", b""),
        ("GET", "/nothing", "Accept: text/html\r\n", b""),
        ("GET", "/moved", "", b""),
        ("GET", "/api/any/of/the/shops?own=%7E&b=%2f..", "", b""),
        ("GET", "//two//slashes/../and/%2e%2e/dots/%00?x", "", b""),
        ("GET", "/a%0d%0aSet-Cookie:%20x=1?b=%0d%0a%0d%0aGET%20/", "", b""),
        ("GET", "/trailers", "TE: trailers\r\n", b""),
        ("POST", "/upload", "", &body),
        ("PUT", "/upload", "Content-Type: text/plain\r\n", b"a"),
        ("DELETE", "/page", "", b""),
        ("OPTIONS", "/page", "Origin: https://other.example\r\n", b""),
        ("PROPFIND", "/page", "", b""),
        ("GET", "/page", "Accept: */*\r\n", b""),
    ];
    for (method, path, headers, body) in cases {
        let bytes = request(method, path, headers, body);
        let direct = talk(street.shop.address, &bytes).await;
        let through = talk(street.address, &bytes).await;
        assert_eq!((through.status, &through.headers), (direct.status, &direct.headers), "{method} {path}");
        assert!(!through.head.contains("x-hop"), "what is of one connection ends with it");
        assert!(through.body == direct.body, "{method} {path}: {} bytes instead of {}", through.body.len(), direct.body.len());
    }
    let heard = street.shop.heard();
    for pair in heard.chunks(2) {
        assert_eq!(pair[0], pair[1], "the very same was asked");
    }
    street.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shop_hears_who_came_and_from_nobody_else() {
    let asked = "Connection: close, x-secret\r\nX-Secret: 1\r\nKeep-Alive: timeout=9\r\nTE: gzip\r\nProxy-Authorization: Basic eA==\r\n\
                 X-Forwarded-For: 198.51.100.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.example\r\nX-Halo-Session: forged\r\n\
                 X-Real-IP: 9.9.9.9\r\nCookie: _halo=x; own=1\r\nHost: shop.example\r\nX_Halo_Session: forged\r\n\
                 X_Forwarded_For: 9.9.9.9\r\nX-Forwarded_Proto: forged\r\nX_Real_IP: 9.9.9.9\r\nX_Own: kept\r\n";
    let trusted = Street::open().await;
    let heard = lines(&trusted.get("/echo", asked).await.is(200));
    for line in [
        "host: shop.example",
        "x-forwarded-for: 198.51.100.7, 127.0.0.1",
        "x-forwarded-proto: https",
        "x-forwarded-host: shop.example",
        "x-real-ip: 198.51.100.7",
        "cookie: _halo=x; own=1",
        "x_own: kept",
    ] {
        assert!(heard.contains(line), "{line}: {heard:#?}");
    }
    // A shop's program may read an underscore as a dash: under such a name nobody is believed, not even a peer that is.
    let ended = ["connection:", "x-secret:", "keep-alive:", "te:", "proxy-authorization:", "x-halo-session:"];
    for name in ended.into_iter().chain(["x_halo_session:", "x_forwarded_for:", "x-forwarded_proto:", "x_real_ip:"]) {
        assert!(!heard.iter().any(|l| l.starts_with(name)), "{name}: {heard:#?}");
    }
    trusted.close().await;

    let alone = Street::with(House::with(|c| c.trusted_proxies.clear()), Upstream::start().await).await;
    let heard = lines(&alone.get("/echo", asked).await.is(200));
    for line in ["x-forwarded-for: 127.0.0.1", "x-forwarded-proto: http", "x-forwarded-host: shop.example", "x-real-ip: 127.0.0.1"] {
        assert!(heard.contains(line), "{line}: {heard:#?}");
    }
    assert!(!heard.iter().any(|l| l.contains("9.9.9.9") || l.contains("forged")), "{heard:#?}");
    alone.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_gathered_on_the_way() {
    let street = Street::open().await;
    // The first event arrives while the shop still waits with the second.
    let mut stream = TcpStream::connect(street.address).await.expect("a connection");
    stream.write_all(&request("GET", "/sse", "Accept: text/event-stream\r\n", b"")).await.expect("it is sent");
    let mut got = Vec::new();
    until(&mut stream, &mut got, "data: 1").await;
    street.shop.go_on();
    until(&mut stream, &mut got, "data: 2").await;

    // The first piece of an upload arrives while the visitor still has the rest.
    let mut stream = TcpStream::connect(street.address).await.expect("a connection");
    let whole = request("POST", "/upload", "", &pattern(100_000));
    let (first, rest) = whole.split_at(60_000);
    stream.write_all(first).await.expect("it is sent");
    street.shop.upload_began().await;
    stream.write_all(rest).await.expect("it is sent");
    let mut got = Vec::new();
    until(&mut stream, &mut got, "100000 bytes").await;

    // In chunks, with words after them.
    let chunks = "POST /echo HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\nConnection: close\r\n\r\n\
                  3\r\nabc\r\n2\r\nde\r\n0\r\nx-sum: 5\r\n\r\n";
    let heard = lines(&talk(street.address, chunks.as_bytes()).await.is(200));
    assert!(heard.contains("trailer x-sum: 5") && heard.iter().any(|l| l.starts_with("body 5 ")), "{heard:#?}");
    assert!(heard.contains("transfer-encoding: chunked") && !heard.iter().any(|l| l.starts_with("content-length")), "{heard:#?}");
    street.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_sent_all_of_it_may_end_that_side() {
    let street = Street::open().await;
    let bytes = pattern(300_000);
    for (method, path, body) in [("GET", "/page", &b""[..]), ("GET", "/stream?mib=2", b""), ("POST", "/upload", &bytes)] {
        let bytes = request(method, path, "", body);
        let whole = talk(street.address, &bytes).await.is(200);
        let ended = parse(&talk_and_end(street.address, &bytes).await).is(200);
        assert!(ended.body == whole.body, "{method} {path}: {} bytes instead of {}", ended.body.len(), whole.body.len());
    }
    // Also on a connection that could have gone on.
    let kept = talk_and_end(street.address, b"GET /bytes?n=5 HTTP/1.1\r\nHost: shop.example\r\n\r\n").await;
    assert_eq!(parse(&kept).is(200).body, pattern(5));
    // While the shop is still busy with the answer.
    let mut stream = TcpStream::connect(street.address).await.expect("a connection");
    stream.write_all(&request("GET", "/sse", "", b"")).await.expect("it is sent");
    stream.shutdown().await.expect("nothing more is sent");
    let mut got = Vec::new();
    until(&mut stream, &mut got, "data: 1").await;
    street.shop.go_on();
    until(&mut stream, &mut got, "data: 2").await;
    // What was not sent whole is no request.
    let cut = b"POST /upload HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 100\r\n\r\nabc";
    let said = String::from_utf8_lossy(&talk_and_end(street.address, cut).await).into_owned();
    assert!(!said.contains(" 200 "), "{said}");
    // And who has gone away altogether is not waited for.
    let mut stream = TcpStream::connect(street.address).await.expect("a connection");
    stream.write_all(&request("GET", "/sse", "", b"")).await.expect("it is sent");
    until(&mut stream, &mut Vec::new(), "data: 1").await;
    stream.set_zero_linger().expect("it hangs up");
    drop(stream);
    street.until_connections(0).await;
    street.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_before_sending_is_answered_by_the_shop() {
    let street = Street::open().await;
    let asks = |path: &str| {
        format!("POST {path} HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 9\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n")
    };
    let mut stream = TcpStream::connect(street.address).await.expect("a connection");
    stream.write_all(asks("/upload").as_bytes()).await.expect("it is sent");
    let mut got = Vec::new();
    until(&mut stream, &mut got, "100 Continue").await;
    stream.write_all(b"123456789").await.expect("it is sent");
    until(&mut stream, &mut got, "9 bytes").await;
    // Refused before the body is asked for.
    let refused = talk(street.address, asks("/refuses").as_bytes()).await;
    assert!(refused.head.starts_with("HTTP/1.1 413"), "{}", refused.head);
    // And the body is not asked for before the shop has said so.
    let asked = Arc::new(AtomicBool::new(false));
    let seen = asked.clone();
    let body = StreamBody::new(stream::once(async move {
        seen.store(true, Ordering::Relaxed);
        Ok::<_, Infallible>(Frame::data(Bytes::from("123456789")))
    }));
    let patience = Patience { word: Duration::from_secs(600), ..Patience::default() };
    let (status, _) =
        passed(&street.shop.url(), "POST", "/refuses", &[("expect", "100-continue"), ("content-length", "9")], body, patience).await;
    assert_eq!((status, asked.load(Ordering::Relaxed)), (413, false));
    street.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_change_of_protocol_both_sides_talk() {
    let street = Street::open().await;
    for protocol in ["websocket", "tus/1.0"] {
        let mut stream = TcpStream::connect(street.address).await.expect("a connection");
        let asked = format!(
            "GET /socket HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\nSec-WebSocket-Key: k\r\n\r\n"
        );
        stream.write_all(asked.as_bytes()).await.expect("it is sent");
        let mut got = Vec::new();
        until(&mut stream, &mut got, "\r\n\r\n").await;
        let said = parse(&got).is(101);
        assert_eq!((said.header("upgrade"), said.header("sec-websocket-accept")), (protocol, "as asked"));
        assert!(said.head.to_lowercase().contains("connection: upgrade"), "{}", said.head);
        for n in 0..200_usize {
            let message = pattern(1 + n * 7 % 900);
            stream.write_all(&message).await.expect("it is sent");
            let mut back = vec![0; message.len()];
            stream.read_exact(&mut back).await.expect("it comes back");
            assert!(back == message, "message {n}");
        }
    }
    // To HTTP itself nothing is changed: what followed would be requests that nobody has looked at.
    let asked = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n";
    street.get("/socket", asked).await.is(426);
    street.until_connections(0).await;

    // The word to stop ends what goes on.
    let mut stream = TcpStream::connect(street.address).await.expect("a connection");
    stream
        .write_all(b"GET /socket HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        .await
        .expect("it is sent");
    let mut got = Vec::new();
    until(&mut stream, &mut got, "\r\n\r\n").await;
    for n in 0..200_usize {
        let message = pattern(1 + n);
        stream.write_all(&message).await.expect("it is sent");
        let mut back = vec![0; message.len()];
        stream.read_exact(&mut back).await.expect("it comes back");
    }
    assert_eq!(street.house.app.door.connections(), 1, "it holds its seat");
    street.house.app.begin_stopping();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    street.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_could_be_read_in_two_ways_never_reaches_the_shop() {
    let street = Street::open().await;
    let host = "Host: shop.example\r\n";
    // The shop reads a body to its end before it answers: what is wrong in it is known by then.
    let hidden = "GET /hidden HTTP/1.1\r\nHost: shop.example\r\n\r\n";
    let cases = [
        ("two lengths", format!("POST /upload HTTP/1.1\r\n{host}Content-Length: 2\r\nContent-Length: 40\r\n\r\n{hidden}")),
        (
            "a length and an odd coding",
            format!("POST /upload HTTP/1.1\r\n{host}Content-Length: 3\r\nTransfer-Encoding: xchunked\r\n\r\n{hidden}"),
        ),
        ("a coding before the chunks", format!("POST /upload HTTP/1.1\r\n{host}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n{hidden}")),
        (
            "two codings",
            format!("POST /upload HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n{hidden}"),
        ),
        ("a space before the colon", format!("POST /upload HTTP/1.1\r\n{host}Content-Length : 3\r\n\r\n{hidden}")),
        ("a folded line", format!("POST /upload HTTP/1.1\r\n{host}X-A: 1\r\n Content-Length: 3\r\n\r\n{hidden}")),
        ("a chunk that is none", format!("POST /upload HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\nxyz\r\n{hidden}")),
        ("a chunk with a sign", format!("POST /upload HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n0\r\n\r\n{hidden}")),
        (
            "chunks that end early",
            format!("POST /upload HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n{hidden}"),
        ),
        ("a length with a sign", format!("POST /upload HTTP/1.1\r\n{host}Content-Length: +3\r\n\r\nabc{hidden}")),
        ("a tab in the coding", format!("POST /upload HTTP/1.1\r\n{host}Transfer-Encoding: \u{b}chunked\r\n\r\n0\r\n\r\n{hidden}")),
        ("a line break in the address", format!("GET /a\rX-A:1 HTTP/1.1\r\n{host}\r\n")),
        ("a line break in a header", format!("GET /a HTTP/1.1\r\n{host}X-A: 1\rX-B: 2\r\n\r\n")),
        ("a zero in a header", format!("GET /a HTTP/1.1\r\n{host}X-A: 1\02\r\n\r\n")),
        ("two hosts", format!("GET /a HTTP/1.1\r\n{host}Host: other.example\r\n\r\n")),
        ("a host with markup for its port", "GET /a HTTP/1.1\r\nHost: shop.example:80\"><svg onload=alert(1)>\r\n\r\n".into()),
        ("a host with markup before it", "GET /a HTTP/1.1\r\nHost: <svg>.shop.example\r\n\r\n".into()),
        ("a host whose port is a word", "GET /a HTTP/1.1\r\nHost: shop.example:x\r\n\r\n".into()),
        ("a whole address", format!("GET http://shop.example/a HTTP/1.1\r\n{host}\r\n")),
        ("somebody else's address", format!("GET http://shop.example:81/a HTTP/1.1\r\n{host}\r\n")),
        ("a star", format!("OPTIONS * HTTP/1.1\r\n{host}\r\n")),
        ("connect", format!("CONNECT shop.example:443 HTTP/1.1\r\n{host}\r\n")),
        ("trace", format!("TRACE /a HTTP/1.1\r\n{host}\r\n")),
    ];
    for (what, bytes) in cases {
        let mut stream = TcpStream::connect(street.address).await.expect("a connection");
        stream.write_all(bytes.as_bytes()).await.expect("it is sent");
        let _ = stream.shutdown().await;
        let mut got = Vec::new();
        let _ = stream.read_to_end(&mut got).await;
        let text = String::from_utf8_lossy(&got);
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 4") || text.starts_with("HTTP/1.1 502"), "{what}: {text}");
        assert_eq!(text.matches("HTTP/1.1 2").count(), 0, "{what}: {text}");
    }
    // Both a length and chunks: the chunks count, and the line is closed after them.
    let both = format!("POST /upload HTTP/1.1\r\n{host}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n{hidden}");
    let said = talk(street.address, both.as_bytes()).await;
    assert!(said.status == 400 || said.text() == "1 bytes", "{} {}", said.head, said.text());
    let heard = street.shop.heard();
    assert!(!heard.iter().any(|line| line.contains("hidden")), "{heard:?}");
    street.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_shop_does_not_answer_the_visitor_is_told_so() {
    let check = async |answer: &str, want: u16| {
        let street = Street::with(House::new(), Upstream::raw(vec![answer.as_bytes().to_vec()]).await).await;
        let said = street.get("/a", "Accept: text/html\r\n").await.is(want);
        assert!(
            said.text().contains("The shop does not answer") && said.header("cache-control") == "no-store",
            "{answer:?}: {}",
            said.text()
        );
        assert!(said.session().is_none());
        let posted = street.ask("POST", "/a", "", b"x").await.is(want);
        assert!(!posted.text().contains("127.0.0.1"), "{}", posted.text());
        assert!(street.house.get("/metrics").send().await.text.contains("halotrack_proxy_faults_total{what=\"broken\"} 2\n"));
        street.close().await;
    };
    check("", 502).await;
    check("HTTP/1.1 200 OK\r\nContent-", 502).await;
    check("SSH-2.0-OpenSSH_9.2\r\n\r\n", 502).await;
    check("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 502).await;
    check("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", 502).await;

    let street = Street::open().await;
    street.set("proxy.upstream", &format!("http://127.0.0.1:{}", crate::running::free_port())).await;
    street.get("/a", "").await.is(502);
    assert!(street.house.get("/metrics").send().await.text.contains("halotrack_proxy_faults_total{what=\"refused\"} 1\n"));
    // An address that leads back here.
    street.set("proxy.upstream", &format!("http://{}", street.address)).await;
    street.get("/a", "").await.is(508);
    street.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_says_its_length_in_one_way() {
    let both = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n".to_vec();
    let street = Street::with(House::new(), Upstream::raw(vec![both]).await).await;
    let said = street.get("/a", "").await.is(200);
    assert_eq!((said.text().as_str(), said.header("content-length")), ("hello", ""));
    street.close().await;
    // An answer that ends with its connection.
    let until_closed = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhello".to_vec();
    let street = Street::with(House::new(), Upstream::raw(vec![until_closed]).await).await;
    assert_eq!(street.get("/a", "").await.is(200).text(), "hello");
    // An old visitor gets no chunks.
    let old = talk(street.address, b"GET /a HTTP/1.0\r\nHost: shop.example\r\n\r\n").await.is(200);
    assert!(old.text() == "hello" && !old.head.to_lowercase().contains("chunked"), "{}", old.head);
    street.close().await;
    // One that is cut off is not made whole.
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhello".to_vec();
    let street = Street::with(House::new(), Upstream::raw(vec![cut]).await).await;
    let said = street.get("/a", "").await.is(200);
    assert_eq!((said.text().as_str(), said.header("content-length")), ("hello", "99"), "the visitor sees that it is cut");
    street.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_was_just_closed_costs_nobody_an_answer() {
    let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec();
    // The shop hangs up on the first one without a word.
    let street = Street::with(House::new(), Upstream::raw(vec![Vec::new(), whole.clone()]).await).await;
    street.get("/a", "").await.is(200);
    assert_eq!(street.shop.heard().len(), 2, "asked once more");
    street.close().await;
    // What changes something is not sent twice.
    let street = Street::with(House::new(), Upstream::raw(vec![Vec::new(), whole]).await).await;
    street.ask("POST", "/a", "", b"x").await.is(502);
    assert_eq!(street.shop.heard().len(), 1);
    street.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_are_kept_for_the_next_visitor() {
    let street = Street::open().await;
    for _ in 0..20 {
        street.get("/many", "").await.is(200);
    }
    assert!(street.shop.connections() <= 5, "{} connections", street.shop.connections());
    // And one visitor's connection serves several requests.
    let mut stream = TcpStream::connect(street.address).await.expect("a connection");
    for n in 1..=5 {
        stream.write_all(format!("GET /bytes?n={n} HTTP/1.1\r\nHost: shop.example\r\n\r\n").as_bytes()).await.expect("it is sent");
        let mut got = Vec::new();
        until(&mut stream, &mut got, "\r\n\r\n").await;
        let end = got.windows(4).position(|w| w == b"\r\n\r\n").expect("a head") + 4;
        let mut rest = vec![0; n - (got.len() - end).min(n)];
        stream.read_exact(&mut rest).await.expect("the body");
    }
    street.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ours_is_ours_and_all_else_is_the_shops() {
    let street = Street::open().await;
    let tag = street.get("/t.js", "").await.is(200);
    assert!(tag.text().contains("HaloTrack"));
    for (method, path) in [
        ("GET", "/api/touch"),
        ("GET", "/api/orders"),
        ("POST", "/api/login"),
        ("GET", "/dashboard"),
        ("GET", "/login"),
        ("GET", "/metrics"),
    ] {
        let said = street.ask(method, path, "", b"").await.is(200);
        assert!(said.text().contains("Shop é"), "{method} {path}: {}", said.text());
    }
    let body = format!("{{\"site\":\"{}\",\"landing\":\"/x\",\"event_id\":\"e1\"}}", street.site.key);
    let headers = format!("{BROWSER}Origin: https://shop.example\r\n");
    let touched = street.ask("POST", "/api/touch", &headers, body.as_bytes());
    assert!(touched.await.is(200).text().contains("session_id"));
    let asked = street.ask("OPTIONS", "/api/touch", "Origin: https://shop.example\r\nAccess-Control-Request-Method: POST\r\n", b"").await;
    assert_eq!(asked.status, 204);
    street.get("/l/NOTHING", "").await.is(404);
    assert!(!street.shop.heard().iter().any(|l| l.contains("/t.js") || l.contains("POST /api/touch") || l.contains("/l/")));
    // The dashboard's own host is never the shop's, nor is that of a site without an upstream.
    street.house.site("other.example").await;
    street.get("/page", "Host: other.example\r\n").await.is(404);
    let own = street.get("/healthz", &format!("Host: {}\r\n", street.address)).await.is(200);
    assert_eq!(own.text(), "ok");
    street.set("proxy.upstream", "").await;
    street.get("/page", "").await.is(404);
    street.close().await;
}

/// One exchange; gives the status and the words.
async fn passed<B>(to: &str, method: &str, path: &str, headers: &[(&str, &str)], body: B, patience: Patience) -> (u16, String)
where
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let house = House::new();
    let proxy = Proxy::with(house.app.clone(), patience);
    let mut request = hyper::Request::builder().method(method).uri(path).header("host", "shop.example");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, body) = request.body(body).expect("a request").into_parts();
    let peer = std::net::IpAddr::from([127, 0, 0, 1]);
    let came = Came { peer, is_peer_trusted: false, client: peer, is_https: false };
    let answer = proxy.pass(Passage { to, came, session: None, tag: None }, parts, body).await;
    let status = answer.status().as_u16();
    let bytes = answer.into_body().collect().await.expect("a body").to_bytes();
    (status, String::from_utf8_lossy(&bytes).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_ever() {
    // A shop that takes the connection and says nothing.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let silent = format!("http://{}", listener.local_addr().expect("an address"));
    let (short, long) = (Duration::from_millis(50), Duration::from_secs(600));
    let patience = Patience { connect: long, answer: short, ..Patience::default() };
    let (status, words) = passed(&silent, "GET", "/a", &[], Empty::<Bytes>::new(), patience).await;
    assert!(status == 504 && words.contains("has not answered in time"), "{status} {words}");
    // A visitor who begins to send and does not go on.
    let shop = Upstream::start().await;
    let first = stream::once(async { Ok::<_, Infallible>(Frame::data(Bytes::from("a"))) });
    let stalled = StreamBody::new(first.chain(stream::pending()));
    let patience = Patience { connect: long, answer: long, upload: short, ..Patience::default() };
    let (status, words) = passed(&shop.url(), "POST", "/upload", &[], stalled, patience).await;
    assert!(status == 408 && words.contains("did not arrive"), "{status} {words}");
}
