//! One request from its head to its answer: the router made of the table, the checks in front of every handler, and
//! what every answer gets.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::rejection::RawPathParamsRejection as NoParams;
use axum::extract::{RawPathParams, Request};
use axum::http::{HeaderValue, Method, Response, header};
use axum::routing::any;
use futures_util::FutureExt;
use tower::ServiceExt;

use super::ask::Ask;
use super::cors::{self, Origin};
use super::decode::{self, Arrival};
use super::front::Front;
use super::host::{self, OwnHosts};
use super::reply::{Reply, refusal, status_of};
use super::route::{Route, Shape, Who};
use super::{access, compress, headers, table};
use crate::app::App;
use crate::crypto;
use crate::error::{Error, Kind, Result};

/// Answers requests. Cheap to clone.
#[derive(Clone)]
pub struct Edge {
    app: App,
    own: Arc<OwnHosts>,
    router: Router,
    front: Front,
}

/// All routes of one path.
struct Place {
    routes: Vec<Numbered>,
}

struct Numbered {
    route: &'static Route,
    /// Labels of the metrics page by hundreds of the status, made once.
    labels: [String; 6],
}

impl Edge {
    /// Of the whole table.
    pub fn new(app: App) -> Self {
        Self::of(app, table::ROUTES)
    }

    pub fn of(app: App, routes: &'static [Route]) -> Self {
        let own = Arc::new(OwnHosts::new(&app.config));
        let mut router = Router::new();
        for place in places(routes) {
            let (app, own, place) = (app.clone(), own.clone(), Arc::new(place));
            let path = place.routes[0].route.path;
            let answer = move |params: std::result::Result<RawPathParams, NoParams>, request: Request| {
                let (app, own, place) = (app.clone(), own.clone(), place.clone());
                async move { at(&app, &own, &place, params, request).await }
            };
            router = router.route(path, any(answer));
        }
        let router = router.fallback(|request: Request| async move { nowhere(request).await });
        let front = Front::new(app.clone(), routes);
        Self { app, own, router, front }
    }

    /// `peer` is the other end of the connection.
    pub async fn answer<B>(&self, peer: SocketAddr, request: axum::http::Request<B>) -> Response<Body>
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let (mut parts, body) = request.into_parts();
        let mut arrival = Arrival::of(&parts, peer, &self.app.config);
        let is_own_host = self.own.is_own(&arrival.host);
        // A proxy that forgets X-Forwarded-Proto still stands in front of an https address.
        if is_own_host && self.own.is_https() && arrival.is_peer_trusted && !parts.headers.contains_key("x-forwarded-proto") {
            arrival.is_https = true;
        }
        // hyper has dropped a Content-Length that stood beside it: what follows may be framed otherwise by others.
        let is_chunked = parts.headers.contains_key(header::TRANSFER_ENCODING);
        let shop = if is_own_host { None } else { self.front.site(&self.app, &arrival, &parts) };
        let checked = match shop {
            Some(_) => decode::check_passing(&parts, &arrival),
            None => decode::check(&parts, &arrival),
        };
        if shop.is_none() || checked.is_err() {
            arrival.read(&parts);
            arrival.request_id = crypto::random_text(9);
        }
        let (request_id, is_https) = (arrival.request_id.clone(), arrival.is_https);
        let may_shrink = is_own_host && compress::is_wanted(&arrival.headers);
        let mut response = match (checked, shop) {
            (Ok(()), Some(site)) => {
                let mut response = self.front.answer(&self.app, site, arrival, parts, body).await;
                if is_chunked {
                    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                }
                // The shop's own words, with nothing of ours but the cookie.
                return response;
            }
            (Ok(()), None) => {
                parts.extensions.insert(arrival);
                match self.router.clone().oneshot(Request::from_parts(parts, Body::new(body))).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                }
            }
            (Err(e), _) => {
                let mut response = refused(&e, Shape::Own, &request_id);
                if e.code == "bad_request" {
                    // What follows on this connection may be framed otherwise than we think.
                    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                }
                response
            }
        };
        if is_chunked {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        headers::complete(&mut response, &request_id, is_https, is_own_host);
        if may_shrink { compress::shrunk(response).await } else { response }
    }
}

/// The rows by path.
fn places(routes: &'static [Route]) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for route in routes {
        let labels = [0, 1, 2, 3, 4, 5].map(|n| format!("route=\"{}\",method=\"{}\",status=\"{n}xx\"", route.path, route.method));
        let numbered = Numbered { route, labels };
        match places.iter_mut().find(|p| p.routes[0].route.path == route.path) {
            Some(place) => place.routes.push(numbered),
            None => places.push(Place { routes: vec![numbered] }),
        }
    }
    places
}

async fn nowhere(request: Request) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    let Some(arrival) = parts.extensions.remove::<Arrival>() else {
        return refused(&Error::internal("a request without its arrival"), Shape::Own, "");
    };
    let request_id = arrival.request_id;
    decode::drain(body, arrival.waits).await;
    refused(&decode::unknown_path(), Shape::Own, &request_id)
}

