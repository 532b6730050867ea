//! A touch as it is stored: its row, its click ids, and the visit that a short link has brought.

use super::admission::Judged;
use super::{PageTouch, partner};
use crate::domain::ids::SessionId;
use crate::domain::time::Time;
use crate::error::Result;
use crate::store::scope::SiteConn;
use crate::store::touches::NewTouch;
use crate::store::{short_links, touches};

/// What a touch is to the visits of its browser.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub starts_visit: bool,
    pub is_repeat: bool,
}

pub(super) fn add_touch(
    c: &SiteConn,
    session: SessionId,
    seq: i64,
    touch: &PageTouch,
    judged: &Judged,
    place: Place,
    now: Time,
) -> Result<()> {
    let counted = (partner::is_click(c, session, touch, judged)?, partner::redirected(c, touch, judged)?);
    touches::add(
        c,
        &NewTouch {
            session,
            seq,
            at: touch.at,
            received_at: now,
            origin: &judged.origin,
            landing: &touch.landing,
            title: touch.title.as_deref(),
            ads: &touch.ads,
            starts_visit: place.starts_visit,
            marketing: judged.words.marketing,
            is_imported: touch.is_history,
            is_repeat: place.is_repeat,
            short_link: judged.short_link,
            event: judged.event.as_ref().map(|e| &e[..]),
        },
    )?;
    if let Some(link) = judged.short_link.filter(|_| !place.is_repeat) {
        short_links::add_visit(c, link, judged.day)?;
    }
    touches::add_clicks(c, session, seq, &touch.clicks, touch.at)?;
    partner::followed(c, session, touch, judged, counted, now)
}
