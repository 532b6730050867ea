//! Asking an upstream: over a kept line what may be asked twice, over a fresh one what may not, and what it means when
//! there is no answer.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hyper::{Method, Request, Response, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::ClientConfig;
use rustls_platform_verifier::ConfigVerifierExt;
use tower::ServiceExt;

use super::body::Upload;
use super::line::{Kept, Line, Passing};

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
    plain: HttpConnector,
    /// Made when the first upstream wants it: it reads the system's list of authorities.
    sealed: OnceLock<Option<HttpsConnector<HttpConnector>>>,
    connect: Duration,
    kept: Arc<Kept>,
}

impl Upstream {
    pub fn new(connect: Duration) -> Self {
        Self { plain: connector(connect), sealed: OnceLock::new(), connect, kept: Arc::default() }
    }

    /// Sends it to this place (scheme, host and port), and gives the answer as soon as its head is there.
    pub async fn ask(&self, place: &str, request: Request<Upload>) -> Result<Response<Passing>, Fault> {
        let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) && request.body().is_empty();
        if !is_safe {
            // A line that is just being closed would lose it, and it may not be sent twice.
            return self.once(place, request).await;
        }
        let again = copy(&request);
        let answer = match self.kept.take(place).await {
            Some(line) => line.ask(request, &self.kept).await.map_err(|e| fault(&e)),
            None => self.once(place, request).await,
        };
        match answer {
            // It was closed while the request was on its way. Asking once more changes nothing.
            Err(Fault::Broken) => self.once(place, again).await,
            answer => answer,
        }
    }

    /// Over a line of its own.
    async fn once(&self, place: &str, request: Request<Upload>) -> Result<Response<Passing>, Fault> {
        let line = self.connect(place).await?;
        line.ask(request, &self.kept).await.map_err(|e| fault(&e))
    }

    async fn connect(&self, place: &str) -> Result<Line, Fault> {
        let to: Uri = place.parse().map_err(|_| Fault::Broken)?;
        let line = if to.scheme_str() == Some("https") {
            let sealed = self.sealed.get_or_init(|| sealed(self.connect)).clone().ok_or(Fault::Broken)?;
            Line::over(sealed.oneshot(to).await.map_err(|e| unreachable_by(&*e))?, place).await
        } else {
            Line::over(self.plain.clone().oneshot(to).await.map_err(|e| unreachable_by(&e))?, place).await
        };
        line.map_err(|e| fault(&e))
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

fn sealed(patience: Duration) -> Option<HttpsConnector<HttpConnector>> {
    // An error only says that another part of the process was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = ClientConfig::with_platform_verifier()
        .inspect_err(
            |e| tracing::error!(error = %e, "No upstream over https can be reached: the system's list of authorities cannot be read."),
        )
        .ok()?;
    let mut plain = connector(patience);
    plain.enforce_http(false);
    Some(HttpsConnectorBuilder::new().with_tls_config(config).https_only().enable_http1().wrap_connector(plain))
}

fn unreachable_by(e: &(dyn std::error::Error + 'static)) -> Fault {
    if is_out_of_time(e) { Fault::Silent } else { Fault::Refused }
}

fn fault(e: &hyper::Error) -> Fault {
    if is_out_of_time(e) { Fault::Silent } else { Fault::Broken }
}

fn is_out_of_time(e: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(e);
    while let Some(error) = cause {
        if error.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::TimedOut) {
            return true;
        }
        cause = error.source();
    }
    false
}
