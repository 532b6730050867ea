//! Work that nobody waits for.

/// What is due by the clock alone.
pub mod housekeeping;
/// Claims deliveries that are due and runs them.
pub mod worker;
