//! Changes that take more than one step; the only place where pure rules meet the store.

/// Set-ups of platforms: added, changed, paused, removed.
pub mod connections;
/// Tenants: added and changed.
pub mod sites;

/// Who changes something, for the audit log: `user_3`, `token_2`, or this.
pub const COMMAND_LINE: &str = "command line";
