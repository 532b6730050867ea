//! The proxy in front of a shop: one exchange goes through as it is, streaming, and nothing is kept of it. Whoever calls
//! it decides what is a shop's and what is ours; here only bytes, headers and time are looked after.

use std::sync::Arc;

use bytes::Bytes;
use hyper::body::Body;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, Response, StatusCode, Version};
use tokio::sync::oneshot;

use crate::app::App;

/// Uploads and what is served.
mod body;
/// Which headers go on.
mod headers;
/// One connection to an upstream.
mod line;
/// A shop, asked how it is.
mod look;
/// What is a page that somebody opens.
pub mod navigation;
/// Where the tag goes.
mod place;
/// What a page's own policy asks of scripts.
mod policy;
/// Where a script of the page's own ends.
mod script;
/// The tag in a page.
mod tag;
/// After a change of protocol.
mod tunnel;
/// The lines to upstreams.
mod upstream;
/// What is said where nobody answers.
mod words;

pub use body::{BoxError, Served};
pub use headers::{Came, is_plain_coding};
pub use look::{Heard, look};
pub use tunnel::Seat;
pub use upstream::{Fault, Patience};

use body::Upload;
use line::Passing;
use upstream::Upstream;

/// Holds our own mark, so that a request that comes back to us is known.
const MARK: HeaderName = HeaderName::from_static("x-halo-way");
/// The visitor's session, for the shop's own server.
const SESSION: HeaderName = HeaderName::from_static("x-halo-session");

/// Cheap to clone; all clones share the lines.
#[derive(Clone)]
pub struct Proxy {
    app: App,
    upstream: Arc<Upstream>,
    patience: Patience,
}

/// One request as its caller understands it.
pub struct Passage<'a> {
    /// Scheme, host and port of the shop behind us.
    pub to: &'a str,
    pub came: Came,
    /// Told to the shop where it is a page of a known visitor.
    pub session: Option<&'a str>,
    /// The tag's line for a page is to be put in: the page's host and the site's key.
    pub tag: Option<(&'a str, &'a str)>,
}

impl Proxy {
    pub fn new(app: App) -> Self {
        Self::with(app, Patience::default())
    }

    pub fn with(app: App, patience: Patience) -> Self {
        Self { app, upstream: Arc::new(Upstream::new(patience.connect)), patience }
    }

