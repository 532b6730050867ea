//! Passwords: which ones are taken, and their Argon2id hashes.

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::crypto;
use crate::domain::person::Email;
use crate::error::{Error, Kind, Result};

const SHORTEST: usize = 12;
const LONGEST: usize = 256;
/// Fewer different characters than this is a pattern.
const FEWEST_KINDS: usize = 5;
/// A password made of no more common words than this is a common one; a long phrase of such words is not.
const MOST_COMMON_WORDS: usize = 2;
/// Characters that must be left beside the own name or a run of the keyboard.
const LEAST_BESIDE: usize = 8;

/// Words that lists of leaked passwords begin with, and those that name this product.
const COMMON: &str = include_str!("password/common.txt");
/// Runs of the alphabet, of digits and of the usual keyboards.
const RUNS: [&str; 6] = [
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn",
    "q1w2e3r4t5y6u7i8o9p0",
    "1q2w3e4r5t6y7u8i9o0p",
];

/// The floor that OWASP's password storage cheat sheet names: 19 MiB, two passes, one lane.
fn argon() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).expect("these figures are within Argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Takes 20 to 60 ms and 19 MiB: call it off the async threads, and not many at a time.
pub fn hash(password: &str) -> Result<String> {
    let hash = argon().hash_password_with_salt(password.as_bytes(), &crypto::random::<16>());
    hash.map(|h| h.to_string()).map_err(|e| Error::internal(e.to_string()))
}

/// With no hash there is nobody: the same work is done, and the answer is no.
pub fn fits(password: &str, hash: Option<&str>) -> bool {
    let Some(hash) = hash else {
        let _ = self::hash(password);
        return false;
    };
    argon().verify_password(password.as_bytes(), hash).is_ok()
}

/// Says why a password is not taken, and what would be.
pub fn check(password: &str, email: &Email) -> Result<()> {
    let length = password.chars().count();
    let why = if length < SHORTEST {
        format!("Take at least {SHORTEST} characters. A few random words are easy to remember and hard to guess.")
    } else if length > LONGEST {
        format!("Take at most {LONGEST} characters.")
    } else if is_pattern(password) {
        "This is a pattern that is tried early. A few random words are better.".into()
    } else if is_common(password) {
        "This is one of the passwords that are tried first. A few random words are better.".into()
    } else if is_own_name(password, email) {
        "This is nearly your e-mail address. A few random words are better.".into()
    } else {
        return Ok(());
    };
    Err(Error::new(Kind::Invalid, "weak_password", why).of("password"))
}

fn is_pattern(password: &str) -> bool {
    let lower: Vec<char> = password.to_lowercase().chars().collect();
    let kinds = lower.iter().collect::<std::collections::BTreeSet<_>>().len();
    if kinds < FEWEST_KINDS {
        return true;
    }
    let text: String = lower.iter().collect();
    let in_runs = RUNS.iter().map(|run| longest_shared(&text, run).max(longest_shared(&text, &backwards(run)))).max().unwrap_or(0);
    lower.len() - in_runs < 4
}

/// Letters only, with the usual stand-ins read as letters, and made of very few common words.
fn is_common(password: &str) -> bool {
    let lower = password.to_lowercase();
    // Years and marks are hung onto the ends; stand-ins for letters are inside.
    let letters: String = lower
        .trim_matches(|c: char| !c.is_alphabetic())
        .chars()
        .filter_map(|c| match c {
            '0' => Some('o'),
            '3' => Some('e'),
            '4' | '@' => Some('a'),
            '5' | '$' => Some('s'),
            '7' => Some('t'),
            '!' => None,
            c => c.is_alphabetic().then_some(c),
        })
        .collect();
    let plain: String = lower.chars().filter(|c| c.is_alphabetic()).collect();
    [letters, plain].iter().any(|text| few_words(text))
}

/// Can the text be cut into so few common words?
fn few_words(text: &str) -> bool {
    let words: std::collections::HashSet<&str> = COMMON.lines().collect();
    // least[n]: the fewest words that make up the first n bytes.
    let mut least = vec![usize::MAX; text.len() + 1];
    least[0] = 0;
    for end in 1..=text.len() {
        for start in 0..end {
            if least[start] < MOST_COMMON_WORDS && text.get(start..end).is_some_and(|piece| words.contains(piece)) {
                least[end] = least[end].min(least[start] + 1);
            }
        }
    }
    least[text.len()] <= MOST_COMMON_WORDS
}

fn is_own_name(password: &str, email: &Email) -> bool {
    let lower = password.to_lowercase();
    let (name, host) = email.as_str().split_once('@').unwrap_or((email.as_str(), ""));
    let label = host.split('.').next().unwrap_or_default();
    [email.as_str(), name, host, label]
        .iter()
        .filter(|part| part.chars().count() >= 4)
        .any(|part| lower.contains(*part) && lower.replace(*part, "").chars().count() < LEAST_BESIDE)
}

/// The length of the longest piece of `run` that stands in `text`.
fn longest_shared(text: &str, run: &str) -> usize {
    let mut longest = 0;
    for start in 0..run.len() {
        while run.get(start..start + longest + 1).is_some_and(|piece| text.contains(piece)) {
            longest += 1;
        }
    }
    longest
}

fn backwards(text: &str) -> String {
    text.chars().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_ones_are_refused_and_phrases_are_taken() {
        let email = Email::parse("martha.kent@smallville.example").expect("an address");
        let code = |password: &str| check(password, &email).err().map(|e| e.code);
        for weak in [
            "short",
            "aaaaaaaaaaaaaaaa",
            "121212121212",
            "123456789012",
            "qwertyuiop123",
            "abcdefghijklm",
            "Password1234!",
            "P@ssw0rd2026!!",
            "passwordpassword",
            "Welcome2026!!",
            "ChangeMe12345",
            "administrator1",
            "martha.kent1!",
            "Smallville2026",
            "martha.kent@smallville.example",
        ] {
            assert_eq!(code(weak), Some("weak_password"), "{weak}");
        }
        assert_eq!(code(&"x y z w v ".repeat(26)), Some("weak_password"), "too long");
        for good in ["correct horse battery staple", "vT9#kfQ2mZ!p", "monkey dragon sunshine princess", "Kühlschrank im Regen"] {
            assert_eq!(code(good), None, "{good}");
        }
    }

    #[test]
    fn a_hash_fits_its_password_only() {
        let kept = hash("correct horse battery staple").expect("a hash");
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(fits("correct horse battery staple", Some(&kept)));
        assert!(!fits("correct horse battery stable", Some(&kept)));
        assert!(!fits("correct horse battery staple", None));
    }
}
