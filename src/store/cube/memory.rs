//! Answers over counted days, kept as long as the counts stand: the dashboard asks the same of the same year again and
//! again. They are kept in blocks of days, so that a refund of last week leaves the rest of the year as it is. Nothing is
//! ever stale: the versions of the days and which of them are dirty are read in the question's own snapshot and are part
//! of the name under which an answer is kept.

use std::any::Any;
use std::sync::{Arc, Mutex};

use super::super::scope::SiteConn;
use super::{Coverage, Cube};
use crate::domain::question::Days;
use crate::domain::time::Day;
use crate::error::Result;

/// Answers that are kept: a year has twelve blocks, and a view asks some questions. Most are small: sums by a few words.
const MOST: usize = 600;
/// Bytes of all of them together: tables of a shop with thousands of campaigns are not small.
const MOST_BYTES: usize = 24 * 1024 * 1024;
/// Days of a block.
const BLOCK: i32 = 32;

/// How much an answer takes.
pub trait Weighs {
    /// Bytes, roughly.
    fn bytes(&self) -> usize;
}

#[derive(Default)]
pub struct Memory {
    kept: Mutex<Shelf>,
}

#[derive(Default)]
struct Shelf {
    kept: Vec<Kept>,
    bytes: usize,
}

struct Kept {
    name: String,
    answer: Arc<dyn Any + Send + Sync>,
    bytes: usize,
}

/// The answers to a question over the counted days of a coverage, block by block in the order of time: as they were
/// worked out before, or now. `question` says what is asked, with all its filters.
pub fn remembered<T: Weighs + Send + Sync + 'static>(
    c: &SiteConn,
    cube: Cube,
    coverage: &Coverage,
    question: &str,
    work_out: impl Fn(&Coverage) -> Result<T>,
) -> Result<Vec<Arc<T>>> {
    let Some(days) = coverage.counted else { return Ok(Vec::new()) };
    let Some(memory) = c.memory() else { return Ok(vec![Arc::new(work_out(coverage)?)]) };
    blocks(days).map(|block| remembered_block(c, memory, cube, &coverage.within(block), question, &work_out)).collect()
}

fn remembered_block<T: Weighs + Send + Sync + 'static>(
    c: &SiteConn,
    memory: &Memory,
    cube: Cube,
    block: &Coverage,
    question: &str,
    work_out: &impl Fn(&Coverage) -> Result<T>,
) -> Result<Arc<T>> {
    let days = block.counted.map_or((0, 0), |d| (d.from.0, d.to.0));
    let newest = block.versions.iter().map(|(_, version)| *version).max().unwrap_or(0);
    let dirty: Vec<i32> = block.dirty.iter().map(|d| d.0).collect();
    let name = format!("{} {} {days:?} {newest} {dirty:?} {question}", c.site(), cube.word());
    if let Some(known) = memory.find(&name).and_then(|answer| answer.downcast::<T>().ok()) {
        return Ok(known);
    }
    let answer = Arc::new(work_out(block)?);
    memory.keep(name, answer.clone(), answer.bytes());
    Ok(answer)
}

/// Days cut at fixed places, so that the blocks of two questions are the same but for their ends.
fn blocks(days: Days) -> impl Iterator<Item = Days> {
    let first = days.from.0.div_euclid(BLOCK);
    let last = days.to.0.div_euclid(BLOCK);
    (first..=last).map(move |block| Days { from: Day(block * BLOCK).max(days.from), to: Day(block * BLOCK + BLOCK - 1).min(days.to) })
}

impl Memory {
    fn keep(&self, name: String, answer: Arc<dyn Any + Send + Sync>, bytes: usize) {
        let mut shelf = self.kept.lock().unwrap_or_else(|e| e.into_inner());
        let bytes = bytes + name.len();
        if bytes > MOST_BYTES / 4 {
            return;
        }
        while shelf.kept.len() >= MOST || (shelf.bytes + bytes > MOST_BYTES && !shelf.kept.is_empty()) {
            let gone = shelf.kept.remove(0);
            shelf.bytes -= gone.bytes;
        }
        shelf.bytes += bytes;
        shelf.kept.push(Kept { name, answer, bytes });
    }

    /// What was asked last goes last, and is forgotten last.
    fn find(&self, name: &str) -> Option<Arc<dyn Any + Send + Sync>> {
        let mut shelf = self.kept.lock().unwrap_or_else(|e| e.into_inner());
        let place = shelf.kept.iter().position(|k| k.name == name)?;
        let found = shelf.kept.remove(place);
        let answer = found.answer.clone();
        shelf.kept.push(found);
        Some(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_asked_for_longest_goes_first() {
        let memory = Memory::default();
        let keep = |name: &str, bytes| memory.keep(name.into(), Arc::new(0_u8), bytes);
        for name in ["a", "b", "c", "d"] {
            keep(name, MOST_BYTES / 5);
        }
        assert!(memory.find("a").is_some());
        keep("e", MOST_BYTES / 5);
        assert!(memory.find("b").is_none() && memory.find("a").is_some() && memory.find("e").is_some());
        keep("too much", MOST_BYTES);
        assert!(memory.find("too much").is_none() && memory.find("a").is_some());
        let kept = memory.kept.lock().expect("nobody else");
        assert_eq!(kept.bytes, kept.kept.iter().map(|k| k.bytes).sum::<usize>());
    }

    #[test]
    fn blocks_cover_every_day_once() {
        for (from, to) in [(0, 0), (5, 40), (31, 32), (20_000, 20_364), (-3, 70)] {
            let days: Vec<Day> = blocks(Days { from: Day(from), to: Day(to) }).flat_map(|b| b.each()).collect();
            assert_eq!(days, (from..=to).map(Day).collect::<Vec<_>>());
        }
    }
}
