//! From bytes and headers to an `Ask`. What is refused here never reaches a route.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, Version, header};
use http_body_util::{BodyExt, Limited};

use super::host;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::proxy;
use crate::wire::Headers;

/// A body that has not come by then does not come.
const BODY_TIME: Duration = Duration::from_secs(10);
/// More parameters than this nobody sends by accident.
const MOST_PARAMETERS: usize = 500;
/// Bodies larger than this take of the common room while they come, so that strangers who send slowly cannot fill the
/// memory.
const SMALL_BODY: usize = 64 * 1024;
/// In KiB: 32 of the largest bodies at once.
static ROOM: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(64 * 1024);
/// What a refused sender may still send, so that it reads our answer instead of a broken connection.
const MOST_DRAINED: usize = 16 * 1024 * 1024;
const DRAIN_TIME: Duration = Duration::from_secs(3);

/// Of how a page is fetched, not of who comes from where.
static SAY_NOTHING: [HeaderName; 9] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::CACHE_CONTROL,
    header::CONNECTION,
    header::HOST,
    header::UPGRADE_INSECURE_REQUESTS,
    HeaderName::from_static("sec-fetch-dest"),
    HeaderName::from_static("sec-fetch-mode"),
    HeaderName::from_static("sec-fetch-site"),
];

/// What is known of a request before its route is.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// None until they are read: of what only passes nothing is copied.
    pub headers: Headers,
    pub peer: IpAddr,
    pub is_peer_trusted: bool,
    pub client: IpAddr,
    /// Lower case, without port.
    pub host: String,
    /// As sent, for comparing with an Origin.
    pub host_header: String,
    pub is_https: bool,
    /// The sender waits for a word before it sends its body: a refusal spares it that.
    pub waits: bool,
    /// Empty for what only passes.
    pub request_id: String,
}

impl Arrival {
    pub fn of(parts: &Parts, peer: SocketAddr, config: &Config) -> Self {
        let peer = peer.ip();
        let is_peer_trusted = host::is_trusted(peer, &config.trusted_proxies);
        let lines: Vec<Cow<str>> = parts.headers.get_all("x-forwarded-for").iter().map(text).collect();
        let client = host::client(peer, lines.iter().map(AsRef::as_ref), &config.trusted_proxies);
        // An absolute address in the request line wins over the Host header (RFC 9112, 3.2.2).
        let host_header = match parts.uri.authority() {
            Some(authority) => authority.as_str().to_owned(),
            None => parts.headers.get(header::HOST).map(text).unwrap_or_default().into_owned(),
        };
        let host = host::without_port(&host_header);
        let proto = parts.headers.get_all("x-forwarded-proto").iter().next_back().map(text);
        let proto = proto.as_deref().and_then(|v| v.rsplit(',').next()).map(str::trim);
        let is_https = is_peer_trusted && proto.is_some_and(|p| p.eq_ignore_ascii_case("https"));
        let waits = parts.headers.contains_key(header::EXPECT);
        let (headers, request_id) = (Headers(Vec::new()), String::new());
        Self { headers, peer, is_peer_trusted, client, host, host_header, is_https, waits, request_id }
    }

    /// Takes the headers along, whose names are lower case already.
    pub fn read(&mut self, parts: &Parts) {
        self.read_but(parts, &[]);
    }

    /// The same for a page that passes: without those of every browser that say nothing of a visit.
    pub fn read_visit(&mut self, parts: &Parts) {
        self.read_but(parts, &SAY_NOTHING);
    }

    fn read_but(&mut self, parts: &Parts, left_out: &[HeaderName]) {
        let taken = parts.headers.iter().filter(|(name, _)| !left_out.contains(name));
        self.headers = Headers(taken.map(|(name, value)| (name.as_str().to_owned(), text(value).into_owned())).collect());
    }
}

/// Bytes that are no UTF-8 are replaced, not refused: a user agent may hold them.
fn text(value: &HeaderValue) -> Cow<'_, str> {
    match value.to_str() {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(value.as_bytes()),
    }
}

