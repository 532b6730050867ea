//! Things that were read once and are kept in memory as long as they are true, up to so many bytes. What makes them true is
//! part of their name, so that nothing stale is ever found.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex};

/// How much something takes.
pub trait Held {
    /// Bytes, roughly.
    fn bytes(&self) -> usize;
}

pub struct Shelf<K, V> {
    most_bytes: usize,
    kept: Mutex<Kept<K, V>>,
}

struct Kept<K, V> {
    all: HashMap<K, (Arc<V>, u64)>,
    bytes: usize,
    looks: u64,
}

impl<K: Clone + Eq + Hash, V: Held> Shelf<K, V> {
    pub fn new(most_bytes: usize) -> Self {
        Self { most_bytes, kept: Mutex::new(Kept { all: HashMap::new(), bytes: 0, looks: 0 }) }
    }

    pub fn find(&self, name: &K) -> Option<Arc<V>> {
        let mut kept = self.kept.lock().unwrap_or_else(|e| e.into_inner());
        kept.looks += 1;
        let look = kept.looks;
        let (found, last) = kept.all.get_mut(name)?;
        *last = look;
        Some(found.clone())
    }

    /// What was looked at longest ago goes where there is no room.
    pub fn keep(&self, name: K, value: Arc<V>) {
        let mut kept = self.kept.lock().unwrap_or_else(|e| e.into_inner());
        kept.looks += 1;
        let look = kept.looks;
        kept.bytes += value.bytes();
        let before = kept.all.insert(name, (value, look));
        kept.bytes -= before.map_or(0, |(old, _)| old.bytes());
        if kept.bytes <= self.most_bytes {
            return;
        }
        // A tenth goes at once, so that the order is not asked for each time.
        let mut all: Vec<(u64, K)> = kept.all.iter().map(|(name, (_, last))| (*last, name.clone())).collect();
        all.sort_unstable_by_key(|(last, _)| *last);
        for (_, name) in all {
            if kept.bytes <= self.most_bytes / 10 * 9 {
                break;
            }
            if let Some((gone, _)) = kept.all.remove(&name) {
                kept.bytes -= gone.bytes();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Held for Vec<u8> {
        fn bytes(&self) -> usize {
            self.len()
        }
    }

    #[test]
    fn what_was_not_asked_for_longest_goes_first() {
        let shelf: Shelf<u32, Vec<u8>> = Shelf::new(100);
        for name in 0..10 {
            shelf.keep(name, Arc::new(vec![0; 10]));
        }
        assert!(shelf.find(&0).is_some());
        shelf.keep(10, Arc::new(vec![0; 10]));
        assert!(shelf.find(&1).is_none() && shelf.find(&0).is_some() && shelf.find(&10).is_some());
        // The same name again takes the room of the old one.
        shelf.keep(10, Arc::new(vec![0; 5]));
        let kept = shelf.kept.lock().expect("nobody else");
        assert_eq!(kept.bytes, kept.all.values().map(|(v, _)| v.bytes()).sum::<usize>());
        assert!(kept.bytes <= 100);
    }
}
