//! What the product is measured by: servers that do the least that could be called the same work, on the same runtime,
//! asked by the same driver with the same bytes. Each runs in a process of its own, as the product does.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use rusqlite::{Connection, named_params};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::chance::{Chance, mix};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Yardstick {
    /// axum: parse the JSON, answer; for a short link a fixed redirect.
    Noop,
    /// axum and one writer thread: group commit with synchronous=FULL, a bare upsert of a session and insert of a touch.
    GroupFull,
    /// No yardstick: a shop of one page.
    Page,
    /// No yardstick: what takes deliveries in place of the platforms.
    Sink,
    /// WooCommerce shops, and what takes deliveries.
    Shop,
    /// A Zoom account.
    Meetings,
}

impl Yardstick {
    pub fn word(self) -> &'static str {
        match self {
            Yardstick::Noop => "noop",
            Yardstick::GroupFull => "group_full",
            Yardstick::Page => "page",
            Yardstick::Sink => "sink",
            Yardstick::Shop => "shop",
            Yardstick::Meetings => "meetings",
        }
    }
}

/// A yardstick that runs; it ends with this value.
pub struct Running {
    child: Child,
    pub address: SocketAddr,
}

impl Running {
    /// Starts this very program again, as the yardstick.
    pub fn start(which: Yardstick, folder: &Path) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|e| e.to_string())?;
        let mut child = Command::new(program)
            .args(["yardstick", which.word()])
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("{} does not start: {e}", which.word()))?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            let _ = BufReader::new(out).read_line(&mut line);
        }
        match line.trim().parse() {
            Ok(address) => Ok(Self { child, address }),
            Err(_) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(format!("{} did not say where it listens", which.word()))
            }
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The process behind it: `bench yardstick noop FOLDER`.
pub fn serve(word: &str, folder: &Path) -> Result<(), String> {
    let router = match word {
        "noop" => Router::new()
            .route("/api/touch", post(noop))
            .route("/l/{code}", get(led))
            .route("/api/edge", get(|| async { StatusCode::NO_CONTENT })),
        "page" => {
            let page = Bytes::from(format!("<!doctype html><title>Boots</title>{}", "<p>Walking boots, lined, size 42</p>".repeat(460)));
            Router::new().fallback(move || {
                let page = page.clone();
                async move { ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page) }
            })
        }
        "group_full" => {
            let writer = start_writer(folder).map_err(|e| e.to_string())?;
            Router::new().route("/api/touch", post(group_full)).with_state(writer)
        }
        "sink" => Router::new().fallback(|| async { ([(header::CONTENT_TYPE, "application/json")], r#"{"events_received":1}"#) }),
        "shop" => crate::shop::router(),
        "meetings" => crate::meetings::router(),
        other => return Err(format!("there is no yardstick {other}")),
    };
    let threads = std::thread::available_parallelism().map_or(2, usize::from).max(2);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build().map_err(|e| e.to_string())?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(|e| e.to_string())?;
        println!("{}", listener.local_addr().map_err(|e| e.to_string())?);
        let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
            let _ = stream.set_nodelay(true);
        });
        axum::serve(listener, router).await.map_err(|e| e.to_string())
    })
}

const ANY_SESSION: &str = "0123456789012345678901234567890123456789";

async fn noop(body: Bytes) -> Response {
    match serde_json::from_slice::<Value>(&body) {
        Ok(fields) => answer(fields["session_id"].as_str().unwrap_or(ANY_SESSION)),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

const ANY_PAGE: &str =
    "https://shop001.example/page-1?size=40&utm_source=newsletter&halo_click=clk_0123456789012345678901234567890123456789";

async fn led() -> Response {
    (StatusCode::FOUND, [(header::LOCATION, ANY_PAGE)]).into_response()
}

fn answer(session: &str) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], format!("{{\"session_id\":\"{session}\"}}")).into_response()
}

struct Touch {
    fields: Value,
    tell: oneshot::Sender<Option<String>>,
}

type Queue = SyncSender<Touch>;

async fn group_full(State(queue): State<Queue>, body: Bytes) -> Response {
    let Ok(fields) = serde_json::from_slice::<Value>(&body) else { return StatusCode::BAD_REQUEST.into_response() };
    let (tell, told) = oneshot::channel();
    if queue.try_send(Touch { fields, tell }).is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    match told.await {
        Ok(Some(session)) => answer(&session),
        _ => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

const LARGEST_BATCH: usize = 256;

fn start_writer(folder: &Path) -> rusqlite::Result<Queue> {
    let conn = Connection::open(folder.join("group_full.sqlite"))?;
    conn.execute_batch(
        "pragma journal_mode = wal;
         pragma synchronous = full;
         create table if not exists sessions (
           key text primary key, site text not null, created_at integer not null, last_seen_at integer not null,
           page_views integer not null default 1) strict, without rowid;
         create table if not exists touches (
           id integer primary key, session text not null, at integer not null, landing text not null, referrer text, title text,
           source text, medium text, campaign text) strict;",
    )?;
    let (queue, waiting) = sync_channel(4_096);
    std::thread::spawn(move || {
        if let Err(e) = write(&conn, &waiting) {
            eprintln!("group_full: {e}");
            std::process::exit(1);
        }
    });
    Ok(queue)
}

fn write(conn: &Connection, waiting: &Receiver<Touch>) -> rusqlite::Result<()> {
    let mut upsert = conn.prepare(
        "insert into sessions (key, site, created_at, last_seen_at) values (:key, :site, :at, :at)
         on conflict (key) do update set last_seen_at = excluded.last_seen_at, page_views = page_views + 1",
    )?;
    let mut insert = conn.prepare(
        "insert into touches (session, at, landing, referrer, title, source, medium, campaign)
         values (:key, :at, :landing, :referrer, :title, :source, :medium, :campaign)",
    )?;
    let mut chance = Chance::new(mix(u64::from(std::process::id())));
    let mut answers = Vec::with_capacity(LARGEST_BATCH);
    while let Ok(first) = waiting.recv() {
        conn.execute_batch("begin immediate")?;
        let mut next = Some(first);
        while let Some(touch) = next.take() {
            let text = |name: &str| touch.fields[name].as_str();
            let key = match text("session_id") {
                Some(key) => key.to_owned(),
                None => format!("{:016x}{:016x}{:08x}", chance.next(), chance.next(), chance.next() as u32),
            };
            let at = now_ms();
            upsert.execute(named_params! {":key": key, ":site": text("site").unwrap_or_default(), ":at": at})?;
            insert.execute(named_params! {
                ":key": key, ":at": at, ":landing": text("landing").unwrap_or("/"), ":referrer": text("referrer"),
                ":title": text("title"), ":source": text("utm_source"), ":medium": text("utm_medium"), ":campaign": text("utm_campaign"),
            })?;
            answers.push((touch.tell, key));
            if answers.len() < LARGEST_BATCH {
                next = waiting.try_recv().ok();
            }
        }
        conn.execute_batch("commit")?;
        for (tell, key) in answers.drain(..) {
            let _ = tell.send(Some(key));
        }
    }
    Ok(())
}

fn now_ms() -> i64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64)
}
