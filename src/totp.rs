//! The second factor: time-based codes of six digits (RFC 6238, SHA-1, steps of 30 seconds) and recovery codes.

use crate::crypto;
use crate::domain::time::Time;

const STEP_S: i64 = 30;
/// One step of clock difference either way.
const SLACK: i64 = 1;

/// The step whose code this is, if it lies near `now` and after `last`: each step counts once.
pub fn step_of(key: &[u8], code: &str, last: i64, now: Time) -> Option<i64> {
    let present = now.s() / STEP_S;
    (present - SLACK..=present + SLACK).find(|step| *step > last && crypto::same(code_at(key, *step).as_bytes(), code.as_bytes()))
}

/// The six digits of a step (RFC 4226, 5.3: dynamic truncation).
pub fn code_at(key: &[u8], step: i64) -> String {
    let mac = crypto::hmac_sha1(key, &(step as u64).to_be_bytes());
    let place = usize::from(mac[19] & 15);
    let number = u32::from_be_bytes([mac[place] & 0x7f, mac[place + 1], mac[place + 2], mac[place + 3]]);
    format!("{:06}", number % 1_000_000)
}

/// A fresh key of 160 bits, as long as the digest it keys (RFC 4226, 4: R6).
pub fn fresh_key() -> [u8; 20] {
    crypto::random()
}

/// The key as authenticators take it when it is typed (RFC 4648, base32, without padding).
pub fn key_text(key: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::new();
    for five in key.chunks(5) {
        let mut block = [0u8; 8];
        block[3..3 + five.len()].copy_from_slice(five);
        let bits = u64::from_be_bytes(block);
        let count = (five.len() * 8).div_ceil(5);
        text.extend((0..count).map(|n| char::from(LETTERS[(bits >> (35 - 5 * n)) as usize & 31])));
    }
    text
}

/// A key of ours as it was shown.
pub fn key_of(text: &str) -> Option<[u8; 20]> {
    let mut key = [0u8; 20];
    let values: Vec<u8> = text
        .bytes()
        .map(|b| match b {
            b'A'..=b'Z' => Some(b - b'A'),
            b'2'..=b'7' => Some(b - b'2' + 26),
            _ => None,
        })
        .collect::<Option<_>>()?;
    if values.len() != 32 {
        return None;
    }
    for (n, eight) in values.chunks(8).enumerate() {
        let bits = eight.iter().fold(0u64, |bits, v| bits << 5 | u64::from(*v));
        key[5 * n..5 * n + 5].copy_from_slice(&bits.to_be_bytes()[3..]);
    }
    Some(key)
}

/// What the square code says. https://github.com/google/google-authenticator/wiki/Key-Uri-Format
pub fn address(key: &[u8], email: &str) -> String {
    let name: String = url::form_urlencoded::byte_serialize(email.as_bytes()).collect();
    format!("otpauth://totp/HaloTrack:{name}?secret={}&issuer=HaloTrack", key_text(key))
}

/// Ten codes of 50 bits, for the day the phone is lost; each is good once.
pub fn fresh_recovery_codes() -> Vec<String> {
    let code = || {
        let text = key_text(&crypto::random::<7>()).to_ascii_lowercase();
        format!("{}-{}", &text[..5], &text[5..10])
    };
    (0..10).map(|_| code()).collect()
}

/// Recovery codes are compared as people type them: case, spaces and dashes apart.
pub fn recovery_hash(code: &str) -> [u8; 32] {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    crypto::sha256(plain.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_equal_the_known_answers() {
        // RFC 6238, appendix B, SHA-1, last six digits.
        let key = b"12345678901234567890";
        for (s, want) in [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")] {
            assert_eq!(code_at(key, s / STEP_S), want);
        }
    }

    #[test]
    fn a_step_counts_once_and_only_near_its_time() {
        let key = b"12345678901234567890";
        let now = Time::from_s(1_234_567_890);
        let step = now.s() / STEP_S;
        assert_eq!(step_of(key, "005924", 0, now), Some(step));
        assert_eq!(step_of(key, "005924", step, now), None);
        assert_eq!(step_of(key, "005924", 0, now.plus_ms(29_000)), Some(step));
        assert_eq!(step_of(key, "005924", 0, now.plus_ms(90_000)), None);
        assert_eq!(step_of(key, "", 0, now), None);
    }

    #[test]
    fn keys_are_written_as_authenticators_read_them() {
        // RFC 4648, section 10, without padding.
        for (plain, text) in
            [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"), ("foobar", "MZXW6YTBOI")]
        {
            assert_eq!(key_text(plain.as_bytes()), text);
        }
        assert_eq!(
            address(b"fooba", "ann+x@shop.example"),
            "otpauth://totp/HaloTrack:ann%2Bx%40shop.example?secret=MZXW6YTB&issuer=HaloTrack"
        );
        let key = fresh_key();
        assert_eq!(key_of(&key_text(&key)), Some(key));
        assert_eq!(key_of(&"1".repeat(32)), None);
        let codes = fresh_recovery_codes();
        assert!(codes.len() == 10 && codes.iter().all(|c| c.len() == 11), "{codes:?}");
    }

    #[test]
    fn a_recovery_code_may_be_typed_loosely() {
        assert_eq!(recovery_hash("AB12-cd34"), recovery_hash(" ab12 CD34"));
    }
}
