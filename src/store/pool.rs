//! Connections and their pragmas, set on every connection the same way.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::erasures::residue;

#[derive(Clone, Copy, PartialEq)]
pub enum Role {
    Writer,
    Reader,
    /// Reads one file and writes another.
    Copier,
}

/// So long a connection waits for another one.
pub fn set_patience(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(std::time::Duration::from_secs(5))
}

/// The patience comes first, so that the switch to WAL itself can wait.
pub fn set_pragmas(conn: &Connection, role: Role) -> rusqlite::Result<()> {
    set_patience(conn)?;
    conn.set_prepared_statement_cache_capacity(256);
    // Plans do not depend on bound values: with STAT4 SQLite would else plan anew at each execution.
    conn.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    if role == Role::Writer {
        // FULL: the log is synced at each commit; with NORMAL a power cut takes commits that were acknowledged.
        conn.execute_batch(
            "pragma journal_mode = wal;
             pragma synchronous = full;
             pragma secure_delete = on;
             pragma wal_autocheckpoint = 0;
             pragma journal_size_limit = 268435456;
             pragma cache_size = -24000;",
        )?;
    }
    conn.execute_batch(
        "pragma foreign_keys = on;
         pragma trusted_schema = off;
         pragma cell_size_check = on;
         pragma temp_store = memory;",
    )?;
    residue::teach(conn)?;
    if role == Role::Reader {
        conn.execute_batch("pragma query_only = on; pragma cache_size = -8000;")?;
    }
    Ok(())
}

/// Beside the writer, for its log.
pub fn second_writer(path: &Path) -> rusqlite::Result<Connection> {
    let conn = Connection::open(path)?;
    set_pragmas(&conn, Role::Writer)?;
    Ok(conn)
}

/// The manager of the read-only pool.
pub struct Readers {
    path: PathBuf,
}

impl Readers {
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }
}

impl r2d2::ManageConnection for Readers {
    type Connection = Connection;
    type Error = rusqlite::Error;

    fn connect(&self) -> Result<Connection, rusqlite::Error> {
        // Not SQLITE_OPEN_READ_ONLY: a reader of a WAL file must be able to make the shared-memory file.
        let conn = Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        set_pragmas(&conn, Role::Reader)?;
        Ok(conn)
    }

    fn is_valid(&self, conn: &mut Connection) -> Result<(), rusqlite::Error> {
        conn.execute_batch("select 1")
    }

    fn has_broken(&self, _: &mut Connection) -> bool {
        false
    }
}
