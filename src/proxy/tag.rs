//! The tag, put into a page while it streams through. A page that is packed, cut, already changed by nobody's leave, or in
//! letters that cannot be read byte by byte is left as it is.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Response, StatusCode};

use super::navigation::is_html;
use super::place::{Found, Seeker};

/// Encodings in which a `<` may be half of another letter.
const UNREADABLE: [&str; 5] = ["utf-16", "utf-32", "utf-7", "iso-2022", "hz-gb"];
/// Sums over the body as the upstream wrote it.
const SUMS: [&str; 4] = ["content-md5", "digest", "content-digest", "repr-digest"];

/// May the tag be put into this answer?
pub fn may_change<B>(answer: &Response<B>) -> bool {
    let headers = answer.headers();
    let says = |name: header::HeaderName, word: &str| {
        headers.get_all(name).iter().filter_map(|v| v.to_str().ok()).any(|v| v.to_ascii_lowercase().contains(word))
    };
    let is_packed = headers.get(header::CONTENT_ENCODING).is_some_and(|v| !v.as_bytes().eq_ignore_ascii_case(b"identity"));
    answer.status() == StatusCode::OK
        && headers.get(header::CONTENT_TYPE).is_some_and(|kind| is_html(kind) && is_readable(kind))
        && !is_packed
        && !says(header::CACHE_CONTROL, "no-transform")
        && !says(header::CONTENT_DISPOSITION, "attachment")
}

fn is_readable(content_type: &HeaderValue) -> bool {
    let text = content_type.to_str().unwrap_or_default().to_ascii_lowercase();
    let charset = text.split("charset=").nth(1).unwrap_or_default().trim_matches(['"', '\'', ' ']);
    !UNREADABLE.iter().any(|name| charset.starts_with(name))
}

/// What the line that goes in is made of.
pub struct Line {
    /// The page's own, with its port.
    pub host: String,
    pub site_key: String,
    /// The word by which the answer's policy lets scripts run.
    pub nonce: Option<String>,
}

impl Line {
    /// `in_page` is the word of a policy in the page itself.
    fn text(&self, in_page: Option<&str>) -> Bytes {
        let nonce = self.nonce.as_deref().or(in_page).map(|nonce| format!(" nonce=\"{}\"", escaped(nonce))).unwrap_or_default();
        let (host, site_key) = (escaped(&self.host), escaped(&self.site_key));
        // With its host: a <base> in the page would lead a bare path elsewhere.
        Bytes::from(format!("<script defer src=\"//{host}/t.js\" data-site=\"{site_key}\"{nonce}></script>"))
    }
}

/// As it may stand between double quotes: whatever was let in, nothing of it is markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}

/// What holds for the body no longer, once it is changed.
pub fn forget_length(headers: &mut HeaderMap) {
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::ACCEPT_RANGES);
    for name in SUMS {
        headers.remove(name);
    }
    // The same page, but not to the byte (RFC 9110, 8.8.1).
    let weak =
        headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()).filter(|tag| !tag.starts_with("W/")).map(|tag| format!("W/{tag}"));
    if let Some(weak) = weak.and_then(|tag| HeaderValue::from_str(&tag).ok()) {
        headers.insert(header::ETAG, weak);
    }
}

/// A page with the tag in it.
pub struct Tagged<B> {
    inner: B,
    seeker: Seeker,
    line: Line,
    ready: VecDeque<Bytes>,
    last: Option<Frame<Bytes>>,
    has_ended: bool,
}

impl<B> Tagged<B> {
    pub fn new(inner: B, line: Line) -> Self {
        Self { inner, seeker: Seeker::default(), line, ready: VecDeque::new(), last: None, has_ended: false }
    }

