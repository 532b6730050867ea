//! Answers: the only table from errors to statuses, and the shapes in which paths refuse.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

use super::route::Shape;
use crate::error::{Error, Kind, Result};

/// What a handler gives back.
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Body,
}

impl Reply {
    pub fn json(value: &impl Serialize) -> Result<Self> {
        Self::json_with(200, value)
    }

    pub fn json_with(status: u16, value: &impl Serialize) -> Result<Self> {
        let text = serde_json::to_vec(value).map_err(Error::internal)?;
        Ok(Self { status, headers: vec![("content-type", "application/json".into())], body: Body::from(text) })
    }

    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Body::empty() }
    }

    pub fn text(content_type: &str, body: impl Into<Body>) -> Self {
        Self { status: 200, headers: vec![("content-type", content_type.into())], body: body.into() }
    }

    pub fn redirect(to: &str) -> Self {
        Self { status: 302, headers: vec![("location", to.into())], body: Body::empty() }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn into_response(self) -> Response<Body> {
        let mut response = Response::new(self.body);
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // Ours and those that every answer carries, without growing on the way.
        response.headers_mut().reserve(self.headers.len() + 12);
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().append(HeaderName::from_static(name), value);
            }
        }
        response
    }
}

/// The status of an error: by its word where the word has one of its own, else by its kind.
pub fn status_of(e: &Error) -> u16 {
    match (e.kind, e.code) {
        (_, "bad_json" | "invalid_parameter" | "bad_request") => 400,
        (_, "body_too_large") => 413,
        (_, "compressed_body" | "unsupported_media_type") => 415,
        (_, "method_not_allowed") => 405,
        (_, "slow_body") => 408,
        (Kind::Invalid, _) => 422,
        (Kind::Unauthorised, _) => 401,
        (Kind::Forbidden, _) => 403,
        (Kind::NotFound, _) => 404,
        (Kind::Conflict, _) => 409,
        (Kind::TooMany, _) => 429,
        (Kind::Unavailable, _) => 503,
        (Kind::Internal, _) => 500,
    }
}

/// An error in the shape of its path.
pub fn refusal(e: &Error, shape: Shape, request_id: &str) -> Reply {
    let body = match shape {
        Shape::Own => {
            let mut error = json!({"code": e.code, "message": e.message, "request_id": request_id});
            if let Some(field) = &e.field {
                error["field"] = Value::from(field.as_str());
            }
            json!({ "error": error })
        }
        Shape::Halo => {
            let mut body = json!({"success": false, "error": e.message, "code": e.code, "request_id": request_id});
            if let Some(field) = &e.field {
                body["field"] = Value::from(field.as_str());
            }
            body
        }
        Shape::Shop => {
            json!({"success": false, "error": e.message, "details": {"code": e.code, "field": e.field, "request_id": request_id}})
        }
        Shape::AnyTrack => json!({"success": false, "error": {"code": e.code, "message": e.to_string(), "request_id": request_id}}),
        Shape::Funnel => json!({"detail": e.to_string()}),
    };
    let mut reply =
        Reply { status: status_of(e), headers: vec![("content-type", "application/json".into())], body: Body::from(body.to_string()) };
    if let Some(seconds) = e.retry_after_s {
        reply = reply.with("retry-after", seconds.to_string());
    }
    reply
}
