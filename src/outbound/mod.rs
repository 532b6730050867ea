//! The only HTTP client. It puts secrets in, holds inner networks off, keeps time and size, and lets nothing out that
//! a log or a page must not show.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Method};
use tokio::sync::Semaphore;
use url::Url;

use crate::domain::platform::Secrets;
use crate::domain::steps::{Fresh, Token, Verdict};
use crate::domain::time::Time;
use crate::error::{Error, Kind, Result};
use crate::wire::{Headers, Request, Response};

mod address;
mod assertion;
pub mod certificate;
mod fill;
mod resolver;
mod shown;
mod tokens;

use address::{Allow, Denied, NOT_PUBLIC, Reach};
pub use resolver::{Answer, Resolver, System};
use resolver::{Guard, NoWay};
pub use shown::{excerpt, redacted};
pub use tokens::Holder;

const CONNECT: Duration = Duration::from_secs(3);
const TOTAL: Duration = Duration::from_secs(10);
/// The same where a long list is asked for: a shop on a small host takes its time over a hundred orders.
const TOTAL_OF_A_LIST: Duration = Duration::from_secs(60);
/// Connections that nobody uses are given up before most servers do, so that a request seldom meets a closed one.
const IDLE: Duration = Duration::from_secs(15);
/// Most of an answer that is ever read, in bytes, whatever a request asks for.
const LARGEST_ANSWER: usize = 8 * 1024 * 1024;
/// Requests to one host at a time: a slow one must not take all workers, nor we all of its.
const AT_ONCE: usize = 4;

/// Cheap to clone; all clones share connections, tokens and limits.
#[derive(Clone)]
pub struct Outbound {
    parts: Arc<Parts>,
}

struct Parts {
    allow: Arc<Allow>,
    resolver: Arc<dyn Resolver>,
    stand_ins: BTreeMap<String, Url>,
    /// One client for each reach: the reach decides which addresses its connections may lead to.
    clients: [OnceLock<Client>; 3],
    lanes: Mutex<HashMap<String, Arc<Semaphore>>>,
    tokens: tokens::TokenCache,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Failure {
    /// Nothing has left this machine: a repeat is no double.
    NotSent,
    /// It may have arrived, but no answer came.
    Unknown,
    /// The address may not be called.
    Address,
    /// A secret is missing or cannot be used.
    Setup,
    /// No token could be had; the platform file has judged why.
    Token(Verdict),
}

/// A request without an answer. The sentence is for the owner and holds neither secret nor query.
#[derive(Debug, Clone, PartialEq)]
pub struct SendError {
    pub failure: Failure,
    pub sentence: String,
    /// The other side had it before: it refused the token, and no other could be had.
    pub was_answered: bool,
}

impl SendError {
    /// True if the other side may have received it.
    pub fn may_have_arrived(&self) -> bool {
        self.failure == Failure::Unknown
    }

    /// True if something of the request is beyond recall: the other side has it, or may.
    pub fn has_left(&self) -> bool {
        self.was_answered || self.may_have_arrived()
    }

    /// What it means for a delivery.
    pub fn verdict(&self) -> Verdict {
        match &self.failure {
            Failure::NotSent | Failure::Unknown => Verdict::Retry { after_ms: None, sentence: self.sentence.clone() },
            Failure::Address | Failure::Setup => Verdict::Pause(self.sentence.clone()),
            Failure::Token(verdict) => verdict.clone(),
        }
    }
}

impl Outbound {
    /// `allow` is `outbound_allow` as typed; `stand_ins` is `base_url.PLATFORM` by the platform's word.
    pub fn new(allow: &[String], stand_ins: &BTreeMap<String, String>) -> Result<Self> {
        Self::with_resolver(allow, stand_ins, Arc::new(System))
    }

    pub fn with_resolver(allow: &[String], stand_ins: &BTreeMap<String, String>, resolver: Arc<dyn Resolver>) -> Result<Self> {
        Self::made(Allow::parse(allow)?, stand_ins, resolver)
    }

