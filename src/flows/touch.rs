//! A page touch: who comes, from where, and what may be kept of it. One write; the answer waits for the disk.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use crate::app::{App, News};
use crate::domain::campaign::{AdIds, ClickIds, Landing, Utm};
use crate::domain::consent::Consent;
use crate::domain::ids::SessionId;
use crate::domain::time::{DAY_MS, Time};
use crate::domain::touch::{Mark, VISIT_GAP_MS, first_and_last};
use crate::error::{Error, Result};
use crate::flows::erase::past::{self, Heir};
use crate::flows::refusal;
use crate::flows::session_id::{self, SessionKey};
use crate::flows::short_links;
use crate::limits::text_key;
use crate::recent::Recent;
use crate::store::scope::SiteConn;
use crate::store::sessions::{Browser, Moved, NewSession, Seen, Session};
use crate::store::sites::Site;
use crate::store::{anon_events, counters, sessions, touches};

/// Whether a touch is counted at all.
mod admission;
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

use admission::{Admitted, Judged, admit};
pub use admission::{decision_for, is_refused, may_keep};
use answer::heard;
pub(super) use answer::{answered, is_news, manager_of, words_of};
pub use queue::{queue, queue_dropped, settled};
use repeat::{Repeat, repeated};
use row::{Place, add_touch};

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
