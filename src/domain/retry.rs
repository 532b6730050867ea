//! Stand-in until the full rules land.
