//! Whole copies of the file while it is written to, and what is in such a copy.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::pool::{self, Role};
use super::{AllSites, damaged, opening};
use crate::crypto::Sealer;
use crate::error::{Error, Kind, Result};
use crate::files;

/// Folder of copies inside the data folder.
pub const FOLDER: &str = "backups";

/// What a look into a copy found.
#[derive(Debug, Clone, PartialEq)]
pub struct Examined {
    /// Steps that it has had.
    pub shape: i64,
    /// Rows by table, in the order of their names.
    pub tables: Vec<(String, i64)>,
}

/// Copies the database as it is at one moment into an empty file. Nobody who reads or writes waits for it.
pub fn copy(database: &Path, to: &Path) -> Result<()> {
    let conn =
        Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(opening)?;
    pool::set_pragmas(&conn, Role::Copier).map_err(opening)?;
    copy_from(&conn, to)
}

/// The same over a connection that is open already. What was free in the file is not in the copy.
pub fn copy_from(conn: &Connection, to: &Path) -> Result<()> {
    let copied = files::synced_as_it_grows(to, || conn.execute("vacuum into ?1", [to.display().to_string()]));
    copied.map(|_| ()).map_err(|e| writing(e, to))
}

/// Looks at every page and counts every row. Changes nothing.
pub fn examine(file: &Path) -> Result<Examined> {
    let conn = read_only(file)?;
    let word: String = conn.query_row("pragma integrity_check(1)", [], |row| row.get(0)).map_err(opening)?;
    if word != "ok" {
        return Err(damaged().caused(word));
    }
    let shape = conn.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(opening)?;
    Ok(Examined { shape, tables: count_all(&conn)? })
}

/// Steps and counts alone, of a copy that was just made.
pub fn count(file: &Path) -> Result<Examined> {
    let conn = read_only(file)?;
    let shape = conn.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(opening)?;
    Ok(Examined { shape, tables: count_all(&conn)? })
}

/// Asks a copy of the present shape a question under the key.
pub fn ask<T>(file: &Path, sealer: &Sealer, question: impl FnOnce(&AllSites) -> Result<T>) -> Result<T> {
    question(&AllSites::new(&read_only(file)?, sealer))
}

/// Puts what still lies in the log into the file, so that it stands alone. Nobody else may have it open.
pub fn fold(file: &Path) -> Result<()> {
    let conn = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(opening)?;
    conn.busy_timeout(std::time::Duration::from_secs(5)).map_err(opening)?;
    let mode: String = conn.query_row("pragma journal_mode = delete", [], |row| row.get(0)).map_err(opening)?;
    if mode != "delete" {
        return Err(Error::internal(format!("the log of {} could not be folded in", file.display())));
    }
    conn.close().map_err(|(_, e)| opening(e))?;
    std::fs::File::open(file).and_then(|f| f.sync_all()).map_err(|e| files::failed(file, &e))
}

fn read_only(file: &Path) -> Result<Connection> {
    let conn = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(opening)?;
    pool::set_pragmas(&conn, Role::Reader).map_err(opening)?;
    Ok(conn)
}

fn count_all(conn: &Connection) -> Result<Vec<(String, i64)>> {
    let names: Vec<String> = conn
        .prepare("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' order by name")
        .and_then(|mut s| s.query_map([], |row| row.get(0))?.collect())
        .map_err(opening)?;
    let count = |name: String| {
        // The whole table is walked, on a copy that nobody waits for.
        let of = format!("from \"{name}\"");
        let rows = conn.query_row(&format!("select count(*) {of}"), [], |row| row.get(0)).map_err(opening)?;
        Ok((name, rows))
    };
    names.into_iter().map(count).collect()
}

fn writing(e: rusqlite::Error, to: &Path) -> Error {
    use rusqlite::ErrorCode;
    match e.sqlite_error_code() {
        // A write past a limit on file sizes is an I/O error to SQLite; both mean that there is no room.
        Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure) => Error::new(
            Kind::Unavailable,
            "storage_full",
            format!("{} could not be written: its disk is full or failing. Free some space, then try again.", to.display()),
        )
        .caused(e),
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Error::new(
            Kind::Unavailable,
            "file_unusable",
            format!("{} cannot be written. Name a file in a folder that this user may write to.", to.display()),
        )
        .caused(e),
        _ => opening(e),
    }
}
