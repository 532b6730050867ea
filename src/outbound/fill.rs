//! The one place where a named secret becomes its value: address, headers, body and signature of a request.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use url::Url;

use super::{Failure, SendError, assertion};
use crate::crypto::{self, Secret};
use crate::domain::platform::Secrets;
use crate::wire::{Body, Part, Request, Sign};

/// A request with its secrets in, ready to be sent. Never printed.
pub struct Filled {
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// `origin` is the vendor's or what stands in for it.
pub fn fill(request: &Request, origin: &Url, secrets: &Secrets) -> Result<Filled, SendError> {
    let mut url = address(request, origin, secrets)?;
    let (mut body, kind) = body(&request.body, secrets)?;
    let mut headers = HeaderMap::new();
    if let Some(kind) = kind {
        headers.insert(reqwest::header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    headers.insert(reqwest::header::ACCEPT, HeaderValue::from_static("application/json"));
    for (name, part) in &request.headers {
        let value = value(part, secrets)?;
        put(&mut headers, name, &value, !matches!(part, Part::Plain(_)))?;
    }
    match &request.sign {
        Some(Sign::StandardWebhooks { secret, id, timestamp_s }) => {
            let signature = standard_signature(named_all(secrets, secret)?, secret, id, *timestamp_s, &body)?;
            put(&mut headers, "webhook-id", id, false)?;
            put(&mut headers, "webhook-timestamp", &timestamp_s.to_string(), false)?;
            put(&mut headers, "webhook-signature", &signature, true)?;
        }
        Some(Sign::Bearer { token }) => {
            put(&mut headers, "authorization", &format!("Bearer {}", named(secrets, token)?.reveal()), true)?;
        }
        Some(Sign::Basic { user, password }) => {
            let plain = format!("{}:{}", named(secrets, user)?.reveal(), named(secrets, password)?.reveal());
            put(&mut headers, "authorization", &format!("Basic {}", crypto::base64(plain.as_bytes())), true)?;
        }
        Some(Sign::OAuth1 { key, secret, timestamp_s }) => {
            let (key, secret) = (named(secrets, key)?, named(secrets, secret)?);
            one_legged(&mut url, &request.method, key.reveal(), secret, *timestamp_s, &crypto::random_text(16));
        }
        Some(Sign::Assertion { key, scope, issued_s }) => {
            let assertion = assertion::signed(named(secrets, key)?, scope, *issued_s).map_err(setup)?;
            body.extend_from_slice(b"&assertion=");
            body.extend_from_slice(assertion.as_bytes());
        }
        None => {}
    }
    Ok(Filled { url, headers, body })
}

/// True if the request asks for a secret of this name anywhere.
pub fn names(request: &Request, secret: &str) -> bool {
    let is_it = |part: &Part| match part {
        Part::Secret(name) => name == secret,
        Part::Proof { of, key } => of == secret || key == secret,
        Part::Plain(_) | Part::Hidden(_) => false,
    };
    let parts = request.path.iter().chain(request.query.iter().map(|q| &q.1)).chain(request.headers.iter().map(|h| &h.1));
    let in_body = match &request.body {
        Body::JsonWithSecrets(_, pointers) => pointers.iter().any(|(_, name)| name == secret),
        Body::Form(fields) => fields.iter().any(|(_, part)| is_it(part)),
        Body::Empty | Body::Json(_) | Body::Text(_) => false,
    };
    let in_sign = matches!(&request.sign, Some(Sign::Bearer { token }) if token == secret);
    in_body || in_sign || parts.into_iter().any(is_it)
}

/// One `v1,` signature for each live secret, the newest first, so that a receiver may still hold the older one.
fn standard_signature(live: &[Secret], name: &str, id: &str, timestamp_s: i64, body: &[u8]) -> Result<String, SendError> {
    let timestamp = timestamp_s.to_string();
    let mut signatures = Vec::new();
    for secret in live {
        let key = crypto::webhook_key(secret.reveal())
            .ok_or_else(|| setup(format!("The secret {name} cannot sign: it must be whsec_ and 24 to 64 bytes in base64.")))?;
        let digest = crypto::hmac_sha256(&key, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body]);
        signatures.push(format!("v1,{}", crypto::base64(&digest)));
    }
    Ok(signatures.join(" "))
}

/// The query of the address with the parameters of OAuth and their signature (RFC 5849, 3.4). A JSON body is not signed.
fn one_legged(url: &mut Url, method: &str, key: &str, secret: &Secret, timestamp_s: i64, nonce: &str) {
    let own = [
        ("oauth_consumer_key", key.to_owned()),
        ("oauth_nonce", nonce.to_owned()),
        ("oauth_signature_method", "HMAC-SHA256".to_owned()),
        ("oauth_timestamp", timestamp_s.to_string()),
        ("oauth_version", "1.0".to_owned()),
    ];
    url.query_pairs_mut().extend_pairs(own.iter().map(|(name, value)| (*name, value.as_str())));
    let mut pairs: Vec<(String, String)> = url.query_pairs().map(|(n, v)| (percent(&n), percent(&v))).collect();
    pairs.sort();
    let joined: Vec<String> = pairs.iter().map(|(n, v)| format!("{n}={v}")).collect();
    let bare = format!("{}{}", url.origin().ascii_serialization(), url.path());
    let base = format!("{}&{}&{}", method.to_uppercase(), percent(&bare), percent(&joined.join("&")));
    let digest = crypto::hmac_sha256(format!("{}&", percent(secret.reveal())).as_bytes(), &[base.as_bytes()]);
    url.query_pairs_mut().append_pair("oauth_signature", &crypto::base64(&digest));
}

fn address(request: &Request, origin: &Url, secrets: &Secrets) -> Result<Url, SendError> {
    let mut path = String::new();
    for part in &request.path {
        match part {
            // Plain parts are addresses already; a secret must stay one segment.
            Part::Plain(text) | Part::Hidden(text) => path.push_str(text),
            Part::Secret(_) | Part::Proof { .. } => path.push_str(&percent(&value(part, secrets)?)),
        }
    }
    if !path.starts_with('/') {
        path.insert(0, '/');
    }
    let base = origin.origin().ascii_serialization();
    let mut url = Url::parse(&format!("{base}{path}")).map_err(|_| setup("The address of the request is not valid.".into()))?;
    if url.host() != origin.host() || url.port_or_known_default() != origin.port_or_known_default() {
        return Err(setup("The address of the request leads to another host.".into()));
    }
    url.set_fragment(None);
    if !request.query.is_empty() {
        let mut pairs = url.query_pairs_mut();
        for (name, part) in &request.query {
            pairs.append_pair(name, &value(part, secrets)?);
        }
    }
    Ok(url)
}

fn body(body: &Body, secrets: &Secrets) -> Result<(Vec<u8>, Option<&'static str>), SendError> {
    const JSON: &str = "application/json";
    Ok(match body {
        Body::Empty => (Vec::new(), None),
        Body::Json(value) => (json(value), Some(JSON)),
        Body::JsonWithSecrets(value, pointers) => {
            let mut value = value.clone();
            for (pointer, name) in pointers {
                let place = value.pointer_mut(pointer).ok_or_else(|| setup(format!("The request has no place for the secret {name}.")))?;
                *place = Value::String(named(secrets, name)?.reveal().to_owned());
            }
            (json(&value), Some(JSON))
        }
        Body::Form(fields) => {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            for (name, part) in fields {
                form.append_pair(name, &value(part, secrets)?);
            }
            (form.finish().into_bytes(), Some("application/x-www-form-urlencoded"))
        }
        Body::Text(text) => (text.clone().into_bytes(), Some("text/plain; charset=utf-8")),
    })
}

fn json(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

fn value(part: &Part, secrets: &Secrets) -> Result<String, SendError> {
    match part {
        Part::Plain(text) | Part::Hidden(text) => Ok(text.clone()),
        Part::Secret(name) => Ok(named(secrets, name)?.reveal().to_owned()),
        Part::Proof { of, key } => {
            let (of, key) = (named(secrets, of)?, named(secrets, key)?);
            Ok(crypto::hex(&crypto::hmac_sha256(key.reveal().as_bytes(), &[of.reveal().as_bytes()])))
        }
    }
}

fn named<'a>(secrets: &'a Secrets, name: &str) -> Result<&'a Secret, SendError> {
    secrets.first(name).ok_or_else(|| setup(format!("The secret {name} is not set. Enter it in the connection's settings.")))
}

fn named_all<'a>(secrets: &'a Secrets, name: &str) -> Result<&'a [Secret], SendError> {
    named(secrets, name).map(|_| secrets.all(name))
}

