//! Names, the public address, and what the proxy in front hands on. Asks only our own public address.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use url::Url;

use super::Finding;
use super::server::{Said, has_heard};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::platform::Secrets;
use crate::domain::time::{DAY_MS, Time};
use crate::outbound::{Outbound, Resolver, System, certificate};
use crate::wire::{Part, Request, Response};

/// Asked for by every delivery; nothing is sent there.
const VENDOR: &str = "graph.facebook.com";
const PATIENCE: Duration = Duration::from_secs(5);

pub async fn look(config: &Config, server: &Said) -> Vec<Finding> {
    let public_url = server.public_url(config);
    let Ok(url) = Url::parse(&public_url) else {
        return vec![Finding::failed("public_url", "public_url is no address.", "Write it like https://stats.example.com.")];
    };
    let mut found = vec![names(&url).await];
    found.extend(front(config, &public_url, &url, server).await);
    found
}

async fn names(url: &Url) -> Finding {
    const CHECK: &str = "dns";
    if let Some(url::Host::Domain(own)) = url.host()
        && own != "localhost"
        && let Err(e) = resolve(own).await
    {
        return Finding::failed(CHECK, format!("{own}, the name in public_url, cannot be looked up: {e}."), "Set its A or AAAA record.");
    }
    match resolve(VENDOR).await {
        Ok(_) => Finding::ok(CHECK, "Names are looked up."),
        Err(e) => Finding::warning(
            CHECK,
            format!("{VENDOR} cannot be looked up: {e}."),
            "Deliveries to ad platforms will wait. Look at /etc/resolv.conf and the firewall.",
        ),
    }
}

/// The addresses of a name, or why there are none.
pub(super) async fn resolve(name: &str) -> Result<Vec<IpAddr>, String> {
    match tokio::time::timeout(PATIENCE, System.resolve(name)).await {
        Ok(Ok(found)) if !found.is_empty() => Ok(found),
        Ok(Ok(_)) => Err("there is no address".into()),
        Ok(Err(e)) => Err(e.to_string()),
        Err(_) => Err("no answer within 5 seconds".into()),
    }
}

/// The way that visitors take: our own name, the proxy, this server.
async fn front(config: &Config, public_url: &str, url: &Url, server: &Said) -> Vec<Finding> {
    const PROXY: &str = "proxy";
    let listen = server.listen();
    let is_here = url.host().is_some_and(|h| is_loopback(&h));
    let port = listen.map_or(config.listen.port(), |l| l.port());
    let is_direct = url.scheme() == "http" && url.port_or_known_default() == Some(port);
    let finding = match (is_here, is_direct, listen) {
        (true, true, _) => Some(Finding::not_checked(PROXY, "public_url is this machine itself: there is no proxy in front.")),
        (true, false, None) if url.scheme() == "http" => {
            Some(Finding::not_checked(PROXY, "public_url is this machine, and the server does not run."))
        }
        (false, true, _) => Some(Finding::warning(
            PROXY,
            "public_url is plain http: passwords and visits can be read on the way.",
            "Put Caddy or nginx in front and set public_url to https://….",
        )),
        _ => None,
    };
    if let Some(finding) = finding {
        return vec![finding, Finding::not_checked("certificate", "There is no https yet.")];
    }
    let mut found = Vec::new();
    // Whoever answers may be another program: ours alone can say that it heard this word there.
    let word = format!("{}-{}", std::process::id(), Clock::system().now().ms());
    let answer = get(url, "/healthz", Some(&word)).await;
    let who = match &answer {
        Ok(answer) if answer.status == 200 => Some(who(config, server, &word)),
        _ => None,
    };
    match (answer, who) {
        (Err(sentence), _) => {
            let remedy = "Start the server and the proxy, and let public_url's name lead to this machine.";
            found.push(Finding::failed("public_url", format!("{public_url} does not answer: {sentence}"), remedy));
        }
        (Ok(answer), Some(Who::Ours)) => {
            found.push(Finding::ok("public_url", format!("{public_url} leads here.")));
            let open = get(url, "/metrics", None).await.is_ok_and(|a| a.status == 200);
            found.push(handed_on(&answer, url.scheme() == "https", open));
        }
        (Ok(_), Some(other)) => {
            found.push(answered_by(public_url, other, listen));
            found.push(Finding::not_checked(PROXY, "What stands in front of this server cannot be told by another's answer."));
        }
        (Ok(answer), None) => {
            let words = format!("{public_url} answers {} where this server would say 200.", answer.status);
            found.push(Finding::failed("public_url", words, "Let the proxy pass every path, and the Host as it came, to this server."));
        }
    }
    found.push(certificate_of(url).await);
    found
}

/// Who has answered at the public address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// The server of this data folder.
    Ours,
    Another,
    /// No server of this data folder runs, so it was another.
    Nobodys,
    Unknown,
}

