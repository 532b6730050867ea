//! A page touch: who comes, from where, and what may be kept of it. One write; the answer waits for the disk.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use crate::app::{App, News};
use crate::crypto;
use crate::domain::campaign::{AdIds, ClickIds, ClickKind, Landing, Origin, Utm, classify, host_of};
use crate::domain::consent::{Answer, Consent, Decision, Signs, decide};
use crate::domain::host;
use crate::domain::ids::{LinkId, SessionId};
use crate::domain::outgoing::Mode;
use crate::domain::time::{DAY_MS, Day, Time};
use crate::domain::touch::{Mark, VISIT_GAP_MS, first_and_last};
use crate::error::{Error, Result};
use crate::flows::erase::past::{self, Heir};
use crate::flows::refusal;
use crate::flows::session_id::{self, SessionKey};
use crate::flows::{click_id, short_links};
use crate::limits::{Rate, text_key};
use crate::recent::{Digest, Recent};
use crate::store::affiliates::days::Click;
use crate::store::scope::SiteConn;
use crate::store::sessions::{Browser, Moved, NewSession, Seen, Session, Words};
use crate::store::sites::Site;
use crate::store::{anon_events, counters, sessions, touches};

/// What the visitor answered on consent.
mod answer;
/// Visits that the owner brings in a file.
pub mod history;
/// A partner's link that was followed.
mod partner;
/// Touches of pages that do not wait.
mod queue;
/// A retry after a lost answer.
mod repeat;
/// A touch as it is stored.
mod row;

use answer::heard;
pub(super) use answer::{answered, is_news, manager_of, words_of};
pub use queue::{queue, queue_dropped, settled};
use repeat::{Repeat, repeated};
use row::{Place, add_touch};

/// Touches stored for one browser and day.
const PER_SESSION_AND_DAY: Rate = Rate { burst: 200, per_1000_s: 3 };
/// Touches stored for one site a second.
const PER_SITE: Rate = Rate::per_second(200, 20_000);
/// And a day: far above any small shop, far below what fills a disk.
const PER_SITE_AND_DAY: Rate = Rate { burst: 2_000_000, per_1000_s: 23_000 };
/// Meta takes events of the last seven days; an address is of no use after that.
const ADDRESS_KEPT_MS: i64 = 7 * DAY_MS;

