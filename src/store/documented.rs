//! The documented names in SQL: one site, read-only, beside a running server. Temporary views carry the names, so no
//! real table needs one of them.
//!
//! Two guards keep a question inside its site. The authorizer lets nothing but views read the real tables. But to SQLite
//! a common table expression looks like a view, and it may carry any name; so the question is first prepared against a
//! world in which the documented names are all there is. What compiles there can name nothing else here.

use std::path::Path;
use std::time::Duration;

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use super::{FILE, migrate, opening};
use crate::error::{Error, Kind, Result};

/// The views, with `{site}` in place of the site's number.
const VIEWS: &str = include_str!("../../schema/views.sql");

/// The names that the documents use.
pub const NAMES: [&str; 17] = [
    "events",
    "attribution_events",
    "contacts",
    "sync_logs",
    "purchase_attributions",
    "customer_sessions",
    "sessions",
    "anon_events",
    "leads",
    "orders",
    "funnel_sources",
    "funnel_events",
    "funnel_conversions",
    "funnel_sync_logs",
    "revenue_by_platform",
    "high_value_customers",
    "attribution_performance",
];

/// What the views themselves lean on.
const HELPERS: [&str; 5] = ["halo_site", "halo_units", "halo_buyers", "halo_tracked", "halo_inherited"];

/// A question that takes longer is stopped.
const LONGEST: Duration = Duration::from_secs(30);

/// The file as the documents see it, for one site.
pub struct Documented {
    conn: Connection,
    site: i64,
}

/// One line of an answer, the column names first.
pub enum Row {
    Head(Vec<String>),
    Cells(Vec<Cell>),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

impl Cell {
    pub fn text(&self) -> String {
        match self {
            Cell::Null => String::new(),
            Cell::Integer(n) => n.to_string(),
            // As the stock shell writes it: 99.0 shows that it is no count.
            Cell::Real(r) => format!("{r:?}"),
            Cell::Text(text) => text.clone(),
            Cell::Blob(bytes) => crate::crypto::hex(bytes),
        }
    }

    pub fn json(&self) -> Value {
        match self {
            Cell::Null => Value::Null,
            Cell::Integer(n) => (*n).into(),
            Cell::Real(r) => (*r).into(),
            Cell::Text(text) => text.as_str().into(),
            Cell::Blob(bytes) => crate::crypto::hex(bytes).into(),
        }
    }
}

impl Documented {
    /// Opens the file of a data folder. `word` is `site_1`, `1` or the slug; not needed where there is one site only.
    pub fn open(data: &Path, word: Option<&str>) -> Result<Self> {
        let path = data.join(FILE);
        if !path.exists() {
            return Err(Error::new(
                Kind::NotFound,
                "no_data",
                format!("There is no database in {}. Name the folder with --data.", data.display()),
            ));
        }
        migrate::look(&path)?;
        let conn =
            Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(opening)?;
        conn.busy_timeout(Duration::from_secs(5)).map_err(opening)?;
        conn.execute_batch("pragma trusted_schema = off; pragma cell_size_check = on; pragma temp_store = memory;").map_err(opening)?;
        let site = site(&conn, word)?;
        conn.execute_batch(&views(site)).map_err(Error::internal)?;
        conn.execute_batch("pragma query_only = on;").map_err(opening)?;
        Ok(Self { conn, site })
    }

    /// The same views as text, for the stock shell on a copy of the file.
    pub fn views(&self) -> String {
        views(self.site)
    }

    /// Runs one statement and hands its rows over one by one; `take` answers whether it wants more.
    pub fn ask(mut self, query: &str, mut take: impl FnMut(Row) -> bool) -> Result<()> {
        empty_world(&self.conn)?.prepare(query).map_err(refused)?;
        self.conn.authorizer(Some(judge)).map_err(refused)?;
        let mut statement = self.conn.prepare(query).map_err(refused)?;
        if !statement.readonly() {
            return Err(bad_query("This command only reads."));
        }
        if statement.parameter_count() > 0 {
            return Err(bad_query("The statement has parameters, and nobody to fill them in."));
        }
        let head: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let columns = head.len();
        let handle = self.conn.get_interrupt_handle();
        let (done, waiting) = std::sync::mpsc::channel::<()>();
        let watch = std::thread::spawn(move || {
            if waiting.recv_timeout(LONGEST) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                handle.interrupt();
            }
        });
        let mut wants_more = columns == 0 || take(Row::Head(head));
        let outcome = (|| {
            let mut rows = statement.raw_query();
            while wants_more && let Some(row) = rows.next()? {
                let cells = (0..columns).map(|place| row.get_ref(place).map(cell)).collect::<rusqlite::Result<Vec<_>>>()?;
                wants_more = take(Row::Cells(cells));
            }
            Ok(())
        })();
        drop(done);
        let _ = watch.join();
        outcome.map_err(refused)
    }
}

fn views(site: i64) -> String {
    VIEWS.replace("{site}", &site.to_string())
}

