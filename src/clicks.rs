//! Clicks on short links that are not written down yet, in memory: a redirect waits for no disk. A process that is killed
//! loses those of its last half second; each click id proves itself all the same.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::domain::ids::SiteId;
use crate::domain::time::Time;
use crate::domain::touch::SAME_CAMPAIGN_MS;
use crate::store::short_links::Click;

/// A flood beyond this is dropped and counted: some ten seconds of the most that one box redirects.
const MOST: usize = 100_000;
/// Browsers that have followed a partner's link lately. Beyond this all are forgotten, and a click may count twice.
const MOST_FOLLOWERS: usize = 100_000;

#[derive(Debug, Default)]
pub struct Clicks {
    waiting: Mutex<Vec<(SiteId, Click)>>,
    /// When each browser followed a link of each partner, by a digest of both.
    followers: Mutex<HashMap<(SiteId, u64), Time>>,
    /// Held while clicks are written down: whoever has it finds all that came before in the file.
    pub writing: tokio::sync::Mutex<()>,
}

impl Clicks {
    /// False where there is no room.
    pub fn add(&self, site: SiteId, click: Click) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(|e| e.into_inner());
        let has_room = waiting.len() < MOST;
        if has_room {
            waiting.push((site, click));
        }
        has_room
    }

    /// Whether a browser has followed a link of this partner within half an hour. If not, it has now.
    pub fn is_again(&self, site: SiteId, follower: u64, now: Time) -> bool {
        let mut followers = self.followers.lock().unwrap_or_else(|e| e.into_inner());
        if followers.len() >= MOST_FOLLOWERS {
            followers.retain(|_, at| now.ms_since(*at) <= SAME_CAMPAIGN_MS);
            if followers.len() >= MOST_FOLLOWERS {
                followers.clear();
            }
        }
        let at = followers.entry((site, follower)).or_insert(Time::from_ms(i64::MIN / 2));
        if now.ms_since(*at) <= SAME_CAMPAIGN_MS {
            return true;
        }
        *at = now;
        false
    }

    /// All that wait, in their order.
    pub fn take(&self) -> Vec<(SiteId, Click)> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(|e| e.into_inner()))
    }

    /// Those that could not be written now. Gives how many found no room.
    pub fn put_back(&self, site: SiteId, clicks: Vec<Click>) -> usize {
        clicks.into_iter().filter(|click| !self.add(site, click.clone())).count()
    }
}
