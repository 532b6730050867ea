//! The accept loop by raw sockets: what arrives before there is a request, and how the server stops.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::house::House;

struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

async fn start(house: &House) -> Server {
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
    Server { address, stop, ended }
}

/// Sends the bytes and gives all that comes back until the other end closes, or until one answer is whole.
async fn talk(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(bytes).await.expect("it is sent");
    let mut got = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(n) => got.extend_from_slice(&buffer[..n]),
        }
        if is_whole(&got) {
            break;
        }
    }
    String::from_utf8_lossy(&got).into_owned()
}

fn is_whole(got: &[u8]) -> bool {
    let text = String::from_utf8_lossy(got);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ").and_then(|n| n.parse::<usize>().ok()));
    length.is_some_and(|n| body.len() >= n)
}

fn status_of(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_two_readers_could_read_differently_are_refused() {
    let house = House::new();
    let server = start(&house).await;
    let host = format!("Host: {}\r\n", server.address);
    let many = (0..70).map(|n| format!("x-{n}: 1\r\n")).collect::<String>();
    let long = format!("x-long: {}\r\n", "a".repeat(64 * 1024));
    let cases: Vec<(&str, String, &[u16])> = vec![
        ("two lengths", format!("POST /healthz HTTP/1.1\r\n{host}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}"), &[400]),
        ("a length that is none", format!("POST /healthz HTTP/1.1\r\n{host}Content-Length: -2\r\n\r\n"), &[400]),
        ("a folded header", format!("GET /healthz HTTP/1.1\r\n{host}X-A: 1\r\n  2\r\n\r\n"), &[400]),
        ("a space before the colon", format!("GET /healthz HTTP/1.1\r\n{host}X-A : 1\r\n\r\n"), &[400]),
        ("no host", "GET /healthz HTTP/1.1\r\n\r\n".into(), &[400]),
        ("two hosts", format!("GET /healthz HTTP/1.1\r\n{host}Host: evil.example\r\n\r\n"), &[400]),
        ("a strange coding", format!("POST /healthz HTTP/1.1\r\n{host}Transfer-Encoding: gzip, identity\r\n\r\n"), &[400]),
        ("HTTP/1.0 with chunks", format!("POST /healthz HTTP/1.0\r\n{host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), &[400]),
        ("too many headers", format!("GET /healthz HTTP/1.1\r\n{host}{many}\r\n"), &[431]),
        ("a header of 64 KiB", format!("GET /healthz HTTP/1.1\r\n{host}{long}\r\n"), &[431]),
        ("trace", format!("TRACE /healthz HTTP/1.1\r\n{host}\r\n"), &[405]),
        ("connect", format!("CONNECT evil.example:443 HTTP/1.1\r\n{host}\r\n"), &[405]),
        ("the star", format!("OPTIONS * HTTP/1.1\r\n{host}\r\n"), &[400, 404, 405]),
        ("another host's address", format!("GET http://evil.example/login HTTP/1.1\r\n{host}\r\n"), &[404]),
        (
            "a chunk that is none",
            format!("POST /api/login HTTP/1.1\r\n{host}Sec-Fetch-Site: same-origin\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
            &[400],
        ),
        ("HTTP/2 on plain text", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(), &[400, 505, 0]),
    ];
    for (what, bytes, statuses) in cases {
        let answer = talk(server.address, bytes.as_bytes()).await;
        assert!(statuses.contains(&status_of(&answer)), "{what}: {answer}");
        assert!(!answer.to_lowercase().contains("\r\nlocation:"), "{what}: {answer}");
    }
    server.stop.send(()).expect("it listens");
    server.ended.await.expect("it ends");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_length_beside_chunks_hides_no_second_request() {
    let house = House::new();
    let server = start(&house).await;
    let bytes = format!(
        "POST /api/login HTTP/1.1\r\nHost: {0}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: {0}\r\n\r\n",
        server.address
    );
    let mut stream = TcpStream::connect(server.address).await.expect("a connection");
    stream.write_all(bytes.as_bytes()).await.expect("it is sent");
    let mut got = String::new();
    let _ = stream.read_to_string(&mut got).await;
    assert_eq!(got.matches("HTTP/1.1 ").count(), 1, "one answer, then the connection is closed: {got}");
    server.stop.send(()).expect("it listens");
    server.ended.await.expect("it ends");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn older_clients_and_kept_connections_are_served() {
    let house = House::new();
    let server = start(&house).await;
    let old = talk(server.address, format!("GET /healthz HTTP/1.0\r\nHost: {}\r\n\r\n", server.address).as_bytes()).await;
    assert!(old.starts_with("HTTP/1.0 200") && old.ends_with("ok"), "{old}");
    let mut stream = TcpStream::connect(server.address).await.expect("a connection");
    for _ in 0..3 {
        stream.write_all(format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", server.address).as_bytes()).await.expect("sent");
        let mut buffer = [0; 4096];
        let n = stream.read(&mut buffer).await.expect("an answer");
        assert!(String::from_utf8_lossy(&buffer[..n]).starts_with("HTTP/1.1 200"));
    }
    server.stop.send(()).expect("it listens");
    server.ended.await.expect("it ends");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_body_is_refused_in_words_that_arrive() {
    let house = House::new();
    let server = start(&house).await;
    let mut bytes =
        format!("POST /api/login HTTP/1.1\r\nHost: {}\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 2000000\r\n\r\n", server.address)
            .into_bytes();
    bytes.resize(bytes.len() + 2_000_000, b'x');
    let answer = talk(server.address, &bytes).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("Limit 16 KiB."), "{answer}");
    server.stop.send(()).expect("it listens");
    server.ended.await.expect("it ends");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_word_to_stop_nobody_new_is_taken() {
    let house = House::new();
    let server = start(&house).await;
    talk(server.address, format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", server.address).as_bytes()).await;
    server.stop.send(()).expect("it listens");
    server.ended.await.expect("it ends");
    assert!(TcpStream::connect(server.address).await.is_err());
    assert_eq!(house.app.door.connections(), 0);
}
