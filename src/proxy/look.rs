//! A shop behind the proxy, asked how it is: the head of its first page, over a line of its own, as nobody's visit.

use std::time::Duration;

use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, Request};

use super::body::Upload;
use super::upstream::{Fault, Upstream};

/// What it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    pub status: u16,
    pub location: Option<String>,
}

/// `to` is scheme, host and port of the shop, `host` the name under which visitors ask for it. They come by https.
pub async fn look(to: &str, host: &str, patience: Duration) -> Result<Heard, Fault> {
    let host = HeaderValue::from_str(host).map_err(|_| Fault::Broken)?;
    let mut request = Request::new(Upload::empty());
    *request.method_mut() = Method::HEAD;
    let headers = request.headers_mut();
    headers.insert(HeaderName::from_static("x-forwarded-host"), host.clone());
    headers.insert(header::HOST, host);
    headers.insert(HeaderName::from_static("x-forwarded-proto"), HeaderValue::from_static("https"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static("HaloTrack doctor"));
    let upstream = Upstream::new(patience);
    let answer = match tokio::time::timeout(patience, upstream.ask(to, request)).await {
        Ok(answer) => answer?,
        Err(_) => return Err(Fault::Silent),
    };
    let location = answer.headers().get(header::LOCATION).and_then(|to| to.to_str().ok()).map(str::to_owned);
    Ok(Heard { status: answer.status().as_u16(), location })
}
