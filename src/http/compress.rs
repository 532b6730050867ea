//! Answers to the dashboard's questions, compressed: a ledger of a year is mostly the same words again and again. Streams
//! and small answers go as they are.

use std::io::Write;

use axum::body::{Body, HttpBody};
use axum::http::{HeaderValue, Response, header};
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::BodyExt;

use crate::wire::Headers;

/// Below this the header costs more than is saved.
const LEAST: u64 = 1_024;
/// Above this it is an export, which streams.
const MOST: u64 = 4 * 1024 * 1024;

pub fn is_wanted(headers: &Headers) -> bool {
    headers.all("accept-encoding").flat_map(|line| line.split(',')).any(|word| {
        let mut parts = word.trim().split(';');
        parts.next() == Some("gzip") && !parts.any(|p| p.trim() == "q=0")
    })
}

/// The answer, compressed if it is JSON or a page of a known and fitting length.
pub async fn shrunk(response: Response<Body>) -> Response<Body> {
    let kinds: [&[u8]; 2] = [b"application/json", b"text/html"];
    let is_text = response.headers().get(header::CONTENT_TYPE).is_some_and(|t| kinds.iter().any(|k| t.as_bytes().starts_with(k)));
    let fits = response.body().size_hint().exact().is_some_and(|n| (LEAST..=MOST).contains(&n));
    if !is_text || !fits || response.headers().contains_key(header::CONTENT_ENCODING) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(whole) = body.collect().await else { return Response::from_parts(parts, Body::empty()) };
    let plain = whole.to_bytes();
    let mut packer = GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::fast());
    let packed = packer.write_all(&plain).and_then(|()| packer.finish());
    match packed {
        Ok(packed) => {
            parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            parts.headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
            parts.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(parts, Body::from(packed))
        }
        Err(_) => Response::from_parts(parts, Body::from(plain)),
    }
}
