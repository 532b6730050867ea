//! The proxy under weight, in the real binary: large files that cost no memory, visitors who are slow, and a shop that comes
//! back. The full figures are measured by the benchmark.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::running::{Running, free_port};
use crate::upstream::{Upstream, pattern, request, talk};

const MIB: usize = 1 << 20;
/// Of either direction: far more than may be on its way at once.
const FILE: usize = 96 * MIB;
/// What a file on its way may take: buffers of two connections in the kernel's and our own hands, and the allocator's slack.
const MOST_MORE_MIB: u64 = 48;

/// The binary in front of a shop; everybody on this machine is believed to be many visitors.
fn in_front_of(shop: SocketAddr, name: &str) -> Running {
    let mut server = Running::new(name);
    server.cli(&["site", "add", "--name", "Shop", "--domain", "shop.example", "--currency", "USD", "--consent", "opt-out"]);
    server.cli(&["site", "set", "shop", &format!("proxy.upstream=http://{shop}")]);
    server.start();
    server
}

fn resident_mib(server: &Running) -> u64 {
    let pid = server.pid().expect("it runs");
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse::<u64>().ok());
    line.expect("the kernel tells the memory of a process") / 1_024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_file_costs_no_memory() {
    let shop = Upstream::start().await;
    let server = in_front_of(shop.address, "proxy-large");
    talk(server.address(), &request("GET", "/page", "", b"")).await.is(200);
    let before = resident_mib(&server);

    let mut stream = TcpStream::connect(server.address()).await.expect("a connection");
    stream.write_all(&request("GET", &format!("/stream?mib={}", FILE / MIB), "", b"")).await.expect("it is sent");
    let (mut got, mut most) = (0, 0);
    let mut piece = vec![0; 256 * 1024];
    let mut next = 8 * MIB;
    while let Ok(read @ 1..) = stream.read(&mut piece).await {
        got += read;
        if got >= next {
            (next, most) = (next + 8 * MIB, most.max(resident_mib(&server)));
        }
    }
    assert!(got > FILE, "{got} bytes came");
    assert!(most < before + MOST_MORE_MIB, "down: {before} MiB, then {most}");

    let mut stream = TcpStream::connect(server.address()).await.expect("a connection");
    let head = format!("PUT /upload HTTP/1.1\r\nHost: shop.example\r\nContent-Length: {FILE}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("it is sent");
    let piece = pattern(MIB);
    let mut most = 0;
    for n in 0..FILE / MIB {
        stream.write_all(&piece).await.expect("it is taken");
        if n % 8 == 7 {
            most = most.max(resident_mib(&server));
        }
    }
    let mut said = String::new();
    stream.read_to_string(&mut said).await.expect("an answer");
    assert!(said.starts_with("HTTP/1.1 200") && said.contains(&format!("{FILE} bytes")), "{said}");
    assert!(most < before + MOST_MORE_MIB, "up: {before} MiB, then {most}");
}

/// Half of them never end their head, the others ask for much and take nothing of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_visitors_keep_nobody_waiting() {
    let shop = Upstream::start().await;
    let server = in_front_of(shop.address, "proxy-slow");
    let before = resident_mib(&server);
    let mut slow = Vec::new();
    for n in 0..160 {
        let mut stream = TcpStream::connect(server.address()).await.expect("a connection");
        let bytes = if n % 2 == 0 {
            b"GET /page HTTP/1.1\r\nHost: shop.example\r\nX-Slow: ".to_vec()
        } else {
            request("GET", "/stream?mib=64", "", b"")
        };
        stream.write_all(&bytes).await.expect("it is sent");
        slow.push(stream);
    }
    for n in 0..40 {
        // The slow go on being slow.
        let _ = slow[n * 2 % 160].write_all(b"a").await;
        let said = talk(server.address(), &request("GET", "/page", "Accept: text/html\r\n", b"")).await.is(200);
        assert!(said.text().contains("Shop"), "{}", said.text());
    }
    let after = resident_mib(&server);
    assert!(after < before + 128, "{before} MiB before, {after} with 80 who take nothing");
    // One who takes it late has it whole.
    let mut late = slow.swap_remove(1);
    let mut got = 0;
    let mut piece = vec![0; 256 * 1024];
    while let Ok(read @ 1..) = late.read(&mut piece).await {
        got += read;
    }
    assert!(got > 64 * MIB, "{got} bytes came");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_that_comes_back_is_there_at_once() {
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let server = in_front_of(address, "proxy-back");
    let ask = async || talk(server.address(), &request("GET", "/page", "Accept: text/html\r\n", b"")).await;
    for _ in 0..3 {
        let said = ask().await.is(502);
        assert!(said.text().contains("The shop does not answer"), "{}", said.text());
    }
    let _shop = Upstream::at(address).await;
    assert!(ask().await.is(200).text().contains("Shop"));
}
