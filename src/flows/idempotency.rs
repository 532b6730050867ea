//! Answers to requests that carried an Idempotency-Key, kept for 48 hours.

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
pub enum Earlier {
    None,
    Same(Value),
    OtherBody,
}

pub async fn earlier(app: &App, site: &Arc<Site>, key: &str, body: &[u8]) -> Result<Earlier> {
    let (digest, body) = digests(site, key, body);
    let since = app.clock.now().plus_ms(-KEPT_MS);
    app.store
        .read(site.id, move |c| {
            Ok(match keys::find(c, &digest, since)? {
                None => Earlier::None,
                Some((seen, answer)) if seen == body => Earlier::Same(answer),
                Some(_) => Earlier::OtherBody,
            })
        })
        .await
}

pub async fn keep(app: &App, site: &Arc<Site>, key: &str, body: &[u8], answer: &Value) -> Result<()> {
    let (digest, body) = digests(site, key, body);
    let (answer, now) = (answer.clone(), app.clock.now());
    app.store.write(site.id, move |c| keys::save(c, &digest, &body, &answer, now)).await
}

fn digests(site: &Site, key: &str, body: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let key = crypto::hmac_sha256(&site.keys.digest, &[b"key.", key.as_bytes()]);
    let body = crypto::hmac_sha256(&site.keys.digest, &[b"body.", body]);
    (key[..16].to_vec(), body[..16].to_vec())
}
