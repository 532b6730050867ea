//! The server from its first breath to its last: what is opened in which order, what is told to the owner, and how it
//! stops without losing anything that was answered.

use std::future::Future;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::app::App;
use crate::config::{Config, LogFormat};
use crate::control::socket::{self, Socket};
use crate::control::{self, lock};
use crate::error::{Error, Kind, Result};
use crate::flows::{login, short_links, touch};
use crate::http;
use crate::jobs::{clicks, housekeeping, lookout, night, puller, schedule, watchdog, worker};

/// A command that just ends gives the lock back; a server does not.
const LOCK_PATIENCE: Duration = Duration::from_millis(800);
/// What has begun may take this long after the word to stop.
const LONGEST_DRAIN: Duration = Duration::from_millis(10_500);

/// Runs until the process is told to stop.
pub fn run(config: Config, warnings: &[String]) -> Result<()> {
    in_runtime(&config.clone(), warnings, live(config))
}

/// The log, TLS and the threads that a server works on.
pub fn in_runtime(config: &Config, warnings: &[String], life: impl Future<Output = Result<()>>) -> Result<()> {
    log_to_stderr(config);
    for line in warnings {
        warn(config, line);
    }
    install_tls();
    let threads = std::thread::available_parallelism().map_or(2, usize::from).max(2);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build().map_err(Error::internal)?;
    let outcome = runtime.block_on(life);
    // What still blocks a thread (a reader of a long question) is not waited for.
    runtime.shutdown_timeout(Duration::from_millis(500));
    outcome
}

/// Brings the file to the present shape and says which one that is. Refuses beside a running server.
pub fn migrate(config: Config) -> Result<i64> {
    log_to_stderr(&config);
    lock::make_folder(&config.data)?;
    let held = lock::take_within(&config.data, LOCK_PATIENCE)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(Error::internal)?;
    let version = runtime.block_on(async {
        let app = control::build(config)?;
        app.store.close().await;
        Ok(crate::store::migrate::STEPS.len() as i64)
    });
    drop(held);
    version
}

async fn live(mut config: Config) -> Result<()> {
    let signals = Signals::new()?;
    lock::make_folder(&config.data)?;
    let held = lock::take_within(&config.data, LOCK_PATIENCE)?;
    // The key comes before the port, and both before the file is touched.
    control::unlock(&config)?;
    let listener = bind(&config).await?;
    let address = listener.local_addr().map_err(Error::internal)?;
    if config.listen.port() == 0 && config.public_url.ends_with(":0") {
        // The system chose the port; links must lead to it.
        config.public_url = format!("http://{address}");
    }
    config.listen = address;
    let app = control::build(config)?;
    control::settle(&app).await?;
    let socket = socket::listen(&app)?;
    // Said before the first request is taken: whoever waits for an answer finds the link written down.
    announce(&app, address).await?;
    let outcome = until_told(app, socket, listener, signals).await;
    drop(held);
    outcome
}

