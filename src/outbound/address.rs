//! Which addresses we may call: the public internet over https, and what the operator has allowed by name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::error::{Error, Kind, Result};

/// Told for every address that is not public, whatever is there: the answer must not map an inner network.
pub const NOT_PUBLIC: &str = "This address is not on the public internet.";

/// How far the checks of one request go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Every address that the name stands for must be public, or in an allowed range.
    Public,
    /// Every address must be in an allowed range: plain http or an unusual port.
    Ranged,
    /// The operator named this very host and port.
    Any,
}

/// Why an address is not called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    NotPublic,
    NotHttps,
    UnusualPort,
    HasCredentials,
    NoAddress,
    Closed,
}

impl Denied {
    pub fn sentence(self) -> &'static str {
        match self {
            Denied::NotPublic => NOT_PUBLIC,
            Denied::NotHttps => "Give an address that begins with https://: what travels over plain http can be read on the way.",
            Denied::UnusualPort => "Only port 443 is called. The operator of this server can allow another one with outbound_allow.",
            Denied::HasCredentials => "Leave name and password out of the address.",
            Denied::Closed => "This is a demo: nothing leaves this machine.",
            Denied::NoAddress => "This is not the address of a server, such as https://shop.example.",
        }
    }
}

/// `outbound_allow`: hosts with a port, and ranges.
#[derive(Debug, Clone, Default)]
pub struct Allow {
    hosts: Vec<(String, u16)>,
    ranges: Vec<Range>,
    /// Only the hosts may be called, not the public internet.
    is_closed: bool,
}

impl Allow {
    /// Takes `shop.lan:8443`, `[::1]:9000`, `10.0.0.0/8` and `192.168.1.4`.
    pub fn parse(entries: &[String]) -> Result<Self> {
        let mut allow = Self::default();
        for entry in entries.iter().map(|e| e.trim()).filter(|e| !e.is_empty()) {
            if let Some(range) = Range::parse(entry) {
                allow.ranges.push(range);
            } else if let Some(host) = host_and_port(entry) {
                allow.hosts.push(host);
            } else {
                let message = format!("outbound_allow takes host:port or a range such as 10.0.0.0/8; {entry} is neither.");
                return Err(Error::new(Kind::Invalid, "bad_configuration", message).of("outbound_allow"));
            }
        }
        Ok(allow)
    }

    /// Nothing but these hosts.
    pub fn closed(mut self) -> Self {
        self.is_closed = true;
        self
    }

    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty() && self.ranges.is_empty()
    }

    /// True if a request of this reach may connect there.
    pub fn admits(&self, reach: Reach, address: IpAddr) -> bool {
        match reach {
            Reach::Any => true,
            Reach::Ranged => self.holds(address),
            Reach::Public => is_public(address) || self.holds(address),
        }
    }

    /// What is known of an address before its name is looked up. Literal addresses are judged here, since no look-up
    /// will follow; the url crate has already made plain numbers of octal, hexadecimal and decimal spellings.
    pub fn reach(&self, url: &Url) -> std::result::Result<Reach, Denied> {
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(Denied::NoAddress);
        };
        if !matches!(url.scheme(), "https" | "http") {
            return Err(Denied::NotHttps);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Denied::HasCredentials);
        }
        let name = plain_host(&host);
        if self.hosts.iter().any(|(h, p)| *h == name && *p == port) {
            return Ok(Reach::Any);
        }
        if self.is_closed {
            return Err(Denied::Closed);
        }
        let literal = match host {
            Host::Ipv4(v4) => Some(IpAddr::V4(v4)),
            Host::Ipv6(v6) => Some(IpAddr::V6(v6)),
            Host::Domain(_) => None,
        };
        let is_usual = url.scheme() == "https" && port == 443;
        let is_local = name == "localhost" || name.ends_with(".localhost");
        match literal {
            Some(ip) if self.holds(ip) => Ok(Reach::Any),
            Some(ip) if !is_public(ip) => Err(Denied::NotPublic),
            None if is_local => Err(Denied::NotPublic),
            _ if is_usual => Ok(Reach::Public),
            None if !self.ranges.is_empty() => Ok(Reach::Ranged),
            _ if url.scheme() != "https" => Err(Denied::NotHttps),
            _ => Err(Denied::UnusualPort),
        }
    }

    fn holds(&self, address: IpAddr) -> bool {
        self.ranges.iter().any(|r| r.holds(address))
    }
}

