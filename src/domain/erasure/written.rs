//! A person as somebody else has written them: an address in any case, a number with blanks, dashes or brackets in it. A longer
//! number that merely holds the same digits is another.

use crate::domain::person::Phone;

/// Fewer digits than a number has are found everywhere.
pub const FEWEST_DIGITS: usize = 8;
/// What people write between the digits of a number, in bytes; a blank that does not break is two.
const MOST_BETWEEN: usize = 5;

/// What is looked for in texts of others: addresses as they are stored, numbers as digits, with their country and as they are dialled
/// at home, where that is the same number.
pub fn looked_for(emails: &[String], phones: &[String], home: Option<&str>) -> Vec<String> {
    let mut all: Vec<String> = emails.to_vec();
    for phone in phones {
        let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
        if digits.len() < FEWEST_DIGITS {
            continue;
        }
        all.extend(at_home(&digits, home));
        all.push(digits);
    }
    all
}

/// `0501234567` for `971501234567`, where the site is at home.
fn at_home(digits: &str, home: Option<&str>) -> Option<String> {
    let phone = Phone::from_e164(&format!("+{digits}"))?;
    // Country codes have one digit to three. Where numbers begin with a zero at home, nobody writes them without.
    let written = |zero: &str| {
        (1..=3).map(|code| format!("{zero}{}", &digits[code..])).find(|text| Phone::parse(text, home).as_ref() == Some(&phone))
    };
    written("0").or_else(|| written("")).filter(|text| text.len() >= FEWEST_DIGITS && home.is_some())
}

/// Whether the text names the person by a value of `looked_for`.
pub fn mentions(text: &str, value: &str) -> bool {
    if value.is_empty() {
        return false;
    }
    if value.bytes().all(|b| b.is_ascii_digit()) {
        return has_number(text.as_bytes(), value.as_bytes());
    }
    let text = text.to_lowercase();
    text.contains(value) || (text.contains(['%', '\\']) && text.replace("%40", "@").replace("\\u0040", "@").contains(value))
}

fn has_number(text: &[u8], digits: &[u8]) -> bool {
    (0..text.len()).filter(|at| text[*at] == digits[0]).any(|at| may_begin(&text[..at]) && ends_alone(&text[at..], digits))
}

/// No digit stands before it but the two zeros, or the `2B` of a plus, with which a number with its country may begin.
fn may_begin(before: &[u8]) -> bool {
    let is_digit = |b: Option<&u8>| b.is_some_and(u8::is_ascii_digit);
    if !is_digit(before.last()) {
        return true;
    }
    let Some(front) = before.strip_suffix(b"00").or_else(|| before.strip_suffix(b"%20")) else { return false };
    !is_digit(front.last())
}

/// The digits one after the other, with what people write between them, and none behind them.
fn ends_alone(text: &[u8], digits: &[u8]) -> bool {
    let mut at = 1;
    for digit in &digits[1..] {
        match next_digit(&text[at..], *digit) {
            Some(step) => at += step,
            None => return false,
        }
    }
    text.get(at).is_none_or(|b| !b.is_ascii_digit())
}

/// Bytes up to behind the digit, if only what may stand between digits comes before it.
fn next_digit(text: &[u8], digit: u8) -> Option<usize> {
    let mut at = 0;
    while at <= MOST_BETWEEN {
        match text.get(at)? {
            b if *b == digit => return Some(at + 1),
            b'(' if text[at..].starts_with(b"(0)") => at += 3,
            b' ' | b'-' | b'.' | b'/' | b'(' | b')' | b'\t' => at += 1,
            0xc2 if text.get(at + 1) == Some(&0xa0) => at += 2,
            b'%' if text[at..].starts_with(b"%20") => at += 3,
            b'+' => at += 1,
            _ => return None,
        }
    }
    None
}

/// The same as a pattern over bytes, for files. `is_alone` asks that no digit stands before or behind; in a file of records the
/// field before may end with one.
pub fn pattern_of_number(digits: &str, is_alone: bool) -> String {
    let between = format!(r"(?:\(0\)|[ \-./()\t+]|\xC2\xA0|%20){{0,{MOST_BETWEEN}}}");
    let number: Vec<String> = digits.chars().map(String::from).collect();
    let number = number.join(&between);
    if is_alone { format!("(?-u:(?:(?:^|[^0-9])(?:00)?|%20){number}(?:[^0-9]|$))") } else { format!("(?-u:{number})") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DIGITS: &str = "971501234567";

    #[test]
    fn a_number_in_any_clothes() {
        for (text, want) in [
            ("971501234567", true),
            ("call +971 50 123 4567 please", true),
            ("+971-50-123-4567", true),
            ("(971) 50/123.45.67", true),
            ("00971 50 1234567", true),
            ("+971 (0)50 123 4567", true),
            ("tel=%2B971%2050%201234567&x=1", true),
            ("+971\u{a0}50\u{a0}1234567", true),
            ("{\"phone\":\"+971501234567\"}", true),
            ("1971501234567", false),
            ("9715012345678", false),
            ("order 100971501234567", false),
            ("971 50 123 456", false),
            ("97150, 1234567", false),
            ("971      501234567", false),
            ("971\n501234567", false),
            ("", false),
        ] {
            assert_eq!(mentions(text, DIGITS), want, "{text:?}");
            let found = regex::bytes::Regex::new(&pattern_of_number(DIGITS, true)).expect("a pattern").is_match(text.as_bytes());
            assert_eq!(found, want, "{text:?} in a file");
        }
        // A field of a record may stand right behind another.
        let loose = regex::bytes::Regex::new(&pattern_of_number(DIGITS, false)).expect("a pattern");
        assert!(loose.is_match(b"17971501234567"));
    }

    #[test]
    fn an_address_in_any_clothes() {
        for (text, want) in [
            ("write to Ann@Shop.Example!", true),
            ("who=ann%40shop.example", true),
            (r"{\u0022e\u0022:ann\u0040shop.example}", true),
            ("ann@shop", false),
        ] {
            assert_eq!(mentions(text, "ann@shop.example"), want, "{text}");
        }
    }

    #[test]
    fn numbers_as_they_are_dialled_at_home() {
        for (phone, home, want) in [
            ("+971501234567", Some("AE"), &["0501234567", "971501234567"][..]),
            ("+971501234567", Some("DE"), &["971501234567"]),
            ("+971501234567", None, &["971501234567"]),
            ("+14155550100", Some("US"), &["4155550100", "14155550100"]),
            ("+3412345", Some("ES"), &[]),
        ] {
            assert_eq!(looked_for(&[], &[phone.into()], home), want, "{phone} {home:?}");
        }
        assert_eq!(looked_for(&["ann@shop.example".into()], &[], None), ["ann@shop.example"]);
        assert!(mentions("ring 050 - 123 45 67 after six", "0501234567") && !mentions("order 10501234567", "0501234567"));
    }

    proptest! {
        #[test]
        fn never_panics_and_files_agree(text in "[0-9 +()./%Aé-]{0,40}", digits in "[1-9][0-9]{7,14}") {
            let pattern = regex::bytes::Regex::new(&pattern_of_number(&digits, true)).expect("a pattern");
            for given in [text.clone(), format!("{text}{digits}{text}"), format!("x{}", digits.chars().map(|d| format!("{d} ")).collect::<String>())] {
                prop_assert!(!mentions(&given, &digits) || pattern.is_match(given.as_bytes()), "{given}");
            }
        }
    }
}
