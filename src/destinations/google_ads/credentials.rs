//! What buys a token: the key of a service account, or a user's refresh token. Tokens live an hour and are kept by
//! `outbound`. <https://developers.google.com/identity/protocols/oauth2/service-account>

use super::pause;
use crate::crypto::Secret;
use crate::domain::platform::{Secrets, Settings};
use crate::domain::steps::{Fresh, Token, Verdict, by_status};
use crate::domain::time::{SECOND_MS, Time};
use crate::error::{Error, Result};
use crate::wire::{Body, Part, Request, Response, Sign};

/// Name under which requests ask for the token.
pub const TOKEN: &str = "google_token";
const SCOPE: &str = "https://www.googleapis.com/auth/datamanager";

/// The key of a service account, or a user's own consent.
pub const WAYS: &[&[&str]] = &[&["service_account"], &["client_id", "client_secret", "refresh_token"]];

/// One whole way in must be there, once the rest is.
pub fn check(settings: &Settings, secrets: &Secrets) -> Result<()> {
    let is_begun = settings.get("customer_id").is_some() && settings.get("conversion_action").is_some();
    let is_there = |key: &&str| settings.get(key).is_some() || has(secrets, key);
    if is_begun && !WAYS.iter().any(|way| way.iter().all(is_there)) {
        let message = "Give either the service account key, or all three of OAuth client id, OAuth client secret and refresh token.";
        return Err(Error::invalid("service_account", message));
    }
    match secrets.first("service_account") {
        Some(file) if !is_key_file(file) => {
            let message = "This is no key file of a service account. Paste the whole JSON file that Google Cloud gave you.";
            Err(Error::invalid("service_account", message))
        }
        _ => Ok(()),
    }
}

fn has(secrets: &Secrets, key: &str) -> bool {
    secrets.first(key).is_some()
}

fn is_key_file(file: &Secret) -> bool {
    let read: Option<serde_json::Value> = serde_json::from_str(file.reveal()).ok();
    let filled = |key: &str| read.as_ref().is_some_and(|f| f[key].as_str().is_some_and(|t| !t.is_empty()));
    filled("client_email") && filled("private_key")
}

pub fn token(settings: &Settings, secrets: &Secrets, now: Time) -> Token {
    let mut request = Request::new("POST", "https://oauth2.googleapis.com", "/token").host("google_oauth");
    if has(secrets, "service_account") {
        request.body = Body::Form(vec![("grant_type".into(), Part::plain("urn:ietf:params:oauth:grant-type:jwt-bearer"))]);
        request = request.signed(Sign::Assertion { key: "service_account".into(), scope: SCOPE.into(), issued_s: now.s() });
    } else {
        request.body = Body::Form(vec![
            ("grant_type".into(), Part::plain("refresh_token")),
            ("client_id".into(), Part::plain(settings.get("client_id").unwrap_or_default())),
            ("client_secret".into(), Part::secret("client_secret")),
            ("refresh_token".into(), Part::secret("refresh_token")),
        ]);
    }
    Token { name: TOKEN, request, read }
}

fn read(response: &Response) -> std::result::Result<Fresh, Verdict> {
    let body = response.json().unwrap_or_default();
    if let (200, Some(value), Some(seconds)) = (response.status, body["access_token"].as_str(), body["expires_in"].as_i64()) {
        return Ok(Fresh { value: Secret::new(value), lives_ms: seconds.clamp(1, 86_400) * SECOND_MS });
    }
    Err(match body["error"].as_str().unwrap_or_default() {
        "invalid_grant" => pause(
            "Google refuses the credentials (invalid_grant): the refresh token has ended or was withdrawn, the service account's key was \
             deleted, or this server's clock is wrong. Enter new ones.",
        ),
        "invalid_client" | "unauthorized_client" | "deleted_client" | "disabled_client" => {
            pause("Google refuses the OAuth client. Enter its id and secret again.")
        }
        "invalid_scope" | "access_denied" => {
            pause("The credentials may not be used for the Data Manager API. Switch it on in Google Cloud.")
        }
        _ if matches!(response.status, 400 | 401 | 403) => pause(format!("Google gives no token (status {}).", response.status)),
        _ if response.is_success() => Verdict::Retry { after_ms: None, sentence: "Google answered without a token.".into() },
        _ => by_status("Google's token service", response),
    })
}
