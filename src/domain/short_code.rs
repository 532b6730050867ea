//! The short code of a browser: six characters that can be read aloud, written into an order's note or said on the telephone,
//! and lead to the visit again. A pure function of the session id, so that the page shows it without asking
//! (`docs/tag.md`, "The short code"; `assets/t.js`).

use super::time::{DAY_MS, Time};

/// Letters and digits that nobody takes for one another. 29 is prime: one wrong character is always noticed.
const LETTERS: &[u8; 29] = b"23456789ABCDEFGHJKMNPQRSTVWXY";
/// Largest prime below 2³¹: no step leaves the integers that a browser counts exactly.
const PRIME: u64 = (1 << 31) - 1;
/// Digits stand at the front of `LETTERS`.
const DIGITS: usize = 8;
/// Characters of a session id that count; what follows is its seal.
const NAMED_BY: usize = 28;
/// A code leads to its visit for so long after a page last showed it.
const LIVES_MS: i64 = 90 * DAY_MS;
/// Codes that are looked for in one fact: a text of many is a list, not a note.
const MOST_FOUND: usize = 5;

/// The code of a session, by the first 28 characters of its id.
pub fn of_session(id: &str) -> String {
    let mut h = id.bytes().take(NAMED_BY).fold(0, |h, byte| (h * 257 + u64::from(byte)) % PRIME);
    loop {
        // Nought would stay nought for ever.
        h = (h * 257 % PRIME).max(1);
        let mut rest = h;
        let mut code = Vec::with_capacity(6);
        let (mut sum, mut digits) = (0, 0);
        for weight in 1..6 {
            let letter = (rest % 29) as usize;
            rest /= 29;
            sum += letter * weight;
            digits += usize::from(letter < DIGITS);
            code.push(LETTERS[letter]);
        }
        // Two digits keep it from being a word, a letter from being a number.
        if (2..5).contains(&digits) {
            code.push(LETTERS[sum % 29]);
            return code.into_iter().map(char::from).collect();
        }
    }
}

/// What may be a code, as it is compared: upper case, two digits and a letter among the first five, a check character that fits.
pub fn read(word: &str) -> Option<String> {
    let upper = word.to_ascii_uppercase();
    let places: Vec<usize> = upper.bytes().map(|byte| LETTERS.iter().position(|l| *l == byte)).collect::<Option<_>>()?;
    let (check, five) = places.split_last().filter(|(_, five)| five.len() == 5)?;
    let sum: usize = five.iter().zip(1..).map(|(place, weight)| place * weight).sum();
    ((2..5).contains(&five.iter().filter(|place| **place < DIGITS).count()) && sum % 29 == *check).then_some(upper)
}

/// Codes that stand in a text as words of their own, each once.
pub fn found_in(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() == 6) {
        let Some(code) = read(word) else { continue };
        if !found.contains(&code) {
            found.push(code);
        }
        if found.len() == MOST_FOUND {
            break;
        }
    }
    found
}

/// The same of several texts.
pub fn found_in_all<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for text in texts {
        for code in found_in(text.as_ref()) {
            if found.len() < MOST_FOUND && !found.contains(&code) {
                found.push(code);
            }
        }
    }
    found
}

/// From when to when a page must have shown a code so that a fact of this moment may mean it.
pub fn shown_between(happened_at: Time) -> (Time, Time) {
    (happened_at.plus_ms(-LIVES_MS), happened_at)
}

/// Codes that were last shown before this lead nowhere any more.
pub fn dead_before(now: Time) -> Time {
    now.plus_ms(-LIVES_MS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn codes_are_those_of_the_tags_page() {
        for (id, code) in [
            ("AAAAAAAAAAAAAAAAAAAAAAAAAAAA.seal", "9RB2G5"),
            ("q7Zt0cVb3Rk9xYw2LmNs5pHfJd1G", "K3T6W7"),
            ("0123456789abcdefghijklmnopqrstuvwxyz", "52HE2B"),
        ] {
            assert_eq!(of_session(id), code);
            assert_eq!(read(code).as_deref(), Some(code));
        }
        assert_eq!(of_session("").len(), 6, "it ends for every text");
    }

    #[test]
    fn codes_are_found_as_words_and_nothing_else_is() {
        for (text, want) in [
            ("Called about the kitchen, code K3T6W7.", vec!["K3T6W7"]),
            ("k3t6w7", vec!["K3T6W7"]),
            ("(K3T6W7)/52HE2B; K3T6W7", vec!["K3T6W7", "52HE2B"]),
            ("#9RB2G5", vec!["9RB2G5"]),
            // A part of a longer word, a wrong check, too few digits, words and numbers of everyday life.
            ("AK3T6W7 K3T6W77 K3T6W8 3KT6W7", vec![]),
            ("Dublin garden 123456 ABCDEF 2026-06-13 +353861234567 SW1A1AA D02XY45 iPhone15", vec![]),
            ("ÄK3T6W7 K3T6W7ß", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(found_in(text), want, "{text}");
        }
        assert_eq!(found_in(&"K3T6W7 52HE2B 9RB2G5 ".repeat(50)).len(), 3);
    }

    proptest! {
        #[test]
        fn every_session_has_a_code_that_is_read_back(id in "[A-Za-z0-9_-]{28}") {
            let code = of_session(&id);
            prop_assert_eq!(code.len(), 6);
            prop_assert!((2..5).contains(&code.bytes().take(5).filter(u8::is_ascii_digit).count()));
            let said = format!("my code is {} thanks", code.to_lowercase());
            prop_assert_eq!(read(&code), Some(code.clone()));
            prop_assert_eq!(found_in(&said), vec![code]);
        }

        /// One wrong character, or two of the first five in the wrong order.
        #[test]
        fn a_slip_is_noticed(id in "[A-Za-z0-9_-]{28}", place in 0usize..6, letter in 0usize..29, a in 0usize..5, b in 0usize..5) {
            let code = of_session(&id);
            let mut wrong = code.clone().into_bytes();
            wrong[place] = LETTERS[letter];
            let wrong = String::from_utf8(wrong).expect("letters");
            prop_assert_eq!(read(&wrong).is_some(), wrong == code);
            let mut turned = code.clone().into_bytes();
            turned.swap(a, b);
            let turned = String::from_utf8(turned).expect("letters");
            prop_assert_eq!(read(&turned).is_some(), turned == code);
        }

        /// Order numbers, postcodes, parts of telephone numbers.
        #[test]
        fn no_number_is_a_code(number in 0u32..1_000_000) {
            prop_assert_eq!(read(&format!("{number:06}")), None);
        }

        #[test]
        fn no_text_makes_it_fail(text in any::<String>()) {
            prop_assert!(found_in(&text).len() <= MOST_FOUND);
        }
    }
}
