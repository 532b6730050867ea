//! Numbered steps forward. The file is copied before the first one; a file newer than this binary is not touched.

use std::io::Read;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::scope::AllSites;
use super::storage;
use crate::crypto;
use crate::error::{Error, Result};
use crate::files;

/// `HALO` in ASCII: tells our file from any other SQLite file.
const APPLICATION_ID: i64 = 0x4841_4c4f;

/// Name and text of every step, in order; `user_version` counts them.
pub static STEPS: &[(&str, &str)] = &[("0001_initial", include_str!("../../schema/0001_initial.sql"))];

/// Looks whether this binary may open the file, without changing a byte of it: no write, no lock, no checkpoint.
pub fn look(path: &Path) -> Result<()> {
    let mut file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(unreadable(e)),
    };
    if file.metadata().map_err(unreadable)?.len() == 0 {
        return Ok(());
    }
    // The file header (sqlite.org/fileformat.html, 1.3): magic, `user_version` at 60, `application_id` at 68.
    let mut head = [0u8; 100];
    let is_ours = file.read_exact(&mut head).is_ok() && head.starts_with(b"SQLite format 3\0");
    if !is_ours {
        return Err(super::damaged());
    }
    let number = |at: usize| i64::from(u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]));
    let (version, application) = (number(60), number(68));
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let has_log = std::fs::metadata(&log).is_ok_and(|m| m.len() > 0);
    if !has_log && application == APPLICATION_ID {
        return judge(version, application, path, STEPS.len());
    }
    // What a log says is newer than the header; and a file without our mark may be one whose first start was cut off.
    let conn =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(super::opening)?;
    conn.busy_timeout(std::time::Duration::from_secs(5)).map_err(super::opening)?;
    let (version, application) = (pragma(&conn, "user_version")?, pragma(&conn, "application_id")?);
    if version == 0 && count_tables(&conn)? == 0 {
        return Ok(());
    }
    judge(version, application, path, STEPS.len())
}

fn judge(version: i64, application: i64, path: &Path, newest: usize) -> Result<()> {
    if application != APPLICATION_ID {
        return Err(storage(
            "storage_foreign",
            format!("{} is not a HaloTrack database. Name another folder with --data.", path.display()),
        ));
    }
    if version > newest as i64 {
        return Err(storage(
            "storage_newer",
            format!("The database is of shape {version}; this binary knows {newest}. Nothing was touched: install the newer version."),
        ));
    }
    Ok(())
}

fn unreadable(e: std::io::Error) -> Error {
    storage("storage_unreadable", format!("The database cannot be read: {e}. Check that this user may read the data folder."))
}

/// Moments of an upgrade at which a test may look, or kill the process.
pub const MOMENTS: [&str; 4] = ["copying", "copied", "stepping", "stepped"];

/// Brings the file to the present shape.
pub fn run(conn: &mut Connection, path: &Path) -> Result<()> {
    bring_up(conn, path, STEPS, &|_| ())
}

/// All steps that are missing, in one transaction: the file is of the old shape or of the new one, never between. A file
/// that holds something is copied first.
pub fn bring_up(conn: &mut Connection, path: &Path, steps: &[(&str, &str)], watch: &dyn Fn(&'static str)) -> Result<()> {
    let version = pragma(conn, "user_version")?;
    let application = pragma(conn, "application_id")?;
    let is_fresh = version == 0 && count_tables(conn)? == 0;
    if !is_fresh {
        judge(version, application, path, steps.len())?;
        check_sums(conn, steps, version as usize)?;
    }
    if version as usize >= steps.len() {
        return Ok(());
    }
    if !is_fresh {
        copy_aside(conn, path, version, watch)?;
    }
    watch("stepping");
    take_steps(conn, steps, version as usize)
        .map_err(|(name, e)| storage("migration_failed", format!("Step {name} failed; the file is as before.")).caused(e))?;
    watch("stepped");
    Ok(())
}

/// Whether the file is of the shape that this binary writes.
pub fn is_present(all: &AllSites) -> Result<bool> {
    let version: Option<i64> = all.find("pragma user_version", &[], |row| row.get(0))?;
    Ok(version == Some(STEPS.len() as i64))
}

/// `backups/before-shape-2.sqlite` is of shape 1: whole, or not there.
fn copy_aside(conn: &Connection, path: &Path, version: i64, watch: &dyn Fn(&'static str)) -> Result<()> {
    let folder = files::folder_of(path).join(super::snapshot::FOLDER);
    let copy = folder.join(format!("before-shape-{}.sqlite", version + 1));
    let aside = files::beside(&copy, ".part");
    let made = files::make_folder(&folder).and_then(|()| files::make_file(&aside)).and_then(|_| {
        watch("copying");
        super::snapshot::copy_from(conn, &aside)?;
        files::settle(&aside, &copy)
    });
    made.map_err(|e| {
        // What was written so far only fills the disk.
        let _ = files::remove(&aside);
        storage("storage_full", "The copy before the upgrade could not be made. Free as much disk as the database needs, then start again.")
            .caused(e)
    })?;
    watch("copied");
    Ok(())
}

fn take_steps<'s>(conn: &mut Connection, steps: &[(&'s str, &str)], version: usize) -> std::result::Result<(), (&'s str, rusqlite::Error)> {
    let last = steps.last().map_or("", |(name, _)| *name);
    let tx = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(|e| (last, e))?;
    for (place, (name, text)) in steps.iter().enumerate().skip(version) {
        step(&tx, place, name, text).map_err(|e| (*name, e))?;
    }
    super::statistics::write(&tx).map_err(|e| (last, e))?;
    tx.commit().map_err(|e| (last, e))
}

