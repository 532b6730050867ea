//! A touch that was counted before: known by its event id.

use super::admission::Judged;
use crate::domain::ids::SessionId;
use crate::error::Result;
use crate::recent::Recent;
use crate::store::scope::SiteConn;
use crate::store::sessions::{self, Session};

/// A touch that was counted before: a retry after a lost answer.
pub struct Repeat {
    /// None where it was counted without a session.
    pub key: Option<String>,
}

/// A browser that shows an id of its own keeps it: another's event id gives it nothing.
pub fn repeated(c: &SiteConn, known: Option<&Session>, judged: &Judged, recent: &Recent) -> Result<Option<Repeat>> {
    let Some(event) = &judged.event else { return Ok(None) };
    if let Some(session) = known {
        let is_last = session.last_event.as_deref() == Some(&event[..]);
        let is_own = is_last || recent.find(c.site(), event) == Some(session.id.number());
        return Ok(is_own.then(|| Repeat { key: Some(session.key.clone()) }));
    }
    match recent.find(c.site(), event) {
        None => Ok(None),
        Some(0) => Ok(Some(Repeat { key: None })),
        // Not there: the change that counted it was rolled back.
        Some(session) => Ok(sessions::find_key(c, SessionId::new(session))?.map(|key| Repeat { key: Some(key) })),
    }
}