/// Lower case, without the dot that ends a full name.
pub fn plain_host<S: AsRef<str>>(host: &Host<S>) -> String {
    match host {
        Host::Domain(name) => name.as_ref().trim_end_matches('.').to_ascii_lowercase(),
        Host::Ipv4(v4) => v4.to_string(),
        Host::Ipv6(v6) => v6.to_string(),
    }
}

fn host_and_port(entry: &str) -> Option<(String, u16)> {
    let (_, port) = entry.rsplit_once(':')?;
    let port: u16 = port.parse().ok().filter(|p| *p > 0)?;
    let url = Url::parse(&format!("http://{entry}/")).ok()?;
    (url.path() == "/" && url.username().is_empty()).then(|| url.host().map(|h| (plain_host(&h), port)))?
}

#[derive(Debug, Clone, Copy)]
struct Range {
    base: IpAddr,
    bits: u8,
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let (base, bits) = match text.split_once('/') {
            Some((base, bits)) => (base.parse::<IpAddr>().ok()?, bits.parse().ok()?),
            None => {
                let base = text.parse::<IpAddr>().ok()?;
                (base, if base.is_ipv4() { 32 } else { 128 })
            }
        };
        (bits <= if base.is_ipv4() { 32 } else { 128 }).then_some(Self { base, bits })
    }

    fn holds(&self, address: IpAddr) -> bool {
        match (self.base, address) {
            (IpAddr::V4(base), IpAddr::V4(a)) => begins(u32::from(base).into(), u32::from(a).into(), 32, self.bits),
            (IpAddr::V6(base), IpAddr::V6(a)) => begins(base.into(), a.into(), 128, self.bits),
            _ => false,
        }
    }
}

/// True if the first `bits` of two numbers of `width` bits agree.
fn begins(a: u128, b: u128, width: u32, bits: u8) -> bool {
    let rest = width - u32::from(bits);
    a.checked_shr(rest).unwrap_or(0) == b.checked_shr(rest).unwrap_or(0)
}

/// True for global unicast addresses, by the IANA registries of special-purpose addresses.
/// <https://www.iana.org/assignments/iana-ipv4-special-registry> and `iana-ipv6-special-registry`
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127, _, _)                // this network, private, loopback
            | (100, 64..=127, _)            // carrier-grade NAT
            | (169, 254, _)                 // link-local, metadata of clouds
            | (172, 16..=31, _)             // private
            | (192, 0, 0 | 2)               // protocol assignments, documentation
            | (192, 88, 99)                 // 6to4 relays
            | (192, 168, _)                 // private
            | (198, 18..=19, _)             // benchmarks
            | (198, 51, 100)                // documentation
            | (203, 0, 113)                 // documentation
            | (224..=255, _, _) // multicast, reserved, broadcast
    )
}