fn step(tx: &Connection, place: usize, name: &str, text: &str) -> rusqlite::Result<()> {
    if place == 0 {
        tx.execute_batch("create table schema_steps (place integer primary key, name text not null, sha256 text not null) strict;")?;
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    tx.execute_batch(text)?;
    tx.execute(
        "insert into schema_steps (place, name, sha256) values (?1, ?2, ?3)",
        (place as i64 + 1, name, crypto::sha256_hex(text.as_bytes())),
    )?;
    tx.pragma_update(None, "user_version", place as i64 + 1)
}

/// A step that was changed after it ran would leave two files of one version with different shapes.
fn check_sums(conn: &Connection, steps: &[(&str, &str)], version: usize) -> Result<()> {
    let mut statement = conn.prepare("select sha256 from schema_steps order by place").map_err(super::opening)?;
    let sums: Vec<String> = statement.query_map([], |row| row.get(0)).and_then(|rows| rows.collect()).map_err(super::opening)?;
    for (place, (name, text)) in steps.iter().enumerate().take(version) {
        if sums.get(place).map(String::as_str) != Some(crypto::sha256_hex(text.as_bytes()).as_str()) {
            return Err(storage(
                "storage_foreign",
                format!("Step {name} of this database is not the one of this binary. Use the binary that made it."),
            ));
        }
    }
    Ok(())
}

fn pragma(conn: &Connection, name: &str) -> Result<i64> {
    conn.pragma_query_value(None, name, |row| row.get(0)).map_err(super::opening)
}

fn count_tables(conn: &Connection) -> Result<i64> {
    conn.query_row("select count(*) from sqlite_schema", [], |row| row.get(0)).map_err(super::opening)
}

/// The whole present schema as text, as the migrations build it.
pub fn current_schema() -> Result<String> {
    let mut conn = Connection::open_in_memory().map_err(Error::internal)?;
    run(&mut conn, Path::new(":memory:"))?;
    let mut statement = conn
        .prepare("select sql from sqlite_schema where sql is not null and name not like 'sqlite_%' order by type desc, name")
        .map_err(Error::internal)?;
    let texts: Vec<String> = statement.query_map([], |row| row.get(0)).and_then(|rows| rows.collect()).map_err(Error::internal)?;
    let version = pragma(&conn, "user_version")?;
    Ok(format!(
        "-- The whole schema at version {version}, as the migrations build it. Checked by a test; never run.\n\n{};\n",
        texts.join(";\n\n")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_file_is_refused_untouched() {
        let mut conn = Connection::open_in_memory().expect("a database");
        run(&mut conn, Path::new(":memory:")).expect("a fresh file");
        conn.pragma_update(None, "user_version", 99).expect("a newer version");
        let e = run(&mut conn, Path::new(":memory:")).expect_err("refused");
        assert_eq!(e.code, "storage_newer");
        assert_eq!(pragma(&conn, "user_version").expect("a version"), 99);
    }

    #[test]
    fn the_present_shape_is_the_one_written_down() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/current.sql");
        let built = current_schema().expect("a schema");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&file, &built).expect("schema/current.sql is writable");
        }
        let written = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(written == built, "schema/current.sql is not what the steps build: UPDATE=1 cargo test rewrites it");
    }

    #[test]
    fn looking_tells_files_apart_and_changes_none() {
        let folder = std::env::temp_dir().join(format!("halotrack-look-{}", crypto::random_text(6)));
        std::fs::create_dir(&folder).expect("a folder");
        let path = folder.join("x.sqlite");
        let code = || look(&path).map(|()| "ok").unwrap_or_else(|e| e.code);
        assert_eq!(code(), "ok", "no file yet");
        let mut conn = Connection::open(&path).expect("a database");
        assert_eq!(code(), "ok", "an empty file");
        conn.pragma_update(None, "journal_mode", "wal").expect("a log");
        assert_eq!(code(), "ok", "a start that was cut off");
        run(&mut conn, &path).expect("a fresh file");
        assert_eq!(code(), "ok", "ours, the newest in the log");
        conn.pragma_update(None, "user_version", 999_999).expect("a newer version");
        assert_eq!(code(), "storage_newer", "newer in the log");
        drop(conn);
        let whole = std::fs::read(&path).expect("a file");
        assert_eq!(code(), "storage_newer", "newer in the header");
        assert_eq!(std::fs::read(&path).expect("a file"), whole);
        std::fs::write(&path, [&[0x7f; 4096][..], &whole[4096..]].concat()).expect("a damaged file");
        assert_eq!(code(), "storage_damaged");
        std::fs::write(&path, "short").expect("a damaged file");
        assert_eq!(code(), "storage_damaged");
        std::fs::remove_file(&path).expect("a file");
        Connection::open(&path).and_then(|c| c.execute_batch("create table theirs (x)")).expect("a foreign file");
        assert_eq!(code(), "storage_foreign");
        std::fs::remove_dir_all(&folder).expect("a clean end");
    }
}
