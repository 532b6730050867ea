//! What is a page that somebody opens: by its request, and by its answer.

use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, StatusCode};

use crate::domain::device::{EARLY, may_be_prefetch};

/// Asked for as a page, to be looked at now.
pub fn is_page_request(method: &Method, headers: &HeaderMap) -> bool {
    if method != Method::GET || headers.contains_key(header::UPGRADE) {
        return false;
    }
    let is_early = EARLY.iter().any(|name| word(headers.get(*name)).is_some_and(may_be_prefetch));
    let is_page = match word(headers.get("sec-fetch-dest")) {
        Some(dest) => dest.eq_ignore_ascii_case("document"),
        None => word(headers.get(header::ACCEPT)).is_some_and(|accept| accept.to_ascii_lowercase().contains("text/html")),
    };
    is_page && !is_early
}

/// Answered as a page. What a browser opens that is no page (a picture, a file to save) says so by its type.
pub fn is_page_answer(status: StatusCode, headers: &HeaderMap) -> bool {
    if status.is_redirection() {
        return true;
    }
    let is_saved =
        word(headers.get(header::CONTENT_DISPOSITION)).is_some_and(|d| d.trim_start().to_ascii_lowercase().starts_with("attachment"));
    // No content, the form once more, a part: none of them is a page that was opened.
    let is_whole = !matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::PARTIAL_CONTENT);
    status.is_success()
        && is_whole
        && !is_saved
        && headers.get(header::CONTENT_TYPE).is_none_or(|kind| is_html(kind) || is_of(kind, "application/xhtml+xml"))
}

/// A page as most are. One of XML is read by other rules, and shows nothing at all where one of them is broken.
pub fn is_html(content_type: &HeaderValue) -> bool {
    is_of(content_type, "text/html")
}

fn is_of(content_type: &HeaderValue, kind: &str) -> bool {
    content_type.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(kind)
}

fn word(value: Option<&HeaderValue>) -> Option<&str> {
    value.and_then(|v| v.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderName;

    fn map(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_page_is_asked_for_by_a_person_and_now() {
        let check = |method: Method, lines: &[(&'static str, &'static str)], want: bool| {
            assert_eq!(is_page_request(&method, &map(lines)), want, "{method} {lines:?}");
        };
        check(Method::GET, &[("sec-fetch-dest", "document")], true);
        check(Method::GET, &[("accept", "text/html,application/xhtml+xml,*/*;q=0.8")], true);
        check(Method::GET, &[("accept", "*/*")], false);
        check(Method::GET, &[], false);
        check(Method::HEAD, &[("sec-fetch-dest", "document")], false);
        check(Method::POST, &[("sec-fetch-dest", "document")], false);
        check(Method::GET, &[("sec-fetch-dest", "empty"), ("accept", "text/html")], false);
        check(Method::GET, &[("sec-fetch-dest", "iframe"), ("accept", "text/html")], false);
        check(Method::GET, &[("sec-fetch-dest", "image")], false);
        check(Method::GET, &[("sec-fetch-dest", "document"), ("sec-purpose", "prefetch;prerender")], false);
        check(Method::GET, &[("sec-fetch-dest", "document"), ("purpose", "prefetch")], false);
        check(Method::GET, &[("accept", "text/html"), ("x-moz", "prefetch")], false);
        check(Method::GET, &[("accept", "text/html"), ("x-purpose", "preview")], false);
        check(Method::GET, &[("accept", "text/html"), ("upgrade", "websocket")], false);
    }

    #[test]
    fn a_page_is_answered_as_one() {
        let check = |status: u16, lines: &[(&'static str, &'static str)], want: bool| {
            let status = StatusCode::from_u16(status).expect("a status");
            assert_eq!(is_page_answer(status, &map(lines)), want, "{status} {lines:?}");
        };
        check(200, &[("content-type", "text/html; charset=utf-8")], true);
        check(200, &[("content-type", "application/xhtml+xml")], true);
        check(200, &[], true);
        check(304, &[], true);
        check(302, &[("location", "/b"), ("content-type", "text/plain")], true);
        check(200, &[("content-type", "image/png")], false);
        check(200, &[("content-type", "application/pdf")], false);
        check(200, &[("content-type", "text/html"), ("content-disposition", "attachment; filename=a.html")], false);
        check(201, &[("content-type", "text/html")], true);
        check(204, &[], false);
        check(205, &[("content-type", "text/html")], false);
        check(206, &[("content-type", "text/html")], false);
        check(404, &[("content-type", "text/html")], false);
        check(500, &[("content-type", "text/html")], false);
    }
}
