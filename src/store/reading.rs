//! Questions: each on a read-only connection, off the async threads, in one snapshot and with a limit on its time.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use super::scope::{self, AllSites, SiteConn};
use super::{Inner, STEPS_A_LOOK, Store};
use crate::domain::ids::SiteId;
use crate::error::{Error, Kind, Result};

/// A question is stopped after this long, so that no reader holds up the log for others; exports ask page by page.
const LONGEST_QUESTION: Duration = Duration::from_secs(2);

/// A question with its answer, whatever its type.
type Question = Box<dyn FnOnce(&AllSites) -> Box<dyn Any + Send> + Send>;

impl Store {
    /// Reads one site on a read-only connection, off the async threads, in one snapshot.
    pub async fn read<T, F>(&self, site: SiteId, question: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&SiteConn) -> Result<T> + Send + 'static,
    {
        self.read_all_sites(move |all| question(&all.of(site))).await
    }

    pub async fn read_all_sites<T, F>(&self, question: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&AllSites) -> Result<T> + Send + 'static,
    {
        answer(self.ask(Some(LONGEST_QUESTION), boxed(question)).await?)
    }

    /// The same without a time limit, for counting in the background.
    pub async fn read_unhurried<T, F>(&self, site: SiteId, question: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&SiteConn) -> Result<T> + Send + 'static,
    {
        answer(self.ask(None, boxed(move |all: &AllSites| question(&all.of(site)))).await?)
    }

    /// The same for callers that are not async.
    pub fn read_all_sites_blocking<T>(&self, question: impl FnOnce(&AllSites) -> Result<T>) -> Result<T> {
        let (mut question, mut answer) = (Some(question), None);
        self.inner.read_now(None, &mut |all| answer = question.take().map(|question| question(all)))?;
        answer.unwrap_or_else(|| Err(Error::internal("a reader said nothing")))
    }

    /// One kind of task for all questions: each of its own would be a tenth of the binary.
    async fn ask(&self, longest: Option<Duration>, question: Question) -> Result<Box<dyn Any + Send>> {
        let inner = self.inner.clone();
        let work = move || {
            let (mut question, mut answer) = (Some(question), None);
            inner.read_now(longest, &mut |all| answer = question.take().map(|question| question(all)))?;
            answer.ok_or_else(|| Error::internal("a reader said nothing"))
        };
        tokio::task::spawn_blocking(work).await.map_err(|e| Error::internal(format!("a reader stopped: {e}")))?
    }

    pub fn readers_in_use(&self) -> u32 {
        let state = self.inner.readers.state();
        state.connections - state.idle_connections
    }
}

impl Inner {
    fn read_now(&self, longest: Option<Duration>, question: &mut dyn FnMut(&AllSites)) -> Result<()> {
        let done = self.ask(longest, question);
        if scope::take_fault() == Some(scope::Fault::Damage) {
            // What was promised may lie in what is damaged: nothing more may be added to it.
            self.writer.end();
        }
        done
    }

    fn ask(&self, longest: Option<Duration>, question: &mut dyn FnMut(&AllSites)) -> Result<()> {
        let mut conn = self
            .readers
            .get()
            .map_err(|e| Error::new(Kind::Unavailable, "busy", "All readers are busy. Try again in a few seconds.").after(5).caused(e))?;
        let since = std::time::Instant::now();
        let is_over = longest.map(|longest| move || since.elapsed() > longest);
        conn.progress_handler(STEPS_A_LOOK, is_over).map_err(scope::sql_error)?;
        // One snapshot for the whole question.
        conn.execute_batch("begin").map_err(scope::sql_error)?;
        // What panics would leave its transaction and its limit to whoever has this connection next, of any site.
        let asked = catch_unwind(AssertUnwindSafe(|| question(&AllSites::new(&conn, &self.sealer).remembering(&self.recall))));
        let unlimited = conn.progress_handler(0, None::<fn() -> bool>);
        let ended = conn.execute_batch("rollback");
        if let Err(panic) = asked {
            resume_unwind(panic);
        }
        unlimited.and(ended).map_err(scope::sql_error)
    }
}

fn boxed<T: Send + 'static>(question: impl FnOnce(&AllSites) -> Result<T> + Send + 'static) -> Question {
    Box::new(move |all| Box::new(question(all)))
}

fn answer<T: 'static>(answer: Box<dyn Any + Send>) -> Result<T> {
    match answer.downcast::<Result<T>>() {
        Ok(answer) => *answer,
        Err(_) => Err(Error::internal("a reader answered another question")),
    }
}
