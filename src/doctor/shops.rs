//! The shops behind the proxy: whether each answers, and whether its address leads where the owner means. Each is asked for
//! the head of its first page, as nobody's visit.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde_json::Value;
use url::{Host, Url};

use super::Finding;
use crate::config::Config;
use crate::control::{self, Command};
use crate::domain::host::is_under;
use crate::proxy::{self, Fault, Heard};
use crate::store;

const PATIENCE: Duration = Duration::from_secs(5);

/// A site that has `proxy.upstream`.
pub struct Shop {
    slug: String,
    domains: Vec<String>,
    upstream: String,
}

pub fn known(config: &Config) -> Vec<Shop> {
    if !config.data.join(store::FILE).exists() {
        return Vec::new();
    }
    // What stands in the way of an answer is told by the findings on the server.
    let answer = control::run(config, &Command::SiteList).unwrap_or_default();
    answer.as_array().into_iter().flatten().filter_map(shop).collect()
}

fn shop(site: &Value) -> Option<Shop> {
    let domains = site["domains"].as_array()?.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    Some(Shop { slug: site["site"].as_str()?.to_owned(), domains, upstream: site["proxy"]["upstream"].as_str()?.to_owned() })
}

/// `listen` is where this server listens.
pub async fn look(shops: &[Shop], listen: SocketAddr) -> Vec<Finding> {
    if shops.is_empty() {
        return vec![Finding::not_checked("upstream", "No site has a proxy.upstream.")];
    }
    let mut found = Vec::new();
    for shop in shops {
        found.push(seen(shop, listen).await);
    }
    found
}

async fn seen(shop: &Shop, listen: SocketAddr) -> Finding {
    let check = format!("upstream {}", shop.slug);
    let set = format!("halotrack site set {} proxy.upstream=http://127.0.0.1:3000, with the address at which the shop listens", shop.slug);
    let Ok(url) = Url::parse(&shop.upstream) else {
        return Finding::failed(&check, format!("{} is no address.", shop.upstream), &set);
    };
    let addresses = match addresses_of(&url).await {
        Ok(addresses) => addresses,
        Err(why) => return Finding::failed(&check, format!("{} cannot be looked up: {why}.", shop.upstream), &set),
    };
    let port = url.port_or_known_default().unwrap_or_default();
    if port == listen.port() && addresses.iter().any(|a| is_ours(*a, listen.ip())) {
        return Finding::failed(&check, format!("{} is this server itself: pages would lead in a circle.", shop.upstream), &set);
    }
    let domain = shop.domains.first().map(String::as_str).unwrap_or_default();
    let heard = proxy::look(&shop.upstream, domain, PATIENCE).await;
    let way =
        Way { is_sealed: url.scheme() == "https", is_public: addresses.iter().any(|a| is_public(*a)), is_own_name: own_name(&url, shop) };
    judge(&check, shop, &heard, way, &set)
}

/// What the address itself says.
#[derive(Clone, Copy)]
struct Way {
    is_sealed: bool,
    is_public: bool,
    is_own_name: bool,
}

fn judge(check: &str, shop: &Shop, heard: &Result<Heard, Fault>, way: Way, set: &str) -> Finding {
    let at = &shop.upstream;
    let answer = match heard {
        Ok(answer) => answer,
        Err(Fault::Silent) => {
            return Finding::failed(
                check,
                format!("{at} does not answer within {} seconds.", PATIENCE.as_secs()),
                "Look at the shop's server and at the firewall between it and this machine.",
            );
        }
        Err(Fault::Refused) if way.is_sealed => {
            return Finding::failed(
                check,
                format!("{at} takes no connection that this machine trusts."),
                "Start the shop's server, and give it a certificate for the name in proxy.upstream.",
            );
        }
        Err(Fault::Refused) => {
            return Finding::failed(
                check,
                format!("Nobody listens at {at}."),
                "Start the shop's server, or set the address at which it listens.",
            );
        }
        Err(_) => {
            return Finding::failed(check, format!("What listens at {at} is no web server, or hangs up."), set);
        }
    };
    let status = answer.status;
    if status == 508 {
        return Finding::failed(check, format!("{at} leads back to this server: pages would lead in a circle."), set);
    }
    if status >= 500 {
        let words = format!("{at} answers {status}: that is what visitors see.");
        return Finding::warning(check, words, "Look into the log of the shop's server.");
    }
    if let Some(to) = answer.location.as_deref().filter(|to| leads_to_itself(to, shop)) {
        return Finding::warning(
            check,
            format!("{at} sends visitors from its first page on to {to}, which leads here again."),
            "Let the shop believe X-Forwarded-Proto and X-Forwarded-Host, or send no visitor on by itself.",
        );
    }
    if way.is_own_name {
        return Finding::warning(
            check,
            format!("{at} answers {status}, but it is the shop's own public name: where that leads here, pages lead in a circle."),
            set,
        );
    }
    if way.is_public && !way.is_sealed {
        return Finding::warning(
            check,
            format!("{at} answers {status}, but it is a public address on plain http: pages and passwords can be read on the way."),
            "Use the shop's private address, or one that begins with https://.",
        );
    }
    if way.is_public {
        return Finding::ok(
            check,
            format!("{at} answers {status}. It can be reached past this server too: visits that go there are not counted."),
        );
    }
    Finding::ok(check, format!("{at} answers {status}."))
}

