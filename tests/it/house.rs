//! The whole product in one process for a test: a store in a temporary folder, a clock that stands still, and requests
//! answered in memory. Stories speak HTTP and look at replies, not at tables.

#![allow(dead_code)] // each story uses its own part of this

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use axum::body::Body;
use axum::http::{HeaderMap, Request};
use halotrack::app::App;
use halotrack::clock::Clock;
use halotrack::config::{Config, LogFormat, Network};
use halotrack::crypto::{self, Sealer};
use halotrack::disk::Gauge;
use halotrack::domain::consent::Mode;
use halotrack::domain::ids::SiteId;
use halotrack::domain::money::Currency;
use halotrack::domain::person::Email;
use halotrack::domain::rights::{Right, Scope};
use halotrack::domain::time::{Time, Zone};
use halotrack::flows;
use halotrack::http::Edge;
use halotrack::http::route::Route;
use halotrack::http::table::ROUTES;
use halotrack::outbound::Outbound;
use halotrack::store::sites::{self, NewSite};
use halotrack::store::{logins, users};
use http_body_util::BodyExt;
use serde_json::Value;

/// 13 June 2026, 09:20 UTC: a Saturday in summer time.
pub const NOW_S: i64 = 1_781_342_400;
/// A browser as most are.
pub const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";

pub struct House {
    pub app: App,
    pub clock: Clock,
    pub room: Room,
    edge: Edge,
    _folder: Folder,
}

/// A disk with as much room as a story says: plenty, until then.
#[derive(Clone)]
pub struct Room(Arc<AtomicU64>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(1 << 40)))
    }
}

impl Room {
    pub fn is_mib(&self, mib: u64) {
        self.0.store(mib << 20, Ordering::Relaxed);
    }

    /// The database cannot be found.
    pub fn is_gone(&self) {
        self.0.store(u64::MAX, Ordering::Relaxed);
    }
}

impl Gauge for Room {
    fn free(&self, _: &Path) -> std::io::Result<u64> {
        match self.0.load(Ordering::Relaxed) {
            u64::MAX => Err(std::io::ErrorKind::NotFound.into()),
            free => Ok(free),
        }
    }
}

/// A site and a token with all scopes for it.
pub struct SiteAt {
    pub id: SiteId,
    pub slug: String,
    pub key: String,
    pub domain: String,
    pub token: String,
}

impl House {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// With a configuration of its own: public address, proxies, outgoing addresses.
    pub fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::of(change, ROUTES)
    }

    /// With routes of its own, for what no real route does.
    pub fn of(change: impl FnOnce(&mut Config), routes: &'static [Route]) -> Self {
        let folder = Folder::new();
        let mut config = Config {
            data: folder.0.clone(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: "http://127.0.0.1:8080".into(),
            trusted_proxies: Network::parse("127.0.0.0/8").into_iter().collect(),
            master_key_file: folder.0.join("key"),
            outbound_allow: vec!["127.0.0.0/8".into()],
            base_urls: BTreeMap::new(),
            retry_scale_ppm: 1_000,
            cors_origins: Vec::new(),
            log_level: "warn".into(),
            log_format: LogFormat::Text,
        };
        change(&mut config);
        let clock = Clock::frozen_at(Time::from_s(NOW_S));
        let outbound = Outbound::new(&config.outbound_allow, &config.base_urls).expect("an outgoing client");
        let room = Room::default();
        let gauge = Box::new(room.clone());
        let app = App::build_on(config, clock.clone(), Sealer::new([7; 32]), outbound, gauge).expect("the product is built");
        let edge = Edge::of(app.clone(), routes);
        Self { app, clock, room, edge, _folder: folder }
    }

    /// The product started once more on the same data: a run of its own beside the old one, which may have died.
    pub fn again(&self) -> Self {
        self.again_with(|_| {})
    }

    /// The same with another configuration.
    pub fn again_with(&self, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::clone(&self.app.config);
        change(&mut config);
        let outbound = Outbound::new(&config.outbound_allow, &config.base_urls).expect("an outgoing client");
        let gauge = Box::new(self.room.clone());
        let app = App::build_on(config, self.clock.clone(), Sealer::new([7; 32]), outbound, gauge).expect("the product is built");
        let edge = Edge::new(app.clone());
        Self { app, clock: self.clock.clone(), room: self.room.clone(), edge, _folder: Folder(PathBuf::new()) }
    }

    /// The product started on the same data with another key.
    pub fn started_with(&self, sealer: Sealer) -> halotrack::error::Result<App> {
        let config = self.app.config.clone();
        let outbound = Outbound::new(&config.outbound_allow, &config.base_urls).expect("an outgoing client");
        App::build(config, self.clock.clone(), sealer, outbound)
    }

    pub fn data(&self) -> &Path {
        &self.app.config.data
    }

    pub fn advance_s(&self, seconds: i64) {
        self.clock.advance_ms(seconds * 1_000);
    }

    /// A site in UTC and USD that tracks until refused.
    pub async fn site(&self, domain: &str) -> SiteAt {
        self.site_with(domain, |_| {}).await
    }

    pub async fn site_with(&self, domain: &str, change: impl FnOnce(&mut NewSite)) -> SiteAt {
        let mut new = NewSite {
            name: domain.split('.').next().unwrap_or(domain).to_owned(),
            domains: vec![domain.to_owned()],
            currency: Currency::parse("USD").expect("a currency"),
            zone: Zone::utc(),
            country: None,
            consent: Mode::OptOut,
            cookie_domain: domain.to_owned(),
        };
        change(&mut new);
        let now = self.clock.now();
        let id = self.app.store.write_all_sites(move |all| sites::add(all, &new, now)).await.expect("a site");
        self.app.refresh().await.expect("the book is read");
        let site = self.app.book().site(id).cloned().expect("the site is in the book");
        let token = self.token(id, &Scope::ALL).await;
        SiteAt { id, slug: site.slug.clone(), key: site.public_key.clone(), domain: domain.to_owned(), token }
    }

    pub async fn token(&self, site: SiteId, scopes: &[Scope]) -> String {
        let made = flows::tokens::create(&self.app, "command line", site, "test".into(), scopes.to_vec(), None, None).await;
        made.expect("a token").reveal().to_owned()
    }

    /// A user with a role on the site, or an owner of the box, and a fresh login: gives the cookie.
    pub async fn login(&self, email: &str, role: Right, site: Option<SiteId>) -> String {
        let user = flows::login::add_user(&self.app, email, role, site).await.expect("a user");
        let value = crypto::random_text(32);
        let hash = crypto::sha256(value.as_bytes());
        let now = self.clock.now();
        self.app
            .store
            .write_all_sites(move |all| {
                users::set_password(all, user, "no password fits this")?;
                logins::add(all, &hash, user, now)
            })
            .await
            .expect("a login");
        format!("halo_login={value}")
    }

    pub fn get(&self, path: &str) -> Call<'_> {
        self.call("GET", path)
    }

    pub fn post(&self, path: &str) -> Call<'_> {
        self.call("POST", path)
    }

    pub fn delete(&self, path: &str) -> Call<'_> {
        self.call("DELETE", path)
    }

    pub fn call(&self, method: &str, path: &str) -> Call<'_> {
        Call {
            edge: &self.edge,
            method: method.to_owned(),
            path: path.to_owned(),
            headers: vec![("host".into(), "127.0.0.1:8080".into())],
            body: Vec::new(),
            peer: SocketAddr::from(([127, 0, 0, 1], 40_000)),
        }
    }
}