    /// For a demo: what is neither named here nor stood in for is not called at all.
    pub fn closed(hosts: &[String], stand_ins: &BTreeMap<String, String>, resolver: Arc<dyn Resolver>) -> Result<Self> {
        Self::made(Allow::parse(hosts)?.closed(), stand_ins, resolver)
    }

    fn made(allow: Allow, stand_ins: &BTreeMap<String, String>, resolver: Arc<dyn Resolver>) -> Result<Self> {
        // An error only says that another part of the process was first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut known = BTreeMap::new();
        for (platform, text) in stand_ins {
            let url = Url::parse(text).ok().filter(|u| matches!(u.scheme(), "http" | "https") && u.has_host());
            let Some(url) = url else {
                let message = format!("base_url.{platform} must be an address such as https://localhost:9000.");
                return Err(Error::new(Kind::Invalid, "bad_configuration", message).of(&format!("base_url.{platform}")));
            };
            known.insert(platform.clone(), url);
        }
        let parts = Parts {
            allow: Arc::new(allow),
            resolver,
            stand_ins: known,
            clients: Default::default(),
            lanes: Mutex::default(),
            tokens: Default::default(),
        };
        let outbound = Self { parts: Arc::new(parts) };
        // Built at start: a machine without certificates is found then, not at the first delivery.
        outbound.client(Reach::Public)?;
        Ok(outbound)
    }

    /// Lines for the start of the log: what goes elsewhere than to the public internet.
    pub fn exceptions(&self) -> Vec<String> {
        let stand_ins = self.parts.stand_ins.iter();
        let mut lines: Vec<String> =
            stand_ins.map(|(p, u)| format!("requests for {p} go to {}", u.origin().ascii_serialization())).collect();
        if !self.parts.allow.is_empty() {
            lines.push("addresses beyond the public internet are allowed by outbound_allow".into());
        }
        lines
    }

    /// Sends one request and reads the answer. Any status is an answer, a redirect too: none is followed.
    pub async fn send(&self, request: &Request, secrets: &Secrets) -> std::result::Result<Response, SendError> {
        let (origin, reach) = self.target(request)?;
        let host = host_shown(&request.origin);
        let filled = fill::fill(request, &origin, secrets)?;
        let client = self.client(reach).map_err(|e| failed(Failure::NotSent, e.message))?;
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_| failed(Failure::Setup, format!("{} is no method of HTTP.", request.method)))?;
        let lane = self.lane(&origin);
        let _turn = lane.acquire().await.map_err(|_| failed(Failure::NotSent, "The server is stopping.".into()))?;
        let total = if request.is_list() { TOTAL_OF_A_LIST } else { TOTAL };
        let sent = client.request(method, filled.url).timeout(total).headers(filled.headers).body(filled.body).send().await;
        let answer = match sent {
            Ok(answer) => read(answer, request.most.min(LARGEST_ANSWER)).await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(answer) => Ok(clean(answer, secrets)),
            Err(error) => Err(told(error, &host, total, secrets)),
        }
    }

    /// Sends a request that may ask for the platform's token: fetches it where none is held, and once more where the
    /// held one is refused.
    pub async fn send_with(
        &self,
        request: &Request,
        secrets: &Secrets,
        token: Option<(&Token, Holder)>,
        now: Time,
    ) -> std::result::Result<Response, SendError> {
        let Some((token, holder)) = token.filter(|(t, _)| fill::names(request, t.name)) else {
            return self.send(request, secrets).await;
        };
        let mut is_second = false;
        loop {
            let held = self.parts.tokens.get(holder, now, self.fetch(token, secrets)).await;
            let value = held.map_err(|failure| SendError { was_answered: is_second, ..failure })?;
            let mut with = secrets.clone();
            with.set(token.name, value.clone());
            let response = self.send(request, &with).await?;
            if response.status != 401 {
                return Ok(response);
            }
            self.parts.tokens.forget(holder, &value).await;
            if is_second {
                return Ok(response);
            }
            is_second = true;
        }
    }

