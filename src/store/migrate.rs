//! Numbered steps forward. The file is copied before the first one; a file newer than this binary is not touched.

use std::path::Path;

use rusqlite::Connection;

use super::storage;
use crate::crypto;
use crate::error::{Error, Result};

/// `HALO` in ASCII: tells our file from any other SQLite file.
const APPLICATION_ID: i64 = 0x4841_4c4f;

/// Name and text of every step, in order; `user_version` counts them.
pub static STEPS: &[(&str, &str)] = &[("0001_initial", include_str!("../../schema/0001_initial.sql"))];

/// Brings the file to the present shape.
pub fn run(conn: &mut Connection, path: &Path) -> Result<()> {
    let version = pragma(conn, "user_version")?;
    let application = pragma(conn, "application_id")?;
    let is_fresh = version == 0 && count_tables(conn)? == 0;
    if !is_fresh && application != APPLICATION_ID {
        return Err(storage(
            "storage_foreign",
            format!("{} is not a HaloTrack database. Name another folder with --data.", path.display()),
        ));
    }
    if version as usize > STEPS.len() {
        return Err(storage(
            "storage_newer",
            format!(
                "The database is of shape {version}; this binary knows {}. Nothing was touched: install the newer version.",
                STEPS.len()
            ),
        ));
    }
    if !is_fresh {
        check_sums(conn, version as usize)?;
    }
    if (version as usize) < STEPS.len() && !is_fresh {
        let copy = path.with_extension(format!("before-{}.sqlite", STEPS.len()));
        if !copy.exists() {
            conn.execute("vacuum into ?1", [copy.display().to_string()]).map_err(|e| {
                storage(
                    "storage_full",
                    "The copy before the upgrade could not be made. Free as much disk as the database needs, then start again.",
                )
                .caused(e)
            })?;
        }
    }
    for (place, (name, text)) in STEPS.iter().enumerate().skip(version as usize) {
        step(conn, place, name, text)
            .map_err(|e| storage("migration_failed", format!("Step {name} failed; the file is as before.")).caused(e))?;
    }
    if (version as usize) < STEPS.len() {
        super::statistics::write(conn).map_err(super::opening)?;
    }
    Ok(())
}

fn step(conn: &mut Connection, place: usize, name: &str, text: &str) -> rusqlite::Result<()> {
    let tx = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    if place == 0 {
        tx.execute_batch("create table schema_steps (place integer primary key, name text not null, sha256 text not null) strict;")?;
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    tx.execute_batch(text)?;
    tx.execute(
        "insert into schema_steps (place, name, sha256) values (?1, ?2, ?3)",
        (place as i64 + 1, name, crypto::sha256_hex(text.as_bytes())),
    )?;
    tx.pragma_update(None, "user_version", place as i64 + 1)?;
    tx.commit()
}

/// A step that was changed after it ran would leave two files of one version with different shapes.
fn check_sums(conn: &Connection, version: usize) -> Result<()> {
    let mut statement = conn.prepare("select sha256 from schema_steps order by place").map_err(super::opening)?;
    let sums: Vec<String> = statement.query_map([], |row| row.get(0)).and_then(|rows| rows.collect()).map_err(super::opening)?;
    for (place, (name, text)) in STEPS.iter().enumerate().take(version) {
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
    fn the_present_shape_is_built_twice_the_same() {
        assert_eq!(current_schema().expect("a schema"), current_schema().expect("a schema"));
    }
}
