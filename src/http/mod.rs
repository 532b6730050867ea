//! The edges: decode, call, encode.

/// Reading side of the conversions API.
pub mod anytrack;
/// A request as a handler sees it.
pub mod ask;
/// Connections with their health.
pub mod connections;
/// People, and who has changed what.
pub mod contacts;
/// The ledger of conversions.
pub mod conversions;
/// The outbox as a list.
pub mod deliveries;
/// Every list as a file.
pub mod exports;
/// Raw bodies as they were received.
pub mod inbox;
/// Leads and orders.
pub mod leads;
/// Events for open dashboards.
pub mod live;
/// The receipt of a conversion.
pub mod receipts;
/// Answers and refusals.
pub mod reply;
/// Pages of figures.
pub mod reports;
/// What a route is.
pub mod route;
/// Values as answers show them.
pub mod shown;
