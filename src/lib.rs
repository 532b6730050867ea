//! HaloTrack: touches and facts come in, credit is worked out, conversions go out.

/// The assembled parts.
pub mod app;
/// Sites and connections as they are now, in memory.
pub mod book;
/// The only reader of the system clock.
pub mod clock;
/// What must be known before the database opens.
pub mod config;
/// Hashes, signatures, sealing, randomness.
pub mod crypto;
/// Outbound platforms, one pure file each.
pub mod destinations;
/// What the product knows: pure rules and types.
pub mod domain;
/// The one error.
pub mod error;
/// Counters for the metrics page.
pub mod figures;
/// Changes of more than one step.
pub mod flows;
/// The edges.
pub mod http;
/// Work that nobody waits for.
pub mod jobs;
/// JSON as strangers send it.
pub mod json;
/// Rate limits and quotas.
pub mod limits;
/// The only HTTP client.
pub mod outbound;
/// Who is on which site just now.
pub mod presence;
/// Inbound platforms, one pure file each.
pub mod sources;
/// All the SQL.
pub mod store;
/// Requests and answers as plain values.
pub mod wire;
