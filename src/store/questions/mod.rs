//! What the dashboard and the APIs ask. Nothing here changes anything.

/// The ledger of conversions: pages, order, search.
pub mod conversions;
/// Sums and facets over conversions.
pub mod sums;

/// What stands beside the rows of a page: people, credit, who was told.
mod beside;
/// Finding conversions by what somebody types.
mod search;

use rusqlite::Row;
use rusqlite::types::ValueRef;

/// A text column without a copy; what is not there is the empty word.
fn word<'r>(row: &'r Row, place: usize) -> rusqlite::Result<&'r str> {
    Ok(match row.get_ref(place)? {
        ValueRef::Text(text) => std::str::from_utf8(text).unwrap_or_default(),
        _ => "",
    })
}

/// Numbers as one parameter, for `in (select value from json_each(:ids))`.
fn json_list(ids: impl Iterator<Item = i64>) -> String {
    let all: Vec<String> = ids.map(|id| id.to_string()).collect();
    format!("[{}]", all.join(","))
}
