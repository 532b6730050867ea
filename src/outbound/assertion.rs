//! The signed word of a Google service account (RFC 7523): who it is, for what, until when; RS256 by the key of its file.
//! <https://developers.google.com/identity/protocols/oauth2/service-account#httprest>

use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};

use crate::crypto::{self, Secret};

/// What Google demands in the claim, wherever the request really goes.
const AUDIENCE: &str = "https://oauth2.googleapis.com/token";
/// The longest that Google takes.
const LIVES_S: i64 = 3_600;

/// The assertion, or a sentence for the owner.
pub fn signed(file: &Secret, scope: &str, issued_s: i64) -> Result<String, String> {
    let wrong = |what: &str| format!("The service account key {what}. Paste the whole JSON file that Google Cloud gave you.");
    let file: Value = serde_json::from_str(file.reveal()).map_err(|_| wrong("is no JSON"))?;
    let text = |key: &str| file[key].as_str().filter(|t| !t.trim().is_empty()).ok_or_else(|| wrong(&format!("has no {key}")));
    let (email, pem) = (text("client_email")?, text("private_key")?);
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| wrong("holds no private key that can be read"))?;
    let key = any_supported_type(&key).map_err(|_| wrong("holds no private key that can be read"))?;
    let signer = key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]).ok_or_else(|| wrong("is not an RSA key"))?;
    let mut head = json!({"alg": "RS256", "typ": "JWT"});
    if let Some(id) = file["private_key_id"].as_str() {
        head["kid"] = json!(id);
    }
    let claims = json!({"iss": email, "scope": scope, "aud": AUDIENCE, "iat": issued_s, "exp": issued_s + LIVES_S});
    let said = format!("{}.{}", crypto::base64url(head.to_string().as_bytes()), crypto::base64url(claims.to_string().as_bytes()));
    let signature = signer.sign(said.as_bytes()).map_err(|_| wrong("cannot sign"))?;
    Ok(format!("{said}.{}", crypto::base64url(&signature)))
}
