//! HaloTrack: touches and facts come in, credit is worked out, conversions go out.

/// The only reader of the system clock.
pub mod clock;
/// Hashes, signatures, sealing, randomness.
pub mod crypto;
/// Outbound platforms, one pure file each.
pub mod destinations;
/// What the product knows: pure rules and types.
pub mod domain;
/// The one error.
pub mod error;
/// Inbound platforms, one pure file each.
pub mod sources;
/// All the SQL.
pub mod store;
/// Requests and answers as plain values.
pub mod wire;
