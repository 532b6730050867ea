//! Hashes, signatures, sealing, and every random number.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(bytes.len() * 2);
    for b in bytes {
        out.push(DIGITS[(b >> 4) as usize] as char);
        out.push(DIGITS[(b & 15) as usize] as char);
    }
    out
}

/// Bytes of a hex text of either case; nothing if it is none.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let raw = text.as_bytes();
    if !raw.len().is_multiple_of(2) {
        return None;
    }
    raw.chunks(2)
        .map(|pair| {
            let high = (pair[0] as char).to_digit(16)?;
            let low = (pair[1] as char).to_digit(16)?;
            Some((high * 16 + low) as u8)
        })
        .collect()
}

pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub fn unbase64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Base64 with the URL alphabet and no padding.
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub fn unbase64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&sha256(bytes))
}

/// SHA-256 of what comes piece by piece: files larger than memory.
#[derive(Default)]
pub struct RunningSha256(Sha256);

impl RunningSha256 {
    pub fn take(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub fn hex(self) -> String {
        hex(&self.0.finalize())
    }
}

/// The plain hashes under which others pass addresses on: SHA-256, SHA-1, MD5. Nothing here is protected by them.
pub fn plain_hashes(bytes: &[u8]) -> [Vec<u8>; 3] {
    [Sha256::digest(bytes).to_vec(), sha1::Sha1::digest(bytes).to_vec(), md5::Md5::digest(bytes).to_vec()]
}

/// A short key for tables in memory: quick, and known to nobody before or after this run of the process. It proves nothing.
pub fn key_of_this_run(bytes: &[u8]) -> u64 {
    static KEYED: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    KEYED.hash_one(bytes)
}

/// HMAC-SHA256 over the parts as if they were one text.
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as hmac::digest::KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// HMAC-SHA1, which TOTP (RFC 6238) is defined with.
pub fn hmac_sha1(key: &[u8], message: &[u8]) -> [u8; 20] {
    let mut mac = <Hmac<sha1::Sha1> as hmac::digest::KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// The signing key of a Standard Webhooks secret: `whsec_` (optional) and 24 to 64 bytes in base64.
pub fn webhook_key(secret: &str) -> Option<Vec<u8>> {
    let text = secret.trim();
    let text = text.strip_prefix("whsec_").unwrap_or(text).trim_end_matches('=');
    let key = base64::engine::general_purpose::STANDARD_NO_PAD.decode(text).ok()?;
    (24..=64).contains(&key.len()).then_some(key)
}

/// Compares without telling by its time how far the two agree.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && bool::from(a.ct_eq(b))
}

pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0u8; N];
    getrandom::fill(&mut bytes).expect("the system gives random bytes, or nothing here is safe to go on");
    bytes
}

/// `bytes` random bytes as URL-safe text.
pub fn random_text(bytes: usize) -> String {
    let mut raw = vec![0u8; bytes];
    getrandom::fill(&mut raw).expect("the system gives random bytes, or nothing here is safe to go on");
    base64url(&raw)
}

/// A number from 0 up to, not including, 1. For jitter only.
pub fn random_fraction() -> f64 {
    u32::from_le_bytes(random::<4>()) as f64 / (u32::MAX as f64 + 1.0)
}

/// A secret in memory: never printed, never compared with `==`.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The value itself, for the one place that must send or verify with it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub fn hint(&self) -> String {
        let count = self.0.chars().count();
        if count < 12 { "••••".into() } else { self.0.chars().skip(count - 4).collect() }
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Seals what is stored with the master key: XChaCha20-Poly1305, a random nonce, and the row it belongs to as
/// associated data, so that a sealed value cannot be moved to another row. Clones share their keys: during a rotation
/// all of them seal with the new one and open with both.
#[derive(Clone)]
pub struct Sealer {
    keys: Arc<RwLock<Keys>>,
}

#[derive(Clone, Copy)]
struct Keys {
    present: [u8; 32],
    /// The one before, until everything is sealed anew.
    former: Option<[u8; 32]>,
}

impl Sealer {
    pub fn new(key: [u8; 32]) -> Self {
        Self::between(key, None)
    }

