//! Tokens that expire: kept in memory for each connection and generation of its secrets, fetched once for all who wait.

use std::collections::HashMap;
use std::sync::{Arc, Mutex as Lock};

use tokio::sync::Mutex;

use crate::crypto::{Secret, same};
use crate::domain::ids::ConnectionId;
use crate::domain::steps::Fresh;
use crate::domain::time::{MINUTE_MS, Time};

/// Whose token it is. New secrets make a new generation, so that a token of the old ones is never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Holder {
    pub connection: ConnectionId,
    pub generation: i64,
}

/// A token is not used in the last minute of its life: it might end on the way.
const SPARE_MS: i64 = MINUTE_MS;

#[derive(Default)]
pub struct TokenCache {
    slots: Lock<HashMap<Holder, Arc<Mutex<Option<Held>>>>>,
}

struct Held {
    value: Secret,
    until: Time,
}

impl TokenCache {
    /// The token that is held, or a new one. Those who ask meanwhile wait for the same one.
    pub async fn get<E>(&self, holder: Holder, now: Time, fetch: impl Future<Output = Result<Fresh, E>>) -> Result<Secret, E> {
        let slot = self.slot(holder);
        let mut held = slot.lock().await;
        if let Some(token) = held.as_ref().filter(|t| t.until > now) {
            return Ok(token.value.clone());
        }
        let fresh = fetch.await?;
        let lives_ms = fresh.lives_ms - SPARE_MS.min(fresh.lives_ms / 2);
        *held = Some(Held { value: fresh.value.clone(), until: now.plus_ms(lives_ms) });
        Ok(fresh.value)
    }

    /// Forgets a token that was refused, unless another one has taken its place since.
    pub async fn forget(&self, holder: Holder, refused: &Secret) {
        let slot = self.slot(holder);
        let mut held = slot.lock().await;
        if held.as_ref().is_some_and(|t| same(t.value.reveal().as_bytes(), refused.reveal().as_bytes())) {
            *held = None;
        }
    }

    fn slot(&self, holder: Holder) -> Arc<Mutex<Option<Held>>> {
        let mut slots = self.slots.lock().unwrap_or_else(|e| e.into_inner());
        // Older generations of the same connection are of no use any more.
        slots.retain(|h, _| h.connection != holder.connection || h.generation >= holder.generation);
        slots.entry(holder).or_default().clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn holder(generation: i64) -> Holder {
        Holder { connection: ConnectionId::new(7), generation }
    }

    async fn ask(cache: &TokenCache, count: &AtomicU32, generation: i64, at_s: i64) -> String {
        let fetch = async {
            tokio::task::yield_now().await;
            let n = count.fetch_add(1, Ordering::Relaxed);
            Ok::<_, ()>(Fresh { value: Secret::new(format!("token-{n}")), lives_ms: 3_600_000 })
        };
        let token = cache.get(holder(generation), Time::from_s(at_s), fetch).await;
        token.map(|t| t.reveal().to_owned()).unwrap_or_default()
    }

    #[tokio::test]
    async fn a_token_is_fetched_once_and_kept_for_its_life() {
        let (cache, count) = (TokenCache::default(), AtomicU32::new(0));
        let (a, b, c) = tokio::join!(ask(&cache, &count, 1, 100), ask(&cache, &count, 1, 100), ask(&cache, &count, 1, 100));
        assert_eq!((a.as_str(), b.as_str(), c.as_str()), ("token-0", "token-0", "token-0"));
        assert_eq!(ask(&cache, &count, 1, 3_600).await, "token-0");
        assert_eq!(ask(&cache, &count, 1, 3_650).await, "token-1");
        assert_eq!(ask(&cache, &count, 2, 3_650).await, "token-2");
    }

    #[tokio::test]
    async fn a_refused_token_is_forgotten_once() {
        let (cache, count) = (TokenCache::default(), AtomicU32::new(0));
        let old = Secret::new(ask(&cache, &count, 1, 100).await);
        cache.forget(holder(1), &old).await;
        assert_eq!(ask(&cache, &count, 1, 100).await, "token-1");
        cache.forget(holder(1), &old).await;
        assert_eq!(ask(&cache, &count, 1, 100).await, "token-1");
    }
}
