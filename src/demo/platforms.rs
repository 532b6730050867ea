//! The platforms that the demo tells its conversions to: one small server on loopback that answers as they do. It takes
//! everything, keeps nothing, and fails where a reader should see how failures look.

use std::io;
use std::net::SocketAddr;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::store::{SHOP, Store};
use crate::clock::Clock;
use crate::crypto;
use crate::domain::time::Time;

/// The host of the shop's store-room, and that of the studio's customer list.
pub const STOCK: &str = "stock.saffronpalm.example";
pub const CUSTOMERS: &str = "crm.elbkante-kuechen.example";

const LARGEST: usize = 1024 * 1024;

/// When which of them has trouble.
#[derive(Debug, Clone, Copy)]
pub struct Trouble {
    /// The store-room's system is down since then.
    pub stock_from: Time,
    /// The customer list refuses its key since then.
    pub customers_from: Time,
}

/// Answers until the process ends. Gives its address. The clock is the one that the demo's past is played by.
pub async fn start(clock: Clock, trouble: Trouble, store: Store) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (clock, store) = (clock.clone(), store.clone());
            tokio::spawn(async move {
                // Whoever hangs up has had enough.
                let _ = talk(stream, &clock, trouble, &store).await;
            });
        }
    });
    Ok(address)
}

async fn talk(mut stream: TcpStream, clock: &Clock, trouble: Trouble, store: &Store) -> io::Result<()> {
    let mut raw: Vec<u8> = Vec::new();
    loop {
        let Some(end) = head_end(&raw) else {
            if raw.len() > LARGEST || stream.read_buf(&mut raw).await? == 0 {
                return Ok(());
            }
            continue;
        };
        let head = String::from_utf8_lossy(&raw[..end]).into_owned();
        let length = header(&head, "content-length").and_then(|l| l.parse::<usize>().ok()).unwrap_or(0);
        while raw.len() < end + 4 + length {
            if raw.len() > LARGEST || stream.read_buf(&mut raw).await? == 0 {
                return Ok(());
            }
        }
        let body = String::from_utf8_lossy(&raw[end + 4..end + 4 + length]).into_owned();
        raw.drain(..end + 4 + length);
        let mut words = head.split(' ');
        let (method, target) = (words.next().unwrap_or("GET"), words.next().unwrap_or("/"));
        let host = header(&head, "host").unwrap_or_default();
        let (status, text, more) = if host.split(':').next() == Some(SHOP) {
            let reply = store.answer(method, target, &body);
            (reply.status, reply.text, reply.pages.map(|pages| format!("x-wp-totalpages: {pages}\r\n")).unwrap_or_default())
        } else {
            let (status, text) = answer(target, host, &body, clock.now(), trouble);
            (status, text, String::new())
        };
        let kind = "content-type: application/json";
        let reply = format!("HTTP/1.1 {status} {}\r\n{kind}\r\n{more}content-length: {}\r\n\r\n{text}", word(status), text.len());
        stream.write_all(reply.as_bytes()).await?;
    }
}

fn answer(target: &str, host: &str, body: &str, now: Time, trouble: Trouble) -> (u16, String) {
    let digest = crypto::sha256(body.as_bytes());
    if target.starts_with("/v") && target.contains("/events") {
        let trace = crypto::base64url(&digest[..17]);
        // One in a hundred is refused, as events with nobody in them are.
        if event_id(body).is_some_and(|id| id.ends_with("37")) {
            let words = "You must provide sufficient customer information parameters";
            let error = json!({"error": {"message": "Invalid parameter", "type": "OAuthException", "code": 100, "error_subcode": 2_804_050,
                "is_transient": false, "error_user_msg": words, "fbtrace_id": trace}});
            return (400, error.to_string());
        }
        return (200, json!({"events_received": 1, "messages": [], "fbtrace_id": trace}).to_string());
    }
    if target.starts_with("/debug/mp/collect") {
        return (200, json!({"validationMessages": []}).to_string());
    }
    if target.starts_with("/mp/collect") {
        return (204, String::new());
    }
    let host = host.split(':').next().unwrap_or_default();
    if host == STOCK && now >= trouble.stock_from {
        return (503, json!({"error": "maintenance"}).to_string());
    }
    if host == STOCK && body.contains("GIFT-CARD") {
        return (500, json!({"error": "unknown article GIFT-CARD-300"}).to_string());
    }
    if host == CUSTOMERS && now >= trouble.customers_from {
        return (401, json!({"error": "key expired"}).to_string());
    }
    (200, json!({"ok": true}).to_string())
}

fn event_id(body: &str) -> Option<&str> {
    body.split("\"event_id\":\"").nth(1)?.split('"').next()
}

fn head_end(raw: &[u8]) -> Option<usize> {
    raw.windows(4).position(|w| w == b"\r\n\r\n")
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().filter_map(|l| l.split_once(':')).find(|(n, _)| n.trim().eq_ignore_ascii_case(name)).map(|(_, v)| v.trim())
}

fn word(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        500 => "Internal Server Error",
        _ => "Service Unavailable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_answer_and_fail_as_they_should() {
        let at = Time::from_s(1_000);
        let trouble = Trouble { stock_from: Time::from_s(2_000), customers_from: Time::from_s(3_000) };
        let status = |target: &str, host: &str, body: &str, at: Time| answer(target, host, body, at, trouble).0;
        assert_eq!(status("/mp/collect?measurement_id=x", "", "{}", at), 204);
        assert_eq!(status("/hook", STOCK, "{}", at), 200);
        assert_eq!(status("/hook", STOCK, "GIFT-CARD-300", at), 500);
        assert_eq!(status("/hook", "stock.saffronpalm.example:4711", "{}", Time::from_s(2_000)), 503);
        assert_eq!(status("/hook", CUSTOMERS, "{}", Time::from_s(2_999)), 200);
        assert_eq!(status("/hook", CUSTOMERS, "{}", Time::from_s(3_000)), 401);
        assert_eq!(status("/v25.0/1/events", "", r#"{"data":[{"event_id":"order_#10437","x":1}]}"#, at), 400);
        assert!(answer("/v25.0/1/events", "", "{}", at, trouble).1.contains("fbtrace_id"));
    }
}
