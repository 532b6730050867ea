//! Changes that take more than one step; the only place where pure meets stored.

/// Signing in, setting up, inviting.
pub mod login;
/// Keys of programs.
pub mod tokens;
