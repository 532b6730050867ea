//! The lines to upstreams: connections kept open between requests, and what it means when there is no answer.

use std::sync::OnceLock;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::{Method, Request, Response};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use rustls_platform_verifier::ConfigVerifierExt;

use super::body::Upload;

/// Shorter than what servers usually keep an idle line (Node's five seconds), so that a request seldom meets one that
/// is just being closed.
const IDLE: Duration = Duration::from_secs(4);
const MOST_IDLE: usize = 64;
const MOST_HEADERS: usize = 128;
const MOST_HEADER_BYTES: usize = 256 * 1024;

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Until an upstream takes the connection.
    pub connect: Duration,
    /// Until it begins to answer, after the last of an upload has moved.
    pub answer: Duration,
    /// How long a visitor may send nothing of a body.
    pub upload: Duration,
    /// How long an upstream may leave a visitor waiting who asks before sending a body.
    pub word: Duration,
    /// How long nothing may move in either direction after a change of protocol.
    pub tunnel: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            answer: Duration::from_secs(60),
            upload: Duration::from_secs(30),
            word: Duration::from_secs(1),
            tunnel: Duration::from_secs(3_600),
        }
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nobody takes the connection.
    Refused,
    /// The connection broke, or what came is no answer.
    Broken,
    /// Nothing came in time.
    Silent,
    /// The visitor's own body did not come.
    Slow,
    /// The request came from ourselves.
    Loop,
}

pub struct Upstream {
    plain: Lines<HttpConnector>,
    /// Made when the first upstream wants it: it reads the system's list of authorities.
    sealed: OnceLock<Option<Lines<HttpsConnector<HttpConnector>>>>,
    connect: Duration,
}

struct Lines<C> {
    kept: Client<C, Upload>,
    /// For what may not be sent twice: a line that is just being closed would lose it.
    fresh: Client<C, Upload>,
}

impl Upstream {
    pub fn new(connect: Duration) -> Self {
        Self { plain: Lines::new(&connector(connect)), sealed: OnceLock::new(), connect }
    }

    /// Sends it, and gives the answer as soon as its head is there.
    pub async fn ask(&self, request: Request<Upload>) -> Result<Response<Incoming>, Fault> {
        if request.uri().scheme_str() != Some("https") {
            return self.plain.ask(request).await;
        }
        match self.sealed.get_or_init(|| sealed(self.connect)) {
            Some(lines) => lines.ask(request).await,
            None => Err(Fault::Broken),
        }
    }
}

impl<C: Connect + Clone + Send + Sync + 'static> Lines<C> {
    fn new(connector: &C) -> Self {
        let build = |most_idle: usize| {
            let mut builder = Client::builder(TokioExecutor::new());
            builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE).pool_max_idle_per_host(most_idle).set_host(false);
            builder.http1_max_headers(MOST_HEADERS).http1_max_buf_size(MOST_HEADER_BYTES);
            builder.build(connector.clone())
        };
        Self { kept: build(MOST_IDLE), fresh: build(0) }
    }

    async fn ask(&self, request: Request<Upload>) -> Result<Response<Incoming>, Fault> {
        let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) && request.body().is_empty();
        if !is_safe {
            return self.fresh.request(request).await.map_err(|e| fault(&e));
        }
        let again = copy(&request);
        match self.kept.request(request).await {
            Ok(answer) => Ok(answer),
            // It was closed while the request was on its way. Asking once more changes nothing.
            Err(e) if fault(&e) == Fault::Broken => self.fresh.request(again).await.map_err(|e| fault(&e)),
            Err(e) => Err(fault(&e)),
        }
    }
}

/// The same request once more, without what only the first may do.
fn copy(request: &Request<Upload>) -> Request<Upload> {
    let mut again = Request::new(Upload::empty());
    *again.method_mut() = request.method().clone();
    *again.uri_mut() = request.uri().clone();
    *again.headers_mut() = request.headers().clone();
    again
}

fn connector(patience: Duration) -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(patience));
    connector.set_nodelay(true);
    connector.set_keepalive(Some(Duration::from_secs(60)));
    connector
}

fn sealed(patience: Duration) -> Option<Lines<HttpsConnector<HttpConnector>>> {
    // An error only says that another part of the process was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = ClientConfig::with_platform_verifier()
        .inspect_err(
            |e| tracing::error!(error = %e, "No upstream over https can be reached: the system's list of authorities cannot be read."),
        )
        .ok()?;
    let mut plain = connector(patience);
    plain.enforce_http(false);
    let connector = HttpsConnectorBuilder::new().with_tls_config(config).https_only().enable_http1().wrap_connector(plain);
    Some(Lines::new(&connector))
}

fn fault(e: &Error) -> Fault {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(e);
    while let Some(error) = cause {
        if error.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::TimedOut) {
            return Fault::Silent;
        }
        cause = error.source();
    }
    if e.is_connect() { Fault::Refused } else { Fault::Broken }
}
