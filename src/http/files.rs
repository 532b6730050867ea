//! Lists as files for the command line: the lists' own routes, asked from inside, so that a file written there is the
//! file that a browser gets.

use std::sync::Arc;

use axum::body::{Body, BodyDataStream, Bytes};
use futures_util::StreamExt;

use super::ask::{Ask, Caller};
use super::route::{Route, Scope, Shape};
use super::table::ROUTES;
use crate::app::App;
use crate::domain::sight::Sight;
use crate::error::{Error, Result};
use crate::store::sites::Site;
use crate::wire::Headers;

const BEFORE: &str = "/api/sites/{site}/";

/// The lists that can be had as files, as they stand in the table of routes. Reports are worked out for a question; they
/// are no lists.
pub fn kinds() -> Vec<&'static str> {
    let all = ROUTES.iter().filter(|r| r.method == "GET").filter_map(|r| r.path.strip_prefix(BEFORE)?.strip_suffix(".csv"));
    all.filter(|kind| !kind.contains(['{', '/'])).collect()
}

/// A file on its way.
pub struct Pieces {
    body: BodyDataStream,
}

impl Pieces {
    /// Whole rows; none at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        self.body.next().await.transpose().map_err(|e| Error::internal(e.to_string()))
    }
}

/// Asks a list for its file. `end` is `csv` or `jsonl`, `query` what the list takes: `from`, `to`, filters.
pub async fn open(app: &App, site: &Arc<Site>, kind: &str, end: &str, query: Vec<(String, String)>) -> Result<Pieces> {
    let path = format!("{BEFORE}{kind}.{end}");
    let route = ROUTES.iter().find(|r| r.method == "GET" && r.path == path).ok_or_else(|| unknown(kind))?;
    let reply = (route.run)(app.clone(), from_inside(route, site, query)).await?;
    let body: Body = reply.body;
    Ok(Pieces { body: body.into_data_stream() })
}

/// Who owns the machine may see everything; nobody is asked over the network.
fn from_inside(route: &Route, site: &Arc<Site>, query: Vec<(String, String)>) -> Ask {
    let here = std::net::IpAddr::from([127, 0, 0, 1]);
    Ask {
        method: route.method.to_owned(),
        path: route.path.replace("{site}", &site.slug),
        query_text: String::new(),
        query,
        params: vec![("site".into(), site.slug.clone())],
        headers: Headers(Vec::new()),
        body: Bytes::new(),
        peer: here,
        is_peer_trusted: false,
        client: here,
        host: String::new(),
        host_header: String::new(),
        is_https: false,
        request_id: String::new(),
        shape: Shape::Own,
        caller: Caller::Token { id: 0, scopes: Scope::ALL.to_vec() },
        site: Some(site.clone()),
        sight: Sight::default(),
    }
}

fn unknown(kind: &str) -> Error {
    Error::invalid("kind", format!("{kind:?} is none of {}.", kinds().join(", ")))
}
