//! What a visitor answered on consent: as it is kept, and what a new answer changes.

use super::PageTouch;
use crate::domain::consent::{Answer, Consent, Decision};
use crate::domain::time::Time;
use crate::error::Result;
use crate::flows::withdraw;
use crate::store::scope::SiteConn;
use crate::store::sessions::{Session, Words};
use crate::store::{consents, sessions};

/// A new answer of a known browser: the old one is kept as a row of its own. Gives whether deliveries were cancelled by it.
pub(in crate::flows) fn answered(c: &SiteConn, session: &Session, words: &Words, manager: &str, now: Time) -> Result<bool> {
    if session.analytics == words.analytics && session.marketing == words.marketing {
        return Ok(false);
    }
    if session.consent_at.is_some() {
        consents::retire(c, session.id)?;
    }
    sessions::set_consent(c, &session.key, words, manager, now)?;
    if words.marketing == "denied" { withdraw::of_session(c, session.id, now) } else { Ok(false) }
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
