//! What must be known before the database opens: file, then environment, then flags. The rest an owner changes in the
//! dashboard.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

pub use crate::domain::network::Network;

/// The four layers.
pub mod load;
/// Variables of the older systems.
mod older;

/// The settings of one process.
#[derive(Debug, Clone)]
pub struct Config {
    pub data: PathBuf,
    pub listen: SocketAddr,
    /// What hook addresses and links begin with; no slash at the end.
    pub public_url: String,
    pub trusted_proxies: Vec<Network>,
    pub master_key_file: PathBuf,
    /// `host:port` or CIDR, as typed: addresses that outgoing requests may reach beyond the public internet.
    pub outbound_allow: Vec<String>,
    /// Platform word (`meta`, `google_oauth`) to the address that stands in for the vendor's.
    pub base_urls: BTreeMap<String, String>,
    /// Multiplies delivery, breaker and check-later delays, in millionths. Not `Retry-After`, leases, schedules.
    pub retry_scale_ppm: u64,
    pub cors_origins: Vec<String>,
    pub log_level: String,
    pub log_format: LogFormat,
}

impl Config {
    /// Where a server that listens there is found, as long as nobody says otherwise.
    pub fn usual_url(listen: SocketAddr) -> String {
        // Nobody can go to 0.0.0.0; loopback is at least true on this machine.
        if listen.ip().is_unspecified() { format!("http://127.0.0.1:{}", listen.port()) } else { format!("http://{listen}") }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}