/// The very page that was asked for, by its public address.
fn leads_to_itself(location: &str, shop: &Shop) -> bool {
    let to = Url::parse(location).ok();
    to.is_some_and(|to| {
        to.path() == "/" && to.query().is_none() && to.host_str().is_some_and(|host| shop.domains.first().is_some_and(|d| d == host))
    })
}

fn own_name(url: &Url, shop: &Shop) -> bool {
    matches!(url.host(), Some(Host::Domain(name)) if shop.domains.iter().any(|domain| is_under(name, domain)))
}

async fn addresses_of(url: &Url) -> Result<Vec<IpAddr>, String> {
    match url.host() {
        Some(Host::Ipv4(a)) => Ok(vec![a.into()]),
        Some(Host::Ipv6(a)) => Ok(vec![a.into()]),
        Some(Host::Domain(name)) => super::network::resolve(name).await,
        None => Err("there is no host in it".into()),
    }
}

/// Does this server listen there, for all that an address can tell?
fn is_ours(address: IpAddr, listen: IpAddr) -> bool {
    address == listen || (address.is_loopback() && (listen.is_unspecified() || listen.is_loopback())) || address.is_unspecified()
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(a) => !(a.is_private() || a.is_loopback() || a.is_link_local() || a.is_unspecified() || is_shared(a)),
        IpAddr::V6(a) => match a.to_ipv4_mapped() {
            Some(v4) => is_public(v4.into()),
            None => !(a.is_loopback() || a.is_unspecified() || a.is_unique_local() || a.is_unicast_link_local()),
        },
    }
}

/// Between carriers and their subscribers, and what private networks over the internet use (RFC 6598).
fn is_shared(address: std::net::Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    a == 100 && (64..128).contains(&b)
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn what_was_heard_is_judged() {
        let shop = Shop { slug: "shop".into(), domains: vec!["shop.example".into()], upstream: "http://10.0.0.7:3000".into() };
        let plain = Way { is_sealed: false, is_public: false, is_own_name: false };
        let answer = |status: u16, location: Option<&str>| Ok(Heard { status, location: location.map(str::to_owned) });
        let check = |heard: Result<Heard, Fault>, way: Way, want: State, word: &str| {
            let found = judge("upstream shop", &shop, &heard, way, "set it");
            assert!(found.state == want && found.message.contains(word), "{want:?} {word}: {found:?}");
            assert_eq!(found.remedy.is_some(), matches!(want, State::Failed | State::Warning), "{found:?}");
        };
        check(answer(200, None), plain, State::Ok, "answers 200");
        check(answer(404, None), plain, State::Ok, "answers 404");
        check(answer(302, Some("/en/")), plain, State::Ok, "answers 302");
        check(answer(301, Some("https://www.shop.example/")), plain, State::Ok, "answers 301");
        check(answer(301, Some("https://shop.example/")), plain, State::Warning, "leads here again");
        check(answer(503, None), plain, State::Warning, "answers 503");
        check(answer(508, None), plain, State::Failed, "circle");
        check(Err(Fault::Refused), plain, State::Failed, "Nobody listens");
        check(Err(Fault::Refused), Way { is_sealed: true, ..plain }, State::Failed, "trusts");
        check(Err(Fault::Silent), plain, State::Failed, "within 5 seconds");
        check(Err(Fault::Broken), plain, State::Failed, "no web server");
        check(answer(200, None), Way { is_public: true, ..plain }, State::Warning, "plain http");
        check(answer(200, None), Way { is_public: true, is_sealed: true, ..plain }, State::Ok, "past this server");
        check(answer(200, None), Way { is_own_name: true, ..plain }, State::Warning, "own public name");
    }

    #[test]
    fn addresses_are_told_apart() {
        for (address, listen, want) in [
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "0.0.0.0", true),
            ("::1", "127.0.0.1", true),
            ("10.0.0.7", "127.0.0.1", false),
            ("10.0.0.7", "10.0.0.7", true),
            ("127.0.0.1", "10.0.0.7", false),
        ] {
            assert_eq!(is_ours(ip(address), ip(listen)), want, "{address} {listen}");
        }
        for (address, want) in [
            ("8.8.8.8", true),
            ("10.1.2.3", false),
            ("100.64.0.1", false),
            ("169.254.1.1", false),
            ("2001:4860::1", true),
            ("fd00::1", false),
            ("::ffff:10.0.0.1", false),
        ] {
            assert_eq!(is_public(ip(address)), want, "{address}");
        }
    }
}
