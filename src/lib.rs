//! HaloTrack: touches and facts come in, credit is worked out, conversions go out.

/// What user agents say of themselves, remembered.
pub mod agents;
/// The assembled parts.
pub mod app;
/// Files of backups: made, proven, put in place.
pub mod backup;
/// Sites and connections as they are now, in memory.
pub mod book;
/// The command words.
pub mod cli;
/// Clicks that are not written down yet.
pub mod clicks;
/// The only reader of the system clock.
pub mod clock;
/// What must be known before the database opens.
pub mod config;
/// How commands reach the data.
pub mod control;
/// Hashes, signatures, sealing, randomness.
pub mod crypto;
/// Two invented businesses, thrown away afterwards.
pub mod demo;
/// Outbound platforms, one pure file each.
pub mod destinations;
/// The disk under the data folder.
pub mod disk;
/// Looks at everything a server leans on.
pub mod doctor;
/// What the product knows: pure rules and types.
pub mod domain;
/// What the edges remember between requests.
pub mod door;
/// The one error.
pub mod error;
/// Counters for the metrics page.
pub mod figures;
/// Files that are whole or not there.
pub mod files;
/// Changes of more than one step.
pub mod flows;
/// The edges.
pub mod http;
/// Work that nobody waits for.
pub mod jobs;
/// JSON as strangers send it.
pub mod json;
/// The master key.
pub mod key;
/// Rate limits and quotas.
pub mod limits;
/// Page loads that may be told of once more.
pub mod loads;
/// The only HTTP client.
pub mod outbound;
/// Which passwords are taken, and their hashes.
pub mod password;
/// What platforms there are, whichever way their data goes.
pub mod platforms;
/// Who is on which site just now.
pub mod presence;
/// The proxy in front of a shop.
pub mod proxy;
/// When the work in the background was last heard of.
pub mod pulse;
/// Event ids of touches counted lately.
pub mod recent;
/// Start, run, stop.
pub mod serve;
/// Inbound platforms, one pure file each.
pub mod sources;
/// All the SQL.
pub mod store;
/// One talk with a platform at a time.
pub mod talks;
/// The second factor.
pub mod totp;
/// Pages that were refused, for whoever waits for them.
pub mod turned_away;
/// What must not be under way twice for a site.
pub mod turns;
/// Whether readings keep to their plan.
pub mod watch;
/// Requests and answers as plain values.
pub mod wire;
