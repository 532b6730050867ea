//! A page load as a web server sees it, before the page has said anything: the id is given at once, the touch is queued.
//! The same for our own proxy and for the sub-request of another one.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value};

use super::ask::Ask;
use super::touch::{cut, limited, read};
use super::visitor;
use crate::app::App;
use crate::crypto;
use crate::domain::campaign::{AdIds, ClickIds, Landing, Utm, host_of, landing};
use crate::flows::session_id;
use crate::flows::touch::{self, PageTouch, Taken};
use crate::limits::{Rate, address_key};
use crate::loads::Teller;
use crate::store::sites::Site;

/// Pages of one address: far above a person's clicking, with room for the tabs of a morning.
const PAGES: Rate = Rate::per_second(5, 60);

/// What is known of it before the page is served.
pub struct PageLoad {
    site: Arc<Site>,
    host: String,
    what: What,
    id: Option<String>,
    cookie: Option<String>,
    /// What the page's tag is known by: the id that was given, and only where none was, the address and the browser's words,
    /// which others have too.
    name: Option<String>,
}

enum What {
    Touch(Box<PageTouch>),
    /// Not kept, and why.
    Left(&'static str),
    Nothing,
}

impl PageLoad {
    /// `host` is the page's own, `uri` its path and query.
    pub fn of(app: &App, site: &Arc<Site>, ask: &Ask, host: &str, uri: &str) -> Self {
        let now = app.clock.now();
        let agent = cut(ask.header("user-agent").unwrap_or_default(), 1_024);
        let told = app.agents.read(&agent);
        let mut load = Self { site: site.clone(), host: host.to_owned(), what: What::Nothing, id: None, cookie: None, name: None };
        if told.is_bot {
            load.what = What::Left("bot");
            return load;
        }
        let Ok(page) = read(site, &fields(ask, uri), ask, &agent, told.device, Some(ask.client)) else { return load };
        let seal = &site.keys.session;
        let claim = session_id::oldest(visitor::cookies(ask), seal)
            .filter(|claim| page.own_device != Some(false) || !session_id::is_own_device(claim, seal));
        let cookie = |value: &str, max_age| visitor::cookie_on(value, max_age, site, host, ask.is_https);
        if page.own_device == Some(true) || claim.as_ref().is_some_and(|claim| session_id::is_own_device(claim, seal)) {
            let own = session_id::own_device(seal).sealed(seal);
            load.cookie = cookie(&own, visitor::COOKIE_S);
            (load.id, load.what) = (Some(own), What::Left("excluded"));
            return load;
        }
        if limited(app, ask, "page", PAGES, now) {
            load.id = claim.map(|claim| claim.sealed(seal));
            load.what = What::Left("limited");
            return load;
        }
        if !touch::may_keep(site, &page) {
            if touch::is_refused(site, &page) {
                // A cookie of an earlier yes goes.
                load.cookie = visitor::cookies(ask).next().and_then(|_| cookie("", 0));
            } else if claim.is_some() {
                // Somebody who has said yes where only the page's own script can see it: the script tells of the page.
                return load;
            }
            load.name = Some(nameless(ask.client, &agent));
            load.what = What::Touch(Box::new(PageTouch { at: now, claim, ..page }));
            return load;
        }
        let is_fresh = claim.is_none();
        let key = claim.unwrap_or_else(|| session_id::issue(now));
        let sealed = key.sealed(seal);
        load.cookie = cookie(&sealed, visitor::COOKIE_S);
        load.name = Some(key.key().to_owned());
        load.id = Some(sealed);
        load.what = What::Touch(Box::new(PageTouch { at: now, claim: Some(key), is_fresh, ..page }));
        load
    }

    /// The sealed session id, where one may be kept.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Why it is not kept.
    pub fn left(&self) -> Option<&'static str> {
        match self.what {
            What::Left(why) => Some(why),
            What::Touch(_) | What::Nothing => None,
        }
    }

    /// What the visitor's browser is to keep.
    pub fn cookie(&self) -> Option<&str> {
        self.cookie.as_deref()
    }

    /// Counts it. `location` is where the answer leads on to instead of being a page itself.
    pub fn count(self, app: &App, location: Option<&str>) {
        let now = app.clock.now();
        let mut page = match self.what {
            What::Touch(page) => page,
            What::Left(why) => return touch::queue_dropped(app, &self.site, why),
            What::Nothing => return,
        };
        let next = location.and_then(|to| leads_to(to, &self.host, &page.landing.path, &self.site));
        let is_told = is_telling(&page.utm, &page.clicks, &page.ads, page.landing.refs.as_deref());
        if next.as_ref().is_some_and(|to| is_telling(&to.utm, &to.clicks, &to.ads, to.refs.as_deref())) && !is_told {
            // The page that it leads to says where the visitor came from; this one would be a direct visit before it.
            return;
        }
        let own = load_id(app);
        let name = self.name.as_deref();
        let before =
            name.filter(|_| !is_told).and_then(|name| app.loads.take(self.site.id, Teller::Target, name, &page.landing.path, &own, now));
        let event = before.unwrap_or_else(|| format!("load {own}"));
        let waits_for = match &next {
            Some(target) => Some((Teller::Target, &target.path)),
            None if location.is_some() => None,
            None => Some((Teller::Tag, &page.landing.path)),
        };
        if let Some((name, (teller, path))) = name.zip(waits_for) {
            app.loads.add(self.site.id, teller, name, path, &event, now);
        }
        page.event_id = Some(event);
        touch::queue(app, &self.site, page);
    }
}

