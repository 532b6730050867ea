//! A request as a handler sees it: decoded, its caller already proved where the route wants one.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::request::Parts;
use bytes::Bytes;
use serde_json::Value;

use super::decode::Arrival;
use super::reply::Reply;
use super::route::{Right, Scope, Shape};
use crate::crypto;
use crate::domain::device;
use crate::domain::ids::{ShareId, UserId};
use crate::domain::sight::Sight;
use crate::domain::time::Time;
use crate::error::{Error, Kind, Result};
use crate::store::audit::FROM;
use crate::store::sites::Site;
use crate::wire::{Headers, Incoming};

#[derive(Debug, Clone)]
pub struct Ask {
    pub method: String,
    pub path: String,
    /// As received, without the question mark.
    pub query_text: String,
    pub query: Vec<(String, String)>,
    /// Values of `{…}` in the route's path.
    pub params: Vec<(String, String)>,
    /// Lower-case names.
    pub headers: Headers,
    pub body: Bytes,
    /// The other end of the connection.
    pub peer: IpAddr,
    pub is_peer_trusted: bool,
    /// The visitor: the right-most address of `X-Forwarded-For` that no trusted proxy has.
    pub client: IpAddr,
    /// Lower case, without port.
    pub host: String,
    /// As sent, with its port: for comparing with an Origin.
    pub host_header: String,
    pub is_https: bool,
    pub request_id: String,
    pub shape: Shape,
    pub caller: Caller,
    /// The site of the path or of the token.
    pub site: Option<Arc<Site>>,
    /// The part of the site that the caller is shown.
    pub sight: Sight,
}

/// Who asks, once proved.
#[derive(Debug, Clone)]
pub enum Caller {
    Nobody,
    User {
        id: UserId,
        email: String,
        role: Right,
        is_box_owner: bool,
        login: [u8; 32],
        proved_at: Time,
    },
    Token {
        id: i64,
        scopes: Vec<Scope>,
    },
    /// Whoever has the link.
    Share {
        id: ShareId,
        token: String,
    },
}

/// Who asks, for which site, and how much of it they are shown.
pub struct Proved {
    pub caller: Caller,
    pub site: Option<Arc<Site>>,
    pub sight: Sight,
}

impl Proved {
    /// Somebody who is shown everything, or no site at all.
    pub fn whole(caller: Caller, site: Option<Arc<Site>>) -> Self {
        Self { caller, site, sight: Sight::default() }
    }
}

impl Ask {
    /// A request whose body and caller are not known yet.
    pub fn of(arrival: Arrival, parts: &Parts, shape: Shape) -> Self {
        Self {
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
            query: Vec::new(),
            query_text: parts.uri.query().unwrap_or_default().to_owned(),
            params: Vec::new(),
            headers: arrival.headers,
            body: Bytes::new(),
            peer: arrival.peer,
            is_peer_trusted: arrival.is_peer_trusted,
            client: arrival.client,
            host: arrival.host,
            host_header: arrival.host_header,
            is_https: arrival.is_https,
            request_id: arrival.request_id,
            shape,
            caller: Caller::Nobody,
            site: None,
            sight: Sight::default(),
        }
    }

    /// Takes over what the access check has found. Who is shown a part of the books sees it through the books' own lens:
    /// through another one the part would be another one. And hidden amounts are not told by the order of rows.
    pub fn is_proved(&mut self, proved: Proved) {
        let Proved { caller, site, sight } = proved;
        if !sight.segment.is_open() {
            self.query.retain(|(name, _)| name != "model" && name != "window");
        }
        if sight.hides_money {
            self.query.retain(|(name, _)| name != "sort");
        }
        (self.caller, self.site, self.sight) = (caller, site, sight);
    }

    pub fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).unwrap_or_default()
    }

    /// The first query value under a name, if it is not empty.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.as_str())
    }

    pub fn queries<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.query.iter().filter(move |(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.as_str())
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    /// The site that the access check has found. A route without one has no right to ask.
    pub fn site(&self) -> Result<&Arc<Site>> {
        self.site.as_ref().ok_or_else(|| Error::new(Kind::NotFound, "unknown_site", "There is no such site."))
    }

    /// The token in `Authorization: Bearer …`.
    pub fn bearer(&self) -> Option<&str> {
        let value = self.header("authorization")?;
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    }

    /// The password of Basic authentication; the user's name is not looked at.
    pub fn password(&self) -> Option<String> {
        let (scheme, coded) = self.header("authorization")?.split_once(' ')?;
        let pair = crypto::unbase64(coded.trim()).filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
        Some(String::from_utf8(pair).ok()?.split_once(':')?.1.to_owned())
    }

    /// Every cookie of a name, in the order of the header; a browser may send several of one name.
    pub fn cookies<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .all("cookie")
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(move |(n, _)| *n == name)
            .map(|(_, v)| v)
    }

    /// A browser looks ahead: nobody may ever see what is asked for.
    pub fn is_prefetch(&self) -> bool {
        device::EARLY.iter().any(|name| self.headers.all(name).any(device::may_be_prefetch))
    }

    /// A trusted peer that names no visitor: limits by address skip it.
    pub fn is_proxy_itself(&self) -> bool {
        self.is_peer_trusted && self.client == self.peer
    }

    /// A program on this machine, with no proxy in between.
    pub fn is_from_this_machine(&self) -> bool {
        self.peer.is_loopback() && !super::host::is_forwarded(&self.headers)
    }

    /// May names and addresses of people be shown to this caller?
    pub fn may_see_people(&self) -> bool {
        match &self.caller {
            Caller::User { role, .. } => *role >= Right::Read,
            Caller::Token { .. } => true,
            Caller::Nobody | Caller::Share { .. } => false,
        }
    }

    pub fn may(&self, right: Right) -> bool {
        match &self.caller {
            Caller::User { role, .. } => *role >= right,
            Caller::Token { scopes, .. } => match right {
                Right::See | Right::Read => scopes.contains(&Scope::Read),
                Right::Edit => scopes.contains(&Scope::Write),
                Right::Own => false,
            },
            Caller::Nobody | Caller::Share { .. } => false,
        }
    }

    /// Who it was and from where, for the audit log: `user_3 from 203.0.113.7`.
    pub fn who(&self) -> String {
        match &self.caller {
            Caller::User { id, .. } => format!("{id}{FROM}{}", self.client),
            Caller::Token { id, .. } => format!("token_{id}{FROM}{}", self.client),
            Caller::Share { id, .. } => format!("{id}{FROM}{}", self.client),
            Caller::Nobody => "nobody".into(),
        }
    }

    /// The signed-in user of the request and the hash of the login.
    pub fn user(&self) -> Result<(UserId, [u8; 32])> {
        match &self.caller {
            Caller::User { id, login, .. } => Ok((*id, *login)),
            _ => Err(Error::new(Kind::Unauthorised, "signed_out", "Sign in.")),
        }
    }

    /// An answer as this caller may see it: without amounts where they are hidden.
    pub fn shown(&self, value: Value) -> Result<Reply> {
        Reply::json(&self.sight.covered(value))
    }

    /// The same as plain values, for a source's signature check.
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { origin: "", method: &self.method, path: &self.path, query: &self.query_text, headers: &self.headers, body: &self.body }
    }
}
