//! The edges: decode, call, encode.

/// A request as a handler sees it.
pub mod ask;
/// Answers and refusals.
pub mod reply;
/// What a route is.
pub mod route;