/// A page load that the shop's own program tells of and waits for.
pub struct ServerLoad {
    event: String,
    path: String,
    unnamed: Option<String>,
}

impl ServerLoad {
    pub fn of(app: &App, page: &mut PageTouch, address: Option<IpAddr>, agent: &str) -> Self {
        let event = page.event_id.get_or_insert_with(|| format!("load {}", load_id(app))).clone();
        Self { event, path: page.landing.path.clone(), unnamed: address.map(|address| nameless(address, agent)) }
    }

    /// The page's tag may tell of it too.
    pub fn may_be_told_again(self, app: &App, site: &Site, taken: &Taken) {
        let name = match taken {
            Taken::Session(id) => session_id::open(id, &site.keys.session).map(|key| key.key().to_owned()),
            Taken::Anonymous => self.unnamed,
            Taken::OwnDevice(_) | Taken::Dropped(_) => None,
        };
        if let Some(name) = name {
            app.loads.add(site.id, Teller::Tag, &name, &self.path, &self.event, app.clock.now());
        }
    }
}

/// The event under which a web server has told of the load that this touch of a tag is of. Whoever brings no id is never taken
/// for somebody who has one: address and browser are the same for a whole office.
pub fn told_before(app: &App, site: &Site, page: &PageTouch, address: IpAddr, agent: &str) -> Option<String> {
    // Without a name of its own no telling is a repeat of another.
    let by = page.event_id.clone().unwrap_or_else(|| crypto::random_text(12));
    let take = |name: &str| app.loads.take(site.id, Teller::Tag, name, &page.landing.path, &by, app.clock.now());
    page.claim.as_ref().and_then(|key| take(key.key())).or_else(|| take(&nameless(address, agent)))
}

/// One that no other load has, of this run of the process or of another.
fn load_id(app: &App) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{} {}", app.boot, COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A browser without an id, for the half hour in which its page may speak.
fn nameless(address: IpAddr, agent: &str) -> String {
    format!("{}\n{agent}", address_key(address))
}

/// Says by itself where the visitor came from.
fn is_telling(utm: &Utm, clicks: &ClickIds, ads: &AdIds, refs: Option<&str>) -> bool {
    !utm.is_empty() || !clicks.is_empty() || !ads.is_empty() || refs.is_some()
}

/// The page of the same host that a redirect leads to.
fn leads_to(location: &str, host: &str, path: &str, site: &Site) -> Option<Landing> {
    let base = url::Url::parse(&format!("http://{host}{path}")).ok()?;
    let to = base.join(location).ok()?;
    (to.host_str() == base.host_str()).then(|| {
        let query = to.query().map(|q| format!("?{q}")).unwrap_or_default();
        landing(&format!("{}{query}", to.path()), &site.settings.extra_params)
    })
}

/// What the tag would read in the page, as far as the request has it.
fn fields(ask: &Ask, uri: &str) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Option<&str>| {
        if let Some(value) = value.filter(|v| !v.is_empty()) {
            fields.insert(name.to_owned(), Value::from(value));
        }
    };
    put("landing", Some(uri));
    // An address within the site tells of no source; its query may hold anything.
    put("referrer", ask.header("referer").map(|r| r.split('?').next().unwrap_or(r)).filter(|r| host_of(r).is_some()));
    for pair in ask.headers.all("cookie").flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('=')) {
        match pair {
            ("_fbc", value) => put("fbc", Some(value)),
            ("_fbp", value) => put("fbp", Some(value)),
            ("_ga", value) => put("ga_client_id", value.splitn(3, '.').nth(2)),
            (name, value) if name.starts_with("_ga_") => put("ga_session_id", ga_session(value)),
            _ => {}
        }
    }
    fields
}

/// `GS1.1.1718270400.…` and `GS2.1.s1718270400$…`: https://support.google.com/analytics/answer/11397207
fn ga_session(value: &str) -> Option<&str> {
    let third = value.split('.').nth(2)?;
    let digits = third.strip_prefix('s').unwrap_or(third);
    let end = digits.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(digits.len());
    (end > 0).then(|| &digits[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn google_writes_its_session_in_two_ways() {
        assert_eq!(ga_session("GS1.1.1718270400.3.1.1718270500.0.0.0"), Some("1718270400"));
        assert_eq!(ga_session("GS2.1.s1718270400$o3$g1"), Some("1718270400"));
        assert_eq!(ga_session("GS2.1.x"), None);
        assert_eq!(ga_session(""), None);
    }
}
