//! A file of one table `t`, for tests. It goes with this value.
#![cfg(test)]

use rusqlite::Connection;

use super::Writer;
use crate::store::pool::{Role, set_pragmas};

pub struct Place(std::path::PathBuf);

impl Place {
    pub fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("halotrack-writer-{}", crate::crypto::random_text(6)));
        crate::files::make_folder(&folder).expect("a folder");
        let place = Self(folder);
        place.open().execute_batch("create table t (x)").expect("a table");
        place
    }

    pub fn open(&self) -> Connection {
        let conn = Connection::open(self.0.join("x.sqlite")).expect("a file");
        set_pragmas(&conn, Role::Writer).expect("pragmas");
        conn
    }

    pub fn writer(&self) -> Writer {
        Writer::start(self.open(), self.open()).expect("a thread")
    }

    /// What stands in the table, in the order in which it came.
    pub fn all(&self) -> Vec<i64> {
        let conn = self.open();
        let mut statement = conn.prepare("select x from t order by rowid").expect("a statement");
        statement.query_map([], |row| row.get(0)).expect("rows").collect::<Result<_, _>>().expect("numbers")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = crate::files::remove_folder(&self.0);
    }
}