/// Only 2000::/3 is handed out as global unicast. That leaves out loopback, unspecified, IPv4-mapped and -compatible
/// addresses, NAT64, unique local, link- and site-local, multicast. Tunnels that carry an IPv4 address are left out too.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let is_special = matches!(
        (a, b),
        (0x2001, 0..=0x01ff)        // protocol assignments: Teredo, ORCHID, benchmarks
            | (0x2001, 0x0db8)      // documentation
            | (0x2002, _)           // 6to4
            | (0x3fff, 0..=0x0fff) // documentation
    );
    matches!(a, 0x2000..=0x3fff) && !is_special
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(allow: &[&str], url: &str) -> std::result::Result<Reach, Denied> {
        let allow: Vec<String> = allow.iter().map(|s| s.to_string()).collect();
        Allow::parse(&allow).expect("a list").reach(&Url::parse(url).expect("a url"))
    }

    #[test]
    fn no_spelling_of_an_inner_address_is_public() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "0x7f.1",
            "0.0.0.0",
            "0",
            "10.0.0.5",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "[::]",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::ffff:8.8.8.8]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[64:ff9b:1::1]",
            "[100::1]",
            "[2001::1]",
            "[2001:2::1]",
            "[2001:10::1]",
            "[2001:20::1]",
            "[2001:db8::1]",
            "[2002:7f00:1::1]",
            "[3fff::1]",
            "[5f00::1]",
            "[fc00::1]",
            "[fd12:3456::1]",
            "[fe80::1]",
            "[fec0::1]",
            "[ff02::1]",
            "localhost",
            "localhost.",
            "LOCALHOST",
            "shop.localhost",
            "①②⑦.0.0.1",
            "127。0。0。1",
            "0x7f.0x0.0x0.0x1",
            "0300.0250.0.1",
            "3232235521",
        ] {
            assert_eq!(reach(&[], &format!("https://{host}/")), Err(Denied::NotPublic), "{host}");
            assert_eq!(reach(&[], &format!("http://{host}:9/")), Err(Denied::NotPublic), "{host}");
        }
    }

    #[test]
    fn public_addresses_are_called_over_https_on_443() {
        let rows = [
            ("https://shop.example/x", Ok(Reach::Public)),
            ("https://shop.example:443/x", Ok(Reach::Public)),
            ("https://8.8.8.8/", Ok(Reach::Public)),
            ("https://[2606:4700::1111]/", Ok(Reach::Public)),
            ("http://shop.example/", Err(Denied::NotHttps)),
            ("http://8.8.8.8/", Err(Denied::NotHttps)),
            ("https://shop.example:8443/", Err(Denied::UnusualPort)),
            ("https://user:pass@shop.example/", Err(Denied::HasCredentials)),
            ("https://127.0.0.1@shop.example/", Err(Denied::HasCredentials)),
            ("ftp://shop.example/", Err(Denied::NotHttps)),
            ("data:text/plain,x", Err(Denied::NoAddress)),
            ("file:///etc/passwd", Err(Denied::NoAddress)),
        ];
        for (url, want) in rows {
            assert_eq!(reach(&[], url), want, "{url}");
        }
    }

    #[test]
    fn the_operator_may_allow_hosts_and_ranges() {
        let allow = ["127.0.0.1:9100", "shop.lan:8080", "[::1]:9000", "10.1.0.0/16", "192.168.1.4"];
        let rows = [
            ("http://127.0.0.1:9100/hook", Ok(Reach::Any)),
            ("http://127.0.0.1:9101/hook", Err(Denied::NotPublic)),
            ("http://2130706433:9100/", Ok(Reach::Any)),
            ("http://SHOP.lan:8080/", Ok(Reach::Any)),
            ("https://shop.lan/", Ok(Reach::Public)),
            ("http://[::1]:9000/", Ok(Reach::Any)),
            ("http://10.1.2.3:8000/", Ok(Reach::Any)),
            ("https://10.2.0.1/", Err(Denied::NotPublic)),
            ("https://192.168.1.4/", Ok(Reach::Any)),
            ("https://192.168.1.5/", Err(Denied::NotPublic)),
            ("http://till.lan/", Ok(Reach::Ranged)),
        ];
        for (url, want) in rows {
            assert_eq!(reach(&allow, url), want, "{url}");
        }
        let entries: Vec<String> = allow.iter().map(|s| s.to_string()).collect();
        let list = Allow::parse(&entries).expect("a list");
        assert!(list.admits(Reach::Ranged, "10.1.9.9".parse().expect("an address")));
        assert!(!list.admits(Reach::Ranged, "8.8.8.8".parse().expect("an address")));
        assert!(list.admits(Reach::Public, "8.8.8.8".parse().expect("an address")));
        for bad in ["shop.lan", "shop.lan:x", "10.0.0.0/33", "https://shop.lan:1", "a/b"] {
            assert!(Allow::parse(&[bad.to_owned()]).is_err(), "{bad}");
        }
    }
}
