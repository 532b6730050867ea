//! Answers over counted days, kept as long as the counts stand: the dashboard asks the same of the same year again and
//! again. Nothing is ever stale: the version of the counts and the dirty days are read in the question's own snapshot and
//! are part of the name under which an answer is kept.

use std::any::Any;
use std::sync::{Arc, Mutex};

use super::super::scope::SiteConn;
use super::{Coverage, Cube};
use crate::error::Result;

/// Answers that are kept: some views of some sites. Each is small: sums by a few words.
const MOST: usize = 48;

#[derive(Default)]
pub struct Memory {
    kept: Mutex<Vec<Kept>>,
}

struct Kept {
    name: String,
    answer: Arc<dyn Any + Send + Sync>,
}

/// The answer to a question over the counted days of a coverage: as it was worked out before, or now. `question` says
/// what is asked, with all its filters.
pub fn remembered<T: Send + Sync + 'static>(
    c: &SiteConn,
    cube: Cube,
    coverage: &Coverage,
    question: &str,
    work_out: impl FnOnce() -> Result<T>,
) -> Result<Arc<T>> {
    let (Some(memory), Some(days)) = (c.memory(), coverage.counted) else { return work_out().map(Arc::new) };
    let dirty: Vec<i32> = coverage.dirty.iter().map(|d| d.0).collect();
    let name = format!("{} {} {} {}..{} {dirty:?} {question}", c.site(), cube.word(), coverage.version, days.from.0, days.to.0);
    if let Some(known) = memory.find(&name).and_then(|answer| answer.downcast::<T>().ok()) {
        return Ok(known);
    }
    let answer = Arc::new(work_out()?);
    memory.keep(name, answer.clone());
    Ok(answer)
}

impl Memory {
    fn keep(&self, name: String, answer: Arc<dyn Any + Send + Sync>) {
        let mut kept = self.kept.lock().unwrap_or_else(|e| e.into_inner());
        if kept.len() >= MOST {
            kept.remove(0);
        }
        kept.push(Kept { name, answer });
    }

    /// What was asked last goes last, and is forgotten last.
    fn find(&self, name: &str) -> Option<Arc<dyn Any + Send + Sync>> {
        let mut kept = self.kept.lock().unwrap_or_else(|e| e.into_inner());
        let place = kept.iter().position(|k| k.name == name)?;
        let found = kept.remove(place);
        let answer = found.answer.clone();
        kept.push(found);
        Some(answer)
    }
}
