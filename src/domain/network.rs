//! Ranges of addresses, as owners write them.

use std::net::IpAddr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    pub base: IpAddr,
    pub bits: u8,
}

impl Network {
    /// `10.0.0.0/8`, `::1`, `192.168.1.4`.
    pub fn parse(text: &str) -> Option<Self> {
        let (base, bits) = match text.trim().split_once('/') {
            Some((base, bits)) => (base.parse::<IpAddr>().ok()?, bits.parse().ok()?),
            None => {
                let base: IpAddr = text.trim().parse().ok()?;
                (base, if base.is_ipv4() { 32 } else { 128 })
            }
        };
        (bits <= if base.is_ipv4() { 32 } else { 128 }).then_some(Self { base, bits })
    }

    pub fn holds(&self, address: IpAddr) -> bool {
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

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let is_one = self.bits == if self.base.is_ipv4() { 32 } else { 128 };
        if is_one { self.base.fmt(f) } else { write!(f, "{}/{}", self.base, self.bits) }
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("an address or range like 10.0.0.0/8"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_written_as_they_are_read_and_hold_what_they_say() {
        for (text, inside, outside) in [
            ("203.0.113.7", "203.0.113.7", "203.0.113.8"),
            ("203.0.113.0/24", "::ffff:203.0.113.200", "203.0.114.1"),
            ("2001:db8::/32", "2001:db8:1::5", "2001:db9::5"),
        ] {
            let network = Network::parse(text).expect("a range");
            assert_eq!(network.to_string(), text);
            assert!(network.holds(inside.parse().expect("an address")), "{text}");
            assert!(!network.holds(outside.parse().expect("an address")), "{text}");
        }
        for bad in ["", "203.0.113", "10.0.0.0/33", "::/129", "office"] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
    }
}
