//! Event ids of touches counted lately, so that a retry after a lost answer counts once. In memory, and read from the
//! touches again at a start; a table of its own would cost every page view two more pages on the disk.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::book::Book;
use crate::domain::ids::SiteId;
use crate::domain::time::{HOUR_MS, Time};
use crate::error::Result;
use crate::store::scope::AllSites;
use crate::store::touches;

/// A retry comes within seconds; one from the next page within the visit.
const KEPT_MS: i64 = HOUR_MS;
/// Beyond this many the older half goes.
const MOST: usize = 200_000;

/// Sixteen bytes of a keyed digest of the id.
pub type Digest = [u8; 16];

#[derive(Debug, Default)]
pub struct Recent {
    sessions: Mutex<HashMap<(SiteId, Digest), (i64, Time)>>,
}

impl Recent {
    /// The session that a touch was counted for; 0 stands for a refused one.
    pub fn find(&self, site: SiteId, event: &Digest) -> Option<i64> {
        let sessions = self.sessions.lock().unwrap_or_else(|e| e.into_inner());
        sessions.get(&(site, *event)).map(|(session, _)| *session)
    }

    pub fn add(&self, site: SiteId, event: Digest, session: i64, now: Time) {
        let mut sessions = self.sessions.lock().unwrap_or_else(|e| e.into_inner());
        if sessions.len() >= MOST {
            sessions.retain(|_, (_, at)| now.ms_since(*at) < KEPT_MS);
            if sessions.len() >= MOST {
                let mut times: Vec<Time> = sessions.values().map(|(_, at)| *at).collect();
                let middle = times.len() / 2;
                let (_, median, _) = times.select_nth_unstable(middle);
                let median = *median;
                sessions.retain(|_, (_, at)| *at > median);
            }
        }
        sessions.insert((site, event), (session, now));
    }

    /// What the last hour's touches hold, after a start.
    pub fn read(&self, all: &AllSites, book: &Book, now: Time) -> Result<()> {
        for site in book.sites() {
            for (digest, session) in touches::list_events(&all.of(site.id), now.plus_ms(-KEPT_MS))? {
                if let Ok(digest) = Digest::try_from(digest.as_slice()) {
                    self.add(site.id, digest, session, now);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_of_its_site_only_and_old_ones_make_room() {
        let recent = Recent::default();
        let (here, there) = (SiteId::issued(1), SiteId::issued(2));
        let at = Time::from_s(1_000_000);
        recent.add(here, [1; 16], 7, at);
        assert_eq!(recent.find(here, &[1; 16]), Some(7));
        assert_eq!(recent.find(there, &[1; 16]), None);
        for n in 0..MOST as u128 {
            recent.add(here, (n + 1_000).to_le_bytes(), 8, at.plus_ms(2 * HOUR_MS));
        }
        assert_eq!(recent.find(here, &[1; 16]), None, "older than an hour");
        assert!(recent.sessions.lock().expect("a lock").len() <= MOST);
    }
}
