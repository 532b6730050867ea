//! Changes that take more than one step; the only place where pure rules meet the store.

/// A credit run.
pub mod crediting;
/// Facts in.
pub mod intake;
/// Signing in, setting up, inviting.
pub mod login;
/// The outbox rows of a conversion.
pub mod planning;
/// Ids of visitors: issued, sealed, opened.
pub mod session_id;
/// Keys of programs.
pub mod tokens;
/// A page touch.
pub mod touch;
/// A refusal after the fact.
pub mod withdraw;
