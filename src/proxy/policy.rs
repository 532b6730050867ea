//! The word by which a page's policy lets scripts run (Content Security Policy 3, 2.3.1: nonces), from the answer's headers
//! or from a `<meta>` of the page.

use hyper::header::{self, HeaderMap};

/// Of the headers of an answer.
pub fn of_headers(headers: &HeaderMap) -> Option<&str> {
    let policies = headers.get_all(header::CONTENT_SECURITY_POLICY).iter().filter_map(|v| v.to_str().ok());
    policies.flat_map(|policy| policy.split(',')).find_map(nonce)
}

/// Of one whole `<meta …>`.
pub fn of_meta(tag: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(tag).ok()?;
    let (mut is_policy, mut content) = (false, None);
    for (name, value) in attributes(text.get("<meta".len()..)?) {
        if name.eq_ignore_ascii_case("http-equiv") {
            is_policy = value.trim().eq_ignore_ascii_case("content-security-policy");
        } else if name.eq_ignore_ascii_case("content") {
            content = Some(value);
        }
    }
    let policy = content.filter(|_| is_policy)?;
    let plain = ["&#39;", "&#x27;", "&apos;"].iter().fold(policy.to_owned(), |text, quote| text.replace(quote, "'"));
    nonce(&plain).map(str::to_owned)
}

/// Of one policy: `script-src` before `default-src`, in whatever order they stand.
fn nonce(policy: &str) -> Option<&str> {
    let of = |wanted: &str| {
        policy.split(';').find_map(|directive| {
            let mut words = directive.split_ascii_whitespace();
            let nonces = words.next().filter(|name| name.eq_ignore_ascii_case(wanted)).map(|_| words)?;
            let mut nonces = nonces.filter_map(|word| word.strip_prefix("'nonce-")?.strip_suffix('\''));
            nonces.find(|nonce| nonce.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/-_=".contains(&b)))
        })
    };
    of("script-src-elem").or_else(|| of("script-src")).or_else(|| of("default-src"))
}

/// Names and values inside a tag.
fn attributes(mut rest: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        let end = rest.find(|c: char| c.is_ascii_whitespace() || matches!(c, '=' | '/' | '>')).unwrap_or(rest.len());
        if end == 0 {
            return found;
        }
        let (name, after) = rest.split_at(end);
        let Some(value) = after.trim_start().strip_prefix('=') else {
            found.push((name, ""));
            rest = after;
            continue;
        };
        let value = value.trim_start();
        let (value, after) = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
            _ => value.split_at(value.find(|c: char| c.is_ascii_whitespace() || c == '>').unwrap_or(value.len())),
        };
        found.push((name, value));
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    #[test]
    fn the_word_of_a_header_is_found() {
        let check = |policies: &[&'static str], want: Option<&str>| {
            let mut headers = HeaderMap::new();
            for policy in policies {
                headers.append(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
            }
            assert_eq!(of_headers(&headers), want, "{policies:?}");
        };
        check(&["default-src 'self'; script-src 'self' 'nonce-r4nd+/=' 'strict-dynamic'"], Some("r4nd+/="));
        check(&["default-src 'nonce-abc'"], Some("abc"));
        check(&["default-src 'nonce-abc'; script-src 'nonce-def'"], Some("def"));
        check(&["style-src 'nonce-abc'"], None);
        check(&["style-src 'nonce-abc'", "img-src *, script-src 'nonce-def'"], Some("def"));
        check(&["script-src 'nonce-\"><script>'"], None);
        check(&["script-src 'self'"], None);
        check(&[], None);
    }

    #[test]
    fn the_word_of_a_page_is_found() {
        let check = |tag: &str, want: Option<&str>| assert_eq!(of_meta(tag.as_bytes()).as_deref(), want, "{tag}");
        check("<meta http-equiv=\"Content-Security-Policy\" content=\"script-src 'nonce-abc'\">", Some("abc"));
        check("<META content=\"default-src &#39;nonce-abc&#39;\" HTTP-EQUIV = content-security-policy />", Some("abc"));
        check("<meta http-equiv='content-security-policy' content='default-src &apos;nonce-a-b_c=&apos;' data-x>", Some("a-b_c="));
        check("<meta name=\"Content-Security-Policy\" content=\"script-src 'nonce-abc'\">", None);
        check("<meta http-equiv=Content-Security-Policy-Report-Only content=\"script-src 'nonce-abc'\">", None);
        check("<meta http-equiv=refresh content=5>", None);
        check("<meta charset=utf-8>", None);
        check("<meta content=\"never closed>", None);
    }
}
