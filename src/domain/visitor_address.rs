//! A visitor's network address in a body that is kept as it came: nothing reads it there, and at rest it would tell where
//! somebody was. The body stays to the letter, without its value.

use std::borrow::Cow;
use std::net::IpAddr;

use serde_json::Value;
use url::form_urlencoded;

/// Names under which senders tell it, without `_` and `-`.
const NAMES: [&str; 10] =
    ["ip", "ipaddress", "clientip", "clientipaddress", "customeripaddress", "browserip", "remoteip", "remoteaddr", "userip", "visitorip"];
/// Objects inside objects that are looked into.
const DEEPEST: usize = 64;

pub fn without_addresses(body: &[u8]) -> Cow<'_, [u8]> {
    let Ok(text) = std::str::from_utf8(body) else { return Cow::Borrowed(body) };
    match serde_json::from_slice::<Value>(body) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => {
            let mut found = Vec::new();
            list(&value, &mut found, 0);
            if found.is_empty() {
                return Cow::Borrowed(body);
            }
            let kept = found.iter().fold(text.to_owned(), |text, address| text.replace(&format!("\"{address}\""), "\"\""));
            let has_any = serde_json::from_str(&kept).is_ok_and(|value| {
                let mut left = Vec::new();
                list(&value, &mut left, 0);
                !left.is_empty()
            });
            // Written in a way that only a reader of JSON sees through.
            Cow::Owned(if has_any { blanked(value, 0).to_string().into_bytes() } else { kept.into_bytes() })
        }
        _ => of_form(body, text),
    }
}

fn is_named(name: &str) -> bool {
    let name: String = name.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect();
    NAMES.contains(&name.as_str())
}

fn is_address(text: &str) -> bool {
    text.trim().parse::<IpAddr>().is_ok()
}

fn list(value: &Value, found: &mut Vec<String>, depth: usize) {
    match value {
        Value::Object(map) if depth < DEEPEST => {
            for (name, value) in map {
                match value {
                    Value::String(text) if is_named(name) && is_address(text) => found.push(text.clone()),
                    other => list(other, found, depth + 1),
                }
            }
        }
        Value::Array(all) if depth < DEEPEST => all.iter().for_each(|value| list(value, found, depth + 1)),
        _ => {}
    }
}

fn blanked(value: Value, depth: usize) -> Value {
    match value {
        Value::Object(map) if depth < DEEPEST => map
            .into_iter()
            .map(|(name, value)| match value {
                Value::String(text) if is_named(&name) && is_address(&text) => (name, Value::String(String::new())),
                other => (name, blanked(other, depth + 1)),
            })
            .collect(),
        Value::Array(all) if depth < DEEPEST => all.into_iter().map(|value| blanked(value, depth + 1)).collect(),
        other => other,
    }
}

fn of_form<'a>(body: &'a [u8], text: &str) -> Cow<'a, [u8]> {
    let is_hit = |name: &str, value: &str| is_named(name) && is_address(value);
    if text.contains(char::is_whitespace) || !form_urlencoded::parse(body).any(|(name, value)| is_hit(&name, &value)) {
        return Cow::Borrowed(body);
    }
    let keep = |pair: &str| match form_urlencoded::parse(pair.as_bytes()).next() {
        Some((name, value)) if is_hit(&name, &value) => pair.split_once('=').map_or(String::new(), |(name, _)| format!("{name}=")),
        _ => pair.to_owned(),
    };
    Cow::Owned(text.split('&').map(keep).collect::<Vec<_>>().join("&").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_address_goes() {
        for (body, want) in [
            (r#"{"lead_id":"1",  "ip_address":"8.77.66.55"}"#, r#"{"lead_id":"1",  "ip_address":""}"#),
            (r#"[{"clientIp":"2001:db8::1","n":1.50},{"ip":"8.8.8.8"}]"#, r#"[{"clientIp":"","n":1.50},{"ip":""}]"#),
            (
                r#"{"client_details":{"browser_ip":"8.77.66.55","user_agent":"x"}}"#,
                r#"{"client_details":{"browser_ip":"","user_agent":"x"}}"#,
            ),
            (r#"{"ip":"8\u002e77.66.55"}"#, r#"{"ip":""}"#),
            (r#"{"ip":"none","version":"1.2.3.4","message":"8.77.66.55"}"#, r#"{"ip":"none","version":"1.2.3.4","message":"8.77.66.55"}"#),
            ("name=Ann+Lee&ip_address=2001%3Adb8%3A%3A1&x=1", "name=Ann+Lee&ip_address=&x=1"),
            ("name=Ann&version=1.2.3.4", "name=Ann&version=1.2.3.4"),
            ("hello 8.77.66.55", "hello 8.77.66.55"),
            ("", ""),
        ] {
            assert_eq!(String::from_utf8_lossy(&without_addresses(body.as_bytes())), want);
        }
    }

    proptest! {
        #[test]
        fn none_is_left_and_the_rest_stays(a in any::<[u8; 4]>(), text in "\\PC{0,30}", bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let address = IpAddr::from(a).to_string();
            let body = serde_json::json!({"ip_address": address, "deep": [{"remote_ip": address, "text": text.clone()}]}).to_string();
            let want = serde_json::json!({"ip_address": "", "deep": [{"remote_ip": "", "text": text.clone()}]});
            if text != address {
                let got: Value = serde_json::from_slice(&without_addresses(body.as_bytes())).expect("JSON");
                prop_assert_eq!(got, want);
            }
            without_addresses(&bytes);
        }
    }
}
