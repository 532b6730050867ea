//! The visitor's id: 28 characters that name the session (four bytes of issue time, seventeen random ones) and twelve
//! that seal it for its site. A sealed id of another site, or one we did not issue, is nothing here.

use crate::crypto;
use crate::domain::time::Time;

/// Length of the part that is stored.
pub const KEY_CHARS: usize = 28;
const SEAL_BYTES: usize = 9;

/// A session's key together with its seal, as the cookie carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionKey {
    key: String,
    issued_s: u32,
}

impl SessionKey {
    /// The part that is stored and looked up.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// When it was issued: of several cookies of one name the oldest counts.
    pub fn issued_s(&self) -> u32 {
        self.issued_s
    }

    /// The cookie's value.
    pub fn sealed(&self, site_key: &[u8; 32]) -> String {
        sealed(&self.key, site_key)
    }
}

/// Seals a stored key again, for an answer.
pub fn sealed(key: &str, site_key: &[u8; 32]) -> String {
    let seal = crypto::hmac_sha256(site_key, &[b"session.", key.as_bytes()]);
    format!("{key}{}", crypto::base64url(&seal[..SEAL_BYTES]))
}

/// A fresh one. The issue time leads, so that new sessions lie beside each other in the file.
pub fn issue(now: Time) -> SessionKey {
    let issued_s = u32::try_from(now.s()).unwrap_or(u32::MAX);
    let mut raw = [0u8; 21];
    raw[..4].copy_from_slice(&issued_s.to_be_bytes());
    raw[4..].copy_from_slice(&crypto::random::<17>());
    SessionKey { key: crypto::base64url(&raw), issued_s }
}

/// The one that a site's own name for a visitor always gives (application mode): from the name alone, under the
/// site's key, so that a server may use its own ids and a repeat finds the same session.
pub fn mapped(name: &str, site_key: &[u8; 32]) -> SessionKey {
    let digest = crypto::hmac_sha256(site_key, &[b"mapped.", name.as_bytes()]);
    let mut raw = [0u8; 21];
    raw.copy_from_slice(&digest[..21]);
    let issued_s = u32::from_be_bytes([raw[0], raw[1], raw[2], raw[3]]);
    SessionKey { key: crypto::base64url(&raw), issued_s }
}

/// The id that every device of the owner's own people carries: one for the whole site, so that it tells nobody apart. It
/// is older than any other, and so goes before whatever a browser carries beside it.
pub fn own_device(site_key: &[u8; 32]) -> SessionKey {
    let digest = crypto::hmac_sha256(site_key, &[b"own device"]);
    let mut raw = [0u8; 21];
    raw[4..].copy_from_slice(&digest[..17]);
    SessionKey { key: crypto::base64url(&raw), issued_s: 0 }
}

/// Whether an id is that of the owner's own devices.
pub fn is_own_device(key: &SessionKey, site_key: &[u8; 32]) -> bool {
    key.issued_s == 0 && *key == own_device(site_key)
}

/// What the link carries that marks a device. Knowing it lets somebody leave themselves out, and nothing else.
pub fn own_device_word(site_key: &[u8; 32]) -> String {
    crypto::hex(&crypto::hmac_sha256(site_key, &[b"own device link"])[..8])
}

/// Checks the seal in constant time.
pub fn open(text: &str, site_key: &[u8; 32]) -> Option<SessionKey> {
    if text.len() != KEY_CHARS + SEAL_BYTES / 3 * 4 || !text.is_ascii() {
        return None;
    }
    let (key, seal) = text.split_at(KEY_CHARS);
    let want = crypto::hmac_sha256(site_key, &[b"session.", key.as_bytes()]);
    if !crypto::same(seal.as_bytes(), crypto::base64url(&want[..SEAL_BYTES]).as_bytes()) {
        return None;
    }
    let raw = crypto::unbase64url(key)?;
    let issued_s = u32::from_be_bytes(raw.get(..4)?.try_into().ok()?);
    Some(SessionKey { key: key.to_owned(), issued_s })
}

/// Of several claimed ids the oldest that is ours.
pub fn oldest<'a>(claims: impl Iterator<Item = &'a str>, site_key: &[u8; 32]) -> Option<SessionKey> {
    // All of them: whoever puts others in front must not make a visitor unknown. What has the wrong length costs nothing,
    // and the header's limit leaves room for some seven hundred hashes.
    claims.filter_map(|text| open(text, site_key)).min_by_key(SessionKey::issued_s)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_opens_only_whole_and_only_for_its_site() {
        let (key, other) = ([1; 32], [2; 32]);
        let id = issue(Time::from_s(1_800_000_000));
        let text = id.sealed(&key);
        assert_eq!(text.len(), 40);
        assert_eq!(open(&text, &key), Some(id));
        assert_eq!(open(&text, &other), None);
        for place in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[place] = if changed[place] == b'b' { b'c' } else { b'b' };
            let changed = String::from_utf8(changed).expect("ASCII");
            assert_eq!(open(&changed, &key), None, "changed at {place}");
        }
        assert_eq!(open(&text[..39], &key), None);
    }

    #[test]
    fn a_device_of_our_own_goes_before_all_other_ids() {
        let (key, other) = ([1; 32], [2; 32]);
        let own = own_device(&key);
        let text = own.sealed(&key);
        assert_eq!((text.len(), open(&text, &key)), (40, Some(own.clone())));
        assert!(is_own_device(&own, &key) && !is_own_device(&own, &other) && !is_own_device(&issue(Time::from_s(5)), &key));
        let visit = issue(Time::from_s(1_800_000_000)).sealed(&key);
        assert_eq!(oldest([visit.as_str(), text.as_str()].into_iter(), &key), Some(own));
        assert_ne!(own_device_word(&key), own_device_word(&other));
    }

    #[test]
    fn of_several_the_oldest_counts() {
        let key = [1; 32];
        let old = issue(Time::from_s(1_800_000_000)).sealed(&key);
        let new = issue(Time::from_s(1_800_000_900)).sealed(&key);
        let found = oldest([new.as_str(), "forged", old.as_str()].into_iter(), &key).map(|k| k.sealed(&key));
        assert_eq!(found, Some(old.clone()));
        // However many others stand before it.
        let forged = format!("{}{}", &new[..KEY_CHARS], "A".repeat(SEAL_BYTES / 3 * 4));
        let claims = std::iter::repeat_n(forged.as_str(), 600).chain([old.as_str()]);
        assert_eq!(oldest(claims, &key).map(|k| k.sealed(&key)), Some(old));
    }
}
