//! Phone numbers in E.164, from what people type.
//!
//! The rules of each country are Google's, by crate `rlibphonenumber`. Only numbers that its metadata calls valid are
//! taken: a number that merely parses (a letter O for a zero) would be somebody else's.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, Region};
use serde::{Deserialize, Serialize};

use super::{mask_phone, unseen_off};

/// A valid number as `+` and 7 to 15 digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Phone(String);

impl Phone {
    /// Reads a number as typed; `country` (two letters) is where it would be dialled if it has no country code.
    pub fn parse(raw: &str, country: Option<&str>) -> Option<Phone> {
        let text = dialled(raw)?;
        let region = country.and_then(region);
        if text.starts_with('+') || region.is_some() {
            let phone = valid(&text, region);
            if phone.is_some() || text.starts_with('+') {
                return phone;
            }
        }
        // AnyTrack, WhatsApp and others send E.164 without its plus. Eleven digits and more, not beginning with a
        // trunk zero, are believed where no national number fits.
        let is_plain = text.len() >= 11 && !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
        if is_plain { valid(&format!("+{text}"), None) } else { None }
    }

    /// A number that was stored in this form; its validity is not asked again.
    pub fn from_e164(text: &str) -> Option<Phone> {
        let digits = text.strip_prefix('+')?;
        let is_number = (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        (is_number && !digits.starts_with('0')).then(|| Phone(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without the plus.
    pub fn digits(&self) -> &str {
        self.0.trim_start_matches('+')
    }

    /// `+97••••67`
    pub fn masked(&self) -> String {
        mask_phone(&self.0)
    }
}

impl std::fmt::Display for Phone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Phone {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Phone, Self::Error> {
        Phone::from_e164(&text).ok_or("not a phone number in E.164 form")
    }
}

impl From<Phone> for String {
    fn from(phone: Phone) -> String {
        phone.0
    }
}

fn valid(text: &str, region: Option<Region>) -> Option<Phone> {
    let number = PHONE_NUMBER_UTIL.parse(text, region).ok().filter(|number| number.is_valid())?;
    Phone::from_e164(&number.format_as(PhoneNumberFormat::E164))
}

/// What would be dialled: ASCII digits, `+` for a leading `00`, no extension, no bracketed trunk zero. None for what
/// has letters left, no digits at all, or is too long to be a number.
pub(super) fn dialled(raw: &str) -> Option<String> {
    let text = unseen_off(raw);
    if text.len() > 200 {
        return None;
    }
    let text: String = text.chars().map(plain_digit).collect::<String>().to_lowercase();
    let text = text.strip_prefix("tel:").unwrap_or(&text);
    let text = without_extension(text).trim();
    if text.chars().any(char::is_alphabetic) || !text.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let text = match text.strip_prefix("00") {
        // A third zero is somebody's key held too long, not a part of the number.
        Some(rest) => format!("+{}", rest.trim_start_matches(['0', ' '])),
        None => text.to_owned(),
    };
    // The zero in `+44 (0)20` is dialled only without the country code.
    Some(if text.starts_with('+') { text.replace("(0)", "") } else { text })
}

/// Cuts `ext 9`, `ext. 9`, `x9`, `#9`, `;ext=9` behind the number.
fn without_extension(text: &str) -> &str {
    let cut = [";ext", "ext", "x", "#", "extension"].iter().filter_map(|mark| text.find(mark)).min();
    match cut {
        Some(at) if text[..at].contains(|c: char| c.is_ascii_digit()) => &text[..at],
        _ => text,
    }
}

/// Digits of other scripts, in blocks of ten that begin with their zero; and the full-width plus.
fn plain_digit(c: char) -> char {
    const ZEROS: [u32; 11] = [0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0BE6, 0x0E50, 0x17E0, 0xFF10];
    if c == '＋' {
        return '+';
    }
    let code = c as u32;
    ZEROS.iter().find(|zero| (**zero..**zero + 10).contains(&code)).and_then(|zero| char::from_digit(code - zero, 10)).unwrap_or(c)
}

fn region(country: &str) -> Option<Region> {
    let code = country.trim().to_ascii_uppercase();
    let code = if code == "UK" { "GB" } else { code.as_str() };
    if code.len() == 2 { Region::from_code(code).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(raw: &str, country: &str, want: &str) {
        let country = (!country.is_empty()).then_some(country);
        let got = Phone::parse(raw, country);
        assert_eq!(got.as_ref().map_or("", Phone::as_str), want, "{raw:?} {country:?}");
        if let Some(phone) = got {
            assert_eq!(Phone::parse(phone.as_str(), None), Some(phone.clone()), "parsing again changes nothing");
            assert_eq!(phone.digits(), &phone.as_str()[1..]);
        }
    }

    #[test]
    fn numbers() {
        for (raw, country, want) in [
            ("+971501234567", "", "+971501234567"),
            ("050 123 4567", "AE", "+971501234567"),
            ("050 123 4567", "ae", "+971501234567"),
            ("050 123 4567", "", ""),
            ("00971 50 123 4567", "", "+971501234567"),
            ("00971 50 123 4567", "DE", "+971501234567"),
            ("٠٥٠١٢٣٤٥٦٧", "AE", "+971501234567"),
            ("＋９７１ ５０ １２３ ４５６７", "", "+971501234567"),
            ("+9715O1234567", "", ""),
            ("971501234567", "", "+971501234567"),
            ("971501234567", "AE", "+971501234567"),
            ("971501234567", "IE", "+971501234567"),
            ("16502530000", "", "+16502530000"),
            ("6502530000", "", ""),
            ("12345", "AE", ""),
            ("04 123 4567", "AE", ""),
            ("+420 602 123 456", "", "+420602123456"),
            ("602123456", "CZ", "+420602123456"),
            ("+44 (0)20 7946 0958", "", "+442079460958"),
            ("020 7946 0958", "UK", "+442079460958"),
            ("(212) 555-0123", "US", "+12125550123"),
            ("+1 650 253 0000 ext 9", "", "+16502530000"),
            ("650-253-0000 x9", "US", "+16502530000"),
            ("tel:+1-650-253-0000;ext=9", "", "+16502530000"),
            ("011 44 20 7946 0958", "US", "+442079460958"),
            ("06 12 34 56 78", "FR", "+33612345678"),
            ("02 1234 5678", "IT", "+390212345678"),
            ("\u{202a}+971 50 123 4567\u{202c}", "", "+971501234567"),
            ("1-800-FLOWERS", "US", ""),
            ("+12345678901234567", "", ""),
            ("call me", "US", ""),
            ("+", "", ""),
            ("", "US", ""),
            ("050 123 4567", "Emirates", ""),
        ] {
            check(raw, country, want);
        }
    }

    #[test]
    fn stored_form() {
        for (text, is_one) in [("+971501234567", true), ("971501234567", false), ("+0971501", false), ("+12", false)] {
            assert_eq!(Phone::from_e164(text).is_some(), is_one, "{text}");
        }
        let phone: Phone = serde_json::from_str("\"+971501234567\"").expect("as stored");
        assert_eq!(serde_json::to_string(&phone).ok().as_deref(), Some("\"+971501234567\""));
        assert_eq!(phone.masked(), "+97••••67");
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC*", number in "[+0-9 ()x.#;/-]{0,24}", country in ".{0,3}") {
            for raw in [&text, &number] {
                for country in [None, Some("AE"), Some(country.as_str())] {
                    if let Some(phone) = Phone::parse(raw, country) {
                        prop_assert!(Phone::from_e164(phone.as_str()).is_some());
                    }
                }
            }
        }
    }
}
