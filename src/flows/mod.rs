//! Changes that take more than one step; the only place where pure meets stored.

/// Counts of whole days.
pub mod cube;
