//! The edges: decode, call, encode. `serve` takes connections until it is told to stop; `Edge` answers one request.

/// Who asks, proved before the handler runs.
pub mod access;
/// What owners and editors set up.
mod administration;
/// A request as a handler sees it.
pub mod ask;
/// Embedded files under one content hash.
mod assets;
/// Which pages of other origins may call.
pub mod cors;
/// From bytes and headers to an `Ask`.
mod decode;
/// One request from its head to its answer.
mod edge;
/// The headers that every answer carries.
mod headers;
/// Alive, ready, well.
mod health;
/// Which host was asked, and whether the dashboard lives there.
mod host;
/// The strict reader of JSON bodies.
pub mod json;
/// The accept loop.
mod listen;
/// The dashboard's own people.
mod login;
/// Figures for Prometheus.
mod metrics;
/// The API's description, made from the table.
mod openapi;
/// Addresses that deliver a page.
mod pages;
/// Answers and refusals.
pub mod reply;
/// What a route is.
pub mod route;
/// All routes on one page.
pub mod table;

/// What the owner does by hand.
mod replays;
/// Platforms, forms and servers that tell us facts.
mod senders;
/// The conversions API: telling.
mod statements;
/// What pages send.
mod touch;
/// A visitor's browser.
mod visitor;

pub use edge::Edge;
pub use listen::serve;
