//! What must not be under way twice for a site: a file of history is one at a time.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use crate::domain::ids::SiteId;

/// Sites for which something is under way that must not be twice.
#[derive(Default)]
pub struct Turns {
    taken: Mutex<HashSet<SiteId>>,
}

/// Over when it is dropped.
pub struct Turn {
    of: Arc<Turns>,
    site: SiteId,
}

impl Turns {
    /// None while it is another's turn.
    pub fn try_take(self: &Arc<Self>, site: SiteId) -> Option<Turn> {
        let is_free = self.taken.lock().unwrap_or_else(|e| e.into_inner()).insert(site);
        is_free.then(|| Turn { of: self.clone(), site })
    }

    pub fn is_taken(&self, site: SiteId) -> bool {
        self.taken.lock().unwrap_or_else(|e| e.into_inner()).contains(&site)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.of.taken.lock().unwrap_or_else(|e| e.into_inner()).remove(&self.site);
    }
}