    fn put(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.ready.push_back(piece);
        }
    }

    fn put_line(&mut self) {
        let line = self.line.text(self.seeker.nonce());
        self.put(line);
    }

    fn end(&mut self) {
        let (rest, is_here) = self.seeker.end();
        self.put(rest);
        if is_here {
            self.put_line();
        }
        self.has_ended = true;
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Tagged<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        loop {
            if let Some(piece) = this.ready.pop_front() {
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            if this.has_ended {
                return Poll::Ready(this.last.take().map(Ok));
            }
            match ready!(Pin::new(&mut this.inner).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(piece) => match this.seeker.feed(piece) {
                        Found::Not(piece) => this.put(piece),
                        Found::Here(before, after) => {
                            this.put(before);
                            this.put_line();
                            this.put(after);
                        }
                    },
                    Err(trailers) => {
                        this.last = Some(trailers);
                        this.end();
                    }
                },
                Some(Err(e)) => return Poll::Ready(Some(Err(e))),
                None => this.end(),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        let is_empty = self.ready.is_empty() && self.last.is_none() && self.seeker.wants_nothing();
        is_empty && (self.has_ended || self.inner.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{BodyExt, Full};

    fn page(lines: &[(&str, &str)]) -> Response<()> {
        let mut answer = Response::builder().status(200);
        for (name, value) in lines {
            answer = answer.header(*name, *value);
        }
        answer.body(()).expect("an answer")
    }

    #[test]
    fn pages_that_can_be_read_are_changed() {
        let check = |lines: &[(&str, &str)], want: bool| assert_eq!(may_change(&page(lines)), want, "{lines:?}");
        check(&[("content-type", "text/html")], true);
        check(&[("content-type", "text/html; charset=UTF-8")], true);
        check(&[("content-type", "text/html; charset=\"windows-1251\"")], true);
        check(&[("content-type", "text/html"), ("content-encoding", "identity")], true);
        check(&[("content-type", "text/html; charset=utf-16le")], false);
        check(&[("content-type", "text/html; charset=ISO-2022-JP")], false);
        check(&[("content-type", "text/html"), ("content-encoding", "gzip")], false);
        check(&[("content-type", "text/html"), ("cache-control", "public, No-Transform")], false);
        check(&[("content-type", "text/html"), ("content-disposition", "attachment")], false);
        check(&[("content-type", "application/json")], false);
        check(&[("content-type", "application/xhtml+xml; charset=utf-8")], false);
        check(&[], false);
        let mut part = page(&[("content-type", "text/html")]);
        *part.status_mut() = StatusCode::PARTIAL_CONTENT;
        assert!(!may_change(&part));
    }

    fn line(nonce: Option<&str>) -> Line {
        Line { host: "shop.example".into(), site_key: "k1".into(), nonce: nonce.map(str::to_owned) }
    }

    #[test]
    fn the_line_carries_the_policys_word() {
        assert_eq!(line(None).text(None), "<script defer src=\"//shop.example/t.js\" data-site=\"k1\"></script>");
        let with = |nonce: &str| format!("<script defer src=\"//shop.example/t.js\" data-site=\"k1\" nonce=\"{nonce}\"></script>");
        assert_eq!(line(Some("abc")).text(Some("def")), with("abc"));
        assert_eq!(line(None).text(Some("def")), with("def"));
    }

    #[test]
    fn nothing_in_the_line_is_markup() {
        let line = Line { host: "shop.example:80\"><svg onload=a&b>".into(), site_key: "k1".into(), nonce: Some("a\"b".into()) };
        let want = "<script defer src=\"//shop.example:80&quot;&gt;&lt;svg onload=a&amp;b&gt;/t.js\" data-site=\"k1\" nonce=\"a&quot;b\"></script>";
        assert_eq!(line.text(None), want);
    }

    #[test]
    fn a_changed_page_promises_no_length() {
        let mut answer = page(&[("content-length", "5"), ("etag", "\"a\""), ("accept-ranges", "bytes"), ("digest", "x"), ("date", "d")]);
        forget_length(answer.headers_mut());
        let mut names: Vec<&str> = answer.headers().keys().map(|n| n.as_str()).collect();
        names.sort_unstable();
        assert_eq!((names, answer.headers()["etag"].to_str().ok()), (vec!["date", "etag"], Some("W/\"a\"")));
    }

    #[tokio::test]
    async fn the_line_goes_in_once_and_the_rest_stays() {
        let line_text = String::from_utf8_lossy(&line(None).text(None)).into_owned();
        let check = async |page: &'static str| {
            let tagged = Tagged::new(Full::new(Bytes::from(page.replace("[TAG]", ""))), line(None));
            let got = tagged.collect().await.expect("a body").to_bytes();
            assert_eq!(got, page.replace("[TAG]", &line_text));
        };
        check("<html><head>[TAG]</head><body></head></body></html>").await;
        check("cut off <").await;
        check("<!doctype html><p>no end[TAG]").await;
        check("").await;
    }
}
