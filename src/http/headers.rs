//! The headers that every answer carries, by what it is: a page, data, or something for other people's pages.

use axum::body::Body;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Response};

/// For pages of the dashboard: nothing inline, nothing from elsewhere, no frame around it.
const PAGE: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
                    form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";
/// For data: a browser that opens it may load and run nothing.
const DATA: &str = "default-src 'none'; frame-ancestors 'none'";
/// A year, once https has been seen to work.
const HSTS: &str = "max-age=31536000";

const PERMISSIONS: &str = "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=()";

/// The policy of a page that these origins may hold in a frame. They have been read as origins and nothing else.
pub fn framed_by(origins: &[String]) -> String {
    PAGE.replace("frame-ancestors 'none'", &format!("frame-ancestors {}", origins.join(" ")))
}

/// Puts in what the handler has not said itself.
pub fn complete(response: &mut Response<Body>, request_id: &str, is_https: bool, is_own_host: bool) {
    let headers = response.headers_mut();
    let is_page = headers.get(header::CONTENT_TYPE).is_some_and(|t| t.as_bytes().starts_with(b"text/html"));
    put(headers, header::CONTENT_SECURITY_POLICY, if is_page { PAGE } else { DATA });
    put(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(headers, header::REFERRER_POLICY, "no-referrer");
    put(headers, header::CACHE_CONTROL, "no-store");
    put(headers, HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    put(headers, HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    if is_page {
        put(headers, HeaderName::from_static("permissions-policy"), PERMISSIONS);
    }
    // On a shop's own host the shop decides about https.
    if is_https && is_own_host {
        put(headers, header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.entry(name).or_insert(HeaderValue::from_static(value));
}
