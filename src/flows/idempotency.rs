//! Answers to requests that carried an Idempotency-Key, kept for 48 hours. The key is claimed before anything is stored,
//! and the ids of what is stored follow from it: a repeat after a lost answer finds what is there.

use std::sync::Arc;

use serde_json::Value;

use crate::app::App;
use crate::crypto;
use crate::domain::time::HOUR_MS;
use crate::error::Result;
use crate::store::idempotency_keys as keys;
use crate::store::sites::Site;

const KEPT_MS: i64 = 48 * HOUR_MS;

/// What is known of a key.
pub enum Claim {
    /// New, or begun and never answered: what follows may be run (again).
    Ours,
    Answered(Value),
    /// It came with another body before.
    OtherBody,
}

pub async fn claim(app: &App, site: &Arc<Site>, key: &str, body: &[u8]) -> Result<Claim> {
    let (digest, body) = digests(site, key, body);
    let now = app.clock.now();
    app.store
        .write(site.id, move |c| {
            Ok(match keys::find(c, &digest, now.plus_ms(-KEPT_MS))? {
                None => {
                    keys::save(c, &digest, &body, None, now)?;
                    Claim::Ours
                }
                Some((seen, _)) if seen != body => Claim::OtherBody,
                Some((_, Some(answer))) => Claim::Answered(answer),
                Some((_, None)) => Claim::Ours,
            })
        })
        .await
}

/// The answer that a repeat gets.
pub async fn keep(app: &App, site: &Arc<Site>, key: &str, body: &[u8], answer: &Value) -> Result<()> {
    let (digest, body) = digests(site, key, body);
    let (answer, now) = (answer.clone(), app.clock.now());
    app.store.write(site.id, move |c| keys::save(c, &digest, &body, Some(&answer), now)).await
}

/// The id of the n-th conversion told under a key, where it has none of its own.
pub fn id_of(site: &Site, key: &str, n: usize) -> String {
    let digest = crypto::hmac_sha256(&site.keys.digest, &[b"idempotency.", key.as_bytes(), b".", n.to_string().as_bytes()]);
    crypto::hex(&digest[..8])
}

fn digests(site: &Site, key: &str, body: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let key = crypto::hmac_sha256(&site.keys.digest, &[b"key.", key.as_bytes()]);
    let body = crypto::hmac_sha256(&site.keys.digest, &[b"body.", body]);
    (key[..16].to_vec(), body[..16].to_vec())
}
