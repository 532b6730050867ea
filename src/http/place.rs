//! Where a visitor is, as far as an address or a proxy tells.

use std::net::IpAddr;

use super::ask::Ask;
use crate::domain::campaign::clean_text;

/// Where the visitor is: by a trusted proxy's word, else the country by the address. A hint, never an input to credit.
pub struct Place {
    pub country: Option<String>,
    pub region: Option<String>,
    pub city: Option<String>,
}

pub fn place_of(ask: &Ask, address: Option<IpAddr>) -> Place {
    let told = |names: &[&str]| {
        let found = names.iter().find_map(|n| ask.header(n)).filter(|_| ask.is_peer_trusted)?;
        let text = clean_text(&percent(found), 100);
        (!text.is_empty() && text.chars().count() <= 100).then_some(text)
    };
    let country = told(&["cf-ipcountry", "x-vercel-ip-country", "x-country-code"])
        .map(|c| c.to_ascii_uppercase())
        .filter(|c| c.len() == 2 && c.bytes().all(|b| b.is_ascii_uppercase()) && c != "XX" && c != "T1")
        .or_else(|| address.filter(|a| is_locatable(*a)).and_then(iptocc::country_code).map(str::to_owned));
    Place { country, region: told(&["cf-region", "x-vercel-ip-country-region"]), city: told(&["cf-ipcity", "x-vercel-ip-city"]) }
}

/// Cities come percent-encoded from some proxies.
fn percent(text: &str) -> String {
    url::form_urlencoded::parse(format!("v={}", text.replace('+', "%2B")).as_bytes())
        .next()
        .map(|(_, v)| v.into_owned())
        .unwrap_or_default()
}

/// Private and loopback addresses are nobody's place.
pub fn is_locatable(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(a) => !(a.is_private() || a.is_loopback() || a.is_link_local() || a.is_unspecified()),
        IpAddr::V6(a) => {
            !(a.is_loopback() || a.is_unspecified() || (a.segments()[0] & 0xfe00) == 0xfc00 || (a.segments()[0] & 0xffc0) == 0xfe80)
        }
    }
}
