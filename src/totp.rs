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
    fn a_recovery_code_may_be_typed_loosely() {
        assert_eq!(recovery_hash("AB12-cd34"), recovery_hash(" ab12 CD34"));
    }
}
