//! Host names as an owner types them: lower case, IDN to ASCII, and what a site may call its own by the public suffix
//! list (publicsuffix.org).

use url::Host;

/// The name as it is compared and stored; nothing for addresses, schemes, paths, ports and names without a dot.
pub fn parse(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches('.');
    if text.is_empty() || text.contains(['/', ':', '@', '?', '#', ' ', '\\']) {
        return None;
    }
    match Host::parse(text).ok()? {
        Host::Domain(name) if is_name(&name) => Some(name),
        _ => None,
    }
}

/// The part that one owner registers: `shop.name.co.uk` is of `name.co.uk`. Nothing for a bare suffix such as `co.uk`.
pub fn registrable(host: &str) -> Option<&str> {
    psl::domain_str(host)
}

/// Is `host` the domain itself or below it?
pub fn is_under(host: &str, domain: &str) -> bool {
    host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

/// `https://shop.example` or `http://localhost:3000`, exactly as a browser writes an Origin.
pub fn origin(text: &str) -> Option<String> {
    let text = text.trim();
    let url = url::Url::parse(text).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https");
    let origin = url.origin().ascii_serialization();
    (is_web && url.has_host() && text.trim_end_matches('/').eq_ignore_ascii_case(&origin)).then_some(origin)
}

fn is_name(name: &str) -> bool {
    let labels: Vec<&str> = name.split('.').collect();
    let is_label = |l: &&str| (1..=63).contains(&l.len()) && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    name.len() <= 253 && labels.len() >= 2 && labels.iter().all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_browsers_write_them() {
        let rows: &[(&str, Option<&str>)] = &[
            ("Shop.Example", Some("shop.example")),
            ("  shop.example. ", Some("shop.example")),
            ("bücher.example", Some("xn--bcher-kva.example")),
            ("shop-1.name.co.uk", Some("shop-1.name.co.uk")),
            ("https://shop.example", None),
            ("shop.example/path", None),
            ("shop.example:8080", None),
            ("localhost", None),
            ("192.0.2.1", None),
            ("[::1]", None),
            ("me@shop.example", None),
            ("shop..example", None),
            ("", None),
        ];
        for (text, want) in rows {
            assert_eq!(parse(text).as_deref(), *want, "{text}");
        }
    }

    #[test]
    fn the_public_suffix_list_says_what_is_owned() {
        let rows: &[(&str, Option<&str>)] = &[
            ("shop.name.co.uk", Some("name.co.uk")),
            ("t.shop.example", Some("shop.example")),
            ("name.com", Some("name.com")),
            ("co.uk", None),
            ("com", None),
            ("my.github.io", Some("my.github.io")),
        ];
        for (host, want) in rows {
            assert_eq!(registrable(host), *want, "{host}");
        }
        assert!(is_under("t.shop.example", "shop.example") && is_under("shop.example", "shop.example"));
        assert!(!is_under("myshop.example", "shop.example"));
    }

    #[test]
    fn an_origin_is_exact() {
        let rows: &[(&str, Option<&str>)] = &[
            ("https://app.shop.example", Some("https://app.shop.example")),
            ("https://app.shop.example/", Some("https://app.shop.example")),
            ("http://localhost:3000", Some("http://localhost:3000")),
            ("https://app.shop.example:443", None),
            ("https://app.shop.example/path", None),
            ("*", None),
            ("null", None),
            ("ftp://shop.example", None),
        ];
        for (text, want) in rows {
            assert_eq!(origin(text).as_deref(), *want, "{text}");
        }
    }
}
