//! One batch: a transaction in which each change can be undone alone, and one commit for all of them.

use std::time::Instant;

use rusqlite::Connection;

use super::super::is_in_transaction;
use super::super::scope::{self, Fault, forget_blocks};
use super::change::Change;
use crate::error::{Error, Kind};

/// Runs a batch in one transaction and tells each how it ended. What the storage said meanwhile is left in `scope`.
pub fn commit(conn: &Connection, batch: Vec<(Box<dyn Change>, Instant)>) {
    let mut changes: Vec<Box<dyn Change>> = batch.into_iter().map(|(change, _)| change).collect();
    if let Err(e) = conn.execute_batch("begin immediate") {
        tracing::error!(error = %e, "No transaction could be begun.");
        scope::note(&e);
        return changes.into_iter().for_each(|c| c.finish(Err(lost())));
    }
    // A savepoint copies each page that its change touches first; among changes that may run again none is needed.
    let is_plain = changes.len() > 1 && changes.iter().all(|c| c.is_repeatable());
    let mut is_done = is_plain && changes.iter_mut().all(|change| change.run(conn)) && is_in_transaction(conn);
    if is_plain && !is_done {
        forget_blocks();
        let again = conn.execute_batch("rollback").or_else(|e| if is_in_transaction(conn) { Err(e) } else { Ok(()) });
        if let Err(e) = again.and_then(|()| conn.execute_batch("begin immediate")) {
            scope::note(&e);
            return refused(conn, changes);
        }
    }
    if !is_done {
        let mut each = changes.iter_mut();
        is_done = each.next().is_none_or(|first| at_first(conn, first.as_mut())) && each.all(|change| in_savepoint(conn, change.as_mut()));
    }
    // A change may have passed over what the storage said; the others may not build on it.
    if !is_done || scope::fault() > Some(Fault::Full) {
        return refused(conn, changes);
    }
    #[cfg(feature = "sabotage")]
    if sabotage::is_on("ack_before_commit") {
        changes.into_iter().for_each(|c| c.finish(Ok(())));
        std::thread::sleep(std::time::Duration::from_millis(20));
        let _ = conn.execute_batch("commit");
        return;
    }
    match conn.execute_batch("commit") {
        Ok(()) => changes.into_iter().for_each(|c| c.finish(Ok(()))),
        Err(e) => {
            tracing::error!(error = %e, "A commit failed.");
            scope::note(&e);
            forget_blocks();
            let _ = conn.execute_batch("rollback");
            changes.into_iter().for_each(|c| c.finish(Err(lost())));
        }
    }
}

/// Runs the first change of a transaction, which needs no savepoint: the transaction is one. False means that SQLite has ended
/// the transaction, or can begin no other.
fn at_first(conn: &Connection, change: &mut dyn Change) -> bool {
    if change.run(conn) {
        return is_in_transaction(conn);
    }
    forget_blocks();
    let anew = if is_in_transaction(conn) { "rollback; begin immediate" } else { "begin immediate" };
    conn.execute_batch(anew)
        .inspect_err(|e| {
            scope::note(e);
        })
        .is_ok()
}

/// Runs one change so that it can be undone alone. False means that SQLite has ended the whole transaction.
fn in_savepoint(conn: &Connection, change: &mut dyn Change) -> bool {
    if run_sql(conn, "savepoint change").is_err() {
        return false;
    }
    let is_kept = change.run(conn);
    let end = if is_kept {
        run_sql(conn, "release change")
    } else {
        forget_blocks();
        run_sql(conn, "rollback to change").and_then(|()| run_sql(conn, "release change"))
    };
    end.is_ok() && is_in_transaction(conn)
}

/// SQLite ended the whole transaction by itself (full disk, I/O error): nobody's change is there.
fn refused(conn: &Connection, changes: Vec<Box<dyn Change>>) {
    forget_blocks();
    let _ = conn.execute_batch("rollback");
    changes.into_iter().for_each(|c| c.finish(Err(lost())));
}

/// Why nothing was kept, by what the storage has said.
fn lost() -> Error {
    match scope::fault() {
        Some(Fault::Full) => scope::full(),
        Some(Fault::Io | Fault::Damage) => scope::failed(),
        None => Error::new(Kind::Unavailable, "busy", "It could not be written to disk. Nothing was stored; send it again.").after(5),
    }
}

fn run_sql(conn: &Connection, sql: &str) -> rusqlite::Result<()> {
    let done = conn.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
    done.map(|_| ()).inspect_err(|e| {
        scope::note(e);
    })
}

/// Deliberate faults, to prove that the crash tests can fail. Not in a released binary.
#[cfg(feature = "sabotage")]
mod sabotage {
    pub fn is_on(name: &str) -> bool {
        std::env::var("HALOTRACK_SABOTAGE").is_ok_and(|v| v == name)
    }
}
