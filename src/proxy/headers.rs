//! Which headers go on and which end here (RFC 9110, 7.6.1), and what we say ourselves of where a request came from.

use std::net::IpAddr;

use hyper::HeaderMap;
use hyper::header::{self, HeaderName, HeaderValue};

/// Of one connection only, whether `Connection` lists them or not.
const HOPS: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("http2-settings"),
];
/// A list in `Connection` does not take these away: they say where the message goes and where it ends.
const KEPT: [HeaderName; 2] = [header::HOST, header::CONTENT_LENGTH];
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
/// Ours: nobody else's word is believed under it.
const OWN: &str = "x-halo-";

/// Where a request came from, as far as we know.
#[derive(Debug, Clone)]
pub struct Came {
    /// The other end of the connection.
    pub peer: IpAddr,
    /// Its own word on who stands before it is believed.
    pub is_peer_trusted: bool,
    /// The visitor.
    pub client: IpAddr,
    pub is_https: bool,
}

/// A change of protocol that a visitor asks for, such as `websocket`. Not to HTTP/2: what follows would be requests that
/// nobody here has looked at.
pub fn upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let wants = listed(headers, &header::CONNECTION).any(|word| word.eq_ignore_ascii_case("upgrade"));
    let to = headers.get(header::UPGRADE).filter(|_| wants)?;
    let is_http = to.to_str().ok()?.split(',').any(|word| word.trim().to_ascii_lowercase().starts_with("h2"));
    (!is_http).then(|| to.clone())
}

/// A body comes as it is or in chunks; any other coding would have to be understood to be passed on.
pub fn is_plain_coding(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(one), None) => one.as_bytes().eq_ignore_ascii_case(b"chunked"),
        _ => false,
    }
}

/// A visitor's headers as the upstream gets them.
pub fn to_upstream(headers: &mut HeaderMap, came: &Came, upgrade: Option<HeaderValue>) {
    let takes_trailers = listed(headers, &header::TE).any(|word| word.eq_ignore_ascii_case("trailers"));
    without_hops(headers);
    let doubted: Vec<HeaderName> = headers.keys().filter(|name| is_doubted(name.as_str(), came.is_peer_trusted)).cloned().collect();
    for name in doubted {
        headers.remove(name);
    }
    let mut way: Vec<String> = listed(headers, &FORWARDED_FOR).map(str::to_owned).collect();
    way.push(came.peer.to_string());
    put(headers, FORWARDED_FOR, &way.join(", "));
    put(headers, REAL_IP, &came.client.to_string());
    put(headers, FORWARDED_PROTO, if came.is_https { "https" } else { "http" });
    if !headers.contains_key(FORWARDED_HOST)
        && let Some(host) = headers.get(header::HOST).cloned()
    {
        headers.insert(FORWARDED_HOST, host);
    }
    if takes_trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("te"));
    }
    if let Some(to) = upgrade {
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, to);
    }
}

/// Says something that only we, or a peer that is believed, may say. A shop's server reads every other sign of a name as an
/// underscore (RFC 3875, 4.1.18: `X_Real_IP` is `HTTP_X_REAL_IP` too), and a trusted peer passes such a name on as the visitor
/// wrote it: under another spelling nobody is believed.
fn is_doubted(name: &str, is_peer_trusted: bool) -> bool {
    if reads_as(name, OWN) {
        return true;
    }
    let is_whole = |other: &str| name.len() == other.len() && reads_as(name, other);
    let is_of_the_way = reads_as(name, "x-forwarded-") || is_whole("forwarded") || is_whole(REAL_IP.as_str());
    is_of_the_way && (!is_peer_trusted || name.bytes().any(|b| b != b'-' && !b.is_ascii_alphanumeric()))
}

/// Begins with it, whatever signs stand for its dashes.
fn reads_as(name: &str, beginning: &str) -> bool {
    let is_alike = |(got, want): (u8, u8)| got == want || (want == b'-' && !got.is_ascii_alphanumeric());
    name.len() >= beginning.len() && name.bytes().zip(beginning.bytes()).all(is_alike)
}

