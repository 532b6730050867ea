//! Counters for the metrics page: names and labels are fixed words of ours, never what a visitor sent.

use std::collections::BTreeMap;
use std::sync::Mutex;

/// More labels than this are a fault of ours.
const MOST: usize = 2_000;

/// Counts by name and label.
#[derive(Debug, Default)]
pub struct Figures {
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    by_name: BTreeMap<&'static str, BTreeMap<String, u64>>,
    labels: usize,
}

impl Figures {
    pub fn add(&self, name: &'static str, label: &str) {
        let counts = &mut *self.counts.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(count) = counts.by_name.get_mut(name).and_then(|labels| labels.get_mut(label)) {
            *count += 1;
        } else if counts.labels < MOST {
            counts.by_name.entry(name).or_default().insert(label.to_owned(), 1);
            counts.labels += 1;
        }
    }

    /// All counts, in the order of their names.
    pub fn all(&self) -> Vec<(&'static str, String, u64)> {
        let counts = self.counts.lock().unwrap_or_else(|e| e.into_inner());
        counts.by_name.iter().flat_map(|(name, labels)| labels.iter().map(|(label, count)| (*name, label.clone(), *count))).collect()
    }
}
