//! What the dashboard and the APIs ask. Nothing here changes anything.

/// What partners brought and earn.
pub mod affiliates;
/// Who has changed what.
pub mod audit;
/// What chats helped to sell.
pub mod chats;
/// The oldest row of each kind that is kept for a while.
pub mod clocks;
/// Answers on consent, and what was withheld for them.
pub mod consents;
/// People as the site knows them.
pub mod contacts;
/// What stands below a campaign.
pub mod contents;
/// The ledger of conversions: pages, order, search.
pub mod conversions;
/// Who has bought.
pub mod customers;
/// One day in the words of the conversions API, and what went back on it.
pub mod daily;
/// Deliveries and their attempts.
pub mod deliveries;
/// Leads as their senders told them.
pub mod facts;
/// Who went how far through a funnel.
pub mod funnels;
/// How connections have fared of late.
pub mod health;
/// Raw bodies as they were received.
pub mod inbox;
/// Journeys of conversions, kept as they are walked.
pub mod journeys;
/// What has left, and whether it had been refused.
pub mod left;
/// A short link's days, and the words of links.
pub mod links;
/// Visitors who did not buy.
pub mod lost;
/// Money by the day it is booked on.
pub mod money;
/// What waits for the owner.
pub mod needs;
/// Orders as their shop told them.
pub mod orders;
/// Day by day, and the headline figures.
pub mod overview;
/// Where leads stand, and what they are worth.
pub mod pipeline;
/// What was sold.
pub mod products;
/// One conversion from all sides.
pub mod receipt;
/// Sales by platform, conversation and buyer.
pub mod sales;
/// Who booked, who came, and what came of it.
pub mod show_up;
/// How a connection stands with its platform.
pub mod standing;
/// Conversions as the conversions API shows them.
pub mod statements;
/// Sums and facets over conversions.
pub mod sums;
/// Visits by day and by origin.
/// By origin, landing page, country and device.
pub mod tables;
/// A person in the order of time.
pub mod timeline;
/// Visits by day, by origin and by where they were.
pub mod visits;

/// Answers over days, kept for those that are counted.
mod answers;
/// What stands beside the rows of a page: people, credit, who was told.
mod beside;
/// People of a step, page by page.
pub mod people_page;
/// Finding conversions by what somebody types.
mod search;
/// Conversions and entries as reports look at them.
mod walk;

use rusqlite::Row;
use rusqlite::types::ValueRef;

pub use beside::{Beside, Told};
pub(super) use walk::page;

/// A text column without a copy; what is not there is the empty word.
pub(super) fn word<'r>(row: &'r Row, place: usize) -> rusqlite::Result<&'r str> {
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