/// Requests that no route should have to think about.
pub fn check(parts: &Parts, arrival: &Arrival) -> Result<()> {
    check_head(parts, arrival)?;
    check_path(parts.uri.path())
}

/// Requests for a shop behind us: its addresses are its own, to the byte, but none may be readable in two ways.
pub fn check_passing(parts: &Parts, arrival: &Arrival) -> Result<()> {
    check_head(parts, arrival)?;
    if proxy::is_doubtful(parts) {
        return Err(bad("Send a path that begins with a slash, and a body as it is or in chunks."));
    }
    Ok(())
}

fn check_head(parts: &Parts, arrival: &Arrival) -> Result<()> {
    if matches!(parts.method, Method::TRACE | Method::CONNECT) {
        return Err(Error::new(Kind::Invalid, "method_not_allowed", "This method is not served here."));
    }
    if parts.version >= Version::HTTP_11 && arrival.host_header.is_empty() || parts.headers.get_all(header::HOST).iter().count() > 1 {
        return Err(bad("Send exactly one Host header."));
    }
    if !host::is_plain(arrival.host_header.trim()) {
        return Err(bad("Send a Host header with a name, and digits where it has a port."));
    }
    if parts.headers.contains_key(header::TRANSFER_ENCODING) && parts.headers.contains_key(header::CONTENT_LENGTH) {
        return Err(bad("Send either Content-Length or Transfer-Encoding."));
    }
    Ok(())
}

/// One address has one spelling: what hides slashes and dots is not normalised and not redirected.
fn check_path(path: &str) -> Result<()> {
    let raw = path.as_bytes();
    if raw.first() != Some(&b'/') {
        return Err(bad("The path begins with a slash."));
    }
    if path.contains("//") || path.split('/').any(|segment| segment == "." || segment == "..") {
        return Err(unknown_path());
    }
    for (place, byte) in raw.iter().enumerate() {
        match byte {
            b'%' => {
                let code = raw.get(place + 1..place + 3).and_then(|two| std::str::from_utf8(two).ok());
                let code =
                    code.and_then(|two| u8::from_str_radix(two, 16).ok()).ok_or_else(|| bad("A % in the path wants two hex digits."))?;
                match code {
                    0..=0x1f | 0x7f | b'\\' => return Err(bad("The path holds a character that none may hold.")),
                    b'/' | b'.' => return Err(unknown_path()),
                    _ => {}
                }
            }
            b'\\' => return Err(bad("The path holds a backslash.")),
            _ => {}
        }
    }
    Ok(())
}

/// The same words for a path that does not exist and one that does not exist on this host.
pub fn unknown_path() -> Error {
    Error::not_found("There is nothing at this address. The API is described at /api/docs.")
}

fn bad(message: &str) -> Error {
    Error::new(Kind::Invalid, "bad_request", message)
}

/// Pairs of a query; what is badly encoded is kept as it stands.
pub fn query(text: &str) -> Result<Vec<(String, String)>> {
    let pairs: Vec<(String, String)> =
        url::form_urlencoded::parse(text.as_bytes()).take(MOST_PARAMETERS + 1).map(|(n, v)| (n.into_owned(), v.into_owned())).collect();
    if pairs.len() > MOST_PARAMETERS {
        return Err(bad("At most 500 query parameters."));
    }
    Ok(pairs)
}

pub fn check_encoding(headers: &Headers) -> Result<()> {
    match headers.get("content-encoding") {
        Some(word) if !word.trim().is_empty() && !word.trim().eq_ignore_ascii_case("identity") => {
            Err(Error::new(Kind::Invalid, "compressed_body", "Send the body uncompressed."))
        }
        _ => Ok(()),
    }
}

