//! Clicks on short links that are not written down yet, in memory: a redirect waits for no disk. A process that is killed
//! loses those of its last half second; each click id proves itself all the same.

use std::sync::Mutex;

use crate::domain::ids::SiteId;
use crate::store::short_links::Click;

/// A flood beyond this is dropped and counted: some ten seconds of the most that one box redirects.
const MOST: usize = 100_000;

#[derive(Debug, Default)]
pub struct Clicks {
    waiting: Mutex<Vec<(SiteId, Click)>>,
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

    /// All that wait, in their order.
    pub fn take(&self) -> Vec<(SiteId, Click)> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(|e| e.into_inner()))
    }

    /// Those that could not be written now. Gives how many found no room.
    pub fn put_back(&self, site: SiteId, clicks: Vec<Click>) -> usize {
        clicks.into_iter().filter(|click| !self.add(site, click.clone())).count()
    }
}
