//! What must be known before the database opens: file, then environment, then flags. The rest an owner changes in the
//! dashboard.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// A range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    pub base: std::net::IpAddr,
    pub bits: u8,
}

impl Network {
    /// `10.0.0.0/8`, `::1`, `192.168.1.4`.
    pub fn parse(text: &str) -> Option<Self> {
        let (base, bits) = match text.trim().split_once('/') {
            Some((base, bits)) => (base.parse::<std::net::IpAddr>().ok()?, bits.parse().ok()?),
            None => {
                let base: std::net::IpAddr = text.trim().parse().ok()?;
                (base, if base.is_ipv4() { 32 } else { 128 })
            }
        };
        (bits <= if base.is_ipv4() { 32 } else { 128 }).then_some(Self { base, bits })
    }

    pub fn holds(&self, address: std::net::IpAddr) -> bool {
        use std::net::IpAddr;
        let address = match address {
            IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
            v4 => v4,
        };
        match (self.base, address) {
            (IpAddr::V4(base), IpAddr::V4(a)) => {
                let mask = (!0u32).checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                u32::from(base) & mask == u32::from(a) & mask
            }
            (IpAddr::V6(base), IpAddr::V6(a)) => {
                let mask = (!0u128).checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
                u128::from(base) & mask == u128::from(a) & mask
            }
            _ => false,
        }
    }
}
