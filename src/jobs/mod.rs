//! Work that nobody waits for.

/// Claims deliveries that are due and runs them.
pub mod worker;
