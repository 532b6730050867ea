//! Page loads that a web server in front of a page has told of, for as long as the same load may be told of once more: by
//! the page's own tag, or by the page that a redirect led to. In memory; one that is forgotten is at worst counted twice.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::domain::ids::SiteId;
use crate::domain::time::{MINUTE_MS, Time};
use crate::limits::text_key;

/// A tag waits until its page is looked at: as long as a visit goes on without a sign.
const KEPT_MS: i64 = 30 * MINUTE_MS;
/// Beyond this many the oldest go.
const MOST: usize = 50_000;
/// Loads of one page by one visitor that still wait.
const MOST_ALIKE: usize = 4;

/// Who may tell of the load once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Teller {
    /// The page's tag.
    Tag,
    /// The page that a redirect leads to.
    Target,
}

#[derive(Debug, Default)]
pub struct Loads {
    waiting: Mutex<HashMap<Key, Vec<Load>>>,
}

type Key = (SiteId, Teller, u64);

#[derive(Debug)]
struct Load {
    event: String,
    at: Time,
    /// Which telling has taken it: the same one may come again after a lost answer.
    taken_by: Option<u64>,
}

impl Loads {
    /// A load of this path that was told of under this event. `name` is what the visitor is known by.
    pub fn add(&self, site: SiteId, teller: Teller, name: &str, path: &str, event: &str, now: Time) {
        let mut waiting = self.waiting.lock().unwrap_or_else(|e| e.into_inner());
        if waiting.len() >= MOST {
            waiting.retain(|_, loads| loads.iter().any(|l| now.ms_since(l.at) < KEPT_MS));
            if waiting.len() >= MOST {
                waiting.clear();
            }
        }
        let loads = waiting.entry(key(site, teller, name, path)).or_default();
        loads.retain(|l| now.ms_since(l.at) < KEPT_MS);
        if loads.len() >= MOST_ALIKE {
            loads.remove(0);
        }
        loads.push(Load { event: event.to_owned(), at: now, taken_by: None });
    }

    /// The event of the load that this telling is of. `by` is the telling's own name.
    pub fn take(&self, site: SiteId, teller: Teller, name: &str, path: &str, by: &str, now: Time) -> Option<String> {
        let by = text_key(by);
        let mut waiting = self.waiting.lock().unwrap_or_else(|e| e.into_inner());
        let loads = waiting.get_mut(&key(site, teller, name, path))?;
        loads.retain(|l| now.ms_since(l.at) < KEPT_MS);
        let place = loads.iter().position(|l| l.taken_by == Some(by)).or_else(|| loads.iter().position(|l| l.taken_by.is_none()))?;
        loads[place].taken_by = Some(by);
        Some(loads[place].event.clone())
    }
}

fn key(site: SiteId, teller: Teller, name: &str, path: &str) -> Key {
    (site, teller, text_key(&format!("{name}\n{path}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_is_taken_once_and_again_only_by_the_same_telling() {
        let loads = Loads::default();
        let (site, at) = (SiteId::issued(1), Time::from_s(1_000_000));
        loads.add(site, Teller::Tag, "session", "/a", "load 1", at);
        assert_eq!(loads.take(site, Teller::Tag, "session", "/b", "x", at), None, "another page");
        assert_eq!(loads.take(site, Teller::Target, "session", "/a", "x", at), None, "another teller");
        assert_eq!(loads.take(SiteId::issued(2), Teller::Tag, "session", "/a", "x", at), None, "another site");
        assert_eq!(loads.take(site, Teller::Tag, "session", "/a", "x", at).as_deref(), Some("load 1"));
        assert_eq!(loads.take(site, Teller::Tag, "session", "/a", "x", at).as_deref(), Some("load 1"), "sent again");
        assert_eq!(loads.take(site, Teller::Tag, "session", "/a", "y", at), None, "the page shown once more without a request");
    }

    #[test]
    fn two_tabs_of_one_page_are_two_loads_and_old_ones_are_forgotten() {
        let loads = Loads::default();
        let (site, at, name) = (SiteId::issued(1), Time::from_s(1_000_000), "session");
        loads.add(site, Teller::Tag, name, "/a", "load 1", at);
        loads.add(site, Teller::Tag, name, "/a", "load 2", at);
        let taken = ["x", "y", "z"].map(|by| loads.take(site, Teller::Tag, name, "/a", by, at));
        assert_eq!(taken, [Some("load 1".into()), Some("load 2".into()), None]);
        loads.add(site, Teller::Tag, name, "/a", "load 3", at);
        assert_eq!(loads.take(site, Teller::Tag, name, "/a", "w", at.plus_ms(KEPT_MS)), None);
        for n in 0..MOST + 10 {
            loads.add(site, Teller::Tag, name, &format!("/{n}"), "e", at);
        }
        assert!(loads.waiting.lock().expect("a lock").len() <= MOST);
    }
}