/// A page view as the edge has read it. All texts are cleaned and within their limits.
#[derive(Debug, Clone)]
pub struct PageTouch {
    pub at: Time,
    /// An id of ours that the browser or server showed.
    pub claim: Option<SessionKey>,
    /// The id was issued for this very load: nothing older is known of the browser.
    pub is_fresh: bool,
    pub event_id: Option<String>,
    pub landing: Landing,
    pub utm: Utm,
    pub clicks: ClickIds,
    pub ads: AdIds,
    pub referrer: Option<String>,
    pub title: Option<String>,
    pub browser: Browser,
    pub consent: Consent,
    /// GPC or Do Not Track.
    pub refuses: bool,
    pub time_zone: Option<String>,
    pub address: Option<IpAddr>,
    /// History that the owner's own server brings.
    pub is_history: bool,
    /// Sent again only because the visitor answered on consent: no page view of its own.
    pub is_answer: bool,
    /// Opened by the link that marks a device as the owner's own, or takes the mark away.
    pub own_device: Option<bool>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Taken {
    /// The sealed id, for the cookie and the answer.
    Session(String),
    /// Refused consent: one anonymous row, no id. The cookie goes.
    Anonymous,
    /// A device of the owner's own people: not counted, and marked from now on.
    OwnDevice(String),
    /// Nothing was counted, and why: `bot`, `excluded`, `limited`.
    Dropped(&'static str),
}

/// Decides on consent and stores the touch, which goes from hand to hand on its way and is too large to be copied each time.
pub async fn run(app: &App, site: &Arc<Site>, mut touch: Box<PageTouch>) -> Result<Taken> {
    let now = app.clock.now();
    let judged = match admit(app, site, &mut touch, now) {
        Admitted::Judged(judged) => judged,
        Admitted::Excluded(taken) => return dropped(app, site, "excluded").await.map(|()| taken),
        Admitted::Limited => return refusal::too_many(app, site, &touch).await,
    };
    stored(app, site, touch, judged, now).await
}

async fn stored(app: &App, site: &Arc<Site>, touch: Box<PageTouch>, judged: Box<Judged>, now: Time) -> Result<Taken> {
    if judged.partner.is_some() && judged.short_link.is_some() {
        // The redirect that led here has counted the click, or is about to: what it has written down says so.
        if let Err(e) = short_links::write_down(app).await {
            tracing::warn!(site.id = %site.id, error = %e, "Clicks on short links could not be written down before the visit that one led to.");
        }
    }
    let is_history = touch.is_history;
    let recent = app.recent.clone();
    let taken = app.store.write_again(site.id, move |c| record(c, &touch, &judged, &recent, now)).await?;
    tell(app, site, &taken, is_history, now);
    Ok(match taken.key {
        Some(key) => Taken::Session(session_id::sealed(&key, &site.keys.session)),
        None => Taken::Anonymous,
    })
}

/// What is known of a touch before anything is looked up.
enum Admitted {
    Judged(Box<Judged>),
    /// A visit of the owner's own people.
    Excluded(Taken),
    Limited,
}

fn admit(app: &App, site: &Arc<Site>, touch: &mut PageTouch, now: Time) -> Admitted {
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

/// Tells of it, once it is on disk.
fn tell(app: &App, site: &Site, taken: &Recorded, is_history: bool, now: Time) {
    if let Some(key) = &taken.key
        && !is_history
    {
        app.presence.saw(site.id, text_key(key), now);
    }
    app.tell(News::Visit { site: site.id });
    if taken.has_withdrawn {
        app.wake.notify_waiters();
    }
    app.figures.add("touches", if taken.key.is_some() { "session" } else { "anonymous" });
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

pub(super) fn decision_for(site: &Site, touch: &PageTouch) -> Decision {
    let signs = Signs {
        country: touch.browser.country.as_deref(),
        time_zone: touch.time_zone.as_deref(),
        goods_ask: false,
        site_country: site.country.as_deref(),
    };
    decide(touch.consent, site.consent, &signs, touch.refuses && site.settings.gpc)
}

/// Counts a touch that is not kept.
pub async fn dropped(app: &App, site: &Site, why: &'static str) -> Result<()> {
    app.figures.add("touches_dropped", why);
    let day = site.zone.day(app.clock.now());
    app.store.write_again(site.id, move |c| counters::add(c, day, "touch_dropped", why)).await
}

struct Recorded {
    key: Option<String>,
    has_withdrawn: bool,
}

/// What the rules say of a touch before anything is looked up.
struct Judged {
    origin: Origin,
    /// Digest of the event id.
    event: Option<Digest>,
    /// The id that the browser gets, if it showed none.
    key: Option<SessionKey>,
    /// The link that brought it, if its click id is one of ours.
    short_link: Option<LinkId>,
    day: Day,
    is_inner_page: bool,
    /// The code of a partner whose link was followed, and what is odd about the click.
    partner: Option<(String, Click)>,
    words: Words,
    may_keep: bool,
    keeps_address: bool,
    site: Arc<Site>,
}

fn judge(app: &App, site: &Arc<Site>, touch: &PageTouch, decision: &Decision, keeps_address: bool, now: Time) -> Judged {
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

fn record(c: &SiteConn, touch: &PageTouch, judged: &Judged, recent: &Recent, now: Time) -> Result<Recorded> {
    let Judged { origin, words, .. } = judged;
    let mut claim = touch.claim.as_ref().map(Cow::Borrowed);
    let mut known = match &claim {
        Some(claim) if !touch.is_fresh => sessions::find_by_key(c, claim.key())?,
        _ => None,
    };
    if let (None, Some(key), false) = (&known, &claim, touch.is_fresh)
        && let Heir::New { key, since } = past::heir(c, &judged.site.keys, key)?
    {
        if touch.at <= since {
            // History of somebody who was erased: it is not brought back.
            return Ok(Recorded { key: None, has_withdrawn: false });
        }
        known = sessions::find_by_key(c, key.key())?;
        claim = Some(Cow::Owned(key));
    }
    let repeated = repeated(c, known.as_ref(), judged, recent)?;
    if let (true, Some(_), Some(claim)) = (touch.is_fresh, &repeated, &claim) {
        known = sessions::find_by_key(c, claim.key())?;
    }

    if !judged.may_keep {
        // A refusal is heard also in a repeat; only the count is made once.
        let has_withdrawn = match &known {
            Some(session) => heard(c, session, touch, words, now)?,
            None => false,
        };
        if touch.is_answer || repeated.is_some() {
            return Ok(Recorded { key: None, has_withdrawn });
        }
        anon_events::add(
            c,
            &anon_events::AnonEvent {
                at: touch.at,
                day: judged.day,
                origin,
                utm: &Utm { source: origin.raw_source.clone(), medium: origin.raw_medium.clone(), ..touch.utm.clone() },
                path: &touch.landing.path,
                country: touch.browser.country.as_deref(),
                device: touch.browser.device,
                starts_visit: !judged.is_inner_page,
                event: judged.event.as_ref().map(|e| &e[..]),
            },
        )?;
        partner::followed_by_nobody(c, touch, judged)?;
        if let Some(event) = &judged.event {
            recent.add(c.site(), *event, 0, now);
        }
        return Ok(Recorded { key: None, has_withdrawn });
    }
    if let Some(Repeat { key: Some(key) }) = repeated {
        let has_withdrawn = match &known {
            Some(session) => heard(c, session, touch, words, now)?,
            None => false,
        };
        filled_in(c, &key, touch, judged)?;
        return Ok(Recorded { key: Some(key), has_withdrawn });
    }

    let (id, key, has_withdrawn) = match known {
        Some(session) => again(c, session, touch, judged, now)?,
        None => {
            let key = claim.as_deref().or(judged.key.as_ref()).ok_or_else(|| Error::internal("a browser without an id"))?.key();
            match first_seen(c, key, touch, judged, now)? {
                Some(id) => (id, key.to_owned(), false),
                None => {
                    // The page's own tag was quicker.
                    let session = sessions::find_by_key(c, key)?.ok_or_else(|| Error::internal("a session that is there and is not"))?;
                    again(c, session, touch, judged, now)?
                }
            }
        }
    };
    if let Some(address) = touch.address
        && judged.keeps_address
        && !touch.is_history
    {
        sessions::keep_address(c, id, &address.to_string(), now.plus_ms(ADDRESS_KEPT_MS))?;
    }
    if let Some(event) = &judged.event {
        recent.add(c.site(), *event, id.number(), now);
    }
    Ok(Recorded { key: Some(key), has_withdrawn })
}

/// What a page's own script knows beyond the web server that told of it first.
fn filled_in(c: &SiteConn, key: &str, touch: &PageTouch, judged: &Judged) -> Result<()> {
    sessions::fill_in(c, key, &touch.browser)?;
    match (&touch.title, &judged.event) {
        (Some(title), Some(event)) => touches::fill_in_title(c, key, &event[..], title),
        _ => Ok(()),
    }
}

/// A known browser, and what it answered. Gives whether it has withdrawn something.
fn again(c: &SiteConn, session: Session, touch: &PageTouch, judged: &Judged, now: Time) -> Result<(SessionId, String, bool)> {
    if !touch.is_answer {
        seen_again(c, &session, touch, judged, now)?;
    }
    let has_withdrawn = heard(c, &session, touch, &judged.words, now)?;
    Ok((session.id, session.key, has_withdrawn))
}

/// None where a browser of this key is known.
fn first_seen(c: &SiteConn, key: &str, touch: &PageTouch, judged: &Judged, now: Time) -> Result<Option<SessionId>> {
    let event = judged.event.as_ref().map(|e| &e[..]);
    let manager = manager_of(touch);
    let new = NewSession {
        key,
        at: touch.at,
        is_direct: judged.origin.is_direct,
        browser: &touch.browser,
        consent: &judged.words,
        manager,
        event,
    };
    let Some(id) = sessions::add(c, &new)? else { return Ok(None) };
    add_touch(c, id, 1, touch, judged, Place { starts_visit: true, is_repeat: false }, now)?;
    Ok(Some(id))
}

/// A known browser again: a page view, or a touch of its own where it brings a new campaign or begins a new visit.
fn seen_again(c: &SiteConn, session: &Session, touch: &PageTouch, judged: &Judged, now: Time) -> Result<()> {
    let origin = &judged.origin;
    let gap = touch.at.ms_since(session.last_seen_at).abs();
    let starts_visit = gap > VISIT_GAP_MS;
    let is_new = if !touch.clicks.is_empty() {
        touches::has_new_click(c, session.id, &touch.clicks)?
    } else if origin.is_direct {
        starts_visit
    } else {
        !touches::has_campaign(c, session.id, origin, touch.at)?
    };
    // Another partner's link is a touch of its own, whatever else it says.
    let is_new = is_new || partner::is_click(c, session.id, touch, judged)?;
    let seen = Seen { at: touch.at, browser: &touch.browser, event: judged.event.as_ref().map(|e| &e[..]) };
    // The same click id ever is one touch: again after a pause it is a visit, not a touchpoint.
    let is_repeat = !is_new && starts_visit;
    if !is_new && !is_repeat {
        return sessions::saw_again(c, session, &seen);
    }
    let seq = session.touch_count + 1;
    let mark = Mark { seq, at: touch.at, is_direct: origin.is_direct };
    let (first, last) = if is_repeat { (session.first, session.last) } else { first_and_last(session.first, session.last, mark) };
    sessions::moved(c, session, &Moved { seen, first, last, starts_visit })?;
    add_touch(c, session.id, seq, touch, judged, Place { starts_visit, is_repeat }, now)
}

/// A page reached from another page of the site is not the beginning of a visit.
fn is_inner_page(touch: &PageTouch, domains: &[&str]) -> bool {
    let host = touch.referrer.as_deref().and_then(host_of);
    host.is_some_and(|host| domains.iter().any(|d| host::is_under(&host, d)))
}
