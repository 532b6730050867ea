//! Talks with platforms. One at a time for each connection: a pull, a fetch and a look at its hooks do not cross. Deliveries
//! may go several at a time; an erasure tells a platform after those that were on their way when it was done.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex as Lock, MutexGuard};

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::domain::ids::{ConnectionId, ErasureId, SiteId, SyncRunId};

#[derive(Default)]
pub struct Talks {
    turns: Lock<HashMap<ConnectionId, Arc<Mutex<()>>>>,
    /// Runs that somebody wants stopped; each looks before its next page.
    unwanted: Lock<HashSet<(ConnectionId, SyncRunId)>>,
    deliveries: Lock<Deliveries>,
}

/// Deliveries on their way in this run of the process; those of another run have ended with it.
#[derive(Default)]
struct Deliveries {
    next: u64,
    under_way: BTreeSet<(ConnectionId, u64)>,
    /// What had begun when an erasure was done has a smaller number.
    erased: HashMap<(SiteId, ErasureId), u64>,
}

/// A delivery on its way; dropped, it has ended.
pub struct OnItsWay<'a> {
    talks: &'a Talks,
    me: (ConnectionId, u64),
}

impl Drop for OnItsWay<'_> {
    fn drop(&mut self) {
        self.talks.of_deliveries().under_way.remove(&self.me);
    }
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

    /// This run of a connection is to stop before its next page.
    pub fn cancel(&self, connection: ConnectionId, run: SyncRunId) {
        self.of_unwanted().insert((connection, run));
    }

    /// Whether it was to stop: it is asked once.
    pub fn forget_cancel(&self, connection: ConnectionId, run: SyncRunId) -> bool {
        self.of_unwanted().remove(&(connection, run))
    }

    fn of_unwanted(&self) -> MutexGuard<'_, HashSet<(ConnectionId, SyncRunId)>> {
        self.unwanted.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// A delivery begins. Said before anything of it is read, so that an erasure either finds it here or was seen by it.
    pub fn deliver(&self, connection: ConnectionId) -> OnItsWay<'_> {
        let mut all = self.of_deliveries();
        all.next += 1;
        let me = (connection, all.next);
        all.under_way.insert(me);
        OnItsWay { talks: self, me }
    }

    /// An erasure is done: what begins from now on knows nothing of the person.
    pub fn erased(&self, site: SiteId, erasure: ErasureId) {
        let mut all = self.of_deliveries();
        let next = all.next + 1;
        all.erased.insert((site, erasure), next);
    }

    /// Whether something that may be of an erased person is still on its way there.
    pub fn is_on_its_way(&self, site: SiteId, erasure: ErasureId, connection: ConnectionId) -> bool {
        let mut all = self.of_deliveries();
        // After a restart nobody has said it: what goes now may have been loaded before.
        let next = all.next + 1;
        let mark = *all.erased.entry((site, erasure)).or_insert(next);
        all.under_way.range((connection, 0)..(connection, mark)).next().is_some()
    }

    /// All were told.
    pub fn told(&self, site: SiteId, erasure: ErasureId) {
        self.of_deliveries().erased.remove(&(site, erasure));
    }

    fn of_deliveries(&self) -> MutexGuard<'_, Deliveries> {
        self.deliveries.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn turn(&self, connection: ConnectionId) -> Arc<Mutex<()>> {
        self.turns.lock().unwrap_or_else(|e| e.into_inner()).entry(connection).or_default().clone()
    }
}