    /// Lets one exchange through. Never fails: where there is no answer it says so in the shop's place.
    pub async fn pass<B>(&self, passage: Passage<'_>, parts: Parts, body: B) -> Response<Served>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let answer = match self.exchange(passage, parts, body).await {
            Ok(answer) => answer,
            Err(fault) => {
                self.app.figures.add("proxy_faults", words::word(fault));
                words::answer(fault)
            }
        };
        let class = usize::from(answer.status().as_u16() / 100).min(5);
        self.app.figures.add("proxied", ["0xx", "1xx", "2xx", "3xx", "4xx", "5xx"][class]);
        answer
    }

    async fn exchange<B>(&self, passage: Passage<'_>, mut parts: Parts, body: B) -> Result<Response<Served>, Fault>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let mark = HeaderValue::from_str(&self.app.boot).map_err(|_| Fault::Broken)?;
        if parts.headers.get_all(&MARK).iter().any(|m| *m == mark) {
            return Err(Fault::Loop);
        }
        let visitor = parts.extensions.remove::<OnUpgrade>();
        let seat = parts.extensions.remove::<Seat>();
        let switch = headers::upgrade(&parts.headers).filter(|_| visitor.is_some());
        let is_switching = switch.is_some();
        let is_chunked = parts.headers.contains_key(header::TRANSFER_ENCODING);
        let waits = parts.headers.get(header::EXPECT).is_some_and(|e| e.as_bytes().eq_ignore_ascii_case(b"100-continue"));
        headers::to_upstream(&mut parts.headers, &passage.came, switch);
        parts.headers.insert(MARK, mark);
        if let Some(session) = passage.session.and_then(|s| HeaderValue::from_str(s).ok()) {
            parts.headers.insert(SESSION, session);
        }
        if passage.tag.is_some() {
            parts.headers.remove(header::ACCEPT_ENCODING);
        }
        let (open, gate) = if waits { open_later(self.patience.word) } else { (None, None) };
        let upload = Upload::new(body, self.patience.upload, gate);
        if is_chunked && !upload.is_empty() {
            // Said by us: a GET with chunks would else lose them.
            parts.headers.remove(header::CONTENT_LENGTH);
            parts.headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        let progress = upload.progress();
        let mut request = Request::new(upload);
        *request.method_mut() = parts.method.clone();
        // Path and query as they came, to the byte.
        *request.uri_mut() = parts.uri;
        *request.version_mut() = Version::HTTP_11;
        *request.headers_mut() = parts.headers;
        if let Some(open) = open {
            hyper::ext::on_informational(&mut request, move |said| {
                if said.status() == StatusCode::CONTINUE {
                    open.open();
                }
            });
        }
        let answer = tokio::select! {
            answer = self.upstream.ask(passage.to, request) => answer,
            () = progress.silence(self.patience.answer) => Err(Fault::Silent),
        };
        let mut answer = answer.map_err(|fault| if progress.has_stalled() { Fault::Slow } else { fault })?;
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            let Some(visitor) = visitor.filter(|_| is_switching) else { return Err(Fault::Broken) };
            let upstream = hyper::upgrade::on(&mut answer);
            tunnel::begin(self.app.clone(), visitor, upstream, seat, self.patience.tunnel);
            let (head, body) = answer.into_parts();
            body.let_go();
            let mut switched = Response::from_parts(head, Served::Words(None));
            headers::to_visitor(switched.headers_mut(), true);
            return Ok(switched);
        }
        if !is_plain_coding(answer.headers()) {
            return Err(Fault::Broken);
        }
        headers::to_visitor(answer.headers_mut(), false);
        *answer.version_mut() = Version::HTTP_11;
        Ok(served(answer, passage.tag, &parts.method))
    }
}

fn served(mut answer: Response<Passing>, tag: Option<(&str, &str)>, method: &Method) -> Response<Served> {
    let Some((host, key)) = tag.filter(|_| method == Method::GET && tag::may_change(&answer)) else { return answer.map(Served::Passed) };
    let nonce = policy::of_headers(answer.headers()).map(str::to_owned);
    let line = tag::Line { host: host.to_owned(), site_key: key.to_owned(), nonce };
    tag::forget_length(answer.headers_mut());
    answer.map(|body| Served::Tagged(Box::new(tag::Tagged::new(body, line))))
}

/// What the upstream's word opens.
struct Gate(std::sync::Mutex<Option<oneshot::Sender<()>>>);

impl Gate {
    fn open(&self) {
        self.0.lock().unwrap_or_else(|e| e.into_inner()).take();
    }
}

/// A body that waits for the upstream's word, but not for ever: many servers know nothing of it.
fn open_later(longest: std::time::Duration) -> (Option<Arc<Gate>>, Option<oneshot::Receiver<()>>) {
    let (sender, receiver) = oneshot::channel();
    let gate = Arc::new(Gate(std::sync::Mutex::new(Some(sender))));
    let late = gate.clone();
    tokio::spawn(async move {
        tokio::time::sleep(longest).await;
        late.open();
    });
    (Some(gate), Some(receiver))
}

/// A page's headers, for whoever judges what it was.
pub fn is_page_answer<B>(answer: &Response<B>) -> bool {
    navigation::is_page_answer(answer.status(), answer.headers())
}

/// Whether a request is refused before anything is asked of a shop: it could be read in two ways.
pub fn is_doubtful(parts: &Parts) -> bool {
    let is_absolute = parts.uri.scheme().is_some() || parts.uri.authority().is_some();
    is_absolute || !parts.uri.path().starts_with('/') || !is_plain_coding(&parts.headers) || has_two_lengths(&parts.headers)
}

fn has_two_lengths(headers: &HeaderMap) -> bool {
    headers.contains_key(header::TRANSFER_ENCODING) && headers.contains_key(header::CONTENT_LENGTH)
}
