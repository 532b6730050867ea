//! A page of people out of many: only those that stand on it are held, and how many there are in all is counted.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::super::trails::PersonKey;
use crate::domain::question::Cursor;

/// Which page.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    pub cursor: Option<Cursor>,
    pub limit: usize,
}

/// The last moment first; equals in the order of their numbers.
type Order = (Reverse<u32>, PersonKey);

/// People are added in any order, then it is done.
pub struct Page<T> {
    wanted: Wanted,
    /// All of them, whatever page they are on.
    pub total: usize,
    pub people: Vec<T>,
    /// Where the next page begins; none on the last one.
    pub next: Option<Cursor>,
    /// The first ones after the cursor, one more than the page has; the last of them on top.
    first: BinaryHeap<Entry<T>>,
}

struct Entry<T> {
    order: Order,
    one: T,
}

impl<T> Page<T> {
    pub fn of(wanted: Wanted) -> Self {
        Self { wanted, total: 0, people: Vec::new(), next: None, first: BinaryHeap::with_capacity(wanted.limit + 2) }
    }

    pub fn add(&mut self, at_s: u32, person: PersonKey, one: impl FnOnce() -> T) {
        self.total += 1;
        let order = (Reverse(at_s), person);
        let is_before = |cursor: Cursor| {
            let key = cursor.key.and_then(|key| u32::try_from(key).ok()).unwrap_or(0);
            order <= (Reverse(key), PersonKey(cursor.id))
        };
        let is_full = self.first.len() > self.wanted.limit;
        if self.wanted.cursor.is_some_and(is_before) || is_full && self.first.peek().is_some_and(|last| last.order <= order) {
            return;
        }
        self.first.push(Entry { order, one: one() });
        if is_full {
            self.first.pop();
        }
    }

    pub fn done(&mut self) {
        let mut all = std::mem::take(&mut self.first).into_sorted_vec();
        let has_more = all.len() > self.wanted.limit;
        all.truncate(self.wanted.limit);
        self.next = all.last().filter(|_| has_more).map(|e| Cursor { key: Some(e.order.0.0.into()), id: e.order.1.0 });
        self.people = all.into_iter().map(|e| e.one).collect();
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order.cmp(&other.order)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Page by page, everybody is shown once and in their order.
        #[test]
        fn pages_hold_everybody_once(times in proptest::collection::vec(0_u32..6, 0..40), limit in 1_usize..9) {
            let mut want: Vec<Order> = times.iter().enumerate().map(|(n, at)| (Reverse(*at), PersonKey(n as i64))).collect();
            want.sort();
            let mut got = Vec::new();
            let mut cursor = None;
            loop {
                let mut page = Page::of(Wanted { cursor, limit });
                for (n, at) in times.iter().enumerate() {
                    page.add(*at, PersonKey(n as i64), || (Reverse(*at), PersonKey(n as i64)));
                }
                page.done();
                prop_assert_eq!(page.total, times.len());
                got.extend(page.people);
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            prop_assert_eq!(got, want);
        }
    }
}
