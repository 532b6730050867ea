//! Changes that nobody waits for, gathered for a moment: a busy shop costs a few commits a second, not one for each page.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::change::Change;

/// What a killed process loses of them at most, beside what is just being written.
const BEAT: Duration = Duration::from_millis(25);
/// The same in a flood: the more are written together, the more of them share a page of the log.
const BEAT_OF_A_FLOOD: Duration = Duration::from_millis(75);
/// So many in one beat are a flood.
const FLOOD: usize = 128;

#[derive(Default)]
pub struct Later {
    waiting: Mutex<Vec<Box<dyn Change>>>,
    is_flood: AtomicBool,
}

impl Later {
    /// True for the first of a beat: whoever brings it has them taken at the beat's end.
    pub fn add(&self, change: Box<dyn Change>) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(|e| e.into_inner());
        waiting.push(change);
        waiting.len() == 1
    }

    pub fn take(&self) -> Vec<Box<dyn Change>> {
        let taken = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(|e| e.into_inner()));
        self.is_flood.store(taken.len() >= FLOOD, Ordering::Relaxed);
        taken
    }

    /// How long the present beat lasts.
    pub fn beat(&self) -> Duration {
        if self.is_flood.load(Ordering::Relaxed) { BEAT_OF_A_FLOOD } else { BEAT }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::super::place::Place;
    use super::{BEAT, BEAT_OF_A_FLOOD};
    use crate::error::Error;

    #[tokio::test]
    async fn each_of_a_moment_hears_how_it_ended_and_one_that_fails_undoes_no_other() {
        let place = Place::new();
        let writer = place.writer();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let mut firsts = 0;
        for n in 0..600_i64 {
            let own = heard.clone();
            let is_first = writer.run_later(
                own,
                move |_, conn| {
                    conn.execute("insert into t values (?1)", [n]).map_err(Error::internal)?;
                    if n == 7 { Err(Error::internal("the seventh")) } else { Ok(n) }
                },
                |own, ended| own.lock().expect("nobody panics with it").push(ended.ok()),
            );
            firsts += i64::from(is_first);
        }
        assert_eq!((firsts, writer.beat()), (1, BEAT), "one is asked to bring them");
        writer.bring();
        assert_eq!(writer.beat(), BEAT_OF_A_FLOOD, "the next ones have more time to come together");
        writer.run(|_| Ok(())).await.expect("it comes after them");
        assert_eq!(place.all(), (0..600).filter(|n| *n != 7).collect::<Vec<_>>());
        let heard = std::mem::take(&mut *heard.lock().expect("nobody panics with it"));
        assert_eq!(heard, (0..600).map(|n| (n != 7).then_some(n)).collect::<Vec<_>>());
        writer.stop().await;
        // Nobody is left to bring them to, and they hear of it.
        let (tell, told) = std::sync::mpsc::channel();
        writer.run_later(tell, |_, _| Ok(()), |tell, ended| tell.send(ended.is_ok()).expect("the story waits for it"));
        writer.bring();
        assert_eq!(writer.beat(), BEAT, "the flood is over");
        assert_eq!(told.recv().ok(), Some(false));
    }
}
