//! The IAB's consent string (TCF v2): which purposes a visitor agreed to.
//!
//! Layout of the core part, in bits, big-endian, base64url without padding:
//! https://github.com/InteractiveAdvertisingBureau/GDPR-Transparency-and-Consent-Framework, "TCF v2 Consent string
//! format". Vendors are not read: we are none, and the site's owner answers for the purposes.

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::Answer;

/// 6 version, 36 created, 36 updated, 12 + 12 manager, 6 screen, 12 language, 12 list, 6 policy, 1 + 1 flags, 12
/// special features stand before the 24 purposes.
const PURPOSES_AT: usize = 152;

/// Analytics and marketing from a consent string; None for what is no version 2 string.
///
/// Purpose 1 is storing on the device, 3 and 4 profiles for and choice of personal advertising, 8 measuring content.
pub fn answers(text: &str) -> Option<(Answer, Answer)> {
    let core = text.trim().split('.').next()?;
    // The purposes end at bit 176 (30 letters); what follows is not needed and may be cut by a careless copy.
    if !core.is_ascii() || core.len() < 30 || core.len() > 65_536 {
        return None;
    }
    let bits = engine().decode(&core[..core.len().min(32) / 4 * 4]).ok().filter(|bits| bits.len() >= 21)?;
    let bit = |at: usize| bits.get(at / 8).is_some_and(|byte| byte >> (7 - at % 8) & 1 == 1);
    if bits[0] >> 2 != 2 {
        return None;
    }
    let has = |purpose: usize| bit(PURPOSES_AT + purpose - 1);
    let answer = |may: bool| if may { Answer::Granted } else { Answer::Denied };
    Some((answer(has(1) && has(8)), answer(has(1) && has(3) && has(4))))
}

/// Finds the consent string inside another text, such as the JSON that some managers keep.
pub fn find(text: &str) -> Option<(Answer, Answer)> {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.split(|c| !is_letter(c)).filter(|token| token.starts_with('C')).find_map(answers)
}

/// Managers write no padding, and leave bits behind the last whole byte.
fn engine() -> GeneralPurpose {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(&URL_SAFE, config)
}

/// Makes strings for tests: version 2 with the given purposes.
#[cfg(test)]
pub fn made(purposes: &[usize]) -> String {
    made_as(2, purposes)
}

#[cfg(test)]
pub fn made_as(version: u8, purposes: &[usize]) -> String {
    let mut bytes = [0u8; 27];
    bytes[0] = version << 2;
    for purpose in purposes {
        let at = PURPOSES_AT + purpose - 1;
        bytes[at / 8] |= 0x80 >> (at % 8);
    }
    engine().encode(bytes).trim_end_matches('=').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const YES: Answer = Answer::Granted;
    const NO: Answer = Answer::Denied;

    #[track_caller]
    fn check(given: &str, want: Option<(Answer, Answer)>) {
        assert_eq!(answers(given), want, "{given}");
    }

    #[test]
    fn strings() {
        let all: Vec<usize> = (1..=10).collect();
        check(&made(&all), Some((YES, YES)));
        check(&format!("{}.YAAAAAAAAAAA", made(&all)), Some((YES, YES)));
        check(&made(&[]), Some((NO, NO)));
        check(&made(&[1, 8]), Some((YES, NO)));
        check(&made(&[1, 3, 4]), Some((NO, YES)));
        check(&made(&[3, 4, 8]), Some((NO, NO)));
        check(&made(&[1, 3]), Some((NO, NO)));
        check("", None);
        check("BObdrPUOevsguAfDqFENCNAAAAAmeAAA.PVAfDObdrA", None); // version 1
        check(&"é".repeat(40), None);
        check("not a consent string at all, but long enough", None);
        let json = format!("[null,null,[\"{}\",\"1~2.3\"]]", made(&[1, 8]));
        assert_eq!(find(&json), Some((YES, NO)));
        assert_eq!(find("Cats and dogs"), None);
    }

    /// What we cannot read is no answer: neither a yes by chance nor a no by zeros.
    #[test]
    fn other_versions_and_broken_strings() {
        let all: Vec<usize> = (1..=10).collect();
        for version in [0, 1, 3, 4, 63] {
            check(&made_as(version, &all), None);
            check(&made_as(version, &[]), None);
            check(&format!("{}.YAAAAAAAAAAA", made_as(version, &all)), None);
        }
        let whole = made(&all);
        for end in 0..30 {
            check(&whole[..end], None);
        }
        for end in 30..=whole.len() {
            check(&whole[..end], Some((YES, YES)));
        }
        for broken in [
            format!(".{whole}"),
            whole.replacen('A', "*", 1),
            whole.replacen('A', " ", 1),
            format!("{{\"tcString\":\"{whole}\"}}"),
            "C".repeat(29),
            "=".repeat(40),
            "3".repeat(40),
        ] {
            check(&broken, None);
        }
        assert_eq!(find(&format!("[\"{}\",\"{}\"]", made_as(3, &all), made(&[1, 8]))), Some((YES, NO)), "the one that can be read");
        assert_eq!(find(&made_as(3, &all)), None);
    }

    #[test]
    fn a_string_of_a_real_manager() {
        // A refusal of everything as a banner wrote it, with vendor and publisher parts behind.
        check("CPt3fQAPt3fQACNAFAENDLCgAAAAAAAAACiQAAAOCgDAB-AIsAZ8A6QDBAHBAAAA.YAAAAAAAAAAA", Some((NO, NO)));
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC*", letters in "C[A-Za-z0-9_.-]{0,80}") {
            answers(&text);
            find(&text);
            find(&letters);
        }
    }
}
