//! What the dashboard and the APIs ask. Nothing here changes anything.

/// Who has changed what.
pub mod audit;
/// People as the site knows them.
pub mod contacts;
/// The ledger of conversions: pages, order, search.
pub mod conversions;
/// Deliveries and their attempts.
pub mod deliveries;
/// Leads and orders as their senders told them.
pub mod facts;
/// How connections have fared of late.
pub mod health;
/// Raw bodies as they were received.
pub mod inbox;
/// Money by the day it is booked on.
pub mod money;
/// Headline figures, day by day, by origin.
pub mod overview;
/// Where leads stand, and what they are worth.
pub mod pipeline;
/// One conversion from all sides.
pub mod receipt;
/// Conversions as the conversions API shows them.
pub mod statements;
/// Sums and facets over conversions.
pub mod sums;
/// A person in the order of time.
pub mod timeline;
/// Visits by day and by origin.
pub mod visits;

/// What stands beside the rows of a page: people, credit, who was told.
mod beside;
/// Finding conversions by what somebody types.
mod search;

use rusqlite::Row;
use rusqlite::types::ValueRef;

pub use beside::{Beside, Told};

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