fn put(headers: &mut HeaderMap, name: &str, value: &str, is_secret: bool) -> Result<(), SendError> {
    let bad = || setup(format!("The header {name} cannot be sent: it holds characters that no header may."));
    let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
    let mut value = HeaderValue::from_str(value).map_err(|_| bad())?;
    value.set_sensitive(is_secret);
    headers.insert(key, value);
    Ok(())
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'~' | b'.' => (b as char).to_string(),
            _ => format!("%{b:02X}"),
        })
        .collect()
}

fn setup(sentence: String) -> SendError {
    SendError { failure: Failure::Setup, sentence, was_answered: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with openssl: `printf %s TOKEN | openssl dgst -sha256 -hmac APPSECRET`.
    #[test]
    fn a_proof_is_of_one_secret_under_another() {
        let mut secrets = Secrets::default();
        secrets.set("page_token", Secret::new("TOKEN"));
        secrets.set("app_secret", Secret::new("APPSECRET"));
        let proof = Part::Proof { of: "page_token".into(), key: "app_secret".into() };
        let request = Request::new("GET", "https://api.example", "/me").query("proof", proof);
        let origin = Url::parse("https://api.example").expect("an address");
        let filled = fill(&request, &origin, &secrets).map_err(|_| "refused").expect("filled");
        assert_eq!(filled.url.query(), Some("proof=e697d0006554740ddfffab3f4406f3cef626ca5483a5c58b72a31941c9f40655"));
        assert!(names(&request, "page_token") && names(&request, "app_secret") && !names(&request, "other"));
    }
}
