//! What platform files share: the proof that a body was checked, and small readers of JSON.

use serde_json::Value;

use super::Reject;
use crate::crypto::{self, Secret};
use crate::domain::time::Time;
use crate::wire::Incoming;

/// How far a sender's clock may differ, in seconds.
pub const TOLERANCE_S: u64 = 300;

/// A body whose sender has proved itself. Made only here, so an unchecked body cannot be parsed by accident.
#[derive(Debug)]
pub struct Verified<'a> {
    body: &'a [u8],
    content_type: &'a str,
}

impl<'a> Verified<'a> {
    /// By an HMAC-SHA256 in hex over these parts, under any of the live secrets.
    pub fn by_hex_hmac(secrets: &[Secret], parts: &[&[u8]], claimed: &str, body: &'a [u8], content_type: &'a str) -> Option<Self> {
        let claimed = crypto::unhex(claimed.trim())?;
        let mut fits = false;
        // Every secret is tried, so that the time does not tell which one is live.
        for secret in secrets {
            fits |= crypto::same(&crypto::hmac_sha256(secret.reveal().as_bytes(), parts), &claimed);
        }
        fits.then_some(Self { body, content_type })
    }

    /// By an HMAC-SHA256 in base64 over these parts, under any of the live secrets.
    pub fn by_base64_hmac(secrets: &[Secret], parts: &[&[u8]], claimed: &str, body: &'a [u8], content_type: &'a str) -> Option<Self> {
        let claimed = crypto::unbase64(claimed.trim())?;
        let mut fits = false;
        for secret in secrets {
            fits |= crypto::same(&crypto::hmac_sha256(secret.reveal().as_bytes(), parts), &claimed);
        }
        fits.then_some(Self { body, content_type })
    }

    /// By the rules of Standard Webhooks, under its own header names or those of Svix. A secret that is no `whsec_…` is
    /// the key as it stands. <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>
    pub fn by_standard_webhooks(secrets: &[Secret], got: &Incoming<'a>, now: Time) -> Result<Self, Reject> {
        let front = if got.headers.get("webhook-signature").is_some() { "webhook" } else { "svix" };
        let header = |name: &str| got.headers.only(&format!("{front}-{name}")).ok_or(Reject::BadSignature);
        let (id, timestamp, signatures) = (header("id")?, header("timestamp")?, header("signature")?);
        let seconds: i64 = timestamp.parse().map_err(|_| Reject::BadSignature)?;
        let claimed: Vec<Vec<u8>> =
            signatures.split(' ').take(16).filter_map(|s| s.strip_prefix("v1,")).filter_map(crypto::unbase64).collect();
        let mut fits = false;
        for secret in secrets {
            let plain = secret.reveal().as_bytes().to_vec();
            for key in crypto::webhook_key(secret.reveal()).into_iter().chain([plain]) {
                let want = crypto::hmac_sha256(&key, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", got.body]);
                for claim in &claimed {
                    fits |= crypto::same(&want, claim);
                }
            }
        }
        match fits {
            false => Err(Reject::BadSignature),
            true if now.s().abs_diff(seconds) > TOLERANCE_S => Err(Reject::StaleSignature),
            true => Ok(Self { body: got.body, content_type: got.headers.get("content-type").unwrap_or_default() }),
        }
    }

    /// By a shared secret in a header or in the hook's address.
    pub fn by_shared_secret(secrets: &[Secret], claimed: &str, body: &'a [u8], content_type: &'a str) -> Option<Self> {
        let mut fits = false;
        for secret in secrets {
            // Digests are compared, so that the length of the secret does not show either.
            fits |= crypto::same(&crypto::sha256(secret.reveal().as_bytes()), &crypto::sha256(claimed.as_bytes()));
        }
        fits.then_some(Self { body, content_type })
    }

    /// By an API token that the edge has already looked up, or out of our own inbox.
    pub fn by_our_own_word(body: &'a [u8], content_type: &'a str) -> Self {
        Self { body, content_type }
    }

    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    pub fn content_type(&self) -> &'a str {
        self.content_type
    }
}

/// The text at a key; numbers are taken as they are written.
pub fn text(value: &Value, key: &str) -> Option<String> {
    scalar(value.get(key)?)
}

/// The first of several keys that holds a text.
pub fn first_text(value: &Value, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| text(value, key))
}

/// Text of a JSON scalar, trimmed; nothing for empty ones, objects and lists.
pub fn scalar(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(s) => s.trim().to_owned(),
        Value::Number(n) => n.to_string(),
        Value::Bool(b) => b.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// `true`, `1`, `yes`, `on`, `granted` and their opposites.
pub fn flag(value: &Value, key: &str) -> Option<bool> {
    match text(value, key)?.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" | "y" | "granted" => Some(true),
        "false" | "0" | "no" | "off" | "n" | "denied" => Some(false),
        _ => None,
    }
}
