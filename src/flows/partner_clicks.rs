//! What is odd about a click on a partner's link, wherever it is counted: at a short link's redirect, or by the page that it led to.

use std::net::IpAddr;

use crate::app::App;
use crate::domain::campaign::ClickKind;
use crate::domain::ids::SiteId;
use crate::domain::time::Time;
use crate::limits::{Rate, address_key, text_key};
use crate::store::affiliates::days::Click;

/// More clicks on one code from one network than this are no persons' doing. They are counted, and shown as what they are.
const PER_NETWORK: Rate = Rate { burst: 10, per_1000_s: 10 };
/// Clicks that a search engine sells.
const ADS: [ClickKind; 4] = [ClickKind::Gclid, ClickKind::Gbraid, ClickKind::Wbraid, ClickKind::Msclkid];

/// Where it is counted. A click of a short link comes by both: neither takes from the other's allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    Redirect,
    Page,
}

/// The visitor's network is looked at here and not kept. History has none.
pub fn judged(app: &App, site: SiteId, code: &str, at: At, network: Option<IpAddr>, is_ad: bool, now: Time) -> Click {
    let what = match at {
        At::Redirect => "affiliate_redirects",
        At::Page => "affiliate_clicks",
    };
    let is_burst = network.is_some_and(|address| {
        let network = text_key(&format!("{site} {code} {}", address_key(address)));
        app.limits.take(what, network, PER_NETWORK, now).is_err()
    });
    Click { is_burst, is_ad }
}

/// Whether a click id is one that a search engine sells.
pub fn is_ad(kind: ClickKind) -> bool {
    ADS.contains(&kind)
}
