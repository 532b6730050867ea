//! Changes that nobody waits for, gathered for a moment: a busy shop costs a few commits a second, not one for each page.

use std::sync::Mutex;
use std::time::Duration;

use super::change::Change;

/// What a killed process loses of them at most, beside what is just being written.
pub const BEAT: Duration = Duration::from_millis(25);

#[derive(Default)]
pub struct Later {
    waiting: Mutex<Vec<Box<dyn Change>>>,
}

impl Later {
    /// True for the first of a beat: whoever brings it has them taken at the beat's end.
    pub fn add(&self, change: Box<dyn Change>) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(|e| e.into_inner());
        waiting.push(change);
        waiting.len() == 1
    }

    pub fn take(&self) -> Vec<Box<dyn Change>> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(|e| e.into_inner()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::super::Writer;
    use crate::error::Error;
    use crate::store::pool::{Role, set_pragmas};

    #[tokio::test]
    async fn each_of_a_moment_hears_how_it_ended_and_one_that_fails_undoes_no_other() {
        let folder = std::env::temp_dir().join(format!("halotrack-later-{}", crate::crypto::random_text(6)));
        crate::files::make_folder(&folder).expect("a folder");
        let open = || {
            let conn = rusqlite::Connection::open(folder.join("x.sqlite")).expect("a file");
            set_pragmas(&conn, Role::Writer).expect("pragmas");
            conn
        };
        let conn = open();
        conn.execute_batch("create table t (x)").expect("a table");
        let writer = Writer::start(conn, open()).expect("a thread");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let mut firsts = 0;
        for n in 0..600_i64 {
            let own = heard.clone();
            let is_first = writer.run_later(
                move |conn| {
                    conn.execute("insert into t values (?1)", [n]).map_err(Error::internal)?;
                    if n == 7 { Err(Error::internal("the seventh")) } else { Ok(n) }
                },
                move |ended| own.lock().expect("nobody panics with it").push(ended.ok()),
            );
            firsts += i64::from(is_first);
        }
        assert_eq!(firsts, 1, "one is asked to bring them");
        writer.bring();
        let all = |conn: &rusqlite::Connection| conn.query_row("select count(*), sum(x) from t", [], |r| Ok((r.get(0)?, r.get(1)?)));
        let (count, sum): (i64, i64) = writer.run(move |conn| all(conn).map_err(Error::internal)).await.expect("what is kept");
        assert_eq!((count, sum), (599, 599 * 600 / 2 - 7));
        let heard = std::mem::take(&mut *heard.lock().expect("nobody panics with it"));
        assert_eq!(heard, (0..600).map(|n| (n != 7).then_some(n)).collect::<Vec<_>>());
        writer.stop().await;
        // Nobody is left to bring them to, and they hear of it.
        let (tell, told) = std::sync::mpsc::channel();
        writer.run_later(|_| Ok(()), move |ended| tell.send(ended.is_ok()).expect("the story waits for it"));
        writer.bring();
        assert_eq!(told.recv().ok(), Some(false));
        crate::files::remove_folder(&folder).expect("it goes");
    }
}
