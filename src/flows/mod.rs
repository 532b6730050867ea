//! Changes that take more than one step; the only place where pure rules meet the store.

/// Ids of visitors: issued, sealed, opened.
pub mod session_id;
/// A page touch.
pub mod touch;
/// A refusal after the fact.
pub mod withdraw;
