//! One talk with a platform at a time for each connection: a pull, a fetch and a look at its hooks do not cross.

use std::collections::HashMap;
use std::sync::{Arc, Mutex as Lock};

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::domain::ids::ConnectionId;

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
