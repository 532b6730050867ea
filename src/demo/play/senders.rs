//! Bodies as platforms and servers send them, brought in by the doors that they use in life: signed, checked, read, taken.

use std::sync::Arc;

use serde_json::Value;

use crate::app::App;
use crate::crypto::{self, Secret};
use crate::domain::fact::Fact;
use crate::domain::ids::ConnectionId;
use crate::domain::platform::{Secrets, Settings};
use crate::error::{Error, Result};
use crate::flows::intake::{self, Delivered};
use crate::flows::replay::{home_of, sentence};
use crate::sources::calcom::CalCom;
use crate::sources::chatwoot::Chatwoot;
use crate::sources::woocommerce::WooCommerce;
use crate::sources::{Heard, Source, forms};
use crate::store::sites::Site;
use crate::wire::{Headers, Incoming};

/// A body of the shop's webhook, signed as it signs.
pub async fn shop(app: &App, site: &Arc<Site>, connection: ConnectionId, secret: &str, body: &Value) -> Result<()> {
    let body = body.to_string().into_bytes();
    let signature = crypto::base64(&crypto::hmac_sha256(secret.as_bytes(), &[&body]));
    let headers = Headers(vec![("content-type".into(), "application/json".into()), ("x-wc-webhook-signature".into(), signature)]);
    take(app, site, &WooCommerce, (connection, secret), &headers, body).await
}

/// A body of the chat platform, signed as it signs.
pub async fn hear(app: &App, site: &Arc<Site>, (connection, secret): &(ConnectionId, String), body: Vec<u8>) -> Result<()> {
    let now = app.clock.now();
    let stamp = now.s().to_string();
    let signature = crypto::hex(&crypto::hmac_sha256(secret.as_bytes(), &[stamp.as_bytes(), b".", &body]));
    let headers = Headers(vec![("x-chatwoot-timestamp".into(), stamp), ("x-chatwoot-signature".into(), format!("sha256={signature}"))]);
    take(app, site, &Chatwoot, (*connection, secret), &headers, body).await
}

/// A body of the calendar, signed as it signs.
pub async fn book(app: &App, site: &Arc<Site>, (connection, secret): &(ConnectionId, String), body: Value) -> Result<()> {
    let body = body.to_string().into_bytes();
    let signature = crypto::hex(&crypto::hmac_sha256(secret.as_bytes(), &[&body]));
    let headers = Headers(vec![("content-type".into(), "application/json".into()), ("x-cal-signature-256".into(), signature)]);
    take(app, site, &CalCom, (*connection, secret), &headers, body).await
}

/// A body as its platform sends it: checked and read by the same code as in life.
async fn take(
    app: &App,
    site: &Arc<Site>,
    source: &dyn Source,
    (connection, secret): (ConnectionId, &str),
    headers: &Headers,
    body: Vec<u8>,
) -> Result<()> {
    let now = app.clock.now();
    let got = Incoming { origin: "", method: "POST", path: "/in", query: "", headers, body: &body };
    let mut secrets = Secrets::default();
    secrets.set("secret", Secret::new(secret));
    let hook = source.webhook().ok_or_else(|| Error::internal("a platform of the demo calls no hook"))?;
    let verified = hook.verify(&got, &secrets, now).map_err(|reject| Error::internal(sentence(&reject)))?;
    let heard = hook.parse(&verified, &Settings::default(), &home_of(site, now)).map_err(|reject| Error::internal(sentence(&reject)))?;
    let Heard::Facts(batch) = heard else { return Ok(()) };
    let told = Delivered {
        platform: source.about().slug.into(),
        fetch: batch.fetch,
        ..delivered(connection, "/in", "application/json", body.clone(), batch.facts)
    };
    intake::run(app, site, told).await.map(drop)
}

pub async fn send(app: &App, site: &Arc<Site>, connection: ConnectionId, path: &str, body: Value) -> Result<()> {
    const JSON: &str = "application/json";
    let bytes = body.to_string().into_bytes();
    let home = home_of(site, app.clock.now());
    let fact = if path == "/in" {
        forms::read_lead(&bytes, JSON, &home).map(Fact::Lead)
    } else {
        forms::read_order(&bytes, JSON, &home).map(Fact::Order)
    };
    let fact = fact.map_err(|reject| Error::internal(sentence(&reject)))?;
    intake::run(app, site, delivered(connection, path, JSON, bytes, vec![fact])).await.map(drop)
}

pub fn delivered(connection: ConnectionId, path: &str, content_type: &str, body: Vec<u8>, facts: Vec<Fact>) -> Delivered {
    Delivered {
        connection: Some(connection),
        platform: "forms".into(),
        path: path.to_owned(),
        content_type: content_type.to_owned(),
        body,
        facts,
        fetch: Vec::new(),
        is_asserted: false,
        is_once: true,
        read_at: None,
    }
}
