//! What looks like a person in the name of a campaign: an address, plain, percent-encoded or in base64, or a number to call.

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::domain::person::Email;

/// Digits of a number with its country: ITU-T E.164 has at most 15, and nobody has fewer than 8.
const DIGITS: std::ops::RangeInclusive<usize> = 8..=15;
const AS_WRITTEN: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true);
static CODES: [GeneralPurpose; 2] = [GeneralPurpose::new(&STANDARD, AS_WRITTEN), GeneralPurpose::new(&URL_SAFE, AS_WRITTEN)];
/// `a@b.co` in base64.
const SHORTEST_CODED: usize = 8;

/// True where the value names somebody: nobody may become the name of a campaign.
pub fn names_somebody(text: &str) -> bool {
    looks_like_email(text) || is_phone(text) || is_coded_email(text)
}

/// True if an e-mail address stands anywhere in the text, plain or percent-encoded, once or twice.
pub fn looks_like_email(text: &str) -> bool {
    if !text.contains(['@', '%']) {
        return false;
    }
    let text = text.replace("%2540", "@").replace("%40", "@");
    text.match_indices('@').any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let domain: String = text[at + 1..].chars().take_while(|c| c.is_alphanumeric() || matches!(c, '.' | '-')).collect();
        before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '+' | '-')) && domain.trim_matches('.').contains('.')
    })
}

/// A text with `…` in the place of every word that holds an e-mail address.
pub fn without_emails(text: &str) -> String {
    if !looks_like_email(text) {
        return text.to_owned();
    }
    let shown = |word: &str| match looks_like_email(word) {
        true => format!("…{}", &word[word.trim_end().len()..]),
        false => word.to_owned(),
    };
    text.split_inclusive(char::is_whitespace).map(shown).collect()
}

/// A number written with its country (`+971 50 123 4567`, `00971…`, `tel:+971…`). Bare digits are an ad's number far more often.
fn is_phone(text: &str) -> bool {
    let text = text.trim().trim_start_matches("tel:");
    let Some(rest) = ["+", "%2B", "%2b", "00"].iter().find_map(|sign| text.strip_prefix(sign)) else { return false };
    let digits = rest.bytes().filter(u8::is_ascii_digit).count();
    // No country's number begins with 0; a campaign's own may.
    DIGITS.contains(&digits)
        && rest.trim_start().bytes().next().is_some_and(|b| matches!(b, b'1'..=b'9'))
        && rest.bytes().all(|b| b.is_ascii_digit() || matches!(b, b' ' | b'-' | b'.' | b'(' | b')' | b'/'))
}

/// Newsletters write `utm_content=YW5uQG1haWwuZXhhbXBsZQ==`.
fn is_coded_email(text: &str) -> bool {
    let text = text.trim().trim_end_matches("%3D").trim_end_matches("%3d");
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_' | b'=');
    if text.len() < SHORTEST_CODED || !text.bytes().all(is_letter) {
        return false;
    }
    CODES.iter().any(|code| {
        let bytes = code.decode(text).unwrap_or_default();
        std::str::from_utf8(&bytes).is_ok_and(|plain| plain.is_ascii() && Email::parse(plain).is_some())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn people_are_told_from_campaigns() {
        for (text, want) in [
            ("ann@mail.example", true),
            ("for ann@mail.example now", true),
            ("ann%40mail.example", true),
            ("ann%2540mail.example", true),
            ("YW5uQG1haWwuZXhhbXBsZQ==", true),
            ("YW5uQG1haWwuZXhhbXBsZQ", true),
            ("YW5uQG1haWwuZXhhbXBsZQ%3D%3D", true),
            ("+971501234567", true),
            (" +971 50 123-4567", true),
            ("%2B971501234567", true),
            ("00971501234567", true),
            ("tel:+971501234567", true),
            ("971501234567", false),
            ("120210000000000000", false),
            ("+120210000000000000", false),
            ("000123456789", false),
            ("+20", false),
            ("+50 % off", false),
            ("2026-06-13", false),
            ("spring_sale_2026", false),
            ("c3ByaW5nLXNhbGU=", false),
            ("@handle", false),
            ("50%40off", false),
            ("Klara & Ann", false),
            ("", false),
        ] {
            assert_eq!(names_somebody(text), want, "{text:?}");
        }
    }

    #[test]
    fn texts_without_addresses() {
        for (text, want) in [
            ("Thank you, ann@mail.example", "Thank you, …"),
            ("<ann@mail.example>: your\norder  (bo%40mail.example) now", "… your\norder  … now"),
            ("Cups @ home, 5 % off", "Cups @ home, 5 % off"),
        ] {
            assert_eq!(without_emails(text), want);
        }
    }

    proptest! {
        #[test]
        fn no_address_is_left(text in "[ -~]{0,40}", tail in "[a-z@. %]{0,30}") {
            let shown = without_emails(&format!("{text}{tail}"));
            prop_assert!(!looks_like_email(&shown), "{shown}");
        }

        #[test]
        fn never_panics(text in "\\PC*", letters in "[A-Za-z0-9+/=%@.]{0,60}") {
            names_somebody(&text);
            names_somebody(&letters);
        }

        #[test]
        fn words_are_no_people(text in "[a-z]{1,12}[_-][a-z0-9]{1,12}") {
            prop_assert!(!names_somebody(&text));
        }
    }
}