/// A request in the making.
pub struct Call<'a> {
    edge: &'a Edge,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    peer: SocketAddr,
}

impl Call<'_> {
    /// Replaces a header of that name.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(n, _)| n != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn host(self, host: &str) -> Self {
        self.header("host", host)
    }

    pub fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// As a page of the dashboard sends it.
    pub fn cookie(self, cookie: &str) -> Self {
        self.header("cookie", cookie).header("sec-fetch-site", "same-origin")
    }

    pub fn json(self, body: &Value) -> Self {
        self.body(body.to_string()).header("content-type", "application/json")
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        let length = self.body.len().to_string();
        self.header("content-length", &length)
    }

    pub fn from_peer(mut self, address: &str) -> Self {
        self.peer = SocketAddr::new(address.parse().expect("an address"), 40_000);
        self
    }

    /// As a visitor's browser on a page of the site, behind a proxy that speaks https.
    pub fn browser(self, site: &SiteAt) -> Self {
        self.host(&format!("t.{}", site.domain))
            .header("origin", &format!("https://{}", site.domain))
            .header("referer", &format!("https://{}/", site.domain))
            .header("user-agent", CHROME)
            .header("x-forwarded-proto", "https")
            .header("content-type", "text/plain;charset=UTF-8")
            .header("sec-fetch-site", "same-site")
    }

    /// The answer as it comes, for streams.
    pub async fn open(self) -> axum::http::Response<Body> {
        let mut request = Request::builder().method(self.method.as_str()).uri(&self.path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        self.edge.answer(self.peer, request.body(Body::from(self.body)).expect("a request")).await
    }

    pub async fn send(self) -> Answer {
        let (method, path) = (self.method.clone(), self.path.clone());
        let response = self.begin().await;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        // A stream of events has no end to wait for.
        let is_endless = headers.get("content-type").is_some_and(|t| t == "text/event-stream");
        let bytes = if is_endless { Vec::new() } else { response.into_body().collect().await.expect("a body").to_bytes().to_vec() };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { asked: format!("{method} {path}"), status, headers, bytes, text, json }
    }

    /// An answer that does not end.
    pub async fn listen(self) -> Stream {
        let response = self.begin().await;
        assert_eq!(response.status().as_u16(), 200);
        Stream { body: response.into_body() }
    }

    async fn begin(self) -> axum::http::Response<Body> {
        let mut request = Request::builder().method(self.method.as_str()).uri(&self.path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(self.body)).expect("a request");
        self.edge.answer(self.peer, request).await
    }
}

/// Events as they come.
pub struct Stream {
    body: Body,
}

impl Stream {
    pub async fn next(&mut self) -> String {
        let frame = self.body.frame().await.expect("it goes on").expect("it is whole");
        frame.into_data().map(|d| String::from_utf8_lossy(&d).into_owned()).unwrap_or_default()
    }

    /// The first piece with this word in it.
    pub async fn until(&mut self, word: &str) -> String {
        loop {
            let text = self.next().await;
            if text.contains(word) {
                return text;
            }
        }
    }
}

/// What came back.
pub struct Answer {
    pub asked: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
    pub text: String,
    pub json: Value,
}

impl Answer {
    /// Fails with the body unless the status is this one.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.asked, self.text);
        self
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    /// The fixed word of a refusal in our own shape.
    pub fn code(&self) -> &str {
        self.json["error"]["code"].as_str().unwrap_or_default()
    }

    /// `name=value` of the cookie that was set, without its attributes.
    pub fn cookie(&self) -> String {
        self.header("set-cookie").split(';').next().unwrap_or_default().to_owned()
    }
}

pub fn email(text: &str) -> Email {
    Email::parse(text).expect("an address")
}

/// A temporary folder that goes away with the house.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("halotrack-test-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // That of a second run belongs to the first.
        if !self.0.as_os_str().is_empty() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}
