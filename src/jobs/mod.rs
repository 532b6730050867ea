//! Work that nobody waits for.

/// Writes down what was clicked.
pub mod clicks;
/// What is due by the clock alone.
pub mod housekeeping;
/// Looks after the disk and the key.
pub mod lookout;
/// The backup of each night.
pub mod night;
/// Claims what is due at the platforms' own doors.
pub mod puller;
/// Wakes whoever looks what is due.
pub mod schedule;
/// Holds plans against the clock.
pub mod watchdog;
/// Claims deliveries that are due and runs them.
pub mod worker;
