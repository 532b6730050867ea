//! Pages that asked under a site's key and were refused, so that whoever waits for a first visit hears why none comes. In
//! memory only, a few of each site: an origin tells of a page and of nobody.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::domain::ids::SiteId;
use crate::domain::time::{HOUR_MS, Time};

/// What is older explains nothing any more.
const KEPT_MS: i64 = HOUR_MS;
/// Pages of one site: whoever sends made-up ones finds no more room than this.
const MOST: usize = 5;
/// A scheme, the longest host name and a port.
const LONGEST: usize = 280;

/// A page whose word was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// As its browser wrote it: `http://shop.example:8091`, or `null`.
    pub origin: String,
    /// When it asked last.
    pub at: Time,
    pub times: u64,
}

#[derive(Debug, Default)]
pub struct TurnedAway {
    sites: Mutex<HashMap<SiteId, Vec<Page>>>,
}

impl TurnedAway {
    pub fn add(&self, site: SiteId, origin: &str, now: Time) {
        if !is_plain(origin) {
            return;
        }
        let mut sites = self.sites.lock().unwrap_or_else(|e| e.into_inner());
        let pages = sites.entry(site).or_default();
        let times = match pages.iter().position(|page| page.origin == origin) {
            Some(place) => pages.remove(place).times,
            None => 0,
        };
        pages.insert(0, Page { origin: origin.to_owned(), at: now, times: times.saturating_add(1) });
        pages.truncate(MOST);
    }

    /// The latest first.
    pub fn list(&self, site: SiteId, now: Time) -> Vec<Page> {
        let mut sites = self.sites.lock().unwrap_or_else(|e| e.into_inner());
        let Some(pages) = sites.get_mut(&site) else { return Vec::new() };
        pages.retain(|page| now.ms_since(page.at) <= KEPT_MS);
        pages.clone()
    }
}

/// Whether somebody may read it, and copy it into a command: a stranger can write anything into an Origin.
fn is_plain(origin: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._:[]".contains(&b);
    let rest = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    origin == "null" || (origin.len() <= LONGEST && rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(is_letter)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(away: &TurnedAway, site: SiteId, now: Time) -> Vec<String> {
        away.list(site, now).into_iter().map(|page| page.origin).collect()
    }

    #[test]
    fn a_few_of_each_site_are_kept_for_an_hour() {
        let away = TurnedAway::default();
        let (here, there) = (SiteId::issued(1), SiteId::issued(2));
        let at = Time::from_s(1_000_000);
        for n in 0..40 {
            away.add(here, &format!("http://localhost:{n}"), at);
        }
        away.add(here, "http://localhost:38", at.plus_ms(1));
        assert_eq!(origins(&away, here, at), [38, 39, 37, 36, 35].map(|n| format!("http://localhost:{n}")));
        assert_eq!(away.list(here, at)[0].times, 2);
        assert_eq!(origins(&away, there, at), Vec::<String>::new());
        assert_eq!(origins(&away, here, at.plus_ms(KEPT_MS + 1)), ["http://localhost:38"]);
        assert_eq!(origins(&away, here, at.plus_ms(KEPT_MS + 2)), Vec::<String>::new());
    }

    #[test]
    fn what_no_browser_writes_of_a_page_is_not_kept() {
        let (away, site, at) = (TurnedAway::default(), SiteId::issued(1), Time::from_s(1_000_000));
        let long = format!("https://{}.example", "a".repeat(300));
        for origin in ["http://$(id).example", "http://x;y.example", "http://`x`", "https://", "file://", "<b>", "", "http://a b", &long] {
            away.add(site, origin, at);
        }
        assert_eq!(origins(&away, site, at), Vec::<String>::new());
        for origin in ["null", "http://[::1]:8091", "https://xn--bcher-kva.example"] {
            away.add(site, origin, at);
        }
        assert_eq!(origins(&away, site, at).len(), 3);
    }
}
