//! A partner's link that was followed: one click for a browser and half an hour, counted by day and code.

use super::{Judged, PageTouch};
use crate::app::App;
use crate::domain::affiliate;
use crate::domain::campaign::ClickKind;
use crate::domain::ids::SessionId;
use crate::domain::time::Time;
use crate::error::Result;
use crate::flows::commissions;
use crate::limits::{Rate, address_key, text_key};
use crate::store::affiliates::days::{self, Click};
use crate::store::scope::SiteConn;
use crate::store::sites::Site;

/// More clicks on one code from one network than this are no persons' doing. They are counted, and shown as what they are.
const PER_NETWORK: Rate = Rate { burst: 10, per_1000_s: 10 };
/// Clicks that a search engine sells.
const ADS: [ClickKind; 4] = [ClickKind::Gclid, ClickKind::Gbraid, ClickKind::Wbraid, ClickKind::Msclkid];

/// The code of the link, as it is compared. The visitor's network is looked at here and not kept.
pub fn of(app: &App, site: &Site, touch: &PageTouch, now: Time) -> Option<(String, Click)> {
    let code = affiliate::code(touch.landing.refs.as_deref()?)?;
    let is_burst = touch.address.filter(|_| !touch.is_history).is_some_and(|address| {
        let network = text_key(&format!("{} {code} {}", site.id, address_key(address)));
        app.limits.take("affiliate_clicks", network, PER_NETWORK, now).is_err()
    });
    let is_ad = ADS.iter().any(|kind| touch.clicks.get(*kind).is_some());
    Some((code, Click { is_burst, is_ad }))
}

pub fn is_click(c: &SiteConn, session: SessionId, touch: &PageTouch, judged: &Judged) -> Result<bool> {
    match &judged.partner {
        Some((code, _)) => Ok(!days::has_click(c, session, code, touch.at)?),
        None => Ok(false),
    }
}

pub fn followed(c: &SiteConn, session: SessionId, touch: &PageTouch, judged: &Judged, now: Time) -> Result<()> {
    if let Some((code, click)) = &judged.partner {
        days::count(c, judged.day, code, *click)?;
        commissions::followed(c, &judged.site, session, touch.at, now)?;
    }
    Ok(())
}