fn site(conn: &Connection, word: Option<&str>) -> Result<i64> {
    let mut statement = conn.prepare("select id, slug from sites order by id").map_err(opening)?;
    let all: Vec<(i64, String)> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).and_then(|rows| rows.collect()).map_err(opening)?;
    let slugs = || all.iter().map(|(_, slug)| slug.as_str()).collect::<Vec<_>>().join(", ");
    match (word, all.as_slice()) {
        (None, [(id, _)]) => Ok(*id),
        (None, []) => Err(Error::new(Kind::NotFound, "unknown_site", "There is no site yet. Make one with `halotrack site add`.")),
        (None, _) => Err(Error::invalid("site", format!("Say which site with --site SITE. There are: {}.", slugs()))),
        (Some(word), _) => {
            let digits = word.strip_prefix("site_").unwrap_or(word);
            let number = digits.parse::<i64>().ok();
            let found = all.iter().find(|(id, slug)| slug == word || Some(*id) == number).map(|(id, _)| *id);
            found.ok_or_else(|| Error::new(Kind::NotFound, "unknown_site", format!("There is no site {word}. There are: {}.", slugs())))
        }
    }
}

/// The documented names with their columns, and nothing else: no rows, no other table.
fn empty_world(real: &Connection) -> Result<Connection> {
    let mut world = Connection::open_in_memory().map_err(opening)?;
    for name in NAMES {
        let statement = real.prepare(&format!("select * from temp.{name}")).map_err(Error::internal)?;
        let columns: Vec<String> = statement.column_names().map(|column| format!("null as \"{column}\"")).collect();
        world.execute_batch(&format!("create temp view {name} as select {}", columns.join(", "))).map_err(Error::internal)?;
    }
    world.authorizer(Some(judge)).map_err(opening)?;
    Ok(world)
}

/// What a statement may do: read the documented names, and through them what they are made of.
fn judge(asked: AuthContext<'_>) -> Authorization {
    let is_view = |name: &str| NAMES.contains(&name) || HELPERS.contains(&name);
    let is_allowed = match asked.action {
        AuthAction::Select | AuthAction::Recursive => true,
        AuthAction::Function { function_name } => !function_name.eq_ignore_ascii_case("load_extension"),
        AuthAction::Read { table_name, .. } => match asked.database_name {
            Some("temp") => is_view(table_name),
            // Counting the rows of a common table expression or a view names no database. A real table cannot hide
            // here: the empty world has none.
            None => !table_name.to_ascii_lowercase().starts_with("sqlite_"),
            Some("main") => matches!(table_name, "json_each" | "json_tree") || asked.accessor.is_some_and(is_view),
            Some(_) => false,
        },
        AuthAction::Pragma { pragma_name, pragma_value } => {
            pragma_value.is_some_and(|name| NAMES.contains(&name)) && matches!(pragma_name, "table_info" | "table_xinfo")
        }
        _ => false,
    };
    if is_allowed { Authorization::Allow } else { Authorization::Deny }
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(n) => Cell::Integer(n),
        ValueRef::Real(r) => Cell::Real(r),
        ValueRef::Text(text) => Cell::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Cell::Blob(bytes.to_vec()),
    }
}

fn refused(e: rusqlite::Error) -> Error {
    use rusqlite::ErrorCode;
    let message = match (&e, e.sqlite_error_code()) {
        (rusqlite::Error::MultipleStatement, _) => "One statement at a time.".to_owned(),
        (_, Some(ErrorCode::AuthorizationForStatementDenied | ErrorCode::ReadOnly)) => {
            format!("This command only reads, under the documented names: {}.", NAMES.join(", "))
        }
        (_, Some(ErrorCode::ApiMisuse)) => "There is no statement in it.".to_owned(),
        (_, Some(ErrorCode::OperationInterrupted)) => {
            format!("It took longer than {} seconds and was stopped. Ask for less.", LONGEST.as_secs())
        }
        (rusqlite::Error::SqlInputError { msg, .. }, _) => format!("{msg}."),
        (rusqlite::Error::SqliteFailure(_, Some(msg)), _) => format!("{msg}."),
        _ => format!("{e}."),
    };
    bad_query(message)
}

fn bad_query(message: impl Into<String>) -> Error {
    Error::new(Kind::Invalid, "bad_query", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;

    #[test]
    fn the_views_know_the_digits_of_every_currency() {
        let letters = || b'A'..=b'Z';
        let codes = letters().flat_map(|a| letters().flat_map(move |b| letters().map(move |c| [a, b, c])));
        let known = codes.filter_map(|c| Currency::parse(std::str::from_utf8(&c).unwrap_or_default()));
        let mut count = 0;
        for currency in known {
            let line = format!("('{currency}', {}.0)", 10_i64.pow(currency.digits()));
            assert_eq!(VIEWS.contains(&line), currency.digits() != 2, "{line}");
            count += 1;
        }
        assert!(count > 150);
    }
}
