//! Stand-in until the full tables land.
