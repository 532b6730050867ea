//! Which host was asked, whether the dashboard lives there, and who really asks behind trusted proxies.

use std::net::IpAddr;

use url::Url;

use super::route::Hosts;
use crate::config::{Config, Network};
use crate::wire::Headers;

/// The hosts on which everything exists: the one of `public_url`. Where that is the listen address itself, also the
/// other names of this machine.
#[derive(Debug, Clone)]
pub struct OwnHosts {
    name: String,
    is_https: bool,
    origin: String,
    /// No public address was set, so any way to reach this machine by number is fine.
    takes_loopback: bool,
    takes_numbers: bool,
}

impl OwnHosts {
    pub fn new(config: &Config) -> Self {
        let url = Url::parse(&config.public_url).ok();
        let name = url.as_ref().and_then(Url::host_str).unwrap_or_default().trim_matches(['[', ']']).to_ascii_lowercase();
        let is_local = is_loopback_name(&name);
        let is_unspecified = name.parse::<IpAddr>().is_ok_and(|a| a.is_unspecified());
        Self {
            is_https: url.as_ref().is_some_and(|u| u.scheme() == "https"),
            origin: url.map(|u| u.origin().ascii_serialization()).unwrap_or_default(),
            takes_loopback: is_local || is_unspecified,
            takes_numbers: is_unspecified,
            name,
        }
    }

    /// `host` without port, in lower case.
    pub fn is_own(&self, host: &str) -> bool {
        host == self.name || (self.takes_loopback && is_loopback_name(host)) || (self.takes_numbers && host.parse::<IpAddr>().is_ok())
    }

    /// Does a route for these hosts exist for this caller?
    pub fn shows(&self, hosts: Hosts, host: &str, is_from_this_machine: bool) -> bool {
        match hosts {
            Hosts::All => true,
            Hosts::Own => self.is_own(host),
            Hosts::Loopback => self.is_own(host) || (is_from_this_machine && is_loopback_name(host)),
        }
    }

    /// Is the public address an https one?
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// May a page of this origin change something with a cookie? Only our own may: the public address, or the very
    /// host and port that were asked where that host is ours.
    pub fn is_own_origin(&self, origin: &str, host_header: &str, is_https: bool) -> bool {
        if origin == self.origin {
            return true;
        }
        let scheme = if is_https { "https" } else { "http" };
        let asked = format!("{scheme}://{}", host_header.to_ascii_lowercase());
        self.is_own(&without_port(host_header)) && origin == asked
    }
}

fn is_loopback_name(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|a| a.is_loopback())
}

/// `[::1]:8080` and `Shop.example.:443` as `::1` and `shop.example`.
pub fn without_port(header: &str) -> String {
    let header = header.trim();
    let name = match header.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => header.split(':').next().unwrap_or_default(),
    };
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// A name or an address, and digits for a port: nothing that would be more than that where it is written down.
pub fn is_plain(header: &str) -> bool {
    let (is_name, rest) = match header.strip_prefix('[') {
        Some(rest) => {
            let (address, rest) = rest.split_once(']').unwrap_or((rest, "]"));
            (address.parse::<std::net::Ipv6Addr>().is_ok(), rest)
        }
        None => {
            let (name, rest) = header.split_at(header.find(':').unwrap_or(header.len()));
            (name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_')), rest)
        }
    };
    let is_port = |port: &str| port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit());
    is_name && (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))
}

/// The visitor's address: the right-most hop of these lines of `X-Forwarded-For` that is no trusted proxy. An untrusted
/// peer's are not read at all.
pub fn client<'a>(peer: IpAddr, lines: impl DoubleEndedIterator<Item = &'a str>, trusted: &[Network]) -> IpAddr {
    if !is_trusted(peer, trusted) {
        return peer;
    }
    let mut client = peer;
    for hop in lines.rev().flat_map(|line| line.rsplit(',')) {
        let Some(address) = address_of(hop) else { break };
        client = address;
        if !is_trusted(address, trusted) {
            break;
        }
    }
    client
}

pub fn is_trusted(address: IpAddr, trusted: &[Network]) -> bool {
    trusted.iter().any(|network| network.holds(address))
}

/// Headers by which a proxy says that it stands in between.
pub fn is_forwarded(headers: &Headers) -> bool {
    ["x-forwarded-for", "forwarded", "x-real-ip", "x-forwarded-host", "x-forwarded-proto", "via"].iter().any(|n| headers.get(n).is_some())
}

/// Proxies write an address alone, with a port, or in brackets.
fn address_of(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim().trim_matches('"');
    if let Ok(address) = hop.parse::<IpAddr>() {
        return Some(plain(address));
    }
    if let Some(rest) = hop.strip_prefix('[') {
        return rest.split(']').next()?.parse().ok().map(plain);
    }
    hop.split_once(':')?.0.parse().ok()
}

fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn the_visitor_is_the_right_most_hop_that_nobody_trusts() {
        let trusted = [Network::parse("127.0.0.0/8").expect("a range"), Network::parse("10.0.0.0/8").expect("a range")];
        let check = |peer: &str, lines: &[&str], want: &str| {
            assert_eq!(client(ip(peer), lines.iter().copied(), &trusted), ip(want), "{peer} {lines:?}");
        };
        check("127.0.0.1", &[], "127.0.0.1");
        check("127.0.0.1", &["8.8.8.8"], "8.8.8.8");
        check("127.0.0.1", &["1.1.1.1, 8.8.8.8, 10.0.0.7"], "8.8.8.8");
        check("127.0.0.1", &["1.1.1.1", "8.8.8.8"], "8.8.8.8");
        check("127.0.0.1", &["10.0.0.9, 10.0.0.7"], "10.0.0.9");
        check("127.0.0.1", &["8.8.8.8:4711"], "8.8.8.8");
        check("127.0.0.1", &["[2001:db8::1]:443"], "2001:db8::1");
        check("127.0.0.1", &["::ffff:8.8.8.8"], "8.8.8.8");
        check("127.0.0.1", &["8.8.8.8, nonsense"], "127.0.0.1");
        check("9.9.9.9", &["8.8.8.8"], "9.9.9.9");
    }

    #[test]
    fn a_port_and_a_last_dot_are_no_part_of_the_name() {
        for (header, want) in [("Shop.example:443", "shop.example"), ("[::1]:80", "::1"), ("shop.example.", "shop.example"), ("", "")] {
            assert_eq!(without_port(header), want);
        }
    }

    #[test]
    fn a_host_holds_nothing_but_a_name_and_a_port() {
        for plain in ["shop.example", "Shop.Example.:443", "a_b-c:8080", "192.0.2.7:80", "[::1]:80", "[2001:db8::1]", "shop.example:", ""] {
            assert!(is_plain(plain), "{plain}");
        }
        let others = [
            "shop.example:80\"><svg onload=alert(1)>",
            "\"><svg onload=alert(1)>.shop.example",
            "shop.example:x",
            "shop.example:80'",
            "shop.example:80%22",
            "shop.example:80:80",
            "shop.example:123456",
            "shop.example/a",
            "ann@shop.example",
            "shop example",
            "[::1",
            "[::1]x",
            "[<svg>]:80",
            "sh\u{f6}p.example",
        ];
        for other in others {
            assert!(!is_plain(other), "{other}");
        }
    }
}
