//! Which pages of other origins may call, decided exactly: a site's own domains over http or https on their usual port,
//! and the extra origins that the owner named. The Origin is checked on the real request: a beacon of `text/plain`
//! never asks first.

use url::{Host, Url};

use super::ask::Ask;
use super::reply::Reply;
use super::visitor::is_covered;
use crate::app::App;
use crate::error::{Error, Kind, Result};
use crate::store::sites::Site;

/// How long a browser may remember an answer to its question, in seconds.
const REMEMBERED_S: &str = "600";

/// Where a page of a browser came from, as the browser wrote it.
#[derive(Debug, Clone, PartialEq)]
pub struct Origin {
    text: String,
    /// In ASCII, lower case, without a last dot; nothing where it is `null`, an address or on an odd port.
    host: Option<String>,
}

impl Origin {
    pub fn parse(text: &str) -> Self {
        let host = Url::parse(text).ok().filter(|url| {
            let is_web = matches!(url.scheme(), "http" | "https");
            // A browser writes nothing after the host and port, and no port where it is the usual one.
            is_web && url.port().is_none() && url.origin().ascii_serialization() == text
        });
        let host = host.and_then(|url| match url.host() {
            Some(Host::Domain(name)) if !name.ends_with('.') => Some(name.to_owned()),
            _ => None,
        });
        Self { text: text.to_owned(), host }
    }

    /// As the browser wrote it, for the answer.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host by which a site is found.
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }
}

/// The request's Origin, if it has one. `null` is one, and fits nothing.
pub fn origin_of(ask: &Ask) -> Option<Origin> {
    ask.header("origin").map(Origin::parse)
}

/// May pages of this origin speak for the site? `extra` are exact origins beyond the site's own.
pub fn allowed(site: &Site, extra: &[String], origin: &Origin) -> bool {
    let is_named = |list: &[String]| list.iter().any(|one| one.trim_end_matches('/') == origin.text);
    if origin.text != "null" && (is_named(extra) || is_named(&site.settings.cors_origins)) {
        return true;
    }
    origin.host().is_some_and(|host| site.domains.iter().any(|domain| is_covered(host, domain)))
}

/// Lets the page of the origin read the answer.
pub fn open(reply: Reply, origin: &Origin) -> Reply {
    vary(reply)
        .with("access-control-allow-origin", origin.as_str())
        .with("access-control-allow-credentials", "true")
        .with("access-control-expose-headers", "x-halo-dropped")
        // Also where the product stands on another host than the shop.
        .with("cross-origin-resource-policy", "cross-origin")
}

/// The answer depends on who asks, also where it is a refusal.
pub fn vary(reply: Reply) -> Reply {
    reply.with("vary", "origin")
}

pub fn refused(origin: &Origin) -> Error {
    let message = match origin.host() {
        Some(_) => format!("Add {} to this site's allowed origins.", origin.as_str()),
        None => "This origin is none of the site's: an address without a name, an odd port, or null.".into(),
    };
    Error::new(Kind::Forbidden, "origin_not_allowed", message)
}

/// Is the origin one of any site's? What it may do is decided once the site is known.
pub fn is_known(app: &App, origin: &Origin) -> bool {
    app.book().sites().iter().any(|site| allowed(site, &app.config.cors_origins, origin))
}

/// A browser asks before it sends JSON or a token.
pub fn preflight(app: &App, origin: Option<Origin>, methods: &str) -> Result<Reply> {
    let Some(origin) = origin else {
        return Err(Error::new(Kind::Invalid, "bad_request", "A preflight names its Origin."));
    };
    if !is_known(app, &origin) {
        return Err(refused(&origin));
    }
    let reply = open(Reply::empty(204), &origin)
        .with("access-control-allow-methods", methods)
        .with("access-control-allow-headers", "content-type, authorization, x-webhook-secret, idempotency-key")
        .with("access-control-max-age", REMEMBERED_S);
    Ok(reply)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_a_browser_writes_or_nothing() {
        let host = |text: &str| Origin::parse(text).host().map(str::to_owned);
        for (text, want) in [
            ("https://shop.example", Some("shop.example")),
            ("http://www.shop.example", Some("www.shop.example")),
            ("https://xn--bcher-kva.example", Some("xn--bcher-kva.example")),
            ("https://Shop.example", None),
            ("https://shop.example.", None),
            ("https://shop.example/", None),
            ("https://shop.example:443", None),
            ("https://shop.example:8443", None),
            ("https://user@shop.example", None),
            ("https://bücher.example", None),
            ("ftp://shop.example", None),
            ("file://", None),
            ("null", None),
            ("", None),
            ("https://192.0.2.1", None),
        ] {
            assert_eq!(host(text).as_deref(), want, "{text}");
        }
    }
}
