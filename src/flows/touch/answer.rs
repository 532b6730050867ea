//! What a visitor answered on consent: as it is kept, and what a new answer changes.
//!
//! A browser tells its answer with every page, and nobody can see whether it was clicked again or only sent again. So
//! the two are not alike: **a yes counts from when it was first said, a no from when it was last said.** A no that is heard
//! once more can only keep something back; a yes that is heard once more would let go what was refused meanwhile, in a form or in
//! another browser. `docs/tag.md` says it for owners.

use super::PageTouch;
use crate::domain::consent::{Answer, Consent, Decision};
use crate::domain::time::Time;
use crate::error::Result;
use crate::flows::{planning, withdraw};
use crate::store::scope::SiteConn;
use crate::store::sessions::{Session, Words};
use crate::store::{consents, sessions};

const SAID_AGAIN_MS: i64 = 1_000;

/// What a browser says that was not heard before.
struct News {
    /// With what it says nothing of, as it was.
    words: Words,
    /// Another answer than the present one; else the same no, later.
    is_changed: bool,
    since: Time,
}

/// What a touch of a known browser says of consent. Gives whether deliveries were cancelled by it.
pub(super) fn heard(c: &SiteConn, session: &Session, touch: &PageTouch, words: &Words, now: Time) -> Result<bool> {
    let at = if touch.is_history { touch.at } else { now };
    if words.is_explicit { answered(c, session, words, manager_of(touch), at, now) } else { Ok(false) }
}

/// An answer of a known browser, given at a moment; the one that it replaces is kept as a row of its own. Gives whether
/// deliveries were cancelled by it.
pub(in crate::flows) fn answered(c: &SiteConn, session: &Session, words: &Words, manager: &str, at: Time, now: Time) -> Result<bool> {
    let Some(news) = news(session, words, at, now) else { return Ok(false) };
    let takes_back = !news.is_changed && has_agreed_since(c, session)?;
    // Of a no that is told with every page the first is kept, the last, and each that took back a yes.
    let is_kept = !news.is_changed && !takes_back && consents::is_retired(c, session.id, &news.words)?;
    if session.consent_at.is_some() && !is_kept {
        consents::retire(c, session.id)?;
    }
    sessions::set_consent(c, &session.key, &news.words, manager, news.since)?;
    if words.marketing == "denied" && (news.is_changed || takes_back) { withdraw::of_session(c, session.id, now) } else { Ok(false) }
}

/// Whether an answer that comes beside what is counted is worth a change of its own. In a flood the same no is written down
/// once a second.
pub(in crate::flows) fn is_news(session: &Session, words: &Words, now: Time) -> bool {
    let is_just_said = session.consent_at.is_some_and(|at| now.ms_since(at) < SAID_AGAIN_MS);
    news(session, words, now, now).is_some_and(|news| news.is_changed || !is_just_said)
}

fn news(session: &Session, words: &Words, at: Time, now: Time) -> Option<News> {
    let is_no = words.marketing == "denied";
    // Told late, of a time before the present answer. A clock that was put back keeps no refusal out.
    if session.consent_at.is_some_and(|known| at < known) && !(is_no && at == now) {
        return None;
    }
    let or_known = |said: &'static str, known: &str| match (said, Answer::parse(known)) {
        ("unknown", Some(known)) => known.as_str(),
        _ => said,
    };
    let (analytics, marketing) = (or_known(words.analytics, &session.analytics), or_known(words.marketing, &session.marketing));
    let is_changed = analytics != session.analytics || marketing != session.marketing;
    let is_later = session.consent_at.is_some_and(|known| now > known);
    let since = match session.consent_at {
        // Nothing was said of marketing: what stands there is as old as it was.
        Some(known) if words.marketing == "unknown" && marketing != "unknown" => known,
        // Heard late, it holds from now on: what left before could not know of it.
        Some(known) if is_no => now.max(known),
        _ => at,
    };
    (is_changed || is_no && is_later).then_some(News { words: Words { analytics, marketing, is_explicit: true }, is_changed, since })
}

/// Whether anybody has said yes for this browser, or the person it is known to be, since it said no.
fn has_agreed_since(c: &SiteConn, session: &Session) -> Result<bool> {
    if matches!(planning::newest_of_browser(c, session.id)?, Some((_, true))) {
        return Ok(true);
    }
    match session.consent_at {
        Some(since) => consents::has_own_yes(c, session.id, since),
        None => Ok(false),
    }
}

pub(in crate::flows) fn manager_of(touch: &PageTouch) -> &'static str {
    touch.consent.manager.unwrap_or("page")
}

/// The answer as it is kept. The browser's own refusal signal is an answer like any other.
pub(in crate::flows) fn words_of(consent: &Consent, decision: &Decision) -> Words {
    if decision.explicit && !decision.analytics && consent.analytics != Answer::Denied {
        return Words { analytics: "denied", marketing: "denied", is_explicit: true };
    }
    // Who refuses even to be counted has not agreed to be told to ad platforms.
    let marketing = match (consent.analytics, consent.marketing) {
        (Answer::Denied, Answer::Unknown) => Answer::Denied,
        (_, marketing) => marketing,
    };
    Words { analytics: consent.analytics.as_str(), marketing: marketing.as_str(), is_explicit: decision.explicit }
}