/// Serves and works until the process is told to stop, and ends in order. The caller holds the lock.
pub async fn until_told(app: App, socket: Socket, listener: TcpListener, mut signals: Signals) -> Result<()> {
    let (stop, stopping) = watch::channel(false);
    let work = tokio::spawn(worker::run(app.clone()));
    let keep = tokio::spawn(housekeeping::run(app.clone()));
    let look = tokio::spawn(lookout::run(app.clone()));
    let pull = tokio::spawn(puller::run(app.clone()));
    let count = tokio::spawn(clicks::run(app.clone()));
    // Neither holds anything that an end would have to wait for.
    tokio::spawn(schedule::run(app.clone()));
    tokio::spawn(watchdog::run(app.clone()));
    // Not waited for at the end: a backup that is cut off is swept away by the next start.
    tokio::spawn(night::run(app.clone()));
    let edge = tokio::spawn(http::serve(app.clone(), listener, told(stopping.clone())));

    let is_told = tokio::select! {
        () = signals.next() => true,
        () = dead_writer(&app) => false,
    };
    tokio::spawn(async move {
        signals.next().await;
        tracing::warn!("Told twice: stopping at once.");
        std::process::exit(1);
    });
    tracing::info!("Stopping: what has begun is finished, nothing new is taken.");
    app.begin_stopping();
    let _ = stop.send(true);
    let drained = tokio::time::timeout(LONGEST_DRAIN, async {
        let served = edge.await.map_err(Error::internal)?;
        // The worker has heard of it too: deliveries on their way end, the others stay in the queue.
        work.await.map_err(Error::internal)?;
        keep.await.map_err(Error::internal)?;
        look.await.map_err(Error::internal)?;
        pull.await.map_err(Error::internal)?;
        count.await.map_err(Error::internal)?;
        // Those of the last requests.
        short_links::write_down(&app).await?;
        touch::settled(&app).await;
        served
    })
    .await;
    if drained.is_err() {
        // Leases of this run are void at the next start, and what was answered is stored.
        tracing::warn!("Not everything ended in time; the rest is taken up at the next start.");
    }
    socket.close();
    app.store.close().await;
    match drained {
        _ if app.store.figures().has_failed => Err(Error::new(
            Kind::Unavailable,
            "storage_failed",
            "The disk has failed or the database is damaged. Start again; if it ends again, restore the newest backup with `halotrack restore FILE`.",
        )),
        _ if !is_told => {
            Err(Error::new(Kind::Internal, "writer_stopped", "The writer has stopped. Start again: the log says what it was."))
        }
        Ok(Err(e)) => Err(e),
        Ok(Ok(())) | Err(_) => Ok(()),
    }
}

/// Says where it listens and, as long as nobody owns the box, how to become its owner.
async fn announce(app: &App, address: std::net::SocketAddr) -> Result<()> {
    let mut lines = format!("HaloTrack {} listens on http://{address}, data in {}\n", env!("CARGO_PKG_VERSION"), app.config.data.display());
    if app.config.public_url != format!("http://{address}") {
        lines.push_str(&format!("Links and hook addresses begin with {}\n", app.config.public_url));
    }
    if let Some(link) = login::first_link(app).await? {
        lines.push_str(&format!("Nobody owns this server yet. Open this link within 30 minutes, once: {link}\n"));
    }
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(lines.as_bytes()).and_then(|()| out.flush());
    Ok(())
}

/// The port, before anything else is begun.
pub async fn bind(config: &Config) -> Result<TcpListener> {
    TcpListener::bind(config.listen).await.map_err(|e| match e.kind() {
        std::io::ErrorKind::AddrInUse => Error::new(
            Kind::Conflict,
            "port_taken",
            format!(
                "Port {} on {} is taken. Stop what listens there, or choose another with --listen ADDR:PORT.",
                config.listen.port(),
                config.listen.ip()
            ),
        ),
        _ => Error::new(
            Kind::Unavailable,
            "port_refused",
            format!("{} cannot be listened on: {e}. Choose another with --listen ADDR:PORT.", config.listen),
        ),
    })
}

/// Ends when stopping has begun.
async fn told(mut stopping: watch::Receiver<bool>) {
    // An error means that the sender is gone, and with it the server.
    let _ = stopping.wait_for(|is_stopping| *is_stopping).await;
}

/// Ends when the writer thread has died: nothing could be promised any more.
async fn dead_writer(app: &App) {
    while !app.store.figures().is_dead {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// SIGTERM from a service manager, SIGINT from a keyboard.
pub struct Signals {
    term: Signal,
    int: Signal,
}

impl Signals {
    pub fn new() -> Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate()).map_err(Error::internal)?,
            int: signal(SignalKind::interrupt()).map_err(Error::internal)?,
        })
    }

    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}

/// Before the first TLS connection: rustls asks for a provider, and ring is the one that needs no cmake.
fn install_tls() {
    // An error means that one is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Whatever the log's level: what loosens a guard, or is not read, is never passed over.
fn warn(config: &Config, line: &str) {
    let text = match config.log_format {
        LogFormat::Text => format!("WARNING: {line}\n"),
        LogFormat::Json => format!("{}\n", serde_json::json!({"level": "WARN", "message": line})),
    };
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Our own lines from the chosen level on, those of libraries from warn on.
fn log_to_stderr(config: &Config) {
    let filter = tracing_subscriber::EnvFilter::new(format!("warn,halotrack={}", config.log_level));
    let plain = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    match config.log_format {
        LogFormat::Text => plain.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => plain.json().flatten_event(true).init(),
    }
}
