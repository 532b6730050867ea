//! Work that nobody waits for.

/// What is due by the clock alone.
pub mod housekeeping;
/// The backup of each night.
pub mod night;
/// Claims deliveries that are due and runs them.
pub mod worker;