fn who(config: &Config, server: &Said, word: &str) -> Who {
    match server.listen() {
        _ if server.is_unknown() => Who::Unknown,
        None => Who::Nobodys,
        Some(_) => match has_heard(config, word) {
            Some(true) => Who::Ours,
            Some(false) => Who::Another,
            None => Who::Unknown,
        },
    }
}

fn answered_by(public_url: &str, who: Who, listen: Option<SocketAddr>) -> Finding {
    const CHECK: &str = "public_url";
    match (who, listen) {
        (Who::Unknown | Who::Ours, _) => {
            Finding::not_checked(CHECK, format!("{public_url} answers. Whether that is this server could not be asked."))
        }
        (Who::Another, Some(listen)) => Finding::failed(
            CHECK,
            format!("Another program answers at {public_url}: the server of this data folder listens on {listen}."),
            "Let public_url lead to this server, or name the other one's data folder with --data.",
        ),
        _ => Finding::failed(
            CHECK,
            format!("Another program answers at {public_url}: no server of this data folder runs."),
            "Start this one, or name the other one's data folder with --data.",
        ),
    }
}

/// A certificate that browsers do not take fails the request for the public address; here only its end is looked at.
async fn certificate_of(url: &Url) -> Finding {
    const CHECK: &str = "certificate";
    if url.scheme() != "https" {
        return Finding::not_checked(CHECK, "public_url is plain http.");
    }
    match certificate::good_until(url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(443)).await {
        Ok(end) => judge(end, Clock::system().now()),
        Err(e) => Finding::failed(CHECK, format!("It cannot be seen: {e}."), "Look at the proxy that ends TLS."),
    }
}

fn judge(end: Time, now: Time) -> Finding {
    const CHECK: &str = "certificate";
    let days = end.ms_since(now).div_euclid(DAY_MS);
    let remedy = "Renew it: Caddy does so by itself, certbot by `certbot renew`.";
    match days {
        ..0 => Finding::failed(CHECK, format!("It ended on {}.", end.utc()), remedy),
        0..14 => Finding::warning(CHECK, format!("It is good for {days} more days."), remedy),
        _ => Finding::ok(CHECK, format!("It is good for {days} more days.")),
    }
}

/// An answer shows what the server was told: it says HSTS only where a trusted proxy said https, and shows its figures
/// only to a program that comes without a proxy's headers.
fn handed_on(answer: &Response, is_https: bool, shows_figures: bool) -> Finding {
    const CHECK: &str = "proxy";
    if shows_figures {
        return Finding::failed(
            CHECK,
            "The proxy does not hand on who the visitor is: everyone looks like this machine.",
            "Send X-Forwarded-For and X-Forwarded-Proto; deploy/ has a snippet for Caddy and nginx.",
        );
    }
    if is_https && answer.headers.get("strict-transport-security").is_none() {
        return Finding::failed(
            CHECK,
            "The server does not hear that visitors came by https.",
            "Send X-Forwarded-Proto, and put the proxy's address into trusted_proxies.",
        );
    }
    Finding::ok(CHECK, "The proxy hands on who comes, and by https.")
}

async fn get(url: &Url, path: &str, word: Option<&str>) -> Result<Response, String> {
    let host = url.host_str().unwrap_or_default();
    let allow = [format!("{host}:{}", url.port_or_known_default().unwrap_or(443))];
    let outbound = Outbound::new(&allow, &BTreeMap::new()).map_err(|e| e.message)?;
    let mut request = Request::new("GET", url.origin().ascii_serialization(), path);
    if let Some(word) = word {
        request = request.query("doctor", Part::Plain(word.to_owned()));
    }
    outbound.send(&request, &Secrets::default()).await.map_err(|e| e.sentence)
}

fn is_loopback(host: &url::Host<&str>) -> bool {
    match host {
        url::Host::Ipv4(a) => a.is_loopback(),
        url::Host::Ipv6(a) => a.is_loopback(),
        url::Host::Domain(name) => *name == "localhost",
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;
    use crate::wire::Headers;

    #[test]
    fn a_certificate_is_renewed_in_time() {
        let now = Time::from_s(1_000_000);
        let state = |days: i64| judge(now.plus_ms(days * DAY_MS), now).state;
        assert_eq!([state(-1), state(5), state(60)], [State::Failed, State::Warning, State::Ok]);
    }

    #[test]
    fn a_proxy_is_judged_by_what_the_server_heard() {
        let answer = |hsts: bool| Response {
            status: 200,
            headers: Headers(if hsts { vec![("strict-transport-security".into(), "max-age=1".into())] } else { Vec::new() }),
            body: Vec::new(),
        };
        let rows = [
            (true, true, false, State::Ok),
            (false, true, false, State::Failed),
            (true, true, true, State::Failed),
            (false, false, false, State::Ok),
        ];
        for (hsts, is_https, shows, want) in rows {
            assert_eq!(handed_on(&answer(hsts), is_https, shows).state, want, "{hsts} {is_https} {shows}");
        }
    }
}