    /// Checks an address that the owner has typed, before anything is stored.
    pub async fn check_address(&self, text: &str) -> Result<()> {
        let refused = |denied: Denied| Error::new(Kind::Invalid, "address_not_allowed", denied.sentence());
        let url = Url::parse(text.trim()).map_err(|_| refused(Denied::NoAddress))?;
        let verdict = self.parts.allow.reach(&url);
        // A name behind plain http or an unusual port is looked up as well: that it is an inner one comes first.
        let reach = match verdict {
            Ok(Reach::Any) => return Ok(()),
            Ok(reach) => reach,
            Err(Denied::NotHttps | Denied::UnusualPort) => Reach::Public,
            Err(denied) => return Err(refused(denied)),
        };
        if let Some(url::Host::Domain(name)) = url.host() {
            match self.guard(reach).look_up(name).await {
                Ok(_) => {}
                Err(NoWay::NotPublic) => {
                    // Outside the allowed ranges, yet public: then only the way to it is wrong.
                    let is_public = reach == Reach::Ranged && self.guard(Reach::Public).look_up(name).await.is_ok();
                    let way = if url.scheme() == "https" { Denied::UnusualPort } else { Denied::NotHttps };
                    return Err(refused(if is_public { way } else { Denied::NotPublic }));
                }
                Err(NoWay::NotFound) => {
                    let message = format!("There is no server by the name {name}. Check the spelling.");
                    return Err(Error::new(Kind::Invalid, "address_not_found", message));
                }
            }
        }
        verdict.map(|_| ()).map_err(refused)
    }

    /// Where the request goes, and how far its connection may reach.
    fn target(&self, request: &Request) -> std::result::Result<(Url, Reach), SendError> {
        if let Some(url) = request.host_key.as_ref().and_then(|key| self.parts.stand_ins.get(key)) {
            return Ok((url.clone(), Reach::Any));
        }
        let url = Url::parse(&request.origin).map_err(|_| failed(Failure::Address, Denied::NoAddress.sentence().into()))?;
        let reach = self.parts.allow.reach(&url).map_err(|d| failed(Failure::Address, d.sentence().into()))?;
        Ok((url, reach))
    }

    fn client(&self, reach: Reach) -> Result<Client> {
        let place = &self.parts.clients[reach as usize];
        if let Some(client) = place.get() {
            return Ok(client.clone());
        }
        let client = Client::builder()
            .user_agent(concat!("HaloTrack/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .redirect(Policy::none())
            .referer(false)
            .connect_timeout(CONNECT)
            .timeout(TOTAL)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(AT_ONCE)
            .dns_resolver(Arc::new(self.guard(reach)))
            .build()
            .map_err(|e| {
                let message = "The HTTP client cannot start: are the system's certificates (ca-certificates) installed?";
                Error::new(Kind::Internal, "no_client", message).caused(e)
            })?;
        Ok(place.get_or_init(|| client).clone())
    }

    fn guard(&self, reach: Reach) -> Guard {
        Guard { resolver: self.parts.resolver.clone(), allow: self.parts.allow.clone(), reach }
    }

    fn lane(&self, origin: &Url) -> Arc<Semaphore> {
        let key = origin.origin().ascii_serialization();
        let mut lanes = self.parts.lanes.lock().unwrap_or_else(|e| e.into_inner());
        if lanes.len() > 256 {
            lanes.retain(|_, lane| Arc::strong_count(lane) > 1);
        }
        lanes.entry(key).or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE))).clone()
    }

    async fn fetch(&self, token: &Token, secrets: &Secrets) -> std::result::Result<Fresh, SendError> {
        // Whatever became of this one: what it was wanted for has not left.
        let not_sent = |e: SendError| if e.may_have_arrived() { failed(Failure::NotSent, e.sentence) } else { e };
        let response = self.send(&token.request, secrets).await.map_err(not_sent)?;
        (token.read)(&response).map_err(|verdict| {
            let sentence = sentence_of(&verdict).to_owned();
            failed(Failure::Token(verdict), sentence)
        })
    }
}