/// A request whose path has routes.
async fn at(
    app: &App,
    own: &OwnHosts,
    place: &Place,
    params: std::result::Result<RawPathParams, NoParams>,
    request: Request,
) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    let Some(arrival) = parts.extensions.remove::<Arrival>() else {
        return refused(&Error::internal("a request without its arrival"), Shape::Own, "");
    };
    let is_from_this_machine = arrival.peer.is_loopback() && !host::is_forwarded(&arrival.headers);
    let shown = || place.routes.iter().filter(|n| own.shows(n.route.hosts, &arrival.host, is_from_this_machine));
    let Some(first) = shown().next() else {
        decode::drain(body, arrival.waits).await;
        return refused(&decode::unknown_path(), Shape::Own, &arrival.request_id);
    };
    let method = if parts.method == Method::HEAD { "GET" } else { parts.method.as_str() };
    let Some(numbered) = shown().find(|n| n.route.method == method) else {
        let allow = allowed(shown().map(|n| n.route.method));
        decode::drain(body, arrival.waits).await;
        if parts.method == Method::OPTIONS && shown().any(|n| is_for_pages(n.route)) {
            let origin = arrival.headers.get("origin").map(Origin::parse);
            return match cors::preflight(app, origin, &format!("{allow}, OPTIONS")) {
                Ok(reply) => reply.into_response(),
                Err(e) => cors::vary(refusal(&e, first.route.shape, &arrival.request_id)).into_response(),
            };
        }
        let e = Error::new(Kind::Invalid, "method_not_allowed", format!("This address takes {allow}."));
        let mut response = refused(&e, first.route.shape, &arrival.request_id);
        if let Ok(allow) = HeaderValue::from_str(&allow) {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        return response;
    };
    let route = numbered.route;
    let request_id = arrival.request_id.clone();
    let origin = if is_for_pages(route) { arrival.headers.get("origin").map(Origin::parse) } else { None };
    let response = match params {
        Ok(params) => {
            let params = params.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
            run(app, own, route, arrival, params, parts, body).await
        }
        Err(e) => Err(Error::new(Kind::Invalid, "bad_request", "The path is no UTF-8.").caused(e)),
    }
    .map_or_else(|e| failed(app, &e, route, origin.as_ref(), &request_id), Reply::into_response);
    // No address, no query, no body: those may hold people.
    tracing::debug!(request.id = request_id, route = route.path, status = response.status().as_u16(), "A request was answered");
    app.figures.add("requests", &numbered.labels[usize::from(response.status().as_u16() / 100).min(5)]);
    response
}

async fn run(
    app: &App,
    own: &OwnHosts,
    route: &Route,
    arrival: Arrival,
    params: Vec<(String, String)>,
    parts: axum::http::request::Parts,
    body: Body,
) -> Result<Reply> {
    let waits = arrival.waits;
    let query = match parts.uri.query().unwrap_or_default() {
        "" => Vec::new(),
        text => decode::query(text)?,
    };
    let mut ask = Ask { query, params, ..Ask::of(arrival, &parts, route.shape) };
    // Before the body: who may not ask need not send.
    let checked = match decode::check_encoding(&ask.headers).and_then(|()| app.disk.admit(route.burden)) {
        Ok(()) => access::check(app, own, route, &ask).await,
        Err(e) => Err(e),
    };
    match checked {
        Ok(proved) => ask.is_proved(proved),
        Err(e) => {
            decode::drain(body, waits).await;
            return Err(e);
        }
    }
    ask.body = decode::collect(body, route.most, waits).await?;
    if let Some(proved) = access::check_body(app, own, route, &ask).await? {
        ask.is_proved(proved);
    }
    let handler = AssertUnwindSafe((route.run)(app.clone(), ask)).catch_unwind();
    match tokio::time::timeout(Duration::from_secs(route.patience_s.into()), handler).await {
        Ok(Ok(reply)) => reply,
        Ok(Err(panic)) => {
            app.figures.add("panics", "where=\"handler\"");
            Err(Error::internal(format!("a handler panicked: {}", words_of(&*panic))))
        }
        Err(_) => {
            Err(Error::new(Kind::Unavailable, "timeout", "This took too long and was given up. Ask for less, or try again.").after(5))
        }
    }
}

/// May a page of a site call it from a browser?
fn is_for_pages(route: &Route) -> bool {
    matches!(route.who, Who::Visitor | Who::Sender | Who::Hook)
}

fn failed(app: &App, e: &Error, route: &Route, origin: Option<&Origin>, request_id: &str) -> Response<Body> {
    if status_of(e) >= 500 {
        let cause = e.source.as_ref().map(ToString::to_string).unwrap_or_default();
        tracing::error!(request.id = request_id, route = route.path, code = e.code, cause, "A request failed");
    }
    let mut reply = refusal(e, route.shape, request_id);
    if route.takes_basic && reply.status == 401 {
        reply = reply.with("www-authenticate", "Basic realm=\"HaloTrack\", charset=\"UTF-8\"");
    }
    if matches!(e.code, "slow_body" | "body_too_large") {
        reply = reply.with("connection", "close");
    }
    // A page that may not read a refusal takes it for a broken network and tries again.
    if let Some(origin) = origin {
        let is_readable = e.code != "origin_not_allowed" && cors::is_known(app, origin);
        reply = if is_readable { cors::open(reply, origin) } else { cors::vary(reply) };
    }
    reply.into_response()
}

fn refused(e: &Error, shape: Shape, request_id: &str) -> Response<Body> {
    refusal(e, shape, request_id).into_response()
}

fn allowed<'a>(methods: impl Iterator<Item = &'a str>) -> String {
    let mut all: Vec<&str> = methods.collect();
    if all.contains(&"GET") {
        all.push("HEAD");
    }
    all.join(", ")
}

/// What a panic said. Our own sentences only: no panic message of ours holds a visitor's words.
fn words_of(panic: &(dyn std::any::Any + Send)) -> &str {
    panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