    /// In the middle of a rotation.
    pub fn between(present: [u8; 32], former: Option<[u8; 32]>) -> Self {
        Self { keys: Arc::new(RwLock::new(Keys { present, former })) }
    }

    /// From here on everything is sealed with this key, and what the present one sealed still opens.
    pub fn turn_to(&self, key: [u8; 32]) {
        let mut keys = self.keys.write().unwrap_or_else(|e| e.into_inner());
        if keys.present != key {
            *keys = Keys { present: key, former: Some(keys.present) };
        }
    }

    /// The former key opens nothing any more.
    pub fn forget_former(&self) {
        self.keys.write().unwrap_or_else(|e| e.into_inner()).former = None;
    }

    pub fn is_turning(&self) -> bool {
        self.keys().former.is_some()
    }

    /// The present key itself, for the file it is kept in.
    pub fn present(&self) -> [u8; 32] {
        self.keys().present
    }

    pub fn seal(&self, plain: &[u8], row: &str) -> Vec<u8> {
        let nonce = random::<24>();
        let cipher = XChaCha20Poly1305::new(&self.keys().present.into());
        let sealed = cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: row.as_bytes() })
            .expect("sealing fails only for texts of many gigabytes");
        let mut out = Vec::with_capacity(25 + sealed.len());
        out.push(1); // version of the format
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        out
    }

    /// The plain bytes, or nothing where the key, the row or the bytes do not fit.
    pub fn open(&self, sealed: &[u8], row: &str) -> Option<Vec<u8>> {
        let keys = self.keys();
        opened(&keys.present, sealed, row).or_else(|| opened(&keys.former?, sealed, row))
    }

    /// The same plain bytes under the present key; nothing where they are already, or where no key fits.
    pub fn sealed_anew(&self, sealed: &[u8], row: &str) -> Option<Vec<u8>> {
        let keys = self.keys();
        if opened(&keys.present, sealed, row).is_some() {
            return None;
        }
        let plain = opened(&keys.former?, sealed, row)?;
        Some(self.seal(&plain, row))
    }

    fn keys(&self) -> Keys {
        *self.keys.read().unwrap_or_else(|e| e.into_inner())
    }
}

fn opened(key: &[u8; 32], sealed: &[u8], row: &str) -> Option<Vec<u8>> {
    if sealed.len() < 25 || sealed[0] != 1 {
        return None;
    }
    let nonce: [u8; 24] = sealed[1..25].try_into().ok()?;
    let cipher = XChaCha20Poly1305::new(key.into());
    cipher.decrypt(&XNonce::from(nonce), Payload { msg: &sealed[25..], aad: row.as_bytes() }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_equals_the_known_answer() {
        // RFC 4231, case 2.
        let got = hmac_sha256(b"Jefe", &[b"what do ya want ", b"for nothing?"]);
        assert_eq!(hex(&got), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn a_sealed_value_opens_only_in_its_own_row() {
        let sealer = Sealer::new([7; 32]);
        let sealed = sealer.seal(b"token", "connections/1");
        assert_eq!(sealer.open(&sealed, "connections/1").as_deref(), Some(&b"token"[..]));
        assert_eq!(sealer.open(&sealed, "connections/2"), None);
        assert_eq!(Sealer::new([8; 32]).open(&sealed, "connections/1"), None);
    }

    #[test]
    fn while_a_key_turns_both_open_and_the_new_one_seals() {
        let sealer = Sealer::new([7; 32]);
        let old = sealer.seal(b"token", "row");
        let shared = sealer.clone();
        sealer.turn_to([8; 32]);
        assert_eq!(shared.open(&old, "row").as_deref(), Some(&b"token"[..]));
        let new = shared.sealed_anew(&old, "row").expect("it was sealed with the former key");
        assert_eq!(shared.sealed_anew(&new, "row"), None);
        assert_eq!(shared.sealed_anew(&old, "another row"), None);
        sealer.forget_former();
        assert_eq!((shared.open(&old, "row"), shared.open(&new, "row").as_deref()), (None, Some(&b"token"[..])));
        assert!(Sealer::new([8; 32]).open(&new, "row").is_some());
    }

    #[test]
    fn a_secret_is_not_printed() {
        let secret = Secret::new("EAAabcdefghijkl");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(secret.hint(), "ijkl");
    }
}