/// Reads as much as is wanted and leaves the rest: an endless body ends here.
async fn read(mut answer: reqwest::Response, most: usize) -> reqwest::Result<Response> {
    let status = answer.status().as_u16();
    let headers = answer.headers().iter();
    let headers = headers.map(|(n, v)| (n.as_str().to_owned(), String::from_utf8_lossy(v.as_bytes()).into_owned())).collect();
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await? {
        let room = most - body.len();
        body.extend_from_slice(&piece[..piece.len().min(room)]);
        if body.len() == most {
            break;
        }
    }
    Ok(Response { status, headers: Headers(headers), body })
}

/// Some platforms repeat the token that they refuse: it must not reach a sentence, a page or the log.
fn clean(mut response: Response, secrets: &Secrets) -> Response {
    if let Ok(text) = std::str::from_utf8(&response.body) {
        let cleaned = shown::without_secrets(text, secrets);
        if cleaned != text {
            response.body = cleaned.into_bytes();
        }
    }
    response
}

/// What went wrong, in words without address, query or secret.
fn told(error: reqwest::Error, host: &str, total: Duration, secrets: &Secrets) -> SendError {
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    let (mut no_way, mut untrusted) = (None, None);
    while let Some(next) = cause.source() {
        cause = next;
        no_way = no_way.or_else(|| cause.downcast_ref::<NoWay>().copied());
        untrusted = untrusted.or_else(|| certificate::fault(held(cause)?));
    }
    let (failure, sentence) = match no_way {
        Some(NoWay::NotPublic) => (Failure::Address, NOT_PUBLIC.to_owned()),
        Some(NoWay::NotFound) => (Failure::NotSent, format!("{host} could not be reached: its name could not be looked up.")),
        None if error.is_connect() && error.is_timeout() => {
            (Failure::NotSent, format!("{host} could not be reached: no connection within {} seconds.", CONNECT.as_secs()))
        }
        None if untrusted.is_some() => {
            let fault = untrusted.unwrap_or_default();
            (Failure::NotSent, format!("The certificate of {host} {fault}: renew it there, or correct the address."))
        }
        None if error.is_connect() => (Failure::NotSent, format!("{host} could not be reached: {cause}.")),
        None if error.is_timeout() => {
            (Failure::Unknown, format!("{host} gave no answer within {} seconds. It may have received the request.", total.as_secs()))
        }
        None if error.is_builder() => (Failure::Setup, "The request cannot be built from these settings.".into()),
        None => (Failure::Unknown, format!("The connection to {host} broke before the answer. It may have received the request.")),
    };
    failed(failure, shown::without_secrets(&sentence, secrets))
}

/// The fault of a handshake. An io::Error names what it holds by `get_ref` alone, and may hold another one.
fn held<'e>(mut cause: &'e (dyn std::error::Error + 'static)) -> Option<&'e rustls::Error> {
    loop {
        if let Some(fault) = cause.downcast_ref() {
            return Some(fault);
        }
        cause = cause.downcast_ref::<std::io::Error>()?.get_ref()?;
    }
}

fn sentence_of(verdict: &Verdict) -> &str {
    match verdict {
        Verdict::Delivered(s) | Verdict::Accepted(s) | Verdict::Split(s) | Verdict::Pause(s) | Verdict::Refused(s) => s,
        Verdict::Retry { sentence, .. } => sentence,
        Verdict::CheckLater { .. } => "The token is not ready yet.",
    }
}

fn failed(failure: Failure, sentence: String) -> SendError {
    SendError { failure, sentence, was_answered: false }
}

/// The host for a sentence: the vendor's, also where something stands in for it.
fn host_shown(origin: &str) -> String {
    Url::parse(origin).ok().and_then(|u| u.host_str().map(str::to_owned)).unwrap_or_else(|| "The server".into())
}