/// The whole body, if it is no larger than `most` bytes and comes in time.
pub async fn collect(body: Body, most: usize, waits: bool) -> Result<Bytes> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    if body.size_hint().lower() > most as u64 {
        drain(body, waits).await;
        return Err(too_large(most));
    }
    let largest = body.size_hint().upper().map_or(most, |upper| most.min(usize::try_from(upper).unwrap_or(most)));
    let _room = match u32::try_from(largest / 1024) {
        Ok(kib) if largest > SMALL_BODY => match ROOM.try_acquire_many(kib) {
            Ok(room) => Some(room),
            Err(_) => {
                drain(body, waits).await;
                return Err(
                    Error::new(Kind::Unavailable, "busy", "Too many large bodies at once. Send it again in a few seconds.").after(5)
                );
            }
        },
        _ => None,
    };
    let mut limited = Limited::new(body, most);
    let whole = async {
        let mut chunks: Vec<Bytes> = Vec::new();
        while let Some(frame) = limited.frame().await {
            match frame {
                Ok(frame) => {
                    if let Ok(data) = frame.into_data() {
                        chunks.push(data);
                    }
                }
                Err(e) if e.is::<http_body_util::LengthLimitError>() => return Err(too_large(most)),
                Err(e) => return Err(bad("The body ended early or was badly framed.").caused(e)),
            }
        }
        Ok(joined(chunks))
    };
    match tokio::time::timeout(BODY_TIME, whole).await {
        Ok(whole) => whole,
        Err(_) => Err(Error::new(Kind::Invalid, "slow_body", "The body did not come within 10 seconds.")),
    }
}

/// Reads on without keeping anything. Closing while the other end still writes would lose the answer on its way.
pub async fn drain(mut body: Body, waits: bool) {
    if waits || body.is_end_stream() {
        return;
    }
    let rest = async {
        let mut seen = 0;
        while let Some(Ok(frame)) = body.frame().await {
            seen += frame.data_ref().map_or(0, Bytes::len);
            if seen > MOST_DRAINED {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(DRAIN_TIME, rest).await;
}

fn joined(mut chunks: Vec<Bytes>) -> Bytes {
    match chunks.len() {
        0 => Bytes::new(),
        1 => chunks.swap_remove(0),
        _ => chunks.concat().into(),
    }
}

fn too_large(most: usize) -> Error {
    let limit = if most >= 1024 * 1024 { format!("{} MiB", most / (1024 * 1024)) } else { format!("{} KiB", most / 1024) };
    Error::new(Kind::Invalid, "body_too_large", format!("Limit {limit}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_spelling() {
        let code = |path: &str| check_path(path).err().map(|e| e.code);
        for good in ["/", "/api/me", "/l/a%20b", "/in/forms/abc-_", "/dashboard/a.b"] {
            assert_eq!(code(good), None, "{good}");
        }
        for hidden in ["//", "/a//b", "/a/%2e%2e/b", "/a%2Fb", "/./a", "/a/..", "/%2E/"] {
            assert_eq!(code(hidden), Some("not_found"), "{hidden}");
        }
        for bad in ["/a%00", "/a%0d%0a", "/a%5cb", "/a\\b", "/a%", "/a%4", "/a%zz", "*"] {
            assert_eq!(code(bad), Some("bad_request"), "{bad}");
        }
    }

    #[test]
    fn a_badly_encoded_query_is_kept_as_it_stands() {
        let got = query("a=1+2&b=%zz&c=%ff&d&a=%E2%82%AC").expect("few parameters");
        let want = [("a", "1 2"), ("b", "%zz"), ("c", "\u{fffd}"), ("d", ""), ("a", "€")];
        assert_eq!(got, want.map(|(n, v)| (n.to_owned(), v.to_owned())));
        assert!(query(&"a&".repeat(501)).is_err());
    }

    #[test]
    fn a_limit_is_named_in_the_unit_it_is_set_in() {
        assert_eq!(too_large(16 * 1024).message, "Limit 16 KiB.");
        assert_eq!(too_large(2 * 1024 * 1024).message, "Limit 2 MiB.");
    }
}
