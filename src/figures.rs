//! Counters for the metrics page: names and labels are fixed words of ours, never what a visitor sent.

use std::collections::BTreeMap;
use std::sync::Mutex;

/// Counts by name and label.
#[derive(Debug, Default)]
pub struct Figures {
    counts: Mutex<BTreeMap<(&'static str, String), u64>>,
}

impl Figures {
    pub fn add(&self, name: &'static str, label: &str) {
        let mut counts = self.counts.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(count) = counts.get_mut(&(name, label.to_owned())) {
            *count += 1;
        } else if counts.len() < 2_000 {
            counts.insert((name, label.to_owned()), 1);
        }
    }

    /// All counts, in the order of their names.
    pub fn all(&self) -> Vec<(&'static str, String, u64)> {
        let counts = self.counts.lock().unwrap_or_else(|e| e.into_inner());
        counts.iter().map(|((name, label), count)| (*name, label.clone(), *count)).collect()
    }
}
