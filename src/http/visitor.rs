//! A visitor's browser, or the owner's own server speaking for one: which site, from which page, under which id.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::access;
use super::ask::{Ask, Caller};
use super::cors::{self, Origin};
use super::json;
use super::reply::Reply;
use super::route::Scope;
use crate::app::App;
use crate::domain::host::registrable;
use crate::error::{Error, Kind, Result};
use crate::flows::session_id::{self, SessionKey};
use crate::store::sites::Site;

/// A year, in seconds.
pub const COOKIE_S: u32 = 365 * 86_400;
const COOKIE: &str = "_halo";

/// Who sends a touch, an identity or an event.
pub struct Visitor {
    pub site: Arc<Site>,
    pub fields: Map<String, Value>,
    /// The page's origin, where a browser asks.
    origin: Option<Origin>,
    /// A token with the scope write: its word on address, agent, session and time is believed.
    pub is_server: bool,
    /// The cookie can be set: this host lies under the site's own domain.
    is_under_site: bool,
    is_https: bool,
}

impl Visitor {
    pub async fn of(app: &App, ask: &Ask) -> Result<Self> {
        let fields = json::object(&ask.body)?;
        let token = match ask.bearer() {
            Some(text) => Some(access::prove(app, text, Scope::Write).await?),
            None => None,
        };
        let is_server = matches!(&token, Some((Caller::Token { .. }, _)));
        let named = json::text(&fields, "site", 64)?;
        let origin = cors::origin_of(ask);
        let site = match (token, named) {
            (Some((_, site)), _) => site,
            (None, Some(key)) if !key.is_empty() => app.book().site_by_key(key).cloned().ok_or_else(|| {
                Error::new(Kind::NotFound, "unknown_site", "There is no site with this key. Copy the snippet again from Settings.")
            })?,
            (None, _) => by_origin(app, origin.as_ref())?,
        };
        if !is_server {
            check_origin(app, &site, origin.as_ref())?;
        }
        let is_under_site = is_covered(&ask.host, &site.cookie_domain);
        Ok(Self { site, fields, origin: origin.filter(|_| !is_server), is_server, is_under_site, is_https: ask.is_https })
    }

    /// Of several cookies the oldest that is ours, then the body; from a server its own word for the visitor.
    pub fn session(&self, ask: &Ask) -> Result<Option<SessionKey>> {
        let key = &self.site.keys.session;
        let told = json::text(&self.fields, "session_id", 64)?;
        if self.is_server {
            return Ok(told.filter(|t| !t.is_empty()).map(|t| session_id::open(t, key).unwrap_or_else(|| session_id::mapped(t, key))));
        }
        Ok(session_id::oldest(ask.cookies(COOKIE), key).or_else(|| told.and_then(|t| session_id::open(t, key))))
    }

    /// The answer with what a browser needs to read it.
    pub fn answer(&self, reply: Reply) -> Reply {
        match &self.origin {
            Some(origin) => cors::open(reply, origin).with("access-control-expose-headers", "x-halo-dropped"),
            None => reply,
        }
    }

    pub fn with_cookie(&self, reply: Reply, value: &str) -> Reply {
        if self.is_under_site && !self.is_server {
            reply.with("set-cookie", cookie(value, COOKIE_S, &self.site, self.is_https))
        } else {
            reply
        }
    }

    pub fn without_cookie(&self, reply: Reply) -> Reply {
        if self.is_under_site && !self.is_server { reply.with("set-cookie", cookie("", 0, &self.site, self.is_https)) } else { reply }
    }

    /// The visitor's own address, if it is one that can be located.
    pub fn address(&self, ask: &Ask) -> Result<Option<IpAddr>> {
        if self.is_server {
            return Ok(json::text(&self.fields, "ip", 64)?.and_then(|t| t.parse().ok()));
        }
        Ok(Some(ask.client))
    }
}

/// `_halo`, readable by the page, on the site's registrable domain: a setting, never from `Host`.
pub fn cookie(value: &str, max_age: u32, site: &Site, is_https: bool) -> String {
    cookie_of(value, max_age, &site.cookie_domain, is_https)
}

/// The same on one of the site's own hosts, which may lie under another of its domains. Nothing where the host is none.
pub fn cookie_on(value: &str, max_age: u32, site: &Site, host: &str, is_https: bool) -> Option<String> {
    if is_covered(host, &site.cookie_domain) {
        return Some(cookie(value, max_age, site, is_https));
    }
    let domain = site.domains.iter().find(|domain| is_covered(host, domain)).and_then(|domain| registrable(domain))?;
    Some(cookie_of(value, max_age, domain, is_https))
}

fn cookie_of(value: &str, max_age: u32, domain: &str, is_https: bool) -> String {
    let secure = if is_https { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Max-Age={max_age}; Path=/; Domain={domain}; SameSite=Lax{secure}")
}

pub fn cookies(ask: &Ask) -> impl Iterator<Item = &str> {
    ask.cookies(COOKIE)
}

fn by_origin(app: &App, origin: Option<&Origin>) -> Result<Arc<Site>> {
    let host = origin.and_then(Origin::host);
    host.and_then(|h| app.book().site_by_host(h).cloned()).ok_or_else(|| {
        Error::new(
            Kind::NotFound,
            "unknown_site",
            "No site has this page's domain. Add the domain to the site, or put data-site into the snippet.",
        )
    })
}

/// Checked on the request itself, because text/plain comes without a preflight.
fn check_origin(app: &App, site: &Site, origin: Option<&Origin>) -> Result<()> {
    let Some(origin) = origin else {
        return Err(Error::new(Kind::Forbidden, "origin_not_allowed", "Send the page's Origin, or a Bearer token of the scope write."));
    };
    if cors::allowed(site, &app.config.cors_origins, origin) {
        return Ok(());
    }
    app.figures.add("origins_refused", &site.slug);
    app.turned_away.add(site.id, origin.as_str(), app.clock.now());
    Err(cors::refused(origin))
}

/// The domain itself, or a name below it.
pub fn is_covered(host: &str, domain: &str) -> bool {
    host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}