/// The upstream's headers as the visitor gets them. `is_switch` is an answer that changes the protocol.
pub fn to_visitor(headers: &mut HeaderMap, is_switch: bool) {
    let to = headers.get(header::UPGRADE).filter(|_| is_switch).cloned();
    // Where both are said the chunks are right (RFC 9112, 6.3), and the length must not be told on.
    if headers.contains_key(header::TRANSFER_ENCODING) {
        headers.remove(header::CONTENT_LENGTH);
    }
    without_hops(headers);
    if is_switch {
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        if let Some(to) = to {
            headers.insert(header::UPGRADE, to);
        }
    }
}

fn without_hops(headers: &mut HeaderMap) {
    if headers.contains_key(header::CONNECTION) {
        let named: Vec<HeaderName> = listed(headers, &header::CONNECTION).filter_map(|word| word.parse().ok()).collect();
        for name in named.iter().filter(|name| !KEPT.contains(name)) {
            headers.remove(name);
        }
    }
    for name in &HOPS {
        headers.remove(name);
    }
}

/// The words of a list that may stand in several lines.
fn listed<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|word| !word.is_empty())
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // Addresses and fixed words: there is nothing in them that a header may not hold.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(lines: &[(&str, &str)]) -> HeaderMap {
        let pair =
            |(name, value): &(&str, &str)| (name.parse::<HeaderName>().expect("a name"), value.parse::<HeaderValue>().expect("a value"));
        lines.iter().map(pair).collect()
    }

    fn text(headers: &HeaderMap) -> Vec<String> {
        let mut all: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or_default())).collect();
        all.sort();
        all
    }

    fn came(peer: &str, is_peer_trusted: bool) -> Came {
        let peer = peer.parse().expect("an address");
        Came { peer, is_peer_trusted, client: peer, is_https: false }
    }

    #[test]
    fn what_is_of_one_connection_ends_here() {
        let mut headers = map(&[
            ("host", "shop.example"),
            ("connection", "close, X-Secret, host, Content-Length, te"),
            ("connection", "keep-alive"),
            ("keep-alive", "timeout=5"),
            ("x-secret", "1"),
            ("te", "gzip"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("http2-settings", "AAMAAABk"),
            ("proxy-authorization", "Basic eA=="),
            ("content-length", "3"),
            ("cookie", "a=b"),
        ]);
        to_upstream(&mut headers, &came("203.0.113.7", false), None);
        assert_eq!(
            text(&headers),
            [
                "content-length: 3",
                "cookie: a=b",
                "host: shop.example",
                "x-forwarded-for: 203.0.113.7",
                "x-forwarded-host: shop.example",
                "x-forwarded-proto: http",
                "x-real-ip: 203.0.113.7",
            ]
        );
    }

    #[test]
    fn only_a_trusted_peer_says_who_stands_before_it() {
        let said = [
            ("host", "shop.example"),
            ("x-forwarded-for", "8.8.8.8"),
            ("x-forwarded-for", "10.0.0.9"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "www.shop.example"),
            ("x-forwarded-port", "443"),
            ("forwarded", "for=8.8.8.8"),
            ("x-real-ip", "8.8.8.8"),
            ("x-halo-session", "somebody else's"),
        ];
        let mut believed = map(&said);
        let trusted = Came { client: "8.8.8.8".parse().expect("an address"), is_https: true, ..came("127.0.0.1", true) };
        to_upstream(&mut believed, &trusted, None);
        assert_eq!(
            text(&believed),
            [
                "forwarded: for=8.8.8.8",
                "host: shop.example",
                "x-forwarded-for: 8.8.8.8, 10.0.0.9, 127.0.0.1",
                "x-forwarded-host: www.shop.example",
                "x-forwarded-port: 443",
                "x-forwarded-proto: https",
                "x-real-ip: 8.8.8.8",
            ]
        );
        let mut doubted = map(&said);
        to_upstream(&mut doubted, &came("203.0.113.7", false), None);
        assert_eq!(
            text(&doubted),
            [
                "host: shop.example",
                "x-forwarded-for: 203.0.113.7",
                "x-forwarded-host: shop.example",
                "x-forwarded-proto: http",
                "x-real-ip: 203.0.113.7",
            ]
        );
    }

    #[test]
    fn under_another_spelling_nobody_is_believed() {
        let said = [
            ("host", "shop.example"),
            ("x_halo_session", "somebody else's"),
            ("x-halo_session", "somebody else's"),
            ("x.halo-session", "somebody else's"),
            ("x_forwarded_for", "8.8.8.8"),
            ("x-forwarded_for", "8.8.8.8"),
            ("x_forwarded_proto", "https"),
            ("x_real_ip", "8.8.8.8"),
            ("x_own", "kept"),
            ("x_forwarded", "kept"),
        ];
        for peer in [came("203.0.113.7", false), came("127.0.0.1", true)] {
            let mut headers = map(&said);
            to_upstream(&mut headers, &peer, None);
            assert_eq!(
                text(&headers),
                [
                    "host: shop.example".to_owned(),
                    format!("x-forwarded-for: {}", peer.peer),
                    "x-forwarded-host: shop.example".to_owned(),
                    "x-forwarded-proto: http".to_owned(),
                    format!("x-real-ip: {}", peer.peer),
                    "x_forwarded: kept".to_owned(),
                    "x_own: kept".to_owned(),
                ]
            );
        }
    }

    #[test]
    fn any_protocol_but_http_itself_may_be_changed_to() {
        let check = |lines: &[(&str, &str)], want: Option<&str>| {
            let got = upgrade(&map(lines));
            assert_eq!(got.as_ref().and_then(|v| v.to_str().ok()), want, "{lines:?}");
        };
        check(&[("connection", "keep-alive, Upgrade"), ("upgrade", "websocket")], Some("websocket"));
        check(&[("connection", "upgrade"), ("upgrade", "tus/1.0")], Some("tus/1.0"));
        check(&[("upgrade", "websocket")], None);
        check(&[("connection", "upgrade, http2-settings"), ("upgrade", "h2c")], None);
        check(&[("connection", "upgrade"), ("upgrade", "websocket, H2C")], None);
        let mut headers = map(&[("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-key", "k")]);
        let to = upgrade(&headers);
        to_upstream(&mut headers, &came("203.0.113.7", false), to);
        assert_eq!(
            (&headers["connection"], &headers["upgrade"]),
            (&HeaderValue::from_static("upgrade"), &HeaderValue::from_static("websocket"))
        );
    }

    #[test]
    fn an_answer_has_one_way_to_tell_its_length() {
        let mut headers = map(&[("content-length", "5"), ("transfer-encoding", "chunked"), ("connection", "close, x-hop"), ("x-hop", "1")]);
        to_visitor(&mut headers, false);
        assert_eq!(text(&headers), Vec::<String>::new());
        let mut headers = map(&[("content-length", "5"), ("trailer", "x-sum"), ("upgrade", "h2,h2c"), ("server", "s")]);
        to_visitor(&mut headers, false);
        assert_eq!(text(&headers), ["content-length: 5", "server: s", "trailer: x-sum"]);
        let mut headers = map(&[("connection", "upgrade"), ("upgrade", "websocket"), ("sec-websocket-accept", "a")]);
        to_visitor(&mut headers, true);
        assert_eq!(text(&headers), ["connection: upgrade", "sec-websocket-accept: a", "upgrade: websocket"]);
    }

    #[test]
    fn codings_that_would_have_to_be_understood_are_known() {
        let check = |lines: &[&str], want: bool| {
            let lines: Vec<(&str, &str)> = lines.iter().map(|v| ("transfer-encoding", *v)).collect();
            assert_eq!(is_plain_coding(&map(&lines)), want, "{lines:?}");
        };
        check(&[], true);
        check(&["chunked"], true);
        check(&["Chunked"], true);
        check(&["gzip, chunked"], false);
        check(&["chunked", "chunked"], false);
        check(&["identity"], false);
    }

    #[test]
    fn a_visitor_who_takes_trailers_gets_them() {
        let mut headers = map(&[("te", "trailers, deflate"), ("connection", "TE")]);
        to_upstream(&mut headers, &came("203.0.113.7", false), None);
        assert_eq!((&headers["te"], &headers["connection"]), (&HeaderValue::from_static("trailers"), &HeaderValue::from_static("te")));
    }
}
