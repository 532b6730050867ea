//! What platform files share: the proof that a body was checked, and small readers of JSON.

use serde_json::Value;

use super::{Heard, Reject};
use crate::crypto::{self, Secret};
use crate::domain::campaign::landing;
use crate::domain::consent::Answer;
use crate::domain::money::{Currency, Money};
use crate::domain::platform::Secrets;
use crate::domain::time::Time;
use crate::domain::yes_no;
use crate::json;
use crate::wire::{Headers, Incoming, Response};

/// Person, campaign and visit out of what somebody answered.
pub mod answers;
/// Our webhooks, while they are put in place.
pub mod hooks;
/// Lists, page by page.
pub mod lists;
/// Amounts in the smallest unit of a currency, as card payments count.
pub mod minor_units;
/// Bookings as a platform shows them now.
pub mod outcomes;

/// How far a sender's clock may differ, in seconds.
pub const TOLERANCE_S: u64 = 300;
/// Signatures in one header that are looked at.
const MOST_SIGNATURES: usize = 8;

/// A body whose sender has proved itself. Made only here, so an unchecked body cannot be parsed by accident.
#[derive(Debug)]
pub struct Verified<'a> {
    body: &'a [u8],
    content_type: &'a str,
    /// By more than the secret address that it came to.
    is_signed: bool,
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
        fits.then_some(Self { body, content_type, is_signed: true })
    }

    /// By a header in the style of Stripe, `t=seconds,v1=hex`, over `t.body`; more than one `v1` while a secret is being rotated.
    /// Only age is judged, as the platforms' own libraries do: a clock of ours that runs behind loses nothing.
    pub fn by_timed_hmac(secrets: &[Secret], header: &str, got: &Incoming<'a>, now: Time) -> Result<Self, Reject> {
        let (timestamp, claims) = timed_signatures(header).ok_or(Reject::BadSignature)?;
        let seconds: i64 = timestamp.parse().map_err(|_| Reject::BadSignature)?;
        let content_type = got.headers.get("content-type").unwrap_or_default();
        let parts: [&[u8]; 3] = [timestamp.as_bytes(), b".", got.body];
        let mut verified = None;
        for claim in claims {
            let one = Self::by_hex_hmac(secrets, &parts, claim, got.body, content_type);
            verified = verified.or(one);
        }
        let verified = verified.ok_or(Reject::BadSignature)?;
        if now.s().saturating_sub(seconds) > TOLERANCE_S as i64 { Err(Reject::StaleSignature) } else { Ok(verified) }
    }

    /// By an HMAC-SHA1 in hex over the body.
    pub fn by_hex_hmac_sha1(secrets: &[Secret], claimed: &str, body: &'a [u8], content_type: &'a str) -> Option<Self> {
        let claimed = crypto::unhex(claimed.trim())?;
        let mut fits = false;
        for secret in secrets.iter().filter(|s| !s.reveal().is_empty()) {
            fits |= crypto::same(&crypto::hmac_sha1(secret.reveal().as_bytes(), body), &claimed);
        }
        fits.then_some(Self { body, content_type, is_signed: true })
    }

    /// By the secret address alone, where a platform signs nothing: what it says of people is only said.
    pub fn by_address_alone(body: &'a [u8], content_type: &'a str) -> Self {
        Self { body, content_type, is_signed: false }
    }

    /// For platforms that sign only where a secret was set: `check` holds the body against the live ones. Without any, the
    /// secret address is all there is; with one, nothing unsigned is taken.
    pub fn signed_where_agreed(
        got: &Incoming<'a>,
        secrets: &Secrets,
        check: impl FnOnce(&[Secret], &'a str) -> Result<Self, Reject>,
    ) -> Result<Self, Reject> {
        let live: Vec<Secret> = secrets.all("secret").iter().filter(|s| !s.reveal().is_empty()).cloned().collect();
        let content_type = got.headers.get("content-type").unwrap_or_default();
        if live.is_empty() { Ok(Self::by_address_alone(got.body, content_type)) } else { check(&live, content_type) }
    }

    /// By an HMAC-SHA256 in base64 over these parts, under any of the live secrets.
    pub fn by_base64_hmac(secrets: &[Secret], parts: &[&[u8]], claimed: &str, body: &'a [u8], content_type: &'a str) -> Option<Self> {
        let claimed = crypto::unbase64(claimed.trim())?;
        let mut fits = false;
        for secret in secrets {
            fits |= crypto::same(&crypto::hmac_sha256(secret.reveal().as_bytes(), parts), &claimed);
        }
        fits.then_some(Self { body, content_type, is_signed: true })
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
            true => Ok(Self { body: got.body, content_type: got.headers.get("content-type").unwrap_or_default(), is_signed: true }),
        }
    }

    /// By a shared secret in a header or in the hook's address.
    pub fn by_shared_secret(secrets: &[Secret], claimed: &str, body: &'a [u8], content_type: &'a str) -> Option<Self> {
        let mut fits = false;
        for secret in secrets {
            // Digests are compared, so that the length of the secret does not show either.
            fits |= crypto::same(&crypto::sha256(secret.reveal().as_bytes()), &crypto::sha256(claimed.as_bytes()));
        }
        fits.then_some(Self { body, content_type, is_signed: true })
    }

    /// By an API token that the edge has already looked up, or out of our own inbox, which does not tell whether it came
    /// signed.
    pub fn by_our_own_word(body: &'a [u8], content_type: &'a str) -> Self {
        Self { body, content_type, is_signed: false }
    }

    pub fn is_signed(&self) -> bool {
        self.is_signed
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

/// A yes or a no; nothing for any other word.
pub fn flag(value: &Value, key: &str) -> Option<bool> {
    yes_no::read(&text(value, key)?)
}

/// What a fact says of consent, in any word for it. A word that nobody can read is no answer.
pub fn consent(value: &Value, key: &str) -> Option<bool> {
    Answer::parse(&text(value, key)?)?.given()
}

/// A body that must be a JSON object.
pub fn object(body: &[u8]) -> Result<Value, Reject> {
    match json::parse(body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(Reject::BadBody("The body is no JSON object.".into())),
        Err(fault) => Err(Reject::BadBody(fault.sentence)),
    }
}

pub fn missing(field: &str) -> Reject {
    Reject::BadField { field: field.into(), code: "missing", sentence: format!("{field} is missing.") }
}

/// The first of these times: seconds or milliseconds since 1970, also with a fraction, or ISO 8601.
pub fn time(value: &Value, keys: &[&str]) -> Option<Time> {
    keys.iter().find_map(|key| {
        let text = text(value, key)?;
        let is_number = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        Time::parse(if is_number { text.split('.').next().unwrap_or_default() } else { &text })
    })
}

/// An exact amount out of a decimal of any spelling (`49.5`, `"49.50"`), never below nothing.
pub fn decimal(value: &Value, key: &str, currency: Currency) -> Option<Money> {
    Money::parse(&text(value, key)?, currency).ok().filter(|money| money.minor >= 0)
}

/// Signed seconds of a header in the style of Stripe (`t=…,v1=…`): the time and every `v1`.
pub fn timed_signatures(header: &str) -> Option<(&str, Vec<&str>)> {
    let pairs: Vec<(&str, &str)> = header.split(',').filter_map(|pair| pair.split_once('=')).collect();
    let is_hex = |text: &str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let timestamp = pairs.iter().find(|(name, _)| *name == "t")?.1;
    let is_digits = !timestamp.is_empty() && timestamp.len() <= 12 && timestamp.bytes().all(|b| b.is_ascii_digit());
    let claims = pairs.iter().filter(|(name, value)| *name == "v1" && is_hex(value)).map(|(_, value)| *value).take(MOST_SIGNATURES);
    is_digits.then(|| (timestamp, claims.collect()))
}

/// Understood, and nothing that we keep: answered with success.
pub fn ignored() -> Heard {
    Heard::Reply(Response { status: 200, headers: Headers::default(), body: b"ignored".to_vec() })
}

/// The click ids that the address of a page carries.
pub fn clicks_of(url: &str) -> Vec<String> {
    let path = url.split_once("://").map_or(url, |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
    landing(path, &[]).clicks.iter().map(|(_, value)| value.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timed_signatures_are_read_as_they_are_written() {
        let hex = "a".repeat(64);
        let rows: &[(String, Option<usize>)] = &[
            (format!("t=1763800000,v1={hex}"), Some(1)),
            (format!("t=1763800000,v1={hex},v1={hex},v0={hex}"), Some(2)),
            (format!("v1={hex},t=1763800000"), Some(1)),
            (format!("t=1763800000, v1={hex}"), Some(0)),
            (format!("t=1763800000,v1={}", hex.to_uppercase()), Some(0)),
            (format!("t=,v1={hex}"), None),
            (format!("v1={hex}"), None),
            (String::new(), None),
        ];
        for (header, want) in rows {
            assert_eq!(timed_signatures(header).map(|(_, claims)| claims.len()), *want, "{header}");
        }
    }
}
