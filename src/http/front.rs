//! A shop's own host where we stand in front of it: what is ours there, and what goes through to the shop. Whatever goes
//! wrong on our side, the page is served.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};

use super::ask::Ask;
use super::decode::Arrival;
use super::page_load::PageLoad;
use super::route::{Hosts, Route, Shape, Who};
use crate::app::App;
use crate::figures::Figures;
use crate::proxy::{self, Came, Passage, Proxy, navigation};
use crate::store::sites::Site;

/// Cheap to clone.
#[derive(Clone)]
pub struct Front {
    proxy: Proxy,
    ours: Arc<[Own]>,
}

/// A route that exists on the shops' own hosts.
struct Own {
    method: &'static str,
    path: &'static str,
    takes_preflight: bool,
}

impl Front {
    pub fn new(app: App, routes: &'static [Route]) -> Self {
        let public = routes.iter().filter(|route| route.hosts == Hosts::All);
        let own = |route: &Route| Own {
            method: route.method,
            path: route.path,
            takes_preflight: matches!(route.who, Who::Visitor | Who::Sender | Who::Hook),
        };
        Self { proxy: Proxy::new(app), ours: public.map(own).collect() }
    }

    /// The site whose shop is asked for.
    pub fn site(&self, app: &App, arrival: &Arrival, parts: &Parts) -> Option<Arc<Site>> {
        let book = app.book();
        let site = book.site_by_host(&arrival.host).filter(|site| site.settings.proxy.contains_key("upstream"))?;
        (!self.is_ours(&parts.method, parts.uri.path())).then(|| site.clone())
    }

    fn is_ours(&self, method: &Method, path: &str) -> bool {
        let method = if *method == Method::HEAD { "GET" } else { method.as_str() };
        self.ours.iter().any(|own| (own.method == method || (method == "OPTIONS" && own.takes_preflight)) && fits(own.path, path))
    }

    /// Lets the request through, and counts it where it is a page.
    pub async fn answer<B>(&self, app: &App, site: Arc<Site>, mut arrival: Arrival, parts: Parts, body: B) -> Response<Body>
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let came = Came {
            peer: plain(arrival.peer),
            is_peer_trusted: arrival.is_peer_trusted,
            client: plain(arrival.client),
            is_https: arrival.is_https,
        };
        let is_page = navigation::is_page_request(&parts.method, &parts.headers);
        let host_header = arrival.host_header.clone();
        let load = if is_page {
            let uri = parts.uri.path_and_query().map_or("/", |p| p.as_str()).to_owned();
            let host = arrival.host.clone();
            arrival.read_visit(&parts);
            let ask = Ask::of(arrival, &parts, Shape::Own);
            careful(&app.figures, || PageLoad::of(app, &site, &ask, &host, &uri))
        } else {
            None
        };
        let proxy = &site.settings.proxy;
        let passage = Passage {
            to: proxy.get("upstream").map(String::as_str).unwrap_or_default(),
            came,
            session: load.as_ref().and_then(PageLoad::id),
            tag: proxy.get("inject").filter(|_| is_page).map(|_| (host_header.as_str(), site.public_key.as_str())),
        };
        let mut answer = self.proxy.pass(passage, parts, body).await;
        if let Some(load) = load.filter(|_| proxy::is_page_answer(&answer)) {
            let cookie = load.cookie().and_then(|cookie| HeaderValue::from_str(cookie).ok());
            if let Some(cookie) = cookie {
                answer.headers_mut().append(header::SET_COOKIE, cookie);
            }
            // Where one leads on the page is still to come. 304 is the page itself.
            let is_leading = answer.status().is_redirection() && answer.status() != StatusCode::NOT_MODIFIED;
            let location = answer.headers().get(header::LOCATION).filter(|_| is_leading).and_then(|to| to.to_str().ok());
            careful(&app.figures, || load.count(app, location));
        }
        answer.map(Body::new)
    }
}

/// Counting must not cost the page: a fault of ours is counted and passed over.
fn careful<T>(figures: &Figures, work: impl FnOnce() -> T) -> Option<T> {
    let done = std::panic::catch_unwind(AssertUnwindSafe(work));
    if done.is_err() {
        figures.add("panics", "where=\"proxy\"");
    }
    done.ok()
}

/// `/l/{code}` fits `/l/ABC`, part by part.
fn fits(pattern: &str, path: &str) -> bool {
    let mut parts = path.split('/');
    let is_alike = pattern.split('/').all(|want| parts.next().is_some_and(|got| want == got || (want.starts_with('{') && !got.is_empty())));
    is_alike && parts.next().is_none()
}

fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_ours_is_counted_and_passed_over() {
        let figures = Figures::default();
        assert_eq!(careful(&figures, || 7), Some(7));
        assert_eq!(figures.all(), []);
        assert_eq!(careful(&figures, || -> i32 { panic!("a fault of ours") }), None);
        assert_eq!(figures.all(), [("panics", "where=\"proxy\"".to_owned(), 1)]);
    }

    #[test]
    fn a_path_is_ours_part_by_part() {
        let check = |pattern: &str, path: &str, want: bool| assert_eq!(fits(pattern, path), want, "{pattern} {path}");
        check("/t.js", "/t.js", true);
        check("/t.js", "/T.js", false);
        check("/t.js", "/t.js/", false);
        check("/l/{code}", "/l/ABC", true);
        check("/l/{code}", "/l/", false);
        check("/l/{code}", "/l/a/b", false);
        check("/in/{platform}/{token}", "/in/forms/x", true);
        check("/api/touch", "/api//touch", false);
        check("/api/touch", "/api/touches", false);
    }
}
