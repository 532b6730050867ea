//! Visits of former times, brought in a file: the same rules as for live ones, many in one commit, and nothing of now.

use crate::app::App;
use crate::domain::campaign::AdIds;
use crate::domain::import::HistoryTouch;
use crate::domain::time::Time;
use crate::error::Result;
use crate::flows::session_id;
use crate::recent::Recent;
use crate::store::scope::SiteConn;
use crate::store::sessions::Browser;
use crate::store::sites::Site;

use super::admission::{Judged, decision_for, judge};
use super::{PageTouch, record};

/// A visit with all that needs no database worked out.
pub struct History {
    touch: PageTouch,
    judged: Judged,
}

/// None for a robot's visit.
pub fn of(app: &App, site: &std::sync::Arc<Site>, told: HistoryTouch) -> Option<History> {
    let agent = app.agents.read(&told.user_agent);
    if agent.is_bot && !told.user_agent.is_empty() {
        return None;
    }
    let ads = told.landing.ads.clone();
    let key = &site.keys.session;
    let touch = PageTouch {
        at: told.at,
        claim: told.session.as_deref().map(|text| session_id::open(text, key).unwrap_or_else(|| session_id::mapped(text, key))),
        is_fresh: false,
        // What a file brings is known again by its row, not by an event id that some page may send too.
        event_id: None,
        utm: told.utm,
        clicks: told.clicks,
        ads: AdIds::default().or(ads),
        landing: told.landing,
        referrer: told.referrer,
        title: told.title,
        browser: Browser {
            device: agent.device.kind.as_str(),
            browser: agent.device.browser,
            system: agent.device.system,
            language: told.language,
            country: told.country,
            user_agent: Some(told.user_agent).filter(|a| !a.is_empty()),
            ..Browser::default()
        },
        consent: told.consent,
        refuses: false,
        time_zone: None,
        address: None,
        is_history: true,
        is_answer: false,
        own_device: None,
    };
    let decision = decision_for(site, &touch);
    let judged = judge(app, site, &touch, &decision, false, told.at);
    Some(History { touch, judged })
}

/// Stores it beside what is known of its browser. A past that was erased is not brought back.
pub fn store(c: &SiteConn, history: &History, recent: &Recent, now: Time) -> Result<()> {
    record(c, &history.touch, &history.judged, recent, now).map(drop)
}
