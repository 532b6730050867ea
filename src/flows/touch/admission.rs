//! What is known of a touch before anything is looked up: whether it is counted at all, and what the rules say of it.

use std::sync::Arc;

use super::{PageTouch, Taken, partner, words_of};
use crate::app::App;
use crate::crypto;
use crate::domain::campaign::{ClickKind, Origin, Utm, classify, host_of};
use crate::domain::consent::{Answer, Decision, Signs, decide};
use crate::domain::host;
use crate::domain::ids::LinkId;
use crate::domain::outgoing::Mode;
use crate::domain::time::{Day, Time};
use crate::flows::click_id;
use crate::flows::session_id::{self, SessionKey};
use crate::limits::{Rate, text_key};
use crate::recent::Digest;
use crate::store::affiliates::days::Click;
use crate::store::sessions::Words;
use crate::store::sites::Site;

/// Touches stored for one browser and day.
const PER_SESSION_AND_DAY: Rate = Rate { burst: 200, per_1000_s: 3 };
/// Touches stored for one site a second.
const PER_SITE: Rate = Rate::per_second(200, 20_000);
/// And a day: far above any small shop, far below what fills a disk.
const PER_SITE_AND_DAY: Rate = Rate { burst: 2_000_000, per_1000_s: 23_000 };

/// What is known of a touch before anything is looked up.
pub enum Admitted {
    Judged(Box<Judged>),
    /// A visit of the owner's own people.
    Excluded(Taken),
    Limited,
}

pub fn admit(app: &App, site: &Arc<Site>, touch: &mut PageTouch, now: Time) -> Admitted {
    if let Some(taken) = excluded(site, touch) {
        return Admitted::Excluded(taken);
    }
    // History has its own days, and comes from the owner's own server.
    if !touch.is_history {
        let visitor = touch.claim.as_ref().filter(|_| !touch.is_fresh).map(|k| text_key(k.key()));
        let number = site.id.number() as u64;
        if visitor.is_some_and(|visitor| app.limits.take("touch_session", visitor, PER_SESSION_AND_DAY, now).is_err())
            || app.limits.take("touch_site", number, PER_SITE, now).is_err()
            || app.limits.take("touch_site_day", number, PER_SITE_AND_DAY, now).is_err()
        {
            return Admitted::Limited;
        }
    }
    let decision = decision_for(site, touch);
    let keeps_address = decision.marketing && app.book().connections_of(site.id).any(|c| c.platform == "meta" && c.mode != Mode::Shadow);
    // All that is no SQL is done before the writer's turn.
    let judged = Box::new(judge(app, site, touch, &decision, keeps_address, now));
    // What the writer does not need goes at once: on its thread it would cost the next page more.
    touch.event_id = None;
    if judged.may_keep {
        touch.utm = Utm::default();
    }
    Admitted::Judged(judged)
}

/// What the rules say of a touch before anything is looked up.
pub struct Judged {
    pub origin: Origin,
    /// Digest of the event id.
    pub event: Option<Digest>,
    /// The id that the browser gets, if it showed none.
    pub key: Option<SessionKey>,
    /// The link that brought it, if its click id is one of ours.
    pub short_link: Option<LinkId>,
    pub day: Day,
    pub is_inner_page: bool,
    /// The code of a partner whose link was followed, and what is odd about the click.
    pub partner: Option<(String, Click)>,
    pub words: Words,
    pub may_keep: bool,
    pub keeps_address: bool,
    pub site: Arc<Site>,
}

pub fn judge(app: &App, site: &Arc<Site>, touch: &PageTouch, decision: &Decision, keeps_address: bool, now: Time) -> Judged {
    let domains: Vec<&str> = site.domains.iter().map(String::as_str).collect();
    Judged {
        origin: classify(&touch.utm, &touch.clicks, touch.referrer.as_deref(), &domains, &[]),
        event: touch.event_id.as_ref().map(|id| {
            let digest = crypto::hmac_sha256(&site.keys.digest, &[b"touch.", id.as_bytes()]);
            let mut short = [0; 16];
            short.copy_from_slice(&digest[..16]);
            short
        }),
        key: touch.claim.is_none().then(|| session_id::issue(now)),
        short_link: touch.clicks.get(ClickKind::HaloClick).and_then(|id| click_id::open(id, &site.keys.session)).map(|c| c.link),
        day: site.zone.day(touch.at),
        is_inner_page: is_inner_page(touch, &domains),
        partner: partner::of(app, site, touch, now),
        words: words_of(&touch.consent, decision),
        may_keep: decision.analytics,
        keeps_address,
        site: site.clone(),
    }
}

/// Visits of the owner's own people: by the mark on the device, by the link that sets it, by their network.
fn excluded(site: &Site, touch: &mut PageTouch) -> Option<Taken> {
    let key = &site.keys.session;
    let is_marked = touch.claim.as_ref().is_some_and(|claim| session_id::is_own_device(claim, key));
    if touch.own_device == Some(false) && is_marked {
        touch.claim = None;
    } else if is_marked || touch.own_device == Some(true) {
        return Some(Taken::OwnDevice(session_id::own_device(key).sealed(key)));
    }
    let is_staff = touch.address.is_some_and(|address| site.settings.staff_networks.iter().any(|network| network.holds(address)));
    is_staff.then_some(Taken::Dropped("excluded"))
}

/// Whether a session may be kept for this touch, before anything is stored.
pub fn may_keep(site: &Site, touch: &PageTouch) -> bool {
    decision_for(site, touch).analytics
}

/// Whether the visitor says no by this very request.
pub fn is_refused(site: &Site, touch: &PageTouch) -> bool {
    touch.consent.analytics == Answer::Denied || (touch.refuses && site.settings.gpc)
}

pub fn decision_for(site: &Site, touch: &PageTouch) -> Decision {
    let signs = Signs {
        country: touch.browser.country.as_deref(),
        time_zone: touch.time_zone.as_deref(),
        goods_ask: false,
        site_country: site.country.as_deref(),
    };
    decide(touch.consent, site.consent, &signs, touch.refuses && site.settings.gpc)
}

/// A page reached from another page of the site is not the beginning of a visit.
fn is_inner_page(touch: &PageTouch, domains: &[&str]) -> bool {
    let host = touch.referrer.as_deref().and_then(host_of);
    host.is_some_and(|host| domains.iter().any(|d| host::is_under(&host, d)))
}
