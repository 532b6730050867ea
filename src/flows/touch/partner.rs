//! A partner's link that was followed: one click for a browser and half an hour, counted by day and code. Where a short link led here
//! the redirect has counted it already.

use super::PageTouch;
use super::admission::Judged;
use crate::app::App;
use crate::domain::affiliate;
use crate::domain::campaign::ClickKind;
use crate::domain::ids::SessionId;
use crate::domain::time::Time;
use crate::error::Result;
use crate::flows::commissions;
use crate::flows::partner_clicks::{self, At};
use crate::store::affiliates::days::{self, Click};
use crate::store::scope::SiteConn;
use crate::store::short_links::{self, Redirected};
use crate::store::sites::Site;
use crate::store::touches;

/// The code of the link, as it is compared, and what is odd about the click.
pub fn of(app: &App, site: &Site, touch: &PageTouch, now: Time) -> Option<(String, Click)> {
    let code = affiliate::code(touch.landing.refs.as_deref()?)?;
    let is_ad = touch.clicks.iter().any(|(kind, _)| partner_clicks::is_ad(kind));
    let network = touch.address.filter(|_| !touch.is_history);
    let click = partner_clicks::judged(app, site.id, &code, At::Page, network, is_ad, now);
    Some((code, click))
}

/// Whether this browser has followed no link with the code in the last half hour, and gives back no click of a short link again.
pub fn is_click(c: &SiteConn, session: SessionId, touch: &PageTouch, judged: &Judged) -> Result<bool> {
    let Some((code, _)) = &judged.partner else { return Ok(false) };
    if judged.short_link.is_some()
        && let Some(click) = touch.clicks.get(ClickKind::HaloClick)
        && touches::sessions_with_click(c, click)?.contains(&session)
    {
        return Ok(false);
    }
    Ok(!days::has_click(c, session, code, touch.at)?)
}

/// What the redirect has written down of the click that this touch gives back. None where it was no short link of this partner, where
/// the click was lost before it was written, and where another touch has given it back: an address that is handed on is followed by others.
pub fn redirected(c: &SiteConn, touch: &PageTouch, judged: &Judged) -> Result<Option<Redirected>> {
    let (Some((code, _)), Some(_), Some(click)) = (&judged.partner, judged.short_link, touch.clicks.get(ClickKind::HaloClick)) else {
        return Ok(None);
    };
    let Some(told) = short_links::find_redirected(c, click)? else { return Ok(None) };
    let is_of_the_code = told.affiliate.as_deref().and_then(affiliate::code).as_deref() == Some(code);
    Ok(if is_of_the_code && touches::sessions_with_click(c, click)?.is_empty() { Some(told) } else { None })
}

/// Counts what nobody has counted. What the redirect counted because it could not see that it was the same browser is taken back.
pub fn followed(
    c: &SiteConn,
    session: SessionId,
    touch: &PageTouch,
    judged: &Judged,
    (is_click, redirected): (bool, Option<Redirected>),
    now: Time,
) -> Result<()> {
    let Some((code, click)) = &judged.partner else { return Ok(()) };
    match redirected {
        None if is_click => days::count(c, judged.day, code, *click)?,
        Some(told) if told.is_counted && !is_click => days::take_back(c, judged.site.zone.day(told.at), code)?,
        _ => {}
    }
    if is_click { commissions::followed(c, &judged.site, session, touch.at, now) } else { Ok(()) }
}

/// Counts it for somebody of whom nothing is kept.
pub fn followed_by_nobody(c: &SiteConn, touch: &PageTouch, judged: &Judged) -> Result<()> {
    match &judged.partner {
        Some((code, click)) if !judged.is_inner_page && redirected(c, touch, judged)?.is_none() => days::count(c, judged.day, code, *click),
        _ => Ok(()),
    }
}
