//! What the query planner is told of the file, made up once from the shape of the indexes and never measured.
//!
//! Every key begins with the site. Without statistics SQLite takes `site_id = ?` alone for as good as `site_id = ? and
//! conversion_id = ?` and walks all rows of a site; with measured ones a plan would change as a file grows, and samples
//! of people's data would lie in `sqlite_stat4`. So the numbers below say what is true of every large file: a site has
//! many rows, and each further column of a key leaves few. See https://sqlite.org/fileformat2.html#stat1tab.

use rusqlite::Connection;

/// Rows of a large table, and those of one site.
const ROWS: u64 = 1_000_000;
const ROWS_OF_A_SITE: u64 = 100_000;
/// Tables that stay small whatever a site sells.
const SMALL: [&str; 20] = [
    "sites",
    "site_domains",
    "users",
    "recovery_codes",
    "members",
    "logins",
    "one_time_links",
    "tokens",
    "connections",
    "hook_tokens",
    "numbers",
    "count_marks",
    "delivery_recounts",
    "jobs",
    "pulls",
    "registrations",
    "hooks",
    "happenings",
    "backups",
    "rules",
];
/// Columns with a handful of values: they leave much.
const COARSE: [&str; 12] =
    ["kind", "state", "cube", "noun", "what", "name", "is_verified", "connection_id", "platform", "starts_visit", "currency", "counts"];

/// Writes the statistics anew; called when a migration has run.
pub fn write(conn: &Connection) -> rusqlite::Result<()> {
    // Makes the table and reads it back; "sqlite_schema" itself is never analysed.
    conn.execute_batch("analyze sqlite_schema; delete from sqlite_stat1;")?;
    let tables: Vec<String> = all(conn, "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'", &[])?;
    for table in &tables {
        let indexes: Vec<(String, bool, String)> = {
            let mut statement = conn.prepare("select name, \"unique\", origin from pragma_index_list(?1)")?;
            let rows = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            rows.collect::<rusqlite::Result<_>>()?
        };
        for (index, is_unique, origin) in indexes {
            let columns = all(conn, "select name from pragma_index_info(?1) order by seqno", &[&index])?;
            // The key of a table without rowid goes by the table's own name.
            let name = if origin == "pk" && index.starts_with("sqlite_autoindex_") { table } else { &index };
            conn.execute(
                "insert into sqlite_stat1 (tbl, idx, stat) values (?1, ?2, ?3)",
                [table.as_str(), name.as_str(), numbers(&columns, is_unique, SMALL.contains(&table.as_str())).as_str()],
            )?;
        }
    }
    conn.execute_batch("analyze sqlite_schema;")
}

fn all(conn: &Connection, sql: &str, params: &[&str]) -> rusqlite::Result<Vec<String>> {
    let mut statement = conn.prepare(sql)?;
    let rows = statement.query_map(rusqlite::params_from_iter(params), |row| row.get(0))?;
    rows.collect()
}

/// Rows in all, then rows that are alike in the first column, in the first two, and so on.
fn numbers(columns: &[String], is_unique: bool, is_small: bool) -> String {
    let (rows, of_a_site) = if is_small { (100, 10) } else { (ROWS, ROWS_OF_A_SITE) };
    let mut text = rows.to_string();
    let mut left = rows;
    for (place, column) in columns.iter().enumerate() {
        left = match column.as_str() {
            "site_id" => of_a_site.min(left),
            name if COARSE.contains(&name) => (left / 4).max(1),
            _ if place == 0 => 10.min(left),
            _ => (left / 20_000).max(2).min(left),
        };
        if is_unique && place + 1 == columns.len() {
            left = 1;
        }
        text.push_str(&format!(" {left}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_further_column_leaves_less() {
        let of = |columns: &[&str], is_unique| numbers(&columns.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>(), is_unique, false);
        assert_eq!(of(&["site_id", "id"], true), "1000000 100000 1");
        assert_eq!(of(&["site_id", "conversion_id"], false), "1000000 100000 5");
        assert_eq!(of(&["site_id", "connection_id", "conversion_id", "kind"], true), "1000000 100000 25000 2 1");
        assert_eq!(of(&["site_id", "happened_at", "id"], false), "1000000 100000 5 2");
        assert_eq!(of(&["token_hash"], true), "1000000 1");
    }
}
