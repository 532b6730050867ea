//! One talk with a platform at a time for each connection: a pull, a fetch and a look at its hooks do not cross. And one file
//! of history at a time for each site.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex as Lock};

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::domain::ids::{ConnectionId, SiteId};

#[derive(Default)]
pub struct Talks {
    turns: Lock<HashMap<ConnectionId, Arc<Mutex<()>>>>,
}

impl Talks {
    /// Waits for its turn.
    pub async fn take(&self, connection: ConnectionId) -> OwnedMutexGuard<()> {
        self.turn(connection).lock_owned().await
    }

    /// None while another talk of this connection is under way.
    pub fn try_take(&self, connection: ConnectionId) -> Option<OwnedMutexGuard<()>> {
        self.turn(connection).try_lock_owned().ok()
    }

    fn turn(&self, connection: ConnectionId) -> Arc<Mutex<()>> {
        self.turns.lock().unwrap_or_else(|e| e.into_inner()).entry(connection).or_default().clone()
    }
}

/// Sites for which something is under way that must not be twice.
#[derive(Default)]
pub struct Turns {
    taken: Lock<HashSet<SiteId>>,
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
