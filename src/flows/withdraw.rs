//! A refusal after the fact: what waits for the person's conversions is cancelled at once.

use crate::domain::ids::{ContactId, SessionId};
use crate::domain::time::Time;
use crate::error::Result;
use crate::flows::planning::consent_for;
use crate::store::scope::SiteConn;
use crate::store::sites::Site;
use crate::store::{conversions, deliveries};

/// Cancels all that waits for conversions of this browser, or of the person it is known to be.
pub fn of_session(c: &SiteConn, session: SessionId, now: Time) -> Result<bool> {
    let mut cancelled = 0;
    for conversion in conversions::of_browser(c, session)? {
        cancelled += deliveries::cancel_waiting(c, conversion, "consent", now)?;
    }
    Ok(cancelled > 0)
}

/// A person has said no, or several contacts have turned out to be one: cancels what waits for a conversion that may not leave any
/// more.
pub fn of_contact(c: &SiteConn, site: &Site, contact: ContactId, now: Time) -> Result<()> {
    for id in conversions::of_contact(c, contact)? {
        let Some(conversion) = conversions::find(c, id)? else { continue };
        let browsers: Vec<SessionId> = conversion.session.into_iter().collect();
        if !consent_for(c, site, &conversion, &browsers, now)?.is_allowed {
            deliveries::cancel_waiting(c, id, "consent", now)?;
        }
    }
    Ok(())
}
