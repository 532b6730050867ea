//! What a visitor is told where the shop does not answer: the truth, in a page of few words.

use bytes::Bytes;
use hyper::header::{self, HeaderValue};
use hyper::{Response, StatusCode};

use super::body::Served;
use super::upstream::Fault;

/// An answer of ours in place of the shop's.
pub fn answer(fault: Fault) -> Response<Served> {
    let (status, title, sentence) = match fault {
        Fault::Refused => (StatusCode::BAD_GATEWAY, "The shop does not answer", "Its server cannot be reached just now."),
        Fault::Broken => (StatusCode::BAD_GATEWAY, "The shop does not answer", "Its server broke off before it had answered."),
        Fault::Silent => (StatusCode::GATEWAY_TIMEOUT, "The shop takes too long", "Its server has not answered in time."),
        Fault::Slow => (StatusCode::REQUEST_TIMEOUT, "Nothing came", "What was to be sent did not arrive."),
        Fault::Loop => (StatusCode::LOOP_DETECTED, "This leads in a circle", "The shop's address leads back to where it began."),
    };
    let remedy = if fault == Fault::Loop { "" } else { " Try again in a moment." };
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><h1>{title}</h1><p>{sentence}{remedy}</p></html>\n"
    );
    let mut answer = Response::new(Served::Words(Some(Bytes::from(page))));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if matches!(fault, Fault::Slow) {
        // The rest of the body may still come; nobody would know where the next request begins.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

/// The word under which it is counted.
pub fn word(fault: Fault) -> &'static str {
    match fault {
        Fault::Refused => "refused",
        Fault::Broken => "broken",
        Fault::Silent => "silent",
        Fault::Slow => "slow_visitor",
        Fault::Loop => "loop",
    }
}
